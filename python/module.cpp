// sylvite._core: the library's functions over NumPy arrays. One bind_… per family.
#include "python/module.h"

#include <nanobind/stl/string.h>

#include <string>

#include "sylvite/version.h"

namespace sylvite::python {

NB_MODULE(_core, m) {
  import_numpy();
  translate_errors();
  // Operators written in Python may hold the workspace that holds them: cycles through the library.
  nb::set_leak_warnings(false);
  m.attr("__version__") = std::to_string(SYLVITE_VERSION_MAJOR) + "." +
                          std::to_string(SYLVITE_VERSION_MINOR) + "." +
                          std::to_string(SYLVITE_VERSION_PATCH);
  m.doc() = "Sylvite's compiled part: what the package sylvite re-exports.";
  bind_context(m);
  bind_space_batch(m);
  bind_expand(m);
  bind_reshape(m);
  bind_join(m);
  bind_features(m);
  bind_features_gradient(m);
  bind_operator(m);
  bind_schema(m);
  bind_workspace(m);
}

}  // namespace sylvite::python
