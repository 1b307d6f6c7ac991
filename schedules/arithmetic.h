// How sums and products of boxes run. The runtime splits a box into tasks; a kernel is serial.
#pragma once

#include "schedules/lines.h"
#include "schedules/strided_copy.h"

namespace sylvite {

/// Rows of vectors where they are dense, or where b is one element for the whole row. The output may
/// be the very memory of an input: every element is loaded before it is stored and stored once, which
/// vectors shifted inwards would break.
template <typename Input, typename Output>
void schedule_elementwise(Input& a, Input& b, Output& y, const Halide::Var& d0) {
  begin_at_zero(a);
  begin_at_zero(b);
  begin_at_zero(y);
  a.dim(0).set_stride(Halide::Expr());
  b.dim(0).set_stride(Halide::Expr());
  y.dim(0).set_stride(Halide::Expr());
  Halide::Func f = y;
  const int lanes = kLineBytes / std::max(a.type().bytes(), y.type().bytes());
  const Halide::Expr dense = a.dim(0).stride() == 1 && y.dim(0).stride() == 1;
  for (const int stride : {1, 0}) {
    Halide::Var lane("lane");
    f.specialize(dense && b.dim(0).stride() == stride)
        .split(d0, d0, lane, lanes, Halide::TailStrategy::GuardWithIf)
        .vectorize(lane);
  }
}

/// The lanes are registers; r.x runs over them.
template <typename Input, typename Output>
void schedule_squares(Input& x, Output& y, Halide::Func& lanes, const Halide::RDom& r) {
  begin_at_zero(x);
  y.dim(0).set_bounds(0, 1);
  lanes.compute_root().vectorize(lanes.args()[0]);
  lanes.update(0).vectorize(r.x);
  lanes.update(1).unscheduled();
}

}  // namespace sylvite
