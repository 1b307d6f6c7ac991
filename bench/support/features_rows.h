// One line of bench/shapes/features.txt: a merge of features, or its gradient, on a batch of examples.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "sylvite/tensor.h"

namespace sylvite_bench {

enum class Merge : uint8_t {
  kDense,
  kSingleScalar,
  kSingleList,
  kSingleMap,
  kMultiScalar,
  kMultiList,
  kMultiMap,
};
constexpr bool is_multi(Merge merge) { return merge >= Merge::kMultiScalar; }
constexpr bool is_map(Merge merge) {
  return merge == Merge::kSingleMap || merge == Merge::kMultiMap;
}
constexpr bool is_ragged(Merge merge) {
  return is_map(merge) || merge == Merge::kSingleList || merge == Merge::kMultiList;
}

struct Range {
  int64_t low = 0;
  int64_t high = 0;
};

struct FeaturesRow {
  std::string name;
  Merge merge = Merge::kDense;
  bool gradient = false;
  sylvite::DType dtype = sylvite::DType::kFloat32;
  int64_t examples = 0;
  int64_t features = 1;
  Range pairs = {};    ///< per example and input of a multi-feature
  Range lengths = {};  ///< of lists and maps
  double presence = 1;
  bool skewed = false;  ///< one example holds half of all values
  double naive_floor = 0;
  double most_us = 0;
  double weight = 1;
};

/// One line without comment; throws std::runtime_error.
FeaturesRow parse_features_row(std::string_view line);
nlohmann::json details_of(const FeaturesRow& row);

}  // namespace sylvite_bench
