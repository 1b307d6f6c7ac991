// Numbers of every dtype, and what plain C++ makes of them. Results hold the one NaN of arithmetic.h.
#pragma once

#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include "support/random_shapes.h"
#include "support/reference.h"
#include "sylvite/sylvite.h"

namespace sylvite::test {

inline constexpr std::array kNumbers = {DType::kInt8,     DType::kUInt8,   DType::kInt16,
                                        DType::kUInt16,   DType::kInt32,   DType::kUInt32,
                                        DType::kInt64,    DType::kUInt64,  DType::kFloat16,
                                        DType::kBFloat16, DType::kFloat32, DType::kFloat64};
inline constexpr std::array<int64_t, 14> kExtents = {0,  1,  2,  7,  8,  9,  15,
                                                     16, 17, 31, 33, 64, 65, 131};

inline bool is_half(DType dtype) { return dtype == DType::kFloat16 || dtype == DType::kBFloat16; }

/// The bits of the half type nearest to a number, ties to even, found by halving.
uint16_t nearest_half(double value, DType dtype);

template <typename T>
T at(const Bytes& bytes, size_t i) {
  T value;
  std::memcpy(&value, bytes.data() + i * sizeof value, sizeof value);
  return value;
}

/// Of half types their number.
inline float half_at(const Bytes& bytes, size_t i, DType dtype) {
  return static_cast<float>(decode_half(at<uint16_t>(bytes, i), dtype));
}

template <typename T>
void put(Bytes& bytes, size_t i, T value) {
  if constexpr (std::is_floating_point_v<T>) {
    if (std::isnan(value)) value = std::numeric_limits<T>::quiet_NaN();
  }
  std::memcpy(bytes.data() + i * sizeof value, &value, sizeof value);
}

enum class What : uint8_t { kAdd, kMul };

/// a + b or a * b of as many elements of each. Half types are computed in float32 and rounded once.
Bytes reference(What what, const Bytes& a, const Bytes& b, DType dtype);

/// x's elements, dense row-major, along y's.
Bytes broadcast(const Bytes& x, const Shape& x_shape, const Shape& y_shape, DType dtype);

/// Numbers near 1 of either sign, with some zeros, infinities and denormals among them.
Bytes numbers(Random& random, DType dtype, int64_t elements);

inline Tensor wrapped(Bytes& bytes, DType dtype, const Shape& shape) {
  return Tensor::wrap(bytes.data(), dtype, shape);
}

/// Of a dense tensor.
inline Bytes bytes_of(const Tensor& tensor) {
  const auto* data = tensor.data_as<uint8_t>();
  return {data, data + tensor.byte_count()};
}

}  // namespace sylvite::test
