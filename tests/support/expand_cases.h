// Cases for Expand, and Expand as the contract states it, one element after another.
#pragma once

#include <string>

#include "support/random_shapes.h"
#include "support/reference.h"
#include "support/targets.h"
#include "sylvite/sylvite.h"

namespace sylvite::test {

struct ExpandCase {
  Shape x;
  Shape shape;  ///< As the call has it: entries 1 and -1 keep x's extent.
  DType dtype = DType::kFloat32;
};

std::string to_string(const ExpandCase& test_case);

/// The shape of y. The case must be valid.
Shape reference_expand_shape(const Shape& x, const Shape& shape);

/// x and the result are dense row-major.
Bytes reference_expand(const Bytes& x, const Shape& x_shape, const Shape& y_shape,
                       int element_size);

/// Ranks to 32, broadcast axes anywhere, extents 0, 1 and around every vector width, either side of
/// the higher rank.
ExpandCase random_expand_case(Random& random);

/// Runs the operator on random memory laid out at random, or dense where `dense`, and compares with
/// the reference.
void check_expand(const ExpandCase& test_case, Random& random, const KernelChoice& choice,
                  const Context& context, bool dense = false);

}  // namespace sylvite::test
