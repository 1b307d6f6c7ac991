// What was measured of one row, and what a family's rows say together.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/table.h"
#include "support/timing.h"
#include "sylvite/plan.h"

namespace sylvite_bench {

struct Reference {
  std::string name;
  Timing timing = {};
  double ratio = 0;  // its speed as a share of the roof
};

struct RowResult {
  std::string name = {};
  double weight = 1;
  nlohmann::json details = nlohmann::json::object();  // dtype, shapes, arguments
  int64_t bytes = 0;                                  // in + out
  std::string group = {};
  std::string kernel = {};
  std::string target = {};
  std::string variant = {};
  std::string error = {};  // empty where every call wrote the right bytes

  Timing timing = {};
  std::vector<Reference> roofs = {};
  std::string best_roof = {};
  double ratio = 0;         // of the fastest samples
  double median_ratio = 0;  // of the rounds
  double floor = 0;         // the issue's; 0: none
  double naive_speed_up = 0;
  double naive_floor = 0;   // asked of naive_speed_up; 0: none
  double most_seconds = 0;  // asked of the time; 0: none
  std::vector<Reference> references = {};

  double gigabytes_per_second() const;
  /// What the row misses: "short: 0.91 of 0.95"; empty where nothing.
  std::string shortfall() const;
};

struct Group {
  std::string name;
  double geomean_floor = 0;  // 0: none, and the group stays out of the last line
};

/// Rows by what they move: beyond the last-level cache, in it, or below kInCacheFrom.
inline constexpr int64_t kInCacheFrom = int64_t{256} << 10;
struct CacheGroups {
  /// The groups' geomean floors.
  CacheGroups(double out_of_cache_floor, double in_cache_floor, double small_floor)
      : out_of_cache{"out of cache", out_of_cache_floor},
        in_cache{"in cache", in_cache_floor},
        small{"below 256 KiB", small_floor} {}

  const Group& of(int64_t bytes) const;
  std::vector<Group> all() const { return {out_of_cache, in_cache, small}; }

  Group out_of_cache;
  Group in_cache;
  Group small;
};

struct Summary {
  std::string name;
  size_t rows = 0;
  std::string worst_row;
  double worst = 0;
  double geomean = 0;
  double geomean_floor = 0;
  std::vector<const RowResult*> short_rows;
  double naive_geomean = 0;
  double naive_mean = 0;
};

/// Kernel, target and variant of what a plan would run.
void take_explanation(const sylvite::Explanation& explanation, RowResult& result);

/// Fills in times, ratios and references from the contestants of one row.
void take_times(const std::vector<Contestant>& contestants, RowResult& result);

/// A family's rows, measured, printed and summed up in one way.
struct Family {
  std::string name;
  std::string title;
  std::vector<std::string> rows;
  std::vector<std::string> columns;  ///< References shown beside the ratio.
  std::vector<Group> groups;
  std::function<RowResult(size_t row)> measure;  ///< What it throws becomes the row's error.
};

/// Prints the table, one block per group and the last line, which counts the groups that have a
/// floor, or all. Returns whether every row wrote the right bytes.
bool run_family(const Family& family, nlohmann::json& json);

}  // namespace sylvite_bench
