// Calls from many threads at once.
#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <thread>
#include <vector>

#include "support/placed_tensor.h"
#include "support/rejects.h"
#include "support/space_batch_cases.h"

namespace sylvite::test {
namespace {

constexpr int kCallers = 8;

/// Runs call(0) … call(7) on a thread each, all released together.
template <typename Call>
void from_eight_threads(const Call& call) {
  std::atomic<int> ready = 0;
  std::vector<std::thread> threads;
  threads.reserve(kCallers);
  for (int i = 0; i < kCallers; ++i) {
    threads.emplace_back([&, i] {
      ++ready;
      while (ready < kCallers) std::this_thread::yield();
      call(i);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

class Concurrency : public KernelTest {
 protected:
  /// Calls per thread.
  static int calls() { return GetParam().device().kind == DeviceKind::kCpu ? 20 : 4; }
};
INSTANTIATE_TEST_SUITE_P(AllTargets, Concurrency, ::testing::ValuesIn(target_choices()),
                         choice_name);

TEST_P(Concurrency, CallsWithTheirOwnTensorsDoNotDisturbEachOther) {
  from_eight_threads([&](int caller) {
    Random random(first_seed() + static_cast<uint64_t>(caller));
    const Context context = GetParam().context(1 + caller % 3);
    for (int i = 0; i < calls(); ++i) {
      const SpaceBatchCase test_case = random_case(random);
      check_space_to_batch(test_case, random, GetParam(), context);
      check_batch_to_space(test_case, random, GetParam(), context);
    }
  });
}

TEST_P(Concurrency, OnePlanServesManyThreads) {
  Random random(first_seed());
  const SpaceToBatchArgs args{{2, 3}, {{1, 0}, {0, 2}}};
  const SpaceBatchCase test_case = case_of_phases(2, 3, {40, 130}, args, DType::kFloat32);
  const Shape image = test_case.image;
  const DType dtype = test_case.dtype;
  const Shape phases = reference_shape(image, args);
  const Device device = GetParam().device();
  const PlacedTensor x(random, dtype, image, dense_placement(image), device, true);
  const Bytes wanted = reference_space_to_batch(x.elements(), image, args, encode(0, dtype));
  const Tensor example = Tensor::empty(dtype, phases, device);
  const Plan plan =
      space_to_batch_plan(x.tensor().info(), example.info(), args, GetParam().context(3));
  std::atomic<int> wrong = 0;
  from_eight_threads([&](int) {
    for (int i = 0; i < calls(); ++i) {
      Tensor y = Tensor::empty(dtype, phases, device);
      plan.run(x.tensor(), y);
      const Tensor copy = y.to(Device{});
      wrong += std::memcmp(copy.data(), wanted.data(), wanted.size()) != 0;
    }
  });
  EXPECT_EQ(wrong, 0);
}

TEST(ConcurrentErrors, ReachTheirOwnCallers) {
  from_eight_threads([](int caller) {
    for (int i = 0; i < 200; ++i) {
      const int64_t extent = 1001 + 2 * (caller * 200 + i);
      expect_rejected(ErrorCode::kInvalidArgument, {"SpaceToBatch", std::to_string(extent)}, [&] {
        space_to_batch_shape({.shape = {1, 1, extent}}, {.block_shape = {2}});
      });
    }
  });
}

TEST(ConcurrentShutdown, LetsTheNextCallStartAgain) {
  Random random(first_seed());
  const KernelChoice choice{targets().front()};
  const SpaceToBatchArgs args{{2, 3}};
  const SpaceBatchCase large = case_of_phases(2, 2, {60, 333}, args, DType::kFloat32);
  for (int i = 0; i < 3; ++i) {
    check_space_to_batch(large, random, choice, choice.context(2));
    shutdown();
  }
  shutdown();
  check_space_to_batch(large, random, choice, choice.context(2));
}

}  // namespace
}  // namespace sylvite::test
