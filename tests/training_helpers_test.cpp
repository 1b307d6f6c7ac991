// Gradients over several steps, half storage, and gradients against finite differences.
#include <gtest/gtest.h>

#include <cmath>

#include "support/rejects.h"
#include "support/toy_operators.h"

namespace sylvite::test {
namespace {

constexpr ErrorCode kInvalidArgument = ErrorCode::kInvalidArgument;

Tensor typed(std::vector<float> values, DType dtype) {
  return cast(floats(std::move(values)), dtype);
}
float first_of(const Workspace& workspace, const std::string& blob) {
  return floats_of(cast(workspace.fetch(blob), DType::kFloat32))[0];
}

TEST(WorkspaceGradientSteps, AreAddedUp) {
  Workspace workspace;
  GradientAccumulator means({"a", "b"}, 3);
  GradientAccumulator sums({"a"}, 2, GradientAccumulator::Result::kSum);
  EXPECT_EQ(GradientAccumulator::total("a"), "a_total");
  for (int round = 0; round < 3; ++round) {
    for (int step = 1; step <= 3; ++step) {
      const auto value = static_cast<float>(step + round);
      workspace.feed("a", floats({value, 10}));
      workspace.feed("b", typed({2 * value}, DType::kFloat64));
      EXPECT_EQ(means.step(), step - 1);
      EXPECT_EQ(means.add(workspace), step == 3);
    }
    const auto mean = static_cast<float>(2 + round);
    EXPECT_NEAR(floats_of(workspace.fetch("a_total"))[0], mean, 1e-6);
    EXPECT_NEAR(floats_of(workspace.fetch("a_total"))[1], 10, 1e-5);
    EXPECT_EQ(workspace.get("b_total").dtype(), DType::kFloat64);
    EXPECT_NEAR(first_of(workspace, "b_total"), 2 * mean, 1e-6);
  }
  workspace.feed("a", typed({5}, DType::kInt32));
  EXPECT_FALSE(sums.add(workspace));
  EXPECT_TRUE(sums.add(workspace));
  EXPECT_EQ(*workspace.get("a_total").data_as<int32_t>(), 10);
}

TEST(WorkspaceGradientSteps, KeepWhatAHalfTypeWouldLose) {
  for (const DType half : {DType::kFloat16, DType::kBFloat16}) {
    Workspace workspace;
    GradientAccumulator sums({"g"}, 1001, GradientAccumulator::Result::kSum);
    workspace.feed("g", typed({1}, half));
    sums.add(workspace);
    workspace.feed("g", typed({0x1p-12F}, half));
    for (int i = 0; i < 1000; ++i) sums.add(workspace);
    EXPECT_EQ(workspace.get("g_total").dtype(), DType::kFloat32);
    EXPECT_EQ(first_of(workspace, "g_total"), 1 + 1000 * 0x1p-12F) << name(half);
  }
}

TEST(WorkspaceGradientSteps, HoldTheirMemory) {
  const MemoryMeter meter;
  Workspace workspace(builtin_registry(), Context({.allocator = meter.allocator()}));
  workspace.feed("g", typed(std::vector<float>(1000, 1), DType::kBFloat16));
  GradientAccumulator means({"g"}, 4);
  for (int i = 0; i < 12; ++i) means.add(workspace);
  const MemoryUse after = meter.use();
  for (int i = 0; i < 40; ++i) means.add(workspace);
  EXPECT_EQ(meter.use().live, after.live);
  EXPECT_EQ(meter.use().peak, after.peak);
}

TEST(WorkspaceGradientSteps, RefuseWhatDoesNotAddUp) {
  const auto refused = [](std::initializer_list<std::string_view> fragments, const auto& call) {
    expect_rejected(kInvalidArgument, fragments, call);
  };
  refused({"steps is 0"}, [] { GradientAccumulator bad({"g"}, 0); });
  refused({"no gradients"}, [] { GradientAccumulator bad({}, 1); });
  refused({"g", "twice"}, [] { GradientAccumulator bad({"g", "g"}, 1); });
  Workspace workspace;
  GradientAccumulator means({"g", "h"}, 2);
  workspace.feed("g", floats({1}));
  refused({"no blob", "h"}, [&] { means.add(workspace); });
  EXPECT_FALSE(workspace.has("g_total"));
  workspace.feed("h", floats({1}));
  means.add(workspace);
  workspace.feed("h", floats({1, 2}));
  refused({"gradient h", "float32[2]", "step 2", "want float32[1]"}, [&] { means.add(workspace); });
  EXPECT_EQ(first_of(workspace, "g_total"), 1);
  workspace.feed("h", floats({3}));
  EXPECT_TRUE(means.add(workspace)) << "a refused step is none";
  EXPECT_EQ(first_of(workspace, "h_total"), 2);
  workspace.feed("g", typed({1}, DType::kInt8));
  expect_rejected(ErrorCode::kUnsupported, {"g", "int8", "mean"}, [&] { means.add(workspace); });
}

TEST(WorkspaceHalfStorage, KeepsStepsThatTheHalfTypeLoses) {
  for (const DType half : {DType::kFloat16, DType::kBFloat16}) {
    Workspace workspace;
    const HalfStorage storage(half);
    workspace.feed("w", floats({1, -2}));
    storage.store(workspace, "w");
    EXPECT_EQ(workspace.get("w").dtype(), half);
    EXPECT_EQ(workspace.get(HalfStorage::copy_of("w")).dtype(), DType::kFloat32);
    workspace.feed("step", floats({0x1p-12F, 0x1p-12F}));
    const Net update("update", storage.update("w", "step"));
    workspace.run(update);
    EXPECT_EQ(first_of(workspace, "w"), 1) << "one step alone is too small to see";
    for (int i = 1; i < 4096; ++i) workspace.run(update);
    EXPECT_EQ(floats_of(cast(workspace.fetch("w"), DType::kFloat32)), (std::vector<float>{2, -1}));
  }
  expect_rejected(kInvalidArgument, {"HalfStorage", "float32"},
                  [] { HalfStorage bad(DType::kFloat32); });
  Workspace workspace;
  workspace.feed("n", typed({1}, DType::kInt64));
  const HalfStorage storage(DType::kFloat16);
  expect_rejected(kInvalidArgument, {"n", "int64"}, [&] { storage.store(workspace, "n"); });
  expect_rejected(kInvalidArgument, {"no blob", "w"}, [&] { storage.store(workspace, "w"); });
}

// A filter stored in bfloat16, read in float32, its gradient back in bfloat16.
TEST(WorkspaceHalfStorage, TakesPartInNetsWithGradients) {
  Workspace workspace;
  const HalfStorage storage(DType::kBFloat16);
  workspace.feed("w", floats({2, 3}));
  storage.store(workspace, "w");
  workspace.feed("x", floats({5, 7}));
  workspace.feed("y_grad", floats({1, 1}));
  Net net("wide",
          {storage.widen("w", "wide"), {.type = "Mul", .inputs = {"wide", "x"}, .outputs = {"y"}}});
  const auto gradients = net.add_gradients({{"y", "y_grad"}});
  workspace.run(net);
  EXPECT_EQ(floats_of(workspace.fetch("y")), (std::vector<float>{10, 21}));
  const Tensor gradient = workspace.fetch(gradients.at("w"));
  EXPECT_EQ(gradient.dtype(), DType::kBFloat16);
  EXPECT_EQ(floats_of(cast(gradient, DType::kFloat32)), (std::vector<float>{5, 7}));
}

Tensor doubles(const Shape& shape, uint64_t seed) {
  return uniform_initializer(-2, 2, seed)(DType::kFloat64, shape);
}

TEST(OperatorGradientCheck, HoldsForTheLibrarysOperators) {
  Workspace workspace;
  workspace.feed("x", doubles({1, 2, 6, 6}, 1));
  workspace.feed("w", doubles({3, 2, 3, 3}, 2));
  workspace.feed("b", doubles({3}, 3));
  workspace.feed("row", doubles({1, 1, 1, 4}, 4));
  const Net net("every",
                {{.type = "SpaceToBatch",
                  .inputs = {"x"},
                  .outputs = {"p"},
                  .arguments = {{"pad", int64_t{2}}}},
                 {.type = "Conv", .inputs = {"p", "w", "b"}, .outputs = {"f"}},
                 {.type = "BatchToSpace",
                  .inputs = {"f"},
                  .outputs = {"y"},
                  .arguments = {{"pad", int64_t{1}}}},
                 {.type = "Mul", .inputs = {"y", "row"}, .outputs = {"z"}},
                 {.type = "Split", .inputs = {"z"}, .outputs = {"z0", "z1", "z2"}},
                 {.type = "Concat", .inputs = {"z0", "z2", "z0"}, .outputs = {"joined"}},
                 {.type = "Add", .inputs = {"joined", "row"}, .outputs = {"shifted"}},
                 {.type = "SquaredL2", .inputs = {"shifted"}, .outputs = {"loss"}}},
                {"loss"});
  const GradientCheck check = check_gradient(workspace, net);
  EXPECT_TRUE(check.right()) << to_string(check);
  EXPECT_EQ(check.elements, 72 + 54 + 3 + 4);
  EXPECT_EQ(workspace.local_blobs(), (std::vector<std::string>{"b", "row", "w", "x"}));
  const GradientCheck few = check_gradient(workspace, net, {.inputs = {"x"}, .most_elements = 10});
  EXPECT_TRUE(few.right()) << to_string(few);
  EXPECT_EQ(few.elements, 10);
}

TEST(OperatorGradientCheck, TakesEveryFloatingType) {
  for (const DType dtype : {DType::kFloat16, DType::kBFloat16, DType::kFloat32, DType::kFloat64}) {
    Workspace workspace;
    workspace.feed("a", cast(doubles({2, 3}, 1), dtype));
    workspace.feed("b", cast(doubles({3}, 2), dtype));
    const GradientCheck check =
        check_gradient(workspace, {.type = "Mul", .inputs = {"a", "b"}, .outputs = {"y"}});
    EXPECT_TRUE(check.right()) << name(dtype) << ": " << to_string(check);
  }
}

/// Cube, whose rule may be wrong in several ways.
std::shared_ptr<Registry> cubes(GradientRule rule) {
  std::shared_ptr<Registry> registry = toy_registry();
  register_cpu_operator(*registry,
                        {.name = "Cube", .inputs = 1, .outputs = 1, .bind = [](const OperatorDef&) {
                           return [](OperatorCall& call) {
                             const Tensor& x = call.input(0);
                             Tensor& y = call.output(0, x.dtype(), x.shape());
                             for (int64_t i = 0; i < x.element_count(); ++i)
                               y.data_as<float>()[i] = std::pow(x.data_as<float>()[i], 3.F);
                           };
                         }});
  register_gradient(*registry, "Cube", std::move(rule));
  return registry;
}

TEST(OperatorGradientCheck, FindsWrongRules) {
  const OperatorDef cube{.type = "Cube", .inputs = {"x"}, .outputs = {"y"}};
  const auto check = [&](GradientRule rule, std::vector<float> x) {
    Workspace workspace(cubes(std::move(rule)));
    workspace.feed("x", floats(std::move(x)));
    return check_gradient(workspace, cube);
  };
  // dx = factor * x * x * dy.
  const auto rule = [](double factor) {
    return [factor](const GradientRequest& request) {
      const std::string& x = request.def.inputs[0];
      return GradientDefs{
          .operators = {{.type = "Product", .inputs = {x, x}, .outputs = {"square"}},
                        {.type = "Scale",
                         .inputs = {"square"},
                         .outputs = {"scaled"},
                         .arguments = {{"factor", factor}}},
                        {.type = "Product",
                         .inputs = {"scaled", request.output(0)},
                         .outputs = {request.input(0)}}},
          .inputs = {request.input(0)}};
    };
  };
  EXPECT_TRUE(check(rule(3), {1, -2, .5F}).right());
  const GradientCheck wrong = check(rule(2), {1, -2, .5F});
  EXPECT_FALSE(wrong.right()) << to_string(wrong);
  EXPECT_EQ(wrong.blob, "x");
  EXPECT_EQ(wrong.element, 1) << "the largest";
  EXPECT_NEAR(wrong.by_rule / wrong.by_difference, 2. / 3, 1e-2);
  const GradientCheck forgotten = check(
      [](const GradientRequest&) {
        return GradientDefs{.operators = {}, .inputs = {std::nullopt}};
      },
      {1});
  EXPECT_FALSE(forgotten.right()) << to_string(forgotten);
  EXPECT_FALSE(check(rule(NAN), {1}).right());
}

TEST(OperatorGradientCheck, RefusesWhatItCannotCheck) {
  Workspace workspace(toy_registry());
  workspace.feed("x", floats({1}));
  workspace.feed("n", typed({1}, DType::kInt32));
  const OperatorDef scale{.type = "Scale", .inputs = {"x"}, .outputs = {"y"}};
  const auto refused = [&](std::initializer_list<std::string_view> fragments,
                           const OperatorDef& def, const GradientCheckOptions& options = {}) {
    expect_rejected(kInvalidArgument, fragments, [&] { check_gradient(workspace, def, options); });
  };
  refused({"no blob", "z"}, {.type = "Scale", .inputs = {"z"}, .outputs = {"y"}});
  refused({"z is no external input"}, scale, {.inputs = {"z"}});
  refused({"no output of a floating dtype"},
          {.type = "Add", .inputs = {"n", "n"}, .outputs = {"y"}});
  EXPECT_THROW(check_gradient(workspace, {.type = "Opaque", .inputs = {"x"}, .outputs = {"y"}}),
               GradientError);
}

}  // namespace
}  // namespace sylvite::test
