/* For C: merges of feature tensors, their sizes and their gradients.

   sylvite/features.h is the full contract: layouts, order, GPUs. B examples, F features (inputs,
   feature_count of them). lengths are int32, the keys of multi-features int64, presence bool; values,
   and the keys of maps, have every dtype (strings on the CPU), the same one in all inputs. All are of
   rank 1 but where shapes are written out.

   To merge: ask the …_sizes function for the extents of the outputs, get the memory, call. Outputs
   are tensors of the caller's, described by the same structs as inputs. Statuses and thread safety
   are those of sylvite/c/operators.h; SYLVITE_INVALID_ARGUMENT also for: no inputs, B that differs
   between inputs, a negative length, lengths that do not sum to what the values hold, keys and values
   of different extents, dtypes that differ between inputs, outputs of other extents than the sizes
   say. Nothing has been written then. */
#pragma once

#include "sylvite/c/core.h"

/* NOLINTBEGIN(readability-identifier-naming,modernize-use-using) */

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sylvite_single_scalar_feature {
  sylvite_tensor values;   /* T[B] */
  sylvite_tensor presence; /* bool[B] */
} sylvite_single_scalar_feature;

typedef struct sylvite_single_list_feature {
  sylvite_tensor lengths;  /* int32[B] */
  sylvite_tensor values;   /* T[V], V the sum of the lengths of the present examples */
  sylvite_tensor presence; /* bool[B] */
} sylvite_single_list_feature;

typedef struct sylvite_single_map_feature {
  sylvite_tensor lengths;  /* int32[B] */
  sylvite_tensor keys;     /* K[V] */
  sylvite_tensor values;   /* T[V] */
  sylvite_tensor presence; /* bool[B] */
} sylvite_single_map_feature;

typedef struct sylvite_multi_scalar {
  sylvite_tensor lengths; /* int32[B] */
  sylvite_tensor keys;    /* int64[P], P the sum of the lengths */
  sylvite_tensor values;  /* T[P] */
} sylvite_multi_scalar;

typedef struct sylvite_multi_list {
  sylvite_tensor lengths;        /* int32[B] */
  sylvite_tensor keys;           /* int64[P] */
  sylvite_tensor values_lengths; /* int32[P] */
  sylvite_tensor values_values;  /* T[Q], Q the sum of values_lengths */
} sylvite_multi_list;

typedef struct sylvite_multi_map {
  sylvite_tensor lengths;        /* int32[B] */
  sylvite_tensor keys;           /* int64[P] */
  sylvite_tensor values_lengths; /* int32[P] */
  sylvite_tensor values_keys;    /* K[Q] */
  sylvite_tensor values_values;  /* T[Q] */
} sylvite_multi_map;

/* The extents of a merge's outputs. */
typedef struct sylvite_multi_sizes {
  int64_t examples;    /* B: lengths */
  int64_t pairs;       /* P: keys, values_lengths, and the values of scalars */
  int64_t values;      /* Q: values_values and values_keys; 0 for scalars */
  int64_t keys_text;   /* Bytes of text, where a map's keys are strings, */
  int64_t values_text; /* or the values. */
} sylvite_multi_sizes;

/* Row b of the output: feature_ids[f] and data[b, f] for every f with presence[b, f].
   data: T[B, F]; presence: bool[B, F]; feature_ids: F of them on the CPU, feature_count is F. */
sylvite_status sylvite_merge_dense(const sylvite_tensor* data, const sylvite_tensor* presence,
                                   const int64_t* feature_ids, int64_t feature_count,
                                   const sylvite_multi_scalar* out, const sylvite_context* context);
sylvite_status sylvite_merge_dense_sizes(const sylvite_tensor* data, const sylvite_tensor* presence,
                                         sylvite_multi_sizes* sizes,
                                         const sylvite_context* context);
/* presence: bool[B, F]; dvalues: T[P]; ddata: T[B, F]. */
sylvite_status sylvite_merge_dense_gradient(const sylvite_tensor* presence,
                                            const sylvite_tensor* dvalues,
                                            const sylvite_tensor* ddata,
                                            const sylvite_context* context);

/* Example b of the output: for every input f present at b, feature_ids[f] and its number, list or map.
   feature_ids: feature_count of them on the CPU. */
sylvite_status sylvite_merge_single_scalar(const sylvite_single_scalar_feature* features,
                                           int64_t feature_count, const int64_t* feature_ids,
                                           const sylvite_multi_scalar* out,
                                           const sylvite_context* context);
sylvite_status sylvite_merge_single_scalar_sizes(const sylvite_single_scalar_feature* features,
                                                 int64_t feature_count, sylvite_multi_sizes* sizes,
                                                 const sylvite_context* context);
sylvite_status sylvite_merge_single_list(const sylvite_single_list_feature* features,
                                         int64_t feature_count, const int64_t* feature_ids,
                                         const sylvite_multi_list* out,
                                         const sylvite_context* context);
sylvite_status sylvite_merge_single_list_sizes(const sylvite_single_list_feature* features,
                                               int64_t feature_count, sylvite_multi_sizes* sizes,
                                               const sylvite_context* context);
sylvite_status sylvite_merge_single_map(const sylvite_single_map_feature* features,
                                        int64_t feature_count, const int64_t* feature_ids,
                                        const sylvite_multi_map* out,
                                        const sylvite_context* context);
sylvite_status sylvite_merge_single_map_sizes(const sylvite_single_map_feature* features,
                                              int64_t feature_count, sylvite_multi_sizes* sizes,
                                              const sylvite_context* context);

/* Example b of the output: for every input, its pairs of example b. */
sylvite_status sylvite_merge_multi_scalar(const sylvite_multi_scalar* features,
                                          int64_t feature_count, const sylvite_multi_scalar* out,
                                          const sylvite_context* context);
sylvite_status sylvite_merge_multi_scalar_sizes(const sylvite_multi_scalar* features,
                                                int64_t feature_count, sylvite_multi_sizes* sizes,
                                                const sylvite_context* context);
sylvite_status sylvite_merge_multi_list(const sylvite_multi_list* features, int64_t feature_count,
                                        const sylvite_multi_list* out,
                                        const sylvite_context* context);
sylvite_status sylvite_merge_multi_list_sizes(const sylvite_multi_list* features,
                                              int64_t feature_count, sylvite_multi_sizes* sizes,
                                              const sylvite_context* context);
sylvite_status sylvite_merge_multi_map(const sylvite_multi_map* features, int64_t feature_count,
                                       const sylvite_multi_map* out,
                                       const sylvite_context* context);
sylvite_status sylvite_merge_multi_map_sizes(const sylvite_multi_map* features,
                                             int64_t feature_count, sylvite_multi_sizes* sizes,
                                             const sylvite_context* context);

/* The gradients with respect to the values of each input: presence, lengths and values_lengths are
   those of the inputs, feature_count of each; dvalues: T[P] of scalars, else T[Q]; dinputs: as many
   tensors, each of its input's values' extent, 0 where an example is absent. The …_sizes functions
   tell these extents: `sizes` takes feature_count of them. */
sylvite_status sylvite_merge_single_scalar_gradient(const sylvite_tensor* presence,
                                                    int64_t feature_count,
                                                    const sylvite_tensor* dvalues,
                                                    const sylvite_tensor* dinputs,
                                                    const sylvite_context* context);
sylvite_status sylvite_merge_single_list_gradient(
    const sylvite_tensor* lengths, const sylvite_tensor* presence, int64_t feature_count,
    const sylvite_tensor* dvalues, const sylvite_tensor* dinputs, const sylvite_context* context);
sylvite_status sylvite_merge_single_list_gradient_sizes(const sylvite_tensor* lengths,
                                                        const sylvite_tensor* presence,
                                                        int64_t feature_count, int64_t* sizes,
                                                        const sylvite_context* context);
sylvite_status sylvite_merge_single_map_gradient(
    const sylvite_tensor* lengths, const sylvite_tensor* presence, int64_t feature_count,
    const sylvite_tensor* dvalues, const sylvite_tensor* dinputs, const sylvite_context* context);
sylvite_status sylvite_merge_single_map_gradient_sizes(const sylvite_tensor* lengths,
                                                       const sylvite_tensor* presence,
                                                       int64_t feature_count, int64_t* sizes,
                                                       const sylvite_context* context);
sylvite_status sylvite_merge_multi_scalar_gradient(const sylvite_tensor* lengths,
                                                   int64_t feature_count,
                                                   const sylvite_tensor* dvalues,
                                                   const sylvite_tensor* dinputs,
                                                   const sylvite_context* context);
sylvite_status sylvite_merge_multi_scalar_gradient_sizes(const sylvite_tensor* lengths,
                                                         int64_t feature_count, int64_t* sizes,
                                                         const sylvite_context* context);
sylvite_status sylvite_merge_multi_list_gradient(
    const sylvite_tensor* lengths, const sylvite_tensor* values_lengths, int64_t feature_count,
    const sylvite_tensor* dvalues, const sylvite_tensor* dinputs, const sylvite_context* context);
sylvite_status sylvite_merge_multi_list_gradient_sizes(const sylvite_tensor* lengths,
                                                       const sylvite_tensor* values_lengths,
                                                       int64_t feature_count, int64_t* sizes,
                                                       const sylvite_context* context);
sylvite_status sylvite_merge_multi_map_gradient(
    const sylvite_tensor* lengths, const sylvite_tensor* values_lengths, int64_t feature_count,
    const sylvite_tensor* dvalues, const sylvite_tensor* dinputs, const sylvite_context* context);
sylvite_status sylvite_merge_multi_map_gradient_sizes(const sylvite_tensor* lengths,
                                                      const sylvite_tensor* values_lengths,
                                                      int64_t feature_count, int64_t* sizes,
                                                      const sylvite_context* context);

#ifdef __cplusplus
}
#endif

/* NOLINTEND(readability-identifier-naming,modernize-use-using) */
