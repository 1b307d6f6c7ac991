// Tensors: a handle on shared storage with dtype, shape, strides and device.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string_view>

namespace sylvite {

class Context;

inline constexpr int kMaxRank = 32;

enum class DType : uint8_t {
  kBool,
  kInt8,
  kUInt8,
  kInt16,
  kUInt16,
  kInt32,
  kUInt32,
  kInt64,
  kUInt64,
  kFloat16,
  kBFloat16,
  kFloat32,
  kFloat64,
  kString,  ///< Texts of any bytes: one int64 offset each, and the bytes. On the CPU only.
};

/// Bytes of one element; of a string its offset.
int element_size(DType dtype) noexcept;

/// NumPy's name: "bool", "int8", …, "bfloat16", "float64"; "string".
std::string_view name(DType dtype) noexcept;

enum class DeviceKind : uint8_t { kCpu, kCuda, kOpenCl };

/// Where memory lives. `index` counts the devices of one kind from 0.
struct Device {
  DeviceKind kind = DeviceKind::kCpu;
  int index = 0;

  bool operator==(const Device&) const = default;
};

/// "cpu", "cuda", "opencl".
std::string_view name(DeviceKind kind) noexcept;

/// Up to kMaxRank int64 values, outermost axis first, stored inline: the extents of a tensor, or
/// its strides in elements.
class Shape {
 public:
  Shape() noexcept {}  // NOLINT(modernize-use-equals-default): leaves the unused slots unwritten
  /// Throws kInvalidArgument above kMaxRank values.
  Shape(std::initializer_list<int64_t> values) : Shape(std::span(values.begin(), values.size())) {}
  explicit Shape(std::span<const int64_t> values);
  Shape(const Shape& other) noexcept { *this = other; }
  Shape& operator=(const Shape& other) noexcept;
  ~Shape() = default;

  int rank() const noexcept { return rank_; }
  int64_t operator[](int axis) const noexcept { return values_[static_cast<size_t>(axis)]; }
  int64_t& operator[](int axis) noexcept { return values_[static_cast<size_t>(axis)]; }
  const int64_t* begin() const noexcept { return values_.data(); }
  const int64_t* end() const noexcept { return values_.data() + rank_; }
  /// Throws kInvalidArgument above kMaxRank values.
  void push_back(int64_t value);

  bool operator==(const Shape& other) const noexcept;

 private:
  std::array<int64_t, kMaxRank> values_;
  int rank_ = 0;
};

/// "[1, 3, 5, 5]".
std::string to_string(const Shape& shape);

/// Strides in elements of a dense row-major tensor. Extents of 0 count as 1.
Shape dense_strides(const Shape& shape) noexcept;

/// What validation, plans and explain() need to know of a tensor; no memory behind it.
struct TensorInfo {
  DType dtype = DType::kFloat32;
  Shape shape = {};
  /// In elements, 0 and negative allowed. Rank 0 (the default) means dense row-major.
  Shape strides = {};
  Device device = {};
};

/// The bytes [low, high) that a tensor's elements touch, counted from element [0, …, 0].
struct ByteRange {
  int64_t low = 0;
  int64_t high = 0;
};

/// A handle on shared storage. The metadata is immutable, copies share the storage, the reference
/// count is atomic: tensors may be read from many threads.
class Tensor {
 public:
  /// A rank-1 float32 tensor of no elements.
  Tensor() noexcept;

  /// Dense row-major memory, uninitialised, aligned to 64 bytes on the CPU.
  /// Throws kInvalidArgument (negative extent, more than 2^63 - 1 bytes), kOutOfMemory,
  /// kDeviceError, kUnsupported (no such device).
  static Tensor empty(DType dtype, const Shape& shape, Device device = {});
  static Tensor empty(DType dtype, const Shape& shape, const Context& context, Device device);

  /// Memory owned elsewhere, no copy. `data` points at element [0, …, 0] (device memory where
  /// `device` says so); `strides` in elements, rank 0 means dense row-major. `deleter` runs once,
  /// when the last tensor that shares the storage goes.
  static Tensor wrap(void* data, DType dtype, const Shape& shape, const Shape& strides = {},
                     std::function<void()> deleter = {}, Device device = {});
  /// Read-only memory: as an operator's output it is refused.
  static Tensor wrap(const void* data, DType dtype, const Shape& shape, const Shape& strides = {},
                     std::function<void()> deleter = {}, Device device = {});

  /// Strings: text i is the bytes [offsets[i], offsets[i + 1]) of `text`; dense row-major, the offsets
  /// one more than there are elements. The form on writable memory is for outputs: operators write
  /// both parts, up to `text_bytes`, and refuse texts that do not fit.
  /// Throws kInvalidArgument: read-only offsets that fall, or leave [0, text_bytes].
  static Tensor wrap_strings(const int64_t* offsets, const char* text, int64_t text_bytes,
                             const Shape& shape, std::function<void()> deleter = {});
  static Tensor wrap_strings(int64_t* offsets, char* text, int64_t text_bytes, const Shape& shape,
                             std::function<void()> deleter = {});
  /// Strings of the tensor's own, empty ones, with room for `text_bytes` bytes of text.
  static Tensor empty_strings(const Shape& shape, int64_t text_bytes, const Context& context);
  static Tensor empty_strings(const Shape& shape, int64_t text_bytes);
  /// Copies of these texts in row-major order. Throws kInvalidArgument where their number is not the
  /// shape's.
  static Tensor strings(std::span<const std::string_view> texts, const Shape& shape);

  /// The same storage seen with another shape and other strides (in elements), beginning `offset`
  /// elements after element [0, …, 0] of this one.
  /// Throws kInvalidArgument where an element of the view would lie outside of the elements of a
  /// tensor made by empty(); memory given to wrap() is the caller's to know.
  Tensor view(const Shape& shape, const Shape& strides, int64_t offset = 0) const;

  /// A dense copy on `device`; waits until it is complete.
  /// Throws kOutOfMemory, kDeviceError, kUnsupported (no such device, strings on a GPU).
  Tensor to(Device device, const Context& context) const;
  Tensor to(Device device) const;

  DType dtype() const noexcept { return dtype_; }
  const Shape& shape() const noexcept { return shape_; }
  /// In elements.
  const Shape& strides() const noexcept { return strides_; }
  int rank() const noexcept { return shape_.rank(); }
  Device device() const noexcept;
  bool read_only() const noexcept;
  int64_t element_count() const noexcept { return count_; }
  /// Bytes of the elements, element_count() * element_size(dtype()): of strings, their offsets.
  int64_t byte_count() const noexcept { return count_ * element_size(dtype_); }
  /// Empty where there are no elements.
  ByteRange byte_range() const noexcept { return range_; }
  /// Element [0, …, 0]; on a GPU a device pointer (CUDA) or nullptr (OpenCL, whose buffers have
  /// none).
  void* data() const noexcept { return data_; }
  template <typename T>
  T* data_as() const noexcept {
    return static_cast<T*>(data_);
  }
  /// Strings: the text of the element that lies `element` elements after element [0, …, 0] in memory.
  std::string_view text(int64_t element) const noexcept;
  /// Strings: the bytes that the offsets count in, nullptr for every other dtype; and how many there
  /// is room for.
  char* text_data() const noexcept;
  int64_t text_capacity() const noexcept;
  TensorInfo info() const { return {dtype_, shape_, strides_, device()}; }

  /// Tensors that share the storage, this one included; 0 for a tensor made by Tensor().
  int64_t storage_users() const noexcept { return storage_.use_count(); }

  struct Storage;
  const Storage* storage() const noexcept { return storage_.get(); }
  /// Bytes from the beginning of the storage to element [0, …, 0].
  int64_t storage_offset() const noexcept { return offset_; }

 private:
  Tensor(std::shared_ptr<const Storage> storage, void* data, int64_t offset, DType dtype,
         const Shape& shape, const Shape& strides);

  std::shared_ptr<const Storage> storage_;
  void* data_ = nullptr;
  int64_t offset_ = 0;
  int64_t count_ = 0;
  ByteRange range_ = {};
  Shape shape_;
  Shape strides_;
  DType dtype_ = DType::kFloat32;
};

}  // namespace sylvite
