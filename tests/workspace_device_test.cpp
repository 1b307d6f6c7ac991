// Nets on tensors of every device: what runs where, and what is refused.
#include <gtest/gtest.h>

#include <numeric>

#include "support/rejects.h"
#include "support/targets.h"
#include "support/toy_operators.h"

namespace sylvite::test {
namespace {

constexpr ErrorCode kInvalidArgument = ErrorCode::kInvalidArgument;

class WorkspaceDevices : public KernelTest {
 protected:
  Tensor on_device(const Shape& shape, float first = 1) const {
    Tensor tensor = Tensor::empty(DType::kFloat32, shape);
    std::iota(tensor.data_as<float>(), tensor.data_as<float>() + tensor.element_count(), first);
    return tensor.to(device());
  }
  Device device() const { return GetParam().device(); }
};
INSTANTIATE_TEST_SUITE_P(AllTargets, WorkspaceDevices, ::testing::ValuesIn(target_choices()),
                         choice_name);

TEST_P(WorkspaceDevices, RunNetsWhereTheirTensorsAre) {
  Net net("moves", {{.type = "SpaceToBatch", .inputs = {"X"}, .outputs = {"P"}},
                    {.type = "BatchToSpace", .inputs = {"P"}, .outputs = {"Q"}},
                    {.type = "Concat", .inputs = {"Q", "X"}, .outputs = {"C"}},
                    {.type = "Split", .inputs = {"C"}, .outputs = {"L", "R"}},
                    {.type = "Expand",
                     .inputs = {"R"},
                     .outputs = {"E"},
                     .arguments = {{"shape", std::vector<int64_t>{3, 1, 4, 6}}}},
                    {.type = "Cast",
                     .inputs = {"E"},
                     .outputs = {"H"},
                     .arguments = {{"to", std::string("float16")}}},
                    {.type = "Reshape",
                     .inputs = {"H"},
                     .outputs = {"V", "old"},
                     .arguments = {{"shape", std::vector<int64_t>{3, -1}}}}});
  const auto gradients = net.add_gradients({{"V", "dV"}});
  Workspace workspace(builtin_registry(), GetParam().context());
  workspace.feed("X", on_device({1, 1, 4, 6}));
  workspace.feed("dV", cast(on_device({3, 24}), DType::kFloat16, GetParam().context()));
  for (int run = 0; run < 3; ++run) workspace.run(net);
  for (const char* blob : {"P", "Q", "C", "L", "R", "E", "H", "V"})
    EXPECT_EQ(workspace.get(blob).device(), device()) << blob;
  EXPECT_EQ(floats_of(workspace.fetch("L")), floats_of(workspace.fetch("X")));
  // dV counts from 1, a row of 24 for each of the three copies; L and R are both X.
  std::vector<float> wanted;
  wanted.reserve(24);
  for (int i = 0; i < 24; ++i) wanted.push_back(static_cast<float>(3 * (i + 1) + 72));
  for (const char* blob : {"R", "X"}) {
    EXPECT_EQ(workspace.get(gradients.at(blob)).device(), device());
    EXPECT_EQ(floats_of(workspace.fetch(gradients.at(blob))), wanted) << blob;
  }
}

TEST_P(WorkspaceDevices, SumWhereTheirTensorsAre) {
  const Context context = GetParam().context();
  Workspace workspace(builtin_registry(), context);
  for (int type = static_cast<int>(DType::kInt8); type <= static_cast<int>(DType::kFloat64);
       ++type) {
    const auto dtype = static_cast<DType>(type);
    OperatorDef sum{.type = "Sum", .outputs = {"Y"}};
    std::vector<float> wanted(12);
    for (int n = 0; n < 4; ++n) {
      sum.inputs.push_back(numbered("X", n));
      const auto first = static_cast<float>(n);
      workspace.feed(sum.inputs.back(), cast(on_device({3, 4}, first), dtype, context));
      for (int i = 0; i < 12; ++i) wanted[static_cast<size_t>(i)] += first + static_cast<float>(i);
      for (int run = 0; run < 2; ++run) workspace.run(sum);
      EXPECT_EQ(workspace.get("Y").device(), device());
      EXPECT_EQ(floats_of(cast(workspace.fetch("Y"), DType::kFloat32)), wanted)
          << name(dtype) << ", " << n + 1;
    }
  }
}

TEST_P(WorkspaceDevices, FeedAndFetchCopyThere) {
  Workspace workspace(builtin_registry(), GetParam().context());
  workspace.feed("X", on_device({2, 3}));
  EXPECT_EQ(workspace.get("X").device(), device());
  EXPECT_EQ(workspace.fetch("X").device(), Device{});
  EXPECT_EQ(floats_of(workspace.fetch("X")), (std::vector<float>{1, 2, 3, 4, 5, 6}));
  workspace.feed("X", on_device({2, 3}, 7));
  EXPECT_EQ(floats_of(workspace.fetch("X")), (std::vector<float>{7, 8, 9, 10, 11, 12}));
  workspace.feed("X", floats({1}));
  EXPECT_EQ(workspace.get("X").device(), Device{}) << "a blob may move";
}

/// An operator that notes which of its implementations ran, its output on its input's device.
Operator where(int& ran, int mark) {
  return {
      .name = "Where", .inputs = {0, 2}, .outputs = 1, .bind = [&ran, mark](const OperatorDef&) {
        return [&ran, mark](OperatorCall& call) {
          ran = mark;
          const Device device = call.inputs() > 0 ? call.input(0).device() : Device{};
          call.output(0, DType::kFloat32, {1}, device);
        };
      }};
}

TEST_P(WorkspaceDevices, ChooseTheImplementationOfTheirTensors) {
  int ran = -1;
  const std::shared_ptr<Registry> registry = builtin_registry();
  register_cpu_operator(*registry, where(ran, 0));
  register_cuda_operator(*registry, where(ran, 1));
  registry->add(where(ran, 2), DeviceKind::kOpenCl);
  Workspace workspace(registry);
  workspace.feed("X", on_device({1}));
  const OperatorDef def{.type = "Where", .inputs = {"X"}, .outputs = {"Y"}};
  workspace.run(def);
  EXPECT_EQ(ran, static_cast<int>(device().kind));
  EXPECT_EQ(workspace.get("Y").device(), device());
  workspace.feed("X", floats({1}));
  workspace.run(def);
  EXPECT_EQ(ran, 0) << "the same def with a tensor on the CPU";
  // A CPU tensor beside one on the device: the shape of something, say.
  workspace.feed("Z", on_device({1}));
  workspace.run({.type = "Where", .inputs = {"X", "Z"}, .outputs = {"Y"}});
  EXPECT_EQ(ran, static_cast<int>(device().kind));
  for (const DeviceKind kind : {DeviceKind::kCpu, DeviceKind::kCuda, DeviceKind::kOpenCl}) {
    workspace.run({.type = "Where", .outputs = {"Y"}, .device = kind});
    EXPECT_EQ(ran, static_cast<int>(kind)) << "without tensors the def decides";
  }
}

TEST_P(WorkspaceDevices, RefuseTensorsElsewhere) {
  const std::shared_ptr<Registry> registry = toy_registry();
  Workspace workspace(registry);
  workspace.feed("X", on_device({2, 2, 2, 2}));
  workspace.feed("W", floats({1}));
  OperatorDef scale{.type = "Scale", .inputs = {"X"}, .outputs = {"Y"}};
  OperatorDef moved{.type = "SpaceToBatch", .inputs = {"W"}, .outputs = {"Y"}};
  if (device().kind == DeviceKind::kCpu) {
    for (const DeviceKind kind : {DeviceKind::kCuda, DeviceKind::kOpenCl}) {
      moved.device = kind;
      expect_rejected(kInvalidArgument,
                      {"SpaceToBatch", "input W is on cpu", name(kind), "operator's device"},
                      [&] { workspace.run(moved); });
    }
    return;
  }
  expect_rejected(ErrorCode::kUnsupported, {"Scale", "not registered for", name(device().kind)},
                  [&] { workspace.run(scale); });
  OperatorDef here{
      .type = "SpaceToBatch", .inputs = {"X"}, .outputs = {"Y"}, .device = device().kind};
  workspace.run(here);
  here.device = device().kind == DeviceKind::kCuda ? DeviceKind::kOpenCl : DeviceKind::kCuda;
  expect_rejected(kInvalidArgument, {"SpaceToBatch", "input X is on", name(device().kind)},
                  [&] { workspace.run(here); });
  expect_rejected(ErrorCode::kUnsupported, {"Add"}, [&] {
    workspace.run({.type = "Add", .inputs = {"X", "X"}, .outputs = {"Z"}});
  });
  workspace.feed("V", floats({1, 2, 3, 4}));
  expect_rejected(kInvalidArgument, {"Stack", "X[1]", "device"}, [&] {
    workspace.run({.type = "Stack", .inputs = {"X", "V"}, .outputs = {"Z"}});
  });
  EXPECT_FALSE(workspace.has("Z"));
}

TEST(WorkspaceDeviceRules, RunAnOperatorThatIsOnlyForGpus) {
  int ran = -1;
  const std::shared_ptr<Registry> registry = builtin_registry();
  register_cuda_operator(*registry, where(ran, 1));
  Workspace workspace(registry);
  workspace.feed("X", floats({1}));
  expect_rejected(ErrorCode::kUnsupported, {"Where", "not registered for cpu"},
                  [&] { workspace.run({.type = "Where", .inputs = {"X"}, .outputs = {"Y"}}); });
  workspace.run({.type = "Where", .outputs = {"Y"}, .device = DeviceKind::kCuda});
  EXPECT_EQ(ran, 1);
}

}  // namespace
}  // namespace sylvite::test
