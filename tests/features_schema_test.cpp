// The merges by name: the typed functions' results, in nets and with gradients.
#include <gtest/gtest.h>

#include "support/features_cases.h"
#include "support/rejects.h"
#include "support/space_batch_cases.h"
#include "support/toy_operators.h"

namespace sylvite::test {
namespace {

constexpr ErrorCode kInvalidArgument = ErrorCode::kInvalidArgument;

std::string input_name(size_t feature, size_t i) {
  return numbered(numbered("in_", static_cast<int64_t>(feature)) + "_", static_cast<int64_t>(i));
}

/// The merge as an operator: inputs "in_0_0", …, outputs "out_0", …, without argument where
/// its pairs have keys of their own.
OperatorDef def_of(const FeatureCase& c) {
  OperatorDef def{.type = std::string(name_of(c.merge))};
  const size_t groups = c.merge == Merge::kDense ? 1 : c.features.size();
  for (size_t f = 0; f < groups; ++f) {
    for (size_t i = 0; i < input_fields(c.merge).size(); ++i)
      def.inputs.push_back(input_name(f, i));
  }
  for (size_t i = 0; i < output_fields(c.merge).size(); ++i)
    def.outputs.push_back(numbered("out_", static_cast<int64_t>(i)));
  if (!is_multi(c.merge)) def.arguments = {{"feature_ids", c.feature_ids}};
  return def;
}

void set_inputs(Workspace& workspace, const FeatureCase& c,
                const std::vector<FeatureTensors>& inputs) {
  const std::vector<Field<FeatureTensors>> fields = input_fields(c.merge);
  for (size_t f = 0; f < inputs.size(); ++f) {
    for (size_t i = 0; i < fields.size(); ++i) {
      workspace.set(input_name(f, i), inputs[f].*fields[i].tensor);
    }
  }
}

void expect_same(const Tensor& got, const Tensor& wanted, const std::string& what) {
  EXPECT_EQ(got.dtype(), wanted.dtype()) << what;
  EXPECT_EQ(got.shape(), wanted.shape()) << what;
  EXPECT_EQ(elements_of(got), elements_of(wanted)) << what;
}

/// The blob whose gradient the merge has, of input f.
std::string values_of(const FeatureCase& c, size_t f) {
  const std::vector<Field<FeatureTensors>> fields = input_fields(c.merge);
  size_t i = 0;
  while (fields[i].tensor != &FeatureTensors::values) ++i;
  return input_name(f, i);
}

void check_by_name(const FeatureCase& c, Random& random, Workspace& workspace) {
  PlacedElements memory(random);
  const std::vector<FeatureTensors> inputs = memory.inputs(c);
  set_inputs(workspace, c, inputs);
  Net net("merge", {def_of(c)});
  const std::string values = net.operators()[0].outputs.back();
  const std::map<std::string, std::string> gradients =
      net.add_gradients({{values, "dvalues"}}, workspace.registry());
  ASSERT_EQ(net.operators().size(), 2U);
  EXPECT_EQ(net.operators()[1].type, gradient_name_of(c.merge));
  const MultiMap wanted = merge(c.merge, inputs, c.feature_ids);
  workspace.set("dvalues", wanted.values_values);
  const std::vector<Tensor> dinputs = merge_gradient(c.merge, inputs, wanted.values_values);
  for (int run = 0; run < 3; ++run) {
    workspace.run(net);
    const std::vector<Field<MultiMap>> fields = output_fields(c.merge);
    for (size_t i = 0; i < fields.size(); ++i)
      expect_same(workspace.get(numbered("out_", static_cast<int64_t>(i))),
                  wanted.*fields[i].tensor, to_string(c));
    for (size_t f = 0; f < dinputs.size(); ++f)
      expect_same(workspace.get(gradients.at(values_of(c, f))), dinputs[f], to_string(c));
  }
}

TEST(FeaturesByName, AreTheTypedFunctions) {
  // One workspace for all: what an earlier case left behind has other shapes and dtypes.
  Workspace workspace;
  for (SeededCases cases(.5, 7 * 6); cases.next();) {
    SCOPED_TRACE(cases.trace());
    Random random(cases.seed());
    const auto dtype = static_cast<DType>(random.between(0, static_cast<int>(DType::kString)));
    const FeatureSizes sizes = {.examples = random.one_of<int64_t>({0, 1, 7, 130, 300}),
                                .features = random.between(1, 12),
                                .presence = random.one_of({0., .5, 1.})};
    check_by_name(random_features(random, kMerges[cases.seed() % 7], dtype, sizes), random,
                  workspace);
  }
}

TEST(FeaturesByName, TakeEveryTypeOfElement) {
  Workspace workspace;
  Random random(first_seed());
  for (const Merge merge : kMerges) {
    for (int dtype = 0; dtype <= static_cast<int>(DType::kString); ++dtype) {
      check_by_name(random_features(random, merge, static_cast<DType>(dtype),
                                    {.examples = 30, .features = 3}),
                    random, workspace);
      if (HasFailure()) return;
    }
  }
}

TEST(FeaturesByName, ShareTheGradientOfListsAndMaps) {
  Random random(first_seed());
  PlacedElements memory(random);
  const FeatureCase c =
      random_features(random, Merge::kMultiMap, DType::kInt16, {.examples = 20, .features = 2});
  const std::vector<FeatureTensors> inputs = memory.inputs(c);
  Workspace workspace;
  set_inputs(workspace, c, inputs);
  const MultiMap merged = merge(c.merge, inputs, {});
  workspace.set("dvalues", merged.values_values);
  workspace.run({.type = "MergeMultiListOrMapFeatureTensorsGradient",
                 .inputs = {"in_0_0", "in_0_2", "in_1_0", "in_1_2", "dvalues"},
                 .outputs = {"d0", "d1"}});
  const std::vector<Tensor> wanted = merge_gradient(c.merge, inputs, merged.values_values);
  expect_same(workspace.get("d0"), wanted[0], to_string(c));
  expect_same(workspace.get("d1"), wanted[1], to_string(c));
}

Tensor bools(std::initializer_list<uint8_t> values) {
  Tensor tensor = Tensor::empty(DType::kBool, {static_cast<int64_t>(values.size())});
  std::copy(values.begin(), values.end(), tensor.data_as<uint8_t>());
  return tensor;
}
Tensor numbers(std::initializer_list<float> values) {
  Tensor tensor = Tensor::empty(DType::kFloat32, {static_cast<int64_t>(values.size())});
  std::copy(values.begin(), values.end(), tensor.data_as<float>());
  return tensor;
}

OperatorDef two_scalars(std::vector<Argument> arguments) {
  return {.type = "MergeSingleScalarFeatureTensors",
          .inputs = {"v1", "p1", "v2", "p2"},
          .outputs = {"lengths", "keys", "values"},
          .arguments = std::move(arguments)};
}

TEST(FeaturesByName, SumTheGradientsOfABlobThatIsMergedTwice) {
  Workspace workspace;
  workspace.set("v", numbers({1, 2}));
  workspace.set("p", bools({1, 1}));
  workspace.set("q", bools({0, 1}));
  workspace.set("dvalues", numbers({10, 20, 30}));
  Net net("twice", {{.type = "MergeSingleScalarFeatureTensors",
                     .inputs = {"v", "p", "v", "q"},
                     .outputs = {"lengths", "keys", "values"},
                     .arguments = {{"feature_ids", std::vector<int64_t>{5, 6}}}}});
  const auto gradients = net.add_gradients({{"values", "dvalues"}});
  workspace.run(net);
  expect_same(workspace.get(gradients.at("v")), numbers({10, 20 + 30}), "v");
}

TEST(FeaturesByName, PassNoGradientThroughLengthsAndKeys) {
  Net net("lengths", {two_scalars({{"feature_ids", std::vector<int64_t>{5, 6}}}),
                      {.type = "Cast",
                       .inputs = {"lengths"},
                       .outputs = {"y"},
                       .arguments = {{"to", std::string("float32")}}}});
  const auto gradients = net.add_gradients({{"y", "dy"}});
  EXPECT_FALSE(gradients.contains("v1"));
  expect_rejected(kInvalidArgument, {"MergeSingleScalarFeatureTensors", "no gradient"}, [&] {
    gradient_defs(*builtin_registry(), net.operators()[0],
                  std::vector<std::optional<std::string>>(3));
  });
}

TEST(FeaturesByName, RejectWhatTheyCannotTake) {
  Workspace workspace;
  for (const char* name : {"v1", "v2"}) workspace.set(name, numbers({1, 2}));
  for (const char* name : {"p1", "p2"}) workspace.set(name, bools({1, 0}));
  const auto refused = [&](std::initializer_list<std::string_view> fragments,
                           const OperatorDef& def) {
    expect_rejected(kInvalidArgument, fragments, [&] { workspace.run(def); });
    for (const std::string& output : def.outputs) EXPECT_FALSE(workspace.has(output)) << output;
  };
  const std::string_view op = "MergeSingleScalarFeatureTensors";
  refused({op, "feature_ids", "missing"}, two_scalars({}));
  refused({op, "feature_ids has 1 entries", "want 2"},
          two_scalars({{"feature_ids", std::vector<int64_t>{1}}}));
  refused({op, "feature_ids is a text", "list of integers"},
          two_scalars({{"feature_ids", std::string("1")}}));
  refused({op, "unknown argument ids", "feature_ids"},
          two_scalars({{"ids", std::vector<int64_t>{1, 2}}}));
  OperatorDef three = two_scalars({{"feature_ids", std::vector<int64_t>{1, 2}}});
  three.inputs.pop_back();
  refused({op, "3 inputs", "multiple of 2"}, three);
  OperatorDef in_place = two_scalars({{"feature_ids", std::vector<int64_t>{1, 2}}});
  in_place.outputs[2] = "v1";
  expect_rejected(kInvalidArgument, {op, "output v1 is one of its inputs"},
                  [&] { workspace.run(in_place); });
  workspace.set("p2", bools({1, 0, 1}));
  refused({op, "presence_2", "3 examples", "want 2"},
          two_scalars({{"feature_ids", std::vector<int64_t>{1, 2}}}));
  refused({"MergeDenseFeatureTensors", "presence has shape [2]", "two axes"},
          {.type = "MergeDenseFeatureTensors",
           .inputs = {"v1", "p1"},
           .outputs = {"lengths", "keys", "values"},
           .arguments = {{"feature_ids", std::vector<int64_t>{1, 2}}}});
  refused({"MergeSingleListFeatureTensorsGradient", "3 inputs for 2 outputs", "want 5"},
          {.type = "MergeSingleListFeatureTensorsGradient",
           .inputs = {"v1", "p1", "v2"},
           .outputs = {"d1", "d2"}});
  refused({"MergeSingleScalarFeatureTensorsGradient", "dvalues has extent 2", "want 1"},
          {.type = "MergeSingleScalarFeatureTensorsGradient",
           .inputs = {"p1", "v1"},
           .outputs = {"d1"}});
}

}  // namespace
}  // namespace sylvite::test
