// SpaceToBatch and BatchToSpace of the two innermost spatial axes where every pixel is a few channels
// next to each other and the pixels of a row are dense: images of 3 channels in NHWC.
//
// As in generators/space_batch.cpp, with the channel as the innermost dimension of every buffer.
#include "schedules/pixels.h"

namespace sylvite {

using Halide::Type;

class PixelsToBatch : public Halide::Generator<PixelsToBatch> {
 public:
  GeneratorParam<Type> element{"element", UInt(32)};
  GeneratorParam<int> block_w{"block_w", 2};
  GeneratorParam<int> channels{"channels", 3};
  PixelsKnobs knobs;
  Input<Buffer<void, 4>> x{"x"};  // channel, column, row, n
  Input<int> block_h{"block_h"};
  Output<Buffer<void, 6>> y{"y"};  // channel, w, h, n, oy, ox

  void configure() { x.set_type(element); }
  void generate() { y(c, w, h, n, oy, ox) = x(c, w * int(block_w) + ox, h * block_h + oy, n); }
  void schedule() {
    if (using_autoscheduler()) return estimate_pixels_to_batch(x, block_h, y, channels, block_w);
    schedule_pixels_to_batch(x, y, {c, w, h, n, oy, ox}, channels, block_w, knobs);
  }

 private:
  Var c{"c"}, w{"w"}, h{"h"}, n{"n"}, oy{"oy"}, ox{"ox"};
};

class BatchToPixels : public Halide::Generator<BatchToPixels> {
 public:
  GeneratorParam<Type> element{"element", UInt(32)};
  GeneratorParam<int> block_w{"block_w", 2};
  GeneratorParam<int> channels{"channels", 3};
  PixelsKnobs knobs;
  Input<Buffer<void, 6>> x{"x"};  // channel, w, h, n, oy, ox
  Input<int> block_h{"block_h"}, crop_top{"crop_top"}, crop_left{"crop_left"};
  Output<Buffer<void, 4>> y{"y"};  // channel, column, row, n

  void configure() { x.set_type(element); }
  void generate() {
    const Expr column = k + crop_left, row = r + crop_top;
    const int block = block_w;
    y(c, k, r, n) = x(c, column / block, row / block_h, n, row % block_h, column % block);
  }
  void schedule() {
    if (using_autoscheduler())
      return estimate_batch_to_pixels(x, block_h, crop_top, crop_left, y, channels, block_w);
    schedule_batch_to_pixels(x, y, c, k, channels, block_w, knobs);
  }

 private:
  Var c{"c"}, k{"k"}, r{"r"}, n{"n"};
};

}  // namespace sylvite

HALIDE_REGISTER_GENERATOR(sylvite::PixelsToBatch, pixels_to_batch)
HALIDE_REGISTER_GENERATOR(sylvite::BatchToPixels, batch_to_pixels)
