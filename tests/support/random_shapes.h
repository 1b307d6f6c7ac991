// Random test cases that can be repeated by their seed and end in time.
#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <random>
#include <string>
#include <vector>

namespace sylvite::test {

class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}

  /// Uniform in [low, high].
  int64_t between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(engine_() % static_cast<uint64_t>(high - low + 1));
  }
  bool chance(double probability) {
    return static_cast<double>(engine_() >> 11) * 0x1p-53 < probability;
  }
  template <typename T>
  T one_of(std::initializer_list<T> values) {
    return values.begin()[between(0, static_cast<int64_t>(values.size()) - 1)];
  }
  template <typename Container>
  auto one_of(const Container& values) {
    return *(std::begin(values) + between(0, static_cast<int64_t>(std::size(values)) - 1));
  }
  uint64_t bits() { return engine_(); }
  std::vector<uint8_t> bytes(int64_t count);

 private:
  std::mt19937_64 engine_;
};

/// SYLVITE_TEST_SEED, else a fixed number.
uint64_t first_seed();

/// What a crash prints of the case it happened in, beside its seed: the last one
/// noted by any thread.
void note_case(const std::string& what);

/// Hands out seeds until `seconds` are over, at least `at_least` of them. SYLVITE_TEST_SECONDS
/// overrides the time; a crash prints the seed. A failing case is the first one of a run with its own seed:
///   for (SeededCases cases(1.0); cases.next();) { SCOPED_TRACE(cases.trace()); …
class SeededCases {
 public:
  explicit SeededCases(double seconds, int at_least = 30);

  /// Moves to the next seed; false when the time is over or the test has failed.
  bool next();
  uint64_t seed() const { return seed_; }
  std::string trace() const;

 private:
  std::chrono::steady_clock::time_point end_;
  int at_least_;
  uint64_t seed_;
  int64_t cases_ = 0;
};

}  // namespace sylvite::test
