// Calls of the kernels in generators/features_gpu.cpp.
#pragma once

#include <cstdint>

#include "runtime/ops/features.h"

namespace sylvite::internal::features_gpu {

/// Dense memory on a device, from one element on.
struct Array {
  Place place = {};
  int bytes = 0;  ///< of an element
  ElementKind kind = ElementKind::kInt;

  Array from(int64_t elements) const noexcept {
    return {.place = advanced(place, elements, bytes), .bytes = bytes, .kind = kind};
  }
};
/// Of a dense tensor: numbers as kernels count in them, everything else as bits.
Array array_of(const Tensor& tensor) noexcept;
Array bits_of(const Tensor& tensor) noexcept;

/// The largest count of a table's entries: its last chunk's coordinates stay within int32.
inline constexpr int64_t kMostEntries = (int64_t{1} << 31) - 4096;
/// Elements of a piece or a window of an array that kernels see at once.
inline constexpr int64_t kPiece = int64_t{1} << 30;

/// Segments in their tables: (b, f) of `examples` and `features`, with the strides of an input's array.
struct Segments {
  int64_t examples;
  int64_t features;
  int64_t example_stride = 1;
  int64_t feature_stride = 1;
};

/// What a scan adds up: generators/features_gpu.cpp says what each is.
enum class Numbers : uint8_t { kElements, kPresent, kSpans, kSums };

// Each throws kUnsupported where the call's targets have no kernel or memory is out of its reach;
// what kernels report is the call's.

/// codes: [features][examples of the call].
void code_segments(Call& call, Counts counts, const Array& lengths, const Array& presence,
                   const Segments& segments, int64_t code_pitch, const Array& codes);

/// x: [features][examples], added up by example; y: features * examples + 1 sums of what lies before.
void scan(Call& call, Numbers numbers, const Array& x, int64_t features, int64_t examples,
          const Array& y);

/// y(k) = table(at(k)) for k < count.
void look_up(Call& call, const Array& table, int64_t last, const Array& at, int64_t count,
             const Array& y);

/// word = mark where one of `count` codes says that a length is negative.
void check_codes(Call& call, const Array& codes, int64_t count, int64_t mark, const Array& word);

/// word = mark where one of `count` spans of `step` entries is not within [least, most].
struct Spans {
  const Array& table;
  int64_t count;
  int64_t step;
  int64_t least;
  int64_t most;
};
void check_spans(Call& call, const Spans& spans, int64_t mark, const Array& word);

/// How far `table` goes up in each example.
void write_lengths(Call& call, const Array& table, int64_t features, int64_t examples,
                   const Array& lengths);

/// One input's elements to or from their places among the packed ones.
struct RunsMove {
  bool split;     ///< from the packed array
  Array array;    ///< the input's
  int64_t count;  ///< of its elements
  Array packed;
  int64_t room;   ///< elements of the packed array
  Array begins;   ///< [examples]: elements before a segment in all inputs, by input
  Array places;   ///< [examples * features]: the same by example
  int64_t first;  ///< elements of all inputs before this one
  int64_t examples;
  int64_t features;
};
void move_runs(Call& call, const RunsMove& move);

/// Values of present segments to their positions.
struct PickMoveGpu {
  Array values;
  Segments segments;
  Array positions;  ///< of the first feature's segments, `pitch` from one example to the next
  int64_t pitch;
  int64_t room;  ///< at least 1
  Array packed;
};
void pick(Call& call, const PickMoveGpu& move);

/// The gradient of a pick.
struct ExpandMoveGpu {
  Array packed;
  int64_t room;
  Segments segments;
  Array positions;
  int64_t pitch;
  Array values;
};
void expand(Call& call, const ExpandMoveGpu& move);

}  // namespace sylvite::internal::features_gpu

namespace sylvite::internal {

/// Loads the modules of all of these kernels.
void warm_up_merges(Device device, const Context& context);

}  // namespace sylvite::internal
