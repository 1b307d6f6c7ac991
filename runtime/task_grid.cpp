#include <algorithm>
#include <cstdlib>
#include <limits>

#include "runtime/checked.h"
#include "runtime/move.h"

namespace sylvite::internal {

TaskGrid::TaskGrid(std::span<const int64_t> extents, int kernel_rank, int64_t unit_bytes,
                   int64_t task_bytes, int64_t granule) noexcept
    : rank_(static_cast<int>(extents.size())) {
  int64_t bytes = unit_bytes;
  bool whole = true;
  for (size_t i = 0; i < extents.size(); ++i) {
    extent_[i] = chunk_[i] = extents[i];
    const bool looped = static_cast<int>(i) < kernel_rank;
    // Small calls are one task; they shall not pay for divisions.
    int64_t with_this = 0;
    whole = whole && (looped || extents[i] == 1) &&
            !__builtin_mul_overflow(bytes, extents[i], &with_this) && with_this <= task_bytes;
    if (whole) {
      bytes = with_this;
      continue;
    }
    const int64_t room =
        looped ? std::max<int64_t>(task_bytes / std::max<int64_t>(bytes, 1), 1) : 1;
    // Equal chunks: three and a bit become four of the same size.
    int64_t chunk = ceil_div(extents[i], ceil_div(extents[i], std::min(extents[i], room)));
    if (i == 0) chunk = std::min(ceil_div(chunk, granule) * granule, extents[i]);
    chunk_[i] = chunk;
    bytes = task_bytes;
  }
  count_tasks();
}

void TaskGrid::keep_within_int32(std::span<const int64_t> strides, int64_t inner_reach) noexcept {
  // In elements. Halide counts in whole steps; a dimension of one step is given no stride.
  const auto reach_along = [&](size_t i) {
    return chunk_[i] > 1
               ? static_cast<double>(chunk_[i]) * std::abs(static_cast<double>(strides[i]))
               : 0.0;
  };
  for (;;) {
    double reach = static_cast<double>(inner_reach), farthest = 0;
    size_t cut = 0;
    for (size_t i = 0; i < strides.size(); ++i) {
      reach += reach_along(i);
      if (reach_along(i) <= farthest) continue;
      farthest = reach_along(i);
      cut = i;
    }
    if (reach <= std::numeric_limits<int32_t>::max() || farthest == 0) break;
    chunk_[cut] = ceil_div(chunk_[cut], 2);
  }
  count_tasks();
}

void TaskGrid::count_tasks() noexcept {
  tasks_ = 1;
  for (size_t i = 0; i < static_cast<size_t>(rank_); ++i) {
    if (chunk_[i] < extent_[i]) tasks_ *= ceil_div(extent_[i], chunk_[i]);
  }
}

TaskGrid::Slice TaskGrid::slice(int64_t task) const noexcept {
  Slice slice;
  for (size_t i = 0; i < static_cast<size_t>(rank_); ++i) {
    int64_t position = 0;
    if (chunk_[i] < extent_[i]) {
      const int64_t chunks = ceil_div(extent_[i], chunk_[i]);
      position = task % chunks;
      task /= chunks;
    }
    slice.start[i] = position * chunk_[i];
    slice.count[i] = std::min(chunk_[i], extent_[i] - slice.start[i]);
  }
  return slice;
}

}  // namespace sylvite::internal
