// Elements of one dtype as another. All buffers hold unsigned integers of the element's width: what
// they stand for is `from` and `to`, so that NaN payloads, denormals and the order of bits are this
// file's business and no compiler's.
//
// Most of the 169 pairs have no kernel of their own. Integers narrow and widen by their width; what
// goes through a third dtype without a second rounding does (runtime/ops/cast_path.h). What is left
// are some 55 kernels; each takes 0.2 s and 3 KiB per target, its streaming twin as much again.
#include "schedules/cast.h"

#include <cmath>

#include "generators/floats.h"

namespace sylvite {

using Halide::Expr;
using Halide::Float;
using Halide::Int;
using Halide::reinterpret;
using Halide::select;
using Halide::Type;
using Halide::UInt;

namespace {

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
  void schedule() {
    if (using_autoscheduler()) return estimate_rows(x, y);
    schedule_cast(x, y, i, knobs, target, stream);
  }

 private:
  Halide::Var i{"i"};
};

// On a GPU boxes of any strides; the last dimension of every buffer is its origin, as in
// generators/strided_copy.cpp.
class CastGpu : public Halide::Generator<CastGpu> {
 public:
  GeneratorParam<Type> from{"from", Float(32)}, to{"to", Float(16)};
  GpuBoxKnobs knobs;
  Input<Buffer<void, 7>> x{"x"};
  Input<int[6]> extent{"extent"};
  Output<Buffer<void, 7>> y{"y"};

  void configure() { x.set_type(bits_of(from)); }
  void generate() {
    r = box_of(extent);
    y(anywhere(7)) = Halide::undef(bits_of(to));
    y(at_origin(r)) = convert(x(at_origin(r)), from, to, target);
  }
  void schedule() { schedule_gpu_box(y, r, knobs, x, y); }

 private:
  Halide::RDom r;
};

}  // namespace sylvite

HALIDE_REGISTER_GENERATOR(sylvite::Cast, cast)
HALIDE_REGISTER_GENERATOR(sylvite::CastGpu, cast_gpu)
