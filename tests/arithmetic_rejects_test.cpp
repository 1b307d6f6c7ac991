// Every bad argument of the arithmetic helpers: its error, its message, and an output that stays as it
// was.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <string>

#include "support/rejects.h"
#include "support/targets.h"
#include "sylvite/arithmetic.h"

namespace sylvite::test {
namespace {

constexpr ErrorCode kInvalidArgument = ErrorCode::kInvalidArgument;
constexpr ErrorCode kUnsupported = ErrorCode::kUnsupported;
using Fragments = std::initializer_list<std::string_view>;

/// A tensor of any shape over one element.
Tensor seen_as(const Shape& shape, DType dtype = DType::kFloat32) {
  static uint64_t element = 0;
  Shape strides = shape;
  for (int axis = 0; axis < shape.rank(); ++axis) strides[axis] = 0;
  return Tensor::wrap(&element, dtype, shape, strides);
}

Tensor strings() { return Tensor::strings(std::array<std::string_view, 2>{"a", "bc"}, {2}); }

/// Add and Mul, every form; y has the memory of an ordinary result.
void expect_rejects(ErrorCode code, Fragments fragments, const Tensor& a, const Tensor& b) {
  Bytes memory(256);
  Tensor y = Tensor::wrap(memory.data(), DType::kFloat32, {2, 3});
  expect_rejected(code, {"Add"}, memory, [&] { add(a, b, y); });
  expect_rejected(code, fragments, memory, [&] { add(a, b, y); });
  expect_rejected(code, fragments, [&] { static_cast<void>(add(a, b)); });
  expect_rejected(code, {"Mul"}, memory, [&] { mul(a, b, y); });
  expect_rejected(code, fragments, memory, [&] { mul(a, b, y); });
  expect_rejected(code, fragments, [&] { static_cast<void>(mul(a, b)); });
}

TEST(ArithmeticRejects, ShapesThatDoNotBroadcast) {
  expect_rejects(kInvalidArgument, {"[2, 3]", "[2]", "3", "2", "axis 1"}, seen_as({2, 3}),
                 seen_as({2}));
  expect_rejects(kInvalidArgument, {"axis 0"}, seen_as({2, 3}), seen_as({3, 3}));
  expect_rejects(kInvalidArgument, {"extent 0", "5"}, seen_as({0}), seen_as({5}));
  expect_rejected(kInvalidArgument, {"axis 0", "[4]"},
                  [] { broadcast_shape({.shape = {4}}, {.shape = {3}}); });
  expect_rejected(kInvalidArgument, {"-1"},
                  [] { broadcast_shape({.shape = {-1}}, {.shape = {3}}); });
}

TEST(ArithmeticRejects, SizesBeyondInt64AndMemory) {
  const int64_t side = int64_t{1} << 31;
  expect_rejects(kInvalidArgument, {"Y of shape", "int64"}, seen_as({side, 1}), seen_as({side}));
  const Tensor wide = seen_as({side, 1}, DType::kInt8);
  expect_rejected(ErrorCode::kOutOfMemory, {"Add", "Y"},
                  [&] { static_cast<void>(add(wide, seen_as({side}, DType::kInt8))); });
}

TEST(ArithmeticRejects, TypesThatAreNotOneOrNoNumbers) {
  expect_rejects(kInvalidArgument, {"B", "int32", "float32"}, seen_as({2, 3}),
                 seen_as({3}, DType::kInt32));
  expect_rejects(kInvalidArgument, {"A", "bool"}, seen_as({2, 3}, DType::kBool),
                 seen_as({3}, DType::kBool));
  expect_rejects(kUnsupported, {"B", "string"}, seen_as({2}), strings());
}

TEST(ArithmeticRejects, TensorsOnAGpu) {
  bool found = false;
  for (const std::string_view target : targets()) {
    const Device device = device_of(target);
    if (device == Device{}) continue;
    found = true;
    note_exercised(target);
    const Tensor there = Tensor::empty(DType::kFloat32, {2, 3}, device);
    const Tensor scalar = Tensor::empty(DType::kFloat32, {}, device);
    expect_rejects(kUnsupported, {"A", name(device.kind), "cpu"}, there, there);
    expect_rejects(kInvalidArgument, {"B", name(device.kind), "cpu"}, seen_as({2, 3}), there);
    const std::array parts = {there, Tensor::empty(DType::kFloat32, {2, 3})};
    expect_rejected(kInvalidArgument, {"Sum", "X[1]", "cpu", name(device.kind)},
                    [&] { static_cast<void>(sum(parts)); });
    expect_rejected(kUnsupported, {"SquaredL2", "X"},
                    [&] { static_cast<void>(squared_l2(there)); });
    expect_rejected(kUnsupported, {"SquaredL2Gradient", "X"},
                    [&] { static_cast<void>(squared_l2_gradient(there, scalar)); });
  }
  if (!found) GTEST_SKIP() << "no GPU target here";
}

TEST(ArithmeticRejects, SumsOfWhatIsNotAlike) {
  Bytes memory(256);
  Tensor y = Tensor::wrap(memory.data(), DType::kFloat32, {2, 3});
  const auto rejects = [&](ErrorCode code, Fragments fragments, const std::vector<Tensor>& x) {
    expect_rejected(code, {"Sum"}, memory, [&] { sum(x, y); });
    expect_rejected(code, fragments, memory, [&] { sum(x, y); });
    expect_rejected(code, fragments, [&] { static_cast<void>(sum(x)); });
  };
  const Tensor x = seen_as({2, 3});
  rejects(kInvalidArgument, {"no inputs"}, {});
  rejects(kInvalidArgument, {"X[1]", "[3]", "[2, 3]"}, {x, seen_as({3})});
  rejects(kInvalidArgument, {"X[2]", "int32", "float32"}, {x, x, seen_as({2, 3}, DType::kInt32)});
  rejects(kInvalidArgument, {"X[0]", "bool"}, {seen_as({2, 3}, DType::kBool)});
  rejects(kUnsupported, {"X[0]", "string"}, {strings(), strings()});
}

TEST(ArithmeticRejects, ValuesThatATypeCannotHold) {
  const auto rejects = [](Fragments fragments, double value, DType dtype) {
    Bytes memory(64);
    Tensor y = Tensor::wrap(memory.data(), dtype, {2});
    expect_rejected(kInvalidArgument, {"ConstantFill", "value"}, memory,
                    [&] { constant_fill(value, y); });
    expect_rejected(kInvalidArgument, fragments, memory, [&] { constant_fill(value, y); });
    expect_rejected(kInvalidArgument, fragments,
                    [&] { static_cast<void>(constant_fill({2}, value, dtype)); });
  };
  rejects({"256", "uint8"}, 256, DType::kUInt8);
  rejects({"0.5", "int32"}, .5, DType::kInt32);
  rejects({"nan", "int8"}, NAN, DType::kInt8);
  rejects({"2", "bool"}, 2, DType::kBool);
  rejects({"70000", "float16"}, 70000, DType::kFloat16);
  rejects({"1e+39", "float32"}, 1e39, DType::kFloat32);
  expect_rejected(kUnsupported, {"ConstantFill", "string"},
                  [] { static_cast<void>(constant_fill({2}, 0, DType::kString)); });
  expect_rejected(kInvalidArgument, {"ConstantFill", "-1"},
                  [] { static_cast<void>(constant_fill({-1}, 0)); });
  Bytes memory(64);
  Tensor folded = Tensor::wrap(memory.data(), DType::kFloat32, {2}, {0});
  expect_rejected(kInvalidArgument, {"ConstantFill", "overlaps itself"}, memory,
                  [&] { constant_fill(0, folded); });
  Tensor fixed = Tensor::wrap(static_cast<const void*>(memory.data()), DType::kFloat32, {2});
  expect_rejected(kInvalidArgument, {"ConstantFill", "read-only"}, memory,
                  [&] { constant_fill(0, fixed); });
}

TEST(ArithmeticRejects, LossesThatAreNoScalars) {
  const Tensor x = seen_as({2, 3});
  expect_rejected(kUnsupported, {"SquaredL2", "int32"},
                  [] { static_cast<void>(squared_l2(seen_as({2}, DType::kInt32))); });
  expect_rejected(kInvalidArgument, {"SquaredL2", "bool"},
                  [] { static_cast<void>(squared_l2(seen_as({2}, DType::kBool))); });
  expect_rejected(kInvalidArgument, {"SquaredL2Gradient", "dLoss", "[1]"},
                  [&] { static_cast<void>(squared_l2_gradient(x, seen_as({1}))); });
  expect_rejected(kInvalidArgument, {"SquaredL2Gradient", "dLoss", "float64"},
                  [&] { static_cast<void>(squared_l2_gradient(x, seen_as({}, DType::kFloat64))); });
  Bytes memory(64);
  Tensor loss = Tensor::wrap(memory.data(), DType::kFloat32, {1});
  expect_rejected(kInvalidArgument, {"SquaredL2", "Loss", "[1]", "[]"}, memory,
                  [&] { squared_l2(x, loss); });
  loss = Tensor::wrap(memory.data(), DType::kFloat32, {});
  expect_rejected(kInvalidArgument, {"SquaredL2", "Loss", "overlaps"}, memory,
                  [&] { squared_l2(loss, loss); });
}

/// Each operator with one output in memory of the test's.
class ArithmeticOutputs : public ::testing::Test {
 protected:
  Bytes memory_ = Bytes(256);

  void expect_refused(const Tensor& a, const Tensor& b, Tensor y, Fragments fragments) {
    expect_rejected(kInvalidArgument, {"Add", "Y"}, memory_, [&] { add(a, b, y); });
    expect_rejected(kInvalidArgument, fragments, memory_, [&] { add(a, b, y); });
    expect_rejected(kInvalidArgument, fragments, memory_, [&] { mul(a, b, y); });
    if (a.shape() != b.shape()) return;
    const std::array parts = {a, b};
    expect_rejected(kInvalidArgument, {"Sum", "Y"}, memory_, [&] { sum(parts, y); });
    expect_rejected(kInvalidArgument, fragments, memory_, [&] { sum(parts, y); });
  }
  Tensor at(int64_t offset, const Shape& shape, const Shape& strides = {}) {
    return Tensor::wrap(memory_.data() + offset, DType::kFloat32, shape, strides);
  }
};

TEST_F(ArithmeticOutputs, ThatCannotTakeTheResultAreRefused) {
  const Shape shape = {2, 3};
  const Tensor x = seen_as(shape);
  expect_refused(x, x, Tensor::wrap(memory_.data(), DType::kInt32, shape), {"int32", "float32"});
  expect_refused(x, x, at(0, {3, 2}), {"[3, 2]", "[2, 3]"});
  expect_refused(x, x, at(0, shape, {0, 1}), {"overlaps itself"});
  expect_refused(x, x,
                 Tensor::wrap(static_cast<const void*>(memory_.data()), DType::kFloat32, shape),
                 {"read-only"});
  expect_refused(seen_as({3}), seen_as({3}), at(0, shape), {"[2, 3]", "[3]"});
  for (const std::string_view target : targets()) {
    if (device_of(target) == Device{}) continue;
    expect_refused(x, x, Tensor::empty(DType::kFloat32, shape, device_of(target)),
                   {"device", "cpu"});
  }
}

TEST_F(ArithmeticOutputs, ThatAreAnInputInPartAreRefused) {
  const Shape shape = {3, 3};
  const Tensor x = seen_as(shape);
  const Tensor y = at(64, shape);
  for (const int64_t shift : {4, -4, 12, 32, 2}) {
    expect_refused(at(64 + shift, shape), x, y, {"overlaps the input"});
    expect_refused(x, at(64 + shift, shape), y, {"overlaps the input"});
  }
  expect_refused(at(64, shape, {1, 3}), x, y, {"overlaps the input"});
  expect_refused(x, at(64, {3}), y, {"overlaps the input"});
  expect_refused(x, at(64, {3, 1}), y, {"overlaps the input"});
  const Tensor fixed =
      Tensor::wrap(static_cast<const void*>(memory_.data() + 64), DType::kFloat32, shape);
  expect_refused(fixed, x, fixed, {"read-only"});
  Tensor out = y;
  const std::array third = {x, x, y};
  expect_rejected(kInvalidArgument, {"Sum", "overlaps"}, memory_, [&] { sum(third, out); });
  EXPECT_NO_THROW(add(at(64 + 36, shape), at(64 - 36, shape), out));
}

}  // namespace
}  // namespace sylvite::test
