// The shape operators as one: another shape over the same elements.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "sylvite/reshape.h"

namespace sylvite::internal {

/// What a shape operator makes of its input.
struct ShapeChange {
  std::string_view op;
  Shape shape = {};
  /// Of a view of the input's memory; nothing where it takes a copy.
  std::optional<Shape> strides = std::nullopt;
};

/// Each validates its arguments and infers the output; x is a tensor.
ShapeChange expand_dims_change(const TensorInfo& x, std::span<const int64_t> dims);
ShapeChange squeeze_change(const TensorInfo& x, std::span<const int64_t> dims);
ShapeChange reshape_change(const TensorInfo& x, const Shape& wanted);
ShapeChange reshape_like_change(const TensorInfo& x, const Shape& like);

/// x's elements under the new shape: a view, else a dense copy.
Tensor change_shape(const Tensor& x, const ShapeChange& change, const Context& context);
/// Into y: nothing is done where y is that view.
void change_shape(const Tensor& x, const ShapeChange& change, Tensor& y, const Context& context);

}  // namespace sylvite::internal
