// What the joins share: parts on one side, the whole they make up on the other.
#pragma once

#include <span>
#include <string_view>

#include "sylvite/context.h"
#include "sylvite/tensor.h"

namespace sylvite::internal {

/// One of stack, unstack, concat and split.
struct JoinDirection {
  std::string_view op;
  bool joins;     ///< the parts x into the whole y, or back
  bool new_axis;  ///< y has an axis that x lacks
};

/// A call between parts and whole, validated and apart in memory.
struct Join {
  const JoinDirection& direction;
  std::span<const Tensor> parts;
  const Tensor& whole;
  int axis;  ///< of the whole

  /// Of a part, along the whole's axis.
  int64_t extent(const Tensor& part) const noexcept {
    return direction.new_axis ? 1 : part.shape()[axis];
  }
  /// The part's axis for one of the whole, which is not the new one.
  int part_axis(int a) const noexcept { return a - (direction.new_axis && a > axis ? 1 : 0); }
  /// Places on the axes before the joint.
  int64_t rows() const noexcept {
    int64_t product = 1;
    for (int a = 0; a < axis; ++a) product *= whole.shape()[a];
    return product;
  }
};

/// Copies the elements of a fixed size.
void run_join(const Join& join, const Context& context);

/// The texts of all parts in the whole's row-major order. There is room for them.
void join_strings(const Join& join) noexcept;

}  // namespace sylvite::internal
