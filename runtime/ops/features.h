// The merges of features as memory: what the inputs count, where chunks of examples begin, and the
// moves between the inputs' arrays and packed ones. Everything is dense; nothing is validated but the
// signs of lengths.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "runtime/move.h"
#include "runtime/scratch.h"

namespace sylvite::internal {

/// What a segment, input f of example b, counts: 1 where it is present, its length where it is present,
/// or its length.
enum class Counts : uint8_t { kPresence, kPresent, kLengths };

struct FeatureInputs {
  Counts counts = Counts::kPresence;
  int64_t examples = 0;
  int64_t features = 0;
  // One array per input; nullptr where `counts` asks for none.
  const int32_t* const* lengths = nullptr;
  const uint8_t* const* presence = nullptr;
};

/// What the kernels tell of one input in one chunk.
struct Total {
  int64_t sum;      ///< of what is counted
  int64_t present;  ///< segments, or numbers of the second level
  int64_t
      largest;  ///< length that is counted; above INT32_MAX where one, counted or not, is negative
};

/// Elements before a chunk, on one level of lengths.
struct Level {
  const Total* totals = nullptr;  ///< [chunks][features]
  int64_t* starts = nullptr;      ///< of each input, [chunks + 1][features]
  int64_t* packed = nullptr;      ///< of all inputs, [chunks + 1]
};

/// Chunks of examples, what a task works on, and what lies before each of them.
class FeatureOffsets {
 public:
  /// Counts the first level.
  FeatureOffsets(Call& call, const FeatureInputs& of, Scratch& memory);

  /// Counts the second level: one length for every element of the first.
  void count_inner(Call& call, const int32_t* const* lengths);

  /// No length of a level is negative; what else is told of it means nothing otherwise.
  bool valid(const Level& level) const noexcept;

  int64_t chunks() const noexcept { return chunks_; }
  int64_t chunk_examples() const noexcept { return chunk_examples_; }
  int64_t examples_of(int64_t chunk) const noexcept {
    return std::min(chunk_examples_, inputs.examples - chunk * chunk_examples_);
  }
  /// The same in whole vectors.
  int64_t padded_examples_of(int64_t chunk) const noexcept;

  const Total& total(const Level& level, int64_t chunk, int64_t f) const noexcept {
    return level.totals[chunk * inputs.features + f];
  }
  int64_t start(const Level& level, int64_t chunk, int64_t f) const noexcept {
    return level.starts[chunk * inputs.features + f];
  }
  /// Elements of input f, of all inputs, and present segments.
  int64_t elements(const Level& level, int64_t f) const noexcept {
    return start(level, chunks_, f);
  }
  int64_t elements(const Level& level) const noexcept { return level.packed[chunks_]; }
  int64_t pairs() const noexcept { return pairs_before[chunks_]; }

  /// A chunk's lengths and presence of input f, padded to whole vectors.
  const int32_t* lengths(int64_t chunk, int64_t f) const noexcept;
  const uint8_t* presence(int64_t chunk, int64_t f) const noexcept;

  const FeatureInputs& inputs;
  const int32_t* const* inner_lengths = nullptr;
  Level outer;
  Level inner;
  int64_t* pairs_before = nullptr;  ///< present segments, [chunks + 1]

 private:
  void pad_last_chunk();
  Level place(const Total* totals);

  Scratch& scratch_;
  int64_t chunk_examples_ = 0;
  int64_t chunks_ = 0;
  int32_t* last_lengths_ = nullptr;  ///< [features][padded], where the last chunk is padded
  uint8_t* last_presence_ = nullptr;
};

/// One number for each present segment: its key and its value.
struct PickMove {
  const int64_t* ids = nullptr;              ///< [features]
  const std::byte* const* values = nullptr;  ///< of each input; nullptr: the lengths
  int64_t value_stride = 1;                  ///< elements from one example to the next
  int value_bytes = 4;
  int64_t* keys = nullptr;
  std::byte* packed = nullptr;
};

/// The gradient of a pick.
struct ExpandMove {
  const std::byte* packed = nullptr;
  std::byte* const* values = nullptr;
  int64_t value_stride = 1;
  int value_bytes = 4;
};

/// A run for each segment, as long as its count on one level.
struct RunMove {
  bool inner = false;
  bool split = false;  ///< from the packed array to the inputs'
  int element_bytes = 1;
  std::byte* const* arrays = nullptr;  ///< of each input
  std::byte* packed = nullptr;
};

struct FeatureMoves {
  int32_t* lengths = nullptr;  ///< merged; nullptr: not wanted
  const PickMove* pick = nullptr;
  const ExpandMove* expand = nullptr;
  std::span<const RunMove> runs = {};  ///< all in one direction
};

void run_feature_moves(Call& call, const FeatureOffsets& offsets, const FeatureMoves& moves,
                       Scratch& scratch);

}  // namespace sylvite::internal
