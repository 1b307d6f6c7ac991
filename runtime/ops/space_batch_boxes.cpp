// SpaceToBatch and BatchToSpace as boxes of strided copies and fills.
#include <algorithm>

#include "runtime/checked.h"
#include "runtime/ops/space_batch.h"

namespace sylvite::internal {
namespace {

/// Runs shorter than a cache line keep their neighbours in the inner loop: each line is read once.
constexpr int64_t kShortRunBytes = 64;

/// From here on a box alone keeps all threads busy.
constexpr int64_t kLargeBoxBytes = 4 << 20;

void append(Box& box, const Box& more) noexcept {
  for (int i = 0; i < more.rank; ++i) box.add(more[i]);
}

/// The loops of one combination of pieces, innermost first.
Box loops_of(const SpaceBatchGeometry& geometry, const OuterPiece& piece) noexcept {
  const BoxDim channels = {geometry.channels, geometry.image_channel_stride,
                           geometry.phase_channel_stride};
  const BoxDim batch = {geometry.batch, geometry.image_batch_stride, geometry.phase_batch_stride};
  const int64_t run = geometry.channels * geometry.run * geometry.element_bytes;
  const bool short_run = geometry.channels_last && run < kShortRunBytes;
  Box box;
  box.add({geometry.run, 1, 1});
  if (geometry.channels_last) box.add(channels);
  if (!geometry.to_batch) {
    // The image's own order: writes are sequential.
    for (int i = 0; i < piece.places.rank; ++i) {
      box.add(piece.blocks[i]);
      box.add(piece.places[i]);
    }
  } else if (short_run) {
    box.add(piece.places[0]);
    box.add(piece.blocks[0]);
    for (int i = 1; i < piece.places.rank; ++i) box.add(piece.places[i]);
  } else {
    append(box, piece.places);
  }
  if (!geometry.channels_last) box.add(channels);
  box.add(batch);
  if (geometry.to_batch) {
    for (int i = short_run ? 1 : 0; i < piece.blocks.rank; ++i) box.add(piece.blocks[i]);
  }
  return box;
}

}  // namespace

AxisPieces pieces_of(const SpaceBatchAxis& axis) noexcept {
  AxisPieces result;
  if (axis.before == 0 && axis.image == axis.block * axis.phase) {
    result.pieces[static_cast<size_t>(result.count++)] = {0, axis.block, 0, axis.phase, true};
    return result;
  }
  // Phase p lies in the image for places [low(p), high(p)); both bounds step down once as p grows.
  const auto bound = [&](int64_t element, int64_t p) {
    const int64_t distance = element - p;
    return distance <= 0 ? 0 : std::min(ceil_div(distance, axis.block), axis.phase);
  };
  const auto low = [&](int64_t p) { return bound(axis.before, p); };
  const auto high = [&](int64_t p) { return bound(axis.before + axis.image, p); };
  // The first phase whose bound is lower than that of phase 0; the block where there is none.
  const auto step = [&](int64_t element) {
    return element == 0 ? axis.block : (element - 1) % axis.block + 1;
  };
  std::array<int64_t, 4> cuts = {0, step(axis.before), step(axis.before + axis.image), axis.block};
  std::sort(cuts.begin(), cuts.end());
  for (size_t i = 0; i + 1 < cuts.size(); ++i) {
    const int64_t phase = cuts[i];
    const int64_t phases = cuts[i + 1] - phase;
    if (phases == 0) continue;
    const int64_t from = low(phase);
    const int64_t to = std::max(from, high(phase));
    const auto add = [&](int64_t begin, int64_t end, bool inside) {
      if (begin < end) {
        result.pieces[static_cast<size_t>(result.count++)] = {phase, phases, begin, end - begin,
                                                              inside};
      }
    };
    add(0, from, false);
    add(from, to, true);
    add(to, axis.phase, false);
  }
  return result;
}

Box directed(Box box, bool to_batch) noexcept {
  if (!to_batch) {
    for (int i = 0; i < box.rank; ++i) std::swap(box[i].from, box[i].to);
  }
  return box;
}

OuterPieces::OuterPieces(const SpaceBatchGeometry& geometry, int axes) noexcept
    : geometry_(geometry), axes_(static_cast<size_t>(axes)) {
  for (size_t a = 0; a < axes_; ++a) {
    pieces_[a] = pieces_of(geometry.axis[a]);
    count_ *= pieces_[a].count;
  }
}

OuterPiece OuterPieces::piece(int64_t i) const noexcept {
  OuterPiece outer;
  for (size_t a = axes_; a-- > 0;) {
    const SpaceBatchAxis& axis = geometry_.axis[a];
    const AxisPiece& piece = pieces_[a].pieces[static_cast<size_t>(i % pieces_[a].count)];
    i /= pieces_[a].count;
    outer.inside = outer.inside && piece.inside;
    outer.image_offset +=
        (piece.place * axis.block + piece.phase - axis.before) * axis.image_stride;
    outer.phase_offset += piece.place * axis.phase_stride + piece.phase * axis.block_stride;
    outer.places.add({piece.places, axis.block * axis.image_stride, axis.phase_stride});
    outer.blocks.add({piece.phases, axis.image_stride, axis.block_stride});
  }
  return outer;
}

void run_space_batch_boxes(Call& call, const SpaceBatchGeometry& geometry, const Place& image,
                           const Place& phases) {
  const int bytes = geometry.element_bytes;
  const OuterPieces pieces(geometry, geometry.axes);
  const auto run = [&](const OuterPiece& piece, const Box& box, Threads threads) {
    const Place there = advanced(phases, piece.phase_offset, bytes);
    if (piece.inside) {
      const Place here = advanced(image, piece.image_offset, bytes);
      copy_box(call, geometry.to_batch ? here : there, geometry.to_batch ? there : here, bytes,
               directed(box, geometry.to_batch), geometry.bytes_moved, threads);
    } else if (geometry.to_batch) {
      for (int r = 0; r < geometry.run; ++r) {
        Box part = box;
        if (geometry.run > 1) part[0].extent = 1;
        fill_box(call, geometry.pad_bits >> (8 * bytes * r), advanced(there, r, bytes), bytes, part,
                 geometry.bytes_moved, threads);
      }
    }
  };
  // Boxes that are large, or most of the call, are shared out one after the other; the others go to
  // the threads as they are.
  const auto run_if = [&](int64_t i, Threads threads) {
    const OuterPiece piece = pieces.piece(i);
    const Box box = loops_of(geometry, piece);
    const int64_t count = box.count();
    const bool large =
        count * bytes >= kLargeBoxBytes || 4 * count > geometry.output_count * geometry.run;
    if (large == (threads == Threads::kAll)) run(piece, box, threads);
  };
  if (pieces.count() == 1) {
    const OuterPiece piece = pieces.piece(0);
    return run(piece, loops_of(geometry, piece), Threads::kAll);
  }
  for (int64_t i = 0; i < pieces.count(); ++i) run_if(i, Threads::kAll);
  if (call.explanation != nullptr || !call.on_cpu()) {
    for (int64_t i = 0; i < pieces.count(); ++i) run_if(i, Threads::kThis);
  } else {
    call.for_each_task(pieces.count(), [&](int64_t i) { run_if(i, Threads::kThis); });
  }
}

}  // namespace sylvite::internal
