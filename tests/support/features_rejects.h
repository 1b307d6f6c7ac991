// Small valid merges, to be spoilt at one place.
#pragma once

#include <string>
#include <vector>

#include "support/features_calls.h"
#include "support/rejects.h"

namespace sylvite::test {

using Fragments = std::initializer_list<std::string_view>;

/// Three inputs of three examples; for kDense data and presence [3, 3].
std::vector<FeatureTensors> valid_inputs(Merge merge);
inline const std::vector<int64_t> kValidIds = {11, 12, 13};

/// "lengths_2" for input 1, or the name alone for kDense, which has one of each.
std::string numbered(Merge merge, std::string_view name, size_t input);

Tensor int32s(const std::vector<int32_t>& numbers);
/// As many elements, of memory that is not to be read.
Tensor any(DType dtype, const Shape& shape);

/// Memory for what the valid inputs give.
struct OutputMemory {
  explicit OutputMemory(Merge merge);
  Bytes bytes;
  MultiMap out;
  std::vector<Tensor> dinputs;
  Tensor dvalues;  ///< a valid merged gradient, in memory of its own
};

/// All forms of the merge refuse these inputs and write nothing.
void expect_refused(Merge merge, const std::vector<FeatureTensors>& inputs, Fragments fragments,
                    FeatureIds ids = kValidIds);
/// Both forms of its gradient do.
void expect_gradient_refused(Merge merge, const std::vector<FeatureTensors>& inputs,
                             Fragments fragments);

}  // namespace sylvite::test
