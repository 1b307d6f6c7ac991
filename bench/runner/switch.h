// Between the runner and the source file that the tuner writes for each candidate: which calls go to the
// default and which to the candidate, and what is to be run.
//
// The file is linked with --wrap=<entry point>: the dispatch table's reference to a kernel becomes one to
// __wrap_<entry point>, which the file defines by sylvite_runner::call.
#pragma once

#include <string_view>

namespace sylvite_runner {

struct Job;

using Entry = int (*)(void** args);

struct Switch {
  const char* kernel;  // with _stream behind it for the streaming twin
  Entry variants[2];   // default, candidate
  long calls[2];
};

struct Line {
  Job (*parse)(std::string_view text);
  const char* text;  // a line of bench/shapes
};

extern int chosen;  // 0: default, 1: candidate

inline int call(Switch& s, void** args) {
  __atomic_fetch_add(&s.calls[chosen], 1, __ATOMIC_RELAXED);
  return s.variants[chosen](args);
}

// By the tuner's file:
extern Switch switches[];
extern const int kSwitchCount;
extern const Line kTimed[];
extern const int kTimedCount;
extern const Line kChecked[];
extern const int kCheckedCount;

// The families; a program links those that its lines name.
Job space_batch(std::string_view text);
Job expand(std::string_view text);
Job cast(std::string_view text);
Job expand_gradient(std::string_view text);

}  // namespace sylvite_runner
