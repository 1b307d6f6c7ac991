// How SpaceToBatch and BatchToSpace run. The runtime splits a call into tasks; a CPU kernel is
// serial.
#pragma once

#include "schedules/estimates.h"
#include "schedules/gpu.h"
#include "schedules/knob.h"
#include "schedules/lines.h"

namespace sylvite {

struct SpaceBatchKnobs {
  Knob step{"step", kLineBytes, {16, 32, 64, 128, 256}};  // bytes of a phase per step
};

struct SpaceBatchMaskedKnobs {
  // Rows of a column of vectors: what they read and write should stay in first-level cache. 16 have
  // 1.01 to 1.1 times the speed of 64 with 32 bits, 1.3 to 1.9 times with 64, on every x86-64 level.
  Knob rows{"rows", 16, {8, 16, 32, 64, 128}};
};

/// A layer of a network: columns and rows of a phase, images times channels.
inline constexpr int kEstimatedSide = 240;
inline constexpr int kEstimatedImages = 64;

template <typename Image, typename Scalar, typename Phases>
void estimate_space_to_batch(Image& x, Scalar& block_h, Phases& y, int block_w) {
  estimate(x, {kEstimatedSide * block_w, kEstimatedSide * 2, kEstimatedImages, 1});
  block_h.set_estimate(2);
  estimate(y, {kEstimatedSide, kEstimatedSide, kEstimatedImages, 1, 2, block_w});
}

template <typename Image, typename Mask, typename Scalar, typename Phases>
void estimate_space_to_batch_masked(Image& x, Mask& inside, Scalar& pad_value, Phases& y,
                                    int block_w) {
  estimate(x, {kEstimatedSide * block_w, kEstimatedSide, kEstimatedImages, 2});
  estimate(inside, {kEstimatedSide, block_w});
  pad_value.set_estimate(0);
  estimate(y, {kEstimatedSide, kEstimatedSide, kEstimatedImages, 2, block_w});
}

template <typename Phases, typename Scalar, typename Image>
void estimate_batch_to_space(Phases& x, Scalar& block_h, Scalar& crop_top, Scalar& crop_left,
                             Image& y, int block_w) {
  estimate(x, {kEstimatedSide, kEstimatedSide, kEstimatedImages, 1, 2, block_w});
  block_h.set_estimate(2);
  crop_top.set_estimate(0);
  crop_left.set_estimate(0);
  estimate(y, {kEstimatedSide * block_w, kEstimatedSide * 2, kEstimatedImages, 1});
}

/// All phases of a vector of blocks share one dense load: Halide makes it where a vector has more
/// lanes than the block has columns.
template <typename Input, typename Output>
void schedule_space_to_batch(Input& x, Output& y, const std::vector<Halide::Var>& v, int block_w,
                             const SpaceBatchKnobs& knobs, bool stream) {
  const Halide::Var &w = v[0], &h = v[1], &n = v[2], &m = v[3], &oy = v[4], &ox = v[5];
  begin_at_zero(x);
  begin_at_zero(y);
  y.dim(5).set_extent(block_w);
  Halide::Func f = y;
  const int line = kLineBytes / y.type().bytes();
  Halide::Var lane("lane");
  if (stream) {
    // Rows in the order of memory, a phase's row at a time: .92 to .97 of a non-temporal copy;
    // .60 with oy outside the rows, .79 with all phases of a vector at a time.
    promise_whole_lines(y);
    f.reorder(w, ox, oy, h, n, m)
        .unroll(ox)
        .split(w, w, lane, line, Halide::TailStrategy::RoundUp)
        .vectorize(lane);
    return;
  }
  // oy outside the rows: phases are often a multiple of 4 KiB apart, and block_h * block_w of their
  // lines would not stay in one set of a first-level cache.
  f.reorder(ox, w, h, oy, n, m).unroll(ox);
  for (int lanes = knobs.step / y.type().bytes(); lanes >= 4; lanes /= 2) {
    f.specialize(y.dim(0).extent() >= lanes)
        .split(w, w, lane, lanes, Halide::TailStrategy::ShiftInwards)
        .reorder(lane, ox, w)
        .vectorize(lane);
  }
}

/// A short row has few vectors: going down a column of them, the mask stays in registers and a step
/// costs no more than its loads and stores. 1.5 times the speed of going along the rows.
template <typename Input, typename Mask, typename Output>
void schedule_space_to_batch_masked(Input& x, Mask& inside, Output& y,
                                    const std::vector<Halide::Var>& v, int block_w,
                                    const SpaceBatchMaskedKnobs& knobs) {
  const Halide::Var &w = v[0], &h = v[1], &n = v[2], &oy = v[3], &ox = v[4];
  begin_at_zero(x);
  begin_at_zero(inside);
  begin_at_zero(y);
  y.dim(4).set_extent(block_w);
  Halide::Func f = y;
  Halide::Var lane("lane"), row("row");
  f.split(h, h, row, int(knobs.rows), Halide::TailStrategy::GuardWithIf)
      .reorder(ox, row, w, oy, n, h)
      .unroll(ox);
  for (int lanes = kLineBytes / y.type().bytes(); lanes >= 4; lanes /= 2) {
    f.specialize(y.dim(0).extent() >= lanes)
        .split(w, w, lane, lanes, Halide::TailStrategy::ShiftInwards)
        .reorder(lane, ox, row, w)
        .vectorize(lane);
  }
}

/// A vector of blocks per step: the unrolled columns of the block become one interleaving store.
/// The last step is shifted inwards by columns, not blocks, so that any crop costs nothing.
template <typename Input, typename Output>
void schedule_batch_to_space(Input& x, Output& y, const Halide::Var& c, int block_w,
                             const SpaceBatchKnobs& knobs, bool stream) {
  begin_at_zero(x);
  begin_at_zero(y);
  Halide::Func f = y;
  const int line = kLineBytes / y.type().bytes();
  const auto interleave = [&](Halide::Stage s, int lanes, Halide::TailStrategy tail) {
    Halide::Var step("step"), block("block"), column("column");
    s.split(c, c, step, lanes * block_w, tail)
        .split(step, block, column, block_w)
        .reorder(column, block, c)
        .vectorize(block)
        .unroll(column);
  };
  if (stream) {
    promise_whole_lines(y);
    y.dim(0).set_extent((y.dim(0).extent() / (line * block_w)) * (line * block_w));
    interleave(f, line, Halide::TailStrategy::RoundUp);
    return;
  }
  for (int lanes = knobs.step / y.type().bytes(); lanes >= 2; lanes /= 2) {
    interleave(f.specialize(y.dim(0).extent() >= lanes * block_w), lanes,
               Halide::TailStrategy::ShiftInwards);
  }
}

}  // namespace sylvite
