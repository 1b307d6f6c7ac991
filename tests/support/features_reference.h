// The merges of feature tensors and their gradients as the contract states them, one value after
// another.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sylvite/sylvite.h"

namespace sylvite::test {

enum class Merge : uint8_t {
  kDense,
  kSingleScalar,
  kSingleList,
  kSingleMap,
  kMultiScalar,
  kMultiList,
  kMultiMap,
};
inline constexpr Merge kMerges[] = {Merge::kDense,     Merge::kSingleScalar, Merge::kSingleList,
                                    Merge::kSingleMap, Merge::kMultiScalar,  Merge::kMultiList,
                                    Merge::kMultiMap};

constexpr bool is_multi(Merge merge) { return merge >= Merge::kMultiScalar; }
constexpr bool is_map(Merge merge) {
  return merge == Merge::kSingleMap || merge == Merge::kMultiMap;
}
/// Lists or maps, else scalars.
constexpr bool is_ragged(Merge merge) {
  return is_map(merge) || merge == Merge::kSingleList || merge == Merge::kMultiList;
}

/// The bytes of each element, or its text.
using Elements = std::vector<std::string>;

/// One input; what its kind does not have stays empty. A column of data and presence for kDense.
struct Feature {
  std::vector<int32_t> lengths;
  std::vector<uint8_t> presence;  ///< any byte but 0 means present
  std::vector<int64_t> keys;
  std::vector<int32_t> values_lengths;
  Elements values_keys;
  Elements values;
};

struct FeatureCase {
  Merge merge = Merge::kDense;
  int64_t examples = 0;
  DType dtype = DType::kFloat32;
  DType key_dtype = DType::kInt64;  ///< of a map's keys
  std::vector<int64_t> feature_ids = {};
  std::vector<Feature> features = {};
};

/// The merged tensors, as far as their kind has them.
struct Merged {
  std::vector<int32_t> lengths;
  std::vector<int64_t> keys;
  std::vector<int32_t> values_lengths;
  Elements values_keys;
  Elements values;
};

Merged reference_merge(const FeatureCase& c);

/// Per feature: the merged gradient at the places its values came from, else zero.
std::vector<Elements> reference_gradient(const FeatureCase& c, const Elements& dvalues);

}  // namespace sylvite::test
