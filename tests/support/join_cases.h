// Cases for stack, concat, unstack and split, and the joins as the contract states them.
#pragma once

#include <string>
#include <vector>

#include "support/random_shapes.h"
#include "support/reference.h"
#include "support/targets.h"
#include "sylvite/sylvite.h"

namespace sylvite::test {

/// Parts x and the whole y that they make up.
struct JoinCase {
  bool new_axis = false;  ///< stack and unstack, else concat and split
  int axis = 0;           ///< of the whole, not negative
  DType dtype = DType::kFloat32;
  std::vector<Shape> parts;
  bool dense = false;  ///< all laid out so, else at random

  Shape whole() const;
  /// Of the parts at the axis.
  std::vector<int64_t> sizes() const;
};

std::string to_string(const JoinCase& test_case);

/// Ranks 0 to 4, extents 0, 1 and around every vector width, 1 to 40 parts.
JoinCase random_join(Random& random);

/// The whole's elements from the parts', one after another, all in row-major order.
Bytes reference_join(const JoinCase& test_case, const std::vector<Bytes>& parts);

/// Run all forms of the operator on random memory laid out at random and compare with the reference.
void check_join(const JoinCase& test_case, Random& random, const KernelChoice& choice,
                const Context& context);
void check_parts(const JoinCase& test_case, Random& random, const KernelChoice& choice,
                 const Context& context);

}  // namespace sylvite::test
