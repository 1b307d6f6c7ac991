// What `sylvite_bench <family>` runs.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace sylvite_bench {

struct Options {
  std::string filter;     ///< A regular expression on row names; empty: every row.
  double min_time = 1.5;  ///< Seconds of measuring per row.
  int threads = 1;
  std::string target;  ///< Empty: the best one.
  std::string shapes;  ///< Empty: bench/shapes/<family>.txt.
};

/// Each prints its table and its last line, adds to `json` and returns whether every row wrote the
/// right bytes.
bool run_join(const Options& options, nlohmann::json& json);
bool run_features(const Options& options, nlohmann::json& json);
bool run_space_batch(const Options& options, nlohmann::json& json);
bool run_expand(const Options& options, nlohmann::json& json);
bool run_cast(const Options& options, nlohmann::json& json);
bool run_expand_gradient(const Options& options, nlohmann::json& json);
bool run_overhead(const Options& options, nlohmann::json& json);
bool run_scope(const Options& options, nlohmann::json& json);
bool run_gpu(const Options& options, nlohmann::json& json);

}  // namespace sylvite_bench
