#include "runtime/ops/pad_value.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace sylvite::internal {
namespace {

template <typename T>
std::optional<uint64_t> integer_bits(double value) noexcept {
  // 2^digits is the first value above T's largest; both bounds are exact in float64.
  const double end = std::ldexp(1.0, std::numeric_limits<T>::digits);
  const double begin = std::numeric_limits<T>::is_signed ? -end : 0.0;
  if (!(value >= begin && value < end) || std::trunc(value) != value) return std::nullopt;
  return static_cast<uint64_t>(static_cast<std::make_unsigned_t<T>>(static_cast<T>(value)));
}

/// A format of 1 sign bit, `exponent` exponent bits and `mantissa` mantissa bits.
std::optional<uint64_t> float_bits(double value, int exponent, int mantissa) noexcept {
  const uint64_t sign = std::signbit(value) ? uint64_t{1} << (exponent + mantissa) : 0;
  const uint64_t infinity = ((uint64_t{1} << exponent) - 1) << mantissa;
  if (std::isnan(value)) return sign | infinity | (uint64_t{1} << (mantissa - 1));
  if (std::isinf(value)) return sign | infinity;
  if (value == 0) return sign;
  const int bias = (1 << (exponent - 1)) - 1;
  int power = 0;
  std::frexp(value, &power);                        // |value| in [2^(power-1), 2^power)
  const int scale = std::max(power - 1, 1 - bias);  // exponent of the leading or denormal bit
  const double units = std::ldexp(std::fabs(value), mantissa - scale);
  if (power - 1 > bias || std::trunc(units) != units) return std::nullopt;
  // A denormal's units stay below the hidden bit; a normal's add it to the exponent field.
  return sign |
         ((static_cast<uint64_t>(scale + bias - 1) << mantissa) + static_cast<uint64_t>(units));
}

}  // namespace

std::optional<uint64_t> exact_bits(double value, DType dtype) noexcept {
  switch (dtype) {
    case DType::kBool:
      return value == 0 || value == 1 ? std::optional(static_cast<uint64_t>(value)) : std::nullopt;
    case DType::kInt8:
      return integer_bits<int8_t>(value);
    case DType::kUInt8:
      return integer_bits<uint8_t>(value);
    case DType::kInt16:
      return integer_bits<int16_t>(value);
    case DType::kUInt16:
      return integer_bits<uint16_t>(value);
    case DType::kInt32:
      return integer_bits<int32_t>(value);
    case DType::kUInt32:
      return integer_bits<uint32_t>(value);
    case DType::kInt64:
      return integer_bits<int64_t>(value);
    case DType::kUInt64:
      return integer_bits<uint64_t>(value);
    case DType::kFloat16:
      return float_bits(value, 5, 10);
    case DType::kBFloat16:
      return float_bits(value, 8, 7);
    case DType::kFloat32:
      return float_bits(value, 8, 23);
    case DType::kFloat64:
      return std::bit_cast<uint64_t>(value);
    case DType::kString:
      break;
  }
  return std::nullopt;
}

}  // namespace sylvite::internal
