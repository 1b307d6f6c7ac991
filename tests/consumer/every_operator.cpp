// Runs every operator of the library, by name and by its typed function where there is one, and checks
// each value; explains those that plan. Exit status 0: all are right.
#include <sylvite/sylvite.h>

#include <algorithm>
#include <cstdio>
#include <initializer_list>
#include <numeric>
#include <string>
#include <vector>

using namespace sylvite;

using Values = std::vector<double>;

template <typename T>
static Tensor tensor_of(DType dtype, const Shape& shape, const Values& values) {
  const Tensor tensor = Tensor::empty(dtype, shape);
  std::transform(values.begin(), values.end(), tensor.data_as<T>(),
                 [](double value) { return static_cast<T>(value); });
  return tensor;
}
static Tensor floats(const Shape& shape, const Values& values) {
  return tensor_of<float>(DType::kFloat32, shape, values);
}
static Tensor floats(const Values& values) {
  return floats({static_cast<int64_t>(values.size())}, values);
}
static Tensor lengths(const Values& values) {
  return tensor_of<int32_t>(DType::kInt32, {static_cast<int64_t>(values.size())}, values);
}
static Tensor keys(const Values& values) {
  return tensor_of<int64_t>(DType::kInt64, {static_cast<int64_t>(values.size())}, values);
}
static Tensor bools(const Values& values) {
  return tensor_of<bool>(DType::kBool, {static_cast<int64_t>(values.size())}, values);
}
/// 0, 1, 2, … in this shape.
static Tensor counting(const Shape& shape) {
  Values values(static_cast<size_t>(
      std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>())));
  std::iota(values.begin(), values.end(), 0);
  return floats(shape, values);
}

static Values values_of(const Tensor& tensor) {
  const Tensor wide = cast(tensor, DType::kFloat64);
  return {wide.data_as<double>(), wide.data_as<double>() + wide.element_count()};
}

/// One use of an operator and what must come out.
struct Case {
  std::string op;
  std::vector<Tensor> inputs;
  std::vector<Values> outputs;
  std::vector<Argument> arguments = {};
};

using Integers = std::vector<int64_t>;

static std::vector<Case> cases() {
  const Tensor image = counting({1, 1, 2, 4});
  const Values phases = {0, 2, 1, 3, 4, 6, 5, 7};
  const Tensor present = bools({1, 0, 1});
  const Tensor two = lengths({2, 5, 1});  // the second example is absent: it has no values
  const Argument ids = {"feature_ids", Integers{7}};
  const Tensor row = floats({1, 2, 3});
  return {
      {"SpaceToBatch", {image}, {phases}},
      {"BatchToSpace", {floats({4, 1, 1, 2}, phases)}, {{0, 1, 2, 3, 4, 5, 6, 7}}},
      {"Expand", {floats({1, 2}, {1, 2})}, {{1, 2, 1, 2}}, {{"shape", Integers{2, 2}}}},
      {"ExpandGradient", {floats({2, 2}, {1, 2, 3, 4}), floats({1, 2}, {0, 0})}, {{4, 6}}},
      {"ExpandDims", {row}, {{1, 2, 3}}, {{"dims", Integers{0}}}},
      {"Squeeze", {floats({1, 3}, {1, 2, 3})}, {{1, 2, 3}}},
      {"Reshape", {row}, {{1, 2, 3}}, {{"shape", Integers{3, 1}}}},
      {"ReshapeLike", {row, floats({3, 1}, {0, 0, 0})}, {{1, 2, 3}}},
      {"Cast", {floats({1.5, -2.5, 300})}, {{1, -2, 127}}, {{"to", "int8"}}},
      {"CastGradient", {lengths({1, 2}), floats({0, 0})}, {{1, 2}}},
      {"MergeDenseFeatureTensors",
       {floats({2, 2}, {1, 2, 3, 4}), tensor_of<bool>(DType::kBool, {2, 2}, {1, 0, 1, 1})},
       {{1, 2}, {7, 7, 8}, {1, 3, 4}},
       {{"feature_ids", Integers{7, 8}}}},
      {"MergeDenseFeatureTensorsGradient",
       {tensor_of<bool>(DType::kBool, {2, 2}, {1, 0, 1, 1}), floats({1, 3, 4})},
       {{1, 0, 3, 4}}},
      {"MergeSingleScalarFeatureTensors", {row, present}, {{1, 0, 1}, {7, 7}, {1, 3}}, {ids}},
      {"MergeSingleScalarFeatureTensorsGradient", {present, floats({5, 6})}, {{5, 0, 6}}},
      {"MergeSingleListFeatureTensors",
       {two, row, present},
       {{1, 0, 1}, {7, 7}, {2, 1}, {1, 2, 3}},
       {ids}},
      {"MergeSingleListFeatureTensorsGradient", {two, present, row}, {{1, 2, 3}}},
      {"MergeSingleMapFeatureTensors",
       {two, keys({4, 5, 6}), row, present},
       {{1, 0, 1}, {7, 7}, {2, 1}, {4, 5, 6}, {1, 2, 3}},
       {ids}},
      {"MergeSingleMapFeatureTensorsGradient", {two, present, row}, {{1, 2, 3}}},
      {"MergeMultiScalarFeatureTensors",
       {lengths({1, 1}), keys({1, 2}), floats({10, 20}), lengths({0, 1}), keys({3}), floats({30})},
       {{1, 2}, {1, 2, 3}, {10, 20, 30}}},
      {"MergeMultiScalarFeatureTensorsGradient",
       {lengths({1, 1}), lengths({0, 1}), row},
       {{1, 2}, {3}}},
      {"MergeMultiListFeatureTensors",
       {lengths({1}), keys({1}), lengths({2}), floats({10, 20}), lengths({1}), keys({2}),
        lengths({1}), floats({30})},
       {{2}, {1, 2}, {2, 1}, {10, 20, 30}}},
      {"MergeMultiListFeatureTensorsGradient",
       {lengths({1}), lengths({2}), lengths({1}), lengths({1}), row},
       {{1, 2}, {3}}},
      {"MergeMultiMapFeatureTensors",
       {lengths({1}), keys({1}), lengths({2}), keys({8, 9}), floats({10, 20})},
       {{1}, {1}, {2}, {8, 9}, {10, 20}}},
      {"MergeMultiMapFeatureTensorsGradient",
       {lengths({1}), lengths({2}), floats({1, 2})},
       {{1, 2}}},
      {"MergeMultiListOrMapFeatureTensorsGradient",
       {lengths({1}), lengths({2}), floats({1, 2})},
       {{1, 2}}},
      {"Stack", {floats({1, 2}), floats({3, 4})}, {{1, 3, 2, 4}}, {{"axis", int64_t{1}}}},
      {"Unstack", {floats({2, 2}, {1, 2, 3, 4})}, {{1, 2}, {3, 4}}},
      {"Concat", {floats({1}), row}, {{1, 1, 2, 3}, {1, 3}}, {{"axis", int64_t{0}}}},
      {"ConcatGradient", {row, floats({0}), floats({0, 0})}, {{1}, {2, 3}}, {{"axis", int64_t{0}}}},
      {"Split", {row}, {{1, 2}, {3}}, {{"axis", int64_t{0}}, {"split", Integers{2, 1}}}},
      {"Add", {row, floats({10})}, {{11, 12, 13}}},
      {"Mul", {row, row}, {{1, 4, 9}}},
      {"Sum", {row, row, row}, {{3, 6, 9}}},
      {"ConstantFill", {}, {{5, 5}}, {{"shape", Integers{2}}, {"value", 5.0}}},
      {"SquaredL2", {floats({3, 4})}, {{12.5}}},
      {"SquaredL2Gradient", {floats({3, 4}), floats(Shape{}, {2})}, {{6, 8}}},
      {"MatMul", {floats({1, 2}, {1, 2}), floats({2, 2}, {1, 2, 3, 4})}, {{7, 10}}},
      {"Conv", {counting({1, 1, 2, 3}), floats({1, 1, 1, 2}, {1, 2})}, {{2, 5, 11, 14}}},
      {"ConvGradient",
       {counting({1, 1, 1, 3}), floats({1, 1, 1, 2}, {1, 2}), floats({1, 1, 1, 2}, {1, 10})},
       {{10, 21}, {11}, {1, 12, 20}}},
  };
}

static bool failed = false;

static void expect(bool right, const std::string& what) {
  if (right) return;
  std::printf("wrong: %s\n", what.c_str());
  failed = true;
}

static std::vector<std::string> numbered(const char* stem, size_t count) {
  std::vector<std::string> names;
  for (size_t i = 0; i < count; ++i) names.push_back(stem + std::to_string(i));
  return names;
}

static void run_by_name(const Case& c) {
  Workspace workspace;
  const OperatorDef def = {.type = c.op,
                           .inputs = numbered("x", c.inputs.size()),
                           .outputs = numbered("y", c.outputs.size()),
                           .arguments = c.arguments};
  for (size_t i = 0; i < c.inputs.size(); ++i) workspace.feed(def.inputs[i], c.inputs[i]);
  workspace.run(def);
  for (size_t i = 0; i < c.outputs.size(); ++i)
    expect(values_of(workspace.fetch(def.outputs[i])) == c.outputs[i], c.op + " " + def.outputs[i]);
}

static void explain_it(const Case& c) {
  const auto schemas = operators();
  const auto is_it = [&](const OperatorSchema* schema) { return schema->name == c.op; };
  if ((*std::find_if(schemas.begin(), schemas.end(), is_it))->plan == nullptr) return;
  std::vector<TensorInfo> inputs;
  for (const Tensor& x : c.inputs) inputs.push_back(x.info());
  expect(explain(c.op, inputs, c.arguments).op == c.op, c.op + " explained");
}

/// CreateScope, Do, HasScope: what they take is no tensor.
static void run_scopes() {
  Workspace workspace;
  workspace.feed("X", floats({1, 2}));
  workspace.run({.type = "CreateScope", .outputs = {"scope"}});
  const Net net("square", {{.type = "Mul", .inputs = {"x", "x"}, .outputs = {"y"}}});
  workspace.run({.type = "Do",
                 .inputs = {"X", "scope"},
                 .outputs = {"Y", "scope"},
                 .arguments = {{"net", std::make_shared<const Net>(net)},
                               {"inner_blobs", std::vector<std::string>{"x", "y"}},
                               {"outer_blobs_idx", Integers{0, 1}}}});
  workspace.run({.type = "HasScope", .inputs = {"scope"}, .outputs = {"left"}});
  expect(values_of(workspace.fetch("Y")) == Values{1, 4}, "Do");
  expect(*workspace.get("left").data_as<bool>(), "HasScope");
}

static void run_typed() {
  const Tensor image = counting({1, 1, 4, 8});
  const SpaceToBatchArgs args = {.paddings = {{1, 1}, {0, 0}}};
  const Tensor y = space_to_batch(image, args);
  expect(values_of(y)[3] == 0 && values_of(y)[4] == 8, "space_to_batch");
  expect(values_of(batch_to_space(y, {.crops = args.paddings})) == values_of(image),
         "batch_to_space");
  expect(values_of(space_to_batch_gradient(y, args)) == values_of(image),
         "space_to_batch_gradient");
  expect(values_of(batch_to_space_gradient(image, {})) == values_of(space_to_batch(image, {})),
         "batch_to_space_gradient");
  const Tensor row = floats({1, 3}, {1, 2, 3});
  expect(values_of(expand(row, Shape{2, 3})) == Values{1, 2, 3, 1, 2, 3}, "expand");
  expect(values_of(materialize(expand_view(row, Shape{2, 3}))) == Values{1, 2, 3, 1, 2, 3},
         "expand_view");
  expect(values_of(expand_gradient(floats({2, 3}, {1, 2, 3, 4, 5, 6}), row.shape())) ==
             Values{5, 7, 9},
         "expand_gradient");
  const std::vector<Tensor> twice = {row, row};
  expect(values_of(concat(unstack(stack(twice)))) == Values{1, 2, 3, 1, 2, 3}, "stack");
  expect(split(row, Integers{1, 2}, 1)[1].shape() == Shape{1, 2}, "split");
  expect(reshape(row, Shape{3, -1}).shape() == Shape{3, 1}, "reshape");
  expect(values_of(cast(cast(row, DType::kString), DType::kInt32)) == Values{1, 2, 3},
         "cast to text and back");
  const MultiScalar merged =
      merge_dense(row, tensor_of<bool>(DType::kBool, {1, 3}, {1, 0, 1}), {4, 5, 6});
  expect(values_of(merged.keys) == Values{4, 6} && values_of(merged.values) == Values{1, 3},
         "merge_dense");
  expect(values_of(add(row, mul(row, row))) == Values{2, 6, 12}, "add, mul");
  expect(values_of(matmul(row, row, {.transpose_b = true})) == Values{14}, "matmul");
  try {
    space_to_batch(row, {});
    expect(false, "an error that arrives");
  } catch (const Error& error) {
    expect(error.code() == ErrorCode::kInvalidArgument, "an error's code");
  }
  // Large enough for the thread pool.
  const Tensor large = constant_fill({64, 1, 256, 256}, 3);
  const Tensor split_up = space_to_batch(large, {}, {{.threads = 2}});
  expect(split_up.shape() == Shape{256, 1, 128, 128}, "threads");
  expect(
      std::all_of(split_up.data_as<float>(), split_up.data_as<float>() + split_up.element_count(),
                  [](float value) { return value == 3; }),
      "threads");
  shutdown();
}

int main() {
  try {
    const std::vector<Case> all = cases();
    for (const OperatorSchema* schema : operators()) {
      const std::string_view op = schema->name;
      if (op == "CreateScope" || op == "Do" || op == "HasScope") continue;
      const auto is_it = [&](const Case& c) { return c.op == op; };
      expect(std::any_of(all.begin(), all.end(), is_it), std::string(op) + " has no case");
    }
    for (const Case& c : all) {
      run_by_name(c);
      explain_it(c);
    }
    run_scopes();
    run_typed();
  } catch (const Error& error) {
    std::printf("%s\n", error.what());
    return 1;
  }
  if (failed) return 1;
  std::printf("%zu operators right on %s\n", operators().size(), std::string(targets()[0]).c_str());
  return 0;
}
