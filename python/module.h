// The parts of the module: each binds its functions.
#pragma once

#include <nanobind/nanobind.h>

#include "python/call.h"

namespace nb = nanobind;  // NOLINT(misc-unused-alias-decls)

namespace sylvite::python {

void bind_context(nb::module_& m);
void bind_space_batch(nb::module_& m);
void bind_expand(nb::module_& m);
void bind_reshape(nb::module_& m);
void bind_join(nb::module_& m);
void bind_features(nb::module_& m);
void bind_features_gradient(nb::module_& m);
void bind_operator(nb::module_& m);
void bind_schema(nb::module_& m);
void bind_workspace(nb::module_& m);

}  // namespace sylvite::python
