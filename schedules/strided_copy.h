// How copies and fills of boxes run. The runtime splits a box into tasks; a kernel is serial.
#pragma once

#include "schedules/estimates.h"
#include "schedules/gpu.h"
#include "schedules/knob.h"
#include "schedules/lines.h"

namespace sylvite {

struct StridedKnobs {
  Knob step{"step", kLineBytes, {16, 32, 64, 128, 256}};  // bytes of a dense row per step
};

inline std::vector<Halide::Var> strided_vars() {
  std::vector<Halide::Var> vars;
  vars.reserve(6);
  for (int i = 0; i < 6; ++i) vars.emplace_back("d" + std::to_string(i));
  return vars;
}

/// A box of rows of 4 KiB and more.
template <typename... Buffers>
void estimate_boxes(Buffers&... buffers) {
  (estimate(buffers, {4096, 64, 4, 1, 1, 1}), ...);
}

/// Rows of `extent` elements in vectors of `widest`, then of every power of two below it: shifting
/// the last vector inwards needs a row no shorter than the vector.
inline void vectorize_rows(Halide::Func f, const Halide::Var& row, const Halide::Expr& extent,
                           const Halide::Expr& dense, int widest) {
  for (int lanes = widest; lanes >= 2; lanes /= 2) {
    Halide::Var lane("lane");
    f.specialize(dense && extent >= lanes)
        .split(row, row, lane, lanes, Halide::TailStrategy::ShiftInwards)
        .vectorize(lane);
  }
}

/// Rows of whole cache lines, a line per step.
template <typename Output>
void stream_rows(Output& y, Halide::Stage stage, const Halide::Var& row) {
  promise_whole_lines(y);
  Halide::Var lane("lane");
  stage.split(row, row, lane, kLineBytes / y.type().bytes(), Halide::TailStrategy::RoundUp)
      .vectorize(lane);
}

template <typename Input, typename Output>
void schedule_strided_copy(Input& x, Output& y, const Halide::Var& d0, const StridedKnobs& knobs,
                           bool stream) {
  begin_at_zero(x);
  begin_at_zero(y);
  x.dim(0).set_stride(Halide::Expr());
  Halide::Func f = y;
  if (stream) {
    stream_rows(y, f.specialize(x.dim(0).stride() == 1), d0);
    f.specialize_fail("a streaming copy reads dense rows");
    return;
  }
  y.dim(0).set_stride(Halide::Expr());
  const Halide::Expr dense = x.dim(0).stride() == 1 && y.dim(0).stride() == 1;
  vectorize_rows(f, d0, y.dim(0).extent(), dense, knobs.step / y.type().bytes());
  f.specialize(dense);
}

template <typename Output>
void schedule_fill(Output& y, const Halide::Var& d0, const StridedKnobs& knobs, bool stream) {
  begin_at_zero(y);
  if (stream) return stream_rows(y, Halide::Func(y), d0);
  y.dim(0).set_stride(Halide::Expr());
  Halide::Func f = y;
  const Halide::Expr dense = y.dim(0).stride() == 1;
  vectorize_rows(f, d0, y.dim(0).extent(), dense, knobs.step / y.type().bytes());
}

}  // namespace sylvite
