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

/// A copy of a tensor on a device; elements that lie on one another still do. x itself on the CPU.
Tensor moved(const Tensor& x, Device device);
std::vector<FeatureTensors> moved(std::vector<FeatureTensors> inputs, Device device);

/// Memory for what the valid inputs give.
struct OutputMemory {
  explicit OutputMemory(Merge merge, Device device = {});
  void move(Device device);
  /// All bytes of the outputs.
  Bytes content() const;

  Bytes bytes;  ///< the outputs' on the CPU
  MultiMap out;
  std::vector<Tensor> dinputs;
  Tensor dvalues;  ///< a valid merged gradient, in memory of its own
};

/// `call` throws and leaves the outputs as they were.
template <typename Call>
void expect_rejected(ErrorCode code, Fragments fragments, const OutputMemory& memory,
                     const Call& call) {
  const Bytes before = memory.content();
  expect_rejected(code, fragments, call);
  EXPECT_EQ(memory.content(), before) << "the output was written to";
}

/// All forms of the merge refuse these inputs, moved to the device, and write nothing.
void expect_refused(Device device, Merge merge, const std::vector<FeatureTensors>& inputs,
                    Fragments fragments, FeatureIds ids = kValidIds);
/// Both forms of its gradient do.
void expect_gradient_refused(Device device, Merge merge, const std::vector<FeatureTensors>& inputs,
                             Fragments fragments);

}  // namespace sylvite::test
