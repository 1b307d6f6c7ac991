// The operators of the library: an explicit list, so that a plain static link keeps them all.
#include "runtime/ops/all.h"

#include <array>

namespace sylvite {
namespace {

// clang-format off: a line each
constinit const std::array kOperators = {
    &internal::kSpaceToBatchSchema,
    &internal::kBatchToSpaceSchema,
    &internal::kExpandSchema,
    &internal::kExpandGradientSchema,
    &internal::kExpandDimsSchema,
    &internal::kSqueezeSchema,
    &internal::kReshapeSchema,
    &internal::kReshapeLikeSchema,
    &internal::kCastSchema,
    &internal::kCastGradientSchema,
    &internal::kMergeDenseSchema,
    &internal::kMergeDenseGradientSchema,
    &internal::kMergeSingleScalarSchema,
    &internal::kMergeSingleScalarGradientSchema,
    &internal::kMergeSingleListSchema,
    &internal::kMergeSingleListGradientSchema,
    &internal::kMergeSingleMapSchema,
    &internal::kMergeSingleMapGradientSchema,
    &internal::kMergeMultiScalarSchema,
    &internal::kMergeMultiScalarGradientSchema,
    &internal::kMergeMultiListSchema,
    &internal::kMergeMultiListGradientSchema,
    &internal::kMergeMultiMapSchema,
    &internal::kMergeMultiMapGradientSchema,
    &internal::kMergeMultiListOrMapGradientSchema,
    &internal::kStackSchema,
    &internal::kUnstackSchema,
    &internal::kConcatSchema,
    &internal::kConcatGradientSchema,
    &internal::kSplitSchema,
    &internal::kAddSchema,
    &internal::kMulSchema,
    &internal::kSumSchema,
    &internal::kConstantFillSchema,
    &internal::kSquaredL2Schema,
    &internal::kSquaredL2GradientSchema,
    &internal::kMatMulSchema,
    &internal::kConvSchema,
    &internal::kConvGradientSchema,
    &internal::kCreateScopeSchema,
    &internal::kHasScopeSchema,
    &internal::kDoSchema,
};
// clang-format on

}  // namespace

std::span<const OperatorSchema* const> operators() noexcept { return kOperators; }

}  // namespace sylvite
