// Outputs, devices, targets and names that a call must refuse.
#include <gtest/gtest.h>

#include <functional>

#include "support/guarded.h"
#include "support/rejects.h"
#include "support/targets.h"

namespace sylvite::test {
namespace {

constexpr ErrorCode kInvalidArgument = ErrorCode::kInvalidArgument;
constexpr SpaceToBatchArgs kBlock2 = {{2, 2}};
constexpr BatchToSpaceArgs kUnblock2 = {{2, 2}};

/// Every operator that writes y {4, 1, 2, 2} from x {1, 1, 4, 4} or the other way round.
struct Form {
  std::string_view op;
  std::string_view output;
  Shape x;
  Shape y;
  std::function<void(const Tensor&, Tensor&)> run;
};

std::vector<Form> forms() {
  const Shape image{1, 1, 4, 4};
  const Shape phases{4, 1, 2, 2};
  return {
      {"SpaceToBatch", "Y", image, phases,
       [](const Tensor& x, Tensor& y) { space_to_batch(x, kBlock2, y); }},
      {"BatchToSpace", "Y", phases, image,
       [](const Tensor& x, Tensor& y) { batch_to_space(x, kUnblock2, y); }},
      {"SpaceToBatchGradient", "dX", phases, image,
       [](const Tensor& x, Tensor& y) { space_to_batch_gradient(x, kBlock2, y); }},
      {"BatchToSpaceGradient", "dX", image, phases,
       [](const Tensor& x, Tensor& y) { batch_to_space_gradient(x, kUnblock2, y); }},
  };
}

class Outputs : public ::testing::Test {
 protected:
  Bytes input_ = Bytes(64);
  Bytes output_ = Bytes(64);

  Tensor input(const Form& form) { return Tensor::wrap(input_.data(), DType::kFloat32, form.x); }
  void expect_refused(const Form& form, Tensor y,
                      std::initializer_list<std::string_view> fragments) {
    SCOPED_TRACE(form.op);
    expect_rejected(kInvalidArgument, {form.op, form.output}, output_,
                    [&] { form.run(input(form), y); });
    expect_rejected(kInvalidArgument, fragments, output_, [&] { form.run(input(form), y); });
  }
};

TEST_F(Outputs, OfAnotherTypeAreRefused) {
  for (const Form& form : forms()) {
    expect_refused(form, Tensor::wrap(output_.data(), DType::kInt32, form.y), {"int32", "float32"});
  }
}

TEST_F(Outputs, OfAnotherShapeAreRefused) {
  for (const Form& form : forms()) {
    for (const Shape& shape :
         {Shape{1, 4, 2, 2}, Shape{16}, Shape{}, Shape{2, 2, 2, 2}, Shape{0, 1, 2, 2}}) {
      expect_refused(form, Tensor::wrap(output_.data(), DType::kFloat32, shape),
                     {to_string(shape), to_string(form.y)});
    }
  }
}

TEST_F(Outputs, ThatAreReadOnlyAreRefused) {
  for (const Form& form : forms()) {
    expect_refused(form,
                   Tensor::wrap(static_cast<const void*>(output_.data()), DType::kFloat32, form.y),
                   {"read-only"});
  }
}

TEST_F(Outputs, ThatOverlapThemselvesAreRefused) {
  for (const Form& form : forms()) {
    for (const Shape& strides : {Shape{0, 0, 0, 0}, Shape{0, 4, 2, 1}, Shape{1, 1, 1, 1}}) {
      if (form.y[0] == 1 && strides[0] == 0 && strides[3] == 1) continue;
      expect_refused(form, Tensor::wrap(output_.data(), DType::kFloat32, form.y, strides),
                     {"overlap"});
    }
  }
}

TEST_F(Outputs, ThatOverlapTheInputAreRefused) {
  for (const Form& form : forms()) {
    SCOPED_TRACE(form.op);
    for (const int64_t shift : {0, 4, 60, -4, -60, 2}) {
      SCOPED_TRACE(shift);
      Bytes memory(256);
      const Tensor x = Tensor::wrap(memory.data() + 64, DType::kFloat32, form.x);
      Tensor y = Tensor::wrap(memory.data() + 64 + shift, DType::kFloat32, form.y);
      expect_rejected(kInvalidArgument, {form.op, form.output, "overlap"}, memory,
                      [&] { form.run(x, y); });
    }
  }
}

TEST_F(Outputs, ThatTouchTheInputAreTaken) {
  for (const Form& form : forms()) {
    Bytes memory(192, 1);
    const Tensor x = Tensor::wrap(memory.data() + 64, DType::kFloat32, form.x);
    Tensor before = Tensor::wrap(memory.data(), DType::kFloat32, form.y);
    Tensor behind = Tensor::wrap(memory.data() + 128, DType::kFloat32, form.y);
    EXPECT_NO_THROW(form.run(x, before)) << form.op;
    EXPECT_NO_THROW(form.run(x, behind)) << form.op;
  }
}

TEST_F(Outputs, OnAnotherDeviceAreRefused) {
  bool found = false;
  for (const std::string_view target : targets()) {
    const Device device = device_of(target);
    if (device.kind == DeviceKind::kCpu) continue;
    found = true;
    note_exercised(target);
    for (const Form& form : forms()) {
      Tensor y = Tensor::empty(DType::kFloat32, form.y, device);
      expect_refused(form, y, {"device", name(device.kind), "cpu"});
      const Tensor x = Tensor::empty(DType::kFloat32, form.x, device);
      Tensor on_cpu = Tensor::wrap(output_.data(), DType::kFloat32, form.y);
      expect_rejected(kInvalidArgument, {form.op, form.output, "device", name(device.kind), "cpu"},
                      output_, [&] { form.run(x, on_cpu); });
    }
  }
  if (!found) GTEST_SKIP() << "one device here";
}

TEST(Contexts, NameTheTargetsThatAreThereWhereOneIsNot) {
  for (const std::string_view target : {"x87", "cuda_30", "X86_64"}) {
    expect_rejected(ErrorCode::kUnsupported, {target, targets().front(), targets().back()},
                    [&] { const Context context({.target = target}); });
  }
}

TEST(Contexts, RefuseNegativeThreadCounts) {
  expect_rejected(kInvalidArgument, {"threads", "-1"},
                  [] { const Context context({.threads = -1}); });
}

TEST(Contexts, HaveAtLeastOneThread) {
  EXPECT_GE(Context().threads(), 1);
  EXPECT_EQ(Context({.threads = 7}).threads(), 7);
}

TEST(Contexts, OfOneDeviceRefuseTensorsOfAnother) {
  bool found = false;
  for (const std::string_view target : targets()) {
    if (device_of(target).kind == DeviceKind::kCpu) continue;
    found = true;
    const Context context({.target = target});
    const Tensor x = Tensor::empty(DType::kFloat32, {1, 1, 4, 4});
    expect_rejected(ErrorCode::kUnsupported, {"SpaceToBatch", target, "cpu"},
                    [&] { space_to_batch(x, kBlock2, context); });
  }
  if (!found) GTEST_SKIP() << "one device here";
}

TEST(Devices, ThatAreNotThereAreUnsupported) {
  for (const Device device : {Device{DeviceKind::kCuda, 99}, Device{DeviceKind::kOpenCl, 99}}) {
    expect_rejected(ErrorCode::kUnsupported, {name(device.kind)},
                    [&] { Tensor::empty(DType::kFloat32, {2}, device); });
    expect_rejected(ErrorCode::kUnsupported, {name(device.kind)},
                    [&] { Tensor::empty(DType::kFloat32, {2}).to(device); });
  }
}

TEST(Explain, RefusesUnknownNames) {
  const TensorInfo x{.shape = {1, 1, 4, 4}};
  expect_rejected(kInvalidArgument, {"SpaceToBach", "SpaceToBatch"}, [&] {
    explain("SpaceToBach", {&x, 1});
  });
  const Argument typo{"blocksize", int64_t{2}};
  expect_rejected(kInvalidArgument, {"SpaceToBatch", "blocksize"}, [&] {
    explain("SpaceToBatch", {&x, 1}, {&typo, 1});
  });
}

TEST(Explain, RefusesArgumentsAsTheCallDoes) {
  const TensorInfo x{.shape = {1, 1, 4, 4}};
  const auto expect_refused = [&](const Argument& argument,
                                  std::initializer_list<std::string_view> fragments) {
    SCOPED_TRACE(argument.name);
    expect_rejected(kInvalidArgument, {"SpaceToBatch", argument.name}, [&] {
      explain("SpaceToBatch", {&x, 1}, {&argument, 1});
    });
    expect_rejected(kInvalidArgument, fragments, [&] {
      explain("SpaceToBatch", {&x, 1}, {&argument, 1});
    });
  };
  expect_refused({"block_shape", std::vector<int64_t>{0, 2}}, {"0"});
  expect_refused({"order", std::string("NWHC")}, {"NWHC", "NCHW", "NHWC"});
  expect_refused({"block_shape", std::string("2")}, {});
  expect_refused({"paddings", std::vector<int64_t>{1, 1, 1, 1}}, {"block_shape"});
  expect_refused({"pad_value", .1}, {"float32"});
  const std::array<TensorInfo, 2> two = {x, x};
  expect_rejected(kInvalidArgument, {"SpaceToBatch", "2", "1"},
                  [&] { explain("SpaceToBatch", two); });
  const std::array<Argument, 2> odd = {Argument{"block_shape", std::vector<int64_t>{2, 2}},
                                       Argument{"paddings", std::vector<int64_t>{1, 1, 1}}};
  expect_rejected(kInvalidArgument, {"SpaceToBatch", "paddings", "3"}, [&] {
    explain("SpaceToBatch", {&x, 1}, odd);
  });
  const std::array<Argument, 2> disagreeing = {Argument{"block_size", int64_t{2}},
                                               Argument{"block_shape", std::vector<int64_t>{2, 4}}};
  expect_rejected(kInvalidArgument, {"SpaceToBatch", "block_size", "block_shape"}, [&] {
    explain("SpaceToBatch", {&x, 1}, disagreeing);
  });
}

}  // namespace
}  // namespace sylvite::test
