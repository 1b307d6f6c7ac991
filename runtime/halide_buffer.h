// Halide's own types, under the names this library gives its symbols.
#pragma once

#include "halide_names.h"
//
#ifdef __wasi__
#define HALIDE_RUNTIME_ASAN_DETECTED  // else it takes every clang for one that has _Float16
#endif
#include <HalideRuntime.h>

#include "runtime/halide_call.h"

namespace sylvite::internal {

/// A halide_buffer_t and its dimensions on the stack.
struct HalideBuffer {
  explicit HalideBuffer(const Operand& operand) noexcept;
  HalideBuffer(const HalideBuffer&) = delete;
  HalideBuffer& operator=(const HalideBuffer&) = delete;

  halide_buffer_t buffer = {};
  // In a union, because their constructors would clear those that are not in use: 15 ns a buffer.
  union {
    std::array<halide_dimension_t, kMaxKernelRank> dimensions;
  };
};

/// Names the operand's device memory in the buffer.
void set_device_memory(HalideBuffer& buffer, const Operand& operand) noexcept;

}  // namespace sylvite::internal
