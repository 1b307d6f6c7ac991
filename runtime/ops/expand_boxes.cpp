// Expand's ways through the kernels, and the one for long rows.
#include <algorithm>
#include <array>

#include "expand_kernels.h"
#include "runtime/ops/expand.h"

namespace sylvite::internal {
namespace {

constexpr std::array<int, 4> kRows = find_widths(expand::kKernelNames, "expand_rows_u");

/// From here on a row is worth its own vectors.
constexpr int64_t kLongRowBytes = 256;

/// Strides of y positive and in rising order, whatever order its axes have in memory.
void order(Box& box, Place& from, Place& to, int element_bytes) noexcept {
  for (int i = 0; i < box.rank; ++i) {
    BoxDim& dim = box[i];
    if (dim.to >= 0) continue;
    from = advanced(from, (dim.extent - 1) * dim.from, element_bytes);
    to = advanced(to, (dim.extent - 1) * dim.to, element_bytes);
    dim.from = -dim.from;
    dim.to = -dim.to;
  }
  std::sort(box.dims.begin(), box.dims.begin() + box.rank,
            [](const BoxDim& a, const BoxDim& b) { return a.to < b.to; });
}

/// Elements of x that the box reads.
int64_t read_count(const Box& box) noexcept {
  int64_t product = 1;
  for (int i = 0; i < box.rank; ++i) product *= box[i].from == 0 ? 1 : box[i].extent;
  return product;
}

void run_on_cpu(const Expansion& e, int64_t bytes_moved) {
  const BoxDim& inner = e.box[0];
  const bool whole_lines = e.row_bytes() % kLineBytes == 0;
  if (inner.to == 1 && inner.from == 0 && (e.row_bytes() >= kLineBytes || e.box.rank == 1))
    return expand_rows(e);
  const bool short_rows = e.row_bytes() < kLongRowBytes || (e.streams && !whole_lines);
  if (inner.to == 1 && (short_rows || inner.from != 1) && expand_blocks(e)) return;
  if (inner.to == 1 && inner.from == 0) return expand_rows(e);
  copy_box(e.call, e.from, e.to, e.element_bytes, e.box, e.streams ? bytes_moved : 0);
}

}  // namespace

LineParts line_parts(const std::byte* to, int64_t count, int64_t step_bytes,
                     int element_bytes) noexcept {
  const auto address = reinterpret_cast<uintptr_t>(to);
  const int64_t vector = kLineBytes / element_bytes;
  for (int64_t head = 0; head < std::min(vector, count); ++head) {
    if ((address + static_cast<uintptr_t>(head * step_bytes)) % kLineBytes != 0) continue;
    const int64_t body = (count - head) / vector * vector;
    return {.head = head, .body = body, .tail = count - head - body};
  }
  return {.head = count, .body = 0, .tail = 0};
}

void expand_rows(const Expansion& e) {
  Call& call = e.call;
  const int bytes = e.element_bytes;
  const Kernel kernel =
      pick_kernel(expand::kKernelNames, expand::kKernels,
                  kRows[static_cast<size_t>(width_index(bytes))], call.targets, call.op);
  const bool may_stream = e.streams && kernel.entry.stream != nullptr;
  const bool stream = may_stream && has_whole_lines(e.box, e.to, bytes);
  if (may_stream && !stream && e.box.rank == 1) {
    // One row: all of it but its ends.
    const LineParts parts = line_parts(e.to.data, e.box[0].extent, bytes, bytes);
    if (parts.body > 0) {
      int64_t start = 0;
      for (const int64_t extent : {parts.head, parts.body, parts.tail}) {
        Expansion part = e;
        part.streams = start == parts.head && extent == parts.body;
        part.to = advanced(e.to, start, bytes);
        part.box[0].extent = extent;
        if (extent > 0) expand_rows(part);
        start += extent;
      }
      return;
    }
  }
  const TaskGrid grid =
      grid_of(call, e.box, kKernelBoxRank, bytes, stream ? kLineBytes / bytes : 1);
  if (explained(call, kernel, stream, read_count(e.box) * bytes, e.box.count() * bytes,
                grid.tasks())) {
    return;
  }
  const KernelFn entry = stream ? kernel.entry.stream : kernel.entry.plain;
  call.for_each_task(grid.tasks(), [&](int64_t task) {
    const TaskGrid::Slice slice = grid.slice(task);
    Operand x = operand_of(e.from, bytes, e.box, slice, &BoxDim::from);
    x.extent[0] = x.stride[0] = 1;
    call_kernel(entry, call, &x, {}, operand_of(e.to, bytes, e.box, slice, &BoxDim::to));
  });
}

void run_expand(Call& call, Box box, Place from, Place to, int element_bytes) {
  const int64_t read = read_count(box) * element_bytes;
  const int64_t written = box.count() * element_bytes;
  order(box, from, to, element_bytes);
  box.canonicalize();
  if (call.on_cpu()) {
    // Of an output of up to three times the cache a part is still there when it is written again:
    // plain stores are 1.5 times as fast at 1.5 times the cache, even at twice to three times, and
    // .87 as fast beyond.
    const Expansion e = {.call = call,
                         .box = box,
                         .from = from,
                         .to = to,
                         .element_bytes = element_bytes,
                         .streams = wants_stream(call.context, (read + written) / 3)};
    run_on_cpu(e, read + written);
  } else {
    copy_box(call, from, to, element_bytes, box, read + written);
  }
  if (call.explanation != nullptr) call.explanation->bytes_read = read;
}

}  // namespace sylvite::internal
