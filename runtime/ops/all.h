// The schema of every operator, defined beside it.
#pragma once

#include "sylvite/operator.h"

namespace sylvite::internal {

extern const OperatorSchema kSpaceToBatchSchema;
extern const OperatorSchema kBatchToSpaceSchema;
extern const OperatorSchema kExpandSchema;
extern const OperatorSchema kExpandGradientSchema;
extern const OperatorSchema kExpandDimsSchema;
extern const OperatorSchema kSqueezeSchema;
extern const OperatorSchema kReshapeSchema;
extern const OperatorSchema kReshapeLikeSchema;
extern const OperatorSchema kCastSchema;
extern const OperatorSchema kCastGradientSchema;
extern const OperatorSchema kMergeDenseSchema;
extern const OperatorSchema kMergeDenseGradientSchema;
extern const OperatorSchema kMergeSingleScalarSchema;
extern const OperatorSchema kMergeSingleScalarGradientSchema;
extern const OperatorSchema kMergeSingleListSchema;
extern const OperatorSchema kMergeSingleListGradientSchema;
extern const OperatorSchema kMergeSingleMapSchema;
extern const OperatorSchema kMergeSingleMapGradientSchema;
extern const OperatorSchema kMergeMultiScalarSchema;
extern const OperatorSchema kMergeMultiScalarGradientSchema;
extern const OperatorSchema kMergeMultiListSchema;
extern const OperatorSchema kMergeMultiListGradientSchema;
extern const OperatorSchema kMergeMultiMapSchema;
extern const OperatorSchema kMergeMultiMapGradientSchema;
extern const OperatorSchema kMergeMultiListOrMapGradientSchema;
extern const OperatorSchema kStackSchema;
extern const OperatorSchema kUnstackSchema;
extern const OperatorSchema kConcatSchema;
extern const OperatorSchema kConcatGradientSchema;
extern const OperatorSchema kSplitSchema;
extern const OperatorSchema kAddSchema;
extern const OperatorSchema kMulSchema;
extern const OperatorSchema kSumSchema;
extern const OperatorSchema kConstantFillSchema;
extern const OperatorSchema kSquaredL2Schema;
extern const OperatorSchema kSquaredL2GradientSchema;
extern const OperatorSchema kMatMulSchema;
extern const OperatorSchema kConvSchema;
extern const OperatorSchema kConvGradientSchema;
extern const OperatorSchema kCreateScopeSchema;
extern const OperatorSchema kHasScopeSchema;
extern const OperatorSchema kDoSchema;

}  // namespace sylvite::internal
