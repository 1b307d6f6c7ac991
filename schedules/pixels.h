// How SpaceToBatch and BatchToSpace of whole pixels run. The runtime splits a call into tasks; a CPU
// kernel is serial.
//
// Vectors are made of one channel of several pixels: Halide turns the strided loads of all channels
// into dense ones, and their strided stores into interleaved ones. Vectors of pixels with their
// channels, nested, are a third as fast.
#pragma once

#include <algorithm>

#include "schedules/estimates.h"
#include "schedules/knob.h"
#include "schedules/lines.h"

namespace sylvite {

struct PixelsKnobs {
  Knob widen{"widen", 1, {1, 2, 4}};  // times the shortest vector of blocks that is not slow
};

/// Columns and rows of a phase of photographs.
inline constexpr int kEstimatedPhase = 256;
inline constexpr int kEstimatedPhotos = 8;

template <typename Image, typename Scalar, typename Phases>
void estimate_pixels_to_batch(Image& x, Scalar& block_h, Phases& y, int channels, int block_w) {
  estimate(x, {channels, kEstimatedPhase * block_w, kEstimatedPhase * 2, kEstimatedPhotos});
  block_h.set_estimate(2);
  estimate(y, {channels, kEstimatedPhase, kEstimatedPhase, kEstimatedPhotos, 2, block_w});
}

template <typename Phases, typename Scalar, typename Image>
void estimate_batch_to_pixels(Phases& x, Scalar& block_h, Scalar& crop_top, Scalar& crop_left,
                              Image& y, int channels, int block_w) {
  estimate(x, {channels, kEstimatedPhase, kEstimatedPhase, kEstimatedPhotos, 2, block_w});
  block_h.set_estimate(2);
  crop_top.set_estimate(0);
  crop_left.set_estimate(0);
  estimate(y, {channels, kEstimatedPhase * block_w, kEstimatedPhase * 2, kEstimatedPhotos});
}

template <typename Buffer>
void promise_dense_pixels(Buffer& buffer, int channels) {
  begin_at_zero(buffer);
  buffer.dim(0).set_extent(channels);
  buffer.dim(1).set_stride(channels);
}

/// All phases of a vector of blocks share one dense load: Halide makes it where a vector has more
/// lanes than the block has elements.
template <typename Input, typename Output>
void schedule_pixels_to_batch(Input& x, Output& y, const std::vector<Halide::Var>& v, int channels,
                              int block_w, const PixelsKnobs& knobs) {
  const Halide::Var &c = v[0], &w = v[1], &h = v[2], &n = v[3], &oy = v[4], &ox = v[5];
  promise_dense_pixels(x, channels);
  promise_dense_pixels(y, channels);
  y.dim(5).set_extent(block_w);
  Halide::Func f = y;
  f.reorder(c, ox, w, oy, h, n).unroll(c).unroll(ox);
  int widest = std::max(4, 16 / y.type().bytes());
  while (y.type().bytes() < 8 && widest <= channels * block_w) widest *= 2;
  for (int lanes = widest * knobs.widen; lanes >= 2; lanes /= 2) {
    Halide::Var lane("lane");
    f.specialize(y.dim(1).extent() >= lanes)
        .split(w, w, lane, lanes, Halide::TailStrategy::ShiftInwards)
        .reorder(lane, c, ox, w)
        .vectorize(lane);
  }
}

/// A vector of blocks per step, as in schedule_batch_to_space. Interleaving an odd number of vectors
/// takes so many registers that shorter ones are faster.
template <typename Input, typename Output>
void schedule_batch_to_pixels(Input& x, Output& y, const Halide::Var& c, const Halide::Var& k,
                              int channels, int block_w, const PixelsKnobs& knobs) {
  promise_dense_pixels(x, channels);
  promise_dense_pixels(y, channels);
  Halide::Func f = y;
  f.unroll(c);
  const int widest = std::max(4, (channels * block_w % 2 == 0 ? 16 : 8) / y.type().bytes());
  for (int lanes = widest * knobs.widen; lanes >= 2; lanes /= 2) {
    Halide::Var step("step"), block("block"), column("column");
    f.specialize(y.dim(1).extent() >= lanes * block_w)
        .split(k, k, step, lanes * block_w, Halide::TailStrategy::ShiftInwards)
        .split(step, block, column, block_w)
        .reorder(block, c, column, k)
        .vectorize(block)
        .unroll(column);
  }
}

}  // namespace sylvite
