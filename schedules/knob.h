// A knob: a number of a schedule, with the values the tuner may try.
#pragma once

#include <string>
#include <vector>

#include "Halide.h"

namespace sylvite {

struct KnobFacts {
  std::string name;
  int value;  // the default
  std::vector<int> values;
};

/// The knobs of the generators made so far, in the order of their declaration: generators/main.cpp
/// makes one generator at a time and asks.
inline std::vector<KnobFacts>& declared_knobs() {
  static std::vector<KnobFacts> knobs;
  return knobs;
}

struct Knob : Halide::GeneratorParam<int> {
  Knob(const std::string& name, int value, const std::vector<int>& candidates)
      : Halide::GeneratorParam<int>(name, value) {
    declared_knobs().push_back({.name = name, .value = value, .values = candidates});
  }
};

}  // namespace sylvite
