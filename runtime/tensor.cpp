#include "sylvite/tensor.h"

#include <algorithm>

#include "runtime/copy_tensor.h"
#include "runtime/error.h"
#include "runtime/halide_call.h"
#include "runtime/shape.h"
#include "runtime/storage.h"
#include "runtime/strings.h"

namespace sylvite {

using internal::require;
using internal::require_argument;

namespace {

struct DTypeRow {
  std::string_view name;
  int bytes;
};

constexpr std::array<DTypeRow, 14> kDTypes = {{
    {"bool", 1},
    {"int8", 1},
    {"uint8", 1},
    {"int16", 2},
    {"uint16", 2},
    {"int32", 4},
    {"uint32", 4},
    {"int64", 8},
    {"uint64", 8},
    {"float16", 2},
    {"bfloat16", 2},
    {"float32", 4},
    {"float64", 8},
    {"string", 8},
}};

Shape checked_strides(DType dtype, const Shape& shape, const Shape& strides) {
  const TensorInfo info{.dtype = dtype, .shape = shape, .strides = strides, .device = {}};
  internal::require_tensor(info, "Tensor", "shape");
  return internal::strides_of(info);
}

/// A dense CPU copy of a CPU tensor.
Tensor dense_copy(const Tensor& x, const Context& context) {
  Tensor y = Tensor::empty(x.dtype(), x.shape(), context, Device{});
  const Context host(ContextOptions{
      .threads = context.threads(), .pool = context.pool(), .allocator = context.allocator()});
  internal::Call call(host, Device{}, "Tensor::to");
  internal::copy_tensor(call, x, y);
  return y;
}

}  // namespace

int element_size(DType dtype) noexcept { return kDTypes[static_cast<size_t>(dtype)].bytes; }
std::string_view name(DType dtype) noexcept { return kDTypes[static_cast<size_t>(dtype)].name; }

std::string_view name(DeviceKind kind) noexcept {
  constexpr std::array<std::string_view, 3> kNames = {"cpu", "cuda", "opencl"};
  return kNames[static_cast<size_t>(kind)];
}

Tensor::Storage::~Storage() {
  if (owned && device.kind == DeviceKind::kCpu) internal::deallocate(allocator, base, allocated);
  if (owned && device.kind != DeviceKind::kCpu) internal::device_free(device, memory);
  if (deleter) deleter();
}

Tensor::Tensor() noexcept {
  shape_.push_back(0);
  strides_.push_back(1);
}

Tensor::Tensor(std::shared_ptr<const Storage> storage, void* data, int64_t offset, DType dtype,
               const Shape& shape, const Shape& strides)
    : storage_(std::move(storage)),
      data_(data),
      offset_(offset),
      count_(internal::checked_count(shape).value_or(0)),
      range_(internal::byte_range(shape, strides, element_size(dtype)).value_or(ByteRange{})),
      shape_(shape),
      strides_(strides),
      dtype_(dtype) {
  // The offset behind the last text is read too.
  if (dtype == DType::kString && count_ > 0) range_.high += element_size(dtype);
}

Tensor Tensor::empty(DType dtype, const Shape& shape, Device device) {
  return empty(dtype, shape, Context(), device);
}

Tensor Tensor::empty(DType dtype, const Shape& shape, const Context& context, Device device) {
  if (dtype == DType::kString) {
    require(device == Device{}, ErrorCode::kUnsupported, "Tensor: strings on device ",
            name(device.kind), " ", device.index, ", want cpu 0");
    return empty_strings(shape, 0, context);
  }
  const Shape strides = checked_strides(dtype, shape, {});
  auto storage = std::make_shared<Storage>();
  storage->device = device;
  storage->bytes = *internal::checked_count(shape) * element_size(dtype);
  storage->allocated = storage->bytes;
  if (device.kind == DeviceKind::kCpu) {
    require(device.index == 0, ErrorCode::kUnsupported, "Tensor: device cpu ", device.index,
            ", want 0");
    storage->allocator = context.allocator();
    storage->base = internal::allocate(storage->allocator, storage->bytes);
    require(storage->base != nullptr, ErrorCode::kOutOfMemory, "Tensor: no memory for ",
            storage->bytes, " bytes of shape ", shape);
  } else {
    storage->memory = internal::device_allocate(context, device, storage->bytes);
    if (device.kind == DeviceKind::kCuda) {
      // NOLINTNEXTLINE(performance-no-int-to-ptr): CUDA's addresses are integers.
      storage->base = reinterpret_cast<void*>(storage->memory);
    }
  }
  storage->owned = true;
  void* data = storage->base;
  return {std::move(storage), data, 0, dtype, shape, strides};
}

Tensor Tensor::wrap(void* data, DType dtype, const Shape& shape, const Shape& strides,
                    std::function<void()> deleter, Device device) {
  const Shape checked = checked_strides(dtype, shape, strides);
  require_argument(dtype != DType::kString,
                   "Tensor::wrap: dtype is string, want wrap_strings for offsets and text");
  require(device.kind != DeviceKind::kOpenCl, ErrorCode::kUnsupported,
          "Tensor::wrap: memory on opencl, want memory with an address");
  require_argument(data != nullptr || *internal::checked_count(shape) == 0,
                   "Tensor::wrap: data is null, want the address of ", shape, " elements");
  auto storage = std::make_shared<Storage>();
  storage->device = device;
  storage->base = data;
  storage->memory = reinterpret_cast<uint64_t>(data);
  storage->deleter = std::move(deleter);
  return {std::move(storage), data, 0, dtype, shape, checked};
}

Tensor Tensor::wrap(const void* data, DType dtype, const Shape& shape, const Shape& strides,
                    std::function<void()> deleter, Device device) {
  Tensor tensor = wrap(const_cast<void*>(data), dtype, shape, strides, std::move(deleter), device);
  std::const_pointer_cast<Storage>(tensor.storage_)->read_only = true;
  return tensor;
}

Tensor Tensor::view(const Shape& shape, const Shape& strides, int64_t offset) const {
  const Shape checked = checked_strides(dtype_, shape, strides);
  const int64_t bytes = element_size(dtype_);
  auto range = internal::byte_range(shape, checked, element_size(dtype_));
  if (dtype_ == DType::kString && range->high > range->low) range->high += bytes;
  const auto start = internal::checked_add(offset_, internal::checked_mul(offset, bytes));
  const auto low = internal::checked_add(start, range->low);
  const auto high = internal::checked_add(start, range->high);
  const bool known = storage_ && storage_->owned;
  require_argument(
      low && high &&
          (!known || range->high == range->low || (*low >= 0 && *high <= storage_->bytes)),
      "Tensor::view: shape ", shape, " with strides ", checked, " at element ", offset,
      " leaves the storage of ", known ? storage_->bytes : 0, " bytes");
  void* data = data_ ? static_cast<std::byte*>(data_) + offset * bytes : nullptr;
  return {storage_, data, *start, dtype_, shape, checked};
}

Tensor Tensor::to(Device device) const { return to(device, Context()); }

Tensor Tensor::to(Device device, const Context& context) const {
  const Device here = this->device();
  if (dtype_ == DType::kString) {
    require(device == Device{}, ErrorCode::kUnsupported, "Tensor::to: strings to device ",
            name(device.kind), " ", device.index, ", want cpu 0");
    return internal::dense_strings(*this, context, "Tensor::to");
  }
  if (here.kind != DeviceKind::kCpu) {
    // The bytes from the lowest element to the highest come over as they are.
    const int64_t low = offset_ + range_.low;
    Tensor bytes = empty(DType::kUInt8, Shape{range_.high - range_.low}, context, Device{});
    if (range_.high > range_.low) {
      if (here.kind == DeviceKind::kCuda) {
        const uint64_t from = reinterpret_cast<uint64_t>(data_) + static_cast<uint64_t>(range_.low);
        internal::copy_to_host(context, here, from, bytes.data(), range_.high - range_.low);
      } else {
        Tensor all = empty(DType::kUInt8, Shape{storage_->bytes}, context, Device{});
        internal::copy_to_host(context, here, storage_->memory, all.data(), storage_->bytes);
        std::copy_n(all.data_as<uint8_t>() + low, range_.high - range_.low,
                    bytes.data_as<uint8_t>());
      }
    }
    const Tensor host(bytes.storage_, bytes.data_as<std::byte>() - range_.low, -range_.low, dtype_,
                      shape_, strides_);
    const Tensor dense = dense_copy(host, context);
    return device.kind == DeviceKind::kCpu ? dense : dense.to(device, context);
  }
  Tensor dense = dense_copy(*this, context);
  if (device.kind == DeviceKind::kCpu) return dense;
  Tensor y = empty(dtype_, shape_, context, device);
  if (dense.byte_count() > 0) {
    internal::copy_to_device(context, device, y.storage_->memory, dense.data(), dense.byte_count());
  }
  return y;
}

Device Tensor::device() const noexcept { return storage_ ? storage_->device : Device{}; }
bool Tensor::read_only() const noexcept { return storage_ && storage_->read_only; }

}  // namespace sylvite
