// How Expand's own kernels run. The runtime splits a call into tasks; a kernel is serial.
#pragma once

#include "schedules/strided_copy.h"

namespace sylvite {

struct ExpandKnobs {
  Knob step{"step", kLineBytes, {16, 32, 64, 128, 256}};  // bytes of y per step
};

struct RepeatKnobs {
  Knob step{
      "step", kLineBytes, {16, 32, 64, 128, 256}};  // bytes of x per step, half of it on arm64
};

/// Rows of exactly one vector, of a power of two lanes, without a loop along them.
template <typename Output>
void vectors_of_their_own(Output& y, const Halide::Var& row, int widest) {
  for (int lanes = widest; lanes >= 4; lanes /= 2)
    Halide::Func(y).specialize(y.dim(0).extent() == lanes).vectorize(row, lanes);
}

template <typename Input, typename Output>
void estimate_expand_rows(Input& x, Output& y) {
  estimate(x, {1, 1024, 4, 1, 1, 1});
  estimate(y, {512, 1024, 4, 1, 1, 1});
}

/// x is a row; y its elements, block times as many.
template <typename Input, typename Output>
void estimate_repeat(Input& x, Output& y, int block) {
  estimate(x, {kEstimatedRow});
  estimate(y, {kEstimatedRow * block});
}

template <typename Input, typename Output>
void estimate_put_together(Input& x, Output& y, int block) {
  estimate(x, {kEstimatedRow, block});
  estimate(y, {kEstimatedRow * block});
}

/// One load per row, spread over its vectors.
template <typename Input, typename Output>
void schedule_expand_rows(Input& x, Output& y, const std::vector<Halide::Var>& d,
                          const ExpandKnobs& knobs, bool stream) {
  begin_at_zero(x);
  begin_at_zero(y);
  x.dim(0).set_extent(1).set_stride(1);
  if (stream) return stream_rows(y, Halide::Func(y), d[0]);
  vectors_of_their_own(y, d[0], kLineBytes / y.type().bytes());
  vectorize_rows(y, d[0], y.dim(0).extent(), Halide::Internal::const_true(),
                 knobs.step / y.type().bytes());
}

/// A vector of x per step, each of its elements block times: the unrolled copies become one
/// interleaving store, a shuffle per vector of y.
template <typename Input, typename Output>
void schedule_repeat(Input& x, Output& y, const Halide::Var& i, int block, const RepeatKnobs& knobs,
                     const Halide::Target& target, bool stream) {
  begin_at_zero(x);
  begin_at_zero(y);
  Halide::Func f = y;
  // LLVM 21 gets shuffles of 15 copies of 64 bytes wrong on arm64, where two native vectors are enough.
  const int share = target.arch == Halide::Target::ARM ? 2 : 1;
  const int widest = kLineBytes / share / y.type().bytes();
  const auto interleave = [&](Halide::Stage s, int lanes, Halide::TailStrategy tail) {
    Halide::Var step("step"), element("element"), copy("copy");
    s.split(i, i, step, lanes * block, tail)
        .split(step, element, copy, block)
        .reorder(copy, element, i)
        .vectorize(element)
        .unroll(copy);
  };
  if (stream) {
    promise_whole_lines(y);
    y.dim(0).set_extent((y.dim(0).extent() / (widest * block)) * (widest * block));
    interleave(f, widest, Halide::TailStrategy::RoundUp);
    return;
  }
  for (int lanes = knobs.step / share / y.type().bytes(); lanes >= 2; lanes /= 2) {
    interleave(f.specialize(y.dim(0).extent() >= lanes * block), lanes,
               Halide::TailStrategy::ShiftInwards);
  }
}

/// A vector of every channel per step, from dense loads.
template <typename Input, typename Output>
void schedule_take_apart(Input& x, Output& y, const Halide::Var& i, const Halide::Var& c,
                         int block) {
  begin_at_zero(x);
  begin_at_zero(y);
  y.dim(1).set_extent(block);
  Halide::Func f = y;
  f.reorder(c, i).unroll(c);
  for (int lanes = kLineBytes / y.type().bytes(); lanes >= 4; lanes /= 2) {
    Halide::Var lane("lane");
    f.specialize(y.dim(0).extent() >= lanes)
        .split(i, i, lane, lanes, Halide::TailStrategy::ShiftInwards)
        .reorder(lane, c, i)
        .vectorize(lane);
  }
}

/// Runs as long as a vector of 4 to 64 bytes; the runtime asks for no other.
template <typename Input, typename Output>
void schedule_runs(Input& x, Output& y, const Halide::Var& i) {
  begin_at_zero(x);
  begin_at_zero(y);
  vectors_of_their_own(y, i, kLineBytes);
}

}  // namespace sylvite
