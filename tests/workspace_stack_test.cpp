// Workspace stacks, and the operators over them: CreateScope, HasScope, Do.
#include <gtest/gtest.h>

#include "support/rejects.h"
#include "support/toy_operators.h"

namespace sylvite::test {
namespace {

constexpr ErrorCode kInvalidArgument = ErrorCode::kInvalidArgument;

TEST(WorkspaceStacks, HandWorkspacesBackLastInFirstOut) {
  Workspace parent;
  parent.feed("X", floats({1}));
  parent.feed("dX", floats({0}));
  WorkspaceStack stack;
  EXPECT_TRUE(stack.empty());
  for (const float value : {1.F, 2.F, 3.F}) {
    Workspace forward = stack.push_forward(parent, {{"x", "X"}});
    forward.create_local("step");
    forward.feed("step", floats({value}));
  }
  EXPECT_EQ(stack.size(), 3);
  for (const float value : {3.F, 2.F, 1.F}) {
    Workspace back = stack.pop_gradient(parent, {{"x", "dX"}, {"dx", "dX"}});
    EXPECT_EQ(floats_of(back.fetch("step")), std::vector<float>{value});
    EXPECT_EQ(floats_of(back.fetch("x")), std::vector<float>{1}) << "bound before, so skipped";
    EXPECT_EQ(floats_of(back.fetch("dx")), std::vector<float>{0});
  }
  EXPECT_TRUE(stack.empty());
}

TEST(WorkspaceStacks, ReuseWorkspacesAndTheirMemory) {
  Workspace parent;
  parent.feed("X", floats({1}));
  WorkspaceStack stack;
  Workspace first = stack.push_forward(parent, {{"x", "X"}});
  first.create_local("kept");
  first.feed("kept", floats({5}));
  stack.clear();
  Workspace again = stack.push_forward(parent, {{"x", "X"}});
  EXPECT_EQ(again.state(), first.state());
  EXPECT_EQ(floats_of(again.fetch("kept")), std::vector<float>{5});
  again.create_local("x");
  again.feed("x", floats({9}));
  EXPECT_EQ(floats_of(parent.fetch("X")), std::vector<float>{1});
  stack.clear();
  Workspace bound = stack.push_forward(parent, {{"x", "X"}});
  EXPECT_EQ(floats_of(bound.fetch("x")), std::vector<float>{1}) << "a local copy of a bound name";
  EXPECT_EQ(stack.reuse_last_forward(parent, {{"x", "X"}}).state(), bound.state());
  EXPECT_EQ(stack.size(), 1);
  stack.release();
  EXPECT_TRUE(stack.empty());
  EXPECT_NE(stack.push_forward(parent, {{"x", "X"}}).state(), bound.state());
}

TEST(WorkspaceStacks, RefuseWhatIsInconsistent) {
  Workspace parent;
  parent.feed("X", floats({1}));
  parent.feed("Z", floats({1}));
  Workspace other;
  other.feed("X", floats({1}));
  WorkspaceStack stack;
  const auto refused = [](std::initializer_list<std::string_view> fragments, const auto& call) {
    expect_rejected(kInvalidArgument, fragments, call);
  };
  refused({"pop_gradient", "empty"}, [&] { stack.pop_gradient(parent, {}); });
  refused({"reuse_last_forward", "empty"}, [&] { stack.reuse_last_forward(parent, {}); });
  refused({"x to missing", "lacks"}, [&] { stack.push_forward(parent, {{"x", "missing"}}); });
  EXPECT_TRUE(stack.empty());
  stack.push_forward(parent, {{"x", "X"}});
  refused({"bindings"}, [&] { stack.push_forward(parent, {{"x", "Z"}}); });
  refused({"bindings"}, [&] { stack.check_bindings_match({{"y", "X"}}); });
  refused({"another parent"}, [&] { stack.push_forward(other, {{"x", "X"}}); });
  refused({"another parent"}, [&] { stack.pop_gradient(other, {}); });
  EXPECT_EQ(stack.size(), 1);
  stack.check_stack();
  stack.check_bindings_match({{"x", "X"}});
}

TEST(WorkspaceStacks, SayWhereTheirParentIsGone) {
  WorkspaceStack stack;
  std::optional<Workspace> child;
  {
    Workspace parent;
    parent.feed("X", floats({1}));
    child = stack.push_forward(parent, {{"x", "X"}});
  }
  expect_rejected(kInvalidArgument, {"parent", "gone"}, [&] { child->fetch("x"); });
}

OperatorDef do_net(const Net& net, std::vector<std::string> inputs,
                   std::vector<std::string> outputs, std::vector<std::string> inner,
                   std::vector<int64_t> at, std::vector<Argument> more = {}) {
  inputs.emplace_back("scope");
  outputs.emplace_back("scope");
  std::vector<Argument> arguments = {{"net", std::make_shared<const Net>(net)},
                                     {"inner_blobs", std::move(inner)},
                                     {"outer_blobs_idx", std::move(at)}};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return {.type = "Do",
          .inputs = std::move(inputs),
          .outputs = std::move(outputs),
          .arguments = std::move(arguments)};
}

const OperatorDef kCreate{.type = "CreateScope", .inputs = {}, .outputs = {"scope"}};
const OperatorDef kHas{.type = "HasScope", .inputs = {"scope"}, .outputs = {"left"}};

bool has_scope(Workspace& workspace) {
  workspace.run(kHas);
  return *workspace.get("left").data_as<bool>();
}

class Scopes : public ::testing::Test {
 protected:
  Scopes() : workspace_(toy_registry()) {
    workspace_.feed("X", floats({1, 2}));
    workspace_.run(kCreate);
  }
  Workspace workspace_;
  Net square_{"square", {{.type = "Product", .inputs = {"x", "x"}, .outputs = {"y"}}}};
};

TEST_F(Scopes, RunASubnetInAWorkspaceOfItsOwn) {
  workspace_.run(do_net(square_, {"X"}, {"Y"}, {"x", "y"}, {0, 1}));
  EXPECT_EQ(floats_of(workspace_.fetch("Y")), (std::vector<float>{1, 4}));
  EXPECT_FALSE(workspace_.has("y"));
  EXPECT_TRUE(has_scope(workspace_));
  workspace_.run(kCreate);
  EXPECT_FALSE(has_scope(workspace_)) << "an existing scope is cleared";
}

TEST_F(Scopes, CountPushesReusesAndPops) {
  const OperatorDef push = do_net(square_, {"X"}, {"Y"}, {"x", "y"}, {0, 1});
  const OperatorDef reuse =
      do_net(square_, {"X"}, {"Y"}, {"x", "y"}, {0, 1}, {{"reuse_workspace", int64_t{1}}});
  const OperatorDef pop =
      do_net(square_, {"X"}, {"Y"}, {"x", "y"}, {0, 1}, {{"is_gradient", int64_t{1}}});
  workspace_.run(reuse);
  const auto stack = workspace_.get<WorkspaceStack>("scope");
  EXPECT_EQ(stack.size(), 1) << "reuse of an empty scope pushes one";
  workspace_.run(reuse);
  EXPECT_EQ(stack.size(), 1);
  workspace_.run(push);
  EXPECT_EQ(stack.size(), 2);
  workspace_.run(pop);
  workspace_.run(pop);
  EXPECT_FALSE(has_scope(workspace_));
  expect_rejected(kInvalidArgument, {"pop_gradient", "empty"}, [&] { workspace_.run(pop); });
}

TEST_F(Scopes, AreAsBeforeWhenTheSubnetFails) {
  workspace_.feed("Z", floats({1, 2, 3}));
  const Net bad("bad", {{.type = "Product", .inputs = {"x", "z"}, .outputs = {"y"}}});
  const OperatorDef push = do_net(bad, {"X", "Z"}, {"Y"}, {"x", "z", "y"}, {0, 1, 2});
  expect_rejected(kInvalidArgument, {"Net bad", "operator 0", "Product", "shapes differ"},
                  [&] { workspace_.run(push); });
  EXPECT_FALSE(has_scope(workspace_));
  EXPECT_FALSE(workspace_.has("Y"));
  workspace_.run(do_net(square_, {"X"}, {"Y"}, {"x", "y"}, {0, 1}));
  const OperatorDef pop =
      do_net(bad, {"X", "Z"}, {"W"}, {"x", "z", "y2"}, {0, 1, 2}, {{"is_gradient", int64_t{1}}});
  EXPECT_THROW(workspace_.run(pop), Error);
  EXPECT_TRUE(has_scope(workspace_)) << "the popped workspace_ is back";
}

TEST_F(Scopes, RefuseBadBindings) {
  const auto refused = [&](std::initializer_list<std::string_view> fragments,
                           const OperatorDef& def) {
    expect_rejected(kInvalidArgument, fragments, [&] { workspace_.run(def); });
  };
  refused({"Do", "outer_blobs_idx[1] is 2", "0 to 1"},
          do_net(square_, {"X"}, {"Y"}, {"x", "y"}, {0, 2}));
  refused({"Do", "outer_blobs_idx[0] is -1"}, do_net(square_, {"X"}, {"Y"}, {"x", "y"}, {-1, 1}));
  refused({"Do", "x twice"}, do_net(square_, {"X"}, {"Y"}, {"x", "x"}, {0, 1}));
  refused({"Do", "X is bound twice"}, do_net(square_, {"X"}, {"Y"}, {"x", "y"}, {0, 0}));
  refused({"Do", "Y is bound to no inner name"}, do_net(square_, {"X"}, {"Y"}, {"x"}, {0}));
  refused({"Do", "2 names", "1 positions"}, do_net(square_, {"X"}, {"Y"}, {"x", "y"}, {0}));
  refused({"Do", "no blob", "W"}, do_net(square_, {"W"}, {"Y"}, {"x", "y"}, {0, 1}));
  OperatorDef other = do_net(square_, {"X"}, {"Y"}, {"x", "y"}, {0, 1});
  other.outputs.back() = "other";
  refused({"Do", "scope", "other", "same scope"}, other);
  OperatorDef no_net = do_net(square_, {"X"}, {"Y"}, {"x", "y"}, {0, 1});
  no_net.arguments.erase(no_net.arguments.begin());
  refused({"Do", "net", "missing"}, no_net);
  workspace_.feed("scope", floats({1}));
  refused({"HasScope", "scope", "tensor"}, kHas);
}

TEST_F(Scopes, AreForOneParent) {
  workspace_.run(do_net(square_, {"X"}, {"Y"}, {"x", "y"}, {0, 1}));
  Workspace child(workspace_, {});
  child.create_local("Y");
  expect_rejected(kInvalidArgument, {"another parent"}, [&] {
    child.run(do_net(square_, {"X"}, {"Y"}, {"x", "y"}, {0, 1}));
  });
}

/// Each level runs the level below in a scope of its own.
Net nested(int depth) {
  Net level("level1",
            {{.type = "Scale", .inputs = {"x"}, .outputs = {"x"}, .arguments = {{"factor", 3.0}}}});
  for (int i = 2; i <= depth; ++i) {
    OperatorDef create = kCreate;
    OperatorDef run = do_net(level, {"x"}, {}, {"x"}, {0});
    create.outputs = run.outputs = {numbered("scope", i)};
    run.inputs.back() = numbered("scope", i);
    level = Net(numbered("level", i), {create, run});
  }
  return level;
}

TEST_F(Scopes, Nest) {
  constexpr int kMost = 64;
  const Net deepest = nested(kMost);
  workspace_.feed("x", floats({3}));
  workspace_.run(deepest);
  EXPECT_EQ(floats_of(workspace_.fetch("x")), std::vector<float>{9});
  const std::initializer_list<std::string_view> told = {"Do", "net", "65 deep", "at most 64"};
  expect_rejected(kInvalidArgument, told, [] { static_cast<void>(nested(kMost + 1)); });
  Net flat("flat");
  expect_rejected(kInvalidArgument, told,
                  [&] { flat.append(do_net(deepest, {"x"}, {}, {"x"}, {0})); });
  EXPECT_TRUE(flat.operators().empty());
}

TEST_F(Scopes, EndWhereOperatorsRunThemselves) {
  const std::shared_ptr<Registry> registry = toy_registry();
  int calls = 0;
  register_cpu_operator(
      *registry,
      {.name = "Again", .inputs = 1, .outputs = 1, .bind = [&calls](const OperatorDef& /*def*/) {
         return [&calls](OperatorCall& call) {
           ++calls;
           call.workspace().run(call.def());
         };
       }});
  Workspace workspace(registry);
  workspace.feed("X", floats({1}));
  const OperatorDef again{.type = "Again", .inputs = {"X"}, .outputs = {"Y"}};
  expect_rejected(kInvalidArgument, {"Workspace", "nest deeper than"},
                  [&] { workspace.run(again); });
  EXPECT_GE(calls, 64);
  EXPECT_FALSE(workspace.has("Y"));
}

TEST_F(Scopes, GiveTheirWorkspacesToTheBackwardPass) {
  const Net step("step", {{.type = "Product", .inputs = {"x", "w"}, .outputs = {"y"}}});
  const OperatorDef forward = do_net(step, {"X", "W"}, {"Y"}, {"x", "w", "y"}, {0, 1, 2});
  workspace_.feed("W", floats({3, 4}));
  workspace_.feed("Y_grad", floats({1, 10}));
  const std::vector<std::optional<std::string>> outputs = {"Y_grad", std::nullopt};
  const GradientDefs gradient = gradient_defs(workspace_.registry(), forward, outputs);
  ASSERT_EQ(gradient.operators.size(), 1U);
  EXPECT_EQ(gradient.inputs[0], "X_grad");
  EXPECT_EQ(gradient.inputs[1], "W_grad");
  EXPECT_EQ(gradient.inputs[2], std::nullopt);
  for (int iteration = 0; iteration < 3; ++iteration) {
    const auto value = static_cast<float>(iteration);
    workspace_.feed("X", floats({value, 2}));
    workspace_.run(forward);
    workspace_.run(gradient.operators[0]);
    EXPECT_EQ(floats_of(workspace_.fetch("Y")), (std::vector<float>{3 * value, 8}));
    EXPECT_EQ(floats_of(workspace_.fetch("X_grad")), (std::vector<float>{3, 40}));
    EXPECT_EQ(floats_of(workspace_.fetch("W_grad")), (std::vector<float>{value, 20}));
    EXPECT_FALSE(has_scope(workspace_));
  }
}

TEST_F(Scopes, TakeBackOutputsThatTheirParentLost) {
  const Net bad("bad", {{.type = "Product", .inputs = {"x", "nothing"}, .outputs = {"y"}}});
  workspace_.feed("Y", floats({1}));
  Workspace child(workspace_, {{"out", "Y"}});
  workspace_.remove("Y");
  child.create_local("scope");
  child.run(kCreate);
  EXPECT_THROW(child.run(do_net(bad, {"X"}, {"out"}, {"x", "y"}, {0, 1})), Error);
  EXPECT_FALSE(workspace_.has("Y"));
}

TEST_F(Scopes, HaveGradientsThroughNestedScopes) {
  // (x w)² with the product one scope further in, run twice over the same scope.
  OperatorDef product =
      do_net(Net("product", {{.type = "Product", .inputs = {"a", "b"}, .outputs = {"c"}}}),
             {"x", "w"}, {"p"}, {"a", "b", "c"}, {0, 1, 2});
  product.inputs.back() = product.outputs.back() = "inner_scope";
  const Net outer("outer", {{.type = "CreateScope", .inputs = {}, .outputs = {"inner_scope"}},
                            product,
                            {.type = "Product", .inputs = {"p", "p"}, .outputs = {"y"}}});
  const Net net("nested", {kCreate, do_net(outer, {"X", "W"}, {"Y"}, {"x", "w", "y"}, {0, 1, 2}),
                           do_net(outer, {"Y", "W"}, {"Z"}, {"x", "w", "y"}, {0, 1, 2})});
  workspace_.feed("W", floats({.5F, -1}));
  const GradientCheck refused = [&] {
    try {
      return check_gradient(workspace_, net);
    } catch (const Error& error) {
      // One scope's workspaces are bound alike each time.
      EXPECT_NE(std::string_view(error.what()).find("bindings"), std::string_view::npos)
          << error.what();
      return GradientCheck{};
    }
  }();
  EXPECT_EQ(refused.elements, 0);
  OperatorDef second_scope = kCreate;
  OperatorDef second = net.operators()[2];
  second_scope.outputs = {"scope2"};
  second.inputs.back() = second.outputs.back() = "scope2";
  const Net right("nested", {kCreate, second_scope, net.operators()[1], second});
  const GradientCheck check = check_gradient(workspace_, right);
  EXPECT_TRUE(check.right()) << to_string(check);
  EXPECT_EQ(check.elements, 4);
}

TEST_F(Scopes, HaveNoGradient) {
  for (const OperatorDef* def : {&kCreate, &kHas}) {
    const std::vector<std::optional<std::string>> outputs = {"g"};
    try {
      gradient_defs(workspace_.registry(), *def, outputs);
      ADD_FAILURE() << def->type;
    } catch (const GradientError& error) {
      EXPECT_EQ(error.kind(), GradientKind::kForbidden);
      EXPECT_NE(std::string_view(error.what()).find(def->type), std::string_view::npos);
    }
  }
}

}  // namespace
}  // namespace sylvite::test
