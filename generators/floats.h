// Floating-point arithmetic that gives the same bits on every CPU target.
#pragma once

#include <limits>

#include "Halide.h"

namespace sylvite {

/// Rounded to nearest even where it stands; never contracted, reordered or folded.
inline Halide::Expr exactly(const Halide::Expr& value) {
  return value.type().is_float() ? Halide::strict_float(value) : value;
}

/// One NaN for all: which one an operation gives differs from processor to processor.
inline Halide::Expr with_one_nan(const Halide::Expr& value) {
  using Halide::Expr;
  const Halide::Type type = value.type();
  if (!type.is_float()) return value;
  const int mantissa = type.bits() == 32 ? 23 : 52;
  const Expr one = cast(type.with_code(halide_type_uint), 1);
  const Expr sign = one << (type.bits() - 1);
  const Expr infinity = sign - (one << mantissa);
  const Expr bits = reinterpret(one.type(), value);
  // Compared as signed numbers: most processors have no other comparison of vectors.
  const auto is_above = [&](const Expr& a, const Expr& b) {
    const Halide::Type number = type.with_code(halide_type_int);
    return reinterpret(number, a) > reinterpret(number, b);
  };
  const Expr nan = infinity | (one << (mantissa - 1));
  return reinterpret(type, select(is_above(bits & (sign - one), infinity), nan, bits));
}

/// The number that `bits` stand for as a `type`, a half type's as float32.
inline Halide::Expr widened(const Halide::Expr& bits, Halide::Type type) {
  using Halide::Expr;
  if (type.is_bfloat()) return Halide::reinterpret<float>(Halide::cast<uint32_t>(bits) << 16);
  Expr number = reinterpret(type, bits);
  if (!type.is_float() || type.bits() != 16) return number;
  // Where the processor has no such conversion, Halide's own takes a NaN for a large number.
  const Expr is_nan = Halide::cast<int16_t>(bits & 0x7FFF) > 0x7C00;
  return select(is_nan, Expr(std::numeric_limits<float>::quiet_NaN()), Halide::cast<float>(number));
}

/// The bits of `value` as a `type`, a half type's by one rounding of a float32 to nearest even. A NaN
/// is the one of with_one_nan.
inline Halide::Expr rounded_bits(const Halide::Expr& value, Halide::Type type) {
  using Halide::cast;
  using Halide::Expr;
  using Halide::reinterpret;
  const Halide::Type unsigned_type = type.with_code(halide_type_uint);
  Expr bits = reinterpret(unsigned_type.with_bits(value.type().bits()), with_one_nan(value));
  if (value.type().bits() == type.bits()) return bits;
  if (type.is_bfloat()) {
    // The one NaN has nothing in the bits that rounding carries from.
    return cast<uint16_t>((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
  }
  const Expr is_nan = (bits & 0x7FFFFFFF) > 0x7F800000;
  return select(is_nan, cast<uint16_t>(0x7E00), reinterpret<uint16_t>(cast(type, value)));
}

}  // namespace sylvite
