// What tensors share.
#pragma once

#include <cstdint>
#include <functional>

#include "sylvite/context.h"
#include "sylvite/tensor.h"

namespace sylvite {

struct Tensor::Storage {
  Storage() = default;
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;
  ~Storage();

  Device device = {};
  void* base = nullptr;    ///< CPU and CUDA: the first byte
  uint64_t memory = 0;     ///< GPU: what device_allocate gave, or the wrapped address
  int64_t bytes = 0;       ///< 0 for wrapped memory, whose size only the caller knows
  char* text = nullptr;    ///< strings: what the offsets at `base` count in
  int64_t text_bytes = 0;  ///< room for text
  int64_t allocated = 0;   ///< what an owned CPU storage gives back
  bool owned = false;
  bool read_only = false;
  const Allocator* allocator = nullptr;
  std::function<void()> deleter = {};
};

}  // namespace sylvite
