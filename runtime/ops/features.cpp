// The merges: each a description for MergeCall, and the typed functions.
#include "sylvite/features.h"

#include "runtime/ops/features_gpu_merge.h"
#include "runtime/shape.h"

namespace sylvite {
namespace {

using internal::Counts;
using internal::device_of;
using internal::DeviceMergeCall;
using internal::Extent;
using internal::Merge;
using internal::MergeCall;
using internal::MergeInput;
using internal::MergeOutput;
using internal::Parts;
using internal::Role;

constexpr MergeOutput kLengths = {
    .name = "lengths", .extent = Extent::kExamples, .dtype = DType::kInt32};
constexpr MergeOutput kKeys = {.name = "keys", .extent = Extent::kPairs, .dtype = DType::kInt64};
constexpr MergeOutput kPairLengths = {
    .name = "values_lengths", .extent = Extent::kPairs, .dtype = DType::kInt32};
constexpr MergeOutput kMergedKeys = {
    .name = "keys", .extent = Extent::kOuter, .dtype = DType::kInt64};
constexpr MergeOutput kMergedLengths = {
    .name = "values_lengths", .extent = Extent::kOuter, .dtype = DType::kInt32};

constexpr MergeInput lengths_to(int output) {
  return {.name = "lengths",
          .role = Role::kLengths,
          .extent = Extent::kExamples,
          .dtype = DType::kInt32,
          .output = output};
}
constexpr MergeInput elements_to(int output, std::string_view name, Extent extent) {
  return {.name = name, .role = Role::kElements, .extent = extent, .output = output};
}
constexpr MergeInput kPresence = {.name = "presence",
                                  .role = Role::kPresence,
                                  .extent = Extent::kExamples,
                                  .dtype = DType::kBool};
constexpr MergeInput kPairKeys = {.name = "keys",
                                  .role = Role::kElements,
                                  .extent = Extent::kOuter,
                                  .dtype = DType::kInt64,
                                  .output = 1};
constexpr MergeInput kInnerLengths = {.name = "values_lengths",
                                      .role = Role::kInnerLengths,
                                      .extent = Extent::kOuter,
                                      .dtype = DType::kInt32,
                                      .output = 2};

// --- single scalar ---

constexpr std::array kSingleScalarInputs = {elements_to(2, "values", Extent::kExamples), kPresence};
constexpr std::array kScalarOutputs = {kLengths, kKeys,
                                       MergeOutput{.name = "values", .extent = Extent::kPairs}};
constexpr Merge kSingleScalar = {.op = "MergeSingleScalarFeatureTensors",
                                 .counts = Counts::kPresence,
                                 .inputs = kSingleScalarInputs,
                                 .outputs = kScalarOutputs};

// --- single list and map ---

constexpr std::array kSingleListInputs = {lengths_to(2), elements_to(3, "values", Extent::kOuter),
                                          kPresence};
constexpr std::array kSingleListOutputs = {
    kLengths, kKeys, kPairLengths, MergeOutput{.name = "values_values", .extent = Extent::kOuter}};
constexpr Merge kSingleList = {.op = "MergeSingleListFeatureTensors",
                               .counts = Counts::kPresent,
                               .inputs = kSingleListInputs,
                               .outputs = kSingleListOutputs};

constexpr std::array kSingleMapInputs = {lengths_to(2), elements_to(3, "keys", Extent::kOuter),
                                         elements_to(4, "values", Extent::kOuter), kPresence};
constexpr std::array kSingleMapOutputs = {
    kLengths, kKeys, kPairLengths, MergeOutput{.name = "values_keys", .extent = Extent::kOuter},
    MergeOutput{.name = "values_values", .extent = Extent::kOuter}};
constexpr Merge kSingleMap = {.op = "MergeSingleMapFeatureTensors",
                              .counts = Counts::kPresent,
                              .inputs = kSingleMapInputs,
                              .outputs = kSingleMapOutputs};

// --- multi scalar, list and map ---

constexpr std::array kMultiScalarInputs = {lengths_to(-1), kPairKeys,
                                           elements_to(2, "values", Extent::kOuter)};
constexpr std::array kMultiScalarOutputs = {
    kLengths, kMergedKeys, MergeOutput{.name = "values", .extent = Extent::kOuter}};
constexpr Merge kMultiScalar = {.op = "MergeMultiScalarFeatureTensors",
                                .counts = Counts::kLengths,
                                .inputs = kMultiScalarInputs,
                                .outputs = kMultiScalarOutputs};

constexpr std::array kMultiListInputs = {lengths_to(-1), kPairKeys, kInnerLengths,
                                         elements_to(3, "values_values", Extent::kInner)};
constexpr std::array kMultiListOutputs = {
    kLengths, kMergedKeys, kMergedLengths,
    MergeOutput{.name = "values_values", .extent = Extent::kInner}};
constexpr Merge kMultiList = {.op = "MergeMultiListFeatureTensors",
                              .counts = Counts::kLengths,
                              .inputs = kMultiListInputs,
                              .outputs = kMultiListOutputs};

constexpr std::array kMultiMapInputs = {lengths_to(-1), kPairKeys, kInnerLengths,
                                        elements_to(3, "values_keys", Extent::kInner),
                                        elements_to(4, "values_values", Extent::kInner)};
constexpr std::array kMultiMapOutputs = {
    kLengths, kMergedKeys, kMergedLengths,
    MergeOutput{.name = "values_keys", .extent = Extent::kInner},
    MergeOutput{.name = "values_values", .extent = Extent::kInner}};
constexpr Merge kMultiMap = {.op = "MergeMultiMapFeatureTensors",
                             .counts = Counts::kLengths,
                             .inputs = kMultiMapInputs,
                             .outputs = kMultiMapOutputs};

/// An input's arguments, in the order of the merge's description.
template <typename Feature, typename... Members>
std::array<Parts, sizeof...(Members)> parts_of(const Merge& merge,
                                               std::span<const Feature> features,
                                               Members... members) {
  size_t i = 0;
  return {Parts(merge.inputs[i++].name, features, members)...};
}

auto parts_of(std::span<const SingleScalarFeature> features) {
  return parts_of(kSingleScalar, features, &SingleScalarFeature::values,
                  &SingleScalarFeature::presence);
}
auto parts_of(std::span<const SingleListFeature> features) {
  return parts_of(kSingleList, features, &SingleListFeature::lengths, &SingleListFeature::values,
                  &SingleListFeature::presence);
}
auto parts_of(std::span<const SingleMapFeature> features) {
  return parts_of(kSingleMap, features, &SingleMapFeature::lengths, &SingleMapFeature::keys,
                  &SingleMapFeature::values, &SingleMapFeature::presence);
}
auto parts_of(std::span<const MultiScalar> features) {
  return parts_of(kMultiScalar, features, &MultiScalar::lengths, &MultiScalar::keys,
                  &MultiScalar::values);
}
auto parts_of(std::span<const MultiList> features) {
  return parts_of(kMultiList, features, &MultiList::lengths, &MultiList::keys,
                  &MultiList::values_lengths, &MultiList::values_values);
}
auto parts_of(std::span<const MultiMap> features) {
  return parts_of(kMultiMap, features, &MultiMap::lengths, &MultiMap::keys,
                  &MultiMap::values_lengths, &MultiMap::values_keys, &MultiMap::values_values);
}

std::array<Tensor*, 3> fields_of(MultiScalar& out) {
  return {&out.lengths, &out.keys, &out.values};
}
std::array<Tensor*, 4> fields_of(MultiList& out) {
  return {&out.lengths, &out.keys, &out.values_lengths, &out.values_values};
}
std::array<Tensor*, 5> fields_of(MultiMap& out) {
  return {&out.lengths, &out.keys, &out.values_lengths, &out.values_keys, &out.values_values};
}

template <typename Out, typename Feature>
Out run_new(const Merge& merge, std::span<const Feature> features, const FeatureIds* ids,
            const Context& context) {
  const auto parts = parts_of(features);
  Out out;
  if (device_of(parts[0]) != Device{}) {
    DeviceMergeCall(merge, parts, context).run_new(ids, fields_of(out));
  } else {
    MergeCall(merge, parts, context).run_new(ids, fields_of(out), internal::outputs_of(context));
  }
  return out;
}

template <typename Out, typename Feature>
void run_into(const Merge& merge, std::span<const Feature> features, const FeatureIds* ids,
              Out& out, const Context& context) {
  const auto parts = parts_of(features);
  if (device_of(parts[0]) != Device{})
    return DeviceMergeCall(merge, parts, context).run(ids, fields_of(out));
  MergeCall(merge, parts, context).run(ids, fields_of(out));
}

template <typename Feature>
MultiSizes sizes_of(const Merge& merge, std::span<const Feature> features, const Context& context) {
  const auto parts = parts_of(features);
  if (device_of(parts[0]) != Device{}) return DeviceMergeCall(merge, parts, context).sizes();
  return MergeCall(merge, parts, context).sizes();
}

}  // namespace

MultiScalar merge_single_scalar(std::span<const SingleScalarFeature> features,
                                FeatureIds feature_ids, const Context& context) {
  return run_new<MultiScalar>(kSingleScalar, features, &feature_ids, context);
}
void merge_single_scalar(std::span<const SingleScalarFeature> features, FeatureIds feature_ids,
                         MultiScalar& out, const Context& context) {
  run_into(kSingleScalar, features, &feature_ids, out, context);
}
MultiSizes merge_single_scalar_sizes(std::span<const SingleScalarFeature> features,
                                     const Context& context) {
  return sizes_of(kSingleScalar, features, context);
}

MultiList merge_single_list(std::span<const SingleListFeature> features, FeatureIds feature_ids,
                            const Context& context) {
  return run_new<MultiList>(kSingleList, features, &feature_ids, context);
}
void merge_single_list(std::span<const SingleListFeature> features, FeatureIds feature_ids,
                       MultiList& out, const Context& context) {
  run_into(kSingleList, features, &feature_ids, out, context);
}
MultiSizes merge_single_list_sizes(std::span<const SingleListFeature> features,
                                   const Context& context) {
  return sizes_of(kSingleList, features, context);
}

MultiMap merge_single_map(std::span<const SingleMapFeature> features, FeatureIds feature_ids,
                          const Context& context) {
  return run_new<MultiMap>(kSingleMap, features, &feature_ids, context);
}
void merge_single_map(std::span<const SingleMapFeature> features, FeatureIds feature_ids,
                      MultiMap& out, const Context& context) {
  run_into(kSingleMap, features, &feature_ids, out, context);
}
MultiSizes merge_single_map_sizes(std::span<const SingleMapFeature> features,
                                  const Context& context) {
  return sizes_of(kSingleMap, features, context);
}

MultiScalar merge_multi_scalar(std::span<const MultiScalar> features, const Context& context) {
  return run_new<MultiScalar>(kMultiScalar, features, nullptr, context);
}
void merge_multi_scalar(std::span<const MultiScalar> features, MultiScalar& out,
                        const Context& context) {
  run_into(kMultiScalar, features, nullptr, out, context);
}
MultiSizes merge_multi_scalar_sizes(std::span<const MultiScalar> features, const Context& context) {
  return sizes_of(kMultiScalar, features, context);
}

MultiList merge_multi_list(std::span<const MultiList> features, const Context& context) {
  return run_new<MultiList>(kMultiList, features, nullptr, context);
}
void merge_multi_list(std::span<const MultiList> features, MultiList& out, const Context& context) {
  run_into(kMultiList, features, nullptr, out, context);
}
MultiSizes merge_multi_list_sizes(std::span<const MultiList> features, const Context& context) {
  return sizes_of(kMultiList, features, context);
}

MultiMap merge_multi_map(std::span<const MultiMap> features, const Context& context) {
  return run_new<MultiMap>(kMultiMap, features, nullptr, context);
}
void merge_multi_map(std::span<const MultiMap> features, MultiMap& out, const Context& context) {
  run_into(kMultiMap, features, nullptr, out, context);
}
MultiSizes merge_multi_map_sizes(std::span<const MultiMap> features, const Context& context) {
  return sizes_of(kMultiMap, features, context);
}

}  // namespace sylvite
