// Elementwise sums and products: loops over tensors of one shape, cut into tasks.
#include <algorithm>
#include <array>

#include "arithmetic_kernels.h"
#include "runtime/checked.h"
#include "runtime/ops/arithmetic.h"
#include "runtime/shape.h"

namespace sylvite::internal {
namespace {

/// Bytes that a task of a sum writes: they stay in cache from one addend to the next.
constexpr int64_t kSumTaskBytes = int64_t{64} << 10;
/// Elements of the float32 sums of half types, on the stack.
constexpr int64_t kSumTile = 4096;

/// Kernels of one operation: integers by width, half types and floats by name.
struct Rows {
  std::array<int, 4> integers;
  std::array<int, 4> floats;  ///< float16, bfloat16, float32, float64

  int row(DType dtype) const noexcept {
    const auto first = static_cast<size_t>(DType::kFloat16);
    const auto index = static_cast<size_t>(dtype);
    return index >= first ? floats[index - first]
                          : integers[static_cast<size_t>(width_index(element_size(dtype)))];
  }
};

consteval int row_of(std::string_view kernel) {
  return find_kernel(arithmetic::kKernelNames, kernel);
}

constexpr Rows kAdd = {
    .integers = find_widths(arithmetic::kKernelNames, "add_u"),
    .floats = {row_of("add_f16"), row_of("add_bf16"), row_of("add_f32"), row_of("add_f64")}};
constexpr Rows kMul = {
    .integers = find_widths(arithmetic::kKernelNames, "mul_u"),
    .floats = {row_of("mul_f16"), row_of("mul_bf16"), row_of("mul_f32"), row_of("mul_f64")}};

KernelFn kernel_at(const Call& call, int row) {
  return pick_kernel(arithmetic::kKernelNames, arithmetic::kKernels, row, call.targets, call.op)
      .entry.plain;
}

/// The loops over tensors of one shape, innermost first: axes of extent 1 are gone, neighbours whose
/// strides compose in every tensor are one.
struct Loops {
  std::array<int64_t, kMaxRank> extent;
  std::array<int, kMaxRank> axis;  ///< whose stride is the loop's
  int rank = 0;

  /// compose(outer axis, inner axis, extent of the loop at the inner axis), for all tensors.
  template <typename Compose>
  Loops(const Shape& shape, const Compose& compose) noexcept {
    for (int a = shape.rank() - 1; a >= 0; --a) {
      if (shape[a] == 1) continue;
      const int inner = rank - 1;
      if (rank > 0 &&
          compose(a, axis[static_cast<size_t>(inner)], extent[static_cast<size_t>(inner)])) {
        extent[static_cast<size_t>(inner)] *= shape[a];
      } else {
        extent[static_cast<size_t>(rank)] = shape[a];
        axis[static_cast<size_t>(rank++)] = a;
      }
    }
  }
  std::span<const int64_t> extents() const noexcept {
    return {extent.data(), static_cast<size_t>(rank)};
  }
};

bool composes(const Shape& strides, int outer, int inner, int64_t extent) noexcept {
  int64_t reach = 0;
  return !__builtin_mul_overflow(strides[inner], extent, &reach) && strides[outer] == reach;
}

/// One tensor of the call: where it begins, and its strides along the axes of the shape.
struct Side {
  std::byte* data;
  int bytes;  ///< per element
  const Shape& strides;

  void keep_within_int32(TaskGrid& grid, const Loops& loops) const noexcept {
    std::array<int64_t, kMaxRank> along;
    for (size_t i = 0; i < static_cast<size_t>(loops.rank); ++i) along[i] = strides[loops.axis[i]];
    grid.keep_within_int32(std::span(along.data(), static_cast<size_t>(loops.rank)), 0);
  }

  Operand operand(const Loops& loops, const TaskGrid::Slice& slice) const noexcept {
    Operand operand;
    operand.element_bytes = bytes;
    operand.rank = kKernelBoxRank;
    int64_t offset = 0;
    for (size_t i = 0; i < static_cast<size_t>(loops.rank); ++i)
      offset += slice.start[i] * strides[loops.axis[i]];
    for (size_t i = 0; i < kKernelBoxRank; ++i) {
      const bool used = static_cast<int>(i) < loops.rank;
      operand.extent[i] = used ? static_cast<int32_t>(slice.count[i]) : 1;
      // A loop of one step may have a stride beyond int32; nothing multiplies it.
      operand.stride[i] =
          used && slice.count[i] > 1 ? static_cast<int32_t>(strides[loops.axis[i]]) : i == 0;
    }
    operand.data = data + offset * bytes;
    return operand;
  }
};

Side side_of(const Tensor& tensor, const Shape& strides) noexcept {
  return {tensor.data_as<std::byte>(), element_size(tensor.dtype()), strides};
}

/// y = a (op) b of one slice.
void call_binary(KernelFn kernel, Call& call, const Operand& a, const Operand& b,
                 const Operand& y) noexcept {
  // The kernels have vectors where a's rows are dense; both operations are commutative.
  const bool swapped = a.stride[0] == 0 && a.element_bytes == b.element_bytes;
  const std::array<Operand, 2> inputs = {swapped ? b : a, swapped ? a : b};
  call_kernel(kernel, call, inputs, {}, std::span(&y, 1));
}

/// The float32 sums of a slice, dense in the order of the loops.
Operand tile_of(float* memory, const Operand& like) noexcept {
  Operand tile = like;
  tile.data = memory;
  tile.element_bytes = sizeof(float);
  int32_t stride = 1;
  for (size_t i = 0; i < kKernelBoxRank; ++i) {
    tile.stride[i] = stride;
    stride *= tile.extent[i];
  }
  return tile;
}

/// Half types, more than two: summed in float32, rounded at the end.
void run_half_sum(Call& call, std::span<const Tensor> x, const Tensor& y, const Loops& loops) {
  const bool brain = y.dtype() == DType::kBFloat16;
  const KernelFn add =
      kernel_at(call, brain ? row_of("accumulate_bf16_f32") : row_of("accumulate_f16_f32"));
  const KernelFn round =
      kernel_at(call, brain ? row_of("accumulate_f32_bf16") : row_of("accumulate_f32_f16"));
  TaskGrid grid(loops.extents(), kKernelBoxRank, 1, kSumTile);
  side_of(y, y.strides()).keep_within_int32(grid, loops);
  for (const Tensor& addend : x) side_of(addend, addend.strides()).keep_within_int32(grid, loops);
  call.for_each_task(grid.tasks(), [&](int64_t task) {
    const TaskGrid::Slice slice = grid.slice(task);
    const Operand out = side_of(y, y.strides()).operand(loops, slice);
    alignas(kLineBytes) std::array<float, kSumTile> memory;
    const Operand tile = tile_of(memory.data(), out);
    memory.fill(-0.0F);  // adds nothing, to a -0 neither
    for (size_t i = 0; i < x.size(); ++i) {
      const Operand addend = side_of(x[i], x[i].strides()).operand(loops, slice);
      const bool last = i + 1 == x.size();
      call_binary(last ? round : add, call, tile, addend, last ? out : tile);
    }
  });
}

}  // namespace

void run_elementwise(Call& call, Elementwise what, const Tensor& a, const Tensor& b,
                     const Tensor& y) {
  if (y.element_count() == 0) return;
  const Rows& rows = what == Elementwise::kAdd ? kAdd : kMul;
  const KernelFn kernel = kernel_at(call, rows.row(y.dtype()));
  const Shape a_strides = broadcast_strides(a.shape(), a.strides(), y.shape());
  const Shape b_strides = broadcast_strides(b.shape(), b.strides(), y.shape());
  const std::array<Side, 3> sides = {side_of(a, a_strides), side_of(b, b_strides),
                                     side_of(y, y.strides())};
  const Loops loops(y.shape(), [&](int outer, int inner, int64_t extent) {
    return std::all_of(sides.begin(), sides.end(), [&](const Side& side) {
      return composes(side.strides, outer, inner, extent);
    });
  });
  TaskGrid grid(loops.extents(), kKernelBoxRank, int64_t{3} * element_size(y.dtype()),
                call.task_bytes());
  for (const Side& side : sides) side.keep_within_int32(grid, loops);
  call.for_each_task(grid.tasks(), [&](int64_t task) {
    const TaskGrid::Slice slice = grid.slice(task);
    call_binary(kernel, call, sides[0].operand(loops, slice), sides[1].operand(loops, slice),
                sides[2].operand(loops, slice));
  });
  throw_if_failed(call);
}

void run_sum(Call& call, std::span<const Tensor> x, const Tensor& y) {
  if (y.element_count() == 0) return;
  if (x.size() == 1) {
    if (x[0].data() == y.data()) return;
    Box box;
    for (int axis = y.rank() - 1; axis >= 0; --axis)
      box.add({.extent = y.shape()[axis], .from = x[0].strides()[axis], .to = y.strides()[axis]});
    const int bytes = element_size(y.dtype());
    copy_box(call, place_of(x[0], bytes), place_of(y, bytes), bytes, box, 2 * y.byte_count());
    return throw_if_failed(call);
  }
  if (x.size() == 2) return run_elementwise(call, Elementwise::kAdd, x[0], x[1], y);
  const Loops loops(y.shape(), [&](int outer, int inner, int64_t extent) {
    return composes(y.strides(), outer, inner, extent) &&
           std::all_of(x.begin(), x.end(), [&](const Tensor& addend) {
             return composes(addend.strides(), outer, inner, extent);
           });
  });
  if (y.dtype() == DType::kFloat16 || y.dtype() == DType::kBFloat16) {
    run_half_sum(call, x, y, loops);
    return throw_if_failed(call);
  }
  const KernelFn kernel = kernel_at(call, kAdd.row(y.dtype()));
  TaskGrid grid(loops.extents(), kKernelBoxRank, element_size(y.dtype()), kSumTaskBytes);
  side_of(y, y.strides()).keep_within_int32(grid, loops);
  for (const Tensor& addend : x) side_of(addend, addend.strides()).keep_within_int32(grid, loops);
  call.for_each_task(grid.tasks(), [&](int64_t task) {
    const TaskGrid::Slice slice = grid.slice(task);
    const auto part_of = [&](const Tensor& tensor) {
      return side_of(tensor, tensor.strides()).operand(loops, slice);
    };
    const Operand out = part_of(y);
    call_binary(kernel, call, part_of(x[0]), part_of(x[1]), out);
    for (const Tensor& addend : x.subspan(2)) call_binary(kernel, call, out, part_of(addend), out);
  });
  throw_if_failed(call);
}

}  // namespace sylvite::internal
