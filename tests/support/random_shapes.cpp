#include "support/random_shapes.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string_view>

namespace sylvite::test {
namespace {

struct Note {
  std::array<char, 480> text;
  size_t size = 0;

  void set(std::string_view what) {
    static std::mutex mutex;
    const std::scoped_lock lock(mutex);
    size = std::min(what.size(), text.size());
    std::copy_n(what.begin(), size, text.begin());
  }
};
Note seed_note;
Note case_note;

[[maybe_unused]] void print_notes_and_crash(int signal) {
  for (const Note* note : {&seed_note, &case_note}) {
    if (write(STDERR_FILENO, note->text.data(), note->size) < 0) break;
    if (write(STDERR_FILENO, "\n", 1) < 0) break;
  }
  std::raise(signal);
}

/// A sanitizer reports more than we do. SIGFPE is left to PoCL, which handles its kernels' own.
void install_crash_handler() {
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  for (const int signal : {SIGSEGV, SIGBUS, SIGILL, SIGABRT}) {
    struct sigaction action = {};
    action.sa_handler = print_notes_and_crash;
    action.sa_flags = static_cast<int>(SA_RESETHAND | SA_NODEFER);
    sigaction(signal, &action, nullptr);
  }
#endif
}

}  // namespace

void note_case(const std::string& what) { case_note.set(what); }

// SplitMix64 from a random state: the engine itself takes a third of many tests' time under an emulator.
std::vector<uint8_t> Random::bytes(int64_t count) {
  std::vector<uint8_t> result(static_cast<size_t>(count));
  uint64_t state = engine_();
  size_t done = 0;
  while (done < result.size()) {
    uint64_t word = state += 0x9E3779B97F4A7C15U;
    word = (word ^ word >> 30) * 0xBF58476D1CE4E5B9U;
    word = (word ^ word >> 27) * 0x94D049BB133111EBU;
    word ^= word >> 31;
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
  install_crash_handler();
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
  seed_note.set(trace());
  return true;
}

std::string SeededCases::trace() const { return "SYLVITE_TEST_SEED=" + std::to_string(seed_); }

}  // namespace sylvite::test
