// Errors of this module, and the library's as Python's exceptions.
#pragma once

#include <nanobind/nanobind.h>

#include <sstream>
#include <string>

#include "sylvite/error.h"

namespace nb = nanobind;  // NOLINT(misc-unused-alias-decls)

namespace sylvite::python {

template <typename... Parts>
std::string joined(const Parts&... parts) {
  std::ostringstream text;
  (text << ... << parts);
  return text.str();
}

template <typename... Parts>
[[noreturn]] void fail(ErrorCode code, const Parts&... parts) {
  throw Error(code, joined(parts...));
}

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
