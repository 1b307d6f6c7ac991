// SpaceToBatch and BatchToSpace on a GPU: one launch per plane of the last two axes.
#include <algorithm>
#include <cstdlib>
#include <limits>

#include "runtime/ops/space_batch_plane.h"

namespace sylvite::internal {
namespace {

/// Whether every offset inside the operands fits a kernel's int32.
bool fits(std::initializer_list<Dim> dims) noexcept {
  double reach = 1;
  for (const Dim& dim : dims) {
    reach += static_cast<double>(dim.extent) * std::abs(static_cast<double>(dim.stride));
  }
  return reach < std::numeric_limits<int32_t>::max();
}

}  // namespace

bool run_space_batch_gpu(Call& call, const SpaceBatchGeometry& geometry, const Place& image,
                         const Place& phases) {
  if (geometry.run != 1 || (geometry.channels_last && geometry.channels != 1)) return false;
  const int bytes = geometry.element_bytes;
  const auto index = static_cast<size_t>(width_index(bytes));
  const int row = geometry.kernels->gpu[index];
  if (row < 0) return false;
  const SpaceBatchAxis w = geometry.columns();
  const SpaceBatchAxis h = geometry.rows();
  const Dim n_image = {geometry.channels, geometry.image_channel_stride};
  const Dim m_image = {geometry.batch, geometry.image_batch_stride};
  const Dim n_phase = {geometry.channels, geometry.phase_channel_stride};
  const Dim m_phase = {geometry.batch, geometry.phase_batch_stride};
  if (geometry.axes > 2 || w.image == 0 || h.image == 0 || w.before > INT32_MAX / 2 ||
      h.before > INT32_MAX / 2 ||
      !fits({{w.image, w.image_stride}, {h.image, h.image_stride}, n_image, m_image}) ||
      !fits({{w.phase, w.phase_stride},
             {h.phase, h.phase_stride},
             n_phase,
             m_phase,
             {h.block, h.block_stride},
             {w.block, w.block_stride}})) {
    return false;
  }
  const Kernel kernel = geometry.kernels->pick(call, row);
  const int64_t written = geometry.output_count * bytes;
  if (explained(call, kernel, false, geometry.bytes_moved - written, written, 1)) return true;
  const Operand here = operand(
      image, bytes, {{w.image, w.image_stride}, {h.image, h.image_stride}, n_image, m_image});
  const Operand there = operand(phases, bytes,
                                {{w.phase, w.phase_stride},
                                 {h.phase, h.phase_stride},
                                 n_phase,
                                 m_phase,
                                 {h.block, h.block_stride},
                                 {w.block, w.block_stride}});
  call.require_reachable(image);
  call.require_reachable(phases);
  const auto before_w = static_cast<int32_t>(w.before);
  const auto before_h = static_cast<int32_t>(h.before);
  const auto& to = there.extent;
  if (geometry.to_batch) {
    const std::array<const void*, 11> scalars = {&geometry.pad_bits,
                                                 here.extent.data(),
                                                 &here.extent[1],
                                                 &before_w,
                                                 &before_h,
                                                 to.data(),
                                                 &to[1],
                                                 &to[2],
                                                 &to[3],
                                                 &to[4],
                                                 &to[5]};
    call_kernel(kernel.entry.plain, call, &here, scalars, there);
  } else {
    const std::array<const void*, 8> scalars = {
        &to[5],          &to[4],          &before_w,      &before_h, here.extent.data(),
        &here.extent[1], &here.extent[2], &here.extent[3]};
    call_kernel(kernel.entry.plain, call, &there, scalars, here);
  }
  return true;
}

}  // namespace sylvite::internal
