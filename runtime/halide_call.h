// The call layer over Halide: kernels, their errors, threads and scratch. Only halide_call.cpp and
// halide_device.cpp know Halide's own types.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <span>
#include <string_view>

#include "runtime/kernels.h"
#include "sylvite/context.h"

namespace sylvite::internal {

/// Dimensions of a kernel's buffer: six of a box, and on a GPU its origin.
inline constexpr int kMaxKernelRank = 7;

/// What a kernel takes its elements for; moves take all as unsigned integers.
enum class ElementKind : uint8_t { kUInt, kInt, kFloat, kBFloat };

/// One buffer of a kernel, innermost dimension first. On a GPU the call layer adds the origin.
struct Operand {
  void* data = nullptr;                      ///< element [0, …], but OpenCL's
  const Tensor::Storage* storage = nullptr;  ///< OpenCL: whose buffer,
  int64_t offset = 0;                        ///< and where in it, in elements
  Device device = {};
  ElementKind kind = ElementKind::kUInt;
  int element_bytes = 0;
  int rank = 0;
  std::array<int32_t, kMaxKernelRank> extent;
  std::array<int32_t, kMaxKernelRank> stride;  ///< in elements
};

/// The state of one operator call, Halide's user_context in every kernel of it. Lives on the stack.
struct CallState {
  CallState(const Context& of, Device on, std::string_view name)
      : context(of), device(on), op(name) {
    message.front() = message.back() = 0;
  }

  const Context& context;
  Device device;
  std::string_view op;
  std::atomic<int> code = 0;  ///< the first kernel's that failed
  std::atomic<bool> explained = false;
  bool reuses_memory =
      false;  ///< device memory comes from the stream's free list and goes back there
  std::array<char, 512> message;  ///< text up to its 0; what lies behind is left unwritten
};

/// Runs a kernel of arguments (inputs…, scalars…, outputs…), at most 9 buffers and 16 scalars, the
/// scalars by their addresses. A failure is kept in `state`.
void call_kernel(KernelFn kernel, CallState& state, std::span<const Operand> inputs,
                 std::span<const void* const> scalars, std::span<const Operand> outputs) noexcept;

/// One output, and one input or none (nullptr).
inline void call_kernel(KernelFn kernel, CallState& state, const Operand* input,
                        std::span<const void* const> scalars, const Operand& output) noexcept {
  call_kernel(kernel, state, std::span(input, input ? 1 : 0), scalars, std::span(&output, 1));
}

/// Throws what the kernels of this call reported.
void throw_if_failed(const CallState& state);

/// Runs task(state, i) for every i in [0, tasks) on the threads of the context; returns when all
/// have returned. Serial for one task or one thread.
void parallel_tasks(const Context& context, int64_t tasks, void (*task)(void* state, int64_t i),
                    void* state) noexcept;

template <typename Task>
void parallel_tasks(const Context& context, int64_t tasks, const Task& task) noexcept {
  parallel_tasks(
      context, tasks, [](void* state, int64_t i) { (*static_cast<const Task*>(state))(i); },
      const_cast<void*>(static_cast<const void*>(&task)));
}

/// Cores this process may run on, at least 1.
int core_count() noexcept;

/// CPU memory from the context's allocator; nullptr where there is none.
void* allocate(const Allocator* allocator, int64_t bytes) noexcept;
void deallocate(const Allocator* allocator, void* pointer, int64_t bytes) noexcept;

// --- devices, halide_device.cpp -----------------------------------------------------------------

/// GPU memory: an address (CUDA) or Halide's handle on a cl_mem (OpenCL).
uint64_t device_allocate(const Context& context, Device device, int64_t bytes);
void device_free(Device device, uint64_t memory) noexcept;
/// The same for the length of a call: what its stream is done with is the stream's next memory, without
/// waiting as the driver's own functions do. CUDA.
uint64_t device_allocate_scratch(const Context& context, Device device, int64_t bytes);
void device_free_scratch(const Context& context, Device device, uint64_t memory,
                         int64_t bytes) noexcept;
/// `bytes` from the beginning of the memory; waits until they are there.
void copy_to_device(const Context& context, Device device, uint64_t memory, const void* host,
                    int64_t bytes);
void copy_to_host(const Context& context, Device device, uint64_t memory, void* host,
                  int64_t bytes);
void device_synchronize(const Context& context, Device device);
/// CUDA: compute capability, 75 for 7.5; OpenCL: 1. 0 where there is no such device.
int device_capability(Device device) noexcept;

}  // namespace sylvite::internal
