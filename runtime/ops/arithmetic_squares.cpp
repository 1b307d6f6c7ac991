// Half the sum of squares: chunks of x by its shape alone, so that strides and threads change no bits.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include "arithmetic_kernels.h"
#include "runtime/checked.h"
#include "runtime/ops/arithmetic.h"

namespace sylvite::internal {
namespace {

/// Elements of a chunk, whose sum of squares a kernel takes.
constexpr int64_t kChunk = 4096;
/// Sums of chunks one after the other; tasks. Their number is part of the order of additions.
constexpr int64_t kSections = 64;

Operand line(void* data, int element_bytes, int64_t extent) noexcept {
  Operand operand;
  operand.data = data;
  operand.element_bytes = element_bytes;
  operand.rank = 1;
  operand.extent[0] = static_cast<int32_t>(extent);
  operand.stride[0] = 1;
  return operand;
}

/// A chunk of x in row-major order, in place where it lies so, else in `memory`.
Operand dense_chunk(Call& call, const Tensor& x, const TaskGrid::Slice& slice,
                    std::byte* memory) noexcept {
  const int bytes = element_size(x.dtype());
  Box box;
  int64_t offset = 0;
  int64_t count = 1;
  bool dense = true;
  for (int i = 0; i < x.rank(); ++i) {
    const int axis = x.rank() - 1 - i;
    const auto at = static_cast<size_t>(i);
    offset += slice.start[at] * x.strides()[axis];
    box.add({.extent = slice.count[at], .from = x.strides()[axis], .to = count});
    dense = dense && (slice.count[at] == 1 || x.strides()[axis] == count);
    count *= slice.count[at];
  }
  const Place place = advanced(place_of(x, bytes), offset, bytes);
  if (dense) return line(place.data, bytes, count);
  copy_box(call, place, {.data = memory}, bytes, box, 0, Threads::kThis);
  return line(memory, bytes, count);
}

}  // namespace

void run_squared_l2(Call& call, const Tensor& x, const Tensor& loss) {
  constexpr std::array<int, 2> kSquares = {find_kernel(arithmetic::kKernelNames, "squares_f32"),
                                           find_kernel(arithmetic::kKernelNames, "squares_f64")};
  const bool wide = x.dtype() == DType::kFloat64;
  std::array<double, kSections> sums = {};
  if (x.element_count() != 0) {
    const KernelFn kernel = pick_kernel(arithmetic::kKernelNames, arithmetic::kKernels,
                                        kSquares[wide ? 1 : 0], call.targets, call.op)
                                .entry.plain;
    static_cast<void>(copy_kernel(call, element_size(x.dtype())));  // tasks cannot throw
    std::array<int64_t, kMaxRank> extents;
    std::reverse_copy(x.shape().begin(), x.shape().end(), extents.begin());
    const TaskGrid grid(std::span(extents.data(), static_cast<size_t>(x.rank())), kMaxRank, 1,
                        kChunk);
    const int64_t section = ceil_div(grid.tasks(), kSections);
    call.for_each_task(ceil_div(grid.tasks(), section), [&](int64_t task) {
      alignas(kLineBytes) std::array<std::byte, kChunk * sizeof(double)> memory;
      double& sum = sums[static_cast<size_t>(task)];
      const int64_t end = std::min((task + 1) * section, grid.tasks());
      for (int64_t chunk = task * section; chunk < end; ++chunk) {
        double squares = 0;
        const Operand in = dense_chunk(call, x, grid.slice(chunk), memory.data());
        call_kernel(kernel, call, &in, {}, line(&squares, sizeof squares, 1));
        sum += squares;
      }
    });
    throw_if_failed(call);
  }
  double total = 0;
  for (const double sum : sums) total += sum;
  total *= .5;
  if (std::isnan(total)) total = std::numeric_limits<double>::quiet_NaN();
  if (wide) {
    std::memcpy(loss.data(), &total, sizeof total);
  } else {
    const auto narrow = static_cast<float>(total);
    std::memcpy(loss.data(), &narrow, sizeof narrow);
  }
}

}  // namespace sylvite::internal
