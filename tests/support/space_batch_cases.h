// Cases for SpaceToBatch and, turned round, for BatchToSpace.
#pragma once

#include <string>

#include "support/random_shapes.h"
#include "support/targets.h"
#include "sylvite/sylvite.h"

namespace sylvite::test {

inline constexpr DType kAllDTypes[] = {
    DType::kBool,     DType::kInt8,    DType::kUInt8,  DType::kInt16,  DType::kUInt16,
    DType::kInt32,    DType::kUInt32,  DType::kInt64,  DType::kUInt64, DType::kFloat16,
    DType::kBFloat16, DType::kFloat32, DType::kFloat64};

/// `image` is what SpaceToBatch reads and BatchToSpace, whose crops are the paddings, returns.
struct SpaceBatchCase {
  Shape image;
  SpaceToBatchArgs args;
  DType dtype = DType::kFloat32;
};

std::string to_string(const SpaceBatchCase& test_case);

/// [N, C, spatial…] or [N, spatial…, C].
Shape image_shape(Layout layout, int64_t batch, int64_t channels,
                  std::initializer_list<int64_t> spatial);

/// The case whose phases have these extents, its padded image cut down by the paddings.
SpaceBatchCase case_of_phases(int64_t batch, int64_t channels, const PerAxis<int64_t>& phases,
                              const SpaceToBatchArgs& args, DType dtype);

/// Extents 0, 1 and around every vector width, non-square blocks, paddings of every size.
SpaceBatchCase random_case(Random& random);

/// Run the operator on random memory laid out at random and compare with the reference.
void check_space_to_batch(const SpaceBatchCase& test_case, Random& random,
                          const KernelChoice& choice, const Context& context);
void check_batch_to_space(const SpaceBatchCase& test_case, Random& random,
                          const KernelChoice& choice, const Context& context);

}  // namespace sylvite::test
