#include "support/features_reference.h"

namespace sylvite::test {
namespace {

/// Calls visit(example, feature, key, first, count) for every value, list or map of the output in its
/// order: elements [first, first + count) of the feature's values.
template <typename Visit>
void for_each_run(const FeatureCase& c, const Visit& visit) {
  std::vector<size_t> next_pair(c.features.size(), 0);
  std::vector<size_t> next_value(c.features.size(), 0);
  for (size_t b = 0; b < static_cast<size_t>(c.examples); ++b) {
    for (size_t f = 0; f < c.features.size(); ++f) {
      const Feature& x = c.features[f];
      if (!is_multi(c.merge)) {
        if (x.presence[b] == 0) continue;
        const size_t count = is_ragged(c.merge) ? static_cast<size_t>(x.lengths[b]) : 1;
        visit(b, f, c.feature_ids[f], is_ragged(c.merge) ? next_value[f] : b, count);
        next_value[f] += count;
        continue;
      }
      for (int32_t i = 0; i < x.lengths[b]; ++i) {
        const size_t pair = next_pair[f]++;
        const size_t count = is_ragged(c.merge) ? static_cast<size_t>(x.values_lengths[pair]) : 1;
        visit(b, f, x.keys[pair], next_value[f], count);
        next_value[f] += count;
      }
    }
  }
}

}  // namespace

Merged reference_merge(const FeatureCase& c) {
  Merged out;
  out.lengths.assign(static_cast<size_t>(c.examples), 0);
  for_each_run(c, [&](size_t b, size_t f, int64_t key, size_t first, size_t count) {
    const Feature& x = c.features[f];
    ++out.lengths[b];
    out.keys.push_back(key);
    if (is_ragged(c.merge)) out.values_lengths.push_back(static_cast<int32_t>(count));
    for (size_t i = first; i < first + count; ++i) {
      if (is_map(c.merge)) out.values_keys.push_back(x.values_keys[i]);
      out.values.push_back(x.values[i]);
    }
  });
  return out;
}

std::vector<Elements> reference_gradient(const FeatureCase& c, const Elements& dvalues) {
  const bool text = c.dtype == DType::kString;
  const std::string zero(text ? 0 : static_cast<size_t>(element_size(c.dtype)), '\0');
  std::vector<Elements> result;
  for (const Feature& x : c.features) result.emplace_back(x.values.size(), zero);
  size_t next = 0;
  for_each_run(c, [&](size_t, size_t f, int64_t, size_t first, size_t count) {
    for (size_t i = first; i < first + count; ++i) result[f][i] = dvalues[next++];
  });
  return result;
}

}  // namespace sylvite::test
