// Running operators and nets by name: bound once, run many times.
#include <algorithm>
#include <functional>

#include "runtime/error.h"
#include "runtime/net_state.h"
#include "runtime/shape.h"
#include "runtime/workspace_state.h"

namespace sylvite {

using internal::Blob;
using internal::BoundNet;
using internal::BoundOperator;
using internal::CachedOperator;
using internal::fail;
using internal::require;
using internal::require_argument;
using internal::WorkspaceState;
using internal::WorkspaceUse;

namespace {

/// Defs and nets that a workspace keeps bound; beyond, all are dropped and made again as they come.
constexpr size_t kMostKept = 4096;

void require_count(const OperatorDef& def, std::string_view what, size_t count, const Arity& want) {
  const auto given = static_cast<int64_t>(count);
  if (given >= want.least && given <= want.most) return;
  const bool exact = want.least == want.most;
  fail(ErrorCode::kInvalidArgument, def.type, ": ", count, " ", what, ", want ",
       exact ? "" : "at least ", want.least,
       exact || want.most == Arity::kAny ? "" : " and at most ",
       exact || want.most == Arity::kAny ? "" : std::to_string(want.most));
}

void require_names(const OperatorDef& def) {
  for (const auto* names : {&def.inputs, &def.outputs}) {
    for (const std::string& name : *names) {
      require_argument(!name.empty(), def.type, ": the name of an ",
                       names == &def.inputs ? "input" : "output", " is empty, want a blob's name");
    }
  }
  for (auto it = def.outputs.begin(); it != def.outputs.end(); ++it) {
    require_argument(std::find(def.outputs.begin(), it, *it) == it, def.type, ": output ", *it,
                     " is named twice, want each once");
  }
}

void require_apart(const OperatorDef& def) {
  for (const std::string& output : def.outputs) {
    require_argument(
        std::find(def.inputs.begin(), def.inputs.end(), output) == def.inputs.end(), def.type,
        ": output ", output,
        " is one of its inputs, want another blob: only what leaves the elements in their places "
        "may write over its input");
  }
}

/// What runs the operator on a device, bound now if it was not yet.
Runner& runner_on(BoundOperator& op, DeviceKind device) {
  const auto at = static_cast<size_t>(device);
  require(at < op.run.size() && op.entry->bind[at] != nullptr, ErrorCode::kUnsupported,
          op.def->type, ": it is not registered for ", name(device));
  if (op.run[at] == nullptr) {
    op.run[at] = op.entry->bind[at](*op.def);
    require_argument(op.run[at] != nullptr, op.def->type, ": its binding gave nothing to run");
  }
  return op.run[at];
}

BoundOperator bind_operator(const Registry& registry, const OperatorDef& def) {
  const Registry::Entry& entry = registry.find(def.type);
  require_count(def, "inputs", def.inputs.size(), entry.inputs);
  require_count(def, "outputs", def.outputs.size(), entry.outputs);
  require_names(def);
  if (!entry.in_place) require_apart(def);
  BoundOperator bound{.def = &def, .entry = &entry};
  const bool only_on_gpus = entry.bind[0] == nullptr && def.device == DeviceKind::kCpu;
  if (!only_on_gpus) static_cast<void>(runner_on(bound, def.device));
  return bound;
}

/// Where an operator runs, its blobs looked up.
DeviceKind device_of(const BoundOperator& op) {
  const OperatorCall::Slot* first = nullptr;
  const OperatorCall::Slot* decides = nullptr;
  for (const OperatorCall::Slot& slot : op.inputs) {
    if (slot.blob->type != kTypeName<Tensor>) continue;
    if (first == nullptr) first = &slot;
    const Device device = slot.blob->tensor.device();
    if (device.kind == DeviceKind::kCpu) continue;
    if (decides == nullptr) decides = &slot;
    const Device other = decides->blob->tensor.device();
    require_argument(device == other || op.entry->follows_inputs, op.def->type, ": input ",
                     slot.name, " is on ", name(device.kind), " ", device.index, ", want ",
                     name(other.kind), " ", other.index, " as ", decides->name, " is");
  }
  const DeviceKind asked = op.def->device;
  if (first == nullptr) return asked;
  const DeviceKind found =
      decides == nullptr ? DeviceKind::kCpu : decides->blob->tensor.device().kind;
  require_argument(asked == DeviceKind::kCpu || asked == found, op.def->type, ": input ",
                   (decides == nullptr ? first : decides)->name, " is on ", name(found), ", want ",
                   name(asked), ", the operator's device");
  return op.entry->follows_inputs ? asked : found;
}

/// Looks the blobs up. Outputs that are unknown get a blob that the workspace sees after the run.
void look_up_blobs(WorkspaceState& state, BoundOperator& op) {
  if (op.generation == state.family->generation) return;
  op.inputs.clear();
  op.outputs.clear();
  for (const std::string& name : op.def->inputs) {
    std::shared_ptr<Blob> blob = state.find(name);
    require_argument(blob != nullptr, op.def->type, ": no blob ", name, ", an input");
    op.inputs.push_back({.blob = std::move(blob), .name = name});
  }
  for (const std::string& name : op.def->outputs) {
    const bool is_input =
        std::find(op.def->inputs.begin(), op.def->inputs.end(), name) != op.def->inputs.end();
    op.outputs.push_back({.blob = state.find(name), .name = name, .is_input = is_input});
  }
  op.generation = state.family->generation;
}

void drop_outputs(BoundOperator& op) noexcept {
  for (OperatorCall::Slot& slot : op.outputs) {
    slot.value = Tensor();
    slot.object.reset();
    slot.written = slot.own_memory = false;
  }
}

/// Makes what an operator gave visible.
void commit(WorkspaceState& state, OperatorCall::Slot& slot) {
  if (!slot.written) return;
  if (slot.blob == nullptr) {
    slot.blob = state.new_blob();
    state.attach(slot.name, slot.blob);
  }
  Blob& blob = *slot.blob;
  if (slot.object.has_value()) {
    blob.tensor = blob.spare = Tensor();
    blob.object = std::move(slot.object);
    blob.address = std::any_cast<WorkspaceStack>(&blob.object);
    blob.type = kTypeName<WorkspaceStack>;
    blob.own_memory = false;
  } else {
    const bool replaced = blob.own_memory && blob.tensor.storage() != slot.value.storage();
    if (replaced && slot.own_memory) blob.spare = std::move(blob.tensor);
    if (!slot.own_memory) blob.spare = Tensor();
    blob.tensor = std::move(slot.value);
    blob.object.reset();
    blob.address = nullptr;
    blob.type = kTypeName<Tensor>;
    blob.own_memory = slot.own_memory;
  }
  blob.count();
  slot.value = Tensor();
  slot.object.reset();
  slot.written = slot.own_memory = false;
}

size_t hash_of(const OperatorDef& def) noexcept {
  constexpr std::hash<std::string_view> kHash;
  size_t hash = kHash(def.type);
  const auto mix = [&](size_t more) { hash = (hash ^ more) * 0x9E3779B97F4A7C15; };
  for (const std::string& name : def.inputs) mix(kHash(name));
  for (const std::string& name : def.outputs) mix(kHash(name) + 1);
  for (const Argument& argument : def.arguments) mix(kHash(argument.name) + 2);
  return hash;
}

bool same(const OperatorDef& a, const OperatorDef& b) {
  return a.type == b.type && a.device == b.device && a.inputs == b.inputs &&
         a.outputs == b.outputs &&
         std::equal(a.arguments.begin(), a.arguments.end(), b.arguments.begin(), b.arguments.end(),
                    [](const Argument& x, const Argument& y) {
                      return x.name == y.name && x.value == y.value;
                    });
}

std::shared_ptr<CachedOperator> cached_operator(WorkspaceState& state, const OperatorDef& def) {
  const size_t hash = hash_of(def);
  const auto [begin, end] = state.operators.equal_range(hash);
  for (auto it = begin; it != end; ++it)
    if (!it->second->running && same(it->second->def, def)) return it->second;
  auto cached = std::make_shared<CachedOperator>();
  cached->def = def;
  cached->bound = bind_operator(*state.registry, cached->def);
  if (state.operators.size() >= kMostKept) state.operators.clear();
  state.operators.emplace(hash, cached);
  return cached;
}

/// Sets a flag for as long as it lives.
class Running {
 public:
  explicit Running(bool& flag) noexcept : flag_(flag) { flag_ = true; }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() { flag_ = false; }

 private:
  bool& flag_;
};

std::shared_ptr<BoundNet> bound_net(WorkspaceState& state, const Net& net) {
  const auto found = state.nets.find(net.state().get());
  if (found != state.nets.end() && !found->second.second->running) return found->second.second;
  auto bound = std::make_shared<BoundNet>();
  for (const OperatorDef& def : net.operators()) {
    try {
      bound->operators.push_back(bind_operator(*state.registry, def));
    } catch (const Error& error) {
      fail(error.code(), "Net ", net.name(), ": operator ", bound->operators.size(), ": ",
           error.what());
    }
  }
  if (state.nets.size() >= kMostKept) state.nets.clear();
  state.nets.insert_or_assign(net.state().get(), std::pair(net.state(), bound));
  return bound;
}

}  // namespace

namespace internal {

void run_bound(const std::shared_ptr<WorkspaceState>& state, BoundOperator& op) {
  look_up_blobs(*state, op);
  Workspace workspace(state);
  OperatorCall call(workspace, *op.def, state->context, op.entry->validates_first, op.inputs,
                    op.outputs);
  try {
    runner_on(op, device_of(op))(call);
  } catch (...) {
    drop_outputs(op);
    throw;
  }
  for (OperatorCall::Slot& slot : op.outputs) commit(*state, slot);
}

void run_net(const std::shared_ptr<WorkspaceState>& state, const Net& net) {
  const std::shared_ptr<BoundNet> bound = bound_net(*state, net);
  const Running running(bound->running);
  for (size_t i = 0; i < bound->operators.size(); ++i) {
    try {
      run_bound(state, bound->operators[i]);
    } catch (const Error& error) {
      fail(error.code(), "Net ", net.name(), ": operator ", i, ": ", error.what());
    }
  }
}

}  // namespace internal

void Workspace::run(const OperatorDef& def) {
  const WorkspaceUse use(*state_);
  const std::shared_ptr<CachedOperator> cached = cached_operator(*state_, def);
  const Running running(cached->running);
  internal::run_bound(state_, cached->bound);
}

void Workspace::run(const Net& net) {
  const WorkspaceUse use(*state_);
  internal::run_net(state_, net);
}

OperatorCall::OperatorCall(Workspace& workspace, const OperatorDef& def, const Context& context,
                           bool validates_first, std::span<Slot> inputs,
                           std::span<Slot> outputs) noexcept
    : workspace_(&workspace),
      def_(&def),
      context_(&context),
      validates_first_(validates_first),
      inputs_(inputs),
      outputs_(outputs) {}

int OperatorCall::inputs() const noexcept { return static_cast<int>(inputs_.size()); }
int OperatorCall::outputs() const noexcept { return static_cast<int>(outputs_.size()); }

const Tensor& OperatorCall::input(int i) const {
  require_argument(i >= 0 && i < inputs(), def_->type, ": input ", i, " of ", inputs());
  const Slot& slot = inputs_[static_cast<size_t>(i)];
  require_argument(slot.blob->type == kTypeName<Tensor>, def_->type, ": input ", slot.name,
                   " holds ", slot.blob->type.empty() ? "nothing" : slot.blob->type,
                   ", want a tensor");
  return slot.blob->tensor;
}

Tensor& OperatorCall::output(int i, DType dtype, const Shape& shape, Device device) {
  require_argument(i >= 0 && i < outputs(), def_->type, ": output ", i, " of ", outputs());
  Slot& slot = outputs_[static_cast<size_t>(i)];
  const Blob* blob = slot.blob.get();
  const auto fits = [&](const Tensor& tensor) {
    return internal::reusable(tensor, dtype, shape, device);
  };
  if (blob != nullptr && blob->own_memory && validates_first_ && !slot.is_input &&
      fits(blob->tensor)) {
    slot.value = blob->tensor;
  } else if (blob != nullptr && fits(blob->spare)) {
    slot.value = blob->spare;
  } else {
    slot.value = internal::new_output(dtype, shape, *context_, device, def_->type, slot.name);
  }
  slot.written = slot.own_memory = true;
  return slot.value;
}

void OperatorCall::set_output(int i, Tensor value) {
  require_argument(i >= 0 && i < outputs(), def_->type, ": output ", i, " of ", outputs());
  Slot& slot = outputs_[static_cast<size_t>(i)];
  slot.value = std::move(value);
  slot.written = true;
  slot.own_memory = false;
}

WorkspaceStack OperatorCall::stack(int input) const {
  require_argument(input >= 0 && input < inputs(), def_->type, ": input ", input, " of ", inputs());
  const Slot& slot = inputs_[static_cast<size_t>(input)];
  require_argument(slot.blob->type == kTypeName<WorkspaceStack>, def_->type, ": input ", slot.name,
                   " holds ", slot.blob->type.empty() ? "nothing" : slot.blob->type,
                   ", want the scope that CreateScope makes");
  return *std::any_cast<WorkspaceStack>(&slot.blob->object);
}

void OperatorCall::set_output_stack(int i, WorkspaceStack value) {
  Slot& slot = outputs_[static_cast<size_t>(i)];
  slot.object = std::move(value);
  slot.written = true;
}

}  // namespace sylvite
