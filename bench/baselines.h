// Halide's autoscheduled builds of the same algorithm, where this build has them.
#pragma once

#include <string>
#include <vector>

#include "support/problem.h"
#include "support/timing.h"

namespace sylvite_bench {

/// Names of the schedulers, in the table's order.
std::vector<std::string> baseline_names();

/// Calls that write problem.y() from problem.x(); none where no build fits this problem.
std::vector<Contestant> baseline_contestants(Problem& problem);

}  // namespace sylvite_bench
