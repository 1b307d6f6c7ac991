// Charts are drawn by bench/plot.py.
#pragma once

#include <string>

namespace sylvite_bench {

/// Runs `python3 bench/plot.py json_file chart_file`. Throws std::runtime_error where that fails.
void draw_chart(const std::string& json_file, const std::string& chart_file);

/// Throws ahead of a long run what draw_chart would throw after it: no matplotlib, no such format.
void check_chart(const std::string& chart_file);

}  // namespace sylvite_bench
