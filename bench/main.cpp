// sylvite_bench [family]: speed against the memory roof, measured in turn with it.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "families.h"
#include "support/chart.h"
#include "support/machine.h"

namespace {

using sylvite_bench::Options;

struct Family {
  const char* name;
  bool (*run)(const Options&, nlohmann::json&);
  bool by_default;  // `sylvite_bench` without a family runs it
};

constexpr Family kFamilies[] = {
    {.name = "overhead", .run = sylvite_bench::run_overhead, .by_default = true},
    {.name = "features", .run = sylvite_bench::run_features, .by_default = true},
    {.name = "scope", .run = sylvite_bench::run_scope, .by_default = true},
    {.name = "gpu", .run = sylvite_bench::run_gpu, .by_default = false},
    {.name = "join", .run = sylvite_bench::run_join, .by_default = true},
    {.name = "space_batch", .run = sylvite_bench::run_space_batch, .by_default = true},
    {.name = "expand", .run = sylvite_bench::run_expand, .by_default = true},
    {.name = "cast", .run = sylvite_bench::run_cast, .by_default = true},
    {.name = "expand_gradient", .run = sylvite_bench::run_expand_gradient, .by_default = true},
};

struct Arguments {
  Options options;
  std::string family;
  std::string json_file;
  std::string chart_file;
};

void declare(CLI::App& app, Arguments& arguments) {
  std::vector<std::string> names;
  for (const Family& family : kFamilies) names.emplace_back(family.name);
  Options& options = arguments.options;
  options.threads = sylvite_bench::core_count();
  app.add_option("family", arguments.family, "what to run; without: all but gpu")
      ->check(CLI::IsMember(names));
  app.add_option("--json", arguments.json_file, "write every figure to this file");
  app.add_option("--plot", arguments.chart_file,
                 "draw a chart (.png, .svg, .pdf); its figures go to --json or beside it");
  app.add_option("--filter", options.filter, "regular expression on row names");
  app.add_option("--min-time", options.min_time, "seconds of measuring per row")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--threads", options.threads, "threads of calls and copies")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  app.add_option("--target", options.target, "kernels of this target instead of the best");
  app.add_option("--shapes", options.shapes, "rows from this file")->check(CLI::ExistingFile);
}

std::string json_file_of(const Arguments& arguments) {
  if (!arguments.json_file.empty() || arguments.chart_file.empty()) return arguments.json_file;
  return std::filesystem::path(arguments.chart_file).replace_extension("json").string();
}

int run(const Arguments& arguments) {
  if (!arguments.chart_file.empty()) sylvite_bench::check_chart(arguments.chart_file);
  const std::string json_file = json_file_of(arguments);
  nlohmann::json all = {{"machine", sylvite_bench::describe_machine(arguments.options.threads)},
                        {"min_time", arguments.options.min_time}};
  std::ofstream file;
  if (!json_file.empty()) file.open(json_file);
  if (!file) throw std::runtime_error(json_file + ": cannot be written");

  const nlohmann::json& machine = all["machine"];
  std::printf("%s, %d threads, last-level cache %lld MiB\n",
              machine["cpu"].get<std::string>().c_str(), arguments.options.threads,
              static_cast<long long>(sylvite_bench::last_level_cache() >> 20));
  bool passed = true;
  for (const Family& family : kFamilies) {
    if (arguments.family.empty() ? !family.by_default : arguments.family != family.name) continue;
    passed = family.run(arguments.options, all["families"][family.name]) && passed;
  }
  if (file.is_open()) file << all.dump(1) << '\n' << std::flush;
  if (!arguments.chart_file.empty()) sylvite_bench::draw_chart(json_file, arguments.chart_file);
  return passed ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Speed of Sylvite's operators against the memory roof");
  Arguments arguments;
  declare(app, arguments);
  CLI11_PARSE(app, argc, argv);
  try {
    return run(arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "sylvite_bench: %s\n", error.what());
    return 2;
  }
}
