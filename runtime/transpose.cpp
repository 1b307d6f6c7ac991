// Boxes whose output is dense along one dimension and whose input is dense along another.
#include <algorithm>

#include "runtime/move.h"
#include "transpose_kernels.h"

namespace sylvite::internal {
namespace {

constexpr std::array<int, 4> kTranspose = find_widths(transpose::kKernelNames, "transpose_u");
constexpr int kRank = 4;
/// Below this a side has no vector to gain.
constexpr int64_t kLeastSide = 2;

/// The dimension that is dense on one side; -1 where there is none worth it.
int dense_along(const Box& box, int64_t BoxDim::*stride) noexcept {
  for (int i = 0; i < box.rank; ++i) {
    if (box[i].*stride == 1 && box[i].extent >= kLeastSide) return i;
  }
  return -1;
}

}  // namespace

Kernel transpose_kernel(const Call& call, int element_bytes) {
  return pick_kernel(transpose::kKernelNames, transpose::kKernels,
                     kTranspose[static_cast<size_t>(width_index(element_bytes))], call.targets,
                     call.op);
}

bool transpose_box(Call& call, const Place& from, const Place& to, int element_bytes,
                   const Box& box, Threads threads) {
  const int a = dense_along(box, &BoxDim::to);
  const int b = dense_along(box, &BoxDim::from);
  if (!call.on_cpu() || a < 0 || b < 0 || a == b) return false;
  Box planes;
  planes.add(box[a]);
  planes.add(box[b]);
  for (int i = 0; i < box.rank; ++i) {
    if (i != a && i != b) planes.add(box[i]);
  }
  planes.canonicalize();
  // Tasks take the shorter side whole: cut across it, each would read every line of x.
  const bool b_first = planes[1].extent < planes[0].extent;
  if (b_first) std::swap(planes[0], planes[1]);
  const Kernel kernel = transpose_kernel(call, element_bytes);
  const TaskGrid grid = grid_of(call, planes, kRank, element_bytes, 1);
  const int64_t bytes = planes.count() * element_bytes;
  if (explained(call, kernel, false, bytes, bytes, grid.tasks())) return true;
  call.for_each_task(
      grid.tasks(),
      [&](int64_t task) {
        const TaskGrid::Slice slice = grid.slice(task);
        Operand x = operand_of(from, element_bytes, planes, slice, &BoxDim::from);
        Operand y = operand_of(to, element_bytes, planes, slice, &BoxDim::to);
        Operand& other = b_first ? y : x;
        std::swap(other.extent[0], other.extent[1]);
        std::swap(other.stride[0], other.stride[1]);
        x.stride[0] = y.stride[0] = 1;
        x.rank = y.rank = kRank;
        call_kernel(kernel.entry.plain, call, &x, {}, y);
      },
      threads);
  return true;
}

}  // namespace sylvite::internal
