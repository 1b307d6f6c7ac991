// The library's operators as documentation has them.
#include <string_view>

#include "python/module.h"
#include "sylvite/operator.h"

namespace sylvite::python {
namespace {

nb::str text(std::string_view part) { return nb::str(part.data(), part.size()); }

nb::tuple arity(const Arity& arity) {
  return arity.most == Arity::kAny ? nb::make_tuple(arity.least, nb::none())
                                   : nb::make_tuple(arity.least, arity.most);
}

const char* gradient(GradientKind kind) noexcept {
  switch (kind) {
    case GradientKind::kNone:
      return "none";
    case GradientKind::kRule:
      return "rule";
    case GradientKind::kForbidden:
      return "forbidden";
    case GradientKind::kNotWritten:
      break;
  }
  return "not_written";
}

nb::list all_operators() {
  nb::list all;
  for (const OperatorSchema* op : operators()) {
    nb::list arguments;
    for (const ArgumentSchema& argument : op->arguments) {
      nb::dict entry;
      entry["name"] = text(argument.name);
      entry["type"] = text(argument.type);
      entry["default"] = text(argument.standard);
      entry["summary"] = text(argument.summary);
      arguments.append(entry);
    }
    nb::dict entry;
    entry["name"] = text(op->name);
    entry["summary"] = text(op->summary);
    entry["inputs"] = arity(op->inputs);
    entry["outputs"] = arity(op->outputs);
    entry["arguments"] = arguments;
    entry["gradient"] = gradient(op->gradient_kind);
    entry["in_place"] = op->in_place;
    entry["explained"] = op->plan != nullptr;
    all.append(entry);
  }
  return all;
}

}  // namespace

void bind_schema(nb::module_& m) {
  m.def("operators", all_operators, nb::sig("def operators() -> list[dict[str, typing.Any]]"),
        R"(The library's operators by name: what op() and Workspace.run take.

Each has name, summary, inputs and outputs ((least, most), most None where any number will do), arguments
(name, type, default, summary; the default "" where it must be given or its absence means something of its
own), gradient ("rule", "none", "forbidden" or "not_written"), in_place (whether an output may have the name
of an input) and explained (whether explain() takes it).
Source: sylvite/operator.h.

>>> [op["inputs"] for op in sylvite.operators() if op["name"] == "SpaceToBatch"]
[(1, 1)]
)");
}

}  // namespace sylvite::python
