// Names to operators and their gradients.
#include <array>
#include <sstream>

#include "runtime/error.h"
#include "sylvite/operator.h"

namespace sylvite {

using internal::fail;
using internal::require_argument;

const std::string& GradientRequest::output(size_t i) const {
  require_argument(i < outputs.size() && outputs[i].has_value(), def.type, ": output ", i,
                   " has no gradient, want one");
  return *outputs[i];
}

std::string GradientRequest::input(size_t i) const {
  const std::string& name = def.inputs.at(i);
  int64_t uses = 0;
  int64_t before = 0;
  for (size_t k = 0; k < def.inputs.size(); ++k) {
    uses += def.inputs[k] == name ? 1 : 0;
    before += k < i && def.inputs[k] == name ? 1 : 0;
  }
  return uses == 1 ? name + "_grad" : name + "_grad_autosplit_" + std::to_string(before);
}

const Registry::Entry& Registry::find(std::string_view name) const {
  const auto found = entries_.find(name);
  if (found != entries_.end()) [[likely]] {
    return found->second;
  }
  std::ostringstream known;
  for (const auto& [each, entry] : entries_) known << ' ' << each;
  fail(ErrorCode::kInvalidArgument, "unknown operator \"", name, "\", want one of:", known.str());
}

std::vector<std::string_view> Registry::names() const {
  std::vector<std::string_view> names;
  names.reserve(entries_.size());
  for (const auto& [name, entry] : entries_) names.push_back(name);
  return names;
}

void Registry::add(const Operator& op, DeviceKind device) {
  require_argument(!op.name.empty(), "Registry: the name of an operator is empty, want a name");
  require_argument(op.bind != nullptr, "Registry: operator ", op.name,
                   " has nothing that binds it");
  require_argument(static_cast<size_t>(device) < 3, "Registry: operator ", op.name,
                   " is for device ", static_cast<int>(device), ", want cpu, cuda or opencl");
  const auto found = entries_.find(op.name);
  const auto at = static_cast<size_t>(device);
  require_argument(found == entries_.end() || found->second.bind[at] == nullptr,
                   "Registry: operator ", op.name, " is registered for ", sylvite::name(device),
                   " already, want another name");
  Entry& entry = entries_[op.name];
  if (found == entries_.end()) {
    entry.name = op.name;
    entry.inputs = op.inputs;
    entry.outputs = op.outputs;
    entry.summary = op.summary;
  }
  entry.bind[at] = op.bind;
}

void Registry::add(const OperatorSchema& schema) {
  require_argument(!has(schema.name), "Registry: operator ", schema.name, " is registered already");
  Entry entry{.name = std::string(schema.name),
              .inputs = schema.inputs,
              .outputs = schema.outputs,
              .summary = std::string(schema.summary),
              .arguments = {schema.arguments.begin(), schema.arguments.end()},
              .bind = {},
              .follows_inputs = true,
              .in_place = schema.in_place,
              .gradient_kind = schema.gradient_kind,
              .gradient = schema.gradient,
              .validates_first = true};
  if (schema.bind != nullptr) entry.bind.fill(schema.bind);
  entries_.emplace(schema.name, std::move(entry));
}

void Registry::add_gradient(std::string_view name, GradientKind kind, GradientRule rule) {
  const auto found = entries_.find(name);
  require_argument(found != entries_.end(), "Registry: a gradient for ", name,
                   ", an operator that is not registered");
  Entry& entry = found->second;
  require_argument(entry.gradient_kind == GradientKind::kNotWritten, "Registry: operator ", name,
                   " has a gradient already");
  require_argument((kind == GradientKind::kRule) == (rule != nullptr), "Registry: the gradient of ",
                   name, " has ", rule ? "a rule of a kind without one" : "no rule");
  entry.gradient_kind = kind;
  entry.gradient = std::move(rule);
}

std::shared_ptr<Registry> builtin_registry() {
  auto registry = std::make_shared<Registry>();
  for (const OperatorSchema* schema : operators()) registry->add(*schema);
  return registry;
}

void register_cpu_operator(Registry& registry, const Operator& op) {
  registry.add(op, DeviceKind::kCpu);
}

void register_cuda_operator(Registry& registry, const Operator& op) {
  registry.add(op, DeviceKind::kCuda);
}

void register_gradient(Registry& registry, std::string_view name, GradientRule rule) {
  registry.add_gradient(name, GradientKind::kRule, std::move(rule));
}

void register_gradient(Registry& registry, std::string_view name, GradientKind kind) {
  registry.add_gradient(name, kind);
}

}  // namespace sylvite
