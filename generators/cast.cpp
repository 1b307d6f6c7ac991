// Elements of one dtype as another. All buffers hold unsigned integers of the element's width: what
// they stand for is `from` and `to`, so that NaN payloads, denormals and the order of bits are this
// file's business and no compiler's.
//
// Most of the 169 pairs have no kernel of their own. Integers narrow and widen by their width; what
// goes through a third dtype without a second rounding does (runtime/ops/cast_path.h). What is left
// are some 55 kernels; each takes 0.2 s and 3 KiB per target, its streaming twin as much again.
#include "schedules/cast.h"

#include <cmath>

namespace sylvite {

using Halide::Expr;
using Halide::Float;
using Halide::Int;
using Halide::reinterpret;
using Halide::select;
using Halide::Type;
using Halide::UInt;

namespace {

/// An IEEE 754 format: 1 sign bit, exponent bits, mantissa bits.
struct Format {
  int exponent;
  int mantissa;

  int bits() const { return 1 + exponent + mantissa; }
  int bias() const { return (1 << (exponent - 1)) - 1; }
  Type type() const { return UInt(bits()); }
  Type number() const { return Float(bits()); }
  uint64_t sign() const { return uint64_t{1} << (bits() - 1); }
  uint64_t infinity() const { return ((uint64_t{1} << exponent) - 1) << mantissa; }
  uint64_t quiet() const { return uint64_t{1} << (mantissa - 1); }
};

Format format_of(Type type) {
  if (type.is_bfloat()) return {.exponent = 8, .mantissa = 7};
  if (type.bits() == 16) return {.exponent = 5, .mantissa = 10};
  if (type.bits() == 32) return {.exponent = 8, .mantissa = 23};
  return {.exponent = 11, .mantissa = 52};
}

Expr constant(Type type, uint64_t bits) { return cast(type, Expr(bits)); }

Expr magnitude_of(const Expr& bits, const Format& format) {
  return bits & constant(bits.type(), format.sign() - 1);
}

/// a > b of magnitudes: most processors compare 64-bit integers as signed ones only.
Expr above(const Expr& a, const Expr& b) {
  const Type type = a.type().with_code(halide_type_int);
  return reinterpret(type, a) > reinterpret(type, b);
}

Expr power_of_two(const Format& format, int exponent) {
  const auto bits = static_cast<uint64_t>(exponent + format.bias()) << format.mantissa;
  return reinterpret(format.number(), constant(format.type(), bits));
}

/// A number that the format holds, by its bits: Halide prints float64 literals for OpenCL in single
/// precision.
Expr number_of(const Format& format, double value) {
  const Type type = format.type();
  const Expr bits =
      type.bits() == 32
          ? constant(type, Halide::Internal::reinterpret_bits<uint32_t>(static_cast<float>(value)))
          : constant(type, Halide::Internal::reinterpret_bits<uint64_t>(value));
  return reinterpret(format.number(), bits);
}

Expr is_nan_of(const Expr& bits, const Format& format) {
  return Halide::is_nan(reinterpret(format.number(), bits));
}

/// To a format of fewer bits, rounded to nearest even. A NaN keeps its sign and the upper bits of
/// its payload and becomes quiet, as in hardware.
Expr narrow_float(const Expr& bits, const Format& from, const Format& to) {
  const Type type = from.type();
  const int shift = from.mantissa - to.mantissa;
  const Expr half = constant(type, (uint64_t{1} << (shift - 1)) - 1);
  const auto rounded = [&](const Expr& number) {
    return (number + half + ((number >> shift) & constant(type, 1))) >> shift;
  };
  if (from.exponent == to.exponent) {
    // The sign and the carry of rounding stay in their places.
    const Expr nan = (bits >> shift) | constant(type, to.quiet());
    return cast(to.type(), select(is_nan_of(bits, from), nan, rounded(bits)));
  }
  const Expr magnitude = magnitude_of(bits, from);
  const Expr infinity = constant(type, to.infinity());
  // The carry runs into the exponent, and past the largest value to infinity.
  const auto rebias = static_cast<uint64_t>(from.bias() - to.bias());
  const Expr normal = rounded(magnitude) - constant(type, rebias << to.mantissa);
  // Denormals: adding a number whose last bit is worth one unit of them rounds to units, and what
  // it changes is the answer.
  const Expr units = power_of_two(from, from.mantissa - to.mantissa - to.bias() + 1);
  const Expr sum = reinterpret(from.number(), magnitude) + units;
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
Expr widen_float(const Expr& bits, const Format& from, const Format& to) {
  const Type type = to.type();
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
  const Expr count = cast(to.number(), reinterpret(Int(to.bits()), magnitude));
  const Expr denormal =
      reinterpret(type, count * power_of_two(to, 1 - from.bias() - from.mantissa));
  const Expr result = select(above(constant(type, uint64_t{1} << from.mantissa), magnitude),
                             denormal, above(infinity, magnitude), normal, special);
  return result | ((wide - magnitude) << (to.bits() - from.bits()));
}

/// Toward zero, saturated; NaN is 0.
Expr float_to_integer(const Expr& bits, const Format& from, Type to) {
  const int digits = to.bits() - (to.is_int() ? 1 : 0);
  const double end = std::ldexp(1.0, digits);
  // Clamped to the largest number of the format within the integer's range: the integer's own
  // largest, or what lies above is told apart.
  const bool exact = digits <= from.mantissa + 1;
  const double last = end - (exact ? 1 : std::ldexp(1.0, digits - from.mantissa - 1));
  const Expr x = reinterpret(from.number(), bits);
  const Expr low = number_of(from, to.is_int() ? -end : 0.0);
  const Expr high = number_of(from, last);
  const Type wide = to.bits() < 32 ? Int(32) : to;
  // A NaN is not above the lowest number: of an unsigned type that is the 0 it shall be. This comes
  // last because arm64's fmaxnm takes a signaling NaN for one to return; what comes before makes it quiet.
  const Expr lowered = select(high < x, high, x);
  Expr y = cast(wide, select(lowered > low, lowered, low));
  // By the bits of x: a largest value loaded under a mask has the trouble of truth_of's 1.
  if (!exact) y = select(x > high, reinterpret(to, bits) | to.max(), y);
  if (to.is_int()) y = select(is_nan_of(bits, from), cast(wide, 0), y);
  return reinterpret(UInt(to.bits()), cast(to, y));
}

Expr integer_to_float(const Expr& x, Type to) { return reinterpret(UInt(to.bits()), cast(to, x)); }

/// What lies below the 53 bits of float64 folded into the last of them: rounded later to fewer bits,
/// the number rounds as it would have itself.
Expr folded(const Expr& x) {
  const Type type = x.type();
  const Expr one = cast(type, 2048);
  const Expr rest = x & (one - 1);
  const Expr limit = cast(type, Expr(int64_t{1} << 53));
  const Expr small = type.is_int() ? x < limit && x > -limit : x < limit;
  return select(small, x, (x - rest) | select(rest != 0, one, cast(type, 0)));
}

/// A float64 as a float32 that rounds to a half type as the float64 would have: all bits below the
/// two that follow the half's mantissa are folded into the last of these, and what is left of the
/// number fits a float32, or is zero in the half type.
Expr float32_to_round(const Expr& bits, const Format& to) {
  const Expr low = constant(UInt(64), (uint64_t{1} << (52 - to.mantissa - 2)) - 1);
  const Expr folded_bits = (bits | ((bits & low) + low)) & ~low;
  const Expr number = cast(Float(32), reinterpret(Float(64), folded_bits));
  return reinterpret(UInt(32), number);
}

/// An integer of 8 bits, exact in both half types: as a float32 whose exponent is counted as theirs
/// is, it has their bits in its own.
Expr byte_to_half(const Expr& x, const Format& to) {
  const Format wide = format_of(Float(32));
  const Expr scale = power_of_two(wide, to.bias() - wide.bias());
  const Expr bits = reinterpret(wide.type(), cast(Float(32), x) * scale);
  const Expr sign = (bits >> (wide.bits() - to.bits())) & constant(wide.type(), to.sign());
  return cast(to.type(), sign | (magnitude_of(bits, wide) >> (wide.mantissa - to.mantissa)));
}

/// 0 or 1. A select of 1 would be loaded under a mask, and where nothing is true, its page never
/// comes: each load then takes 480 cycles (Zen 4).
Expr truth_of(const Expr& bits) {
  const Expr word = bits.type().bits() == 64 ? cast(UInt(32), bits | (bits >> 32)) : bits;
  return cast(UInt(8), min(word, cast(word.type(), 1)));
}

/// What the processor itself does as above, NaNs included.
bool in_hardware(Type from, Type to, const Halide::Target& target) {
  if (target.has_gpu_feature() || from.is_bfloat() || to.is_bfloat()) return false;
  const int narrow = std::min(from.bits(), to.bits()), wide = std::max(from.bits(), to.bits());
  return narrow == 32 || (wide == 32 && target.has_feature(Halide::Target::F16C));
}

Expr convert(const Expr& bits, Type from, Type to, const Halide::Target& target) {
  if (to.is_bool()) return truth_of(from.is_float() ? magnitude_of(bits, format_of(from)) : bits);
  if (from.is_float() && !to.is_float()) return float_to_integer(bits, format_of(from), to);
  if (from.is_float() && in_hardware(from, to, target))
    return reinterpret(UInt(to.bits()), cast(to, reinterpret(from, bits)));
  // A GPU flushes the denormals that are on the way to bfloat16.
  if (from.bits() == 64 && to.bits() == 16 && from.is_float() && !target.has_gpu_feature())
    return narrow_float(float32_to_round(bits, format_of(to)), format_of(Float(32)), format_of(to));
  if (from.is_float()) {
    return from.bits() > to.bits() ? narrow_float(bits, format_of(from), format_of(to))
                                   : widen_float(bits, format_of(from), format_of(to));
  }
  const Expr x = from.is_bool() ? truth_of(bits) : reinterpret(from, bits);
  if (to.is_float() && to.bits() == 16 && from.bits() == 8) return byte_to_half(x, format_of(to));
  if (to.is_bfloat()) {
    const Expr number = cast(Float(64), folded(x));
    return convert(reinterpret(UInt(64), number), Float(64), to, target);
  }
  return to.is_float() ? integer_to_float(x, to) : reinterpret(UInt(to.bits()), cast(to, x));
}

Type bits_of(Type type) { return UInt(std::max(type.bits(), 8)); }

}  // namespace

class Cast : public Halide::Generator<Cast> {
 public:
  GeneratorParam<Type> from{"from", Float(32)}, to{"to", Float(16)};
  GeneratorParam<bool> stream{"stream", false};
  CastKnobs knobs;
  Input<Buffer<void, 1>> x{"x"};
  Output<Buffer<void, 1>> y{"y"};

  void configure() { x.set_type(bits_of(from)); }
  void generate() { y(i) = convert(x(i), from, to, target); }
  void schedule() { schedule_cast(x, y, i, knobs, target, stream); }

 private:
  Halide::Var i{"i"};
};

// On a GPU boxes of any strides; the last dimension of every buffer is its origin, as in
// generators/strided_copy.cpp.
class CastGpu : public Halide::Generator<CastGpu> {
 public:
  GeneratorParam<Type> from{"from", Float(32)}, to{"to", Float(16)};
  Input<Buffer<void, 7>> x{"x"};
  Input<int[6]> extent{"extent"};
  Output<Buffer<void, 7>> y{"y"};

  void configure() { x.set_type(bits_of(from)); }
  void generate() {
    r = box_of(extent);
    y(anywhere(7)) = Halide::undef(bits_of(to));
    y(at_origin(r)) = convert(x(at_origin(r)), from, to, target);
  }
  void schedule() { schedule_gpu_box(y, r, x, y); }

 private:
  Halide::RDom r;
};

}  // namespace sylvite

HALIDE_REGISTER_GENERATOR(sylvite::Cast, cast)
HALIDE_REGISTER_GENERATOR(sylvite::CastGpu, cast_gpu)
