// Cases for ExpandGradient, and its sums in the order that runtime/ops/expand_gradient.h states.
#pragma once

#include <string>

#include "support/placed_tensor.h"
#include "support/random_shapes.h"
#include "support/reference.h"
#include "support/targets.h"
#include "sylvite/sylvite.h"

namespace sylvite::test {

inline constexpr DType kNumericDTypes[] = {DType::kInt8,     DType::kUInt8,   DType::kInt16,
                                           DType::kUInt16,   DType::kInt32,   DType::kUInt32,
                                           DType::kInt64,    DType::kUInt64,  DType::kFloat16,
                                           DType::kBFloat16, DType::kFloat32, DType::kFloat64};

struct ExpandGradientCase {
  Shape dy;
  Shape x;
  DType dtype = DType::kFloat32;
};

std::string to_string(const ExpandGradientCase& test_case);

bool is_float(DType dtype);

/// dX, row-major, of dense row-major dY: every addition in the documented order.
Bytes reference_expand_gradient(const Bytes& dy, const ExpandGradientCase& c);

/// The largest relative distance from the exact sum that the contract allows, as a share of the sum of
/// magnitudes; half types have one more rounding of the result.
double sum_bound(const ExpandGradientCase& c);

/// One number of a dtype, for every dtype whose values a double holds.
double decode(const uint8_t* element, DType dtype);

/// Random floats become finite ones of mixed magnitudes, zeros and denormals among them; their sums
/// stay finite. Integers stay as they are.
void make_finite(std::span<uint8_t> bytes, DType dtype);

/// Ranks to 32, summed axes anywhere, extents 0, 1 and around vectors and groups of rows.
ExpandGradientCase random_expand_gradient_case(Random& random);

/// Runs the operator on random memory laid out at random, or dense where `dense`. On a CPU the bits
/// must be the reference's; a GPU's floats are held to the bound.
void check_expand_gradient(const ExpandGradientCase& test_case, Random& random,
                           const KernelChoice& choice, const Context& context, bool dense = false);

/// Every element of `got` lies within the bound of the exact sum.
void expect_within_bound(const Bytes& dy, const ExpandGradientCase& c, const Bytes& got,
                         const std::string& what);

}  // namespace sylvite::test
