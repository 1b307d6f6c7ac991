// Sums over broadcast axes, a pass at a time. A pass of columns adds up to 8 rows; what is left of an
// axis goes through the next pass, so that an axis is summed by a balanced binary tree: element i
// meets i ^ 1, then the pairs meet, and so on. Rows that are not there take no part. The tree is the
// same however the runtime cuts an axis into groups of 8, 64, …, and whatever the vectors are: the
// bits depend on the shape alone. Error: at most ceil(log2 n) roundings on the way of any addend.
#include "schedules/expand_gradient.h"

namespace sylvite {

using Halide::cast;
using Halide::Expr;
using Halide::reinterpret;
using Halide::select;
using Halide::Type;

namespace {

constexpr int kRows = 8;    // that a pass of columns adds
constexpr int kLanes = 16;  // rows side by side where less than 16 elements stand inside of an axis

/// Rounded to nearest even on every target; never contracted, reordered or folded.
Expr add(const Expr& a, const Expr& b) {
  return a.type().is_float() ? Halide::strict_float(a + b) : a + b;
}

/// Neighbours first: (0 + 1) + (2 + 3) …; what has no neighbour goes on alone.
Expr neighbour_tree(std::vector<Expr> terms) {
  while (terms.size() > 1) {
    std::vector<Expr> sums;
    for (size_t i = 0; i < terms.size(); i += 2) {
      sums.push_back(i + 1 < terms.size() ? add(terms[i], terms[i + 1]) : terms[i]);
    }
    terms = sums;
  }
  return terms[0];
}

/// Halves first: i + 8, then i + 4 …; what has no partner goes on alone.
Expr halves_tree(std::vector<Expr> terms) {
  for (size_t half = kLanes / 2; half > 0; half /= 2) {
    for (size_t i = 0; i < half && i + half < terms.size(); ++i) {
      terms[i] = add(terms[i], terms[i + half]);
    }
    if (terms.size() > half) terms.resize(half);
  }
  return terms[0];
}

Type bits_of(Type type) { return Halide::UInt(type.bits()); }

/// The exact value of a half type, any other as it is.
Expr widened(const Expr& value, Type to) {
  if (value.type() == to) return value;
  if (value.type().is_bfloat()) {
    return reinterpret(to, cast<uint32_t>(reinterpret(Halide::UInt(16), value)) << 16);
  }
  return cast(to, value);
}

/// How GPU kernels hold a type: half types as their bits.
Type stored(Type type) { return type.bits() == 16 ? Halide::UInt(16) : type; }

/// The exact value of a `from` that is held as stored(from) says.
Expr widened_bits(const Expr& value, Type from, Type to) {
  if (from == to) return value;
  const Expr bits = cast<uint32_t>(value);
  if (from.is_bfloat()) return reinterpret(to, bits << 16);
  const Expr magnitude = bits & 0x7FFF;
  const Expr denormal = reinterpret<uint32_t>(cast<float>(magnitude) * 0x1p-24f);
  const Expr finite = select(magnitude < 0x400, denormal, (magnitude << 13) + (112 << 23));
  return reinterpret(to, select(magnitude >= 0x7C00, (magnitude << 13) | 0x7F800000, finite) |
                             ((bits & 0x8000) << 16));
}

/// The bits of the half type nearest to a float32, ties to even.
Expr half_bits(const Expr& value, Type half) {
  const Expr bits = reinterpret<uint32_t>(value);
  const Expr magnitude = bits & 0x7FFFFFFF;
  const bool brain = half.is_bfloat();
  const int dropped = brain ? 16 : 13;
  const Expr up = ((magnitude >> dropped) & 1) + (1 << (dropped - 1)) - 1;
  Expr rounded = (magnitude + up) >> dropped;
  if (!brain) {
    // Adding 1/2 leaves a denormal's units, rounded, in the last places.
    const Expr denormal =
        reinterpret<uint32_t>(Halide::strict_float(reinterpret<float>(magnitude) + 0.5f)) -
        0x3F000000;
    rounded = select(magnitude < 0x38800000, denormal, Halide::min(rounded - (112 << 10), 0x7C00));
  }
  const Expr number = rounded | ((bits >> 16) & 0x8000);
  return cast<uint16_t>(select(magnitude > 0x7F800000, brain ? 0x7FC0 : 0x7E00, number));
}

/// One NaN for all: which one an addition gives differs from processor to processor.
Expr with_one_nan(const Expr& value) {
  const Type type = value.type();
  if (!type.is_float()) return value;
  const Type bits = bits_of(type);
  const int mantissa = type.bits() == 32 ? 23 : 52;
  const uint64_t exponent = (uint64_t{1} << (type.bits() - 1)) - (uint64_t{1} << mantissa);
  const Expr magnitude = reinterpret(bits, value) &
                         Halide::Internal::make_const(bits, (uint64_t{1} << (type.bits() - 1)) - 1);
  const Expr nan = Halide::Internal::make_const(bits, exponent | uint64_t{1} << (mantissa - 1));
  return reinterpret(type, select(magnitude > Halide::Internal::make_const(bits, exponent), nan,
                                  reinterpret(bits, value)));
}

/// value where `present`, else what adds nothing: -0, because 0 + -0 is 0 and -0 + -0 is -0.
Expr present_or_nothing(const Expr& present, const Expr& value) {
  const Type type = value.type();
  if (!type.is_float()) return select(present, value, cast(type, 0));
  const Type bits = bits_of(type);
  return reinterpret(type,
                     select(present, reinterpret(bits, value),
                            Halide::Internal::make_const(bits, uint64_t{1} << (type.bits() - 1))));
}

}  // namespace

/// y[…, r, c] = sum of x[…, 8 r + i, c] over i < rows.
class Columns : public Halide::Generator<Columns> {
 public:
  GeneratorParam<Type> from{"from", Float(32)};
  GeneratorParam<Type> to{"to", Float(32)};
  Input<Buffer<void, 5>> x{"x"};  // c, r and three more
  Input<int> rows{"rows"};        // 1 to 8
  Output<Buffer<void, 5>> y{"y"};

  void configure() { x.set_type(from); }
  void generate() {
    std::vector<Expr> terms;
    Expr sum;
    for (int i = 0; i < kRows; ++i) {
      terms.push_back(widened(x(d[0], d[1] * kRows + i, d[2], d[3], d[4]), to));
      const Expr tree = neighbour_tree(terms);
      sum = i == 0 ? tree : select(rows == i + 1, tree, sum);
    }
    y(d) = with_one_nan(sum);
  }
  void schedule() { schedule_columns(x, y, rows, d, kRows); }

 private:
  std::vector<Halide::Var> d = sum_vars(5);
};

/// z[…, c] = sum of p[…, i, c] over the 16 lanes i, and of the last rows of x, which fill no lanes of
/// their own: element e of the last 16 * width of x counts where e >= first.
class Lanes : public Halide::Generator<Lanes> {
 public:
  GeneratorParam<Type> from{"from", Float(32)};
  GeneratorParam<Type> to{"to", Float(32)};
  Input<Buffer<void, 4>> x{"x"};
  Input<Buffer<void, 4>> p{"p"};
  Input<int> width{"width"}, first{"first"};
  Output<Buffer<void, 4>> y{"y"};

  void configure() {
    x.set_type(from);
    p.set_type(to);
  }
  void generate() {
    const auto at = [&](auto& buffer, const Expr& e) { return buffer(e, d[1], d[2], d[3]); };
    // e < 16 * width.
    const auto lane = [&](const Expr& e) {
      return add(at(p, e), present_or_nothing(e >= first, widened(at(x, e), to)));
    };
    std::vector<Expr> terms;
    terms.reserve(kLanes);
    for (int i = 0; i < kLanes; ++i) terms.push_back(lane(d[0] + i * width));
    // The same tree for one column, by vectors.
    std::vector<Halide::Var> v = d;
    v[0] = e;
    const auto level = [&](int i, const Expr& value) {
      halves[i] = Func("halves" + std::to_string(i));
      halves[i](v) = value;
    };
    const auto half = [&](int i, const Expr& at_e) { return halves[i](at_e, d[1], d[2], d[3]); };
    level(0, add(lane(e), lane(e + 8)));
    level(1, add(half(0, e), half(0, e + 4)));
    level(2, add(half(1, e), half(1, e + 2)));
    y(d) = with_one_nan(select(width == 1, add(half(2, 0), half(2, 1)), halves_tree(terms)));
  }
  void schedule() { schedule_lanes(x, p, y, width, first, d, e, halves); }

 private:
  std::vector<Halide::Var> d = sum_vars(4);
  Halide::Var e{"e"};
  std::array<Func, 3> halves;
};

/// y[…, k] = sum of x[…, k * n + i] over i < n: rows of 2 to 15 elements, one behind the other.
class Rows : public Halide::Generator<Rows> {
 public:
  GeneratorParam<Type> from{"from", Float(32)};
  GeneratorParam<Type> to{"to", Float(32)};
  Input<Buffer<void, 4>> x{"x"};
  Input<int> n{"n"};
  Output<Buffer<void, 4>> y{"y"};

  void configure() { x.set_type(from); }
  void generate() {
    std::vector<Expr> terms;
    Expr sum;
    for (int i = 0; i < kLanes - 1; ++i) {
      terms.push_back(widened(x(d[0] * n + i, d[1], d[2], d[3]), to));
      if (i == 0) continue;
      const Expr tree = halves_tree(terms);
      sum = i == 1 ? tree : select(n == i + 1, tree, sum);
    }
    y(d) = with_one_nan(sum);
  }
  void schedule() { schedule_rows(x, y, n, d, kLanes - 1); }

 private:
  std::vector<Halide::Var> d = sum_vars(4);
};

/// The half type nearest to a float32 sum, ties to even.
class Round : public Halide::Generator<Round> {
 public:
  GeneratorParam<Type> from{"from", Float(32)};
  GeneratorParam<Type> to{"to", Float(16)};
  Input<Buffer<void, 1>> x{"x"};
  Output<Buffer<void, 1>> y{"y"};

  void configure() { x.set_type(from); }
  void generate() { y(d) = reinterpret(Type(to), half_bits(x(d), to)); }
  void schedule() { schedule_round(x, y, d); }

 private:
  Halide::Var d{"d0"};
};

// On a GPU half types are their bits, and the last dimension of every buffer is its origin.

/// y[…, r, c] = sum of x[…, 8 r + i, c] over i < 8 where 8 r + i < rows.
class ColumnsGpu : public Halide::Generator<ColumnsGpu> {
 public:
  GeneratorParam<Type> from{"from", Float(32)};
  GeneratorParam<Type> to{"to", Float(32)};
  Input<Buffer<void, 6>> x{"x"};
  Input<int> rows{"rows"};
  Input<int[5]> extent{"extent"};  // of y
  Output<Buffer<void, 6>> y{"y"};

  void configure() { x.set_type(stored(from)); }
  void generate() {
    r = box_of(extent);
    std::vector<Expr> terms;
    for (int i = 0; i < kRows; ++i) {
      const Expr row = r[1] * kRows + i;
      const Expr value = x(r[0], Halide::min(row, rows - 1), r[2], r[3], r[4], 0);
      terms.push_back(present_or_nothing(row < rows, widened_bits(value, from, to)));
    }
    y(anywhere(6)) = Halide::undef(Type(to));
    y(at_origin(r)) = with_one_nan(neighbour_tree(terms));
  }
  void schedule() { schedule_gpu_sums(y, r, x, y); }

 private:
  Halide::RDom r;
};

class RoundGpu : public Halide::Generator<RoundGpu> {
 public:
  GeneratorParam<Type> from{"from", Float(32)};
  GeneratorParam<Type> to{"to", Float(16)};
  Input<Buffer<void, 2>> x{"x"};
  Input<int[1]> extent{"extent"};
  Output<Buffer<void, 2>> y{"y"};

  void configure() { x.set_type(from); }
  void generate() {
    r = box_of(extent);
    y(anywhere(2)) = Halide::undef(stored(to));
    y(at_origin(r)) = half_bits(x(r[0], 0), to);
  }
  void schedule() { schedule_gpu_run(y, r, x, y); }

 private:
  Halide::RDom r;
};

}  // namespace sylvite

HALIDE_REGISTER_GENERATOR(sylvite::Columns, expand_gradient_columns)
HALIDE_REGISTER_GENERATOR(sylvite::Lanes, expand_gradient_lanes)
HALIDE_REGISTER_GENERATOR(sylvite::Rows, expand_gradient_rows)
HALIDE_REGISTER_GENERATOR(sylvite::Round, expand_gradient_round)
HALIDE_REGISTER_GENERATOR(sylvite::ColumnsGpu, expand_gradient_columns_gpu)
HALIDE_REGISTER_GENERATOR(sylvite::RoundGpu, expand_gradient_round_gpu)
