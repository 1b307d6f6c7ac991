// What stack, concat, unstack and split must refuse, with outputs that stay as they were.
#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "support/rejects.h"
#include "support/targets.h"

namespace sylvite::test {
namespace {

constexpr ErrorCode kInvalidArgument = ErrorCode::kInvalidArgument;
constexpr int64_t kInt64Max = std::numeric_limits<int64_t>::max();

using Fragments = std::initializer_list<std::string_view>;
using Tensors = std::vector<Tensor>;

/// A tensor of any shape over one element.
Tensor seen_as(const Shape& shape, DType dtype = DType::kFloat32) {
  static uint64_t element = 0;
  Shape strides = shape;
  for (int axis = 0; axis < shape.rank(); ++axis) strides[axis] = 0;
  return Tensor::wrap(&element, dtype, shape, strides);
}

/// Refused by both forms; the output has the memory of an ordinary result.
void expect_stack_refuses(Fragments fragments, const Tensors& x, int axis) {
  Bytes memory(64);
  Tensor y = Tensor::wrap(memory.data(), DType::kFloat32, {2, 2, 3});
  std::vector<TensorInfo> infos;
  for (const Tensor& part : x) infos.push_back(part.info());
  expect_rejected(kInvalidArgument, {"Stack"}, memory, [&] { stack(x, axis, y); });
  expect_rejected(kInvalidArgument, fragments, memory, [&] { stack(x, axis, y); });
  expect_rejected(kInvalidArgument, fragments, [&] { stack(x, axis); });
  expect_rejected(kInvalidArgument, fragments, [&] { stack_shape(infos, axis); });
}

void expect_concat_refuses(Fragments fragments, const Tensors& x, int axis) {
  Bytes memory(64);
  Tensor y = Tensor::wrap(memory.data(), DType::kFloat32, {4, 3});
  std::vector<TensorInfo> infos;
  for (const Tensor& part : x) infos.push_back(part.info());
  expect_rejected(kInvalidArgument, {"Concat"}, memory, [&] { concat(x, axis, y); });
  expect_rejected(kInvalidArgument, fragments, memory, [&] { concat(x, axis, y); });
  expect_rejected(kInvalidArgument, fragments, [&] { concat(x, axis); });
  expect_rejected(kInvalidArgument, fragments, [&] { concat_shape(infos, axis); });
}

/// y [4, 3] into outputs [2, 3] and [2, 3].
void expect_split_refuses(Fragments fragments, const Tensor& y, const std::vector<int64_t>& sizes,
                          int axis) {
  Bytes memory(48);
  Tensors x = {Tensor::wrap(memory.data(), DType::kFloat32, {2, 3}),
               Tensor::wrap(memory.data() + 24, DType::kFloat32, {2, 3})};
  expect_rejected(kInvalidArgument, {"Split"}, memory, [&] { split(y, sizes, axis, x); });
  expect_rejected(kInvalidArgument, fragments, memory, [&] { split(y, sizes, axis, x); });
  expect_rejected(kInvalidArgument, fragments, [&] { split(y, sizes, axis); });
}

TEST(StackRejects, NoInputs) { expect_stack_refuses({"no inputs"}, {}, 0); }

TEST(StackRejects, AxesOutsideOfTheOutput) {
  const Tensors x = {seen_as({2, 3}), seen_as({2, 3})};
  expect_stack_refuses({"axis", "3", "-3", "2"}, x, 3);
  expect_stack_refuses({"axis", "-4"}, x, -4);
  expect_stack_refuses({"axis", "2147483647"}, x, std::numeric_limits<int>::max());
  expect_stack_refuses({"axis", "-2147483648"}, x, std::numeric_limits<int>::min());
  expect_stack_refuses({"axis", "1"}, {seen_as({}), seen_as({})}, 1);
}

TEST(StackRejects, InputsUnlikeTheFirst) {
  for (const size_t odd : {1, 2, 3}) {
    Tensors x(4, seen_as({2, 3}));
    const std::string name = "X[" + std::to_string(odd) + "]";
    for (const Shape& shape : {Shape{3, 2}, Shape{2, 3, 1}, Shape{6}, Shape{}, Shape{2, 0}}) {
      x[odd] = seen_as(shape);
      expect_stack_refuses({name, to_string(shape), "[2, 3]"}, x, 0);
    }
    x[odd] = seen_as({2, 3}, DType::kInt32);
    expect_stack_refuses({name, "int32", "float32"}, x, 0);
  }
}

TEST(StackRejects, RankAndSizesBeyondAllLimits) {
  Shape most;
  for (int axis = 0; axis < kMaxRank; ++axis) most.push_back(1);
  expect_stack_refuses({"rank 32", "31"}, {seen_as(most)}, 0);
  const Tensor huge = seen_as({int64_t{1} << 60}, DType::kUInt8);
  expect_stack_refuses({"int64"}, Tensors(16, huge), 0);
}

TEST(ConcatRejects, NoInputs) { expect_concat_refuses({"no inputs"}, {}, 0); }

TEST(ConcatRejects, AxesTheInputsLack) {
  const Tensors x = {seen_as({2, 3}), seen_as({2, 3})};
  expect_concat_refuses({"axis", "2", "-2", "1"}, x, 2);
  expect_concat_refuses({"axis", "-3"}, x, -3);
  expect_concat_refuses({"rank 0"}, {seen_as({}), seen_as({})}, 0);
}

TEST(ConcatRejects, InputsUnlikeTheFirst) {
  for (const size_t odd : {1, 2, 3}) {
    Tensors x(4, seen_as({1, 3}));
    const std::string name = "X[" + std::to_string(odd) + "]";
    for (const Shape& shape : {Shape{1, 2}, Shape{1, 3, 1}, Shape{3}, Shape{}, Shape{1, 0}}) {
      x[odd] = seen_as(shape);
      expect_concat_refuses({name, to_string(shape), "[1, 3]"}, x, 0);
    }
    x[odd] = seen_as({1, 3}, DType::kUInt32);
    expect_concat_refuses({name, "uint32", "float32"}, x, 0);
  }
}

TEST(ConcatRejects, SizesBeyondInt64) {
  const Tensor huge = seen_as({kInt64Max}, DType::kUInt8);
  expect_concat_refuses({"axis 0", "int64"}, {huge, seen_as({1}, DType::kUInt8)}, 0);
  const Tensor half = seen_as({int64_t{1} << 61}, DType::kUInt8);
  expect_concat_refuses({"int64"}, {half, half, half, half}, 0);
}

TEST(UnstackRejects, AxesAndCounts) {
  Bytes memory(48);
  Tensors x = {Tensor::wrap(memory.data(), DType::kFloat32, {3}),
               Tensor::wrap(memory.data() + 12, DType::kFloat32, {3})};
  const Tensor y = seen_as({2, 3});
  expect_rejected(kInvalidArgument, {"Unstack", "axis", "2"}, memory, [&] { unstack(y, 2, x); });
  expect_rejected(kInvalidArgument, {"Unstack", "axis", "-3"}, memory, [&] { unstack(y, -3, x); });
  expect_rejected(kInvalidArgument, {"Unstack", "rank 0"}, [&] { unstack(seen_as({})); });
  expect_rejected(kInvalidArgument, {"Unstack", "2 outputs", "3"}, memory,
                  [&] { unstack(y, 1, x); });
  expect_rejected(kInvalidArgument, {"Unstack", "2 outputs", "1"}, memory, [&] {
    unstack(seen_as({1, 3}), 0, x);
  });
}

TEST(UnstackRejects, MoreOutputsThanThereIsMemoryFor) {
  expect_rejected(ErrorCode::kOutOfMemory, {"Unstack", "4611686018427387904"},
                  [] { unstack(seen_as({int64_t{1} << 62}, DType::kUInt8)); });
}

TEST(SplitRejects, SizesThatAreNoneOfTheExtent) {
  const Tensor y = seen_as({4, 3});
  expect_split_refuses({"no sizes"}, y, {}, 0);
  expect_split_refuses({"sizes", "3", "4"}, y, {2, 1}, 0);
  expect_split_refuses({"sizes", "5", "4"}, y, {2, 3}, 0);
  expect_split_refuses({"sizes", "4", "3", "axis 1"}, y, {2, 2}, 1);
  expect_split_refuses({"sizes[0]", "-1"}, y, {-1, 5}, 0);
  expect_split_refuses({"sizes[1]", "-2"}, y, {6, -2}, 0);
  expect_split_refuses({"sizes", "int64"}, y, {kInt64Max, kInt64Max}, 0);
}

TEST(SplitRejects, OutputsOfAnotherNumber) {
  Bytes memory(48);
  Tensors x = {Tensor::wrap(memory.data(), DType::kFloat32, {2, 3}),
               Tensor::wrap(memory.data() + 24, DType::kFloat32, {2, 3})};
  for (const std::vector<int64_t>& sizes : {std::vector<int64_t>{4}, {2, 2, 0}}) {
    expect_rejected(kInvalidArgument, {"Split", "2 outputs", std::to_string(sizes.size())}, memory,
                    [&] {
                      split(seen_as({4, 3}), sizes, 0, x);
                    });
  }
}

TEST(SplitRejects, AxesThatTheInputLacks) {
  expect_split_refuses({"axis", "2", "-2"}, seen_as({4, 3}), {2, 2}, 2);
  expect_split_refuses({"axis", "-3"}, seen_as({4, 3}), {2, 2}, -3);
  expect_split_refuses({"rank 0"}, seen_as({}), {1}, 0);
}

/// Two inputs [2, 3] and the output [2, 2, 3] or [4, 3], or the other way round.
struct Form {
  std::string_view op;
  bool joins;
  Shape part, whole;
  std::function<void(Tensors& parts, Tensor& whole)> run;
};

std::vector<Form> forms() {
  static constexpr int64_t kSizes[] = {2, 2};
  return {
      {"Stack", true, {2, 3}, {2, 2, 3}, [](Tensors& x, Tensor& y) { stack(x, 0, y); }},
      {"Concat", true, {2, 3}, {4, 3}, [](Tensors& x, Tensor& y) { concat(x, 0, y); }},
      {"Unstack", false, {2, 3}, {2, 2, 3}, [](Tensors& x, Tensor& y) { unstack(y, 0, x); }},
      {"Split", false, {2, 3}, {4, 3}, [](Tensors& x, Tensor& y) { split(y, kSizes, 0, x); }},
  };
}

/// 48 bytes of a whole, or of two parts.
class JoinOutputs : public ::testing::Test {
 protected:
  Bytes input_ = Bytes(48);
  Bytes output_ = Bytes(48);

  Tensors parts(Bytes& memory, const Shape& shape) {
    return {Tensor::wrap(memory.data(), DType::kFloat32, shape),
            Tensor::wrap(memory.data() + 24, DType::kFloat32, shape)};
  }
  /// `odd` in place of one output.
  void expect_refused(const Form& form, const Tensor& odd, Fragments fragments) {
    SCOPED_TRACE(form.op);
    for (const size_t place : {0, 1}) {
      Tensors x = parts(form.joins ? input_ : output_, form.part);
      Tensor y = Tensor::wrap((form.joins ? output_ : input_).data(), DType::kFloat32, form.whole);
      (form.joins ? y : x[place]) = odd;
      const std::string name = form.joins ? "Y" : "X[" + std::to_string(place) + "]";
      expect_rejected(kInvalidArgument, {form.op, name}, output_, [&] { form.run(x, y); });
      expect_rejected(kInvalidArgument, fragments, output_, [&] { form.run(x, y); });
    }
  }
};

TEST_F(JoinOutputs, OfAnotherTypeOrShapeAreRefused) {
  for (const Form& form : forms()) {
    const Shape& shape = form.joins ? form.whole : form.part;
    expect_refused(form, Tensor::wrap(output_.data(), DType::kInt32, shape), {"int32", "float32"});
    for (const Shape& other : {Shape{3, 2}, Shape{6}, Shape{}, Shape{0, 3}}) {
      expect_refused(form, Tensor::wrap(output_.data(), DType::kFloat32, other),
                     {to_string(other), to_string(shape)});
    }
  }
}

TEST_F(JoinOutputs, ThatAreReadOnlyOrOverlapThemselvesAreRefused) {
  for (const Form& form : forms()) {
    const Shape& shape = form.joins ? form.whole : form.part;
    const void* read_only = output_.data();
    expect_refused(form, Tensor::wrap(read_only, DType::kFloat32, shape), {"read-only"});
    Shape zeros = shape;
    for (int axis = 0; axis < shape.rank(); ++axis) zeros[axis] = 0;
    expect_refused(form, Tensor::wrap(output_.data(), DType::kFloat32, shape, zeros), {"overlap"});
  }
}

TEST_F(JoinOutputs, ThatOverlapAnInputAreRefused) {
  for (const Form& form : forms()) {
    const Shape& shape = form.joins ? form.whole : form.part;
    for (const int64_t shift : {0, 20, -20}) {
      Bytes memory(256);
      Tensors x = parts(output_, form.part);
      Tensor y = Tensor::wrap(memory.data() + 100, DType::kFloat32, form.whole);
      const Tensor beside = Tensor::wrap(memory.data() + 100 + shift, DType::kFloat32, shape);
      if (form.joins) {
        x[1] = Tensor::wrap(memory.data() + 100 + shift, DType::kFloat32, form.part);
      } else {
        x[1] = beside;
      }
      SCOPED_TRACE(form.op);
      expect_rejected(kInvalidArgument, {form.op, "overlap"}, memory, [&] { form.run(x, y); });
    }
  }
}

TEST_F(JoinOutputs, ThatOverlapEachOtherAreRefused) {
  for (const Form& form : forms()) {
    if (form.joins) continue;
    SCOPED_TRACE(form.op);
    for (const int64_t shift : {0, 4, 20, -4, -20}) {
      Bytes memory(256);
      Tensor y = Tensor::wrap(input_.data(), DType::kFloat32, form.whole);
      Tensors x = {Tensor::wrap(memory.data() + 100, DType::kFloat32, form.part),
                   Tensor::wrap(memory.data() + 100 + shift, DType::kFloat32, form.part)};
      expect_rejected(kInvalidArgument, {form.op, "X[1]", "overlaps", "X[0]"}, memory,
                      [&] { form.run(x, y); });
    }
  }
  // Many of them, in no order.
  Bytes memory(1000);
  Tensors x;
  for (int64_t i = 0; i < 100; ++i)
    x.push_back(Tensor::wrap(memory.data() + 37 * i % 100 * 8, DType::kFloat64, {}));
  const Tensor y = seen_as({100}, DType::kFloat64);
  unstack(y, 0, x);
  x[71] = Tensor::wrap(memory.data() + int64_t{37} * 12 % 100 * 8 + 4, DType::kFloat64, {});
  expect_rejected(kInvalidArgument, {"Unstack", "X[71]", "overlaps"}, memory,
                  [&] { unstack(y, 0, x); });
}

TEST_F(JoinOutputs, ThatTouchInputsAndEachOtherAreTaken) {
  for (const Form& form : forms()) {
    Bytes memory(96);
    Tensors x = {Tensor::wrap(memory.data() + 24, DType::kFloat32, form.part),
                 Tensor::wrap(memory.data(), DType::kFloat32, form.part)};
    Tensor y = Tensor::wrap(memory.data() + 48, DType::kFloat32, form.whole);
    EXPECT_NO_THROW(form.run(x, y)) << form.op;
  }
}

TEST_F(JoinOutputs, AndInputsOnSeveralDevicesAreRefused) {
  bool found = false;
  for (const std::string_view target : targets()) {
    const Device device = device_of(target);
    if (device.kind == DeviceKind::kCpu) continue;
    found = true;
    note_exercised(target);
    for (const Form& form : forms()) {
      const Shape& shape = form.joins ? form.whole : form.part;
      expect_refused(form, Tensor::empty(DType::kFloat32, shape, device),
                     {"device", name(device.kind), "cpu"});
      if (!form.joins) continue;
      Tensors x = parts(input_, form.part);
      x[1] = Tensor::empty(DType::kFloat32, form.part, device);
      Tensor y = Tensor::wrap(output_.data(), DType::kFloat32, form.whole);
      expect_rejected(kInvalidArgument, {form.op, "X[1]", "device", name(device.kind), "cpu"},
                      output_, [&] { form.run(x, y); });
    }
  }
  if (!found) GTEST_SKIP() << "one device here";
}

TEST(JoinStringRejects, OutputsWithoutRoomOrOfTheirOwn) {
  const std::vector<std::string_view> texts = {"abc", "de"};
  const Tensors x = {Tensor::strings(texts, {2}), Tensor::strings(texts, {2})};
  Tensor small = Tensor::empty_strings({2, 2}, 9);
  expect_rejected(kInvalidArgument, {"Stack", "Y", "9", "10"}, [&] { stack(x, 0, small); });
  EXPECT_EQ(small.text(3), "");
  const Tensor whole = Tensor::empty_strings({4, 2}, 100);
  Tensor part = whole.view({2, 2}, {2, 1}, 2);
  expect_rejected(kInvalidArgument, {"Stack", "Y", "view"}, [&] { stack(x, 0, part); });
  Tensor numbers = Tensor::empty(DType::kInt64, {2, 2});
  expect_rejected(kInvalidArgument, {"Stack", "Y", "int64", "string"},
                  [&] { stack(x, 0, numbers); });
  const Tensor y = stack(x, 0);
  Tensors back = {Tensor::empty_strings({2}, 5), Tensor::empty_strings({2}, 4)};
  expect_rejected(kInvalidArgument, {"Unstack", "X[1]", "4", "5"}, [&] { unstack(y, 0, back); });
  EXPECT_EQ(back[0].text(0), "");
}

TEST(JoinStringRejects, TextsThatOverlap) {
  const int64_t from[] = {0, 3};
  int64_t to[] = {0, 0};
  int64_t to_too[] = {0, 0};
  char text[] = "abcdefghijkl";
  const Tensors x = {Tensor::wrap_strings(static_cast<const int64_t*>(from), text, 3, {1})};
  Tensor y = Tensor::wrap_strings(to, text + 2, 8, {1, 1});
  expect_rejected(kInvalidArgument, {"Stack", "Y", "overlaps"}, [&] { stack(x, 0, y); });
  EXPECT_EQ(std::string_view(text), "abcdefghijkl");
  const std::vector<std::string_view> texts = {"1", "2"};
  Tensors back = {Tensor::wrap_strings(to, text, 3, {}),
                  Tensor::wrap_strings(to_too, text + 2, 3, {})};
  expect_rejected(kInvalidArgument, {"Unstack", "X[1]", "overlaps", "X[0]"},
                  [&] { unstack(Tensor::strings(texts, {2}), 0, back); });
  EXPECT_EQ(std::string_view(text), "abcdefghijkl");
}

}  // namespace
}  // namespace sylvite::test
