// SpaceToBatch of short rows with padding, straight from the image: vectors reach beyond a row on
// either side, and a mask puts padding in the place of what they read there.
#include <cstring>

#include "runtime/ops/space_batch_plane.h"

namespace sylvite::internal {
namespace {

/// The mask of a row, in first-level cache beside what a kernel moves.
constexpr int64_t kMaskBytes = 4 << 10;
/// Fewer planes are not worth the two that go through tiles.
constexpr int64_t kLeastPlanes = 8;
/// Below this a row is no vector.
constexpr int64_t kLeastPlaces = 4;

/// Whether planes stand one behind the other in the image, so that beyond any row of the inner ones
/// there is image.
bool reads_on(const Plane& plane) noexcept {
  const BoxDim& planes = plane.outer[0];
  const int64_t size = plane.h.image * plane.w.image;
  return (plane.h.image == 1 || plane.h.image_stride == plane.w.image) && planes.from == size &&
         plane.outer[1].extent == 1 && plane.outer.rank == 2 && plane.w.before <= size &&
         plane.w.phase * plane.w.block - plane.w.before - plane.w.image <= size;
}

class MaskedRows {
 public:
  explicit MaskedRows(const PlaneMove& move)
      : move_(move), bytes_(move.geometry.element_bytes), fill_(fill_kernel(move.call, bytes_)) {
    const SpaceBatchAxis& w = move.plane.w;
    std::memset(inside_.data(), 0, static_cast<size_t>(w.block * w.phase * bytes_));
    for (const AxisPiece& piece : pieces_of(w)) {
      if (!piece.inside) continue;
      for (int64_t ox = piece.phase; ox < piece.phase + piece.phases; ++ox) {
        std::memset(inside_.data() + (ox * w.phase + piece.place) * bytes_, 0xff,
                    static_cast<size_t>(piece.places * bytes_));
      }
    }
  }

  /// Moves its rows, and `others` by way of a tile.
  void run(const PlaneMove& others) const {
    const Plane& plane = move_.plane;
    PlaneGrid dims;
    dims.add(plane.h.phase, plane.h.block * plane.h.image_stride, plane.h.phase_stride);
    dims.add(plane.outer[0].extent, plane.outer[0].from, plane.outer[0].to);
    const int64_t row = plane.w.phase * plane.w.block;
    const TaskGrid grid = dims.grid(
        move_.call, 2, 2 * row * plane.h.block * bytes_, row + plane.h.block * plane.h.image_stride,
        row + plane.w.block * plane.w.block_stride + plane.h.block * plane.h.block_stride);
    if (move_.explained(false, grid.tasks())) return to_batch_padded(others);
    move_.call.for_each_task(1 + grid.tasks(), [&](int64_t task) {
      if (task == 0) return to_batch_padded(others, Threads::kThis);
      const TaskGrid::Slice s = grid.slice(task - 1);
      const Place image = advanced(move_.image, s.start[1] * plane.outer[0].from, bytes_);
      const Place phases = advanced(move_.phases, s.start[1] * plane.outer[0].to, bytes_);
      for (const AxisPiece& piece : pieces_of(rows_of(plane, s.start[0], s.count[0]))) {
        const int64_t h = s.start[0] + piece.place;
        const Place to =
            advanced(phases, h * plane.h.phase_stride + piece.phase * plane.h.block_stride, bytes_);
        if (!piece.inside) {
          fill(to, piece, s.count[1]);
          continue;
        }
        const int64_t r = h * plane.h.block + piece.phase - plane.h.before;
        copy(advanced(image, r * plane.h.image_stride - plane.w.before, bytes_), to, piece,
             s.count[1]);
      }
    });
  }

 private:
  void fill(const Place& to, const AxisPiece& piece, int64_t planes) const {
    const Plane& plane = move_.plane;
    const std::array<const void*, 1> value = {&move_.geometry.pad_bits};
    call_kernel(fill_.entry.plain, move_.call, nullptr, value,
                box_operand(to, bytes_,
                            {{plane.w.phase, 1},
                             {piece.places, plane.h.phase_stride},
                             {planes, plane.outer[0].to},
                             {piece.phases, plane.h.block_stride},
                             {plane.w.block, plane.w.block_stride}}));
  }

  void copy(const Place& from, const Place& to, const AxisPiece& piece, int64_t planes) const {
    const Plane& plane = move_.plane;
    std::array<Dim, 2> x = {Dim{piece.places, plane.h.block * plane.h.image_stride},
                            Dim{planes, plane.outer[0].from}};
    std::array<Dim, 2> y = {Dim{piece.places, plane.h.phase_stride},
                            Dim{planes, plane.outer[0].to}};
    // The kernel's inner loop is the longer one.
    if (planes > piece.places) {
      std::swap(x[0], x[1]);
      std::swap(y[0], y[1]);
    }
    const Place mask = {.data = const_cast<std::byte*>(inside_.data())};
    const std::array<Operand, 2> inputs = {
        operand(
            from, bytes_,
            {{plane.w.phase * plane.w.block, 1}, x[0], x[1], {piece.phases, plane.h.image_stride}}),
        operand(mask, bytes_, {{plane.w.phase, 1}, {plane.w.block, plane.w.phase}})};
    const Operand output = operand(to, bytes_,
                                   {{plane.w.phase, 1},
                                    y[0],
                                    y[1],
                                    {piece.phases, plane.h.block_stride},
                                    {plane.w.block, plane.w.block_stride}});
    const std::array<const void*, 1> value = {&move_.geometry.pad_bits};
    call_kernel(move_.kernel.entry.plain, move_.call, inputs, value, std::span(&output, 1));
  }

  const PlaneMove& move_;
  int bytes_;
  Kernel fill_;
  alignas(64) std::array<std::byte, kMaskBytes> inside_;
};

}  // namespace

bool to_batch_masked(const PlaneMove& move) {
  const Plane& plane = move.plane;
  const int bytes = move.geometry.element_bytes;
  const BoxDim& planes = plane.outer[0];
  if (planes.extent < kLeastPlanes || move.channels != 1 || plane.w.phase < kLeastPlaces ||
      plane.w.block * plane.w.phase > kMaskBytes / bytes || !reads_on(plane) ||
      wants_stream(move.call.context, move.geometry.bytes_moved)) {
    return false;
  }
  const int index = row_of(move.geometry.kernels->masked, plane.w.block, bytes);
  if (index < 0) return false;
  const Kernel masked = move.geometry.kernels->pick(move.call, index);
  // The first and the last plane: nothing stands before the one and behind the other.
  Plane outermost = plane;
  outermost.outer[0] = {2, planes.from * (planes.extent - 1), planes.to * (planes.extent - 1)};
  const PlaneMove others = {move.call,  move.geometry, outermost,     move.kernel,
                            move.image, move.phases,   move.channels, move.transposes};
  Plane inner = plane;
  inner.outer[0].extent -= 2;
  MaskedRows({move.call, move.geometry, inner, masked, advanced(move.image, planes.from, bytes),
              advanced(move.phases, planes.to, bytes), move.channels, false})
      .run(others);
  return true;
}

}  // namespace sylvite::internal
