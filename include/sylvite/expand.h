// Expand, its gradient and lazy expanded views.
#pragma once

#include "sylvite/cast.h"
#include "sylvite/context.h"
#include "sylvite/plan.h"
#include "sylvite/reshape.h"
#include "sylvite/tensor.h"

namespace sylvite {

/// x broadcast against `shape`, aligned at the last axis: y[i…] = x[i…], with 0 for i on the axes
/// where x has extent 1.
///
/// x: rank up to 32, every dtype but string, any strides and alignment. shape: per axis the extent
/// wanted, or 1 to keep x's, or -1 to keep x's where x has that axis; its rank may be above or below
/// x's.
/// Returns rank max(x's, shape's), per axis the extent of x or of shape where the other is 1.
/// Throws kInvalidArgument: extents that do not broadcast, an entry below -1, -1 on an axis x lacks,
/// rank above 32, sizes beyond int64, and what every operator throws for `y`; kUnsupported: strings.
/// Source: Caffe2 Expand; ONNX Expand; NumPy's broadcasting rules.
Tensor expand(const Tensor& x, const Shape& shape, const Context& context = {});
void expand(const Tensor& x, const Shape& shape, Tensor& y, const Context& context = {});
/// The shape as a tensor: int32 or int64, rank 1, on the CPU.
Tensor expand(const Tensor& x, const Tensor& shape, const Context& context = {});
Plan expand_plan(const TensorInfo& x, const TensorInfo& y, const Shape& shape,
                 const Context& context = {});
/// Shape of y. Throws what expand throws for these shapes.
Shape expand_shape(const TensorInfo& x, const Shape& shape);

/// The same y as a view: it shares x's storage with stride 0 on the axes that are broadcast, keeps
/// it alive, and every operator takes it as an input. Nothing is copied; O(rank).
/// Throws what expand throws for these shapes.
Tensor expand_view(const Tensor& x, const Shape& shape);
/// Whether some axis of extent above 1 has stride 0.
bool expanded(const Tensor& x) noexcept;
/// A dense copy of x, written by Expand's kernels where x is an expanded view.
/// Throws kOutOfMemory, kDeviceError; kUnsupported: strings.
Tensor materialize(const Tensor& x, const Context& context = {});
void materialize(const Tensor& x, Tensor& y, const Context& context = {});

/// Gradient of expand with respect to x: dy summed over every axis that was broadcast.
///
/// dy: a shape that x_shape broadcasts to, any strides, a numeric dtype. Returns x_shape, dy's dtype.
/// float16 and bfloat16 are summed in float32 and rounded once; integers wrap modulo 2^n.
/// The order of additions depends on the two shapes alone: the same bits for every stride, thread
/// count and CPU target. With e half an epsilon of float32 (float64 for float64), a sum over axes of
/// n_1, n_2, … lies within (1 + sum of ceil(log2 n_i)) e of the magnitudes' sum from the exact one,
/// half types but for their own rounding; on a GPU, which may take denormals for 0, in another order.
/// A sum that is no number is the positive quiet NaN. No elements sum to 0.
/// Throws kInvalidArgument: bool, an x_shape that does not broadcast to dy's shape, and what every
/// operator throws for `dx`; kUnsupported: strings.
/// Source: Caffe2 ExpandGradient.
Tensor expand_gradient(const Tensor& dy, const Shape& x_shape, const Context& context = {});
void expand_gradient(const Tensor& dy, const Shape& x_shape, Tensor& dx,
                     const Context& context = {});
Plan expand_gradient_plan(const TensorInfo& dy, const TensorInfo& dx, const Shape& x_shape,
                          const Context& context = {});

}  // namespace sylvite
