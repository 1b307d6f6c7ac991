#include "runtime/ops/expand_gradient_stage.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <limits>

#include "runtime/checked.h"

namespace sylvite::internal {
namespace {

/// Bytes that a block reads: a 32nd of all, so that no thread waits long for another's last one, but
/// neither less than is worth a task nor more than leaves the sums in the second-level cache.
constexpr int64_t kBlocks = 32;
constexpr int64_t kLeastBytes = int64_t{256} << 10;
constexpr int64_t kMostBytes = int64_t{512} << 10;
constexpr int64_t kPackedCount = int64_t{1} << 16;  // elements of a block that is copied first
constexpr int64_t kStripCount = 1024;  // kept elements of a block where summed axes lie outside

/// Whether the kernels can read the input as it lies.
bool is_direct(const SumGeometry& g, bool folded) noexcept {
  for (int a = 0; a < g.axes; ++a) {
    if (g[a].summed && g[a].count > 1) return false;
  }
  if (g.part_of(0, 0).stride != 1) return false;
  const bool rows_touch = g.axes == 1 || g.part_of(1, 0).stride == g[0].extent;
  if (folded) return g[0].summed || (g[0].count == 1 && rows_touch);
  return !g[0].summed || rows_touch;
}

/// Counts the dimensions outside of those that a pass sums.
class OuterDims {
 public:
  /// Whether one more can be had; one whose stride continues the last is free.
  bool add(int64_t take, int64_t stride) noexcept {
    if (count_ == 0 || stride != continued_) {
      if (count_ == kPassOuter) return false;
      ++count_;
    }
    continued_ = stride * take;
    return true;
  }
  /// What comes next cannot continue the last.
  void end_run() noexcept { continued_ = -1; }

 private:
  int count_ = 0;
  int64_t continued_ = -1;
};

/// How much of one axis after the other a block takes.
class Cutter {
 public:
  explicit Cutter(Stage& stage) noexcept : stage_(stage) {
    int64_t bytes = stage.side.element.bytes;
    for (int a = 0; a < stage.axes; ++a) {
      if (stage[a].summed) outermost_sum_ = a;
      bytes *= stage[a].extent;
    }
    if (!stage.packed) {
      most_ = std::clamp(bytes / kBlocks, kLeastBytes, kMostBytes) / stage.side.element.bytes;
    }
  }

  /// False where the rows of the first summed axis are too far apart for int32.
  bool cut() noexcept {
    for (int a = 0; a < stage_.axes; ++a) {
      StageAxis& axis = stage_[a];
      const int64_t step = stage_.packed ? 0 : std::abs(axis.stride);
      int64_t room = most_ / count_;
      if (step > 0) room = std::min(room, reach_ / step + 1);
      axis.take = axis.summed ? sum_take(a, room) : kept_take(a, room);
      if (axis.take == 0) return false;
      count_ *= axis.take;
      reach_ -= (axis.take - 1) * step;
    }
    return true;
  }

 private:
  int64_t sum_take(int a, int64_t room) noexcept {
    const StageAxis& axis = stage_[a];
    if (a == 0) {  // short rows
      in_sum_ = true;
      return axis.extent;
    }
    if (!sums_) return 1;
    int64_t take = std::min(axis.extent, room);
    if (take < axis.extent)
      take =
          static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(std::max<int64_t>(take, 1))));
    const bool fits = take >= std::min(axis.extent, kSumRows);
    if (!in_sum_) {
      if (!fits) return 0;
      outer_.end_run();
      in_sum_ = true;
    } else if (!fits || !(stage_.packed || outer_.add(take, axis.stride))) {
      take = 1;
    }
    sums_ = take == axis.extent;
    keeps_ = keeps_ && sums_;
    return take;
  }

  int64_t kept_take(int a, int64_t room) noexcept {
    const StageAxis& axis = stage_[a];
    if (a == 0 && stage_.folded()) {
      kept_ = axis.extent;
      return axis.extent;
    }
    if (!keeps_) return 1;
    if (a < outermost_sum_) room = std::min(room, kStripCount / kept_);
    int64_t take = std::clamp<int64_t>(room, 1, axis.extent);
    if (take < axis.extent) {
      take = ceil_div(axis.extent, ceil_div(axis.extent, take));
      if (take > kSumLanes) take = std::min(ceil_div(take, kSumLanes) * kSumLanes, axis.extent);
    }
    const bool columns = a == 0 || (a == 1 && stage_.short_rows);
    if (!columns && take > 1 && !(stage_.packed || outer_.add(take, axis.stride))) take = 1;
    keeps_ = take == axis.extent;
    kept_ *= take;
    return take;
  }

  Stage& stage_;
  int64_t most_ = kPackedCount;
  int outermost_sum_ = -1;
  int64_t count_ = 1;
  int64_t kept_ = 1;
  int64_t reach_ = std::numeric_limits<int32_t>::max() - kMostBytes;
  bool keeps_ = true;    // further kept axes may be taken
  bool sums_ = true;     // further summed axes may be taken
  bool in_sum_ = false;  // the axis that the first pass sums has been met
  OuterDims outer_;
};

/// Numbers the pieces and lays the results out, dense and in the order of the axes.
void lay_out(Stage& s) noexcept {
  s.blocks = s.block_count = s.result_count = 1;
  for (int a = 0; a < s.axes; ++a) {
    s[a].pieces = ceil_div(s[a].extent, s[a].take);
    s.blocks *= s[a].pieces;
    s.block_count *= s[a].take;
  }
  for (int a = 0; a < s.axes; ++a) {
    StageAxis& axis = s[a];
    axis.result_stride = s.result_count;
    if (a == 0 && s.folded() && !s.keeps_lanes()) {
      s.result_count = s.width;
    } else if (!axis.summed) {
      s.result_count *= axis.extent;
    } else if (axis.pieces > 1) {
      s.result_count *= axis.pieces + (a == 1 && s.folded() && s.fold.tail > 0 ? 1 : 0);
    }
  }
}

Stage make_stage(const SumGeometry& input, const SumSide& side, const Fold& fold,
                 bool short_rows) noexcept {
  Stage s;
  s.input = input;
  s.side = side;
  s.fold = fold;
  s.short_rows = short_rows;
  s.width = input.width();
  s.packed = !is_direct(input, s.folded());
  const auto add = [&](int64_t extent, int64_t stride, bool summed) {
    s[s.axes++] = {.extent = extent, .stride = stride, .summed = summed};
  };
  const auto build = [&] {
    s.axes = 0;
    int a = 0;
    if (s.folded()) {
      add(s.group(), 1, false);
      add(fold.groups, s.group(), true);
      a = input[0].summed ? 1 : 2;
    }
    for (; a < input.axes; ++a) {
      if (s.packed) {
        add(input[a].extent, 0, input[a].summed);
        continue;
      }
      for (int i = 0; i < input[a].count; ++i) {
        const SumPart& part = input.part_of(a, i);
        add(part.extent, part.stride, input[a].summed);
      }
    }
    return Cutter(s).cut();
  };
  if (!build()) {
    s.packed = true;
    build();
  }
  lay_out(s);
  return s;
}

}  // namespace

bool Stage::is_last() const noexcept {
  return std::none_of(axis.begin(), axis.begin() + axes,
                      [](const StageAxis& a) { return a.summed && a.pieces > 1; });
}

Stage first_stage(const SumGeometry& dy, const SumSide& side) noexcept {
  const int inner_sum = dy[0].summed ? 0 : 1;
  const int64_t rows = dy[inner_sum].extent;
  Fold fold;
  if (dy.width() < kSumLanes && rows >= kSumLanes)
    fold = {.groups = rows / kSumLanes, .tail = rows % kSumLanes};
  return make_stage(dy, side, fold, inner_sum == 0 && rows < kSumLanes);
}

Stage next_stage(const Stage& stage, const SumSide& partial) noexcept {
  SumGeometry input;
  int a = 0;
  Fold fold;
  if (stage.keeps_lanes()) {
    fold = {.groups = stage[1].pieces, .tail = stage.fold.tail};
    if (stage.width > 1) input.add(stage.width, 1, false);
    const int64_t groups = fold.groups + (fold.tail > 0 ? 1 : 0);
    input.add(groups * kSumLanes, stage.width, true);
    a = 2;
  } else if (stage.folded()) {
    if (stage.width > 1) input.add(stage.width, 1, false);
    a = 2;
  }
  for (; a < stage.axes; ++a) {
    const StageAxis& axis = stage[a];
    const int64_t extent = axis.summed ? axis.pieces : axis.extent;
    if (extent > 1) input.add(extent, axis.result_stride, axis.summed);
  }
  return make_stage(input, partial, fold, false);
}

Block block_of(const Stage& stage, int64_t index) noexcept {
  Block block;
  for (int a = 0; a < stage.axes; ++a) {
    const StageAxis& axis = stage[a];
    const auto i = static_cast<size_t>(a);
    const int64_t piece = index % axis.pieces;
    index /= axis.pieces;
    block.start[i] = piece * axis.take;
    block.count[i] = std::min(axis.take, axis.extent - block.start[i]);
    block.result += (axis.summed ? piece : block.start[i]) * axis.result_stride;
    if (a == 1) block.last_groups = stage.folded() && piece == axis.pieces - 1;
  }
  return block;
}

namespace {

/// Copies index ranges of axes whose parts do not compose: as many boxes as the ranges need.
class Packer {
 public:
  Packer(Call& call, const SumGeometry& input, const SumSide& from, std::byte* to) noexcept
      : call_(call), input_(input), from_(from), to_(to) {}

  void set(int a, int64_t start, int64_t count) noexcept {
    start_[static_cast<size_t>(a)] = start;
    count_[static_cast<size_t>(a)] = count;
  }

  void run() { axis(0, 1, 0, 0); }

 private:
  struct Range {
    int64_t start, count;  // of the indices that the parts up to this one span
    int64_t from, to;
    int64_t step;  // elements of the output per index
  };

  void axis(int a, int64_t step, int64_t from, int64_t to) {
    if (a == input_.axes) {
      const Place source{.data = from_.data + from * from_.element.bytes};
      const Place target{.data = to_ + to * from_.element.bytes};
      copy_box(call_, source, target, from_.element.bytes, box_, 0, Threads::kThis);
      return;
    }
    const auto i = static_cast<size_t>(a);
    part(a, input_[a].count - 1,
         {.start = start_[i], .count = count_[i], .from = from, .to = to, .step = step});
  }

  /// The next axis, from where this one's range lies.
  void outwards(int a, const Range& range) {
    axis(a + 1, range.step * count_[static_cast<size_t>(a)], range.from, range.to);
  }

  void part(int a, int p, Range range) {
    if (range.count == 0) return;
    int64_t inner = 1;
    for (int i = 0; i < p; ++i) inner *= input_.part_of(a, i).extent;
    const SumPart& outer = input_.part_of(a, p);
    const auto take = [&](int64_t count, const auto& copy) {
      Range piece = range;
      piece.count = count;
      piece.from += range.start / inner * outer.stride;
      piece.start %= inner;
      copy(piece);
      range.start += count;
      range.count -= count;
      range.to += count * range.step;
    };
    const auto part_of_one = [&](int64_t count) {
      if (count > 0) take(count, [&](const Range& piece) { part(a, p - 1, piece); });
    };
    if (range.start % inner != 0) part_of_one(std::min(range.count, inner - range.start % inner));
    if (const int64_t whole = range.count / inner; whole > 0) {
      take(whole * inner, [&](const Range& piece) {
        const int rank = box_.rank;
        int64_t step = range.step;
        for (int i = 0; i < p; ++i) {
          const SumPart& dim = input_.part_of(a, i);
          box_.add({.extent = dim.extent, .from = dim.stride, .to = step});
          step *= dim.extent;
        }
        box_.add({.extent = whole, .from = outer.stride, .to = step});
        outwards(a, piece);
        box_.rank = rank;
      });
    }
    part_of_one(range.count);
  }

  Call& call_;
  const SumGeometry& input_;
  const SumSide& from_;
  std::byte* to_;
  Box box_;
  std::array<int64_t, kMaxRank> start_;
  std::array<int64_t, kMaxRank> count_;
};

}  // namespace

void pack_block(Call& call, const Stage& stage, const Block& block, std::byte* to) {
  Packer packer(call, stage.input, stage.side, to);
  int from = 0;  // axes of the stage
  int a = 0;     // of its input
  if (stage.folded()) {
    if (!stage.input[0].summed) packer.set(a++, 0, stage.width);
    const int64_t behind = block.last_groups ? stage.behind_groups() / stage.width : 0;
    packer.set(a++, block.start[1] * kSumLanes, block.count[1] * kSumLanes + behind);
    from = 2;
  }
  for (; from < stage.axes; ++from, ++a) {
    const auto i = static_cast<size_t>(from);
    packer.set(a, block.start[i], block.count[i]);
  }
  packer.run();
}

}  // namespace sylvite::internal
