// Operators' arguments, and operators themselves, from Python values and back.
#pragma once

#include <nanobind/nanobind.h>

#include <optional>
#include <string>
#include <vector>

#include "sylvite/net.h"
#include "sylvite/operator.h"

namespace nb = nanobind;  // NOLINT(misc-unused-alias-decls)

namespace sylvite::python {

/// Throws nb::type_error for values that no operator takes. A list of lists of integers is taken flat.
std::vector<Argument> arguments_from(nb::handle kwargs, const char* function);
nb::dict arguments_of(const OperatorDef& def);

DeviceKind device_from(std::string_view device, const char* function);

/// One name or nothing per output, from a dict of outputs' names to gradients' names.
std::vector<std::optional<std::string>> output_gradients(const OperatorDef& def, nb::handle given,
                                                         const char* function);

}  // namespace sylvite::python
