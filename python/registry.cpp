#include "python/registry.h"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <mutex>
#include <utility>

#include "python/arguments.h"
#include "python/array.h"
#include "python/call.h"
#include "python/values.h"
#include "sylvite/reshape.h"
#include "sylvite/workspace.h"

namespace sylvite::python {
namespace {

thread_local int g_uses = 0;  // of any registry

/// A Python object that may be let go from any thread.
using Callable = std::shared_ptr<PyObject>;

Callable keep(nb::object object) {
  return {object.release().ptr(), [](PyObject* held) {
            if (const nb::detail::cleanup_guard alive{}) Py_DECREF(held);
          }};
}

/// Runs the function of a Python operator. Its exceptions go through the library as they are.
void run_python(const Callable& function, OperatorCall& call) {
  const nb::gil_scoped_acquire held;
  const std::string& type = call.def().type;
  nb::list inputs;
  for (int i = 0; i < call.inputs(); ++i) inputs.append(to_array(call.input(i), true));
  nb::object returned = nb::handle(function.get())(inputs, arguments_of(call.def()));
  inputs.clear();
  if (!PyList_Check(returned.ptr()) && !PyTuple_Check(returned.ptr())) {
    raise_type(type, ": its function returned ", kind_of(returned), ", want a list of arrays");
  }
  if (nb::len(returned) != static_cast<size_t>(call.outputs())) {
    fail(ErrorCode::kInvalidArgument, type, ": its function returned ", nb::len(returned),
         " arrays, want ", call.outputs());
  }
  std::vector<nb::object> results;
  for (const nb::handle result : returned) results.push_back(nb::borrow(result));
  returned.reset();
  const char* const op = type.c_str();
  for (int i = 0; i < call.outputs(); ++i) {
    nb::object& result = results[static_cast<size_t>(i)];
    if (std::optional<Tensor> own = adopt(result)) {
      call.set_output(i, *std::move(own));
      continue;
    }
    const Tensor given = tensor(result, {op, "output", static_cast<size_t>(i) + 1});
    if (given.dtype() == DType::kString) {
      call.set_output(i, given);  // texts of the tensor's own
    } else {
      Tensor& y = call.output(i, given.dtype(), given.shape());
      reshape_like(given, given.shape(), y, call.context());
    }
  }
}

GradientDefs run_rule(const Callable& rule, const GradientRequest& request) {
  const nb::gil_scoped_acquire held;
  const std::string& type = request.def.type;
  nb::dict gradients;
  for (size_t i = 0; i < request.outputs.size(); ++i)
    if (request.outputs[i])
      gradients[nb::str(request.def.outputs[i].c_str())] = nb::str(request.outputs[i]->c_str());
  const nb::object returned = nb::handle(rule.get())(request.def, gradients);
  GradientDefs made;
  std::pair<nb::object, nb::object> parts;
  const bool is_pair = PyTuple_Check(returned.ptr()) && nb::len(returned) == 2;
  if (!is_pair || !nb::try_cast(returned[0], made.operators) ||
      !nb::try_cast(returned[1], made.inputs)) {
    raise_type(type, ": its gradient rule returned ", nb::repr(returned).c_str(),
               ", want a tuple of a list of operators, and a list of one name or None per input");
  }
  return made;
}

Arity arity_from(nb::handle value, const char* argument) {
  if (value.is_none()) return {0, Arity::kAny};
  const Place place{"register_operator", argument};
  const std::vector<int64_t> numbers = integers(value, place);
  const bool fits = (numbers.size() == 1 || numbers.size() == 2) && numbers.front() >= 0 &&
                    numbers.back() >= numbers.front() && numbers.back() < Arity::kAny;
  if (!fits) {
    fail(ErrorCode::kInvalidArgument, to_string(place), " is ", nb::repr(value).c_str(),
         ", want a count, or the least and the most");
  }
  return {static_cast<int>(numbers.front()), static_cast<int>(numbers.back())};
}

void add(SharedRegistry& shared, const std::string& name, nb::object function, nb::handle gradient,
         Arity inputs, Arity outputs) {
  if (PyCallable_Check(function.ptr()) == 0) {
    raise_type("register_operator: ", kind_of(function), " under the decorator, want a function");
  }
  std::string summary;
  const nb::object documentation = nb::getattr(function, "__doc__", nb::none());
  if (PyUnicode_Check(documentation.ptr())) summary = nb::cast<std::string>(documentation);
  Operator op{.name = name,
              .inputs = inputs,
              .outputs = outputs,
              .summary = summary.substr(0, summary.find('\n')),
              .bind = [function = keep(std::move(function))](const OperatorDef&) -> Runner {
                return [function](OperatorCall& call) { run_python(function, call); };
              }};
  GradientKind kind = GradientKind::kNotWritten;
  GradientRule rule;
  if (PyUnicode_Check(gradient.ptr())) {
    const std::string_view word = nb::borrow<nb::str>(gradient).c_str();
    kind = word == "none" ? GradientKind::kNone : GradientKind::kForbidden;
    if (word != "none" && word != "forbidden") {
      fail(ErrorCode::kInvalidArgument, "register_operator: gradient is \"", word,
           R"(", want a rule, "none" or "forbidden")");
    }
  } else if (!gradient.is_none()) {
    if (PyCallable_Check(gradient.ptr()) == 0) {
      raise_type("register_operator: gradient is ", kind_of(gradient),
                 R"(, want a rule, "none" or "forbidden")");
    }
    kind = GradientKind::kRule;
    rule = [rule = keep(nb::borrow(gradient))](const GradientRequest& request) {
      return run_rule(rule, request);
    };
  }
  if (RegistryUse::on_this_thread()) {
    fail(ErrorCode::kInvalidArgument, "register_operator: ", name,
         " while an operator runs, want it registered before");
  }
  without_gil([&] {
    shared.change([&](Registry& registry) {
      register_cpu_operator(registry, op);
      if (kind != GradientKind::kNotWritten) registry.add_gradient(name, kind, std::move(rule));
    });
  });
}

nb::object register_operator(const std::string& name, nb::object gradient, nb::handle inputs,
                             nb::handle outputs, const RegistryHandle& registry) {
  const Arity takes = arity_from(inputs, "inputs");
  const Arity gives = arity_from(outputs, "outputs");
  return nb::cpp_function([=, gradient = std::move(gradient)](nb::object function) {
    add(registry ? *registry : *default_registry(), name, function, gradient, takes, gives);
    return function;
  });
}

nb::tuple counts(const Arity& arity) {
  return nb::make_tuple(arity.least, arity.most == Arity::kAny ? nb::none() : nb::cast(arity.most));
}

nb::dict describe(SharedRegistry& shared, const std::string& name) {
  const auto text = [](std::string_view part) { return nb::str(part.data(), part.size()); };
  const RegistryUse use(shared);
  const Registry::Entry& entry = use.registry().find(name);
  nb::list arguments;
  for (const ArgumentSchema& argument : entry.arguments) {
    nb::dict each;
    each["name"] = text(argument.name);
    each["type"] = text(argument.type);
    each["default"] = argument.standard.empty() ? nb::none() : nb::object(text(argument.standard));
    each["summary"] = text(argument.summary);
    arguments.append(each);
  }
  constexpr std::array<const char*, 4> kGradients = {"none", "rule", "forbidden", "not_written"};
  nb::dict all;
  all["name"] = text(entry.name);
  all["summary"] = text(entry.summary);
  all["inputs"] = counts(entry.inputs);
  all["outputs"] = counts(entry.outputs);
  all["arguments"] = arguments;
  all["gradient"] = kGradients[static_cast<size_t>(entry.gradient_kind)];
  return all;
}

nb::list names(SharedRegistry& shared) {
  nb::list all;
  const RegistryUse use(shared);
  for (const std::string_view name : use.registry().names())
    all.append(nb::str(name.data(), name.size()));
  return all;
}

}  // namespace

const RegistryHandle& default_registry() {
  static const RegistryHandle kRegistry = std::make_shared<SharedRegistry>();
  return kRegistry;
}

RegistryUse::RegistryUse(SharedRegistry& shared) : shared_(shared) {
  const std::lock_guard lock(shared_.mutex_);
  ++shared_.uses_;
  ++g_uses;
}

RegistryUse::~RegistryUse() {
  --g_uses;
  const std::lock_guard lock(shared_.mutex_);
  if (--shared_.uses_ == 0) shared_.idle_.notify_all();
}

bool RegistryUse::on_this_thread() noexcept { return g_uses > 0; }

void bind_registry(nb::module_& m) {
  nb::class_<SharedRegistry>(
      m, "Registry",
      R"(Names to operators: those of the library, and those written in Python.

sylvite.registry is the one that workspaces and register_operator use where none is given.

>>> "SpaceToBatch" in sylvite.registry
True
)")
      .def(nb::new_([] { return std::make_shared<SharedRegistry>(); }),
           "A registry of one's own that holds every operator of the library.")
      .def("names", names, nb::sig("def names(self) -> list[str]"), "The operators' names, sorted.")
      .def(
          "describe", describe, nb::arg("name"),
          nb::sig("def describe(self, name: str) -> dict[str, typing.Any]"),
          R"(What an operator takes: name, summary, inputs and outputs (least, most or None), gradient
("rule", "none", "forbidden" or "not_written"), and arguments, a dict of name, type, default, summary each.

Raises InvalidArgument for an unknown name.)")
      .def(
          "__contains__",
          [](SharedRegistry& self, const std::string& name) {
            return RegistryUse(self).registry().has(name);
          },
          nb::arg("name"))
      .def("__len__",
           [](SharedRegistry& self) { return RegistryUse(self).registry().names().size(); });
  m.attr("registry") = default_registry();
  m.def("register_operator", register_operator, nb::arg("name"),
        nb::arg("gradient").none() = nb::none(), nb::arg("inputs").none() = nb::none(),
        nb::arg("outputs").none() = nb::none(), nb::arg("registry").none() = nb::none(),
        nb::sig("def register_operator(name: str, gradient: object = None, inputs: int | "
                "tuple[int, int] | None = None, outputs: int | tuple[int, int] | None = None, "
                "registry: Registry | None = None) -> collections.abc.Callable"),
        R"(Decorates function(inputs, arguments), which becomes the operator `name` of the registry.

The function is given a list of read-only arrays and a dict of the arguments, and returns a list of
arrays, one per output; its exceptions pass through run(). inputs, outputs: how many it takes, or the
least and the most; None: any number. gradient: rule(op, output_gradients), given the operator and a
dict of outputs' names to gradients' names, returns a list of operators and one gradient name or None
per input; or "none" (no input needs one), or "forbidden"; None: not written.
Raises InvalidArgument where the name is taken or an operator is running on this thread.
Source: Caffe2's Python operators.

>>> own = sylvite.Registry()
>>> def rule(op, output_gradients):
...     return [sylvite.op("Twice", [output_gradients["Y"]], ["X_grad"])], ["X_grad"]
>>> @sylvite.register_operator("Twice", gradient=rule, registry=own)
... def twice(inputs, arguments):
...     return [2 * inputs[0]]
>>> ws = sylvite.Workspace(registry=own)
>>> ws.feed("X", numpy.array([1.5]))
>>> ws.run("Twice", ["X"], ["Y"])
>>> ws.fetch("Y").tolist()
[3.0]
)");
}

}  // namespace sylvite::python
