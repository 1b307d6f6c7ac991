// The tuner's runner: a candidate's kernels against the default ones, in one process. Prints JSON, an
// object per line.
//
//   runner chip                          the processor, its last-level cache, the threads of a call
//   runner list                          the timed lines that reach the kernels, and how large they are
//   runner check [ROW,ROW…]              the bytes of both on every checked line, or on those of these names
//   runner time ROW,ROW… [--seconds S] [--roof] [--stores]   both in turn, S seconds in all; with
//                                        --stores: the default with ordinary stores and with streaming ones
// and for each [--target T] [--threads N].
#include <algorithm>
#include <array>
#include <chrono>
#include <cinttypes>
#include <cmath>
#include <cstdio>
#include <exception>
#include <optional>
#include <stdexcept>
#include <vector>

#include "runner/job.h"
#include "runner/switch.h"
#include "runtime/move.h"
#include "support/cuda_driver.h"
#include "support/machine.h"
#include "support/roof.h"
#include "support/rows.h"

namespace sylvite_runner {

int chosen = 0;

namespace {

using sylvite::Context;
using sylvite::Device;
using sylvite::DeviceKind;
using sylvite::StorePolicy;

struct Arguments {
  std::string command;
  std::string target;
  std::string rows;
  int threads = 1;
  double seconds = 5;
  bool roof = false;
  bool stores = false;
};

double now() {
  using Clock = std::chrono::steady_clock;
  return std::chrono::duration<double>(Clock::now().time_since_epoch()).count();
}

Arguments arguments_of(int argc, char** argv) {
  Arguments arguments;
  arguments.threads = sylvite_bench::core_count();
  const auto value = [&](int& i) -> const char* {
    if (i + 1 >= argc) throw std::runtime_error(std::string(argv[i]) + " wants a value");
    return argv[++i];
  };
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--target") {
      arguments.target = value(i);
    } else if (word == "--threads") {
      arguments.threads = static_cast<int>(sylvite_bench::parse_integer("--threads", value(i), 1));
    } else if (word == "--seconds") {
      arguments.seconds = sylvite_bench::parse_number("--seconds", value(i));
    } else if (word == "--roof") {
      arguments.roof = true;
    } else if (word == "--stores") {
      arguments.stores = true;
    } else if (arguments.command.empty()) {
      arguments.command = word;
    } else if (arguments.rows.empty()) {
      arguments.rows = word;
    } else {
      throw std::runtime_error("unknown argument " + std::string(word));
    }
  }
  return arguments;
}

Device device_of(const std::string& target) {
  if (target.starts_with("cuda")) return {DeviceKind::kCuda, 0};
  if (target.starts_with("opencl")) return {DeviceKind::kOpenCl, 0};
  return {};
}

void clear_calls() {
  for (int i = 0; i < kSwitchCount; ++i) switches[i].calls[0] = switches[i].calls[1] = 0;
}

long calls_of(int variant) {
  long calls = 0;
  for (int i = 0; i < kSwitchCount; ++i) calls += switches[i].calls[variant];
  return calls;
}

int chip(const Arguments& arguments) {
  std::printf("{\"chip\": \"%s\", \"threads\": %d, \"cache\": %lld}\n",
              sylvite_bench::cpu_model().c_str(), arguments.threads,
              static_cast<long long>(sylvite::internal::last_level_cache()));
  return 0;
}

int list(const Arguments& arguments) {
  const Device device = device_of(arguments.target);
  const Context context({.target = arguments.target, .threads = arguments.threads});
  for (int i = 0; i < kTimedCount; ++i) {
    const Job job = kTimed[i].parse(kTimed[i].text);
    clear_calls();
    Operands(job, device, false).call(context);
    if (calls_of(0) == 0) continue;
    std::printf("{\"row\": \"%s\", \"weight\": %g, \"bytes\": %" PRId64 "}\n", job.name.c_str(),
                job.weight, job.x_bytes() + job.y_bytes());
    std::fflush(stdout);
  }
  return 0;
}

// Every line with ordinary and with streaming stores, on one thread and on all.
int check(const Arguments& arguments) {
  const Device device = device_of(arguments.target);
  std::vector<std::string_view> only;
  if (!arguments.rows.empty()) only = sylvite_bench::split(arguments.rows, ',');
  for (int i = 0; i < kCheckedCount; ++i) {
    const Job job = kChecked[i].parse(kChecked[i].text);
    const auto named = [&](std::string_view name) { return name == job.name; };
    if (!only.empty() && std::ranges::none_of(only, named)) continue;
    Operands operands(job, device, job.roof != Job::Roof::kRead);
    for (const StorePolicy stores : {StorePolicy::kPlain, StorePolicy::kStream}) {
      for (const int threads : {1, arguments.threads}) {
        const Context context({.target = arguments.target, .threads = threads, .stores = stores});
        chosen = 0;
        const std::string want = operands.written(context);
        chosen = 1;
        const std::string got = operands.written(context);
        if (got == want) continue;
        const auto at = std::mismatch(got.begin(), got.end(), want.begin()).first - got.begin();
        std::printf("{\"wrong\": \"%s\", \"byte\": %lld, \"bytes\": %zu, \"streaming\": %s}\n",
                    kChecked[i].text, static_cast<long long>(at), got.size(),
                    stores == StorePolicy::kStream ? "true" : "false");
        return 3;
      }
    }
  }
  std::printf("{\"checked\": %d, \"idle\": [", kCheckedCount);
  const char* between = "";
  for (int i = 0; i < kSwitchCount; ++i) {
    if (switches[i].calls[0] > 0 && switches[i].calls[1] > 0) continue;
    std::printf("%s\"%s\"", between, switches[i].kernel);
    between = ", ";
  }
  std::printf("]}\n");
  return 0;
}

class Timer {
 public:
  Timer(const Job& job, const Arguments& arguments)
      : device_(device_of(arguments.target)),
        operands_(job, device_, false),
        stores_(arguments.stores),
        contexts_(
            {context(arguments, arguments.stores ? StorePolicy::kPlain : StorePolicy::kAuto),
             context(arguments, arguments.stores ? StorePolicy::kStream : StorePolicy::kAuto)}) {
    constexpr double kSampleSeconds = 300e-6, kMostCalls = 1 << 20;
    if (device_.kind == DeviceKind::kCuda) cuda_.emplace();
    sample(0);
    const double once = std::max(sample(0), 1e-9);
    calls_ = static_cast<int>(std::clamp(std::ceil(kSampleSeconds / once), 1., kMostCalls));
  }

  /// Seconds per call: CUDA's by events on the stream, OpenCL's between two waits for its queue. One call
  /// goes ahead: it brings the code and the pool's threads back, and the caches hold what a call leaves
  /// there.
  double sample(int variant) {
    chosen = stores_ ? 0 : variant;
    const Context& context = contexts_[static_cast<size_t>(variant)];
    operands_.call(context);
    synchronize();
    if (cuda_) cuda_->begin();
    const double begin = now();
    for (int call = 0; call < calls_; ++call) operands_.call(context);
    if (cuda_) return cuda_->end() / calls_;
    synchronize();
    return (now() - begin) / calls_;
  }

 private:
  static Context context(const Arguments& arguments, StorePolicy stores) {
    return {{.target = arguments.target, .threads = arguments.threads, .stores = stores}};
  }
  void synchronize() const {
    if (device_.kind != DeviceKind::kCpu) contexts_[0].synchronize(device_);
  }

  Device device_;
  Operands operands_;
  bool stores_;
  std::array<Context, 2> contexts_;
  std::optional<sylvite_bench::CudaTimer> cuda_;
  int calls_ = 1;
};

std::vector<sylvite_bench::Contestant> roofs_of(const Job& job, sylvite_bench::Roof& roof) {
  switch (job.roof) {
    case Job::Roof::kFill:
      return roof.fills(job.y_bytes());
    case Job::Roof::kRead:
      return roof.reads(job.x_bytes());
    default:
      return roof.copies((job.x_bytes() + job.y_bytes()) / 2);
  }
}

// Seconds of the fastest copy, fill or read of as many bytes.
double roof_seconds(const Job& job, sylvite_bench::Roof& roof, double seconds) {
  std::vector<sylvite_bench::Contestant> contestants = roofs_of(job, roof);
  sylvite_bench::time_in_turn(contestants, seconds);
  double best = 0;
  for (const sylvite_bench::Contestant& contestant : contestants) {
    const double time = sylvite_bench::timing(contestant).median;
    if (best == 0 || time < best) best = time;
  }
  return best;
}

// Pairs of default and candidate; which goes first changes from pair to pair.
void time_row(const Job& job, const Arguments& arguments, double seconds, double roof) {
  constexpr int kLeastPairs = 7, kMostPairs = 400;
  Timer timer(job, arguments);
  std::printf("{\"row\": \"%s\", \"weight\": %g, \"bytes\": %" PRId64
              ", \"roof\": %.9g, \"pairs\": [",
              job.name.c_str(), job.weight, job.x_bytes() + job.y_bytes(), roof);
  const double begin = now();
  for (int pair = 0; pair < kLeastPairs || (pair < kMostPairs && now() - begin < seconds); ++pair) {
    double times[2];
    const int first = pair % 2;
    times[first] = timer.sample(first);
    times[1 - first] = timer.sample(1 - first);
    std::printf("%s[%.6g, %.6g]", pair == 0 ? "" : ", ", times[0], times[1]);
  }
  std::printf("]}\n");
  std::fflush(stdout);
}

int time_rows(const Arguments& arguments) {
  std::vector<Job> jobs;
  for (const std::string_view name : sylvite_bench::split(arguments.rows, ',')) {
    bool found = false;
    for (int i = 0; i < kTimedCount && !found; ++i) {
      Job job = kTimed[i].parse(kTimed[i].text);
      found = job.name == name;
      if (found) jobs.push_back(std::move(job));
    }
    if (!found) throw std::runtime_error("no row '" + std::string(name) + "'");
  }
  const double share = arguments.seconds / static_cast<double>(jobs.size());
  sylvite_bench::Roof roof(arguments.threads);
  for (const Job& job : jobs) {
    const bool roofed = arguments.roof && device_of(arguments.target).kind == DeviceKind::kCpu;
    const double bytes_roof = roofed ? roof_seconds(job, roof, share / 4) : 0;
    time_row(job, arguments, roofed ? share * 3 / 4 : share, bytes_roof);
  }
  return 0;
}

int run(int argc, char** argv) {
  const Arguments arguments = arguments_of(argc, argv);
  if (arguments.command == "chip") return chip(arguments);
  const Device device = device_of(arguments.target);
  if (device.kind != DeviceKind::kCpu) Context({.target = arguments.target}).warm_up(device);
  if (arguments.command == "list") return list(arguments);
  if (arguments.command == "check") return check(arguments);
  if (arguments.command == "time") return time_rows(arguments);
  throw std::runtime_error("want chip, list, check or time");
}

}  // namespace
}  // namespace sylvite_runner

int main(int argc, char** argv) {
  try {
    return sylvite_runner::run(argc, argv);
  } catch (const std::exception& error) {
    std::fflush(stdout);
    std::fprintf(stderr, "runner: %s\n", error.what());
    return 2;
  }
}
