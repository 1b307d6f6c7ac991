#include <dlfcn.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <limits>
#include <vector>

#include "runtime/cuda_driver.h"
#include "runtime/error.h"
#include "runtime/halide_buffer.h"
#include "runtime/storage.h"
#include "runtime/targets.h"
#if SYLVITE_HAS_CUDA
#include <HalideRuntimeCuda.h>
#endif
#if SYLVITE_HAS_OPENCL
#include <HalideRuntimeOpenCL.h>
#endif

namespace sylvite::internal {
namespace {

const halide_device_interface_t* device_interface(DeviceKind kind) noexcept {
#if SYLVITE_HAS_CUDA
  if (kind == DeviceKind::kCuda) return halide_cuda_device_interface();
#endif
#if SYLVITE_HAS_OPENCL
  if (kind == DeviceKind::kOpenCl) return halide_opencl_device_interface();
#endif
  static_cast<void>(kind);
  return nullptr;
}

/// Bytes as a Halide buffer: two dimensions, because one stops at 2^31 - 1.
struct ByteBuffer {
  explicit ByteBuffer(int64_t bytes) noexcept {
    constexpr int64_t kRow = int64_t{1} << 20;
    const int64_t row = std::clamp<int64_t>(bytes, 1, kRow);
    dimensions[0] = {0, static_cast<int32_t>(row), 1, 0};
    dimensions[1] = {0, static_cast<int32_t>((std::max<int64_t>(bytes, 1) + row - 1) / row),
                     static_cast<int32_t>(row), 0};
    buffer.type = halide_type_t(halide_type_uint, 8);
    buffer.dimensions = 2;
    buffer.dim = dimensions.data();
  }

  halide_buffer_t buffer = {};
  std::array<halide_dimension_t, 2> dimensions;
};

void check(int code, CallState& state) {
  state.code = code;
  throw_if_failed(state);
}

enum class Direction { kToDevice, kToHost };

void copy(CallState& state, uint64_t memory, void* host, int64_t bytes, Direction direction) {
  ByteBuffer device(bytes);
  device.buffer.device = memory;
  device.buffer.device_interface = device_interface(state.device.kind);
  // Halide copies whole rows: a ragged last one goes through memory that holds all of it.
  const auto whole = static_cast<int64_t>(device.buffer.size_in_bytes());
  std::vector<uint8_t> rows(whole == bytes ? 0 : static_cast<size_t>(whole));
  device.buffer.host = rows.empty() ? static_cast<uint8_t*>(host) : rows.data();
  if (direction == Direction::kToDevice) {
    if (!rows.empty()) std::memcpy(rows.data(), host, static_cast<size_t>(bytes));
    device.buffer.set_host_dirty();
    check(halide_copy_to_device(&state, &device.buffer, device.buffer.device_interface), state);
    check(halide_device_sync(&state, &device.buffer), state);
  } else {
    device.buffer.set_device_dirty();
    check(halide_copy_to_host(&state, &device.buffer), state);
    check(halide_device_sync(&state, &device.buffer), state);
    if (!rows.empty()) std::memcpy(host, rows.data(), static_cast<size_t>(bytes));
  }
}

uint64_t allocate(CallState& state, int64_t bytes) {
  const Device device = state.device;
  require(device_capability(device) > 0, ErrorCode::kUnsupported, "Tensor: device ",
          name(device.kind), " ", device.index,
          " is not available, want one that this machine has");
  ByteBuffer memory(bytes);
  check(halide_device_malloc(&state, &memory.buffer, device_interface(device.kind)), state);
  return memory.buffer.device;
}

void free(CallState& state, uint64_t memory, int64_t bytes) noexcept {
  ByteBuffer buffer(bytes);
  buffer.buffer.device = memory;
  buffer.buffer.device_interface = device_interface(state.device.kind);
  static_cast<void>(halide_device_free(&state, &buffer.buffer));
}

#if SYLVITE_HAS_OPENCL
/// Whether a platform has a device, asked once per process.
bool opencl_has_device() noexcept {
  static constinit std::atomic<int> known = -1;
  int answer = known.load(std::memory_order_relaxed);
  if (answer < 0) {
    answer = 0;
    using Platforms = int (*)(uint32_t, void**, uint32_t*);
    using Devices = int (*)(void*, uint64_t, uint32_t, void**, uint32_t*);
    constexpr uint64_t kAllDevices = 0xFFFFFFFF;
    if (void* library = halide_load_library("libOpenCL.so")) {
      const auto platforms = reinterpret_cast<Platforms>(dlsym(library, "clGetPlatformIDs"));
      const auto devices = reinterpret_cast<Devices>(dlsym(library, "clGetDeviceIDs"));
      std::array<void*, 16> ids = {};
      uint32_t count = 0;
      if (platforms && devices && platforms(ids.size(), ids.data(), &count) == 0) {
        for (uint32_t i = 0; i < std::min<uint32_t>(count, ids.size()) && answer == 0; ++i) {
          uint32_t found = 0;
          answer = devices(ids[i], kAllDevices, 0, nullptr, &found) == 0 && found > 0 ? 1 : 0;
        }
      }
    }
    known.store(answer, std::memory_order_relaxed);
  }
  return answer == 1;
}
#endif

}  // namespace

void set_device_memory(HalideBuffer& buffer, const Operand& operand) noexcept {
  const bool opencl = operand.device.kind == DeviceKind::kOpenCl;
  buffer.buffer.device_interface = device_interface(operand.device.kind);
  buffer.buffer.device =
      opencl ? operand.storage->memory : reinterpret_cast<uint64_t>(operand.data);
  // A cl_mem has no address to add to: the origin begins as far before 0 as element [0, …] lies
  // behind the beginning of the memory.
  const auto before = opencl ? static_cast<int32_t>(operand.offset) : 0;
  buffer.dimensions[static_cast<size_t>(operand.rank)] = {-before, before + 1, 1, 0};
  buffer.buffer.dimensions = operand.rank + 1;
}

uint64_t device_allocate(const Context& context, Device device, int64_t bytes) {
  CallState state(context, device, "Tensor::empty");
  return allocate(state, bytes);
}

void device_free(Device device, uint64_t memory) noexcept {
  const Context context;
  CallState state(context, device, "Tensor");
  free(state, memory, 1);
}

uint64_t device_allocate_scratch(const Context& context, Device device, int64_t bytes) {
  CallState state(context, device, "scratch");
  state.reuses_memory = true;
  return allocate(state, bytes);
}

void device_free_scratch(const Context& context, Device device, uint64_t memory,
                         int64_t bytes) noexcept {
  CallState state(context, device, "scratch");
  state.reuses_memory = true;
  free(state, memory, bytes);
}

void copy_to_device(const Context& context, Device device, uint64_t memory, const void* host,
                    int64_t bytes) {
  CallState state(context, device, "Tensor::to");
  copy(state, memory, const_cast<void*>(host), bytes, Direction::kToDevice);
}

void copy_to_host(const Context& context, Device device, uint64_t memory, void* host,
                  int64_t bytes) {
  CallState state(context, device, "Tensor::to");
  copy(state, memory, host, bytes, Direction::kToHost);
}

void device_synchronize(const Context& context, Device device) {
  if (device.kind == DeviceKind::kCpu) return;
  CallState state(context, device, "Context::synchronize");
  require(device_capability(device) > 0, ErrorCode::kUnsupported, "Context: device ",
          name(device.kind), " ", device.index,
          " is not available, want one that this machine has");
  check(halide_device_sync_global(&state, device_interface(device.kind)), state);
}

int device_capability(Device device) noexcept {
#if SYLVITE_HAS_CUDA
  if (device.kind == DeviceKind::kCuda) return cuda::capability(device.index);
#endif
#if SYLVITE_HAS_OPENCL
  if (device.kind == DeviceKind::kOpenCl) return device.index == 0 && opencl_has_device() ? 1 : 0;
#endif
  static_cast<void>(device);
  return 0;
}

uint32_t device_targets(Device device) noexcept {
  if (device.kind == DeviceKind::kCpu) return cpu_targets();
  const int capability = device_capability(device);
  uint32_t mask = 0;
  for (size_t i = 0; i < kTargets.size(); ++i) {
    if (kTargets[i].device == device.kind && capability > 0 &&
        capability >= kTargets[i].capability) {
      mask |= 1U << i;
    }
  }
  return mask;
}

}  // namespace sylvite::internal

#if SYLVITE_HAS_CUDA
struct CUctx_st;
struct CUstream_st;

// In place of Halide's weak ones: the primary context, so that memory of cudaMalloc and of other
// frameworks is ours to use, and the caller's stream.
extern "C" {

int halide_cuda_acquire_context(void* user_context, CUctx_st** context, bool) {
  const auto* state = static_cast<const sylvite::internal::CallState*>(user_context);
  *context = static_cast<CUctx_st*>(
      sylvite::internal::cuda::primary_context(state ? state->device.index : 0));
  return *context ? 0 : halide_error_code_generic_error;
}

int halide_cuda_release_context(void*) { return 0; }

int halide_cuda_get_stream(void* user_context, CUctx_st*, CUstream_st** stream) {
  const auto* state = static_cast<const sylvite::internal::CallState*>(user_context);
  *stream = state ? static_cast<CUstream_st*>(state->context.stream()) : nullptr;
  return 0;
}

// Tensors outlive calls and move between streams; what a call needs for itself does not.
bool halide_can_reuse_device_allocations(void* user_context) {
  const auto* state = static_cast<const sylvite::internal::CallState*>(user_context);
  return state && state->reuses_memory;
}
}
#endif
