// Errors of this module, and the library's as Python's exceptions.
#pragma once

#include <nanobind/nanobind.h>

#include <string>

#include "runtime/error.h"

namespace nb = nanobind;  // NOLINT(misc-unused-alias-decls)

namespace sylvite::python {

using internal::fail;
using internal::joined;

/// A Python argument of the wrong type.
template <typename... Parts>
[[noreturn]] void raise_type(const Parts&... parts) {
  throw nb::type_error(joined(parts...).c_str());
}

/// "a list", "None".
std::string kind_of(nb::handle value);

/// From then on the library's errors are those of sylvite.errors.
void translate_errors();

}  // namespace sylvite::python
