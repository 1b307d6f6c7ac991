// Products of blocks of two matrices, and the patches of an image that make a convolution one.
// Buffers of the patches hold unsigned integers of the element's width.
#include "schedules/conv.h"

#include "generators/floats.h"

namespace sylvite {

using Halide::select;
using Halide::Type;

/// y(n, m) += sum of a(k, m) * b(n, k) over k, in the order of k and with a sum of its own. Products and
/// sums are rounded one by one, so that processors with and without fused ones agree.
class Product : public Halide::Generator<Product> {
 public:
  GeneratorParam<Type> element{"element", Float(32)};
  Input<Buffer<void, 2>> a{"a"};   // k, m
  Input<Buffer<void, 2>> b{"b"};   // n, k
  Output<Buffer<void, 2>> y{"y"};  // n, m

  void configure() {
    a.set_type(element);
    b.set_type(element);
    y.set_type(element);
  }
  void generate() {
    const Halide::RDom k(0, a.dim(0).extent(), "k");
    block(n, m) = cast(element, 0);
    block(n, m) = exactly(block(n, m) + exactly(a(k, m) * b(n, k)));
    y(n, m) = Halide::undef(element);
    y(n, m) = with_one_nan(exactly(y(n, m) + block(n, m)));
    schedule_product(a, b, y, block, n, m, k, get_target());
  }

 private:
  Var n{"n"}, m{"m"};
  Halide::Func block{"block"};
};

/// y(i, j, kw, kh, c) = x at column (i * step_w + kw * tap_w + first_w) / zoom_w and row alike, 0 outside
/// of x and where the division leaves a rest: what element (kw, kh) of a filter meets at place (i, j).
class Patches : public Halide::Generator<Patches> {
 public:
  GeneratorParam<Type> element{"element", UInt(32)};
  Input<Buffer<void, 3>> x{"x"};  // column, row, c
  Input<int> step_w{"step_w"}, tap_w{"tap_w"}, first_w{"first_w"}, zoom_w{"zoom_w"};
  Input<int> step_h{"step_h"}, tap_h{"tap_h"}, first_h{"first_h"}, zoom_h{"zoom_h"};
  Output<Buffer<void, 5>> y{"y"};  // i, j, kw, kh, c

  void configure() {
    x.set_type(element);
    y.set_type(element);
  }
  void generate() {
    const Expr column = i * step_w + kw * tap_w + first_w;
    const Expr row = j * step_h + kh * tap_h + first_h;
    const Expr at_w = column / zoom_w, at_h = row / zoom_h;
    const Expr inside = at_w >= 0 && at_w < x.dim(0).extent() && at_w * zoom_w == column &&
                        at_h >= 0 && at_h < x.dim(1).extent() && at_h * zoom_h == row;
    y(i, j, kw, kh, c) = select(
        inside, x(clamp(at_w, 0, x.dim(0).extent() - 1), clamp(at_h, 0, x.dim(1).extent() - 1), c),
        cast(element, 0));
    schedule_patches(x, y, zoom_w == 1 && zoom_h == 1);
  }

 private:
  Var i{"i"}, j{"j"}, kw{"kw"}, kh{"kh"}, c{"c"};
};

}  // namespace sylvite

HALIDE_REGISTER_GENERATOR(sylvite::Product, product)
HALIDE_REGISTER_GENERATOR(sylvite::Patches, patches)
