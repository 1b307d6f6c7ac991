#include "python/workspace.h"

#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "python/module.h"

namespace sylvite::python {
namespace {

SharedWorkspace make(const SharedWorkspace* parent, const std::optional<Bindings>& forward,
                     const RegistryHandle& registry) {
  if (parent != nullptr) {
    if (registry) {
      fail(ErrorCode::kInvalidArgument,
           "Workspace: a registry beside a parent, want the parent's alone");
    }
    return {Workspace(parent->workspace, forward.value_or(Bindings())), parent->registry};
  }
  if (forward) {
    fail(ErrorCode::kInvalidArgument, "Workspace: forward without a parent, want both");
  }
  const RegistryHandle& shared = registry ? registry : default_registry();
  return {Workspace(shared->registry(), current_context()), shared};
}

std::vector<std::string> names(nb::handle value, const char* argument) {
  std::vector<std::string> found;
  if (!nb::try_cast(value, found))
    raise_type("run: ", argument, " is ", kind_of(value), ", want a list of blobs' names");
  return found;
}

void run(SharedWorkspace& self, nb::handle what, nb::handle inputs, nb::handle outputs,
         const std::string& device, const nb::kwargs& arguments) {
  const auto run_it = [&](const auto& it) {
    without_gil([&] {
      const RegistryUse use(*self.registry);
      self.workspace.run(it);
    });
  };
  if (PyUnicode_Check(what.ptr())) {
    return run_it(make_op(nb::cast<std::string>(what), names(inputs, "inputs"),
                          names(outputs, "outputs"), device, arguments));
  }
  if (!inputs.is_none() || !outputs.is_none() || !arguments.empty()) {
    raise_type("run: inputs, outputs or arguments beside ", kind_of(what),
               ", want them with an operator's name alone");
  }
  if (nb::isinstance<Net>(what)) return run_it(Net(nb::cast<const Net&>(what)));
  if (nb::isinstance<OperatorDef>(what))
    return run_it(OperatorDef(nb::cast<const OperatorDef&>(what)));
  raise_type("run: ", kind_of(what), ", want an operator's name, an op() or a Net");
}

void bind_stack(nb::module_& m) {
  using Stack = WorkspaceStack;
  const auto wrap = [](const SharedWorkspace& parent, Workspace workspace) {
    return SharedWorkspace{std::move(workspace), parent.registry};
  };
  nb::class_<Stack>(m, "WorkspaceStack",
                    R"(Forward workspaces kept for the backward pass, last in, first out.

One stack serves one parent. Every method but clear, empty, release and len raises InvalidArgument where the
stack serves another parent or what it holds is not consistent.
Source: Caffe2 WorkspaceStack.

>>> ws, stack = sylvite.Workspace(), sylvite.WorkspaceStack()
>>> ws.feed("X", numpy.zeros(2))
>>> inner = stack.push_forward(ws, {"inner": "X"})
>>> inner.has("inner"), len(stack)
(True, 1)
)")
      .def(nb::init<>())
      .def(
          "push_forward",
          [=](Stack& self, const SharedWorkspace& parent, const Bindings& bindings) {
            return wrap(parent, self.push_forward(parent.workspace, bindings));
          },
          nb::arg("parent"), nb::arg("bindings"),
          R"(A workspace whose bound names (inner name to the parent's) stand for the parent's blobs: one of an
earlier iteration, its memory kept, or a new one.)")
      .def(
          "pop_gradient",
          [=](Stack& self, const SharedWorkspace& parent, const Bindings& bindings) {
            return wrap(parent, self.pop_gradient(parent.workspace, bindings));
          },
          nb::arg("parent"), nb::arg("bindings"),
          "The top one, taken off; bindings of names that it has already are skipped.")
      .def(
          "reuse_last_forward",
          [=](Stack& self, const SharedWorkspace& parent, const Bindings& bindings) {
            return wrap(parent, self.reuse_last_forward(parent.workspace, bindings));
          },
          nb::arg("parent"), nb::arg("bindings"), "The top one, left in place.")
      .def("clear", &Stack::clear, "Takes all off; their memory is kept for the next push.")
      .def("release", &Stack::release, "Gives the memory back.")
      .def("empty", &Stack::empty)
      .def("check_stack", &Stack::check_stack)
      .def("check_bindings_match", &Stack::check_bindings_match, nb::arg("bindings"),
           "Raises InvalidArgument where a workspace of the stack was bound otherwise.")
      .def("__len__", &Stack::size)
      .def("__bool__", [](const Stack&) { return true; });
}

}  // namespace

void bind_workspace(nb::module_& m) {
  const nb::object none = nb::none();
  nb::class_<SharedWorkspace> workspace(m, "Workspace",
                                        R"(Named blobs, and operators run on them by name.

A child looks a name up among its own blobs, then among the forwarded ones (inner name to the parent's),
then in the parent. A workspace and its children are for one thread at a time: a second one that comes
meanwhile is refused with InvalidArgument. It runs with the target and the threads that the module had
when it was made.
Source: Caffe2 Workspace.

>>> ws = sylvite.Workspace()
>>> ws.feed("X", numpy.arange(4.0).reshape(1, 1, 2, 2))
>>> ws.run("SpaceToBatch", ["X"], ["Y"], block_size=2)
>>> ws.fetch("Y").shape, ws.blobs()
((4, 1, 1, 1), ['X', 'Y'])
)");
  workspace
      .def(nb::new_(&make), nb::arg("parent").none() = none, nb::arg("forward").none() = none,
           nb::arg("registry").none() = none)
      .def(
          "feed",
          [](SharedWorkspace& self, const std::string& name, nb::handle value) {
            const Tensor x = tensor(value, {"feed", "value"});
            without_gil([&] { self.workspace.feed(name, x); });
          },
          nb::arg("name"), nb::arg("value"),
          nb::sig("def feed(self, name: str, value: sylvite.typing.Array) -> None"),
          R"(A copy of the array into the blob that the name stands for, a new local one where there is none.

Raises InvalidArgument for an empty name; OutOfMemory.)")
      .def(
          "fetch",
          [](const SharedWorkspace& self, const std::string& name) {
            return to_array(without_gil([&] { return self.workspace.fetch(name); }));
          },
          nb::arg("name"), nb::sig("def fetch(self, name: str) -> numpy.ndarray"),
          R"(A dense copy of a blob. Raises InvalidArgument: no such blob, or none that holds a tensor.)")
      .def(
          "has",
          [](const SharedWorkspace& self, const std::string& name) {
            return self.workspace.has(name);
          },
          nb::arg("name"), "Whether the name stands for a blob, here or in a parent.")
      .def(
          "__contains__",
          [](const SharedWorkspace& self, const std::string& name) {
            return self.workspace.has(name);
          },
          nb::arg("name"))
      .def(
          "blobs", [](const SharedWorkspace& self) { return self.workspace.blobs(); },
          "All names that has() is true for, sorted.")
      .def(
          "local_blobs", [](const SharedWorkspace& self) { return self.workspace.local_blobs(); },
          "The names of its own blobs, sorted.")
      .def(
          "type_of",
          [](const SharedWorkspace& self, const std::string& name) {
            return std::string(self.workspace.type_of(name));
          },
          nb::arg("name"), R"("tensor", ...; empty for a blob that holds nothing.)")
      .def(
          "create",
          [](SharedWorkspace& self, const std::string& name) { self.workspace.create(name); },
          nb::arg("name"), "An empty blob, where the name is unknown here and in the parents.")
      .def(
          "create_local",
          [](SharedWorkspace& self, const std::string& name) { self.workspace.create_local(name); },
          nb::arg("name"), "An empty blob of its own: a parent's blob of the name is shadowed.")
      .def(
          "remove",
          [](SharedWorkspace& self, const std::string& name) {
            return self.workspace.remove(name);
          },
          nb::arg("name"), "Removes a local blob. Says whether there was one.")
      .def(
          "rename",
          [](SharedWorkspace& self, const std::string& from, const std::string& to) {
            self.workspace.rename(from, to);
          },
          nb::arg("name"), nb::arg("to"),
          "Raises InvalidArgument where the blob is not local, or the other name is in use.")
      .def(
          "reset", [](SharedWorkspace& self) { self.workspace.reset(); },
          "Removes every local blob and every forwarded name.")
      .def("run", run, nb::arg("what"), nb::arg("inputs").none() = none,
           nb::arg("outputs").none() = none, nb::arg("device") = "cpu", nb::arg("arguments"),
           nb::sig("def run(self, what: str | OperatorDef | Net, inputs: "
                   "collections.abc.Sequence[str] | None = None, outputs: "
                   "collections.abc.Sequence[str] | None = None, device: str = 'cpu', **arguments) "
                   "-> None"),
           R"(Runs an operator, by its name and what op() takes or as op() made it, or a net.

Raises what the operator raises; it has changed nothing then. A net stops at the first operator that
fails; what earlier ones wrote stays.)")
      .def(
          "describe", [](const SharedWorkspace& self) { return self.workspace.describe(); },
          "A line per blob: name, type, dtype, shape, bytes; and the bytes in all, now and at "
          "most.")
      .def(
          "to_dot", [](const SharedWorkspace& self) { return self.workspace.to_dot(); },
          "The same as a Graphviz graph.")
      .def_prop_ro(
          "bytes", [](const SharedWorkspace& self) { return self.workspace.bytes(); },
          "Bytes of all tensors of the local blobs, shared memory counted once.")
      .def_prop_ro(
          "peak_bytes", [](const SharedWorkspace& self) { return self.workspace.peak_bytes(); },
          "The most at any time, with parents and children.");
  bind_stack(m);
}

}  // namespace sylvite::python
