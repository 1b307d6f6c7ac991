// The schema of every operator, defined beside it.
#pragma once

#include "sylvite/operator.h"

namespace sylvite::internal {

extern const OperatorSchema kSpaceToBatchSchema;
extern const OperatorSchema kBatchToSpaceSchema;

}  // namespace sylvite::internal
