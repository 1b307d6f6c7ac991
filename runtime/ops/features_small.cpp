#include "runtime/ops/features_small.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace sylvite::internal {
namespace {

/// With 256 of them a pass takes half as long as the kernels, with more than a chunk's it keeps all other
/// threads waiting.
constexpr int64_t kMostSegments = 2048;
/// Bytes that every run is copied by, whatever it holds: its length decides no branch.
constexpr std::array<int64_t, 4> kSteps = {32, 64, 80, 96};

/// Bytes ahead of its stores that a line is asked for: a tenth of the time where batches leave the first
/// cache.
constexpr int64_t kAhead = 768;

/// What is left of an array.
struct Rest {
  std::byte* at;
  std::byte* end;
};

/// The segments of a batch up to the last present one: all of `rows` but the last, `last` of that.
struct Batch {
  const FeatureOffsets& offsets;
  const FeatureMoves& moves;
  Scratch& scratch;
  int64_t rows;
  int64_t last;
};

Batch batch_of(const FeatureOffsets& offsets, const FeatureMoves& moves, Scratch& scratch) {
  int64_t rows = offsets.inputs.examples;
  int64_t last = offsets.inputs.features;
  while (rows > 0 && offsets.inputs.presence[last - 1][rows - 1] == 0) {
    if (--last > 0) continue;
    --rows;
    last = offsets.inputs.features;
  }
  return {.offsets = offsets, .moves = moves, .scratch = scratch, .rows = rows, .last = last};
}

/// Calls visit(b, f) for every segment and writes the merged lengths; visit returns 1 for one that is
/// present, else 0.
template <typename Visit>
void for_each(const Batch& batch, const Visit& visit) {
  int32_t* lengths = batch.moves.lengths;
  for (int64_t b = 0; b < batch.rows; ++b) {
    const int64_t features = b + 1 < batch.rows ? batch.offsets.inputs.features : batch.last;
    int64_t present = 0;
    for (int64_t f = 0; f < features; ++f) present += visit(b, f);
    if (lengths) lengths[b] = static_cast<int32_t>(present);
  }
  if (lengths) std::fill(lengths + batch.rows, lengths + batch.offsets.inputs.examples, 0);
}

template <typename Value>
void pick(const Batch& batch) {
  const PickMove& move = *batch.moves.pick;
  const uint8_t* const* presence = batch.offsets.inputs.presence;
  const int64_t stride = move.value_stride * move.value_bytes;
  int64_t* keys = move.keys;
  std::byte* packed = move.packed;
  // An absent segment writes to the place of the next present one.
  for_each(batch, [&](int64_t b, int64_t f) {
    const int64_t here = presence[f][b] != 0;
    *keys = move.ids[f];
    std::memcpy(packed, move.values[f] + b * stride, sizeof(Value));
    keys += here;
    packed += here * int64_t{sizeof(Value)};
    return here;
  });
}

/// An input, with what is left of its arrays.
template <size_t kRuns>
struct Column {
  const uint8_t* presence;
  const int32_t* lengths;
  int64_t id;
  std::array<Rest, kRuns> runs;
};

/// A step where the input has so much left, and with it the packed array, which holds all inputs': what
/// it spoils is written later. Else what there is.
template <bool kSplit, int64_t kStep>
void copy_run(Rest& here, std::byte*& there, int64_t bytes) noexcept {
  std::byte* to = kSplit ? here.at : there;
  const std::byte* from = kSplit ? there : here.at;
  if (here.end - here.at >= kStep) {
    __builtin_prefetch(to + kAhead);
    std::memcpy(to, from, kStep);
  } else if (bytes > 0) {
    std::memcpy(to, from, static_cast<size_t>(bytes));
  }
  here.at += bytes;
  there += bytes;
}

/// Runs, and in a merge the keys and lengths of the present segments.
template <bool kSplit, size_t kRuns, int64_t kStep>
void copy_runs(const Batch& batch) {
  const FeatureOffsets& offsets = batch.offsets;
  const FeatureInputs& inputs = offsets.inputs;
  const PickMove* move = batch.moves.pick;
  std::array<std::byte*, kRuns> packed = {};
  std::array<int64_t, kRuns> element_bytes = {};
  auto* columns = batch.scratch.take<Column<kRuns>>(inputs.features);
  for (int64_t f = 0; f < inputs.features; ++f) {
    columns[f] = {.presence = inputs.presence[f],
                  .lengths = inputs.lengths[f],
                  .id = kSplit ? 0 : move->ids[f],
                  .runs = {}};
    for (size_t r = 0; r < kRuns; ++r) {
      const RunMove& run = batch.moves.runs[r];
      packed[r] = run.packed;
      element_bytes[r] = run.element_bytes;
      columns[f].runs[r] = {
          .at = run.arrays[f],
          .end = run.arrays[f] + offsets.elements(offsets.outer, f) * run.element_bytes};
    }
  }
  // NOLINTNEXTLINE(clang-analyzer-core.NullDereference): a merge has one.
  int64_t* keys = kSplit ? nullptr : move->keys;
  auto* counts = kSplit ? nullptr : reinterpret_cast<int32_t*>(move->packed);
  for_each(batch, [&](int64_t b, int64_t f) {
    Column<kRuns>& column = columns[f];
    const int64_t here = column.presence[b] != 0;
    const int64_t count = column.lengths[b] & -here;
    if constexpr (!kSplit) {
      *keys = column.id;
      *counts = static_cast<int32_t>(count);
      keys += here;
      counts += here;
    }
    for (size_t r = 0; r < kRuns; ++r) {
      copy_run<kSplit, kStep>(column.runs[r], packed[r], count * element_bytes[r]);
    }
    return here;
  });
}

template <bool kSplit, size_t kRuns>
void copy_runs(const Batch& batch, int64_t most_bytes) {
  if (most_bytes <= kSteps[0]) return copy_runs<kSplit, kRuns, kSteps[0]>(batch);
  if (most_bytes <= kSteps[1]) return copy_runs<kSplit, kRuns, kSteps[1]>(batch);
  if (most_bytes <= kSteps[2]) return copy_runs<kSplit, kRuns, kSteps[2]>(batch);
  copy_runs<kSplit, kRuns, kSteps[3]>(batch);
}

void pick_values(const Batch& batch) {
  switch (batch.moves.pick->value_bytes) {
    case 1:
      return pick<uint8_t>(batch);
    case 2:
      return pick<uint16_t>(batch);
    case 4:
      return pick<uint32_t>(batch);
    default:
      return pick<uint64_t>(batch);
  }
}

}  // namespace

bool run_small_moves(const FeatureOffsets& offsets, const FeatureMoves& moves, Scratch& scratch) {
  const FeatureInputs& inputs = offsets.inputs;
  if (offsets.chunks() != 1 || inputs.examples * inputs.features > kMostSegments ||
      !inputs.presence || moves.expand) {
    return false;
  }
  if (moves.pick && moves.pick->values) {
    pick_values(batch_of(offsets, moves, scratch));
    return true;
  }
  int64_t longest = 0;
  int64_t element_bytes = 0;
  for (int64_t f = 0; f < inputs.features; ++f) {
    longest = std::max(longest, offsets.total(offsets.outer, 0, f).largest);
  }
  for (const RunMove& run : moves.runs) {
    element_bytes = std::max<int64_t>(element_bytes, run.element_bytes);
  }
  const int64_t most_bytes = longest * element_bytes;
  if (most_bytes > kSteps.back() || moves.runs.empty()) return false;
  const Batch batch = batch_of(offsets, moves, scratch);
  if (moves.runs.front().split) {
    copy_runs<true, 1>(batch, most_bytes);
  } else if (moves.runs.size() == 1) {
    copy_runs<false, 1>(batch, most_bytes);
  } else {
    copy_runs<false, 2>(batch, most_bytes);
  }
  return true;
}

}  // namespace sylvite::internal
