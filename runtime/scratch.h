// Memory for the length of one call.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "sylvite/context.h"

namespace sylvite::internal {

/// The first 24 KiB are the object's own, what goes beyond comes from the context's allocator.
class Scratch {
 public:
  Scratch(const Context& context, std::string_view op) noexcept : context_(context), op_(op) {}
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch();

  /// Uninitialised, on a cache line, for as long as this lives. Throws kOutOfMemory.
  template <typename T>
  T* take(int64_t count) {
    return static_cast<T*>(take_bytes(count, sizeof(T)));
  }

 private:
  struct Block {
    Block* next;
    int64_t bytes;
  };
  void* take_bytes(int64_t count, size_t element_bytes);

  const Context& context_;
  std::string_view op_;
  Block* blocks_ = nullptr;
  int64_t used_ = 0;
  alignas(64) std::array<std::byte, size_t{24} << 10> own_;
};

}  // namespace sylvite::internal
