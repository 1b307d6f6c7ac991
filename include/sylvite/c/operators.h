/* For C: one function per operator, and the shapes of their outputs.

   Each computes what the C++ function of the same name computes; its header, named at the head of a
   section, is the full contract. Shapes are written outermost axis first; all operands are on one
   device. Every operator writes into memory that the caller gives it; the …_shape functions tell its
   shape, and want no memory behind their inputs (`data` may be NULL). All may be called from many
   threads at once. Beyond what a function says, all return SYLVITE_INVALID_ARGUMENT for what
   sylvite_tensor forbids, SYLVITE_UNSUPPORTED for a dtype or device they do not take,
   SYLVITE_OUT_OF_MEMORY, SYLVITE_DEVICE_ERROR. Outputs are unchanged unless the status is
   SYLVITE_DEVICE_ERROR. */
#pragma once

#include "sylvite/c/core.h"

/* NOLINTBEGIN(readability-identifier-naming,modernize-use-using) */

#ifdef __cplusplus
extern "C" {
#endif

/* --- sylvite/space_batch.h --------------------------------------------------------------------- */

enum { SYLVITE_MAX_SPATIAL_AXES = 4 };

typedef int32_t sylvite_layout;
enum {
  SYLVITE_NCHW = 0, /* [N, C, spatial…] */
  SYLVITE_NHWC = 1  /* [N, spatial…, C] */
};

/* Elements added or cut before and after one axis. */
typedef struct sylvite_sides {
  int64_t before;
  int64_t after;
} sylvite_sides;

typedef struct sylvite_space_to_batch_args {
  uint32_t struct_size;
  int32_t axes; /* Spatial axes, 1 to 4: entries of the arrays. */
  int64_t block_shape[SYLVITE_MAX_SPATIAL_AXES];
  sylvite_sides paddings[SYLVITE_MAX_SPATIAL_AXES];
  double pad_value; /* Must be exactly representable in x's dtype. */
  sylvite_layout layout;
  int32_t reserved; /* 0 */
} sylvite_space_to_batch_args;

typedef struct sylvite_batch_to_space_args {
  uint32_t struct_size;
  int32_t axes;
  int64_t block_shape[SYLVITE_MAX_SPATIAL_AXES];
  sylvite_sides crops[SYLVITE_MAX_SPATIAL_AXES];
  sylvite_layout layout;
  int32_t reserved; /* 0 */
} sylvite_batch_to_space_args;

/* Moves each phase of the padded image into the batch. x: [N, C, spatial…] or [N, spatial…, C], every
   dtype but string. y: batch N * prod(block), each spatial extent (before + extent + after) / block.
   SYLVITE_INVALID_ARGUMENT: rank, block < 1, negative padding, an extent its block does not divide. */
sylvite_status sylvite_space_to_batch(const sylvite_tensor* x,
                                      const sylvite_space_to_batch_args* args,
                                      const sylvite_tensor* y, const sylvite_context* context);
sylvite_status sylvite_space_to_batch_shape(const sylvite_tensor* x,
                                            const sylvite_space_to_batch_args* args,
                                            sylvite_shape* y_shape);
/* dy: y's shape; dx: x's shape, the phases interleaved, the padding cut off. */
sylvite_status sylvite_space_to_batch_gradient(const sylvite_tensor* dy,
                                               const sylvite_space_to_batch_args* args,
                                               const sylvite_tensor* dx,
                                               const sylvite_context* context);

/* The inverse. x: batch N * prod(block). y: batch N, each spatial extent extent * block - before -
   after. SYLVITE_INVALID_ARGUMENT: rank, block < 1, a batch prod(block) does not divide, crops that
   are negative or beyond the extent. */
sylvite_status sylvite_batch_to_space(const sylvite_tensor* x,
                                      const sylvite_batch_to_space_args* args,
                                      const sylvite_tensor* y, const sylvite_context* context);
sylvite_status sylvite_batch_to_space_shape(const sylvite_tensor* x,
                                            const sylvite_batch_to_space_args* args,
                                            sylvite_shape* y_shape);
/* dy: y's shape; dx: x's shape, zero where it was cut. */
sylvite_status sylvite_batch_to_space_gradient(const sylvite_tensor* dy,
                                               const sylvite_batch_to_space_args* args,
                                               const sylvite_tensor* dx,
                                               const sylvite_context* context);

/* --- sylvite/expand.h -------------------------------------------------------------------------- */

/* x broadcast against `shape` [rank], aligned at the last axis. shape: per axis the extent wanted, or
   1 or -1 to keep x's. y: rank max(x's, shape's). Every dtype but string. */
sylvite_status sylvite_expand(const sylvite_tensor* x, const int64_t* shape, int32_t rank,
                              const sylvite_tensor* y, const sylvite_context* context);
sylvite_status sylvite_expand_shape(const sylvite_tensor* x, const int64_t* shape, int32_t rank,
                                    sylvite_shape* y_shape);
/* The same y without a copy: shape and strides under which x->data is y, stride 0 on the axes that
   are broadcast. Every operator takes such a tensor as an input. */
sylvite_status sylvite_expand_view(const sylvite_tensor* x, const int64_t* shape, int32_t rank,
                                   sylvite_shape* y_shape, sylvite_shape* y_strides);
/* *expanded: 1 where some axis of extent above 1 has stride 0, else 0. */
sylvite_status sylvite_expanded(const sylvite_tensor* x, int32_t* expanded);
/* A copy, by Expand's kernels where x is an expanded view. y: x's shape and dtype. */
sylvite_status sylvite_materialize(const sylvite_tensor* x, const sylvite_tensor* y,
                                   const sylvite_context* context);
/* dy summed over every axis that was broadcast. dx: x's shape, which broadcasts to dy's; dy's dtype, a
   number. The same bits for every stride, thread count and CPU target. */
sylvite_status sylvite_expand_gradient(const sylvite_tensor* dy, const sylvite_tensor* dx,
                                       const sylvite_context* context);

/* --- sylvite/reshape.h: y may be x's own memory; then nothing is copied ------------------------- */

/* Axes of extent 1 inserted at these positions of y; negative ones count from its end. */
sylvite_status sylvite_expand_dims(const sylvite_tensor* x, const int64_t* dims, int32_t count,
                                   const sylvite_tensor* y, const sylvite_context* context);
sylvite_status sylvite_expand_dims_shape(const sylvite_tensor* x, const int64_t* dims,
                                         int32_t count, sylvite_shape* y_shape);
/* Axes of extent 1 removed: these of x, or all where count is 0. */
sylvite_status sylvite_squeeze(const sylvite_tensor* x, const int64_t* dims, int32_t count,
                               const sylvite_tensor* y, const sylvite_context* context);
sylvite_status sylvite_squeeze_shape(const sylvite_tensor* x, const int64_t* dims, int32_t count,
                                     sylvite_shape* y_shape);
/* x's elements in row-major order under another shape. 0 takes x's extent at that position, one -1 is
   inferred. */
sylvite_status sylvite_reshape(const sylvite_tensor* x, const int64_t* shape, int32_t rank,
                               const sylvite_tensor* y, const sylvite_context* context);
sylvite_status sylvite_reshape_shape(const sylvite_tensor* x, const int64_t* shape, int32_t rank,
                                     sylvite_shape* y_shape);
/* x under y's shape, of as many elements: the gradient of the three above. */
sylvite_status sylvite_reshape_like(const sylvite_tensor* x, const sylvite_tensor* y,
                                    const sylvite_context* context);

/* --- sylvite/cast.h ---------------------------------------------------------------------------- */

/* x's elements in y's dtype. y: x's shape. Floats to integers toward zero, saturated, NaN to 0;
   integers modulo 2^n; to floats rounded once; numbers to their shortest text and back.
   SYLVITE_INVALID_ARGUMENT: a text that is no number of the dtype, no room for the text. */
sylvite_status sylvite_cast(const sylvite_tensor* x, const sylvite_tensor* y,
                            const sylvite_context* context);
/* The bytes of text that a cast of x to SYLVITE_STRING makes. Costs as much as the cast. */
sylvite_status sylvite_cast_text_bytes(const sylvite_tensor* x, int64_t* text_bytes,
                                       const sylvite_context* context);
/* dx: dy in x's dtype. Neither is a string. */
sylvite_status sylvite_cast_gradient(const sylvite_tensor* dy, const sylvite_tensor* dx,
                                     const sylvite_context* context);

/* --- sylvite/arithmetic.h: numbers of one dtype, on the CPU -------------------------------------- */

/* y = a + b and y = a * b, a and b broadcast against each other. Integers wrap. y may be the very
   memory of a or b where nothing is broadcast. */
sylvite_status sylvite_add(const sylvite_tensor* a, const sylvite_tensor* b,
                           const sylvite_tensor* y, const sylvite_context* context);
sylvite_status sylvite_mul(const sylvite_tensor* a, const sylvite_tensor* b,
                           const sylvite_tensor* y, const sylvite_context* context);
sylvite_status sylvite_broadcast_shape(const sylvite_tensor* a, const sylvite_tensor* b,
                                       sylvite_shape* y_shape);
/* y = ((x[0] + x[1]) + x[2]) + …, count of them, at least 1, of one shape. GPUs too. */
sylvite_status sylvite_sum(const sylvite_tensor* x, int64_t count, const sylvite_tensor* y,
                           const sylvite_context* context);
/* `value` in every element of y. Every dtype but string. GPUs too. SYLVITE_INVALID_ARGUMENT: a value
   that an integer or bool cannot hold exactly, or beyond a float's largest. */
sylvite_status sylvite_constant_fill(double value, const sylvite_tensor* y,
                                     const sylvite_context* context);
/* loss (shape []) = 0.5 * sum(x * x); x: float32 or float64. Its gradient: dx = x * dloss. */
sylvite_status sylvite_squared_l2(const sylvite_tensor* x, const sylvite_tensor* loss,
                                  const sylvite_context* context);
sylvite_status sylvite_squared_l2_gradient(const sylvite_tensor* x, const sylvite_tensor* dloss,
                                           const sylvite_tensor* dx,
                                           const sylvite_context* context);

/* --- sylvite/conv.h: float32 and float64, on the CPU --------------------------------------------- */

typedef struct sylvite_matmul_args {
  uint32_t struct_size;
  int32_t transpose_a; /* not 0: a is [K, M] */
  int32_t transpose_b; /* not 0: b is [N, K] */
} sylvite_matmul_args;

/* y [M, N] = a [M, K] * b [K, N]. args may be NULL: nothing is transposed. */
sylvite_status sylvite_matmul(const sylvite_tensor* a, const sylvite_tensor* b,
                              const sylvite_matmul_args* args, const sylvite_tensor* y,
                              const sylvite_context* context);
sylvite_status sylvite_matmul_shape(const sylvite_tensor* a, const sylvite_tensor* b,
                                    const sylvite_matmul_args* args, sylvite_shape* y_shape);

/* Height first. */
typedef struct sylvite_conv_args {
  uint32_t struct_size;
  int32_t reserved;          /* 0 */
  int64_t strides[2];        /* At least 1; both 0: 1. */
  sylvite_sides paddings[2]; /* Zeros around the image. */
} sylvite_conv_args;

/* x: [N, C, H, W]; w: [M, C, KH, KW]; bias: [M], or NULL. y: [N, M, (before + H + after - KH) / stride
   + 1, …]. args may be NULL: strides 1, no padding. */
sylvite_status sylvite_conv(const sylvite_tensor* x, const sylvite_tensor* w,
                            const sylvite_tensor* bias, const sylvite_conv_args* args,
                            const sylvite_tensor* y, const sylvite_context* context);
sylvite_status sylvite_conv_shape(const sylvite_tensor* x, const sylvite_tensor* w,
                                  const sylvite_conv_args* args, sylvite_shape* y_shape);
/* The gradients with respect to x, w and bias; dx, dw and db have their shapes. */
sylvite_status sylvite_conv_gradient_input(const sylvite_tensor* dy, const sylvite_tensor* w,
                                           const sylvite_conv_args* args, const sylvite_tensor* dx,
                                           const sylvite_context* context);
sylvite_status sylvite_conv_gradient_filter(const sylvite_tensor* x, const sylvite_tensor* dy,
                                            const sylvite_conv_args* args, const sylvite_tensor* dw,
                                            const sylvite_context* context);
sylvite_status sylvite_conv_gradient_bias(const sylvite_tensor* dy, const sylvite_tensor* db,
                                          const sylvite_context* context);

/* --- sylvite/join.h: every dtype; axis -1 is the last -------------------------------------------- */

/* count >= 1 tensors of one shape along a new axis of y. */
sylvite_status sylvite_stack(const sylvite_tensor* x, int64_t count, int32_t axis,
                             const sylvite_tensor* y, const sylvite_context* context);
sylvite_status sylvite_stack_shape(const sylvite_tensor* x, int64_t count, int32_t axis,
                                   sylvite_shape* y_shape);
/* The inverse: x[i], count of them, are the entries of y at `axis`, which goes. */
sylvite_status sylvite_unstack(const sylvite_tensor* y, int32_t axis, const sylvite_tensor* x,
                               int64_t count, const sylvite_context* context);
/* count >= 1 tensors one behind the other along an axis they have. */
sylvite_status sylvite_concat(const sylvite_tensor* x, int64_t count, int32_t axis,
                              const sylvite_tensor* y, const sylvite_context* context);
sylvite_status sylvite_concat_shape(const sylvite_tensor* x, int64_t count, int32_t axis,
                                    sylvite_shape* y_shape);
/* The inverse: x[i] is the next sizes[i] entries of y at `axis`; count entries of both. */
sylvite_status sylvite_split(const sylvite_tensor* y, const int64_t* sizes, int32_t axis,
                             const sylvite_tensor* x, int64_t count,
                             const sylvite_context* context);

#ifdef __cplusplus
}
#endif

/* NOLINTEND(readability-identifier-naming,modernize-use-using) */
