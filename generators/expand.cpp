// What Expand repeats: an element all along a row, an element a few times, a short run of bytes.
#include "schedules/expand.h"

namespace sylvite {

using Halide::Type;

// Every row is one element of x.
class ExpandRows : public Halide::Generator<ExpandRows> {
 public:
  GeneratorParam<Type> element{"element", UInt(32)};
  GeneratorParam<bool> stream{"stream", false};
  ExpandKnobs knobs;
  Input<Buffer<void, 6>> x{"x"};
  Output<Buffer<void, 6>> y{"y"};

  void configure() { x.set_type(element); }
  void generate() { y(d) = x(at_first(d)); }
  void schedule() {
    if (using_autoscheduler()) return estimate_expand_rows(x, y);
    schedule_expand_rows(x, y, d, knobs, stream);
  }

 private:
  static std::vector<Halide::Expr> at_first(const std::vector<Halide::Var>& d) {
    std::vector<Halide::Expr> at(d.begin(), d.end());
    at[0] = 0;
    return at;
  }
  std::vector<Halide::Var> d = strided_vars();
};

// Every element of x block_w times in a row.
class Repeat : public Halide::Generator<Repeat> {
 public:
  GeneratorParam<Type> element{"element", UInt(32)};
  GeneratorParam<int> block_w{"block_w", 2};
  GeneratorParam<bool> stream{"stream", false};
  RepeatKnobs knobs;
  Input<Buffer<void, 1>> x{"x"};
  Output<Buffer<void, 1>> y{"y"};

  void configure() { x.set_type(element); }
  void generate() { y(i) = x(i / int(block_w)); }
  void schedule() {
    if (using_autoscheduler()) return estimate_repeat(x, y, block_w);
    schedule_repeat(x, y, i, block_w, knobs, target, stream);
  }

 private:
  Halide::Var i{"i"};
};

// Pixels of block_w channels to planes of one channel, and back: between the two a pixel is repeated by
// repeating elements.
class TakeApart : public Halide::Generator<TakeApart> {
 public:
  GeneratorParam<Type> element{"element", UInt(8)};
  GeneratorParam<int> block_w{"block_w", 3};
  Input<Buffer<void, 1>> x{"x"};
  Output<Buffer<void, 2>> y{"y"};  // pixel, channel

  void configure() { x.set_type(element); }
  void generate() { y(i, c) = x(i * int(block_w) + c); }
  void schedule() { schedule_take_apart(x, y, i, c, block_w); }

 private:
  Halide::Var i{"i"}, c{"c"};
};

class PutTogether : public Halide::Generator<PutTogether> {
 public:
  GeneratorParam<Type> element{"element", UInt(8)};
  GeneratorParam<int> block_w{"block_w", 3};
  RepeatKnobs knobs;
  Input<Buffer<void, 2>> x{"x"};  // pixel, channel
  Output<Buffer<void, 1>> y{"y"};

  void configure() { x.set_type(element); }
  void generate() { y(i) = x(i / int(block_w), i % int(block_w)); }
  void schedule() {
    if (using_autoscheduler()) return estimate_put_together(x, y, block_w);
    schedule_repeat(x, y, i, block_w, knobs, target, false);
  }

 private:
  Halide::Var i{"i"};
};

// Pixels of block_w channels, each as a whole `repeats` times: where there is a kernel, in one pass.
class RepeatPixels : public Halide::Generator<RepeatPixels> {
 public:
  GeneratorParam<Type> element{"element", UInt(8)};
  GeneratorParam<int> block_w{"block_w", 3};
  GeneratorParam<int> repeats{"repeats", 2};
  RepeatKnobs knobs;
  Input<Buffer<void, 1>> x{"x"};
  Output<Buffer<void, 1>> y{"y"};

  void configure() { x.set_type(element); }
  void generate() {
    const int block = block_w;
    y(i) = x(i / (block * int(repeats)) * block + i % block);
  }
  void schedule() {
    if (using_autoscheduler()) return estimate_repeat(x, y, repeats);
    schedule_repeat(x, y, i, int(block_w) * int(repeats), knobs, target, false);
  }

 private:
  Halide::Var i{"i"};
};

// Runs of bytes, each several times. The runs of y may overlap in memory: they are written in order,
// so that each replaces what the one before it wrote too much.
class Runs : public Halide::Generator<Runs> {
 public:
  GeneratorParam<Type> element{"element", UInt(8)};
  Input<Buffer<void, 2>> x{"x"};   // byte, run
  Output<Buffer<void, 3>> y{"y"};  // byte, copy, run

  void configure() { x.set_type(element); }
  void generate() { y(i, copy, run) = x(i, run); }
  void schedule() { schedule_runs(x, y, i); }

 private:
  Halide::Var i{"i"}, copy{"copy"}, run{"run"};
};

}  // namespace sylvite

HALIDE_REGISTER_GENERATOR(sylvite::ExpandRows, expand_rows)
HALIDE_REGISTER_GENERATOR(sylvite::Repeat, repeat)
HALIDE_REGISTER_GENERATOR(sylvite::TakeApart, take_apart)
HALIDE_REGISTER_GENERATOR(sylvite::PutTogether, put_together)
HALIDE_REGISTER_GENERATOR(sylvite::RepeatPixels, repeat_pixels)
HALIDE_REGISTER_GENERATOR(sylvite::Runs, runs)
