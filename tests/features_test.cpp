// The merges of feature tensors against plain loops, on every target and with both kinds of stores.
#include <gtest/gtest.h>

#include <numeric>

#include "support/features_cases.h"
#include "support/space_batch_cases.h"
#include "support/thread_pools.h"

namespace sylvite::test {
namespace {

class Features : public KernelTest {
 protected:
  bool strings() const { return GetParam().device() == Device{}; }
  void check(const FeatureCase& c, Random& random) {
    check_merge(c, random, GetParam().context(), GetParam().device());
  }
};
INSTANTIATE_TEST_SUITE_P(Targets, Features, ::testing::ValuesIn(kernel_choices()), choice_name);

TEST_P(Features, MatchTheContract) {
  for (SeededCases cases(2.0, 7 * 12); cases.next();) {
    SCOPED_TRACE(cases.trace());
    Random random(cases.seed());
    check(random_features(random, kMerges[cases.seed() % 7], strings()), random);
  }
}

TEST_P(Features, TakeEveryTypeOfElement) {
  Random random(first_seed());
  for (const Merge merge : kMerges) {
    for (const DType dtype : kAllDTypes) {
      FeatureCase c = random_features(random, merge, dtype,
                                      {.examples = 700, .features = 3, .strings = strings()});
      check(c, random);
    }
  }
}

// A task owns a range of examples; runs of any length begin and end at its edges.
TEST_P(Features, TakeBatchesAroundATask) {
  Random random(first_seed());
  for (const Merge merge : kMerges) {
    for (const int64_t examples : {15, 16, 17, 63, 65, 3071, 3072, 3073, 6145}) {
      for (const int longest : {1, 40}) {
        const FeatureSizes sizes = {.examples = examples,
                                    .features = 2,
                                    .longest = longest,
                                    .presence = .9,
                                    .strings = strings()};
        check(random_features(random, merge, DType::kFloat32, sizes), random);
        if (HasFailure()) return;
      }
    }
  }
}

// A run is copied by vectors that fit the longest one of its task.
TEST_P(Features, TakeRunsAroundAVector) {
  Random random(first_seed());
  for (const Merge merge : {Merge::kSingleList, Merge::kMultiScalar, Merge::kMultiList}) {
    for (const int longest : {31, 32, 33, 63, 64, 65, 95, 96, 97, 127, 128, 129, 257}) {
      for (const int64_t examples : {3, 40, 700}) {
        const FeatureSizes sizes = {
            .examples = examples, .features = 3, .longest = longest, .strings = strings()};
        const FeatureCase c = random_features(random, merge, DType::kUInt8, sizes);
        check(c, random);
        check_merge_gradient(c, random, GetParam().context(), GetParam().device());
        if (HasFailure()) return;
      }
    }
  }
}

// Runs of several cache lines leave in lines, put together where one run ends and the next begins.
TEST_P(Features, TakeRunsOfManyLines) {
  Random random(first_seed());
  for (const Merge merge : {Merge::kSingleList, Merge::kSingleMap}) {
    for (const DType dtype : {DType::kUInt8, DType::kFloat64}) {
      for (const int64_t examples : {1, 3, 70}) {
        for (const double presence : {.8, 1.}) {
          const FeatureSizes sizes = {.examples = examples,
                                      .features = random.between(1, 4),
                                      .longest = static_cast<int>(random.between(500, 1200)),
                                      .presence = presence,
                                      .strings = strings()};
          const FeatureCase c = random_features(random, merge, dtype, sizes);
          check(c, random);
          check_merge_gradient(c, random, GetParam().context(), GetParam().device());
          if (HasFailure()) return;
        }
      }
    }
  }
}

// So many that a thread takes several chunks at once, each spoiling the beginning of the next.
TEST_P(Features, TakeTasksOfSeveralChunks) {
  Random random(first_seed());
  for (const Merge merge : {Merge::kSingleScalar, Merge::kSingleList, Merge::kMultiList}) {
    const FeatureSizes sizes = {.examples = 48 * 24 + 3,
                                .features = 130,
                                .longest = 3,
                                .presence = .3,
                                .strings = strings()};
    const FeatureCase c = random_features(random, merge, DType::kUInt8, sizes);
    check_merge(c, random, GetParam().context(2), GetParam().device());
    check_merge_gradient(c, random, GetParam().context(2), GetParam().device());
  }
}

TEST_P(Features, TakeAThousandInputs) {
  Random random(first_seed());
  for (const Merge merge : kMerges) {
    const FeatureSizes sizes = {
        .examples = 40, .features = 1000, .longest = 5, .presence = .5, .strings = strings()};
    check(random_features(random, merge, DType::kInt16, sizes), random);
  }
}

TEST_P(Features, TakeBatchesWithoutAnything) {
  Random random(first_seed());
  for (const Merge merge : kMerges) {
    for (const int64_t examples : {0, 1, 500}) {
      const FeatureSizes sizes = {
          .examples = examples, .features = 4, .presence = 0, .strings = strings()};
      FeatureCase c = random_features(random, merge, DType::kFloat64, sizes);
      for (Feature& x : c.features) {
        if (!is_multi(merge)) continue;
        std::fill(x.lengths.begin(), x.lengths.end(), 0);
        x.keys = {};
        x.values_lengths = {};
        x.values_keys = x.values = {};
      }
      check(c, random);
    }
  }
}

TEST_P(Features, TakeAnExampleThatHoldsAlmostEverything) {
  Random random(first_seed());
  for (const Merge merge : kMerges) {
    FeatureSizes sizes = {
        .examples = 300, .features = 3, .longest = 2, .skewed = true, .strings = strings()};
    FeatureCase c = random_features(random, merge, DType::kUInt8, sizes);
    if (is_multi(merge) || !is_ragged(merge)) {
      check(c, random);
      continue;
    }
    Feature& x = c.features[1];
    x.presence[200] = 1;
    x.lengths[200] = 1'000'000;
    int64_t values = 0;
    for (size_t b = 0; b < x.lengths.size(); ++b) values += x.presence[b] ? x.lengths[b] : 0;
    x.values = random_elements(random, c.dtype, static_cast<size_t>(values));
    if (is_map(merge))
      x.values_keys = random_elements(random, c.key_dtype, static_cast<size_t>(values));
    check(c, random);
  }
}

TEST_P(Features, TakeOneTensorInSeveralPlaces) {
  Random random(first_seed());
  FeatureCase c = random_features(random, Merge::kSingleList, DType::kFloat32,
                                  {.examples = 200, .strings = strings()});
  PlacedElements memory(random, GetParam().device());
  const FeatureTensors once = memory.inputs(c)[0];
  c.features.assign(3, c.features[0]);
  c.feature_ids = {5, 5, -5};
  const MultiMap out = merge(c.merge, {once, once, once}, c.feature_ids, GetParam().context());
  const Merged expected = reference_merge(c);
  for (const Field<MultiMap>& field : output_fields(c.merge))
    EXPECT_EQ(elements_of(out.*field.tensor), elements_of(expected, field.tensor)) << field.name;
}

class FeaturesOnThreads : public Features {};
INSTANTIATE_TEST_SUITE_P(CpuTargets, FeaturesOnThreads, ::testing::ValuesIn(cpu_kernel_choices()),
                         choice_name);

TEST_P(FeaturesOnThreads, AreTheSameForEveryCountAndPool) {
  Random random(first_seed());
  SpawningPool spawning;
  BackwardsPool backwards;
  for (const Merge merge : kMerges) {
    const FeatureSizes sizes = {.examples = 1000, .features = 3, .longest = 20, .skewed = true};
    const FeatureCase c = random_features(random, merge, DType::kFloat32, sizes);
    for (const int threads : {1, 2, 7}) {
      check_merge(c, random, GetParam().context(threads));
      check_merge_gradient(c, random, GetParam().context(threads));
    }
    for (const ThreadPool* pool : {spawning.pool(), backwards.pool()}) {
      check_merge(c, random, GetParam().context(7, pool));
      check_merge_gradient(c, random, GetParam().context(7, pool));
    }
    if (HasFailure()) return;
  }
  EXPECT_GT(spawning.tasks(), 1);
  EXPECT_GT(backwards.tasks(), 1);
}

// The definitions by example, written out.
template <typename T>
Tensor tensor(DType dtype, const std::vector<T>& numbers) {
  Tensor result = Tensor::empty(dtype, {static_cast<int64_t>(numbers.size())});
  std::copy(numbers.begin(), numbers.end(), result.data_as<T>());
  return result;
}
Tensor ints(const std::vector<int32_t>& numbers) { return tensor(DType::kInt32, numbers); }
Tensor longs(const std::vector<int64_t>& numbers) { return tensor(DType::kInt64, numbers); }
Tensor floats(const std::vector<float>& numbers) { return tensor(DType::kFloat32, numbers); }
Tensor bools(const std::vector<uint8_t>& numbers) { return tensor(DType::kBool, numbers); }

template <typename T>
std::vector<T> numbers(const Tensor& x) {
  EXPECT_EQ(x.strides(), dense_strides(x.shape()));
  return {x.data_as<T>(), x.data_as<T>() + x.element_count()};
}

void expect_pairs(const Tensor& lengths, const Tensor& keys,
                  const std::vector<int32_t>& want_lengths, const std::vector<int64_t>& want_keys) {
  EXPECT_EQ(numbers<int32_t>(lengths), want_lengths);
  EXPECT_EQ(numbers<int64_t>(keys), want_keys);
}

TEST(FeaturesByExample, MergeDense) {
  const Tensor data = floats({1, 2, 3, 4, 5, 6}).view({3, 2}, {2, 1});
  const Tensor presence = bools({1, 0, 0, 0, 1, 1}).view({3, 2}, {2, 1});
  const MultiScalar out = merge_dense(data, presence, {11, 12});
  expect_pairs(out.lengths, out.keys, {1, 0, 2}, {11, 11, 12});
  EXPECT_EQ(numbers<float>(out.values), (std::vector<float>{1, 5, 6}));
  const Tensor ddata = merge_dense_gradient(presence, floats({7, 8, 9}));
  EXPECT_EQ(ddata.shape(), (Shape{3, 2}));
  EXPECT_EQ(numbers<float>(ddata), (std::vector<float>{7, 0, 0, 0, 8, 9}));
}

TEST(FeaturesByExample, MergeSingleScalar) {
  const std::vector<SingleScalarFeature> x = {{floats({1, 2, 3}), bools({1, 0, 1})},
                                              {floats({4, 5, 6}), bools({1, 0, 0})}};
  const MultiScalar out = merge_single_scalar(x, {11, 12});
  expect_pairs(out.lengths, out.keys, {2, 0, 1}, {11, 12, 11});
  EXPECT_EQ(numbers<float>(out.values), (std::vector<float>{1, 4, 3}));
  const std::vector<Tensor> presence = {x[0].presence, x[1].presence};
  const std::vector<Tensor> dx = merge_single_scalar_gradient(presence, floats({7, 8, 9}));
  ASSERT_EQ(dx.size(), 2);
  EXPECT_EQ(numbers<float>(dx[0]), (std::vector<float>{7, 0, 9}));
  EXPECT_EQ(numbers<float>(dx[1]), (std::vector<float>{8, 0, 0}));
}

// Absent examples have no values, whatever their lengths say.
TEST(FeaturesByExample, MergeSingleList) {
  const std::vector<SingleListFeature> x = {
      {ints({2, 7, 0}), floats({1, 2}), bools({1, 0, 1})},
      {ints({1, 1, 2}), floats({3, 4, 5, 6}), bools({1, 1, 1})}};
  const MultiList out = merge_single_list(x, {11, 12});
  expect_pairs(out.lengths, out.keys, {2, 1, 2}, {11, 12, 12, 11, 12});
  EXPECT_EQ(numbers<int32_t>(out.values_lengths), (std::vector<int32_t>{2, 1, 1, 0, 2}));
  EXPECT_EQ(numbers<float>(out.values_values), (std::vector<float>{1, 2, 3, 4, 5, 6}));
  const std::vector<Tensor> lengths = {x[0].lengths, x[1].lengths};
  const std::vector<Tensor> presence = {x[0].presence, x[1].presence};
  const std::vector<Tensor> dx =
      merge_single_list_gradient(lengths, presence, floats({1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(numbers<float>(dx[0]), (std::vector<float>{1, 2}));
  EXPECT_EQ(numbers<float>(dx[1]), (std::vector<float>{3, 4, 5, 6}));
}

TEST(FeaturesByExample, MergeSingleMap) {
  const std::vector<SingleMapFeature> x = {
      {ints({1, 2}), longs({5, 6, 7}), floats({1, 2, 3}), bools({1, 1})},
      {ints({1, 9}), longs({8}), floats({4}), bools({1, 0})}};
  const MultiMap out = merge_single_map(x, {11, 12});
  expect_pairs(out.lengths, out.keys, {2, 1}, {11, 12, 11});
  EXPECT_EQ(numbers<int32_t>(out.values_lengths), (std::vector<int32_t>{1, 1, 2}));
  EXPECT_EQ(numbers<int64_t>(out.values_keys), (std::vector<int64_t>{5, 8, 6, 7}));
  EXPECT_EQ(numbers<float>(out.values_values), (std::vector<float>{1, 4, 2, 3}));
}

TEST(FeaturesByExample, MergeMultiScalar) {
  const std::vector<MultiScalar> x = {{ints({0, 2}), longs({5, 6}), floats({1, 2})},
                                      {ints({1, 1}), longs({6, 7}), floats({3, 4})}};
  const MultiScalar out = merge_multi_scalar(x);
  expect_pairs(out.lengths, out.keys, {1, 3}, {6, 5, 6, 7});
  EXPECT_EQ(numbers<float>(out.values), (std::vector<float>{3, 1, 2, 4}));
  const std::vector<Tensor> lengths = {x[0].lengths, x[1].lengths};
  const std::vector<Tensor> dx = merge_multi_scalar_gradient(lengths, out.values);
  EXPECT_EQ(numbers<float>(dx[0]), (std::vector<float>{1, 2}));
  EXPECT_EQ(numbers<float>(dx[1]), (std::vector<float>{3, 4}));
}

TEST(FeaturesByExample, MergeMultiList) {
  const std::vector<MultiList> x = {{ints({0, 2}), longs({5, 6}), ints({1, 2}), floats({1, 2, 3})},
                                    {ints({1, 1}), longs({6, 7}), ints({2, 0}), floats({4, 5})}};
  const MultiList out = merge_multi_list(x);
  expect_pairs(out.lengths, out.keys, {1, 3}, {6, 5, 6, 7});
  EXPECT_EQ(numbers<int32_t>(out.values_lengths), (std::vector<int32_t>{2, 1, 2, 0}));
  EXPECT_EQ(numbers<float>(out.values_values), (std::vector<float>{4, 5, 1, 2, 3}));
  const std::vector<Tensor> lengths = {x[0].lengths, x[1].lengths};
  const std::vector<Tensor> values_lengths = {x[0].values_lengths, x[1].values_lengths};
  const std::vector<Tensor> dx =
      merge_multi_list_gradient(lengths, values_lengths, out.values_values);
  EXPECT_EQ(numbers<float>(dx[0]), (std::vector<float>{1, 2, 3}));
  EXPECT_EQ(numbers<float>(dx[1]), (std::vector<float>{4, 5}));
}

TEST(FeaturesByExample, MergeMultiMapOfTexts) {
  const std::vector<std::string_view> names = {"a", "", "cc"};
  const std::vector<std::string_view> more = {"dddd"};
  const std::vector<MultiMap> x = {
      {ints({2, 0}), longs({5, 6}), ints({2, 1}), Tensor::strings(names, {3}), floats({1, 2, 3})},
      {ints({1, 0}), longs({7}), ints({1}), Tensor::strings(more, {1}), floats({4})}};
  const MultiMap out = merge_multi_map(x);
  expect_pairs(out.lengths, out.keys, {3, 0}, {5, 6, 7});
  EXPECT_EQ(numbers<int32_t>(out.values_lengths), (std::vector<int32_t>{2, 1, 1}));
  EXPECT_EQ(elements_of(out.values_keys), (Elements{"a", "", "cc", "dddd"}));
  EXPECT_EQ(numbers<float>(out.values_values), (std::vector<float>{1, 2, 3, 4}));
}

}  // namespace
}  // namespace sylvite::test
