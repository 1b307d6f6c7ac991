// Operators by name: registries, gradients by rule, gradients of nets.
#include <gtest/gtest.h>

#include "support/rejects.h"
#include "support/toy_operators.h"

namespace sylvite::test {
namespace {

constexpr ErrorCode kInvalidArgument = ErrorCode::kInvalidArgument;
using Gradients = std::map<std::string, std::string>;
using Optional = std::optional<std::string>;

OperatorDef scale(std::string x, std::string y) {
  return {.type = "Scale", .inputs = {std::move(x)}, .outputs = {std::move(y)}};
}
OperatorDef product(std::string a, std::string b, std::string y) {
  return {.type = "Product", .inputs = {std::move(a), std::move(b)}, .outputs = {std::move(y)}};
}

GradientDefs defs_of(const OperatorDef& def, const std::vector<Optional>& outputs) {
  return gradient_defs(*toy_registry(), def, outputs);
}

TEST(OperatorRegistry, HoldsEveryOperatorOfTheLibrary) {
  const std::shared_ptr<Registry> registry = builtin_registry();
  for (const OperatorSchema* schema : operators()) {
    ASSERT_TRUE(registry->has(schema->name));
    const Registry::Entry& entry = registry->find(schema->name);
    EXPECT_NE(entry.bind[0], nullptr) << schema->name;
    EXPECT_EQ(entry.summary, schema->summary);
    EXPECT_EQ(entry.gradient_kind == GradientKind::kRule, entry.gradient != nullptr)
        << schema->name;
  }
  EXPECT_EQ(registry->names().size(), operators().size());
}

TEST(OperatorRegistry, IsOnesOwn) {
  const std::shared_ptr<Registry> mine = toy_registry();
  EXPECT_TRUE(mine->has("Scale"));
  EXPECT_FALSE(builtin_registry()->has("Scale"));
  const auto refused = [&](std::initializer_list<std::string_view> fragments, const auto& call) {
    expect_rejected(kInvalidArgument, fragments, call);
  };
  refused({"Scale", "already"},
          [&] { register_cpu_operator(*mine, {.name = "Scale", .bind = bind_scale}); });
  refused({"SpaceToBatch", "already"},
          [&] { register_cpu_operator(*mine, {.name = "SpaceToBatch", .bind = bind_scale}); });
  refused({"empty"}, [&] { register_cpu_operator(*mine, {.name = "", .bind = bind_scale}); });
  refused({"New", "nothing that binds"}, [&] { register_cpu_operator(*mine, {.name = "New"}); });
  refused({"Scale", "gradient already"},
          [&] { register_gradient(*mine, "Scale", GradientKind::kNone); });
  refused({"Unheard", "not registered"},
          [&] { register_gradient(*mine, "Unheard", GradientKind::kNone); });
  register_cuda_operator(*mine, {.name = "Scale", .bind = bind_scale});
  EXPECT_NE(mine->find("Scale").bind[1], nullptr);
}

TEST(OperatorGradients, NameTheGradientOfEachInput) {
  const GradientDefs made = defs_of(product("A", "B", "Y"), {"dY"});
  ASSERT_EQ(made.operators.size(), 2U);
  EXPECT_EQ(made.inputs, (std::vector<Optional>{"A_grad", "B_grad"}));
  EXPECT_EQ(made.operators[0].inputs, (std::vector<std::string>{"dY", "B"}));
}

TEST(OperatorGradients, SumWhereOneBlobIsReadTwice) {
  const GradientDefs made = defs_of(product("X", "X", "Y"), {"dY"});
  ASSERT_EQ(made.operators.size(), 3U);
  EXPECT_EQ(made.operators[2].type, "Sum");
  EXPECT_EQ(made.operators[2].inputs,
            (std::vector<std::string>{"X_grad_autosplit_0", "X_grad_autosplit_1"}));
  EXPECT_EQ(made.inputs, (std::vector<Optional>{"X_grad", "X_grad"}));
}

TEST(OperatorGradients, AreToldApartWhereThereIsNone) {
  const auto kind_of = [](const char* type) {
    const OperatorDef def{.type = type, .inputs = {"X"}, .outputs = {"Y"}};
    try {
      return defs_of(def, {"dY"}).inputs[0] ? GradientKind::kRule : GradientKind::kNone;
    } catch (const GradientError& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
      return error.kind();
    }
  };
  EXPECT_EQ(kind_of("Scale"), GradientKind::kRule);
  EXPECT_EQ(kind_of("Constant"), GradientKind::kNone);
  EXPECT_EQ(kind_of("Opaque"), GradientKind::kNotWritten);
  EXPECT_EQ(kind_of("HasScope"), GradientKind::kForbidden);
  const auto refused = [](std::initializer_list<std::string_view> fragments, const OperatorDef& def,
                          const std::vector<Optional>& outputs) {
    expect_rejected(kInvalidArgument, fragments, [&] { defs_of(def, outputs); });
  };
  refused({"unknown operator", "Nothing"}, {.type = "Nothing"}, {});
  refused({"Scale", "2 output gradients", "1 outputs"}, scale("X", "Y"), {"a", "b"});
  refused({"Scale", "empty"}, scale("X", "Y"), {""});
  refused({"Scale", "no gradient"}, scale("X", "Y"), {std::nullopt});
  refused({"Scale", "2 inputs"}, {.type = "Scale", .inputs = {"X", "Z"}, .outputs = {"Y"}}, {"dY"});
}

TEST(OperatorGradients, OfTheLibrarysOwnOperators) {
  const std::shared_ptr<Registry> registry = builtin_registry();
  const auto type_of = [&](const OperatorDef& def, std::string* input = nullptr) {
    std::vector<Optional> outputs(def.outputs.size());
    outputs[0] = "dY";
    const GradientDefs made = gradient_defs(*registry, def, outputs);
    if (input != nullptr) *input = made.operators.at(0).inputs.back();
    return made.operators.at(0).type;
  };
  const std::vector<int64_t> one = {1};
  EXPECT_EQ(type_of({.type = "SpaceToBatch", .inputs = {"X"}, .outputs = {"Y"}}), "BatchToSpace");
  EXPECT_EQ(type_of({.type = "BatchToSpace", .inputs = {"X"}, .outputs = {"Y"}}), "SpaceToBatch");
  EXPECT_EQ(
      type_of(
          {.type = "ExpandDims", .inputs = {"X"}, .outputs = {"Y"}, .arguments = {{"dims", one}}}),
      "Squeeze");
  EXPECT_EQ(
      type_of({.type = "Squeeze", .inputs = {"X"}, .outputs = {"Y"}, .arguments = {{"dims", one}}}),
      "ExpandDims");
  EXPECT_EQ(type_of({.type = "Squeeze", .inputs = {"X"}, .outputs = {"Y"}}), "ReshapeLike");
  const std::vector<Argument> shape = {{"shape", std::vector<int64_t>{-1}}};
  std::string read;
  EXPECT_EQ(
      type_of({.type = "Reshape", .inputs = {"X"}, .outputs = {"Y", "old"}, .arguments = shape},
              &read),
      "ReshapeLike");
  EXPECT_EQ(read, "X");
  EXPECT_EQ(
      type_of({.type = "Reshape", .inputs = {"X"}, .outputs = {"X", "old"}, .arguments = shape},
              &read),
      "Reshape");
  EXPECT_EQ(read, "old");
  expect_rejected(kInvalidArgument, {"Reshape", "X is overwritten", "second output"}, [&] {
    type_of({.type = "Reshape", .inputs = {"X"}, .outputs = {"X"}, .arguments = shape});
  });
}

TEST(NetGradients, SumTheUsesOfABlob) {
  // y = x² · x: three uses of x in two operators.
  Net net("cube", {product("X", "X", "S"), product("S", "X", "Y")});
  const Gradients gradients = net.add_gradients({{"Y", "Y_grad"}}, *toy_registry());
  EXPECT_EQ(gradients, (Gradients{{"Y", "Y_grad"}, {"S", "S_grad"}, {"X", "X_grad"}}));
  EXPECT_EQ(net.operators().back().type, "Sum");
  EXPECT_EQ(net.operators().back().outputs[0], "X_grad");
}

TEST(NetGradients, NameThePartsOfASum) {
  Net net("two", {scale("X", "A"), scale("X", "B"), product("A", "B", "Y")});
  net.add_gradients({{"Y", "Y_grad"}}, *toy_registry());
  const OperatorDef& sum = net.operators().back();
  EXPECT_EQ(sum.inputs, (std::vector<std::string>{"X_grad_autosplit_0", "X_grad_autosplit_1"}));
  EXPECT_EQ(sum.outputs, std::vector<std::string>{"X_grad"});
}

TEST(NetGradients, LeaveOutWhatDoesNotMatter) {
  Net net("pruned", {scale("X", "A"),
                     {.type = "Opaque", .inputs = {"X"}, .outputs = {"B"}},
                     {.type = "Constant", .inputs = {"A"}, .outputs = {"C"}},
                     product("A", "C", "Y")});
  const Gradients gradients = net.add_gradients({{"Y", "g"}}, *toy_registry());
  EXPECT_FALSE(gradients.contains("B"));
  EXPECT_EQ(gradients.at("X"), "X_grad");
  EXPECT_EQ(net.operators().size(), 7U);
}

TEST(NetGradients, RefuseWhatWouldBeWrong) {
  const std::shared_ptr<Registry> registry = toy_registry();
  const auto refused = [&](std::initializer_list<std::string_view> fragments, Net net,
                           const Gradients& outputs = {{"Y", "Y_grad"}}) {
    expect_rejected(kInvalidArgument, fragments, [&] { net.add_gradients(outputs, *registry); });
    EXPECT_LE(net.operators().size(), 3U) << "a refused net is as it was";
  };
  refused({"Net n", "no output"}, Net("n", {scale("X", "Y")}), {});
  refused({"Net n", "Z", "knows"}, Net("n", {scale("X", "Y")}), {{"Z", "g"}});
  refused({"Net n", "Y", "empty name"}, Net("n", {scale("X", "Y")}), {{"Y", ""}});
  refused({"operator 0", "Product", "needs B", "overwrites"},
          Net("n", {product("A", "B", "Y"), scale("A", "B")}));
  refused({"operator 0", "Product", "overwrites its input A"}, Net("n", {product("A", "B", "A")}),
          {{"A", "g"}});
  Net opaque("n", {{.type = "Opaque", .inputs = {"X"}, .outputs = {"Y"}}});
  EXPECT_THROW(opaque.add_gradients({{"Y", "g"}}, *registry), GradientError);
}

TEST(NetGradients, PassThroughOperatorsInPlace) {
  Net net("in_place", {scale("X", "X"), scale("X", "X"), product("X", "W", "Y")});
  const Gradients gradients = net.add_gradients({{"Y", "Y_grad"}}, *toy_registry());
  Workspace workspace(toy_registry());
  workspace.feed("W", floats({5}));
  workspace.feed("Y_grad", floats({1}));
  for (int i = 0; i < 2; ++i) {
    workspace.feed("X", floats({3}));
    workspace.run(net);
    EXPECT_EQ(floats_of(workspace.fetch("Y")), std::vector<float>{60});
    EXPECT_EQ(floats_of(workspace.fetch(gradients.at("X"))), std::vector<float>{20});
    EXPECT_EQ(floats_of(workspace.fetch(gradients.at("W"))), std::vector<float>{12});
  }
}

TEST(Nets, KnowTheirExternalBlobs) {
  const Net net("n", {product("X", "W", "A"), scale("A", "B"), scale("A", "C")});
  EXPECT_EQ(net.external_inputs(), (std::vector<std::string>{"X", "W"}));
  EXPECT_EQ(net.external_outputs(), (std::vector<std::string>{"B", "C"}));
  Net longer = net;
  longer.append(scale("C", "D"));
  EXPECT_EQ(net.operators().size(), 3U) << "copies are values";
  EXPECT_EQ(longer.external_outputs(), (std::vector<std::string>{"B", "D"}));
  expect_rejected(kInvalidArgument, {"external output Z"}, [] { Net bad("n", {}, {"Z"}); });
  expect_rejected(kInvalidArgument, {"operator 0", "no type"},
                  [] { Net bad("n", {{.type = ""}}); });
  const std::string dot = net.to_dot();
  EXPECT_NE(dot.find("\"blob X\" -> \"op 0\""), std::string::npos) << dot;
  EXPECT_NE(dot.find("\"op 2\" -> \"blob C\""), std::string::npos) << dot;
}

}  // namespace
}  // namespace sylvite::test
