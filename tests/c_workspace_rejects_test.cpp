// What workspaces, nets and stacks refuse, from C.
#include <gtest/gtest.h>

#include "support/c_tensors.h"

namespace sylvite::test {
namespace {

testing::AssertionResult refused(sylvite_status got, std::string_view fragment) {
  const std::string_view text = sylvite_last_error();
  if (got == SYLVITE_INVALID_ARGUMENT && text.find(fragment) != std::string_view::npos) {
    return testing::AssertionSuccess();
  }
  return testing::AssertionFailure()
         << sylvite_status_text(got) << ": " << text << "; want \"" << fragment << "\"";
}

class CWorkspaceRejects : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(is_ok(sylvite_workspace_create(nullptr, &workspace_)));
    ASSERT_TRUE(is_ok(sylvite_workspace_feed(workspace_, "X", &x_)));
    ASSERT_TRUE(is_ok(sylvite_workspace_stack_create(&stack_)));
    ASSERT_TRUE(is_ok(sylvite_net_create("net", nullptr, 0, nullptr, 0, &net_)));
  }
  void TearDown() override {
    sylvite_texts* names = nullptr;
    ASSERT_TRUE(is_ok(sylvite_workspace_blobs(workspace_, &names)));
    EXPECT_EQ(sylvite_texts_count(names), 1) << "something was made";
    sylvite_texts_destroy(names);
    sylvite_net_destroy(net_);
    sylvite_workspace_stack_destroy(stack_);
    sylvite_workspace_destroy(workspace_);
  }

  const Tensor image_ = counted(DType::kFloat32, {1, 1, 4, 4});
  sylvite_tensor x_ = c_tensor(image_);
  const char* in_ = "X";
  const char* out_ = "Y";
  sylvite_operator_def def_ = {.struct_size = sizeof def_,
                               .device = SYLVITE_CPU,
                               .type = "SpaceToBatch",
                               .inputs = &in_,
                               .input_count = 1,
                               .outputs = &out_,
                               .output_count = 1,
                               .arguments = nullptr,
                               .argument_count = 0};
  sylvite_workspace* workspace_ = nullptr;
  sylvite_workspace_stack* stack_ = nullptr;
  sylvite_net* net_ = nullptr;
  sylvite_texts* texts_ = nullptr;
  int64_t number_ = -1;
  int32_t flag_ = -1;
};

TEST_F(CWorkspaceRejects, MissingPointers) {
  sylvite_workspace* const w = workspace_;
  EXPECT_TRUE(refused(sylvite_targets(nullptr), "sylvite_targets: targets is NULL"));
  EXPECT_TRUE(refused(sylvite_operators(nullptr), "names is NULL"));
  EXPECT_TRUE(refused(sylvite_workspace_create(nullptr, nullptr), "workspace is NULL"));
  EXPECT_TRUE(refused(sylvite_workspace_feed(nullptr, "X", &x_), "workspace is NULL"));
  EXPECT_TRUE(refused(sylvite_workspace_feed(w, nullptr, &x_), "name is NULL"));
  EXPECT_TRUE(refused(sylvite_workspace_feed(w, "N", nullptr), "value is NULL"));
  EXPECT_TRUE(refused(sylvite_workspace_feed_to(w, "N", nullptr, {}), "value is NULL"));
  EXPECT_TRUE(refused(sylvite_workspace_share(w, "N", nullptr, nullptr, nullptr), "value is NULL"));
  EXPECT_TRUE(refused(sylvite_workspace_fetch(nullptr, "X", &x_), "workspace is NULL"));
  EXPECT_TRUE(refused(sylvite_workspace_fetch(w, "X", nullptr), "value is NULL"));
  EXPECT_TRUE(refused(sylvite_workspace_look(w, "X", nullptr), "value is NULL"));
  EXPECT_TRUE(refused(sylvite_workspace_has(w, "X", nullptr), "has is NULL"));
  EXPECT_TRUE(refused(sylvite_workspace_has(w, nullptr, &flag_), "name is NULL"));
  EXPECT_TRUE(refused(sylvite_workspace_type_of(w, "X", nullptr), "type is NULL"));
  EXPECT_TRUE(refused(sylvite_workspace_blobs(w, nullptr), "names is NULL"));
  EXPECT_TRUE(refused(sylvite_workspace_blobs(nullptr, &texts_), "workspace is NULL"));
  EXPECT_TRUE(refused(sylvite_workspace_local_blobs(w, nullptr), "names is NULL"));
  EXPECT_TRUE(refused(sylvite_workspace_create_blob(w, nullptr), "name is NULL"));
  EXPECT_TRUE(refused(sylvite_workspace_create_local(w, nullptr), "name is NULL"));
  EXPECT_TRUE(refused(sylvite_workspace_remove(w, nullptr, nullptr), "name is NULL"));
  EXPECT_TRUE(refused(sylvite_workspace_rename(w, nullptr, "Z"), "from is NULL"));
  EXPECT_TRUE(refused(sylvite_workspace_rename(w, "X", nullptr), "to is NULL"));
  EXPECT_TRUE(refused(sylvite_workspace_reset(nullptr), "workspace is NULL"));
  EXPECT_TRUE(refused(sylvite_workspace_run(nullptr, &def_), "workspace is NULL"));
  EXPECT_TRUE(refused(sylvite_workspace_run(w, nullptr), "def is NULL"));
  EXPECT_TRUE(refused(sylvite_workspace_run_net(w, nullptr), "net is NULL"));
  EXPECT_TRUE(refused(sylvite_workspace_describe(w, nullptr), "text is NULL"));
  EXPECT_TRUE(refused(sylvite_workspace_bytes(w, nullptr, &number_), "bytes is NULL"));
  EXPECT_TRUE(refused(sylvite_workspace_bytes(w, &number_, nullptr), "peak_bytes is NULL"));
  sylvite_workspace* child = nullptr;
  EXPECT_TRUE(
      refused(sylvite_workspace_create_child(nullptr, nullptr, 0, &child), "parent is NULL"));
  EXPECT_TRUE(refused(sylvite_workspace_create_child(w, nullptr, 1, &child), "forward is NULL"));
  EXPECT_TRUE(refused(sylvite_workspace_create_child(w, nullptr, 0, nullptr), "workspace is NULL"));
  EXPECT_TRUE(refused(sylvite_workspace_stack_create(nullptr), "stack is NULL"));
  EXPECT_TRUE(refused(sylvite_workspace_stack_push_forward(nullptr, w, nullptr, 0, &child),
                      "stack is NULL"));
  EXPECT_TRUE(refused(sylvite_workspace_stack_push_forward(stack_, nullptr, nullptr, 0, &child),
                      "parent is NULL"));
  EXPECT_TRUE(refused(sylvite_workspace_stack_pop_gradient(stack_, w, nullptr, 0, nullptr),
                      "workspace is NULL"));
  EXPECT_TRUE(refused(sylvite_workspace_stack_reuse_last_forward(stack_, w, nullptr, -1, &child),
                      "count is -1"));
  EXPECT_TRUE(refused(sylvite_workspace_stack_size(stack_, nullptr), "size is NULL"));
  EXPECT_TRUE(refused(sylvite_workspace_stack_clear(nullptr), "stack is NULL"));
  EXPECT_TRUE(refused(sylvite_workspace_stack_release(nullptr), "stack is NULL"));
  EXPECT_TRUE(refused(sylvite_workspace_stack_check(nullptr), "stack is NULL"));
  EXPECT_TRUE(
      refused(sylvite_workspace_stack_check_bindings(nullptr, nullptr, 0), "stack is NULL"));
}

TEST_F(CWorkspaceRejects, MissingPointersOfNets) {
  sylvite_net* other = nullptr;
  const char* gradient = "dY";
  sylvite_explanation told = {.struct_size = sizeof told};
  EXPECT_TRUE(refused(sylvite_net_create(nullptr, nullptr, 0, nullptr, 0, &other), "name is NULL"));
  EXPECT_TRUE(
      refused(sylvite_net_create("n", nullptr, 1, nullptr, 0, &other), "operators is NULL"));
  EXPECT_TRUE(refused(sylvite_net_create("n", nullptr, 0, nullptr, 1, &other), "outputs is NULL"));
  EXPECT_TRUE(refused(sylvite_net_create("n", nullptr, 0, nullptr, 0, nullptr), "net is NULL"));
  EXPECT_TRUE(refused(sylvite_net_append(net_, nullptr), "def is NULL"));
  EXPECT_TRUE(refused(sylvite_net_append(nullptr, &def_), "net is NULL"));
  EXPECT_TRUE(refused(sylvite_net_operator_count(net_, nullptr), "count is NULL"));
  EXPECT_TRUE(refused(sylvite_net_operator(net_, 0, nullptr), "def is NULL"));
  EXPECT_TRUE(refused(sylvite_net_operator(net_, 0, &def_), "i is 0"));
  EXPECT_TRUE(refused(sylvite_net_external_inputs(net_, nullptr), "names is NULL"));
  EXPECT_TRUE(refused(sylvite_net_external_outputs(nullptr, &texts_), "net is NULL"));
  EXPECT_TRUE(refused(sylvite_net_add_gradients(net_, nullptr, 0, nullptr), "gradients is NULL"));
  EXPECT_TRUE(refused(sylvite_net_add_gradients(net_, nullptr, 1, &texts_), "outputs is NULL"));
  EXPECT_TRUE(refused(sylvite_net_add_gradients(net_, nullptr, 0, &texts_), "no output"));
  EXPECT_TRUE(refused(sylvite_net_to_dot(net_, nullptr), "dot is NULL"));
  EXPECT_TRUE(refused(sylvite_gradient_defs(nullptr, &gradient, &other, &texts_), "def is NULL"));
  EXPECT_TRUE(
      refused(sylvite_gradient_defs(&def_, nullptr, &other, &texts_), "output_gradients is NULL"));
  EXPECT_TRUE(
      refused(sylvite_gradient_defs(&def_, &gradient, nullptr, &texts_), "operators is NULL"));
  EXPECT_TRUE(
      refused(sylvite_gradient_defs(&def_, &gradient, &other, nullptr), "input_gradients is NULL"));
  EXPECT_TRUE(refused(sylvite_explain(nullptr, &x_, 1, nullptr, &told), "def is NULL"));
  EXPECT_TRUE(refused(sylvite_explain(&def_, nullptr, 1, nullptr, &told), "inputs is NULL"));
  EXPECT_TRUE(refused(sylvite_explain(&def_, &x_, 1, nullptr, nullptr), "explanation is NULL"));
  told.struct_size = 8;
  EXPECT_TRUE(
      refused(sylvite_explain(&def_, &x_, 1, nullptr, &told), "explanation.struct_size is 8"));
}

TEST_F(CWorkspaceRejects, DefsThatAreNone) {
  const sylvite_operator_def good = def_;
  const auto expect = [&](std::string_view fragment) {
    EXPECT_TRUE(refused(sylvite_workspace_run(workspace_, &def_), fragment));
    EXPECT_TRUE(refused(sylvite_net_append(net_, &def_), fragment));
    def_ = good;
  };
  def_.struct_size = 0;
  expect("def.struct_size is 0");
  def_.type = nullptr;
  expect("def.type is NULL");
  def_.device = 5;
  expect("device.kind is 5");
  def_.inputs = nullptr;
  expect("inputs is NULL");
  def_.input_count = -1;
  expect("inputs: count is -1");
  def_.outputs = nullptr;
  expect("outputs is NULL");
  const char* const missing = nullptr;
  def_.outputs = &missing;
  expect("outputs[0] is NULL");
  def_.argument_count = 1;
  expect("arguments is NULL");
  const auto expect_argument = [&](const sylvite_argument& argument, std::string_view fragment) {
    def_.arguments = &argument;
    def_.argument_count = 1;
    expect(fragment);
  };
  using Value = decltype(sylvite_argument::value);
  expect_argument({nullptr, SYLVITE_ARGUMENT_INT, 0, 0, Value{.i = 2}},
                  "arguments[0].name is NULL");
  expect_argument({"a", 0, 0, 0, Value{.i = 2}}, "argument \"a\": kind is 0");
  expect_argument({"a", 8, 0, 0, Value{.i = 2}}, "argument \"a\": kind is 8");
  expect_argument({"a", SYLVITE_ARGUMENT_INT, 1, 0, Value{.i = 2}}, "reserved is 1");
  expect_argument({"a", SYLVITE_ARGUMENT_TEXT, 0, 0, Value{.text = nullptr}},
                  "arguments[0].value is NULL");
  expect_argument({"a", SYLVITE_ARGUMENT_INTS, 0, 2, Value{.ints = nullptr}}, "value.ints is NULL");
  expect_argument({"a", SYLVITE_ARGUMENT_FLOATS, 0, -2, Value{.floats = nullptr}},
                  "value.floats: count is -2");
  expect_argument({"a", SYLVITE_ARGUMENT_TEXTS, 0, 1, Value{.texts = nullptr}},
                  "value.texts is NULL");
  expect_argument({"a", SYLVITE_ARGUMENT_NET, 0, 0, Value{.net = nullptr}},
                  "arguments[0].value is NULL");
  sylvite_argument unknown = {"blocksize", SYLVITE_ARGUMENT_INT, 0, 0, Value{.i = 2}};
  def_.arguments = &unknown;
  def_.argument_count = 1;
  EXPECT_TRUE(refused(sylvite_workspace_run(workspace_, &def_), "blocksize"));
}

TEST_F(CWorkspaceRejects, Bindings) {
  sylvite_workspace* child = nullptr;
  const sylvite_binding twice[] = {{"a", "X"}, {"a", "X"}};
  EXPECT_TRUE(refused(sylvite_workspace_create_child(workspace_, twice, 2, &child), "\"a\" twice"));
  const sylvite_binding half[] = {{"a", nullptr}};
  EXPECT_TRUE(refused(sylvite_workspace_create_child(workspace_, half, 1, &child),
                      "forward[0].target is NULL"));
  const sylvite_binding unknown[] = {{"a", "nothing"}};
  EXPECT_TRUE(refused(sylvite_workspace_create_child(workspace_, unknown, 1, &child), "nothing"));
  EXPECT_EQ(child, nullptr);
}

TEST_F(CWorkspaceRejects, FetchesIntoOtherMemory) {
  Tensor y = Tensor::empty(DType::kFloat32, {4, 4});
  sylvite_tensor to = c_tensor(y);
  EXPECT_TRUE(refused(sylvite_workspace_fetch(workspace_, "X", &to), "value.shape is [4, 4]"));
  to = x_;
  to.dtype = SYLVITE_INT32;
  EXPECT_TRUE(refused(sylvite_workspace_fetch(workspace_, "X", &to), "value.dtype is int32"));
  EXPECT_TRUE(refused(sylvite_workspace_fetch(workspace_, "nothing", &x_), "nothing"));
  EXPECT_TRUE(refused(sylvite_workspace_look(workspace_, "nothing", &to), "nothing"));
}

}  // namespace
}  // namespace sylvite::test
