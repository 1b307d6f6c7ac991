#include "runtime/copy_tensor.h"

#include <algorithm>

#include "runtime/shape.h"

namespace sylvite::internal {
namespace {

/// From x's strides to y's, the innermost axis of y first.
Box box_of(const Shape& shape, const Shape& x_strides, const Shape& y_strides, int64_t scale) {
  Box box;
  if (scale > 1) box.add({.extent = scale, .from = 1, .to = 1});
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    box.add(
        {.extent = shape[axis], .from = x_strides[axis] * scale, .to = y_strides[axis] * scale});
  }
  return box;
}

/// GPUs fault where an address is no multiple of the element: there the bytes move one by one.
bool aligned(const Tensor& x, int bytes) noexcept {
  return x.device().kind == DeviceKind::kCpu ||
         reinterpret_cast<uintptr_t>(x.data()) % static_cast<uintptr_t>(bytes) == 0;
}

}  // namespace

void copy_tensor(Call& call, const Tensor& x, const Tensor& y) {
  const int element = element_size(x.dtype());
  const bool whole = aligned(x, element) && aligned(y, element);
  const int bytes = whole ? element : 1;
  copy_box(call, place_of(x, bytes), place_of(y, bytes), bytes,
           box_of(x.shape(), x.strides(), y.strides(), element / bytes), 2 * x.byte_count());
  throw_if_failed(call);
}

void explain_copy(Call& call, const TensorInfo& x, const TensorInfo& y) {
  const int bytes = element_size(x.dtype);
  copy_box(call, {}, {}, bytes, box_of(x.shape, strides_of(x), strides_of(y), 1),
           2 * *checked_count(x.shape) * bytes);
}

}  // namespace sylvite::internal
