// Chunks whose runs are long: a memcpy each, the longest shared out among the threads.
#pragma once

#include "runtime/ops/features.h"

namespace sylvite::internal {

/// Whether some array of the chunk has runs so long on average that kernels gain nothing, or offsets
/// beyond theirs.
bool has_long_runs(const FeatureOffsets& offsets, const FeatureMoves& moves,
                   int64_t chunk) noexcept;

enum class LongRuns : uint8_t {
  kLeaveOut,  ///< everything else, on this thread
  kOnly,      ///< those that are worth all threads
};
/// cursors: 2 for each input, the call's own.
void run_long_chunk(Call& call, const FeatureOffsets& offsets, const FeatureMoves& moves,
                    int64_t chunk, LongRuns which, int64_t* cursors) noexcept;

}  // namespace sylvite::internal
