// How the merges of features run on a GPU.
#pragma once

#include "schedules/gpu.h"

namespace sylvite {

inline constexpr int kSegmentThreads = 256;  // of a block, one segment or element each
inline constexpr int kScanThreads = 256;
inline constexpr int kScanNumbers = 4;  // of a thread
inline constexpr int kScanChunk = kScanThreads * kScanNumbers;

inline Halide::Stage schedule_gpu_line(Halide::Stage stage, const Halide::RVar& line,
                                       const Halide::RVar& thread) {
  const Halide::RVar block("block");
  return stage.split(line, block, thread, kSegmentThreads, Halide::TailStrategy::GuardWithIf)
      .gpu_blocks(block)
      .gpu_threads(thread);
}

/// A thread per step of a loop.
inline void schedule_gpu_run(Halide::Func f, const Halide::RDom& r) {
  schedule_gpu_line(f.update(), Halide::RVar(r[0]), Halide::RVar("thread"));
}

/// A thread per segment (b, f), neighbours in b side by side.
template <typename... Buffers>
void schedule_gpu_segments(Halide::Func f, const Halide::RDom& r, Buffers&... buffers) {
  (buffers.dim(0).set_stride(Halide::Expr()), ...);
  const Halide::RVar line("line");
  schedule_gpu_line(
      f.update().allow_race_conditions().fuse(Halide::RVar(r[0]), Halide::RVar(r[1]), line), line,
      Halide::RVar("thread"));
}

/// Threads that write, if at all, one and the same word.
inline void schedule_gpu_marks(Halide::Func f, const Halide::RDom& r) {
  schedule_gpu_line(f.update().allow_race_conditions(), Halide::RVar(r[0]), Halide::RVar("thread"));
}

/// A block per chunk: sums of threads, halved until there is one.
inline void schedule_scan_sums(Halide::Func sums, const Halide::RDom& r,
                               std::vector<Halide::Func>& halves, const Halide::Var& t) {
  const Halide::RVar chunk(r[0]);
  sums.update().gpu_blocks(chunk);
  int width = kScanThreads;
  for (Halide::Func& half : halves) {
    half.compute_at(sums, chunk).bound(t, 0, width).gpu_threads(t);
    width /= 2;
  }
}

/// A block per chunk, staged in shared memory: sums of threads, and log2 of them steps of additions.
inline void schedule_scan(Halide::Func y, const Halide::RDom& r, Halide::Func staged,
                          const Halide::Var& i, std::vector<Halide::Func>& steps,
                          const Halide::Var& t) {
  const Halide::RVar chunk(r[2]), thread(r[1]), number(r[0]);
  y.update().allow_race_conditions().unroll(number).gpu_blocks(chunk).gpu_threads(thread);
  const Halide::Var lane("lane"), round("round");
  staged.compute_at(y, chunk)
      .bound(i, 0, kScanChunk)
      .split(i, round, lane, kScanThreads)
      .gpu_threads(lane)
      .unroll(round);
  for (Halide::Func& step : steps)
    step.compute_at(y, chunk).bound(t, 0, kScanThreads).gpu_threads(t);
}

/// A thread per element; what it looks up stays in registers.
inline void schedule_gpu_runs(Halide::Func y, const Halide::RDom& r, Halide::Func segment,
                              Halide::Func place) {
  const Halide::RVar thread("thread");
  schedule_gpu_line(y.update().allow_race_conditions(), Halide::RVar(r[0]), thread);
  place.compute_at(y, thread);
  segment.compute_at(y, thread);
}

}  // namespace sylvite
