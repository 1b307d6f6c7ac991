// Gradients of the merges: every value back at its place, zero where there was none.
#include <gtest/gtest.h>

#include <cstring>

#include "support/features_cases.h"
#include "support/space_batch_cases.h"

namespace sylvite::test {
namespace {

class FeaturesGradient : public KernelTest {
 protected:
  bool strings() const { return GetParam().device() == Device{}; }
  void check(const FeatureCase& c, Random& random) {
    check_merge_gradient(c, random, GetParam().context(), GetParam().device());
  }
};
INSTANTIATE_TEST_SUITE_P(Targets, FeaturesGradient, ::testing::ValuesIn(kernel_choices()),
                         choice_name);

TEST_P(FeaturesGradient, MatchesTheContract) {
  for (SeededCases cases(1.5, 7 * 12); cases.next();) {
    SCOPED_TRACE(cases.trace());
    Random random(cases.seed());
    check(random_features(random, kMerges[cases.seed() % 7], strings()), random);
  }
}

TEST_P(FeaturesGradient, TakesEveryTypeOfElement) {
  Random random(first_seed());
  for (const Merge merge : kMerges) {
    for (const DType dtype : kAllDTypes) {
      check(random_features(random, merge, dtype,
                            {.examples = 150, .features = 3, .strings = strings()}),
            random);
    }
  }
}

TEST_P(FeaturesGradient, TakesAThousandInputs) {
  Random random(first_seed());
  for (const Merge merge : kMerges) {
    const FeatureSizes sizes = {
        .examples = 40, .features = 1000, .longest = 5, .presence = .5, .strings = strings()};
    check(random_features(random, merge, DType::kInt16, sizes), random);
  }
}

// Eight arrays are written side by side.
TEST_P(FeaturesGradient, TakesInputsAroundABlock) {
  Random random(first_seed());
  for (const Merge merge : kMerges) {
    for (const int64_t features : {7, 8, 9, 15, 16, 17}) {
      const FeatureSizes sizes = {.examples = 50, .features = features, .strings = strings()};
      check(random_features(random, merge, DType::kFloat32, sizes), random);
    }
  }
}

TEST_P(FeaturesGradient, TakesBatchesAroundATask) {
  Random random(first_seed());
  for (const Merge merge : kMerges) {
    for (const int64_t examples :
         {0, 1, 15, 16, 17, 63, 64, 65, 127, 128, 129, 257, 1025, 3071, 3072, 3073}) {
      const FeatureSizes sizes = {
          .examples = examples, .features = 2, .longest = 40, .strings = strings()};
      check(random_features(random, merge, DType::kFloat32, sizes), random);
      if (HasFailure()) return;
    }
  }
}

// Merged values taken apart again are the inputs, where they are present.
TEST_P(FeaturesGradient, UndoesTheMerge) {
  const Context context = GetParam().context();
  for (SeededCases cases(.3, 28); cases.next();) {
    SCOPED_TRACE(cases.trace());
    Random random(cases.seed());
    const FeatureCase c = random_features(random, kMerges[cases.seed() % 7], strings());
    PlacedElements memory(random, GetParam().device());
    const std::vector<FeatureTensors> inputs = memory.inputs(c);
    const MultiMap out = merge(c.merge, inputs, c.feature_ids, context);
    const std::vector<Tensor> back = merge_gradient(c.merge, inputs, out.values_values, context);
    ASSERT_EQ(back.size(), inputs.size());
    const bool scalars_of_one_feature = !is_multi(c.merge) && !is_ragged(c.merge);
    for (size_t f = 0; f < inputs.size(); ++f) {
      Elements expected = elements_of(inputs[f].values);
      const Elements presence = elements_of(inputs[f].presence);
      for (size_t i = 0; i < expected.size() && scalars_of_one_feature; ++i) {
        if (presence[i][0] != 0) continue;
        expected[i].assign(c.dtype == DType::kString ? 0 : expected[i].size(), '\0');
      }
      EXPECT_EQ(elements_of(back[f]), expected) << to_string(c) << ", input " << f;
    }
  }
}

/// Small whole numbers, so that sums of products are exact.
Elements random_integers(Random& random, size_t count) {
  Elements elements;
  for (size_t i = 0; i < count; ++i) {
    const int64_t value = random.between(-1000, 1000);
    elements.emplace_back(reinterpret_cast<const char*>(&value), sizeof value);
  }
  return elements;
}

int64_t inner_product(const Elements& a, const Elements& b) {
  EXPECT_EQ(a.size(), b.size());
  int64_t sum = 0;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    int64_t left = 0;
    int64_t right = 0;
    std::memcpy(&left, a[i].data(), sizeof left);
    std::memcpy(&right, b[i].data(), sizeof right);
    sum += left * right;
  }
  return sum;
}

// <merge(x), g> = <x, gradient(g)>
TEST_P(FeaturesGradient, IsTheAdjointOfTheMerge) {
  const Context context = GetParam().context();
  for (SeededCases cases(.3, 28); cases.next();) {
    SCOPED_TRACE(cases.trace());
    Random random(cases.seed());
    const FeatureSizes sizes = {.examples = random.between(0, 300),
                                .features = random.between(1, 9),
                                .presence = random.one_of({0., .5, 1.}),
                                .strings = strings()};
    FeatureCase c = random_features(random, kMerges[cases.seed() % 7], DType::kInt64, sizes);
    for (Feature& x : c.features) x.values = random_integers(random, x.values.size());
    PlacedElements memory(random, GetParam().device());
    const std::vector<FeatureTensors> inputs = memory.inputs(c);
    const Elements y = elements_of(merge(c.merge, inputs, c.feature_ids, context).values_values);
    const Elements g = random_integers(random, y.size());
    const Tensor dvalues = memory.input(DType::kInt64, {static_cast<int64_t>(g.size())}, g);
    const std::vector<Tensor> dx = merge_gradient(c.merge, inputs, dvalues, context);
    int64_t product = 0;
    for (size_t f = 0; f < dx.size(); ++f)
      product += inner_product(elements_of(inputs[f].values), elements_of(dx[f]));
    EXPECT_EQ(inner_product(y, g), product) << to_string(c);
  }
}

}  // namespace
}  // namespace sylvite::test
