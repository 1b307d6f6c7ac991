/* For C: operators by name, nets, workspaces and stacks of them.

   sylvite/operator.h, sylvite/net.h and sylvite/workspace.h are the full contract. Statuses are those
   of sylvite/c/operators.h. Texts are ended by a 0 byte; those given are copied. */
#pragma once

#include "sylvite/c/core.h"

/* NOLINTBEGIN(readability-identifier-naming,modernize-use-using) */

#ifdef __cplusplus
extern "C" {
#endif

/* --- operators by name ------------------------------------------------------------------------- */

/* An immutable list of operators under a name; see nets. */
typedef struct sylvite_net sylvite_net;

typedef int32_t sylvite_argument_kind; /* 0 is none. */
enum {
  SYLVITE_ARGUMENT_INT = 1,
  SYLVITE_ARGUMENT_FLOAT = 2,
  SYLVITE_ARGUMENT_TEXT = 3,
  SYLVITE_ARGUMENT_INTS = 4,
  SYLVITE_ARGUMENT_FLOATS = 5,
  SYLVITE_ARGUMENT_TEXTS = 6,
  SYLVITE_ARGUMENT_NET = 7
};

/* A named argument of an operator, with Caffe2's names. Only the field of its kind is read. */
typedef struct sylvite_argument {
  const char* name;
  sylvite_argument_kind kind;
  int32_t reserved; /* 0 */
  int64_t count;    /* of the lists */
  union {
    int64_t i;
    double f;
    const char* text;
    const int64_t* ints;
    const double* floats;
    const char* const* texts;
    const sylvite_net* net;
  } value;
} sylvite_argument;

/* One use of an operator: its name, the blobs it reads and writes, its arguments. It runs on the
   device of its input tensors; `device` says where where there is none. */
typedef struct sylvite_operator_def {
  uint32_t struct_size;
  sylvite_device_kind device;
  const char* type;
  const char* const* inputs;
  int64_t input_count;
  const char* const* outputs;
  int64_t output_count;
  const sylvite_argument* arguments;
  int64_t argument_count;
} sylvite_operator_def;

/* What a call would do. Names that are too long are cut. */
typedef struct sylvite_explanation {
  uint32_t struct_size;
  int32_t reserved;
  char kernel[64];  /* "space_to_batch_b2_u32", "memcpy", "none" */
  char target[32];  /* "x86_64_avx512" */
  char variant[16]; /* "plain" or "stream" */
  int64_t bytes_read;
  int64_t bytes_written;
  int64_t kernel_calls;
  int64_t tasks;
  sylvite_shape output_shape;
} sylvite_explanation;

/* Nothing is run, and no memory is wanted behind `inputs`, one for each of def's inputs; what def
   calls its blobs does not matter. SYLVITE_INVALID_ARGUMENT: what the call would reject, an operator
   whose work depends on what its inputs hold. */
sylvite_status sylvite_explain(const sylvite_operator_def* def, const sylvite_tensor* inputs,
                               int64_t input_count, const sylvite_context* context,
                               sylvite_explanation* explanation);

/* A name, and what it stands for: an inner blob and its outer name, a blob and its gradient. */
typedef struct sylvite_binding {
  const char* name;
  const char* target;
} sylvite_binding;

/* The operators that compute the gradients of def's inputs from those of its outputs.
   output_gradients: a name or NULL per output of def. *operators: a net of them. *input_gradients: a
   name per input of def, missing where it needs none. SYLVITE_UNSUPPORTED where there must not be a
   gradient or nobody has written it, as the message says. */
sylvite_status sylvite_gradient_defs(const sylvite_operator_def* def,
                                     const char* const* output_gradients, sylvite_net** operators,
                                     sylvite_texts** input_gradients);

/* --- nets: for one thread at a time ------------------------------------------------------------- */

/* Operators in the order in which they run. output_count 0: every blob that is written and not read
   afterwards is an external output. Nets in arguments nest at most 64 deep, this one included. */
sylvite_status sylvite_net_create(const char* name, const sylvite_operator_def* operators,
                                  int64_t operator_count, const char* const* outputs,
                                  int64_t output_count, sylvite_net** net);
void sylvite_net_destroy(sylvite_net* net);
/* Uses of the net as an argument, made before, stay as they were. */
sylvite_status sylvite_net_append(sylvite_net* net, const sylvite_operator_def* def);
sylvite_status sylvite_net_operator_count(const sylvite_net* net, int64_t* count);
/* What *def points to is the net's: valid until the net is appended to or destroyed. def->struct_size
   must be set. */
sylvite_status sylvite_net_operator(const sylvite_net* net, int64_t i, sylvite_operator_def* def);
sylvite_status sylvite_net_external_inputs(const sylvite_net* net, sylvite_texts** names);
sylvite_status sylvite_net_external_outputs(const sylvite_net* net, sylvite_texts** names);
/* Appends the operators that compute the gradient of every blob that the outputs depend on. outputs:
   blob and the name of its gradient. *gradients: blob, gradient, blob, gradient, …, those given
   included. */
sylvite_status sylvite_net_add_gradients(sylvite_net* net, const sylvite_binding* outputs,
                                         int64_t output_count, sylvite_texts** gradients);
/* One text: the net as a Graphviz graph. */
sylvite_status sylvite_net_to_dot(const sylvite_net* net, sylvite_texts** dot);

/* --- workspaces -------------------------------------------------------------------------------- */

/* An owner of named blobs. For one thread at a time, together with its parent and its children: a
   second one that comes meanwhile is refused with SYLVITE_INVALID_ARGUMENT. */
typedef struct sylvite_workspace sylvite_workspace;

sylvite_status sylvite_workspace_create(const sylvite_context* context,
                                        sylvite_workspace** workspace);
/* A workspace whose `forward` names stand for blobs of the parent: inner name, name in the parent. */
sylvite_status sylvite_workspace_create_child(const sylvite_workspace* parent,
                                              const sylvite_binding* forward, int64_t forward_count,
                                              sylvite_workspace** workspace);
void sylvite_workspace_destroy(sylvite_workspace* workspace);

/* A copy of the tensor into the blob, a new one where there is none; the second form copies it onto
   a device. */
sylvite_status sylvite_workspace_feed(sylvite_workspace* workspace, const char* name,
                                      const sylvite_tensor* value);
sylvite_status sylvite_workspace_feed_to(sylvite_workspace* workspace, const char* name,
                                         const sylvite_tensor* value, sylvite_device device);
/* The caller's memory as the blob, not copied; operators may write to it. release(state), where it is
   not NULL, runs once when the workspace no longer needs it; never where the call fails. */
sylvite_status sylvite_workspace_share(sylvite_workspace* workspace, const char* name,
                                       const sylvite_tensor* value, void (*release)(void* state),
                                       void* state);
/* Copies the blob, on any device, into memory on the CPU of its dtype and shape. */
sylvite_status sylvite_workspace_fetch(const sylvite_workspace* workspace, const char* name,
                                       const sylvite_tensor* value);
/* Describes the blob without a copy: *value points into the workspace and must not be written to.
   Valid until the blob is written, removed or renamed, or the last handle on its workspace goes. */
sylvite_status sylvite_workspace_look(const sylvite_workspace* workspace, const char* name,
                                      sylvite_tensor* value);

/* *has: 1 where the name stands for a blob, else 0. */
sylvite_status sylvite_workspace_has(const sylvite_workspace* workspace, const char* name,
                                     int32_t* has);
/* *type: "tensor", "workspace_stack", …, "" for a blob that holds nothing; not to be freed. */
sylvite_status sylvite_workspace_type_of(const sylvite_workspace* workspace, const char* name,
                                         const char** type);
/* All names that has() is true for, sorted; and the workspace's own alone. */
sylvite_status sylvite_workspace_blobs(const sylvite_workspace* workspace, sylvite_texts** names);
sylvite_status sylvite_workspace_local_blobs(const sylvite_workspace* workspace,
                                             sylvite_texts** names);
/* An empty blob, where the name is unknown everywhere; in this workspace alone. */
sylvite_status sylvite_workspace_create_blob(sylvite_workspace* workspace, const char* name);
sylvite_status sylvite_workspace_create_local(sylvite_workspace* workspace, const char* name);
/* A blob of its own. *removed, which may be NULL: 1 where there was one, else 0. */
sylvite_status sylvite_workspace_remove(sylvite_workspace* workspace, const char* name,
                                        int32_t* removed);
sylvite_status sylvite_workspace_rename(sylvite_workspace* workspace, const char* from,
                                        const char* to);
/* Removes every local blob and every forwarded name. */
sylvite_status sylvite_workspace_reset(sylvite_workspace* workspace);

/* What fails has changed nothing; of a net, what earlier operators wrote stays. */
sylvite_status sylvite_workspace_run(sylvite_workspace* workspace, const sylvite_operator_def* def);
sylvite_status sylvite_workspace_run_net(sylvite_workspace* workspace, const sylvite_net* net);

/* One text: a line per blob, and the bytes in all. */
sylvite_status sylvite_workspace_describe(const sylvite_workspace* workspace, sylvite_texts** text);
/* Bytes of the local blobs' tensors; and the most at any time, parents and children included. */
sylvite_status sylvite_workspace_bytes(const sylvite_workspace* workspace, int64_t* bytes,
                                       int64_t* peak_bytes);

/* --- stacks of workspaces: for one parent, and one thread --------------------------------------- */

/* Forward workspaces kept for the backward pass, last in, first out. Bindings: inner name, name in the
   parent. */
typedef struct sylvite_workspace_stack sylvite_workspace_stack;

sylvite_status sylvite_workspace_stack_create(sylvite_workspace_stack** stack);
void sylvite_workspace_stack_destroy(sylvite_workspace_stack* stack);
/* Each gives a workspace of its own to destroy: a new one, or one of an earlier iteration, put on top;
   the top one, taken off; the top one, left in place. */
sylvite_status sylvite_workspace_stack_push_forward(sylvite_workspace_stack* stack,
                                                    const sylvite_workspace* parent,
                                                    const sylvite_binding* bindings,
                                                    int64_t binding_count,
                                                    sylvite_workspace** workspace);
sylvite_status sylvite_workspace_stack_pop_gradient(sylvite_workspace_stack* stack,
                                                    const sylvite_workspace* parent,
                                                    const sylvite_binding* bindings,
                                                    int64_t binding_count,
                                                    sylvite_workspace** workspace);
sylvite_status sylvite_workspace_stack_reuse_last_forward(sylvite_workspace_stack* stack,
                                                          const sylvite_workspace* parent,
                                                          const sylvite_binding* bindings,
                                                          int64_t binding_count,
                                                          sylvite_workspace** workspace);
sylvite_status sylvite_workspace_stack_size(const sylvite_workspace_stack* stack, int64_t* size);
/* Takes all off, their memory kept for the next push; gives the memory back. */
sylvite_status sylvite_workspace_stack_clear(sylvite_workspace_stack* stack);
sylvite_status sylvite_workspace_stack_release(sylvite_workspace_stack* stack);
/* SYLVITE_INVALID_ARGUMENT where what it holds is not consistent; was not bound like this. */
sylvite_status sylvite_workspace_stack_check(const sylvite_workspace_stack* stack);
sylvite_status sylvite_workspace_stack_check_bindings(const sylvite_workspace_stack* stack,
                                                      const sylvite_binding* bindings,
                                                      int64_t binding_count);

#ifdef __cplusplus
}
#endif

/* NOLINTEND(readability-identifier-naming,modernize-use-using) */
