// ExpandGradient: its bits in the documented order, on every target, for every layout in memory.
#include <gtest/gtest.h>

#include <cstring>

#include "support/expand_gradient_cases.h"
#include "support/thread_pools.h"

namespace sylvite::test {
namespace {

Bytes bytes_of(const Tensor& tensor) {
  const Tensor host = tensor.to(Device{});
  return {host.data_as<uint8_t>(), host.data_as<uint8_t>() + host.byte_count()};
}

class ExpandGradient : public KernelTest {
 protected:
  bool is_gpu() const { return GetParam().device().kind != DeviceKind::kCpu; }
};
INSTANTIATE_TEST_SUITE_P(AllTargets, ExpandGradient, ::testing::ValuesIn(target_choices()),
                         choice_name);

TEST_P(ExpandGradient, MatchesTheContract) {
  const Context context = GetParam().context();
  for (SeededCases cases(1.5); cases.next();) {
    SCOPED_TRACE(cases.trace());
    Random random(cases.seed());
    check_expand_gradient(random_expand_gradient_case(random), random, GetParam(), context);
  }
}

TEST_P(ExpandGradient, MatchesTheContractOnDenseTensors) {
  const Context context = GetParam().context();
  for (SeededCases cases(1.5); cases.next();) {
    SCOPED_TRACE(cases.trace());
    Random random(cases.seed());
    check_expand_gradient(random_expand_gradient_case(random), random, GetParam(), context, true);
  }
}

// Rows, columns and narrow columns of every extent around lanes, groups and vectors, at guard pages.
TEST_P(ExpandGradient, SumsEveryExtent) {
  const Context context = GetParam().context();
  Random random(first_seed());
  for (const DType dtype : {DType::kUInt8, DType::kInt16, DType::kFloat16, DType::kBFloat16,
                            DType::kFloat32, DType::kFloat64, DType::kInt64}) {
    for (const int64_t n :
         {2, 3, 4, 5, 6, 7, 8, 9, 12, 15, 16, 17, 31, 32, 33, 127, 128, 129, 300}) {
      if (is_gpu() && n % 4 != 0) continue;
      for (const int64_t k : {1, 2, 3, 7, 15, 16, 17, 31, 63, 64, 65, 100}) {
        if (is_gpu() && k % 8 > 1) continue;
        check_expand_gradient({{k, n}, {k, 1}, dtype}, random, GetParam(), context, true);
        check_expand_gradient({{n, k}, {1, k}, dtype}, random, GetParam(), context, true);
        check_expand_gradient({{3, n, k}, {3, 1, k}, dtype}, random, GetParam(), context, true);
        if (HasFailure()) return;
      }
    }
  }
}

// Larger than a block, so that axes are summed in pieces.
TEST_P(ExpandGradient, SumsInPieces) {
  const Context context = GetParam().context(2);
  Random random(first_seed());
  for (const DType dtype : {DType::kUInt8, DType::kFloat32, DType::kFloat16, DType::kFloat64}) {
    for (const auto& [dy, x] : {std::pair<Shape, Shape>{{700001}, {}},
                                {{700001}, {1}},
                                {{233337, 3}, {3}},
                                {{2, 300007}, {2, 1}},
                                {{3, 100003, 2}, {3, 1, 2}},
                                {{5, 3, 50021}, {1, 3, 1}},
                                {{4000, 170}, {1, 170}},
                                {{600, 1100}, {1100}},
                                {{3, 530, 3, 170}, {1, 530, 1, 170}},
                                {{70, 12, 900}, {1, 12, 1}},
                                {{3, 1200, 200}, {3, 1, 200}},
                                {{300000, 2}, {300000, 1}},
                                {{100000, 7}, {100000, 1}}}) {
      if (is_gpu() && dtype == DType::kFloat64 && dy.rank() > 2) continue;
      check_expand_gradient({dy, x, dtype}, random, GetParam(), context, true);
      check_expand_gradient({dy, x, dtype}, random, GetParam(), context, false);
      if (HasFailure()) return;
    }
  }
}

TEST_P(ExpandGradient, KeepsItsBitsWhateverTheStrides) {
  if (is_gpu()) GTEST_SKIP() << "to() makes dense copies";
  const Context context = GetParam().context();
  Random random(first_seed());
  for (int i = 0; i < 200 && !HasFailure(); ++i) {
    ExpandGradientCase c = random_expand_gradient_case(random);
    c.dtype = random.one_of({DType::kFloat32, DType::kFloat64, DType::kBFloat16});
    const PlacedTensor dy(random, c.dtype, c.dy,
                          random_placement(random, c.dy, element_size(c.dtype), true), Device{},
                          true, make_finite);
    const Tensor dense = dy.tensor().to(Device{});
    EXPECT_EQ(bytes_of(expand_gradient(dy.tensor(), c.x, context)),
              bytes_of(expand_gradient(dense, c.x, context)))
        << to_string(c) << " with strides " << to_string(dy.tensor().strides());
  }
}

TEST_P(ExpandGradient, IsTheAdjointOfExpand) {
  const Context context = GetParam().context();
  for (SeededCases cases(.4); cases.next();) {
    SCOPED_TRACE(cases.trace());
    Random random(cases.seed());
    const ExpandGradientCase c = random_expand_gradient_case(random);
    const auto integers = [&](const Shape& shape) {
      Tensor host = Tensor::empty(DType::kInt64, shape);
      for (int64_t i = 0; i < host.element_count(); ++i)
        host.data_as<int64_t>()[i] = random.between(-1000, 1000);
      return host;
    };
    const auto product = [](const Tensor& a, const Tensor& b) {
      const Tensor left = a.to(Device{});
      const Tensor right = b.to(Device{});
      EXPECT_EQ(left.shape(), right.shape());
      int64_t sum = 0;
      for (int64_t i = 0; i < left.element_count(); ++i)
        sum += left.data_as<int64_t>()[i] * right.data_as<int64_t>()[i];
      return sum;
    };
    const Tensor x = integers(c.x);
    const Tensor g = integers(c.dy);
    const Device device = GetParam().device();
    EXPECT_EQ(product(expand(x.to(device), c.dy, context), g),
              product(x, expand_gradient(g.to(device), c.x, context)))
        << to_string(c);
  }
}

TEST_P(ExpandGradient, SumsNothingToZero) {
  const Context context = GetParam().context();
  for (const DType dtype : kNumericDTypes) {
    for (const auto& [dy, x] : {std::pair<Shape, Shape>{{0}, {}},
                                {{0}, {1}},
                                {{5, 0}, {5, 1}},
                                {{0, 5}, {5}},
                                {{3, 0, 4}, {3, 1, 4}},
                                {{0, 0}, {1, 1}},
                                {{2, 0}, {1, 0}},
                                {{0, 3}, {0, 1}}}) {
      const Tensor g = Tensor::empty(dtype, dy, GetParam().device());
      const Tensor dx = expand_gradient(g, x, context);
      EXPECT_EQ(dx.shape(), x);
      EXPECT_EQ(bytes_of(dx), Bytes(static_cast<size_t>(count(x) * element_size(dtype))))
          << name(dtype) << to_string(dy);
    }
  }
}

// An expanded view, as a gradient often is: stride 0 on the axes that are summed.
TEST_P(ExpandGradient, TakesExpandedViews) {
  const Context context = GetParam().context();
  const Tensor one = Tensor::empty(DType::kInt32, {3, 1});
  for (int i = 0; i < 3; ++i) one.data_as<int32_t>()[i] = i + 1;
  const Tensor dy = expand_view(one.to(GetParam().device()), Shape{7, 3, 500});
  const Tensor dx = expand_gradient(dy, {3, 1}, context).to(Device{});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(dx.data_as<int32_t>()[i], 3500 * (i + 1));
  const Tensor all = expand_gradient(dy, {}, context).to(Device{});
  EXPECT_EQ(*all.data_as<int32_t>(), 7 * 500 * 6);
}

TEST_P(ExpandGradient, CopiesWhereNothingIsBroadcast) {
  const Context context = GetParam().context();
  Random random(first_seed());
  for (const DType dtype : kNumericDTypes) {
    check_expand_gradient({{1, 5, 1, 7}, {5, 1, 7}, dtype}, random, GetParam(), context);
    check_expand_gradient({{}, {}, dtype}, random, GetParam(), context);
  }
}

class ExpandGradientOnThreads : public KernelTest {};
INSTANTIATE_TEST_SUITE_P(CpuTargets, ExpandGradientOnThreads,
                         ::testing::ValuesIn(cpu_kernel_choices()), choice_name);

TEST_P(ExpandGradientOnThreads, IsTheSameForEveryCountAndPool) {
  SpawningPool spawning;
  BackwardsPool backwards;
  Random random(first_seed());
  for (const auto& [dy, x] : {std::pair<Shape, Shape>{{1500007}, {}},
                              {{1200, 1100}, {1100}},
                              {{40, 17, 23, 70}, {40, 1, 23, 1}}}) {
    const ExpandGradientCase large = {dy, x, DType::kFloat32};
    for (const int threads : {1, 2, 7}) {
      SCOPED_TRACE(testing::Message() << threads << " threads");
      check_expand_gradient(large, random, GetParam(), GetParam().context(threads));
    }
    for (const ThreadPool* pool : {spawning.pool(), backwards.pool()})
      check_expand_gradient(large, random, GetParam(), GetParam().context(7, pool));
  }
  EXPECT_GT(spawning.tasks(), 1);
  EXPECT_GT(backwards.tasks(), 1);
}

}  // namespace
}  // namespace sylvite::test
