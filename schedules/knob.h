// A knob: a number of a schedule, with the values the tuner may try.
#pragma once

#include <string>
#include <vector>

#include "Halide.h"

namespace sylvite {

struct Knob : Halide::GeneratorParam<int> {
  Knob(const std::string& name, int value, std::vector<int> candidates)
      : Halide::GeneratorParam<int>(name, value), values(std::move(candidates)) {}

  std::vector<int> values;
};

}  // namespace sylvite
