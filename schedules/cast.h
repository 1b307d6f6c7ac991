// How Cast runs. The runtime splits a call into rows of dense elements; a CPU kernel is serial.
#pragma once

#include <algorithm>

#include "schedules/estimates.h"
#include "schedules/gpu.h"
#include "schedules/knob.h"
#include "schedules/lines.h"

namespace sylvite {

struct CastKnobs {
  Knob vectors{"vectors", 1, {1, 2, 4}};  // native vectors of the narrower side per step
  // Bytes of x that a streaming kernel asks for early: f64 to f16 in 160 MiB .84 to .97 of memcpy.
  Knob ahead{"ahead", 4096, {0, 1024, 2048, 4096, 8192}};
};

/// A step is a vector of the narrower type, several of the wider one. The last one is shifted
/// inwards; rows shorter than a step take vectors of a quarter, then single elements.
template <typename Input, typename Output>
void schedule_cast(Input& x, Output& y, const Halide::Var& i, const CastKnobs& knobs,
                   const Halide::Target& target, bool stream) {
  begin_at_zero(x);
  begin_at_zero(y);
  Halide::Func f = y;
  Halide::Var lane("lane");
  const int narrow = std::min(x.type().bytes(), y.type().bytes());
  const int lanes = target.natural_vector_size(Halide::UInt(8)) / narrow * knobs.vectors;
  if (stream) {
    promise_whole_lines(y);
    // As many steps as fill a line; the runtime gives rows of 64 elements' multiples.
    const int line = std::min(lanes, kLineBytes / y.type().bytes());
    f.split(i, i, lane, line, Halide::TailStrategy::RoundUp).vectorize(lane);
    // Where y is the wider one, its stores are what a call waits for.
    if (knobs.ahead > 0 && x.type().bytes() >= y.type().bytes()) {
      f.prefetch(Halide::ExternFuncArgument(x).image_param, i, i,
                 std::max<int>(1, knobs.ahead / (line * x.type().bytes())),
                 Halide::PrefetchBoundStrategy::NonFaulting);
    }
    return;
  }
  for (const int step : {lanes, lanes / 4}) {
    if (step < 4) continue;
    f.specialize(y.dim(0).extent() >= step)
        .split(i, i, lane, step, Halide::TailStrategy::ShiftInwards)
        .vectorize(lane);
  }
}

}  // namespace sylvite
