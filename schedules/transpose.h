// How a transpose runs. The runtime splits a call into tasks; a kernel is serial.
#pragma once

#include "schedules/knob.h"
#include "schedules/lines.h"

namespace sylvite {

struct TransposeKnobs {
  Knob longer{"longer", 1, {1, 2}};  // times the default tile: its rows of y
  Knob higher{"higher", 1, {1, 2}};  // its rows of x
};

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
  const int tile_a = (bytes <= 2 ? 8 : 4) * knobs.longer;
  const int tile_b = (bytes == 1 ? 8 : 4) * knobs.higher;
  const int few = bytes <= 2 ? 16 : 8;  // elements of a plane's side
  const bool along_a = bytes <= 2;      // the direction of the innermost loop over tiles
  const int group = along_a ? 32 : 4;   // tiles
  const Halide::Expr extent_a = y.dim(0).extent(), extent_b = y.dim(1).extent();

  // The innermost loop over tiles has the same name everywhere.
  Halide::Var tile("tile"), t("t"), u("u"), i("i"), j("j");
  const auto shift = Halide::TailStrategy::ShiftInwards;
  const auto in_registers = [&](Halide::Stage s) { s.vectorize(i).unroll(j); };
  const auto tile_after_tile = [&](Halide::Stage s, int p, int q) {
    s.split(a, along_a ? tile : t, i, p, shift)
        .split(b, along_a ? t : tile, j, q, shift)
        .reorder(i, j, tile, t);
    in_registers(s);
  };
  // A plane of few tiles: what does not change from plane to plane stays in registers.
  const auto plane_after_plane = [&](Halide::Stage s, int p, int q) {
    s.rename(n, tile).split(a, t, i, p, shift).split(b, u, j, q, shift).reorder(i, j, tile, u, t);
    in_registers(s);
  };
  // Many tiles: the lines that one begins are still in first-level cache when the next goes on.
  const auto group_after_group = [&](Halide::Stage s, int p, int q) {
    s.split(a, along_a ? tile : t, i, p, shift)
        .split(b, along_a ? t : tile, j, q, shift)
        .split(tile, u, tile, group, Halide::TailStrategy::GuardWithIf)
        .reorder(i, j, tile, t, u);
    in_registers(s);
  };
  for (int p = tile_a; p >= 2; p /= 2) {
    for (int q = tile_b; q >= 2; q /= 2) {
      const Halide::Expr fits = extent_a >= p && extent_b >= q;
      plane_after_plane(f.specialize(fits && extent_a <= 2 * p && extent_b <= few), p, q);
      if (p == tile_a && q == tile_b) {
        const Halide::Expr tiles = along_a ? extent_a / p : extent_b / q;
        group_after_group(f.specialize(fits && tiles > 2 * group), p, q);
      }
      tile_after_tile(f.specialize(fits), p, q);
    }
  }
  tile_after_tile(f, 1, 1);

  Halide::Func rows = x.in();
  const Halide::Var from_b = rows.args()[0], from_a = rows.args()[1];
  rows.compute_at(f, tile).reorder_storage(from_a, from_b).vectorize(from_b).unroll(from_a);
}

}  // namespace sylvite
