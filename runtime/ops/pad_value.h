// A number as the bits of an element.
#pragma once

#include <cstdint>
#include <optional>

#include "sylvite/tensor.h"

namespace sylvite::internal {

/// The element of `dtype` that equals `value`, in the low bytes; nothing where there is none. NaN
/// becomes the quiet NaN of a floating dtype.
std::optional<uint64_t> exact_bits(double value, DType dtype) noexcept;

}  // namespace sylvite::internal
