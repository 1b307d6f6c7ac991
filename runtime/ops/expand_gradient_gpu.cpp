// A sum on a GPU: pass after pass over the whole tensor, each of which adds up to 8 rows of an axis.
// The order of additions follows from the shapes here too; it is the neighbours' on every axis.
#include <algorithm>
#include <cstdlib>
#include <optional>

#include "runtime/checked.h"
#include "runtime/ops/expand_gradient_passes.h"

namespace sylvite::internal {
namespace {

constexpr int kKernelDims = 2 + kPassOuter;

/// Device memory of sums or elements, dense.
struct Sums {
  Place place = {};
  SumElement element = {};
};

/// A pass along axis `summed` of a box; `to` is dense.
struct Pass {
  Box box;         ///< `from` strides; extents of what is read
  int summed = 0;  ///< a dimension of it

  int64_t rows() const noexcept { return box[summed].extent; }
};

/// Dimensions in the order of the kernel: what lies inside of the summed one, that one, the rest.
Box kernel_box(const Pass& pass) noexcept {
  Box box;
  const auto add = [&](const BoxDim& dim) { box.add(dim); };
  const bool inside = pass.summed > 0;
  add(inside ? pass.box[0] : BoxDim{.extent = 1, .from = 0, .to = 0});
  add(pass.box[pass.summed]);
  for (int i = inside ? 1 : 0; i < pass.box.rank; ++i) {
    if (i != pass.summed) add(pass.box[i]);
  }
  return box;
}

void add_pass(Call& call, const Kernel& kernel, const Sums& from, const Sums& to,
              const Pass& pass) {
  Box box = kernel_box(pass);
  const int64_t rows = box[1].extent;
  const int64_t row_stride = box[1].from;
  box[1].extent = ceil_div(rows, kSumRows);
  box[1].from *= kSumRows;
  std::array<int64_t, kMaxBoxRank> extents;
  std::array<int64_t, kMaxBoxRank> from_strides;
  std::array<int64_t, kMaxBoxRank> to_strides;
  const auto rank = static_cast<size_t>(box.rank);
  for (size_t i = 0; i < rank; ++i) {
    extents[i] = box.dims[i].extent;
    from_strides[i] = box.dims[i].from;
    to_strides[i] = box.dims[i].to;
  }
  TaskGrid grid(std::span(extents.data(), rank), kKernelDims, 1, call.task_bytes());
  grid.keep_within_int32(std::span(from_strides.data(), rank), kSumRows * std::abs(row_stride));
  grid.keep_within_int32(std::span(to_strides.data(), rank), 0);
  call.require_reachable(from.place);
  call.require_reachable(to.place);
  call.for_each_task(grid.tasks(), [&](int64_t task) {
    const TaskGrid::Slice slice = grid.slice(task);
    int64_t from_offset = 0;
    int64_t to_offset = 0;
    for (size_t i = 0; i < rank; ++i) {
      from_offset += slice.start[i] * from_strides[i];
      to_offset += slice.start[i] * to_strides[i];
    }
    const auto operand = [&](const Sums& sums, int64_t offset, const auto& strides) {
      const Place at = advanced(sums.place, offset, sums.element.bytes);
      Operand result;
      result.data = at.data;
      result.storage = at.storage;
      result.offset = at.offset;
      result.device = at.device;
      result.kind = sums.element.kind;
      result.element_bytes = sums.element.bytes;
      result.rank = kKernelDims;
      for (size_t i = 0; i < kKernelDims; ++i) {
        const bool used = i < rank;
        result.extent[i] = used ? static_cast<int32_t>(slice.count[i]) : 1;
        result.stride[i] =
            used && (slice.count[i] > 1 || i == 1) ? static_cast<int32_t>(strides[i]) : 0;
      }
      return result;
    };
    Operand x = operand(from, from_offset, from_strides);
    const Operand y = operand(to, to_offset, to_strides);
    x.stride[1] = static_cast<int32_t>(row_stride);
    const auto rows_here =
        static_cast<int32_t>(std::min(rows - slice.start[1] * kSumRows, slice.count[1] * kSumRows));
    x.extent[1] = rows_here;
    const std::array<const void*, 6> scalars = {&rows_here,   y.extent.data(), &y.extent[1],
                                                &y.extent[2], &y.extent[3],    &y.extent[4]};
    call_kernel(kernel.entry.plain, call, &x, scalars, y);
  });
}

void round_all(Call& call, const Kernel& kernel, const Sums& from, const Sums& to, int64_t count) {
  constexpr int64_t kPiece = int64_t{1} << 30;
  for (int64_t start = 0; start < count; start += kPiece) {
    const auto operand = [&](const Sums& sums) {
      const Place at = advanced(sums.place, start, sums.element.bytes);
      Operand result;
      result.data = at.data;
      result.storage = at.storage;
      result.offset = at.offset;
      result.device = at.device;
      result.kind = sums.element.kind;
      result.element_bytes = sums.element.bytes;
      result.rank = 1;
      result.extent[0] = static_cast<int32_t>(std::min(kPiece, count - start));
      result.stride[0] = 1;
      return result;
    };
    const Operand x = operand(from);
    const Operand y = operand(to);
    call.require_reachable(advanced(from.place, start, 0));
    call.require_reachable(advanced(to.place, start, 0));
    const void* scalar = y.extent.data();
    call_kernel(kernel.entry.plain, call, &x, std::span(&scalar, 1), y);
  }
}

/// dY as a box, innermost first; `to` strides dense.
Box box_of(const SumGeometry& dy) noexcept {
  Box box;
  int64_t dense = 1;
  for (int p = 0; p < dy.parts; ++p) {
    const SumPart& part = dy.part[static_cast<size_t>(p)];
    box.add({.extent = part.extent, .from = part.stride, .to = dense});
    dense *= part.extent;
  }
  return box;
}

bool is_aligned(const Place& place, int bytes) noexcept {
  return reinterpret_cast<uintptr_t>(place.data) % static_cast<uintptr_t>(bytes) == 0;
}

/// copy_box for memory that may begin at any byte.
void copy_anywhere(Call& call, Place from, Place to, int bytes, const Box& box) {
  if (is_aligned(from, bytes) && is_aligned(to, bytes)) {
    copy_box(call, from, to, bytes, box, 0);
    return;
  }
  Box narrow;
  narrow.add({.extent = bytes, .from = 1, .to = 1});
  for (int i = 0; i < box.rank; ++i)
    narrow.add({.extent = box[i].extent, .from = box[i].from * bytes, .to = box[i].to * bytes});
  copy_box(call, from, to, 1, narrow, 0);
}

}  // namespace

void run_sum_gpu(Call& call, const SumCall& sum, const Place& dy, const Place& dx) {
  const SumKernels kernels(call, sum.dtype);
  const int bytes = kernels.element.bytes;
  if (explained(call, kernels.columns, false, sum.dy_count * bytes, sum.dx_count * bytes, 1))
    return;
  const auto allocate = [&](int64_t count, int element_bytes) {
    return device_scratch(call,
                          element_bytes == 8   ? DType::kUInt64
                          : element_bytes == 4 ? DType::kUInt32
                          : element_bytes == 2 ? DType::kUInt16
                                               : DType::kUInt8,
                          Shape{count});
  };
  // All memory first: a call that fails for want of it has written nothing.
  bool split = !is_aligned(dy, bytes);
  for (int a = 0; a < sum.dy.axes; ++a) split = split || (sum.dy[a].summed && sum.dy[a].count > 1);
  std::optional<Tensor> packed;
  if (split) packed = allocate(sum.dy_count, bytes);
  int64_t first_count = sum.dy_count;
  for (int a = 0; a < sum.dy.axes; ++a) {
    if (!sum.dy[a].summed) continue;
    first_count = first_count / sum.dy[a].extent * ceil_div(sum.dy[a].extent, kSumRows);
    break;
  }
  const std::array<Tensor, 2> tiles = {allocate(first_count, kernels.sum.bytes),
                                       allocate(first_count / 2 + 1, kernels.sum.bytes)};
  const bool direct = sum.dense_dx && is_aligned(dx, bytes);
  std::optional<Tensor> dense;
  if (!direct) dense = allocate(sum.dx_count, bytes);

  Pass pass;
  Sums from = {.place = dy, .element = kernels.element};
  if (split) {
    from.place = place_of(*packed, bytes);
    copy_anywhere(call, dy, from.place, bytes, box_of(sum.dy));
  }
  const Sums result = {.place = direct ? dx : place_of(*dense, bytes), .element = kernels.element};
  std::array<bool, kMaxBoxRank> summed = {};
  int64_t stride = 1;
  for (int a = 0; a < sum.dy.axes; ++a) {
    const SumAxis& axis = sum.dy[a];
    for (int i = 0; i < (split ? 1 : axis.count); ++i) {
      const SumPart part = split ? SumPart{axis.extent, stride} : sum.dy.part_of(a, i);
      summed[static_cast<size_t>(pass.box.rank)] = axis.summed;
      pass.box.add({.extent = part.extent, .from = part.stride, .to = 0});
      stride *= part.extent;
    }
  }
  size_t tile = 0;
  for (int next = 0; next < pass.box.rank; ++next) {
    while (summed[static_cast<size_t>(next)] && pass.box[next].extent > 1) {
      // Dense, in the order of the dimensions.
      int64_t count = 1;
      bool more = false;
      for (int i = 0; i < pass.box.rank; ++i) {
        const int64_t left =
            i == next ? ceil_div(pass.box[i].extent, kSumRows) : pass.box[i].extent;
        pass.box[i].to = count;
        count *= left;
        more = more || (summed[static_cast<size_t>(i)] && left > 1);
      }
      const bool to_result = !more && !kernels.widens();
      const Sums to = to_result ? result
                                : Sums{.place = place_of(tiles[tile], kernels.sum.bytes),
                                       .element = kernels.sum};
      pass.summed = next;
      add_pass(call,
               from.element.bytes == kernels.sum.bytes ? kernels.sum_columns : kernels.columns,
               from, to, pass);
      from = to;
      tile ^= 1;
      pass.box[next].extent = ceil_div(pass.box[next].extent, kSumRows);
      for (int i = 0; i < pass.box.rank; ++i) pass.box[i].from = pass.box[i].to;
    }
  }
  if (kernels.widens()) round_all(call, kernels.round, from, result, sum.dx_count);
  if (!direct) copy_anywhere(call, result.place, dx, bytes, sum.dx);
}

}  // namespace sylvite::internal
