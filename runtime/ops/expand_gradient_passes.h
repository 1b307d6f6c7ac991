// The kernels of a sum on a CPU, a call each.
#pragma once

#include <span>

#include "runtime/ops/expand_gradient.h"

namespace sylvite::internal {

/// What elements are to a kernel: dY's own type, or the one its sums are kept in.
struct SumElement {
  ElementKind kind = ElementKind::kFloat;
  int bytes = 4;
};

struct SumSide {
  std::byte* data = nullptr;
  SumElement element = {};

  SumSide at(int64_t offset) const noexcept {
    return {.data = data + offset * element.bytes, .element = element};
  }
};

/// One dimension of a pass; strides in elements of either side.
struct PassDim {
  int64_t extent = 1;
  int64_t from = 0;
  int64_t to = 0;
};

inline constexpr int kPassOuter = 3;  ///< dimensions outside of those a pass sums

/// What a dtype's sums are made with.
struct SumKernels {
  /// A CPU's or a GPU's kernels. Throws kUnsupported where a usable target has none.
  SumKernels(const Call& call, DType dtype);

  bool widens() const noexcept { return element.bytes != sum.bytes; }
  SumElement element;             ///< dY's and dX's
  SumElement sum;                 ///< of what is summed: float32 for half types
  Kernel columns, lanes, rows;    ///< from `element` to `sum`; a GPU has columns alone
  Kernel sum_columns, sum_lanes;  ///< from `sum` to `sum`
  Kernel round;                   ///< half types: from `sum` to `element`
};

/// to[…, r, c] = sum of from[…, 8 r + i, c], i < 8: the extent of r is from's, its last group ragged.
void add_columns(CallState& state, const Kernel& kernel, const SumSide& from, const SumSide& to,
                 const PassDim& c, const PassDim& r, std::span<const PassDim> outer) noexcept;

inline constexpr int64_t kManyRows = 16;  ///< that add_lanes takes side by side

/// to[…, c] = sum over the 16 lanes of sums[…, lane, c] and of the last `tail` rows of rows[…, lane, c].
/// The strides of `outer` are those of rows and of `to`; sums is dense.
void add_lanes(CallState& state, const Kernel& kernel, const SumSide& rows, const SumSide& sums,
               const SumSide& to, int64_t width, int64_t tail,
               std::span<const PassDim> outer) noexcept;

/// Whether add_groups takes rows of so many groups of 16 elements.
constexpr bool has_few_groups(int64_t groups) noexcept {
  return groups == 1 || groups == 2 || groups == 4;
}

/// to[…] = sum of the 16 * groups elements of rows[…], at least kManyRows of them in the first of `outer`.
void add_groups(CallState& state, const Kernel& kernel, const SumSide& rows, const SumSide& to,
                int64_t groups, std::span<const PassDim> outer) noexcept;

/// to[…, k] = sum of from[…, k * n + i], i < n <= 15. k.from is n.
void add_rows(CallState& state, const Kernel& kernel, const SumSide& from, const SumSide& to,
              int64_t n, const PassDim& k, std::span<const PassDim> outer) noexcept;

/// Rounds `count` sums to dX's type.
void round_sums(CallState& state, const Kernel& kernel, const SumSide& from, const SumSide& to,
                int64_t count) noexcept;

}  // namespace sylvite::internal
