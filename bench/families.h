// What `sylvite_bench <family>` runs.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "support/cases.h"

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
bool run_space_batch(const Options& options, nlohmann::json& json);
bool run_overhead(const Options& options, nlohmann::json& json);
bool run_gpu(const Options& options, nlohmann::json& json);

/// The rows of options.shapes, or of bench/shapes/space_batch.txt, that match the filter.
std::vector<Case> space_batch_cases(const Options& options);

}  // namespace sylvite_bench
