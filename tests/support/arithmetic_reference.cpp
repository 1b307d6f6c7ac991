#include "support/arithmetic_reference.h"

#include "support/expand_cases.h"

namespace sylvite::test {
namespace {

template <typename T>
T combine(What what, T a, T b) {
  return static_cast<T>(what == What::kAdd ? a + b : a * b);
}

}  // namespace

uint16_t nearest_half(double value, DType dtype) {
  const uint16_t infinity = dtype == DType::kFloat16 ? 0x7C00 : 0x7F80;
  if (std::isnan(value)) return infinity | (dtype == DType::kFloat16 ? 0x200 : 0x40);
  const auto number = [&](int bits) {
    // Rounding takes infinity for the number that would follow the largest.
    const double largest = decode_half(static_cast<uint16_t>(infinity - 1), dtype);
    return bits < infinity ? decode_half(static_cast<uint16_t>(bits), dtype)
                           : 2 * largest - decode_half(static_cast<uint16_t>(infinity - 2), dtype);
  };
  const double magnitude = std::fabs(value);
  int low = 0;
  int high = infinity;
  while (high - low > 1) {
    const int middle = (low + high) / 2;
    (number(middle) <= magnitude ? low : high) = middle;
  }
  const double below = magnitude - number(low);
  const double above = number(high) - magnitude;
  const int nearest = below < above || (below == above && low % 2 == 0) ? low : high;
  return static_cast<uint16_t>(nearest | (std::signbit(value) ? 0x8000 : 0));
}

Bytes reference(What what, const Bytes& a, const Bytes& b, DType dtype) {
  Bytes y(a.size());
  const auto size = static_cast<size_t>(element_size(dtype));
  for (size_t i = 0; i * size < y.size(); ++i) {
    if (is_half(dtype)) {
      const float exact = combine(what, half_at(a, i, dtype), half_at(b, i, dtype));
      put(y, i, nearest_half(exact, dtype));
    } else if (dtype == DType::kFloat32) {
      put(y, i, combine(what, at<float>(a, i), at<float>(b, i)));
    } else if (dtype == DType::kFloat64) {
      put(y, i, combine(what, at<double>(a, i), at<double>(b, i)));
    } else {
      uint64_t p = 0;
      uint64_t q = 0;
      std::memcpy(&p, a.data() + i * size, size);
      std::memcpy(&q, b.data() + i * size, size);
      p = combine(what, p, q);
      std::memcpy(y.data() + i * size, &p, size);
    }
  }
  return y;
}

Bytes broadcast(const Bytes& x, const Shape& x_shape, const Shape& y_shape, DType dtype) {
  return reference_expand(x, x_shape, y_shape, element_size(dtype));
}

Bytes numbers(Random& random, DType dtype, int64_t elements) {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  const auto size = static_cast<size_t>(element_size(dtype));
  Bytes bytes = random.bytes(elements * element_size(dtype));
  for (size_t i = 0; i * size < bytes.size(); ++i) {
    double value = static_cast<double>(random.between(-4096, 4096)) / 1024;
    if (random.chance(.02)) value = random.one_of({0.0, -0.0, kInf, -kInf, 1e-7, 6e4, 3e38});
    if (is_half(dtype)) put(bytes, i, nearest_half(value, dtype));
    if (dtype == DType::kFloat32)
      put(bytes, i, static_cast<float>(value) * (1 + static_cast<float>(i % 97) * 0x1p-23F));
    if (dtype == DType::kFloat64) put(bytes, i, value / 3);
  }
  return bytes;
}

}  // namespace sylvite::test
