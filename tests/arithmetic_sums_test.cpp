// Sum, ConstantFill and SquaredL2 against plain loops, on every target.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "support/arithmetic_reference.h"
#include "support/placed_tensor.h"
#include "support/targets.h"
#include "sylvite/arithmetic.h"

namespace sylvite::test {
namespace {

class Sums : public KernelTest {};
INSTANTIATE_TEST_SUITE_P(CpuTargets, Sums, ::testing::ValuesIn(cpu_target_choices()), choice_name);

/// In the order given; half types in float32.
Bytes reference_sum(const std::vector<Bytes>& x, DType dtype) {
  Bytes y = x[0];
  if (x.size() == 1) return y;
  if (!is_half(dtype)) {
    for (size_t i = 1; i < x.size(); ++i) y = reference(What::kAdd, y, x[i], dtype);
    return y;
  }
  for (size_t e = 0; 2 * e < y.size(); ++e) {
    float total = half_at(x[0], e, dtype);
    for (size_t i = 1; i < x.size(); ++i) total += half_at(x[i], e, dtype);
    put(y, e, nearest_half(total, dtype));
  }
  return y;
}

TEST_P(Sums, SumsInTheOrderGiven) {
  for (SeededCases cases(1.5, 100); cases.next();) {
    SCOPED_TRACE(cases.trace());
    Random random(cases.seed());
    const DType dtype = random.one_of(kNumbers);
    Shape shape;
    for (int64_t rank = random.between(0, 4); rank > 0; --rank)
      shape.push_back(random.between(1, 4));
    if (shape.rank() > 0) shape[shape.rank() - 1] = random.one_of(kExtents);
    std::vector<PlacedTensor> placed;
    std::vector<Tensor> x;
    std::vector<Bytes> elements;
    for (int64_t i = random.between(1, 7); i > 0; --i) {
      const Placement placement = random_placement(random, shape, element_size(dtype), true);
      placed.emplace_back(random, dtype, shape, placement, Device{}, true);
      x.push_back(placed.back().tensor());
      elements.push_back(placed.back().elements());
    }
    PlacedTensor y(random, dtype, shape,
                   random_placement(random, shape, element_size(dtype), false), {}, false);
    const auto over = static_cast<size_t>(random.between(0, 3));
    if (over < 2 && over < x.size()) {
      x[over] = y.tensor();
      elements[over] = y.elements();
    }
    const std::string what =
        std::to_string(x.size()) + " of " + to_string(shape) + " " + std::string(name(dtype));
    note_case(what);
    sum(x, y.tensor(), GetParam().context(random.one_of({1, 2, 7})));
    y.expect_holds(reference_sum(elements, dtype), what);
  }
}

TEST_P(Sums, SumsLargeTensorsAlikeOnAnyThreads) {
  Random random(first_seed());
  const Shape shape = {70001};
  for (const DType dtype : {DType::kFloat16, DType::kBFloat16, DType::kFloat32}) {
    std::vector<Bytes> elements;
    std::vector<Tensor> x;
    elements.reserve(5);
    x.reserve(5);
    for (int i = 0; i < 5; ++i) elements.push_back(numbers(random, dtype, shape[0]));
    for (Bytes& bytes : elements) x.push_back(wrapped(bytes, dtype, shape));
    for (const int threads : {1, 2, 7})
      EXPECT_EQ(bytes_of(sum(x, GetParam().context(threads))), reference_sum(elements, dtype))
          << name(dtype);
  }
}

/// Half the sum of squares, far more exact than float64.
long double reference_squares(const Bytes& x, DType dtype) {
  long double total = 0;
  const auto size = static_cast<size_t>(element_size(dtype));
  for (size_t i = 0; i * size < x.size(); ++i) {
    const long double value = size == 4 ? at<float>(x, i) : at<double>(x, i);
    total += value * value;
  }
  return total / 2;
}

TEST_P(Sums, SumsSquaresAlikeForAnyStridesAndThreads) {
  for (const DType dtype : {DType::kFloat32, DType::kFloat64}) {
    for (const Shape& shape :
         {Shape{}, Shape{0}, Shape{1}, Shape{15}, Shape{16}, Shape{4, 0, 2}, Shape{3, 4097},
          Shape{17, 3, 5}, Shape{300000}, Shape{5, 70001}, Shape{700, 3, 129}}) {
      Random random(first_seed());
      Bytes x(static_cast<size_t>(count(shape) * element_size(dtype)));
      for (size_t i = 0; i < static_cast<size_t>(count(shape)); ++i) {
        const double value = static_cast<double>(random.between(-1'000'000, 1'000'000)) / 3e5;
        dtype == DType::kFloat32 ? put(x, i, static_cast<float>(value)) : put(x, i, value);
      }
      const Bytes loss = bytes_of(squared_l2(wrapped(x, dtype, shape), GetParam().context(1)));
      const long double exact = reference_squares(x, dtype);
      const long double got = dtype == DType::kFloat32 ? at<float>(loss, 0) : at<double>(loss, 0);
      // float64: chains of 256 squares on a lane, four levels of lanes, 2 chunks to a section, 64 sections.
      const long double bound = dtype == DType::kFloat32 ? 0x1p-24 * 1.001L : 0x1p-53 * 330;
      EXPECT_LE(std::fabs(got - exact), bound * exact) << to_string(shape);
      // Of all targets, the first one's.
      static std::vector<std::pair<std::string, Bytes>> known;
      const std::string key = to_string(shape) + std::string(name(dtype));
      const auto same =
          std::find_if(known.begin(), known.end(), [&](const auto& k) { return k.first == key; });
      if (same == known.end()) {
        known.emplace_back(key, loss);
      } else {
        EXPECT_EQ(loss, same->second) << key;
      }
      for (const int threads : {2, 7}) {
        EXPECT_EQ(bytes_of(squared_l2(wrapped(x, dtype, shape), GetParam().context(threads))), loss)
            << key;
      }
      // The same elements laid out otherwise.
      for (int i = 0; i < 4; ++i) {
        const Placement placement = random_placement(random, shape, element_size(dtype), false);
        PlacedTensor other(random, dtype, shape, placement, {}, false);
        const Bytes zeros(static_cast<size_t>(element_size(dtype)));
        add(wrapped(x, dtype, shape), Tensor::wrap(zeros.data(), dtype, {}), other.tensor());
        EXPECT_EQ(bytes_of(squared_l2(other.tensor(), GetParam().context(2))), loss) << key;
      }
    }
  }
}

TEST_P(Sums, KnowsSquaresOfWhatIsNoNumber) {
  const float inf = INFINITY;
  EXPECT_EQ(
      *squared_l2(Tensor::wrap(&inf, DType::kFloat32, {}), GetParam().context()).data_as<float>(),
      inf);
  const uint32_t odd = 0xFFF12345;
  const Tensor loss = squared_l2(Tensor::wrap(&odd, DType::kFloat32, {1}), GetParam().context());
  EXPECT_EQ(*loss.data_as<uint32_t>(), 0x7FC00000U);
}

TEST_P(Sums, SquaredL2GradientIsItsDerivative) {
  Random random(first_seed());
  std::vector<double> x(200);
  for (double& value : x) value = static_cast<double>(random.between(-1000, 1000)) / 500;
  const Context context = GetParam().context();
  const auto loss = [&] {
    return *squared_l2(Tensor::wrap(x.data(), DType::kFloat64, {20, 10}), context)
                .data_as<double>();
  };
  const double dloss = 2.5;
  const Tensor dx = squared_l2_gradient(Tensor::wrap(x.data(), DType::kFloat64, {20, 10}),
                                        Tensor::wrap(&dloss, DType::kFloat64, {}), context);
  for (size_t i = 0; i < x.size(); ++i) {
    const double kept = x[i];
    x[i] = kept + 1e-3;
    const double up = loss();
    x[i] = kept - 1e-3;
    const double down = loss();
    x[i] = kept;
    EXPECT_NEAR(dx.data_as<double>()[i], dloss * (up - down) / 2e-3, 1e-9) << i;
    EXPECT_EQ(dx.data_as<double>()[i], x[i] * dloss);
  }
}

class ConstantFill : public KernelTest {};
INSTANTIATE_TEST_SUITE_P(AllTargets, ConstantFill, ::testing::ValuesIn(target_choices()),
                         choice_name);

TEST_P(ConstantFill, WritesEveryElement) {
  Random random(first_seed());
  constexpr std::array kAll = {DType::kBool,     DType::kInt8,    DType::kUInt16,
                               DType::kInt32,    DType::kUInt64,  DType::kFloat16,
                               DType::kBFloat16, DType::kFloat32, DType::kFloat64};
  for (int i = 0; i < 60; ++i) {
    const DType dtype = random.one_of(kAll);
    const Shape shape = {random.between(0, 3), random.one_of(kExtents)};
    const double value = random.one_of({0, 1});
    Placement placement = random_placement(random, shape, element_size(dtype), false);
    if (GetParam().device() != Device{}) placement.shift = 0;
    PlacedTensor y(random, dtype, shape, placement, GetParam().device(), false);
    constant_fill(value, y.tensor(), GetParam().context());
    GetParam().context().synchronize(GetParam().device());
    const Bytes one = encode(value, dtype);
    y.expect_holds(broadcast(one, {}, shape, dtype),
                   std::string(name(dtype)) + " " + to_string(shape));
  }
}

TEST(ConstantFillFacts, FloatsTakeTheNearestNumber) {
  for (const double value :
       {0.1, -1.0 / 3, 1e-3, 65519.0, 3e-8, 5e-324, 1.0009765625, 1.00048828125, 6e-8}) {
    EXPECT_EQ(*constant_fill({}, value).data_as<float>(), static_cast<float>(value));
    EXPECT_EQ(*constant_fill({}, value, DType::kFloat64).data_as<double>(), value);
    for (const DType dtype : {DType::kFloat16, DType::kBFloat16})
      EXPECT_EQ(*constant_fill({}, value, dtype).data_as<uint16_t>(), nearest_half(value, dtype))
          << value;
  }
  EXPECT_TRUE(std::isnan(*constant_fill({1}, NAN).data_as<float>()));
  EXPECT_EQ(*constant_fill({1}, -INFINITY).data_as<float>(), -INFINITY);
  EXPECT_TRUE(std::signbit(*constant_fill({1}, -0.0).data_as<float>()));
  EXPECT_EQ(*constant_fill({2, 3}, -128, DType::kInt8).data_as<int8_t>(), -128);
  EXPECT_EQ(constant_fill({2, 0, 3}, 1).shape(), (Shape{2, 0, 3}));
}

}  // namespace
}  // namespace sylvite::test
