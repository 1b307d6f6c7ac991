// Plans, and what explain() tells of a call.
#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <optional>
#include <set>

#include "support/placed_tensor.h"
#include "support/rejects.h"
#include "support/space_batch_cases.h"

namespace sylvite::test {
namespace {

constexpr SpaceToBatchArgs kBlock2 = {{2, 2}};
constexpr ErrorCode kInvalidArgument = ErrorCode::kInvalidArgument;

/// Dense, in Caffe2's names.
Explanation explain_space_to_batch(const TensorInfo& x, int64_t block,
                                   const Context& context = {}) {
  const Argument block_size{"block_size", block};
  return explain("SpaceToBatch", {&x, 1}, {&block_size, 1}, context);
}

class Plans : public KernelTest {};
INSTANTIATE_TEST_SUITE_P(AllTargets, Plans, ::testing::ValuesIn(kernel_choices()), choice_name);

TEST_P(Plans, EqualTheCall) {
  const Context context = GetParam().context();
  for (SeededCases cases(.3); cases.next();) {
    SCOPED_TRACE(cases.trace());
    Random random(cases.seed());
    const SpaceBatchCase test_case = random_case(random);
    const auto& [image, args, dtype] = test_case;
    const int size = element_size(dtype);
    const Shape phases = reference_shape(image, args);
    const Device device = GetParam().device();
    const PlacedTensor x(random, dtype, image, random_placement(random, image, size, true), device,
                         true);
    PlacedTensor y(random, dtype, phases, random_placement(random, phases, size, false), device,
                   false);
    const Plan plan = space_to_batch_plan(x.tensor().info(), y.tensor().info(), args, context);
    plan.run(x.tensor(), y.tensor());
    plan.run(x.tensor(), y.tensor());
    y.expect_holds(
        reference_space_to_batch(x.elements(), image, args, encode(args.pad_value, dtype)),
        to_string(test_case));
    PlacedTensor back(random, dtype, image, random_placement(random, image, size, false), device,
                      false);
    batch_to_space_plan(y.tensor().info(), back.tensor().info(), inverse(args), context)
        .run(y.tensor(), back.tensor());
    back.expect_holds(x.elements(), "back: " + to_string(test_case));
  }
}

TEST_P(Plans, NameTheTargetAndTheVariantThatRun) {
  const TensorInfo x{
      .dtype = DType::kFloat32, .shape = {1, 4, 64, 64}, .device = GetParam().device()};
  const Explanation facts = explain_space_to_batch(x, 2, GetParam().context());
  EXPECT_EQ(facts.op, "SpaceToBatch");
  EXPECT_EQ(facts.target, GetParam().target);
  EXPECT_EQ(facts.variant, GetParam().stores == StorePolicy::kStream ? "stream" : "plain");
  EXPECT_NE(facts.kernel, "");
  EXPECT_NE(facts.kernel, "memcpy");
  EXPECT_NE(facts.kernel, "none");
  EXPECT_EQ(facts.bytes_read, 4 * 64 * 64 * 4);
  EXPECT_EQ(facts.bytes_written, 4 * 64 * 64 * 4);
  EXPECT_GE(facts.kernel_calls, 1);
  EXPECT_GE(facts.tasks, facts.kernel_calls);
  EXPECT_EQ(facts.output_shape, (Shape{4, 4, 32, 32}));
  const std::string text = to_string(facts);
  for (const std::string_view part : {facts.op, facts.kernel, facts.target, facts.variant}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " in " << text;
  }
}

TEST(PlanFacts, CountOnlyTheBytesThatMove) {
  const TensorInfo x{.dtype = DType::kUInt16, .shape = {1, 2, 6, 10}};
  const SpaceToBatchArgs padded{{2, 2}, {{1, 1}, {2, 0}}};
  const TensorInfo y{.dtype = DType::kUInt16, .shape = space_to_batch_shape(x, padded)};
  const Explanation forward = space_to_batch_plan(x, y, padded).explanation();
  EXPECT_EQ(forward.bytes_read, 2 * 6 * 10 * 2);
  EXPECT_EQ(forward.bytes_written, 2 * 8 * 12 * 2);
  const Explanation backward = batch_to_space_plan(y, x, inverse(padded)).explanation();
  EXPECT_EQ(backward.bytes_read, 2 * 6 * 10 * 2);
  EXPECT_EQ(backward.bytes_written, 2 * 6 * 10 * 2);
}

TEST(PlanFacts, CallADenseMoveWithoutBlocksAMemcpy) {
  const TensorInfo x{.dtype = DType::kFloat64, .shape = {3, 4, 5, 6}};
  EXPECT_EQ(explain_space_to_batch(x, 1).kernel, "memcpy");
  const TensorInfo wide{.dtype = DType::kUInt8, .shape = {1, 64, 3, 3}};
  const Explanation phases_of_1x1 = explain_space_to_batch(wide, 3);
  EXPECT_EQ(phases_of_1x1.output_shape, (Shape{9, 64, 1, 1}));
}

TEST(PlanFacts, CallAMoveOfNothingNone) {
  const TensorInfo x{.dtype = DType::kFloat64, .shape = {3, 0, 4, 6}};
  const Explanation facts = explain_space_to_batch(x, 2);
  EXPECT_EQ(facts.kernel, "none");
  EXPECT_EQ(facts.bytes_read, 0);
  EXPECT_EQ(facts.bytes_written, 0);
  EXPECT_EQ(facts.kernel_calls, 0);
  EXPECT_EQ(facts.output_shape, (Shape{12, 0, 2, 3}));
}

TEST(PlanFacts, CutLargeCallsIntoTasks) {
  const TensorInfo x{.dtype = DType::kFloat32, .shape = {8, 16, 256, 256}};
  EXPECT_GT(explain_space_to_batch(x, 2, Context({.threads = 2})).tasks, 1);
  const TensorInfo small{.dtype = DType::kFloat32, .shape = {1, 1, 8, 8}};
  EXPECT_EQ(explain_space_to_batch(small, 2, Context({.threads = 2})).tasks, 1);
}

TEST(PlanFacts, DoNotCutCallsBeyondInt32IntoCrumbs) {
  // Phases 2^30 bytes apart: what reaches too far is the step from one to the next.
  const TensorInfo x{.dtype = DType::kUInt8, .shape = {1, 1, (int64_t{1} << 31) + 6}};
  const SpaceToBatchArgs args{{2}};
  const TensorInfo y{.dtype = x.dtype, .shape = space_to_batch_shape(x, args)};
  const Plan plan = space_to_batch_plan(x, y, args);
  const Explanation& facts = plan.explanation();
  EXPECT_GT(facts.tasks, 1000);
  EXPECT_LT(facts.tasks, 100000);
}

TEST(PlanFacts, StreamLargeOutputsUnlessToldOtherwise) {
  const TensorInfo large{.dtype = DType::kFloat32, .shape = {64, 64, 512, 512}};
  const TensorInfo small{.dtype = DType::kFloat32, .shape = {1, 4, 64, 64}};
  const std::string_view best = targets().front();
  const auto variant = [&](const TensorInfo& x, StorePolicy stores) {
    return explain_space_to_batch(x, 2, Context({.target = best, .stores = stores})).variant;
  };
  EXPECT_EQ(variant(small, StorePolicy::kAuto), "plain");
  EXPECT_EQ(variant(large, StorePolicy::kPlain), "plain");
  EXPECT_EQ(variant(large, StorePolicy::kAuto), variant(small, StorePolicy::kStream));
}

TEST(PlanFacts, AcceptCaffe2sNames) {
  const TensorInfo x{.shape = {1, 3, 5, 5}};
  const std::array<Argument, 2> pad = {Argument{"block_size", int64_t{3}},
                                       Argument{"pad", int64_t{2}}};
  EXPECT_EQ(explain("SpaceToBatch", {&x, 1}, pad).output_shape, (Shape{9, 3, 3, 3}));
  const std::array<Argument, 3> sides = {Argument{"pad", int64_t{1}}, Argument{"pad_l", int64_t{0}},
                                         Argument{"pad_b", int64_t{2}}};
  EXPECT_EQ(explain("SpaceToBatch", {&x, 1}, sides).output_shape, (Shape{4, 3, 4, 3}));
  const std::array<Argument, 4> ours = {Argument{"block_shape", std::vector<int64_t>{3, 1}},
                                        Argument{"paddings", std::vector<int64_t>{0, 0, 1, 2}},
                                        Argument{"order", "NHWC"}, Argument{"pad_value", 1.5}};
  const TensorInfo channels_last{.shape = {2, 6, 5, 7}};
  EXPECT_EQ(explain("SpaceToBatch", {&channels_last, 1}, ours).output_shape, (Shape{6, 2, 8, 7}));
  const TensorInfo batch{.shape = {8, 3, 32, 32}};
  const Argument crop{"pad", int64_t{3}};
  EXPECT_EQ(explain("BatchToSpace", {&batch, 1}, {&crop, 1}).output_shape, (Shape{2, 3, 58, 58}));
}

TEST(PlanFacts, NameEveryOperatorOnce) {
  std::set<std::string_view> names;
  for (const OperatorSchema* schema : operators()) {
    EXPECT_TRUE(names.insert(schema->name).second) << schema->name;
    EXPECT_NE(schema->summary, "") << schema->name;
    EXPECT_TRUE(schema->plan != nullptr || schema->bind != nullptr) << schema->name;
  }
  for (const std::string_view name : {"SpaceToBatch", "BatchToSpace"}) {
    EXPECT_TRUE(names.contains(name)) << name;
  }
}

TEST(PlanRejects, TensorsItWasNotMadeFor) {
  const TensorInfo x_info{.shape = {1, 1, 4, 4}};
  const TensorInfo y_info{.shape = {4, 1, 2, 2}};
  const Plan plan = space_to_batch_plan(x_info, y_info, kBlock2);
  Bytes x_memory(256);
  Bytes y_memory(256);
  const Tensor x = Tensor::wrap(x_memory.data(), DType::kFloat32, x_info.shape);
  Tensor y = Tensor::wrap(y_memory.data(), DType::kFloat32, y_info.shape);
  EXPECT_NO_THROW(plan.run(x, y));

  const auto expect_refused = [&](std::string_view fragment, const Tensor& bad_x, Tensor bad_y) {
    SCOPED_TRACE(fragment);
    expect_rejected(kInvalidArgument, {"SpaceToBatch", fragment}, y_memory,
                    [&] { plan.run(bad_x, bad_y); });
  };
  const Shape image = x_info.shape;
  const Shape phases = y_info.shape;
  expect_refused("X", Tensor::wrap(x_memory.data(), DType::kInt32, image), y);
  expect_refused("X", Tensor::wrap(x_memory.data(), DType::kFloat32, {1, 1, 4, 8}), y);
  expect_refused("X", Tensor::wrap(x_memory.data(), DType::kFloat32, {1, 4, 4}), y);
  expect_refused("X", Tensor::wrap(x_memory.data(), DType::kFloat32, image, {0, 0, 8, 1}), y);
  expect_refused("Y", x, Tensor::wrap(y_memory.data(), DType::kFloat64, phases));
  expect_refused("Y", x, Tensor::wrap(y_memory.data(), DType::kFloat32, {2, 2, 2, 2}));
  expect_refused("Y", x, Tensor::wrap(y_memory.data(), DType::kFloat32, phases, {8, 8, 2, 1}));
  const void* read_only = y_memory.data();
  expect_refused("Y", x, Tensor::wrap(read_only, DType::kFloat32, phases));
  expect_refused("overlap", Tensor::wrap(y_memory.data() + 60, DType::kFloat32, image), y);
}

TEST(PlanRejects, OutputsThatDoNotFitWhenItIsMade) {
  const TensorInfo x{.shape = {1, 1, 4, 4}};
  expect_rejected(kInvalidArgument, {"SpaceToBatch", "Y", "int8"}, [&] {
    space_to_batch_plan(x, {.dtype = DType::kInt8, .shape = {4, 1, 2, 2}}, kBlock2);
  });
  expect_rejected(kInvalidArgument, {"SpaceToBatch", "Y", "[4, 1, 2, 3]"}, [&] {
    space_to_batch_plan(x, {.shape = {4, 1, 2, 3}}, kBlock2);
  });
  expect_rejected(kInvalidArgument, {"SpaceToBatch", "Y", "overlap"}, [&] {
    space_to_batch_plan(x, {.shape = {4, 1, 2, 2}, .strides = {0, 4, 2, 1}}, kBlock2);
  });
  constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
  const TensorInfo bytes{.dtype = DType::kUInt8, .shape = {1, 1, 2, 1}};
  for (const int64_t stride : {kLeast, kLeast + 1, -(kLeast + 1)}) {
    SCOPED_TRACE(stride);
    const TensorInfo y{.dtype = DType::kUInt8, .shape = {2, 1, 1, 1}, .strides = {stride, 1, 1, 1}};
    expect_rejected(kInvalidArgument, {"SpaceToBatch", "Y"}, [&] {
      space_to_batch_plan(bytes, y, {{2, 1}});
    });
  }
}

TEST(PlanLifetime, IsItsOwn) {
  std::optional<Plan> plan;
  {
    const Context context({.threads = 2});
    const TensorInfo x{.shape = {1, 1, 4, 4}};
    plan = space_to_batch_plan(x, {.shape = {4, 1, 2, 2}}, kBlock2, context);
  }
  const Plan copy = *plan;
  plan.reset();
  const Tensor x = Tensor::empty(DType::kFloat32, {1, 1, 4, 4});
  for (int i = 0; i < 16; ++i) x.data_as<float>()[i] = static_cast<float>(i);
  Tensor y = Tensor::empty(DType::kFloat32, {4, 1, 2, 2});
  copy.run(x, y);
  EXPECT_EQ(y.data_as<float>()[15], 15.0F);
  EXPECT_EQ(y.data_as<float>()[3], 10.0F);
}

}  // namespace
}  // namespace sylvite::test
