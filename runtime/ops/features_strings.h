// Moves of strings: their texts, and offsets counted anew.
#pragma once

#include <span>

#include "runtime/ops/features.h"

namespace sylvite::internal {

/// Which elements of an input a segment has.
enum class StringRuns : uint8_t {
  kExample,  ///< its example's, packed where it is present
  kOuter,
  kInner,
};

/// Strings as memory: offsets and what they count in.
struct Texts {
  int64_t* offsets = nullptr;
  char* text = nullptr;
};

class StringMove {
 public:
  /// arrays: of each input; example b's element of input f is arrays[f] + b * stride. split: from the
  /// packed array to the inputs'. one_array: the inputs' are one array in the segments' order.
  StringMove(const FeatureOffsets& offsets, StringRuns runs, bool split, Scratch& scratch);

  int64_t stride = 1;
  bool one_array = false;
  Texts* arrays = nullptr;  ///< [features]
  Texts packed;

  /// Bytes of text that go where they go: to the packed array, or to each input's. Needs the offsets
  /// that are read.
  void count(Call& call);
  int64_t text_bytes(int64_t f = 0) const noexcept {
    return starts_[offsets_.chunks() * targets_ + f];
  }

  /// Writes offsets and texts.
  void run(Call& call);

 private:
  int64_t target_of(int64_t f) const noexcept { return targets_ == 1 ? 0 : f; }
  template <typename Visit>
  void for_each_run(int64_t chunk, int64_t* cursors, const Visit& visit) const noexcept;

  const FeatureOffsets& offsets_;
  StringRuns runs_;
  bool split_;
  Scratch& scratch_;
  int64_t targets_ = 1;        ///< arrays written
  int64_t* starts_ = nullptr;  ///< bytes before a chunk, [chunks + 1][targets]
  int64_t* cursors_ = nullptr;
};

}  // namespace sylvite::internal
