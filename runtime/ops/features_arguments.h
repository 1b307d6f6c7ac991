// The arguments of the merges: one tensor per input under one name, checked and seen as memory.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <span>
#include <string_view>
#include <vector>

#include "runtime/error.h"
#include "runtime/ops/features_strings.h"

namespace sylvite::internal {

/// One argument of all inputs: lengths_1, lengths_2, …
class Parts {
 public:
  Parts() noexcept = default;
  Parts(std::string_view name, std::span<const Tensor> tensors) noexcept
      : Parts(name, tensors.data(), sizeof(Tensor), tensors.size()) {}
  template <typename Feature>
  Parts(std::string_view name, std::span<const Feature> features, Tensor Feature::*member) noexcept
      : Parts(name, features.empty() ? nullptr : &(features.front().*member), sizeof(Feature),
              features.size()) {}

  std::string_view name() const noexcept { return name_; }
  int64_t count() const noexcept { return count_; }
  const Tensor& operator[](int64_t f) const noexcept {
    return *reinterpret_cast<const Tensor*>(first_ + f * stride_);
  }

 private:
  Parts(std::string_view name, const Tensor* first, size_t stride, size_t count) noexcept
      : name_(name),
        first_(reinterpret_cast<const std::byte*>(first)),
        stride_(static_cast<int64_t>(stride)),
        count_(static_cast<int64_t>(count)) {}

  std::string_view name_;
  const std::byte* first_ = nullptr;
  int64_t stride_ = 0;
  int64_t count_ = 0;
};

/// The name of one of them: "lengths_2".
struct PartName {
  const Parts& parts;
  int64_t f;
};
inline std::ostream& operator<<(std::ostream& text, const PartName& of) {
  return text << of.parts.name() << '_' << of.f + 1;
}

// Each throws kInvalidArgument.
void require_any(const Parts& parts, std::string_view op);
/// Rank 1, on this device.
void require_rows(const Parts& parts, std::string_view op, Device device = {});
void require_dtype(const Parts& parts, DType dtype, std::string_view op);
void require_one_dtype(const Parts& parts, std::string_view op);
/// One tensor for each input.
void require_count(const Parts& parts, int64_t inputs, std::string_view op);
/// The same, of one extent for all.
void require_examples(const Parts& parts, int64_t inputs, int64_t examples, std::string_view op);

void require_device(const Tensor& tensor, std::string_view op, std::string_view argument,
                    Device device);
/// An output on this device.
void require_writable(const Tensor& output, DType dtype, const Shape& shape, std::string_view op,
                      std::string_view argument, Device device = {});
/// What all inputs' elements make up, packed.
void require_packed(const Tensor& packed, int64_t extent, std::string_view op,
                    std::string_view argument, Device device = {});

bool dense_and_aligned(const Tensor& tensor) noexcept;
/// The same of an array of rank 1.
inline bool dense_and_aligned_row(const Tensor& row, uintptr_t element_bytes) noexcept {
  return (row.strides()[0] == 1 || row.shape()[0] <= 1) &&
         (reinterpret_cast<uintptr_t>(row.data()) & (element_bytes - 1)) == 0;
}

/// Tensors as dense, aligned memory; copies live as long as this.
class DenseTensors {
 public:
  DenseTensors(const Context& context, Scratch& scratch) noexcept
      : context_(context), scratch_(scratch) {}

  const void* of(const Tensor& tensor);
  Texts texts(const Tensor& tensor);
  template <typename T>
  const T* const* of(const Parts& parts) {
    const T** arrays = scratch_.take<const T*>(parts.count());
    const auto bytes = static_cast<uintptr_t>(element_size(parts[0].dtype()));
    for (int64_t f = 0; f < parts.count(); ++f) {
      const Tensor& row = parts[f];
      arrays[f] = static_cast<const T*>(dense_and_aligned_row(row, bytes) ? row.data() : of(row));
    }
    return arrays;
  }

 private:
  const Tensor& dense(const Tensor& tensor);

  const Context& context_;
  Scratch& scratch_;
  std::vector<Tensor> copies_;
};

/// An output as dense, aligned memory: its own, or a tensor copied to it at the end.
class DenseOutputs {
 public:
  DenseOutputs(const Context& context, std::string_view op) noexcept : context_(context), op_(op) {}

  std::byte* of(const Tensor& output);
  void copy_back(Call& call) const;

 private:
  struct Copy {
    Tensor dense;
    Tensor output;
  };
  const Context& context_;
  std::string_view op_;
  std::vector<Copy> copies_;
};

/// The memory that a call reads and writes.
class MemoryRanges {
 public:
  /// For so many tensors; strings have two ranges.
  MemoryRanges(int64_t most, Scratch& scratch) : ranges_(scratch.take<Range>(2 * most)) {}

  void read(const Tensor& tensor) noexcept { add(tensor, false); }
  void read(const Parts& parts) noexcept {
    for (int64_t f = 0; f < parts.count(); ++f) add(parts[f], false);
  }
  void write(const Tensor& tensor) noexcept { add(tensor, true); }
  /// Whether what is written overlaps nothing else. Reorders the ranges.
  bool apart() noexcept;

 private:
  struct Range {
    const void* storage;  ///< of OpenCL memory, which has no addresses: bytes count from its first
    uintptr_t begin;
    uintptr_t end;
    bool written;
  };
  void add(const Tensor& tensor, bool written) noexcept;
  bool apart_one_by_one() const noexcept;
  bool apart_in_order() noexcept;

  Range* ranges_;
  int64_t count_ = 0;
};

}  // namespace sylvite::internal
