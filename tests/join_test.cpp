// stack, concat, unstack and split against plain loops, on every target and with both kinds of stores.
#include <gtest/gtest.h>

#include <cstring>

#include "support/join_cases.h"
#include "support/placed_tensor.h"
#include "support/space_batch_cases.h"
#include "support/texts.h"
#include "support/thread_pools.h"

namespace sylvite::test {
namespace {

class Join : public KernelTest {
 protected:
  /// Both ways.
  void check(const JoinCase& test_case, Random& random, const Context& context) {
    check_join(test_case, random, GetParam(), context);
    check_parts(test_case, random, GetParam(), context);
  }
  void check(const JoinCase& test_case, Random& random) {
    check(test_case, random, GetParam().context());
  }
};
INSTANTIATE_TEST_SUITE_P(AllTargets, Join, ::testing::ValuesIn(kernel_choices()), choice_name);

/// Parts [rows, columns…], as many as there are columns.
JoinCase columns_of(int64_t rows, std::initializer_list<int64_t> columns, DType dtype) {
  JoinCase result{.axis = 1, .dtype = dtype};
  for (const int64_t column : columns) result.parts.push_back({rows, column});
  return result;
}

TEST_P(Join, MatchesTheContract) {
  for (SeededCases cases(1.0); cases.next();) {
    SCOPED_TRACE(cases.trace());
    Random random(cases.seed());
    check(random_join(random), random);
  }
}

TEST_P(Join, TakesShortRowsOfSeveralParts) {
  Random random(first_seed());
  for (const DType dtype : {DType::kUInt8, DType::kInt16, DType::kFloat32, DType::kFloat64}) {
    check(columns_of(70000, {1, 4, 0, 7}, dtype), random);
    if (HasFailure()) return;
  }
}

TEST_P(Join, TakesColumnsOfOneElement) {
  Random random(first_seed());
  const bool is_gpu = GetParam().device().kind != DeviceKind::kCpu;
  for (const DType dtype : {DType::kUInt8, DType::kInt16, DType::kFloat32, DType::kFloat64}) {
    for (const int64_t parts : {2, 3, 4, 5, 8, 16, 33, 300}) {
      for (const Shape& rows : {Shape{1}, Shape{63}, Shape{64}, Shape{7, 301}, Shape{20000}}) {
        if (parts > 5 && (is_gpu || (parts > 33 && rows[0] > 1000))) continue;
        JoinCase columns{.new_axis = true, .axis = rows.rank(), .dtype = dtype, .dense = true};
        columns.parts.assign(static_cast<size_t>(parts), rows);
        check(columns, random);
        if (HasFailure()) return;
      }
    }
  }
  JoinCase pairs{.axis = 1, .dtype = DType::kUInt8, .dense = true};
  pairs.parts.assign(6, Shape{1000, 2});
  check(pairs, random);
}

TEST_P(Join, TakesLargePartsBesideSmallOnes) {
  Random random(first_seed());
  const int64_t large = 1 << 20;
  for (const DType dtype : {DType::kUInt8, DType::kFloat32}) {
    JoinCase rows{.dtype = dtype};
    rows.parts = {{3}, {3 * large}, {100}, {0}, {large}, {large / 2}, {large / 4}, {1}, {5000}};
    check(rows, random);
    check({.new_axis = true, .axis = 0, .dtype = dtype, .parts = {{large}, {large}, {large}}},
          random);
    check(columns_of(3, {large, 1, large / 2, 77}, dtype), random);
    if (HasFailure()) return;
  }
}

TEST_P(Join, TakesThousandsOfParts) {
  Random random(first_seed());
  const size_t parts = GetParam().device().kind == DeviceKind::kCpu ? 5000 : 300;
  JoinCase ones{.new_axis = true, .axis = 0, .dtype = DType::kInt16, .parts = {}};
  ones.parts.assign(parts, Shape{1});
  EXPECT_EQ(ones.whole(), (Shape{static_cast<int64_t>(parts), 1}));
  check(ones, random);
  JoinCase lists{.axis = 0, .dtype = DType::kUInt8, .parts = {}};
  for (size_t i = 0; i < parts; ++i) lists.parts.push_back({random.between(0, 9), 3});
  check(lists, random);
}

TEST_P(Join, StacksListsOfMapsInOneCall) {
  const Context context = GetParam().context();
  Random random(first_seed());
  const Shape map{3, 5};
  std::vector<Tensor> maps;
  Bytes expected;
  for (int i = 0; i < 2 * 4; ++i) {
    const PlacedTensor x(random, DType::kFloat32, map, dense_placement(map), {}, true);
    const Bytes bytes = x.elements();
    expected.insert(expected.end(), bytes.begin(), bytes.end());
    maps.push_back(x.tensor().to(GetParam().device(), context));
  }
  const Tensor stacked = stack(maps, 0, context);
  const Tensor y = stacked.view({2, 4, 3, 5}, {60, 15, 5, 1});
  const Tensor host = y.to(Device{});
  ASSERT_EQ(host.byte_count(), static_cast<int64_t>(expected.size()));
  EXPECT_EQ(std::memcmp(host.data(), expected.data(), expected.size()), 0);
}

TEST_P(Join, TakesOneTensorInSeveralPlaces) {
  const Context context = GetParam().context();
  const int32_t numbers[] = {7, 8};
  const Tensor x = Tensor::wrap(numbers, DType::kInt32, {2}).to(GetParam().device(), context);
  const std::vector<Tensor> three = {x, x, x};
  const Tensor y = concat(three, 0, context).to(Device{});
  const std::vector<int32_t> got(y.data_as<int32_t>(), y.data_as<int32_t>() + 6);
  EXPECT_EQ(got, (std::vector<int32_t>{7, 8, 7, 8, 7, 8}));
  const Tensor columns = stack(three, -1, context).to(Device{});
  EXPECT_EQ(columns.shape(), (Shape{2, 3}));
  EXPECT_EQ(columns.data_as<int32_t>()[2], 7);
  EXPECT_EQ(columns.data_as<int32_t>()[3], 8);
}

TEST_P(Join, TakesTheHighestRank) {
  Random random(first_seed());
  Shape most;
  for (int axis = 0; axis < kMaxRank; ++axis) most.push_back(axis % 7 == 3 ? 2 : 1);
  for (const int axis : {0, 3, 17, 31}) {
    check({.axis = axis, .dtype = DType::kInt16, .parts = {most, most}}, random);
    Shape less(std::span(most.begin(), kMaxRank - 1));
    check({.new_axis = true, .axis = axis, .dtype = DType::kInt16, .parts = {less, less, less}},
          random);
  }
}

TEST_P(Join, GivesTheRightShapesWithoutElements) {
  Random random(first_seed());
  check({.new_axis = true, .axis = 1, .parts = {{2, 0}, {2, 0}}}, random);
  check({.axis = 1, .parts = {{0, 2}, {0, 3}}}, random);
  check({.axis = 0, .parts = {{0, 2}, {0, 2}}}, random);
  const Tensor none = Tensor::empty(DType::kFloat32, {0, 3}, GetParam().device());
  EXPECT_TRUE(unstack(none, 0, GetParam().context()).empty());
  EXPECT_EQ(unstack(none, 1, GetParam().context()).size(), 3);
}

class JoinOnThreads : public Join {};
INSTANTIATE_TEST_SUITE_P(CpuTargets, JoinOnThreads, ::testing::ValuesIn(cpu_kernel_choices()),
                         choice_name);

TEST_P(JoinOnThreads, IsTheSameForEveryCountAndPool) {
  Random random(first_seed());
  JoinCase many{.axis = 0, .dtype = DType::kFloat32, .parts = {}};
  for (int i = 0; i < 3000; ++i) many.parts.push_back({random.between(0, 3), 100});
  const JoinCase short_rows = columns_of(90000, {2, 3, 1}, DType::kFloat32);
  for (const int threads : {1, 2, 7}) {
    check(many, random, GetParam().context(threads));
    check(short_rows, random, GetParam().context(threads));
  }
  SpawningPool spawning;
  BackwardsPool backwards;
  for (const ThreadPool* pool : {spawning.pool(), backwards.pool()}) {
    check(many, random, GetParam().context(7, pool));
    check(short_rows, random, GetParam().context(7, pool));
  }
  EXPECT_GT(spawning.tasks(), 1);
  EXPECT_GT(backwards.tasks(), 1);
}

Tensor strings(std::initializer_list<std::string_view> texts, const Shape& shape) {
  return Tensor::strings(std::vector<std::string_view>(texts), shape);
}

TEST(JoinStrings, TakesTextsAtEveryAxis) {
  const std::vector<Tensor> x = {strings({"a", "", "ccc", "dd"}, {2, 2}),
                                 strings({"", "ff", "g", ""}, {2, 2})};
  EXPECT_EQ(texts_of(concat(x, 0)), (Texts{"a", "", "ccc", "dd", "", "ff", "g", ""}));
  EXPECT_EQ(texts_of(concat(x, 1)), (Texts{"a", "", "", "ff", "ccc", "dd", "g", ""}));
  EXPECT_EQ(texts_of(stack(x, 2)), (Texts{"a", "", "", "ff", "ccc", "g", "dd", ""}));
  EXPECT_EQ(stack(x, 1).shape(), (Shape{2, 2, 2}));
  const std::vector<Tensor> transposed = {x[0].view({2, 2}, {1, 2}), x[1]};
  EXPECT_EQ(texts_of(concat(transposed, 1)), (Texts{"a", "ccc", "", "ff", "", "dd", "g", ""}));
}

TEST(JoinStrings, AreTakenApartAgain) {
  const Tensor y = strings({"a", "", "ccc", "dd", "e", "ffff"}, {2, 3});
  const std::vector<int64_t> sizes = {1, 0, 2};
  const std::vector<Tensor> x = split(y, sizes, 1);
  ASSERT_EQ(x.size(), 3);
  EXPECT_EQ(texts_of(x[0]), (Texts{"a", "dd"}));
  EXPECT_EQ(x[1].shape(), (Shape{2, 0}));
  EXPECT_EQ(texts_of(x[2]), (Texts{"", "ccc", "e", "ffff"}));
  EXPECT_EQ(texts_of(concat(x, 1)), texts_of(y));
  const std::vector<Tensor> rows = unstack(y, 0);
  EXPECT_EQ(texts_of(rows[1]), (Texts{"dd", "e", "ffff"}));
  EXPECT_EQ(texts_of(stack(rows)), texts_of(y));
}

TEST(JoinStrings, FillTheCallersMemory) {
  const std::vector<Tensor> x = {strings({"a", "bb"}, {2}), strings({"", "dddd"}, {2})};
  Tensor y = Tensor::empty_strings({2, 2}, 7);
  stack(x, 1, y);
  EXPECT_EQ(texts_of(y), (Texts{"a", "", "bb", "dddd"}));
  std::vector<Tensor> back = {Tensor::empty_strings({2}, 3), Tensor::empty_strings({2}, 9)};
  unstack(y, 1, back);
  EXPECT_EQ(texts_of(back[0]), (Texts{"a", "bb"}));
  EXPECT_EQ(texts_of(back[1]), (Texts{"", "dddd"}));
}

}  // namespace
}  // namespace sylvite::test
