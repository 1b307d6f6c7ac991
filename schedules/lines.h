// Promises about memory that schedules share.
#pragma once

#include "Halide.h"

namespace sylvite {

inline constexpr int kLineBytes = 64;  // a cache line, the unit of a non-temporal store

/// All dimensions begin at 0; strides beyond the first are free.
template <typename Buffer>
void begin_at_zero(Buffer& buffer) {
  for (int i = 0; i < buffer.dimensions(); ++i) buffer.dim(i).set_min(0);
}

/// What a streaming kernel is promised by the runtime, and the ordinary one is not: the output's
/// rows are whole cache lines on line boundaries. Without it LLVM splits a non-temporal store, and
/// a partial line costs more than streaming gains.
template <typename Buffer>
void promise_whole_lines(Buffer& buffer) {
  const int line = kLineBytes / buffer.type().bytes();
  buffer.set_host_alignment(kLineBytes);
  buffer.dim(0).set_extent((buffer.dim(0).extent() / line) * line);
  for (int i = 1; i < buffer.dimensions(); ++i) {
    buffer.dim(i).set_stride((buffer.dim(i).stride() / line) * line);
  }
}

}  // namespace sylvite
