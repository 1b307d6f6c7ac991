// Tensors laid into guarded memory in every way the library must take.
#pragma once

#include <span>
#include <string>

#include "support/guarded.h"
#include "support/random_shapes.h"
#include "support/reference.h"
#include "sylvite/sylvite.h"

namespace sylvite::test {

/// How a tensor lies in flat memory.
struct Placement {
  Shape strides;         ///< In elements.
  int64_t first = 0;     ///< Element [0, …, 0], counted in flat memory.
  int64_t elements = 0;  ///< Flat memory in all.
  GuardedBuffer::Flush flush = GuardedBuffer::Flush::kEnd;
  int shift = 0;  ///< Bytes away from the guard page: odd addresses.
};

Placement dense_placement(const Shape& shape,
                          GuardedBuffer::Flush flush = GuardedBuffer::Flush::kStart);

/// Axes in any order, gaps, negative strides, odd addresses, both ends of a page; for inputs
/// stride 0 too.
Placement random_placement(Random& random, const Shape& shape, int element_size, bool is_input);

/// A tensor in guarded memory on the CPU, or in a copy of that memory on another device.
class PlacedTensor {
 public:
  /// Changes the random bytes of flat memory into values of a dtype.
  using Shaper = void (*)(std::span<uint8_t> bytes, DType dtype);

  /// Memory of random bytes, changed by `shaper`, read-only where it is an input on the CPU.
  PlacedTensor(Random& random, DType dtype, const Shape& shape, const Placement& placement,
               Device device, bool is_input, Shaper shaper = nullptr)
      : PlacedTensor(random, dtype, shape, placement, device, is_input, shaper, nullptr) {}
  /// An input of these elements in row-major order, equal where the placement lays them on one
  /// another.
  PlacedTensor(Random& random, DType dtype, const Shape& shape, const Placement& placement,
               Device device, const Bytes& elements)
      : PlacedTensor(random, dtype, shape, placement, device, true, nullptr, &elements) {}

  const Tensor& tensor() const { return tensor_; }
  Tensor& tensor() { return tensor_; }
  /// The elements in row-major order.
  Bytes elements() const;
  /// Elements are `expected`, and every other byte is as it was at the beginning.
  void expect_holds(const Bytes& expected, const std::string& what) const;

 private:
  PlacedTensor(Random& random, DType dtype, const Shape& shape, const Placement& placement,
               Device device, bool is_input, Shaper shaper, const Bytes* elements);

  GuardedBuffer memory_;
  Bytes before_;
  Tensor flat_;
  Tensor tensor_;
  Placement placement_;
};

}  // namespace sylvite::test
