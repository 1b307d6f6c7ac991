// SpaceToBatch and BatchToSpace of the two innermost spatial axes.
//
// The image holds rows of columns; the phases hold, for each place (oy, ox) inside a block, an image
// of one element per block. n and m are any two outer axes.
#include "schedules/space_batch.h"

namespace sylvite {

using Halide::clamp;
using Halide::Expr;
using Halide::select;
using Halide::Type;
using Halide::Var;

class SpaceToBatch : public Halide::Generator<SpaceToBatch> {
 public:
  GeneratorParam<Type> element{"element", UInt(32)};
  GeneratorParam<int> block_w{"block_w", 2};
  GeneratorParam<bool> stream{"stream", false};
  SpaceBatchKnobs knobs;
  Input<Buffer<void, 4>> x{"x"};  // column, row, n, m
  Input<int> block_h{"block_h"};
  Output<Buffer<void, 6>> y{"y"};  // w, h, n, m, oy, ox

  void configure() { x.set_type(element); }
  void generate() { y(w, h, n, m, oy, ox) = x(w * int(block_w) + ox, h * block_h + oy, n, m); }
  void schedule() {
    if (using_autoscheduler()) return estimate_space_to_batch(x, block_h, y, block_w);
    schedule_space_to_batch(x, y, {w, h, n, m, oy, ox}, block_w, knobs, stream);
  }

 private:
  Var w{"w"}, h{"h"}, n{"n"}, m{"m"}, oy{"oy"}, ox{"ox"};
};

// The columns of padding by a mask; rows of padding are not this kernel's. What it reads for a padding
// column is whatever stands before or behind the row.
class SpaceToBatchMasked : public Halide::Generator<SpaceToBatchMasked> {
 public:
  GeneratorParam<Type> element{"element", UInt(32)};
  GeneratorParam<int> block_w{"block_w", 2};
  SpaceBatchMaskedKnobs knobs;
  Input<Buffer<void, 4>> x{"x"};  // column, h, n, oy
  Input<Buffer<void, 2>> inside{
      "inside"};  // w, ox: all bits where the image has the column, else none
  Input<uint64_t> pad_value{"pad_value"};  // in the low bits
  Output<Buffer<void, 5>> y{"y"};          // w, h, n, oy, ox

  void configure() {
    x.set_type(element);
    inside.set_type(element);
  }
  void generate() {
    const Expr pad = cast(element, pad_value);
    y(w, h, n, oy, ox) = pad ^ ((x(w * int(block_w) + ox, h, n, oy) ^ pad) & inside(w, ox));
  }
  void schedule() {
    if (using_autoscheduler())
      return estimate_space_to_batch_masked(x, inside, pad_value, y, block_w);
    schedule_space_to_batch_masked(x, inside, y, {w, h, n, oy, ox}, block_w, knobs);
  }

 private:
  Var w{"w"}, h{"h"}, n{"n"}, oy{"oy"}, ox{"ox"};
};

class BatchToSpace : public Halide::Generator<BatchToSpace> {
 public:
  GeneratorParam<Type> element{"element", UInt(32)};
  GeneratorParam<int> block_w{"block_w", 2};
  GeneratorParam<bool> stream{"stream", false};
  SpaceBatchKnobs knobs;
  Input<Buffer<void, 6>> x{"x"};  // w, h, n, m, oy, ox
  Input<int> block_h{"block_h"}, crop_top{"crop_top"}, crop_left{"crop_left"};
  Output<Buffer<void, 4>> y{"y"};  // column, row, n, m

  void configure() { x.set_type(element); }
  void generate() {
    const Expr column = c + crop_left, row = r + crop_top;
    const int block = block_w;
    y(c, r, n, m) = x(column / block, row / block_h, n, m, row % block_h, column % block);
  }
  void schedule() {
    if (using_autoscheduler())
      return estimate_batch_to_space(x, block_h, crop_top, crop_left, y, block_w);
    schedule_batch_to_space(x, y, c, block_w, knobs, stream);
  }

 private:
  Var c{"c"}, r{"r"}, n{"n"}, m{"m"};
};

// On a GPU one launch does it all: any block, the padding by a select. The last dimension of every
// buffer is its origin, as in generators/strided_copy.cpp.
class SpaceToBatchGpu : public Halide::Generator<SpaceToBatchGpu> {
 public:
  GeneratorParam<Type> element{"element", UInt(32)};
  GpuBoxKnobs knobs;
  Input<Buffer<void, 5>> x{"x"};           // column, row, n, m
  Input<uint64_t> pad_value{"pad_value"};  // in the low bits
  Input<int> width{"width"}, height{"height"}, pad_left{"pad_left"}, pad_top{"pad_top"};
  Input<int[6]> extent{"extent"};
  Output<Buffer<void, 7>> y{"y"};  // w, h, n, m, oy, ox

  void configure() { x.set_type(element); }
  void generate() {
    r = box_of(extent);
    const Expr w = r[0], h = r[1], n = r[2], m = r[3], oy = r[4], ox = r[5];
    const Expr column = w * extent[5] + ox - pad_left, row = h * extent[4] + oy - pad_top;
    const Expr inside = column >= 0 && column < width && row >= 0 && row < height;
    y(anywhere(7)) = Halide::undef(element);
    y(at_origin(r)) =
        select(inside, x(clamp(column, 0, width - 1), clamp(row, 0, height - 1), n, m, 0),
               cast(element, pad_value));
  }
  void schedule() { schedule_gpu_box(y, r, knobs, x, y); }

 private:
  Halide::RDom r;
};

class BatchToSpaceGpu : public Halide::Generator<BatchToSpaceGpu> {
 public:
  GeneratorParam<Type> element{"element", UInt(32)};
  GpuBoxKnobs knobs;
  Input<Buffer<void, 7>> x{"x"};  // w, h, n, m, oy, ox
  Input<int> block_w{"block_w"}, block_h{"block_h"}, crop_left{"crop_left"}, crop_top{"crop_top"};
  Input<int[4]> extent{"extent"};
  Output<Buffer<void, 5>> y{"y"};  // column, row, n, m

  void configure() { x.set_type(element); }
  void generate() {
    r = box_of(extent);
    const Expr column = r[0] + crop_left, row = r[1] + crop_top, n = r[2], m = r[3];
    y(anywhere(5)) = Halide::undef(element);
    y(at_origin(r)) = x(column / block_w, row / block_h, n, m, row % block_h, column % block_w, 0);
  }
  void schedule() { schedule_gpu_box(y, r, knobs, x, y); }

 private:
  Halide::RDom r;
};

}  // namespace sylvite

HALIDE_REGISTER_GENERATOR(sylvite::SpaceToBatch, space_to_batch)
HALIDE_REGISTER_GENERATOR(sylvite::SpaceToBatchMasked, space_to_batch_masked)
HALIDE_REGISTER_GENERATOR(sylvite::BatchToSpace, batch_to_space)
HALIDE_REGISTER_GENERATOR(sylvite::SpaceToBatchGpu, space_to_batch_gpu)
HALIDE_REGISTER_GENERATOR(sylvite::BatchToSpaceGpu, batch_to_space_gpu)
