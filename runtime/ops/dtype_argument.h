// Arguments that name a dtype.
#pragma once

#include <string_view>

#include "runtime/ops/arguments.h"
#include "sylvite/tensor.h"

namespace sylvite::internal {

/// A dtype's name, Caffe2's name of it in any case, or Caffe2's type code. The argument is given.
/// Throws kInvalidArgument for any other text or number.
DType dtype_argument(const Arguments& arguments, std::string_view argument);

}  // namespace sylvite::internal
