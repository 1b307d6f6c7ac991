// The launch that every moving kernel shares on a GPU.
#pragma once

#include <vector>

#include "Halide.h"

namespace sylvite {

/// One thread per element of the two innermost dimensions' tiles; all outer dimensions are fused
/// into the third block index, because grid.y and grid.z stop at 65535 and grid.x does not.
/// d: the output's dimensions, innermost first, at least three.
inline void schedule_gpu_box(Halide::Func f, const std::vector<Halide::Var>& d,
                             int threads_x = 32, int threads_y = 8) {
  using Halide::TailStrategy;
  using Halide::Var;
  Var tx("tx"), ty("ty"), bx("bx"), by("by"), block("block");
  f.split(d[0], bx, tx, threads_x, TailStrategy::GuardWithIf)
      .split(d[1], by, ty, threads_y, TailStrategy::GuardWithIf);
  std::vector<Halide::VarOrRVar> order = {tx, ty, bx, by};
  order.insert(order.end(), d.begin() + 2, d.end());
  f.reorder(order).fuse(bx, by, block);
  for (size_t i = 2; i < d.size(); ++i) f.fuse(block, d[i], block);
  f.gpu_blocks(block).gpu_threads(tx, ty);
}

}  // namespace sylvite
