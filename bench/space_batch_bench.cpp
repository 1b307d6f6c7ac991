#include <nlohmann/json.hpp>

#include "baselines.h"
#include "families.h"
#include "support/operand.h"
#include "support/problem.h"
#include "support/report.h"
#include "support/roof.h"
#include "support/rows.h"

namespace sylvite_bench {
namespace {

using sylvite::Context;
using sylvite::DType;
using sylvite::StorePolicy;

constexpr int64_t kLine = 64;

const CacheGroups kGroups(.88, .60, 0);

// Rows of image and phases alike begin on a cache line, in NHWC every pixel too, and nothing is
// padded or cut.
bool has_aligned_rows(const Case& row, const Geometry& g) {
  const int64_t element = element_size(row.dtype);
  const int64_t run = g.channels_last ? g.channels * element : g.phase_w * element;
  return !is_unaligned(row.name) && run % kLine == 0 && g.width == g.phase_w * g.block_w &&
         g.height == g.phase_h * g.block_h;
}

bool has_blocks_2_to_4(const Geometry& g, int axes) {
  const auto in_range = [](int block) { return block >= 2 && block <= 4; };
  return in_range(g.block_w) && (axes == 1 || in_range(g.block_h));
}

// What issue 3 asks of a row.
double floor_of(const Case& row, const Geometry& g, const Group& group) {
  if (&group == &kGroups.small) return 0;
  if (&group == &kGroups.in_cache) return .40;
  const bool easy = row.dtype == DType::kFloat32 && has_blocks_2_to_4(g, row.block.size()) &&
                    has_aligned_rows(row, g);
  return easy ? .95 : .70;
}

Context context_of(const Options& options, StorePolicy stores) {
  return {{.target = options.target, .threads = options.threads, .stores = stores}};
}

std::vector<Contestant> references(Problem& problem, const Context& plain) {
  std::vector<Contestant> all;
  all.push_back({.name = "naive", .call = [&] { problem.naive(problem.y().data()); }});
  all.push_back({.name = "plain", .call = [&] { problem.call(problem.x(), problem.y(), plain); }});
  for (Contestant& baseline : baseline_contestants(problem)) all.push_back(std::move(baseline));
  return all;
}

// Empty, or which of the calls wrote something else than the naive loop.
std::string check(Problem& problem, const Contestant& call, const std::vector<Contestant>& others) {
  std::string wrong = problem.check(call.call);
  for (const Contestant& other : others) {
    if (!wrong.empty()) break;
    wrong = problem.check(other.call);
    if (!wrong.empty()) wrong.insert(0, other.name + ": ");
  }
  return wrong;
}

RowResult measure(const Case& row, const Options& options, Roof& roof) {
  Problem problem(row);
  const Context best = context_of(options, StorePolicy::kAuto);
  const Context plain = context_of(options, StorePolicy::kPlain);
  const sylvite::Plan plan = problem.plan(problem.x().info(), problem.y().info(), best);
  const Group& group = kGroups.of(problem.bytes_moved());

  RowResult result{.name = row.name,
                   .weight = row.weight,
                   .details = details_of(row),
                   .bytes = problem.bytes_moved(),
                   .group = group.name};
  take_explanation(plan.explanation(), result);
  result.floor = floor_of(row, problem.geometry(), group);

  const Contestant call = {.name = row.name, .role = Contestant::Role::kRow, .call = [&] {
                             problem.call(problem.x(), problem.y(), best);
                           }};
  std::vector<Contestant> others = references(problem, plain);
  result.error = check(problem, call, others);
  if (!result.error.empty()) return result;

  std::vector<Contestant> contestants = {call};
  for (Contestant& copy : roof.copies(problem.bytes_moved() / 2))
    contestants.push_back(std::move(copy));
  for (Contestant& other : others) contestants.push_back(std::move(other));
  time_in_turn(contestants, options.min_time);
  take_times(contestants, result);
  return result;
}

}  // namespace

bool run_space_batch(const Options& options, nlohmann::json& json) {
  const std::vector<Case> cases = read_rows("space_batch", options, parse_case);
  std::vector<std::string> columns = {"plain"};
  for (const std::string& name : baseline_names()) columns.push_back(name);

  Roof roof(options.threads);
  return run_family(
      {.name = "space_batch",
       .title = std::string("space_batch: ratios to the best copy of the same bytes; plain") +
                (columns.size() > 1 ? " and the autoschedulers" : "") + ": their ratios",
       .rows = names_of(cases),
       .columns = columns,
       .groups = kGroups.all(),
       .measure = [&](size_t i) { return measure(cases[i], options, roof); }},
      json);
}

}  // namespace sylvite_bench
