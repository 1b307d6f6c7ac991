// The cast as a framework writes it without kernels: one loop per pair of types.
#pragma once

#include <cstdint>

#include "sylvite/tensor.h"

namespace sylvite_bench {

/// `columns` elements of every row; x's elements lie `x_row` and `x_column` elements apart, y is
/// dense. Numbers that `to` holds. Throws std::runtime_error for a pair it has no loop for.
void naive_cast(sylvite::DType from, sylvite::DType to, const void* x, void* y, int64_t rows,
                int64_t columns, int64_t x_row, int64_t x_column);

/// Fills memory with numbers from 0 to 100, in halves where the type has them.
void fill_with_numbers(sylvite::DType dtype, void* memory, int64_t count);

}  // namespace sylvite_bench
