// Where and how a call runs: target, device, stream, threads, allocator.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "sylvite/tensor.h"

namespace sylvite {

/// The caller's own thread pool. parallel_for runs task(state, i) for every i in [0, tasks), in any
/// order and on any threads, and returns when all have returned.
struct ThreadPool {
  void* pool = nullptr;
  void (*parallel_for)(void* pool, int tasks, void (*task)(void* state, int i),
                       void* state) = nullptr;
};

/// Memory for CPU outputs and scratch. allocate returns nullptr when there is none; alignment is a
/// power of two. It must outlive every tensor made with it.
struct Allocator {
  void* state = nullptr;
  void* (*allocate)(void* state, size_t bytes, size_t alignment) = nullptr;
  void (*deallocate)(void* state, void* pointer, size_t bytes) = nullptr;
};

/// Bytes on the CPU through one MemoryMeter: held at present, and the most at any time.
struct MemoryUse {
  int64_t live = 0;
  int64_t peak = 0;
};

/// An allocator that counts, in front of another one. Must outlive what is allocated through it.
class MemoryMeter {
 public:
  /// nullptr: in front of aligned operator new.
  explicit MemoryMeter(const Allocator* inner = nullptr) noexcept;
  MemoryMeter(const MemoryMeter&) = delete;
  MemoryMeter& operator=(const MemoryMeter&) = delete;
  ~MemoryMeter() = default;

  const Allocator* allocator() const noexcept { return &allocator_; }
  MemoryUse use() const noexcept { return {live_, peak_}; }
  /// The meter behind an allocator; nullptr where it is none of a meter's.
  static const MemoryMeter* of(const Allocator* allocator) noexcept;

 private:
  static void* allocate(void* state, size_t bytes, size_t alignment);
  static void deallocate(void* state, void* pointer, size_t bytes);

  const Allocator* inner_;
  Allocator allocator_;
  std::atomic<int64_t> live_ = 0;
  std::atomic<int64_t> peak_ = 0;
};

/// Which of two builds of a moving kernel runs.
enum class StorePolicy : uint8_t {
  kAuto,    ///< Streaming above a share of the last-level cache, where the output allows it.
  kPlain,   ///< Ordinary stores.
  kStream,  ///< Non-temporal stores wherever the output allows them.
};

struct ContextOptions {
  /// A name out of targets(); empty: the best one for the operands' device.
  std::string_view target = {};
  /// CUDA: a CUstream of the operands' device; nullptr is the legacy default stream.
  void* stream = nullptr;
  /// Threads a call may use; 0: one per core of this process's affinity mask.
  int threads = 0;
  /// nullptr: the library's own pool. Must outlive the Context.
  const ThreadPool* pool = nullptr;
  /// nullptr: aligned operator new. Must outlive the Context and the tensors made with it.
  const Allocator* allocator = nullptr;
  StorePolicy stores = StorePolicy::kAuto;
  /// Where merges of features on a GPU tell what they found instead of waiting for it, as
  /// sylvite/features.h says; nullptr: they wait. Must outlive the Context.
  const Tensor* merge_status = nullptr;
};

/// A small value, cheap to make and to copy. Default: the best kernel this machine can run, on the
/// operands' device, with all cores.
class Context {
 public:
  Context() noexcept = default;
  /// Throws kUnsupported where the target is not available, naming those that are;
  /// kInvalidArgument where threads is negative.
  // NOLINTNEXTLINE(google-explicit-constructor): f(x, {.threads = 2})
  Context(const ContextOptions& options);

  /// Bit i: row i of the targets table may be used.
  uint32_t target_mask() const noexcept { return target_mask_; }
  void* stream() const noexcept { return options_.stream; }
  /// At least 1.
  int threads() const noexcept;
  const ThreadPool* pool() const noexcept { return options_.pool; }
  const Allocator* allocator() const noexcept { return options_.allocator; }
  StorePolicy stores() const noexcept { return options_.stores; }
  const Tensor* merge_status() const noexcept { return options_.merge_status; }
  /// Where the allocator is a MemoryMeter's, what it has counted.
  std::optional<MemoryUse> memory_use() const noexcept;

  /// Loads the GPU modules of every kernel, so that no later call pays for it. Nothing on a CPU.
  /// Throws kDeviceError.
  void warm_up(Device device) const;

  /// Waits until everything launched on the device's stream is complete. Throws kDeviceError.
  void synchronize(Device device) const;

 private:
  ContextOptions options_ = {};
  uint32_t target_mask_ = ~0U;
};

/// The targets this machine can run, best first, e.g. {"x86_64_avx512", "x86_64_avx2", "x86_64"}.
std::vector<std::string_view> targets();

/// Ends the thread pool: before fork() or dlclose(). The next call starts it again.
void shutdown() noexcept;

}  // namespace sylvite
