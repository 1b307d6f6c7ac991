// Sums of products: their operands, and how near a result must be.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "support/arithmetic_reference.h"
#include "support/placed_tensor.h"
#include "support/targets.h"

namespace sylvite::test {

inline constexpr DType kFloats[] = {DType::kFloat32, DType::kFloat64};

inline double epsilon(DType dtype) { return dtype == DType::kFloat32 ? 0x1p-24 : 0x1p-53; }

/// Elements as numbers, dense row-major.
inline std::vector<double> numbers_of(const Bytes& bytes, DType dtype) {
  std::vector<double> numbers(bytes.size() / static_cast<size_t>(element_size(dtype)));
  for (size_t i = 0; i < numbers.size(); ++i) {
    float narrow = 0;
    if (dtype == DType::kFloat64) {
      std::memcpy(&numbers[i], bytes.data() + i * sizeof(double), sizeof(double));
    } else {
      std::memcpy(&narrow, bytes.data() + i * sizeof(float), sizeof(float));
      numbers[i] = narrow;
    }
  }
  return numbers;
}

/// A number and the sum of the magnitudes that went into it, which its error is measured by.
struct Sum {
  long double value = 0;
  long double magnitude = 0;
  int64_t terms = 0;

  void add(double a, double b) {
    value += static_cast<long double>(a) * b;
    magnitude += std::fabs(static_cast<long double>(a) * b);
    ++terms;
  }
};

/// Each product and sum is rounded: a term meets at most terms + 2 roundings.
inline void expect_near(const std::vector<double>& got, const std::vector<Sum>& wanted, DType dtype,
                        const std::string& what) {
  ASSERT_EQ(got.size(), wanted.size()) << what;
  for (size_t i = 0; i < got.size(); ++i) {
    const long double bound =
        wanted[i].magnitude * epsilon(dtype) * static_cast<long double>(wanted[i].terms + 2);
    ASSERT_LE(std::fabs(got[i] - wanted[i].value), bound) << what << ", element " << i;
  }
}

/// A tensor of numbers in [-2, 2] laid out at random, or dense.
class Numbers {
 public:
  Numbers(Random& random, DType dtype, const Shape& shape, bool dense)
      : placed_(random, dtype, shape,
                dense ? dense_placement(shape)
                      : random_placement(random, shape, element_size(dtype), true),
                {}, false) {
    auto* bytes = static_cast<uint8_t*>(tensor().data());
    const auto size = static_cast<size_t>(element_size(dtype));
    // Every element in memory order; one that stands in several places is written several times.
    Shape index = shape;
    for (int axis = 0; axis < shape.rank(); ++axis) index[axis] = 0;
    for (int64_t i = 0; i < count(shape); ++i) {
      int64_t at = 0;
      for (int axis = 0; axis < shape.rank(); ++axis) at += index[axis] * tensor().strides()[axis];
      const double value = static_cast<double>(random.between(-2'000'000, 2'000'000)) / 1e6;
      const auto narrow = static_cast<float>(value);
      std::memcpy(bytes + at * static_cast<int64_t>(size),
                  size == 4 ? static_cast<const void*>(&narrow) : &value, size);
      for (int axis = shape.rank() - 1; axis >= 0; --axis) {
        if (++index[axis] < shape[axis]) break;
        index[axis] = 0;
      }
    }
    const Bytes elements = placed_.elements();
    numbers_ = numbers_of(elements, dtype);
  }
  const Tensor& tensor() const { return placed_.tensor(); }
  double operator[](int64_t i) const { return numbers_[static_cast<size_t>(i)]; }

 private:
  PlacedTensor placed_;
  std::vector<double> numbers_;
};

/// An output laid out at random.
inline PlacedTensor output(Random& random, DType dtype, const Shape& shape) {
  return {random, dtype, shape, random_placement(random, shape, element_size(dtype), false),
          {},     false};
}

class Products : public KernelTest {
 protected:
  /// The bits are those of the first target that did the same.
  static void expect_same_on_all_targets(const std::string& key, const Bytes& bits) {
    static std::map<std::string, Bytes> known;
    EXPECT_EQ(known.try_emplace(key, bits).first->second, bits) << key;
  }
  Context any_context(Random& random) { return GetParam().context(random.one_of({1, 2, 7})); }
};

}  // namespace sylvite::test
