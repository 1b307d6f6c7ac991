// The shape operators: the same elements under another shape.
#pragma once

#include <span>

#include "sylvite/context.h"
#include "sylvite/tensor.h"

namespace sylvite {

/// Axes of extent 1 inserted at these positions of the output.
///
/// x: every dtype, any strides. dims: positions in the output; negative ones count from its end; an
/// entry repeated as written counts once. Returns a view of x's storage, which it keeps alive.
/// Throws kInvalidArgument: a position outside of the output, one axis spelled two ways, rank above
/// 32.
/// Source: Caffe2 ExpandDims; ONNX Unsqueeze.
Tensor expand_dims(const Tensor& x, std::span<const int64_t> dims);

/// Axes of extent 1 removed: these, or all of them where dims is empty.
///
/// dims: axes of x, counted as for expand_dims. Returns a view of x's storage, which it keeps alive.
/// Throws kInvalidArgument: an axis that x lacks or whose extent is not 1, one axis spelled two ways.
/// Source: Caffe2 Squeeze; ONNX Squeeze.
Tensor squeeze(const Tensor& x, std::span<const int64_t> dims = {});

/// x's elements in row-major order under another shape.
///
/// shape: extents; 0 takes x's extent at that position, one -1 is inferred. Where x has no elements a
/// 0 is an extent and -1 becomes 0. Returns a view of x's storage where x's strides allow one, else a
/// dense copy.
/// Throws kInvalidArgument: more than one -1, entries below -1, a 0 at a position x lacks, a count
/// that is not x's or that the other extents do not divide, sizes beyond int64; kOutOfMemory.
/// Source: Caffe2 Reshape; ONNX Reshape.
Tensor reshape(const Tensor& x, const Shape& shape, const Context& context = {});
/// The shape as a tensor: int32 or int64, rank 1, on the CPU.
Tensor reshape(const Tensor& x, const Tensor& shape, const Context& context = {});
/// Shape of the result. Throws what reshape throws for these shapes.
Shape reshape_shape(const TensorInfo& x, const Shape& shape);

/// x under the shape of another tensor of as many elements; the gradient of the three above.
/// Throws kInvalidArgument where the counts differ; kOutOfMemory.
Tensor reshape_like(const Tensor& x, const Shape& like, const Context& context = {});

/// The forms that write into `y`: a copy of the elements, or nothing where y has x's bytes at x's
/// addresses already. y: the result's dtype and shape, any strides; otherwise disjoint from x.
void expand_dims(const Tensor& x, std::span<const int64_t> dims, Tensor& y,
                 const Context& context = {});
void squeeze(const Tensor& x, std::span<const int64_t> dims, Tensor& y,
             const Context& context = {});
void reshape(const Tensor& x, const Shape& shape, Tensor& y, const Context& context = {});
void reshape_like(const Tensor& x, const Shape& like, Tensor& y, const Context& context = {});

}  // namespace sylvite
