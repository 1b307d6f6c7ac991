#include "support/features_naive.h"

#include <cstring>

#include "support/clones.h"

namespace sylvite_bench {
namespace {

SYLVITE_BENCH_INLINE void copy_run(const NaiveArray& to, int64_t at, const NaiveArray& from,
                                   int64_t begin, int64_t count) {
  if (to.offsets == nullptr) {
    std::memcpy(to.data + at * to.element_bytes, from.data + begin * from.element_bytes,
                static_cast<size_t>(count * to.element_bytes));
    return;
  }
  if (at == 0) to.offsets[0] = 0;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t start = from.offsets[begin + i];
    const int64_t bytes = from.offsets[begin + i + 1] - start;
    std::memcpy(to.data + to.offsets[at + i], from.data + start, static_cast<size_t>(bytes));
    to.offsets[at + i + 1] = to.offsets[at + i] + bytes;
  }
}

SYLVITE_BENCH_INLINE void rewind(std::span<NaiveFeature> features) {
  for (NaiveFeature& x : features) x.pair = x.value = 0;
}

/// Of present examples, where there is presence; 1 each without lengths.
SYLVITE_BENCH_INLINE void count_first(int64_t examples, int64_t stride,
                                      std::span<NaiveFeature> features) {
  for (NaiveFeature& x : features) {
    x.total = 0;
    for (int64_t b = 0; b < examples; ++b) {
      if (x.presence == nullptr || x.presence[b * stride])
        x.total += x.lengths == nullptr ? 1 : x.lengths[b];
    }
  }
}

/// The second level of a gradient.
SYLVITE_BENCH_INLINE void count_values_first(std::span<NaiveFeature> features, int64_t examples) {
  count_first(examples, 1, features);
  for (NaiveFeature& x : features) {
    const int64_t pairs = x.total;
    x.total = 0;
    for (int64_t i = 0; i < pairs; ++i) x.total += x.values_lengths[i];
  }
}

template <typename T>
SYLVITE_BENCH_INLINE void single_scalars(int64_t examples, int64_t stride,
                                         std::span<NaiveFeature> features, const int64_t* ids,
                                         const NaiveMerged& out) {
  count_first(examples, stride, features);
  auto* values = reinterpret_cast<T*>(out.values.data);
  int64_t pair = 0;
  for (int64_t b = 0; b < examples; ++b) {
    out.lengths[b] = 0;
    for (size_t f = 0; f < features.size(); ++f) {
      if (!features[f].presence[b * stride]) continue;
      ++out.lengths[b];
      out.keys[pair] = ids[f];
      values[pair] = reinterpret_cast<const T*>(features[f].values.data)[b * stride];
      ++pair;
    }
  }
}

template <typename T>
SYLVITE_BENCH_INLINE void single_scalars_gradient(int64_t examples, int64_t stride,
                                                  std::span<NaiveFeature> features,
                                                  const NaiveArray& dvalues) {
  const auto* next = reinterpret_cast<const T*>(dvalues.data);
  for (int64_t b = 0; b < examples; ++b) {
    for (NaiveFeature& x : features) {
      T& to = reinterpret_cast<T*>(x.values.data)[b * stride];
      if (x.presence[b * stride]) {
        to = *next++;
      } else {
        to = T{0};
      }
    }
  }
}

}  // namespace

SYLVITE_BENCH_CLONES void naive_single_scalars(int64_t examples, int64_t stride,
                                               std::span<NaiveFeature> features, const int64_t* ids,
                                               const NaiveMerged& out) {
  switch (out.values.element_bytes) {
    case 1:
      return single_scalars<uint8_t>(examples, stride, features, ids, out);
    case 2:
      return single_scalars<uint16_t>(examples, stride, features, ids, out);
    case 4:
      return single_scalars<uint32_t>(examples, stride, features, ids, out);
    default:
      return single_scalars<uint64_t>(examples, stride, features, ids, out);
  }
}

SYLVITE_BENCH_CLONES void naive_single_scalars_gradient(int64_t examples, int64_t stride,
                                                        std::span<NaiveFeature> features,
                                                        const NaiveArray& dvalues) {
  switch (dvalues.element_bytes) {
    case 1:
      return single_scalars_gradient<uint8_t>(examples, stride, features, dvalues);
    case 2:
      return single_scalars_gradient<uint16_t>(examples, stride, features, dvalues);
    case 4:
      return single_scalars_gradient<uint32_t>(examples, stride, features, dvalues);
    default:
      return single_scalars_gradient<uint64_t>(examples, stride, features, dvalues);
  }
}

SYLVITE_BENCH_CLONES void naive_single_runs(int64_t examples, std::span<NaiveFeature> features,
                                            const int64_t* ids, const NaiveMerged& out) {
  count_first(examples, 1, features);
  rewind(features);
  int64_t pair = 0;
  int64_t value = 0;
  for (int64_t b = 0; b < examples; ++b) {
    out.lengths[b] = 0;
    for (size_t f = 0; f < features.size(); ++f) {
      NaiveFeature& x = features[f];
      if (!x.presence[b]) continue;
      const int32_t length = x.lengths[b];
      ++out.lengths[b];
      out.keys[pair] = ids[f];
      out.values_lengths[pair++] = length;
      if (x.values_keys.data != nullptr)
        copy_run(out.values_keys, value, x.values_keys, x.value, length);
      copy_run(out.values, value, x.values, x.value, length);
      x.value += length;
      value += length;
    }
  }
}

SYLVITE_BENCH_CLONES void naive_single_runs_gradient(int64_t examples,
                                                     std::span<NaiveFeature> features,
                                                     const NaiveArray& dvalues) {
  count_first(examples, 1, features);
  rewind(features);
  int64_t value = 0;
  for (int64_t b = 0; b < examples; ++b) {
    for (NaiveFeature& x : features) {
      if (!x.presence[b]) continue;
      copy_run(x.values, x.value, dvalues, value, x.lengths[b]);
      x.value += x.lengths[b];
      value += x.lengths[b];
    }
  }
}

SYLVITE_BENCH_CLONES void naive_multi_scalars(int64_t examples, std::span<NaiveFeature> features,
                                              const NaiveMerged& out) {
  rewind(features);
  int64_t pair = 0;
  for (int64_t b = 0; b < examples; ++b) {
    out.lengths[b] = 0;
    for (NaiveFeature& x : features) {
      const int32_t length = x.lengths[b];
      out.lengths[b] += length;
      std::memcpy(out.keys + pair, x.keys + x.pair, static_cast<size_t>(length) * sizeof(int64_t));
      copy_run(out.values, pair, x.values, x.pair, length);
      x.pair += length;
      pair += length;
    }
  }
}

SYLVITE_BENCH_CLONES void naive_multi_scalars_gradient(int64_t examples,
                                                       std::span<NaiveFeature> features,
                                                       const NaiveArray& dvalues) {
  count_first(examples, 1, features);
  rewind(features);
  int64_t pair = 0;
  for (int64_t b = 0; b < examples; ++b) {
    for (NaiveFeature& x : features) {
      copy_run(x.values, x.pair, dvalues, pair, x.lengths[b]);
      x.pair += x.lengths[b];
      pair += x.lengths[b];
    }
  }
}

SYLVITE_BENCH_CLONES void naive_multi_runs(int64_t examples, std::span<NaiveFeature> features,
                                           const NaiveMerged& out) {
  rewind(features);
  int64_t pair = 0;
  int64_t value = 0;
  for (int64_t b = 0; b < examples; ++b) {
    out.lengths[b] = 0;
    for (NaiveFeature& x : features) {
      const int32_t pairs = x.lengths[b];
      out.lengths[b] += pairs;
      for (int32_t i = 0; i < pairs; ++i) {
        const int32_t length = x.values_lengths[x.pair];
        out.keys[pair] = x.keys[x.pair++];
        out.values_lengths[pair++] = length;
        if (x.values_keys.data != nullptr)
          copy_run(out.values_keys, value, x.values_keys, x.value, length);
        copy_run(out.values, value, x.values, x.value, length);
        x.value += length;
        value += length;
      }
    }
  }
}

SYLVITE_BENCH_CLONES void naive_multi_runs_gradient(int64_t examples,
                                                    std::span<NaiveFeature> features,
                                                    const NaiveArray& dvalues) {
  count_values_first(features, examples);
  rewind(features);
  int64_t value = 0;
  for (int64_t b = 0; b < examples; ++b) {
    for (NaiveFeature& x : features) {
      for (int32_t i = 0; i < x.lengths[b]; ++i) {
        const int32_t length = x.values_lengths[x.pair++];
        copy_run(x.values, x.value, dvalues, value, length);
        x.value += length;
        value += length;
      }
    }
  }
}

}  // namespace sylvite_bench
