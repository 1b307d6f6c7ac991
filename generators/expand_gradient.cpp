// Sums over broadcast axes, a pass at a time. A pass of columns adds up to 8 rows; what is left of an
// axis goes through the next pass, so that an axis is summed by a balanced binary tree: element i
// meets i ^ 1, then the pairs meet, and so on. Rows that are not there take no part. The tree is the
// same however the runtime cuts an axis into groups of 8, 64, …, and whatever the vectors are: the
// bits depend on the shape alone. Error: at most ceil(log2 n) roundings on the way of any addend.
#include "schedules/expand_gradient.h"

#include "generators/floats.h"

namespace sylvite {

using Halide::Expr;
using Halide::reinterpret;
using Halide::select;
using Halide::Type;

namespace {

constexpr int kRows = 8;    // that a pass of columns adds
constexpr int kLanes = 16;  // rows side by side where less than 16 elements stand inside of an axis

Expr add(const Expr& a, const Expr& b) { return exactly(a + b); }

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

/// How kernels hold a type: half types as their bits.
Type stored(Type type) { return type.bits() == 16 ? Halide::UInt(16) : type; }

/// widened() by integer arithmetic: a GPU's language need not have half types.
Expr widened_by_bits(const Expr& value, Type from, Type to) {
  return from == to ? value : reinterpret(to, widen_float(value, format_of(from), format_of(to)));
}

/// The bits of a half type nearest to a float32.
Expr half_bits(const Expr& value, Type half) {
  const Format wide = format_of(value.type());
  return narrow_float(reinterpret(wide.type(), value), wide, format_of(half));
}

/// value where `present`, else what adds nothing: -0, because 0 + -0 is 0 and -0 + -0 is -0.
Expr present_or_nothing(const Expr& present, const Expr& value) {
  const Type type = value.type();
  if (!type.is_float()) return select(present, value, cast(type, 0));
  const Format format = format_of(type);
  return reinterpret(type, select(present, reinterpret(format.type(), value),
                                  constant(format.type(), format.sign())));
}

}  // namespace

/// y[…, r, c] = sum of x[…, 8 r + i, c] over i < rows.
class Columns : public Halide::Generator<Columns> {
 public:
  GeneratorParam<Type> from{"from", Float(32)};
  GeneratorParam<Type> to{"to", Float(32)};
  ColumnsKnobs knobs;
  Input<Buffer<void, 5>> x{"x"};  // c, r and three more
  Input<int> rows{"rows"};        // 1 to 8
  Output<Buffer<void, 5>> y{"y"};

  void configure() { x.set_type(stored(from)); }
  void generate() {
    std::vector<Expr> terms;
    Expr sum;
    for (int i = 0; i < kRows; ++i) {
      terms.push_back(widened(x(d[0], d[1] * kRows + i, d[2], d[3], d[4]), from));
      const Expr tree = neighbour_tree(terms);
      sum = i == 0 ? tree : select(rows == i + 1, tree, sum);
    }
    y(d) = with_one_nan(sum);
  }
  void schedule() {
    if (using_autoscheduler()) return estimate_columns(x, rows, y, kRows);
    schedule_columns(x, y, rows, d, kRows, knobs);
  }

 private:
  std::vector<Halide::Var> d = sum_vars(5);
};

/// y[…, c] = sum over the 16 lanes i of sums[…, i, c]. These are p, and the last rows of x, which fill no
/// lanes of their own: element e of the last 16 * width of x counts where e >= first. With 1, 2 or 4
/// `groups` they are x's own, whose rows are 16, 32 or 64 elements. What has groups or 0 of them is at
/// least 16 rows of width 1; all else has -1.
class Lanes : public Halide::Generator<Lanes> {
 public:
  GeneratorParam<Type> from{"from", Float(32)};
  GeneratorParam<Type> to{"to", Float(32)};
  Input<Buffer<void, 4>> x{"x"};
  Input<Buffer<void, 4>> p{"p"};
  Input<int> width{"width"}, first{"first"}, groups{"groups"};
  Output<Buffer<void, 4>> y{"y"};

  void configure() {
    x.set_type(stored(from));
    p.set_type(to);
  }
  void generate() {
    // e < 16 * width.
    const auto lane = [&](const Expr& e, const Expr& row) {
      const auto x_at = [&](const Expr& i) { return widened(x(i, row, d[2], d[3]), from); };
      const Expr behind = present_or_nothing(e >= first, x_at(e));
      const Expr last_rows = add(p(e, row, d[2], d[3]), behind);
      Expr sum = last_rows;
      std::vector<Expr> terms;
      for (int i = 0; i < kMostGroups; ++i) {
        terms.push_back(x_at(e + i * kLanes));
        if ((i & (i + 1)) == 0) sum = select(groups == i + 1, neighbour_tree(terms), sum);
      }
      return sum;
    };
    // Lanes of one column of all rows as one run, and each level of the tree half as long.
    const Expr half = e * 2;
    for (size_t i = 0; i < levels.size(); ++i) {
      levels[i] = Func("level" + std::to_string(i));
      const auto below = [&](const Expr& at) { return levels[i - 1](at, d[2], d[3]); };
      levels[i](e, d[2], d[3]) =
          i == 0 ? lane(e % kLanes, e / kLanes) : add(below(half), below(half + 1));
    }
    std::vector<Expr> terms;
    terms.reserve(kLanes);
    for (int i = 0; i < kLanes; ++i) terms.push_back(lane(d[0] + i * width, d[1]));
    const auto pair = [&](const Expr& at) { return levels.back()(at, d[2], d[3]); };
    y(d) = with_one_nan(
        select(groups >= 0, add(pair(d[1] * 2), pair(d[1] * 2 + 1)), neighbour_tree(terms)));
  }
  void schedule() { schedule_lanes(x, p, y, width, first, groups, d, e, levels); }

 private:
  static constexpr int kMostGroups = 4;

  std::vector<Halide::Var> d = sum_vars(4);
  Halide::Var e{"e"};
  std::array<Func, 4> levels;
};

/// y[…, k] = sum of x[…, k * n + i] over i < n: rows of 2 to 15 elements, one behind the other.
class Rows : public Halide::Generator<Rows> {
 public:
  GeneratorParam<Type> from{"from", Float(32)};
  GeneratorParam<Type> to{"to", Float(32)};
  ColumnsKnobs knobs;
  Input<Buffer<void, 4>> x{"x"};
  Input<int> n{"n"};
  Output<Buffer<void, 4>> y{"y"};

  void configure() { x.set_type(stored(from)); }
  void generate() {
    std::vector<Expr> terms;
    Expr sum;
    for (int i = 0; i < kLanes - 1; ++i) {
      terms.push_back(widened(x(d[0] * n + i, d[1], d[2], d[3]), from));
      if (i == 0) continue;
      const Expr tree = neighbour_tree(terms);
      sum = i == 1 ? tree : select(n == i + 1, tree, sum);
    }
    y(d) = with_one_nan(sum);
  }
  void schedule() {
    if (using_autoscheduler()) return estimate_short_rows(x, n, y);
    schedule_rows(x, y, n, d, kLanes - 1, get_target(), knobs);
  }

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
  void generate() { y(d) = half_bits(x(d), to); }
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
      terms.push_back(present_or_nothing(row < rows, widened_by_bits(value, from, to)));
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
