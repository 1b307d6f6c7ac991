// Joins: tensors stacked or concatenated into one, and taken apart again. The dense forms of the
// feature merges, for feature maps and other image-like tensors, and each other's gradients.
//
// By name: Stack and Unstack with argument `axis` (0). Concat and Split with Caffe2's: `axis`, or
// `order` for the axis of the channels, which is the default; `add_axis` to stack and unstack;
// Concat's second output, where there is one, is the extents that Split takes as second input or as
// argument `split`; without either Split makes equal parts.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sylvite/context.h"
#include "sylvite/tensor.h"

namespace sylvite {

/// Tensors of one shape along a new axis: y[…, i, …] = x[i], with i at `axis` of y.
///
/// x: N >= 1 tensors of equal dtype, shape and device, any strides and alignment; one tensor may stand
/// in several places. axis: of y, -1 being its last. Returns rank + 1, extent N at `axis`.
/// N one-element tensors [1] become [N, 1]. N lists of C maps [H, W] are one call over all N * C of
/// them, reshape()d to [N, C, H, W], which is a view. The gradient is unstack(dy, axis).
/// Throws kInvalidArgument: no x, differing dtypes, shapes or devices, an axis outside of y, rank
/// above 32, sizes beyond int64; for the form that writes into `y`: its dtype, shape, device, memory
/// that overlaps some x or itself, read-only memory; kOutOfMemory.
/// Source: NumPy stack; TensorFlow stack.
Tensor stack(std::span<const Tensor> x, int axis = 0, const Context& context = {});
void stack(std::span<const Tensor> x, int axis, Tensor& y, const Context& context = {});
/// Shape of y. Throws what stack throws for these shapes.
Shape stack_shape(std::span<const TensorInfo> x, int axis = 0);

/// The inverse: x[i] = y[…, i, …], with i at `axis` of y. The gradient is stack(dx, axis).
///
/// y: rank >= 1, any strides and alignment. Returns dense copies, as many as y has entries at `axis`.
/// Throws kInvalidArgument: an axis that y lacks; for the form that writes into x[i]: their number,
/// dtypes, shapes, devices, memory that overlaps y, itself or another x, read-only memory;
/// kOutOfMemory.
/// Source: NumPy unstack; TensorFlow unstack.
std::vector<Tensor> unstack(const Tensor& y, int axis = 0, const Context& context = {});
void unstack(const Tensor& y, int axis, std::span<Tensor> x, const Context& context = {});

/// Tensors one behind the other along an axis they have.
///
/// x: N >= 1 tensors of equal dtype and device whose shapes differ at `axis` at most; any strides and
/// alignment. Returns their shape with the sum of the extents at `axis`, -1 being the last.
/// The gradient is split(dy, extents of x at `axis`, axis).
/// Throws what stack throws.
/// Source: Caffe2 Concat; NumPy concatenate.
Tensor concat(std::span<const Tensor> x, int axis = 0, const Context& context = {});
void concat(std::span<const Tensor> x, int axis, Tensor& y, const Context& context = {});
/// Shape of y. Throws what concat throws for these shapes.
Shape concat_shape(std::span<const TensorInfo> x, int axis = 0);

/// The inverse: x[0] is the first sizes[0] entries of y at `axis`, x[1] the next sizes[1], and so on.
/// The gradient is concat(dx, axis).
///
/// sizes: at least one, none negative, their sum the extent of y at `axis`. Returns dense copies.
/// Throws kInvalidArgument: sizes that are no such thing, and what unstack throws.
/// Source: Caffe2 Split; NumPy split.
std::vector<Tensor> split(const Tensor& y, std::span<const int64_t> sizes, int axis = 0,
                          const Context& context = {});
void split(const Tensor& y, std::span<const int64_t> sizes, int axis, std::span<Tensor> x,
           const Context& context = {});

}  // namespace sylvite
