// Tensors of strings: offsets and text, views, copies, and the errors of their makers.
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "support/rejects.h"
#include "support/texts.h"
#include "sylvite/sylvite.h"

namespace sylvite::test {
namespace {

constexpr ErrorCode kInvalidArgument = ErrorCode::kInvalidArgument;
constexpr std::array<std::string_view, 6> kTexts = {
    "two", "", std::string_view("a\0b", 3), "\xc3\xa4", "longer than the others", "x"};

TEST(StringTensors, HoldTheBytesOfTheirTexts) {
  const Tensor tensor = Tensor::strings(kTexts, {2, 3});
  EXPECT_EQ(tensor.dtype(), DType::kString);
  EXPECT_EQ(tensor.byte_count(), 6 * 8);
  EXPECT_EQ(tensor.text_capacity(), 31);
  for (size_t i = 0; i < kTexts.size(); ++i)
    EXPECT_EQ(tensor.text(static_cast<int64_t>(i)), kTexts[i]);
}

TEST(StringTensors, AreEmptyTextsAtFirst) {
  const Tensor tensor = Tensor::empty(DType::kString, {2});
  EXPECT_EQ(tensor.text(0), "");
  EXPECT_EQ(tensor.text(1), "");
  EXPECT_EQ(Tensor::empty_strings({0}, 10).text_capacity(), 10);
}

TEST(StringTensors, WrapOffsetsAndText) {
  int freed = 0;
  const std::array<int64_t, 3> offsets = {1, 1, 4};
  {
    const Tensor tensor = Tensor::wrap_strings(offsets.data(), "-abc-", 5, {2}, [&] { ++freed; });
    EXPECT_TRUE(tensor.read_only());
    EXPECT_EQ(tensor.text(0), "");
    EXPECT_EQ(tensor.text(1), "abc");
    EXPECT_EQ(tensor.byte_range().high, 3 * 8) << "the offset behind the last text is read";
  }
  EXPECT_EQ(freed, 1);
}

TEST(StringTensors, CopyTheTextsOfAView) {
  const Tensor tensor = Tensor::strings(kTexts, {2, 3});
  const Tensor columns = tensor.view({3, 2}, {1, 3});
  EXPECT_EQ(texts_of(columns.to(Device{})),
            (std::vector<std::string>{"two", "\xc3\xa4", "", "longer than the others",
                                      std::string("a\0b", 3), "x"}));
  const Tensor twice = tensor.view({2}, {0}, 5).to(Device{});
  EXPECT_EQ(texts_of(twice), (std::vector<std::string>{"x", "x"}));
  EXPECT_EQ(twice.text_capacity(), 2);
  expect_rejected(kInvalidArgument, {"leaves the storage"}, [&] { tensor.view({2}, {1}, 5); });
}

TEST(StringTensors, RefuseBadOffsets) {
  const std::array<int64_t, 3> falling = {0, 2, 1};
  expect_rejected(kInvalidArgument, {"offset 2 is 1", "2 to 4"},
                  [&] { Tensor::wrap_strings(falling.data(), "abcd", 4, {2}); });
  const std::array<int64_t, 3> beyond = {0, 2, 5};
  expect_rejected(kInvalidArgument, {"offset 2 is 5", "2 to 4"},
                  [&] { Tensor::wrap_strings(beyond.data(), "abcd", 4, {2}); });
  const std::array<int64_t, 2> negative = {-1, 0};
  expect_rejected(kInvalidArgument, {"offset 0 is -1"},
                  [&] { Tensor::wrap_strings(negative.data(), "", 0, {1}); });
  const int64_t* none = nullptr;
  expect_rejected(kInvalidArgument, {"offsets is null"},
                  [&] { Tensor::wrap_strings(none, "", 0, {1}); });
  expect_rejected(kInvalidArgument, {"5 texts", "want 6"}, [] {
    Tensor::strings(std::span(kTexts).first(5), {2, 3});
  });
  int64_t offset = 0;
  expect_rejected(kInvalidArgument, {"wrap_strings"},
                  [&] { Tensor::wrap(&offset, DType::kString, {1}); });
  expect_rejected(kInvalidArgument, {"int64"},
                  [] { Tensor::empty_strings({1}, std::numeric_limits<int64_t>::max()); });
}

TEST(StringTensors, StayOnTheCpuAndOutOfMoves) {
  const Device gpu = {.kind = DeviceKind::kOpenCl};
  expect_rejected(ErrorCode::kUnsupported, {"strings", "opencl"},
                  [&] { Tensor::empty(DType::kString, {1}, gpu); });
  const Tensor image = Tensor::empty(DType::kString, {1, 1, 2, 2});
  expect_rejected(ErrorCode::kUnsupported, {"SpaceToBatch", "X", "string"},
                  [&] { space_to_batch(image, {}); });
  expect_rejected(ErrorCode::kUnsupported, {"to", "opencl"},
                  [&] { static_cast<void>(image.to(gpu)); });
}

}  // namespace
}  // namespace sylvite::test
