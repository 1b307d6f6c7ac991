// Tensors of strings: int64 offsets, and the bytes that they count in.
#pragma once

#include <string_view>

#include "sylvite/context.h"
#include "sylvite/tensor.h"

namespace sylvite::internal {

/// Calls visit(element) for every element of a shape in row-major order; `element` counts from
/// element [0, …, 0] by the strides.
template <typename Visit>
void for_each_element(const Shape& shape, const Shape& strides, const Visit& visit) {
  Shape index = shape;
  for (int axis = 0; axis < shape.rank(); ++axis) {
    if (shape[axis] == 0) return;
    index[axis] = 0;
  }
  int64_t element = 0;
  while (true) {
    visit(element);
    int axis = shape.rank() - 1;
    for (; axis >= 0; --axis) {
      element += strides[axis];
      if (++index[axis] < shape[axis]) break;
      element -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
    if (axis < 0) return;
  }
}

/// Bytes of all texts of x. Throws kInvalidArgument, naming operator and argument, where they leave
/// int64: a view may repeat one text without end.
int64_t text_bytes_of(const Tensor& x, std::string_view op, std::string_view argument);

/// Throws kInvalidArgument where y has no room for this much text.
void require_text_room(const Tensor& y, int64_t text_bytes, std::string_view op,
                       std::string_view argument);

/// And where y is a part of other strings, whose offsets would be written too.
void require_string_output(const Tensor& y, int64_t text_bytes, std::string_view op,
                           std::string_view argument);

/// An output of the call's own. Throws what Tensor::empty_strings throws, naming operator and
/// argument.
Tensor new_string_output(const Shape& shape, int64_t text_bytes, const Context& context,
                         std::string_view op, std::string_view argument);

/// Writes the texts of x, in row-major order, into y: dense, of as many elements, with room for them.
void copy_strings(const Tensor& x, Tensor& y) noexcept;

/// A dense copy of x.
Tensor dense_strings(const Tensor& x, const Context& context, std::string_view op);

}  // namespace sylvite::internal
