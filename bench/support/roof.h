// The fastest copies, fills and reads this machine knows: what a row of as many bytes is held
// against.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

#include "support/buffer.h"
#include "support/timing.h"

namespace sylvite_bench {

/// A fill leaves the source alone, a read writes one line to the target.
using Copy = void (*)(char* target, const char* source, size_t bytes);

/// Threads that share a copy. Between wake() and rest() they spin, so that a copy of microseconds
/// is not charged for waking them; at rest they sleep and take no core from anything else.
class CopyPool {
 public:
  explicit CopyPool(int threads);
  CopyPool(const CopyPool&) = delete;
  CopyPool& operator=(const CopyPool&) = delete;
  CopyPool(CopyPool&&) = delete;
  CopyPool& operator=(CopyPool&&) = delete;
  ~CopyPool();

  void wake();
  void rest();
  void run(Copy copy, char* target, const char* source, size_t bytes);

 private:
  struct Job {
    Copy copy = nullptr;
    char* target = nullptr;
    const char* source = nullptr;
    size_t bytes = 0;
  };

  void work(int index);
  void copy_part(int index) const;

  // One line that the workers watch, one that they write to.
  alignas(64) std::atomic<uint64_t> ticket_ = 0;
  Job job_;
  std::atomic<bool> awake_ = false;
  std::atomic<bool> stopped_ = false;
  alignas(64) std::atomic<int> pending_ = 0;
  int threads_;
  std::vector<std::thread> workers_;
};

class Roof {
 public:
  explicit Roof(int threads) : pool_(threads), threads_(threads) {}

  /// memcpy on one thread, memcpy and a non-temporal copy on all, of `bytes` bytes each.
  std::vector<Contestant> copies(int64_t bytes);
  /// memset on one thread, memset and a non-temporal fill on all.
  std::vector<Contestant> fills(int64_t bytes);
  /// Reads on one thread and on all.
  std::vector<Contestant> reads(int64_t bytes);

 private:
  Contestant alone(const char* name, Copy copy, int64_t bytes);
  Contestant shared(const char* name, Copy copy, int64_t bytes);

  CopyPool pool_;
  int threads_;
  Buffer source_;
  Buffer target_;
};

/// A memcpy that goes past the caches, with this machine's widest vectors.
Copy non_temporal_copy();

}  // namespace sylvite_bench
