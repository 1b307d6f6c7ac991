// Swaps the two innermost dimensions, both dense where they are innermost; n and m are any two outer
// axes.
#include "schedules/transpose.h"

namespace sylvite {

using Halide::Type;

class Transpose : public Halide::Generator<Transpose> {
 public:
  GeneratorParam<Type> element{"element", UInt(32)};
  TransposeKnobs knobs;
  Input<Buffer<void, 4>> x{"x"};   // b, a, n, m
  Output<Buffer<void, 4>> y{"y"};  // a, b, n, m

  void configure() { x.set_type(element); }
  void generate() { y(a, b, n, m) = x(b, a, n, m); }
  void schedule() {
    if (using_autoscheduler()) return estimate_transpose(x, y);
    schedule_transpose(x, y, {a, b, n}, knobs);
  }

 private:
  Var a{"a"}, b{"b"}, n{"n"}, m{"m"};
};

}  // namespace sylvite

HALIDE_REGISTER_GENERATOR(sylvite::Transpose, transpose)
