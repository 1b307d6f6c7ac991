// SpaceToBatch and BatchToSpace as geometry: an image on one side, its phases on the other.
#pragma once

#include <array>
#include <cstdint>

#include "runtime/move.h"

namespace sylvite::internal {

/// One spatial axis. Place s of phase p holds image element s * block + p - before. Strides in
/// elements.
struct SpaceBatchAxis {
  int64_t block = 1;
  int64_t before = 0;  ///< padded or cropped in front
  int64_t image = 1;   ///< extent in the image
  int64_t phase = 1;   ///< extent in a phase
  int64_t image_stride = 1;
  int64_t phase_stride = 1;
  int64_t block_stride = 0;  ///< from phase p to p + 1
};

/// The kernels of one direction, space_batch_plane.h.
struct SpaceBatchKernels;
extern const SpaceBatchKernels kIntoBatch;
extern const SpaceBatchKernels kIntoSpace;

struct SpaceBatchGeometry {
  const SpaceBatchKernels* kernels = nullptr;
  bool to_batch = true;  ///< from image to phases, else back
  bool channels_last = false;
  int element_bytes = 1;
  int run = 1;  ///< elements of the kernel per element of the tensor, where alignment asks for it
  int axes = 0;
  std::array<SpaceBatchAxis, 4> axis = {};  ///< outermost first
  int64_t batch = 1;                        ///< of the image
  int64_t channels = 1;
  int64_t image_batch_stride = 0;
  int64_t phase_batch_stride = 0;
  int64_t image_channel_stride = 0;
  int64_t phase_channel_stride = 0;
  uint64_t pad_bits = 0;     ///< one element, in the low bytes
  int64_t bytes_moved = 0;   ///< read and written
  int64_t output_count = 0;  ///< elements

  /// The last spatial axis, and the one before it: one row where there is none.
  SpaceBatchAxis columns() const noexcept { return axis[static_cast<size_t>(axes - 1)]; }
  SpaceBatchAxis rows() const noexcept {
    return axes > 1 ? axis[static_cast<size_t>(axes - 2)] : SpaceBatchAxis{};
  }
};

/// The places of one axis that behave alike: phases [phase, phase + phases), places
/// [place, place + places) of each; either all of them in the image, or none.
struct AxisPiece {
  int64_t phase, phases;
  int64_t place, places;
  bool inside;
};

/// At most three groups of phases, each with a front, a middle and an end.
struct AxisPieces {
  std::array<AxisPiece, 9> pieces;
  int count = 0;

  const AxisPiece* begin() const noexcept { return pieces.data(); }
  const AxisPiece* end() const noexcept { return pieces.data() + count; }
};

AxisPieces pieces_of(const SpaceBatchAxis& axis) noexcept;

/// The move as boxes of strided copies and fills: any strides, any blocks.
void run_space_batch_boxes(Call& call, const SpaceBatchGeometry& geometry, const Place& image,
                           const Place& phases);

/// The move by the kernels that (de)interleave the last axis; false where they do not apply.
bool run_space_batch_interleaved(Call& call, const SpaceBatchGeometry& geometry, const Place& image,
                                 const Place& phases);

/// The move on a GPU by the kernels for any block; false where they do not apply.
bool run_space_batch_gpu(Call& call, const SpaceBatchGeometry& geometry, const Place& image,
                         const Place& phases);

/// A combination of pieces of the outer axes (those before the last two): the dimensions they add,
/// innermost first, and where they begin.
struct OuterPiece {
  bool inside = true;
  int64_t image_offset = 0;
  int64_t phase_offset = 0;
  Box places;  ///< `from` is the image's stride, `to` the phases'
  Box blocks;
};

/// Every combination of pieces of the first `axes` axes.
class OuterPieces {
 public:
  OuterPieces(const SpaceBatchGeometry& geometry, int axes) noexcept;

  int64_t count() const noexcept { return count_; }
  OuterPiece piece(int64_t i) const noexcept;

 private:
  const SpaceBatchGeometry& geometry_;
  size_t axes_;
  std::array<AxisPieces, 4> pieces_;
  int64_t count_ = 1;
};

/// A box of (image, phases) strides in the direction of the move.
Box directed(Box box, bool to_batch) noexcept;

}  // namespace sylvite::internal
