// Calls of the kernels in generators/features.cpp.
#pragma once

#include <array>
#include <cstdint>

#include "runtime/ops/features.h"

namespace sylvite::internal::features {

inline constexpr int64_t kLanes = 16;  ///< schedules/features.h: examples come in whole vectors
/// Offsets inside a chunk stay below this many bytes.
inline constexpr int64_t kMaxChunkBytes = int64_t{1} << 29;

/// An address as kernels take it, in elements: low 30 bits and the rest.
struct Address {
  int32_t low;
  int32_t high;
};
/// The kernels' memory begins here: their checks refuse the address 0.
inline constexpr uint64_t kOrigin = 64;
inline constexpr int kLowBits = 30;  ///< schedules/features.h
inline Address address_of(const void* at, int element_bytes) noexcept {
  const uint64_t elements =
      (reinterpret_cast<uint64_t>(at) - kOrigin) / static_cast<uint64_t>(element_bytes);
  return {.low = static_cast<int32_t>(elements & ((uint64_t{1} << kLowBits) - 1)),
          .high = static_cast<int32_t>(elements >> kLowBits)};
}

// Which kernels a call takes. Each throws kUnsupported where the call's targets have none.
KernelFn totals_kernel_of(const Call& call, Counts counts);
KernelFn segments_kernel_of(const Call& call, Counts counts);
KernelFn inner_totals_kernel_of(const Call& call);
KernelFn inner_segments_kernel_of(const Call& call);
KernelFn pick_kernel_of(const Call& call, const PickMove& move);
KernelFn expand_kernel_of(const Call& call, int value_bytes);

/// Copies runs in vectors of `step` bytes, one for each run or, where `longer`, so many that they cover
/// it.
struct RunKernel {
  int step;
  bool longer;
};
inline constexpr std::array<RunKernel, 4> kRunKernels = {
    {{32, false}, {64, false}, {96, false}, {128, true}}};
using RunFunctions = std::array<KernelFn, kRunKernels.size()>;
RunFunctions run_kernels_of(const Call& call, bool split);

/// Pointers to a chunk's tables, [features][pitch] each.
struct Tables {
  int64_t features;
  int64_t examples;   ///< padded
  int64_t pitch;      ///< at least an example more
  int32_t* count;     ///< elements; where presence is counted, 1 for a present segment
  int32_t* from;      ///< elements of the input before it
  int32_t* to;        ///< elements of all inputs before it
  int32_t* position;  ///< present segments before it

  int32_t elements_before(int64_t b, int64_t f) const noexcept { return to[f * pitch + b]; }
  int32_t present_before(int64_t b, int64_t f) const noexcept { return position[f * pitch + b]; }
  int32_t count_of(int64_t b, int64_t f) const noexcept { return count[f * pitch + b]; }
  int32_t from_of(int64_t b, int64_t f) const noexcept { return from[f * pitch + b]; }
};

/// Chunks of `examples` each from `lengths` and `presence` on; totals [chunks][features].
void count_chunks(Call& call, KernelFn kernel, const Address* lengths, const Address* presence,
                  int64_t features, int64_t chunks, int64_t examples, Total* totals) noexcept;
/// The first n of each input; totals [features].
void count_numbers(Call& call, KernelFn kernel, const Address* lengths, const int32_t* n,
                   int64_t features, Total* totals) noexcept;
void make_tables(Call& call, KernelFn kernel, const Address* lengths, const Address* presence,
                 const Tables& tables) noexcept;

struct InnerNumbers {
  const Address* lengths;  ///< [features]
  const int32_t* n;        ///< [features]
  const int32_t* begin;    ///< [features]: where an input's sums begin in before
  int32_t* before;
  int64_t before_count;
};
void make_inner_tables(Call& call, KernelFn kernel, const InnerNumbers& numbers,
                       const Tables& outer, const Tables& inner) noexcept;

struct RunPlaces {
  const Address* arrays;  ///< [features]
  const int32_t* room;    ///< [features]: bytes behind them that may be touched
  bool inside;            ///< no vector reaches beyond them
  std::byte* packed;
  int64_t packed_bytes;
};
/// The first `segments` of a chunk.
void copy_runs(Call& call, KernelFn kernel, const Tables& tables, const RunMove& move,
               const RunPlaces& places, int64_t segments) noexcept;
/// The first `segments` of a chunk, `count` of them present. values: where they are not the lengths.
void pick(Call& call, KernelFn kernel, const Tables& tables, const PickMove& move,
          const Address* values, int64_t segments, int64_t count, int64_t* keys,
          std::byte* packed) noexcept;
void expand(Call& call, KernelFn kernel, const Tables& tables, const ExpandMove& move,
            const Address* values, const std::byte* packed, int64_t count) noexcept;

}  // namespace sylvite::internal::features
