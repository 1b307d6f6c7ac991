// Variables: made once, shared by name, listed by scope.
#include <gtest/gtest.h>

#include <cmath>

#include "support/rejects.h"
#include "support/toy_operators.h"

namespace sylvite::test {
namespace {

constexpr ErrorCode kInvalidArgument = ErrorCode::kInvalidArgument;
using Names = std::vector<std::string>;

TEST(Variables, AreMadeOnceAndShared) {
  Workspace workspace;
  VariableScope layer = VariableScope(workspace).scope("layer");
  const std::string w = layer.get("w", {2}, {.initializer = constant_initializer(3)});
  EXPECT_EQ(w, "layer/w");
  EXPECT_EQ(floats_of(workspace.fetch(w)), (std::vector<float>{3, 3}));
  workspace.feed(w, floats({5, 6}));
  VariableScope same(workspace, NameScope("layer"));
  EXPECT_EQ(same.get("w", {2}), w);
  EXPECT_EQ(floats_of(workspace.fetch(w)), (std::vector<float>{5, 6})) << "the value stays";
  VariableScope in_a_child(Workspace(workspace, {}), NameScope("layer"), Reuse::kGet);
  EXPECT_EQ(in_a_child.get("w", {2}), w);
  EXPECT_EQ(layer.variables().size(), 1U);
}

TEST(Variables, AreListedByScopeInTheirOrder) {
  Workspace workspace;
  VariableScope root(workspace);
  VariableScope encoder = root.scope("encoder");
  encoder.scope("b").get("w", {1});
  encoder.scope("a").get("w", {1}, {.trainable = false});
  root.get("encoder_step", {}, {.dtype = DType::kInt64, .trainable = false});
  encoder.get("w", {1});
  EXPECT_EQ(encoder.trainable(), (Names{"encoder/b/w", "encoder/w"}));
  EXPECT_EQ(encoder.variables().size(), 3U);
  EXPECT_EQ(root.variables().size(), 4U);
  EXPECT_FALSE(root.variables()[1].trainable);
  encoder.scope("b").get("w", {1}, {.trainable = false});
  EXPECT_TRUE(root.variables()[0].trainable) << "as it was made";
  workspace.remove("encoder/w");
  EXPECT_EQ(encoder.trainable(), Names{"encoder/b/w"});
  encoder.get("w", {2});
  EXPECT_EQ(root.variables().size(), 4U);
  workspace.reset();
  EXPECT_EQ(root.variables().size(), 0U);
}

TEST(Variables, AreRefusedWhereTheyDoNotFit) {
  Workspace workspace;
  VariableScope scope(workspace);
  scope.get("w", {2, 3});
  const auto refused = [](std::initializer_list<std::string_view> fragments, const auto& call) {
    expect_rejected(kInvalidArgument, fragments, call);
  };
  refused({"variable w", "float32[2, 3]", "want float32[3, 2]"}, [&] { scope.get("w", {3, 2}); });
  refused({"variable w", "want float64[2, 3]"}, [&] {
    scope.get("w", {2, 3}, {.dtype = DType::kFloat64});
  });
  refused({"variable w", "want a new one"}, [&] {
    scope.reusing(Reuse::kCreate).get("w", {2, 3});
  });
  refused({"no variable v"}, [&] { scope.reusing(Reuse::kGet).get("v", {1}); });
  workspace.feed("x", floats({1}));
  refused({"blob x", "no variable"}, [&] { scope.get("x", {1}); });
  refused({"variable v", "float32[1]", "want float32[2]"}, [&] {
    scope.get("v", {2}, {.initializer = [](DType, const Shape&) { return floats({1}); }});
  });
  refused({"variable v", "no initializer"}, [&] { scope.get("v", {2}, {.initializer = {}}); });
  EXPECT_FALSE(workspace.has("v"));
  EXPECT_EQ(scope.variables().size(), 1U);
}

TEST(Variables, BeginWithTheSameNoiseForTheSameSeed) {
  const Tensor even = uniform_initializer(-1, 3, 7)(DType::kFloat64, {1000});
  const Tensor bell = normal_initializer(5, 2, 7)(DType::kFloat32, {40, 25});
  double sum = 0;
  double squares = 0;
  for (int i = 0; i < 1000; ++i) {
    const double u = even.data_as<double>()[i];
    EXPECT_TRUE(u >= -1 && u < 3) << u;
    const double z = (static_cast<double>(bell.data_as<float>()[i]) - 5) / 2;
    sum += z;
    squares += z * z;
  }
  EXPECT_LT(std::abs(sum / 1000), .15);
  EXPECT_NEAR(squares / 1000, 1, .2);
  EXPECT_EQ(even.data_as<double>()[0],
            uniform_initializer(-1, 3, 7)(DType::kFloat64, {1}).data_as<double>()[0]);
  EXPECT_NE(even.data_as<double>()[0],
            uniform_initializer(-1, 3, 8)(DType::kFloat64, {1}).data_as<double>()[0]);
  EXPECT_EQ(bell.shape(), (Shape{40, 25}));
}

}  // namespace
}  // namespace sylvite::test
