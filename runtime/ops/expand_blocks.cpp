// Expand where y is made of short blocks that are repeated: an element a few times, a short row many
// times, and either inside of the other.
//
// Along the dense dimensions of y every broadcast one repeats what lies inside of it: y is x with
// blocks of 1, b, c … elements repeated in turn, the innermost first. All steps but the last write
// tiles in first-level cache.
#include <algorithm>
#include <cstring>
#include <limits>
#include <numeric>

#include "runtime/checked.h"
#include "runtime/ops/expand_steps.h"

namespace sylvite::internal {
namespace {

/// Of y per tile; no step before the last writes more.
constexpr int64_t kTileBytes = 16 << 10;
/// From here on a period is written as it is.
constexpr int64_t kLongPeriodBytes = 4 << 10;
/// Tasks of a call in cache: a thread that comes late leaves most of them to the others, and none
/// waits long for the last one. 2 MiB in 16 tasks instead of 5: 1.3 to 2 times as fast.
constexpr int64_t kTasks = 16;
constexpr int64_t kLeastTaskBytes = 256 << 10;
/// What a line may need behind a period.
constexpr int64_t kSlack = kLineBytes;

/// Scratch of a task.
struct Tiles {
  Tiles() {}  // NOLINT(modernize-use-equals-default): leaves the bytes unwritten
  alignas(64) std::array<std::byte, kTileBytes + kSlack> block;
  alignas(64) std::array<std::byte, 2 * kTileBytes + kSlack> other;
  const std::byte* source = nullptr;  ///< where the block was read,
  const std::byte* period = nullptr;  ///< where it is as a whole,
  bool repeated = false;              ///< and whether `other` holds it again and again
};

/// y cut into tiles: all of the dimensions inside of `split`, and as much of that one as fits. Where
/// it is broadcast, the block inside of it is made once and written again and again.
class Blocks {
 public:
  explicit Blocks(const Expansion& e)
      : e_(e), bytes_(e.element_bytes), copy_(copy_kernel(e.call, e.element_bytes)) {
    find_split();
    for (int i = 0; i < split_; ++i) {
      if (e.box[i].from == 0) add_step(i);
    }
    find_source();
  }

  bool apply() const noexcept { return readable_ && (periodic() ? block_ > 1 : !steps_.empty()); }

  void run() const {
    const auto rank = static_cast<size_t>(e_.box.rank - split_);
    std::array<int64_t, kMaxBoxRank> extents;
    for (size_t i = 0; i < rank; ++i) extents[i] = e_.box[split_ + static_cast<int>(i)].extent;
    const int64_t written = e_.box.count() * bytes_;
    const int64_t task_bytes =
        std::clamp(2 * (written / kTasks), kLeastTaskBytes, e_.call.task_bytes());
    const TaskGrid grid(std::span(extents.data(), rank), kMaxBoxRank, 2 * block_ * bytes_,
                        task_bytes, periodic() ? 1 : kLineBytes / bytes_);
    const Kernel& last = periodic() ? copy_ : steps_.last().kernel();
    const bool stream = periodic() ? streams_period() : streams_step();
    if (explained(e_.call, last, stream, written, written, grid.tasks())) return;
    e_.call.for_each_task(grid.tasks(), [&](int64_t task) { run_slice(grid.slice(task)); });
  }

 private:
  bool periodic() const noexcept { return e_.box[split_].from == 0; }
  bool on_elements() const noexcept {
    return reinterpret_cast<uintptr_t>(e_.to.data) % static_cast<uintptr_t>(bytes_) == 0;
  }
  bool streams_period() const noexcept {
    return e_.streams && copy_.entry.stream != nullptr && on_elements();
  }
  bool streams_step() const noexcept { return e_.streams && steps_.last().can_stream(); }

  void find_split() {
    const Box& box = e_.box;
    while (split_ + 1 < box.rank && box[split_ + 1].to == block_ * box[split_].extent &&
           block_ * box[split_].extent * bytes_ <= kTileBytes) {
      block_ *= box[split_++].extent;
    }
  }

  void add_step(int dim) {
    int64_t inside = 1;
    int64_t outside = 1;
    for (int i = 0; i < split_; ++i) {
      const int64_t extent = e_.box[i].extent;
      if (i < dim) inside *= extent;
      if (i > dim && e_.box[i].from != 0) outside *= extent;
    }
    steps_.repeat(e_.call, inside, e_.box[dim].extent, outside, bytes_);
  }

  /// What a tile reads: contiguous as it is, or gathered first.
  void find_source() {
    for (int i = 0; i < (periodic() ? split_ : split_ + 1); ++i) {
      if (e_.box[i].from != 0)
        source_.add({.extent = e_.box[i].extent, .from = e_.box[i].from, .to = source_count_});
      if (e_.box[i].from != 0 && i < split_) source_count_ *= e_.box[i].extent;
    }
    per_tile_ = std::max<int64_t>(kTileBytes / (block_ * bytes_), 1);
    double reach = 0;
    for (int i = 0; i < source_.rank; ++i) {
      const BoxDim& dim = source_[i];
      const bool cut = !periodic() && i + 1 == source_.rank;
      contiguous_ = contiguous_ && dim.from == dim.to;
      reach += static_cast<double>(cut ? per_tile_ : dim.extent) *
               std::abs(static_cast<double>(dim.from));
    }
    readable_ = contiguous_ ||
                (source_.rank <= kKernelBoxRank && reach < std::numeric_limits<int32_t>::max());
    if (contiguous_ && steps_.count() == 1) per_tile_ = std::numeric_limits<int64_t>::max();
  }

  void run_slice(const TaskGrid::Slice& slice) const {
    Tiles tiles;
    const auto rank = static_cast<size_t>(e_.box.rank - split_);
    std::array<int64_t, kMaxBoxRank> at = {};
    while (true) {
      int64_t from = 0;
      int64_t to = 0;
      for (size_t i = 0; i < rank; ++i) {
        const BoxDim& dim = e_.box[split_ + static_cast<int>(i)];
        from += (slice.start[i] + at[i]) * dim.from;
        to += (slice.start[i] + at[i]) * dim.to;
      }
      const std::byte* in = e_.from.data + from * bytes_;
      std::byte* out = e_.to.data + to * bytes_;
      if (periodic()) {
        run_period(tiles, in, out, slice.count[0]);
      } else {
        run_tiles(tiles, in, out, slice.count[0]);
      }
      size_t i = 1;
      while (i < rank && ++at[i] == slice.count[i]) at[i++] = 0;
      if (i >= rank) return;
    }
  }

  void run_tiles(Tiles& tiles, const std::byte* in, std::byte* out, int64_t count) const {
    const int64_t stride = e_.box[split_].from * bytes_;
    for (int64_t i = 0; i < count; i += per_tile_) {
      const int64_t now = std::min(per_tile_, count - i);
      make(tiles, in + i * stride, out + i * block_ * bytes_, now, streams_step());
      if (per_tile_ >= count) return;
    }
  }

  /// `count` blocks along the split, one where that is broadcast.
  void make(Tiles& tiles, const std::byte* in, std::byte* out, int64_t count, bool stream) const {
    // The last step finds its input in `other`, the one before it in `block` …
    const auto target = [&](size_t step) {
      if (step == steps_.count()) return out;
      return (steps_.count() - step) % 2 == 1 ? tiles.other.data() : tiles.block.data();
    };
    if (!contiguous_) {
      gather(in, target(0), count);
      in = target(0);
    }
    for (size_t i = 0; i < steps_.count(); ++i) {
      const bool last = i + 1 == steps_.count();
      steps_[i].run(e_.call, in, target(i + 1), count, last && stream);
      in = target(i + 1);
    }
  }

  void gather(const std::byte* in, std::byte* out, int64_t count) const {
    Operand x = operand_on(in, bytes_, kKernelBoxRank, {});
    Operand y = operand_on(out, bytes_, kKernelBoxRank, {});
    for (int i = 0; i < source_.rank; ++i) {
      const auto at = static_cast<size_t>(i);
      const bool cut = !periodic() && i + 1 == source_.rank;
      x.extent[at] = y.extent[at] = static_cast<int32_t>(cut ? count : source_[i].extent);
      x.stride[at] = static_cast<int32_t>(source_[i].from);
      y.stride[at] = static_cast<int32_t>(source_[i].to);
    }
    call_kernel(copy_.entry.plain, e_.call, &x, {}, y);
  }

  /// The block of this place of the outer dimensions, `repeats` times.
  void run_period(Tiles& tiles, const std::byte* in, std::byte* out, int64_t repeats) const {
    const int64_t period = block_ * bytes_;
    const int64_t bytes = period * repeats;
    if (tiles.source != in) {
      tiles.source = tiles.period = in;
      tiles.repeated = false;
      if (!contiguous_ || !steps_.empty()) {
        make(tiles, in, tiles.block.data(), 1, false);
        tiles.period = tiles.block.data();
      }
    }
    const bool stream = streams_period();
    const bool lines =
        (reinterpret_cast<uintptr_t>(out) | static_cast<uintptr_t>(period)) % kLineBytes == 0;
    if (period >= kLongPeriodBytes && (lines || !stream)) {
      const KernelFn entry = stream ? copy_.entry.stream : copy_.entry.plain;
      return rows(entry, tiles.period, out, period, repeats);
    }
    if (!tiles.repeated) {
      write_period(tiles.other.data(), tiles.period, period,
                   std::min(kTileBytes + period, period * e_.box[split_].extent));
      tiles.repeated = true;
    }
    if (bytes <= kTileBytes) {
      std::memcpy(out, tiles.other.data(), static_cast<size_t>(bytes));
    } else if (stream) {
      stream_period(tiles.other.data(), out, period, bytes);
    } else {
      copy_period(tiles.other.data(), out, period, bytes);
    }
  }

  void copy_period(const std::byte* tile, std::byte* out, int64_t period, int64_t bytes) const {
    const int64_t row = kTileBytes / period * period;
    rows(copy_.entry.plain, tile, out, row, bytes / row);
    const int64_t rest = bytes % row;
    std::memcpy(out + bytes - rest, tile, static_cast<size_t>(rest));
  }

  /// The same in whole lines of y, whatever phase of the period they begin in.
  void stream_period(const std::byte* tile, std::byte* out, int64_t period, int64_t bytes) const {
    auto done = static_cast<int64_t>(-reinterpret_cast<uintptr_t>(out) % kLineBytes);
    std::memcpy(out, tile, static_cast<size_t>(done));
    const int64_t common = std::lcm(period, kLineBytes);
    while (bytes - done >= kLineBytes) {
      const int64_t phase = done % period;
      const int64_t left = (bytes - done) / kLineBytes * kLineBytes;
      int64_t row = std::min(left, kTileBytes);
      if (common <= kTileBytes) row = std::min(left, kTileBytes / common * common);
      const int64_t count = common <= kTileBytes ? left / row : 1;
      rows(copy_.entry.stream, tile + phase, out + done, row, count);
      done += row * count;
    }
    std::memcpy(out + done, tile + done % period, static_cast<size_t>(bytes - done));
  }

  /// The same bytes `count` times, one after the other.
  void rows(KernelFn entry, const std::byte* tile, std::byte* out, int64_t row,
            int64_t count) const {
    const Operand x = operand_on(tile, bytes_, kKernelBoxRank, {{row / bytes_, 1}, {count, 0}});
    const Operand y =
        operand_on(out, bytes_, kKernelBoxRank, {{row / bytes_, 1}, {count, row / bytes_}});
    call_kernel(entry, e_.call, &x, {}, y);
  }

  const Expansion& e_;
  int bytes_;
  Kernel copy_;
  int split_ = 0;
  int64_t block_ = 1;  ///< elements of y inside of the split
  Steps steps_;        ///< for one place of the split
  Box source_;         ///< from x to a dense tile
  int64_t source_count_ = 1;
  bool contiguous_ = true;
  bool readable_ = true;
  int64_t per_tile_ = 1;  ///< places of the split
};

}  // namespace

bool expand_blocks(const Expansion& expansion) {
  const Blocks blocks(expansion);
  if (!blocks.apply()) return false;
  blocks.run();
  return true;
}

}  // namespace sylvite::internal
