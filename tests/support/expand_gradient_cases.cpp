#include "support/expand_gradient_cases.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>

#include "support/exact_sum.h"

namespace sylvite::test {
namespace {

constexpr size_t kLanes = 16;

/// A run of neighbouring axes that are all summed or all kept.
struct Run {
  size_t extent;
  bool summed;
};

/// Innermost first; extents of 1 are in no run.
std::vector<Run> runs_of(const Shape& dy, const Shape& x) {
  std::vector<Run> runs;
  const int added = dy.rank() - x.rank();
  for (int axis = dy.rank() - 1; axis >= 0; --axis) {
    if (dy[axis] == 1) continue;
    const bool summed = axis < added || x[axis - added] != dy[axis];
    const auto extent = static_cast<size_t>(dy[axis]);
    if (!runs.empty() && runs.back().summed == summed) {
      runs.back().extent *= extent;
    } else {
      runs.push_back({extent, summed});
    }
  }
  return runs;
}

template <typename T>
T plus(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    return a + b;
  } else {
    return static_cast<T>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
  }
}

/// Rows of `width` elements, neighbours first.
template <typename T>
std::vector<T> tree_of_neighbours(std::vector<T> rows, size_t width) {
  while (rows.size() > width) {
    std::vector<T> sums;
    for (size_t row = 0; row * width < rows.size(); row += 2) {
      for (size_t i = row * width; i < (row + 1) * width; ++i) {
        sums.push_back(i + width < rows.size() ? plus(rows[i], rows[i + width]) : rows[i]);
      }
    }
    rows = std::move(sums);
  }
  return rows;
}

/// The innermost summed axis, where less than 16 elements stand inside of it.
template <typename T>
std::vector<T> sum_narrow(const std::vector<T>& rows, size_t width) {
  const size_t count = rows.size() / width;
  if (count < kLanes) return tree_of_neighbours(rows, width);
  const size_t group = kLanes * width;
  const size_t tail = count % kLanes * width;
  std::vector<T> lanes = tree_of_neighbours(
      std::vector<T>(rows.begin(), rows.end() - static_cast<ptrdiff_t>(tail)), group);
  for (size_t i = group - tail; i < group; ++i)
    lanes[i] = plus(lanes[i], rows[rows.size() - group + i]);
  return tree_of_neighbours(lanes, width);
}

template <typename T>
std::vector<T> sum_in_order(std::vector<T> values, const Shape& dy, const Shape& x) {
  size_t width = 1;
  bool innermost = true;
  for (const Run& run : runs_of(dy, x)) {
    if (!run.summed) {
      width *= run.extent;
      continue;
    }
    std::vector<T> sums;
    const size_t block = width * run.extent;
    for (size_t i = 0; i < values.size(); i += block) {
      const std::vector<T> rows(values.begin() + static_cast<ptrdiff_t>(i),
                                values.begin() + static_cast<ptrdiff_t>(i + block));
      const std::vector<T> sum =
          innermost && width < kLanes ? sum_narrow(rows, width) : tree_of_neighbours(rows, width);
      sums.insert(sums.end(), sum.begin(), sum.end());
    }
    values = std::move(sums);
    innermost = false;
  }
  return values;
}

/// Nearest, ties to even; NaN is the positive quiet one without payload.
uint16_t rounded_to_half(float value, DType dtype) {
  uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  if (std::isnan(value)) return dtype == DType::kBFloat16 ? 0x7FC0 : 0x7E00;
  const auto sign = static_cast<uint16_t>(bits >> 16 & 0x8000);
  if (dtype == DType::kBFloat16) {
    const uint32_t rest = bits & 0xFFFF;
    const uint32_t kept = bits >> 16;
    const bool up = rest > 0x8000 || (rest == 0x8000 && (kept & 1) != 0);
    return static_cast<uint16_t>(kept + (up ? 1 : 0));
  }
  const double magnitude = std::fabs(static_cast<double>(value));
  if (magnitude >= 65520) return sign | 0x7C00;
  // In units of the last place of the value's binade, or of the denormals.
  const int exponent = std::max(magnitude == 0 ? -14 : std::ilogb(magnitude), -14);
  const double units = std::nearbyint(std::ldexp(magnitude, 10 - exponent));
  return static_cast<uint16_t>(
      sign | (static_cast<uint32_t>((exponent + 14) * 1024) + static_cast<uint32_t>(units)));
}

template <typename T>
std::vector<T> values_of(const Bytes& bytes) {
  std::vector<T> values(bytes.size() / sizeof(T));
  if (!bytes.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

template <typename T>
Bytes bytes_of(const std::vector<T>& values) {
  Bytes bytes(values.size() * sizeof(T));
  if (!bytes.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

template <typename T, typename Bits>
Bytes with_one_nan(const std::vector<T>& values, Bits nan) {
  Bytes bytes = bytes_of(values);
  for (size_t i = 0; i < values.size(); ++i) {
    if (std::isnan(values[i])) std::memcpy(bytes.data() + i * sizeof nan, &nan, sizeof nan);
  }
  return bytes;
}

std::vector<float> widened(const Bytes& bytes, DType dtype) {
  std::vector<float> values;
  for (const uint16_t bits : values_of<uint16_t>(bytes))
    values.push_back(static_cast<float>(decode_half(bits, dtype)));
  return values;
}

template <typename T>
Bytes integer_sums(const Bytes& dy, const ExpandGradientCase& c) {
  return bytes_of(sum_in_order(values_of<T>(dy), c.dy, c.x));
}

bool sums_anything(const ExpandGradientCase& c) { return count(c.dy) != count(c.x); }

}  // namespace

std::string to_string(const ExpandGradientCase& test_case) {
  return std::string(name(test_case.dtype)) + " " + to_string(test_case.dy) + " to " +
         to_string(test_case.x);
}

bool is_float(DType dtype) {
  return dtype == DType::kFloat16 || dtype == DType::kBFloat16 || dtype == DType::kFloat32 ||
         dtype == DType::kFloat64;
}

Bytes reference_expand_gradient(const Bytes& dy, const ExpandGradientCase& c) {
  if (!sums_anything(c)) return dy;
  if (dy.empty()) return Bytes(static_cast<size_t>(count(c.x) * element_size(c.dtype)));
  switch (c.dtype) {
    case DType::kFloat64:
      return with_one_nan(sum_in_order(values_of<double>(dy), c.dy, c.x), 0x7FF8000000000000U);
    case DType::kFloat32:
      return with_one_nan(sum_in_order(values_of<float>(dy), c.dy, c.x), 0x7FC00000U);
    case DType::kFloat16:
    case DType::kBFloat16: {
      std::vector<uint16_t> halves;
      for (const float sum : sum_in_order(widened(dy, c.dtype), c.dy, c.x))
        halves.push_back(rounded_to_half(sum, c.dtype));
      return bytes_of(halves);
    }
    default:
      break;
  }
  switch (element_size(c.dtype)) {
    case 1:
      return integer_sums<uint8_t>(dy, c);
    case 2:
      return integer_sums<uint16_t>(dy, c);
    case 4:
      return integer_sums<uint32_t>(dy, c);
    default:
      return integer_sums<uint64_t>(dy, c);
  }
}

double sum_bound(const ExpandGradientCase& c) {
  int roundings = 1;
  for (const Run& run : runs_of(c.dy, c.x)) {
    if (run.summed) roundings += static_cast<int>(std::bit_width(run.extent - 1));
  }
  const double unit = c.dtype == DType::kFloat64 ? 0x1p-53 : 0x1p-24;
  return roundings * unit / (1 - roundings * unit);
}

double decode(const uint8_t* element, DType dtype) {
  if (dtype == DType::kFloat64) {
    double value = 0;
    std::memcpy(&value, element, sizeof value);
    return value;
  }
  if (dtype == DType::kFloat32) {
    float value = 0;
    std::memcpy(&value, element, sizeof value);
    return value;
  }
  uint16_t bits = 0;
  std::memcpy(&bits, element, sizeof bits);
  return decode_half(bits, dtype);
}

void make_finite(std::span<uint8_t> bytes, DType dtype) {
  if (!is_float(dtype)) return;
  const auto size = static_cast<size_t>(element_size(dtype));
  const int mantissa = dtype == DType::kFloat64    ? 52
                       : dtype == DType::kFloat32  ? 23
                       : dtype == DType::kBFloat16 ? 7
                                                   : 10;
  const uint64_t bias = (uint64_t{1} << (size * 8 - 2 - static_cast<size_t>(mantissa))) - 1;
  for (size_t at = 0; at + size <= bytes.size(); at += size) {
    uint64_t bits = 0;
    std::memcpy(&bits, bytes.data() + at, size);
    const uint64_t sign = bits >> (size * 8 - 1) << (size * 8 - 1);
    const uint64_t fraction = bits & ((uint64_t{1} << mantissa) - 1);
    // Magnitudes of 2^-12 to 2^3; some zeros, some denormals.
    const uint64_t kind = bits >> mantissa & 31;
    const uint64_t exponent = kind < 2 ? 0 : bias - 12 + kind / 2;
    bits = sign | exponent << mantissa | (kind == 0 ? 0 : fraction);
    std::memcpy(bytes.data() + at, &bits, size);
  }
}

ExpandGradientCase random_expand_gradient_case(Random& random) {
  constexpr int64_t kMostElements = 60000;
  ExpandGradientCase result;
  result.dtype = random.one_of(kNumericDTypes);
  const auto rank =
      static_cast<int>(random.chance(.1) ? random.between(0, kMaxRank) : random.between(0, 6));
  const bool alternating = random.chance(.4);
  const int64_t most = random.chance(.2) ? kMostElements : kMostElements / 10;
  int64_t elements = 1;
  const auto extent = [&]() -> int64_t {
    if (random.chance(.02)) return 0;
    if (rank > 8) return random.between(1, 3);
    if (random.chance(.5)) return random.between(1, 9);
    if (random.chance(.1)) return random.between(1, 3000);
    return random.one_of({8, 16, 32, 64, 100, 128, 256}) + random.between(-1, 1);
  };
  for (int axis = 0; axis < rank; ++axis) {
    int64_t next = extent();
    if (elements * std::max<int64_t>(next, 1) > most) next = 1;
    elements *= std::max<int64_t>(next, 1);
    result.dy.push_back(next);
  }
  for (int axis = rank - 1; axis > 0; --axis)
    std::swap(result.dy[axis], result.dy[static_cast<int>(random.between(0, axis))]);
  const int phase = random.chance(.5) ? 1 : 0;
  for (int axis = 0; axis < rank; ++axis) {
    const bool summed = alternating ? axis % 2 == phase : random.chance(.5);
    result.x.push_back(summed ? 1 : result.dy[axis]);
  }
  int first = 0;
  while (first < rank && result.x[first] == 1 && random.chance(.5)) ++first;
  result.x = Shape(std::span(result.x.begin() + first, result.x.end()));
  return result;
}

void expect_within_bound(const Bytes& dy, const ExpandGradientCase& c, const Bytes& got,
                         const std::string& what) {
  const auto size = static_cast<size_t>(element_size(c.dtype));
  std::vector<ExactSum> sums(static_cast<size_t>(count(c.x)));
  std::vector<double> magnitudes(sums.size());
  const int added = c.dy.rank() - c.x.rank();
  for (size_t i = 0; i * size < dy.size(); ++i) {
    auto rest = static_cast<int64_t>(i);
    int64_t to = 0;
    int64_t stride = 1;
    for (int axis = c.dy.rank() - 1; axis >= added; --axis) {
      if (c.x[axis - added] != 1) to += rest % c.dy[axis] * stride;
      stride *= c.x[axis - added];
      rest /= c.dy[axis];
    }
    const double value = decode(dy.data() + i * size, c.dtype);
    sums[static_cast<size_t>(to)].add(value);
    magnitudes[static_cast<size_t>(to)] += std::fabs(value);
  }
  const double half = c.dtype == DType::kFloat16    ? 0x1p-11
                      : c.dtype == DType::kBFloat16 ? 0x1p-8
                                                    : 0;
  const double smallest_half = c.dtype == DType::kFloat16 ? 0x1p-25 : 0x1p-134;
  for (size_t i = 0; i < sums.size(); ++i) {
    const double result = decode(got.data() + i * size, c.dtype);
    const double exact = sums[i].value();
    ExactSum difference = sums[i];
    difference.add(-result);
    double bound = sum_bound(c) * magnitudes[i] * (1 + 0x1p-40);
    if (half > 0) bound += std::max(half * (std::fabs(exact) + bound), smallest_half);
    ASSERT_LE(std::fabs(difference.value()), bound)
        << what << ", element " << i << ": got " << result << ", exactly " << exact;
  }
}

void check_expand_gradient(const ExpandGradientCase& test_case, Random& random,
                           const KernelChoice& choice, const Context& context, bool dense) {
  const auto& [dy_shape, x_shape, dtype] = test_case;
  const int size = element_size(dtype);
  const bool on_cpu = choice.device().kind == DeviceKind::kCpu;
  const auto placed = [&](const Shape& of, bool is_input) {
    const auto flush = random.one_of({GuardedBuffer::Flush::kStart, GuardedBuffer::Flush::kEnd});
    return dense ? dense_placement(of, flush) : random_placement(random, of, size, is_input);
  };
  // NaN, infinities and any magnitude: their sums have the same bits on every CPU, not on a GPU.
  const bool wild = on_cpu && random.chance(.3);
  const PlacedTensor dy(random, dtype, dy_shape, placed(dy_shape, true), choice.device(), true,
                        wild ? nullptr : make_finite);
  PlacedTensor dx(random, dtype, x_shape, placed(x_shape, false), choice.device(), false);
  const std::string what = "expand_gradient " + to_string(test_case) + ", dy strides " +
                           to_string(dy.tensor().strides()) + ", dx strides " +
                           to_string(dx.tensor().strides());
  note_case(what);
  try {
    expand_gradient(dy.tensor(), x_shape, dx.tensor(), context);
  } catch (const Error& error) {
    FAIL() << what << "\n" << error.what();
  }
  const Bytes elements = dy.elements();
  if (on_cpu || !is_float(dtype) || !sums_anything(test_case)) {
    dx.expect_holds(reference_expand_gradient(elements, test_case), what);
    return;
  }
  const Tensor host = dx.tensor().to(Device{});
  const Bytes got(host.data_as<uint8_t>(), host.data_as<uint8_t>() + host.byte_count());
  expect_within_bound(elements, test_case, got, what);
  dx.expect_holds(got, what);
}

}  // namespace sylvite::test
