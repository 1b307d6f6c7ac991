// ExpandDims, Squeeze, Reshape and ReshapeLike against the contract: shapes, views, copies.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "support/placed_tensor.h"
#include "support/rejects.h"
#include "support/space_batch_cases.h"
#include "support/targets.h"

namespace sylvite::test {
namespace {

constexpr ErrorCode kInvalidArgument = ErrorCode::kInvalidArgument;

Bytes elements_of(const Tensor& tensor) {
  const Tensor host = tensor.to(Device{});
  const auto* data = host.data_as<uint8_t>();
  return {data, data + host.byte_count()};
}

/// A shape of as many elements, its factors spread over other axes, ones among them.
Shape shuffled(Random& random, const Shape& shape) {
  std::vector<int64_t> extents;
  for (int64_t extent : shape) {
    for (const int64_t prime : {2, 3, 5, 7}) {
      while (extent > 0 && extent % prime == 0 && random.chance(.6)) {
        extents.push_back(prime);
        extent /= prime;
      }
    }
    extents.push_back(extent);
  }
  for (int64_t swaps = extents.empty() ? 0 : random.between(0, 2); swaps > 0; --swaps)
    std::swap(extents[static_cast<size_t>(random.between(0, std::ssize(extents) - 1))],
              extents.back());
  Shape result;
  for (const int64_t extent : extents) {
    const bool joins = result.rank() > 0 && random.chance(.4);
    if (joins) result[result.rank() - 1] *= extent;
    if (!joins) result.push_back(extent);
    if (random.chance(.1)) result.push_back(1);
  }
  return result;
}

Shape random_shape(Random& random) {
  Shape shape;
  for (int64_t axes = random.between(0, 5); axes > 0; --axes)
    shape.push_back(random.one_of<int64_t>({1, 1, 2, 3, 4, 6, 7, 12, 30}));
  if (shape.rank() > 0 && random.chance(.05)) shape[0] = 0;
  return shape;
}

class Reshapes : public KernelTest {};
INSTANTIATE_TEST_SUITE_P(AllTargets, Reshapes, ::testing::ValuesIn(target_choices()), choice_name);

TEST_P(Reshapes, KeepTheElementsInRowMajorOrder) {
  const Context context = GetParam().context();
  int views = 0;
  int copies = 0;
  for (SeededCases cases(.5, 100); cases.next();) {
    SCOPED_TRACE(cases.trace());
    Random random(cases.seed());
    const DType dtype = random.one_of(kAllDTypes);
    const Shape from = random_shape(random);
    const Shape to = shuffled(random, from);
    SCOPED_TRACE(to_string(from) + " to " + to_string(to));
    const Placement placement = random_placement(random, from, element_size(dtype), true);
    const PlacedTensor x(random, dtype, from, placement, GetParam().device(), true);
    const Tensor y = reshape(x.tensor(), to, context);
    ASSERT_EQ(y.shape(), to);
    EXPECT_EQ(elements_of(y), x.elements());
    EXPECT_EQ(elements_of(reshape_like(y, from, context)), x.elements());
    (y.storage() == x.tensor().storage() ? views : copies) += 1;

    PlacedTensor out(random, dtype, to, random_placement(random, to, element_size(dtype), false),
                     GetParam().device(), false);
    reshape(x.tensor(), to, out.tensor(), context);
    out.expect_holds(x.elements(), "reshape into");
  }
  EXPECT_GT(views, 10);
  EXPECT_GT(copies, 10);
}

TEST(ReshapeViews, AreTakenWhereStridesAllowThem) {
  const Tensor x = Tensor::empty(DType::kFloat32, {4, 6, 10});
  const auto shares = [](const Tensor& a, const Tensor& b) { return a.storage() == b.storage(); };
  EXPECT_TRUE(shares(reshape(x, {24, 2, 5}), x));
  const Tensor columns = x.view({4, 3, 10}, {60, 20, 1});
  EXPECT_EQ(reshape(columns, {2, 2, 3, 5, 2}).strides(), (Shape{120, 60, 20, 2, 1}));
  EXPECT_EQ(reshape(columns, {12, 10}).strides(), (Shape{20, 1}));
  EXPECT_FALSE(shares(reshape(columns, {4, 30}), x));
  const Tensor reversed = x.view({6}, {-2}, 10);
  EXPECT_EQ(reshape(reversed, {3, 1, 2}).strides()[0], -4);
  const Tensor broadcast = x.view({3, 4}, {0, 0});
  EXPECT_EQ(reshape(broadcast, {12}).strides(), (Shape{0}));
  EXPECT_EQ(reshape(x, {4, 6, 10}).strides(), x.strides());
  EXPECT_EQ(reshape(Tensor::empty(DType::kInt8, {}), {1, 1}).shape(), (Shape{1, 1}));
}

TEST(ReshapeShapes, CopyZerosAndInferOneExtent) {
  const auto shape = [](const Shape& x, const Shape& wanted) {
    return reshape_shape({.dtype = DType::kInt8, .shape = x}, wanted);
  };
  EXPECT_EQ(shape({2, 3, 4}, {0, -1}), (Shape{2, 12}));
  EXPECT_EQ(shape({2, 3, 4}, {-1}), (Shape{24}));
  EXPECT_EQ(shape({2, 3, 4}, {4, 0, 2}), (Shape{4, 3, 2}));
  EXPECT_EQ(shape({1}, {}), (Shape{}));
  EXPECT_EQ(shape({}, {-1, 1}), (Shape{1, 1}));
  EXPECT_EQ(shape({0, 3}, {0, 7}), (Shape{0, 7}));
  EXPECT_EQ(shape({0, 3}, {5, -1}), (Shape{5, 0}));
  EXPECT_EQ(shape({0, 3}, {0, -1, 2}), (Shape{0, 0, 2}));
}

TEST(ReshapeShapes, ComeFromATensorToo) {
  const Tensor x = Tensor::empty(DType::kUInt8, {2, 6});
  const std::array<int32_t, 4> narrow = {3, 99, -1, 99};
  EXPECT_EQ(reshape(x, Tensor::wrap(narrow.data(), DType::kInt32, {2}, {2})).shape(),
            (Shape{3, 4}));
  const std::array<int64_t, 1> wide = {12};
  EXPECT_EQ(reshape(x, Tensor::wrap(wide.data(), DType::kInt64, {1})).shape(), (Shape{12}));
  const auto refused = [&](std::string_view fragment, const Tensor& shape) {
    expect_rejected(kInvalidArgument, {"Reshape", "shape", fragment}, [&] { reshape(x, shape); });
  };
  refused("float32", Tensor::empty(DType::kFloat32, {2}));
  refused("rank 2", Tensor::empty(DType::kInt64, {2, 1}));
  refused("33 entries", Tensor::empty(DType::kInt64, {33}));
}

TEST(ReshapeRejects, ShapesThatDoNotFit) {
  const Tensor x = Tensor::empty(DType::kFloat32, {2, 3, 4});
  const auto refused = [&](std::initializer_list<std::string_view> fragments, const Shape& shape) {
    SCOPED_TRACE(to_string(shape));
    expect_rejected(kInvalidArgument, fragments, [&] { reshape(x, shape); });
  };
  refused({"Reshape", "shape[1] is -2", "at least -1"}, {2, -2});
  refused({"-1 at 0 and 2", "at most one"}, {-1, 2, -1});
  refused({"shape[3] is 0", "[2, 3, 4]"}, {2, 3, 4, 0});
  refused({"25 elements", "24"}, {5, 5});
  refused({"24 elements over 5", "divide"}, {5, -1});
  refused({"int64"}, {21943, 45817, 30516, 61760, 38987});
  refused({"1"}, {});
  const Tensor none = Tensor::empty(DType::kFloat32, {0, 3});
  expect_rejected(kInvalidArgument, {"Reshape", "3 elements", "0"}, [&] { reshape(none, {3}); });
  expect_rejected(kInvalidArgument, {"ReshapeLike", "[5, 5]", "25", "24"}, [&] {
    reshape_like(x, {5, 5});
  });
  expect_rejected(kInvalidArgument, {"ReshapeLike", "-4"}, [&] { reshape_like(x, {-4, -6}); });
}

TEST(ExpandDims, InsertAxesAtPositionsOfTheOutput) {
  const Tensor x = Tensor::empty(DType::kInt16, {2, 3});
  const auto dims = [&](const std::vector<int64_t>& at) { return expand_dims(x, at).shape(); };
  EXPECT_EQ(dims({0}), (Shape{1, 2, 3}));
  EXPECT_EQ(dims({1, 3}), (Shape{2, 1, 3, 1}));
  EXPECT_EQ(dims({-1}), (Shape{2, 3, 1}));
  EXPECT_EQ(dims({-1, 0, -1, 0}), (Shape{1, 2, 3, 1}));
  EXPECT_EQ(dims({}), (Shape{2, 3}));
  EXPECT_EQ(expand_dims(x, std::array<int64_t, 1>{1}).storage(), x.storage());
  EXPECT_EQ(dims(std::vector<int64_t>(1000, 2)), (Shape{2, 3, 1}));
  const auto refused = [&](std::initializer_list<std::string_view> fragments,
                           const std::vector<int64_t>& at) {
    expect_rejected(kInvalidArgument, fragments, [&] { expand_dims(x, at); });
  };
  refused({"ExpandDims", "dims has 3", "-3 to 2"}, {3});
  refused({"ExpandDims", "dims has -100000"}, {-100000});
  refused({"dims has 0 and -4", "axis 0"}, {0, -4});
  std::vector<int64_t> many(31);
  for (size_t i = 0; i < many.size(); ++i) many[i] = static_cast<int64_t>(i);
  refused({"rank 2", "31", "32"}, many);
}

TEST(Squeezes, RemoveAxesOfExtentOne) {
  const Tensor x = Tensor::empty(DType::kInt16, {1, 2, 1, 3, 1});
  const auto dims = [&](const std::vector<int64_t>& at) { return squeeze(x, at).shape(); };
  EXPECT_EQ(squeeze(x).shape(), (Shape{2, 3}));
  EXPECT_EQ(dims({0}), (Shape{2, 1, 3, 1}));
  EXPECT_EQ(dims({-1, 2, -1}), (Shape{1, 2, 3}));
  EXPECT_EQ(squeeze(Tensor::empty(DType::kInt8, {1})).shape(), Shape{});
  EXPECT_EQ(squeeze(x).storage(), x.storage());
  const auto refused = [&](std::initializer_list<std::string_view> fragments,
                           const std::vector<int64_t>& at) {
    expect_rejected(kInvalidArgument, fragments, [&] { squeeze(x, at); });
  };
  refused({"Squeeze", "extent 2 on axis 1", "want 1"}, {1});
  refused({"Squeeze", "dims has 5", "-5 to 4"}, {5});
  refused({"dims has 0 and -5", "axis 0"}, {0, -5});
}

TEST(ShapeOperators, WriteIntoTheCallersMemory) {
  const std::array<int32_t, 6> values = {1, 2, 3, 4, 5, 6};
  const Tensor x = Tensor::wrap(values.data(), DType::kInt32, {1, 2, 3});
  std::array<int32_t, 6> memory = {};
  const std::array<int64_t, 1> first = {0};
  Tensor y = Tensor::wrap(memory.data(), DType::kInt32, {2, 3}, {1, 2});
  squeeze(x, first, y);
  EXPECT_EQ(memory, (std::array<int32_t, 6>{1, 4, 2, 5, 3, 6}));
  Tensor flat = Tensor::wrap(memory.data(), DType::kInt32, {1, 1, 2, 3});
  expand_dims(x, first, flat);
  EXPECT_EQ(memory, values);
  expect_rejected(kInvalidArgument, {"Squeeze", "Y", "[1, 1, 2, 3]", "[2, 3]"},
                  [&] { squeeze(x, first, flat); });
}

TEST(ShapeOperators, LeaveTheirOwnBytesAlone) {
  std::array<int32_t, 6> memory = {1, 2, 3, 4, 5, 6};
  const std::array<int32_t, 6> before = memory;
  const Tensor x = Tensor::wrap(memory.data(), DType::kInt32, {2, 3});
  Tensor same = Tensor::wrap(memory.data(), DType::kInt32, {3, 2});
  reshape(x, {3, 2}, same);
  EXPECT_EQ(memory, before);
  Tensor turned = Tensor::wrap(memory.data(), DType::kInt32, {3, 2}, {1, 3});
  expect_rejected(kInvalidArgument, {"Reshape", "Y", "overlaps"}, [&] {
    reshape(x, {3, 2}, turned);
  });
  const void* constant = memory.data();
  Tensor read_only = Tensor::wrap(constant, DType::kInt32, {6});
  const Tensor other = Tensor::empty(DType::kInt32, {6});
  expect_rejected(kInvalidArgument, {"Reshape", "read-only"},
                  [&] { reshape(other, {6}, read_only); });
}

TEST(ShapeOperators, TakeStrings) {
  const std::array<std::string_view, 4> texts = {"a", "", "bcd", "ef"};
  const Tensor x = Tensor::strings(texts, {2, 2});
  const Tensor turned = reshape(x.view({2, 2}, {1, 2}), {4});
  EXPECT_EQ(turned.text(1), "bcd");
  EXPECT_EQ(turned.text(3), "ef");
  EXPECT_EQ(expand_dims(x, std::array<int64_t, 1>{1}).shape(), (Shape{2, 1, 2}));
  Tensor room = Tensor::empty_strings({4}, 6);
  reshape(x, {4}, room);
  EXPECT_EQ(room.text(2), "bcd");
  Tensor tight = Tensor::empty_strings({4}, 5);
  expect_rejected(kInvalidArgument, {"Reshape", "Y", "5 bytes", "6"},
                  [&] { reshape(x, {4}, tight); });
}

TEST(ShapeOperators, KeepTheStorageOfTheirInputAlive) {
  int freed = 0;
  std::array<float, 4> memory = {1, 2, 3, 4};
  Tensor view;
  {
    const Tensor x = Tensor::wrap(memory.data(), DType::kFloat32, {4}, {}, [&] { ++freed; });
    view = reshape(x, {2, 2});
  }
  EXPECT_EQ(freed, 0);
  view = Tensor();
  EXPECT_EQ(freed, 1);
}

TEST(ShapeOperators, AreExplainedByName) {
  const std::array<TensorInfo, 2> x = {TensorInfo{.shape = {2, 1, 6}}, TensorInfo{.shape = {3, 4}}};
  const std::array<Argument, 1> dims = {Argument{"dims", std::vector<int64_t>{1}}};
  const std::array<Argument, 1> shape = {Argument{"shape", std::vector<int64_t>{-1, 4}}};
  const std::span one = std::span(x).first(1);
  EXPECT_EQ(explain("ExpandDims", one, dims).output_shape, (Shape{2, 1, 1, 6}));
  EXPECT_EQ(explain("Squeeze", one, dims).output_shape, (Shape{2, 6}));
  EXPECT_EQ(explain("Squeeze", one).kernel, "view");
  EXPECT_EQ(explain("Reshape", one, shape).output_shape, (Shape{3, 4}));
  EXPECT_EQ(explain("Reshape", one, shape).bytes_written, 0);
  EXPECT_EQ(explain("ReshapeLike", x).output_shape, (Shape{3, 4}));
  const TensorInfo turned{.shape = {3, 4}, .strides = {1, 3}};
  const std::array<Argument, 1> flat = {Argument{"shape", std::vector<int64_t>{12}}};
  EXPECT_EQ(explain("Reshape", {&turned, 1}, flat).bytes_written, 48);
  expect_rejected(kInvalidArgument, {"Reshape", "argument shape is missing"},
                  [&] { explain("Reshape", one); });
  expect_rejected(kInvalidArgument, {"ReshapeLike", "1 inputs", "want 2"},
                  [&] { explain("ReshapeLike", one); });
}

}  // namespace
}  // namespace sylvite::test
