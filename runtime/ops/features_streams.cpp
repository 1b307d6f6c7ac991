#include "runtime/ops/features_streams.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <new>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace sylvite::internal {
namespace {

/// Mean bytes of a segment from which on: shorter runs leave few lines that are not put together.
constexpr int64_t kMeanBytes = 192;
/// Bytes ahead of its loads that a line is asked for. Beside streaming stores the processor asks for too
/// few by itself: without this a quarter slower.
constexpr int64_t kAhead = 512;
constexpr size_t kMostRuns = 2;

/// What is read.
struct Source {
  const std::byte* at;
  const std::byte* end;
};

void copy_bytes(std::byte* to, const std::byte* from, int64_t bytes) noexcept {
  std::memcpy(to, from, static_cast<size_t>(bytes));
}

/// A cache line past the caches, where the compiler has a store for that.
void stream_line(std::byte* line, const std::byte* from) noexcept {
#ifdef __SSE2__
  for (int64_t i = 0; i < kLineBytes; i += 16) {
    _mm_stream_si128(reinterpret_cast<__m128i*>(line + i),
                     _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i)));
  }
#else
  copy_bytes(line, from, kLineBytes);
#endif
}

void finish_streams() noexcept {
#ifdef __SSE2__
  _mm_sfence();
#endif
}

/// Runs one behind the other. What lies in one run goes from there to its line; a line with the end of one
/// and the beginning of the next is put together here.
class StreamedRuns {
 public:
  explicit StreamedRuns(std::byte* to) noexcept
      : first_(static_cast<int64_t>(reinterpret_cast<uintptr_t>(to) % kLineBytes)),
        filled_(first_),
        to_(to - first_) {}

  void append(const Source& from, int64_t bytes) noexcept {
    const int64_t head = kLineBytes - filled_;
    if (bytes < head) {
      copy_bytes(line_.data() + filled_, from.at, bytes);
      filled_ += bytes;
      return;
    }
    copy_line(line_.data() + filled_, from, 0, head);
    write_line();
    int64_t done = head;
    for (; done + kLineBytes <= bytes; done += kLineBytes, to_ += kLineBytes) {
      stream_line(to_, from.at + done);
      __builtin_prefetch(from.at + done + kAhead);
    }
    filled_ = bytes - done;
    copy_line(line_.data(), from, done, filled_);
  }

  void finish() const noexcept {
    copy_bytes(to_ + first_, line_.data() + first_, filled_ - first_);
    finish_streams();
  }

 private:
  /// `bytes` of a line, or more of it where there is: without a branch on how many.
  static void copy_line(std::byte* to, const Source& from, int64_t start, int64_t bytes) noexcept {
    if (from.end - from.at >= start + kLineBytes) {
      copy_bytes(to, from.at + start, kLineBytes);
    } else {
      copy_bytes(to, from.at + start, bytes);
    }
  }

  void write_line() noexcept {
    if (first_ == 0) {
      stream_line(to_, line_.data());
    } else {
      copy_bytes(to_ + first_, line_.data() + first_, kLineBytes - first_);
      first_ = 0;
    }
    to_ += kLineBytes;
  }

  int64_t first_;   ///< bytes of the line that are not the runs'
  int64_t filled_;  ///< of line_
  std::byte* to_;   ///< the line
  alignas(
      kLineBytes) std::array<std::byte, 2 * kLineBytes> line_;  ///< and what copies leave behind it
};

/// visit(input, elements) for every segment that has some; lengths, keys and pairs on the way.
template <typename Visit>
void for_each_present(const FeatureOffsets& offsets, const FeatureMoves& moves, int64_t chunk,
                      const Visit& visit) noexcept {
  const int64_t first = chunk * offsets.chunk_examples();
  const int64_t features = offsets.inputs.features;
  int64_t pair = offsets.pairs_before[chunk];
  for (int64_t b = first; b < first + offsets.examples_of(chunk); ++b) {
    const int64_t before = pair;
    for (int64_t f = 0; f < features; ++f) {
      if (offsets.inputs.presence[f][b] == 0) continue;
      const int32_t length = offsets.inputs.lengths[f][b];
      if (moves.pick) {
        moves.pick->keys[pair] = moves.pick->ids[f];
        reinterpret_cast<int32_t*>(moves.pick->packed)[pair] = length;
      }
      ++pair;
      if (length > 0) visit(f, length);
    }
    if (moves.lengths) moves.lengths[b] = static_cast<int32_t>(pair - before);
  }
}

void merge(const FeatureOffsets& offsets, const FeatureMoves& moves, int64_t chunk,
           void* memory) noexcept {
  const int64_t features = offsets.inputs.features;
  auto* sources = static_cast<Source*>(memory);
  std::array<std::byte*, kMostRuns> packed = {};
  for (size_t r = 0; r < moves.runs.size(); ++r) {
    const RunMove& run = moves.runs[r];
    packed[r] = run.packed + offsets.outer.packed[chunk] * run.element_bytes;
    for (int64_t f = 0; f < features; ++f) {
      const std::byte* array = run.arrays[f];
      sources[static_cast<int64_t>(r) * features + f] = {
          .at = array + offsets.start(offsets.outer, chunk, f) * run.element_bytes,
          .end = array + offsets.elements(offsets.outer, f) * run.element_bytes};
    }
  }
  std::array<StreamedRuns, kMostRuns> outputs = {StreamedRuns(packed[0]), StreamedRuns(packed[1])};
  for_each_present(offsets, moves, chunk, [&](int64_t f, int64_t length) {
    for (size_t r = 0; r < moves.runs.size(); ++r) {
      Source& source = sources[static_cast<int64_t>(r) * features + f];
      const int64_t bytes = length * moves.runs[r].element_bytes;
      outputs[r].append(source, bytes);
      source.at += bytes;
    }
  });
  for (size_t r = 0; r < moves.runs.size(); ++r) outputs[r].finish();
}

void split(const FeatureOffsets& offsets, const FeatureMoves& moves, int64_t chunk,
           void* memory) noexcept {
  const RunMove& run = moves.runs.front();
  const int64_t features = offsets.inputs.features;
  auto* outputs = static_cast<StreamedRuns*>(memory);
  for (int64_t f = 0; f < features; ++f) {
    new (outputs + f)
        StreamedRuns(run.arrays[f] + offsets.start(offsets.outer, chunk, f) * run.element_bytes);
  }
  Source source = {.at = run.packed + offsets.outer.packed[chunk] * run.element_bytes,
                   .end = run.packed + offsets.elements(offsets.outer) * run.element_bytes};
  for_each_present(offsets, moves, chunk, [&](int64_t f, int64_t length) {
    const int64_t bytes = length * run.element_bytes;
    outputs[f].append(source, bytes);
    source.at += bytes;
  });
  for (int64_t f = 0; f < features; ++f) outputs[f].finish();
}

}  // namespace

StreamedChunks::StreamedChunks(const FeatureOffsets& offsets, const FeatureMoves& moves,
                               Scratch& scratch)
    : offsets_(offsets), moves_(moves) {
  const int64_t features = offsets.inputs.features;
  if (moves.runs.front().split) {
    memory_ = scratch.take<StreamedRuns>(features);
  } else {
    memory_ = scratch.take<Source>(features * static_cast<int64_t>(moves.runs.size()));
  }
}

bool StreamedChunks::take(const Call& call, const FeatureOffsets& offsets,
                          const FeatureMoves& moves) noexcept {
  if (offsets.inputs.counts != Counts::kPresent || moves.runs.empty()) return false;
  int64_t bytes = 0;
  for (const RunMove& run : moves.runs)
    bytes += offsets.elements(offsets.outer) * run.element_bytes;
  return wants_stream(call.context, 2 * bytes);
}

bool StreamedChunks::take(const FeatureOffsets& offsets, const FeatureMoves& moves,
                          int64_t chunk) noexcept {
  const int64_t elements = offsets.outer.packed[chunk + 1] - offsets.outer.packed[chunk];
  const int64_t segments = offsets.examples_of(chunk) * offsets.inputs.features;
  return std::all_of(moves.runs.begin(), moves.runs.end(), [&](const RunMove& run) {
    return elements * run.element_bytes >= segments * kMeanBytes;
  });
}

void StreamedChunks::run(int64_t chunk) const noexcept {
  const auto move = moves_.runs.front().split ? split : merge;
  move(offsets_, moves_, chunk, memory_);
}

}  // namespace sylvite::internal
