// Every bad argument of Expand: its error, its message, and an output that stays as it was.
#include <gtest/gtest.h>

#include <limits>

#include "support/rejects.h"
#include "support/targets.h"

namespace sylvite::test {
namespace {

constexpr ErrorCode kInvalidArgument = ErrorCode::kInvalidArgument;
constexpr int64_t kInt64Min = std::numeric_limits<int64_t>::min();

using Fragments = std::initializer_list<std::string_view>;

/// A tensor of any shape over one element.
Tensor one_element_seen_as(const Shape& shape, DType dtype = DType::kUInt8) {
  static uint64_t element = 0;
  Shape strides = shape;
  for (int axis = 0; axis < shape.rank(); ++axis) strides[axis] = 0;
  return Tensor::wrap(&element, dtype, shape, strides);
}

/// Rejected by every form of the call; y has the memory of an ordinary result.
void expect_expand_rejects(Fragments fragments, const Shape& x_shape, const Shape& shape,
                           DType dtype = DType::kUInt8) {
  SCOPED_TRACE(to_string(x_shape) + " to " + to_string(shape));
  const Tensor x = one_element_seen_as(x_shape, dtype);
  Bytes memory(1024);
  Tensor y = Tensor::wrap(memory.data(), dtype, {4, 2});
  expect_rejected(kInvalidArgument, {"Expand"}, memory, [&] { expand(x, shape, y); });
  expect_rejected(kInvalidArgument, fragments, memory, [&] { expand(x, shape, y); });
  expect_rejected(kInvalidArgument, fragments, [&] { expand(x, shape); });
  expect_rejected(kInvalidArgument, fragments, [&] { expand_shape(x.info(), shape); });
  expect_rejected(kInvalidArgument, fragments, [&] { expand_plan(x.info(), y.info(), shape); });
  expect_rejected(kInvalidArgument, fragments, [&] { expand_view(x, shape); });
  const Tensor as_tensor = Tensor::wrap(shape.begin(), DType::kInt64, {shape.rank()});
  expect_rejected(kInvalidArgument, fragments, [&] { expand(x, as_tensor); });
  const std::array arguments = {
      Argument{"shape", std::vector<int64_t>(shape.begin(), shape.end())}};
  const TensorInfo info = x.info();
  expect_rejected(kInvalidArgument, fragments,
                  [&] { explain("Expand", std::span(&info, 1), arguments); });
}

TEST(ExpandRejects, ExtentsThatDoNotBroadcast) {
  expect_expand_rejects({"[3]", "[4]", "3", "4", "axis 0"}, {3}, {4});
  expect_expand_rejects({"[2, 3]", "[3, 2]", "axis 0"}, {2, 3}, {3, 2});
  expect_expand_rejects({"axis 1"}, {4, 1}, {1, 2, 1});
  expect_expand_rejects({"extent 0", "5"}, {0}, {5});
  expect_expand_rejects({"extent 5", "0"}, {5}, {0});
  expect_expand_rejects({"2147483648"}, {5}, {int64_t{1} << 31});
}

TEST(ExpandRejects, EntriesBelowMinusOne) {
  expect_expand_rejects({"shape[0]", "-2", "at least -1"}, {1, 3}, {-2, 3});
  expect_expand_rejects({"shape[1]", "-100000"}, {1, 3}, {2, -100000});
  expect_expand_rejects({"shape[0]", "-9223372036854775808"}, {1}, {kInt64Min});
}

TEST(ExpandRejects, MinusOneOnAnAxisThatXLacks) {
  expect_expand_rejects({"shape[0]", "-1", "rank 1"}, {3}, {-1, 3});
  expect_expand_rejects({"shape[0]", "-1", "rank 0"}, {}, {-1});
}

TEST(ExpandRejects, SizesBeyondInt64) {
  expect_expand_rejects({"Y of shape", "int64"}, {1}, {21943, 45817, 30516, 61760, 38987});
  expect_expand_rejects({"Y of shape", "int64"}, {1}, {2660446024, 2660446024, 2});
  expect_expand_rejects({"Y of shape", "int64"}, {1}, {int64_t{1} << 62}, DType::kFloat32);
  expect_expand_rejects({"Y of shape", "int64"}, {int64_t{1} << 40, 1}, {1, int64_t{1} << 24});
}

TEST(ExpandRejects, SizesThatNoMachineHas) {
  const Tensor x = one_element_seen_as({1});
  expect_rejected(ErrorCode::kOutOfMemory, {"Expand", "Y", "2660446024"}, [&] {
    expand(x, Shape{2660446024, 2660446024});
  });
  const Tensor view = expand_view(x, {2660446024, 2660446024});
  expect_rejected(ErrorCode::kOutOfMemory, {"materialize", "Y", "2660446024"},
                  [&] { materialize(view); });
}

TEST(ExpandRejects, RanksAbove32) {
  const Tensor x = one_element_seen_as({1});
  const std::vector<int64_t> ones(33, 1);
  const Tensor as_tensor = Tensor::wrap(ones.data(), DType::kInt64, {33});
  expect_rejected(kInvalidArgument, {"Expand", "33", "32"}, [&] { expand(x, as_tensor); });
  expect_rejected(kInvalidArgument, {"33", "32"}, [&] { expand(x, Shape(ones)); });
  const std::array arguments = {Argument{"shape", ones}};
  const TensorInfo info = x.info();
  expect_rejected(kInvalidArgument, {"Expand", "33", "32"},
                  [&] { explain("Expand", std::span(&info, 1), arguments); });
}

TEST(ExpandRejects, ShapesThatAreNoListOfIntegers) {
  const Tensor x = one_element_seen_as({1});
  expect_rejected(kInvalidArgument, {"Expand", "shape", "float32", "int64"},
                  [&] { expand(x, Tensor::empty(DType::kFloat32, {2})); });
  expect_rejected(kInvalidArgument, {"Expand", "shape", "rank 2"}, [&] {
    expand(x, Tensor::empty(DType::kInt64, {2, 2}));
  });
  expect_rejected(kInvalidArgument, {"Expand", "shape", "rank 0"},
                  [&] { expand(x, Tensor::empty(DType::kInt64, {})); });
  for (const std::string_view target : targets()) {
    if (device_of(target) == Device{}) continue;
    const Tensor there = Tensor::empty(DType::kInt64, {2}, device_of(target));
    expect_rejected(kInvalidArgument, {"Expand", "shape", "cpu"}, [&] { expand(x, there); });
  }
}

TEST(ExpandRejects, ArgumentsByName) {
  const TensorInfo x{.shape = {3}};
  const auto explained = [&](std::vector<Argument> arguments, int inputs = 1) {
    const std::array two = {x, x};
    return explain("Expand", std::span(two.data(), static_cast<size_t>(inputs)), arguments);
  };
  expect_rejected(kInvalidArgument, {"Expand", "shape"}, [&] { explained({}); });
  expect_rejected(kInvalidArgument, {"Expand", "shapes"}, [&] {
    explained({{"shapes", std::vector<int64_t>{3}}});
  });
  expect_rejected(kInvalidArgument, {"Expand", "shape", "list"}, [&] {
    explained({{"shape", int64_t{3}}});
  });
  expect_rejected(kInvalidArgument, {"Expand", "2 inputs"}, [&] {
    explained({{"shape", std::vector<int64_t>{3}}}, 2);
  });
}

TEST(ExpandRejects, Strings) {
  const Tensor x = Tensor::strings(std::array<std::string_view, 2>{"a", "bc"}, {2, 1});
  const Fragments fragments = {"string"};
  expect_rejected(ErrorCode::kUnsupported, {"Expand", "X", "string"}, [&] {
    expand(x, Shape{2, 3});
  });
  expect_rejected(ErrorCode::kUnsupported, fragments, [&] { expand_shape(x.info(), {2, 3}); });
  expect_rejected(ErrorCode::kUnsupported, fragments, [&] { expand_view(x, {2, 3}); });
  expect_rejected(ErrorCode::kUnsupported, {"materialize", "X", "string"}, [&] { materialize(x); });
  expect_rejected(ErrorCode::kUnsupported, fragments, [&] {
    expand_plan(x.info(), {.shape = {}}, {2, 3});
  });
}

class ExpandOutputs : public ::testing::Test {
 protected:
  Bytes memory_ = Bytes(256);
  Tensor x_ = Tensor::empty(DType::kFloat32, {3, 1});

  void expect_refused(Tensor y, Fragments fragments) {
    expect_rejected(kInvalidArgument, {"Expand", "Y"}, memory_, [&] {
      expand(x_, Shape{3, 4}, y);
    });
    expect_rejected(kInvalidArgument, fragments, memory_, [&] { expand(x_, Shape{3, 4}, y); });
    const Tensor view = expand_view(x_, {3, 4});
    expect_rejected(kInvalidArgument, {"materialize", "Y"}, memory_, [&] { materialize(view, y); });
  }
};

TEST_F(ExpandOutputs, ThatCannotTakeTheResultAreRefused) {
  const Shape shape{3, 4};
  expect_refused(Tensor::wrap(memory_.data(), DType::kInt32, shape), {"int32", "float32"});
  expect_refused(Tensor::wrap(memory_.data(), DType::kFloat32, {4, 3}), {"[4, 3]", "[3, 4]"});
  expect_refused(Tensor::wrap(memory_.data(), DType::kFloat32, {12}), {"[12]", "[3, 4]"});
  expect_refused(Tensor::wrap(memory_.data(), DType::kFloat32, shape, {0, 1}), {"overlap"});
  expect_refused(Tensor::wrap(memory_.data(), DType::kFloat32, shape, {3, 1}), {"overlap"});
  expect_refused(Tensor::wrap(static_cast<const void*>(memory_.data()), DType::kFloat32, shape),
                 {"read-only"});
  for (const std::string_view target : targets()) {
    if (device_of(target) == Device{}) continue;
    expect_refused(Tensor::empty(DType::kFloat32, shape, device_of(target)), {"device", "cpu"});
  }
}

TEST_F(ExpandOutputs, ThatOverlapTheInputAreRefused) {
  for (const int64_t shift : {0, 8, 44, -8, 2}) {
    const Tensor x = Tensor::wrap(memory_.data() + 64, DType::kFloat32, {3, 1});
    Tensor y =
        Tensor::wrap(memory_.data() + 64 + shift - (shift == 44 ? 80 : 0), DType::kFloat32, {3, 4});
    expect_rejected(kInvalidArgument, {"Expand", "Y", "overlap"}, memory_, [&] {
      expand(x, Shape{3, 4}, y);
    });
    const Tensor view = expand_view(x, {3, 4});
    expect_rejected(kInvalidArgument, {"materialize", "Y", "overlap"}, memory_,
                    [&] { materialize(view, y); });
  }
}

TEST_F(ExpandOutputs, MayTouchTheInput) {
  Bytes memory(64 + 12 + 48, 1);
  const Tensor x = Tensor::wrap(memory.data() + 48, DType::kFloat32, {3, 1});
  Tensor before = Tensor::wrap(memory.data(), DType::kFloat32, {3, 4});
  Tensor behind = Tensor::wrap(memory.data() + 60, DType::kFloat32, {3, 4});
  EXPECT_NO_THROW(expand(x, Shape{3, 4}, before));
  EXPECT_NO_THROW(expand(x, Shape{3, 4}, behind));
}

TEST_F(ExpandOutputs, ViewsOfAnotherTensorAreNoOutputs) {
  Tensor view = expand_view(Tensor::wrap(memory_.data(), DType::kFloat32, {3, 1}), {3, 4});
  expect_refused(view, {"overlap"});
}

}  // namespace
}  // namespace sylvite::test
