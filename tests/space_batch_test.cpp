// SpaceToBatch and BatchToSpace against plain loops, on every target and with both kinds of stores.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "support/placed_tensor.h"
#include "support/space_batch_cases.h"
#include "support/thread_pools.h"

namespace sylvite::test {
namespace {

class SpaceBatch : public KernelTest {};
INSTANTIATE_TEST_SUITE_P(AllTargets, SpaceBatch, ::testing::ValuesIn(kernel_choices()),
                         choice_name);

TEST_P(SpaceBatch, MatchesTheContract) {
  const Context context = GetParam().context();
  for (SeededCases cases(1.5); cases.next();) {
    SCOPED_TRACE(cases.trace());
    Random random(cases.seed());
    const SpaceBatchCase test_case = random_case(random);
    check_space_to_batch(test_case, random, GetParam(), context);
    check_batch_to_space(test_case, random, GetParam(), context);
  }
}

// Dense tensors that begin or end at a guard page, the shapes that the kernels are made for.
TEST_P(SpaceBatch, TakesEveryWidthAroundEveryVector) {
  const Context context = GetParam().context();
  Random random(first_seed());
  const bool is_gpu = GetParam().device().kind != DeviceKind::kCpu;
  for (const DType dtype : {DType::kUInt8, DType::kUInt16, DType::kUInt32, DType::kUInt64}) {
    for (const int64_t block : {1, 2, 3, 4, 5, 6, 7, 8, 12}) {
      for (const int64_t lanes : {4, 8, 16, 32, 64}) {
        for (int64_t width = lanes - 1; width <= lanes + 1; ++width) {
          if (is_gpu && (lanes % 16 != 0 || block > 5)) continue;
          const Layout layout = random.one_of({Layout::kNchw, Layout::kNhwc});
          const SpaceToBatchArgs args{{random.between(1, 3), block}, {}, layout};
          const SpaceBatchCase test_case = case_of_phases(
              1, random.one_of<int64_t>({1, 1, 3}), {random.between(1, 3), width}, args, dtype);
          check_space_to_batch(test_case, random, GetParam(), context);
          check_batch_to_space(test_case, random, GetParam(), context);
          if (HasFailure()) return;
        }
      }
    }
  }
}

// Blocks that no kernel is compiled for become transposes: short and long sides, rows a power of two
// apart on either side of the move.
TEST_P(SpaceBatch, TransposesLargeBlocks) {
  const Context context = GetParam().context();
  Random random(first_seed());
  const bool is_gpu = GetParam().device().kind != DeviceKind::kCpu;
  for (const DType dtype : {DType::kUInt8, DType::kUInt16, DType::kUInt32, DType::kUInt64}) {
    for (const int64_t block : {9, 12, 16, 128, 256}) {
      if (is_gpu && block > 12) continue;  // one launch takes any block
      for (const int64_t places : {1, 5, 8, 17, 64, 70, 130}) {
        const auto padding = random.one_of<Sides>({{0, 0}, {block, 0}, {1, block + 2}});
        if (padding.before + padding.after > places * block) continue;
        const SpaceToBatchArgs args{{random.between(1, 2), block}, {{0, 0}, padding}};
        const SpaceBatchCase test_case =
            case_of_phases(1, random.one_of<int64_t>({1, 4}), {2, places}, args, dtype);
        check_space_to_batch(test_case, random, GetParam(), context);
        check_batch_to_space(test_case, random, GetParam(), context);
        if (HasFailure()) return;
      }
    }
  }
}

TEST_P(SpaceBatch, TakesWidePaddingAndCropsOfAnySize) {
  const Context context = GetParam().context();
  for (SeededCases cases(.5); cases.next();) {
    SCOPED_TRACE(cases.trace());
    Random random(cases.seed());
    const int64_t block = random.between(1, 5);
    const int64_t width = random.between(1, 70);
    const auto sides = [&](int64_t total) {
      const int64_t before = random.between(0, total);
      return Sides{before, random.between(0, total - before)};
    };
    SpaceToBatchArgs args{{2, block},
                          {sides(8), sides(width * block)},
                          random.one_of({Layout::kNchw, Layout::kNhwc})};
    args.pad_value = 7;
    const SpaceBatchCase test_case =
        case_of_phases(random.between(1, 2), random.one_of<int64_t>({1, 2, 3, 16}), {4, width},
                       args, random.one_of({DType::kUInt8, DType::kInt16, DType::kFloat32}));
    check_space_to_batch(test_case, random, GetParam(), context);
    check_batch_to_space(test_case, random, GetParam(), context);
  }
}

// Short padded rows of many planes: vectors read beside the rows, and never beside the tensor.
TEST_P(SpaceBatch, PadsShortRowsOfManyPlanes) {
  const Context context = GetParam().context();
  for (SeededCases cases(.5); cases.next();) {
    SCOPED_TRACE(cases.trace());
    Random random(cases.seed());
    const bool rows = random.chance(.8);
    const int64_t block_h = random.between(1, 6);
    const int64_t block_w = random.between(2, 6);
    const int64_t height = rows ? random.between(1, 6) : 1;
    const auto width = random.one_of<int64_t>({4, 5, 7, 8, 9, 15, 16, 17, 19, 33, 35});
    const auto sides = [&](int64_t total) {
      const int64_t before = random.between(0, std::min<int64_t>(total, random.one_of({1, 4, 99})));
      return Sides{before, random.between(0, std::min<int64_t>(total - before, 7))};
    };
    SpaceToBatchArgs args;
    args.pad_value = 3;
    args.block_shape = {block_w};
    args.paddings = {sides(width * block_w)};
    PerAxis<int64_t> phases = {width};
    if (rows) {
      args.block_shape = {block_h, block_w};
      args.paddings = {sides(height * block_h), args.paddings[0]};
      phases = {height, width};
    }
    const SpaceBatchCase test_case = case_of_phases(
        random.between(1, 3), random.between(2, 20), phases, args,
        random.one_of({DType::kInt16, DType::kFloat32, DType::kFloat32, DType::kUInt64}));
    check_space_to_batch(test_case, random, GetParam(), context);
  }
}

TEST_P(SpaceBatch, IsUndoneByBatchToSpace) {
  const Context context = GetParam().context();
  for (SeededCases cases(.3); cases.next();) {
    SCOPED_TRACE(cases.trace());
    Random random(cases.seed());
    const auto [image, args, dtype] = random_case(random);
    const PlacedTensor x(random, dtype, image, dense_placement(image), GetParam().device(), true);
    const Tensor phases = space_to_batch(x.tensor(), args, context);
    const Tensor back = batch_to_space(phases, inverse(args), context);
    EXPECT_EQ(phases.device(), x.tensor().device());
    EXPECT_EQ(phases.strides(), dense_strides(phases.shape()));
    ASSERT_EQ(back.shape(), image);
    ASSERT_EQ(back.dtype(), dtype);
    const Tensor on_host = back.to(Device{});
    const Bytes original = x.elements();
    if (original.empty()) continue;
    ASSERT_EQ(std::memcmp(on_host.data(), original.data(), original.size()), 0)
        << to_string(SpaceBatchCase{image, args, dtype});
  }
}

class SpaceBatchOnThreads : public KernelTest {};
INSTANTIATE_TEST_SUITE_P(CpuTargets, SpaceBatchOnThreads, ::testing::ValuesIn(cpu_kernel_choices()),
                         choice_name);

TEST_P(SpaceBatchOnThreads, IsTheSameForEveryCountAndPool) {
  SpawningPool spawning;
  BackwardsPool backwards;
  Random random(first_seed());
  const SpaceToBatchArgs args{{2, 3}, {{1, 2}, {4, 1}}, Layout::kNchw, 9};
  const SpaceBatchCase large = case_of_phases(1, 2, {120, 666}, args, DType::kFloat32);
  for (const int threads : {1, 2, 7}) {
    SCOPED_TRACE(testing::Message() << threads << " threads");
    check_space_to_batch(large, random, GetParam(), GetParam().context(threads));
    check_batch_to_space(large, random, GetParam(), GetParam().context(threads));
  }
  for (const ThreadPool* pool : {spawning.pool(), backwards.pool()}) {
    check_space_to_batch(large, random, GetParam(), GetParam().context(7, pool));
    check_batch_to_space(large, random, GetParam(), GetParam().context(7, pool));
  }
  EXPECT_GT(spawning.tasks(), 1);
  EXPECT_GT(backwards.tasks(), 1);
}

TEST_P(SpaceBatch, GivesTheRightShapeWithoutElements) {
  const Context context = GetParam().context();
  const Device device = GetParam().device();
  for (const DType dtype : kAllDTypes) {
    for (const Layout layout : {Layout::kNchw, Layout::kNhwc}) {
      const SpaceToBatchArgs args{{2, 3}, {}, layout};
      for (const Shape& image :
           {image_shape(layout, 0, 3, {4, 6}), image_shape(layout, 2, 0, {4, 6}),
            image_shape(layout, 2, 3, {0, 6}), image_shape(layout, 2, 3, {4, 0}),
            image_shape(layout, 0, 0, {0, 0})}) {
        const Tensor x = Tensor::empty(dtype, image, device);
        const Tensor y = space_to_batch(x, args, context);
        EXPECT_EQ(y.shape(), reference_shape(image, args));
        EXPECT_EQ(batch_to_space(y, inverse(args), context).shape(), image);
        EXPECT_EQ(space_to_batch_gradient(y, args, context).shape(), image);
        EXPECT_EQ(batch_to_space_gradient(x, inverse(args), context).shape(), y.shape());
      }
    }
  }
}

TEST_P(SpaceBatch, FillsAnImageThatIsPaddingAlone) {
  const Context context = GetParam().context();
  Random random(first_seed());
  for (const DType dtype : kAllDTypes) {
    for (const Layout layout : {Layout::kNchw, Layout::kNhwc}) {
      SpaceToBatchArgs args{{2, 3}, {{1, 3}, {6, 9}}, layout, 1};
      check_space_to_batch({image_shape(layout, 2, 3, {0, 0}), args, dtype}, random, GetParam(),
                           context);
      args.paddings[1] = {6, 8};
      check_space_to_batch({image_shape(layout, 2, 3, {0, 1}), args, dtype}, random, GetParam(),
                           context);
      args.paddings = {{0, 0}, {12, 0}};
      check_space_to_batch({image_shape(layout, 1, 5, {2, 39}), args, dtype}, random, GetParam(),
                           context);
    }
  }
}

TEST_P(SpaceBatch, PadsWithExactlyTheValueGiven) {
  const Context context = GetParam().context();
  const double infinity = std::numeric_limits<double>::infinity();
  struct Row {
    DType dtype;
    double value;
    uint64_t bits;
  };
  for (const Row& row : {
           Row{DType::kBool, 1, 1},
           Row{DType::kInt8, -128, 0x80},
           Row{DType::kUInt8, 255, 0xFF},
           Row{DType::kUInt8, 128, 0x80},
           Row{DType::kInt16, -2, 0xFFFE},
           Row{DType::kUInt16, 65535, 0xFFFF},
           Row{DType::kInt32, -0x1p31, 0x80000000},
           Row{DType::kUInt32, 0x1p32 - 1, 0xFFFFFFFF},
           Row{DType::kInt64, -0x1p63, 0x8000000000000000},
           Row{DType::kInt64, 0x1p53 + 2, 0x20000000000002},
           Row{DType::kUInt64, 0x1p63, 0x8000000000000000},
           Row{DType::kFloat16, 1.5, 0x3E00},
           Row{DType::kFloat16, -0.0, 0x8000},
           Row{DType::kFloat16, 65504, 0x7BFF},
           Row{DType::kFloat16, 0x1p-24, 0x0001},
           Row{DType::kFloat16, -infinity, 0xFC00},
           Row{DType::kBFloat16, 1.5, 0x3FC0},
           Row{DType::kBFloat16, -0.0, 0x8000},
           Row{DType::kBFloat16, 0x1p-133, 0x0001},
           Row{DType::kBFloat16, infinity, 0x7F80},
           Row{DType::kFloat32, -0.0, 0x80000000},
           Row{DType::kFloat32, 0x1p-149, 0x00000001},
           Row{DType::kFloat32, infinity, 0x7F800000},
           Row{DType::kFloat64, -0.0, 0x8000000000000000},
           Row{DType::kFloat64, 0.1, 0x3FB999999999999A},
       }) {
    const Shape image{1, 1, 0, 0};
    const SpaceToBatchArgs args{{1, 2}, {{1, 0}, {0, 2}}, Layout::kNchw, row.value};
    const Tensor x = Tensor::empty(row.dtype, image, GetParam().device());
    const Tensor y = space_to_batch(x, args, context).to(Device{});
    ASSERT_EQ(y.shape(), (Shape{2, 1, 1, 1}));
    const auto size = static_cast<size_t>(element_size(row.dtype));
    for (size_t i = 0; i < 2; ++i) {
      uint64_t bits = 0;
      std::memcpy(&bits, y.data_as<uint8_t>() + i * size, size);
      EXPECT_EQ(bits, row.bits) << name(row.dtype) << ' ' << row.value;
    }
  }
}

TEST_P(SpaceBatch, PadsWithNanWhereTheTypeHasOne) {
  const Context context = GetParam().context();
  const SpaceToBatchArgs args{{1}, {{0, 1}}, Layout::kNchw, std::nan("")};
  const auto padding = [&](DType dtype) {
    const Tensor x = Tensor::empty(dtype, {1, 1, 0}, GetParam().device());
    return space_to_batch(x, args, context).to(Device{});
  };
  EXPECT_TRUE(std::isnan(*padding(DType::kFloat32).data_as<float>()));
  EXPECT_TRUE(std::isnan(*padding(DType::kFloat64).data_as<double>()));
  for (const DType half : {DType::kFloat16, DType::kBFloat16}) {
    EXPECT_TRUE(std::isnan(decode_half(*padding(half).data_as<uint16_t>(), half)));
  }
}

TEST_P(SpaceBatch, KeepsTheBitsOfEveryNan) {
  Random random(first_seed());
  const Shape image{1, 1, 4, 32};
  for (const DType dtype : {DType::kFloat16, DType::kBFloat16, DType::kFloat32, DType::kFloat64}) {
    const auto size = static_cast<size_t>(element_size(dtype));
    Bytes bits = random.bytes(count(image) * element_size(dtype));
    for (size_t i = 0; i < bits.size(); i += size) {
      bits[i + size - 1] |= 0x7F;
      bits[i + size - 2] |= 0xF0;
    }
    const Tensor x =
        Tensor::wrap(bits.data(), dtype, image).to(GetParam().device(), GetParam().context());
    const SpaceToBatchArgs args{{2, 2}};
    const Tensor y = space_to_batch(x, args, GetParam().context()).to(Device{});
    const Bytes wanted = reference_space_to_batch(bits, image, args, encode(0, dtype));
    EXPECT_EQ(std::memcmp(y.data(), wanted.data(), wanted.size()), 0) << name(dtype);
  }
}

TEST(SpaceBatchShapes, AreThoseOfTheContract) {
  const SpaceToBatchArgs block_3{{3, 3}, {{2, 2}, {2, 2}}};
  EXPECT_EQ(space_to_batch_shape({.shape = {1, 3, 5, 5}}, block_3), (Shape{9, 3, 3, 3}));
  const BatchToSpaceArgs block_2{{2, 2}, {{3, 3}, {3, 3}}};
  EXPECT_EQ(batch_to_space_shape({.shape = {8, 3, 32, 32}}, block_2), (Shape{2, 3, 58, 58}));
  const SpaceToBatchArgs channels_last{{2, 3}, {{1, 0}, {0, 4}}, Layout::kNhwc};
  EXPECT_EQ(space_to_batch_shape({.shape = {5, 3, 5, 7}}, channels_last), (Shape{30, 2, 3, 7}));
  EXPECT_EQ(space_to_batch_shape({.shape = {2, 3, 8}}, {.block_shape = {4}}), (Shape{8, 3, 2}));
  const SpaceToBatchArgs four_axes{{1, 2, 3, 4}};
  EXPECT_EQ(space_to_batch_shape({.shape = {2, 3, 5, 4, 6, 8}}, four_axes),
            (Shape{48, 3, 5, 2, 2, 2}));
}

}  // namespace
}  // namespace sylvite::test
