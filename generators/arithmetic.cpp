// Sums and products of two boxes of up to six dimensions with any strides; a stride of 0 broadcasts.
// All buffers hold unsigned integers of the element's width: what they stand for is a parameter.
#include "schedules/arithmetic.h"

#include "generators/floats.h"

namespace sylvite {

using Halide::Expr;
using Halide::Type;

namespace {

Type bits_of(Type type) { return type.with_code(halide_type_uint); }

}  // namespace

/// Integers wrap; half types are computed in float32 and rounded once.
class Elementwise : public Halide::Generator<Elementwise> {
 public:
  GeneratorParam<Type> element{"element", Float(32)};
  GeneratorParam<bool> product{"product", false};
  Input<Buffer<void, 6>> a{"a"}, b{"b"};
  Output<Buffer<void, 6>> y{"y"};

  void configure() {
    a.set_type(bits_of(element));
    b.set_type(bits_of(element));
    y.set_type(bits_of(element));
  }
  void generate() {
    const Expr p = widened(a(d), element), q = widened(b(d), element);
    y(d) = rounded_bits(exactly(product ? p * q : p + q), element);
  }
  void schedule() { schedule_elementwise(a, b, y, d[0]); }

 private:
  std::vector<Halide::Var> d = strided_vars();
};

/// Of float32 and a half type: the half type added to a float32 sum, which stays one (from half, to
/// float32) or becomes the half type by its only rounding (from float32, to half).
class Accumulate : public Halide::Generator<Accumulate> {
 public:
  GeneratorParam<Type> from{"from", Float(16)};
  GeneratorParam<Type> to{"to", Float(32)};
  Input<Buffer<void, 6>> a{"a"}, b{"b"};  // the sum, the half type
  Output<Buffer<void, 6>> y{"y"};

  void configure() {
    a.set_type(UInt(32));
    b.set_type(UInt(16));
    y.set_type(bits_of(to));
  }
  void generate() {
    const Type half = Type(from).bits() == 16 ? from : to;
    const Expr sum = exactly(widened(a(d), Float(32)) + widened(b(d), half));
    y(d) = rounded_bits(sum, to);
  }
  void schedule() { schedule_elementwise(a, b, y, d[0]); }

 private:
  std::vector<Halide::Var> d = strided_vars();
};

/// y(0) = the sum of the squares of x in float64: element i on lane i % 16, then lane i meets lane
/// i + 8, i + 4, i + 2, i + 1.
class Squares : public Halide::Generator<Squares> {
 public:
  GeneratorParam<Type> element{"element", Float(32)};
  Input<Buffer<void, 1>> x{"x"};
  Output<Buffer<uint64_t, 1>> y{"y"};

  void configure() { x.set_type(bits_of(element)); }
  void generate() {
    constexpr int kLanes = 16;
    const auto square = [&](const Expr& at) {
      const Expr number = cast<double>(widened(x(at), element));
      return exactly(number * number);
    };
    const Expr whole = x.dim(0).extent() / kLanes * kLanes;
    Halide::RDom r(0, kLanes, 0, whole / kLanes, "r"), rest(0, x.dim(0).extent() - whole, "rest");
    lanes(i) = Expr(0.0);
    lanes(r.x) = exactly(lanes(r.x) + square(r.x + kLanes * r.y));
    lanes(rest) = exactly(lanes(rest) + square(whole + rest));
    std::vector<Expr> terms;
    terms.reserve(kLanes);
    for (int lane = 0; lane < kLanes; ++lane) terms.push_back(lanes(lane));
    for (size_t half = kLanes / 2; half > 0; half /= 2) {
      for (size_t lane = 0; lane < half; ++lane)
        terms[lane] = exactly(terms[lane] + terms[lane + half]);
    }
    y(i) = rounded_bits(terms[0], Float(64));
    schedule_squares(x, y, lanes, r);
  }

 private:
  Halide::Var i{"i"};
  Halide::Func lanes{"lanes"};
};

}  // namespace sylvite

HALIDE_REGISTER_GENERATOR(sylvite::Elementwise, elementwise)
HALIDE_REGISTER_GENERATOR(sylvite::Accumulate, accumulate)
HALIDE_REGISTER_GENERATOR(sylvite::Squares, squares)
