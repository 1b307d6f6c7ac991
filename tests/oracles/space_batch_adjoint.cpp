// SpaceToBatch and BatchToSpace as Halide pipelines whose gradients Halide derives itself. Written as
// sums over the input, because propagate_adjoints wants each variable once per access.
#include "Halide.h"

namespace {

using namespace Halide;

/// Phases are [block_h, block_w, n, c, h, w], as the batch of SpaceToBatch's result holds them.
class SpaceBatchAdjoint : public Generator<SpaceBatchAdjoint> {
 public:
  Input<Buffer<double, 4>> image{"image"};
  Input<Buffer<double, 6>> phases{"phases"};
  Input<int> block_h{"block_h"};
  Input<int> block_w{"block_w"};
  Input<int> top{"top"};
  Input<int> left{"left"};
  /// Gradient of <space_to_batch(image), phases> with respect to the image.
  Output<Buffer<double, 4>> image_gradient{"image_gradient"};
  /// Gradient of <batch_to_space(phases), image> with respect to the phases.
  Output<Buffer<double, 6>> phases_gradient{"phases_gradient"};

  void generate() {
    Var w("w"), h("h"), c("c"), n("n"), ox("ox"), oy("oy"), i("i"), j("j");

    Func x("x"), dy("dy");
    x(j, i, c, n) = image(j, i, c, n);
    dy(w, h, c, n, ox, oy) = phases(w, h, c, n, ox, oy);
    Func padded = BoundaryConditions::constant_exterior(
        x, cast<double>(0),
        {{0, image.width()}, {0, image.height()}, {Expr(), Expr()}, {Expr(), Expr()}});
    Func y("y");
    y(w, h, c, n, ox, oy) = padded(w * block_w + ox - left, h * block_h + oy - top, c, n);
    const Derivative forward = propagate_adjoints(y, dy, bounds_of(phases, 6));
    image_gradient(j, i, c, n) = forward(x)(j, i, c, n);

    Func p("p"), dimage("dimage");
    p(w, h, c, n, ox, oy) = phases(w, h, c, n, ox, oy);
    dimage(j, i, c, n) = image(j, i, c, n);
    const RDom r(
        {{0, phases.dim(0).extent()}, {0, phases.dim(1).extent()}, {0, block_w}, {0, block_h}});
    Func back("back");
    back(j, i, c, n) +=
        select(r[0] * block_w + r[2] - left == j && r[1] * block_h + r[3] - top == i,
               p(r[0], r[1], c, n, r[2], r[3]), cast<double>(0));
    const Derivative backward = propagate_adjoints(back, dimage, bounds_of(image, 4));
    phases_gradient(w, h, c, n, ox, oy) = backward(p)(w, h, c, n, ox, oy);

    Func(forward(x)).compute_root();
    Func(backward(p)).compute_root();
    // A parallel loop and a heap allocation: what the test of two runtimes counts.
    image_gradient.parallel(n);
  }

 private:
  /// Halide 21 takes the second number for the last index, though its header says extent.
  template <typename Source>
  static Region bounds_of(Source& buffer, int dimensions) {
    Region region;
    for (int d = 0; d < dimensions; ++d) {
      region.emplace_back(buffer.dim(d).min(), buffer.dim(d).max());
    }
    return region;
  }
};

}  // namespace

HALIDE_REGISTER_GENERATOR(SpaceBatchAdjoint, space_batch_adjoint)
