// Timing things in turn, because a virtual machine's memory bandwidth changes from minute to minute.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace sylvite_bench {

struct Contestant {
  enum class Role : uint8_t {
    kRow,        ///< What the row is about; timed in every round.
    kRoof,       ///< A copy of as many bytes; timed in every round.
    kReference,  ///< Something else beside it; sits out once it has had its share of the time.
  };
  std::string name;
  Role role = Role::kReference;
  std::function<void()> call;
  std::function<void()> before = {};    ///< Ahead of a sample's calls, not timed.
  std::function<void()> complete = {};  ///< Behind a sample's calls, timed: waits for a device.
  std::function<void()> after = {};     ///< Behind a sample's calls, not timed.

  int calls = 1;                     ///< Per sample.
  double spent = 0;                  ///< Seconds, warm-up included.
  std::vector<double> seconds = {};  ///< Per call, one entry per sample.
};

struct Timing {
  double min = 0;
  double median = 0;
};

/// Samples every contestant round after round until `seconds` have passed.
void time_in_turn(std::vector<Contestant>& contestants, double seconds);

double median(std::vector<double> values);
Timing timing(const Contestant& contestant);

}  // namespace sylvite_bench
