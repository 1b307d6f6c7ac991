// One way to call all merges of feature tensors.
#pragma once

#include <string_view>
#include <vector>

#include "support/features_reference.h"

namespace sylvite::test {

/// The tensors of one input of any kind; for kDense values and presence are those of all features.
struct FeatureTensors {
  Tensor lengths, presence, keys, values_lengths, values_keys, values;
};

/// A tensor of an operator, by the name that stands in its messages.
template <typename Tensors>
struct Field {
  std::string_view name;
  Tensor Tensors::*tensor;
};
std::vector<Field<FeatureTensors>> input_fields(Merge merge);
std::vector<Field<MultiMap>> output_fields(Merge merge);

std::string_view name_of(Merge merge);           ///< "MergeSingleListFeatureTensors"
std::string_view gradient_name_of(Merge merge);  ///< "MergeSingleListFeatureTensorsGradient"

/// The operator of a kind; fields that it does not have are left alone.
MultiMap merge(Merge kind, const std::vector<FeatureTensors>& inputs, FeatureIds ids,
               const Context& context = {});
void merge(Merge kind, const std::vector<FeatureTensors>& inputs, FeatureIds ids, MultiMap& out,
           const Context& context = {});
MultiSizes merge_sizes(Merge kind, const std::vector<FeatureTensors>& inputs,
                       const Context& context = {});
std::vector<Tensor> merge_gradient(Merge kind, const std::vector<FeatureTensors>& inputs,
                                   const Tensor& dvalues, const Context& context = {});
void merge_gradient(Merge kind, const std::vector<FeatureTensors>& inputs, const Tensor& dvalues,
                    std::vector<Tensor>& dinputs, const Context& context = {});
/// Extents of the gradients where an operator tells them; else the features' values.
std::vector<int64_t> merge_gradient_sizes(Merge kind, const std::vector<FeatureTensors>& inputs,
                                          const Context& context = {});

}  // namespace sylvite::test
