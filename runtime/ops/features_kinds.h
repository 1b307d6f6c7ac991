// The six merges of separate tensors as values: what each tensor of an input is and where it goes, in
// Caffe2's order.
#pragma once

#include <array>
#include <utility>

#include "runtime/ops/features_gpu_merge.h"

namespace sylvite::internal {

inline constexpr MergeOutput kLengths = {
    .name = "lengths", .extent = Extent::kExamples, .dtype = DType::kInt32};
inline constexpr MergeOutput kKeys = {
    .name = "keys", .extent = Extent::kPairs, .dtype = DType::kInt64};
inline constexpr MergeOutput kPairLengths = {
    .name = "values_lengths", .extent = Extent::kPairs, .dtype = DType::kInt32};
inline constexpr MergeOutput kMergedKeys = {
    .name = "keys", .extent = Extent::kOuter, .dtype = DType::kInt64};
inline constexpr MergeOutput kMergedLengths = {
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
inline constexpr MergeInput kPresence = {.name = "presence",
                                         .role = Role::kPresence,
                                         .extent = Extent::kExamples,
                                         .dtype = DType::kBool};
inline constexpr MergeInput kPairKeys = {.name = "keys",
                                         .role = Role::kElements,
                                         .extent = Extent::kOuter,
                                         .dtype = DType::kInt64,
                                         .output = 1};
inline constexpr MergeInput kInnerLengths = {.name = "values_lengths",
                                             .role = Role::kInnerLengths,
                                             .extent = Extent::kOuter,
                                             .dtype = DType::kInt32,
                                             .output = 2};

struct SingleScalarKind {
  using Feature = SingleScalarFeature;
  using Out = MultiScalar;
  static constexpr std::array kMembers = {&Feature::values, &Feature::presence};
  static constexpr std::array kInputs = {elements_to(2, "values", Extent::kExamples), kPresence};
  static constexpr std::array kOutputs = {kLengths, kKeys,
                                          MergeOutput{.name = "values", .extent = Extent::kPairs}};
  static constexpr Merge kMerge = {.op = "MergeSingleScalarFeatureTensors",
                                   .counts = Counts::kPresence,
                                   .inputs = kInputs,
                                   .outputs = kOutputs};
  static constexpr Gradient kGradient = {.op = "MergeSingleScalarFeatureTensorsGradient",
                                         .counts = kMerge.counts};
};

struct SingleListKind {
  using Feature = SingleListFeature;
  using Out = MultiList;
  static constexpr std::array kMembers = {&Feature::lengths, &Feature::values, &Feature::presence};
  static constexpr std::array kInputs = {lengths_to(2), elements_to(3, "values", Extent::kOuter),
                                         kPresence};
  static constexpr std::array kOutputs = {
      kLengths, kKeys, kPairLengths,
      MergeOutput{.name = "values_values", .extent = Extent::kOuter}};
  static constexpr Merge kMerge = {.op = "MergeSingleListFeatureTensors",
                                   .counts = Counts::kPresent,
                                   .inputs = kInputs,
                                   .outputs = kOutputs};
  static constexpr Gradient kGradient = {.op = "MergeSingleListFeatureTensorsGradient",
                                         .counts = kMerge.counts};
};

struct SingleMapKind {
  using Feature = SingleMapFeature;
  using Out = MultiMap;
  static constexpr std::array kMembers = {&Feature::lengths, &Feature::keys, &Feature::values,
                                          &Feature::presence};
  static constexpr std::array kInputs = {lengths_to(2), elements_to(3, "keys", Extent::kOuter),
                                         elements_to(4, "values", Extent::kOuter), kPresence};
  static constexpr std::array kOutputs = {
      kLengths, kKeys, kPairLengths, MergeOutput{.name = "values_keys", .extent = Extent::kOuter},
      MergeOutput{.name = "values_values", .extent = Extent::kOuter}};
  static constexpr Merge kMerge = {.op = "MergeSingleMapFeatureTensors",
                                   .counts = Counts::kPresent,
                                   .inputs = kInputs,
                                   .outputs = kOutputs};
  static constexpr Gradient kGradient = {.op = "MergeSingleMapFeatureTensorsGradient",
                                         .counts = kMerge.counts};
};

struct MultiScalarKind {
  using Feature = MultiScalar;
  using Out = MultiScalar;
  static constexpr std::array kMembers = {&Feature::lengths, &Feature::keys, &Feature::values};
  static constexpr std::array kInputs = {lengths_to(-1), kPairKeys,
                                         elements_to(2, "values", Extent::kOuter)};
  static constexpr std::array kOutputs = {kLengths, kMergedKeys,
                                          MergeOutput{.name = "values", .extent = Extent::kOuter}};
  static constexpr Merge kMerge = {.op = "MergeMultiScalarFeatureTensors",
                                   .counts = Counts::kLengths,
                                   .inputs = kInputs,
                                   .outputs = kOutputs};
  static constexpr Gradient kGradient = {.op = "MergeMultiScalarFeatureTensorsGradient",
                                         .counts = kMerge.counts};
};

struct MultiListKind {
  using Feature = MultiList;
  using Out = MultiList;
  static constexpr std::array kMembers = {&Feature::lengths, &Feature::keys,
                                          &Feature::values_lengths, &Feature::values_values};
  static constexpr std::array kInputs = {lengths_to(-1), kPairKeys, kInnerLengths,
                                         elements_to(3, "values_values", Extent::kInner)};
  static constexpr std::array kOutputs = {
      kLengths, kMergedKeys, kMergedLengths,
      MergeOutput{.name = "values_values", .extent = Extent::kInner}};
  static constexpr Merge kMerge = {.op = "MergeMultiListFeatureTensors",
                                   .counts = Counts::kLengths,
                                   .inputs = kInputs,
                                   .outputs = kOutputs};
  static constexpr Gradient kGradient = {
      .op = "MergeMultiListFeatureTensorsGradient", .counts = kMerge.counts, .inner = true};
};

struct MultiMapKind {
  using Feature = MultiMap;
  using Out = MultiMap;
  static constexpr std::array kMembers = {&Feature::lengths, &Feature::keys,
                                          &Feature::values_lengths, &Feature::values_keys,
                                          &Feature::values_values};
  static constexpr std::array kInputs = {lengths_to(-1), kPairKeys, kInnerLengths,
                                         elements_to(3, "values_keys", Extent::kInner),
                                         elements_to(4, "values_values", Extent::kInner)};
  static constexpr std::array kOutputs = {
      kLengths, kMergedKeys, kMergedLengths,
      MergeOutput{.name = "values_keys", .extent = Extent::kInner},
      MergeOutput{.name = "values_values", .extent = Extent::kInner}};
  static constexpr Merge kMerge = {.op = "MergeMultiMapFeatureTensors",
                                   .counts = Counts::kLengths,
                                   .inputs = kInputs,
                                   .outputs = kOutputs};
  static constexpr Gradient kGradient = {
      .op = "MergeMultiMapFeatureTensorsGradient", .counts = kMerge.counts, .inner = true};
};

// The fields of a merged feature, in the order of the outputs.
inline std::array<Tensor*, 3> fields_of(MultiScalar& out) {
  return {&out.lengths, &out.keys, &out.values};
}
inline std::array<Tensor*, 4> fields_of(MultiList& out) {
  return {&out.lengths, &out.keys, &out.values_lengths, &out.values_values};
}
inline std::array<Tensor*, 5> fields_of(MultiMap& out) {
  return {&out.lengths, &out.keys, &out.values_lengths, &out.values_keys, &out.values_values};
}

/// The arguments of all inputs.
template <typename Kind>
auto parts_of(std::span<const typename Kind::Feature> features) {
  constexpr size_t kCount = Kind::kMembers.size();
  return [&]<size_t... i>(std::index_sequence<i...>) {
    return std::array<Parts, kCount>{Parts(Kind::kInputs[i].name, features, Kind::kMembers[i])...};
  }
  (std::make_index_sequence<kCount>());
}

/// Calls function(call) with the merge on the inputs' device.
template <typename Kind, typename Function>
auto with_merge(std::span<const typename Kind::Feature> features, const Context& context,
                const Function& function) {
  const auto parts = parts_of<Kind>(features);
  if (device_of(parts[0]) != Device{}) {
    DeviceMergeCall call(Kind::kMerge, parts, context);
    return function(call);
  }
  MergeCall call(Kind::kMerge, parts, context);
  return function(call);
}

/// The merge into outputs that `make` gives. ids: where pairs are made of features, else nullptr.
template <typename Kind>
Kind::Out merge_new(std::span<const typename Kind::Feature> features, const FeatureIds* ids,
                    const Context& context, const MakeOutput& make) {
  typename Kind::Out out;
  with_merge<Kind>(features, context, [&](auto& call) { call.run_new(ids, fields_of(out), make); });
  return out;
}

/// A merge's gradient into tensors that `make` gives.
std::vector<Tensor> gradient_new(const Gradient& gradient, const CountArguments& arguments,
                                 const Tensor& dvalues, const Context& context,
                                 const MakeOutput& make);

/// The same as merge_new of merge_dense.
MultiScalar merge_dense_new(const Tensor& data, const Tensor& presence, const FeatureIds& ids,
                            const Context& context, const MakeOutput& make);

}  // namespace sylvite::internal
