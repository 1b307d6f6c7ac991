// SpaceToBatch with padding: tiles of the image are laid out with their padding in cache, then moved
// like an image without any.
#include <cstring>

#include "runtime/checked.h"
#include "runtime/ops/space_batch_plane.h"

namespace sylvite::internal {
namespace {

/// A tile of so little is laid out here: calls of kernels would take longer.
constexpr int64_t kSmallTileBytes = 256;

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
  if (capacity < unit) return tile;
  // Equal tiles: one and a bit become two of the same size.
  tile.w = ceil_div(w, ceil_div(w, std::min(w, capacity / unit)));
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
    stream_ =
        tile_.w == move.plane.w.phase &&
        move.streams_rows(move.plane.w.phase, {move.plane.h.phase_stride, move.plane.h.block_stride,
                                               move.plane.w.block_stride});
  }

  void run(Threads threads) const {
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
    move_.call.for_each_task(
        grid.tasks(),
        [&](int64_t task) {
          Tile memory;
          for_each_tile(dims, grid.slice(task), tile_,
                        [&](int64_t image, int64_t phases, int64_t n, int64_t h, int64_t rows) {
                          for (int64_t w = 0; w < plane.w.phase; w += tile_.w) {
                            const Part part = {
                                image, phases, n, h, rows, w, std::min(tile_.w, plane.w.phase - w)};
                            move_part(part, memory);
                          }
                        });
        },
        threads);
  }

 private:
  /// What one tile takes: n planes, `rows` places from h on, `columns` places from w on.
  struct Part {
    int64_t image, phases;
    int64_t n;
    int64_t h, rows;
    int64_t w, columns;
  };

  /// The image's part of a padded tile: the rest of it holds padding.
  struct Window {
    int64_t n = 0, rows = 0, columns = 0;  ///< of the tile
    int64_t left = 0, right = 0;           ///< columns of a padded row
    int64_t top = 0, bottom = 0;           ///< rows of a padded plane
    bool operator==(const Window&) const = default;
  };

  struct Tile {
    Tile() {}  // NOLINT(modernize-use-equals-default): leaves the bytes unwritten
    alignas(64) std::array<std::byte, kTileBytes> bytes;
    Window window;
  };

  void move_part(const Part& part, Tile& tile) const {
    const Plane& plane = move_.plane;
    const Place from = {.data = tile.bytes.data(), .storage = nullptr, .offset = 0, .device = {}};
    const Place to =
        advanced(move_.phases,
                 part.phases + part.h * plane.h.phase_stride + part.w * move_.channels, bytes_);
    lay_out(part, from, tile);
    const int64_t places = part.n * part.rows;
    if (one_run(part)) return send(from, to, places * part.columns, {1, 0}, {1, 0}, plane.h.block);
    for (int64_t oy = 0; oy < plane.h.block; ++oy) {
      send(advanced(from, oy * places * row_elements(part), bytes_),
           advanced(to, oy * plane.h.block_stride, bytes_), part.columns,
           {part.rows, plane.h.phase_stride}, {part.n, plane.outer[0].to}, 1);
    }
  }

  /// Whether the places of a tile stand in each phase one behind the other, as they do in the tile:
  /// then no row is too short for a vector.
  bool one_run(const Part& part) const noexcept {
    const int64_t row = part.columns * move_.channels;
    return (part.n == 1 || move_.plane.outer[0].to == row * part.rows) &&
           (part.rows == 1 || move_.plane.h.phase_stride == row);
  }

  int64_t row_elements(const Part& part) const noexcept {
    return part.columns * move_.plane.w.block * move_.channels;
  }

  /// Moves the rows of one block row of a tile, or one long row of each of `oy` block rows.
  void send(const Place& from, const Place& to, int64_t columns, const Dim& rows, const Dim& n,
            int64_t oy) const {
    const SpaceBatchAxis& w = move_.plane.w;
    const int64_t row = columns * w.block * move_.channels;
    if (move_.transposes) {
      const Dim down = oy > 1 ? Dim{oy, move_.plane.h.block_stride} : rows;
      const Operand x = operand(
          from, bytes_,
          {{w.block, 1}, {columns, w.block}, {down.extent, row}, {n.extent, row * down.extent}});
      const Operand y = operand(to, bytes_, {{columns, 1}, {w.block, w.block_stride}, down, n});
      return call_kernel(move_.kernel.entry.plain, move_.call, &x, {}, y);
    }
    const Operand x =
        image_operand(move_, from, columns * w.block, {std::max(rows.extent, oy), row},
                      {n.extent, row * rows.extent}, {1, 0});
    const Operand y = phases_operand(move_, to, columns, rows, n, {1, 0}, oy);
    constexpr int32_t kBlockHeight = 1;
    const std::array<const void*, 1> scalars = {&kBlockHeight};
    call_kernel(stream_ ? move_.kernel.entry.stream : move_.kernel.entry.plain, move_.call, &x,
                scalars, y);
  }

  /// The part's rows with their padding, in cache: the block rows apart, in each of them the planes'
  /// rows one behind the other.
  void lay_out(const Part& part, const Place& corner, Tile& tile) const {
    const Plane& plane = move_.plane;
    const int64_t columns = part.columns * plane.w.block;
    const int64_t rows = part.rows * plane.h.block;
    // Of the image, at the tile's corner.
    const int64_t column = part.w * plane.w.block - plane.w.before;
    const int64_t row = part.h * plane.h.block - plane.h.before;
    const Window window = {.n = part.n,
                           .rows = rows,
                           .columns = columns,
                           .left = std::clamp<int64_t>(-column, 0, columns),
                           .right = std::clamp<int64_t>(plane.w.image - column, 0, columns),
                           .top = std::clamp<int64_t>(-row, 0, rows),
                           .bottom = std::clamp<int64_t>(plane.h.image - row, 0, rows)};
    const int64_t row_size = columns * move_.channels;
    // A tile of the same window overwrites just what the one before it wrote.
    const bool whole =
        window.left == 0 && window.right == columns && window.top == 0 && window.bottom == rows;
    const bool small = row_size * rows * part.n * bytes_ <= kSmallTileBytes;
    if (!whole && window != tile.window) {
      if (small) {
        fill_small(tile);
      } else {
        const std::array<const void*, 1> value = {&move_.geometry.pad_bits};
        call_kernel(fill_.entry.plain, move_.call, nullptr, value,
                    box_operand(corner, bytes_, {{row_size * rows * part.n, 1}}));
      }
    }
    tile.window = window;
    if (window.left >= window.right) return;
    for (const AxisPiece& piece : pieces_of(rows_of(plane, part.h, part.rows))) {
      if (!piece.inside) continue;
      const int64_t first = piece.place * plane.h.block + piece.phase;
      const Place from = advanced(move_.image,
                                  part.image + (row + first) * plane.h.image_stride +
                                      (column + window.left) * move_.channels,
                                  bytes_);
      const Place to = advanced(corner,
                                (piece.phase * part.n * part.rows + piece.place) * row_size +
                                    window.left * move_.channels,
                                bytes_);
      Box box;
      box.add({(window.right - window.left) * move_.channels, 1, 1});
      box.add({piece.places, plane.h.block * plane.h.image_stride, row_size});
      box.add({part.n, plane.outer[0].from, row_size * part.rows});
      box.add({piece.phases, plane.h.image_stride, row_size * part.rows * part.n});
      if (small) {
        copy_small(from, to, box);
        continue;
      }
      const TaskGrid::Slice all = {
          .start = {}, .count = {box[0].extent, box[1].extent, box[2].extent, box[3].extent}};
      const Operand x = operand_of(from, bytes_, box, all, &BoxDim::from);
      const Operand y = operand_of(to, bytes_, box, all, &BoxDim::to);
      call_kernel(copy_.entry.plain, move_.call, &x, {}, y);
    }
  }

  void fill_small(Tile& tile) const noexcept {
    uint64_t pattern = move_.geometry.pad_bits;
    for (int filled = bytes_; filled < 8; filled *= 2) pattern |= pattern << (8 * filled);
    for (size_t i = 0; i < kSmallTileBytes; i += sizeof pattern)
      std::memcpy(tile.bytes.data() + i, &pattern, sizeof pattern);
  }

  void copy_small(const Place& from, const Place& to, const Box& rows) const noexcept {
    for (int64_t k = 0; k < rows[3].extent; ++k) {
      for (int64_t j = 0; j < rows[2].extent; ++j) {
        for (int64_t i = 0; i < rows[1].extent; ++i) {
          std::memcpy(to.data + (i * rows[1].to + j * rows[2].to + k * rows[3].to) * bytes_,
                      from.data + (i * rows[1].from + j * rows[2].from + k * rows[3].from) * bytes_,
                      static_cast<size_t>(rows[0].extent * bytes_));
        }
      }
    }
  }

  const PlaneMove& move_;
  int bytes_;
  bool stream_ = false;
  TileShape tile_;
  Kernel copy_;
  Kernel fill_;
};

}  // namespace

void to_batch_padded(const PlaneMove& move, Threads threads) { PaddedTiles(move).run(threads); }

}  // namespace sylvite::internal
