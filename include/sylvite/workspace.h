// Workspaces: named blobs, operators run by name, and the stacks that scopes are made of.
#pragma once

#include <any>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sylvite/context.h"
#include "sylvite/net.h"
#include "sylvite/operator.h"
#include "sylvite/tensor.h"

namespace sylvite {

/// The name of a type that a blob may hold. Users add theirs:
///   template <> inline constexpr std::string_view sylvite::kTypeName<Mine> = "mine";
template <typename T>
inline constexpr std::string_view kTypeName = {};
template <>
inline constexpr std::string_view kTypeName<Tensor> = "tensor";
template <>
inline constexpr std::string_view kTypeName<bool> = "bool";
template <>
inline constexpr std::string_view kTypeName<int32_t> = "int32";
template <>
inline constexpr std::string_view kTypeName<int64_t> = "int64";
template <>
inline constexpr std::string_view kTypeName<float> = "float32";
template <>
inline constexpr std::string_view kTypeName<double> = "float64";
template <>
inline constexpr std::string_view kTypeName<std::string> = "text";
template <>
inline constexpr std::string_view kTypeName<std::vector<int64_t>> = "int64s";
template <>
inline constexpr std::string_view kTypeName<std::vector<std::string>> = "texts";

/// Inner name to outer name.
using Bindings = std::map<std::string, std::string>;

namespace internal {
struct WorkspaceState;
struct Blob;
}  // namespace internal

/// An owner of named blobs. A name is looked up among the workspace's own blobs, then among the
/// forwarded ones (a blob of the parent under another name), then in the parent.
///
/// A cheap handle: copies are the same workspace. A workspace and its children are for one thread at
/// a time: a second one that comes meanwhile is refused with kInvalidArgument. Unrelated workspaces
/// run in parallel.
class Workspace {
 public:
  explicit Workspace(std::shared_ptr<const Registry> registry = builtin_registry(),
                     const Context& context = {});
  /// A child that keeps the parent's blobs alive; its forwarded names must exist in the parent.
  explicit Workspace(const Workspace& parent, const Bindings& forward);
  bool has(std::string_view name) const;
  /// Local names, sorted; and all that has() is true for.
  std::vector<std::string> local_blobs() const;
  std::vector<std::string> blobs() const;

  /// An empty blob of this name, where the name is unknown everywhere. Throws kInvalidArgument for
  /// an empty name.
  void create(std::string_view name);
  /// The same in this workspace alone: a parent's blob of the name is shadowed.
  void create_local(std::string_view name);
  /// A local blob. Says whether there was one.
  bool remove(std::string_view name);
  /// A local blob. Throws kInvalidArgument where it is none, or the other name is in use.
  void rename(std::string_view from, const std::string& to);
  /// Removes every local blob and every forwarded name.
  void reset();

  /// A copy of the tensor into the blob that the name stands for, a new local one where there is
  /// none.
  void feed(std::string_view name, const Tensor& value);
  /// A dense copy on the CPU. Throws kInvalidArgument: no such blob, or none that holds a tensor.
  Tensor fetch(std::string_view name) const;

  /// The blob's own tensor, or value of another known type, and the place of a value in the blob.
  /// Throws kInvalidArgument where there is no blob of the name, or it holds another type.
  template <typename T = Tensor>
  const T& get(std::string_view name) const {
    return *static_cast<const T*>(value_of(name, kTypeName<T>));
  }
  void set(std::string_view name, Tensor value);
  template <typename T>
  void set(std::string_view name, T value) {
    static_assert(!kTypeName<T>.empty(), "no kTypeName for this type");
    set_any(name, kTypeName<T>, std::any(std::move(value)),
            [](std::any& any) -> void* { return std::any_cast<T>(&any); });
  }
  /// "tensor", "int64", …; empty for a blob that holds nothing.
  std::string_view type_of(std::string_view name) const;

  /// Throws what the operator throws, which names it; it has changed nothing then.
  void run(const OperatorDef& def);
  /// Stops at the first operator that fails; what earlier ones wrote stays.
  void run(const Net& net);

  const Registry& registry() const noexcept;
  const Context& context() const noexcept;

  /// A line per blob: name, type, dtype, shape, bytes, with whom it shares its memory; and the bytes
  /// in all, now and at most.
  std::string describe() const;
  /// The same as a Graphviz graph.
  std::string to_dot() const;
  /// Bytes of all tensors of the local blobs, memory that several of them share counted once, and
  /// what is kept for the next run.
  int64_t bytes() const;
  /// The most at any time of the bytes of this workspace, its parents and its children together.
  int64_t peak_bytes() const;

  const std::shared_ptr<internal::WorkspaceState>& state() const noexcept { return state_; }
  /// Another handle on the same workspace.
  explicit Workspace(std::shared_ptr<internal::WorkspaceState> state) noexcept
      : state_(std::move(state)) {}

 private:
  const void* value_of(std::string_view name, std::string_view type) const;
  void set_any(std::string_view name, std::string_view type, std::any value,
               void* (*address)(std::any& any));

  std::shared_ptr<internal::WorkspaceState> state_;
};

/// Forward workspaces kept for the backward pass, last in, first out. One stack serves one parent, and
/// the thread that uses it. A cheap handle: copies are the same stack.
/// Every method but clear, empty, size and release throws kInvalidArgument where the stack serves
/// another parent or what it holds is not consistent.
class WorkspaceStack {
 public:
  WorkspaceStack();

  /// A workspace whose bound names stand for the parent's blobs: one of an earlier iteration, its
  /// memory kept, or a new one. Throws kInvalidArgument: a blob the parent lacks, bindings that are
  /// not those of the workspace's earlier uses.
  Workspace push_forward(const Workspace& parent, const Bindings& bindings);
  /// The top one, taken off; bindings of names that it has already are skipped.
  /// Throws kInvalidArgument where the stack is empty.
  Workspace pop_gradient(const Workspace& parent, const Bindings& grad_bindings);
  /// The top one, left in place. Throws kInvalidArgument where the stack is empty.
  Workspace reuse_last_forward(const Workspace& parent, const Bindings& bindings);
  /// How an operator undoes its own step: puts the workspace that was popped last back, or takes off
  /// and forgets the one that was pushed last. Nothing where `workspace` is not that one.
  void undo_pop(const Workspace& workspace) noexcept;
  void undo_push(const Workspace& workspace) noexcept;

  /// Takes all off; their memory is kept for the next push.
  void clear() noexcept;
  /// Gives the memory back.
  void release() noexcept;
  bool empty() const noexcept { return size() == 0; }
  int64_t size() const noexcept;

  void check_stack() const;
  /// That every workspace of the stack was bound like this.
  void check_bindings_match(const Bindings& bindings) const;

  struct State;

 private:
  std::shared_ptr<State> state_;
};

template <>
inline constexpr std::string_view kTypeName<WorkspaceStack> = "workspace_stack";

/// What an operator sees of one run: its inputs, and where its outputs go. Outputs become visible
/// when the operator has returned.
class OperatorCall {
 public:
  const OperatorDef& def() const noexcept { return *def_; }
  const Context& context() const noexcept { return *context_; }
  int inputs() const noexcept;
  int outputs() const noexcept;

  /// Throws kInvalidArgument where the blob holds no tensor.
  const Tensor& input(int i) const;
  /// A dense tensor of this kind: the memory that the output had in an earlier run, where it fits
  /// and nothing else needs it, else new memory.
  Tensor& output(int i, DType dtype, const Shape& shape, Device device = {});
  /// The output is this tensor: a view, or memory of the operator's own.
  void set_output(int i, Tensor value);

  /// Blobs of other types, for operators such as scopes.
  WorkspaceStack stack(int input) const;
  void set_output_stack(int i, WorkspaceStack value);
  /// The workspace that the operator runs in.
  Workspace& workspace() const noexcept { return *workspace_; }

  struct Slot;
  OperatorCall(Workspace& workspace, const OperatorDef& def, const Context& context,
               bool validates_first, std::span<Slot> inputs, std::span<Slot> outputs) noexcept;

 private:
  Workspace* workspace_;
  const OperatorDef* def_;
  const Context* context_;
  bool validates_first_;
  std::span<Slot> inputs_;
  std::span<Slot> outputs_;
};

}  // namespace sylvite
