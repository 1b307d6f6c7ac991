// Numbers as another dtype on a GPU: a launch per step, through scratch memory where there are more.
#include <limits>

#include "runtime/ops/cast.h"
#include "runtime/ops/cast_path.h"

namespace sylvite::internal {
namespace {

constexpr CastPaths kPaths = make_cast_paths("cast_gpu_");
constexpr int64_t kScratchElements = int64_t{16} << 20;

/// An operand of this slice's extents that lies dense in scratch memory, behind `bytes`-wide elements.
Operand scratch_operand(const Operand& like, const Tensor& scratch, int bytes) noexcept {
  Operand operand = like;
  const Place place = place_of(scratch, bytes);
  operand.data = place.data;
  operand.storage = place.storage;
  operand.offset = place.offset;
  operand.element_bytes = bytes;
  int64_t dense = 1;
  for (size_t i = 0; i < static_cast<size_t>(operand.rank); ++i) {
    operand.stride[i] = static_cast<int32_t>(dense);
    dense *= operand.extent[i];
  }
  return operand;
}

void launch(Call& call, int row, const Operand& x, const Operand& y) {
  const Kernel kernel = pick_kernel(cast::kKernelNames, cast::kKernels, row, call.targets, call.op);
  std::array<const void*, kKernelBoxRank> extents;
  for (size_t i = 0; i < kKernelBoxRank; ++i) extents[i] = &y.extent[i];
  call_kernel(kernel.entry.plain, call, &x, extents, y);
}

/// Throws where an element of the box is out of an OpenCL kernel's reach.
void require_reachable(const Call& call, const Box& box, Place place, int64_t BoxDim::*stride) {
  for (int i = 0; i < box.rank; ++i)
    place.offset += (box[i].extent - 1) * std::max<int64_t>(box[i].*stride, 0);
  call.require_reachable(place);
}

}  // namespace

void run_gpu_cast(Call& call, DType from, DType to, const Box& box, const Place& x,
                  const Place& y) {
  const CastPath& path = kPaths[static_cast<size_t>(from)][static_cast<size_t>(to)];
  const int from_bytes = cast_bytes(from);
  const int to_bytes = cast_bytes(to);
  std::array<int64_t, kMaxBoxRank> extents;
  std::array<int64_t, kMaxBoxRank> from_strides;
  std::array<int64_t, kMaxBoxRank> to_strides;
  const auto rank = static_cast<size_t>(box.rank);
  for (size_t i = 0; i < rank; ++i) {
    extents[i] = box.dims[i].extent;
    from_strides[i] = box.dims[i].from;
    to_strides[i] = box.dims[i].to;
  }
  TaskGrid grid(std::span(extents.data(), rank), kKernelBoxRank, 1,
                path.count == 1 ? call.task_bytes() : kScratchElements);
  grid.keep_within_int32(std::span(from_strides.data(), rank), 0);
  grid.keep_within_int32(std::span(to_strides.data(), rank), 0);
  const CastStep& last = path.steps[static_cast<size_t>(path.count) - 1];
  const Kernel kernel =
      pick_kernel(cast::kKernelNames, cast::kKernels, last.row, call.targets, call.op);
  if (explained(call, kernel, false, box.count() * from_bytes, box.count() * to_bytes,
                grid.tasks()))
    return;
  require_reachable(call, box, x, &BoxDim::from);
  require_reachable(call, box, y, &BoxDim::to);

  std::array<Tensor, CastPath::kMaxSteps> scratch;
  for (int i = 0; i + 1 < path.count; ++i) {
    scratch[static_cast<size_t>(i)] =
        device_scratch(call, path.steps[static_cast<size_t>(i)].to,
                       Shape{std::min(box.count(), kScratchElements)});
  }
  call.for_each_task(grid.tasks(), [&](int64_t task) {
    const TaskGrid::Slice slice = grid.slice(task);
    const Operand out = operand_of(y, to_bytes, box, slice, &BoxDim::to);
    Operand in = operand_of(x, from_bytes, box, slice, &BoxDim::from);
    for (int i = 0; i + 1 < path.count; ++i) {
      const CastStep& step = path.steps[static_cast<size_t>(i)];
      const Operand next =
          scratch_operand(out, scratch[static_cast<size_t>(i)], cast_bytes(step.to));
      launch(call, step.row, in, next);
      in = next;
    }
    launch(call, last.row, in, out);
  });
}

}  // namespace sylvite::internal
