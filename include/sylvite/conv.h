// Helpers: MatMul and a plain Conv with its gradients, for nets around moving operators. On the CPU,
// float32 and float64.
//
// The order of additions depends on the shapes alone: the same bits for every stride, thread count and
// CPU target. Sums of 128 products or less are taken one after the other, and then added to what came
// before; no product is fused with a sum. Where a result is not a number, it is the quiet NaN of
// positive sign and no payload.
#pragma once

#include "sylvite/context.h"
#include "sylvite/space_batch.h"
#include "sylvite/tensor.h"

namespace sylvite {

struct MatMulArgs {
  bool transpose_a = false;
  bool transpose_b = false;
};

/// y = a * b as matrices: y[m, n] = sum of a[m, k] * b[k, n] over k.
///
/// a: [M, K], or [K, M] with transpose_a; b: [K, N], or [N, K] with transpose_b; equal dtypes, any
/// strides and alignment. Returns [M, N]; 0 where K is 0.
/// Throws kInvalidArgument: bool, differing dtypes or devices, ranks, differing K, sizes beyond int64; of
/// `y` its dtype, shape, device, memory that overlaps an input or itself, read-only memory;
/// kUnsupported: other dtypes, tensors on a GPU; kOutOfMemory.
/// The gradients are matmul(dy, b^T) and matmul(a^T, dy), with the transposes as arguments.
/// Source: NumPy matmul of two matrices; Caffe2 MatMul.
Tensor matmul(const Tensor& a, const Tensor& b, const MatMulArgs& args = {},
              const Context& context = {});
void matmul(const Tensor& a, const Tensor& b, const MatMulArgs& args, Tensor& y,
            const Context& context = {});
/// Shape of y. Throws what matmul throws for these shapes and dtypes.
Shape matmul_shape(const TensorInfo& a, const TensorInfo& b, const MatMulArgs& args = {});

/// The two spatial axes, height first.
struct ConvArgs {
  /// Elements from one place of the filter to the next; none means 1.
  PerAxis<int64_t> strides = {};
  /// Zeros around the image; none means 0.
  PerAxis<Sides> paddings = {};
};

/// Convolution as neural networks have it, a cross-correlation of the zero-padded image:
///   y[n, m, i, j] = bias[m] + sum of w[m, c, u, v] * x_padded[n, c, i * stride_h + u, j * stride_w + v]
/// over c, u, v.
///
/// x: [N, C, H, W]; w: [M, C, KH, KW]; bias: [M]; equal dtypes, any strides and alignment. Returns
/// [N, M, (before + H + after - KH) / stride_h + 1, …]. Padding takes part as zeros: an infinite weight
/// that meets one gives NaN.
/// Throws kInvalidArgument: ranks, extents that do not match, a filter without elements or beyond the
/// padded image, strides below 1, negative padding, and what matmul throws; kUnsupported: padded extents
/// above 2^31 - 1, rows so far apart in memory that a part of an image spans 2^31 elements, and what
/// matmul throws.
/// A dilated convolution is space_to_batch, conv, batch_to_space.
/// Source: Caffe2 Conv; ONNX Conv.
Tensor conv(const Tensor& x, const Tensor& w, const ConvArgs& args = {},
            const Context& context = {});
void conv(const Tensor& x, const Tensor& w, const ConvArgs& args, Tensor& y,
          const Context& context = {});
Tensor conv(const Tensor& x, const Tensor& w, const Tensor& bias, const ConvArgs& args,
            const Context& context = {});
void conv(const Tensor& x, const Tensor& w, const Tensor& bias, const ConvArgs& args, Tensor& y,
          const Context& context = {});
/// Shape of y. Throws what conv throws for these shapes and dtypes.
Shape conv_shape(const TensorInfo& x, const TensorInfo& w, const ConvArgs& args = {});

/// Gradient of conv with respect to x: dx[n, c, h, w] is the sum of dy * w over all places that saw it.
/// dy: shape of y. Returns x_shape. Places that saw nothing take part as zeros. Throws what conv throws.
Tensor conv_gradient_input(const Tensor& dy, const Tensor& w, const Shape& x_shape,
                           const ConvArgs& args = {}, const Context& context = {});
void conv_gradient_input(const Tensor& dy, const Tensor& w, const Shape& x_shape,
                         const ConvArgs& args, Tensor& dx, const Context& context = {});

/// Gradient of conv with respect to w: dw[m, c, u, v] is the sum over n, i, j of
/// dy[n, m, i, j] * x_padded[n, c, i * stride_h + u, j * stride_w + v].
/// dy: shape of y. Returns w_shape. Throws what conv throws.
Tensor conv_gradient_filter(const Tensor& x, const Tensor& dy, const Shape& w_shape,
                            const ConvArgs& args = {}, const Context& context = {});
void conv_gradient_filter(const Tensor& x, const Tensor& dy, const Shape& w_shape,
                          const ConvArgs& args, Tensor& dw, const Context& context = {});

/// Gradient of conv with respect to bias: dy [N, M, H, W] summed over all axes but M as
/// expand_gradient sums. Returns [M]. Throws what conv throws.
Tensor conv_gradient_bias(const Tensor& dy, const Context& context = {});
void conv_gradient_bias(const Tensor& dy, Tensor& db, const Context& context = {});

}  // namespace sylvite
