// Cast between the layers of its family.
#pragma once

#include "runtime/move.h"

namespace sylvite::internal {

/// The elements of x as those of y: numeric dtypes, the same shape, y's memory apart from x's.
/// Without tensors the call only explains.
void run_numeric_cast(Call& call, const TensorInfo& x, const TensorInfo& y, const Tensor* from,
                      const Tensor* to);

/// What a GPU call does instead of run_numeric_cast's loop over tiles.
void run_gpu_cast(Call& call, DType from, DType to, const Box& box, const Place& x, const Place& y);

/// Strings on one side or on both, on the CPU: x into y, not empty, whose elements are apart from
/// x's. Throws kInvalidArgument before anything is written: a text that is no number, text that y has
/// no room for, text that overlaps the other side.
void run_text_cast(Call& call, const Tensor& x, Tensor& y, std::string_view input,
                   std::string_view output);
/// The same into an output of the call's own.
Tensor new_text_cast(Call& call, const Tensor& x, DType to, std::string_view input,
                     std::string_view output);
/// Notes what they would do; the bytes are those of the elements, without the text.
void explain_text_cast(Call& call, const TensorInfo& x, const TensorInfo& y) noexcept;

}  // namespace sylvite::internal
