// What every generate_<family> runs: Halide's own command line, and what a build and the tuner ask about knobs.
//
//   generate_<family> --knobs                             the knobs of every generator, as JSON
//   generate_<family> --check WHERE GENERATOR KNOB=VALUE… fails, naming WHERE, where a tuned row asks for
//                                                         what the schedule no longer has
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <stdexcept>
#include <string>

#include "schedules/knob.h"

namespace {

using Halide::Internal::GeneratorRegistry;
using sylvite::KnobFacts;

std::vector<KnobFacts> knobs_of(const std::string& generator) {
  sylvite::declared_knobs().clear();
  const auto made = GeneratorRegistry::create(
      generator, Halide::GeneratorContext(Halide::Target("x86-64-linux")));
  if (!made) throw std::runtime_error("there is no generator " + generator);
  return sylvite::declared_knobs();
}

std::string list(const std::vector<int>& values) {
  std::string text;
  for (const int value : values) text += (text.empty() ? "" : ", ") + std::to_string(value);
  return text;
}

void print_knobs() {
  const char* before = "";
  std::printf("{");
  for (const std::string& generator : GeneratorRegistry::enumerate()) {
    std::printf("%s\n \"%s\": [", before, generator.c_str());
    before = ",";
    const char* between = "";
    for (const KnobFacts& knob : knobs_of(generator)) {
      std::printf("%s{\"name\": \"%s\", \"default\": %d, \"values\": [%s]}", between,
                  knob.name.c_str(), knob.value, list(knob.values).c_str());
      between = ", ";
    }
    std::printf("]");
  }
  std::printf("\n}\n");
}

void check_row(const std::string& generator, std::span<char*> settings) {
  const std::vector<KnobFacts> knobs = knobs_of(generator);
  for (const std::string setting : settings) {
    const size_t equals = setting.find('=');
    const std::string name = setting.substr(0, equals);
    const auto knob =
        std::ranges::find_if(knobs, [&](const KnobFacts& facts) { return facts.name == name; });
    if (knob == knobs.end()) {
      std::string names;
      for (const KnobFacts& facts : knobs) names += " " + facts.name;
      throw std::runtime_error("stale row: generator " + generator + " has no knob '" + name +
                               "', it has" + (names.empty() ? " none" : ":" + names));
    }
    const std::string value = equals == std::string::npos ? "" : setting.substr(equals + 1);
    if (std::ranges::none_of(knob->values, [&](int v) { return std::to_string(v) == value; })) {
      throw std::runtime_error("stale row: knob '" + name + "' of generator " + generator +
                               " is '" + value + "', want one of " + list(knob->values));
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  // Innermost loops begin at 32 bytes. At x86-64's 16, where the linker puts a kernel decides on up to 1.6 times
  // the time of a short loop, and the tuner measures that. Text: 1 % more.
  setenv("HL_LLVM_ARGS", "-x86-experimental-pref-innermost-loop-alignment=5", 0);
  const std::string mode = argc > 1 ? argv[1] : "";
  if (mode != "--knobs" && mode != "--check") {
    return Halide::Internal::generate_filter_main(argc, argv);
  }
  const std::string where = mode == "--check" && argc > 2 ? argv[2] : argv[0];
  try {
    if (mode == "--knobs") {
      print_knobs();
    } else {
      if (argc < 4) throw std::runtime_error("--check wants WHERE GENERATOR KNOB=VALUE…");
      check_row(argv[3], std::span(argv, static_cast<size_t>(argc)).subspan(4));
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", where.c_str(), error.what());
    return 1;
  }
  return 0;
}
