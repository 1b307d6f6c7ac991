#include "runtime/move.h"

#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <limits>
#include <string>
#include <string_view>

#include "runtime/checked.h"
#include "runtime/error.h"
#include "runtime/shape.h"
#include "runtime/targets.h"
#include "strided_copy_kernels.h"

namespace sylvite::internal {
namespace {

/// Rows of the table for one kind of device, by width.
struct BoxKernels {
  std::array<int, 4> copy;
  std::array<int, 4> fill;
};
constexpr BoxKernels kCpuKernels = {
    .copy = find_widths(strided_copy::kKernelNames, "strided_copy_u"),
    .fill = find_widths(strided_copy::kKernelNames, "fill_u")};
constexpr BoxKernels kGpuKernels = {
    .copy = find_widths(strided_copy::kKernelNames, "strided_copy_gpu_u"),
    .fill = find_widths(strided_copy::kKernelNames, "fill_gpu_u")};

Kernel kernel_of(const Call& call, std::array<int, 4> BoxKernels::*rows, int element_bytes) {
  const BoxKernels& kernels = call.on_cpu() ? kCpuKernels : kGpuKernels;
  return pick_kernel(strided_copy::kKernelNames, strided_copy::kKernels,
                     (kernels.*rows)[static_cast<size_t>(width_index(element_bytes))], call.targets,
                     call.op);
}

/// Of a short file; empty where there is none.
std::string first_line(const std::string& path) {
  std::array<char, 4096> text = {};
  std::FILE* file = std::fopen(path.c_str(), "re");
  if (file == nullptr) return {};
  const char* line = std::fgets(text.data(), static_cast<int>(text.size()), file);
  static_cast<void>(std::fclose(file));
  return line != nullptr ? line : "";
}

/// Processors in a mask as the kernel writes it, "00000000,0000000f".
int processors_in(std::string_view mask) noexcept {
  int count = 0;
  for (const char digit : mask) {
    if (digit >= '0' && digit <= '9') count += std::popcount(static_cast<unsigned>(digit - '0'));
    if (digit >= 'a' && digit <= 'f')
      count += std::popcount(static_cast<unsigned>(digit - 'a' + 10));
  }
  return count;
}

/// Bytes of the largest cache of the first core, by the kernel's own account: glibc's is the sum over
/// a whole package on some virtual machines. No processor gives a core more than kMostPerCore; where
/// it looks so, cores that this virtual machine does not show have their part in the cache. What then
/// holds is an ordinary share: of 260 MiB beside 2 cores a fill of 64 MiB finds nothing any more
/// (streaming is 2.2 times as fast), a copy of 12 MiB is 1.2 times as fast with streaming stores.
int64_t read_last_level_cache() {
  constexpr int64_t kMostPerCore = int64_t{32} << 20;
  constexpr int64_t kSharePerCore = int64_t{4} << 20;
  int64_t bytes = 0;
  for (int index = 0; index < 8; ++index) {
    const std::string cache =
        "/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(index) + "/";
    const int64_t kib = std::strtoll(first_line(cache + "size").c_str(), nullptr, 10);
    if (kib <= 0) continue;
    const int64_t cores = processors_in(first_line(cache + "shared_cpu_map"));
    const bool hidden_cores = cores > 0 && kib << 10 > cores * kMostPerCore;
    bytes = std::max(bytes, hidden_cores ? cores * kSharePerCore : kib << 10);
  }
  if (bytes > 0) return bytes;
  constexpr int64_t kLeast = int64_t{1} << 20;
#ifdef _SC_LEVEL2_CACHE_SIZE  // glibc's own
  return std::max<int64_t>(sysconf(_SC_LEVEL2_CACHE_SIZE), kLeast);
#else
  return kLeast;
#endif
}

}  // namespace

int64_t last_level_cache() noexcept {
  static constinit std::atomic<int64_t> known = 0;
  int64_t bytes = known.load(std::memory_order_relaxed);
  if (bytes == 0) {
    try {
      bytes = read_last_level_cache();
    } catch (const std::exception&) {
      bytes = int64_t{32} << 20;
    }
    known.store(bytes, std::memory_order_relaxed);
  }
  return bytes;
}

namespace {

/// Elements from the first to the farthest one of a box in front of it.
int64_t reach(const Box& box, int64_t BoxDim::*stride) noexcept {
  int64_t sum = 0;
  for (int i = 0; i < box.rank; ++i)
    sum += (box[i].extent - 1) * std::max<int64_t>(box[i].*stride, 0);
  return sum;
}

/// The scalars of the box kernels: the value of a fill, and on a GPU the extents of the box.
class Extents {
 public:
  explicit Extents(const Operand& to, const uint64_t* value = nullptr) noexcept {
    if (value) scalars_[first_++] = value;
    for (size_t i = 0; i < kKernelBoxRank; ++i) scalars_[first_ + i] = &to.extent[i];
  }
  std::span<const void* const> scalars(const Call& call) const noexcept {
    return {scalars_.data(), first_ + (call.on_cpu() ? 0 : kKernelBoxRank)};
  }

 private:
  std::array<const void*, kKernelBoxRank + 1> scalars_;
  size_t first_ = 0;
};

/// A contiguous run of bytes, each task a memcpy.
void copy_bytes(Call& call, std::byte* to, const std::byte* from, int64_t bytes, Threads threads) {
  const int64_t tasks = ceil_div(bytes, call.task_bytes() / 2);
  const Kernel none{.name = "memcpy", .entry = {}, .target = -1};
  if (explained(call, none, false, bytes, bytes, tasks)) return;
  const int64_t piece = ceil_div(ceil_div(bytes, tasks), kLineBytes) * kLineBytes;
  call.for_each_task(
      tasks,
      [&](int64_t i) {
        const int64_t start = std::min(i * piece, bytes);
        std::memcpy(to + start, from + start, static_cast<size_t>(std::min(piece, bytes - start)));
      },
      threads);
}

/// Splits a contiguous run so that its middle is whole cache lines of the output.
bool stream_bytes(Call& call, const Place& from, const Place& to, int element_bytes, int64_t count,
                  int64_t bytes_moved, Threads threads) {
  const auto address = reinterpret_cast<uintptr_t>(to.data);
  const int64_t line = kLineBytes / element_bytes;
  const auto head_bytes = static_cast<int64_t>(-address % kLineBytes);
  if (head_bytes % element_bytes != 0) return false;
  const int64_t head = std::min(head_bytes / element_bytes, count);
  const int64_t body = (count - head) / line * line;
  if (body == 0 || (head == 0 && body == count)) return false;
  const auto part = [&](int64_t start, int64_t extent) {
    if (extent == 0) return;
    Box box;
    box.add({.extent = extent, .from = 1, .to = 1});
    copy_box(call, advanced(from, start, element_bytes), advanced(to, start, element_bytes),
             element_bytes, box, start == head ? bytes_moved : 0, threads);
  };
  part(0, head);
  part(head, body);
  part(head + body, count - head - body);
  return true;
}

}  // namespace

Operand operand_of(const Place& place, int element_bytes, const Box& box,
                   const TaskGrid::Slice& slice, int64_t BoxDim::*stride) noexcept {
  int64_t offset = 0;
  Operand operand;
  operand.device = place.device;
  operand.element_bytes = element_bytes;
  operand.rank = kKernelBoxRank;
  for (int i = 0; i < box.rank; ++i)
    offset += slice.start[static_cast<size_t>(i)] * (box[i].*stride);
  for (size_t i = 0; i < kKernelBoxRank; ++i) {
    const bool used = static_cast<int>(i) < box.rank;
    operand.extent[i] = used ? static_cast<int32_t>(slice.count[i]) : 1;
    // A dimension of one step may have a stride beyond int32; nothing multiplies it.
    operand.stride[i] =
        used && slice.count[i] > 1 ? static_cast<int32_t>(box.dims[i].*stride) : i == 0;
  }
  const Place at = advanced(place, offset, element_bytes);
  operand.data = at.data;
  operand.storage = at.storage;
  operand.offset = at.offset;
  return operand;
}

TaskGrid grid_of(const Call& call, const Box& box, int kernel_rank, int element_bytes,
                 int64_t granule) noexcept {
  std::array<int64_t, kMaxBoxRank> extents;
  std::array<int64_t, kMaxBoxRank> from;
  std::array<int64_t, kMaxBoxRank> to;
  for (size_t i = 0; i < static_cast<size_t>(box.rank); ++i) {
    extents[i] = box.dims[i].extent;
    from[i] = box.dims[i].from;
    to[i] = box.dims[i].to;
  }
  const auto rank = static_cast<size_t>(box.rank);
  TaskGrid grid(std::span(extents.data(), rank), kernel_rank, 2L * element_bytes, call.task_bytes(),
                granule);
  grid.keep_within_int32(std::span(from.data(), rank), 0);
  grid.keep_within_int32(std::span(to.data(), rank), 0);
  return grid;
}

Place place_of(const Tensor& tensor, int element_bytes) noexcept {
  return {.data = static_cast<std::byte*>(tensor.data()),
          .storage = tensor.storage(),
          .offset = tensor.storage_offset() / element_bytes,
          .device = tensor.device()};
}

Place advanced(const Place& place, int64_t elements, int element_bytes) noexcept {
  Place moved = place;
  if (moved.data != nullptr) moved.data += elements * element_bytes;
  moved.offset += elements;
  return moved;
}

int64_t Box::count() const noexcept {
  int64_t product = 1;
  for (int i = 0; i < rank; ++i) product *= (*this)[i].extent;
  return product;
}

void Box::canonicalize() noexcept {
  int kept = 0;
  for (int i = 0; i < rank; ++i) {
    const BoxDim dim = (*this)[i];
    if (dim.extent == 1) continue;
    if (kept > 0) {
      BoxDim& inner = (*this)[kept - 1];
      if (dim.from == inner.from * inner.extent && dim.to == inner.to * inner.extent) {
        inner.extent *= dim.extent;
        continue;
      }
    }
    (*this)[kept++] = dim;
  }
  if (kept == 0) (*this)[kept++] = {.extent = 1, .from = 1, .to = 1};
  rank = kept;
}

Call::Call(const Context& of, Device on, std::string_view name, Explanation* note)
    : CallState(of, on, name), targets(usable_targets(of, on, name)), explanation(note) {}

void Call::require_reachable(const Place& place) const {
  require(device.kind != DeviceKind::kOpenCl || place.offset <= std::numeric_limits<int32_t>::max(),
          ErrorCode::kUnsupported, op, ": element [0, …] lies ", place.offset,
          " elements behind the beginning of an OpenCL buffer, want at most 2^31 - 1");
}

Tensor device_scratch(const Call& call, DType dtype, const Shape& shape) {
  try {
    if (call.device.kind != DeviceKind::kCuda)
      return Tensor::empty(dtype, shape, call.context, call.device);
    const Checked bytes = checked_mul(checked_count(shape), element_size(dtype));
    require(bytes.has_value(), ErrorCode::kOutOfMemory, "more bytes than int64 can count");
    const Context context({.stream = call.context.stream()});
    const Device device = call.device;
    const uint64_t memory = device_allocate_scratch(context, device, *bytes);
    return Tensor::wrap(
        reinterpret_cast<void*>(memory), dtype, shape, {},  // NOLINT(performance-no-int-to-ptr)
        [=] { device_free_scratch(context, device, memory, *bytes); }, device);
  } catch (const Error& error) {
    fail(error.code(), call.op, ": scratch: ", error.what());
  }
}

bool wants_stream(const Context& context, int64_t bytes_moved) noexcept {
  switch (context.stores()) {
    case StorePolicy::kPlain:
      return false;
    case StorePolicy::kStream:
      return bytes_moved > 0;
    case StorePolicy::kAuto:
      break;
  }
  const uint32_t usable = context.target_mask() & cpu_targets();
  const int percent =
      usable == 0 ? 100 : kTargets[static_cast<size_t>(std::countr_zero(usable))].stream_percent;
  return bytes_moved >= last_level_cache() / 100 * percent;
}

bool whole_lines(const Place& to, int element_bytes, int64_t row,
                 std::span<const int64_t> strides) noexcept {
  const auto whole = [&](int64_t elements) { return elements * element_bytes % kLineBytes == 0; };
  return reinterpret_cast<uintptr_t>(to.data) % kLineBytes == 0 && whole(row) &&
         std::all_of(strides.begin(), strides.end(), whole);
}

bool has_whole_lines(const Box& box, const Place& to, int element_bytes) noexcept {
  std::array<int64_t, kMaxBoxRank> strides;
  for (int i = 1; i < box.rank; ++i) strides[static_cast<size_t>(i) - 1] = box[i].to;
  return whole_lines(to, element_bytes, box[0].extent,
                     std::span(strides.data(), static_cast<size_t>(box.rank) - 1));
}

bool explained(Call& call, const Kernel& kernel, bool stream, int64_t bytes_read,
               int64_t bytes_written, int64_t tasks) noexcept {
  if (call.explanation == nullptr) return false;
  Explanation& note = *call.explanation;
  if (note.kernel_calls == 0 || bytes_written > call.largest_box) {
    call.largest_box = bytes_written;
    note.kernel = kernel.name;
    note.target = kernel.target < 0 ? "cpu" : kTargets[static_cast<size_t>(kernel.target)].name;
    note.variant = stream ? "stream" : "plain";
  }
  note.bytes_read += bytes_read;
  note.bytes_written += bytes_written;
  note.kernel_calls += 1;
  note.tasks += tasks;
  return true;
}

Kernel copy_kernel(const Call& call, int element_bytes) {
  return kernel_of(call, &BoxKernels::copy, element_bytes);
}
Kernel fill_kernel(const Call& call, int element_bytes) {
  return kernel_of(call, &BoxKernels::fill, element_bytes);
}

void copy_box(Call& call, const Place& from, const Place& to, int element_bytes, Box box,
              int64_t bytes_moved, Threads threads) {
  if (box.count() == 0) return;
  box.canonicalize();
  if (transpose_box(call, from, to, element_bytes, box, threads)) return;
  const bool cpu = call.on_cpu();
  const int64_t bytes = box.count() * element_bytes;
  const Kernel kernel = copy_kernel(call, element_bytes);
  bool stream = cpu && kernel.entry.stream != nullptr && wants_stream(call.context, bytes_moved) &&
                box[0].from == 1 && box[0].to == 1;
  const bool run = box.rank == 1 && box[0].from == 1 && box[0].to == 1;
  if (stream) {
    if (run && stream_bytes(call, from, to, element_bytes, box[0].extent, bytes_moved, threads))
      return;
    stream = has_whole_lines(box, to, element_bytes);
  }
  if (run && cpu && !stream) return copy_bytes(call, to.data, from.data, bytes, threads);

  const TaskGrid grid =
      grid_of(call, box, kKernelBoxRank, element_bytes, stream ? kLineBytes / element_bytes : 1);
  if (explained(call, kernel, stream, bytes, bytes, grid.tasks())) return;
  const KernelFn entry = stream ? kernel.entry.stream : kernel.entry.plain;
  call.require_reachable(advanced(from, reach(box, &BoxDim::from), 0));
  call.require_reachable(advanced(to, reach(box, &BoxDim::to), 0));
  call.for_each_task(
      grid.tasks(),
      [&](int64_t task) {
        const TaskGrid::Slice slice = grid.slice(task);
        const Operand x = operand_of(from, element_bytes, box, slice, &BoxDim::from);
        const Operand y = operand_of(to, element_bytes, box, slice, &BoxDim::to);
        const Extents extents(y);
        call_kernel(entry, call, &x, extents.scalars(call), y);
      },
      threads);
}

void fill_box(Call& call, uint64_t value, const Place& to, int element_bytes, Box box,
              int64_t bytes_moved, Threads threads) {
  if (box.count() == 0) return;
  for (int i = 0; i < box.rank; ++i) box[i].from = 0;
  box.canonicalize();
  const Kernel kernel = fill_kernel(call, element_bytes);
  const bool stream = kernel.entry.stream != nullptr && wants_stream(call.context, bytes_moved) &&
                      box[0].to == 1 && has_whole_lines(box, to, element_bytes);
  const TaskGrid grid =
      grid_of(call, box, kKernelBoxRank, element_bytes, stream ? kLineBytes / element_bytes : 1);
  if (explained(call, kernel, stream, 0, box.count() * element_bytes, grid.tasks())) return;
  call.require_reachable(advanced(to, reach(box, &BoxDim::to), 0));
  call.for_each_task(
      grid.tasks(),
      [&](int64_t task) {
        const Operand y = operand_of(to, element_bytes, box, grid.slice(task), &BoxDim::to);
        const Extents extents(y, &value);
        call_kernel(stream ? kernel.entry.stream : kernel.entry.plain, call, nullptr,
                    extents.scalars(call), y);
      },
      threads);
}

}  // namespace sylvite::internal
