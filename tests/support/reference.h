// SpaceToBatch and BatchToSpace as the contract states them, one element after another.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sylvite/sylvite.h"

namespace sylvite::test {

using Bytes = std::vector<uint8_t>;

/// The shape of x_padded's phases. The arguments must be valid.
Shape reference_shape(const Shape& x, const SpaceToBatchArgs& args);
Shape reference_shape(const Shape& x, const BatchToSpaceArgs& args);

/// x and the result are dense row-major; `pad` is one element.
Bytes reference_space_to_batch(const Bytes& x, const Shape& x_shape, const SpaceToBatchArgs& args,
                               const Bytes& pad);
Bytes reference_batch_to_space(const Bytes& x, const Shape& x_shape, const BatchToSpaceArgs& args,
                               int element_size);

/// `value` in the dtype's own bits; it must be one the dtype holds.
Bytes encode(double value, DType dtype);

/// Half and bfloat16 bits as a number.
double decode_half(uint16_t bits, DType dtype);

int64_t count(const Shape& shape);

BatchToSpaceArgs inverse(const SpaceToBatchArgs& args);
SpaceToBatchArgs inverse(const BatchToSpaceArgs& args);

std::string describe(const SpaceToBatchArgs& args);

}  // namespace sylvite::test
