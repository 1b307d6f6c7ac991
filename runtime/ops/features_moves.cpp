// Chunks of examples moved by kernels; small batches go to features_small.cpp, those with long runs to
// features_streams.cpp and features_long.cpp.
#include <algorithm>
#include <cstring>
#include <new>

#include "runtime/checked.h"
#include "runtime/ops/features_calls.h"
#include "runtime/ops/features_long.h"
#include "runtime/ops/features_segments.h"
#include "runtime/ops/features_small.h"
#include "runtime/ops/features_streams.h"

namespace sylvite::internal {

using features::Address;
using features::address_of;
using features::kLanes;
using features::kRunKernels;
using features::RunFunctions;
using features::Tables;

namespace {

/// A worker's tables for one chunk after the other.
struct Workspace {
  Address* lengths;
  Address* presence;
  Address* arrays;
  int32_t* room;
  int32_t* numbers;
  int32_t* begin;
  int32_t* before;
  int64_t* cursors;
  Tables outer;
  Tables inner;
};

class Worker {
 public:
  Worker(Call& call, const FeatureOffsets& offsets, const FeatureMoves& moves);

  /// Chunks below `task_end` are this thread's, and later.
  void run(int64_t chunk, int64_t task_end, Workspace& w) const;
  Workspace workspace(Scratch& scratch) const;

 private:
  void make_inner(int64_t chunk, Workspace& w) const;
  void write_lengths(int64_t chunk, const Tables& tables) const;
  void run_pick(int64_t chunk, Workspace& w) const;
  void run_expand(int64_t chunk, Workspace& w) const;
  void run_runs(int64_t chunk, int64_t task_end, const RunMove& move, Workspace& w) const;
  size_t run_kernel_of(int64_t chunk, const RunMove& move) const;

  Call& call_;
  const FeatureOffsets& offsets_;
  const FeatureMoves& moves_;
  KernelFn segments_;
  KernelFn inner_segments_ = nullptr;
  RunFunctions run_functions_ = {};
  KernelFn pick_ = nullptr;
  KernelFn expand_ = nullptr;
  bool has_inner_;
  int64_t before_count_ = 0;
};

Worker::Worker(Call& call, const FeatureOffsets& offsets, const FeatureMoves& moves)
    : call_(call),
      offsets_(offsets),
      moves_(moves),
      segments_(features::segments_kernel_of(call, offsets.inputs.counts)),
      has_inner_(std::any_of(moves.runs.begin(), moves.runs.end(),
                             [](const RunMove& move) { return move.inner; })) {
  if (moves.pick) pick_ = features::pick_kernel_of(call, *moves.pick);
  if (moves.expand) expand_ = features::expand_kernel_of(call, moves.expand->value_bytes);
  if (!moves.runs.empty()) {
    run_functions_ = features::run_kernels_of(call, moves.runs.front().split);
  }
  if (has_inner_) {
    inner_segments_ = features::inner_segments_kernel_of(call);
    for (int64_t c = 0; c < offsets.chunks(); ++c) {
      if (has_long_runs(offsets, moves, c)) continue;
      before_count_ =
          std::max(before_count_, offsets.outer.packed[c + 1] - offsets.outer.packed[c]);
    }
    before_count_ += offsets.inputs.features;
  }
}

Workspace Worker::workspace(Scratch& scratch) const {
  const int64_t features = offsets_.inputs.features;
  const int64_t examples = offsets_.padded_examples_of(0);
  const auto tables = [&] {
    const int64_t pitch = examples + kLanes;
    return Tables{.features = features,
                  .examples = examples,
                  .pitch = pitch,
                  .count = scratch.take<int32_t>(pitch * features),
                  .from = scratch.take<int32_t>(pitch * features),
                  .to = scratch.take<int32_t>(pitch * features),
                  .position = scratch.take<int32_t>(pitch * features)};
  };
  Workspace w{};
  w.lengths = scratch.take<Address>(features);
  w.presence = scratch.take<Address>(features);
  w.arrays = scratch.take<Address>(features);
  w.room = scratch.take<int32_t>(features);
  w.cursors = scratch.take<int64_t>(2 * features);
  w.outer = tables();
  if (has_inner_) {
    w.numbers = scratch.take<int32_t>(features);
    w.begin = scratch.take<int32_t>(features);
    w.before = scratch.take<int32_t>(before_count_);
    w.inner = tables();
  }
  return w;
}

void Worker::run(int64_t chunk, int64_t task_end, Workspace& w) const {
  const FeatureInputs& inputs = offsets_.inputs;
  w.outer.examples = w.inner.examples = offsets_.padded_examples_of(chunk);
  for (int64_t f = 0; f < inputs.features; ++f) {
    if (inputs.lengths) w.lengths[f] = address_of(offsets_.lengths(chunk, f), 4);
    if (inputs.presence) w.presence[f] = address_of(offsets_.presence(chunk, f), 1);
  }
  features::make_tables(call_, segments_, w.lengths, w.presence, w.outer);
  if (moves_.lengths) write_lengths(chunk, w.outer);
  if (moves_.pick) run_pick(chunk, w);
  if (moves_.expand) run_expand(chunk, w);
  if (has_inner_) make_inner(chunk, w);
  for (const RunMove& move : moves_.runs) run_runs(chunk, task_end, move, w);
}

void Worker::make_inner(int64_t chunk, Workspace& w) const {
  int32_t begin = 0;
  for (int64_t f = 0; f < w.outer.features; ++f) {
    w.numbers[f] = static_cast<int32_t>(offsets_.total(offsets_.outer, chunk, f).sum);
    w.begin[f] = begin;
    begin += w.numbers[f] + 1;
    w.lengths[f] =
        address_of(offsets_.inner_lengths[f] + offsets_.start(offsets_.outer, chunk, f), 4);
  }
  features::make_inner_tables(call_, inner_segments_,
                              {.lengths = w.lengths,
                               .n = w.numbers,
                               .begin = w.begin,
                               .before = w.before,
                               .before_count = before_count_},
                              w.outer, w.inner);
}

void Worker::write_lengths(int64_t chunk, const Tables& tables) const {
  int32_t* to = moves_.lengths + chunk * offsets_.chunk_examples();
  const bool present = offsets_.inputs.counts != Counts::kLengths;
  const int32_t* before = present ? tables.position : tables.to;
  const int64_t examples = offsets_.examples_of(chunk);
  for (int64_t b = 0; b < examples; ++b) to[b] = before[b + 1] - before[b];
}

void Worker::run_pick(int64_t chunk, Workspace& w) const {
  const PickMove& move = *moves_.pick;
  const Tables& tables = w.outer;
  const int64_t before = offsets_.pairs_before[chunk];
  const int64_t count = offsets_.pairs_before[chunk + 1] - before;
  if (count == 0) return;
  int64_t segments = tables.examples * tables.features;
  const auto is_behind_last = [&](int64_t s) {
    return tables.present_before(s / tables.features, s % tables.features) == count;
  };
  while (is_behind_last(segments - 1)) --segments;
  const int64_t first = chunk * offsets_.chunk_examples() * move.value_stride * move.value_bytes;
  for (int64_t f = 0; f < tables.features && move.values; ++f) {
    w.arrays[f] = address_of(move.values[f] + first, move.value_bytes);
  }
  features::pick(call_, pick_, tables, move, w.arrays, segments, count, move.keys + before,
                 move.packed + before * move.value_bytes);
}

void Worker::run_expand(int64_t chunk, Workspace& w) const {
  const ExpandMove& move = *moves_.expand;
  const int64_t first = chunk * offsets_.chunk_examples() * move.value_stride * move.value_bytes;
  for (int64_t f = 0; f < w.outer.features; ++f) {
    w.arrays[f] = address_of(move.values[f] + first, move.value_bytes);
  }
  Tables tables = w.outer;
  const int64_t before = offsets_.pairs_before[chunk];
  const int64_t count = offsets_.pairs_before[chunk + 1] - before;
  tables.examples = offsets_.examples_of(chunk);
  features::expand(call_, expand_, tables, move, w.arrays, move.packed + before * move.value_bytes,
                   count);
}

/// The vectors of the kernel may reach past the runs of a task, into what another thread writes or
/// past the end of an array: the runs next to those ends are copied here, to the byte.
void Worker::run_runs(int64_t chunk, int64_t task_end, const RunMove& move, Workspace& w) const {
  const Level& level = move.inner ? offsets_.inner : offsets_.outer;
  const Tables& tables = move.inner ? w.inner : w.outer;
  const int64_t bytes = move.element_bytes;
  const int64_t elements = level.packed[chunk + 1] - level.packed[chunk];
  if (elements == 0) return;

  const size_t choice = run_kernel_of(chunk, move);
  const int64_t step = kRunKernels[choice].step;

  const int64_t end = level.packed[move.split ? offsets_.chunks() : task_end];
  features::RunPlaces places = {.arrays = w.arrays,
                                .room = w.room,
                                .inside = true,
                                .packed = move.packed + level.packed[chunk] * bytes,
                                .packed_bytes = std::min((end - level.packed[chunk]) * bytes,
                                                         features::kMaxChunkBytes + step)};
  for (int64_t f = 0; f < tables.features; ++f) {
    const int64_t start = offsets_.start(level, chunk, f);
    const int64_t next = offsets_.start(level, chunk + 1, f);
    const int64_t limit = offsets_.start(level, move.split ? task_end : offsets_.chunks(), f);
    w.arrays[f] = address_of(move.arrays[f] + start * bytes, 1);
    w.room[f] =
        static_cast<int32_t>(std::min((limit - start) * bytes, features::kMaxChunkBytes + step));
    places.inside = places.inside && (limit - next) * bytes >= step;
  }
  const auto end_of = [&](int64_t b, int64_t f) {
    return (tables.elements_before(b, f) + int64_t{tables.count_of(b, f)}) * bytes;
  };
  int64_t whole = tables.examples * tables.features;
  int64_t rows = tables.examples;  // the kernel's, and of the last one so many segments
  int64_t last = tables.features;
  while (whole > 0 && end_of(rows - 1, last - 1) + step > places.packed_bytes) {
    --whole;
    if (--last > 0) continue;
    --rows;
    last = tables.features;
  }
  if (whole > 0) features::copy_runs(call_, run_functions_[choice], tables, move, places, whole);

  const auto copy = [&](int64_t b, int64_t f) {
    const auto count = static_cast<size_t>(tables.count_of(b, f) * bytes);
    if (count == 0) return;
    std::byte* there = places.packed + tables.elements_before(b, f) * bytes;
    std::byte* here =
        move.arrays[f] + (offsets_.start(level, chunk, f) + tables.from_of(b, f)) * bytes;
    std::memcpy(move.split ? here : there, move.split ? there : here, count);
  };
  for (int64_t f = 0; f < tables.features; ++f) {
    const int64_t done = rows - (f >= last);
    for (int64_t b = done; b < tables.examples; ++b) copy(b, f);
    const auto beyond = [&](int64_t b) {
      return (tables.from_of(b, f) + int64_t{tables.count_of(b, f)}) * bytes + step > w.room[f];
    };
    for (int64_t b = done; !places.inside && b > 0 && beyond(b - 1); --b) copy(b - 1, f);
  }
}

/// One vector for each run where none is longer; what runs of the second level hold is not known.
size_t Worker::run_kernel_of(int64_t chunk, const RunMove& move) const {
  const size_t last = kRunKernels.size() - 1;
  if (move.inner) return last;
  int64_t longest = 0;
  for (int64_t f = 0; f < offsets_.inputs.features; ++f) {
    longest = std::max(longest, offsets_.total(offsets_.outer, chunk, f).largest);
  }
  size_t choice = 0;
  while (choice < last && longest * move.element_bytes > kRunKernels[choice].step) ++choice;
  return choice;
}

}  // namespace

void run_feature_moves(Call& call, const FeatureOffsets& offsets, const FeatureMoves& moves,
                       Scratch& scratch) {
  const int64_t chunks = offsets.chunks();
  if (chunks == 0 || run_small_moves(offsets, moves, scratch)) return;
  const Worker worker(call, offsets, moves);
  const int64_t workers = workers_of(call, offsets);
  auto* workspaces = scratch.take<Workspace>(workers);
  for (int64_t i = 0; i < workers; ++i) workspaces[i] = worker.workspace(scratch);
  const bool streams = StreamedChunks::take(call, offsets, moves);
  auto* streamed = scratch.take<StreamedChunks>(streams ? workers : 0);
  for (int64_t i = 0; streams && i < workers; ++i) {
    new (streamed + i) StreamedChunks(offsets, moves, scratch);
  }
  for_each_chunk(call, offsets, [&](int64_t i, int64_t c, int64_t end) {
    if (has_long_runs(offsets, moves, c)) {
      run_long_chunk(call, offsets, moves, c, LongRuns::kLeaveOut, workspaces[i].cursors);
    } else if (streams && StreamedChunks::take(offsets, moves, c)) {
      streamed[i].run(c);
    } else {
      worker.run(c, end, workspaces[i]);
    }
  });
  throw_if_failed(call);
  for (int64_t c = 0; c < chunks; ++c) {
    if (has_long_runs(offsets, moves, c)) {
      run_long_chunk(call, offsets, moves, c, LongRuns::kOnly, workspaces[0].cursors);
    }
  }
  throw_if_failed(call);
}

}  // namespace sylvite::internal
