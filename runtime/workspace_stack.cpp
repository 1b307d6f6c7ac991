// Workspaces saved by the forward pass for the backward pass.
#include <algorithm>

#include "runtime/error.h"
#include "runtime/workspace_state.h"

namespace sylvite {

using internal::require_argument;
using internal::WorkspaceState;
using internal::WorkspaceUse;

struct WorkspaceStack::State {
  struct Level {
    std::shared_ptr<WorkspaceState> workspace;
    Bindings bindings;
  };
  std::vector<Level> levels;  ///< those above `top` wait for their next use
  size_t top = 0;
  std::weak_ptr<WorkspaceState> parent;
  bool has_parent = false;
};

namespace {

using Level = WorkspaceStack::State::Level;

/// Throws unless `parent` is the one that the stack serves.
void require_parent(const WorkspaceStack::State& stack,
                    const std::shared_ptr<WorkspaceState>& parent) {
  require_argument(!stack.has_parent || stack.parent.lock() == parent,
                   "WorkspaceStack: it is used with another parent workspace, want the one of its "
                   "first use");
}

void require_not_empty(const WorkspaceStack::State& stack, std::string_view what) {
  require_argument(stack.top > 0, "WorkspaceStack: ", what,
                   " of an empty stack, want a workspace on it");
}

}  // namespace

WorkspaceStack::WorkspaceStack() : state_(std::make_shared<State>()) {}

Workspace WorkspaceStack::push_forward(const Workspace& parent, const Bindings& bindings) {
  const WorkspaceUse use(*parent.state());
  check_stack();
  require_parent(*state_, parent.state());
  check_bindings_match(bindings);
  if (state_->top == state_->levels.size()) {
    auto child = internal::make_child(parent.state(), false);
    internal::forward_blobs(*child, *parent.state(), bindings, "WorkspaceStack");
    state_->levels.push_back({.workspace = std::move(child), .bindings = bindings});
  } else {
    internal::forward_blobs(*state_->levels[state_->top].workspace, *parent.state(), bindings,
                            "WorkspaceStack");
  }
  state_->parent = parent.state();
  state_->has_parent = true;
  return Workspace(state_->levels[state_->top++].workspace);
}

Workspace WorkspaceStack::pop_gradient(const Workspace& parent, const Bindings& grad_bindings) {
  const WorkspaceUse use(*parent.state());
  check_stack();
  require_parent(*state_, parent.state());
  require_not_empty(*state_, "pop_gradient");
  WorkspaceState& top = *state_->levels[state_->top - 1].workspace;
  Bindings missing;
  for (const auto& [inner, outer] : grad_bindings)
    if (!top.blobs.contains(inner) && !top.forwarded.contains(inner)) missing.emplace(inner, outer);
  if (!missing.empty()) internal::forward_blobs(top, *parent.state(), missing, "WorkspaceStack");
  return Workspace(state_->levels[--state_->top].workspace);
}

Workspace WorkspaceStack::reuse_last_forward(const Workspace& parent, const Bindings& bindings) {
  const WorkspaceUse use(*parent.state());
  check_stack();
  require_parent(*state_, parent.state());
  require_not_empty(*state_, "reuse_last_forward");
  check_bindings_match(bindings);
  WorkspaceState& top = *state_->levels[state_->top - 1].workspace;
  internal::forward_blobs(top, *parent.state(), bindings, "WorkspaceStack");
  return Workspace(state_->levels[state_->top - 1].workspace);
}

void WorkspaceStack::undo_pop(const Workspace& workspace) noexcept {
  const bool next = state_->top < state_->levels.size() &&
                    state_->levels[state_->top].workspace == workspace.state();
  if (next) ++state_->top;
}

void WorkspaceStack::undo_push(const Workspace& workspace) noexcept {
  if (state_->top == 0 || state_->levels[state_->top - 1].workspace != workspace.state()) return;
  state_->levels.erase(state_->levels.begin() + static_cast<std::ptrdiff_t>(--state_->top));
}

void WorkspaceStack::clear() noexcept { state_->top = 0; }

void WorkspaceStack::release() noexcept {
  state_->levels.clear();
  state_->top = 0;
  state_->has_parent = false;
}

int64_t WorkspaceStack::size() const noexcept { return static_cast<int64_t>(state_->top); }

void WorkspaceStack::check_stack() const {
  const bool whole =
      state_->top <= state_->levels.size() &&
      std::all_of(state_->levels.begin(), state_->levels.end(), [&](const Level& level) {
        return level.workspace != nullptr && level.workspace->is_child &&
               (!state_->has_parent || level.workspace->parent.lock() == state_->parent.lock());
      });
  require_argument(whole, "WorkspaceStack: its workspaces are not consistent, want those it made");
}

void WorkspaceStack::check_bindings_match(const Bindings& bindings) const {
  for (const Level& level : state_->levels) {
    require_argument(
        level.bindings == bindings,
        "WorkspaceStack: the bindings are not those of the stack's workspaces, want the "
        "same inner and outer names each time");
  }
}

}  // namespace sylvite
