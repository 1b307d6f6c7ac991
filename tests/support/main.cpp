#include <gtest/gtest.h>

#include "support/targets.h"

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  ::testing::AddGlobalTestEnvironment(sylvite::test::exercised_targets_environment());
  return RUN_ALL_TESTS();
}
