// CreateScope, HasScope and Do: subnets that run in workspaces of their own.
#include <algorithm>
#include <array>
#include <set>

#include "runtime/error.h"
#include "runtime/ops/all.h"
#include "runtime/ops/arguments.h"
#include "runtime/workspace_state.h"

namespace sylvite::internal {
namespace {

Runner bind_create_scope(const OperatorDef& def) {
  const Arguments none(def.type, def.arguments, {});
  return [](OperatorCall& call) {
    // A scope that is there already is cleared: its memory serves the next iteration.
    const std::string& name = call.def().outputs[0];
    Workspace& workspace = call.workspace();
    if (workspace.has(name) && workspace.type_of(name) == kTypeName<WorkspaceStack>) {
      WorkspaceStack stack = workspace.get<WorkspaceStack>(name);
      return stack.clear();
    }
    call.set_output_stack(0, WorkspaceStack());
  };
}

Runner bind_has_scope(const OperatorDef& def) {
  const Arguments none(def.type, def.arguments, {});
  return [](OperatorCall& call) {
    const bool any = !call.stack(0).empty();
    *call.output(0, DType::kBool, {1}).data_as<bool>() = any;
  };
}

constexpr std::array kDoArguments = {
    ArgumentSchema{"net", "net", "", "the subnet"},
    ArgumentSchema{"inner_blobs", "texts", "", "names in the subnet that stand for outer blobs"},
    ArgumentSchema{
        "outer_blobs_idx", "integers", "",
        "for each of them, the position of its outer blob in the list of inputs followed "
        "by outputs, the scope left out"},
    ArgumentSchema{"reuse_workspace", "integer", "0", "run in the workspace that was pushed last"},
    ArgumentSchema{"is_gradient", "integer", "0", "pop the workspace instead of pushing one"},
};

struct DoArgs {
  std::shared_ptr<const Net> net;
  Bindings bindings;
  bool reuse = false;
  bool gradient = false;
};

/// The inputs followed by the outputs, without the scope, which is the last of each.
std::vector<std::string> outer_blobs(const OperatorDef& def) {
  require_argument(
      !def.inputs.empty() && !def.outputs.empty() && def.inputs.back() == def.outputs.back(),
      def.type, ": the last input is ", def.inputs.empty() ? "missing" : def.inputs.back(),
      " and the last output ", def.outputs.empty() ? "missing" : def.outputs.back(),
      ", want the same scope in and out");
  std::vector<std::string> names(def.inputs.begin(), def.inputs.end() - 1);
  names.insert(names.end(), def.outputs.begin(), def.outputs.end() - 1);
  return names;
}

DoArgs parse_do(const OperatorDef& def) {
  const Arguments arguments(def.type, def.arguments, kDoArguments);
  DoArgs args{.net = arguments.net("net"), .bindings = {}};
  args.reuse = arguments.integer("reuse_workspace", 0) != 0;
  args.gradient = arguments.integer("is_gradient", 0) != 0;
  const std::vector<std::string> outer = outer_blobs(def);
  const std::vector<std::string> inner = arguments.texts("inner_blobs");
  const std::vector<int64_t> at = arguments.integers("outer_blobs_idx");
  require_argument(inner.size() == at.size(), def.type, ": inner_blobs has ", inner.size(),
                   " names and outer_blobs_idx ", at.size(), " positions, want as many");
  std::set<std::string_view> bound;
  for (size_t i = 0; i < inner.size(); ++i) {
    require_argument(at[i] >= 0 && at[i] < static_cast<int64_t>(outer.size()), def.type,
                     ": outer_blobs_idx[", i, "] is ", at[i], ", want 0 to ",
                     static_cast<int64_t>(outer.size()) - 1);
    const std::string& name = outer[static_cast<size_t>(at[i])];
    require_argument(args.bindings.emplace(inner[i], name).second, def.type, ": inner_blobs has ",
                     inner[i], " twice, want each name once");
    require_argument(bound.insert(name).second, def.type, ": outer blob ", name,
                     " is bound twice, want each once");
  }
  for (const std::string& name : outer) {
    require_argument(bound.contains(name), def.type, ": outer blob ", name,
                     " is bound to no inner name, want each bound once");
  }
  return args;
}

/// The workspace of one step, and how the step is undone.
struct Step {
  Workspace workspace;
  void (WorkspaceStack::*undo)(const Workspace& workspace);
};

Step take_step(WorkspaceStack& stack, const Workspace& parent, const DoArgs& args) {
  if (args.gradient)
    return {.workspace = stack.pop_gradient(parent, args.bindings),
            .undo = &WorkspaceStack::undo_pop};
  if (args.reuse && !stack.empty())
    return {.workspace = stack.reuse_last_forward(parent, args.bindings), .undo = nullptr};
  return {.workspace = stack.push_forward(parent, args.bindings),
          .undo = &WorkspaceStack::undo_push};
}

/// Outputs that nobody has yet, for the time of a run.
class NewOutputs {
 public:
  NewOutputs(Workspace& workspace, const std::vector<std::string>& names) : workspace_(workspace) {
    for (const std::string& name : names) {
      if (workspace.has(name)) continue;
      workspace.create(name);
      made_.push_back(name);
    }
  }
  NewOutputs(const NewOutputs&) = delete;
  NewOutputs& operator=(const NewOutputs&) = delete;
  ~NewOutputs() {
    if (kept_) return;
    for (const std::string& name : made_) workspace_.state()->detach(name);
  }
  void keep() noexcept { kept_ = true; }

 private:
  Workspace& workspace_;
  std::vector<std::string> made_;
  bool kept_ = false;
};

Runner bind_do(const OperatorDef& def) {
  return [args = parse_do(def)](OperatorCall& call) {
    WorkspaceStack stack = call.stack(call.inputs() - 1);
    NewOutputs outputs(call.workspace(), call.def().outputs);
    Step step = take_step(stack, call.workspace(), args);
    try {
      step.workspace.run(*args.net);
    } catch (...) {
      if (step.undo != nullptr) (stack.*step.undo)(step.workspace);
      throw;
    }
    outputs.keep();
  };
}

int64_t place_of(std::vector<std::string>& names, const std::string& name) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found != names.end()) return found - names.begin();
  names.push_back(name);
  return static_cast<int64_t>(names.size()) - 1;
}

/// The subnet's own gradient net, run in the workspace that the forward Do left on the scope.
GradientDefs gradient_of_do(const GradientRequest& request) {
  const OperatorDef& def = request.def;
  const DoArgs args = parse_do(def);
  std::map<std::string, std::string> inner_of;
  for (const auto& [inner, outer] : args.bindings) inner_of.emplace(outer, inner);

  std::map<std::string, std::string> inner_outputs;
  Bindings bindings = args.bindings;
  std::vector<std::string> read(def.inputs.begin(), def.inputs.end() - 1);
  for (size_t i = 0; i + 1 < def.outputs.size(); ++i) {
    place_of(read, def.outputs[i]);
    if (!request.outputs[i]) continue;
    const std::string& inner = inner_of.at(def.outputs[i]);
    inner_outputs.emplace(inner, inner + "_grad");
    bindings.emplace(inner + "_grad", request.output(i));
    place_of(read, request.output(i));
  }
  Net forward = *args.net;
  const size_t steps = forward.operators().size();
  const std::map<std::string, std::string> gradients =
      forward.add_gradients(inner_outputs, request.registry);
  const Net backward(forward.name() + "_grad",
                     {forward.operators().begin() + static_cast<std::ptrdiff_t>(steps),
                      forward.operators().end()});

  GradientDefs made;
  made.inputs.resize(def.inputs.size());
  std::vector<std::string> written;
  for (size_t i = 0; i + 1 < def.inputs.size(); ++i) {
    const auto gradient = gradients.find(inner_of.at(def.inputs[i]));
    if (gradient == gradients.end() || inner_outputs.contains(gradient->first)) continue;
    made.inputs[i] = def.inputs[i] + "_grad";
    if (bindings.emplace(gradient->second, *made.inputs[i]).second)
      written.push_back(*made.inputs[i]);
  }
  OperatorDef gradient{.type = def.type, .inputs = read, .outputs = written, .device = def.device};
  std::vector<std::string> outer = read;
  outer.insert(outer.end(), written.begin(), written.end());
  std::vector<std::string> inner;
  std::vector<int64_t> at;
  for (const auto& [name, bound] : bindings) {
    inner.push_back(name);
    at.push_back(place_of(outer, bound));
  }
  gradient.inputs.push_back(def.inputs.back());
  gradient.outputs.push_back(def.outputs.back());
  gradient.arguments = {{"net", std::make_shared<const Net>(backward)},
                        {"inner_blobs", inner},
                        {"outer_blobs_idx", at},
                        {"is_gradient", int64_t{1}}};
  made.operators.push_back(std::move(gradient));
  made.shared = {def.inputs.back()};
  return made;
}

}  // namespace

constinit const OperatorSchema kCreateScopeSchema = {
    .name = "CreateScope",
    .inputs = 0,
    .outputs = 1,
    .summary = "an empty stack of workspaces; clears the one that is there",
    .bind = bind_create_scope,
    .gradient_kind = GradientKind::kForbidden,
};

constinit const OperatorSchema kHasScopeSchema = {
    .name = "HasScope",
    .inputs = 1,
    .outputs = 1,
    .summary = "bool[1]: whether any saved workspace is left",
    .bind = bind_has_scope,
    .gradient_kind = GradientKind::kForbidden,
};

constinit const OperatorSchema kDoSchema = {
    .name = "Do",
    .inputs = {1, Arity::kAny},
    .outputs = {1, Arity::kAny},
    .summary = "runs a subnet in a workspace of the scope, its last input and output",
    .arguments = kDoArguments,
    .bind = bind_do,
    .in_place = true,
    .gradient_kind = GradientKind::kRule,
    .gradient = gradient_of_do,
};

}  // namespace sylvite::internal
