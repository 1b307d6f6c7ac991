// What running by name costs beyond the kernel: one operator, a scope's push and pop, a long net.
#include <cstdio>
#include <nlohmann/json.hpp>
#include <regex>
#include <string>
#include <vector>

#include "families.h"
#include "support/table.h"
#include "support/timing.h"
#include "sylvite/sylvite.h"

namespace sylvite_bench {
namespace {

using sylvite::DType;
using sylvite::Net;
using sylvite::OperatorDef;
using sylvite::Tensor;
using sylvite::Workspace;
using sylvite::WorkspaceStack;

constexpr double kNano = 1e9;
constexpr double kLimit = 1000;  // ns, issue 6's
constexpr int kNetOperators = 1000;

/// A row: what is timed, the kernel alone that is taken off, and how many operators a call runs.
struct Row {
  std::string name;
  std::function<void()> call;
  std::function<void()> kernel;
  int operators = 1;
};

OperatorDef phases(std::string x, std::string y) {
  return {.type = "SpaceToBatch", .inputs = {std::move(x)}, .outputs = {std::move(y)}};
}

double nanoseconds(const Contestant& contestant) { return timing(contestant).min * kNano; }

nlohmann::json report(const Row& row, const Table& table, double min_time) {
  std::vector<Contestant> ways = {
      {.name = row.name, .role = Contestant::Role::kRow, .call = row.call}};
  if (row.kernel)
    ways.push_back({.name = "kernel", .role = Contestant::Role::kRow, .call = row.kernel});
  time_in_turn(ways, min_time);
  const double whole = nanoseconds(ways[0]) / row.operators;
  const double kernel = row.kernel ? nanoseconds(ways[1]) : 0;
  const double beyond = whole - kernel;
  table.print({row.name, number(whole, 0), number(kernel, 0), number(beyond, 0), number(kLimit, 0),
               beyond > kLimit ? "short" : ""});
  return {{"name", row.name},
          {"min_ns", whole},
          {"kernel_ns", kernel},
          {"beyond_ns", beyond},
          {"limit_ns", kLimit}};
}

}  // namespace

bool run_scope(const Options& options, nlohmann::json& json) {
  Workspace workspace(sylvite::builtin_registry(),
                      sylvite::Context({.target = options.target, .threads = options.threads}));
  const sylvite::Shape shape = {1, 1, 8, 8};
  workspace.feed("X", Tensor::empty(DType::kFloat32, shape));
  const OperatorDef def = phases("X", "Y");
  workspace.run(def);
  const Tensor x = workspace.get("X");
  Tensor y = Tensor::empty(DType::kFloat32, {4, 1, 4, 4});
  const sylvite::Plan plan =
      sylvite::space_to_batch_plan(x.info(), y.info(), {}, workspace.context());
  const std::function<void()> kernel = [&] { plan.run(x, y); };

  std::vector<OperatorDef> many;
  many.reserve(kNetOperators);
  for (int i = 0; i < kNetOperators; ++i) many.push_back(phases("X", "Y" + std::to_string(i)));
  const Net net("many", std::move(many));
  const sylvite::Bindings bindings = {{"x", "X"}};
  WorkspaceStack stack;
  const std::vector<Row> rows = {
      {.name = "operator_by_name", .call = [&] { workspace.run(def); }, .kernel = kernel},
      {.name = "operator_in_net_of_1000",
       .call = [&] { workspace.run(net); },
       .kernel = kernel,
       .operators = kNetOperators},
      {.name = "push_and_pop",
       .call =
           [&] {
             stack.push_forward(workspace, bindings);
             stack.pop_gradient(workspace, bindings);
           },
       .kernel = {}},
  };
  const Table table({{.title = "call", .width = 24},
                     {.title = "min ns", .width = 8},
                     {.title = "kernel", .width = 6},
                     {.title = "beyond", .width = 6},
                     {.title = "limit", .width = 5},
                     {.title = ""}});
  std::puts("scope: calls by name in a warm workspace, beside the planned call of the same kernel");
  table.print_header();
  json["rows"] = nlohmann::json::array();
  double worst = 0;
  const std::regex filter(options.filter);
  for (const Row& row : rows) {
    if (!std::regex_search(row.name, filter)) continue;
    json["rows"].push_back(report(row, table, options.min_time));
    worst = std::max(worst, json["rows"].back()["beyond_ns"].get<double>());
  }
  std::printf("scope: %.0f ns of %.0f beyond the kernel\n", worst, kLimit);
  return true;
}

}  // namespace sylvite_bench
