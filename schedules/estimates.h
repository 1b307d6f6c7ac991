// Extents that Halide's own schedulers plan for: the tuner and the bench set their schedules beside ours.
#pragma once

#include <initializer_list>

#include "Halide.h"

namespace sylvite {

/// Elements of a long row: what is dense all along.
inline constexpr int kEstimatedRow = 1 << 20;

/// Of every dimension, from 0 on.
template <typename Buffer>
void estimate(Buffer& buffer, std::initializer_list<int> extents) {
  Halide::Region region;
  for (const int extent : extents) region.emplace_back(0, extent);
  buffer.set_estimates(region);
}

template <typename Input, typename Output>
void estimate_rows(Input& x, Output& y) {
  estimate(x, {kEstimatedRow});
  estimate(y, {kEstimatedRow});
}

}  // namespace sylvite
