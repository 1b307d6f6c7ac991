#include "runtime/ops/cast_number_text.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

#include "runtime/ops/cast_path.h"

namespace sylvite::internal {
namespace {

/// float16 and bfloat16 by their bits.
struct HalfFormat {
  int exponent;
  int mantissa;

  int bias() const noexcept { return (1 << (exponent - 1)) - 1; }
  int least() const noexcept { return 1 - bias() - mantissa; }  ///< power of a denormal's last bit
  uint64_t sign() const noexcept { return uint64_t{1} << (exponent + mantissa); }
  uint64_t infinity() const noexcept { return ((uint64_t{1} << exponent) - 1) << mantissa; }
};

HalfFormat half_format(DType dtype) noexcept {
  return dtype == DType::kFloat16 ? HalfFormat{.exponent = 5, .mantissa = 10}
                                  : HalfFormat{.exponent = 8, .mantissa = 7};
}

double half_value(uint64_t bits, const HalfFormat& format) noexcept {
  const uint64_t magnitude = bits & (format.sign() - 1);
  const uint64_t field = magnitude >> format.mantissa;
  const uint64_t rest = magnitude & ((uint64_t{1} << format.mantissa) - 1);
  double value = std::numeric_limits<double>::quiet_NaN();
  if (magnitude < format.infinity()) {
    const uint64_t units = field == 0 ? rest : rest | uint64_t{1} << format.mantissa;
    value = std::ldexp(static_cast<double>(units),
                       static_cast<int>(std::max<uint64_t>(field, 1)) - 1 + format.least());
  } else if (magnitude == format.infinity()) {
    value = std::numeric_limits<double>::infinity();
  }
  return std::copysign(value, (bits & format.sign()) != 0 ? -1.0 : 1.0);
}

/// Decimal text without sign: 0.d1 d2 d3 … * 10^exponent with d1 != 0; no digits for zero.
class Decimal {
 public:
  explicit Decimal(std::string_view text) noexcept {
    const size_t mark = std::min(text.find_first_of("eE"), text.size());
    digits_ = text.substr(0, mark);
    const size_t point = std::min(digits_.find('.'), digits_.size());
    const size_t first = std::min(digits_.find_first_not_of("0."), digits_.size());
    exponent_ = static_cast<int64_t>(point) - static_cast<int64_t>(first) + (first > point ? 1 : 0);
    digits_.remove_prefix(first);
    exponent_ += mark < text.size() ? power_of(text.substr(mark + 1)) : 0;
  }

  int64_t exponent() const noexcept { return exponent_; }

  /// Below, at or above the other one: -1, 0 or 1. Neither is zero.
  int compare(const Decimal& other) const noexcept {
    if (exponent_ != other.exponent_) return exponent_ < other.exponent_ ? -1 : 1;
    size_t i = 0;
    size_t j = 0;
    while (i < digits_.size() || j < other.digits_.size()) {
      const char a = next(digits_, i);
      const char b = next(other.digits_, j);
      if (a != b) return a < b ? -1 : 1;
    }
    return 0;
  }

 private:
  static int64_t power_of(std::string_view text) noexcept {
    constexpr int64_t kBeyond = int64_t{1} << 60;  // of any text's length
    if (text.starts_with('+')) text.remove_prefix(1);
    int64_t power = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), power);
    if (error == std::errc::result_out_of_range) return text.starts_with('-') ? -kBeyond : kBeyond;
    return std::clamp(power, -kBeyond, kBeyond);
  }
  static char next(std::string_view digits, size_t& i) noexcept {
    if (i < digits.size() && digits[i] == '.') ++i;
    return i < digits.size() ? digits[i++] : '0';
  }

  std::string_view digits_;
  int64_t exponent_;
};

/// All of the text as T; out of range is infinite or zero.
template <typename T>
std::optional<T> read_float(std::string_view text) noexcept {
  T value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::invalid_argument || end != text.data() + text.size()) return std::nullopt;
  if (error == std::errc()) return value;
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  value = Decimal(text).exponent() > 0 ? std::numeric_limits<T>::infinity() : T{0};
  return negative ? -value : value;
}

/// By way of float64, whose text is looked at again where it lies halfway between two halves.
std::optional<uint64_t> read_half(std::string_view text, const HalfFormat& format) noexcept {
  const std::optional<double> value = read_float<double>(text);
  if (!value) return std::nullopt;
  const uint64_t sign = std::signbit(*value) ? format.sign() : 0;
  if (std::isnan(*value)) return sign | format.infinity() | uint64_t{1} << (format.mantissa - 1);
  if (std::isinf(*value)) return sign | format.infinity();
  if (*value == 0) return sign;
  const double magnitude = std::fabs(*value);
  const int last = std::max(std::ilogb(magnitude) - format.mantissa, format.least());
  const double units = std::ldexp(magnitude, -last);
  const double whole = std::trunc(units);
  auto bits = (static_cast<uint64_t>(last - format.least()) << format.mantissa) +
              static_cast<uint64_t>(whole);
  if (last - format.least() > 2 * format.bias()) return sign | format.infinity();
  int above_half = units - whole > .5 ? 1 : -1;
  if (units - whole == .5) {
    // 2^-134, a halfway case of bfloat16, has 94 digits; no halfway case has more.
    std::array<char, 160> exact;
    const char* end = std::to_chars(exact.data(), exact.data() + exact.size(), magnitude,
                                    std::chars_format::scientific, 140)
                          .ptr;
    const auto size = static_cast<size_t>(end - exact.data());
    above_half = Decimal(text.substr(sign != 0 ? 1 : 0)).compare(Decimal({exact.data(), size}));
    if (above_half == 0) above_half = bits % 2 != 0 ? 1 : -1;
  }
  if (above_half > 0) ++bits;
  return sign | std::min(bits, format.infinity());
}

template <typename T>
std::optional<uint64_t> read_integer(std::string_view text) noexcept {
  T value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return static_cast<uint64_t>(static_cast<std::make_unsigned_t<T>>(value));
}

template <typename Bits, typename T>
std::optional<uint64_t> bits_of(std::optional<T> value) noexcept {
  if (!value) return std::nullopt;
  return std::bit_cast<Bits>(*value);
}

/// The shortest text of a finite half that is not zero, as the float64 that it also stands for: of
/// all numbers of few digits that read back equal, the nearest one of the fewest.
double shortest_half(double value, DType dtype, uint64_t bits) noexcept {
  constexpr int kMostDigits = 5;
  for (int digits = 1; digits < kMostDigits; ++digits) {
    std::array<char, NumberText::kMaxSize> text;
    const char* end = std::to_chars(text.data(), text.data() + text.size(), value,
                                    std::chars_format::scientific, digits - 1)
                          .ptr;
    const std::string_view nearest(text.data(), static_cast<size_t>(end - text.data()));
    double decimal = 0;
    std::from_chars(nearest.data(), end, decimal);
    // Where the distances to the halves beside it differ, the nearest may be out and the next one in.
    int power = 0;
    const size_t mark = nearest.find('e');
    std::from_chars(nearest.data() + mark + (nearest[mark + 1] == '+' ? 2 : 1), end, power);
    const double step = std::pow(10.0, power - digits + 1);
    for (const double candidate : {decimal, decimal - step, decimal + step}) {
      std::array<char, NumberText::kMaxSize> again;
      const char* stop = std::to_chars(again.data(), again.data() + again.size(), candidate,
                                       std::chars_format::scientific, digits - 1)
                             .ptr;
      const std::string_view written(again.data(), static_cast<size_t>(stop - again.data()));
      if (read_number(written, dtype) != bits) continue;
      std::from_chars(written.data(), stop, decimal);
      return decimal;
    }
  }
  std::array<char, NumberText::kMaxSize> text;
  const char* end = std::to_chars(text.data(), text.data() + text.size(), value,
                                  std::chars_format::scientific, kMostDigits - 1)
                        .ptr;
  std::from_chars(text.data(), end, value);
  return value;
}

}  // namespace

NumberText::NumberText(uint64_t bits, DType dtype) noexcept {
  const auto write = [&](auto value) {
    const char* end = std::to_chars(text_.data(), text_.data() + text_.size(), value).ptr;
    size_ = static_cast<size_t>(end - text_.data());
  };
  switch (dtype) {
    case DType::kBool:
      write(bits != 0 ? 1 : 0);
      break;
    case DType::kInt8:
      write(int{static_cast<int8_t>(bits)});
      break;
    case DType::kInt16:
      write(static_cast<int16_t>(bits));
      break;
    case DType::kInt32:
      write(static_cast<int32_t>(bits));
      break;
    case DType::kInt64:
      write(static_cast<int64_t>(bits));
      break;
    case DType::kFloat32:
      write(std::bit_cast<float>(static_cast<uint32_t>(bits)));
      break;
    case DType::kFloat64:
      write(std::bit_cast<double>(bits));
      break;
    case DType::kFloat16:
    case DType::kBFloat16: {
      const double value = half_value(bits, half_format(dtype));
      write(std::isfinite(value) && value != 0 ? shortest_half(value, dtype, bits) : value);
      // Zeros in front of no point are as long as the number's own digits.
      if (view().find_first_of(".en") == std::string_view::npos) write(value);
      break;
    }
    default:
      write(bits);
      break;
  }
}

std::optional<uint64_t> read_number(std::string_view text, DType dtype) noexcept {
  switch (dtype) {
    case DType::kBool:
      if (text == "0") return 0;
      if (text == "1") return 1;
      return std::nullopt;
    case DType::kInt8:
      return read_integer<int8_t>(text);
    case DType::kUInt8:
      return read_integer<uint8_t>(text);
    case DType::kInt16:
      return read_integer<int16_t>(text);
    case DType::kUInt16:
      return read_integer<uint16_t>(text);
    case DType::kInt32:
      return read_integer<int32_t>(text);
    case DType::kUInt32:
      return read_integer<uint32_t>(text);
    case DType::kInt64:
      return read_integer<int64_t>(text);
    case DType::kUInt64:
      return read_integer<uint64_t>(text);
    case DType::kFloat32:
      return bits_of<uint32_t>(read_float<float>(text));
    case DType::kFloat64:
      return bits_of<uint64_t>(read_float<double>(text));
    default:
      return read_half(text, half_format(dtype));
  }
}

}  // namespace sylvite::internal
