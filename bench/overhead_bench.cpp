#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <regex>

#include "families.h"
#include "support/problem.h"
#include "support/table.h"
#include "support/timing.h"

namespace sylvite_bench {
namespace {

using sylvite::Context;
using sylvite::Plan;

constexpr double kNano = 1e9;
// Issue 3's, in ns, held against whole calls on tensors so small that the work hardly counts.
constexpr double kPlannedLimit = 200;
constexpr double kUnplannedLimit = 500;

// A copy of one element, then kernels with next to nothing to do.
constexpr const char* kProblems[] = {
    "element    s2b float32 nchw 1x1x1x1 1x1 -       1",
    "tiny       s2b float32 nchw 1x1x2x2 2x2 -       1",
    "tiny_pads  s2b float32 nchw 1x1x3x3 2x2 1:0,1:0 1",
    "small      s2b float32 nchw 1x1x8x8 2x2 -       1",
    "small_back b2s float32 nchw 4x1x4x4 2x2 -       1",
    "kib        s2b float32 nchw 1x1x16x16 2x2 -     1",
    "kib_back   b2s float32 nchw 4x1x8x8 2x2 -       1",
};

double limit_of(const Contestant& way) {
  if (way.name.ends_with("/planned")) return kPlannedLimit;
  return way.name.ends_with("/unplanned") ? kUnplannedLimit : 0;
}

std::vector<Contestant> ways_to_write(Problem& problem, const Plan& plan, const Context& context) {
  const std::string& name = problem.row().name;
  return {
      {.name = name + "/loop", .call = [&] { problem.naive(problem.y().data()); }},
      {.name = name + "/planned", .call = [&] { plan.run(problem.x(), problem.y()); }},
      {.name = name + "/unplanned",
       .call = [&] { problem.call(problem.x(), problem.y(), context); }},
  };
}

// The calls of one problem, timed in turn. Empty where one of them wrote wrong bytes.
std::vector<Contestant> measure(const Case& row, const Options& options) {
  const Context context({.target = options.target, .threads = options.threads});
  Problem problem(row);
  const Plan plan = problem.plan(problem.x().info(), problem.y().info(), context);
  std::vector<Contestant> ways = ways_to_write(problem, plan, context);
  for (const Contestant& way : ways) {
    const std::string wrong = problem.check(way.call);
    if (wrong.empty()) continue;
    std::printf("%s: %s\n", way.name.c_str(), wrong.c_str());
    return {};
  }
  ways.push_back({.name = row.name + "/plan_made", .call = [&] {
                    const Plan made = problem.plan(problem.x().info(), problem.y().info(), context);
                  }});
  for (Contestant& way : ways) way.role = Contestant::Role::kRow;
  time_in_turn(ways, options.min_time);
  return ways;
}

nlohmann::json report(const Contestant& way, const Table& table) {
  const Timing taken = timing(way);
  const double limit = limit_of(way);
  const bool is_short = limit > 0 && taken.min * kNano > limit;
  table.print({way.name, number(taken.min * kNano, 1), number(taken.median * kNano, 1),
               number(limit, 0), is_short ? "short" : ""});
  return {{"name", way.name},
          {"min_ns", taken.min * kNano},
          {"median_ns", taken.median * kNano},
          {"limit_ns", limit},
          {"short", is_short}};
}

double slowest(const nlohmann::json& rows, double limit) {
  double most = 0;
  for (const auto& row : rows)
    if (row["limit_ns"] == limit) most = std::max(most, row["min_ns"].get<double>());
  return most;
}

}  // namespace

bool run_overhead(const Options& options, nlohmann::json& json) {
  const Table table({{.title = "call", .width = 20},
                     {.title = "min ns", .width = 8},
                     {.title = "median ns", .width = 9},
                     {.title = "limit", .width = 5},
                     {.title = ""}});
  std::puts("overhead: whole calls on next to nothing, beside the naive loop");
  table.print_header();
  bool passed = true;
  nlohmann::json& rows = json["rows"] = nlohmann::json::array();
  const std::regex filter(options.filter);
  for (const char* line : kProblems) {
    const Case row = parse_case(line);
    if (!std::regex_search(row.name, filter)) continue;
    const std::vector<Contestant> ways = measure(row, options);
    passed = passed && !ways.empty();
    for (const Contestant& way : ways) rows.push_back(report(way, table));
  }
  std::printf("overhead: planned %.0f ns of %.0f, unplanned %.0f ns of %.0f\n",
              slowest(rows, kPlannedLimit), kPlannedLimit, slowest(rows, kUnplannedLimit),
              kUnplannedLimit);
  return passed;
}

}  // namespace sylvite_bench
