#include "python/context.h"

#include <limits>
#include <string>

#include "python/module.h"
#include "python/values.h"

namespace sylvite::python {
namespace {

ContextOptions g_options;
Context g_context;

void set(const ContextOptions& options) {
  g_context = Context(options);
  g_options = options;
}

nb::list target_names() {
  nb::list names;
  for (const std::string_view name : targets()) names.append(nb::str(name.data(), name.size()));
  return names;
}

void use_target(nb::handle target) {
  ContextOptions options = g_options;
  options.target = {};
  if (!target.is_none()) {
    if (!PyUnicode_Check(target.ptr()))
      raise_type("use_target: target is ", kind_of(target), ", want a name out of targets()");
    const std::string wanted = nb::borrow<nb::str>(target).c_str();
    options.target = wanted;
    static_cast<void>(Context(options));  // refuses what is not there
    for (const std::string_view known : targets())
      if (known == wanted) options.target = known;
  }
  set(options);
}

void set_num_threads(nb::handle count) {
  const int64_t threads = integer(count, {"set_num_threads", "count"});
  if (threads < 0 || threads > std::numeric_limits<int>::max()) {
    fail(ErrorCode::kInvalidArgument, "set_num_threads: count is ", threads,
         ", want at least 0 and at most ", std::numeric_limits<int>::max());
  }
  ContextOptions options = g_options;
  options.threads = static_cast<int>(threads);
  set(options);
}

}  // namespace

const Context& current_context() noexcept { return g_context; }

void bind_context(nb::module_& m) {
  m.def("targets", target_names, nb::sig("def targets() -> list[str]"),
        R"(The names of the targets this machine can run, best first.

>>> sylvite.targets()  # doctest: +SKIP
['x86_64_avx512', 'x86_64_avx2', 'x86_64']
>>> len(sylvite.targets()) > 0
True
)");
  m.def("use_target", use_target, nb::arg("target").none() = nb::none(),
        nb::sig("def use_target(target: str | None = None) -> None"),
        R"(The target of later calls, and of workspaces made later; None: the best one again.

Raises Unsupported where this machine cannot run it, naming those that it can; never a fallback.

>>> sylvite.use_target(sylvite.targets()[-1])
>>> sylvite.use_target(None)
)");
  m.def("set_num_threads", set_num_threads, nb::arg("count"),
        nb::sig("def set_num_threads(count: int) -> None"),
        R"(How many threads later calls may use, and workspaces made later; 0: one per core.

Raises InvalidArgument for a negative count.

>>> sylvite.set_num_threads(2)
>>> sylvite.set_num_threads(0)
)");
}

}  // namespace sylvite::python
