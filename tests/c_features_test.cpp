// The merges of C against those of C++.
#include <gtest/gtest.h>

#include "support/c_tensors.h"
#include "support/features_cases.h"

namespace sylvite::test {
namespace {

constexpr DType kFloat32 = DType::kFloat32;

using CFeaturesOnTargets = CApiTest;
INSTANTIATE_TEST_SUITE_P(CpuTargets, CFeaturesOnTargets, ::testing::ValuesIn(cpu_kernel_choices()),
                         choice_name);

/// The C structs of a kind, all of them of the same inputs.
struct CFeatures {
  explicit CFeatures(const std::vector<FeatureTensors>& inputs) {
    for (const FeatureTensors& f : inputs) {
      const auto lengths = c_tensor(f.lengths), keys = c_tensor(f.keys),
                 values = c_tensor(f.values);
      const auto presence = c_tensor(f.presence), map_keys = c_tensor(f.values_keys);
      const auto pair_lengths = c_tensor(f.values_lengths);
      single_scalars.push_back({values, presence});
      single_lists.push_back({lengths, values, presence});
      single_maps.push_back({lengths, map_keys, values, presence});
      multi_scalars.push_back({lengths, keys, values});
      multi_lists.push_back({lengths, keys, pair_lengths, values});
      multi_maps.push_back({lengths, keys, pair_lengths, map_keys, values});
      all_lengths.push_back(lengths);
      all_presence.push_back(presence);
      all_pair_lengths.push_back(pair_lengths);
    }
  }
  std::vector<sylvite_single_scalar_feature> single_scalars;
  std::vector<sylvite_single_list_feature> single_lists;
  std::vector<sylvite_single_map_feature> single_maps;
  std::vector<sylvite_multi_scalar> multi_scalars;
  std::vector<sylvite_multi_list> multi_lists;
  std::vector<sylvite_multi_map> multi_maps;
  std::vector<sylvite_tensor> all_lengths, all_presence, all_pair_lengths;
};

sylvite_status c_merge(Merge kind, const CFeatures& f, const std::vector<int64_t>& ids,
                       const MultiMap& out, const sylvite_context* context) {
  const auto n = static_cast<int64_t>(f.all_lengths.size());
  const auto lengths = c_tensor(out.lengths), keys = c_tensor(out.keys);
  const auto pair_lengths = c_tensor(out.values_lengths), map_keys = c_tensor(out.values_keys);
  const auto values = c_tensor(out.values_values);
  const sylvite_multi_scalar scalars = {lengths, keys, values};
  const sylvite_multi_list lists = {lengths, keys, pair_lengths, values};
  const sylvite_multi_map maps = {lengths, keys, pair_lengths, map_keys, values};
  const auto id_count = static_cast<int64_t>(ids.size());
  switch (kind) {
    case Merge::kDense:
      return sylvite_merge_dense(&f.single_scalars[0].values, f.all_presence.data(), ids.data(),
                                 id_count, &scalars, context);
    case Merge::kSingleScalar:
      return sylvite_merge_single_scalar(f.single_scalars.data(), n, ids.data(), &scalars, context);
    case Merge::kSingleList:
      return sylvite_merge_single_list(f.single_lists.data(), n, ids.data(), &lists, context);
    case Merge::kSingleMap:
      return sylvite_merge_single_map(f.single_maps.data(), n, ids.data(), &maps, context);
    case Merge::kMultiScalar:
      return sylvite_merge_multi_scalar(f.multi_scalars.data(), n, &scalars, context);
    case Merge::kMultiList:
      return sylvite_merge_multi_list(f.multi_lists.data(), n, &lists, context);
    case Merge::kMultiMap:
      return sylvite_merge_multi_map(f.multi_maps.data(), n, &maps, context);
  }
  return SYLVITE_INTERNAL;
}

sylvite_status c_sizes(Merge kind, const CFeatures& f, sylvite_multi_sizes* sizes,
                       const sylvite_context* context) {
  const auto n = static_cast<int64_t>(f.all_lengths.size());
  switch (kind) {
    case Merge::kDense:
      return sylvite_merge_dense_sizes(&f.single_scalars[0].values, f.all_presence.data(), sizes,
                                       context);
    case Merge::kSingleScalar:
      return sylvite_merge_single_scalar_sizes(f.single_scalars.data(), n, sizes, context);
    case Merge::kSingleList:
      return sylvite_merge_single_list_sizes(f.single_lists.data(), n, sizes, context);
    case Merge::kSingleMap:
      return sylvite_merge_single_map_sizes(f.single_maps.data(), n, sizes, context);
    case Merge::kMultiScalar:
      return sylvite_merge_multi_scalar_sizes(f.multi_scalars.data(), n, sizes, context);
    case Merge::kMultiList:
      return sylvite_merge_multi_list_sizes(f.multi_lists.data(), n, sizes, context);
    case Merge::kMultiMap:
      return sylvite_merge_multi_map_sizes(f.multi_maps.data(), n, sizes, context);
  }
  return SYLVITE_INTERNAL;
}

sylvite_status c_gradient(Merge kind, const CFeatures& f, const sylvite_tensor* dvalues,
                          const sylvite_tensor* dinputs, const sylvite_context* context) {
  const auto n = static_cast<int64_t>(f.all_lengths.size());
  const sylvite_tensor* lengths = f.all_lengths.data();
  const sylvite_tensor* presence = f.all_presence.data();
  const sylvite_tensor* pair_lengths = f.all_pair_lengths.data();
  switch (kind) {
    case Merge::kDense:
      return sylvite_merge_dense_gradient(presence, dvalues, dinputs, context);
    case Merge::kSingleScalar:
      return sylvite_merge_single_scalar_gradient(presence, n, dvalues, dinputs, context);
    case Merge::kSingleList:
      return sylvite_merge_single_list_gradient(lengths, presence, n, dvalues, dinputs, context);
    case Merge::kSingleMap:
      return sylvite_merge_single_map_gradient(lengths, presence, n, dvalues, dinputs, context);
    case Merge::kMultiScalar:
      return sylvite_merge_multi_scalar_gradient(lengths, n, dvalues, dinputs, context);
    case Merge::kMultiList:
      return sylvite_merge_multi_list_gradient(lengths, pair_lengths, n, dvalues, dinputs, context);
    case Merge::kMultiMap:
      return sylvite_merge_multi_map_gradient(lengths, pair_lengths, n, dvalues, dinputs, context);
  }
  return SYLVITE_INTERNAL;
}

/// Of the kinds that tell them.
sylvite_status c_gradient_sizes(Merge kind, const CFeatures& f, int64_t* sizes,
                                const sylvite_context* context) {
  const auto n = static_cast<int64_t>(f.all_lengths.size());
  const sylvite_tensor* lengths = f.all_lengths.data();
  const sylvite_tensor* presence = f.all_presence.data();
  const sylvite_tensor* pair_lengths = f.all_pair_lengths.data();
  switch (kind) {
    case Merge::kSingleList:
      return sylvite_merge_single_list_gradient_sizes(lengths, presence, n, sizes, context);
    case Merge::kSingleMap:
      return sylvite_merge_single_map_gradient_sizes(lengths, presence, n, sizes, context);
    case Merge::kMultiScalar:
      return sylvite_merge_multi_scalar_gradient_sizes(lengths, n, sizes, context);
    case Merge::kMultiList:
      return sylvite_merge_multi_list_gradient_sizes(lengths, pair_lengths, n, sizes, context);
    case Merge::kMultiMap:
      return sylvite_merge_multi_map_gradient_sizes(lengths, pair_lengths, n, sizes, context);
    default:
      return SYLVITE_INTERNAL;
  }
}

Tensor like(const Tensor& tensor) {
  return tensor.dtype() == DType::kString
             ? Tensor::empty_strings(tensor.shape(), tensor.text_capacity())
             : Tensor::empty(tensor.dtype(), tensor.shape());
}

TEST_P(CFeaturesOnTargets, MergesOfFeatures) {
  Random random(71);
  for (const Merge kind : kMerges) {
    for (const DType dtype : {kFloat32, DType::kUInt8, DType::kString}) {
      const FeatureCase c =
          random_features(random, kind, dtype, {.examples = 20, .features = 3, .longest = 5});
      PlacedElements placed(random);
      std::vector<FeatureTensors> inputs = placed.inputs(c);
      for (FeatureTensors& f : inputs) {  // strings are dense in C
        if (f.values.dtype() == DType::kString) f.values = f.values.to(Device{});
        if (f.values_keys.dtype() == DType::kString) f.values_keys = f.values_keys.to(Device{});
      }
      const MultiMap expected = merge(kind, inputs, c.feature_ids);
      const MultiSizes sizes = merge_sizes(kind, inputs);
      const CFeatures f(inputs);
      sylvite_multi_sizes told = {};
      ASSERT_TRUE(is_ok(c_sizes(kind, f, &told, context_))) << to_string(c);
      EXPECT_EQ(
          (MultiSizes{told.examples, told.pairs, told.values, told.keys_text, told.values_text}),
          sizes);
      const MultiMap out{like(expected.lengths), like(expected.keys), like(expected.values_lengths),
                         like(expected.values_keys), like(expected.values_values)};
      ASSERT_TRUE(is_ok(c_merge(kind, f, c.feature_ids, out, context_))) << to_string(c);
      for (const Field<MultiMap>& field : output_fields(kind)) {
        EXPECT_EQ(contents(out.*field.tensor), contents(expected.*field.tensor)) << to_string(c);
      }
      if (dtype == DType::kString) continue;
      const Tensor& dvalues = expected.values_values;
      const std::vector<Tensor> gradients = merge_gradient(kind, inputs, dvalues);
      std::vector<Tensor> dinputs;
      dinputs.reserve(gradients.size());
      for (const Tensor& gradient : gradients) dinputs.push_back(like(gradient));
      const sylvite_tensor c_dvalues = c_tensor(dvalues);
      ASSERT_TRUE(is_ok(c_gradient(kind, f, &c_dvalues, c_tensors(dinputs).data(), context_)));
      for (size_t i = 0; i < gradients.size(); ++i) {
        EXPECT_EQ(contents(dinputs[i]), contents(gradients[i])) << to_string(c);
      }
      if (kind == Merge::kDense || kind == Merge::kSingleScalar) continue;
      std::vector<int64_t> extents(inputs.size(), -1);
      ASSERT_TRUE(is_ok(c_gradient_sizes(kind, f, extents.data(), context_)));
      EXPECT_EQ(extents, merge_gradient_sizes(kind, inputs));
    }
  }
}

}  // namespace
}  // namespace sylvite::test
