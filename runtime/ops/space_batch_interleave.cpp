// SpaceToBatch and BatchToSpace by the kernels that (de)interleave the columns of a row.
#include <algorithm>
#include <limits>

#include "runtime/checked.h"
#include "runtime/ops/space_batch.h"
#include "space_batch_kernels.h"

namespace sylvite::internal {
namespace {

constexpr int kMaxBlock = 8;
using KernelIndex = std::array<std::array<int, 4>, kMaxBlock + 1>;

/// Table rows by block and width, from the kernels' names.
consteval KernelIndex index_of(std::string_view generator) {
  KernelIndex index;
  for (int block = 0; block <= kMaxBlock; ++block) {
    std::array<char, 64> stem = {};
    size_t length = 0;
    for (const char c : generator) stem[length++] = c;
    for (const char c : {'_', 'b', static_cast<char>('0' + block), '_', 'u'}) stem[length++] = c;
    index[static_cast<size_t>(block)] =
        find_widths(space_batch::kKernelNames, std::string_view(stem.data(), length));
  }
  return index;
}

constexpr KernelIndex kToBatch = index_of("space_to_batch");
constexpr KernelIndex kToSpace = index_of("batch_to_space");

/// Padded rows are put together in a tile that stays in the first-level cache.
constexpr int64_t kTileBytes = 16 << 10;

/// What both directions share: the last axis (columns), the one before it (rows), everything else.
struct Plane {
  SpaceBatchAxis w;
  SpaceBatchAxis h;
  Box outer;  ///< `from` image, `to` phases; innermost first
};

Plane plane_of(const SpaceBatchGeometry& geometry, const OuterPiece& piece) noexcept {
  Plane plane;
  plane.w = geometry.axis[static_cast<size_t>(geometry.axes - 1)];
  if (geometry.axes > 1) plane.h = geometry.axis[static_cast<size_t>(geometry.axes - 2)];
  for (int i = 0; i < piece.places.rank; ++i) plane.outer.add(piece.places[i]);
  plane.outer.add({geometry.channels, geometry.image_channel_stride, geometry.phase_channel_stride});
  plane.outer.add({geometry.batch, geometry.image_batch_stride, geometry.phase_batch_stride});
  for (int i = 0; i < piece.blocks.rank; ++i) plane.outer.add(piece.blocks[i]);
  plane.outer.canonicalize();
  while (plane.outer.rank < 2) plane.outer.add({1, 0, 0});
  return plane;
}

bool padded(const SpaceBatchAxis& axis) noexcept {
  return axis.before != 0 || axis.image != axis.phase * axis.block;
}

int32_t narrow(int64_t value) noexcept { return static_cast<int32_t>(value); }

struct Dim {
  int64_t extent;
  int64_t stride;
};

Operand operand(const Place& at, int element_bytes, std::initializer_list<Dim> dims) noexcept {
  Operand operand;
  operand.data = at.data;
  operand.device = at.device;
  operand.element_bytes = element_bytes;
  for (const Dim& dim : dims) {
    const auto i = static_cast<size_t>(operand.rank++);
    operand.extent[i] = narrow(dim.extent);
    operand.stride[i] = dim.extent > 1 || i == 0 ? narrow(dim.stride) : 0;
  }
  return operand;
}

/// The phases of a slice: w, h, n, m, oy, ox.
Operand phases_operand(const Plane& plane, const Place& at, int element_bytes, int64_t w, int64_t h,
                       int64_t n, int64_t m, int64_t oy) noexcept {
  return operand(at, element_bytes,
                 {{w, 1},
                  {h, plane.h.phase_stride},
                  {n, plane.outer[0].to},
                  {m, plane.outer[1].to},
                  {oy, plane.h.block_stride},
                  {plane.w.block, plane.w.block_stride}});
}

/// The image of a slice: columns, rows, n, m.
Operand image_operand(const Plane& plane, const Place& at, int element_bytes, int64_t columns,
                      int64_t rows, int64_t n, int64_t m) noexcept {
  return operand(at, element_bytes,
                 {{columns, 1},
                  {rows, plane.h.image_stride},
                  {n, plane.outer[0].from},
                  {m, plane.outer[1].from}});
}

/// Whether the output, of these rows and strides beside the plane's outer ones, may be streamed.
bool streams(const Call& call, const SpaceBatchGeometry& geometry, const Plane& plane, const Kernel& kernel,
             const Place& to, int64_t row, std::initializer_list<int64_t> strides) noexcept {
  if (kernel.entry.stream == nullptr || !wants_stream(call.context, geometry.bytes_moved)) return false;
  std::array<int64_t, kMaxBoxRank + 4> all;
  auto end = std::copy(strides.begin(), strides.end(), all.begin());
  for (int i = 0; i < plane.outer.rank; ++i) {
    *end++ = plane.outer[i].extent == 1 ? 0 : geometry.to_batch ? plane.outer[i].to : plane.outer[i].from;
  }
  return whole_lines(to, geometry.element_bytes, row, std::span(all.begin(), end));
}

/// Dimensions a grid cuts: `inner` ones, then the outer dimensions of the plane.
struct PlaneGrid {
  std::array<int64_t, kMaxBoxRank> extents;
  std::array<int64_t, kMaxBoxRank> image;
  std::array<int64_t, kMaxBoxRank> phases;
  size_t rank = 0;

  void add(int64_t extent, int64_t image_stride, int64_t phase_stride) noexcept {
    extents[rank] = extent;
    image[rank] = image_stride;
    phases[rank++] = phase_stride;
  }
  TaskGrid grid(const Call& call, int kernel_rank, int64_t unit_bytes, int64_t image_reach,
                int64_t phase_reach) const noexcept {
    TaskGrid grid(std::span(extents.data(), rank), kernel_rank, unit_bytes, call.task_bytes());
    grid.keep_within_int32(std::span(image.data(), rank), image_reach);
    grid.keep_within_int32(std::span(phases.data(), rank), phase_reach);
    return grid;
  }
};

/// No padding: straight from the image. Grid: h, oy, n, m, further outer dimensions: the rows that
/// share pages of the image follow each other.
void to_batch(Call& call, const SpaceBatchGeometry& geometry, const Plane& plane, const Kernel& kernel,
              const Place& image, const Place& phases) {
  const int bytes = geometry.element_bytes;
  const int64_t columns = plane.w.image;
  PlaneGrid dims;
  dims.add(plane.h.block, plane.h.image_stride, plane.h.block_stride);
  dims.add(plane.h.phase, plane.h.block * plane.h.image_stride, plane.h.phase_stride);
  for (int i = 0; i < plane.outer.rank; ++i) dims.add(plane.outer[i].extent, plane.outer[i].from, plane.outer[i].to);
  const TaskGrid grid = dims.grid(call, 4, 2 * columns * bytes, columns + plane.h.block * plane.h.image_stride,
                                  plane.w.phase + plane.w.block * plane.w.block_stride);
  const bool stream = streams(call, geometry, plane, kernel, phases, plane.w.phase,
                              {plane.h.phase_stride, plane.h.block_stride, plane.w.block_stride});
  int64_t count = plane.h.phase * plane.h.block * columns * bytes;
  for (int i = 0; i < plane.outer.rank; ++i) count *= plane.outer[i].extent;
  if (explained(call, kernel, stream, count, count, grid.tasks())) return;
  const KernelFn entry = stream ? kernel.entry.stream : kernel.entry.plain;
  const int32_t block_h = narrow(plane.h.block);
  const std::array<const void*, 1> scalars = {&block_h};
  call.for_each_task(grid.tasks(), [&](int64_t task) {
    const TaskGrid::Slice s = grid.slice(task);
    int64_t from = 0;
    int64_t to = 0;
    for (size_t i = 0; i < dims.rank; ++i) {
      from += s.start[i] * dims.image[i];
      to += s.start[i] * dims.phases[i];
    }
    const int64_t rows = (s.count[1] - 1) * plane.h.block + s.count[0];
    const Operand x = image_operand(plane, advanced(image, from, bytes), bytes, columns, rows, s.count[2], s.count[3]);
    const Operand y = phases_operand(plane, advanced(phases, to, bytes), bytes, plane.w.phase, s.count[1],
                                     s.count[2], s.count[3], s.count[0]);
    call_kernel(entry, call, &x, scalars, y);
  });
}

/// A padded image, tile by tile: rows of a few blocks are laid out with their padding in first-level
/// cache, then moved like an image without any. Grid: h, n, m, further outer dimensions.
class PaddedMove {
 public:
  PaddedMove(Call& call, const SpaceBatchGeometry& geometry, const Plane& plane, const Kernel& kernel)
      : call_(call), geometry_(geometry), plane_(plane), kernel_(kernel), copy_(copy_kernel(call, geometry.element_bytes)),
        fill_(fill_kernel(call, geometry.element_bytes)) {
    const int64_t block_row = plane.h.block * plane.w.block * geometry.element_bytes;
    tile_w_ = std::min(plane.w.phase, kTileBytes / block_row);
    if (tile_w_ > 0) tile_h_ = std::clamp<int64_t>(kTileBytes / (block_row * tile_w_), 1, plane.h.phase);
  }

  bool fits() const noexcept { return tile_w_ > 0; }

  void run(const Place& image, const Place& phases) {
    const int bytes = geometry_.element_bytes;
    PlaneGrid dims;
    dims.add(plane_.h.phase, plane_.h.block * plane_.h.image_stride, plane_.h.phase_stride);
    for (int i = 0; i < plane_.outer.rank; ++i) {
      dims.add(plane_.outer[i].extent, plane_.outer[i].from, plane_.outer[i].to);
    }
    const int64_t row_bytes = plane_.w.phase * plane_.w.block * plane_.h.block * bytes;
    const TaskGrid grid = dims.grid(call_, kMaxBoxRank, 2 * row_bytes, 0, 0);
    int64_t planes = 1;
    for (int i = 0; i < plane_.outer.rank; ++i) planes *= plane_.outer[i].extent;
    if (explained(call_, kernel_, false, planes * plane_.w.image * plane_.h.image * bytes,
                  planes * plane_.h.phase * row_bytes, grid.tasks())) {
      return;
    }
    call_.for_each_task(grid.tasks(), [&](int64_t task) {
      const TaskGrid::Slice s = grid.slice(task);
      Tile tile;
      int64_t count = 1;
      for (size_t i = 1; i < dims.rank; ++i) count *= s.count[i];
      for (int64_t p = 0; p < count; ++p) {
        int64_t rest = p;
        int64_t from = 0;
        int64_t to = 0;
        for (size_t i = 1; i < dims.rank; ++i) {
          const int64_t at = s.start[i] + rest % s.count[i];
          rest /= s.count[i];
          from += at * dims.image[i];
          to += at * dims.phases[i];
        }
        move_plane(advanced(image, from, bytes), advanced(phases, to, bytes), s.start[0], s.count[0], tile);
      }
    });
  }

 private:
  /// The image's part of a tile: the rest of it holds padding.
  struct Window {
    int64_t left = 0, right = 0, top = 0, bottom = 0;
    bool operator==(const Window&) const = default;
  };

  struct Tile {
    Tile() {}  // NOLINT(modernize-use-equals-default): leaves the bytes unwritten
    alignas(64) std::array<std::byte, kTileBytes> bytes;
    int64_t columns = 0, rows = 0;
    Window window;
  };

  void move_plane(const Place& image, const Place& phases, int64_t h0, int64_t h_count, Tile& tile) const {
    for (int64_t h = h0; h < h0 + h_count; h += tile_h_) {
      const int64_t places_h = std::min(tile_h_, h0 + h_count - h);
      for (int64_t w = 0; w < plane_.w.phase; w += tile_w_) {
        move_tile(image, phases, h, places_h, w, std::min(tile_w_, plane_.w.phase - w), tile);
      }
    }
  }

  void move_tile(const Place& image, const Place& phases, int64_t h, int64_t places_h, int64_t w,
                 int64_t places_w, Tile& tile) const {
    const int bytes = geometry_.element_bytes;
    const int64_t columns = places_w * plane_.w.block;
    const int64_t rows = places_h * plane_.h.block;
    const int64_t column = w * plane_.w.block - plane_.w.before;  // of the image, at the tile's corner
    const int64_t row = h * plane_.h.block - plane_.h.before;
    const Window window = {.left = std::clamp<int64_t>(-column, 0, columns),
                           .right = std::clamp<int64_t>(plane_.w.image - column, 0, columns),
                           .top = std::clamp<int64_t>(-row, 0, rows),
                           .bottom = std::clamp<int64_t>(plane_.h.image - row, 0, rows)};
    const Place corner = {.data = tile.bytes.data(), .storage = nullptr, .offset = 0, .device = {}};
    // A tile of the same window overwrites just what the one before it wrote.
    const bool whole = window == Window{.left = 0, .right = columns, .top = 0, .bottom = rows};
    if (!whole && (window != tile.window || columns != tile.columns || rows != tile.rows)) {
      const std::array<const void*, 1> value = {&geometry_.pad_bits};
      call_kernel(fill_.entry.plain, call_, nullptr, value,
                  operand(corner, bytes, {{columns * rows, 1}, {1, 0}, {1, 0}, {1, 0}, {1, 0}, {1, 0}}));
    }
    tile.window = window;
    tile.columns = columns;
    tile.rows = rows;
    if (window.left < window.right && window.top < window.bottom) {
      const Dim across = {window.right - window.left, 1};
      const int64_t down = window.bottom - window.top;
      const Place from = advanced(image, (row + window.top) * plane_.h.image_stride + column + window.left, bytes);
      const Place to = advanced(corner, window.top * columns + window.left, bytes);
      const Operand x = operand(from, bytes, {across, {down, plane_.h.image_stride}, {1, 0}, {1, 0}, {1, 0}, {1, 0}});
      const Operand y = operand(to, bytes, {across, {down, columns}, {1, 0}, {1, 0}, {1, 0}, {1, 0}});
      call_kernel(copy_.entry.plain, call_, &x, {}, y);
    }
    const int32_t block_h = narrow(plane_.h.block);
    const std::array<const void*, 1> scalars = {&block_h};
    const Operand x = operand(corner, bytes, {{columns, 1}, {rows, columns}, {1, 0}, {1, 0}});
    const Place to = advanced(phases, h * plane_.h.phase_stride + w, bytes);
    const Operand y = phases_operand(plane_, to, bytes, places_w, places_h, 1, 1, plane_.h.block);
    call_kernel(kernel_.entry.plain, call_, &x, scalars, y);
  }

  Call& call_;
  const SpaceBatchGeometry& geometry_;
  const Plane& plane_;
  Kernel kernel_;
  Kernel copy_;
  Kernel fill_;
  int64_t tile_w_ = 0;  ///< places of a phase
  int64_t tile_h_ = 0;
};

/// Grid: rows of the image, n, m, further outer dimensions. Any crop.
void to_space(Call& call, const SpaceBatchGeometry& geometry, const Plane& plane, const Kernel& kernel,
              const Place& image, const Place& phases) {
  const int bytes = geometry.element_bytes;
  PlaneGrid dims;
  dims.add(plane.h.image, plane.h.image_stride, ceil_div(plane.h.phase_stride, plane.h.block));
  for (int i = 0; i < plane.outer.rank; ++i) dims.add(plane.outer[i].extent, plane.outer[i].from, plane.outer[i].to);
  const TaskGrid grid = dims.grid(call, 3, 2 * plane.w.image * bytes, plane.w.image,
                                  plane.w.phase + plane.w.block * plane.w.block_stride +
                                      plane.h.block * (plane.h.block_stride + plane.h.phase_stride));
  // A streaming kernel writes whole vectors of blocks.
  const bool stream = streams(call, geometry, plane, kernel, image, plane.w.image, {plane.h.image_stride}) &&
                      plane.w.image * bytes % (64 * plane.w.block) == 0;
  int64_t count = plane.h.image * plane.w.image * bytes;
  for (int i = 0; i < plane.outer.rank; ++i) count *= plane.outer[i].extent;
  if (explained(call, kernel, stream, count, count, grid.tasks())) return;
  const KernelFn entry = stream ? kernel.entry.stream : kernel.entry.plain;
  const int32_t block_h = narrow(plane.h.block);
  const int64_t first_place = plane.w.before / plane.w.block;
  const int32_t crop_left = narrow(plane.w.before % plane.w.block);
  call.for_each_task(grid.tasks(), [&](int64_t task) {
    const TaskGrid::Slice s = grid.slice(task);
    int64_t to = 0;
    for (size_t i = 0; i < dims.rank; ++i) to += s.start[i] * dims.image[i];
    const int64_t row = s.start[0] + plane.h.before;
    int64_t from = first_place + row / plane.h.block * plane.h.phase_stride;
    for (size_t i = 1; i < dims.rank; ++i) from += s.start[i] * dims.phases[i];
    const int32_t crop_top = narrow(row % plane.h.block);
    const std::array<const void*, 3> scalars = {&block_h, &crop_top, &crop_left};
    const int64_t places_h = (crop_top + s.count[0] - 1) / plane.h.block + 1;
    const Operand x = phases_operand(plane, advanced(phases, from, bytes), bytes, plane.w.phase - first_place,
                                     places_h, s.count[1], s.count[2], plane.h.block);
    const Operand y = image_operand(plane, advanced(image, to, bytes), bytes, plane.w.image, s.count[0],
                                    s.count[1], s.count[2]);
    call_kernel(entry, call, &x, scalars, y);
  });
}

}  // namespace

bool run_space_batch_interleaved(Call& call, const SpaceBatchGeometry& geometry, const Place& image,
                                 const Place& phases) {
  const SpaceBatchAxis& w = geometry.axis[static_cast<size_t>(geometry.axes - 1)];
  const SpaceBatchAxis h = geometry.axes > 1 ? geometry.axis[static_cast<size_t>(geometry.axes - 2)] : SpaceBatchAxis{};
  if (w.block < 2 || w.block > kMaxBlock || w.image_stride != 1 || w.phase_stride != 1 ||
      geometry.run != 1 || (geometry.channels_last && geometry.channels != 1)) {
    return false;
  }
  const int row = (geometry.to_batch ? kToBatch : kToSpace)[static_cast<size_t>(w.block)]
                                                           [static_cast<size_t>(width_index(geometry.element_bytes))];
  // Offsets between the phases of one block are a kernel's own, in int32.
  const double reach = static_cast<double>(w.block) * std::abs(static_cast<double>(w.block_stride)) +
                       static_cast<double>(h.block) * (std::abs(static_cast<double>(h.block_stride)) +
                                                       std::abs(static_cast<double>(h.image_stride)) +
                                                       std::abs(static_cast<double>(h.phase_stride))) +
                       static_cast<double>(w.image) + static_cast<double>(w.before);
  if (row < 0 || reach > std::numeric_limits<int32_t>::max()) return false;
  const Kernel kernel = pick_kernel(space_batch::kKernelNames, space_batch::kKernels, row, call.targets, call.op);
  const int outer_axes = std::max(geometry.axes - 2, 0);
  const int bytes = geometry.element_bytes;
  if (geometry.to_batch && (padded(w) || padded(h))) {
    const Plane plane = plane_of(geometry, OuterPiece{});
    if (!PaddedMove(call, geometry, plane, kernel).fits()) return false;
  }
  for_each_outer_piece(geometry, outer_axes, [&](const OuterPiece& piece) {
    const Plane plane = plane_of(geometry, piece);
    const Place here = advanced(image, piece.image_offset, bytes);
    const Place there = advanced(phases, piece.phase_offset, bytes);
    if (!geometry.to_batch) {
      if (piece.inside) to_space(call, geometry, plane, kernel, here, there);
    } else if (!piece.inside) {
      Box box;
      box.add({w.phase, 0, w.phase_stride});
      box.add({h.phase, 0, h.phase_stride});
      for (int i = 0; i < plane.outer.rank; ++i) box.add(plane.outer[i]);
      box.add({w.block, 0, w.block_stride});
      box.add({h.block, 0, h.block_stride});
      fill_box(call, geometry.pad_bits, there, bytes, box);
    } else if (padded(w) || padded(h)) {
      PaddedMove(call, geometry, plane, kernel).run(here, there);
    } else {
      to_batch(call, geometry, plane, kernel, here, there);
    }
  });
  return true;
}

}  // namespace sylvite::internal
