// Feature tensors: many sparse features of a batch packed into one, and the gradients back.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <vector>

#include "sylvite/context.h"
#include "sylvite/tensor.h"

namespace sylvite {

// B examples, F features (inputs). Where a function has no words of its own on these:
//
// - Tensors have any strides and alignment; rank 1 unless their shape is written out. A lengths
//   tensor is int32, a keys tensor of a multi-feature int64, presence bool: a byte that is not 0
//   means present. Values, and the keys of maps, have every dtype, the same one in all inputs.
// - The outputs' order is row-major over (example, input, position), on every target and for every
//   thread count.
// - F is 1 to any number, B may be 0. Totals are 64-bit; a single length stays within int32.
//
// Throws kInvalidArgument, naming the operator, the argument (inputs are counted from 1: lengths_2),
// the index and the value, before anything is written: no inputs, a feature_ids count other than F,
// B that differs between inputs, a negative length (of an absent example too), lengths that do not
// sum to exactly what the values hold, keys and values of different extents, dtypes that differ
// between inputs, a merged length above 2^31 - 1, totals beyond int64; a merged gradient whose
// extent is not the total of the lengths; operands on several devices. kOutOfMemory.
//
// On a GPU all operands are on one device, feature_ids there or on the CPU. kUnsupported: strings; more
// than 2^31 - 4096 segments (B * F) or, of lists and maps of many features, pairs. A call waits for
// the device once, for the sizes and for what is wrong with lengths; kDeviceError.
//
// Forms that write into the caller's memory do not wait where the Context has a merge_status: an int64
// tensor [3] on the device, which then takes a MergeFault, the pairs and the values (P and Q of
// MultiSizes). Only what ranks, dtypes, extents and ids tell is thrown. Merged outputs, and merged
// gradients read, may have more room than is needed; what lies behind the totals is left alone. Behind a
// fault the outputs are unspecified, but nothing outside of them is written. The other forms wait all
// the same and leave the status alone.
//
// The forms that write into the caller's `out` want the extents that the …_sizes function of the same
// name tells, the inputs' dtypes, and memory that overlaps neither an input nor another output;
// they throw kInvalidArgument where that is not so, before anything is written. Fields of an output
// may have any strides.
// Source: Caffe2 feature_maps_ops.

/// What a GPU finds wrong with a call that does not wait.
enum class MergeFault : int64_t {
  kNone = 0,
  kNegativeLength,
  kMergedLength,  ///< Lengths of an example sum to more than 2^31 - 1.
  kLengthSum,     ///< Lengths do not sum to what an input's values, or their gradient, hold.
  kRoom,          ///< An output, or the merged gradient, is smaller than the inputs add up to.
};

/// One feature, a number for each example that has it: values T[B], presence bool[B].
struct SingleScalarFeature {
  Tensor values;
  Tensor presence;
};

/// One feature, a list for each example that has it: lengths int32[B], values T[V], presence
/// bool[B]. V is the sum of the lengths of the present examples; an absent one has no values,
/// whatever its length says.
struct SingleListFeature {
  Tensor lengths;
  Tensor values;
  Tensor presence;
};

/// One feature, a map for each example that has it: lengths int32[B], keys K[V], values T[V],
/// presence bool[B]; V as for a list.
struct SingleMapFeature {
  Tensor lengths;
  Tensor keys;
  Tensor values;
  Tensor presence;
};

/// Any number of features per example, each a (key, number): lengths int32[B], keys int64[P],
/// values T[P]; P is the sum of the lengths.
struct MultiScalar {
  Tensor lengths;
  Tensor keys;
  Tensor values;
};

/// Any number of features per example, each a (key, list): lengths int32[B], keys int64[P],
/// values_lengths int32[P], values_values T[Q]; P and Q are the sums of lengths and values_lengths.
struct MultiList {
  Tensor lengths;
  Tensor keys;
  Tensor values_lengths;
  Tensor values_values;
};

/// Any number of features per example, each a (key, map): lengths int32[B], keys int64[P],
/// values_lengths int32[P], values_keys K[Q], values_values T[Q].
struct MultiMap {
  Tensor lengths;
  Tensor keys;
  Tensor values_lengths;
  Tensor values_keys;
  Tensor values_values;
};

/// The extents of a merge's outputs.
struct MultiSizes {
  int64_t examples = 0;  ///< B: lengths
  int64_t pairs = 0;     ///< P: keys, values_lengths, and the values of scalars
  int64_t values = 0;    ///< Q: values_values and values_keys; 0 for scalars
  // Bytes of text, where a map's keys or the values are strings.
  int64_t keys_text = 0;
  int64_t values_text = 0;

  bool operator==(const MultiSizes&) const = default;
};

/// The id of each feature, F of them, which becomes its key: numbers, or an int64 tensor [F] on the
/// CPU or with the inputs. Refers to the caller's memory for the length of a call.
class FeatureIds {
 public:
  // NOLINTBEGIN(google-explicit-constructor): merge_dense(data, presence, {11, 12})
  FeatureIds(std::span<const int64_t> ids) noexcept : data_(ids.data()), count_(ids.size()) {}
  FeatureIds(const std::vector<int64_t>& ids) noexcept : data_(ids.data()), count_(ids.size()) {}
  FeatureIds(std::initializer_list<int64_t> ids) noexcept
      : FeatureIds(std::span<const int64_t>(ids.begin(), ids.size())) {}
  FeatureIds(const Tensor& ids) noexcept : tensor_(&ids) {}
  // NOLINTEND(google-explicit-constructor)

  /// nullptr where the ids are plain numbers.
  const Tensor* tensor() const noexcept { return tensor_; }
  std::span<const int64_t> numbers() const noexcept { return {data_, count_}; }

 private:
  const Tensor* tensor_ = nullptr;
  const int64_t* data_ = nullptr;
  size_t count_ = 0;
};

/// Row b of the output: feature_ids[f] and data[b, f] for every f with presence[b, f].
/// data: T[B, F]; presence: bool[B, F].
/// Source: Caffe2 MergeDenseFeatureTensors.
MultiScalar merge_dense(const Tensor& data, const Tensor& presence, FeatureIds feature_ids,
                        const Context& context = {});
void merge_dense(const Tensor& data, const Tensor& presence, FeatureIds feature_ids,
                 MultiScalar& out, const Context& context = {});
MultiSizes merge_dense_sizes(const Tensor& data, const Tensor& presence,
                             const Context& context = {});

/// Gradient of merge_dense with respect to data: dvalues at the present places, 0 elsewhere.
/// presence: bool[B, F]; dvalues: T[P], P the count of the present. Returns T[B, F].
Tensor merge_dense_gradient(const Tensor& presence, const Tensor& dvalues,
                            const Context& context = {});
void merge_dense_gradient(const Tensor& presence, const Tensor& dvalues, Tensor& ddata,
                          const Context& context = {});

/// Example b of the output: for every input f present at b, feature_ids[f] and its number.
/// Source: Caffe2 MergeSingleScalarFeatureTensors.
MultiScalar merge_single_scalar(std::span<const SingleScalarFeature> features,
                                FeatureIds feature_ids, const Context& context = {});
void merge_single_scalar(std::span<const SingleScalarFeature> features, FeatureIds feature_ids,
                         MultiScalar& out, const Context& context = {});
MultiSizes merge_single_scalar_sizes(std::span<const SingleScalarFeature> features,
                                     const Context& context = {});

/// Gradient with respect to the values of each input: dvalues at the present places, 0 elsewhere.
/// presence: bool[B], one per input; dvalues: T[P]. Returns F tensors T[B].
/// Source: Caffe2 MergeSingleScalarFeatureTensorsGradient.
std::vector<Tensor> merge_single_scalar_gradient(std::span<const Tensor> presence,
                                                 const Tensor& dvalues,
                                                 const Context& context = {});
void merge_single_scalar_gradient(std::span<const Tensor> presence, const Tensor& dvalues,
                                  std::span<Tensor> dinputs, const Context& context = {});

/// Example b of the output: for every input f present at b, feature_ids[f] and its list.
/// Source: Caffe2 MergeSingleListFeatureTensors.
MultiList merge_single_list(std::span<const SingleListFeature> features, FeatureIds feature_ids,
                            const Context& context = {});
void merge_single_list(std::span<const SingleListFeature> features, FeatureIds feature_ids,
                       MultiList& out, const Context& context = {});
MultiSizes merge_single_list_sizes(std::span<const SingleListFeature> features,
                                   const Context& context = {});

/// Gradient with respect to the values of each input.
/// lengths: int32[B], presence: bool[B], one of each per input; dvalues: T[Q]. Returns F tensors
/// T[V_f], V_f the sum of the lengths of the present examples.
/// Source: Caffe2 MergeSingleListFeatureTensorsGradient.
std::vector<Tensor> merge_single_list_gradient(std::span<const Tensor> lengths,
                                               std::span<const Tensor> presence,
                                               const Tensor& dvalues, const Context& context = {});
void merge_single_list_gradient(std::span<const Tensor> lengths, std::span<const Tensor> presence,
                                const Tensor& dvalues, std::span<Tensor> dinputs,
                                const Context& context = {});
/// V_f for every input.
std::vector<int64_t> merge_single_list_gradient_sizes(std::span<const Tensor> lengths,
                                                      std::span<const Tensor> presence,
                                                      const Context& context = {});

/// Example b of the output: for every input f present at b, feature_ids[f] and its map. The keys of
/// all inputs have one dtype, their values another or the same.
/// Source: Caffe2 MergeSingleMapFeatureTensors.
MultiMap merge_single_map(std::span<const SingleMapFeature> features, FeatureIds feature_ids,
                          const Context& context = {});
void merge_single_map(std::span<const SingleMapFeature> features, FeatureIds feature_ids,
                      MultiMap& out, const Context& context = {});
MultiSizes merge_single_map_sizes(std::span<const SingleMapFeature> features,
                                  const Context& context = {});

/// Gradient with respect to the values of each input; as merge_single_list_gradient.
/// Source: Caffe2 MergeSingleMapFeatureTensorsGradient.
std::vector<Tensor> merge_single_map_gradient(std::span<const Tensor> lengths,
                                              std::span<const Tensor> presence,
                                              const Tensor& dvalues, const Context& context = {});
void merge_single_map_gradient(std::span<const Tensor> lengths, std::span<const Tensor> presence,
                               const Tensor& dvalues, std::span<Tensor> dinputs,
                               const Context& context = {});
std::vector<int64_t> merge_single_map_gradient_sizes(std::span<const Tensor> lengths,
                                                     std::span<const Tensor> presence,
                                                     const Context& context = {});

/// Example b of the output: for every input, its pairs of example b.
/// Source: Caffe2 MergeMultiScalarFeatureTensors.
MultiScalar merge_multi_scalar(std::span<const MultiScalar> features, const Context& context = {});
void merge_multi_scalar(std::span<const MultiScalar> features, MultiScalar& out,
                        const Context& context = {});
MultiSizes merge_multi_scalar_sizes(std::span<const MultiScalar> features,
                                    const Context& context = {});

/// Gradient with respect to the values of each input.
/// lengths: int32[B], one per input; dvalues: T[P]. Returns F tensors T[P_f], P_f the sum of the
/// lengths.
/// Source: Caffe2 MergeMultiScalarFeatureTensorsGradient.
std::vector<Tensor> merge_multi_scalar_gradient(std::span<const Tensor> lengths,
                                                const Tensor& dvalues, const Context& context = {});
void merge_multi_scalar_gradient(std::span<const Tensor> lengths, const Tensor& dvalues,
                                 std::span<Tensor> dinputs, const Context& context = {});
/// P_f for every input.
std::vector<int64_t> merge_multi_scalar_gradient_sizes(std::span<const Tensor> lengths,
                                                       const Context& context = {});

/// Example b of the output: for every input, its keys and lists of example b.
/// Source: Caffe2 MergeMultiListFeatureTensors.
MultiList merge_multi_list(std::span<const MultiList> features, const Context& context = {});
void merge_multi_list(std::span<const MultiList> features, MultiList& out,
                      const Context& context = {});
MultiSizes merge_multi_list_sizes(std::span<const MultiList> features, const Context& context = {});

/// Gradient with respect to the values of each input.
/// lengths: int32[B], values_lengths: int32[P_f], one of each per input; dvalues: T[Q]. Returns F
/// tensors T[Q_f], Q_f the sum of values_lengths.
/// Source: Caffe2 MergeMultiListOrMapFeatureTensorsGradient.
std::vector<Tensor> merge_multi_list_gradient(std::span<const Tensor> lengths,
                                              std::span<const Tensor> values_lengths,
                                              const Tensor& dvalues, const Context& context = {});
void merge_multi_list_gradient(std::span<const Tensor> lengths,
                               std::span<const Tensor> values_lengths, const Tensor& dvalues,
                               std::span<Tensor> dinputs, const Context& context = {});
/// Q_f for every input.
std::vector<int64_t> merge_multi_list_gradient_sizes(std::span<const Tensor> lengths,
                                                     std::span<const Tensor> values_lengths,
                                                     const Context& context = {});

/// Example b of the output: for every input, its keys and maps of example b.
/// Source: Caffe2 MergeMultiMapFeatureTensors.
MultiMap merge_multi_map(std::span<const MultiMap> features, const Context& context = {});
void merge_multi_map(std::span<const MultiMap> features, MultiMap& out,
                     const Context& context = {});
MultiSizes merge_multi_map_sizes(std::span<const MultiMap> features, const Context& context = {});

/// Gradient with respect to the values of each input; as merge_multi_list_gradient.
/// Source: Caffe2 MergeMultiListOrMapFeatureTensorsGradient.
std::vector<Tensor> merge_multi_map_gradient(std::span<const Tensor> lengths,
                                             std::span<const Tensor> values_lengths,
                                             const Tensor& dvalues, const Context& context = {});
void merge_multi_map_gradient(std::span<const Tensor> lengths,
                              std::span<const Tensor> values_lengths, const Tensor& dvalues,
                              std::span<Tensor> dinputs, const Context& context = {});
std::vector<int64_t> merge_multi_map_gradient_sizes(std::span<const Tensor> lengths,
                                                    std::span<const Tensor> values_lengths,
                                                    const Context& context = {});

}  // namespace sylvite
