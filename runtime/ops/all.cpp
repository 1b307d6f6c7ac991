// The operators of the library: an explicit list, so that a plain static link keeps them all.
#include "runtime/ops/all.h"

#include <array>

namespace sylvite {
namespace {

constinit const std::array kOperators = {
    &internal::kSpaceToBatchSchema,
    &internal::kBatchToSpaceSchema,
};

}  // namespace

std::span<const OperatorSchema* const> operators() noexcept { return kOperators; }

}  // namespace sylvite
