// Cast between numbers and strings.
#include <gtest/gtest.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

#include "support/cast_reference.h"
#include "support/placed_tensor.h"
#include "support/rejects.h"
#include "support/targets.h"
#include "support/texts.h"
#include "support/thread_pools.h"

namespace sylvite::test {
namespace {

constexpr ErrorCode kInvalidArgument = ErrorCode::kInvalidArgument;

/// Elements from bits, as many low bytes as the dtype has.
Tensor numbers_of(const std::vector<uint64_t>& bits, DType dtype) {
  Tensor tensor = Tensor::empty(dtype, {static_cast<int64_t>(bits.size())});
  const auto size = static_cast<size_t>(element_size(dtype));
  for (size_t i = 0; i < bits.size(); ++i)
    std::memcpy(tensor.data_as<uint8_t>() + i * size, &bits[i], size);
  return tensor;
}
std::vector<uint64_t> bits_of(const Tensor& tensor) {
  const auto size = static_cast<size_t>(element_size(tensor.dtype()));
  std::vector<uint64_t> bits(static_cast<size_t>(tensor.element_count()));
  for (size_t i = 0; i < bits.size(); ++i)
    std::memcpy(&bits[i], tensor.data_as<uint8_t>() + i * size, size);
  return bits;
}

bool is_nan(uint64_t bits, DType dtype) {
  return dtype >= DType::kFloat16 &&
         std::isnan(std::bit_cast<double>(reference_cast(bits, dtype, DType::kFloat64)));
}

struct Pair {
  uint64_t bits;
  const char* text;
};

void expect_both_ways(DType dtype, const std::vector<Pair>& pairs) {
  SCOPED_TRACE(name(dtype));
  std::vector<uint64_t> bits;
  Texts texts;
  for (const Pair& pair : pairs) {
    bits.push_back(pair.bits);
    texts.emplace_back(pair.text);
  }
  EXPECT_EQ(texts_of(cast(numbers_of(bits, dtype), DType::kString)), texts);
  EXPECT_EQ(bits_of(cast(strings_of(texts), dtype)), bits);
}

TEST(CastText, IsTheTextOfTheContract) {
  expect_both_ways(DType::kBool, {{0, "0"}, {1, "1"}});
  expect_both_ways(DType::kInt8, {{0x80, "-128"}, {0xFF, "-1"}, {0, "0"}, {127, "127"}});
  expect_both_ways(DType::kUInt8, {{0, "0"}, {255, "255"}});
  expect_both_ways(DType::kInt16, {{0x8000, "-32768"}, {32767, "32767"}});
  expect_both_ways(DType::kUInt16, {{65535, "65535"}});
  expect_both_ways(DType::kInt32, {{0x80000000, "-2147483648"}, {7, "7"}});
  expect_both_ways(DType::kUInt32, {{0xFFFFFFFF, "4294967295"}});
  expect_both_ways(DType::kInt64, {{uint64_t{1} << 63, "-9223372036854775808"},
                                   {~uint64_t{0} >> 1, "9223372036854775807"}});
  expect_both_ways(DType::kUInt64, {{~uint64_t{0}, "18446744073709551615"}});
  expect_both_ways(DType::kFloat16, {{0x3C00, "1"},
                                     {0x8000, "-0"},
                                     {0x2E66, "0.1"},
                                     {0x3555, "0.3333"},
                                     {0x7BFF, "65504"},
                                     {0x6C01, "4100"},
                                     {0xF0E2, "-10000"},
                                     {0x0001, "6e-08"},
                                     {0x0400, "6.104e-05"},
                                     {0x7C00, "inf"},
                                     {0xFC00, "-inf"},
                                     {0x7E00, "nan"}});
  expect_both_ways(DType::kBFloat16, {{0x3F80, "1"},
                                      {0x3DCD, "0.1"},
                                      {0x7F7F, "3.39e+38"},
                                      {0x0001, "9e-41"},
                                      {0x0080, "1.18e-38"},
                                      {0x4641, "12352"},
                                      {0x4B20, "10485760"},
                                      {0xFF80, "-inf"},
                                      {0x7FC0, "nan"}});
  expect_both_ways(DType::kFloat32, {{0x3DCCCCCD, "0.1"},
                                     {0x00000001, "1e-45"},
                                     {0x7F7FFFFF, "3.4028235e+38"},
                                     {0x80000000, "-0"},
                                     {0xFF800000, "-inf"}});
  expect_both_ways(DType::kFloat64, {{0x3FB999999999999A, "0.1"},
                                     {0x0000000000000001, "5e-324"},
                                     {0x7FEFFFFFFFFFFFFF, "1.7976931348623157e+308"},
                                     {0x7FF0000000000000, "inf"}});
}

TEST(CastText, TakesAnyByteButZeroForTrue) {
  EXPECT_EQ(texts_of(cast(numbers_of({0, 1, 2, 0x80, 0xFF}, DType::kBool), DType::kString)),
            (Texts{"0", "1", "1", "1", "1"}));
}

TEST(CastText, ReadsBackWhatItWrote) {
  for (const DType dtype : kNumericDTypes) {
    if (dtype == DType::kBool) continue;
    Bytes values = hard_values(dtype);
    const int64_t size = element_size(dtype);
    const Tensor x =
        Tensor::wrap(values.data(), dtype, {static_cast<int64_t>(values.size()) / size});
    const Tensor text = cast(x, DType::kString);
    ASSERT_EQ(text.shape(), x.shape());
    const std::vector<uint64_t> wanted = bits_of(x);
    const std::vector<uint64_t> got = bits_of(cast(text, dtype));
    int wrong = 0;
    for (size_t i = 0; i < wanted.size() && wrong < 5; ++i) {
      if (got[i] == wanted[i] || (is_nan(got[i], dtype) && is_nan(wanted[i], dtype))) continue;
      ++wrong;
      ADD_FAILURE() << name(dtype) << ' ' << hex(wanted[i]) << " is written "
                    << text.text(static_cast<int64_t>(i)) << " and read " << hex(got[i]);
    }
  }
}

std::string printed(double value, int digits) {
  std::array<char, 200> text;
  const char* end = std::to_chars(text.data(), text.data() + text.size(), value,
                                  std::chars_format::scientific, digits - 1)
                        .ptr;
  return {text.data(), static_cast<size_t>(end - text.data())};
}

int digits_of(std::string_view text) {
  int digits = 0;
  int zeros = 0;
  for (const char c : text.substr(0, text.find('e'))) {
    if (c < '0' || c > '9') continue;
    if (digits == 0 && c == '0') continue;
    zeros = c == '0' ? zeros + 1 : 0;
    ++digits;
  }
  return digits - zeros;
}

double value_of(uint64_t half, DType dtype) {
  return std::bit_cast<double>(reference_cast(half, dtype, DType::kFloat64));
}

// No decimal of fewer digits lies between the two halfway points around the number.
TEST(CastText, IsTheShortestThatReadsBackEqualInTheHalfTypes) {
  for (const DType dtype : {DType::kFloat16, DType::kBFloat16}) {
    std::vector<uint64_t> halves;
    for (uint64_t bits = 1; !is_nan(bits + 1, dtype); ++bits) halves.push_back(bits);
    halves.pop_back();  // the largest has no number above it
    const Tensor text = cast(numbers_of(halves, dtype), DType::kString);
    for (size_t i = 0; i < halves.size(); ++i) {
      const double value = value_of(halves[i], dtype);
      const double low = (value + value_of(halves[i] - 1, dtype)) / 2;
      const double high = (value + value_of(halves[i] + 1, dtype)) / 2;
      const int digits = digits_of(text.text(static_cast<int64_t>(i)));
      // Of integers of the same length the nearest.
      if (digits == 1 ||
          text.text(static_cast<int64_t>(i)).find_first_of(".e") == std::string::npos)
        continue;
      const double power = std::floor(std::log10(value));
      const double step = std::pow(10.0, power - digits + 2);  // of one digit less
      const double below = std::floor(value / step) * step;
      ASSERT_FALSE(below > low * (1 + 1e-12) || below + step < high * (1 - 1e-12))
          << name(dtype) << ' ' << hex(halves[i]) << ": " << text.text(static_cast<int64_t>(i))
          << " though " << below << " or " << below + step << " would do";
    }
  }
}

TEST(CastText, RoundsOnceToTheHalfTypes) {
  for (const DType dtype : {DType::kFloat16, DType::kBFloat16}) {
    Texts texts;
    std::vector<uint64_t> wanted;
    for (uint64_t bits = 0; !is_nan(bits + 1, dtype) && !is_nan(bits + 2, dtype); ++bits) {
      const double halfway = (value_of(bits, dtype) + value_of(bits + 1, dtype)) / 2;
      if (std::isinf(halfway)) break;
      std::string exact = printed(halfway, 150);
      texts.push_back(exact);
      wanted.push_back(bits + bits % 2);
      // What float64 does not see: a digit behind 149 others.
      const size_t mark = exact.find('e');
      texts.push_back(exact.substr(0, mark) + "0001" + exact.substr(mark));
      wanted.push_back(bits + 1);
      size_t last = mark - 1;
      while (exact[last] == '0' || exact[last] == '.') --last;
      --exact[last];
      texts.push_back(exact.substr(0, last + 1) + (last == 0 ? "." : "") + std::string(140, '9') +
                      exact.substr(mark));
      wanted.push_back(bits);
    }
    const std::vector<uint64_t> got = bits_of(cast(strings_of(texts), dtype));
    for (size_t i = 0; i < texts.size(); ++i)
      ASSERT_EQ(got[i], wanted[i]) << name(dtype) << ' ' << texts[i];
  }
}

TEST(CastText, TakesWhatFromCharsTakes) {
  const auto read = [](const char* text, DType dtype) {
    return bits_of(cast(strings_of({text}), dtype))[0];
  };
  EXPECT_EQ(read("007", DType::kInt8), 7U);
  EXPECT_EQ(read("-0", DType::kInt32), 0U);
  for (const DType dtype : {DType::kFloat16, DType::kBFloat16, DType::kFloat32, DType::kFloat64}) {
    const auto number = [&](double value) {
      return reference_cast(std::bit_cast<uint64_t>(value), DType::kFloat64, dtype);
    };
    EXPECT_EQ(read("1.5e1", dtype), number(15));
    EXPECT_EQ(read("1.", dtype), number(1));
    EXPECT_EQ(read(".25", dtype), number(.25));
    EXPECT_EQ(read("-1E-3", dtype), number(-1E-3));
    EXPECT_EQ(read("-0", dtype), number(-0.0));
    EXPECT_EQ(read("0e999999999999999999999", dtype), number(0));
    EXPECT_EQ(read("infinity", dtype), number(std::numeric_limits<double>::infinity()));
    EXPECT_EQ(read("-INF", dtype), number(-std::numeric_limits<double>::infinity()));
    EXPECT_TRUE(is_nan(read("nan", dtype), dtype));
    EXPECT_TRUE(is_nan(read("-nan", dtype), dtype));
    // Rounded as a number would be.
    EXPECT_EQ(read("1e400", dtype), number(std::numeric_limits<double>::infinity()));
    EXPECT_EQ(read("-1e99999999999999999999", dtype),
              number(-std::numeric_limits<double>::infinity()));
    EXPECT_EQ(read("1e-400", dtype), number(0));
    EXPECT_EQ(read("-0.0001e-99999999999999999999", dtype), number(-0.0));
    EXPECT_EQ(read((std::string(500, '9') + "e-499").c_str(), dtype), number(10));
  }
}

TEST(CastText, CopiesStrings) {
  const Texts texts = {"a", "", "long text", "b", std::string("\0x", 2), "f"};
  Tensor x = strings_of(texts, {2, 3});
  const Tensor turned = x.view({3, 2}, {1, 3});
  EXPECT_EQ(texts_of(cast(turned, DType::kString)),
            (Texts{texts[0], texts[3], texts[1], texts[4], texts[2], texts[5]}));
  Tensor y = Tensor::empty_strings({2, 3}, 100);
  cast(x, DType::kString, y);
  EXPECT_EQ(texts_of(y), texts);
  cast(x, DType::kString, x);
  EXPECT_EQ(texts_of(x), texts);
}

TEST(CastText, TakesAnyStridesAndThreadCount) {
  SpawningPool pool;
  Random random(first_seed());
  const Shape shape{37, 3, 1000};
  std::vector<Context> contexts = {Context({.threads = 1}), Context({.threads = 3}),
                                   Context({.threads = 5, .pool = pool.pool()})};
  for (int repeat = 0; repeat < 6; ++repeat) {
    const DType dtype = random.one_of({DType::kInt32, DType::kFloat64, DType::kUInt8});
    const int size = element_size(dtype);
    const PlacedTensor x(random, dtype, shape, random_placement(random, shape, size, true), {},
                         true);
    const Bytes wanted = x.elements();
    const Texts texts =
        texts_of(cast(Tensor::wrap(wanted.data(), dtype, shape), DType::kString, contexts[0]));
    for (const Context& context : contexts) {
      const Tensor text = cast(x.tensor(), DType::kString, context);
      ASSERT_EQ(texts_of(text), texts);
      PlacedTensor y(random, dtype, shape, random_placement(random, shape, size, false), {}, false);
      cast(text, dtype, y.tensor(), context);
      if (dtype != DType::kFloat64) y.expect_holds(wanted, std::string(name(dtype)));
    }
  }
  EXPECT_GT(pool.tasks(), 1);
  Texts texts(100000, "1");
  texts[70000] = texts[69999] = "no";
  for (const Context& context : contexts) {
    expect_rejected(kInvalidArgument, {"X[69999] is \"no\""},
                    [&] { cast(strings_of(texts), DType::kInt64, context); });
  }
}

TEST(CastText, GivesTheRightShapeWithoutElements) {
  for (const DType dtype : kNumericDTypes) {
    const Tensor text = cast(Tensor::empty(dtype, {3, 0}), DType::kString);
    EXPECT_EQ(text.shape(), (Shape{3, 0}));
    EXPECT_EQ(text.dtype(), DType::kString);
    EXPECT_EQ(cast(text, dtype).shape(), (Shape{3, 0}));
  }
  EXPECT_EQ(cast(strings_of({}, {0}), DType::kString).shape(), Shape{0});
}

TEST(CastText, HasPlansAndExplanations) {
  const Tensor x = numbers_of({1, 22, 3}, DType::kInt32);
  Tensor text = Tensor::empty_strings({3}, 10);
  const Plan write = cast_plan(x.info(), text.info(), DType::kString);
  write.run(x, text);
  EXPECT_EQ(texts_of(text), (Texts{"1", "22", "3"}));
  EXPECT_EQ(write.explanation().kernel, "to_chars");
  EXPECT_EQ(write.explanation().target, "cpu");
  Tensor back = Tensor::empty(DType::kInt32, {3});
  const Plan read = cast_plan(text.info(), back.info(), DType::kInt32);
  read.run(text, back);
  EXPECT_EQ(bits_of(back), bits_of(x));
  EXPECT_EQ(read.explanation().kernel, "from_chars");
  const Tensor wrong = strings_of({"1", "2.5", "3"});
  expect_rejected(kInvalidArgument, {"Cast: X[1] is \"2.5\""}, [&] { read.run(wrong, back); });
  EXPECT_EQ(bits_of(back), bits_of(x));
  for (const Argument& to : {Argument{"to", "string"}, Argument{"to", int64_t{4}}}) {
    const TensorInfo info = x.info();
    EXPECT_EQ(explain("Cast", {&info, 1}, {&to, 1}).kernel, "to_chars");
  }
}

}  // namespace
}  // namespace sylvite::test
