// The registry that workspaces share, and operators written in Python.
#pragma once

#include <nanobind/nanobind.h>

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>

#include "sylvite/operator.h"

namespace nb = nanobind;  // NOLINT(misc-unused-alias-decls)

namespace sylvite::python {

/// A registry that may grow while workspaces use it: never while an operator of it runs.
class SharedRegistry {
 public:
  const std::shared_ptr<Registry>& registry() const noexcept { return registry_; }

  /// Waits until nobody uses the registry, then changes it. Without the interpreter, which runs may
  /// need to come to their end.
  template <typename Change>
  void change(Change&& change) {
    std::unique_lock lock(mutex_);
    idle_.wait(lock, [&] { return uses_ == 0; });
    change(*registry_);
  }

 private:
  friend class RegistryUse;

  std::shared_ptr<Registry> registry_ = builtin_registry();
  std::mutex mutex_;
  std::condition_variable idle_;
  int64_t uses_ = 0;
};
using RegistryHandle = std::shared_ptr<SharedRegistry>;

/// sylvite.registry
const RegistryHandle& default_registry();

/// Held while something looks operators up or runs them. Nests.
class RegistryUse {
 public:
  explicit RegistryUse(SharedRegistry& shared);
  RegistryUse(const RegistryUse&) = delete;
  RegistryUse& operator=(const RegistryUse&) = delete;
  ~RegistryUse();

  const Registry& registry() const noexcept { return *shared_.registry_; }
  /// Whether this thread is inside of a run.
  static bool on_this_thread() noexcept;

 private:
  SharedRegistry& shared_;
};

void bind_registry(nb::module_& m);

}  // namespace sylvite::python
