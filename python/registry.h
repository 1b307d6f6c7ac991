// The registry that workspaces share, and operators written in Python.
#pragma once

#include <nanobind/nanobind.h>

#include <memory>
#include <shared_mutex>

#include "sylvite/operator.h"

namespace nb = nanobind;  // NOLINT(misc-unused-alias-decls)

namespace sylvite::python {

/// A registry that may grow while workspaces use it: never while an operator of it runs.
struct SharedRegistry {
  std::shared_ptr<Registry> registry = builtin_registry();
  std::shared_mutex running;
};
using RegistryHandle = std::shared_ptr<SharedRegistry>;

/// sylvite.registry
const RegistryHandle& default_registry();

/// Held, without the interpreter, while something looks operators up. Nests on a thread.
class RegistryUse {
 public:
  explicit RegistryUse(SharedRegistry& registry);
  RegistryUse(const RegistryUse&) = delete;
  RegistryUse& operator=(const RegistryUse&) = delete;
  ~RegistryUse();

  /// Whether this thread is inside of a run.
  static bool on_this_thread() noexcept;

 private:
  std::shared_lock<std::shared_mutex> lock_;
};

void bind_registry(nb::module_& m);

}  // namespace sylvite::python
