// SpaceToBatch and BatchToSpace by the kernels that (de)interleave the columns of a row.
#include <algorithm>
#include <bit>
#include <cstdlib>
#include <limits>
#include <optional>

#include "runtime/checked.h"
#include "runtime/ops/space_batch_plane.h"

namespace sylvite::internal {
namespace {

constexpr int64_t kPixelChannels = 3;
constexpr int64_t kLeastTranspose = 1024;  ///< elements; below, the boxes cost more than they save

/// The kernel for a geometry and the channels it moves together.
struct Choice {
  Kernel kernel;
  int64_t channels = 1;
  bool transposes = false;
};

Plane plane_of(const SpaceBatchGeometry& geometry, const OuterPiece& piece,
               int64_t channels) noexcept {
  Plane plane;
  plane.w = geometry.columns();
  plane.h = geometry.rows();
  for (int i = 0; i < piece.places.rank; ++i) plane.outer.add(piece.places[i]);
  if (channels == 1) {
    plane.outer.add(
        {geometry.channels, geometry.image_channel_stride, geometry.phase_channel_stride});
  }
  plane.outer.add({geometry.batch, geometry.image_batch_stride, geometry.phase_batch_stride});
  for (int i = 0; i < piece.blocks.rank; ++i) plane.outer.add(piece.blocks[i]);
  plane.outer.canonicalize();
  while (plane.outer.rank < 2) plane.outer.add({1, 0, 0});
  return plane;
}

/// One vector for a row too short for whole ones: what it writes past the row's end the next row
/// replaces (kernels go down the rows of a phase in order), and only the last rows of all are moved to
/// their exact length. 1.2 to 1.9 times the speed in cache; nothing is gained the other way round, to
/// the image.
struct Overrun {
  int64_t lanes = 0;  ///< of the vector; 0 where every row is moved to its exact length
  int64_t exact = 0;  ///< last rows of a phase for whose sake nothing past the end is touched

  /// Calls rows(first n, count of n, first row, rows, columns) for rows of n planes, or for a part of
  /// one plane.
  template <typename Rows>
  void for_rows(int64_t n, int64_t count, bool whole, int64_t columns, const Rows& rows) const {
    constexpr int64_t kLeast = 16;  // rows; below, two more calls cost more than they save
    if (lanes == 0 || !(whole || n == 1) || count <= exact || n * count < kLeast)
      return rows(0, n, 0, count, columns);
    if (n > 1) rows(0, n - 1, 0, count, lanes);
    rows(n - 1, 1, 0, count - exact, lanes);
    rows(n - 1, 1, count - exact, exact, columns);
  }
};

/// Where the rows of a phase stand one behind the other, and the image's in the order of memory: what
/// is read past a row's end then belongs to one of the last rows at worst.
Overrun overrun_of(const PlaneMove& move) noexcept {
  const auto& [w, h, outer] = move.plane;
  const BoxDim& n = outer[0];
  const auto lanes =
      std::max<int64_t>(static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(w.phase))), 4);
  if (move.channels != 1 || lanes == w.phase || lanes * move.geometry.element_bytes > kLineBytes)
    return {};
  const bool dense =
      h.phase_stride == w.phase && (n.extent == 1 || n.to == h.phase_stride * h.phase);
  const bool ascending =
      h.image_stride >= w.image && (n.extent == 1 || n.from >= h.image_stride * h.image);
  if (!dense || !ascending) return {};
  return {.lanes = lanes, .exact = ceil_div(lanes - w.phase, w.phase)};
}

/// Straight from an image without padding. Grid: oy, h, n, m, further outer dimensions: a task reads
/// whole blocks of rows, in order.
void to_batch(const PlaneMove& move) {
  const Plane& plane = move.plane;
  const int bytes = move.geometry.element_bytes;
  const int64_t row = plane.w.image * move.channels;
  PlaneGrid dims;
  dims.add(plane.h.block, plane.h.image_stride, plane.h.block_stride);
  dims.add(plane.h.phase, plane.h.block * plane.h.image_stride, plane.h.phase_stride);
  dims.add(plane.outer);
  const Overrun overrun = overrun_of(move);
  const int looped = move.channels == 1 && overrun.lanes == 0 ? 4 : 3;
  const TaskGrid grid =
      dims.grid(move.call, looped, 2 * row * bytes, row + plane.h.block * plane.h.image_stride,
                row + plane.w.block * plane.w.block_stride);
  const bool stream = move.streams_rows(
      plane.w.phase, {plane.h.phase_stride, plane.h.block_stride, plane.w.block_stride});
  if (move.explained(stream, grid.tasks())) return;
  const KernelFn entry = stream ? move.kernel.entry.stream : move.kernel.entry.plain;
  const int32_t block_h = narrow(plane.h.block);
  const std::array<const void*, 1> scalars = {&block_h};
  move.call.for_each_task(grid.tasks(), [&](int64_t task) {
    const TaskGrid::Slice s = grid.slice(task);
    int64_t from = 0;
    int64_t to = 0;
    for (size_t i = 0; i < dims.rank; ++i) {
      from += s.start[i] * dims.image[i];
      to += s.start[i] * dims.phases[i];
    }
    const auto rows = [&](int64_t n, int64_t planes, int64_t h, int64_t places, int64_t columns) {
      const Operand x = image_operand(
          move, advanced(move.image, from + n * dims.image[2] + h * dims.image[1], bytes),
          columns * plane.w.block,
          {(places - 1) * plane.h.block + s.count[0], plane.h.image_stride},
          {planes, dims.image[2]}, {s.count[3], dims.image[3]});
      const Operand y = phases_operand(
          move, advanced(move.phases, to + n * dims.phases[2] + h * dims.phases[1], bytes), columns,
          {places, plane.h.phase_stride}, {planes, dims.phases[2]}, {s.count[3], dims.phases[3]},
          s.count[0]);
      call_kernel(entry, move.call, &x, scalars, y);
    };
    overrun.for_rows(s.count[2], s.count[1], s.count[1] == plane.h.phase, plane.w.phase, rows);
  });
}

/// Straight to the image, any crop. Grid: rows of the image, n, m, further outer dimensions.
void to_space(const PlaneMove& move) {
  const Plane& plane = move.plane;
  const int bytes = move.geometry.element_bytes;
  PlaneGrid dims;
  dims.add(plane.h.image, plane.h.image_stride, ceil_div(plane.h.phase_stride, plane.h.block));
  dims.add(plane.outer);
  const int64_t columns = plane.w.image * move.channels;
  const int looped = move.channels == 1 ? 3 : 2;
  const TaskGrid grid =
      dims.grid(move.call, looped, 2 * columns * bytes, columns,
                columns + plane.w.block * plane.w.block_stride +
                    plane.h.block * (plane.h.block_stride + plane.h.phase_stride));
  // A streaming kernel writes whole vectors of blocks.
  const bool stream = plane.w.image * bytes % (kLineBytes * plane.w.block) == 0 &&
                      move.streams_rows(plane.w.image, {plane.h.image_stride});
  if (move.explained(stream, grid.tasks())) return;
  const KernelFn entry = stream ? move.kernel.entry.stream : move.kernel.entry.plain;
  const int32_t block_h = narrow(plane.h.block);
  const int64_t first_place = plane.w.before / plane.w.block;
  const int32_t crop_left = narrow(plane.w.before % plane.w.block);
  move.call.for_each_task(grid.tasks(), [&](int64_t task) {
    const TaskGrid::Slice s = grid.slice(task);
    int64_t to = 0;
    for (size_t i = 0; i < dims.rank; ++i) to += s.start[i] * dims.image[i];
    const int64_t row = s.start[0] + plane.h.before;
    int64_t from = first_place * move.channels + row / plane.h.block * plane.h.phase_stride;
    for (size_t i = 1; i < dims.rank; ++i) from += s.start[i] * dims.phases[i];
    const int32_t crop_top = narrow(row % plane.h.block);
    const std::array<const void*, 3> scalars = {&block_h, &crop_top, &crop_left};
    const int64_t places = (crop_top + s.count[0] - 1) / plane.h.block + 1;
    const Operand x =
        phases_operand(move, advanced(move.phases, from, bytes), plane.w.phase - first_place,
                       {places, plane.h.phase_stride}, {s.count[1], dims.phases[1]},
                       {s.count[2], dims.phases[2]}, plane.h.block);
    const Operand y = image_operand(move, advanced(move.image, to, bytes), plane.w.image,
                                    {s.count[0], plane.h.image_stride}, {s.count[1], dims.image[1]},
                                    {s.count[2], dims.image[2]});
    call_kernel(entry, move.call, &x, scalars, y);
  });
}

void fill_plane(const PlaneMove& move) {
  const Plane& plane = move.plane;
  Box box;
  box.add({move.channels, 0, 1});
  box.add({plane.w.phase, 0, plane.w.phase_stride});
  box.add({plane.h.phase, 0, plane.h.phase_stride});
  for (int i = 0; i < plane.outer.rank; ++i) box.add(plane.outer[i]);
  box.add({plane.w.block, 0, plane.w.block_stride});
  box.add({plane.h.block, 0, plane.h.block_stride});
  fill_box(move.call, move.geometry.pad_bits, move.phases, move.geometry.element_bytes, box,
           move.geometry.bytes_moved);
}

/// The kernel for this geometry; nothing where none applies.
std::optional<Choice> choose(const Call& call, const SpaceBatchGeometry& geometry) {
  const SpaceBatchAxis w = geometry.columns();
  const SpaceBatchAxis h = geometry.rows();
  const int64_t channels = geometry.channels_last ? geometry.channels : 1;
  if (w.block < 2 || geometry.run != 1 || w.image_stride != channels ||
      w.phase_stride != channels || (channels != 1 && channels != kPixelChannels) ||
      (channels != 1 &&
       (geometry.image_channel_stride != 1 || geometry.phase_channel_stride != 1))) {
    return std::nullopt;
  }
  // Rows of one block are a transpose of blocks, not rows to be taken apart.
  if (w.phase == 1 && w.before == 0 && w.image == w.block &&
      geometry.output_count >= kLeastTranspose) {
    return std::nullopt;
  }
  // Offsets between the phases of one block are a kernel's own, in int32.
  const auto size = [](int64_t value) { return std::abs(static_cast<double>(value)); };
  const double reach =
      size(w.block) * size(w.block_stride) + (size(w.image) + size(w.before)) * size(channels) +
      size(h.block) * (size(h.block_stride) + size(h.image_stride) + size(h.phase_stride));
  if (reach > std::numeric_limits<int32_t>::max()) return std::nullopt;
  if (geometry.to_batch && h.block * w.block * channels * geometry.element_bytes > kTileBytes)
    return std::nullopt;
  const auto pick = [&](const KernelIndex& index) -> std::optional<Choice> {
    const int row = row_of(index, w.block, geometry.element_bytes);
    if (row < 0) return std::nullopt;
    return Choice{geometry.kernels->pick(call, row), channels};
  };
  if (channels == 1) {
    const auto choice = pick(geometry.kernels->columns);
    if (choice || !geometry.to_batch || !(is_padded(w) || is_padded(h)) ||
        w.phase * geometry.element_bytes >= kLineBytes) {
      return choice;
    }
    return Choice{.kernel = transpose_kernel(call, geometry.element_bytes), .transposes = true};
  }
  return pick(geometry.kernels->pixels);
}

}  // namespace

bool PlaneMove::streams_rows(int64_t row, std::initializer_list<int64_t> strides) const noexcept {
  if (kernel.entry.stream == nullptr || !wants_stream(call.context, geometry.bytes_moved))
    return false;
  std::array<int64_t, kMaxBoxRank + 4> all;
  auto* end = std::copy(strides.begin(), strides.end(), all.begin());
  for (int i = 0; i < plane.outer.rank; ++i) {
    const BoxDim& dim = plane.outer[i];
    *end++ = dim.extent == 1 ? 0 : geometry.to_batch ? dim.to : dim.from;
  }
  return whole_lines(geometry.to_batch ? phases : image, geometry.element_bytes, row,
                     std::span(all.begin(), end));
}

bool PlaneMove::explained(bool stream, int64_t tasks) const noexcept {
  int64_t planes = geometry.element_bytes * channels;
  for (int i = 0; i < plane.outer.rank; ++i) planes *= plane.outer[i].extent;
  const int64_t image_bytes = planes * plane.h.image * plane.w.image;
  const int64_t phase_bytes =
      planes * plane.h.phase * plane.h.block * plane.w.phase * plane.w.block;
  // A cropped phase is read where the image has it.
  return internal::explained(call, kernel, stream, image_bytes,
                             geometry.to_batch ? phase_bytes : image_bytes, tasks);
}

bool run_space_batch_interleaved(Call& call, const SpaceBatchGeometry& geometry, const Place& image,
                                 const Place& phases) {
  const std::optional<Choice> choice = choose(call, geometry);
  if (!choice) return false;
  const int bytes = geometry.element_bytes;
  const OuterPieces pieces(geometry, std::max(geometry.axes - 2, 0));
  for (int64_t i = 0; i < pieces.count(); ++i) {
    const OuterPiece piece = pieces.piece(i);
    const Plane plane = plane_of(geometry, piece, choice->channels);
    const PlaneMove move = {call,
                            geometry,
                            plane,
                            choice->kernel,
                            advanced(image, piece.image_offset, bytes),
                            advanced(phases, piece.phase_offset, bytes),
                            choice->channels,
                            choice->transposes};
    if (!geometry.to_batch) {
      if (piece.inside) to_space(move);
    } else if (!piece.inside) {
      fill_plane(move);
    } else if (move.padded()) {
      if (!to_batch_masked(move)) to_batch_padded(move);
    } else {
      to_batch(move);
    }
  }
  return true;
}

}  // namespace sylvite::internal
