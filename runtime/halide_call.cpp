#include "runtime/halide_call.h"

#include <dlfcn.h>
#include <sched.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <new>
#include <optional>
#include <utility>

#include "runtime/error.h"
#include "runtime/halide_buffer.h"
#include "runtime/targets.h"

namespace sylvite::internal {
namespace {

// Halide's pool may only grow: another thread may be using it.
constinit std::atomic<int> pool_threads = 0;

constexpr size_t kAlignment = 64;
#ifdef __SANITIZE_ADDRESS__
constexpr size_t kSmallBytes = 0;  // no bytes beyond the end that it would not see
#else
/// Up to here blocks are aligned by hand, with the bytes ahead of them in front: glibc's aligned
/// allocation cuts every block out of a larger one, 40 to 70 ns more with its release.
constexpr size_t kSmallBytes = size_t{64} << 10;
#endif

CallState* call_state(void* user_context) noexcept { return static_cast<CallState*>(user_context); }

/// Tasks that threads draw from one counter.
struct TaskQueue {
  void (*task)(void* state, int64_t i);
  void* state;
  int64_t tasks;
  std::atomic<int64_t> next = 0;

  void drain() noexcept {
    for (int64_t i = next.fetch_add(1, std::memory_order_relaxed); i < tasks;
         i = next.fetch_add(1, std::memory_order_relaxed)) {
      task(state, i);
    }
  }
};

void raise_pool(int threads) noexcept {
  int current = pool_threads.load(std::memory_order_relaxed);
  while (current < threads) {
    if (pool_threads.compare_exchange_weak(current, threads)) {
      halide_set_num_threads(threads);
      return;
    }
  }
}

constexpr uint64_t feature_bit_of(int feature, int word) noexcept {
  return feature / 64 == word ? uint64_t{1} << (feature % 64) : 0;
}

constexpr FeatureBits feature_bit(int feature) noexcept {
  return {{feature_bit_of(feature, 0), feature_bit_of(feature, 1)}};
}

constexpr FeatureBits operator|(const FeatureBits& a, const FeatureBits& b) noexcept {
  return {{a.words[0] | b.words[0], a.words[1] | b.words[1]}};
}

}  // namespace

constinit const std::array<TargetRow, kTargetCount> kTargets = {{
#include "targets.inc"
}};

uint32_t cpu_targets() noexcept {
  constexpr uint32_t kUnknown = 1U << 31;
  static constinit std::atomic<uint32_t> known = kUnknown;
  uint32_t mask = known.load(std::memory_order_relaxed);
  if (mask != kUnknown) return mask;
  mask = 0;
  for (size_t i = 0; i < kTargets.size(); ++i) {
    const TargetRow& row = kTargets[i];
    if (row.device == DeviceKind::kCpu &&
        halide_can_use_target_features(static_cast<int>(row.features.words.size()),
                                       row.features.words.data()) != 0) {
      mask |= 1U << i;
    }
  }
  known.store(mask, std::memory_order_relaxed);
  return mask;
}

HalideBuffer::HalideBuffer(const Operand& operand) noexcept {
  for (size_t i = 0; i < static_cast<size_t>(operand.rank); ++i) {
    dimensions[i] = {0, operand.extent[i], operand.stride[i], 0};
  }
  constexpr std::array<halide_type_code_t, 4> kCodes = {halide_type_uint, halide_type_int,
                                                        halide_type_float, halide_type_bfloat};
  buffer.type = halide_type_t(kCodes[static_cast<size_t>(operand.kind)],
                              static_cast<uint8_t>(operand.element_bytes * 8));
  buffer.dimensions = operand.rank;
  buffer.dim = dimensions.data();
  if (operand.device.kind == DeviceKind::kCpu) {
    buffer.host = static_cast<uint8_t*>(operand.data);
  } else {
    set_device_memory(*this, operand);
  }
}

void call_kernel(KernelFn kernel, CallState& state, std::span<const Operand> inputs,
                 std::span<const void* const> scalars, std::span<const Operand> outputs) noexcept {
  constexpr size_t kMaxBuffers = 9;
  constexpr size_t kMaxScalars = 16;
  // Left unwritten but for the buffers in use.
  std::array<std::optional<HalideBuffer>, kMaxBuffers> buffers;
  std::array<void*, 1 + kMaxBuffers + kMaxScalars> args;
  void* user_context = &state;
  size_t count = 0;
  size_t used = 0;
  args[count++] = &user_context;
  for (const Operand& input : inputs) args[count++] = &buffers[used++].emplace(input).buffer;
  for (const void* scalar : scalars) args[count++] = const_cast<void*>(scalar);
  for (const Operand& output : outputs) args[count++] = &buffers[used++].emplace(output).buffer;
  const int code = kernel(args.data());
  int none = 0;
  if (code != 0) state.code.compare_exchange_strong(none, code);
}

void throw_if_failed(const CallState& state) {
  const int code = state.code.load();
  if (code == 0) return;
  const char* text = state.message[0] != 0 ? state.message.data() : "no message";
  const bool memory =
      code == halide_error_code_out_of_memory || code == halide_error_code_device_malloc_failed;
  const bool on_device = state.device.kind != DeviceKind::kCpu;
  fail(memory      ? ErrorCode::kOutOfMemory
       : on_device ? ErrorCode::kDeviceError
                   : ErrorCode::kInternal,
       state.op, ": the kernel failed with code ", code, ": ", text);
}

int core_count() noexcept {
  static constinit std::atomic<int> known = 0;
  int count = known.load(std::memory_order_relaxed);
  if (count == 0) {
    count = 1;
#ifdef CPU_COUNT  // Linux
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) count = std::max(1, CPU_COUNT(&set));
#endif
    known.store(count, std::memory_order_relaxed);
  }
  return count;
}

void parallel_tasks(const Context& context, int64_t tasks, void (*task)(void* state, int64_t i),
                    void* state) noexcept {
  const int threads = static_cast<int>(std::min<int64_t>(tasks, context.threads()));
  TaskQueue queue{.task = task, .state = state, .tasks = tasks};
  if (threads <= 1) {
    queue.drain();
    return;
  }
  if (const ThreadPool* pool = context.pool()) {
    pool->parallel_for(
        pool->pool, threads, [](void* q, int) { static_cast<TaskQueue*>(q)->drain(); }, &queue);
    return;
  }
  raise_pool(threads);
  halide_do_par_for(
      nullptr,
      // NOLINTNEXTLINE(readability-non-const-parameter): the type is halide_task_t.
      [](void*, int, uint8_t* q) {
        reinterpret_cast<TaskQueue*>(q)->drain();
        return 0;
      },
      0, threads, reinterpret_cast<uint8_t*>(&queue));
}

void* allocate(const Allocator* allocator, int64_t bytes) noexcept {
  if (std::cmp_greater(bytes, std::numeric_limits<size_t>::max() / 2)) return nullptr;
  const auto size = static_cast<size_t>(std::max<int64_t>(bytes, 1));
  if (allocator) return allocator->allocate(allocator->state, size, kAlignment);
  if (size > kSmallBytes) return ::operator new (size, std::align_val_t{kAlignment}, std::nothrow);
  auto* block = static_cast<std::byte*>(::operator new(size + kAlignment, std::nothrow));
  if (block == nullptr) return nullptr;
  const size_t ahead = kAlignment - reinterpret_cast<uintptr_t>(block) % kAlignment;
  std::memcpy(block + ahead - sizeof ahead, &ahead, sizeof ahead);
  return block + ahead;
}

void deallocate(const Allocator* allocator, void* pointer, int64_t bytes) noexcept {
  const auto size = static_cast<size_t>(std::max<int64_t>(bytes, 1));
  if (allocator) return allocator->deallocate(allocator->state, pointer, size);
  if (size > kSmallBytes) return ::operator delete (pointer, std::align_val_t{kAlignment});
  if (pointer == nullptr) return;
  auto* memory = static_cast<std::byte*>(pointer);
  size_t ahead = 0;
  std::memcpy(&ahead, memory - sizeof ahead, sizeof ahead);
  ::operator delete(memory - ahead);
}

}  // namespace sylvite::internal

void sylvite::shutdown() noexcept { halide_shutdown_thread_pool(); }

// Strong definitions in place of Halide's weak ones: no hook has to be installed, and none can be
// missed.
extern "C" {

void halide_error(void* user_context, const char* message) {
  using sylvite::internal::CallState;
  CallState* state = sylvite::internal::call_state(user_context);
  if (state == nullptr || state->explained.exchange(true)) return;
  int none = 0;
  state->code.compare_exchange_strong(none, halide_error_code_generic_error);
  std::strncpy(state->message.data(), message, state->message.size() - 1);
}

void halide_print(void*, const char*) {}

void* halide_malloc(void* user_context, size_t x) {
  using sylvite::internal::CallState;
  const CallState* state = sylvite::internal::call_state(user_context);
  const sylvite::Allocator* allocator = state ? state->context.allocator() : nullptr;
  // The size stands before the block: Halide frees without it.
  const auto total = static_cast<int64_t>(x + 2 * sylvite::internal::kAlignment);
  auto* block = static_cast<char*>(sylvite::internal::allocate(allocator, total));
  if (block == nullptr) return nullptr;
  std::memcpy(block, &total, sizeof total);
  return block + sylvite::internal::kAlignment;
}

void halide_free(void* user_context, void* ptr) {
  using sylvite::internal::CallState;
  if (ptr == nullptr) return;
  const CallState* state = sylvite::internal::call_state(user_context);
  char* block = static_cast<char*>(ptr) - sylvite::internal::kAlignment;
  int64_t total = 0;
  std::memcpy(&total, block, sizeof total);
  sylvite::internal::deallocate(state ? state->context.allocator() : nullptr, block, total);
}

// Halide asks for the developer's names; a machine that only runs programs has the versioned ones.
void* halide_load_library(const char* name) {
  for (const char* versioned : {"libcuda.so.1", "libOpenCL.so.1"}) {
    if (std::string_view(versioned).starts_with(name)) {
      if (void* library = dlopen(versioned, RTLD_LAZY)) return library;
    }
  }
  return dlopen(name, RTLD_LAZY);
}
}
