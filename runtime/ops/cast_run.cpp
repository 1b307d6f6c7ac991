// Numbers as another dtype on a CPU: rows of dense elements through one to three kernels, in tiles
// that stay in the first-level cache where there is more than one thing to do with them.
#include <algorithm>

#include "runtime/checked.h"
#include "runtime/ops/cast.h"
#include "runtime/ops/cast_path.h"
#include "runtime/shape.h"

namespace sylvite::internal {
namespace {

constexpr CastPaths kPaths = make_cast_paths("cast_");
constexpr int64_t kTileBytes = 16 << 10;   // of the widest dtype on the way
constexpr int64_t kGranule = 64;           // elements: whole lines of every dtype
constexpr int64_t kTaskBytes = 512 << 10;  // moved; 256 KiB and 1 MiB are slower in cache
// Last-level caches from which on a call streams: up to there the part of the operands that stays in
// the cache is worth more. 4:1 and 1:4 in 80 MiB: .90 and .75 of the roof, streaming .83 and .63.
constexpr int64_t kStreamFrom = 3;
constexpr int64_t kLongRow = 1 << 10;  // bytes from which on a row is worth calls of its own

struct Tile {
  alignas(kLineBytes) std::array<std::byte, kTileBytes> bytes;
};

/// A cast that has chosen its kernels.
struct Cast {
  int from_bytes;
  int to_bytes;
  int count;
  std::array<Kernel, CastPath::kMaxSteps> kernels;
  std::array<int, CastPath::kMaxSteps> bytes;  ///< of an element behind each step
  bool stream;

  const Kernel& last() const noexcept { return kernels[static_cast<size_t>(count) - 1]; }
};

Operand row_operand(std::byte* data, int element_bytes, int64_t extent) noexcept {
  Operand operand;
  operand.data = data;
  operand.element_bytes = element_bytes;
  operand.rank = 1;
  operand.extent[0] = static_cast<int32_t>(extent);
  operand.stride[0] = 1;
  return operand;
}

void run_step(Call& call, KernelFn kernel, std::byte* from, int from_bytes, std::byte* to,
              int to_bytes, int64_t count) noexcept {
  if (count == 0) return;
  const Operand x = row_operand(from, from_bytes, count);
  call_kernel(kernel, call, &x, {}, row_operand(to, to_bytes, count));
}

/// The last step of a row: the whole lines of the output past the caches, its ends as usual.
void run_last_step(Call& call, const Cast& cast, std::byte* from, int from_bytes, std::byte* to,
                   int64_t count) noexcept {
  const KernelEntry& entry = cast.last().entry;
  const auto before = static_cast<int64_t>(-reinterpret_cast<uintptr_t>(to) % kLineBytes);
  int64_t head = count;
  int64_t body = 0;
  if (cast.stream && before % cast.to_bytes == 0 && before / cast.to_bytes <= count) {
    head = before / cast.to_bytes;
    body = (count - head) / kGranule * kGranule;
  }
  if (body == 0) head = count;
  const auto part = [&](KernelFn kernel, int64_t start, int64_t extent) {
    run_step(call, kernel, from + start * from_bytes, from_bytes, to + start * cast.to_bytes,
             cast.to_bytes, extent);
  };
  part(entry.plain, 0, head);
  part(entry.stream, head, body);
  part(entry.plain, head + body, count - head - body);
}

/// All steps of a dense row; with more than one, the row fits a tile.
void run_row(Call& call, const Cast& cast, std::byte* from, std::byte* to, int64_t count,
             std::array<Tile, 2>& tiles) noexcept {
  int from_bytes = cast.from_bytes;
  for (int i = 0; i + 1 < cast.count; ++i) {
    const auto step = static_cast<size_t>(i);
    // A row that comes in a tile leaves the first step in the other.
    std::byte* into = from == tiles[0].bytes.data() ? tiles[1].bytes.data() : tiles[0].bytes.data();
    run_step(call, cast.kernels[step].entry.plain, from, from_bytes, into, cast.bytes[step], count);
    from = into;
    from_bytes = cast.bytes[step];
  }
  run_last_step(call, cast, from, from_bytes, to, count);
}

/// A box by itself: the slice of a larger one.
Box box_of(const Box& whole, const TaskGrid::Slice& slice) noexcept {
  Box box;
  for (int i = 0; i < whole.rank; ++i) {
    box.add(
        {.extent = slice.count[static_cast<size_t>(i)], .from = whole[i].from, .to = whole[i].to});
  }
  return box;
}

int64_t offset_of(const Box& box, const TaskGrid::Slice& slice, int64_t BoxDim::*stride) noexcept {
  int64_t offset = 0;
  for (int i = 0; i < box.rank; ++i)
    offset += slice.start[static_cast<size_t>(i)] * (box[i].*stride);
  return offset;
}

bool is_dense(const Box& box, int64_t BoxDim::*stride) noexcept {
  int64_t dense = 1;
  for (int i = 0; i < box.rank; ++i) {
    if (box[i].extent > 1 && box[i].*stride != dense) return false;
    dense *= box[i].extent;
  }
  return true;
}

/// Rows of the slice stand behind one another on this side.
void make_dense(Box& box, int64_t BoxDim::*stride) noexcept {
  int64_t dense = 1;
  for (int i = 0; i < box.rank; ++i) {
    box[i].*stride = dense;
    dense *= box[i].extent;
  }
}

Place place_of(Tile& tile) noexcept { return {.data = tile.bytes.data()}; }

/// One slice of the box: gathered into a tile where x is not dense in it, scattered out of one where
/// y is not.
void run_slice(Call& call, const Cast& cast, const Box& whole, const TaskGrid::Slice& slice,
               const Place& x, const Place& y) {
  std::array<Tile, 2> tiles;
  const Box box = box_of(whole, slice);
  const Place from = advanced(x, offset_of(whole, slice, &BoxDim::from), cast.from_bytes);
  const Place to = advanced(y, offset_of(whole, slice, &BoxDim::to), cast.to_bytes);
  std::byte* in = from.data;
  if (!is_dense(box, &BoxDim::from)) {
    Box gather = box;
    make_dense(gather, &BoxDim::to);
    copy_box(call, from, place_of(tiles[0]), cast.from_bytes, gather, 0, Threads::kThis);
    in = tiles[0].bytes.data();
  }
  if (is_dense(box, &BoxDim::to)) return run_row(call, cast, in, to.data, box.count(), tiles);
  // The last step writes to the tile that it does not read.
  const bool in_first = (in == tiles[0].bytes.data()) == (cast.count % 2 == 0);
  Tile& out = tiles[in_first ? 0 : 1];
  run_row(call, cast, in, out.bytes.data(), box.count(), tiles);
  Box scatter = box;
  make_dense(scatter, &BoxDim::from);
  copy_box(call, place_of(out), to, cast.to_bytes, scatter, 0, Threads::kThis);
}

TaskGrid grid_of(const Cast& cast, const Box& box) noexcept {
  std::array<int64_t, kMaxBoxRank> extents;
  for (int i = 0; i < box.rank; ++i) extents[static_cast<size_t>(i)] = box[i].extent;
  const bool rows = box[0].from == 1 && box[0].to == 1;
  const bool long_rows = box[0].extent * std::min(cast.from_bytes, cast.to_bytes) >= kLongRow;
  const int widest = std::max(
      cast.from_bytes, *std::max_element(cast.bytes.begin(), cast.bytes.begin() + cast.count));
  // Rows that one kernel takes from x to y need no tile.
  const bool through = rows && (long_rows || box.rank == 1) && cast.count == 1;
  return {std::span(extents.data(), static_cast<size_t>(box.rank)),
          rows && long_rows ? 1 : kMaxBoxRank, through ? cast.from_bytes + cast.to_bytes : widest,
          through ? kTaskBytes : kTileBytes, kGranule};
}

/// The elements in the order of y's memory, which is dense far more often than x's.
Box box_of(const TensorInfo& x, const TensorInfo& y) noexcept {
  const Shape from = strides_of(x);
  const Shape to = strides_of(y);
  Box box;
  for (int axis = x.shape.rank() - 1; axis >= 0; --axis)
    box.add({.extent = x.shape[axis], .from = from[axis], .to = to[axis]});
  std::sort(box.dims.begin(), box.dims.begin() + box.rank,
            [](const BoxDim& a, const BoxDim& b) { return std::abs(a.to) < std::abs(b.to); });
  box.canonicalize();
  return box;
}

Cast cast_of(const Call& call, DType from, const CastPath& path, int64_t bytes_moved) {
  Cast cast;
  cast.from_bytes = cast_bytes(from);
  cast.count = path.count;
  for (size_t i = 0; i < static_cast<size_t>(path.count); ++i) {
    cast.kernels[i] =
        pick_kernel(cast::kKernelNames, cast::kKernels, path.steps[i].row, call.targets, call.op);
    cast.bytes[i] = cast_bytes(path.steps[i].to);
  }
  cast.to_bytes = cast.bytes[static_cast<size_t>(path.count) - 1];
  cast.stream = cast.last().entry.stream != nullptr &&
                wants_stream(call.context, ceil_div(bytes_moved, kStreamFrom));
  return cast;
}

}  // namespace

void run_numeric_cast(Call& call, const TensorInfo& x, const TensorInfo& y, const Tensor* from,
                      const Tensor* to) {
  const CastPath& path = kPaths[static_cast<size_t>(x.dtype)][static_cast<size_t>(y.dtype)];
  const int from_bytes = cast_bytes(x.dtype);
  const int to_bytes = cast_bytes(y.dtype);
  const Place here = from ? internal::place_of(*from, from_bytes) : Place{};
  const Place there = to ? internal::place_of(*to, to_bytes) : Place{};
  const Box box = box_of(x, y);
  const int64_t count = box.count();
  const int64_t bytes_moved = count * (from_bytes + to_bytes);
  if (path.count == 0) return copy_box(call, here, there, to_bytes, box, bytes_moved);
  if (!call.on_cpu()) return run_gpu_cast(call, x.dtype, y.dtype, box, here, there);

  Cast cast = cast_of(call, x.dtype, path, bytes_moved);
  const TaskGrid grid = grid_of(cast, box);
  cast.stream = cast.stream && box[0].to == 1 && grid.chunk(0) >= kGranule;
  const int64_t per_task =
      std::max<int64_t>(1, kTaskBytes / std::max<int64_t>(1, bytes_moved / grid.tasks()));
  const int64_t tasks = ceil_div(grid.tasks(), per_task);
  if (explained(call, cast.last(), cast.stream, count * from_bytes, count * to_bytes, tasks))
    return;
  call.for_each_task(tasks, [&](int64_t task) {
    const int64_t end = std::min((task + 1) * per_task, grid.tasks());
    for (int64_t i = task * per_task; i < end; ++i)
      run_slice(call, cast, box, grid.slice(i), here, there);
  });
}

}  // namespace sylvite::internal
