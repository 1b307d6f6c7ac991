// Stack, Unstack, Concat and Split by name: the typed functions' results, in nets and with gradients.
#include <gtest/gtest.h>

#include <numeric>

#include "support/join_cases.h"
#include "support/placed_tensor.h"
#include "support/rejects.h"
#include "support/toy_operators.h"

namespace sylvite::test {
namespace {

constexpr ErrorCode kInvalidArgument = ErrorCode::kInvalidArgument;

/// 0, 1, 2, …
Tensor count_up(const Shape& shape, float first = 0) {
  Tensor tensor = Tensor::empty(DType::kFloat32, shape);
  std::iota(tensor.data_as<float>(), tensor.data_as<float>() + tensor.element_count(), first);
  return tensor;
}

Bytes bytes_of(const Tensor& tensor) {
  const Tensor dense = tensor.to(Device{});
  const auto* first = dense.data_as<uint8_t>();
  return {first, first + dense.byte_count()};
}

class JoinsByName : public KernelTest {};
INSTANTIATE_TEST_SUITE_P(AllTargets, JoinsByName, ::testing::ValuesIn(target_choices()),
                         choice_name);

TEST_P(JoinsByName, AreTheTypedFunctions) {
  const Device device = GetParam().device();
  Workspace workspace(builtin_registry(), GetParam().context());
  for (SeededCases cases(.3, 20); cases.next();) {
    SCOPED_TRACE(cases.trace());
    Random random(cases.seed());
    const JoinCase c = random_join(random);
    SCOPED_TRACE(to_string(c));
    OperatorDef join{.type = c.new_axis ? "Stack" : "Concat", .outputs = {"Y"}};
    OperatorDef part{.type = c.new_axis ? "Unstack" : "Split", .inputs = {"Y"}};
    join.arguments = part.arguments = {{"axis", int64_t{c.axis}}};
    if (!c.new_axis) part.arguments.push_back({"split", c.sizes()});
    std::vector<Bytes> parts;
    for (size_t i = 0; i < c.parts.size(); ++i) {
      join.inputs.push_back(numbered("X", static_cast<int64_t>(i)));
      part.outputs.push_back(numbered("Z", static_cast<int64_t>(i)));
      const PlacedTensor x(random, c.dtype, c.parts[i], dense_placement(c.parts[i]), device, true);
      workspace.feed(join.inputs.back(), x.tensor());
      parts.push_back(x.elements());
    }
    for (int run = 0; run < 3; ++run) {
      workspace.run(join);
      workspace.run(part);
    }
    EXPECT_EQ(workspace.get("Y").shape(), c.whole());
    EXPECT_EQ(workspace.get("Y").device(), device);
    EXPECT_EQ(bytes_of(workspace.get("Y")), reference_join(c, parts));
    for (size_t i = 0; i < parts.size(); ++i) {
      EXPECT_EQ(workspace.get(part.outputs[i]).shape(), c.parts[i]);
      EXPECT_EQ(bytes_of(workspace.get(part.outputs[i])), parts[i]);
    }
  }
}

TEST(JoinNames, TakeCaffe2sArguments) {
  Workspace workspace;
  workspace.feed("A", count_up({2, 3, 4, 5}));
  workspace.feed("B", count_up({2, 1, 4, 5}, 1000));
  workspace.run({.type = "Concat", .inputs = {"A", "B"}, .outputs = {"Y", "info"}});
  EXPECT_EQ(workspace.get("Y").shape(), (Shape{2, 4, 4, 5})) << "the channels of NCHW";
  const Tensor info = workspace.fetch("info");
  EXPECT_EQ(info.dtype(), DType::kInt32);
  EXPECT_EQ(info.data_as<int32_t>()[0], 3);
  EXPECT_EQ(info.data_as<int32_t>()[1], 1);
  workspace.run({.type = "Split", .inputs = {"Y", "info"}, .outputs = {"A2", "B2"}});
  EXPECT_EQ(bytes_of(workspace.get("A2")), bytes_of(workspace.get("A")));
  EXPECT_EQ(bytes_of(workspace.get("B2")), bytes_of(workspace.get("B")));
  workspace.run({.type = "Split", .inputs = {"Y"}, .outputs = {"L", "R"}});
  EXPECT_EQ(workspace.get("R").shape(), (Shape{2, 2, 4, 5})) << "equal parts";
  workspace.run({.type = "Concat",
                 .inputs = {"A", "A"},
                 .outputs = {"Y"},
                 .arguments = {{"order", std::string("NHWC")}}});
  EXPECT_EQ(workspace.get("Y").shape(), (Shape{2, 3, 4, 10}));
  const std::vector<Argument> new_axis = {{"axis", int64_t{-1}}, {"add_axis", int64_t{1}}};
  workspace.run({.type = "Concat", .inputs = {"A", "A"}, .outputs = {"Y"}, .arguments = new_axis});
  EXPECT_EQ(workspace.get("Y").shape(), (Shape{2, 3, 4, 5, 2}));
  workspace.run({.type = "Split", .inputs = {"Y"}, .outputs = {"L", "R"}, .arguments = new_axis});
  EXPECT_EQ(bytes_of(workspace.get("R")), bytes_of(workspace.get("A")));
}

TEST(JoinNames, TakeStrings) {
  Workspace workspace;
  const std::array<std::string_view, 2> texts = {"a", "bcd"};
  workspace.feed("A", Tensor::strings(texts, {2}));
  const std::vector<Argument> axis = {{"axis", int64_t{0}}};
  workspace.run({.type = "Concat", .inputs = {"A", "A"}, .outputs = {"Y"}, .arguments = axis});
  EXPECT_EQ(workspace.fetch("Y").text(3), "bcd");
  workspace.run({.type = "Split", .inputs = {"Y"}, .outputs = {"L", "R"}, .arguments = axis});
  EXPECT_EQ(workspace.fetch("R").text(1), "bcd");
  workspace.run({.type = "Unstack", .inputs = {"A"}, .outputs = {"L", "R"}});
  EXPECT_EQ(workspace.fetch("R").text(0), "bcd");
}

/// Runs the net and its gradient; the gradients of its inputs.
std::map<std::string, std::vector<float>> gradients_of(Net net, Workspace& workspace,
                                                       const std::vector<std::string>& outputs) {
  std::map<std::string, std::string> given;
  for (const std::string& output : outputs) given.emplace(output, output + "_grad");
  const auto names = net.add_gradients(given);
  workspace.run(net);
  std::map<std::string, std::vector<float>> result;
  for (const std::string& input : net.external_inputs())
    if (names.contains(input)) result[input] = floats_of(workspace.fetch(names.at(input)));
  return result;
}

TEST(JoinNames, HaveGradients) {
  Workspace workspace;
  workspace.feed("A", count_up({2, 1}));
  workspace.feed("B", count_up({2, 2}));
  workspace.feed("Y_grad", count_up({2, 3}));
  const Net one("one", {{.type = "Concat", .inputs = {"A", "B"}, .outputs = {"Y"}}});
  auto made = gradients_of(one, workspace, {"Y"});
  EXPECT_EQ(made.at("A"), (std::vector<float>{0, 3}));
  EXPECT_EQ(made.at("B"), (std::vector<float>{1, 2, 4, 5}));
  // With the second output, the inputs may be overwritten.
  const Net two("two", {{.type = "Concat", .inputs = {"A", "B"}, .outputs = {"Y", "info"}},
                        {.type = "ConstantFill", .inputs = {"A"}, .outputs = {"B"}}});
  Net with_info = two;
  const auto names = with_info.add_gradients({{"Y", "Y_grad"}});
  workspace.run(with_info);
  EXPECT_EQ(floats_of(workspace.fetch("A_grad")), (std::vector<float>{0, 3}));
  EXPECT_EQ(floats_of(workspace.fetch("B_grad")), (std::vector<float>{1, 2, 4, 5}));
  Net without = Net("without", {{.type = "Concat", .inputs = {"A", "B"}, .outputs = {"Y"}},
                                {.type = "ConstantFill", .inputs = {"A"}, .outputs = {"B"}}});
  expect_rejected(kInvalidArgument, {"Concat", "needs B", "overwrites"}, [&] {
    without.add_gradients({{"Y", "Y_grad"}});
  });

  workspace.feed("P", count_up({2}));
  workspace.feed("Q", count_up({2}));
  for (const bool caffe2 : {false, true}) {
    const std::vector<Argument> arguments = {{"axis", int64_t{1}}};
    std::vector<Argument> as_concat = arguments;
    as_concat.push_back({"add_axis", int64_t{1}});
    const Net stack("stack", {{.type = caffe2 ? "Concat" : "Stack",
                               .inputs = {"P", "Q"},
                               .outputs = {"S"},
                               .arguments = caffe2 ? as_concat : arguments}});
    workspace.feed("S_grad", count_up({2, 2}));
    made = gradients_of(stack, workspace, {"S"});
    EXPECT_EQ(made.at("P"), (std::vector<float>{0, 2}));
    EXPECT_EQ(made.at("Q"), (std::vector<float>{1, 3}));
  }
}

TEST(JoinNames, TakePartsWithoutGradientForZero) {
  Workspace workspace;
  workspace.feed("Y", count_up({2, 3}));
  workspace.feed("R_grad", count_up({2, 1}, 7));
  const Net split("split", {{.type = "Split",
                             .inputs = {"Y"},
                             .outputs = {"L", "R"},
                             .arguments = {{"split", std::vector<int64_t>{2, 1}}}}});
  auto made = gradients_of(split, workspace, {"R"});
  EXPECT_EQ(made.at("Y"), (std::vector<float>{0, 0, 7, 0, 0, 8}));
  const Net unstack("unstack", {{.type = "Unstack", .inputs = {"Y"}, .outputs = {"T", "U"}}});
  workspace.feed("U_grad", count_up({3}, 1));
  made = gradients_of(unstack, workspace, {"U"});
  EXPECT_EQ(made.at("Y"), (std::vector<float>{0, 0, 0, 1, 2, 3}));
}

TEST(JoinNames, RejectWhatTheyCannotTake) {
  Workspace workspace;
  workspace.feed("A", count_up({2, 3}));
  workspace.feed("B", count_up({3, 3}));
  workspace.feed("sizes", count_up({2}));
  const auto refused = [&](std::initializer_list<std::string_view> fragments,
                           const OperatorDef& def) {
    expect_rejected(kInvalidArgument, fragments, [&] { workspace.run(def); });
    EXPECT_FALSE(workspace.has("Y"));
  };
  const auto axis = [](int64_t at) { return std::vector<Argument>{{"axis", at}}; };
  refused({"Stack", "X[1] has shape [3, 3]"},
          {.type = "Stack", .inputs = {"A", "B"}, .outputs = {"Y"}});
  refused({"Stack", "axis is 3", "-3 to 2"},
          {.type = "Stack", .inputs = {"A"}, .outputs = {"Y"}, .arguments = axis(3)});
  refused({"Stack", "axis is 4294967296"},
          {.type = "Stack", .inputs = {"A"}, .outputs = {"Y"}, .arguments = axis(1LL << 32)});
  refused({"Unstack", "axis is -3"},
          {.type = "Unstack", .inputs = {"A"}, .outputs = {"Y"}, .arguments = axis(-3)});
  refused({"Unstack", "1 outputs", "want 2"},
          {.type = "Unstack", .inputs = {"A"}, .outputs = {"Y"}});
  refused({"Concat", "X[1] has shape"},
          {.type = "Concat", .inputs = {"A", "B"}, .outputs = {"Y"}, .arguments = axis(1)});
  refused({"Concat", "order is \"CHW\""}, {.type = "Concat",
                                           .inputs = {"A"},
                                           .outputs = {"Y"},
                                           .arguments = {{"order", std::string("CHW")}}});
  refused({"Concat", "order beside axis"},
          {.type = "Concat",
           .inputs = {"A"},
           .outputs = {"Y"},
           .arguments = {{"order", std::string("NCHW")}, {"axis", int64_t{0}}}});
  refused({"Concat", "add_axis without axis"}, {.type = "Concat",
                                                .inputs = {"A"},
                                                .outputs = {"Y"},
                                                .arguments = {{"add_axis", int64_t{1}}}});
  refused({"Split", "[2, 3] into 2 equal parts"},
          {.type = "Split", .inputs = {"A"}, .outputs = {"Y", "Z"}});
  const auto split = [](std::vector<int64_t> sizes, std::vector<std::string> outputs) {
    return OperatorDef{.type = "Split",
                       .inputs = {"A"},
                       .outputs = std::move(outputs),
                       .arguments = {{"split", std::move(sizes)}}};
  };
  refused({"Split", "1 outputs, want 2"}, split({1, 2}, {"Y"}));
  refused({"Split", "add up to 4", "want 3"}, split({2, 2}, {"Y", "Z"}));
  refused({"Split", "sizes[1] is -1"}, split({4, -1}, {"Y", "Z"}));
  OperatorDef both = split({1, 2}, {"Y", "Z"});
  both.inputs.emplace_back("sizes");
  refused({"Split", "beside a second input"}, both);
  refused({"Split", "split is float32", "int32 or int64"},
          {.type = "Split", .inputs = {"A", "sizes"}, .outputs = {"Y", "Z"}});
  refused({"ConcatGradient", "dY has shape [3, 3]", "want [2, 3]"},
          {.type = "ConcatGradient", .inputs = {"B", "A"}, .outputs = {"Y"}, .arguments = axis(1)});
}

}  // namespace
}  // namespace sylvite::test
