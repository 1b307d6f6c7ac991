// Small batches: a chunk's moves in one pass over its segments, without tables and kernels.
#pragma once

#include "runtime/ops/features.h"

namespace sylvite::internal {

/// Does the moves and returns true where the inputs have presence, the batch is small and its runs are
/// short.
bool run_small_moves(const FeatureOffsets& offsets, const FeatureMoves& moves, Scratch& scratch);

}  // namespace sylvite::internal
