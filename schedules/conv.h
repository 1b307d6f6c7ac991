// How products of blocks and patches run. The runtime splits a call into tasks; a kernel is serial.
#pragma once

#include "schedules/lines.h"

namespace sylvite {

/// Rows of a block come in multiples of this, columns in whole cache lines: blocks are the runtime's
/// own memory, with room for both.
inline constexpr int kProductRows = 8;

/// A tile of y in registers while k passes: 2 vectors of columns by 8 rows where there are 32 registers,
/// by 4 where there are 16.
template <typename Input, typename Output>
void schedule_product(Input& a, Input& b, Output& y, Halide::Func& block, const Halide::Var& n,
                      const Halide::Var& m, const Halide::RDom& k, const Halide::Target& target) {
  begin_at_zero(a);
  begin_at_zero(b);
  promise_whole_lines(b);
  begin_at_zero(y);
  promise_whole_lines(y);
  y.dim(1).set_extent((y.dim(1).extent() / kProductRows) * kProductRows);

  const int vector = target.natural_vector_size(y.type());
  const int columns = std::min(2 * vector, kLineBytes / y.type().bytes());
  const bool many =
      target.arch == Halide::Target::ARM || target.has_feature(Halide::Target::AVX512);
  const int rows = many ? kProductRows : kProductRows / 2;
  Halide::Var tn("tn"), tm("tm");
  Halide::Func f = y;
  f.update()
      .split(n, tn, n, columns, Halide::TailStrategy::RoundUp)
      .split(m, tm, m, rows, Halide::TailStrategy::RoundUp)
      .reorder(n, m, tm, tn)
      .vectorize(n, vector)
      .unroll(n)
      .unroll(m);
  block.compute_at(f, tm).vectorize(n, vector).unroll(n).unroll(m);
  block.update().reorder(n, m, k).vectorize(n, vector).unroll(n).unroll(m);
}

/// Vectors where neighbours in a row are neighbours in the image; elsewhere a row is as slow as its loads.
template <typename Input, typename Output>
void schedule_patches(Input& x, Output& y, const Halide::Expr& ordinary) {
  begin_at_zero(x);
  begin_at_zero(y);
  x.dim(0).set_stride(Halide::Expr());
  Halide::Func f = y;
  f.specialize(ordinary);
}

}  // namespace sylvite
