// The outputs of merges and gradients by name.
#pragma once

#include <type_traits>

#include "runtime/ops/features_kinds.h"
#include "runtime/strings.h"
#include "sylvite/operator.h"

namespace sylvite::internal {

/// Outputs of the call's: strings as new tensors, everything else in memory that may be there from an
/// earlier call.
inline MakeOutput outputs_of(OperatorCall& call) {
  return [&call](const NewOutput& of) {
    if (of.dtype == DType::kString)
      return new_string_output({of.extent}, of.text_bytes, call.context(), of.op, of.name);
    return call.output(static_cast<int>(of.i), of.dtype, {of.extent}, of.device);
  };
}

/// What outputs_of does not hand over while it makes them: the strings among `outputs`, tensors or pointers
/// to them.
template <typename Outputs>
void set_strings(OperatorCall& call, const Outputs& outputs) {
  for (size_t i = 0; i < outputs.size(); ++i) {
    const Tensor* output = nullptr;
    if constexpr (std::is_pointer_v<typename Outputs::value_type>) {
      output = outputs[i];
    } else {
      output = &outputs[i];
    }
    if (output->dtype() == DType::kString) call.set_output(static_cast<int>(i), *output);
  }
}

}  // namespace sylvite::internal
