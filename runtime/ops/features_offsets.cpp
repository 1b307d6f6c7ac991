// How much the inputs of a merge hold, in all and before every chunk of examples.
#include <algorithm>
#include <cstring>
#include <limits>

#include "runtime/checked.h"
#include "runtime/error.h"
#include "runtime/ops/features_calls.h"

namespace sylvite::internal {

using features::Address;
using features::address_of;
using features::kLanes;

namespace {

/// Segments of a chunk: with more its tables leave the caches before they are used, with fewer a tenth
/// of the time goes into beginning chunks. 2048 and 12288 are slower by 5 to 10 %.
constexpr int64_t kChunkSegments = 6144;
/// Shorter chunks spend more on their places than on their segments.
constexpr int64_t kMinChunkExamples = 32;

/// Lengths and presence that a task sums up.
constexpr int64_t kTotalsTaskSegments = 64 << 10;

int64_t whole_vectors(int64_t examples) noexcept { return ceil_div(examples, kLanes) * kLanes; }

}  // namespace

FeatureOffsets::FeatureOffsets(Call& call, const FeatureInputs& of, Scratch& memory)
    : inputs(of), scratch_(memory) {
  chunk_examples_ = std::max(kMinChunkExamples, whole_vectors(kChunkSegments / of.features));
  chunks_ = ceil_div(of.examples, chunk_examples_);
  pad_last_chunk();
  const int64_t features = of.features;
  auto* totals = scratch_.take<Total>(chunks_ * features);
  const int64_t grain = std::max<int64_t>(kTotalsTaskSegments / (features * chunk_examples_), 1);
  const int64_t tasks = ceil_div(chunks_, grain);
  auto* addresses = scratch_.take<Address>(2 * tasks * features);
  const KernelFn kernel = features::totals_kernel_of(call, of.counts);
  const auto count = [&](int64_t task, int64_t first, int64_t chunks, int64_t examples) {
    Address* lengths = addresses + 2 * task * features;
    Address* presence = lengths + features;
    for (int64_t f = 0; f < features; ++f) {
      if (of.lengths) lengths[f] = address_of(this->lengths(first, f), 4);
      if (of.presence) presence[f] = address_of(this->presence(first, f), 1);
    }
    features::count_chunks(call, kernel, lengths, presence, features, chunks, examples,
                           totals + first * features);
  };
  call.for_each_task(tasks, [&](int64_t task) {
    const int64_t first = task * grain;
    const int64_t end = std::min(first + grain, chunks_);
    const bool last = end == chunks_;
    if (first < end - last) count(task, first, end - last - first, chunk_examples_);
    if (last) count(task, chunks_ - 1, 1, padded_examples_of(chunks_ - 1));
  });
  throw_if_failed(call);
  outer = place(totals);
  pairs_before = scratch_.take<int64_t>(chunks_ + 1);
  int64_t pairs = 0;
  for (int64_t c = 0; c <= chunks_; ++c) {
    pairs_before[c] = pairs;
    for (int64_t f = 0; c < chunks_ && f < features; ++f) pairs += total(outer, c, f).present;
  }
}

void FeatureOffsets::pad_last_chunk() {
  const int64_t examples = chunks_ == 0 ? 0 : examples_of(chunks_ - 1);
  const int64_t padded = whole_vectors(examples);
  if (examples == padded) return;
  const int64_t first = (chunks_ - 1) * chunk_examples_;
  const auto pad = [&](const auto* const* arrays, auto*& copies) {
    if (arrays == nullptr) return;
    using Element = std::remove_reference_t<decltype(*copies)>;
    auto* rows = scratch_.take<Element>(padded * inputs.features);
    for (int64_t f = 0; f < inputs.features; ++f) {
      Element* row = rows + f * padded;
      std::copy_n(arrays[f] + first, examples, row);
      std::fill(row + examples, row + padded, Element{0});
    }
    copies = rows;
  };
  pad(inputs.lengths, last_lengths_);
  pad(inputs.presence, last_presence_);
}

int64_t FeatureOffsets::padded_examples_of(int64_t chunk) const noexcept {
  return whole_vectors(examples_of(chunk));
}

const int32_t* FeatureOffsets::lengths(int64_t chunk, int64_t f) const noexcept {
  if (last_lengths_ && chunk == chunks_ - 1) return last_lengths_ + f * padded_examples_of(chunk);
  return inputs.lengths[f] + chunk * chunk_examples_;
}

const uint8_t* FeatureOffsets::presence(int64_t chunk, int64_t f) const noexcept {
  if (last_presence_ && chunk == chunks_ - 1) return last_presence_ + f * padded_examples_of(chunk);
  return inputs.presence[f] + chunk * chunk_examples_;
}

bool FeatureOffsets::valid(const Level& level) const noexcept {
  int64_t largest = 0;
  for (int64_t i = 0; i < chunks_ * inputs.features; ++i) {
    largest = std::max(largest, level.totals[i].largest);
  }
  return largest <= std::numeric_limits<int32_t>::max();
}

/// Sums of fewer than 2^32 lengths stay within int64; more of them do not fit into memory.
Level FeatureOffsets::place(const Total* totals) {
  const int64_t features = inputs.features;
  Level level{.totals = totals,
              .starts = scratch_.take<int64_t>((chunks_ + 1) * features),
              .packed = scratch_.take<int64_t>(chunks_ + 1)};
  std::fill_n(level.starts, features, int64_t{0});
  int64_t packed = 0;
  for (int64_t c = 0; c < chunks_; ++c) {
    level.packed[c] = packed;
    const int64_t* row = level.starts + c * features;
    for (int64_t f = 0; f < features; ++f) {
      const int64_t sum = totals[c * features + f].sum;
      level.starts[(c + 1) * features + f] = row[f] + sum;
      packed += sum;
    }
  }
  level.packed[chunks_] = packed;
  return level;
}

void FeatureOffsets::count_inner(Call& call, const int32_t* const* lengths) {
  constexpr int64_t kMost = int64_t{1} << 29;  // numbers of an input that a kernel takes
  inner_lengths = lengths;
  const int64_t features = inputs.features;
  auto* totals = scratch_.take<Total>(chunks_ * features);
  const int64_t grain = std::max<int64_t>(kTotalsTaskSegments / (features * chunk_examples_), 1);
  const int64_t tasks = ceil_div(chunks_, grain);
  auto* addresses = scratch_.take<Address>(tasks * features);
  auto* numbers = scratch_.take<int32_t>(tasks * features);
  const KernelFn kernel = features::inner_totals_kernel_of(call);
  call.for_each_task(tasks, [&](int64_t task) {
    Address* address = addresses + task * features;
    int32_t* n = numbers + task * features;
    for (int64_t c = task * grain; c < std::min((task + 1) * grain, chunks_); ++c) {
      Total* total = totals + c * features;
      for (int64_t f = 0; f < features; ++f) {
        n[f] = static_cast<int32_t>(std::min(this->total(outer, c, f).sum, kMost));
        address[f] = address_of(lengths[f] + start(outer, c, f), 4);
      }
      features::count_numbers(call, kernel, address, n, features, total);
      for (int64_t f = 0; f < features; ++f) {
        const int64_t all = this->total(outer, c, f).sum;
        for (int64_t done = kMost; done < all; done += kMost) {
          const auto rest = static_cast<int32_t>(std::min(all - done, kMost));
          const Address at = address_of(lengths[f] + start(outer, c, f) + done, 4);
          Total more{};
          features::count_numbers(call, kernel, &at, &rest, 1, &more);
          total[f] = {.sum = total[f].sum + more.sum,
                      .present = total[f].present + more.present,
                      .largest = std::max(total[f].largest, more.largest)};
        }
      }
    }
  });
  throw_if_failed(call);
  inner = place(totals);
}

}  // namespace sylvite::internal
