// Every test of a kernel runs on every target of this machine, the target in its name.
#pragma once

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "sylvite/sylvite.h"

namespace sylvite::test {

/// The device whose tensors a target works on.
Device device_of(std::string_view target);

/// Counts `target` among those this program ran kernels on; the program's last line names them.
void note_exercised(std::string_view target);

/// Prints "targets exercised: x86_64 …" at the end of the program.
::testing::Environment* exercised_targets_environment();

struct KernelChoice {
  std::string_view target;
  StorePolicy stores = StorePolicy::kAuto;

  Device device() const { return device_of(target); }
  /// A context that runs this choice and nothing else.
  Context context(int threads = 0, const ThreadPool* pool = nullptr) const {
    return Context({.target = target, .threads = threads, .pool = pool, .stores = stores});
  }
};

void PrintTo(const KernelChoice& choice, std::ostream* out);  // NOLINT: GoogleTest's name

/// targets(), each with ordinary and, where this build has them, with streaming stores.
std::vector<KernelChoice> kernel_choices();
std::vector<KernelChoice> cpu_kernel_choices();
/// targets(), the variant left to the library.
std::vector<KernelChoice> target_choices();
std::vector<KernelChoice> cpu_target_choices();
/// The best target of every device.
std::vector<KernelChoice> device_choices();

/// "x86_64_avx2_stream", "x86_64_avx2".
std::string choice_name(const ::testing::TestParamInfo<KernelChoice>& info);

class KernelTest : public ::testing::TestWithParam<KernelChoice> {
 protected:
  void SetUp() override { note_exercised(GetParam().target); }
};

}  // namespace sylvite::test
