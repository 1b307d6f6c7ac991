// Floating-point formats, conversions between them by their bits, and arithmetic that gives the same
// bits on every CPU target.
#pragma once

#include "Halide.h"

namespace sylvite {

/// Rounded to nearest even where it stands; never contracted, reordered or folded.
inline Halide::Expr exactly(const Halide::Expr& value) {
  return value.type().is_float() ? Halide::strict_float(value) : value;
}

/// An IEEE 754 format: 1 sign bit, exponent bits, mantissa bits.
struct Format {
  int exponent;
  int mantissa;

  int bits() const { return 1 + exponent + mantissa; }
  int bias() const { return (1 << (exponent - 1)) - 1; }
  Halide::Type type() const { return Halide::UInt(bits()); }
  Halide::Type number() const { return Halide::Float(bits()); }
  uint64_t sign() const { return uint64_t{1} << (bits() - 1); }
  uint64_t infinity() const { return ((uint64_t{1} << exponent) - 1) << mantissa; }
  uint64_t quiet() const { return uint64_t{1} << (mantissa - 1); }
};

inline Format format_of(const Halide::Type& type) {
  if (type.is_bfloat()) return {.exponent = 8, .mantissa = 7};
  if (type.bits() == 16) return {.exponent = 5, .mantissa = 10};
  if (type.bits() == 32) return {.exponent = 8, .mantissa = 23};
  return {.exponent = 11, .mantissa = 52};
}

inline Halide::Expr constant(const Halide::Type& type, uint64_t bits) {
  return Halide::cast(type, Halide::Expr(bits));
}

inline Halide::Expr magnitude_of(const Halide::Expr& bits, const Format& format) {
  return bits & constant(bits.type(), format.sign() - 1);
}

/// a > b of magnitudes: most processors compare 64-bit integers as signed ones only.
inline Halide::Expr above(const Halide::Expr& a, const Halide::Expr& b) {
  const Halide::Type type = a.type().with_code(halide_type_int);
  return reinterpret(type, a) > reinterpret(type, b);
}

inline Halide::Expr power_of_two(const Format& format, int exponent) {
  const auto bits = static_cast<uint64_t>(exponent + format.bias()) << format.mantissa;
  return reinterpret(format.number(), constant(format.type(), bits));
}

inline Halide::Expr is_nan_of(const Halide::Expr& bits, const Format& format) {
  return Halide::is_nan(reinterpret(format.number(), bits));
}

/// Without the last `count` bits, rounded to nearest even.
inline Halide::Expr rounded_off(const Halide::Expr& bits, int count) {
  const Halide::Expr one = constant(bits.type(), 1);
  const Halide::Expr half = (one << (count - 1)) - one;
  return (bits + half + ((bits >> count) & one)) >> count;
}

/// To a format of fewer bits, rounded to nearest even. A NaN keeps its sign and the upper bits of
/// its payload and becomes quiet, as in hardware.
inline Halide::Expr narrow_float(const Halide::Expr& bits, const Format& from, const Format& to) {
  using Halide::cast;
  using Halide::Expr;
  using Halide::reinterpret;
  using Halide::select;
  const Halide::Type type = from.type();
  const int shift = from.mantissa - to.mantissa;
  if (from.exponent == to.exponent) {
    // The sign and the carry of rounding stay in their places.
    const Expr nan = (bits >> shift) | constant(type, to.quiet());
    return cast(to.type(), select(is_nan_of(bits, from), nan, rounded_off(bits, shift)));
  }
  const Expr magnitude = magnitude_of(bits, from);
  const Expr infinity = constant(type, to.infinity());
  // The carry runs into the exponent, and past the largest value to infinity.
  const auto rebias = static_cast<uint64_t>(from.bias() - to.bias());
  const Expr normal = rounded_off(magnitude, shift) - constant(type, rebias << to.mantissa);
  // Denormals: adding a number whose last bit is worth one unit of them rounds to units, and what
  // it changes is the answer.
  const Expr units = power_of_two(from, from.mantissa - to.mantissa - to.bias() + 1);
  const Expr sum = exactly(reinterpret(from.number(), magnitude) + units);
  const Expr denormal = reinterpret(type, sum) - reinterpret(type, units);
  const Expr payload = (magnitude >> shift) & constant(type, to.quiet() - 1);
  const Expr result = select(is_nan_of(bits, from), infinity | constant(type, to.quiet()) | payload,
                             above(constant(type, (rebias + 1) << from.mantissa), magnitude),
                             denormal, above(normal, infinity), infinity, normal);
  const Expr sign = (bits >> (from.bits() - to.bits())) & constant(type, to.sign());
  return cast(to.type(), result | sign);
}

/// To a format of more bits, exactly. A NaN becomes quiet, but from bfloat16, which is the upper half
/// of a float32.
inline Halide::Expr widen_float(const Halide::Expr& bits, const Format& from, const Format& to) {
  using Halide::Expr;
  using Halide::reinterpret;
  using Halide::select;
  const Halide::Type type = to.type();
  const int shift = to.mantissa - from.mantissa;
  const Expr wide = cast(type, bits);
  if (from.exponent == to.exponent) return wide << shift;
  const Expr magnitude = magnitude_of(wide, from);
  const auto rebias = static_cast<uint64_t>(to.bias() - from.bias()) << to.mantissa;
  const Expr infinity = constant(type, from.infinity());
  const Expr normal = (magnitude << shift) + constant(type, rebias);
  const Expr special =
      (magnitude << shift) | constant(type, to.infinity()) |
      select(above(magnitude, infinity), constant(type, to.quiet()), constant(type, 0));
  const Expr count = Halide::cast(to.number(), reinterpret(Halide::Int(to.bits()), magnitude));
  const Expr denormal =
      reinterpret(type, count * power_of_two(to, 1 - from.bias() - from.mantissa));
  const Expr result = select(above(constant(type, uint64_t{1} << from.mantissa), magnitude),
                             denormal, above(infinity, magnitude), normal, special);
  return result | ((wide - magnitude) << (to.bits() - from.bits()));
}

/// One NaN for all: which one an operation gives differs from processor to processor.
inline Halide::Expr with_one_nan(const Halide::Expr& value) {
  if (!value.type().is_float()) return value;
  const Format format = format_of(value.type());
  const Halide::Expr bits = reinterpret(format.type(), value);
  const Halide::Expr nan = constant(format.type(), format.infinity() | format.quiet());
  const Halide::Expr infinity = constant(format.type(), format.infinity());
  return reinterpret(value.type(), select(above(magnitude_of(bits, format), infinity), nan, bits));
}

/// The number that `bits` stand for as a `type`, a half type's as float32.
inline Halide::Expr widened(const Halide::Expr& bits, const Halide::Type& type) {
  if (!type.is_float() || type.bits() != 16) return reinterpret(type, bits);
  const Format half = format_of(type);
  const Format wide = format_of(Halide::Float(32));
  if (type.is_bfloat()) return reinterpret(wide.number(), widen_float(bits, half, wide));
  // Where the processor has no such conversion, Halide's own takes a NaN for a large number.
  const Halide::Expr nan =
      reinterpret(wide.number(), constant(wide.type(), wide.infinity() | wide.quiet()));
  return select(above(magnitude_of(bits, half), constant(half.type(), half.infinity())), nan,
                Halide::cast<float>(reinterpret(type, bits)));
}

/// The bits of `value` as a `type`, a half type's by one rounding of a float32 to nearest even. A NaN
/// is the one of with_one_nan.
inline Halide::Expr rounded_bits(const Halide::Expr& value, const Halide::Type& type) {
  using Halide::Expr;
  if (value.type().bits() == type.bits())
    return reinterpret(type.with_code(halide_type_uint), with_one_nan(value));
  const Format wide = format_of(value.type());
  const Format half = format_of(type);
  const Expr bits = reinterpret(wide.type(), value);
  const Expr is_nan = above(magnitude_of(bits, wide), constant(wide.type(), wide.infinity()));
  const Expr rounded = type.is_bfloat()
                           ? cast(half.type(), rounded_off(bits, wide.mantissa - half.mantissa))
                           : reinterpret(half.type(), Halide::cast(type, value));
  return select(is_nan, constant(half.type(), half.infinity() | half.quiet()), rounded);
}

}  // namespace sylvite
