// What a measurement was made on.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace sylvite_bench {

/// Cores of this process's affinity mask.
int core_count();
std::string cpu_model();
/// Bytes of the largest cache that the kernel reports for core 0.
int64_t last_level_cache();
/// "2026-11-21T00:51:07Z".
std::string utc_time();
nlohmann::json describe_machine(int threads);

}  // namespace sylvite_bench
