// Name scopes: what names become, and what they refuse.
#include <gtest/gtest.h>

#include "support/rejects.h"
#include "support/toy_operators.h"

namespace sylvite::test {
namespace {

constexpr ErrorCode kInvalidArgument = ErrorCode::kInvalidArgument;

TEST(NameScopes, StandInFrontOfNames) {
  const NameScope root;
  EXPECT_EQ(root("w"), "w");
  const NameScope layer = NameScope("encoder").scope("layer1");
  EXPECT_EQ(layer.name(), "encoder/layer1");
  EXPECT_EQ(layer("w"), "encoder/layer1/w");
  EXPECT_EQ(layer("gate/w"), "encoder/layer1/gate/w");
  EXPECT_EQ(layer("/step"), "step") << "from the root";
  EXPECT_EQ(root.scope("encoder/layer1")("w"), layer("w"));
  for (const char* bad : {"", "/", "a//b", "a/"}) {
    expect_rejected(kInvalidArgument, {"NameScope", "empty part"},
                    [&] { static_cast<void>(layer(bad)); });
    expect_rejected(kInvalidArgument, {"NameScope"}, [&] { static_cast<void>(root.scope(bad)); });
  }
}

TEST(NameScopes, HoldOneNetSeveralTimes) {
  const Net layer("layer", {{.type = "Product", .inputs = {"x", "w"}, .outputs = {"h"}},
                            {.type = "Product", .inputs = {"h", "/scale"}, .outputs = {"y"}}});
  Workspace workspace(toy_registry());
  workspace.feed("scale", floats({10}));
  for (const char* name : {"a", "b"}) {
    const NameScope scope(name);
    workspace.feed(scope("x"), floats({2}));
    workspace.feed(scope("w"), floats({scope.name() == "a" ? 3.F : 4.F}));
    const Net scoped = scope(layer);
    EXPECT_EQ(scoped.name(), scope("layer"));
    EXPECT_EQ(scoped.external_outputs(), std::vector<std::string>{scope("y")});
    workspace.run(scoped);
  }
  EXPECT_EQ(floats_of(workspace.fetch("a/y")), std::vector<float>{60});
  EXPECT_EQ(floats_of(workspace.fetch("b/y")), std::vector<float>{80});
  EXPECT_FALSE(workspace.has("a/scale"));
}

TEST(NameScopes, MakeNamesThatNobodyHas) {
  Workspace workspace;
  const NameScope scope("dynamic");
  std::vector<std::string> names;
  for (int i = 0; i < 3; ++i) {
    names.push_back(scope.unused(workspace, "h"));
    workspace.create(names.back());
  }
  EXPECT_EQ(names, (std::vector<std::string>{"dynamic/h", "dynamic/h_1", "dynamic/h_2"}));
}

}  // namespace
}  // namespace sylvite::test
