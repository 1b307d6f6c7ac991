// What was measured of one row, and what a family's rows say together.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "support/cases.h"
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
  Case row = {};
  int64_t bytes = 0;  // in + out
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
  std::vector<Reference> references = {};

  double gigabytes_per_second() const;
  bool is_short() const { return error.empty() && ratio < floor; }
};

struct Group {
  std::string name;
  double geomean_floor = 0;  // 0: none, and the group stays out of the last line
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

/// Fills in times, ratios and references from the contestants of one row.
void take_times(const std::vector<Contestant>& contestants, RowResult& result);

Table row_table(const std::vector<Case>& cases, const std::vector<std::string>& references);
void print_row(const Table& table, const RowResult& result,
               const std::vector<std::string>& references);

/// Rows whose group is in `groups`; weights count in the geometric means.
Summary summarize(const std::vector<RowResult>& results, const std::vector<Group>& groups);

/// One block per group, then the family's last line: the groups that have a floor, or all.
/// Returns the summaries as JSON.
nlohmann::json print_summaries(const std::string& family, const std::vector<RowResult>& results,
                               const std::vector<Group>& groups);

nlohmann::json to_json(const RowResult& result);

}  // namespace sylvite_bench
