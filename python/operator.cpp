// Operators and nets by name.
#include "sylvite/operator.h"

#include <nanobind/operators.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "python/arguments.h"
#include "python/module.h"
#include "python/registry.h"
#include "python/values.h"
#include "python/workspace.h"
#include "sylvite/net.h"

namespace sylvite::python {
namespace {

std::string represent(const OperatorDef& def) {
  const nb::object text = nb::str("op({!r}, {!r}, {!r}{})");
  std::string more;
  for (const auto [key, value] : arguments_of(def))
    more += ", " + std::string(nb::str(key).c_str()) + "=" + nb::repr(value).c_str();
  if (def.device != DeviceKind::kCpu) more += ", device='" + std::string(name(def.device)) + "'";
  return nb::cast<std::string>(text.attr("format")(def.type, def.inputs, def.outputs, more));
}

bool equal(const OperatorDef& a, const OperatorDef& b) {
  return a.type == b.type && a.inputs == b.inputs && a.outputs == b.outputs &&
         a.device == b.device && arguments_of(a).equal(arguments_of(b));
}

nb::tuple gradients_of(const OperatorDef& def, nb::handle output_names,
                       const RegistryHandle& given) {
  SharedRegistry& shared = given ? *given : *default_registry();
  const std::vector<std::optional<std::string>> outputs =
      output_gradients(def, output_names, "gradient_defs");
  const GradientDefs made = without_gil([&] {
    const RegistryUse use(shared);
    return gradient_defs(use.registry(), def, outputs);
  });
  return nb::make_tuple(made.operators, made.inputs);
}

std::map<std::string, std::string> add_gradients(Net& net,
                                                 const std::map<std::string, std::string>& outputs,
                                                 const RegistryHandle& given) {
  SharedRegistry& shared = given ? *given : *default_registry();
  return without_gil([&] {
    const RegistryUse use(shared);
    return net.add_gradients(outputs, use.registry());
  });
}

nb::dict explain_call(const std::string& type, nb::handle inputs, const nb::kwargs& kwargs) {
  const std::vector<Argument> arguments = arguments_from(kwargs, "explain");
  std::vector<TensorInfo> infos;
  for (const nb::handle each : inputs) {
    if (!PyTuple_Check(each.ptr()) || nb::len(each) != 2) {
      raise_type("explain: inputs has ", kind_of(each), ", want (dtype, shape) per input");
    }
    infos.push_back({.dtype = dtype_from(each[0], {"explain", "dtype"}),
                     .shape = shape_from(each[1], {"explain", "shape"})});
  }
  const Explanation found = explain(type, infos, arguments, current_context());
  const auto text = [](std::string_view part) { return nb::str(part.data(), part.size()); };
  nb::list shape;
  for (const int64_t extent : found.output_shape) shape.append(extent);
  nb::dict all;
  all["op"] = text(found.op);
  all["kernel"] = text(found.kernel);
  all["target"] = text(found.target);
  all["variant"] = text(found.variant);
  all["bytes_read"] = found.bytes_read;
  all["bytes_written"] = found.bytes_written;
  all["kernel_calls"] = found.kernel_calls;
  all["tasks"] = found.tasks;
  all["output_shape"] = nb::tuple(shape);
  return all;
}

void bind_net(nb::module_& m) {
  nb::class_<Net>(m, "Net", R"(Operators in the order in which they run.

external_outputs: by default every blob that is written and not read afterwards.
Raises InvalidArgument where an operator has no type, nobody writes an external output, or nets in
arguments nest more than 64 deep.
Source: Caffe2 NetDef.

>>> net = sylvite.Net("step", [sylvite.op("Squeeze", ["X"], ["Y"])])
>>> net.external_inputs, net.external_outputs
(['X'], ['Y'])
)")
      .def(nb::init<std::string, std::vector<OperatorDef>, std::vector<std::string>>(),
           nb::arg("name"), nb::arg("operators") = nb::make_tuple(),
           nb::arg("external_outputs") = nb::make_tuple())
      .def_prop_ro("name", [](const Net& net) { return net.name(); })
      .def_prop_ro("operators", [](const Net& net) { return net.operators(); })
      .def_prop_ro(
          "external_inputs", [](const Net& net) { return net.external_inputs(); },
          "Blobs that are read before any operator of the net writes them.")
      .def_prop_ro("external_outputs", [](const Net& net) { return net.external_outputs(); })
      .def("append", &Net::append, nb::arg("op"))
      .def(
          "add_gradients", add_gradients, nb::arg("outputs"),
          nb::arg("registry").none() = nb::none(),
          nb::sig("def add_gradients(self, outputs: dict[str, str], registry: Registry | None = "
                  "None) -> dict[str, str]"),
          R"(Appends the operators that compute the gradient of every blob that the given outputs depend on.

outputs: blob to the name of its gradient, which stands in the workspace when the net runs. Returns blob
to gradient name, those given included.
Raises InvalidArgument: no outputs, an output that the net does not know, an operator whose gradient
needs a blob that a later one overwrites; Unsupported as gradient_defs does.)")
      .def(
          "to_dot",
          [](const Net& net, const SharedWorkspace* workspace) {
            return workspace == nullptr ? net.to_dot() : net.to_dot(workspace->workspace);
          },
          nb::arg("workspace").none() = nb::none(),
          nb::sig("def to_dot(self, workspace: Workspace | None = None) -> str"),
          "The net as a Graphviz graph, with what the workspace holds under the blobs' names.")
      .def("__len__", [](const Net& net) { return net.operators().size(); })
      .def("__repr__", [](const Net& net) {
        return "<Net " + net.name() + ", " + std::to_string(net.operators().size()) + " operators>";
      });
}

}  // namespace

OperatorDef make_op(std::string type, std::vector<std::string> inputs,
                    std::vector<std::string> outputs, const std::string& device,
                    nb::handle kwargs) {
  return {.type = std::move(type),
          .inputs = std::move(inputs),
          .outputs = std::move(outputs),
          .arguments = arguments_from(kwargs, "op"),
          .device = device_from(device, "op")};
}

void bind_operator(nb::module_& m) {
  nb::class_<OperatorDef>(m, "OperatorDef", R"(One use of an operator. Made by op().

>>> sylvite.op("Expand", ["X", "shape"], ["Y"]).outputs
['Y']
)")
      .def_prop_ro("type", [](const OperatorDef& def) { return def.type; })
      .def_prop_ro("inputs", [](const OperatorDef& def) { return def.inputs; })
      .def_prop_ro("outputs", [](const OperatorDef& def) { return def.outputs; })
      .def_prop_ro("arguments", arguments_of,
                   nb::sig("def arguments(self) -> dict[str, typing.Any]"))
      .def_prop_ro("device", [](const OperatorDef& def) { return std::string(name(def.device)); })
      .def("__eq__",
           [](const OperatorDef& self, nb::handle other) {
             return nb::isinstance<OperatorDef>(other) &&
                    equal(self, nb::cast<const OperatorDef&>(other));
           })
      .def("__repr__", represent);
  bind_net(m);
  bind_registry(m);
  m.def(
      "op",
      [](std::string type, std::vector<std::string> inputs, std::vector<std::string> outputs,
         const std::string& device, const nb::kwargs& arguments) {
        return make_op(std::move(type), std::move(inputs), std::move(outputs), device, arguments);
      },
      nb::arg("type"), nb::arg("inputs"), nb::arg("outputs"), nb::arg("device") = "cpu",
      nb::arg("arguments"),
      nb::sig("def op(type: str, inputs: collections.abc.Sequence[str], outputs: "
              "collections.abc.Sequence[str], device: str = 'cpu', **arguments) -> OperatorDef"),
      R"(One use of an operator: its name, the blobs it reads and writes, its arguments by Caffe2's names.

Arguments are integers, floats, strings, lists of one of them, or Nets; a list of pairs is taken flat.
What the operator makes of them is checked when it is run.
Raises InvalidArgument for an unknown device; TypeError for other arguments.
Source: Caffe2 OperatorDef.

>>> sylvite.op("SpaceToBatch", ["X"], ["Y"], block_size=2)
op('SpaceToBatch', ['X'], ['Y'], block_size=2)
)");
  m.def(
      "gradient_defs", gradients_of, nb::arg("op"), nb::arg("output_gradients"),
      nb::arg("registry").none() = nb::none(),
      nb::sig("def gradient_defs(op: OperatorDef, output_gradients: dict[str, str], registry: "
              "Registry | None = None) -> tuple[list[OperatorDef], list[str | None]]"),
      R"(The operators that compute the gradients of an operator's inputs, and one gradient name or None
per input.

output_gradients: output to the name of its gradient; those without one are left out.
Raises InvalidArgument: an unknown operator, a name that is none of its outputs; Unsupported where there
must not be a gradient (reason "forbidden") or nobody has written it ("not_written").
Source: Caffe2 GradientMaker.

>>> op = sylvite.op("SpaceToBatch", ["X"], ["Y"], block_size=2)
>>> sylvite.gradient_defs(op, {"Y": "Y_grad"})
([op('BatchToSpace', ['Y_grad'], ['X_grad'], block_size=2)], ['X_grad'])
)");
  m.def("explain", explain_call, nb::arg("type"), nb::arg("inputs"), nb::arg("arguments"),
        nb::sig("def explain(type: str, inputs: collections.abc.Sequence[tuple], **arguments) -> "
                "dict[str, typing.Any]"),
        R"(What a call by name would run on dense arrays; nothing is run.

inputs: (dtype, shape) per input. Returns op, kernel, target, variant ("plain" or "stream"), bytes_read,
bytes_written, kernel_calls, tasks and output_shape.
Raises what the call would raise, and InvalidArgument for an unknown operator or argument.
Source: sylvite/operator.h.

>>> sylvite.explain("SpaceToBatch", [("float32", [1, 3, 6, 8])], block_size=2)["output_shape"]
(4, 3, 3, 4)
)");
}

}  // namespace sylvite::python
