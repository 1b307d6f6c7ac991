// The boxes between parts and whole, and how they are shared out.
#include <algorithm>
#include <array>
#include <cstring>

#include "runtime/checked.h"
#include "runtime/move.h"
#include "runtime/ops/join.h"
#include "runtime/shape.h"
#include "runtime/strings.h"

namespace sylvite::internal {
namespace {

/// From here on a part alone keeps all threads busy.
constexpr int64_t kLargePartBytes = 2 << 20;
/// Parts of one task, however small they are.
constexpr int64_t kPartsPerTask = 1024;
/// A part up to here is not worth the edges of a streaming copy, nor a kernel where memcpy serves.
constexpr int64_t kSmallPartBytes = 16 << 10;
/// Fewer are copied one by one as fast as they are transposed.
constexpr int64_t kFewestColumns = 4;
/// Of columns of all parts, in the first-level cache.
constexpr int64_t kTileBytes = 16 << 10;

/// Copies one part, or `rows` of it: a slice of the axes before the joint, innermost first. start: of
/// the part on the whole's axis.
void copy_part(Call& call, const Join& join, const Tensor& part, int64_t start,
               const TaskGrid::Slice* rows, Threads threads) {
  const bool joins = join.direction.joins;
  int bytes = element_size(part.dtype());
  // GPUs fault where an address is no multiple of the element: there the bytes move one by one.
  const auto addresses =
      reinterpret_cast<uintptr_t>(part.data()) | reinterpret_cast<uintptr_t>(join.whole.data());
  const bool odd = !call.on_cpu() && addresses % static_cast<uintptr_t>(bytes) != 0;
  const int64_t unit = odd ? bytes : 1;
  bytes = odd ? 1 : bytes;

  int64_t in_part = 0;
  int64_t in_whole = start * join.whole.strides()[join.axis] * unit;
  Box box;
  if (odd) box.add({.extent = unit, .from = 1, .to = 1});
  for (int a = join.whole.rank() - 1; a >= 0; --a) {
    if (a == join.axis && join.direction.new_axis) continue;
    const int p = join.part_axis(a);
    const int64_t part_stride = part.strides()[p] * unit;
    const int64_t whole_stride = join.whole.strides()[a] * unit;
    int64_t extent = part.shape()[p];
    if (rows != nullptr && a < join.axis) {
      const auto row = static_cast<size_t>(join.axis - 1 - a);
      extent = rows->count[row];
      in_part += rows->start[row] * part_stride;
      in_whole += rows->start[row] * whole_stride;
    }
    box.add({.extent = extent,
             .from = joins ? part_stride : whole_stride,
             .to = joins ? whole_stride : part_stride});
  }
  const Place here = advanced(place_of(part, bytes), in_part, bytes);
  const Place there = advanced(place_of(join.whole, bytes), in_whole, bytes);
  const bool may_stream = box.count() * bytes > kSmallPartBytes;
  copy_box(call, joins ? here : there, joins ? there : here, bytes, box,
           may_stream ? 2 * join.whole.byte_count() : 0, threads);
}

/// A part that is one run on both sides.
void copy_run(const Join& join, const Tensor& part, int64_t start) noexcept {
  auto* here = part.data_as<std::byte>();
  auto* there = join.whole.data_as<std::byte>() +
                start * join.whole.strides()[join.axis] * element_size(part.dtype());
  if (!join.direction.joins) std::swap(here, there);
  if (part.byte_count() > 0) std::memcpy(there, here, static_cast<size_t>(part.byte_count()));
}

/// Columns of one element: tiles of some rows of all parts go through a buffer in cache, from or into
/// which they are transposed. Everything is dense.
void copy_columns(Call& call, const Join& join, int bytes) {
  const bool joins = join.direction.joins;
  const auto parts = static_cast<int64_t>(join.parts.size());
  const int64_t rows = join.whole.byte_count() / (parts * bytes);
  const int64_t line = kLineBytes / bytes;
  const int64_t tile_rows = std::min(kTileBytes / (parts * bytes) / line * line, rows);
  const int64_t tiles = ceil_div(rows, tile_rows);
  const int64_t tasks = std::min(ceil_div(2 * join.whole.byte_count(), call.task_bytes()), tiles);
  call.for_each_task(tasks, [&](int64_t task) {
    alignas(kLineBytes) std::array<std::byte, kTileBytes> buffer;
    const Place tile = {.data = buffer.data(), .device = join.whole.device()};
    for (int64_t t = tiles * task / tasks; t < tiles * (task + 1) / tasks; ++t) {
      const int64_t row = t * tile_rows;
      const int64_t count = std::min(tile_rows, rows - row);
      const Place there = advanced(place_of(join.whole, bytes), row * parts, bytes);
      const auto copy_columns_of_tile = [&](const auto& copy) {
        for (int64_t p = 0; p < parts; ++p) {
          const Tensor& part = join.parts[static_cast<size_t>(p)];
          copy(buffer.data() + p * count * bytes, part.data_as<std::byte>() + row * bytes,
               static_cast<size_t>(count * bytes));
        }
      };
      Box box;
      box.add({.extent = parts, .from = joins ? count : 1, .to = joins ? 1 : count});
      box.add({.extent = count, .from = joins ? 1 : parts, .to = joins ? parts : 1});
      if (joins) {
        copy_columns_of_tile(
            [](std::byte* in, const std::byte* part, size_t n) { std::memcpy(in, part, n); });
        copy_box(call, tile, there, bytes, box, 0, Threads::kThis);
      } else {
        copy_box(call, there, tile, bytes, box, 0, Threads::kThis);
        copy_columns_of_tile(
            [](const std::byte* in, std::byte* part, size_t n) { std::memcpy(part, in, n); });
      }
    }
  });
}

/// Bytes of one element of the columns, where the parts are such: 1, 2, 4 or 8; else 0.
int column_bytes(const Join& join) noexcept {
  const int64_t row_bytes = join.whole.byte_count() / join.rows();
  const auto parts = static_cast<int64_t>(join.parts.size());
  const int64_t bytes = row_bytes / parts;
  const bool is_element = bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8;
  if (!is_element || parts < kFewestColumns || row_bytes * (kLineBytes / bytes) > kTileBytes ||
      !is_dense(join.whole))
    return 0;
  for (const Tensor& part : join.parts) {
    if (part.byte_count() != join.rows() * bytes || !is_dense(part)) return 0;
  }
  return static_cast<int>(bytes);
}

/// Short rows: each task takes some of them from all parts, so that every cache line of the whole is
/// met once.
void copy_by_rows(Call& call, const Join& join, int64_t row_bytes) {
  std::array<int64_t, kMaxRank> extents;
  const auto rank = static_cast<size_t>(join.axis);
  for (int a = 0; a < join.axis; ++a)
    extents[static_cast<size_t>(join.axis - 1 - a)] = join.whole.shape()[a];
  const TaskGrid grid(std::span(extents.data(), rank), join.axis, 2 * row_bytes, call.task_bytes());
  call.for_each_task(grid.tasks(), [&](int64_t task) {
    const TaskGrid::Slice rows = grid.slice(task);
    int64_t start = 0;
    for (const Tensor& part : join.parts) {
      copy_part(call, join, part, start, &rows, Threads::kThis);
      start += join.extent(part);
    }
  });
}

/// Large parts are shared out one after the other; the others go to the threads in groups.
void copy_by_parts(Call& call, const Join& join) {
  const int64_t whole_bytes = join.whole.byte_count();
  const auto is_large = [&](const Tensor& part) {
    return !call.on_cpu() || part.byte_count() >= kLargePartBytes ||
           4 * part.byte_count() > whole_bytes;
  };
  int64_t start = 0;
  int64_t small_bytes = 0;
  bool equal = true;
  for (const Tensor& part : join.parts) {
    equal = equal && join.extent(part) == join.extent(join.parts[0]);
    if (is_large(part)) {
      copy_part(call, join, part, start, nullptr, Threads::kAll);
    } else {
      small_bytes += part.byte_count();
    }
    start += join.extent(part);
  }
  if (small_bytes == 0) return;
  const auto parts = static_cast<int64_t>(join.parts.size());
  // Few tasks: where the extents differ each counts its way to its first part.
  const int64_t tasks =
      std::min({std::max(2 * small_bytes / call.task_bytes(), parts / kPartsPerTask) + 1,
                int64_t{8} * call.context.threads(), parts});
  const int64_t group = ceil_div(parts, tasks);
  const bool runs = join.rows() == 1 && is_dense(join.whole);
  call.for_each_task(tasks, [&](int64_t task) {
    const int64_t begin = std::min(task * group, parts);
    const int64_t end = std::min(begin + group, parts);
    int64_t at = equal ? begin * join.extent(join.parts[0]) : 0;
    for (int64_t i = equal ? begin : 0; i < end; ++i) {
      const Tensor& part = join.parts[static_cast<size_t>(i)];
      const int64_t start_of_part = at;
      at += join.extent(part);
      if (i < begin || is_large(part)) continue;
      if (runs && part.byte_count() <= kSmallPartBytes && is_dense(part)) {
        copy_run(join, part, start_of_part);
      } else {
        copy_part(call, join, part, start_of_part, nullptr, Threads::kThis);
      }
    }
  });
}

}  // namespace

void run_join(const Join& join, const Context& context) {
  Call call(context, join.whole.device(), join.direction.op);
  const int64_t bytes = join.whole.byte_count();
  if (bytes == 0) return;
  if (!call.on_cpu()) {
    const auto require_all_reachable = [&](const Tensor& tensor) {
      const int size = element_size(tensor.dtype());
      call.require_reachable(
          advanced(place_of(tensor, size), tensor.byte_range().high / size, size));
    };
    require_all_reachable(join.whole);
    for (const Tensor& part : join.parts) require_all_reachable(part);
  }
  // Tasks cannot throw: a target without the kernel is told here.
  static_cast<void>(copy_kernel(call, element_size(join.whole.dtype())));
  const int64_t row_bytes = bytes / join.rows();
  const bool has_rows = call.on_cpu() && join.parts.size() > 1 && join.rows() > 1;
  const int of_column = has_rows ? column_bytes(join) : 0;
  if (of_column != 0) {
    copy_columns(call, join, of_column);
  } else if (has_rows && 2 * row_bytes <= call.task_bytes()) {
    copy_by_rows(call, join, row_bytes);
  } else {
    copy_by_parts(call, join);
  }
  throw_if_failed(call);
}

void join_strings(const Join& join) noexcept {
  if (join.whole.element_count() == 0) return;
  auto* offset = join.whole.data_as<int64_t>();
  char* to = join.whole.text_data();
  *offset = 0;
  for (int64_t row = 0; row < join.rows(); ++row) {
    for (const Tensor& part : join.parts) {
      int64_t start = 0;
      int64_t left = row;
      for (int a = join.axis - 1; a >= 0; --a) {
        start += left % part.shape()[a] * part.strides()[a];
        left /= part.shape()[a];
      }
      Shape inner;
      Shape strides;
      for (int a = join.axis; a < part.rank(); ++a) {
        inner.push_back(part.shape()[a]);
        strides.push_back(part.strides()[a]);
      }
      for_each_element(inner, strides, [&](int64_t element) {
        const std::string_view text = part.text(start + element);
        to = std::copy(text.begin(), text.end(), to);
        *++offset = to - join.whole.text_data();
      });
    }
  }
}

}  // namespace sylvite::internal
