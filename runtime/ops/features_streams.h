// Chunks of large batches whose runs are several cache lines long: written past the caches, a line at a
// time.
#pragma once

#include "runtime/ops/features.h"

namespace sylvite::internal {

/// What a worker needs for one such chunk after the other.
class StreamedChunks {
 public:
  StreamedChunks(const FeatureOffsets& offsets, const FeatureMoves& moves, Scratch& scratch);

  /// Whether the moves of any chunk may be streamed.
  static bool take(const Call& call, const FeatureOffsets& offsets,
                   const FeatureMoves& moves) noexcept;
  /// Whether the runs of this one are long enough.
  static bool take(const FeatureOffsets& offsets, const FeatureMoves& moves,
                   int64_t chunk) noexcept;
  void run(int64_t chunk) const noexcept;

 private:
  const FeatureOffsets& offsets_;
  const FeatureMoves& moves_;
  void* memory_;
};

}  // namespace sylvite::internal
