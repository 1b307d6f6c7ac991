// The segments of a chunk one after the other, for what is too long or too various for kernels.
#pragma once

#include <algorithm>
#include <atomic>

#include "runtime/ops/features.h"

namespace sylvite::internal {

/// So many elements behind `from` in an input's array and behind `to` in the packed one.
struct Run {
  int64_t count;
  int64_t from;
  int64_t to;
};

/// Input f of example b; b counts from the beginning of its chunk.
struct Segment {
  int64_t b;
  int64_t f;
  bool present;
  int64_t pair;  ///< present segments before it
  Run outer;
  Run inner;
};

/// visit(segment) for every segment of a chunk in the output's order. cursors: 2 for each input.
template <typename Visit>
void for_each_segment(const FeatureOffsets& offsets, int64_t chunk, int64_t* cursors,
                      const Visit& visit) noexcept {
  const FeatureInputs& inputs = offsets.inputs;
  const int64_t features = inputs.features;
  const bool has_inner = offsets.inner_lengths != nullptr;
  int64_t* inner_cursors = cursors + features;
  for (int64_t f = 0; f < features; ++f) {
    cursors[f] = offsets.start(offsets.outer, chunk, f);
    if (has_inner) inner_cursors[f] = offsets.start(offsets.inner, chunk, f);
  }
  Segment at{};
  at.pair = offsets.pairs_before[chunk];
  at.outer.to = offsets.outer.packed[chunk];
  at.inner.to = has_inner ? offsets.inner.packed[chunk] : 0;
  for (at.b = 0; at.b < offsets.examples_of(chunk); ++at.b) {
    for (at.f = 0; at.f < features; ++at.f) {
      at.present = !inputs.presence || offsets.presence(chunk, at.f)[at.b] != 0;
      const int64_t length = inputs.lengths ? offsets.lengths(chunk, at.f)[at.b] : 1;
      at.outer.count = at.present ? length : 0;
      at.outer.from = cursors[at.f];
      cursors[at.f] += at.outer.count;
      if (has_inner) {
        at.inner.count = 0;
        for (int64_t i = 0; i < at.outer.count; ++i) {
          at.inner.count += offsets.inner_lengths[at.f][at.outer.from + i];
        }
        at.inner.from = inner_cursors[at.f];
        inner_cursors[at.f] += at.inner.count;
      }
      visit(at);
      at.pair += at.present;
      at.outer.to += at.outer.count;
      at.inner.to += at.inner.count;
    }
  }
}

inline int64_t workers_of(const Call& call, const FeatureOffsets& offsets) noexcept {
  return std::min<int64_t>(offsets.chunks(), call.context.threads());
}

/// Runs task(worker, chunk, end) for every chunk; those below `end` follow on the same thread, in order.
/// A worker takes many at once as long as many are left: inputs are read in long streams, and all
/// workers end together.
template <typename Task>
void for_each_chunk(Call& call, const FeatureOffsets& offsets, const Task& task) noexcept {
  constexpr int64_t kMostChunks = 16;
  const int64_t chunks = offsets.chunks();
  const int64_t workers = workers_of(call, offsets);
  std::atomic<int64_t> next = 0;
  call.for_each_task(workers, [&](int64_t worker) {
    int64_t first = next.load(std::memory_order_relaxed);
    while (first < chunks) {
      const int64_t taken = std::clamp<int64_t>((chunks - first) / (4 * workers), 1, kMostChunks);
      const int64_t end = first + taken;
      if (!next.compare_exchange_weak(first, end, std::memory_order_relaxed)) continue;
      for (int64_t c = first; c < end; ++c) task(worker, c, end);
      first = next.load(std::memory_order_relaxed);
    }
  });
}

}  // namespace sylvite::internal
