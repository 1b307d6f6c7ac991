// How far ExpandGradient's sums may lie from exact ones, and what they do with special values.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "support/expand_gradient_cases.h"

namespace sylvite::test {
namespace {

class ExpandGradientAccuracy : public KernelTest {
 protected:
  Context context() const { return GetParam().context(); }
  bool is_gpu() const { return GetParam().device().kind != DeviceKind::kCpu; }

  /// dX of dense dY.
  Bytes sum(const Bytes& dy, const ExpandGradientCase& c) const {
    const Tensor g = Tensor::wrap(static_cast<const void*>(dy.data()), c.dtype, c.dy);
    const Tensor dx = expand_gradient(g.to(GetParam().device()), c.x, context()).to(Device{});
    return {dx.data_as<uint8_t>(), dx.data_as<uint8_t>() + dx.byte_count()};
  }

  template <typename T>
  static Bytes bytes_of(const std::vector<T>& values) {
    Bytes bytes(values.size() * sizeof(T));
    std::memcpy(bytes.data(), values.data(), bytes.size());
    return bytes;
  }
};
INSTANTIATE_TEST_SUITE_P(AllTargets, ExpandGradientAccuracy, ::testing::ValuesIn(target_choices()),
                         choice_name);

TEST_P(ExpandGradientAccuracy, OfRandomSumsIsWithinTheBound) {
  for (SeededCases cases(.5); cases.next();) {
    SCOPED_TRACE(cases.trace());
    Random random(cases.seed());
    ExpandGradientCase c = random_expand_gradient_case(random);
    c.dtype = random.one_of({DType::kFloat16, DType::kBFloat16, DType::kFloat32, DType::kFloat64});
    if (count(c.dy) == 0) continue;
    Bytes dy = random.bytes(count(c.dy) * element_size(c.dtype));
    make_finite(dy, c.dtype);
    expect_within_bound(dy, c, sum(dy, c), to_string(c));
  }
}

// float32 stops counting at 2^24 when ones are added one by one.
TEST_P(ExpandGradientAccuracy, CountsOnesBeyondTheMantissa) {
  const int64_t n = (int64_t{1} << 24) + 1;
  for (const auto& [dy, x] : {std::pair<Shape, Shape>{{n}, {}}, {{n, 2}, {2}}, {{2, n}, {2, 1}}}) {
    const Bytes ones = bytes_of(std::vector<float>(static_cast<size_t>(count(dy)), 1.0F));
    const Bytes dx = sum(ones, {dy, x, DType::kFloat32});
    for (size_t i = 0; i < dx.size(); i += sizeof(float))
      EXPECT_EQ(decode(dx.data() + i, DType::kFloat32), 0x1p24) << to_string(dy);
    if (is_gpu()) break;
  }
  const Bytes twos = bytes_of(std::vector<float>(static_cast<size_t>(n + 1), 2.0F));
  EXPECT_EQ(decode(sum(twos, {{n + 1}, {}, DType::kFloat32}).data(), DType::kFloat32), 0x1p25 + 4);
}

TEST_P(ExpandGradientAccuracy, CountsHalfOnesInFloat32) {
  for (const DType dtype : {DType::kFloat16, DType::kBFloat16}) {
    const Bytes one = encode(1, dtype);
    Bytes ones;
    for (int i = 0; i < 40000; ++i) ones.insert(ones.end(), one.begin(), one.end());
    const double got = decode(sum(ones, {{40000}, {1}, dtype}).data(), dtype);
    EXPECT_EQ(got, dtype == DType::kFloat16 ? 40000.0 : 39936.0);
  }
}

TEST_P(ExpandGradientAccuracy, OfHugeAndTinyInTurnIsWithinTheBound) {
  for (const DType dtype : {DType::kFloat32, DType::kFloat64}) {
    for (const int64_t n : {63, 1000, 65537}) {
      Bytes dy;
      for (int64_t i = 0; i < n; ++i) {
        const double huge = i % 4 == 0 ? 0x1p90 : -0x1p90;
        const Bytes value = encode(i % 2 == 0 ? huge : 0x1p-90 * static_cast<double>(i), dtype);
        dy.insert(dy.end(), value.begin(), value.end());
      }
      for (const auto& [from, to] :
           {std::pair<Shape, Shape>{{n}, {}}, {{n, 1}, {1, 1}}, {{1, n}, {1, 1}}}) {
        const ExpandGradientCase c = {from, to, dtype};
        expect_within_bound(dy, c, sum(dy, c), to_string(c));
      }
    }
  }
}

TEST_P(ExpandGradientAccuracy, KeepsDenormals) {
  if (is_gpu()) GTEST_SKIP() << "GPUs may flush them";
  for (const DType dtype : {DType::kFloat32, DType::kFloat64, DType::kBFloat16, DType::kFloat16}) {
    const double tiny = dtype == DType::kFloat64    ? 0x1p-1074
                        : dtype == DType::kFloat32  ? 0x1p-149
                        : dtype == DType::kBFloat16 ? 0x1p-133
                                                    : 0x1p-24;
    const Bytes value = encode(tiny, dtype);
    for (const int64_t n : {3, 7, 100}) {
      Bytes dy;
      for (int64_t i = 0; i < n; ++i) dy.insert(dy.end(), value.begin(), value.end());
      EXPECT_EQ(decode(sum(dy, {{n}, {}, dtype}).data(), dtype), static_cast<double>(n) * tiny);
    }
  }
}

TEST_P(ExpandGradientAccuracy, GivesInfinitiesAndOneNan) {
  const float infinity = std::numeric_limits<float>::infinity();
  const float nan = std::nanf("");
  const auto bits_of = [&](const std::vector<float>& values) {
    const Bytes dx =
        sum(bytes_of(values), {{static_cast<int64_t>(values.size())}, {}, DType::kFloat32});
    uint32_t bits = 0;
    std::memcpy(&bits, dx.data(), sizeof bits);
    return bits;
  };
  for (const size_t n : {2, 5, 17, 100}) {
    std::vector<float> values(n, 1.5F);
    values[n / 2] = infinity;
    EXPECT_EQ(bits_of(values), 0x7F800000U) << n;
    values[0] = infinity;
    EXPECT_EQ(bits_of(values), 0x7F800000U) << n;
    values[0] = -infinity;
    EXPECT_EQ(bits_of(values), 0x7FC00000U) << n;
    values[0] = 0;
    values[n / 2] = -nan;
    EXPECT_EQ(bits_of(values), 0x7FC00000U) << n;
    std::vector<float> large(n, 3e38F);
    EXPECT_EQ(bits_of(large), 0x7F800000U) << n;
  }
}

TEST_P(ExpandGradientAccuracy, GivesInfinitiesAndOneNanOfHalves) {
  for (const DType dtype : {DType::kFloat16, DType::kBFloat16}) {
    const uint16_t infinity = dtype == DType::kFloat16 ? 0x7C00 : 0x7F80;
    const uint16_t nan = dtype == DType::kFloat16 ? 0x7E00 : 0x7FC0;
    const auto bits_of = [&](const std::vector<uint16_t>& values) {
      const Bytes dx = sum(bytes_of(values), {{static_cast<int64_t>(values.size())}, {}, dtype});
      uint16_t bits = 0;
      std::memcpy(&bits, dx.data(), sizeof bits);
      return bits;
    };
    for (const size_t n : {2, 5, 17, 100}) {
      std::vector<uint16_t> values(n, 0);
      values[n / 2] = infinity;
      EXPECT_EQ(bits_of(values), infinity) << n;
      values[0] = infinity | 0x8000;
      EXPECT_EQ(bits_of(values), nan) << n;
      values[0] = 0;
      values[n / 2] = infinity | 0x8001;  // a signaling NaN
      EXPECT_EQ(bits_of(values), nan) << n;
    }
  }
}

TEST_P(ExpandGradientAccuracy, KeepsTheSignOfSumsOfNegativeZeros) {
  for (const int64_t n : {2, 3, 7, 16, 17, 33, 100}) {
    for (const int64_t k : {1, 3, 40}) {
      const Bytes zeros = bytes_of(std::vector<float>(static_cast<size_t>(n * k), -0.0F));
      const Bytes dx = sum(zeros, {{n, k}, {1, k}, DType::kFloat32});
      for (size_t i = 0; i < dx.size(); i += 4)
        EXPECT_TRUE(std::signbit(decode(dx.data() + i, DType::kFloat32))) << n << " rows of " << k;
    }
  }
}

TEST_P(ExpandGradientAccuracy, RoundsHalvesOnceToNearestEven) {
  for (const DType dtype : {DType::kFloat16, DType::kBFloat16}) {
    // One, and a unit in the last place of one split into halves of itself.
    const double unit = dtype == DType::kFloat16 ? 0x1p-10 : 0x1p-7;
    const auto add = [&](std::initializer_list<double> addends) {
      Bytes dy;
      for (const double addend : addends) {
        const Bytes value = encode(addend, dtype);
        dy.insert(dy.end(), value.begin(), value.end());
      }
      return decode(sum(dy, {{static_cast<int64_t>(addends.size())}, {}, dtype}).data(), dtype);
    };
    EXPECT_EQ(add({1, unit / 2}), 1);
    EXPECT_EQ(add({1 + unit, unit / 2}), 1 + 2 * unit);
    EXPECT_EQ(add({1, unit / 4, unit / 4, unit / 64}), 1 + unit);
    EXPECT_EQ(add({1, unit / 4, unit / 4}), 1);
    EXPECT_EQ(add({-1, -unit / 4, -unit / 4, -unit / 8, -unit / 8}), -1 - unit);
  }
  const Bytes large = encode(32752, DType::kFloat16);
  Bytes dy = large;
  dy.insert(dy.end(), large.begin(), large.end());
  EXPECT_EQ(decode(sum(dy, {{2}, {}, DType::kFloat16}).data(), DType::kFloat16), 65504);
  const Bytes more = encode(16, DType::kFloat16);
  dy.insert(dy.end(), more.begin(), more.end());
  EXPECT_TRUE(std::isinf(decode(sum(dy, {{3}, {}, DType::kFloat16}).data(), DType::kFloat16)));
}

}  // namespace
}  // namespace sylvite::test
