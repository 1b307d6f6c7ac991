// What a cast to or from strings refuses.
#include <gtest/gtest.h>

#include "support/cast_reference.h"
#include "support/rejects.h"
#include "support/targets.h"
#include "support/texts.h"

namespace sylvite::test {
namespace {

constexpr ErrorCode kInvalidArgument = ErrorCode::kInvalidArgument;

TEST(CastTextRejects, WhatIsNoNumberOfTheType) {
  const auto refused = [](const std::string& text, DType dtype) {
    SCOPED_TRACE(text + " as " + std::string(name(dtype)));
    const Tensor x = strings_of({"1", text, "-x"}, {1, 3, 1});
    const std::initializer_list<std::string_view> fragments = {"Cast: X[0, 1, 0] is \"",
                                                               name(dtype)};
    expect_rejected(kInvalidArgument, fragments, [&] { cast(x, dtype); });
    Bytes memory(64);
    Tensor y = Tensor::wrap(memory.data(), dtype, {1, 3, 1});
    expect_rejected(kInvalidArgument, fragments, memory, [&] { cast(x, dtype, y); });
  };
  for (const DType dtype : kNumericDTypes) {
    for (const char* text : {"", " 1", "1 ", "+1", "1x", "x", "--1", "1,0", "0x1", "true"})
      refused(text, dtype);
    refused(std::string("1\0", 2), dtype);
    if (dtype < DType::kFloat16) {
      for (const char* text : {"1.5", "1e0", "nan", "inf", "99999999999999999999999"})
        refused(text, dtype);
    }
  }
  for (const char* text : {"2", "00", "01", "-0"}) refused(text, DType::kBool);
  refused("128", DType::kInt8);
  refused("-129", DType::kInt8);
  refused("256", DType::kUInt8);
  refused("32768", DType::kInt16);
  refused("65536", DType::kUInt16);
  refused("2147483648", DType::kInt32);
  refused("4294967296", DType::kUInt32);
  refused("9223372036854775808", DType::kInt64);
  refused("-9223372036854775809", DType::kInt64);
  refused("18446744073709551616", DType::kUInt64);
  for (const DType dtype : {DType::kUInt8, DType::kUInt16, DType::kUInt32, DType::kUInt64})
    refused("-1", dtype);
}

TEST(CastTextRejects, ShowsTheTextAsItCanBePrinted) {
  expect_rejected(kInvalidArgument, {R"(X[0] is "a\x00\x1b[", want a number)"},
                  [] { cast(strings_of({std::string("a\0\x1b[", 4)}), DType::kInt8); });
  const std::string longer(100000, '7');
  expect_rejected(kInvalidArgument, {"\"" + std::string(60, '7') + "…\""},
                  [&] { cast(strings_of({longer}), DType::kInt64); });
}

TEST(CastTextRejects, GradientsAndDevices) {
  const Tensor text = strings_of({"1"});
  const Tensor number = Tensor::empty(DType::kInt8, {1});
  expect_rejected(kInvalidArgument, {"CastGradient", "dY is string", "int8"},
                  [&] { cast_gradient(text, DType::kInt8); });
  expect_rejected(kInvalidArgument, {"CastGradient", "dX is string"},
                  [&] { cast_gradient(number, DType::kString); });
  expect_rejected(kInvalidArgument, {"CastGradient", "string"},
                  [&] { cast_gradient(text, DType::kString); });
  for (const std::string_view target : targets()) {
    const Device device = device_of(target);
    if (device == Device{}) continue;
    const Tensor there = Tensor::empty(DType::kFloat32, {3}, device);
    expect_rejected(ErrorCode::kUnsupported, {"Cast", "string", name(device.kind)},
                    [&] { cast(there, DType::kString); });
    const TensorInfo info = {.dtype = DType::kString, .shape = {3}, .device = device};
    const Argument to = {"to", "int8"};
    expect_rejected(ErrorCode::kUnsupported, {"Cast", "string", name(device.kind)}, [&] {
      explain("Cast", {&info, 1}, {&to, 1});
    });
  }
}

TEST(CastTextRejects, OutputsThatDoNotTakeTheText) {
  const uint8_t numbers[] = {100, 7, 255};
  const Tensor x = Tensor::wrap(numbers, DType::kUInt8, {3});
  Bytes memory(64);
  const auto offsets = [&](int64_t text_bytes) {
    return Tensor::wrap_strings(reinterpret_cast<int64_t*>(memory.data()),
                                reinterpret_cast<char*>(memory.data() + 32), text_bytes, {3});
  };
  Tensor small = offsets(6);
  expect_rejected(kInvalidArgument, {"Cast", "Y has room for 6 bytes of text, want 7"}, memory,
                  [&] { cast(x, DType::kString, small); });
  Tensor enough = offsets(7);
  cast(x, DType::kString, enough);
  EXPECT_EQ(texts_of(enough), (Texts{"100", "7", "255"}));
  Tensor other = strings_of({"abcdef", "", "x", "y"}).view({3}, {1}, 1);
  expect_rejected(kInvalidArgument, {"Cast", "Y is a view of other strings"},
                  [&] { cast(x, DType::kString, other); });
  const Tensor within = Tensor::wrap(memory.data() + 36, DType::kUInt8, {3});
  expect_rejected(kInvalidArgument, {"Cast", "Y overlaps the input"}, memory,
                  [&] { cast(within, DType::kString, enough); });
  Tensor strings = strings_of({"1", "22", "3"});
  Tensor into_text = Tensor::wrap(strings.text_data(), DType::kUInt8, {3});
  expect_rejected(kInvalidArgument, {"Cast", "Y overlaps the input"},
                  [&] { cast(strings, DType::kUInt8, into_text); });
  EXPECT_EQ(texts_of(strings), (Texts{"1", "22", "3"}));
}

}  // namespace
}  // namespace sylvite::test
