// Cast as the contract states it, in integer arithmetic alone: no processor's conversions.
#pragma once

#include <cstdint>
#include <vector>

#include "support/reference.h"
#include "sylvite/sylvite.h"

namespace sylvite::test {

inline constexpr DType kNumericDTypes[] = {
    DType::kBool,     DType::kInt8,    DType::kUInt8,  DType::kInt16,  DType::kUInt16,
    DType::kInt32,    DType::kUInt32,  DType::kInt64,  DType::kUInt64, DType::kFloat16,
    DType::kBFloat16, DType::kFloat32, DType::kFloat64};

/// The bits of one element of `from` as the bits of one of `to`. A NaN keeps its sign and the upper
/// bits of its payload and is quiet, but for a signalling bfloat16 that becomes a float32.
uint64_t reference_cast(uint64_t bits, DType from, DType to);

/// Dense elements, one after another.
Bytes reference_cast(const Bytes& x, DType from, DType to);

/// Values that a cast from this dtype can go wrong at, as dense elements: all there are of 8 and 16
/// bits; of the others powers of two and their neighbours, halfway cases at every bit, the limits of
/// every dtype, denormals, infinities, NaN payloads, and random bits.
Bytes hard_values(DType from);

std::string hex(uint64_t bits);

}  // namespace sylvite::test
