// How the merges of features run. The runtime cuts a call into chunks of examples; a kernel is serial.
#pragma once

#include "schedules/lines.h"

namespace sylvite {

inline constexpr int kLanes = 16;    // examples of a vector; chunks are padded to whole ones
inline constexpr int kLowBits = 30;  // of an address
inline constexpr int kMaxVector = 128;
inline constexpr int kMaxLow =
    0x7fffffff - kMaxVector;  // of a coordinate, a vector still behind it
inline constexpr int kMaxHigh = (1 << 20) - 1;
inline constexpr int kSplitBlock =
    8;  // arrays that are written side by side; 64 cost a quarter more

inline Halide::Expr promise_low(const Halide::Expr& coordinate) {
  return Halide::unsafe_promise_clamped(coordinate, 0, kMaxLow);
}

/// A coordinate of a buffer with `width` elements behind it.
template <typename Buffer>
Halide::Expr promise_inside(const Halide::Expr& coordinate, const Buffer& buffer, int width) {
  return Halide::unsafe_promise_clamped(coordinate, 0, buffer.dim(0).extent() - width);
}

template <typename... Memories>
void describe_memory(Memories&... memories) {
  (memories.dim(0).set_bounds(0, 0x7fffffff).set_stride(1), ...);
  (memories.dim(1).set_bounds(0, kMaxHigh + 1).set_stride(1 << kLowBits), ...);
}

template <typename... Addresses>
void describe_addresses(Addresses&... addresses) {
  (begin_at_zero(addresses), ...);
  (addresses.dim(0).set_extent(2), ...);
  (addresses.dim(1).set_stride(2), ...);
}

template <typename... Tables>
void describe_tables(Tables&... tables) {
  (begin_at_zero(tables), ...);
}

/// Tables of one pitch from input to input.
template <typename Table, typename... Tables>
void describe_pitch(Table& table, Tables&... tables) {
  (tables.dim(1).set_stride(table.dim(1).stride()), ...);
}

inline void schedule_scan(Halide::Func scan, const Halide::RVar& sum, const Halide::RVar& next) {
  scan.update(0).unscheduled();
  scan.update(1).allow_race_conditions().vectorize(sum);
  scan.update(2).unscheduled();
  scan.update(3).allow_race_conditions().vectorize(next);
}

/// Sums by lane in registers; every third of an output is known by its place.
template <typename Output, typename Whole>
void schedule_totals(Output& totals, const Halide::Var& k, const Halide::Var& c, Halide::Func lanes,
                     const Halide::Var& lane, Whole& whole) {
  begin_at_zero(totals);
  totals.dim(0).set_extent(3);
  Halide::Func(totals).unroll(k);
  lanes.compute_at(totals, c).vectorize(lane).update().vectorize(lane);
  for (Halide::Func part : {whole.sum, whole.present, whole.largest}) {
    part.compute_at(totals, c).update().atomic().vectorize(whole.all);
  }
}

template <typename Kernel>
void schedule_pick(Kernel& kernel) {
  describe_tables(kernel.ids, kernel.position);
  Halide::Func(kernel.packed).output_buffers()[0].dim(0).set_min(0);
}

/// A run's vectors one after the other; no check of them where all stay inside.
template <typename Kernel, typename Output>
void schedule_runs(Kernel& kernel, Output& output, const Halide::RVar& byte) {
  describe_memory(kernel.memory);
  describe_addresses(kernel.ragged);
  describe_tables(kernel.packed, kernel.room, kernel.count, kernel.from, kernel.to);
  describe_pitch(kernel.from, kernel.count, kernel.to);
  Halide::Func(output).update().allow_race_conditions().vectorize(byte).specialize(kernel.inside);
}

}  // namespace sylvite
