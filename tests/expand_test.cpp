// Expand, its views and materialize against plain loops, on every target and with both kinds of
// stores.
#include <gtest/gtest.h>

#include <cstring>
#include <optional>

#include "support/expand_cases.h"
#include "support/placed_tensor.h"
#include "support/space_batch_cases.h"
#include "support/thread_pools.h"

namespace sylvite::test {
namespace {

Bytes bytes_of(const Tensor& y) {
  const Tensor host = y.to(Device{});
  return {host.data_as<uint8_t>(), host.data_as<uint8_t>() + host.byte_count()};
}

class Expand : public KernelTest {
 protected:
  bool is_gpu() const { return GetParam().device().kind != DeviceKind::kCpu; }
};
INSTANTIATE_TEST_SUITE_P(AllTargets, Expand, ::testing::ValuesIn(kernel_choices()), choice_name);

TEST_P(Expand, MatchesTheContract) {
  const Context context = GetParam().context();
  for (SeededCases cases(1.5); cases.next();) {
    SCOPED_TRACE(cases.trace());
    Random random(cases.seed());
    check_expand(random_expand_case(random), random, GetParam(), context);
  }
}

TEST_P(Expand, MatchesTheContractOnDenseTensors) {
  const Context context = GetParam().context();
  for (SeededCases cases(1); cases.next();) {
    SCOPED_TRACE(cases.trace());
    Random random(cases.seed());
    check_expand(random_expand_case(random), random, GetParam(), context, true);
  }
}

// Dense tensors at a guard page: each element repeated along the rows.
TEST_P(Expand, RepeatsElements) {
  const Context context = GetParam().context();
  Random random(first_seed());
  for (const DType dtype : {DType::kUInt8, DType::kUInt16, DType::kUInt32, DType::kUInt64}) {
    for (const int64_t repeats : {2, 3, 4, 5, 6, 7, 8, 9, 12, 15, 16, 17, 31, 33, 63, 65, 300}) {
      for (const int64_t elements : {1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 33, 63, 64, 65, 127, 129}) {
        if (is_gpu() && elements % 16 != 0) continue;
        check_expand({{elements, 1}, {elements, repeats}, dtype}, random, GetParam(), context,
                     true);
        if (HasFailure()) return;
      }
    }
  }
}

// Short rows repeated as a whole, many times and few.
TEST_P(Expand, RepeatsPeriods) {
  const Context context = GetParam().context();
  Random random(first_seed());
  for (const DType dtype : {DType::kUInt8, DType::kUInt16, DType::kUInt32, DType::kUInt64}) {
    for (const int64_t period : {1, 2, 3, 5, 7, 8, 9, 15, 16, 31, 33, 63, 64, 65, 100, 1000}) {
      for (const int64_t repeats : {2, 3, 4, 5, 7, 40, 999}) {
        if (is_gpu() && repeats == 999) continue;
        const auto outer = random.one_of<int64_t>({1, 2, 3, repeats < 8 ? 130 : 4});
        check_expand({{outer, 1, period}, {outer, repeats, period}, dtype}, random, GetParam(),
                     context, true);
        if (HasFailure()) return;
      }
    }
  }
}

// Tiny extents inside of and around a broadcast axis.
TEST_P(Expand, TakesTinyInnerExtents) {
  const Context context = GetParam().context();
  for (SeededCases cases(.6); cases.next();) {
    SCOPED_TRACE(cases.trace());
    Random random(cases.seed());
    Shape x;
    Shape y;
    const auto axes = random.between(2, 7);
    const bool odd = random.chance(.5);
    const int64_t outer = random.one_of({1, 5, 40});
    x.push_back(outer);
    y.push_back(outer);
    for (int64_t axis = 0; axis < axes; ++axis) {
      const int64_t extent = random.between(2, axes > 4 ? 3 : 6);
      x.push_back((axis % 2 == 0) == odd ? 1 : extent);
      y.push_back(extent);
    }
    check_expand({x, y, random.one_of(kAllDTypes)}, random, GetParam(), context, random.chance(.7));
  }
}

// More than one task, rows longer than a task, and outputs that begin anywhere on a line.
TEST_P(Expand, TakesTensorsOfManyTasks) {
  if (is_gpu()) GTEST_SKIP() << "a GPU takes all in one launch";
  const Context context = GetParam().context();
  Random random(first_seed());
  for (const ExpandCase& test_case : {
           ExpandCase{{600, 1}, {600, 1000}, DType::kFloat32},
           ExpandCase{{1, 4096}, {301, 4096}, DType::kFloat32},
           ExpandCase{{1, 3}, {500001, 3}, DType::kUInt8},
           ExpandCase{{1, 7}, {100003, 7}, DType::kUInt16},
           ExpandCase{{3, 1, 100}, {3, 2001, 100}, DType::kFloat32},
           ExpandCase{{}, {700001}, DType::kUInt8},
           ExpandCase{{}, {1200007}, DType::kUInt16},
           ExpandCase{{300007, 1}, {300007, 3}, DType::kUInt16},
           ExpandCase{{1, 300007}, {3, 300007}, DType::kUInt32},
           ExpandCase{{4, 64, 1, 16, 1}, {4, 64, 16, 16, 32}, DType::kFloat32},
           ExpandCase{{2, 1, 128, 129}, {2, 24, 128, 129}, DType::kUInt16},
           ExpandCase{{50000, 1, 3}, {50000, 5, 3}, DType::kUInt8},
           ExpandCase{{20000, 1, 3, 1}, {20000, 5, 3, 2}, DType::kUInt32},
       }) {
    const int size = element_size(test_case.dtype);
    const Shape y_shape = reference_expand_shape(test_case.x, test_case.shape);
    for (const int shift : {0, size}) {
      Placement there = dense_placement(y_shape);
      there.shift = shift;
      const PlacedTensor x(random, test_case.dtype, test_case.x, dense_placement(test_case.x), {},
                           true);
      PlacedTensor y(random, test_case.dtype, y_shape, there, {}, false);
      expand(x.tensor(), test_case.shape, y.tensor(), context);
      y.expect_holds(reference_expand(x.elements(), test_case.x, y_shape, size),
                     to_string(test_case));
      if (HasFailure()) return;
    }
  }
}

TEST_P(Expand, GivesTheRightShapeWithoutElements) {
  const Context context = GetParam().context();
  for (const DType dtype : kAllDTypes) {
    for (const auto& [from, shape, to] :
         {std::array{Shape{0}, Shape{3, 1}, Shape{3, 0}}, std::array{Shape{1}, Shape{0}, Shape{0}},
          std::array{Shape{2, 0, 1}, Shape{1, 5}, Shape{2, 0, 5}},
          std::array{Shape{5, 0}, Shape{-1, -1}, Shape{5, 0}},
          std::array{Shape{3, 1}, Shape{0, 1, 0}, Shape{0, 3, 0}}}) {
      const Tensor x = Tensor::empty(dtype, from, GetParam().device());
      const Tensor y = expand(x, shape, context);
      EXPECT_EQ(y.shape(), to);
      EXPECT_EQ(y.dtype(), dtype);
      EXPECT_EQ(y.device(), x.device());
      EXPECT_EQ(materialize(expand_view(x, shape), context).shape(), to);
    }
  }
}

TEST_P(Expand, TakesTheShapeAsATensor) {
  const Context context = GetParam().context();
  Random random(first_seed());
  const PlacedTensor x(random, DType::kInt16, {3, 1}, dense_placement({3, 1}), GetParam().device(),
                       true);
  const std::array<int64_t, 5> wide = {2, 9, -1, 9, 5};
  const std::array<int32_t, 3> narrow = {2, -1, 5};
  const Tensor every_other = Tensor::wrap(wide.data(), DType::kInt64, {3}, {2});
  const Tensor dense = Tensor::wrap(narrow.data(), DType::kInt32, {3});
  const Bytes wanted = reference_expand(x.elements(), {3, 1}, {2, 3, 5}, 2);
  for (const Tensor& shape : {every_other, dense}) {
    const Tensor y = expand(x.tensor(), shape, context);
    EXPECT_EQ(y.shape(), (Shape{2, 3, 5}));
    EXPECT_EQ(bytes_of(y), wanted);
  }
  const Tensor none = Tensor::empty(DType::kInt64, {0});
  EXPECT_EQ(bytes_of(expand(x.tensor(), none, context)), x.elements());
}

TEST_P(Expand, ViewsShareTheStorageAndMaterializeToTheSameElements) {
  const Context context = GetParam().context();
  for (SeededCases cases(.6); cases.next();) {
    SCOPED_TRACE(cases.trace());
    Random random(cases.seed());
    const ExpandCase test_case = random_expand_case(random);
    const int size = element_size(test_case.dtype);
    const Shape y_shape = reference_expand_shape(test_case.x, test_case.shape);
    const PlacedTensor x(random, test_case.dtype, test_case.x,
                         random_placement(random, test_case.x, size, true), GetParam().device(),
                         true);
    note_case(to_string(test_case));
    const Tensor view = expand_view(x.tensor(), test_case.shape);
    EXPECT_EQ(view.shape(), y_shape);
    EXPECT_EQ(view.storage(), x.tensor().storage());
    EXPECT_EQ(view.data(), x.tensor().data());
    bool any = false;
    for (int axis = 0; axis < view.rank(); ++axis)
      any = any || (view.shape()[axis] > 1 && view.strides()[axis] == 0);
    EXPECT_EQ(expanded(view), any);
    const Bytes wanted = reference_expand(x.elements(), test_case.x, y_shape, size);
    const Tensor y = materialize(view, context);
    EXPECT_EQ(y.strides(), dense_strides(y_shape));
    EXPECT_FALSE(expanded(y));
    ASSERT_EQ(bytes_of(y), wanted) << to_string(test_case);
    PlacedTensor into(random, test_case.dtype, y_shape,
                      random_placement(random, y_shape, size, false), GetParam().device(), false);
    materialize(view, into.tensor(), context);
    into.expect_holds(wanted, "materialize " + to_string(test_case));
    EXPECT_EQ(bytes_of(view), wanted) << to_string(test_case);
  }
}

TEST_P(Expand, ViewsAreInputsOfOtherOperators) {
  const Context context = GetParam().context();
  Random random(first_seed());
  const Shape shape{2, 3, 4, 6};
  for (const Shape& from : {Shape{1, 1, 1, 1}, Shape{2, 1, 4, 1}, Shape{3, 1, 6}, Shape{6}}) {
    const PlacedTensor x(random, DType::kFloat32, from, dense_placement(from), GetParam().device(),
                         true);
    const Tensor view = expand_view(x.tensor(), shape);
    const Tensor dense = materialize(view, context);
    const SpaceToBatchArgs args{{2, 3}, {{2, 0}, {0, 3}}};
    EXPECT_EQ(bytes_of(space_to_batch(view, args, context)),
              bytes_of(space_to_batch(dense, args, context)));
    const Tensor twice = expand_view(view, {5, 2, 3, 4, 6});
    EXPECT_EQ(bytes_of(expand(view, {5, 1, 1, 1, 1}, context)),
              bytes_of(materialize(twice, context)));
  }
}

TEST_P(Expand, KeepsTheBitsOfEveryNan) {
  Random random(first_seed());
  for (const DType dtype : {DType::kFloat16, DType::kBFloat16, DType::kFloat32, DType::kFloat64}) {
    const auto size = static_cast<size_t>(element_size(dtype));
    Bytes bits = random.bytes(int64_t{33} * element_size(dtype));
    for (size_t i = 0; i < bits.size(); i += size) {
      bits[i + size - 1] |= 0x7F;
      bits[i + size - 2] |= 0xF0;
    }
    const Tensor x =
        Tensor::wrap(bits.data(), dtype, {33, 1}).to(GetParam().device(), GetParam().context());
    for (const int64_t repeats : {3, 40}) {
      EXPECT_EQ(bytes_of(expand(x, Shape{33, repeats}, GetParam().context())),
                reference_expand(bits, {33, 1}, {33, repeats}, element_size(dtype)));
    }
  }
}

class ExpandOnThreads : public KernelTest {};
INSTANTIATE_TEST_SUITE_P(CpuTargets, ExpandOnThreads, ::testing::ValuesIn(cpu_kernel_choices()),
                         choice_name);

TEST_P(ExpandOnThreads, IsTheSameForEveryCountAndPool) {
  SpawningPool spawning;
  BackwardsPool backwards;
  Random random(first_seed());
  for (const ExpandCase& large : {ExpandCase{{1, 777, 1}, {3, 777, 301}, DType::kFloat32},
                                  ExpandCase{{2, 1, 5}, {2, 200001, 5}, DType::kUInt16},
                                  ExpandCase{{200001, 1}, {200001, 3}, DType::kUInt32},
                                  ExpandCase{{5000, 1, 3, 1}, {5000, 9, 3, 4}, DType::kUInt32}}) {
    SCOPED_TRACE(to_string(large));
    for (const int threads : {1, 2, 7}) {
      SCOPED_TRACE(testing::Message() << threads << " threads");
      check_expand(large, random, GetParam(), GetParam().context(threads), true);
    }
    for (const ThreadPool* pool : {spawning.pool(), backwards.pool()})
      check_expand(large, random, GetParam(), GetParam().context(7, pool), true);
  }
  EXPECT_GT(spawning.tasks(), 1);
  EXPECT_GT(backwards.tasks(), 1);
}

TEST(ExpandViews, KeepTheStorageAlive) {
  bool gone = false;
  std::array<float, 3> memory = {1, 2, 3};
  std::optional<Tensor> x =
      Tensor::wrap(memory.data(), DType::kFloat32, {3, 1}, {}, [&] { gone = true; });
  std::optional<Tensor> view = expand_view(*x, {3, 4});
  x.reset();
  EXPECT_FALSE(gone);
  EXPECT_EQ(materialize(*view).data_as<float>()[11], 3);
  std::optional<Tensor> of_view = expand_view(*view, {2, 3, 4});
  view.reset();
  EXPECT_FALSE(gone);
  of_view.reset();
  EXPECT_TRUE(gone);
}

TEST(ExpandViews, HaveStrideZeroOnTheBroadcastAxesAlone) {
  const Tensor x = Tensor::empty(DType::kInt32, {3, 1, 5});
  const Tensor view = expand_view(x, {2, -1, 4, 1});
  EXPECT_EQ(view.shape(), (Shape{2, 3, 4, 5}));
  EXPECT_EQ(view.strides(), (Shape{0, 5, 0, 1}));
  EXPECT_TRUE(expanded(view));
  EXPECT_FALSE(expanded(x));
  EXPECT_FALSE(expanded(expand_view(x, {1, 3, 1, 5})));
  EXPECT_FALSE(expanded(expand_view(x, {0, 3, 1, 5})));
}

TEST(ExpandViews, MayBeLargerThanAnyMemory) {
  const Tensor x = Tensor::empty(DType::kUInt8, {1});
  const Tensor view = expand_view(x, {2660446024, 1000000000});
  EXPECT_EQ(view.element_count(), 2660446024000000000);
  EXPECT_TRUE(expanded(view));
}

TEST(ExpandShapes, AreThoseOfTheContract) {
  const auto shape = [](const Shape& x, const Shape& wanted) {
    return expand_shape({.shape = x}, wanted);
  };
  EXPECT_EQ(shape({3, 1}, {2, 1, 6}), (Shape{2, 3, 6}));
  EXPECT_EQ(shape({3, 4}, {1, 4}), (Shape{3, 4}));
  EXPECT_EQ(shape({2, 3, 4}, {4}), (Shape{2, 3, 4}));
  EXPECT_EQ(shape({}, {2, 3}), (Shape{2, 3}));
  EXPECT_EQ(shape({2, 3}, {}), (Shape{2, 3}));
  EXPECT_EQ(shape({1, 3}, {-1, -1}), (Shape{1, 3}));
  EXPECT_EQ(shape({1}, {0}), (Shape{0}));
  EXPECT_EQ(shape({0}, {1}), (Shape{0}));
  EXPECT_EQ(shape({0, 1}, {0, 5}), (Shape{0, 5}));
}

TEST(ExpandByName, TakesTheShapeAsAnArgument) {
  const TensorInfo x{.dtype = DType::kFloat32, .shape = {1024, 1}};
  const std::array arguments = {Argument{"shape", std::vector<int64_t>{1024, 4096}}};
  const Explanation what = explain("Expand", std::span(&x, 1), arguments);
  EXPECT_EQ(what.op, "Expand");
  EXPECT_EQ(what.output_shape, (Shape{1024, 4096}));
  EXPECT_EQ(what.bytes_written, 1024 * 4096 * 4);
  EXPECT_GT(what.tasks, 0);
}

TEST(ExpandPlans, RunOnEveryTensorOfTheirShapes) {
  Random random(first_seed());
  const Shape from{5, 1, 7};
  const Shape to{5, 9, 7};
  const PlacedTensor x(random, DType::kInt16, from, dense_placement(from), {}, true);
  const Plan plan = expand_plan({.dtype = DType::kInt16, .shape = from}, {.shape = {}}, {9, 7});
  Tensor y = Tensor::empty(DType::kInt16, to);
  plan.run(x.tensor(), y);
  EXPECT_EQ(bytes_of(y), reference_expand(x.elements(), from, to, 2));
}

}  // namespace
}  // namespace sylvite::test
