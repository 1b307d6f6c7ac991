// How the passes of a sum run. The runtime splits a call into tasks; a CPU kernel is serial.
#pragma once

#include <algorithm>
#include <array>

#include "schedules/estimates.h"
#include "schedules/gpu.h"
#include "schedules/knob.h"
#include "schedules/lines.h"

namespace sylvite {

/// No knob changes the order of an addition: the bits depend on the shape alone.
struct ColumnsKnobs {
  Knob vectors{"vectors", 1, {1, 2, 4}};  // lines of the output per step
};

inline std::vector<Halide::Var> sum_vars(int rank) {
  std::vector<Halide::Var> vars;
  vars.reserve(static_cast<size_t>(rank));
  for (int i = 0; i < rank; ++i) vars.emplace_back("d" + std::to_string(i));
  return vars;
}

/// All rows of the pass are there.
template <typename Input, typename Scalar, typename Output>
void estimate_columns(Input& x, Scalar& rows, Output& y, int most_rows) {
  estimate(x, {1024, 128 * most_rows, 4, 1, 1});
  rows.set_estimate(most_rows);
  estimate(y, {1024, 128, 4, 1, 1});
}

/// Rows of 4 elements.
template <typename Input, typename Scalar, typename Output>
void estimate_short_rows(Input& x, Scalar& n, Output& y) {
  estimate(x, {4 * kEstimatedRow, 1, 1, 1});
  n.set_estimate(4);
  estimate(y, {kEstimatedRow, 1, 1, 1});
}

/// The widest vectors that `extent` holds, of `widest` lanes and down to `narrowest`.
inline void vectorize_columns(Halide::Stage stage, const Halide::Var& column,
                              const Halide::Expr& extent, int widest, int narrowest) {
  for (int lanes = widest; lanes >= narrowest; lanes /= 4) {
    Halide::Var lane("lane");
    stage.specialize(extent >= lanes)
        .split(column, column, lane, lanes, Halide::TailStrategy::ShiftInwards)
        .vectorize(lane);
  }
}

/// Steps of `vectors` lines where the row has as many columns, else of one.
inline void vectorize_lines(const Halide::Stage& stage, const Halide::Var& column,
                            const Halide::Expr& extent, int line, int vectors, int narrowest) {
  if (vectors > 1) vectorize_columns(stage, column, extent, line * vectors, line * vectors);
  vectorize_columns(stage, column, extent, line, narrowest);
}

template <typename Input, typename Output>
void schedule_columns(Input& x, Output& y, const Halide::Expr& rows,
                      const std::vector<Halide::Var>& d, int most_rows, const ColumnsKnobs& knobs) {
  begin_at_zero(x);
  begin_at_zero(y);
  Halide::Func f = y;
  const int line = kLineBytes / y.type().bytes();
  for (int i = most_rows; i > 0; --i) {
    vectorize_lines(f.specialize(rows == i), d[0], y.dim(0).extent(), line, knobs.vectors, 2);
  }
  f.specialize_fail("rows is 1 to 8");
}

/// Many rows of one column: 16 of them per step, whose lanes are one run of elements, so that a level of
/// the tree is dense vectors, each the sum of two that are taken apart into even and odd elements.
template <typename Input, typename Output, typename Levels>
void schedule_lanes(Input& x, Input& p, Output& y, const Halide::Expr& width,
                    const Halide::Expr& first, const Halide::Expr& groups,
                    const std::vector<Halide::Var>& d, const Halide::Var& e, Levels& levels) {
  constexpr int kStep = 16;
  begin_at_zero(x);
  begin_at_zero(p);
  begin_at_zero(y);
  Halide::Func f = y;
  Halide::Var lane("lane");
  const auto by_vectors = [&](const Halide::Expr& condition) {
    f.specialize(condition && width == 1 && y.dim(1).stride() == 1 && y.dim(1).extent() >= kStep)
        .split(d[1], d[1], lane, kStep, Halide::TailStrategy::ShiftInwards)
        .reorder(lane, d[0])
        .vectorize(lane);
  };
  for (int i = 1; i <= 4; i *= 2) by_vectors(groups == i);
  by_vectors(groups == 0 && first == kStep);
  by_vectors(groups == 0);
  f.specialize(groups == -1 && width == 1 && first == kStep);
  f.specialize(groups == -1);
  f.specialize_fail("groups is -1, 0, 1, 2 or 4");
  // Unrolled, so that the processor reaches the next step's loads in time: .79 to .92 of a read out of
  // cache. Not as a whole: at constant positions Halide loads the odd elements across two stores, one
  // element behind the even ones.
  constexpr std::array kUnrolled = {4, 4, 2, 1};
  for (size_t i = 0; i < levels.size(); ++i)
    levels[i].compute_at(f, d[1]).vectorize(e, kStep).unroll(e, kUnrolled[i]);
}

/// Narrow elements go by one native vector a step: whole lines of them are as fast, and up to four times
/// the code.
template <typename Input, typename Output>
void schedule_rows(Input& x, Output& y, const Halide::Expr& n, const std::vector<Halide::Var>& d,
                   int most, const Halide::Target& target, const ColumnsKnobs& knobs) {
  begin_at_zero(x);
  begin_at_zero(y);
  Halide::Func f = y;
  const int line = kLineBytes / y.type().bytes();
  const int lanes =
      x.type().bytes() < 4 ? std::min(line, target.natural_vector_size(x.type())) : line;
  for (int i = 2; i <= most; ++i) {
    vectorize_lines(f.specialize(n == i), d[0], y.dim(0).extent(), lanes, knobs.vectors, lanes);
  }
  f.specialize_fail("n is 2 to 15");
}

template <typename Input, typename Output>
void schedule_round(Input& x, Output& y, const Halide::Var& d) {
  begin_at_zero(x);
  begin_at_zero(y);
  vectorize_columns(Halide::Func(y), d, y.dim(0).extent(), 16, 16);
}

inline constexpr int kGpuThreads = 256;

/// A thread per sum, neighbours side by side whichever of the three innermost dimensions they lie on.
template <typename... Buffers>
void schedule_gpu_sums(Halide::Func f, const Halide::RDom& r, Buffers&... buffers) {
  (buffers.dim(0).set_stride(Halide::Expr()), ...);
  Halide::RVar sum("sum"), thread("thread"), block("block");
  f.update()
      .fuse(Halide::RVar(r[0]), Halide::RVar(r[1]), sum)
      .fuse(sum, Halide::RVar(r[2]), sum)
      .split(sum, block, thread, kGpuThreads, Halide::TailStrategy::GuardWithIf)
      .fuse(block, Halide::RVar(r[3]), block)
      .fuse(block, Halide::RVar(r[4]), block)
      .gpu_blocks(block)
      .gpu_threads(thread);
}

template <typename... Buffers>
void schedule_gpu_run(Halide::Func f, const Halide::RDom& r, Buffers&...) {
  Halide::RVar thread("thread"), block("block");
  f.update()
      .split(Halide::RVar(r[0]), block, thread, kGpuThreads, Halide::TailStrategy::GuardWithIf)
      .gpu_blocks(block)
      .gpu_threads(thread);
}

}  // namespace sylvite
