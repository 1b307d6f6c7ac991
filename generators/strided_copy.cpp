// Copies and fills of boxes of up to six dimensions with any strides.
#include "schedules/strided_copy.h"

namespace sylvite {

using Halide::Type;

class StridedCopy : public Halide::Generator<StridedCopy> {
 public:
  GeneratorParam<Type> element{"element", UInt(32)};
  GeneratorParam<bool> stream{"stream", false};
  StridedKnobs knobs;
  Input<Buffer<void, 6>> x{"x"};
  Output<Buffer<void, 6>> y{"y"};

  void configure() { x.set_type(element); }
  void generate() { y(d) = x(d); }
  void schedule() {
    if (using_autoscheduler()) return estimate_boxes(x, y);
    schedule_strided_copy(x, y, d[0], knobs, stream);
  }

 private:
  std::vector<Halide::Var> d = strided_vars();
};

class Fill : public Halide::Generator<Fill> {
 public:
  GeneratorParam<Type> element{"element", UInt(32)};
  GeneratorParam<bool> stream{"stream", false};
  StridedKnobs knobs;
  Input<uint64_t> value{"value"};  // in the low bits
  Output<Buffer<void, 6>> y{"y"};

  void generate() { y(d) = Halide::cast(element, value); }
  void schedule() {
    if (using_autoscheduler()) {
      value.set_estimate(0);
      return estimate_boxes(y);
    }
    schedule_fill(y, d[0], knobs, stream);
  }

 private:
  std::vector<Halide::Var> d = strided_vars();
};

// On a GPU the last dimension of every buffer is its origin: memory without addresses begins there.
// The boxes written are given by their extents, because a buffer's own include the way to it.
class StridedCopyGpu : public Halide::Generator<StridedCopyGpu> {
 public:
  GeneratorParam<Type> element{"element", UInt(32)};
  GpuBoxKnobs knobs;
  Input<Buffer<void, 7>> x{"x"};
  Input<int[6]> extent{"extent"};
  Output<Buffer<void, 7>> y{"y"};

  void configure() { x.set_type(element); }
  void generate() {
    r = box_of(extent);
    y(anywhere(7)) = Halide::undef(element);
    y(at_origin(r)) = x(at_origin(r));
  }
  void schedule() { schedule_gpu_box(y, r, knobs, x, y); }

 private:
  Halide::RDom r;
};

class FillGpu : public Halide::Generator<FillGpu> {
 public:
  GeneratorParam<Type> element{"element", UInt(32)};
  GpuBoxKnobs knobs;
  Input<uint64_t> value{"value"};  // in the low bits
  Input<int[6]> extent{"extent"};
  Output<Buffer<void, 7>> y{"y"};

  void generate() {
    r = box_of(extent);
    y(anywhere(7)) = Halide::undef(element);
    y(at_origin(r)) = Halide::cast(element, value);
  }
  void schedule() { schedule_gpu_box(y, r, knobs, y); }

 private:
  Halide::RDom r;
};

}  // namespace sylvite

HALIDE_REGISTER_GENERATOR(sylvite::StridedCopy, strided_copy)
HALIDE_REGISTER_GENERATOR(sylvite::Fill, fill)
HALIDE_REGISTER_GENERATOR(sylvite::StridedCopyGpu, strided_copy_gpu)
HALIDE_REGISTER_GENERATOR(sylvite::FillGpu, fill_gpu)
