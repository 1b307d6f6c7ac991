#include "runtime/shape.h"

#include <algorithm>
#include <cstring>
#include <sstream>

#include "runtime/error.h"

namespace sylvite {

using internal::require_argument;

Shape::Shape(std::span<const int64_t> values) {
  require_argument(values.size() <= kMaxRank, "Shape: rank ", values.size(), ", want at most ",
                   kMaxRank);
  rank_ = static_cast<int>(values.size());
  std::copy(values.begin(), values.end(), values_.begin());
}

Shape& Shape::operator=(const Shape& other) noexcept {
  rank_ = other.rank_;
  std::memmove(values_.data(), other.values_.data(), sizeof(int64_t) * static_cast<size_t>(rank_));
  return *this;
}

void Shape::push_back(int64_t value) {
  require_argument(rank_ < kMaxRank, "Shape: rank ", rank_ + 1, ", want at most ", kMaxRank);
  values_[static_cast<size_t>(rank_++)] = value;
}

bool Shape::operator==(const Shape& other) const noexcept {
  return std::equal(begin(), end(), other.begin(), other.end());
}

std::ostream& operator<<(std::ostream& text, const Shape& shape) {
  text << '[';
  for (int axis = 0; axis < shape.rank(); ++axis) text << (axis ? ", " : "") << shape[axis];
  return text << ']';
}

std::string to_string(const Shape& shape) {
  std::ostringstream text;
  text << shape;
  return text.str();
}

Shape dense_strides(const Shape& shape) noexcept {
  Shape strides = shape;
  int64_t stride = 1;
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    strides[axis] = stride;
    // Shapes beyond int64 are refused before their strides are used.
    stride = static_cast<int64_t>(static_cast<uint64_t>(stride) *
                                  static_cast<uint64_t>(std::max<int64_t>(shape[axis], 1)));
  }
  return strides;
}

namespace internal {

namespace {

/// What an output is, but for its strides.
struct Kind {
  DType dtype;
  const Shape& shape;
  Device device;
};

void require_kind(const Kind& y, DType dtype, const Shape& shape, Device device,
                  std::string_view op, std::string_view argument) {
  require_argument(y.dtype == dtype, op, ": ", argument, " has dtype ", name(y.dtype), ", want ",
                   name(dtype));
  require_argument(y.shape == shape, op, ": ", argument, " has shape ", y.shape, ", want ", shape);
  require_argument(y.device == device, op, ": ", argument, " is on device ", name(y.device.kind),
                   " ", y.device.index, ", want ", name(device.kind), " ", device.index,
                   ", where the input is");
}

void require_no_overlap(const Shape& shape, const Shape& strides, std::string_view op,
                        std::string_view argument) {
  require_argument(!overlaps_itself(shape, strides), op, ": ", argument, " of strides ", strides,
                   " overlaps itself, want every element in its own memory");
}

}  // namespace

Checked checked_count(const Shape& shape) noexcept {
  int64_t count = 1;
  bool empty = false;
  bool fits = true;
  for (const int64_t extent : shape) {
    empty |= extent == 0;
    fits &= !__builtin_mul_overflow(count, extent, &count);
  }
  if (empty) return 0;
  return fits ? Checked(count) : std::nullopt;
}

std::optional<ByteRange> byte_range(const Shape& shape, const Shape& strides,
                                    int element_bytes) noexcept {
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return ByteRange{};
  Checked low = 0;
  Checked high = 1;
  for (int axis = 0; axis < shape.rank(); ++axis) {
    const Checked reach = checked_mul(shape[axis] - 1, strides[axis]);
    Checked& side = strides[axis] < 0 ? low : high;
    side = checked_add(side, reach);
  }
  low = checked_mul(low, element_bytes);
  high = checked_mul(high, element_bytes);
  int64_t size = 0;
  if (!low || !high || __builtin_sub_overflow(*high, *low, &size)) return std::nullopt;
  return ByteRange{.low = *low, .high = *high};
}

bool overlaps_itself(const Shape& shape, const Shape& strides) noexcept {
  struct Axis {
    int64_t stride, extent;
  };
  std::array<Axis, kMaxRank> axes;
  int count = 0;
  for (int axis = 0; axis < shape.rank(); ++axis) {
    if (shape[axis] == 0) return false;
    if (shape[axis] > 1) {
      axes[static_cast<size_t>(count++)] = {.stride = std::abs(strides[axis]),
                                            .extent = shape[axis]};
    }
  }
  std::sort(axes.begin(), axes.begin() + count,
            [](const Axis& a, const Axis& b) { return a.stride < b.stride; });
  int64_t reach = 0;
  for (int i = 0; i < count; ++i) {
    const Axis& axis = axes[static_cast<size_t>(i)];
    if (axis.stride <= reach) return true;
    reach += axis.stride * (axis.extent - 1);
  }
  return false;
}

Shape strides_of(const TensorInfo& info) noexcept {
  return info.strides.rank() == 0 ? dense_strides(info.shape) : info.strides;
}

Shape broadcast_strides(const Shape& x, const Shape& x_strides, const Shape& y) noexcept {
  Shape strides = y;
  const int added = y.rank() - x.rank();
  for (int axis = 0; axis < y.rank(); ++axis) {
    const bool kept = axis >= added && x[axis - added] == y[axis];
    strides[axis] = kept ? x_strides[axis - added] : 0;
  }
  return strides;
}

void require_tensor(const TensorInfo& info, std::string_view op, std::string_view argument) {
  for (int axis = 0; axis < info.shape.rank(); ++axis) {
    require_argument(info.shape[axis] >= 0, op, ": ", argument, " has extent ", info.shape[axis],
                     " on axis ", axis, ", want at least 0");
  }
  require_argument(info.strides.rank() == 0 || info.strides.rank() == info.shape.rank(), op, ": ",
                   argument, " has ", info.strides.rank(), " strides, want one for each of its ",
                   info.shape.rank(), " axes");
  const int bytes = element_size(info.dtype);
  const bool sized = checked_mul(checked_count(info.shape), bytes).has_value() &&
                     (info.strides.rank() == 0 ||  // dense
                      byte_range(info.shape, info.strides, bytes).has_value());
  require_argument(sized, op, ": ", argument, " of shape ", info.shape,
                   " has more bytes than int64 can count");
}

void require_fixed_size(DType dtype, std::string_view op, std::string_view argument) {
  require(dtype != DType::kString, ErrorCode::kUnsupported, op, ": ", argument,
          " has dtype string, want one whose elements all have the same size");
}

bool is_dense(const Tensor& tensor) noexcept {
  int64_t stride = 1;
  for (int axis = tensor.rank() - 1; axis >= 0; --axis) {
    const int64_t extent = tensor.shape()[axis];
    if (extent == 0) return true;
    if (extent > 1 && tensor.strides()[axis] != stride) return false;
    stride *= extent;
  }
  return true;
}

void require_output(const TensorInfo& y, DType dtype, const Shape& shape, Device device,
                    std::string_view op, std::string_view argument) {
  require_kind({y.dtype, y.shape, y.device}, dtype, shape, device, op, argument);
  require_no_overlap(y.shape, strides_of(y), op, argument);
}

void require_output(const Tensor& y, DType dtype, const Shape& shape, Device device,
                    std::string_view op, std::string_view argument) {
  require_kind({y.dtype(), y.shape(), y.device()}, dtype, shape, device, op, argument);
  if (!is_dense(y)) require_no_overlap(y.shape(), y.strides(), op, argument);
}

Shape shape_from(const Tensor& shape, std::string_view op) {
  const DType dtype = shape.dtype();
  require_argument(dtype == DType::kInt32 || dtype == DType::kInt64, op, ": shape has dtype ",
                   name(dtype), ", want int32 or int64");
  require_argument(shape.device().kind == DeviceKind::kCpu, op, ": shape is on device ",
                   name(shape.device().kind), ", want cpu");
  require_argument(shape.rank() == 1, op, ": shape has rank ", shape.rank(), ", want 1");
  require_argument(shape.element_count() <= kMaxRank, op, ": shape has ", shape.element_count(),
                   " entries, want at most ", kMaxRank);
  Shape extents;
  for (int64_t i = 0; i < shape.element_count(); ++i) {
    const auto* at = shape.data_as<std::byte>() + i * shape.strides()[0] * element_size(dtype);
    int32_t narrow = 0;
    int64_t wide = 0;
    std::memcpy(dtype == DType::kInt32 ? static_cast<void*>(&narrow) : &wide, at,
                static_cast<size_t>(element_size(dtype)));
    extents.push_back(dtype == DType::kInt32 ? narrow : wide);
  }
  return extents;
}

Tensor new_output(DType dtype, const Shape& shape, const Context& context, Device device,
                  std::string_view op, std::string_view argument) {
  try {
    return Tensor::empty(dtype, shape, context, device);
  } catch (const Error& error) {
    fail(error.code(), op, ": ", argument, ": ", error.what());
  }
}

void require_apart(const Tensor& x, const Tensor& y, std::string_view op,
                   std::string_view argument) {
  require_argument(!y.read_only(), op, ": ", argument,
                   " is read-only memory, want memory to write to");
  const auto apart = [](int64_t a_low, int64_t a_high, int64_t b_low, int64_t b_high) {
    return a_low >= a_high || b_low >= b_high || a_high <= b_low || b_high <= a_low;
  };
  const ByteRange in = x.byte_range();
  const ByteRange out = y.byte_range();
  // OpenCL memory has no address; there only one storage can be shared.
  const bool addressed = x.data() != nullptr && y.data() != nullptr;
  const bool shared = addressed || x.storage() == y.storage();
  const int64_t from = addressed ? reinterpret_cast<int64_t>(x.data()) : x.storage_offset();
  const int64_t to = addressed ? reinterpret_cast<int64_t>(y.data()) : y.storage_offset();
  const auto from_text = reinterpret_cast<int64_t>(x.text_data());
  const auto to_text = reinterpret_cast<int64_t>(y.text_data());
  require_argument(
      (!shared || apart(from + in.low, from + in.high, to + out.low, to + out.high)) &&
          apart(from_text, from_text + x.text_capacity(), to_text, to_text + y.text_capacity()),
      op, ": ", argument, " overlaps the input in memory, want them apart");
}

}  // namespace internal
}  // namespace sylvite
