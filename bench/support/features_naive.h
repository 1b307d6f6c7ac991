// The loops of Caffe2's feature merges and of their gradients: one example and one input after
// another, one thread.
#pragma once

#include <cstdint>
#include <span>

namespace sylvite_bench {

/// Elements of one size, or strings where there are offsets: text i is [offsets[i], offsets[i + 1])
/// of data.
struct NaiveArray {
  char* data = nullptr;
  int64_t* offsets = nullptr;
  int64_t element_bytes = 0;
};

/// One input, as far as its kind has them.
struct NaiveFeature {
  const int32_t* lengths = nullptr;
  const uint8_t* presence = nullptr;
  const int64_t* keys = nullptr;
  const int32_t* values_lengths = nullptr;
  NaiveArray values_keys = {};
  NaiveArray values = {};
  // The loops' own: elements in all, counted first to size the outputs; where the next example begins.
  int64_t total = 0;
  int64_t pair = 0;
  int64_t value = 0;
};

struct NaiveMerged {
  int32_t* lengths = nullptr;
  int64_t* keys = nullptr;
  int32_t* values_lengths = nullptr;
  NaiveArray values_keys = {};
  NaiveArray values = {};
};

/// Scalars of 1, 2, 4 or 8 bytes. Dense: one "feature" per column of data, `stride` = F.
void naive_single_scalars(int64_t examples, int64_t stride, std::span<NaiveFeature> features,
                          const int64_t* ids, const NaiveMerged& out);
void naive_single_scalars_gradient(int64_t examples, int64_t stride,
                                   std::span<NaiveFeature> features, const NaiveArray& dvalues);
/// Lists, and maps where there are keys.
void naive_single_runs(int64_t examples, std::span<NaiveFeature> features, const int64_t* ids,
                       const NaiveMerged& out);
void naive_single_runs_gradient(int64_t examples, std::span<NaiveFeature> features,
                                const NaiveArray& dvalues);
void naive_multi_scalars(int64_t examples, std::span<NaiveFeature> features,
                         const NaiveMerged& out);
void naive_multi_scalars_gradient(int64_t examples, std::span<NaiveFeature> features,
                                  const NaiveArray& dvalues);
void naive_multi_runs(int64_t examples, std::span<NaiveFeature> features, const NaiveMerged& out);
void naive_multi_runs_gradient(int64_t examples, std::span<NaiveFeature> features,
                               const NaiveArray& dvalues);

}  // namespace sylvite_bench
