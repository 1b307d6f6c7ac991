// Every bad argument: its error, its message, and an output that stays as it was.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "support/rejects.h"
#include "support/targets.h"

namespace sylvite::test {
namespace {

constexpr int64_t kInt32Max = 0x7FFFFFFF;
constexpr int64_t kInt64Max = std::numeric_limits<int64_t>::max();
constexpr ErrorCode kInvalidArgument = ErrorCode::kInvalidArgument;

using Fragments = std::initializer_list<std::string_view>;

/// A tensor of any shape over one element.
Tensor one_element_seen_as(const Shape& shape, DType dtype = DType::kUInt8) {
  static uint64_t element = 0;
  Shape strides = shape;
  for (int axis = 0; axis < shape.rank(); ++axis) strides[axis] = 0;
  return Tensor::wrap(&element, dtype, shape, strides);
}

/// Rejected by all three forms of the call; y has the memory of an ordinary result.
void expect_space_to_batch_rejects(Fragments fragments, const Shape& x_shape,
                                   const SpaceToBatchArgs& args, DType dtype = DType::kUInt8) {
  const Tensor x = one_element_seen_as(x_shape, dtype);
  Bytes memory(1024);
  Tensor y = Tensor::wrap(memory.data(), dtype, {4, 1, 2, 2});
  expect_rejected(kInvalidArgument, fragments, memory, [&] { space_to_batch(x, args, y); });
  expect_rejected(kInvalidArgument, fragments, [&] { space_to_batch(x, args); });
  expect_rejected(kInvalidArgument, fragments, [&] { space_to_batch_shape(x.info(), args); });
  expect_rejected(kInvalidArgument, fragments,
                  [&] { space_to_batch_plan(x.info(), y.info(), args); });
}

void expect_batch_to_space_rejects(Fragments fragments, const Shape& x_shape,
                                   const BatchToSpaceArgs& args, DType dtype = DType::kUInt8) {
  const Tensor x = one_element_seen_as(x_shape, dtype);
  Bytes memory(1024);
  Tensor y = Tensor::wrap(memory.data(), dtype, {1, 1, 4, 4});
  expect_rejected(kInvalidArgument, fragments, memory, [&] { batch_to_space(x, args, y); });
  expect_rejected(kInvalidArgument, fragments, [&] { batch_to_space(x, args); });
  expect_rejected(kInvalidArgument, fragments, [&] { batch_to_space_shape(x.info(), args); });
  expect_rejected(kInvalidArgument, fragments,
                  [&] { batch_to_space_plan(x.info(), y.info(), args); });
}

TEST(SpaceToBatchRejects, BlocksBelowOne) {
  expect_space_to_batch_rejects({"SpaceToBatch", "block_shape", "0"}, {1, 1, 4, 4}, {{2, 0}});
  expect_space_to_batch_rejects({"SpaceToBatch", "block_shape", "-10"}, {1, 1, 4, 4}, {{-10, -10}});
  expect_space_to_batch_rejects({"SpaceToBatch", "block_shape", "-9223372036854775808"},
                                {1, 1, 4, 4}, {{2, -kInt64Max - 1}});
}

TEST(SpaceToBatchRejects, SidesTheBlockDoesNotDivide) {
  expect_space_to_batch_rejects({"SpaceToBatch", "5", "2"}, {1, 1, 4, 5}, {{2, 2}});
  expect_space_to_batch_rejects({"SpaceToBatch", "7", "3"}, {1, 1, 6, 5},
                                {{3, 3}, {{0, 0}, {1, 1}}});
  expect_space_to_batch_rejects({"SpaceToBatch", "2147483647"}, {1, 1, 4, 4},
                                {{kInt32Max, kInt32Max}});
  expect_space_to_batch_rejects({"SpaceToBatch", "4294967301"}, {1, 1, 4, 4},
                                {{2, 2}, {{0, 0}, {0x100000001, 0}}});
}

TEST(SpaceToBatchRejects, NegativePaddings) {
  expect_space_to_batch_rejects({"SpaceToBatch", "paddings", "-2"}, {1, 1, 4, 4},
                                {{2, 2}, {{0, 0}, {-2, 0}}});
  expect_space_to_batch_rejects({"SpaceToBatch", "paddings", "-1"}, {1, 1, 4, 4},
                                {{2, 2}, {{1, -1}, {0, 0}}});
}

TEST(SpaceToBatchRejects, RanksAndAxisCounts) {
  expect_space_to_batch_rejects({"SpaceToBatch", "rank", "3", "4"}, {1, 4, 4}, {{2, 2}});
  expect_space_to_batch_rejects({"SpaceToBatch", "rank", "4", "3"}, {1, 1, 4, 4}, {{2}});
  expect_space_to_batch_rejects({"SpaceToBatch", "rank"}, {}, {{2, 2}});
  expect_space_to_batch_rejects({"SpaceToBatch", "block_shape"}, {1, 1}, {.block_shape = {}});
  expect_space_to_batch_rejects({"SpaceToBatch", "block_shape", "5", "4"}, {1, 1, 2, 2, 2, 2, 2},
                                {{1, 1, 1, 1, 1}});
  expect_space_to_batch_rejects({"SpaceToBatch", "paddings", "1", "2"}, {1, 1, 4, 4},
                                {{2, 2}, {{0, 0}}});
  expect_space_to_batch_rejects({"SpaceToBatch", "paddings", "3", "2"}, {1, 1, 4, 4},
                                {{2, 2}, {{0, 0}, {0, 0}, {0, 0}}});
}

TEST(SpaceToBatchRejects, ThirteenHugeExtents) {
  Shape thirteen;
  for (int i = 0; i < 13; ++i) thirteen.push_back(1879048192);
  expect_rejected(kInvalidArgument, {"SpaceToBatch", "X"}, [&] {
    space_to_batch_shape({.shape = thirteen}, {{2, 2}});
  });
  expect_rejected(kInvalidArgument, {"BatchToSpace", "X"}, [&] {
    batch_to_space_shape({.shape = thirteen}, {{2, 2}});
  });
  expect_rejected(kInvalidArgument, {}, [&] { space_to_batch(one_element_seen_as(thirteen), {}); });
}

TEST(SpaceToBatchRejects, SizesBeyondInt64) {
  constexpr int64_t kTwoTo40 = int64_t{1} << 40;
  const PerAxis<Sides> to_4096 = {{4095, 0}, {0, 4095}};
  expect_space_to_batch_rejects({"SpaceToBatch"}, {kTwoTo40, 1, 1, 1}, {{4096, 4096}, to_4096});
  expect_space_to_batch_rejects({"SpaceToBatch"}, {kTwoTo40 >> 3, 1, 1, 1}, {{4096, 4096}, to_4096},
                                DType::kFloat64);
  expect_space_to_batch_rejects({"SpaceToBatch", "paddings"}, {1, 1, 4, 4},
                                {{1, 1}, {{kInt64Max, 0}, {0, 0}}});
  expect_space_to_batch_rejects({"SpaceToBatch", "paddings"}, {1, 1, 4, 4},
                                {{1, 1}, {{0, 0}, {kInt64Max, kInt64Max}}});
  const Sides to_2_32{0xFFFFFFFF, 0};
  expect_space_to_batch_rejects({"SpaceToBatch"}, {1, 1, 1, 1},
                                {{int64_t{1} << 32, int64_t{1} << 32}, {to_2_32, to_2_32}});
  const Sides to_int32_max{kInt32Max - 1, 0};
  expect_space_to_batch_rejects({"SpaceToBatch"}, {1, 1, 1, 1, 1, 1},
                                {{kInt32Max, kInt32Max, kInt32Max, kInt32Max},
                                 {to_int32_max, to_int32_max, to_int32_max, to_int32_max}});
}

TEST(SpaceToBatchRejects, PadValuesTheTypeCannotHold) {
  const double infinity = std::numeric_limits<double>::infinity();
  struct Row {
    DType dtype;
    double value;
  };
  for (const Row& row : {
           Row{DType::kBool, 2},
           Row{DType::kBool, .5},
           Row{DType::kBool, -1},
           Row{DType::kInt8, 128},
           Row{DType::kInt8, -129},
           Row{DType::kUInt8, 256},
           Row{DType::kUInt8, -1},
           Row{DType::kUInt8, .5},
           Row{DType::kUInt8, std::nan("")},
           Row{DType::kInt16, 32768},
           Row{DType::kUInt16, 65536},
           Row{DType::kInt32, 0x1p31},
           Row{DType::kInt32, infinity},
           Row{DType::kUInt32, 0x1p32},
           Row{DType::kInt64, 0x1p63},
           Row{DType::kInt64, std::nan("")},
           Row{DType::kInt64, 1e300},
           Row{DType::kUInt64, 0x1p64},
           Row{DType::kUInt64, -1},
           Row{DType::kFloat16, 65505},
           Row{DType::kFloat16, 65536},
           Row{DType::kFloat16, 0x1p-25},
           Row{DType::kFloat16, 1 + 0x1p-11},
           Row{DType::kBFloat16, 1 + 0x1p-8},
           Row{DType::kBFloat16, 1e300},
           Row{DType::kBFloat16, 0x1p-134},
           Row{DType::kFloat32, .1},
           Row{DType::kFloat32, 1e300},
           Row{DType::kFloat32, 0x1p-150},
       }) {
    const Tensor x = one_element_seen_as({1, 1, 4, 4}, row.dtype);
    const SpaceToBatchArgs args{{2, 2}, {}, Layout::kNchw, row.value};
    Bytes memory(128);
    Tensor y = Tensor::wrap(memory.data(), row.dtype, {4, 1, 2, 2});
    const Fragments fragments = {"SpaceToBatch", "pad_value", name(row.dtype)};
    SCOPED_TRACE(testing::Message() << row.value);
    expect_rejected(kInvalidArgument, fragments, memory, [&] { space_to_batch(x, args, y); });
    expect_rejected(kInvalidArgument, fragments, [&] { space_to_batch(x, args); });
    expect_rejected(kInvalidArgument, fragments,
                    [&] { space_to_batch_plan(x.info(), y.info(), args); });
  }
}

TEST(BatchToSpaceRejects, BlocksBelowOne) {
  expect_batch_to_space_rejects({"BatchToSpace", "block_shape", "0"}, {4, 1, 2, 2}, {{0, 2}});
  expect_batch_to_space_rejects({"BatchToSpace", "block_shape", "-10"}, {100, 1, 2, 2},
                                {{-10, -10}});
}

TEST(BatchToSpaceRejects, BatchesTheBlocksDoNotDivide) {
  expect_batch_to_space_rejects({"BatchToSpace", "batch", "10", "4"}, {10, 3, 32, 32},
                                {{2, 2}, {{3, 3}, {3, 3}}});
  expect_batch_to_space_rejects({"BatchToSpace", "2147483647"}, {4, 1, 2, 2}, {{1, kInt32Max}});
}

TEST(BatchToSpaceRejects, BlockProductsBeyondInt64) {
  constexpr int64_t kTwoTo32 = int64_t{1} << 32;
  expect_batch_to_space_rejects({"BatchToSpace", "block_shape"}, {4, 1, 2, 2},
                                {{kTwoTo32, kTwoTo32}});
  expect_batch_to_space_rejects({"BatchToSpace", "block_shape"}, {4, 1, 2, 2, 2, 2},
                                {{kInt32Max, kInt32Max, kInt32Max, kInt32Max}});
  expect_batch_to_space_rejects({"BatchToSpace", "block_shape"}, {0, 1, 2, 2},
                                {{kInt64Max, kInt64Max}});
}

TEST(BatchToSpaceRejects, ExtentsBeyondInt64) {
  expect_rejected(kInvalidArgument, {"BatchToSpace"}, [&] {
    batch_to_space_shape({.shape = {kInt32Max, 1, 1, int64_t{1} << 40}}, {{1, kInt32Max}});
  });
}

TEST(BatchToSpaceRejects, CropsBeyondTheImage) {
  expect_batch_to_space_rejects({"BatchToSpace", "crops", "5", "4"}, {4, 1, 2, 2},
                                {{2, 2}, {{0, 0}, {5, 0}}});
  expect_batch_to_space_rejects({"BatchToSpace", "crops"}, {4, 1, 2, 2},
                                {{2, 2}, {{3, 2}, {0, 0}}});
  expect_batch_to_space_rejects({"BatchToSpace", "crops"}, {4, 1, 2, 2},
                                {{2, 2}, {{kInt64Max, kInt64Max}, {0, 0}}});
  expect_batch_to_space_rejects({"BatchToSpace", "crops", "-1"}, {4, 1, 2, 2},
                                {{2, 2}, {{-1, 0}, {0, 0}}});
}

TEST(BatchToSpaceRejects, RanksAndAxisCounts) {
  expect_batch_to_space_rejects({"BatchToSpace", "rank", "3", "4"}, {4, 2, 2}, {{2, 2}});
  expect_batch_to_space_rejects({"BatchToSpace", "block_shape"}, {4, 1}, {.block_shape = {}});
  expect_batch_to_space_rejects({"BatchToSpace", "block_shape", "5", "4"}, {4, 1, 2, 2, 2, 2, 2},
                                {{1, 1, 1, 1, 1}});
  expect_batch_to_space_rejects({"BatchToSpace", "crops", "1", "2"}, {4, 1, 2, 2},
                                {{2, 2}, {{0, 0}}});
}

TEST(SpaceBatchGradientRejects, WhatTheOtherOperatorRejectsUnderItsOwnName) {
  const Tensor x = one_element_seen_as({5, 1, 2, 2});
  Bytes memory(64);
  Tensor dx = Tensor::wrap(memory.data(), DType::kUInt8, {1, 1, 4, 4});
  expect_rejected(kInvalidArgument, {"SpaceToBatchGradient", "batch", "5", "4"}, memory, [&] {
    space_to_batch_gradient(x, {{2, 2}}, dx);
  });
  expect_rejected(kInvalidArgument, {"SpaceToBatchGradient", "block_shape", "0"}, memory, [&] {
    space_to_batch_gradient(x, {{2, 0}}, dx);
  });
  expect_rejected(kInvalidArgument, {"SpaceToBatchGradient", "paddings"}, memory, [&] {
    space_to_batch_gradient(x, {{5, 1}, {{0, 11}, {0, 0}}}, dx);
  });
  expect_rejected(kInvalidArgument, {"BatchToSpaceGradient", "2", "3"}, memory, [&] {
    batch_to_space_gradient(x, {{3, 3}}, dx);
  });
  expect_rejected(kInvalidArgument, {"BatchToSpaceGradient", "crops", "-1"}, memory, [&] {
    batch_to_space_gradient(x, {{1, 1}, {{-1, 0}, {0, 0}}}, dx);
  });
}

}  // namespace
}  // namespace sylvite::test
