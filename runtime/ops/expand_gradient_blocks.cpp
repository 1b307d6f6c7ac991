// A sum on a CPU: stage after stage, the blocks of each shared out among the threads.
#include <algorithm>
#include <atomic>
#include <utility>

#include "runtime/checked.h"
#include "runtime/error.h"
#include "runtime/ops/expand_gradient_stage.h"

namespace sylvite::internal {
namespace {

/// Memory of one call, from the context's allocator.
class Scratch {
 public:
  explicit Scratch(const Context& context) noexcept : allocator_(context.allocator()) {}
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { release(); }

  /// Throws kOutOfMemory.
  std::byte* allocate(int64_t bytes, std::string_view op) {
    release();
    memory_ = internal::allocate(allocator_, bytes);
    require(memory_ != nullptr, ErrorCode::kOutOfMemory, op, ": no memory for ", bytes,
            " bytes of partial sums");
    bytes_ = bytes;
    return static_cast<std::byte*>(memory_);
  }
  void swap(Scratch& other) noexcept {
    std::swap(memory_, other.memory_);
    std::swap(bytes_, other.bytes_);
  }

 private:
  void release() noexcept {
    if (memory_ != nullptr) deallocate(allocator_, memory_, bytes_);
    memory_ = nullptr;
  }

  const Allocator* allocator_;
  void* memory_ = nullptr;
  int64_t bytes_ = 0;
};

constexpr int64_t round_up(int64_t bytes) noexcept {
  return ceil_div(bytes, kLineBytes) * kLineBytes;
}

/// What a thread needs for one block after another.
struct Workspace {
  Workspace(const Stage& s, int sum_bytes) noexcept {
    // One group of lanes is not summed by the first pass; all else shrinks to half or less.
    const bool whole = s.folded() && s[1].take == 1;
    const int64_t first = whole ? s.block_count : s.block_count / 2 + 1;
    const int64_t rows_behind =
        s.folded() ? s.block_count / (s[0].take * s[1].take) * s.behind_groups() : 0;
    packed = s.packed ? round_up((s.block_count + rows_behind) * s.side.element.bytes) : 0;
    tile[0] = round_up(first * sum_bytes);
    tile[1] = round_up((first / 2 + 1) * sum_bytes);
  }
  int64_t bytes() const noexcept { return packed + tile[0] + tile[1]; }

  int64_t packed;
  std::array<int64_t, 2> tile;
};

/// One block from what it reads to its results.
class BlockRun {
 public:
  BlockRun(Call& call, const SumKernels& kernels, const Stage& stage, const Workspace& space,
           std::byte* memory, const SumSide& results) noexcept
      : call_(call), kernels_(kernels), stage_(stage), packed_(memory), results_(results) {
    tile_[0] = {.data = memory + space.packed, .element = kernels.sum};
    tile_[1] = {.data = memory + space.packed + space.tile[0], .element = kernels.sum};
  }

  void run(int64_t index) {
    const Block block = block_of(stage_, index);
    begin(block);
    const bool lanes_summed = stage_.folded() && sum_groups();
    if (!lanes_summed) first_pass();
    if (stage_.folded() && !lanes_summed) {
      sum_axis(1);
      if (!stage_.keeps_lanes()) {
        sum_lanes();
      } else if (block.last_groups && stage_.fold.tail > 0) {
        keep_tail(block);
      }
    }
    for (int a = 0; a < stage_.axes; ++a) {
      if (stage_[a].summed) sum_axis(a);
    }
    if (rounds())
      round_sums(call_, kernels_.round, at_, results_.at(block.result), count(0, stage_.axes));
  }

 private:
  int64_t& extent(int a) noexcept { return extent_[static_cast<size_t>(a)]; }
  int64_t stride(int a) const noexcept { return stride_[static_cast<size_t>(a)]; }
  bool rounds() const noexcept { return results_.element.bytes != kernels_.sum.bytes; }
  int64_t count(int from, int to) const noexcept {
    int64_t product = 1;
    for (int a = from; a < to; ++a) product *= extent_[static_cast<size_t>(a)];
    return product;
  }

  /// The block's input, and the stride of every axis in it.
  void begin(const Block& block) {
    from_ = stage_.side;
    to_ = results_.at(block.result);
    lanes_left_ = stage_.folded() && !stage_.keeps_lanes();
    int64_t dense = 1;
    int64_t offset = 0;
    for (int a = 0; a < stage_.axes; ++a) {
      const auto i = static_cast<size_t>(a);
      extent_[i] = block.count[i];
      stride_[i] = stage_.packed ? dense : stage_[a].stride;
      offset += stage_.packed ? 0 : block.start[i] * stride_[i];
      dense *= block.count[i];
      if (a == 1 && block.last_groups) dense += stage_.behind_groups();
    }
    if (stage_.packed) {
      pack_block(call_, stage_, block, packed_);
      from_.data = packed_;
    } else {
      from_ = from_.at(offset);
    }
    if (stage_.folded()) {
      tail_ = from_.at(extent(1) * stage_.group() +
                       (block.last_groups ? stage_.behind_groups() : 0) - stage_.group());
    }
  }

  /// Where a pass writes that leaves `extent_` as it is.
  SumSide target() noexcept {
    bool more = rounds() || lanes_left_;
    for (int a = 0; a < stage_.axes; ++a) more = more || (stage_[a].summed && extent(a) > 1);
    if (!more) return at_ = to_;
    next_tile_ ^= 1;
    return at_ = tile_[next_tile_];
  }

  /// Axes outside of a pass's own, merged where both strides compose.
  std::span<const PassDim> outer_of(int first, int skip, int64_t to) noexcept {
    size_t count = 0;
    for (int a = first; a < stage_.axes; ++a) {
      if (a == skip) {
        to *= extent(a);
        continue;
      }
      if (extent(a) == 1) continue;
      PassDim* last = count > 0 ? &outer_[count - 1] : nullptr;
      if (last != nullptr && stride(a) == last->from * last->extent &&
          to == last->to * last->extent) {
        last->extent *= extent(a);
      } else {
        outer_[count++] = {.extent = extent(a), .from = stride(a), .to = to};
      }
      to *= extent(a);
    }
    return {outer_.data(), count};
  }

  /// Short rows, of whole lanes: in one pass. False where they are not, or too few.
  bool sum_groups() noexcept {
    if (!lanes_left_ || stage_.width > 1 || stage_.fold.tail > 0 || !has_few_groups(extent(1)))
      return false;
    const auto outer = outer_of(2, -1, 1);
    if (outer.empty() || outer[0].extent < kManyRows || outer[0].to != 1) return false;
    const int64_t groups = std::exchange(extent(1), 1);
    extent(0) = 1;
    lanes_left_ = false;
    add_groups(call_, input_kernel(kernels_.lanes, kernels_.sum_lanes), from_, target(), groups,
               outer);
    return true;
  }

  void first_pass() noexcept {
    if (stage_.short_rows) {
      const int64_t n = extent(0);
      extent(0) = 1;
      const int64_t rows = stage_.axes > 1 ? extent(1) : 1;
      const auto outer = outer_of(2, -1, rows);
      add_rows(call_, kernels_.rows, from_, target(), n, {.extent = rows, .from = n, .to = 1},
               outer);
      return;
    }
    int r = 0;
    while (!stage_[r].summed) ++r;
    const int64_t rows = extent(r);
    extent(r) = ceil_div(rows, kSumRows);
    const auto outer = outer_of(1, r, extent(0));
    add_columns(call_, input_kernel(kernels_.columns, kernels_.sum_columns), from_, target(),
                {.extent = extent(0), .from = 1, .to = 1},
                {.extent = rows, .from = stride(r), .to = count(0, r)}, outer);
  }

  const Kernel& input_kernel(const Kernel& of_elements, const Kernel& of_sums) const noexcept {
    return from_.element.bytes == kernels_.sum.bytes ? of_sums : of_elements;
  }

  /// Passes over dense sums until the axis is one row.
  void sum_axis(int a) noexcept {
    while (extent(a) > 1) {
      const int64_t rows = extent(a);
      const SumSide from = at_;
      extent(a) = ceil_div(rows, kSumRows);
      const int64_t inside = count(0, a);
      const PassDim outer = {
          .extent = count(a + 1, stage_.axes), .from = inside * rows, .to = inside * extent(a)};
      add_columns(call_, kernels_.sum_columns, from, target(),
                  {.extent = inside, .from = 1, .to = 1},
                  {.extent = rows, .from = inside, .to = inside}, std::span(&outer, 1));
    }
  }

  void sum_lanes() noexcept {
    const SumSide from = at_;
    lanes_left_ = false;
    extent(0) = stage_.width;
    const auto outer = outer_of(2, -1, stage_.width);
    add_lanes(call_, input_kernel(kernels_.lanes, kernels_.sum_lanes), tail_, from, target(),
              stage_.width, stage_.fold.tail, outer);
  }

  /// The last 16 rows, behind the partial sums of the groups.
  void keep_tail(const Block& block) noexcept {
    const int64_t group = stage_.group();
    add_columns(call_, input_kernel(kernels_.columns, kernels_.sum_columns), tail_,
                results_.at(block.result + stage_[1].result_stride),
                {.extent = group, .from = 1, .to = 1}, {.extent = 1, .from = group, .to = group},
                {});
  }

  Call& call_;
  const SumKernels& kernels_;
  const Stage& stage_;
  std::byte* packed_;
  const SumSide results_;
  std::array<SumSide, 2> tile_;
  size_t next_tile_ = 1;
  SumSide from_;
  SumSide tail_;
  SumSide to_;
  SumSide at_;  ///< the sums so far
  bool lanes_left_ = false;
  std::array<int64_t, kMaxRank + 1> extent_;
  std::array<int64_t, kMaxRank + 1> stride_;
  std::array<PassDim, kMaxRank + 1> outer_;
};

void run_stage(Call& call, const SumKernels& kernels, const Stage& stage, const SumSide& results) {
  constexpr int64_t kOnStack = 16384;
  const int64_t workers = std::min<int64_t>(stage.blocks, call.context.threads());
  const Workspace space(stage, kernels.sum.bytes);
  Scratch scratch(call.context);
  alignas(kLineBytes) std::array<std::byte, kOnStack> stack;
  std::byte* memory = stack.data();
  if (workers * space.bytes() > kOnStack)
    memory = scratch.allocate(workers * space.bytes(), call.op);
  std::atomic<int64_t> next = 0;
  call.for_each_task(workers, [&](int64_t worker) {
    for (int64_t i = next++; i < stage.blocks; i = next++) {
      BlockRun(call, kernels, stage, space, memory + worker * space.bytes(), results).run(i);
    }
  });
  throw_if_failed(call);
}

const Kernel& kernel_of(const SumKernels& kernels, const Stage& stage) noexcept {
  return stage.short_rows ? kernels.rows : kernels.columns;
}

int64_t count_blocks(Stage stage) noexcept {
  int64_t blocks = stage.blocks;
  while (!stage.is_last()) {
    stage = next_stage(stage, {});
    blocks += stage.blocks;
  }
  return blocks;
}

}  // namespace

void run_sum(Call& call, const SumCall& sum, const Place& dy, const Place& dx) {
  const SumKernels kernels(call, sum.dtype);
  Stage stage = first_stage(sum.dy, {.data = dy.data, .element = kernels.element});
  const int bytes = kernels.element.bytes;
  if (call.explanation != nullptr) {
    explained(call, kernel_of(kernels, stage), false, sum.dy_count * bytes, sum.dx_count * bytes,
              count_blocks(stage));
    return;
  }
  Scratch dense(call.context);
  SumSide to = {.data = dx.data, .element = kernels.element};
  if (!sum.dense_dx) to.data = dense.allocate(sum.dx_count * bytes, call.op);
  Scratch partial(call.context);
  while (!stage.is_last()) {
    Scratch results(call.context);
    const SumSide side = {.data = results.allocate(stage.result_count * kernels.sum.bytes, call.op),
                          .element = kernels.sum};
    run_stage(call, kernels, stage, side);
    partial.swap(results);
    stage = next_stage(stage, side);
  }
  run_stage(call, kernels, stage, to);
  if (!sum.dense_dx) {
    copy_box(call, {.data = to.data}, dx, bytes, sum.dx, 2 * sum.dx_count * bytes);
  }
}

}  // namespace sylvite::internal
