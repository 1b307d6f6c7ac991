#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "feature_log.h"

namespace demo {
namespace {

using nlohmann::json;

template <typename Value>
void add_scalar(Column<Value>& column, const json* value) {
  column.presence.push_back(value != nullptr ? 1 : 0);
  column.values.push_back(value != nullptr ? value->get<Value>() : Value{});
}

template <typename Value>
void add_list(Column<Value>& column, const json* list) {
  column.presence.push_back(list != nullptr ? 1 : 0);
  column.lengths.push_back(list != nullptr ? static_cast<int32_t>(list->size()) : 0);
  if (list == nullptr) return;
  for (const json& value : list->get_ref<const json::array_t&>())
    column.values.push_back(value.get<Value>());
}

template <typename Value>
void add_map(Column<Value>& column, const json* map) {
  column.presence.push_back(map != nullptr ? 1 : 0);
  column.lengths.push_back(map != nullptr ? static_cast<int32_t>(map->size()) : 0);
  if (map == nullptr) return;
  for (const auto& [key, value] : map->get_ref<const json::object_t&>()) {
    column.keys.push_back(std::stoll(key));
    column.values.push_back(value.template get<Value>());
  }
}

/// The features of one group, by their names in the log.
template <typename Value>
struct Group {
  Columns<Value> FeatureLog::*columns;
  std::vector<const char*> names;
  void (*add)(Column<Value>& column, const json* value);
};

const Group<float> kContext = {
    &FeatureLog::context, {"hour", "position", "price", "dwell"}, add_scalar};
const Group<float> kUser = {&FeatureLog::user, {"age", "rate", "days"}, add_scalar};
const Group<int64_t> kOfUser = {&FeatureLog::of_user, {"clicked", "bought"}, add_list};
const Group<int64_t> kOfItem = {&FeatureLog::of_item, {"categories", "similar"}, add_list};
const Group<float> kUserMaps = {&FeatureLog::user_maps, {"affinity", "recency"}, add_map};
const Group<float> kItemMaps = {&FeatureLog::item_maps, {"offers"}, add_map};
const Group<std::string> kTexts = {&FeatureLog::texts, {"query", "title"}, add_list};

/// Calls visit(group, id of its first feature) for every group.
template <typename Visit>
void for_each_group(const Visit& visit) {
  int64_t id = 1;
  const auto next = [&](const auto& group) {
    visit(group, id);
    id += static_cast<int64_t>(group.names.size());
  };
  next(kContext);
  next(kUser);
  next(kOfUser);
  next(kOfItem);
  next(kUserMaps);
  next(kItemMaps);
  next(kTexts);
}

std::vector<json> read_lines(const std::string& file) {
  std::ifstream stream(file);
  std::vector<json> lines;
  for (std::string line; std::getline(stream, line);) {
    try {
      lines.push_back(json::parse(line));
    } catch (const json::exception& error) {
      throw std::runtime_error(file + ":" + std::to_string(lines.size() + 1) + ": " + error.what());
    }
  }
  if (lines.empty()) throw std::runtime_error(file + ": no impressions");
  return lines;
}

}  // namespace

FeatureLog read_feature_log(const std::string& file, int64_t copies) {
  const std::vector<json> lines = read_lines(file);
  FeatureLog log;
  log.examples = static_cast<int64_t>(lines.size()) * copies;
  for_each_group([&](const auto& group, int64_t id) {
    auto& columns = log.*group.columns;
    columns.resize(group.names.size());
    for (size_t f = 0; f < columns.size(); ++f) columns[f].id = id + static_cast<int64_t>(f);
    for (int64_t b = 0; b < log.examples; ++b) {
      const size_t at = static_cast<size_t>(b) % lines.size();
      try {
        for (size_t f = 0; f < columns.size(); ++f) {
          const auto found = lines[at].find(group.names[f]);
          group.add(columns[f], found != lines[at].end() ? &*found : nullptr);
        }
      } catch (const std::exception& error) {
        throw std::runtime_error(file + ":" + std::to_string(at + 1) + ": " + error.what());
      }
    }
  });
  return log;
}

}  // namespace demo
