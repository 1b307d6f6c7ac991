// Tensors, shapes and texts of C as C++ has them.
#include <algorithm>
#include <array>

#include "runtime/c_api.h"
#include "runtime/shape.h"

namespace sylvite::internal::c_api {
namespace {

constexpr int32_t kDTypes = 14;
static_assert(SYLVITE_BOOL == static_cast<int>(DType::kBool) + 1);
static_assert(SYLVITE_INT8 == static_cast<int>(DType::kInt8) + 1);
static_assert(SYLVITE_UINT8 == static_cast<int>(DType::kUInt8) + 1);
static_assert(SYLVITE_INT16 == static_cast<int>(DType::kInt16) + 1);
static_assert(SYLVITE_UINT16 == static_cast<int>(DType::kUInt16) + 1);
static_assert(SYLVITE_INT32 == static_cast<int>(DType::kInt32) + 1);
static_assert(SYLVITE_UINT32 == static_cast<int>(DType::kUInt32) + 1);
static_assert(SYLVITE_INT64 == static_cast<int>(DType::kInt64) + 1);
static_assert(SYLVITE_UINT64 == static_cast<int>(DType::kUInt64) + 1);
static_assert(SYLVITE_FLOAT16 == static_cast<int>(DType::kFloat16) + 1);
static_assert(SYLVITE_BFLOAT16 == static_cast<int>(DType::kBFloat16) + 1);
static_assert(SYLVITE_FLOAT32 == static_cast<int>(DType::kFloat32) + 1);
static_assert(SYLVITE_FLOAT64 == static_cast<int>(DType::kFloat64) + 1);
static_assert(SYLVITE_STRING == static_cast<int>(DType::kString) + 1 && SYLVITE_STRING == kDTypes);
static_assert(SYLVITE_MAX_RANK == kMaxRank);
static_assert(SYLVITE_CPU == static_cast<int>(DeviceKind::kCpu));
static_assert(SYLVITE_CUDA == static_cast<int>(DeviceKind::kCuda));
static_assert(SYLVITE_OPENCL == static_cast<int>(DeviceKind::kOpenCl));

bool is_dtype(sylvite_dtype dtype) noexcept { return dtype >= 1 && dtype <= kDTypes; }

/// Puts the place in front of what the C++ functions say.
template <typename Make>
auto at(const Place& place, const Make& make) {
  try {
    return make();
  } catch (const Error& error) {
    std::ostringstream message;
    message << place << ": " << error.what();
    throw CallError(error.code(), message.str());
  }
}

/// `read_only` as the const forms of Tensor::wrap have it.
Tensor wrap(const sylvite_tensor* tensor, const Place& place, bool read_only) {
  const TensorInfo info = info_of(tensor, place);
  const bool empty = std::ranges::find(info.shape, 0) != info.shape.end();
  require_call(tensor->data != nullptr || empty, place, ".data is NULL, want the address of ",
               info.shape, " elements");
  return at(place, [&] {
    if (info.dtype == DType::kString) {
      auto* offsets = static_cast<int64_t*>(tensor->data);
      return read_only
                 ? Tensor::wrap_strings(static_cast<const int64_t*>(offsets),
                                        static_cast<const char*>(tensor->text), tensor->text_bytes,
                                        info.shape)
                 : Tensor::wrap_strings(offsets, tensor->text, tensor->text_bytes, info.shape);
    }
    return read_only
               ? Tensor::wrap(static_cast<const void*>(tensor->data), info.dtype, info.shape,
                              info.strides, {}, info.device)
               : Tensor::wrap(tensor->data, info.dtype, info.shape, info.strides, {}, info.device);
  });
}

template <typename Convert>
auto all(const sylvite_tensor* tensors, int64_t count, const char* argument,
         const Convert& convert) {
  std::vector<decltype(convert(tensors, argument))> converted;
  const std::span given = array(tensors, count, argument);
  converted.reserve(given.size());
  for (size_t i = 0; i < given.size(); ++i) {
    converted.push_back(convert(&given[i], Place(argument, static_cast<int64_t>(i))));
  }
  return converted;
}

}  // namespace

std::ostream& operator<<(std::ostream& text, const Place& place) {
  text << place.argument;
  if (place.index >= 0) text << '[' << place.index << ']';
  if (place.field != nullptr) text << '.' << place.field;
  return text;
}

Device device_of(sylvite_device device, const Place& place) {
  require_call(device.kind >= SYLVITE_CPU && device.kind <= SYLVITE_OPENCL, place,
               ".device.kind is ", device.kind, ", want SYLVITE_CPU, …_CUDA or …_OPENCL");
  return {.kind = static_cast<DeviceKind>(device.kind), .index = device.index};
}

sylvite_device c_device(Device device) noexcept {
  return {.kind = static_cast<sylvite_device_kind>(device.kind), .index = device.index};
}

sylvite_dtype c_dtype(DType dtype) noexcept { return static_cast<sylvite_dtype>(dtype) + 1; }

TensorInfo info_of(const sylvite_tensor* tensor, const Place& place) {
  const sylvite_tensor& x = required(tensor, place);
  require_call(is_dtype(x.dtype), place, ".dtype is ", x.dtype, ", want 1 (SYLVITE_BOOL) to ",
               kDTypes, " (SYLVITE_STRING)");
  require_call(x.rank >= 0 && x.rank <= kMaxRank, place, ".rank is ", x.rank, ", want 0 to ",
               kMaxRank);
  require_call(x.shape != nullptr || x.rank == 0, place, ".shape is NULL, want ", x.rank,
               " extents");
  const auto rank = static_cast<size_t>(x.rank);
  TensorInfo info{.dtype = static_cast<DType>(x.dtype - 1),
                  .shape = Shape(std::span(x.shape, rank)),
                  .device = device_of(x.device, place)};
  if (x.strides != nullptr) info.strides = Shape(std::span(x.strides, rank));
  at(place, [&] { require_tensor(info, "sylvite_tensor", "the tensor"); });
  if (info.dtype == DType::kString) {
    require_call(info.device == Device{}, place, " holds strings on ", name(info.device.kind), " ",
                 info.device.index, ", want cpu 0");
    const Shape dense = dense_strides(info.shape);
    for (int axis = 0; axis < info.strides.rank(); ++axis) {
      require_call(info.shape[axis] <= 1 || info.strides[axis] == dense[axis], place,
                   ".strides are ", info.strides, ", want NULL: strings are dense");
    }
  }
  return info;
}

Tensor input(const sylvite_tensor* tensor, const Place& place) { return wrap(tensor, place, true); }
Tensor output(const sylvite_tensor* tensor, const Place& place) {
  return wrap(tensor, place, false);
}

std::vector<TensorInfo> infos_of(const sylvite_tensor* tensors, int64_t count,
                                 const char* argument) {
  return all(tensors, count, argument, info_of);
}
std::vector<Tensor> inputs(const sylvite_tensor* tensors, int64_t count, const char* argument) {
  return all(tensors, count, argument, input);
}
std::vector<Tensor> outputs(const sylvite_tensor* tensors, int64_t count, const char* argument) {
  return all(tensors, count, argument, output);
}

Shape shape_of(const int64_t* extents, int32_t rank, const char* argument) {
  require_call(rank >= 0 && rank <= kMaxRank, argument, ": rank is ", rank, ", want 0 to ",
               kMaxRank);
  return Shape(array(extents, rank, argument));
}

void give(const Shape& shape, sylvite_shape& to) noexcept {
  to.rank = shape.rank();
  std::ranges::copy(shape, std::begin(to.extents));
}

std::string text_of(const char* text, const Place& place) { return &required(text, place); }

std::vector<std::string> texts_of(const char* const* texts, int64_t count, const char* argument) {
  std::vector<std::string> copies;
  const std::span given = array(texts, count, argument);
  copies.reserve(given.size());
  for (size_t i = 0; i < given.size(); ++i) {
    copies.push_back(text_of(given[i], Place(argument, static_cast<int64_t>(i))));
  }
  return copies;
}

}  // namespace sylvite::internal::c_api

using sylvite::DType;

int32_t sylvite_element_size(sylvite_dtype dtype) {
  const bool known = sylvite::internal::c_api::is_dtype(dtype);
  return known ? sylvite::element_size(static_cast<DType>(dtype - 1)) : 0;
}

const char* sylvite_dtype_name(sylvite_dtype dtype) {
  const bool known = sylvite::internal::c_api::is_dtype(dtype);
  return known ? sylvite::name(static_cast<DType>(dtype - 1)).data() : "";
}
