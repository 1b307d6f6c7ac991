// What Cast must refuse, and what its plans and explanations say.
#include <gtest/gtest.h>

#include <array>

#include "support/cast_reference.h"
#include "support/placed_tensor.h"
#include "support/rejects.h"
#include "support/targets.h"

namespace sylvite::test {
namespace {

constexpr ErrorCode kInvalidArgument = ErrorCode::kInvalidArgument;

/// Both operators that write y of float16 from x of float32.
struct Form {
  std::string_view op;
  std::string_view input;
  std::string_view output;
  void (*run)(const Tensor&, DType, Tensor&, const Context&);
};
constexpr std::array<Form, 2> kForms = {
    {{.op = "Cast", .input = "X", .output = "Y", .run = cast},
     {.op = "CastGradient", .input = "dY", .output = "dX", .run = cast_gradient}}};

class CastRejects : public ::testing::Test {
 protected:
  Bytes input_ = Bytes(64, 1);
  Bytes output_ = Bytes(64);
  Shape shape_ = {4, 4};

  Tensor input() { return Tensor::wrap(input_.data(), DType::kFloat32, shape_); }
  void expect_refused(Tensor y, std::initializer_list<std::string_view> fragments) {
    for (const Form& form : kForms) {
      expect_rejected(kInvalidArgument, {form.op, form.output}, output_,
                      [&] { form.run(input(), DType::kFloat16, y, {}); });
      expect_rejected(kInvalidArgument, fragments, output_,
                      [&] { form.run(input(), DType::kFloat16, y, {}); });
    }
  }
};

TEST_F(CastRejects, OutputsOfAnotherTypeOrShape) {
  expect_refused(Tensor::wrap(output_.data(), DType::kInt16, shape_), {"int16", "float16"});
  expect_refused(Tensor::wrap(output_.data(), DType::kFloat32, shape_), {"float32", "float16"});
  for (const Shape& shape : {Shape{4}, Shape{16}, Shape{}, Shape{4, 4, 1}, Shape{0, 4}})
    expect_refused(Tensor::wrap(output_.data(), DType::kFloat16, shape),
                   {to_string(shape), "[4, 4]"});
}

TEST_F(CastRejects, OutputsThatCannotBeWritten) {
  const void* read_only = output_.data();
  expect_refused(Tensor::wrap(read_only, DType::kFloat16, shape_), {"read-only"});
  for (const Shape& strides : {Shape{0, 0}, Shape{1, 1}, Shape{4, 0}})
    expect_refused(Tensor::wrap(output_.data(), DType::kFloat16, shape_, strides), {"overlap"});
}

TEST_F(CastRejects, OutputsThatShareMemoryWithTheInput) {
  Bytes memory(256);
  for (const Form& form : kForms) {
    for (const int64_t shift : {0, 2, -30, 62}) {
      const Tensor x = Tensor::wrap(memory.data() + 64, DType::kFloat32, shape_);
      Tensor y = Tensor::wrap(memory.data() + 64 + shift, DType::kFloat16, shape_);
      expect_rejected(kInvalidArgument, {form.op, form.output, "overlap"}, memory,
                      [&] { form.run(x, DType::kFloat16, y, {}); });
    }
  }
}

// x itself is taken as the output of a cast to its own type, nothing else of its memory is.
TEST_F(CastRejects, OutputsOfTheSameTypeThatAreNotXItself) {
  Bytes memory(256);
  const Tensor x = Tensor::wrap(memory.data() + 64, DType::kInt32, shape_);
  const auto refused = [&](Tensor y, std::string_view why) {
    expect_rejected(kInvalidArgument, {"Cast", "Y", why}, memory, [&] { cast(x, y.dtype(), y); });
  };
  refused(Tensor::wrap(memory.data() + 68, DType::kInt32, shape_), "overlap");
  refused(Tensor::wrap(memory.data() + 64, DType::kInt32, shape_, {1, 4}), "overlap");
  refused(Tensor::wrap(memory.data() + 64, DType::kUInt32, shape_), "overlap");
  const void* read_only = memory.data() + 64;
  refused(Tensor::wrap(read_only, DType::kInt32, shape_), "read-only");
  Tensor same = Tensor::wrap(memory.data() + 64, DType::kInt32, shape_);
  EXPECT_NO_THROW(cast(x, DType::kInt32, same));
}

TEST_F(CastRejects, DTypesThatAreNone) {
  Tensor y = Tensor::wrap(output_.data(), DType::kFloat16, shape_);
  for (const Form& form : kForms) {
    expect_rejected(kInvalidArgument, {form.op, "77"}, output_,
                    [&] { form.run(input(), static_cast<DType>(77), y, {}); });
  }
}

TEST_F(CastRejects, OperandsOnDifferentDevices) {
  bool found = false;
  for (const std::string_view target : targets()) {
    const Device device = device_of(target);
    if (device == Device{}) continue;
    found = true;
    expect_refused(Tensor::empty(DType::kFloat16, shape_, device), {"device", "cpu"});
    Tensor y = Tensor::wrap(output_.data(), DType::kFloat16, shape_);
    const Tensor x = Tensor::empty(DType::kFloat32, shape_, device);
    expect_rejected(kInvalidArgument, {"Cast", "Y", "device", "cpu"}, output_,
                    [&] { cast(x, DType::kFloat16, y); });
    const Context context({.target = target});
    expect_rejected(ErrorCode::kUnsupported, {"Cast", target},
                    [&] { cast(input(), DType::kFloat16, context); });
  }
  if (!found) GTEST_SKIP() << "one device here";
}

TEST_F(CastRejects, ShapesThatNoMemoryHolds) {
  uint8_t element = 0;
  const int64_t extent = int64_t{1} << 60;
  const Tensor x = Tensor::wrap(&element, DType::kUInt8, {extent}, {0});
  expect_rejected(kInvalidArgument, {"Cast", "Y", "int64"}, [&] { cast(x, DType::kFloat64); });
  expect_rejected(ErrorCode::kOutOfMemory, {"Cast", "Y"}, [&] { cast(x, DType::kUInt16); });
  const TensorInfo info = {.dtype = DType::kUInt8, .shape = {extent}};
  const TensorInfo wide = {.dtype = DType::kFloat64, .shape = {extent}};
  expect_rejected(kInvalidArgument, {"Cast", "Y"}, [&] { cast_plan(info, wide, DType::kFloat64); });
  const TensorInfo negative = {.dtype = DType::kUInt8, .shape = {-1}};
  expect_rejected(kInvalidArgument, {"Cast", "X", "-1"},
                  [&] { cast_plan(negative, negative, DType::kUInt8); });
}

Explanation explain_cast(const TensorInfo& x, const std::vector<Argument>& arguments,
                         const Context& context = {}) {
  return explain("Cast", {&x, 1}, arguments, context);
}

TEST_F(CastRejects, ArgumentsByName) {
  const TensorInfo x = {.dtype = DType::kFloat32, .shape = {3}};
  const auto refused = [&](std::initializer_list<std::string_view> fragments,
                           const std::vector<Argument>& arguments) {
    expect_rejected(kInvalidArgument, fragments, [&] { explain_cast(x, arguments); });
  };
  refused({"Cast", "argument to is missing"}, {});
  refused({"Cast", "\"float33\"", "float32", "bool"}, {{"to", "float33"}});
  refused({"Cast", "argument to is 11", "12 (float16)"}, {{"to", int64_t{11}}});
  refused({"Cast", "argument to is 0"}, {{"to", int64_t{0}}});
  refused({"Cast", "argument to is -1"}, {{"to", int64_t{-1}}});
  refused({"Cast", "argument to is a number"}, {{"to", 1.0}});
  refused({"Cast", "from_type is int32", "float32"}, {{"to", "int8"}, {"from_type", "int32"}});
  refused({"Cast", "from_type is int32", "float32"}, {{"to", "int8"}, {"from_type", int64_t{2}}});
  refused({"Cast", "unknown argument dtype"}, {{"dtype", "int8"}});
  refused({"Cast", "given twice"}, {{"to", "int8"}, {"to", "int8"}});
  const std::array<TensorInfo, 2> two = {x, x};
  const std::array<Argument, 1> to = {Argument{"to", "int8"}};
  expect_rejected(kInvalidArgument, {"Cast", "2 inputs, want 1"},
                  [&] { explain("Cast", two, to); });
}

TEST(CastByName, TakesTypeNamesAndCaffe2sCodes) {
  const TensorInfo x = {.dtype = DType::kUInt8, .shape = {300}};
  const auto written = [&](const Argument& to) {
    return explain_cast(x, {to, {"from_type", "uint8"}}).bytes_written / 300;
  };
  struct Row {
    int64_t code;
    const char* name;
    const char* kernel;
  };
  for (const Row& row : {Row{1, "float32", "cast_u8_f32"},
                         {1, "FLOAT", "cast_u8_f32"},
                         {2, "int32", "cast_u8_u32"},
                         {3, "byte", "memcpy"},
                         {5, "bool", "cast_u8_bool"},
                         {6, "uint8", "memcpy"},
                         {7, "int8", "memcpy"},
                         {8, "uint16", "cast_u8_u16"},
                         {9, "int16", "cast_u8_u16"},
                         {10, "int64", "cast_u32_u64"},
                         {12, "float16", "cast_u8_f16"},
                         {13, "double", "cast_u32_f64"},
                         {13, "float64", "cast_u32_f64"}}) {
    EXPECT_EQ(explain_cast(x, {{"to", row.code}}).kernel, row.kernel) << row.code;
    EXPECT_EQ(explain_cast(x, {{"to", row.name}}).kernel, row.kernel) << row.name;
  }
  EXPECT_EQ(written({"to", "uint32"}), 4);
  EXPECT_EQ(written({"to", "uint64"}), 8);
  EXPECT_EQ(written({"to", "bfloat16"}), 2);
}

class CastPlans : public KernelTest {};
INSTANTIATE_TEST_SUITE_P(AllTargets, CastPlans, ::testing::ValuesIn(kernel_choices()), choice_name);

TEST_P(CastPlans, EqualTheCall) {
  const Context context = GetParam().context();
  for (SeededCases cases(.3); cases.next();) {
    SCOPED_TRACE(cases.trace());
    Random random(cases.seed());
    const DType from = random.one_of(kNumericDTypes);
    const DType to = random.one_of(kNumericDTypes);
    const Shape shape{random.between(0, 4), random.between(1, 300)};
    const Device device = GetParam().device();
    const PlacedTensor x(random, from, shape,
                         random_placement(random, shape, element_size(from), true), device, true);
    PlacedTensor y(random, to, shape, random_placement(random, shape, element_size(to), false),
                   device, false);
    const Plan plan = cast_plan(x.tensor().info(), y.tensor().info(), to, context);
    plan.run(x.tensor(), y.tensor());
    plan.run(x.tensor(), y.tensor());
    y.expect_holds(reference_cast(x.elements(), from, to), to_string(plan.explanation()));
  }
}

TEST_P(CastPlans, NameTheKernelTheTargetAndTheVariantThatRun) {
  const Device device = GetParam().device();
  const TensorInfo x = {.dtype = DType::kFloat32, .shape = {64, 1000}, .device = device};
  const Explanation facts = explain_cast(x, {{"to", "float16"}}, GetParam().context());
  EXPECT_EQ(facts.op, "Cast");
  EXPECT_EQ(facts.kernel, device == Device{} ? "cast_f32_f16" : "cast_gpu_f32_f16");
  EXPECT_EQ(facts.target, GetParam().target);
  EXPECT_EQ(facts.variant, GetParam().stores == StorePolicy::kStream ? "stream" : "plain");
  EXPECT_EQ(facts.bytes_read, 256000);
  EXPECT_EQ(facts.bytes_written, 128000);
  EXPECT_EQ(facts.kernel_calls, 1);
  EXPECT_EQ(facts.tasks, 1);
  EXPECT_EQ(facts.output_shape, x.shape);
}

TEST(CastPlanFacts, StreamLargeOutputsUnlessToldOtherwise) {
  const auto variant = [](int64_t rows, StorePolicy stores) {
    const TensorInfo x = {.dtype = DType::kFloat32, .shape = {rows, 1 << 20}};
    const Context context({.target = targets().front(), .stores = stores});
    return explain_cast(x, {{"to", "uint8"}}, context).variant;
  };
  EXPECT_EQ(variant(1, StorePolicy::kAuto), "plain");
  EXPECT_EQ(variant(500, StorePolicy::kPlain), "plain");
  EXPECT_EQ(variant(500, StorePolicy::kAuto), variant(1, StorePolicy::kStream));
}

TEST(CastPlanFacts, CallACastOfNothingNone) {
  const TensorInfo x = {.dtype = DType::kFloat32, .shape = {3, 0}};
  const Explanation facts = explain_cast(x, {{"to", "uint8"}});
  EXPECT_EQ(facts.kernel, "none");
  EXPECT_EQ(facts.kernel_calls, 0);
  EXPECT_EQ(facts.bytes_read + facts.bytes_written, 0);
  EXPECT_EQ(facts.output_shape, (Shape{3, 0}));
}

TEST(CastPlanFacts, CutLargeCallsIntoTasks) {
  const TensorInfo x = {.dtype = DType::kFloat32, .shape = {8, 1 << 20}};
  for (const char* to : {"uint8", "int64", "bool"})
    EXPECT_GT(explain_cast(x, {{"to", to}}, Context({.threads = 2})).tasks, 8) << to;
}

TEST(CastPlanRejects, OutputsThatDoNotFit) {
  const TensorInfo x = {.dtype = DType::kFloat32, .shape = {4, 4}};
  expect_rejected(kInvalidArgument, {"Cast", "Y", "int8", "float16"}, [&] {
    cast_plan(x, {.dtype = DType::kInt8, .shape = {4, 4}}, DType::kFloat16);
  });
  expect_rejected(kInvalidArgument, {"Cast", "Y", "[4, 5]"}, [&] {
    cast_plan(x, {.dtype = DType::kFloat16, .shape = {4, 5}}, DType::kFloat16);
  });
  expect_rejected(kInvalidArgument, {"Cast", "Y", "overlap"}, [&] {
    cast_plan(x, {.dtype = DType::kFloat16, .shape = {4, 4}, .strides = {0, 1}}, DType::kFloat16);
  });
}

}  // namespace
}  // namespace sylvite::test
