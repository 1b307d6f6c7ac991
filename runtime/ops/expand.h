// What Expand hands from validation to its ways through the kernels.
#pragma once

#include "runtime/move.h"

namespace sylvite::internal {

/// Writes every element of the box, which reads with stride 0 along the axes that are broadcast. The
/// places are those of element [0, …, 0]; without data the call only explains.
void run_expand(Call& call, Box box, Place from, Place to, int element_bytes);

/// A box on a CPU. No dimension has extent 1; y's strides are positive and grow outwards, the
/// innermost is 1.
struct Expansion {
  Call& call;
  Box box;
  Place from;
  Place to;
  int element_bytes;
  bool streams;  ///< past the caches, where the output's lines allow it

  int64_t row_bytes() const noexcept { return box[0].extent * element_bytes; }
};

/// Every row is one element of x.
void expand_rows(const Expansion& expansion);

/// Short blocks of y that are repeated, through tiles in cache; false where nothing is gained.
bool expand_blocks(const Expansion& expansion);

/// How many of `count` elements of x go ahead of the first whose bytes in y, `step_bytes` each and
/// contiguous, begin on a line, how many then fill lines in whole vectors, and how many are left.
struct LineParts {
  int64_t head;
  int64_t body;
  int64_t tail;
};
LineParts line_parts(const std::byte* to, int64_t count, int64_t step_bytes,
                     int element_bytes) noexcept;

}  // namespace sylvite::internal
