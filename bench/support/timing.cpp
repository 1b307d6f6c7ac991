#include "support/timing.h"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace sylvite_bench {
namespace {

constexpr double kSampleSeconds = 250e-6;
constexpr size_t kLeastSamples = 3;
constexpr int kLeastRounds = 5;
constexpr double kReferenceShare = 0.12;
// Calls that bring a sample's caches into their steady state: a Xeon's last-level cache of 260 MiB
// takes five passes over 80 MiB to keep them, each faster than the one before, up to twofold.
constexpr int kWarmUps = 5;

double now() {
  using Clock = std::chrono::steady_clock;
  return std::chrono::duration<double>(Clock::now().time_since_epoch()).count();
}

// Seconds per call. Calls go ahead untimed and put the caches into the state that calls of this kind
// leave them in, whatever ran before; where a sample is many calls, one of them is enough.
double sample(Contestant& contestant) {
  const double entered = now();
  if (contestant.before) contestant.before();
  const bool slow = contestant.calls < kWarmUps && contestant.role != Contestant::Role::kReference;
  for (int call = 0; call < (slow ? kWarmUps : 1); ++call) contestant.call();
  if (contestant.complete) contestant.complete();
  const double begin = now();
  for (int call = 0; call < contestant.calls; ++call) contestant.call();
  if (contestant.complete) contestant.complete();
  const double end = now();
  if (contestant.after) contestant.after();
  contestant.spent += now() - entered;
  return (end - begin) / contestant.calls;
}

void calibrate(Contestant& contestant) {
  constexpr double kMostCalls = 1 << 20;
  const double once = std::max(sample(contestant), 1e-9);
  contestant.calls = static_cast<int>(std::clamp(std::ceil(kSampleSeconds / once), 1., kMostCalls));
}

bool has_had_its_share(const Contestant& contestant, double seconds) {
  return contestant.role == Contestant::Role::kReference &&
         contestant.seconds.size() >= kLeastSamples &&
         contestant.spent >= kReferenceShare * seconds;
}

}  // namespace

void time_in_turn(std::vector<Contestant>& contestants, double seconds) {
  for (Contestant& contestant : contestants) calibrate(contestant);
  const double begin = now();
  for (int round = 0; round < kLeastRounds || now() - begin < seconds; ++round) {
    for (Contestant& contestant : contestants) {
      if (has_had_its_share(contestant, seconds)) continue;
      contestant.seconds.push_back(sample(contestant));
    }
  }
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

Timing timing(const Contestant& contestant) {
  if (contestant.seconds.empty()) return {};
  return {.min = *std::min_element(contestant.seconds.begin(), contestant.seconds.end()),
          .median = median(contestant.seconds)};
}

}  // namespace sylvite_bench
