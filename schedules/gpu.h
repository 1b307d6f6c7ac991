// Boxes on a GPU: what every moving kernel shares there.
#pragma once

#include <string>
#include <vector>

#include "Halide.h"
#include "schedules/knob.h"

namespace sylvite {

/// The loops over a box, innermost first.
template <typename Extents>
Halide::RDom box_of(const Extents& extent) {
  Halide::Region region;
  for (size_t i = 0; i < extent.size(); ++i) region.emplace_back(0, extent[i]);
  return {region, "r"};
}

/// A coordinate per dimension, for what a kernel leaves as it is.
inline std::vector<Halide::Var> anywhere(int dimensions) {
  std::vector<Halide::Var> vars;
  vars.reserve(static_cast<size_t>(dimensions));
  for (int i = 0; i < dimensions; ++i) vars.emplace_back("a" + std::to_string(i));
  return vars;
}

/// The coordinates of a loop step in a buffer whose last dimension is its origin.
inline std::vector<Halide::Expr> at_origin(const Halide::RDom& r) {
  std::vector<Halide::Expr> at;
  at.reserve(static_cast<size_t>(r.dimensions()) + 1);
  for (int i = 0; i < r.dimensions(); ++i) at.emplace_back(r[i]);
  at.emplace_back(0);
  return at;
}

struct GpuBoxKnobs {
  // Threads of a block: a warp or more along the innermost dimension, at most 1024 in all.
  Knob threads_x{"threads_x", 32, {32, 64, 128}};
  Knob threads_y{"threads_y", 8, {1, 2, 4, 8}};
};

/// One thread per element of a tile of the two innermost dimensions; all outer dimensions are fused
/// into one block index, because grid.y and grid.z stop at 65535 and grid.x does not.
template <typename... Buffers>
void schedule_gpu_box(Halide::Func f, const Halide::RDom& r, const GpuBoxKnobs& knobs,
                      Buffers&... buffers) {
  using Halide::RVar;
  using Halide::TailStrategy;
  (buffers.dim(0).set_stride(Halide::Expr()), ...);
  RVar tx("tx"), ty("ty"), bx("bx"), by("by"), block("block");
  Halide::Stage s = f.update();
  s.split(r[0], bx, tx, int(knobs.threads_x), TailStrategy::GuardWithIf)
      .split(r[1], by, ty, int(knobs.threads_y), TailStrategy::GuardWithIf);
  std::vector<Halide::VarOrRVar> order = {tx, ty, bx, by};
  for (int i = 2; i < r.dimensions(); ++i) order.emplace_back(RVar(r[i]));
  s.reorder(order).fuse(bx, by, block);
  for (int i = 2; i < r.dimensions(); ++i) s.fuse(block, RVar(r[i]), block);
  s.gpu_blocks(block).gpu_threads(tx, ty);
}

}  // namespace sylvite
