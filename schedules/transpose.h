// How a transpose runs. The runtime splits a call into tasks; a kernel is serial.
#pragma once

#include "schedules/estimates.h"
#include "schedules/knob.h"
#include "schedules/lines.h"

namespace sylvite {

struct TransposeKnobs {
  Knob longer{"longer", 1, {1, 2}};          // times the default tile: its rows of y
  Knob higher{"higher", 1, {1, 2}};          // its rows of x
  Knob gathered{"gathered", 0, {0, 4, 16}};  // most cache lines of a row of y that is gathered
};

template <typename Input, typename Output>
void estimate_transpose(Input& x, Output& y) {
  estimate(x, {512, 512, 8, 1});
  estimate(y, {512, 512, 8, 1});
}

/// Tiles in registers: the dense loads of a tile's rows, each stored with a stride, become one
/// interleaved vector, whose parts are the dense rows of y. Larger tiles than the default run out of
/// registers on AVX2 and SSE, and wider shuffles than 16 bytes are slow there.
template <typename Input, typename Output>
void schedule_transpose(Input& x, Output& y, const std::vector<Halide::Var>& v,
                        const TransposeKnobs& knobs) {
  const Halide::Var &a = v[0], &b = v[1], &n = v[2];
  begin_at_zero(x);
  begin_at_zero(y);
  Halide::Func f = y;
  const int bytes = y.type().bytes();
  const bool narrow = bytes <= 2;
  const int tile_a = (narrow ? 8 : 4) * knobs.longer;
  const int tile_b = (bytes == 1 ? 8 : 4) * knobs.higher;
  const int few = narrow ? 16 : 8;  // elements of a plane's side
  const int line = kLineBytes / bytes;
  const Halide::Expr extent_a = y.dim(0).extent(), extent_b = y.dim(1).extent();
  // Lines of y that are begun have to stay in first-level cache until they are full, and those of x
  // until they are used up. Rows of y are often a power of two apart, and few of their lines find
  // room then: along a, a row's lines are filled one after the other. Where y has no lines to fill or
  // the rows of x are what is a power of two apart, the other way round. (float32 of 16384 blocks of 9:
  // 3.6 times the speed along a; 512 x 33 at rows of 2 KiB in x: twice the speed along b.)
  const Halide::Expr along_a = extent_a > line && x.dim(1).stride() % (1024 / bytes) != 0;
  const int group_a = narrow ? 32 : 16, group_b = 4;  // tiles

  // The innermost loop over tiles has the same name everywhere.
  Halide::Var tile("tile"), t("t"), u("u"), i("i"), j("j");
  const auto shift = Halide::TailStrategy::ShiftInwards;
  const auto in_registers = [&](Halide::Stage s) { s.vectorize(i).unroll(j); };
  // A plane of few tiles: what does not change from plane to plane stays in registers.
  const auto plane_after_plane = [&](Halide::Stage s, int p, int q) {
    s.rename(n, tile).split(a, t, i, p, shift).split(b, u, j, q, shift).reorder(i, j, tile, u, t);
    in_registers(s);
  };
  const auto tile_after_tile = [&](Halide::Stage s, int p, int q, bool a_first, bool grouped) {
    s.split(a, a_first ? tile : t, i, p, shift).split(b, a_first ? t : tile, j, q, shift);
    if (grouped) {
      s.split(tile, u, tile, a_first ? group_a : group_b, Halide::TailStrategy::GuardWithIf)
          .reorder(i, j, tile, t, u);
    } else {
      s.reorder(i, j, tile, t);
    }
    in_registers(s);
  };
  const auto in_groups = [&](const Halide::Expr& when, int p, int q, bool a_first) {
    const Halide::Expr tiles = a_first ? extent_a / p : extent_b / q;
    const int group = a_first ? group_a : group_b;
    tile_after_tile(f.specialize(when && tiles > 2 * group), p, q, a_first, true);
    tile_after_tile(f.specialize(when), p, q, a_first, false);
  };
  // Short rows of y whole, one after the other, where rows of x are so close that what a line is
  // gathered from holds the next rows, too. (Padded 12 x 12 blocks of float64: 1.3 times the speed of
  // tiles with AVX-512, 1.4 with SSE. Half the speed for rows of 1000.)
  if (!narrow && knobs.gathered > 0) {
    const Halide::Expr close = extent_b > few && x.dim(1).stride() <= 2 * line;
    const Halide::Expr is_short = extent_a > line && extent_a <= knobs.gathered * line;
    tile_after_tile(f.specialize(close && is_short), line, 1, true, false);
  }
  for (int p = tile_a; p >= 2; p /= 2) {
    for (int q = tile_b; q >= 2; q /= 2) {
      const Halide::Expr fits = extent_a >= p && extent_b >= q;
      plane_after_plane(f.specialize(fits && extent_a <= 2 * p && extent_b <= few), p, q);
      if (p < tile_a) {
        tile_after_tile(f.specialize(fits), p, q, narrow, false);
      } else {
        if (!narrow) in_groups(fits && along_a, p, q, true);
        in_groups(fits, p, q, narrow);
      }
    }
  }
  tile_after_tile(f, 1, 1, false, false);

  Halide::Func rows = x.in();
  const Halide::Var from_b = rows.args()[0], from_a = rows.args()[1];
  rows.compute_at(f, tile).reorder_storage(from_a, from_b).vectorize(from_b).unroll(from_a);
}

}  // namespace sylvite
