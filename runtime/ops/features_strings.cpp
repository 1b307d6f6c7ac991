#include "runtime/ops/features_strings.h"

#include <algorithm>
#include <cstring>

#include "runtime/ops/features_segments.h"

namespace sylvite::internal {

StringMove::StringMove(const FeatureOffsets& offsets, StringRuns runs, bool split, Scratch& scratch)
    : arrays(scratch.take<Texts>(offsets.inputs.features)),
      offsets_(offsets),
      runs_(runs),
      split_(split),
      scratch_(scratch) {}

/// visit(f, from, n, to, present): n elements behind `from` on the side that is read go to `to`.
template <typename Visit>
void StringMove::for_each_run(int64_t chunk, int64_t* cursors, const Visit& visit) const noexcept {
  const int64_t first = chunk * offsets_.chunk_examples();
  for_each_segment(offsets_, chunk, cursors, [&](const Segment& at) {
    Run run = runs_ == StringRuns::kInner ? at.inner : at.outer;
    if (runs_ == StringRuns::kExample) {
      run = {.count = at.present, .from = (first + at.b) * stride, .to = at.pair};
    }
    visit(at.f, run);
  });
}

void StringMove::count(Call& call) {
  const int64_t chunks = offsets_.chunks();
  const int64_t features = offsets_.inputs.features;
  targets_ = split_ && !one_array ? features : 1;
  starts_ = scratch_.take<int64_t>((chunks + 1) * targets_);
  cursors_ =
      scratch_.take<int64_t>(2 * features * std::max<int64_t>(workers_of(call, offsets_), 1));
  std::fill_n(starts_, targets_, int64_t{0});
  for_each_chunk(call, offsets_, [&](int64_t worker, int64_t c, int64_t) {
    int64_t* sums = starts_ + (c + 1) * targets_;
    std::fill_n(sums, targets_, int64_t{0});
    for_each_run(c, cursors_ + 2 * features * worker, [&](int64_t f, const Run& run) {
      if (run.count == 0) return;
      const int64_t* from = split_ ? packed.offsets + run.to : arrays[f].offsets + run.from;
      sums[target_of(f)] += from[run.count] - from[0];
    });
  });
  for (int64_t i = targets_; i < (chunks + 1) * targets_; ++i) starts_[i] += starts_[i - targets_];
}

void StringMove::run(Call& call) {
  const int64_t chunks = offsets_.chunks();
  const int64_t features = offsets_.inputs.features;
  const bool spread = split_ && runs_ == StringRuns::kExample;
  // The end of each array; offsets before it are the runs'.
  const auto finish = [&](const Texts& texts, int64_t elements, int64_t f) {
    if (texts.offsets) texts.offsets[elements] = text_bytes(f);
  };
  if (!split_) {
    finish(packed,
           runs_ == StringRuns::kExample
               ? offsets_.pairs()
               : offsets_.elements(runs_ == StringRuns::kInner ? offsets_.inner : offsets_.outer),
           0);
  } else if (one_array) {
    finish(arrays[0], offsets_.inputs.examples * stride, 0);
  } else {
    for (int64_t f = 0; f < features; ++f) {
      finish(arrays[f],
             spread ? offsets_.inputs.examples
                    : offsets_.elements(
                          runs_ == StringRuns::kInner ? offsets_.inner : offsets_.outer, f),
             f);
    }
  }
  if (chunks == 0) return;
  for_each_chunk(call, offsets_, [&](int64_t worker, int64_t c, int64_t) {
    int64_t* places = starts_ + c * targets_;  // this chunk's alone: it walks along its texts
    for_each_run(c, cursors_ + 2 * features * worker, [&](int64_t f, const Run& run) {
      const Texts& from = split_ ? packed : arrays[f];
      const Texts& to = split_ ? arrays[f] : packed;
      const int64_t read = split_ ? run.to : run.from;
      const int64_t write = split_ ? run.from : run.to;
      int64_t& place = places[target_of(f)];
      if (spread && run.count == 0) to.offsets[write] = place;
      if (run.count == 0) return;
      const int64_t begin = from.offsets[read];
      const int64_t bytes = from.offsets[read + run.count] - begin;
      for (int64_t i = 0; i < run.count; ++i) {
        to.offsets[write + i] = place + from.offsets[read + i] - begin;
      }
      if (bytes > 0) std::memcpy(to.text + place, from.text + begin, static_cast<size_t>(bytes));
      place += bytes;
    });
  });
}

}  // namespace sylvite::internal
