// Another user of Halide in the same process: neither runtime sees the other's hooks, threads or
// errors.
#include <HalideBuffer.h>
#include <HalideRuntime.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <vector>

#include "oracles/space_batch_adjoint.h"
#include "support/placed_tensor.h"
#include "support/rejects.h"
#include "support/space_batch_cases.h"

namespace sylvite::test {
namespace {

std::atomic<int> their_errors = 0;
std::atomic<int> their_allocations = 0;
std::atomic<int> their_loops = 0;
halide_do_par_for_t their_do_par_for = nullptr;

void count_error(void*, const char*) { ++their_errors; }

void* count_malloc(void*, size_t bytes) {
  ++their_allocations;
  return std::aligned_alloc(128, (bytes + 127) / 128 * 128);
}

void just_free(void*, void* pointer) { std::free(pointer); }

int count_loop(void* user_context, halide_task_t task, int min, int size, uint8_t* closure) {
  ++their_loops;
  return their_do_par_for(user_context, task, min, size, closure);
}

/// One call of their pipeline; an image of another rank than 4 is an error of theirs.
int call_theirs(int image_rank = 4) {
  std::vector<int> extents = {4, 4, 1, 3};
  extents.resize(static_cast<size_t>(image_rank));
  Halide::Runtime::Buffer<double> image(extents);
  Halide::Runtime::Buffer<double> phases(std::vector<int>{2, 2, 1, 3, 2, 2});
  Halide::Runtime::Buffer<double> image_gradient(4, 4, 1, 3);
  Halide::Runtime::Buffer<double> phases_gradient(std::vector<int>{2, 2, 1, 3, 2, 2});
  image.fill(1);
  phases.fill(1);
  return space_batch_adjoint(image, phases, 2, 2, 0, 0, image_gradient, phases_gradient);
}

class SecondRuntime : public ::testing::Test {
 protected:
  void SetUp() override {
    their_errors = their_allocations = their_loops = 0;
    old_error_ = halide_set_error_handler(count_error);
    old_malloc_ = halide_set_custom_malloc(count_malloc);
    old_free_ = halide_set_custom_free(just_free);
    their_do_par_for = halide_set_custom_do_par_for(count_loop);
    old_threads_ = halide_set_num_threads(3);
  }
  void TearDown() override {
    halide_set_num_threads(old_threads_);
    halide_set_custom_do_par_for(their_do_par_for);
    halide_set_custom_free(old_free_);
    halide_set_custom_malloc(old_malloc_);
    halide_set_error_handler(old_error_);
  }

  /// Every target, parallel loops and an error.
  static void call_ours() {
    Random random(first_seed());
    const SpaceToBatchArgs args{{2, 3}, {{1, 1}, {0, 3}}};
    const SpaceBatchCase large = case_of_phases(2, 2, {60, 333}, args, DType::kFloat32);
    for (const KernelChoice& choice : target_choices()) {
      note_exercised(choice.target);
      check_space_to_batch(large, random, choice, choice.context(2));
      check_batch_to_space(large, random, choice, choice.context(2));
    }
    expect_rejected(ErrorCode::kInvalidArgument, {"SpaceToBatch"}, [] {
      space_to_batch_shape({.shape = {1, 1, 3, 3}}, {{2, 2}});
    });
  }

 private:
  halide_error_handler_t old_error_ = nullptr;
  halide_malloc_t old_malloc_ = nullptr;
  halide_free_t old_free_ = nullptr;
  int old_threads_ = 0;
};

TEST_F(SecondRuntime, SeesItsOwnCallsAlone) {
  ASSERT_EQ(call_theirs(), 0);
  EXPECT_GT(their_allocations, 0);
  EXPECT_GT(their_loops, 0);
  EXPECT_EQ(their_errors, 0);
  ASSERT_NE(call_theirs(3), 0);
  EXPECT_EQ(their_errors, 1);
}

TEST_F(SecondRuntime, SeesNothingOfOurs) {
  call_ours();
  EXPECT_EQ(their_allocations, 0);
  EXPECT_EQ(their_loops, 0);
  EXPECT_EQ(their_errors, 0);
  EXPECT_EQ(halide_set_num_threads(3), 3);
}

TEST_F(SecondRuntime, SurvivesOurShutdownAndWeTheirs) {
  call_ours();
  ASSERT_EQ(call_theirs(), 0);
  shutdown();
  ASSERT_EQ(call_theirs(), 0);
  halide_shutdown_thread_pool();
  call_ours();
  ASSERT_EQ(call_theirs(), 0);
}

TEST_F(SecondRuntime, MayFailBetweenOurCalls) {
  for (int i = 0; i < 3; ++i) {
    EXPECT_NE(call_theirs(3), 0);
    call_ours();
  }
  EXPECT_EQ(their_errors, 3);
}

}  // namespace
}  // namespace sylvite::test
