// What MatMul and Conv hand from validation to the loops over blocks.
#pragma once

#include <array>

#include "runtime/move.h"
#include "sylvite/tensor.h"

namespace sylvite::internal {

/// A tensor of two or four axes as the loops see it: element [0, …, 0], extents and strides.
struct Matrix {
  Place place;
  int64_t rows, columns;
  int64_t row_stride, column_stride;
};

/// [N, C, H, W], and the filter [M, C, KH, KW] alike.
struct Image {
  Place place;
  std::array<int64_t, 4> extent;
  std::array<int64_t, 4> stride;
};

/// One spatial axis.
struct ConvAxis {
  int64_t stride;
  int64_t before;  ///< padding
};

/// y = a * b. Validated, and y is not empty.
void run_matmul(Call& call, DType dtype, const Matrix& a, const Matrix& b, const Matrix& y);

/// Places of a patch's elements in an image: at (place * step + tap * tap_step + first) / zoom, where that
/// leaves no rest.
struct Walk {
  int64_t step, tap_step, first, zoom;
};

/// y[n, m, place] = bias[m] + sum over taps (c, kh, kw) of filter[m, c, kh, kw] * x[n, c, …], x walked by
/// height and width; no bias where its data is nullptr. Validated, and y is not empty.
void run_conv(Call& call, DType dtype, const Image& x, const Image& filter, const Place& bias,
              int64_t bias_stride, const std::array<Walk, 2>& walks, const Image& y);

/// dw[m, c, kh, kw] = sum over n and places of dy[n, m, place] * x[n, c, …]. Validated, and dw is not
/// empty.
void run_conv_gradient_filter(Call& call, DType dtype, const Image& x, const Image& dy,
                              const std::array<Walk, 2>& walks, const Image& dw);

/// Whether patches of an image, walked with a filter of these taps, stay within int32 of the place where
/// each begins.
bool patches_fit(const Image& x, const std::array<Walk, 2>& walks,
                 const std::array<int64_t, 2>& taps) noexcept;

}  // namespace sylvite::internal
