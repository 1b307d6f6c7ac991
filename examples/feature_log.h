// A log of impressions as columns: one per feature, with what the merges take.
#pragma once

#include <sylvite/sylvite.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace demo {

/// A feature of any kind; what its kind lacks stays empty.
template <typename Value>
struct Column {
  int64_t id = 0;
  std::vector<int32_t> lengths = {};   ///< lists and maps: entries per example
  std::vector<uint8_t> presence = {};  ///< 1 where the example has the feature
  std::vector<int64_t> keys = {};      ///< maps
  std::vector<Value> values = {};      ///< scalars: one per example, 0 where absent
};

template <typename Value>
using Columns = std::vector<Column<Value>>;

struct FeatureLog {
  int64_t examples = 0;
  Columns<float> context;    ///< numbers of the impression and its item
  Columns<float> user;       ///< numbers of the user
  Columns<int64_t> of_user;  ///< lists of items
  Columns<int64_t> of_item;  ///< lists of categories and items
  Columns<float> user_maps;
  Columns<float> item_maps;
  Columns<std::string> texts;  ///< lists of words
};

/// Reads JSON lines, an impression each, `copies` times one behind the other.
/// Throws std::runtime_error with file and line.
FeatureLog read_feature_log(const std::string& file, int64_t copies);

}  // namespace demo
