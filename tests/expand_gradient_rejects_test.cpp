// What ExpandGradient refuses: the message helps, and dX is as before.
#include <gtest/gtest.h>

#include "support/rejects.h"

namespace sylvite::test {
namespace {

constexpr ErrorCode kInvalidArgument = ErrorCode::kInvalidArgument;

class ExpandGradientRejects : public ::testing::Test {
 protected:
  void expect_refused(std::initializer_list<std::string_view> fragments, const Tensor& dy,
                      const Shape& x_shape, Tensor dx) {
    expect_rejected(kInvalidArgument, {"ExpandGradient"}, out_,
                    [&] { expand_gradient(dy, x_shape, dx); });
    expect_rejected(kInvalidArgument, fragments, out_, [&] { expand_gradient(dy, x_shape, dx); });
  }

  Tensor dx(const Shape& shape, DType dtype = DType::kFloat32) {
    return Tensor::wrap(out_.data(), dtype, shape);
  }

  Bytes out_ = Bytes(4096);
  Tensor dy_ = Tensor::empty(DType::kFloat32, {4, 3, 8});
};

TEST_F(ExpandGradientRejects, ShapesThatDoNotBroadcast) {
  expect_refused({"[4, 2, 8]", "[4, 3, 8]", "axis 1", "2", "3"}, dy_, {4, 2, 8}, dx({4, 2, 8}));
  expect_refused({"[7]", "axis 2", "7", "8"}, dy_, {7}, dx({7}));
  expect_refused({"[0]", "[4, 3, 8]"}, dy_, {0}, dx({0}));
  expect_refused({"rank 4", "3"}, dy_, {1, 4, 3, 8}, dx({1, 4, 3, 8}));
  expect_refused({"-1"}, dy_, {-1}, dx({1}));
  const Tensor empty = Tensor::empty(DType::kFloat32, {4, 0});
  expect_refused({"extent 3 meets 0"}, empty, {4, 3}, dx({4, 3}));
}

TEST_F(ExpandGradientRejects, ElementsThatCannotBeAdded) {
  const Tensor truths = Tensor::empty(DType::kBool, {4, 3});
  expect_refused({"bool"}, truths, {3}, dx({3}, DType::kBool));
  expect_refused({"bool"}, truths, {4, 3}, dx({4, 3}, DType::kBool));
  expect_rejected(ErrorCode::kUnsupported, {"ExpandGradient", "dY", "string"}, [] {
    expand_gradient_plan({.dtype = DType::kString, .shape = {4, 3}}, {.shape = {}}, {3});
  });
}

TEST_F(ExpandGradientRejects, OutputsThatDoNotFit) {
  expect_refused({"dX", "float64", "float32"}, dy_, {8}, dx({8}, DType::kFloat64));
  expect_refused({"dX", "[3, 8]", "[8]"}, dy_, {8}, dx({3, 8}));
  expect_refused({"dX", "[1, 8]", "[8]"}, dy_, {8}, dx({1, 8}));
  expect_refused({"dX", "overlaps itself"}, dy_, {3, 8},
                 Tensor::wrap(out_.data(), DType::kFloat32, {3, 8}, {0, 1}));
  expect_refused({"dX", "read-only"}, dy_, {8},
                 Tensor::wrap(static_cast<const void*>(out_.data()), DType::kFloat32, {8}));
}

TEST_F(ExpandGradientRejects, OutputsThatOverlapTheInput) {
  const Tensor dy = Tensor::wrap(static_cast<const void*>(out_.data()), DType::kFloat32, {4, 8});
  expect_refused({"dX", "overlaps the input"}, dy, {8},
                 Tensor::wrap(out_.data() + 124, DType::kFloat32, {8}));
  expect_refused({"dX", "overlaps the input"}, dy, {4, 8}, dx({4, 8}));
}

TEST_F(ExpandGradientRejects, SizesBeyondInt64) {
  const TensorInfo huge{.dtype = DType::kInt8, .shape = {int64_t{1} << 62, 4}};
  expect_rejected(kInvalidArgument, {"ExpandGradient", "dY"},
                  [&] { expand_gradient_plan(huge, {.shape = {}}, {1}); });
}

TEST(ExpandGradientPlan, EqualsTheCall) {
  const Tensor dy = Tensor::empty(DType::kInt32, {5, 3, 4});
  for (int i = 0; i < 60; ++i) dy.data_as<int32_t>()[i] = i;
  const Plan plan = expand_gradient_plan(dy.info(), {.shape = {}}, {3, 1});
  EXPECT_EQ(plan.explanation().op, "ExpandGradient");
  EXPECT_EQ(plan.explanation().bytes_read, 240);
  EXPECT_EQ(plan.explanation().bytes_written, 12);
  EXPECT_EQ(plan.explanation().output_shape, (Shape{3, 1}));
  Tensor dx = Tensor::empty(DType::kInt32, {3, 1});
  plan.run(dy, dx);
  for (int i = 0; i < 3; ++i) {
    int32_t sum = 0;
    for (int n = 0; n < 5; ++n) {
      for (int c = 0; c < 4; ++c) sum += (n * 3 + i) * 4 + c;
    }
    EXPECT_EQ(dx.data_as<int32_t>()[i], sum);
  }
  Tensor other = Tensor::empty(DType::kInt32, {3});
  expect_rejected(kInvalidArgument, {"ExpandGradient", "Y"}, [&] { plan.run(dy, other); });
}

TEST(ExpandGradientPlan, NamesItsKernel) {
  const auto kernel = [](const Shape& dy, const Shape& x, DType dtype = DType::kFloat32) {
    return expand_gradient_plan({.dtype = dtype, .shape = dy}, {.shape = {}}, x)
        .explanation()
        .kernel;
  };
  EXPECT_EQ(kernel({64, 3}, {64, 1}), "expand_gradient_rows_f32_f32");
  EXPECT_EQ(kernel({64, 30}, {64, 1}), "expand_gradient_columns_f32_f32");
  EXPECT_EQ(kernel({64, 30}, {30}, DType::kInt16), "expand_gradient_columns_u16_u16");
  EXPECT_EQ(kernel({64, 30}, {30}, DType::kBFloat16), "expand_gradient_columns_bf16_f32");
  EXPECT_EQ(kernel({64, 30}, {64, 30}), "memcpy");
  EXPECT_EQ(kernel({64, 0}, {64, 0}), "none");
}

}  // namespace
}  // namespace sylvite::test
