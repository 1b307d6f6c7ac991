// Workspaces as Python has them.
#pragma once

#include <nanobind/nanobind.h>

#include <string>
#include <vector>

#include "python/registry.h"
#include "sylvite/workspace.h"

namespace nb = nanobind;  // NOLINT(misc-unused-alias-decls)

namespace sylvite::python {

struct SharedWorkspace {
  Workspace workspace;
  RegistryHandle registry;
};

OperatorDef make_op(std::string type, std::vector<std::string> inputs,
                    std::vector<std::string> outputs, const std::string& device, nb::handle kwargs);

}  // namespace sylvite::python
