#include "support/random_shapes.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>

namespace sylvite::test {

std::vector<uint8_t> Random::bytes(int64_t count) {
  std::vector<uint8_t> result(static_cast<size_t>(count));
  size_t done = 0;
  while (done < result.size()) {
    const uint64_t word = engine_();
    const size_t now = std::min(sizeof word, result.size() - done);
    std::memcpy(result.data() + done, &word, now);
    done += now;
  }
  return result;
}

uint64_t first_seed() {
  const char* given = std::getenv("SYLVITE_TEST_SEED");
  return given == nullptr ? 20260101 : std::strtoull(given, nullptr, 10);
}

SeededCases::SeededCases(double seconds, int at_least)
    : at_least_(at_least), seed_(first_seed() - 1) {
  const char* given = std::getenv("SYLVITE_TEST_SECONDS");
  if (given != nullptr) seconds = std::strtod(given, nullptr);
  end_ = std::chrono::steady_clock::now() +
         std::chrono::duration_cast<std::chrono::steady_clock::duration>(
             std::chrono::duration<double>(seconds));
}

bool SeededCases::next() {
  if (::testing::Test::HasFailure()) return false;
  if (cases_ >= at_least_ && std::chrono::steady_clock::now() >= end_) return false;
  ++cases_;
  ++seed_;
  return true;
}

std::string SeededCases::trace() const { return "SYLVITE_TEST_SEED=" + std::to_string(seed_); }

}  // namespace sylvite::test
