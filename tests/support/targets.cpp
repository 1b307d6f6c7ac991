#include "support/targets.h"

#include <algorithm>
#include <iostream>
#include <mutex>
#include <set>
#include <sstream>

namespace sylvite::test {
namespace {

std::mutex exercised_mutex;
std::set<std::string, std::less<>>& exercised() {
  static std::set<std::string, std::less<>> names;
  return names;
}

class PrintsExercisedTargets : public ::testing::Environment {
 public:
  void TearDown() override {
    const std::scoped_lock lock(exercised_mutex);
    std::cout << "targets exercised:";
    for (const std::string& name : exercised()) std::cout << ' ' << name;
    std::cout << '\n';
  }
};

}  // namespace

Device device_of(std::string_view target) {
  if (target.starts_with("cuda")) return {DeviceKind::kCuda, 0};
  if (target.starts_with("opencl")) return {DeviceKind::kOpenCl, 0};
  return {};
}

void note_exercised(std::string_view target) {
  const std::scoped_lock lock(exercised_mutex);
  exercised().emplace(target);
}

::testing::Environment* exercised_targets_environment() { return new PrintsExercisedTargets; }

std::vector<KernelChoice> kernel_choices() {
  std::vector<KernelChoice> choices;
  for (const std::string_view target : targets()) {
    choices.push_back({target, StorePolicy::kPlain});
    if (SYLVITE_TEST_STREAMS && device_of(target).kind == DeviceKind::kCpu) {
      choices.push_back({target, StorePolicy::kStream});
    }
  }
  return choices;
}

std::vector<KernelChoice> cpu_kernel_choices() {
  std::vector<KernelChoice> choices = kernel_choices();
  std::erase_if(
      choices, [](const KernelChoice& choice) { return choice.device().kind != DeviceKind::kCpu; });
  return choices;
}

std::vector<KernelChoice> target_choices() {
  std::vector<KernelChoice> choices;
  for (const std::string_view target : targets()) choices.push_back({target});
  return choices;
}

std::vector<KernelChoice> cpu_target_choices() {
  std::vector<KernelChoice> choices = target_choices();
  std::erase_if(
      choices, [](const KernelChoice& choice) { return choice.device().kind != DeviceKind::kCpu; });
  return choices;
}

std::vector<KernelChoice> device_choices() {
  std::vector<KernelChoice> choices;
  for (const KernelChoice& choice : target_choices()) {
    const auto same = [&](const KernelChoice& other) { return other.device() == choice.device(); };
    if (std::none_of(choices.begin(), choices.end(), same)) choices.push_back(choice);
  }
  return choices;
}

std::string choice_name(const ::testing::TestParamInfo<KernelChoice>& info) {
  std::ostringstream name;
  PrintTo(info.param, &name);
  return name.str();
}

void PrintTo(const KernelChoice& choice, std::ostream* out) {
  *out << choice.target;
  if (choice.stores == StorePolicy::kPlain) *out << "_plain";
  if (choice.stores == StorePolicy::kStream) *out << "_stream";
}

}  // namespace sylvite::test
