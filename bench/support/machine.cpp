#include "support/machine.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <fstream>
#include <nlohmann/json.hpp>

#include "sylvite/context.h"

namespace sylvite_bench {
namespace {

// "32768K"; 0 where there is no such cache.
int64_t cache_from_sysfs(int index) {
  std::ifstream file("/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(index) + "/size");
  int64_t size = 0;
  char unit = 0;
  if (!(file >> size)) return 0;
  file >> unit;
  return size * (unit == 'M' ? 1 << 20 : unit == 'K' ? 1 << 10 : 1);
}

}  // namespace

int core_count() {
  cpu_set_t cores;
  if (sched_getaffinity(0, sizeof cores, &cores) != 0) return 1;
  return CPU_COUNT(&cores);
}

std::string cpu_model() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("model name") || line.starts_with("CPU part"))  // arm64 has no names
      return line.substr(line.find(": ") + 2);
  return "unknown";
}

// sysfs first: glibc's sysconf multiplies a virtual AMD machine's 32 MiB by ten.
int64_t last_level_cache() {
  int64_t largest = 0;
  for (int index = 0; index < 5; ++index) largest = std::max(largest, cache_from_sysfs(index));
  if (largest > 0) return largest;
  const auto reported = std::max<int64_t>(sysconf(_SC_LEVEL3_CACHE_SIZE),  //
                                          sysconf(_SC_LEVEL2_CACHE_SIZE));
  return reported > 0 ? reported : int64_t{32} << 20;
}

std::string utc_time() {
  std::array<char, 32> text{};
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

nlohmann::json describe_machine(int threads) {
  nlohmann::json targets = nlohmann::json::array();
  for (const std::string_view target : sylvite::targets()) targets.push_back(target);
  return {{"cpu", cpu_model()}, {"cores", core_count()},
          {"threads", threads}, {"last_level_cache_bytes", last_level_cache()},
          {"targets", targets}, {"date", utc_time()}};
}

}  // namespace sylvite_bench
