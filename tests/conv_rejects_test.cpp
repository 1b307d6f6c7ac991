// Every bad argument of MatMul, Conv and its gradients: its error, its message, and an output that stays
// as it was.
#include <gtest/gtest.h>

#include <array>

#include "support/rejects.h"
#include "support/targets.h"
#include "sylvite/conv.h"

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

void expect_matmul_rejects(ErrorCode code, Fragments fragments, const Tensor& a, const Tensor& b,
                           const MatMulArgs& args = {}) {
  Bytes memory(256);
  Tensor y = Tensor::wrap(memory.data(), DType::kFloat32, {2, 4});
  expect_rejected(code, {"MatMul"}, memory, [&] { matmul(a, b, args, y); });
  expect_rejected(code, fragments, memory, [&] { matmul(a, b, args, y); });
  expect_rejected(code, fragments, [&] { static_cast<void>(matmul(a, b, args)); });
}

TEST(MatMulRejects, WhatIsNoPairOfMatrices) {
  expect_matmul_rejects(kInvalidArgument, {"A", "rank 1", "2"}, seen_as({3}), seen_as({3, 4}));
  expect_matmul_rejects(kInvalidArgument, {"B", "rank 3"}, seen_as({2, 3}), seen_as({1, 3, 4}));
  expect_matmul_rejects(kInvalidArgument, {"[2, 3]", "[4, 3]", "3 columns", "4 rows"},
                        seen_as({2, 3}), seen_as({4, 3}));
  expect_matmul_rejects(kInvalidArgument, {"transposed"}, seen_as({2, 3}), seen_as({3, 4}),
                        {.transpose_a = true});
  expect_matmul_rejects(kInvalidArgument, {"transposed"}, seen_as({2, 3}), seen_as({3, 4}),
                        {.transpose_b = true});
  expect_matmul_rejects(kInvalidArgument, {"B", "float64", "float32"}, seen_as({2, 3}),
                        seen_as({3, 4}, DType::kFloat64));
  expect_matmul_rejects(kInvalidArgument, {"A", "bool"}, seen_as({2, 3}, DType::kBool),
                        seen_as({3, 4}, DType::kBool));
  expect_matmul_rejects(kUnsupported, {"A", "int32", "float64"}, seen_as({2, 3}, DType::kInt32),
                        seen_as({3, 4}, DType::kInt32));
  expect_matmul_rejects(kUnsupported, {"B", "float16"}, seen_as({2, 3}),
                        seen_as({3, 4}, DType::kFloat16));
  const int64_t side = int64_t{1} << 31;
  expect_matmul_rejects(kInvalidArgument, {"Y of shape", "int64"}, seen_as({side, 1}),
                        seen_as({1, side}));
  expect_matmul_rejects(ErrorCode::kInvalidArgument, {"Y of shape", "int64"}, seen_as({side, 0}),
                        seen_as({0, side}));
  expect_rejected(kInvalidArgument, {"MatMul", "A", "-2"}, [] {
    matmul_shape({.shape = {-2, 3}}, {.shape = {3, 4}});
  });
}

void expect_conv_rejects(ErrorCode code, Fragments fragments, const Tensor& x, const Tensor& w,
                         const ConvArgs& args = {}) {
  Bytes memory(1024);
  Tensor y = Tensor::wrap(memory.data(), DType::kFloat32, {2, 4, 5, 5});
  expect_rejected(code, {"Conv"}, memory, [&] { conv(x, w, args, y); });
  expect_rejected(code, fragments, memory, [&] { conv(x, w, args, y); });
  expect_rejected(code, fragments, [&] { static_cast<void>(conv(x, w, args)); });
}

TEST(ConvRejects, WhatIsNoImageOrFilter) {
  const Tensor x = seen_as({2, 3, 7, 7});
  const Tensor w = seen_as({4, 3, 3, 3});
  expect_conv_rejects(kInvalidArgument, {"X", "rank 3"}, seen_as({3, 7, 7}), w);
  expect_conv_rejects(kInvalidArgument, {"W", "rank 2"}, x, seen_as({3, 3}));
  expect_conv_rejects(kInvalidArgument, {"W", "2 channels", "3", "X"}, x, seen_as({4, 2, 3, 3}));
  expect_conv_rejects(kInvalidArgument, {"W", "height 0", "1 to 7"}, x, seen_as({4, 3, 0, 3}));
  expect_conv_rejects(kInvalidArgument, {"W", "width 8", "1 to 7"}, x, seen_as({4, 3, 3, 8}));
  expect_conv_rejects(kInvalidArgument, {"strides[1]", "0"}, x, w, {.strides = {1, 0}});
  expect_conv_rejects(kInvalidArgument, {"strides", "1 entries", "2"}, x, w, {.strides = {1}});
  expect_conv_rejects(kInvalidArgument, {"paddings", "3 entries"}, x, w,
                      {.paddings = {{}, {}, {}}});
  expect_conv_rejects(kInvalidArgument, {"paddings[0]", "-1"}, x, w, {.paddings = {{0, -1}, {}}});
  expect_conv_rejects(kUnsupported, {"height", "2147483647"}, x, w,
                      {.paddings = {{0, int64_t{1} << 31}, {}}});
  expect_conv_rejects(kUnsupported, {"width", "9223372036854775807"}, x, w,
                      {.paddings = {{}, {INT64_MAX, INT64_MAX}}});
  expect_conv_rejects(kUnsupported, {"stride 4294967296"}, x, w,
                      {.strides = {1, int64_t{1} << 32}});
  expect_conv_rejects(kInvalidArgument, {"W", "float64"}, x,
                      seen_as({4, 3, 3, 3}, DType::kFloat64));
  expect_conv_rejects(kUnsupported, {"X", "bfloat16"}, seen_as({2, 3, 7, 7}, DType::kBFloat16), w);
  expect_conv_rejects(kInvalidArgument, {"Y of shape", "int64"},
                      seen_as({int64_t{1} << 40, 3, 7, 7}), seen_as({int64_t{1} << 40, 3, 3, 3}));
  // Only the strides are looked at.
  float element = 0;
  const Tensor spread =
      Tensor::wrap(&element, DType::kFloat32, {1, 3, 7, 7}, {0, 0, int64_t{1} << 28, 1});
  expect_conv_rejects(kUnsupported, {"X", "strides 268435456"}, spread, w);
}

TEST(ConvRejects, BiasesThatDoNotFit) {
  const Tensor x = seen_as({2, 3, 7, 7});
  const Tensor w = seen_as({4, 3, 3, 3});
  const auto rejects = [&](Fragments fragments, const Tensor& bias) {
    Bytes memory(1024);
    Tensor y = Tensor::wrap(memory.data(), DType::kFloat32, {2, 4, 5, 5});
    expect_rejected(kInvalidArgument, {"Conv", "Bias"}, memory, [&] { conv(x, w, bias, {}, y); });
    expect_rejected(kInvalidArgument, fragments, [&] { static_cast<void>(conv(x, w, bias, {})); });
  };
  rejects({"extent 3", "4"}, seen_as({3}));
  rejects({"rank 2"}, seen_as({1, 4}));
  rejects({"float64", "float32"}, seen_as({4}, DType::kFloat64));
}

TEST(ConvRejects, GradientsOfOtherShapes) {
  const Tensor x = seen_as({2, 3, 7, 7});
  const Tensor w = seen_as({4, 3, 3, 3});
  const Tensor dy = seen_as({2, 4, 5, 5});
  const auto input = [&](Fragments fragments, const Tensor& of, const Shape& shape) {
    expect_rejected(kInvalidArgument, fragments,
                    [&] { static_cast<void>(conv_gradient_input(of, w, shape)); });
  };
  input({"ConvGradientInput", "dY", "[2, 4, 5, 4]", "[2, 4, 5, 5]"}, seen_as({2, 4, 5, 4}),
        x.shape());
  input({"ConvGradientInput", "X", "rank 3"}, dy, {3, 7, 7});
  input({"ConvGradientInput", "-7"}, dy, {2, 3, -7, 7});
  input({"ConvGradientInput", "dY", "float64", "float32"}, seen_as({2, 4, 5, 5}, DType::kFloat64),
        x.shape());
  const auto filter = [&](Fragments fragments, const Tensor& of, const Shape& shape) {
    expect_rejected(kInvalidArgument, fragments,
                    [&] { static_cast<void>(conv_gradient_filter(x, of, shape)); });
  };
  filter({"ConvGradientFilter", "dY", "[2, 4, 5, 5]", "[2, 4, 6, 5]"}, dy, {4, 3, 2, 3});
  filter({"ConvGradientFilter", "W", "5 channels", "3"}, dy, {4, 5, 3, 3});
  filter({"ConvGradientFilter", "X", "float32"}, seen_as({2, 4, 5, 5}, DType::kFloat64), w.shape());
  filter({"ConvGradientFilter", "-4"}, dy, {-4, 3, 3, 3});
  expect_rejected(kInvalidArgument, {"ConvGradientBias", "dY", "rank 3"}, [] {
    static_cast<void>(conv_gradient_bias(seen_as({4, 5, 5})));
  });
  expect_rejected(kUnsupported, {"ConvGradientBias", "dY", "int8"}, [] {
    static_cast<void>(conv_gradient_bias(seen_as({2, 4, 5, 5}, DType::kInt8)));
  });
}

TEST(ConvRejects, TensorsOnAGpu) {
  bool found = false;
  for (const std::string_view target : targets()) {
    const Device device = device_of(target);
    if (device == Device{}) continue;
    found = true;
    note_exercised(target);
    const Tensor there = Tensor::empty(DType::kFloat32, {3, 3}, device);
    expect_matmul_rejects(kUnsupported, {"A", name(device.kind), "cpu"}, there, there);
    expect_matmul_rejects(kInvalidArgument, {"B", name(device.kind), "cpu"}, seen_as({3, 3}),
                          there);
    const Tensor image = Tensor::empty(DType::kFloat32, {1, 1, 3, 3}, device);
    expect_conv_rejects(kUnsupported, {"X", name(device.kind)}, image, image);
    expect_rejected(kUnsupported, {"ConvGradientInput", "dY"}, [&] {
      static_cast<void>(conv_gradient_input(image, image, {1, 1, 5, 5}));
    });
    expect_rejected(kUnsupported, {"ConvGradientFilter", "dY"}, [&] {
      static_cast<void>(conv_gradient_filter(image, image, {1, 1, 1, 1}));
    });
    expect_rejected(kUnsupported, {"ConvGradientBias", "dY"},
                    [&] { static_cast<void>(conv_gradient_bias(image)); });
  }
  if (!found) GTEST_SKIP() << "no GPU target here";
}

/// Each operator with an output in memory of the test's.
TEST(ConvOutputs, ThatCannotTakeTheResultAreRefused) {
  Bytes memory(1024);
  const Tensor x = seen_as({1, 1, 3, 3});
  const auto refused = [&](Fragments fragments, const Shape& right, const auto& run) {
    for (const Shape& shape : {Shape{}, Shape{0}, Shape{2, 3, 4, 5}}) {
      Tensor y = Tensor::wrap(memory.data(), DType::kFloat32, shape);
      expect_rejected(kInvalidArgument, fragments, memory, [&] { run(y); });
    }
    Tensor wide = Tensor::wrap(memory.data(), DType::kFloat64, right);
    expect_rejected(kInvalidArgument, fragments, memory, [&] { run(wide); });
    Tensor fixed = Tensor::wrap(static_cast<const void*>(memory.data()), DType::kFloat32, right);
    expect_rejected(kInvalidArgument, {"read-only"}, memory, [&] { run(fixed); });
    Shape zeros = right;
    for (int axis = 0; axis < right.rank(); ++axis) zeros[axis] = 0;
    Tensor folded = Tensor::wrap(memory.data(), DType::kFloat32, right, zeros);
    expect_rejected(kInvalidArgument, {"overlaps itself"}, memory, [&] { run(folded); });
  };
  const Tensor w = seen_as({2, 1, 2, 2});
  const Tensor dy = seen_as({1, 2, 2, 2});
  refused({"MatMul", "Y"}, {3, 2}, [](Tensor& y) {
    matmul(seen_as({3, 4}), seen_as({4, 2}), {}, y);
  });
  refused({"Conv", "Y"}, {1, 2, 2, 2}, [&](Tensor& y) { conv(x, w, {}, y); });
  refused({"ConvGradientInput", "dX"}, {1, 1, 3, 3},
          [&](Tensor& y) { conv_gradient_input(dy, w, x.shape(), {}, y); });
  refused({"ConvGradientFilter", "dW"}, {2, 1, 2, 2},
          [&](Tensor& y) { conv_gradient_filter(x, dy, w.shape(), {}, y); });
  refused({"ConvGradientBias", "dBias"}, {2}, [&](Tensor& y) { conv_gradient_bias(dy, y); });
}

TEST(ConvOutputs, ThatOverlapAnInputAreRefused) {
  Bytes memory(1024);
  const auto at = [&](int64_t offset, const Shape& shape) {
    return Tensor::wrap(memory.data() + offset, DType::kFloat32, shape);
  };
  const auto refused = [&](std::string_view op, const auto& run) {
    expect_rejected(kInvalidArgument, {op, "overlaps the input"}, memory, run);
  };
  Tensor y = at(256, {2, 2});
  refused("MatMul", [&] { matmul(y, seen_as({2, 2}), {}, y); });
  refused("MatMul", [&] { matmul(seen_as({2, 2}), at(268, {2, 2}), {}, y); });
  EXPECT_NO_THROW(matmul(at(240, {2, 2}), at(272, {2, 2}), {}, y));
  Tensor out = at(256, {1, 1, 2, 2});
  const Tensor image = seen_as({1, 1, 2, 2});
  const Tensor one = seen_as({1, 1, 1, 1});
  refused("Conv", [&] { conv(out, one, {}, out); });
  refused("Conv", [&] { conv(image, at(260, {1, 1, 1, 1}), {}, out); });
  refused("Conv", [&] { conv(image, one, at(260, {1}), {}, out); });
  refused("ConvGradientInput", [&] { conv_gradient_input(out, one, {1, 1, 2, 2}, {}, out); });
  refused("ConvGradientInput", [&] {
    conv_gradient_input(image, at(260, {1, 1, 1, 1}), {1, 1, 2, 2}, {}, out);
  });
  Tensor dw = at(256, {1, 1, 1, 1});
  refused("ConvGradientFilter", [&] {
    conv_gradient_filter(at(248, {1, 1, 2, 2}), image, {1, 1, 1, 1}, {}, dw);
  });
  refused("ConvGradientFilter", [&] {
    conv_gradient_filter(image, at(248, {1, 1, 2, 2}), {1, 1, 1, 1}, {}, dw);
  });
  Tensor db = at(256, {1});
  refused("ConvGradientBias", [&] { conv_gradient_bias(at(248, {1, 1, 2, 2}), db); });
}

}  // namespace
}  // namespace sylvite::test
