#include <nlohmann/json.hpp>

#include "families.h"
#include "support/features_problem.h"
#include "support/report.h"
#include "support/roof.h"
#include "support/rows.h"

namespace sylvite_bench {
namespace {

using sylvite::Context;

const Group kGroup = {.name = "features"};

RowResult measure(const FeaturesRow& row, const Options& options, Roof& roof) {
  FeaturesProblem problem(row);
  const Context context({.target = options.target, .threads = options.threads});
  RowResult result{.name = row.name,
                   .weight = row.weight,
                   .details = details_of(row),
                   .bytes = problem.bytes_moved(),
                   .group = kGroup.name,
                   .naive_floor = row.naive_floor,
                   .most_seconds = row.most_us * 1e-6};
  result.error = problem.check([&] { problem.call(context); });
  if (!result.error.empty()) return result;

  std::vector<Contestant> contestants = roof.copies(problem.bytes_moved() / 2);
  contestants.push_back(
      {.name = row.name, .role = Contestant::Role::kRow, .call = [&] { problem.call(context); }});
  contestants.push_back({.name = "naive", .call = [&] { problem.naive(); }});
  if (problem.has_sizes())
    contestants.push_back({.name = "checks", .call = [&] { problem.sizes(context); }});
  time_in_turn(contestants, options.min_time);
  take_times(contestants, result);
  for (Reference& reference : result.references) {
    if (reference.name == "checks") reference.ratio = reference.timing.min / result.timing.min;
  }
  return result;
}

}  // namespace

bool run_features(const Options& options, nlohmann::json& json) {
  const std::vector<FeaturesRow> rows = read_rows("features", options, parse_features_row);
  Roof roof(options.threads);
  return run_family(
      {.name = "features",
       .title = "features: ratios to the best copy of the same bytes; checks: share of the time "
                "that validating and counting take",
       .rows = names_of(rows),
       .columns = {"checks"},
       .groups = {kGroup},
       .measure = [&](size_t i) { return measure(rows[i], options, roof); }},
      json);
}

}  // namespace sylvite_bench
