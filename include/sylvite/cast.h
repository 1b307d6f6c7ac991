// Cast: the elements of a tensor as another dtype.
#pragma once

#include "sylvite/context.h"
#include "sylvite/plan.h"
#include "sylvite/tensor.h"

namespace sylvite {

/// y[i…] = x[i…] as `to`, one result on every target:
///   float to integer: toward zero, saturated, NaN becomes 0;
///   integer to integer: modulo 2^n;
///   to bool: x != 0; from bool: 0 or 1;
///   to a float type: rounded once, to nearest even; what is too large becomes infinite; NaN stays
///   NaN, with its sign and the upper bits of its payload;
///   number to string: the shortest text that reads back equal in x's dtype, as std::to_chars writes
///   it; bool is "0" or "1";
///   string to number: all of the text, as std::from_chars reads it, rounded once.
///
/// x: every dtype, any strides and alignment; strings on the CPU only. Returns x's shape. To x's own
/// dtype it is a copy.
/// As an output strings are a tensor of their own, with room for the text.
/// Throws kInvalidArgument: a text that is no number of the dtype or out of an integer's range, and
/// what every operator throws for `y`; y may be x itself where the dtype is the same. kUnsupported:
/// strings on a GPU.
/// Source: Caffe2 Cast; NumPy astype for the moduli; ONNX Cast for strings.
Tensor cast(const Tensor& x, DType to, const Context& context = {});
void cast(const Tensor& x, DType to, Tensor& y, const Context& context = {});
Plan cast_plan(const TensorInfo& x, const TensorInfo& y, DType to, const Context& context = {});

/// Gradient of cast: dy as x's dtype. Throws what cast throws; kInvalidArgument where one of the two
/// is a string.
Tensor cast_gradient(const Tensor& dy, DType x_dtype, const Context& context = {});
void cast_gradient(const Tensor& dy, DType x_dtype, Tensor& dx, const Context& context = {});

}  // namespace sylvite
