#include "runtime/ops/features_long.h"

#include <algorithm>
#include <cstring>

#include "runtime/ops/features_calls.h"
#include "runtime/ops/features_segments.h"

namespace sylvite::internal {
namespace {

/// Mean bytes of a run from which on a chunk is copied run by run, in a chunk that is worth it.
constexpr int64_t kLongRunBytes = 4 << 10;
constexpr int64_t kLongChunkBytes = 1 << 20;
/// Bytes of a run that all threads share.
constexpr int64_t kSharedRunBytes = 1 << 20;
/// Elements of the first level whose sums a worker keeps.
constexpr int64_t kMaxOuterElements = 256 << 10;

int64_t elements_of(const Level& level, int64_t chunk) noexcept {
  return level.packed[chunk + 1] - level.packed[chunk];
}

void copy_run(Call& call, const RunMove& move, const Segment& segment, LongRuns which) noexcept {
  const Run& run = move.inner ? segment.inner : segment.outer;
  const int64_t bytes = run.count * move.element_bytes;
  if (bytes == 0 || (bytes >= kSharedRunBytes) != (which == LongRuns::kOnly)) return;
  std::byte* here = move.arrays[segment.f] + run.from * move.element_bytes;
  std::byte* there = move.packed + run.to * move.element_bytes;
  const std::byte* from = move.split ? there : here;
  std::byte* to = move.split ? here : there;
  if (which == LongRuns::kLeaveOut) {
    std::memcpy(to, from, static_cast<size_t>(bytes));
    return;
  }
  const int64_t piece = call.task_bytes() / 2;
  call.for_each_task((bytes + piece - 1) / piece, [&](int64_t i) {
    std::memcpy(to + i * piece, from + i * piece,
                static_cast<size_t>(std::min(piece, bytes - i * piece)));
  });
}

void copy_value(std::byte* to, const std::byte* from, int bytes) noexcept {
  std::memcpy(to, from, static_cast<size_t>(bytes));
}

}  // namespace

bool has_long_runs(const FeatureOffsets& offsets, const FeatureMoves& moves,
                   int64_t chunk) noexcept {
  const int64_t segments = offsets.examples_of(chunk) * offsets.inputs.features;
  const int64_t limit =
      std::min(std::max(kLongChunkBytes, segments * kLongRunBytes), features::kMaxChunkBytes);
  const auto is_long = [&](const RunMove& move) {
    const Level& level = move.inner ? offsets.inner : offsets.outer;
    return elements_of(level, chunk) > limit / move.element_bytes;
  };
  return (offsets.inner_lengths && elements_of(offsets.outer, chunk) > kMaxOuterElements) ||
         std::any_of(moves.runs.begin(), moves.runs.end(), is_long);
}

void run_long_chunk(Call& call, const FeatureOffsets& offsets, const FeatureMoves& moves,
                    int64_t chunk, LongRuns which, int64_t* cursors) noexcept {
  int32_t* lengths = moves.lengths ? moves.lengths + chunk * offsets.chunk_examples() : nullptr;
  const bool pairs = offsets.inputs.counts != Counts::kLengths;
  for_each_segment(offsets, chunk, cursors, [&](const Segment& at) {
    for (const RunMove& move : moves.runs) copy_run(call, move, at, which);
    if (which == LongRuns::kOnly) return;
    if (lengths) {
      if (at.f == 0) lengths[at.b] = 0;
      lengths[at.b] += pairs ? at.present : static_cast<int32_t>(at.outer.count);
    }
    if (moves.pick && at.present) {
      moves.pick->keys[at.pair] = moves.pick->ids[at.f];
      const auto* value = reinterpret_cast<const std::byte*>(offsets.lengths(chunk, at.f) + at.b);
      copy_value(moves.pick->packed + at.pair * moves.pick->value_bytes, value,
                 moves.pick->value_bytes);
    }
  });
}

}  // namespace sylvite::internal
