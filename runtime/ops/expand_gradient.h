// Sums over broadcast axes: the geometry of a call and the passes that make it.
//
// An axis is summed by a balanced binary tree over its index: i and i ^ 1 first, then the pairs, and
// so on; what has no partner goes on alone. Axes go one after another, the innermost first. Where
// fewer than 16 elements ("width", 1 for none) are kept inside of the innermost summed axis, 16 of its
// rows stand side by side as lanes: whole groups of 16 rows are summed as above, lane by lane; the
// last extent % 16 rows are then added to the last lanes; and the lanes are summed, neighbours first.
// The order follows from the extents: strides, blocks, vectors, threads and targets do not enter.
#pragma once

#include <array>
#include <cstdint>

#include "runtime/move.h"

namespace sylvite::internal {

inline constexpr int64_t kSumLanes = 16;  ///< rows side by side
inline constexpr int64_t kSumRows = 8;    ///< that one pass adds

/// Neighbouring axes of one kind whose strides compose.
struct SumPart {
  int64_t extent = 1;
  int64_t stride = 0;
};

/// All neighbouring axes of one kind, as the shapes alone tell: `count` parts from `first` on.
struct SumAxis {
  int64_t extent = 1;
  bool summed = false;
  int first = 0;
  int count = 0;
};

/// What is summed, innermost axis first.
struct SumGeometry {
  int axes = 0;
  int parts = 0;
  std::array<SumAxis, kMaxRank> axis;
  std::array<SumPart, kMaxRank> part;

  void add(int64_t extent, int64_t stride, bool summed) noexcept;
  const SumAxis& operator[](int a) const noexcept { return axis[static_cast<size_t>(a)]; }
  const SumPart& part_of(int a, int i) const noexcept {
    return part[static_cast<size_t>((*this)[a].first) + static_cast<size_t>(i)];
  }
  /// Elements kept inside of the innermost summed axis.
  int64_t width() const noexcept { return axes > 0 && !axis[0].summed ? axis[0].extent : 1; }
};

/// One call: dY's axes, and dX as a box that a dense result is copied to.
struct SumCall {
  DType dtype = DType::kFloat32;
  int64_t dy_count = 0;
  int64_t dx_count = 0;
  bool sums = false;      ///< some axis is broadcast
  bool dense_dx = false;  ///< dX lies in memory as the result does
  SumGeometry dy;
  Box dx;  ///< from dense memory to dX's strides; without sums from dY's
};

SumCall sum_call(const TensorInfo& dy, const Shape& dy_strides, const TensorInfo& dx,
                 const Shape& dx_strides) noexcept;

/// Sums dY into dX; dY has elements.
void run_sum(Call& call, const SumCall& sum, const Place& dy, const Place& dx);
void run_sum_gpu(Call& call, const SumCall& sum, const Place& dy, const Place& dx);

}  // namespace sylvite::internal
