#include "support/chart.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <stdexcept>
#include <vector>

namespace sylvite_bench {
namespace {

bool plot_succeeds(std::vector<std::string> arguments) {
  std::string script = SYLVITE_BENCH_DIR "/plot.py";
  if (!std::filesystem::exists(script)) script = "bench/plot.py";
  arguments.insert(arguments.begin(), {"python3", script});
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  pid_t child = 0;
  if (posix_spawnp(&child, "python3", nullptr, nullptr, argv.data(), environ) != 0) return false;
  int status = 0;
  return waitpid(child, &status, 0) == child && status == 0;
}

}  // namespace

void draw_chart(const std::string& json_file, const std::string& chart_file) {
  if (!plot_succeeds({json_file, chart_file}))
    throw std::runtime_error("--plot: " + chart_file + " could not be drawn from " + json_file);
}

void check_chart(const std::string& chart_file) {
  if (!plot_succeeds({"--check", chart_file}))
    throw std::runtime_error("--plot: bench/plot.py cannot draw " + chart_file +
                             " here; ./x bench has the packages it wants");
}

}  // namespace sylvite_bench
