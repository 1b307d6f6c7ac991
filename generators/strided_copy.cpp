// Copies and fills of boxes of up to six dimensions with any strides.
#include "schedules/strided_copy.h"

namespace sylvite {

using Halide::GeneratorParam;
using Halide::Type;
using Halide::UInt;

class StridedCopy : public Halide::Generator<StridedCopy> {
 public:
  GeneratorParam<Type> element{"element", UInt(32)};
  GeneratorParam<bool> stream{"stream", false};
  StridedKnobs knobs;
  Input<Buffer<void, 6>> x{"x"};
  Output<Buffer<void, 6>> y{"y"};

  void configure() { x.set_type(element); }
  void generate() { y(d) = x(d); }
  void schedule() { schedule_strided_copy(x, y, d, knobs, stream, target); }

 private:
  std::vector<Halide::Var> d = strided_vars();
};

class Fill : public Halide::Generator<Fill> {
 public:
  GeneratorParam<Type> element{"element", UInt(32)};
  StridedKnobs knobs;
  Input<uint64_t> value{"value"};  // in the low bits
  Output<Buffer<void, 6>> y{"y"};

  void generate() { y(d) = Halide::cast(element, value); }
  void schedule() { schedule_fill(y, d, knobs, target); }

 private:
  std::vector<Halide::Var> d = strided_vars();
};

}  // namespace sylvite

HALIDE_REGISTER_GENERATOR(sylvite::StridedCopy, strided_copy)
HALIDE_REGISTER_GENERATOR(sylvite::Fill, fill)
