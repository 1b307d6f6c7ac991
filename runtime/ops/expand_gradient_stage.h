// A stage of a sum on a CPU: its input cut into blocks, each of which is summed on its own.
#pragma once

#include "runtime/ops/expand_gradient.h"
#include "runtime/ops/expand_gradient_passes.h"

namespace sylvite::internal {

/// How an axis with little inside of it is summed: as groups of 16 rows, then the rows behind them.
struct Fold {
  int64_t groups = 0;  ///< 0: not folded
  int64_t tail = 0;
};

/// An axis of a stage. A block takes `take` of it, the last one what is left.
struct StageAxis {
  int64_t extent = 1;
  int64_t stride = 0;  ///< of the input, in elements; means nothing where blocks are packed
  bool summed = false;
  int64_t take = 1;
  int64_t pieces = 1;
  int64_t result_stride = 0;  ///< from piece to piece where summed, else from element to element
};

/// A summed axis that blocks cut becomes one of as many partial sums as it has pieces, which the next
/// stage sums. A piece is a power of two: its tree is a branch of the whole axis's.
struct Stage {
  SumGeometry input;
  SumSide side = {};
  bool packed = false;      ///< what a block reads is copied to dense memory first
  Fold fold = {};           ///< folded: axis 0 is 16 rows of `width`, axis 1 counts the groups
  int64_t width = 1;        ///< elements kept inside of the innermost summed axis
  bool short_rows = false;  ///< axis 0 is summed and shorter than 16
  int axes = 0;
  std::array<StageAxis, kMaxRank + 1> axis;

  int64_t blocks = 1;
  int64_t block_count = 1;   ///< most elements that a block reads, a tail apart
  int64_t result_count = 1;  ///< elements of all results

  StageAxis& operator[](int i) noexcept { return axis[static_cast<size_t>(i)]; }
  const StageAxis& operator[](int i) const noexcept { return axis[static_cast<size_t>(i)]; }
  bool folded() const noexcept { return fold.groups > 0; }
  int64_t group() const noexcept { return kSumLanes * width; }
  /// Elements that lie behind the last group: the tail, or in partial sums the lanes that it ends.
  int64_t behind_groups() const noexcept {
    return input[input[0].summed ? 0 : 1].extent * width - fold.groups * group();
  }
  /// The groups are cut: partial sums keep their lanes, and the tail stands behind them.
  bool keeps_lanes() const noexcept { return folded() && axis[1].pieces > 1; }
  /// No summed axis is cut.
  bool is_last() const noexcept;
};

/// The stage that reads dY.
Stage first_stage(const SumGeometry& dy, const SumSide& side) noexcept;
/// The stage that reads the results of one that is not the last.
Stage next_stage(const Stage& stage, const SumSide& partial) noexcept;

/// Where a block begins and how much it takes, by axis.
struct Block {
  std::array<int64_t, kMaxRank + 1> start;
  std::array<int64_t, kMaxRank + 1> count;
  int64_t result = 0;        ///< offset of its results, which lie one behind the other
  bool last_groups = false;  ///< folded: the tail comes behind its groups
};
Block block_of(const Stage& stage, int64_t index) noexcept;

/// Copies what a block reads to dense memory in the order of the axes, a tail behind the last group.
void pack_block(Call& call, const Stage& stage, const Block& block, std::byte* to);

}  // namespace sylvite::internal
