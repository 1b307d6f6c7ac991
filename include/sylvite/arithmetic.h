// Helpers: the little arithmetic that nets of moving operators need. Plain, on the CPU (sums and fills
// on GPUs too), and with the same bits on every CPU target and for any thread count.
//
// Where a result is not a number, it is the quiet NaN of positive sign and no payload.
#pragma once

#include <span>

#include "sylvite/context.h"
#include "sylvite/tensor.h"

namespace sylvite {

/// y = a + b for every element, a and b broadcast against each other, aligned at the last axis.
///
/// a, b: equal dtypes, every one but bool and string, any strides and alignment. Per axis the extents
/// are equal or one of them is 1; the ranks may differ. Returns the broadcast shape in the same dtype.
/// Integers wrap modulo 2^n. float16 and bfloat16 are computed in float32 and rounded once.
/// `y` may be the very memory of a or b: the same first element and strides, nothing broadcast.
/// Throws kInvalidArgument: bool, differing dtypes or devices, extents that do not broadcast, rank
/// above 32, sizes beyond int64; of `y` its dtype, shape, device, memory that overlaps a or b in any
/// other way, or itself, read-only memory; kUnsupported: strings, tensors on a GPU; kOutOfMemory.
/// The gradient with respect to a is expand_gradient(dy, a's shape), to b alike.
/// Source: NumPy add; Caffe2 Add.
Tensor add(const Tensor& a, const Tensor& b, const Context& context = {});
void add(const Tensor& a, const Tensor& b, Tensor& y, const Context& context = {});

/// y = a * b, in all else as add. The gradient with respect to a is expand_gradient(mul(dy, b), a's
/// shape), to b alike.
/// Source: NumPy multiply; Caffe2 Mul.
Tensor mul(const Tensor& a, const Tensor& b, const Context& context = {});
void mul(const Tensor& a, const Tensor& b, Tensor& y, const Context& context = {});

/// Shape of add's and mul's y. Throws what they throw for these shapes and dtypes.
Shape broadcast_shape(const TensorInfo& a, const TensorInfo& b);

/// y = ((x[0] + x[1]) + x[2]) + …, in this order.
///
/// x: N >= 1 tensors of one shape, dtype and device, dtypes as for add; one tensor may stand in several
/// places. float16 and bfloat16 are summed in float32 and rounded once. A sum of one is a copy, NaNs
/// included.
/// `y` may be the very memory of x[0] or x[1].
/// On a GPU the inputs are stacked in memory of the call's own first, so rank 32 is kInvalidArgument,
/// and the sum is expand_gradient's.
/// Throws what add throws, and kInvalidArgument: no x, differing shapes; kDeviceError.
/// Source: Caffe2 Sum.
Tensor sum(std::span<const Tensor> x, const Context& context = {});
void sum(std::span<const Tensor> x, Tensor& y, const Context& context = {});

/// `value` in every element.
///
/// dtype: every one but string. A floating dtype takes the nearest number it has, ties to even; bool
/// and integers take what they can hold exactly. The form without shape and dtype fills `y`, with any
/// strides and on any device.
/// Throws kInvalidArgument: a finite value beyond the dtype's largest, a value that an integer or bool
/// cannot hold, negative extents, sizes beyond int64, memory of `y` that is read-only or overlaps
/// itself; kUnsupported: strings; kOutOfMemory, kDeviceError.
/// Source: Caffe2 ConstantFill; NumPy full.
Tensor constant_fill(const Shape& shape, double value, DType dtype = DType::kFloat32,
                     const Context& context = {});
void constant_fill(double value, Tensor& y, const Context& context = {});

/// Half the sum of squares: loss = 0.5 * sum(x * x), a tensor of shape [].
///
/// x: float32 or float64, any shape, strides and alignment. Products and sums are taken in float64, in
/// an order that depends on x's shape alone, and rounded once to x's dtype.
/// Throws kInvalidArgument: bool; of `loss` what add throws of `y`, but no memory may be shared;
/// kUnsupported: other dtypes, a tensor on a GPU.
/// Source: Caffe2 SquaredL2, summed over the whole tensor; TensorFlow l2_loss.
Tensor squared_l2(const Tensor& x, const Context& context = {});
void squared_l2(const Tensor& x, Tensor& loss, const Context& context = {});

/// Its gradient with respect to x: dx = x * dloss. dloss: shape [], x's dtype.
/// `dx` may be the very memory of x.
Tensor squared_l2_gradient(const Tensor& x, const Tensor& dloss, const Context& context = {});
void squared_l2_gradient(const Tensor& x, const Tensor& dloss, Tensor& dx,
                         const Context& context = {});

}  // namespace sylvite
