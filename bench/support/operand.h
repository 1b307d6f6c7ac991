// The memory that a row's operands take.
#pragma once

#include <cstdint>
#include <string_view>

#include "sylvite/tensor.h"

namespace sylvite_bench {

/// Of a dense tensor.
inline int64_t byte_count(sylvite::DType dtype, const sylvite::Shape& shape) {
  int64_t bytes = element_size(dtype);
  for (const int64_t extent : shape) bytes *= extent;
  return bytes;
}

/// Operands of rows named so begin one element after an aligned address.
inline bool is_unaligned(std::string_view row) {
  return row.find("unaligned") != std::string_view::npos;
}

/// Bytes from an aligned address to the first element.
inline int64_t offset_of(std::string_view row, sylvite::DType dtype) {
  return is_unaligned(row) ? element_size(dtype) : 0;
}

}  // namespace sylvite_bench
