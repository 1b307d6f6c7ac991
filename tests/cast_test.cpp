// Cast against integer arithmetic, on every target and with both kinds of stores.
#include <gtest/gtest.h>

#include <cstring>
#include <map>

#include "support/cast_reference.h"
#include "support/placed_tensor.h"
#include "support/targets.h"
#include "support/thread_pools.h"

namespace sylvite::test {
namespace {

class Cast : public KernelTest {};
INSTANTIATE_TEST_SUITE_P(AllTargets, Cast, ::testing::ValuesIn(kernel_choices()), choice_name);

/// What the reference makes of a dtype's hard values; worked out once for all targets.
struct Truth {
  Bytes values;
  std::map<DType, Bytes> casts;

  static const Truth& of(DType from) {
    static std::map<DType, Truth> known;
    Truth& truth = known[from];
    if (truth.values.empty()) {
      truth.values = hard_values(from);
      for (const DType to : kNumericDTypes)
        truth.casts[to] = reference_cast(truth.values, from, to);
    }
    return truth;
  }
};

uint64_t element(const void* bytes, size_t i, DType dtype) {
  const auto size = static_cast<size_t>(element_size(dtype));
  uint64_t bits = 0;
  std::memcpy(&bits, static_cast<const uint8_t*>(bytes) + i * size, size);
  return bits;
}

std::string pair_name(DType from, DType to) {
  return std::string(name(from)) + " to " + std::string(name(to));
}

TEST_P(Cast, MatchesTheContractForEveryHardValue) {
  const Context context = GetParam().context();
  for (const DType from : kNumericDTypes) {
    const Truth& truth = Truth::of(from);
    const int64_t extent = static_cast<int64_t>(truth.values.size()) / element_size(from);
    const Tensor x = Tensor::wrap(truth.values.data(), from, {extent}).to(GetParam().device());
    for (const DType to : kNumericDTypes) {
      const Tensor y = cast(x, to, context).to(Device{});
      ASSERT_EQ(y.dtype(), to);
      ASSERT_EQ(y.shape(), x.shape());
      const Bytes& wanted = truth.casts.at(to);
      ASSERT_EQ(static_cast<size_t>(y.byte_count()), wanted.size());
      if (std::memcmp(y.data(), wanted.data(), wanted.size()) == 0) continue;
      int wrong = 0;
      for (size_t i = 0; i < static_cast<size_t>(extent) && wrong < 5; ++i) {
        const uint64_t got = element(y.data(), i, to);
        const uint64_t want = element(wanted.data(), i, to);
        if (got == want) continue;
        ++wrong;
        ADD_FAILURE() << pair_name(from, to) << " of " << hex(element(truth.values.data(), i, from))
                      << " at " << i << " is " << hex(got) << ", want " << hex(want);
      }
    }
  }
}

/// Random dtypes, shapes and placements between guard pages.
void check_random_case(Random& random, const KernelChoice& choice, const Context& context,
                       const Shape& shape) {
  const DType from = random.one_of(kNumericDTypes);
  const DType to = random.one_of(kNumericDTypes);
  const PlacedTensor x(random, from, shape,
                       random_placement(random, shape, element_size(from), true), choice.device(),
                       true);
  PlacedTensor y(random, to, shape, random_placement(random, shape, element_size(to), false),
                 choice.device(), false);
  const std::string what = pair_name(from, to) + " " + to_string(shape);
  note_case(what);
  cast(x.tensor(), to, y.tensor(), context);
  y.expect_holds(reference_cast(x.elements(), from, to), what);
}

TEST_P(Cast, TakesAnyStridesAndAlignment) {
  const Context context = GetParam().context();
  for (SeededCases cases(1.5); cases.next();) {
    SCOPED_TRACE(cases.trace());
    Random random(cases.seed());
    Shape shape;
    const auto rank = random.between(0, 5);
    int64_t room = random.chance(.2) ? 200000 : 3000;
    for (int64_t axis = 0; axis < rank; ++axis) {
      shape.push_back(random.chance(.03)
                          ? 0
                          : random.between(1, std::min<int64_t>(
                                                  room, random.one_of<int64_t>({3, 9, 70, 4000}))));
      room = std::max<int64_t>(1, room / std::max<int64_t>(1, shape[static_cast<int>(axis)]));
    }
    check_random_case(random, GetParam(), context, shape);
  }
}

TEST_P(Cast, TakesEveryExtentAroundEveryVector) {
  const Context context = GetParam().context();
  Random random(first_seed());
  for (const int64_t lanes : {0, 4, 8, 16, 32, 64, 128, 256}) {
    for (int64_t extent = std::max<int64_t>(lanes - 1, 0); extent <= lanes + 1; ++extent) {
      for (int repeat = 0; repeat < 12; ++repeat) {
        check_random_case(random, GetParam(), context, {extent});
        check_random_case(random, GetParam(), context, {2, extent});
        if (HasFailure()) return;
      }
    }
  }
}

TEST_P(Cast, TakesRank32) {
  const Context context = GetParam().context();
  Random random(first_seed());
  Shape shape;
  for (int axis = 0; axis < kMaxRank; ++axis) shape.push_back(axis % 3 == 0 ? 2 : 1);
  for (int repeat = 0; repeat < 20; ++repeat) check_random_case(random, GetParam(), context, shape);
}

TEST_P(Cast, GivesTheRightShapeWithoutElements) {
  const Context context = GetParam().context();
  for (const DType from : kNumericDTypes) {
    for (const DType to : kNumericDTypes) {
      for (const Shape& shape : {Shape{0}, Shape{3, 0, 2}, Shape{0, int64_t{1} << 62, 4}}) {
        const Tensor y = cast(Tensor::empty(from, shape, GetParam().device()), to, context);
        EXPECT_EQ(y.shape(), shape);
        EXPECT_EQ(y.dtype(), to);
        EXPECT_EQ(y.device(), GetParam().device());
      }
    }
  }
}

TEST_P(Cast, HasAGradientOfXsType) {
  const Context context = GetParam().context();
  Random random(first_seed());
  for (const DType from : kNumericDTypes) {
    for (const DType to : kNumericDTypes) {
      const Shape shape{5, 40};
      const PlacedTensor dy(random, to, shape, dense_placement(shape), GetParam().device(), true);
      const Bytes wanted = reference_cast(dy.elements(), to, from);
      const Tensor dx = cast_gradient(dy.tensor(), from, context).to(Device{});
      ASSERT_EQ(dx.dtype(), from);
      EXPECT_EQ(std::memcmp(dx.data(), wanted.data(), wanted.size()), 0) << pair_name(to, from);
      PlacedTensor into(random, from, shape, dense_placement(shape), GetParam().device(), false);
      cast_gradient(dy.tensor(), from, into.tensor(), context);
      into.expect_holds(wanted, pair_name(to, from));
    }
  }
}

TEST_P(Cast, LeavesATensorOfItsOwnTypeAsItIs) {
  const Context context = GetParam().context();
  Random random(first_seed());
  for (const DType dtype : kNumericDTypes) {
    const Shape shape{7, 30};
    PlacedTensor x(random, dtype, shape,
                   random_placement(random, shape, element_size(dtype), false), GetParam().device(),
                   false);
    const Bytes before = x.elements();
    cast(x.tensor(), dtype, x.tensor(), context);
    x.expect_holds(before, std::string(name(dtype)));
  }
}

class CastOnThreads : public KernelTest {};
INSTANTIATE_TEST_SUITE_P(CpuTargets, CastOnThreads, ::testing::ValuesIn(cpu_kernel_choices()),
                         choice_name);

TEST_P(CastOnThreads, IsTheSameForEveryCountAndPool) {
  SpawningPool spawning;
  BackwardsPool backwards;
  Random random(first_seed());
  const Shape shape{3, 700001};
  struct Pair {
    DType from, to;
  };
  for (const Pair& pair : {Pair{DType::kFloat32, DType::kUInt8},
                           {DType::kInt8, DType::kFloat16},
                           {DType::kBool, DType::kFloat64},
                           {DType::kFloat64, DType::kBFloat16}}) {
    const DType from = pair.from;
    const DType to = pair.to;
    const PlacedTensor x(random, from, shape, dense_placement(shape), {}, true);
    const Bytes wanted = reference_cast(x.elements(), from, to);
    const auto check = [&](const Context& context) {
      PlacedTensor y(random, to, shape, dense_placement(shape), {}, false);
      cast(x.tensor(), to, y.tensor(), context);
      y.expect_holds(wanted, pair_name(from, to));
    };
    for (const int threads : {1, 2, 7}) check(GetParam().context(threads));
    for (const ThreadPool* pool : {spawning.pool(), backwards.pool()})
      check(GetParam().context(7, pool));
  }
  EXPECT_GT(spawning.tasks(), 1);
  EXPECT_GT(backwards.tasks(), 1);
}

// Large transposed and padded operands: slices that are gathered, scattered, and both.
TEST_P(CastOnThreads, TakesLargeOperandsOfAnyLayout) {
  Random random(first_seed());
  const Shape shape{300, 40, 70};
  for (int repeat = 0; repeat < 12; ++repeat) {
    SCOPED_TRACE(repeat);
    check_random_case(random, GetParam(), GetParam().context(2), shape);
  }
}

}  // namespace
}  // namespace sylvite::test
