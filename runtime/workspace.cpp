#include "sylvite/workspace.h"

#include <algorithm>
#include <set>

#include "runtime/copy_tensor.h"
#include "runtime/error.h"
#include "runtime/net_state.h"
#include "runtime/shape.h"
#include "runtime/storage.h"
#include "runtime/strings.h"
#include "runtime/workspace_state.h"

namespace sylvite {

using internal::Blob;
using internal::require_argument;
using internal::WorkspaceFamily;
using internal::WorkspaceState;
using internal::WorkspaceUse;

namespace internal {
namespace {

/// Its address tells threads apart.
thread_local constinit char thread_mark = 0;

/// Room for nested nets, and for what the innermost operator asks of its workspace.
constexpr int kMaxDepth = kMaxNetDepth + 8;

}  // namespace

WorkspaceUse::WorkspaceUse(const WorkspaceState& state) : family_(*state.family) {
  const void* expected = nullptr;
  const bool entered =
      family_.owner.compare_exchange_strong(expected, &thread_mark, std::memory_order_acquire);
  require_argument(entered || expected == &thread_mark,
                   "Workspace: it is in use by another thread, want one thread at a time");
  require_argument(family_.depth < kMaxDepth, "Workspace: calls nest deeper than ", kMaxDepth);
  ++family_.depth;
}

WorkspaceUse::~WorkspaceUse() {
  if (--family_.depth == 0) family_.owner.store(nullptr, std::memory_order_release);
}

std::shared_ptr<WorkspaceState> WorkspaceState::parent_state() const {
  std::shared_ptr<WorkspaceState> held = parent.lock();
  require_argument(held != nullptr, "Workspace: the parent of this workspace is gone");
  return held;
}

std::shared_ptr<Blob> WorkspaceState::find(std::string_view name) const {
  std::shared_ptr<const WorkspaceState> state = shared_from_this();
  std::string_view wanted = name;
  while (true) {
    if (const auto local = state->blobs.find(wanted); local != state->blobs.end())
      return local->second;
    if (!state->is_child) return nullptr;
    if (const auto outer = state->forwarded.find(wanted); outer != state->forwarded.end())
      wanted = outer->second;
    // The names live in the states of the chain, which the child keeps alive or its owner does.
    state = state->parent_state();
  }
}

namespace {

/// Where a blob that is local under no name of the chain belongs: the workspace, and the name there.
std::pair<std::shared_ptr<WorkspaceState>, std::string_view> home_of(
    std::shared_ptr<WorkspaceState> state, std::string_view name) {
  for (auto outer = state->forwarded.find(name); outer != state->forwarded.end();
       outer = state->forwarded.find(name)) {
    name = outer->second;
    state = state->parent_state();
  }
  return {std::move(state), name};
}

}  // namespace

void WorkspaceState::attach(std::string_view name, std::shared_ptr<Blob> blob) {
  const auto [state, wanted] = home_of(shared_from_this(), name);
  state->blobs.insert_or_assign(std::string(wanted), std::move(blob));
  changed();
}

void WorkspaceState::detach(std::string_view name) {
  const auto [state, wanted] = home_of(shared_from_this(), name);
  const auto found = state->blobs.find(wanted);
  if (found != state->blobs.end()) state->blobs.erase(found);
  changed();
}

std::shared_ptr<WorkspaceState> make_child(const std::shared_ptr<WorkspaceState>& parent,
                                           bool keeps_parent) {
  auto child = std::make_shared<WorkspaceState>(parent->registry, parent->context, parent->family);
  child->is_child = true;
  child->parent = parent;
  if (keeps_parent) child->parent_kept_alive = parent;
  return child;
}

void forward_blobs(WorkspaceState& child, const WorkspaceState& parent, const Bindings& bindings,
                   std::string_view who) {
  for (const auto& [inner, outer] : bindings) {
    require_argument(!inner.empty(), who, ": a binding has an empty inner name, want a name");
    require_argument(parent.find(outer) != nullptr, who, ": binding ", inner, " to ", outer,
                     ", a blob that the parent lacks");
  }
  for (const auto& [inner, outer] : bindings) {
    const auto known = child.forwarded.find(inner);
    const bool local = child.blobs.erase(inner) > 0;
    if (!local && known != child.forwarded.end() && known->second == outer) continue;
    child.forwarded.insert_or_assign(inner, outer);
    child.changed();
  }
}

bool reusable(const Tensor& tensor, DType dtype, const Shape& shape, Device device) noexcept {
  return tensor.storage() != nullptr && tensor.storage()->owned && tensor.storage_users() == 1 &&
         tensor.dtype() == dtype && tensor.shape() == shape && tensor.device() == device &&
         tensor.strides() == dense_strides(shape);
}

}  // namespace internal

namespace {

void require_name(std::string_view name) {
  require_argument(!name.empty(), "Workspace: the name of a blob is empty, want a name");
}

std::shared_ptr<Blob> require_blob(const WorkspaceState& state, std::string_view name) {
  std::shared_ptr<Blob> blob = state.find(name);
  require_argument(blob != nullptr, "Workspace: no blob ", name);
  return blob;
}

void hold_tensor(Blob& blob, Tensor value, bool own_memory) {
  blob.tensor = std::move(value);
  blob.type = kTypeName<Tensor>;
  blob.own_memory = own_memory;
  blob.object.reset();
  blob.address = nullptr;
  blob.count();
}

}  // namespace

Workspace::Workspace(std::shared_ptr<const Registry> registry, const Context& context) {
  require_argument(registry != nullptr, "Workspace: registry is null, want one");
  state_ = std::make_shared<WorkspaceState>(std::move(registry), context,
                                            std::make_shared<WorkspaceFamily>());
}

Workspace::Workspace(const Workspace& parent, const Bindings& forward) {
  const WorkspaceUse use(*parent.state_);
  auto child = internal::make_child(parent.state_, true);
  internal::forward_blobs(*child, *parent.state_, forward, "Workspace");
  state_ = std::move(child);
}

bool Workspace::has(std::string_view name) const {
  const WorkspaceUse use(*state_);
  return state_->find(name) != nullptr;
}

std::vector<std::string> Workspace::local_blobs() const {
  const WorkspaceUse use(*state_);
  std::vector<std::string> names;
  for (const auto& [name, blob] : state_->blobs) names.push_back(name);
  return names;
}

std::vector<std::string> Workspace::blobs() const {
  const WorkspaceUse use(*state_);
  std::set<std::string> names;
  for (std::shared_ptr<const WorkspaceState> state = state_; state != nullptr;
       state = state->is_child ? state->parent_state() : nullptr) {
    for (const auto& [name, blob] : state->blobs) names.insert(name);
    if (state != state_) continue;
    for (const auto& [inner, outer] : state->forwarded)
      if (state->find(inner) != nullptr) names.insert(inner);
  }
  // A parent's own forwarded names are names of its children too.
  for (std::shared_ptr<const WorkspaceState> state = state_; state->is_child;) {
    state = state->parent_state();
    for (const auto& [inner, outer] : state->forwarded)
      if (state_->find(inner) != nullptr) names.insert(inner);
  }
  return {names.begin(), names.end()};
}

void Workspace::create(std::string_view name) {
  const WorkspaceUse use(*state_);
  require_name(name);
  if (state_->find(name) == nullptr) state_->attach(name, state_->new_blob());
}

void Workspace::create_local(std::string_view name) {
  const WorkspaceUse use(*state_);
  require_name(name);
  if (state_->blobs.contains(name)) return;
  state_->blobs.emplace(std::string(name), state_->new_blob());
  state_->changed();
}

bool Workspace::remove(std::string_view name) {
  const WorkspaceUse use(*state_);
  const auto found = state_->blobs.find(name);
  if (found == state_->blobs.end()) return false;
  state_->blobs.erase(found);
  state_->changed();
  return true;
}

void Workspace::rename(std::string_view from, const std::string& to) {
  const WorkspaceUse use(*state_);
  require_name(to);
  const auto found = state_->blobs.find(from);
  require_argument(found != state_->blobs.end(), "Workspace: rename of ", from, " to ", to,
                   ", but there is no local blob ", from);
  if (from == to) return;
  require_argument(state_->find(to) == nullptr, "Workspace: rename of ", from, " to ", to,
                   ", a name in use");
  auto node = state_->blobs.extract(found);
  node.key() = to;
  state_->blobs.insert(std::move(node));
  state_->changed();
}

void Workspace::reset() {
  const WorkspaceUse use(*state_);
  state_->blobs.clear();
  state_->forwarded.clear();
  state_->nets.clear();
  state_->operators.clear();
  state_->changed();
}

void Workspace::feed(std::string_view name, const Tensor& value) {
  const WorkspaceUse use(*state_);
  require_name(name);
  std::shared_ptr<Blob> blob = state_->find(name);
  const bool fits =
      blob != nullptr && blob->own_memory && value.dtype() != DType::kString &&
      internal::reusable(blob->tensor, value.dtype(), value.shape(), value.device()) &&
      blob->tensor.storage() != value.storage();
  if (fits) {
    internal::Call call(state_->context, value.device(), "Workspace::feed");
    return internal::copy_tensor(call, value, blob->tensor);
  }
  Tensor copy = value.to(value.device(), state_->context);
  if (blob == nullptr) {
    blob = state_->new_blob();
    state_->attach(name, blob);
  }
  hold_tensor(*blob, std::move(copy), true);
}

Tensor Workspace::fetch(std::string_view name) const {
  const WorkspaceUse use(*state_);
  return get(name).to(Device{}, state_->context);
}

const void* Workspace::value_of(std::string_view name, std::string_view type) const {
  const WorkspaceUse use(*state_);
  const std::shared_ptr<Blob> blob = require_blob(*state_, name);
  require_argument(blob->type == type, "Workspace: blob ", name, " holds ",
                   blob->type.empty() ? "nothing" : blob->type, ", want ", type);
  return type == kTypeName<Tensor> ? &blob->tensor : blob->address;
}

void Workspace::set(std::string_view name, Tensor value) {
  const WorkspaceUse use(*state_);
  require_name(name);
  std::shared_ptr<Blob> blob = state_->find(name);
  if (blob == nullptr) {
    blob = state_->new_blob();
    state_->attach(name, blob);
  }
  hold_tensor(*blob, std::move(value), false);
}

void Workspace::set_any(std::string_view name, std::string_view type, std::any value,
                        void* (*address)(std::any& any)) {
  const WorkspaceUse use(*state_);
  require_name(name);
  std::shared_ptr<Blob> blob = state_->find(name);
  if (blob == nullptr) {
    blob = state_->new_blob();
    state_->attach(name, blob);
  }
  blob->tensor = blob->spare = Tensor();
  blob->own_memory = false;
  blob->object = std::move(value);
  blob->address = address(blob->object);
  blob->type = type;
  blob->count();
}

std::string_view Workspace::type_of(std::string_view name) const {
  const WorkspaceUse use(*state_);
  return require_blob(*state_, name)->type;
}

const Registry& Workspace::registry() const noexcept { return *state_->registry; }
const Context& Workspace::context() const noexcept { return state_->context; }

}  // namespace sylvite
