// Operators by name, nets, workspaces and stacks of them, from C.
#include <gtest/gtest.h>

#include <array>

#include "support/c_tensors.h"

namespace sylvite::test {
namespace {

/// A list that a call has made, as C++ has it; missing texts are "-".
std::vector<std::string> taken(sylvite_texts* texts) {
  std::vector<std::string> all;
  for (int64_t i = 0; i < sylvite_texts_count(texts); ++i) {
    const char* text = sylvite_texts_get(texts, i);
    all.emplace_back(text != nullptr ? text : "-");
  }
  sylvite_texts_destroy(texts);
  return all;
}
using Texts = std::vector<std::string>;

/// An operator from X to Y, and what its fields point to.
struct Def {
  explicit Def(const char* type, const char* x = "X", const char* y = "Y",
               std::vector<sylvite_argument> given = {})
      : inputs{x}, outputs{y}, arguments(std::move(given)) {
    def = {.struct_size = sizeof(sylvite_operator_def),
           .device = SYLVITE_CPU,
           .type = type,
           .inputs = inputs.data(),
           .input_count = 1,
           .outputs = outputs.data(),
           .output_count = 1,
           .arguments = arguments.data(),
           .argument_count = static_cast<int64_t>(arguments.size())};
  }
  Def(const Def&) = delete;
  Def& operator=(const Def&) = delete;

  std::array<const char*, 1> inputs, outputs;
  std::vector<sylvite_argument> arguments;
  sylvite_operator_def def;
};

sylvite_argument int_argument(const char* name, int64_t value) {
  return {
      .name = name, .kind = SYLVITE_ARGUMENT_INT, .reserved = 0, .count = 0, .value = {.i = value}};
}

class CWorkspace : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(is_ok(sylvite_workspace_create(nullptr, &workspace_)));
    ASSERT_TRUE(is_ok(sylvite_workspace_feed(workspace_, "X", &x_)));
  }
  void TearDown() override { sylvite_workspace_destroy(workspace_); }

  const Tensor image_ = counted(DType::kFloat32, {1, 2, 4, 6});
  const sylvite_tensor x_ = c_tensor(image_);
  sylvite_workspace* workspace_ = nullptr;
};

TEST_F(CWorkspace, RunsOperatorsByName) {
  const Def phases("SpaceToBatch", "X", "Y",
                   {int_argument("block_size", 2), int_argument("pad", 1)});
  ASSERT_TRUE(is_ok(sylvite_workspace_run(workspace_, &phases.def)));
  const Tensor expected = space_to_batch(image_, {.paddings = {{1, 1}, {1, 1}}});
  expect_computes(expected, [&](auto* to) { return sylvite_workspace_fetch(workspace_, "Y", to); });
  sylvite_tensor y = {};
  ASSERT_TRUE(is_ok(sylvite_workspace_look(workspace_, "Y", &y)));
  EXPECT_EQ(y.dtype, SYLVITE_FLOAT32);
  EXPECT_EQ(Shape(std::span(y.shape, static_cast<size_t>(y.rank))), expected.shape());
  EXPECT_EQ(std::memcmp(y.data, expected.data(), static_cast<size_t>(expected.byte_count())), 0);
}

TEST_F(CWorkspace, TakesEveryKindOfArgument) {
  const std::array<int64_t, 2> ints = {24, 2};
  const std::array<const char*, 1> texts = {"a"};
  const std::array<double, 1> floats = {1};
  sylvite_argument shape = {.name = "shape",
                            .kind = SYLVITE_ARGUMENT_INTS,
                            .reserved = 0,
                            .count = 2,
                            .value = {.ints = ints.data()}};
  const Def reshaped("Reshape", "X", "Y", {shape});
  ASSERT_TRUE(is_ok(sylvite_workspace_run(workspace_, &reshaped.def)));
  const Def cast_to("Cast", "Y", "Z",
                    {{.name = "to",
                      .kind = SYLVITE_ARGUMENT_TEXT,
                      .reserved = 0,
                      .count = 0,
                      .value = {.text = "int8"}}});
  ASSERT_TRUE(is_ok(sylvite_workspace_run(workspace_, &cast_to.def)));
  expect_computes(cast(reshape(image_, Shape{24, 2}), DType::kInt8),
                  [&](auto* to) { return sylvite_workspace_fetch(workspace_, "Z", to); });
  const Def padded("SpaceToBatch", "X", "P",
                   {int_argument("block_size", 2),
                    int_argument("pad", 2),
                    {.name = "pad_value",
                     .kind = SYLVITE_ARGUMENT_FLOAT,
                     .reserved = 0,
                     .count = 0,
                     .value = {.f = 1.5}}});
  ASSERT_TRUE(is_ok(sylvite_workspace_run(workspace_, &padded.def)));
  // A net keeps them, and gives them back.
  const std::vector<sylvite_argument> given = {shape,
                                               cast_to.arguments[0],
                                               padded.arguments[2],
                                               int_argument("i", -3),
                                               {.name = "t",
                                                .kind = SYLVITE_ARGUMENT_TEXTS,
                                                .reserved = 0,
                                                .count = 1,
                                                .value = {.texts = texts.data()}},
                                               {.name = "f",
                                                .kind = SYLVITE_ARGUMENT_FLOATS,
                                                .reserved = 0,
                                                .count = 1,
                                                .value = {.floats = floats.data()}}};
  const Def any("Any", "A", "B", given);
  sylvite_net* net = nullptr;
  ASSERT_TRUE(is_ok(sylvite_net_create("n", &any.def, 1, nullptr, 0, &net)));
  sylvite_argument inner = {
      .name = "n", .kind = SYLVITE_ARGUMENT_NET, .reserved = 0, .count = 0, .value = {.net = net}};
  const Def outer("Do", "C", "D", {inner});
  ASSERT_TRUE(is_ok(sylvite_net_append(net, &outer.def)));
  int64_t count = 0;
  ASSERT_TRUE(is_ok(sylvite_net_operator_count(net, &count)));
  ASSERT_EQ(count, 2);
  sylvite_operator_def back = {.struct_size = sizeof back};
  ASSERT_TRUE(is_ok(sylvite_net_operator(net, 0, &back)));
  EXPECT_STREQ(back.type, "Any");
  ASSERT_EQ(back.argument_count, 6);
  EXPECT_STREQ(back.inputs[0], "A");
  EXPECT_STREQ(back.outputs[0], "B");
  EXPECT_EQ(back.arguments[0].value.ints[0], 24);
  EXPECT_EQ(back.arguments[0].count, 2);
  EXPECT_STREQ(back.arguments[1].value.text, "int8");
  EXPECT_EQ(back.arguments[2].value.f, 1.5);
  EXPECT_EQ(back.arguments[3].value.i, -3);
  EXPECT_STREQ(back.arguments[4].value.texts[0], "a");
  EXPECT_EQ(back.arguments[5].value.floats[0], 1);
  ASSERT_TRUE(is_ok(sylvite_net_operator(net, 1, &back)));
  EXPECT_EQ(back.arguments[0].kind, SYLVITE_ARGUMENT_NET);
  ASSERT_TRUE(is_ok(sylvite_net_operator_count(back.arguments[0].value.net, &count)));
  EXPECT_EQ(count, 1);
  sylvite_net_destroy(net);
}

TEST_F(CWorkspace, KnowsItsBlobs) {
  EXPECT_TRUE(is_ok(sylvite_workspace_create_blob(workspace_, "empty")));
  int32_t has = -1;
  EXPECT_TRUE(is_ok(sylvite_workspace_has(workspace_, "X", &has)));
  EXPECT_EQ(has, 1);
  EXPECT_TRUE(is_ok(sylvite_workspace_has(workspace_, "Y", &has)));
  EXPECT_EQ(has, 0);
  const char* type = nullptr;
  EXPECT_TRUE(is_ok(sylvite_workspace_type_of(workspace_, "X", &type)));
  EXPECT_STREQ(type, "tensor");
  EXPECT_TRUE(is_ok(sylvite_workspace_type_of(workspace_, "empty", &type)));
  EXPECT_STREQ(type, "");
  sylvite_texts* names = nullptr;
  EXPECT_TRUE(is_ok(sylvite_workspace_blobs(workspace_, &names)));
  EXPECT_EQ(taken(names), (Texts{"X", "empty"}));
  EXPECT_TRUE(is_ok(sylvite_workspace_rename(workspace_, "X", "Z")));
  int32_t removed = -1;
  EXPECT_TRUE(is_ok(sylvite_workspace_remove(workspace_, "empty", &removed)));
  EXPECT_EQ(removed, 1);
  EXPECT_TRUE(is_ok(sylvite_workspace_remove(workspace_, "empty", &removed)));
  EXPECT_EQ(removed, 0);
  EXPECT_TRUE(is_ok(sylvite_workspace_remove(workspace_, "empty", nullptr)));
  EXPECT_TRUE(is_ok(sylvite_workspace_local_blobs(workspace_, &names)));
  EXPECT_EQ(taken(names), Texts{"Z"});
  int64_t bytes = -1, peak = -1;
  EXPECT_TRUE(is_ok(sylvite_workspace_bytes(workspace_, &bytes, &peak)));
  EXPECT_EQ(bytes, image_.byte_count());
  EXPECT_GE(peak, bytes);
  sylvite_texts* text = nullptr;
  EXPECT_TRUE(is_ok(sylvite_workspace_describe(workspace_, &text)));
  EXPECT_NE(taken(text).at(0).find("float32"), std::string::npos);
  EXPECT_TRUE(is_ok(sylvite_workspace_reset(workspace_)));
  EXPECT_TRUE(is_ok(sylvite_workspace_blobs(workspace_, &names)));
  EXPECT_EQ(taken(names), Texts{});
}

TEST_F(CWorkspace, HasChildrenThatOutliveItsHandle) {
  const sylvite_binding forward = {.name = "inner", .target = "X"};
  sylvite_workspace* child = nullptr;
  ASSERT_TRUE(is_ok(sylvite_workspace_create_child(workspace_, &forward, 1, &child)));
  EXPECT_TRUE(is_ok(sylvite_workspace_create_local(child, "own")));
  sylvite_workspace_destroy(workspace_);
  workspace_ = nullptr;
  expect_computes(image_, [&](auto* to) { return sylvite_workspace_fetch(child, "inner", to); });
  sylvite_texts* names = nullptr;
  EXPECT_TRUE(is_ok(sylvite_workspace_blobs(child, &names)));
  EXPECT_EQ(taken(names), (Texts{"X", "inner", "own"}));
  sylvite_workspace_destroy(child);
  sylvite_workspace_destroy(nullptr);
}

TEST_F(CWorkspace, SharesTheCallersMemory) {
  int released = 0;
  const auto release = [](void* state) { ++*static_cast<int*>(state); };
  Tensor y = Tensor::empty(DType::kFloat32, image_.shape());
  const sylvite_tensor shared = c_tensor(y);
  EXPECT_EQ(sylvite_workspace_share(workspace_, "", &shared, release, &released),
            SYLVITE_INVALID_ARGUMENT);
  EXPECT_EQ(released, 0);
  ASSERT_TRUE(is_ok(sylvite_workspace_share(workspace_, "S", &shared, release, &released)));
  sylvite_tensor seen = {};
  ASSERT_TRUE(is_ok(sylvite_workspace_look(workspace_, "S", &seen)));
  EXPECT_EQ(seen.data, y.data());
  EXPECT_TRUE(is_ok(sylvite_workspace_remove(workspace_, "S", nullptr)));
  EXPECT_EQ(released, 1);
  ASSERT_TRUE(is_ok(sylvite_workspace_share(workspace_, "S", &shared, nullptr, nullptr)));
}

TEST_F(CWorkspace, HoldsStrings) {
  const Tensor texts = strings({"sylvite", "", "k"});
  const sylvite_tensor c_texts = c_tensor(texts);
  ASSERT_TRUE(is_ok(sylvite_workspace_feed(workspace_, "T", &c_texts)));
  expect_computes(texts, [&](auto* to) { return sylvite_workspace_fetch(workspace_, "T", to); });
  sylvite_tensor seen = {};
  ASSERT_TRUE(is_ok(sylvite_workspace_look(workspace_, "T", &seen)));
  EXPECT_EQ(static_cast<int64_t*>(seen.data)[3], 8);
  EXPECT_EQ(std::string(seen.text, 8), "sylvitek");
  EXPECT_TRUE(is_ok(sylvite_workspace_feed(workspace_, "T2", &seen)));
  int released = 0;
  const auto release = [](void* state) { ++*static_cast<int*>(state); };
  ASSERT_TRUE(is_ok(sylvite_workspace_share(workspace_, "T", &c_texts, release, &released)));
  EXPECT_TRUE(is_ok(sylvite_workspace_reset(workspace_)));
  EXPECT_EQ(released, 1);
}

TEST_F(CWorkspace, FeedsEveryDevice) {
  for (const KernelChoice& choice : device_choices()) {
    const Device device = choice.device();
    const sylvite_device c_device = {.kind = static_cast<int32_t>(device.kind), .index = 0};
    ASSERT_TRUE(is_ok(sylvite_workspace_feed_to(workspace_, "D", &x_, c_device)));
    const Def phases("SpaceToBatch", "D", "E", {int_argument("block_size", 2)});
    ASSERT_TRUE(is_ok(sylvite_workspace_run(workspace_, &phases.def))) << choice.target;
    expect_computes(space_to_batch(image_, {}),
                    [&](auto* to) { return sylvite_workspace_fetch(workspace_, "E", to); });
    sylvite_tensor seen = {};
    ASSERT_TRUE(is_ok(sylvite_workspace_look(workspace_, "E", &seen)));
    EXPECT_EQ(seen.device.kind, c_device.kind);
  }
}

TEST_F(CWorkspace, RunsNetsAndTheirGradients) {
  const Def phases("SpaceToBatch", "X", "Y", {int_argument("block_size", 2)});
  const Def loss("SquaredL2", "Y", "loss");
  sylvite_net* net = nullptr;
  ASSERT_TRUE(is_ok(sylvite_net_create("step", &phases.def, 1, nullptr, 0, &net)));
  ASSERT_TRUE(is_ok(sylvite_net_append(net, &loss.def)));
  sylvite_texts* names = nullptr;
  ASSERT_TRUE(is_ok(sylvite_net_external_inputs(net, &names)));
  EXPECT_EQ(taken(names), Texts{"X"});
  ASSERT_TRUE(is_ok(sylvite_net_external_outputs(net, &names)));
  EXPECT_EQ(taken(names), Texts{"loss"});
  const sylvite_binding seed = {.name = "loss", .target = "loss_grad"};
  ASSERT_TRUE(is_ok(sylvite_net_add_gradients(net, &seed, 1, &names)));
  EXPECT_EQ(taken(names), (Texts{"X", "X_grad", "Y", "Y_grad", "loss", "loss_grad"}));
  ASSERT_TRUE(is_ok(sylvite_net_to_dot(net, &names)));
  EXPECT_NE(taken(names).at(0).find("SpaceToBatch"), std::string::npos);
  const Tensor one = constant_fill({}, 1);
  const sylvite_tensor c_one = c_tensor(one);
  ASSERT_TRUE(is_ok(sylvite_workspace_feed(workspace_, "loss_grad", &c_one)));
  ASSERT_TRUE(is_ok(sylvite_workspace_run_net(workspace_, net)));
  sylvite_net_destroy(net);
  sylvite_net_destroy(nullptr);
  expect_computes(image_,
                  [&](auto* to) { return sylvite_workspace_fetch(workspace_, "X_grad", to); });
}

TEST_F(CWorkspace, TellsGradientsOfOneOperator) {
  const Def phases("SpaceToBatch", "X", "Y", {int_argument("block_size", 2)});
  const char* gradient = "dY";
  sylvite_net* net = nullptr;
  sylvite_texts* inputs = nullptr;
  ASSERT_TRUE(is_ok(sylvite_gradient_defs(&phases.def, &gradient, &net, &inputs)));
  EXPECT_EQ(taken(inputs), Texts{"X_grad"});
  sylvite_operator_def def = {.struct_size = sizeof def};
  ASSERT_TRUE(is_ok(sylvite_net_operator(net, 0, &def)));
  const GradientDefs expected = gradient_defs(*builtin_registry(),
                                              {.type = "SpaceToBatch",
                                               .inputs = {"X"},
                                               .outputs = {"Y"},
                                               .arguments = {{"block_size", int64_t{2}}}},
                                              std::array{std::optional<std::string>("dY")});
  EXPECT_EQ(def.type, expected.operators.at(0).type);
  sylvite_net_destroy(net);
}

TEST_F(CWorkspace, StacksWorkspaces) {
  sylvite_workspace_stack* stack = nullptr;
  ASSERT_TRUE(is_ok(sylvite_workspace_stack_create(&stack)));
  const sylvite_binding forward = {.name = "x", .target = "X"};
  sylvite_workspace* first = nullptr;
  ASSERT_TRUE(is_ok(sylvite_workspace_stack_push_forward(stack, workspace_, &forward, 1, &first)));
  const Def phases("SpaceToBatch", "x", "y", {int_argument("block_size", 2)});
  ASSERT_TRUE(is_ok(sylvite_workspace_run(first, &phases.def)));
  sylvite_workspace_destroy(first);
  int64_t size = -1;
  EXPECT_TRUE(is_ok(sylvite_workspace_stack_size(stack, &size)));
  EXPECT_EQ(size, 1);
  EXPECT_TRUE(is_ok(sylvite_workspace_stack_check(stack)));
  EXPECT_TRUE(is_ok(sylvite_workspace_stack_check_bindings(stack, &forward, 1)));
  const sylvite_binding other = {.name = "x", .target = "Z"};
  EXPECT_EQ(sylvite_workspace_stack_check_bindings(stack, &other, 1), SYLVITE_INVALID_ARGUMENT);
  sylvite_workspace* top = nullptr;
  ASSERT_TRUE(
      is_ok(sylvite_workspace_stack_reuse_last_forward(stack, workspace_, &forward, 1, &top)));
  sylvite_workspace_destroy(top);
  ASSERT_TRUE(is_ok(sylvite_workspace_stack_pop_gradient(stack, workspace_, nullptr, 0, &top)));
  expect_computes(space_to_batch(image_, {}),
                  [&](auto* to) { return sylvite_workspace_fetch(top, "y", to); });
  sylvite_workspace_destroy(top);
  EXPECT_EQ(sylvite_workspace_stack_pop_gradient(stack, workspace_, nullptr, 0, &top),
            SYLVITE_INVALID_ARGUMENT);
  EXPECT_EQ(top, nullptr);
  EXPECT_TRUE(is_ok(sylvite_workspace_stack_clear(stack)));
  EXPECT_TRUE(is_ok(sylvite_workspace_stack_release(stack)));
  sylvite_workspace_stack_destroy(stack);
}

TEST_F(CWorkspace, Explains) {
  const Def phases("SpaceToBatch", "X", "Y", {int_argument("block_size", 2)});
  sylvite_tensor info = x_;
  info.data = nullptr;
  sylvite_explanation told = {.struct_size = sizeof told};
  ASSERT_TRUE(is_ok(sylvite_explain(&phases.def, &info, 1, nullptr, &told)));
  const std::array infos = {image_.info()};
  const std::array arguments = {Argument{"block_size", int64_t{2}}};
  const Explanation expected = explain("SpaceToBatch", infos, arguments);
  EXPECT_EQ(told.kernel, expected.kernel);
  EXPECT_EQ(told.target, expected.target);
  EXPECT_EQ(told.variant, expected.variant);
  EXPECT_EQ(told.bytes_read, expected.bytes_read);
  EXPECT_EQ(told.bytes_written, expected.bytes_written);
  EXPECT_EQ(told.kernel_calls, expected.kernel_calls);
  EXPECT_EQ(told.tasks, expected.tasks);
  EXPECT_EQ(told.output_shape.rank, 4);
}

}  // namespace
}  // namespace sylvite::test
