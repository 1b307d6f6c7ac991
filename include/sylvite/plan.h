// Plans: one operator with fixed shapes, dtypes and strides, made once and run many times.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "sylvite/context.h"
#include "sylvite/tensor.h"

namespace sylvite {

/// What a call would do, for people and tests.
struct Explanation {
  std::string_view op;       ///< "SpaceToBatch"
  std::string_view kernel;   ///< "space_to_batch_b2_u32", "memcpy", "none" (no elements)
  std::string_view target;   ///< "x86_64_avx512"
  std::string_view variant;  ///< "plain" or "stream"
  int64_t bytes_read = 0;
  int64_t bytes_written = 0;
  int64_t kernel_calls = 0;  ///< Boxes the call is cut into, before the split into tasks.
  int64_t tasks = 0;         ///< Over all boxes.
  Shape output_shape = {};
};

/// "SpaceToBatch: space_to_batch_b2_u32 on x86_64_avx512 (plain), 1048576 B read, …".
std::string to_string(const Explanation& explanation);

/// Const and shareable between threads; outlives its Context's pool and allocator at no time.
class Plan {
 public:
  struct State;
  explicit Plan(std::shared_ptr<const State> state) noexcept : state_(std::move(state)) {}

  /// x and y must have the dtype, shape, strides and device the plan was made for, else
  /// kInvalidArgument. y never overlaps x.
  void run(const Tensor& x, Tensor& y) const;
  const Explanation& explanation() const noexcept;

 private:
  std::shared_ptr<const State> state_;
};

}  // namespace sylvite
