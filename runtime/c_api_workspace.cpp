// C: workspaces and stacks of them.
#include <array>

#include "runtime/c_api_net.h"
#include "sylvite/reshape.h"

// NOLINTBEGIN(readability-identifier-naming): C's names
struct sylvite_workspace {
  /// Outlives the tensors that its allocator made.
  std::shared_ptr<const sylvite::internal::c_api::ContextState> context;
  sylvite::Workspace workspace;
};

struct sylvite_workspace_stack {
  std::shared_ptr<const sylvite::internal::c_api::ContextState> context;
  sylvite::WorkspaceStack stack;
};
// NOLINTEND(readability-identifier-naming)

namespace sylvite::internal::c_api {
namespace {

const Workspace& of(const sylvite_workspace* workspace) {
  return required(workspace, "workspace").workspace;
}
Workspace& of(sylvite_workspace* workspace) { return required(workspace, "workspace").workspace; }
const WorkspaceStack& of(const sylvite_workspace_stack* stack) {
  return required(stack, "stack").stack;
}
WorkspaceStack& of(sylvite_workspace_stack* stack) { return required(stack, "stack").stack; }

/// `step(stack, parent, bindings)` gives a workspace.
template <typename Step>
sylvite_status steps(const char* function, sylvite_workspace_stack* stack,
                     const sylvite_workspace* parent, const sylvite_binding* bindings,
                     int64_t count, sylvite_workspace** workspace, const Step& step) noexcept {
  return guarded(function, [&] {
    sylvite_workspace*& made = handle(workspace, "workspace");
    sylvite_workspace_stack& on = required(stack, "stack");
    const sylvite_workspace& under = required(parent, "parent");
    const Bindings bound = bindings_of(bindings, count, "bindings");
    // Made first: no memory for it must not leave the stack changed.
    auto reached = std::make_unique<sylvite_workspace>(under);
    reached->workspace = step(on.stack, under.workspace, bound);
    on.context = under.context;
    made = reached.release();
  });
}

/// Calls the caller's release when its last owner goes, once it is armed.
struct Release {
  Release(void (*function)(void* state), void* state) noexcept : function(function), state(state) {}
  Release(const Release&) = delete;
  Release& operator=(const Release&) = delete;
  ~Release() {
    if (armed && function != nullptr) function(state);
  }

  void (*function)(void* state);
  void* state;
  bool armed = false;
};

/// A workspace's context as far as it speaks of the CPU.
Context host_context(const Context& context) {
  return Context(ContextOptions{
      .threads = context.threads(), .pool = context.pool(), .allocator = context.allocator()});
}

}  // namespace
}  // namespace sylvite::internal::c_api

using namespace sylvite;
using namespace sylvite::internal::c_api;

sylvite_status sylvite_workspace_create(const sylvite_context* context,
                                        sylvite_workspace** workspace) {
  return guarded(__func__, [&] {
    make(workspace, "workspace", [&] {
      return new sylvite_workspace{context != nullptr ? context->state : nullptr,
                                   Workspace(builtin_registry(), context_of(context))};
    });
  });
}

sylvite_status sylvite_workspace_create_child(const sylvite_workspace* parent,
                                              const sylvite_binding* forward, int64_t forward_count,
                                              sylvite_workspace** workspace) {
  return guarded(__func__, [&] {
    sylvite_workspace*& made = handle(workspace, "workspace");
    const sylvite_workspace& under = required(parent, "parent");
    made = new sylvite_workspace{
        under.context, Workspace(under.workspace, bindings_of(forward, forward_count, "forward"))};
  });
}

void sylvite_workspace_destroy(sylvite_workspace* workspace) { delete workspace; }

sylvite_status sylvite_workspace_feed(sylvite_workspace* workspace, const char* name,
                                      const sylvite_tensor* value) {
  return guarded(__func__,
                 [&] { of(workspace).feed(text_of(name, "name"), input(value, "value")); });
}

sylvite_status sylvite_workspace_feed_to(sylvite_workspace* workspace, const char* name,
                                         const sylvite_tensor* value, sylvite_device device) {
  return guarded(__func__, [&] {
    Workspace& to = of(workspace);
    const std::string blob = text_of(name, "name");
    to.set(blob, input(value, "value").to(device_of(device, "device"), to.context()));
  });
}

sylvite_status sylvite_workspace_share(sylvite_workspace* workspace, const char* name,
                                       const sylvite_tensor* value, void (*release)(void* state),
                                       void* state) {
  return guarded(__func__, [&] {
    Workspace& to = of(workspace);
    const std::string blob = text_of(name, "name");
    const TensorInfo info = output(value, "value").info();
    const auto owner = std::make_shared<Release>(release, state);
    const auto deleter = [owner] {};
    to.set(blob, info.dtype == DType::kString
                     ? Tensor::wrap_strings(static_cast<int64_t*>(value->data), value->text,
                                            value->text_bytes, info.shape, deleter)
                     : Tensor::wrap(value->data, info.dtype, info.shape, info.strides, deleter,
                                    info.device));
    owner->armed = true;
  });
}

sylvite_status sylvite_workspace_fetch(const sylvite_workspace* workspace, const char* name,
                                       const sylvite_tensor* value) {
  return guarded(__func__, [&] {
    const Workspace& from = of(workspace);
    Tensor to = output(value, "value");
    const Tensor blob = from.get(text_of(name, "name"));
    require_call(to.dtype() == blob.dtype(), "value.dtype is ", sylvite::name(to.dtype()),
                 ", want blob \"", name, "\"'s ", sylvite::name(blob.dtype()));
    require_call(to.shape() == blob.shape(), "value.shape is ", to.shape(), ", want blob \"", name,
                 "\"'s ", blob.shape());
    require_call(to.device() == Device{}, "value.device is ", sylvite::name(to.device().kind), " ",
                 to.device().index, ", want cpu 0");
    const Tensor host = blob.device() == Device{} ? blob : blob.to(Device{}, from.context());
    reshape(host, host.shape(), to, host_context(from.context()));
  });
}

sylvite_status sylvite_workspace_look(const sylvite_workspace* workspace, const char* name,
                                      sylvite_tensor* value) {
  return guarded(__func__, [&] {
    sylvite_tensor& to = required(value, "value");
    const Tensor& blob = of(workspace).get(text_of(name, "name"));
    to = {.data = blob.data(),
          .shape = blob.shape().begin(),
          .strides = blob.strides().begin(),
          .dtype = c_dtype(blob.dtype()),
          .rank = blob.rank(),
          .device = c_device(blob.device()),
          .text = blob.text_data(),
          .text_bytes = blob.text_capacity()};
  });
}

sylvite_status sylvite_workspace_has(const sylvite_workspace* workspace, const char* name,
                                     int32_t* has) {
  return guarded(__func__, [&] {
    int32_t& to = required(has, "has");
    to = of(workspace).has(text_of(name, "name")) ? 1 : 0;
  });
}

sylvite_status sylvite_workspace_type_of(const sylvite_workspace* workspace, const char* name,
                                         const char** type) {
  return guarded(__func__, [&] {
    const char*& to = required(type, "type");
    const std::string_view known = of(workspace).type_of(text_of(name, "name"));
    to = known.empty() ? "" : known.data();
  });
}

sylvite_status sylvite_workspace_blobs(const sylvite_workspace* workspace, sylvite_texts** names) {
  return guarded(__func__,
                 [&] { make(names, "names", [&] { return new_texts(of(workspace).blobs()); }); });
}

sylvite_status sylvite_workspace_local_blobs(const sylvite_workspace* workspace,
                                             sylvite_texts** names) {
  return guarded(__func__, [&] {
    make(names, "names", [&] { return new_texts(of(workspace).local_blobs()); });
  });
}

sylvite_status sylvite_workspace_create_blob(sylvite_workspace* workspace, const char* name) {
  return guarded(__func__, [&] { of(workspace).create(text_of(name, "name")); });
}

sylvite_status sylvite_workspace_create_local(sylvite_workspace* workspace, const char* name) {
  return guarded(__func__, [&] { of(workspace).create_local(text_of(name, "name")); });
}

sylvite_status sylvite_workspace_remove(sylvite_workspace* workspace, const char* name,
                                        int32_t* removed) {
  return guarded(__func__, [&] {
    const bool was_there = of(workspace).remove(text_of(name, "name"));
    if (removed != nullptr) *removed = was_there ? 1 : 0;
  });
}

sylvite_status sylvite_workspace_rename(sylvite_workspace* workspace, const char* from,
                                        const char* to) {
  return guarded(__func__, [&] { of(workspace).rename(text_of(from, "from"), text_of(to, "to")); });
}

sylvite_status sylvite_workspace_reset(sylvite_workspace* workspace) {
  return guarded(__func__, [&] { of(workspace).reset(); });
}

sylvite_status sylvite_workspace_run(sylvite_workspace* workspace,
                                     const sylvite_operator_def* def) {
  return guarded(__func__, [&] { of(workspace).run(def_of(def, "def")); });
}

sylvite_status sylvite_workspace_run_net(sylvite_workspace* workspace, const sylvite_net* net) {
  return guarded(__func__, [&] { of(workspace).run(required(net, "net").net); });
}

sylvite_status sylvite_workspace_describe(const sylvite_workspace* workspace,
                                          sylvite_texts** text) {
  return guarded(__func__, [&] {
    make(text, "text", [&] { return new_texts(std::array{of(workspace).describe()}); });
  });
}

sylvite_status sylvite_workspace_bytes(const sylvite_workspace* workspace, int64_t* bytes,
                                       int64_t* peak_bytes) {
  return guarded(__func__, [&] {
    int64_t& now = required(bytes, "bytes");
    int64_t& peak = required(peak_bytes, "peak_bytes");
    now = of(workspace).bytes();
    peak = of(workspace).peak_bytes();
  });
}

sylvite_status sylvite_workspace_stack_create(sylvite_workspace_stack** stack) {
  return guarded(__func__, [&] {
    make(stack, "stack", [&] { return new sylvite_workspace_stack{nullptr, {}}; });
  });
}

void sylvite_workspace_stack_destroy(sylvite_workspace_stack* stack) { delete stack; }

sylvite_status sylvite_workspace_stack_push_forward(sylvite_workspace_stack* stack,
                                                    const sylvite_workspace* parent,
                                                    const sylvite_binding* bindings,
                                                    int64_t binding_count,
                                                    sylvite_workspace** workspace) {
  return steps(__func__, stack, parent, bindings, binding_count, workspace,
               [](auto& on, auto& under, auto& bound) { return on.push_forward(under, bound); });
}

sylvite_status sylvite_workspace_stack_pop_gradient(sylvite_workspace_stack* stack,
                                                    const sylvite_workspace* parent,
                                                    const sylvite_binding* bindings,
                                                    int64_t binding_count,
                                                    sylvite_workspace** workspace) {
  return steps(__func__, stack, parent, bindings, binding_count, workspace,
               [](auto& on, auto& under, auto& bound) { return on.pop_gradient(under, bound); });
}

sylvite_status sylvite_workspace_stack_reuse_last_forward(sylvite_workspace_stack* stack,
                                                          const sylvite_workspace* parent,
                                                          const sylvite_binding* bindings,
                                                          int64_t binding_count,
                                                          sylvite_workspace** workspace) {
  return steps(
      __func__, stack, parent, bindings, binding_count, workspace,
      [](auto& on, auto& under, auto& bound) { return on.reuse_last_forward(under, bound); });
}

sylvite_status sylvite_workspace_stack_size(const sylvite_workspace_stack* stack, int64_t* size) {
  return guarded(__func__, [&] {
    int64_t& to = required(size, "size");
    to = of(stack).size();
  });
}

sylvite_status sylvite_workspace_stack_clear(sylvite_workspace_stack* stack) {
  return guarded(__func__, [&] { of(stack).clear(); });
}

sylvite_status sylvite_workspace_stack_release(sylvite_workspace_stack* stack) {
  return guarded(__func__, [&] { of(stack).release(); });
}

sylvite_status sylvite_workspace_stack_check(const sylvite_workspace_stack* stack) {
  return guarded(__func__, [&] { of(stack).check_stack(); });
}

sylvite_status sylvite_workspace_stack_check_bindings(const sylvite_workspace_stack* stack,
                                                      const sylvite_binding* bindings,
                                                      int64_t binding_count) {
  return guarded(__func__, [&] {
    of(stack).check_bindings_match(bindings_of(bindings, binding_count, "bindings"));
  });
}
