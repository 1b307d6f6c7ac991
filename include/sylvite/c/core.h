/* For C: status codes, tensors, contexts, and lists of texts.

   Structs that begin with struct_size may grow: set it to sizeof the struct, and all fields that are
   not named to 0, which is every field's default. A size that this library does not know is
   SYLVITE_INVALID_ARGUMENT, unless it is a larger one whose additional bytes are 0. All other structs
   stay as they are.

   Handles (contexts, workspaces, nets, lists of texts, …) are given by address, NULL where the call
   fails, and given back to …_destroy, which takes NULL too. A handle keeps what it was made from alive
   by itself: they may be destroyed in any order. No pointer may be NULL but where it says so; an array
   of no elements may. Functions of the caller's must return: no exception, no longjmp(). */
#pragma once

/* C's names, C's headers, C's declarations. */
/* NOLINTBEGIN(readability-identifier-naming,modernize-deprecated-headers,modernize-use-using,modernize-redundant-void-arg) */

#include <stddef.h>
#include <stdint.h>

#include "sylvite/version.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- errors ------------------------------------------------------------------------------------ */

typedef int32_t sylvite_status;
enum {
  SYLVITE_OK = 0,
  SYLVITE_INVALID_ARGUMENT = 1, /* An argument breaks the function's contract. */
  SYLVITE_UNSUPPORTED = 2,   /* Well formed, but not offered here: a target, a device, a dtype. */
  SYLVITE_OUT_OF_MEMORY = 3, /* An allocation failed. */
  SYLVITE_DEVICE_ERROR = 4,  /* A GPU or its driver reported a fault. */
  SYLVITE_INTERNAL = 5       /* A defect of the library. */
};

/* What was wrong with the last call of this thread that returned another status than SYLVITE_OK, in
   UTF-8: the operator, the argument, the value got and the one wanted. "" before the first. Valid
   until the next such call of the thread; texts beyond 2 KiB are cut. */
const char* sylvite_last_error(void);

/* "invalid argument", …; "unknown status" for a value that is none. */
const char* sylvite_status_text(sylvite_status status);

/* The library's version, "0.1.0"; the header's is SYLVITE_VERSION_MAJOR, … */
const char* sylvite_version(void);

/* --- tensors ----------------------------------------------------------------------------------- */

typedef int32_t sylvite_dtype; /* 0 is none. */
enum {
  SYLVITE_BOOL = 1, /* One byte; not 0 means true. */
  SYLVITE_INT8 = 2,
  SYLVITE_UINT8 = 3,
  SYLVITE_INT16 = 4,
  SYLVITE_UINT16 = 5,
  SYLVITE_INT32 = 6,
  SYLVITE_UINT32 = 7,
  SYLVITE_INT64 = 8,
  SYLVITE_UINT64 = 9,
  SYLVITE_FLOAT16 = 10,
  SYLVITE_BFLOAT16 = 11,
  SYLVITE_FLOAT32 = 12,
  SYLVITE_FLOAT64 = 13,
  SYLVITE_STRING = 14
};

/* Bytes of one element, 8 for a string's offset; 0 for a value that is no dtype. */
int32_t sylvite_element_size(sylvite_dtype dtype);
/* NumPy's name, "float32"; "" for a value that is no dtype. */
const char* sylvite_dtype_name(sylvite_dtype dtype);

typedef int32_t sylvite_device_kind;
enum { SYLVITE_CPU = 0, SYLVITE_CUDA = 1, SYLVITE_OPENCL = 2 };

/* index counts the devices of one kind from 0. */
typedef struct sylvite_device {
  sylvite_device_kind kind;
  int32_t index;
} sylvite_device;

enum { SYLVITE_MAX_RANK = 32 };

/* Memory of the caller's, described. The library keeps nothing of it beyond a call but where it says
   so. Operators read their inputs and write the memory behind their outputs; the struct itself they
   leave alone. Tensors may be read from many threads at once.

   An output has the dtype and shape that the operator gives it, and memory that overlaps neither an
   input nor another output nor itself; anything else is SYLVITE_INVALID_ARGUMENT before a byte is
   written. Any strides and alignment will do for inputs and outputs alike. */
typedef struct sylvite_tensor {
  void* data;             /* Element [0, …, 0]; may be NULL where there are no elements. For
                             SYLVITE_CUDA a device pointer. For SYLVITE_OPENCL there is none: such
                             tensors live in workspaces only. */
  const int64_t* shape;   /* rank extents, outermost axis first; may be NULL for rank 0. */
  const int64_t* strides; /* In elements, 0 and negative allowed; NULL: dense row-major. */
  sylvite_dtype dtype;
  int32_t rank; /* 0 to SYLVITE_MAX_RANK. */
  sylvite_device device;
  /* SYLVITE_STRING only, dense, on the CPU: data is int64_t offsets, one more than there are elements,
     and text i the bytes [offsets[i], offsets[i + 1]) of `text`. text_bytes: what there is, or of an
     output what there is room for. */
  char* text;
  int64_t text_bytes;
} sylvite_tensor;

/* A shape, or strides. */
typedef struct sylvite_shape {
  int32_t rank;
  int64_t extents[SYLVITE_MAX_RANK];
} sylvite_shape;

/* --- contexts ---------------------------------------------------------------------------------- */

/* The caller's own thread pool. parallel_for runs task(state, i) for every i in [0, tasks), in any
   order and on any threads, and returns when all have returned. */
typedef struct sylvite_thread_pool {
  void* pool;
  void (*parallel_for)(void* pool, int tasks, void (*task)(void* state, int i), void* state);
} sylvite_thread_pool;

/* Memory on the CPU, for scratch and for what workspaces hold. allocate returns NULL when there is
   none; alignment is a power of two. Called from any thread. */
typedef struct sylvite_allocator {
  void* state;
  void* (*allocate)(void* state, size_t bytes, size_t alignment);
  void (*deallocate)(void* state, void* pointer, size_t bytes);
} sylvite_allocator;

enum {
  SYLVITE_STORES_AUTO = 0,  /* Streaming above a share of the last-level cache. */
  SYLVITE_STORES_PLAIN = 1, /* Ordinary stores. */
  SYLVITE_STORES_STREAM = 2 /* Non-temporal stores wherever the output allows them. */
};

typedef struct sylvite_context_options {
  uint32_t struct_size;
  int32_t threads; /* A call may use; 0: one per core of this process's affinity mask. */
  const char*
      target;   /* Out of sylvite_targets(); NULL or "": the best one for the operands' device. */
  void* stream; /* CUDA: a CUstream of the operands' device; NULL: the legacy default stream. */
  const sylvite_thread_pool* pool;    /* NULL: the library's own. */
  const sylvite_allocator* allocator; /* NULL: the library's own. */
  int32_t stores;                     /* SYLVITE_STORES_… */
  int32_t reserved;                   /* 0 */
  /* Where merges of features on a GPU tell what they found instead of waiting for it, an int64 tensor
     [3] on the device: 0 or what is wrong (1 a negative length, 2 a merged length above 2^31 - 1,
     3 lengths that do not sum to the values, 4 an output that is too small), pairs, values. NULL:
     they wait. Its memory must outlive the context. */
  const sylvite_tensor* merge_status;
} sylvite_context_options;

/* Where and how a call runs. Immutable: many threads may use one at a time. Wherever a function takes
   a context NULL is the default: the best kernels for the operands' device, and all cores. What pool
   and allocator point to is copied; what their own pointers point to must outlive the context, and
   the workspaces made with it. */
typedef struct sylvite_context sylvite_context;

/* options may be NULL. SYLVITE_UNSUPPORTED: a target that is not available here, the message names
   those that are; SYLVITE_INVALID_ARGUMENT: threads below 0, callbacks missing, unknown stores. */
sylvite_status sylvite_context_create(const sylvite_context_options* options,
                                      sylvite_context** context);
void sylvite_context_destroy(sylvite_context* context);

/* Loads the GPU modules of every kernel, so that no later call pays for it. Nothing on a CPU. */
sylvite_status sylvite_warm_up(sylvite_device device, const sylvite_context* context);
/* Waits until everything launched on the context's stream of the device is complete. */
sylvite_status sylvite_synchronize(sylvite_device device, const sylvite_context* context);

/* Ends the library's thread pool: before fork() or dlclose(). The next call starts it again. */
void sylvite_shutdown(void);

/* --- lists of texts ---------------------------------------------------------------------------- */

/* Texts that a function has made. Immutable. */
typedef struct sylvite_texts sylvite_texts;

/* 0 for NULL. */
int64_t sylvite_texts_count(const sylvite_texts* texts);
/* Valid until the list is destroyed; NULL for a text that is missing, or an i outside of the list. */
const char* sylvite_texts_get(const sylvite_texts* texts, int64_t i);
void sylvite_texts_destroy(sylvite_texts* texts);

/* The targets this machine can run, best first: "x86_64_avx512", "x86_64_avx2", … */
sylvite_status sylvite_targets(sylvite_texts** targets);
/* The library's operators, by the names that sylvite_operator_def.type takes. */
sylvite_status sylvite_operators(sylvite_texts** names);

#ifdef __cplusplus
}
#endif

/* NOLINTEND(readability-identifier-naming,modernize-deprecated-headers,modernize-use-using,modernize-redundant-void-arg) */
