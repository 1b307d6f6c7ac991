#include "support/features_calls.h"

#include <array>

namespace sylvite::test {
namespace {

std::vector<Tensor> field_of(const std::vector<FeatureTensors>& inputs,
                             Tensor FeatureTensors::*tensor) {
  std::vector<Tensor> result;
  result.reserve(inputs.size());
  for (const FeatureTensors& input : inputs) result.push_back(input.*tensor);
  return result;
}

template <typename Input, typename Make>
std::vector<Input> as(const std::vector<FeatureTensors>& inputs, const Make& make) {
  std::vector<Input> result;
  result.reserve(inputs.size());
  for (const FeatureTensors& input : inputs) result.push_back(make(input));
  return result;
}

std::vector<SingleScalarFeature> single_scalars(const std::vector<FeatureTensors>& inputs) {
  return as<SingleScalarFeature>(inputs, [](const FeatureTensors& x) {
    return SingleScalarFeature{.values = x.values, .presence = x.presence};
  });
}
std::vector<SingleListFeature> single_lists(const std::vector<FeatureTensors>& inputs) {
  return as<SingleListFeature>(inputs, [](const FeatureTensors& x) {
    return SingleListFeature{.lengths = x.lengths, .values = x.values, .presence = x.presence};
  });
}
std::vector<SingleMapFeature> single_maps(const std::vector<FeatureTensors>& inputs) {
  return as<SingleMapFeature>(inputs, [](const FeatureTensors& x) {
    return SingleMapFeature{
        .lengths = x.lengths, .keys = x.values_keys, .values = x.values, .presence = x.presence};
  });
}
std::vector<MultiScalar> multi_scalars(const std::vector<FeatureTensors>& inputs) {
  return as<MultiScalar>(inputs, [](const FeatureTensors& x) {
    return MultiScalar{.lengths = x.lengths, .keys = x.keys, .values = x.values};
  });
}
std::vector<MultiList> multi_lists(const std::vector<FeatureTensors>& inputs) {
  return as<MultiList>(inputs, [](const FeatureTensors& x) {
    return MultiList{.lengths = x.lengths,
                     .keys = x.keys,
                     .values_lengths = x.values_lengths,
                     .values_values = x.values};
  });
}
std::vector<MultiMap> multi_maps(const std::vector<FeatureTensors>& inputs) {
  return as<MultiMap>(inputs, [](const FeatureTensors& x) {
    return MultiMap{.lengths = x.lengths,
                    .keys = x.keys,
                    .values_lengths = x.values_lengths,
                    .values_keys = x.values_keys,
                    .values_values = x.values};
  });
}

/// One struct for the outputs of all kinds.
MultiMap outputs_of(const MultiScalar& out) {
  return {.lengths = out.lengths, .keys = out.keys, .values_values = out.values};
}
MultiMap outputs_of(const MultiList& out) {
  return {.lengths = out.lengths,
          .keys = out.keys,
          .values_lengths = out.values_lengths,
          .values_values = out.values_values};
}
MultiScalar scalars_of(const MultiMap& out) {
  return {.lengths = out.lengths, .keys = out.keys, .values = out.values_values};
}
MultiList lists_of(const MultiMap& out) {
  return {.lengths = out.lengths,
          .keys = out.keys,
          .values_lengths = out.values_lengths,
          .values_values = out.values_values};
}

}  // namespace

std::vector<Field<FeatureTensors>> input_fields(Merge merge) {
  using T = FeatureTensors;
  switch (merge) {
    case Merge::kDense:
      return {{"data", &T::values}, {"presence", &T::presence}};
    case Merge::kSingleScalar:
      return {{"values", &T::values}, {"presence", &T::presence}};
    case Merge::kSingleList:
      return {{"lengths", &T::lengths}, {"values", &T::values}, {"presence", &T::presence}};
    case Merge::kSingleMap:
      return {{"lengths", &T::lengths},
              {"keys", &T::values_keys},
              {"values", &T::values},
              {"presence", &T::presence}};
    case Merge::kMultiScalar:
      return {{"lengths", &T::lengths}, {"keys", &T::keys}, {"values", &T::values}};
    case Merge::kMultiList:
      return {{"lengths", &T::lengths},
              {"keys", &T::keys},
              {"lengths", &T::values_lengths},
              {"values", &T::values}};
    case Merge::kMultiMap:
      return {{"lengths", &T::lengths},
              {"keys", &T::keys},
              {"lengths", &T::values_lengths},
              {"keys", &T::values_keys},
              {"values", &T::values}};
  }
  return {};
}

std::vector<Field<MultiMap>> output_fields(Merge merge) {
  std::vector<Field<MultiMap>> fields = {{"lengths", &MultiMap::lengths},
                                         {"keys", &MultiMap::keys}};
  if (is_ragged(merge)) fields.push_back({"lengths", &MultiMap::values_lengths});
  if (is_map(merge)) fields.push_back({"keys", &MultiMap::values_keys});
  fields.push_back({"values", &MultiMap::values_values});
  return fields;
}

std::string_view name_of(Merge merge) {
  constexpr std::array<std::string_view, 7> kNames = {
      "MergeDenseFeatureTensors",       "MergeSingleScalarFeatureTensors",
      "MergeSingleListFeatureTensors",  "MergeSingleMapFeatureTensors",
      "MergeMultiScalarFeatureTensors", "MergeMultiListFeatureTensors",
      "MergeMultiMapFeatureTensors"};
  return kNames[static_cast<size_t>(merge)];
}

std::string_view gradient_name_of(Merge merge) {
  constexpr std::array<std::string_view, 7> kNames = {
      "MergeDenseFeatureTensorsGradient",       "MergeSingleScalarFeatureTensorsGradient",
      "MergeSingleListFeatureTensorsGradient",  "MergeSingleMapFeatureTensorsGradient",
      "MergeMultiScalarFeatureTensorsGradient", "MergeMultiListFeatureTensorsGradient",
      "MergeMultiMapFeatureTensorsGradient"};
  return kNames[static_cast<size_t>(merge)];
}

MultiMap merge(Merge kind, const std::vector<FeatureTensors>& inputs, FeatureIds ids,
               const Context& context) {
  switch (kind) {
    case Merge::kDense:
      return outputs_of(merge_dense(inputs.at(0).values, inputs[0].presence, ids, context));
    case Merge::kSingleScalar:
      return outputs_of(merge_single_scalar(single_scalars(inputs), ids, context));
    case Merge::kSingleList:
      return outputs_of(merge_single_list(single_lists(inputs), ids, context));
    case Merge::kSingleMap:
      return merge_single_map(single_maps(inputs), ids, context);
    case Merge::kMultiScalar:
      return outputs_of(merge_multi_scalar(multi_scalars(inputs), context));
    case Merge::kMultiList:
      return outputs_of(merge_multi_list(multi_lists(inputs), context));
    case Merge::kMultiMap:
      return merge_multi_map(multi_maps(inputs), context);
  }
  return {};
}

void merge(Merge kind, const std::vector<FeatureTensors>& inputs, FeatureIds ids, MultiMap& out,
           const Context& context) {
  MultiScalar scalars = scalars_of(out);
  MultiList lists = lists_of(out);
  switch (kind) {
    case Merge::kDense:
      return merge_dense(inputs.at(0).values, inputs[0].presence, ids, scalars, context);
    case Merge::kSingleScalar:
      return merge_single_scalar(single_scalars(inputs), ids, scalars, context);
    case Merge::kSingleList:
      return merge_single_list(single_lists(inputs), ids, lists, context);
    case Merge::kSingleMap:
      return merge_single_map(single_maps(inputs), ids, out, context);
    case Merge::kMultiScalar:
      return merge_multi_scalar(multi_scalars(inputs), scalars, context);
    case Merge::kMultiList:
      return merge_multi_list(multi_lists(inputs), lists, context);
    case Merge::kMultiMap:
      return merge_multi_map(multi_maps(inputs), out, context);
  }
}

MultiSizes merge_sizes(Merge kind, const std::vector<FeatureTensors>& inputs,
                       const Context& context) {
  switch (kind) {
    case Merge::kDense:
      return merge_dense_sizes(inputs.at(0).values, inputs[0].presence, context);
    case Merge::kSingleScalar:
      return merge_single_scalar_sizes(single_scalars(inputs), context);
    case Merge::kSingleList:
      return merge_single_list_sizes(single_lists(inputs), context);
    case Merge::kSingleMap:
      return merge_single_map_sizes(single_maps(inputs), context);
    case Merge::kMultiScalar:
      return merge_multi_scalar_sizes(multi_scalars(inputs), context);
    case Merge::kMultiList:
      return merge_multi_list_sizes(multi_lists(inputs), context);
    case Merge::kMultiMap:
      return merge_multi_map_sizes(multi_maps(inputs), context);
  }
  return {};
}

std::vector<Tensor> merge_gradient(Merge kind, const std::vector<FeatureTensors>& inputs,
                                   const Tensor& dvalues, const Context& context) {
  const std::vector<Tensor> lengths = field_of(inputs, &FeatureTensors::lengths);
  const std::vector<Tensor> presence = field_of(inputs, &FeatureTensors::presence);
  const std::vector<Tensor> values_lengths = field_of(inputs, &FeatureTensors::values_lengths);
  switch (kind) {
    case Merge::kDense:
      return {merge_dense_gradient(presence.at(0), dvalues, context)};
    case Merge::kSingleScalar:
      return merge_single_scalar_gradient(presence, dvalues, context);
    case Merge::kSingleList:
      return merge_single_list_gradient(lengths, presence, dvalues, context);
    case Merge::kSingleMap:
      return merge_single_map_gradient(lengths, presence, dvalues, context);
    case Merge::kMultiScalar:
      return merge_multi_scalar_gradient(lengths, dvalues, context);
    case Merge::kMultiList:
      return merge_multi_list_gradient(lengths, values_lengths, dvalues, context);
    case Merge::kMultiMap:
      return merge_multi_map_gradient(lengths, values_lengths, dvalues, context);
  }
  return {};
}

void merge_gradient(Merge kind, const std::vector<FeatureTensors>& inputs, const Tensor& dvalues,
                    std::vector<Tensor>& dinputs, const Context& context) {
  const std::vector<Tensor> lengths = field_of(inputs, &FeatureTensors::lengths);
  const std::vector<Tensor> presence = field_of(inputs, &FeatureTensors::presence);
  const std::vector<Tensor> values_lengths = field_of(inputs, &FeatureTensors::values_lengths);
  switch (kind) {
    case Merge::kDense:
      return merge_dense_gradient(presence.at(0), dvalues, dinputs.at(0), context);
    case Merge::kSingleScalar:
      return merge_single_scalar_gradient(presence, dvalues, dinputs, context);
    case Merge::kSingleList:
      return merge_single_list_gradient(lengths, presence, dvalues, dinputs, context);
    case Merge::kSingleMap:
      return merge_single_map_gradient(lengths, presence, dvalues, dinputs, context);
    case Merge::kMultiScalar:
      return merge_multi_scalar_gradient(lengths, dvalues, dinputs, context);
    case Merge::kMultiList:
      return merge_multi_list_gradient(lengths, values_lengths, dvalues, dinputs, context);
    case Merge::kMultiMap:
      return merge_multi_map_gradient(lengths, values_lengths, dvalues, dinputs, context);
  }
}

std::vector<int64_t> merge_gradient_sizes(Merge kind, const std::vector<FeatureTensors>& inputs,
                                          const Context& context) {
  const std::vector<Tensor> lengths = field_of(inputs, &FeatureTensors::lengths);
  const std::vector<Tensor> presence = field_of(inputs, &FeatureTensors::presence);
  const std::vector<Tensor> values_lengths = field_of(inputs, &FeatureTensors::values_lengths);
  switch (kind) {
    case Merge::kSingleList:
      return merge_single_list_gradient_sizes(lengths, presence, context);
    case Merge::kSingleMap:
      return merge_single_map_gradient_sizes(lengths, presence, context);
    case Merge::kMultiScalar:
      return merge_multi_scalar_gradient_sizes(lengths, context);
    case Merge::kMultiList:
      return merge_multi_list_gradient_sizes(lengths, values_lengths, context);
    case Merge::kMultiMap:
      return merge_multi_map_gradient_sizes(lengths, values_lengths, context);
    default: {
      std::vector<int64_t> sizes;
      sizes.reserve(inputs.size());
      for (const FeatureTensors& input : inputs) sizes.push_back(input.values.element_count());
      return sizes;
    }
  }
}

}  // namespace sylvite::test
