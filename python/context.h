// The module's context: what use_target and set_num_threads have set.
#pragma once

#include "sylvite/context.h"

namespace sylvite::python {

/// Read and written with the interpreter held.
const Context& current_context() noexcept;

}  // namespace sylvite::python
