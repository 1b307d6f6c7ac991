// Tensors: memory, views, copies, and the errors of their makers.
#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <numeric>

#include "support/placed_tensor.h"
#include "support/rejects.h"
#include "support/space_batch_cases.h"
#include "support/targets.h"

namespace sylvite::test {
namespace {

constexpr ErrorCode kInvalidArgument = ErrorCode::kInvalidArgument;

TEST(Tensors, AreEmptyByDefault) {
  const Tensor tensor;
  EXPECT_EQ(tensor.shape(), (Shape{0}));
  EXPECT_EQ(tensor.dtype(), DType::kFloat32);
  EXPECT_EQ(tensor.element_count(), 0);
  EXPECT_FALSE(tensor.read_only());
}

TEST(Tensors, KnowTheirTypes) {
  const std::array<int, 13> sizes = {1, 1, 1, 2, 2, 4, 4, 8, 8, 2, 2, 4, 8};
  const std::array<std::string_view, 13> names = {
      "bool",  "int8",   "uint8",   "int16",    "uint16",  "int32",  "uint32",
      "int64", "uint64", "float16", "bfloat16", "float32", "float64"};
  EXPECT_EQ(element_size(DType::kString), 8);
  EXPECT_EQ(name(DType::kString), "string");
  for (size_t i = 0; i < sizes.size(); ++i) {
    EXPECT_EQ(element_size(kAllDTypes[i]), sizes[i]);
    EXPECT_EQ(name(kAllDTypes[i]), names[i]);
  }
}

TEST(Tensors, HaveAlignedDenseMemory) {
  for (const DType dtype : kAllDTypes) {
    const Tensor tensor = Tensor::empty(dtype, {3, 1, 5});
    EXPECT_EQ(reinterpret_cast<uintptr_t>(tensor.data()) % 64, 0U);
    EXPECT_EQ(tensor.strides(), (Shape{5, 5, 1}));
    EXPECT_EQ(tensor.byte_count(), 15 * element_size(dtype));
  }
  EXPECT_EQ(Tensor::empty(DType::kFloat32, {}).element_count(), 1);
  EXPECT_EQ(dense_strides({2, 0, 3}), (Shape{3, 3, 1}));
}

TEST(Tensors, ShareTheirStorageAndFreeItOnce) {
  int freed = 0;
  float element = 1;
  {
    const Tensor outer = Tensor::wrap(&element, DType::kFloat32, {1}, {}, [&] { ++freed; });
    {
      const Tensor copy = outer;  // NOLINT(performance-*)
      const Tensor view = copy.view({3, 1}, {0, 1});
      EXPECT_EQ(view.storage(), outer.storage());
      EXPECT_EQ(view.data(), outer.data());
    }
    EXPECT_EQ(freed, 0);
  }
  EXPECT_EQ(freed, 1);
}

TEST(Tensors, RefuseBadShapes) {
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  expect_rejected(kInvalidArgument, {"-1"}, [] { Tensor::empty(DType::kInt8, {2, -1}); });
  expect_rejected(kInvalidArgument, {}, [] { Tensor::empty(DType::kInt8, {kMost, 2}); });
  expect_rejected(kInvalidArgument, {}, [] { Tensor::empty(DType::kInt16, {kMost / 2 + 1}); });
  const std::vector<int64_t> ones(kMaxRank + 1, 1);
  expect_rejected(kInvalidArgument, {"32", "33"}, [&] { const Shape shape(ones); });
  expect_rejected(kInvalidArgument, {"32"}, [&] {
    Shape shape(std::span<const int64_t>(ones).first(kMaxRank));
    shape.push_back(1);
  });
  int8_t element = 0;
  expect_rejected(kInvalidArgument, {"-1"}, [&] { Tensor::wrap(&element, DType::kInt8, {-1}); });
  expect_rejected(kInvalidArgument, {"strides"}, [&] {
    Tensor::wrap(&element, DType::kInt8, {1, 1}, {1});
  });
  void* nothing = nullptr;
  expect_rejected(kInvalidArgument, {"data"}, [&] { Tensor::wrap(nothing, DType::kInt8, {1}); });
  EXPECT_NO_THROW(Tensor::wrap(nothing, DType::kInt8, {1, 0}));
}

TEST(Tensors, RefuseViewsBeyondTheirElements) {
  const Tensor tensor = Tensor::empty(DType::kInt32, {4, 6});
  EXPECT_NO_THROW(tensor.view({24}, {1}));
  EXPECT_NO_THROW(tensor.view({6, 4}, {-1, -6}, 23));
  EXPECT_NO_THROW(tensor.view({1000}, {0}, 23));
  EXPECT_NO_THROW(tensor.view({0, 1000}, {1, 1}, 3));
  for (const auto& [shape, stride, offset] :
       {std::tuple(Shape{25}, Shape{1}, 0), std::tuple(Shape{2}, Shape{1}, 23),
        std::tuple(Shape{2}, Shape{-1}, 0), std::tuple(Shape{1}, Shape{1}, -1),
        std::tuple(Shape{1}, Shape{1}, 24)}) {
    expect_rejected(kInvalidArgument, {},
                    [&, s = shape, t = stride, o = offset] { tensor.view(s, t, o); });
  }
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  expect_rejected(kInvalidArgument, {}, [&] { tensor.view({3}, {kMost}); });
  expect_rejected(kInvalidArgument, {}, [&] { tensor.view({2, 2}, {kMost, kMost}); });
  expect_rejected(kInvalidArgument, {}, [&] { tensor.view({1}, {1}, kMost); });
  const Tensor inner = tensor.view({2}, {1}, 10);
  EXPECT_NO_THROW(inner.view({24}, {1}, -10));
  expect_rejected(kInvalidArgument, {}, [&] { inner.view({24}, {1}, -9); });
}

TEST(Tensors, KeepReadOnlyThroughViews) {
  const float element = 1;
  const Tensor tensor = Tensor::wrap(&element, DType::kFloat32, {1});
  EXPECT_TRUE(tensor.read_only());
  EXPECT_TRUE(tensor.view({1, 1}, {1, 1}).read_only());
  EXPECT_FALSE(tensor.to(Device{}).read_only());
}

class TensorCopies : public KernelTest {};
INSTANTIATE_TEST_SUITE_P(AllTargets, TensorCopies, ::testing::ValuesIn(target_choices()),
                         choice_name);

TEST_P(TensorCopies, AreDenseOnEveryDevice) {
  for (SeededCases cases(.2); cases.next();) {
    SCOPED_TRACE(cases.trace());
    Random random(cases.seed());
    Shape shape;
    for (int64_t rank = random.between(0, 9); rank > 0; --rank) {
      shape.push_back(random.chance(.05) ? 0 : random.between(1, 4));
    }
    const DType dtype = random.one_of(kAllDTypes);
    const PlacedTensor source(random, dtype, shape,
                              random_placement(random, shape, element_size(dtype), true),
                              GetParam().device(), true);
    const Tensor there = source.tensor().to(GetParam().device(), GetParam().context());
    EXPECT_EQ(there.device(), GetParam().device());
    EXPECT_EQ(there.strides(), dense_strides(shape));
    const Tensor copy = there.to(Device{});
    const Tensor straight = source.tensor().to(Device{});
    ASSERT_EQ(copy.shape(), shape);
    const Bytes wanted = source.elements();
    if (wanted.empty()) continue;
    ASSERT_EQ(std::memcmp(copy.data(), wanted.data(), wanted.size()), 0)
        << to_string(shape) << " strides " << to_string(source.tensor().strides());
    ASSERT_EQ(std::memcmp(straight.data(), wanted.data(), wanted.size()), 0);
  }
}

}  // namespace
}  // namespace sylvite::test
