// What the (de)interleaving moves share: the last two axes as a plane, everything else outside.
#pragma once

#include <algorithm>
#include <array>
#include <initializer_list>
#include <span>
#include <string_view>

#include "runtime/ops/space_batch.h"

namespace sylvite::internal {

inline constexpr int kMaxBlock = 8;  ///< of the compiled ones
using KernelIndex = std::array<std::array<int, 4>, kMaxBlock + 1>;

/// Table rows by block and width, from the kernels' names.
template <size_t Count>
consteval KernelIndex index_of(const std::array<std::string_view, Count>& names,
                               std::string_view generator) {
  KernelIndex index;
  for (int block = 0; block <= kMaxBlock; ++block) {
    std::array<char, 64> stem = {};
    size_t length = 0;
    for (const char c : generator) stem[length++] = c;
    for (const char c : {'_', 'b', static_cast<char>('0' + block), '_', 'u'}) stem[length++] = c;
    index[static_cast<size_t>(block)] = find_widths(names, std::string_view(stem.data(), length));
  }
  return index;
}

/// One direction's dispatch table and what of it serves whom. Two, and reached through the operator
/// alone, so that a program links the kernels of the directions it goes.
struct SpaceBatchKernels {
  std::span<const std::string_view> names;
  std::span<const KernelRow> rows;
  KernelIndex columns;  ///< taking apart or putting together the columns of a row
  KernelIndex pixels;   ///< the same with three channels
  KernelIndex masked;   ///< into the batch, with padding
  std::array<int, 4> gpu = {};

  Kernel pick(const Call& call, int row) const {
    return pick_kernel(names, rows, row, call.targets, call.op);
  }
};

/// -1 where no kernel is built for the block.
inline int row_of(const KernelIndex& index, int64_t block, int element_bytes) noexcept {
  if (block > kMaxBlock) return -1;
  return index[static_cast<size_t>(block)][static_cast<size_t>(width_index(element_bytes))];
}

/// The last axis (columns), the one before it (rows; one row where there is none), everything else.
struct Plane {
  SpaceBatchAxis w;
  SpaceBatchAxis h;
  Box outer;  ///< `from` image, `to` phases; innermost first, at least two dimensions
};

inline bool is_padded(const SpaceBatchAxis& axis) noexcept {
  return axis.before != 0 || axis.image != axis.phase * axis.block;
}

/// Places [first, first + rows) of the rows, as an axis of their own with the image's part of them.
inline SpaceBatchAxis rows_of(const Plane& plane, int64_t first, int64_t rows) noexcept {
  const int64_t all = rows * plane.h.block;
  const int64_t row = first * plane.h.block - plane.h.before;  // of the image
  const int64_t top = std::clamp<int64_t>(-row, 0, all);
  const int64_t bottom = std::clamp<int64_t>(plane.h.image - row, 0, all);
  return {.block = plane.h.block, .before = top, .image = bottom - top, .phase = rows};
}

/// A (de)interleaving move of one plane's geometry, between two places.
struct PlaneMove {
  Call& call;
  const SpaceBatchGeometry& geometry;
  const Plane& plane;
  const Kernel& kernel;
  Place image;
  Place phases;
  int64_t channels;  ///< of a pixel whose elements stand together and move together
  bool transposes;   ///< the kernel is the transpose of any block: only from a tile

  bool padded() const noexcept { return is_padded(plane.w) || is_padded(plane.h); }
  /// Whether the output's rows of `row` elements, with these strides and the plane's outer ones, are
  /// whole cache lines that the kernel's streaming twin may write.
  bool streams_rows(int64_t row, std::initializer_list<int64_t> strides) const noexcept;
  /// Notes what the move would take where the call only explains.
  bool explained(bool stream, int64_t tasks) const noexcept;
};

/// The dimensions of a grid, with their strides on both sides.
struct PlaneGrid {
  std::array<int64_t, kMaxBoxRank + 2> extents;
  std::array<int64_t, kMaxBoxRank + 2> image;
  std::array<int64_t, kMaxBoxRank + 2> phases;
  size_t rank = 0;

  void add(int64_t extent, int64_t image_stride, int64_t phase_stride) noexcept {
    extents[rank] = extent;
    image[rank] = image_stride;
    phases[rank++] = phase_stride;
  }
  void add(const Box& box) noexcept {
    for (int i = 0; i < box.rank; ++i) add(box[i].extent, box[i].from, box[i].to);
  }
  TaskGrid grid(const Call& call, int kernel_rank, int64_t unit_bytes, int64_t image_reach,
                int64_t phase_reach) const noexcept {
    TaskGrid grid(std::span(extents.data(), rank), kernel_rank, unit_bytes, call.task_bytes());
    grid.keep_within_int32(std::span(image.data(), rank), image_reach);
    grid.keep_within_int32(std::span(phases.data(), rank), phase_reach);
    return grid;
  }
};

inline int32_t narrow(int64_t value) noexcept { return static_cast<int32_t>(value); }

struct Dim {
  int64_t extent = 1;
  int64_t stride = 0;
};

inline Operand operand(const Place& at, int element_bytes,
                       std::initializer_list<Dim> dims) noexcept {
  Operand operand;
  operand.data = at.data;
  operand.storage = at.storage;
  operand.offset = at.offset;
  operand.device = at.device;
  operand.element_bytes = element_bytes;
  for (const Dim& dim : dims) {
    const auto i = static_cast<size_t>(operand.rank++);
    operand.extent[i] = narrow(dim.extent);
    // A dimension of one step may have a stride beyond int32; nothing multiplies it.
    operand.stride[i] = dim.extent > 1 ? narrow(dim.stride) : i == 0;
  }
  return operand;
}

/// The same with the six dimensions of the box kernels.
inline Operand box_operand(const Place& at, int element_bytes,
                           std::initializer_list<Dim> dims) noexcept {
  Operand box = operand(at, element_bytes, dims);
  while (box.rank < kKernelBoxRank) {
    const auto i = static_cast<size_t>(box.rank++);
    box.extent[i] = 1;
    box.stride[i] = 0;
  }
  return box;
}

/// Whole pixels in front of the other dimensions. Their kernels are promised dense rows, also where a
/// row is one pixel.
inline Operand pixels_operand(const PlaneMove& move, const Place& at, int64_t columns,
                              std::initializer_list<Dim> dims) noexcept {
  Operand rows = operand(at, move.geometry.element_bytes, dims);
  rows.extent[0] = narrow(move.channels);
  rows.extent[1] = narrow(columns);
  rows.stride[0] = 1;
  rows.stride[1] = narrow(move.channels);
  return rows;
}

/// The image as the kernels see it: columns, rows, n, m; with pixels of several channels those first
/// and no m.
inline Operand image_operand(const PlaneMove& move, const Place& at, int64_t columns, Dim rows,
                             Dim n, Dim m) noexcept {
  if (move.channels != 1) return pixels_operand(move, at, columns, {{}, {}, rows, n});
  return operand(at, move.geometry.element_bytes, {{columns, 1}, rows, n, m});
}

/// The phases alike: w, h, n, m, oy, ox. The blocks are the plane's.
inline Operand phases_operand(const PlaneMove& move, const Place& at, int64_t columns, Dim rows,
                              Dim n, Dim m, int64_t oy) noexcept {
  const Dim block_rows = {oy, move.plane.h.block_stride};
  const Dim block_columns = {move.plane.w.block, move.plane.w.block_stride};
  if (move.channels != 1) {
    return pixels_operand(move, at, columns, {{}, {}, rows, n, block_rows, block_columns});
  }
  return operand(at, move.geometry.element_bytes,
                 {{columns, 1}, rows, n, m, block_rows, block_columns});
}

/// A tile stays in the first two levels of cache, and on any thread's stack.
inline constexpr int64_t kTileBytes = 64 << 10;

/// Moves a padded image to its phases. A block of it has to fit a tile.
void to_batch_padded(const PlaneMove& move, Threads threads = Threads::kAll);

/// The same without a tile; false where the rows are not the kind for it.
bool to_batch_masked(const PlaneMove& move);

}  // namespace sylvite::internal
