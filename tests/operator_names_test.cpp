// Every operator of the library by name: the contract's names, and what each of them promises.
#include <gtest/gtest.h>

#include <array>

#include "support/rejects.h"
#include "support/toy_operators.h"

namespace sylvite::test {
namespace {

/// The contract's operators, and the arithmetic that nets need, in the order of the sections.
constexpr std::array<std::string_view, 42> kNames = {"SpaceToBatch",
                                                     "BatchToSpace",
                                                     "Expand",
                                                     "ExpandGradient",
                                                     "ExpandDims",
                                                     "Squeeze",
                                                     "Reshape",
                                                     "ReshapeLike",
                                                     "Cast",
                                                     "CastGradient",
                                                     "MergeDenseFeatureTensors",
                                                     "MergeSingleScalarFeatureTensors",
                                                     "MergeSingleListFeatureTensors",
                                                     "MergeSingleMapFeatureTensors",
                                                     "MergeMultiScalarFeatureTensors",
                                                     "MergeMultiListFeatureTensors",
                                                     "MergeMultiMapFeatureTensors",
                                                     "MergeDenseFeatureTensorsGradient",
                                                     "MergeSingleScalarFeatureTensorsGradient",
                                                     "MergeSingleListFeatureTensorsGradient",
                                                     "MergeSingleMapFeatureTensorsGradient",
                                                     "MergeMultiScalarFeatureTensorsGradient",
                                                     "MergeMultiListOrMapFeatureTensorsGradient",
                                                     "MergeMultiListFeatureTensorsGradient",
                                                     "MergeMultiMapFeatureTensorsGradient",
                                                     "Stack",
                                                     "Unstack",
                                                     "Concat",
                                                     "ConcatGradient",
                                                     "Split",
                                                     "CreateScope",
                                                     "HasScope",
                                                     "Do",
                                                     "Add",
                                                     "Mul",
                                                     "Sum",
                                                     "ConstantFill",
                                                     "SquaredL2",
                                                     "SquaredL2Gradient",
                                                     "MatMul",
                                                     "Conv",
                                                     "ConvGradient"};

TEST(OperatorNames, HoldThoseOfTheContract) {
  const std::shared_ptr<Registry> registry = builtin_registry();
  for (const std::string_view name : kNames) {
    EXPECT_TRUE(registry->has(name)) << name;
  }
  EXPECT_EQ(registry->names().size(), operators().size());
}

/// A def with as many blobs as the operator takes at least.
OperatorDef least_of(const OperatorSchema& schema) {
  OperatorDef def{.type = std::string(schema.name)};
  for (int i = 0; i < schema.inputs.least; ++i) def.inputs.push_back(numbered("x", i));
  for (int i = 0; i < schema.outputs.least; ++i) def.outputs.push_back(numbered("y", i));
  return def;
}

TEST(OperatorNames, CheckWhatTheyAreGiven) {
  Workspace workspace;
  for (int i = 0; i < 8; ++i) workspace.feed(numbered("x", i), floats({1, 2}));
  for (const OperatorSchema* schema : operators()) {
    const auto refused = [&](std::initializer_list<std::string_view> fragments,
                             const OperatorDef& def) {
      expect_rejected(ErrorCode::kInvalidArgument, fragments, [&] { workspace.run(def); });
    };
    SCOPED_TRACE(schema->name);
    EXPECT_FALSE(schema->summary.empty());
    OperatorDef def = least_of(*schema);
    def.arguments = {{"no_such_argument", int64_t{1}}};
    refused({schema->name, "unknown argument no_such_argument"}, def);
    for (const ArgumentSchema& argument : schema->arguments) {
      EXPECT_FALSE(argument.type.empty() || argument.summary.empty()) << argument.name;
      def.arguments = {{std::string(argument.name), std::vector<double>{1}}};
      expect_rejected(ErrorCode::kInvalidArgument, {schema->name}, [&] { workspace.run(def); });
    }
    def = least_of(*schema);
    if (!def.inputs.empty()) {
      def.inputs.pop_back();
      refused({schema->name, "inputs, want"}, def);
    }
    def = least_of(*schema);
    def.outputs.clear();
    refused({schema->name, "0 outputs, want"}, def);
    if (!schema->in_place && schema->inputs.least > 0) {
      def = least_of(*schema);
      def.outputs[0] = def.inputs[0];
      refused({schema->name, "output x0 is one of its inputs"}, def);
    }
  }
}

TEST(OperatorNames, SayWhichKindOfGradientTheyHave) {
  const std::shared_ptr<Registry> registry = builtin_registry();
  for (const OperatorSchema* schema : operators()) {
    const GradientKind kind = schema->gradient_kind;
    const bool is_gradient = schema->name.ends_with("Gradient");
    const bool is_scope = schema->name == "CreateScope" || schema->name == "HasScope";
    EXPECT_EQ(kind == GradientKind::kForbidden, is_scope) << schema->name;
    EXPECT_EQ(kind == GradientKind::kNotWritten, is_gradient) << schema->name;
    EXPECT_EQ(kind == GradientKind::kNone, schema->name == "ConstantFill") << schema->name;
    EXPECT_EQ(registry->find(schema->name).gradient_kind, kind) << schema->name;
  }
}

TEST(OperatorNames, WriteOverTheirInputWhereTheBytesStay) {
  Workspace workspace;
  workspace.feed("X", floats({1, 2, 3, 4}));
  const auto run = [&](const char* type, std::vector<Argument> arguments) {
    workspace.run(
        {.type = type, .inputs = {"X"}, .outputs = {"X"}, .arguments = std::move(arguments)});
  };
  run("Reshape", {{"shape", std::vector<int64_t>{2, 2}}});
  run("ExpandDims", {{"dims", std::vector<int64_t>{0}}});
  run("Squeeze", {});
  run("Cast", {{"to", std::string("float32")}});
  EXPECT_EQ(floats_of(workspace.fetch("X")), (std::vector<float>{1, 2, 3, 4}));
  EXPECT_EQ(workspace.get("X").shape(), (Shape{2, 2}));
  expect_rejected(ErrorCode::kInvalidArgument, {"Cast", "X", "float32 to float64"}, [&] {
    run("Cast", {{"to", std::string("float64")}});
  });
  workspace.run({.type = "Add", .inputs = {"X", "X"}, .outputs = {"X"}});
  EXPECT_EQ(floats_of(workspace.fetch("X")), (std::vector<float>{2, 4, 6, 8}));
}

}  // namespace
}  // namespace sylvite::test
