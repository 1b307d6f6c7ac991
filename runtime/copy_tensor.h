// Copies of whole tensors.
#pragma once

#include "runtime/move.h"
#include "sylvite/tensor.h"

namespace sylvite::internal {

/// Copies x's elements to y on their device, or notes in call.explanation what that would take. One
/// shape, one dtype of fixed size, apart in memory.
void copy_tensor(Call& call, const Tensor& x, const Tensor& y);

/// The same by metadata alone where the call only explains.
void explain_copy(Call& call, const TensorInfo& x, const TensorInfo& y);

}  // namespace sylvite::internal
