// SpaceToBatch with padding: tiles of the image are laid out with their padding in cache, then moved
// like an image without any.
#include "runtime/ops/space_batch_plane.h"

namespace sylvite::internal {
namespace {

/// How much of a plane one tile takes: places of a phase, and planes along the innermost outer
/// dimension.
struct TileShape {
  int64_t w = 0;
  int64_t h = 0;
  int64_t n = 1;
};

/// One place of a phase takes `unit` elements of the tile. Whole rows first, then whole planes; the
/// common small plane needs no division.
TileShape tile_shape(int64_t capacity, int64_t w, int64_t h, int64_t n, int64_t unit) noexcept {
  if (unit * w * h <= capacity) {
    return {.w = w, .h = h, .n = n == 1 ? 1 : std::clamp<int64_t>(capacity / (unit * w * h), 1, n)};
  }
  TileShape tile;
  tile.w = std::min(w, capacity / unit);
  if (tile.w == 0) return tile;
  tile.h = std::clamp<int64_t>(capacity / (unit * tile.w), 1, h);
  return tile;
}

/// Calls visit(image offset, phase offset, tile extents…) for the tiles of a slice. Grid: h, n, further
/// outer dimensions.
template <typename Visit>
void for_each_tile(const PlaneGrid& dims, const TaskGrid::Slice& s, const TileShape& tile,
                   const Visit& visit) {
  int64_t planes = 1;
  for (size_t i = 2; i < dims.rank; ++i) planes *= s.count[i];
  for (int64_t p = 0; p < planes; ++p) {
    int64_t rest = p;
    int64_t image = 0;
    int64_t phases = 0;
    for (size_t i = 2; i < dims.rank; ++i) {
      const int64_t at = s.start[i] + rest % s.count[i];
      rest /= s.count[i];
      image += at * dims.image[i];
      phases += at * dims.phases[i];
    }
    const bool whole = s.count[0] == dims.extents[0];
    const int64_t step_n = whole ? tile.n : 1;
    for (int64_t n = s.start[1]; n < s.start[1] + s.count[1]; n += step_n) {
      const int64_t count_n = std::min(step_n, s.start[1] + s.count[1] - n);
      for (int64_t h = s.start[0]; h < s.start[0] + s.count[0]; h += tile.h) {
        visit(image + n * dims.image[1], phases + n * dims.phases[1], count_n, h,
              std::min(tile.h, s.start[0] + s.count[0] - h));
      }
    }
  }
}

class PaddedTiles {
 public:
  explicit PaddedTiles(const PlaneMove& move)
      : move_(move),
        bytes_(move.geometry.element_bytes),
        tile_(tile_shape(kTileBytes / bytes_, move.plane.w.phase, move.plane.h.phase,
                         move.plane.outer[0].extent,
                         move.plane.w.block * move.plane.h.block * move.channels)),
        copy_(copy_kernel(move.call, bytes_)),
        fill_(fill_kernel(move.call, bytes_)) {
    const Plane& plane = move.plane;
    stream_ = tile_.w == plane.w.phase &&
              move.streams_rows(plane.w.phase,
                                {plane.h.phase_stride, plane.h.block_stride, plane.w.block_stride});
  }

  void run() const {
    const Plane& plane = move_.plane;
    PlaneGrid dims;
    dims.add(plane.h.phase, plane.h.block * plane.h.image_stride, plane.h.phase_stride);
    dims.add(plane.outer);
    const int64_t row = plane.w.phase * plane.w.block * move_.channels;
    const TaskGrid grid = dims.grid(
        move_.call, kMaxBoxRank, 2 * row * plane.h.block * bytes_,
        row + plane.h.block * plane.h.image_stride,
        row + plane.w.block * plane.w.block_stride + plane.h.block * plane.h.block_stride);
    if (move_.explained(stream_, grid.tasks())) return;
    move_.call.for_each_task(grid.tasks(), [&](int64_t task) {
      Tile memory;
      for_each_tile(dims, grid.slice(task), tile_,
                    [&](int64_t image, int64_t phases, int64_t n, int64_t h, int64_t rows) {
                      for (int64_t w = 0; w < plane.w.phase; w += tile_.w) {
                        const Part part = {
                            image, phases, n, h, rows, w, std::min(tile_.w, plane.w.phase - w)};
                        move_part(part, memory);
                      }
                    });
    });
  }

 private:
  /// The image's part of a padded tile: the rest of it holds padding.
  struct Window {
    int64_t left = 0, right = 0, top = 0, bottom = 0;
    bool operator==(const Window&) const = default;
  };

  struct Tile {
    Tile() {}  // NOLINT(modernize-use-equals-default): leaves the bytes unwritten
    alignas(64) std::array<std::byte, kTileBytes> bytes;
    int64_t columns = 0, rows = 0, n = 0;
    Window window;
  };

  /// What one tile takes: n planes, `rows` places from h on, `columns` places from w on.
  struct Part {
    int64_t image, phases;
    int64_t n;
    int64_t h, rows;
    int64_t w, columns;
  };

  void move_part(const Part& part, Tile& tile) const {
    const Plane& plane = move_.plane;
    const Operand x = lay_out(part, tile);
    const Place to =
        advanced(move_.phases,
                 part.phases + part.h * plane.h.phase_stride + part.w * move_.channels, bytes_);
    const Operand y = phases_operand(move_, to, part.columns, {part.rows, plane.h.phase_stride},
                                     {part.n, plane.outer[0].to}, {1, 0}, plane.h.block);
    const int32_t block_h = narrow(plane.h.block);
    const std::array<const void*, 1> scalars = {&block_h};
    call_kernel(stream_ ? move_.kernel.entry.stream : move_.kernel.entry.plain, move_.call, &x,
                scalars, y);
  }

  /// The part's rows with their padding, in cache.
  Operand lay_out(const Part& part, Tile& tile) const {
    const Plane& plane = move_.plane;
    const int64_t columns = part.columns * plane.w.block;
    const int64_t rows = part.rows * plane.h.block;
    const int64_t column =
        part.w * plane.w.block - plane.w.before;  // of the image, at the tile's corner
    const int64_t row = part.h * plane.h.block - plane.h.before;
    const Window window = {.left = std::clamp<int64_t>(-column, 0, columns),
                           .right = std::clamp<int64_t>(plane.w.image - column, 0, columns),
                           .top = std::clamp<int64_t>(-row, 0, rows),
                           .bottom = std::clamp<int64_t>(plane.h.image - row, 0, rows)};
    const int64_t row_elements = columns * move_.channels;
    const Place corner = {.data = tile.bytes.data(), .storage = nullptr, .offset = 0, .device = {}};
    // A tile of the same window overwrites just what the one before it wrote.
    const bool whole = window == Window{.left = 0, .right = columns, .top = 0, .bottom = rows};
    const bool same =
        window == tile.window && columns == tile.columns && rows == tile.rows && part.n <= tile.n;
    if (!whole && !same) {
      const std::array<const void*, 1> value = {&move_.geometry.pad_bits};
      call_kernel(fill_.entry.plain, move_.call, nullptr, value,
                  box_operand(corner, bytes_, {{row_elements * rows * part.n, 1}}));
    }
    if (!same) {
      tile.window = window;
      tile.columns = columns;
      tile.rows = rows;
      tile.n = part.n;
    }
    if (window.left < window.right && window.top < window.bottom) {
      const Dim across = {(window.right - window.left) * move_.channels, 1};
      const int64_t down = window.bottom - window.top;
      const Place from = advanced(move_.image,
                                  part.image + (row + window.top) * plane.h.image_stride +
                                      (column + window.left) * move_.channels,
                                  bytes_);
      const Place to =
          advanced(corner, window.top * row_elements + window.left * move_.channels, bytes_);
      const Operand x = box_operand(
          from, bytes_, {across, {down, plane.h.image_stride}, {part.n, plane.outer[0].from}});
      const Operand y =
          box_operand(to, bytes_, {across, {down, row_elements}, {part.n, row_elements * rows}});
      call_kernel(copy_.entry.plain, move_.call, &x, {}, y);
    }
    return image_operand(move_, corner, columns, {rows, row_elements},
                         {part.n, row_elements * rows}, {1, 0});
  }

  const PlaneMove& move_;
  int bytes_;
  bool stream_ = false;
  TileShape tile_;
  Kernel copy_;
  Kernel fill_;
};

}  // namespace

void to_batch_padded(const PlaneMove& move) { PaddedTiles(move).run(); }

}  // namespace sylvite::internal
