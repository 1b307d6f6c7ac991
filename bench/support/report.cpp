#include "support/report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <exception>
#include <limits>
#include <nlohmann/json.hpp>

#include "support/machine.h"

namespace sylvite_bench {
namespace {

constexpr double kMicro = 1e6;
constexpr double kMebi = 1 << 20;
constexpr std::string_view kNaive = "naive";

// Per round: the fastest roof's time over the row's.
double median_of_rounds(const std::vector<Contestant>& contestants, const Contestant& row) {
  std::vector<double> ratios;
  for (size_t round = 0; round < row.seconds.size(); ++round) {
    double roof = std::numeric_limits<double>::infinity();
    for (const Contestant& contestant : contestants)
      if (contestant.role == Contestant::Role::kRoof)
        roof = std::min(roof, contestant.seconds[round]);
    ratios.push_back(roof / row.seconds[round]);
  }
  return median(ratios);
}

const Reference* find(const std::vector<Reference>& references, std::string_view name) {
  const auto found = std::find_if(references.begin(), references.end(),
                                  [&](const Reference& each) { return each.name == name; });
  return found == references.end() ? nullptr : &*found;
}

nlohmann::json to_json(const Timing& timing) {
  return {{"min_us", timing.min * kMicro}, {"median_us", timing.median * kMicro}};
}

nlohmann::json to_json(const std::vector<Reference>& references) {
  nlohmann::json all = nlohmann::json::object();
  for (const Reference& reference : references) {
    all[reference.name] = to_json(reference.timing);
    all[reference.name]["ratio"] = reference.ratio;
  }
  return all;
}

nlohmann::json to_json(const Summary& summary) {
  nlohmann::json shorts = nlohmann::json::array();
  for (const RowResult* row : summary.short_rows) shorts.push_back(row->name);
  return {{"rows", summary.rows},
          {"worst", summary.worst},
          {"worst_row", summary.worst_row},
          {"geomean", summary.geomean},
          {"geomean_floor", summary.geomean_floor},
          {"short", shorts},
          {"naive_geomean", summary.naive_geomean},
          {"naive_mean", summary.naive_mean}};
}

void print_summary(const Summary& summary) {
  std::printf("%s: %zu rows, worst %.2f (%s), geomean %.2f", summary.name.c_str(), summary.rows,
              summary.worst, summary.worst_row.c_str(), summary.geomean);
  if (summary.geomean_floor > 0)
    std::printf(" of %.2f%s", summary.geomean_floor,
                summary.geomean < summary.geomean_floor ? " SHORT" : "");
  if (summary.naive_geomean > 0)
    std::printf(", naive loop %.1f times slower (geomean), %.1f (mean)", summary.naive_geomean,
                summary.naive_mean);
  std::puts("");
  if (summary.geomean_floor == 0 && summary.short_rows.empty()) return;
  std::printf("  short: %zu of %zu rows under their floors\n", summary.short_rows.size(),
              summary.rows);
  for (const RowResult* row : summary.short_rows)
    std::printf("  %s: %s\n", row->name.c_str(), row->shortfall().c_str());
}

void print_last_line(const std::string& family, const Summary& all) {
  std::printf("%s: worst %.2f (%s), geomean %.2f", family.c_str(), all.worst,
              all.worst_row.empty() ? "no row" : all.worst_row.c_str(), all.geomean);
  if (all.naive_geomean > 0) std::printf(", naive %.1f", all.naive_geomean);
  std::puts("");
  std::fflush(stdout);
}

Table row_table(const Family& family) {
  size_t widest = 0;
  for (const std::string& row : family.rows) widest = std::max(widest, row.size());
  std::vector<Table::Column> columns = {
      {.title = "row", .width = static_cast<int>(widest)},
      {.title = "MiB", .width = 7},
      {.title = "min us", .width = 9},
      {.title = "median us", .width = 9},
      {.title = "GB/s", .width = 6},
      {.title = "ratio", .width = 5},
      {.title = "median", .width = 6},
      {.title = "naive x", .width = 7},
  };
  for (const std::string& name : family.columns) columns.push_back({.title = name, .width = 5});
  columns.push_back({.title = "", .width = 0});
  return Table(std::move(columns));
}

void print_row(const Table& table, const RowResult& result,
               const std::vector<std::string>& references) {
  if (!result.error.empty())
    return table.print({result.name, result.error.substr(0, result.error.find('\n'))});
  std::vector<std::string> cells = {
      result.name,
      number(static_cast<double>(result.bytes) / kMebi, 3),
      number(result.timing.min * kMicro, 1),
      number(result.timing.median * kMicro, 1),
      number(result.gigabytes_per_second(), 1),
      number(result.ratio, 2),
      number(result.median_ratio, 2),
      number(result.naive_speed_up, 1),
  };
  for (const std::string& name : references) {
    const Reference* reference = find(result.references, name);
    cells.push_back(number(reference ? reference->ratio : 0, 2));
  }
  cells.push_back(result.shortfall());
  table.print(cells);
}

Summary summarize(const std::vector<RowResult>& results, const std::vector<Group>& groups) {
  Summary summary;
  double weight = 0;
  double log_ratio = 0;
  double log_naive = 0;
  for (const RowResult& each : results) {
    if (!each.error.empty() || std::none_of(groups.begin(), groups.end(), [&](const Group& group) {
          return group.name == each.group;
        }))
      continue;
    if (summary.rows++ == 0 || each.ratio < summary.worst) {
      summary.worst = each.ratio;
      summary.worst_row = each.name;
    }
    weight += each.weight;
    log_ratio += each.weight * std::log(each.ratio);
    if (each.naive_speed_up > 0) log_naive += each.weight * std::log(each.naive_speed_up);
    summary.naive_mean += each.weight * each.naive_speed_up;
    if (!each.shortfall().empty()) summary.short_rows.push_back(&each);
  }
  if (summary.rows == 0) return summary;
  summary.geomean = std::exp(log_ratio / weight);
  summary.naive_mean /= weight;
  summary.naive_geomean = summary.naive_mean > 0 ? std::exp(log_naive / weight) : 0;
  return summary;
}

nlohmann::json print_summaries(const std::string& family, const std::vector<RowResult>& results,
                               const std::vector<Group>& groups) {
  nlohmann::json all = nlohmann::json::object();
  std::vector<Group> judged;
  std::puts("");
  for (const Group& group : groups) {
    Summary summary = summarize(results, {group});
    summary.name = group.name;
    summary.geomean_floor = group.geomean_floor;
    if (group.geomean_floor > 0) judged.push_back(group);
    if (summary.rows == 0) continue;
    print_summary(summary);
    all["groups"][group.name] = to_json(summary);
  }
  const auto wrong = std::count_if(results.begin(), results.end(),
                                   [](const RowResult& each) { return !each.error.empty(); });
  if (wrong > 0) std::printf("wrong: %td of %zu rows\n", wrong, results.size());
  Summary total = summarize(results, judged);
  if (total.rows == 0) total = summarize(results, groups);
  print_last_line(family, total);
  all["total"] = to_json(total);
  all["wrong"] = wrong;
  return all;
}

nlohmann::json to_json(const RowResult& result) {
  nlohmann::json row = {{"name", result.name},
                        {"weight", result.weight},
                        {"bytes", result.bytes},
                        {"group", result.group},
                        {"kernel", result.kernel},
                        {"target", result.target},
                        {"variant", result.variant},
                        {"error", result.error},
                        {"time", to_json(result.timing)},
                        {"gb_per_s", result.gigabytes_per_second()},
                        {"ratio", result.ratio},
                        {"median_ratio", result.median_ratio},
                        {"floor", result.floor},
                        {"short", result.shortfall()},
                        {"best_roof", result.best_roof},
                        {"roofs", to_json(result.roofs)},
                        {"naive_speed_up", result.naive_speed_up},
                        {"references", to_json(result.references)}};
  row.update(result.details);
  return row;
}

}  // namespace

double RowResult::gigabytes_per_second() const {
  return timing.min > 0 ? static_cast<double>(bytes) / timing.min * 1e-9 : 0;
}

std::string RowResult::shortfall() const {
  if (!error.empty()) return {};
  if (ratio < floor) return "short: " + number(ratio, 2) + " of " + number(floor, 2);
  if (naive_speed_up < naive_floor)
    return "short: " + number(naive_speed_up, 1) + " of " + number(naive_floor, 1) + " times naive";
  if (most_seconds > 0 && timing.min > most_seconds)
    return "short: " + number(timing.min * kMicro, 1) + " of " + number(most_seconds * kMicro, 1) +
           " us";
  return {};
}

void take_times(const std::vector<Contestant>& contestants, RowResult& result) {
  double roof = std::numeric_limits<double>::infinity();
  const Contestant* row = nullptr;
  for (const Contestant& contestant : contestants) {
    const Timing taken = timing(contestant);
    if (contestant.role == Contestant::Role::kRow) {
      row = &contestant;
      result.timing = taken;
    } else if (contestant.role == Contestant::Role::kRoof) {
      result.roofs.push_back({.name = contestant.name, .timing = taken});
      if (taken.min < roof) result.best_roof = contestant.name;
      roof = std::min(roof, taken.min);
    } else {
      result.references.push_back({.name = contestant.name, .timing = taken});
    }
  }
  if (row == nullptr) return;
  result.ratio = roof / result.timing.min;
  result.median_ratio = median_of_rounds(contestants, *row);
  for (Reference& each : result.roofs) each.ratio = roof / each.timing.min;
  for (Reference& each : result.references) each.ratio = roof / each.timing.min;
  if (const Reference* naive = find(result.references, kNaive))
    result.naive_speed_up = naive->timing.min / result.timing.min;
}

const Group& CacheGroups::of(int64_t bytes) const {
  if (bytes > last_level_cache()) return out_of_cache;
  return bytes >= kInCacheFrom ? in_cache : small;
}

void take_explanation(const sylvite::Explanation& explanation, RowResult& result) {
  result.kernel = explanation.kernel;
  result.target = explanation.target;
  result.variant = explanation.variant;
}

bool run_family(const Family& family, nlohmann::json& json) {
  std::puts(family.title.c_str());
  const Table table = row_table(family);
  table.print_header();
  std::vector<RowResult> results;
  json["rows"] = nlohmann::json::array();
  for (size_t row = 0; row < family.rows.size(); ++row) {
    try {
      results.push_back(family.measure(row));
    } catch (const std::exception& error) {
      results.push_back({.name = family.rows[row], .error = error.what()});
    }
    print_row(table, results.back(), family.columns);
    json["rows"].push_back(to_json(results.back()));
  }
  json["summary"] = print_summaries(family.name, results, family.groups);
  return json["summary"]["wrong"] == 0;
}

}  // namespace sylvite_bench
