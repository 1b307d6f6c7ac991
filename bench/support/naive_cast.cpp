#include "support/naive_cast.h"

#include <bit>
#include <stdexcept>

#include "support/clones.h"

namespace sylvite_bench {
namespace {

using sylvite::DType;

/// float32 to and from the half types by their bits, as frameworks do it without hardware.
struct Half {
  uint16_t bits;
};
struct BFloat {
  uint16_t bits;
};

template <typename To, typename From>
struct Convert {
  SYLVITE_BENCH_INLINE static To of(From x) { return static_cast<To>(x); }
};
template <typename From>
struct Convert<bool, From> {
  SYLVITE_BENCH_INLINE static bool of(From x) { return x != 0; }
};
template <typename From>
struct Convert<BFloat, From> {
  SYLVITE_BENCH_INLINE static BFloat of(From x) {
    const auto bits = std::bit_cast<uint32_t>(static_cast<float>(x));
    return {static_cast<uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16)};
  }
};
template <typename From>
struct Convert<Half, From> {
  SYLVITE_BENCH_INLINE static Half of(From x) {
    const auto bits = std::bit_cast<uint32_t>(static_cast<float>(x));
    const uint32_t magnitude = bits & 0x7FFFFFFF;
    if (magnitude < 0x38800000) return {static_cast<uint16_t>(static_cast<float>(x) * 0x1p24F)};
    const uint32_t rounded = (magnitude - 0x38000000 + 0xFFF + (magnitude >> 13 & 1)) >> 13;
    return {static_cast<uint16_t>((bits >> 16 & 0x8000) | rounded)};
  }
};
template <>
struct Convert<float, Half> {
  SYLVITE_BENCH_INLINE static float of(Half x) {
    const uint32_t magnitude = x.bits & 0x7FFF;
    if (magnitude < 0x400) return static_cast<float>(magnitude) * 0x1p-24F;
    return std::bit_cast<float>((x.bits & 0x8000U) << 16 | ((magnitude << 13) + 0x38000000));
  }
};
template <>
struct Convert<float, BFloat> {
  SYLVITE_BENCH_INLINE static float of(BFloat x) {
    return std::bit_cast<float>(uint32_t{x.bits} << 16);
  }
};

struct Loop {
  const void* x;
  void* y;
  int64_t rows, columns, x_row, x_column;

  template <typename From, typename To>
  SYLVITE_BENCH_INLINE void run() const {
    const auto* from = static_cast<const From*>(x);
    auto* to = static_cast<To*>(y);
    if (x_column == 1) {
      for (int64_t row = 0; row < rows; ++row) {
        for (int64_t column = 0; column < columns; ++column)
          to[row * columns + column] = Convert<To, From>::of(from[row * x_row + column]);
      }
    } else {
      for (int64_t row = 0; row < rows; ++row) {
        for (int64_t column = 0; column < columns; ++column)
          to[row * columns + column] = Convert<To, From>::of(from[row * x_row + column * x_column]);
      }
    }
  }
};

constexpr int pair_of(DType from, DType to) noexcept {
  return static_cast<int>(from) << 8 | static_cast<int>(to);
}

}  // namespace

SYLVITE_BENCH_CLONES
void naive_cast(DType from, DType to, const void* x, void* y, int64_t rows, int64_t columns,
                int64_t x_row, int64_t x_column) {
  const Loop loop = {x, y, rows, columns, x_row, x_column};
  switch (pair_of(from, to)) {
    case pair_of(DType::kFloat32, DType::kFloat16):
      return loop.run<float, Half>();
    case pair_of(DType::kFloat32, DType::kBFloat16):
      return loop.run<float, BFloat>();
    case pair_of(DType::kFloat32, DType::kInt32):
      return loop.run<float, int32_t>();
    case pair_of(DType::kFloat32, DType::kUInt8):
      return loop.run<float, uint8_t>();
    case pair_of(DType::kFloat32, DType::kInt8):
      return loop.run<float, int8_t>();
    case pair_of(DType::kFloat32, DType::kInt16):
      return loop.run<float, int16_t>();
    case pair_of(DType::kFloat32, DType::kInt64):
      return loop.run<float, int64_t>();
    case pair_of(DType::kFloat32, DType::kBool):
      return loop.run<float, bool>();
    case pair_of(DType::kFloat32, DType::kFloat64):
      return loop.run<float, double>();
    case pair_of(DType::kInt32, DType::kFloat32):
      return loop.run<int32_t, float>();
    case pair_of(DType::kInt32, DType::kInt64):
      return loop.run<int32_t, int64_t>();
    case pair_of(DType::kFloat64, DType::kFloat32):
      return loop.run<double, float>();
    case pair_of(DType::kFloat64, DType::kFloat16):
      return loop.run<double, Half>();
    case pair_of(DType::kFloat64, DType::kBFloat16):
      return loop.run<double, BFloat>();
    case pair_of(DType::kFloat64, DType::kInt64):
      return loop.run<double, int64_t>();
    case pair_of(DType::kUInt8, DType::kFloat32):
      return loop.run<uint8_t, float>();
    case pair_of(DType::kUInt8, DType::kFloat16):
      return loop.run<uint8_t, Half>();
    case pair_of(DType::kInt8, DType::kFloat16):
      return loop.run<int8_t, Half>();
    case pair_of(DType::kInt8, DType::kInt32):
      return loop.run<int8_t, int32_t>();
    case pair_of(DType::kBool, DType::kFloat32):
      return loop.run<bool, float>();
    case pair_of(DType::kFloat16, DType::kFloat32):
      return loop.run<Half, float>();
    case pair_of(DType::kBFloat16, DType::kFloat32):
      return loop.run<BFloat, float>();
    case pair_of(DType::kInt64, DType::kInt32):
      return loop.run<int64_t, int32_t>();
    case pair_of(DType::kInt64, DType::kFloat32):
      return loop.run<int64_t, float>();
    default:
      throw std::runtime_error("no naive loop for this pair of dtypes");
  }
}

void fill_with_numbers(DType dtype, void* memory, int64_t count) {
  uint64_t state = 0x9E3779B97F4A7C15;
  const auto fill = [&]<typename T>(T* to) {
    const bool halves = dtype == DType::kFloat16 || dtype == DType::kBFloat16 ||
                        dtype == DType::kFloat32 || dtype == DType::kFloat64;
    for (int64_t i = 0; i < count; ++i) {
      state = state * 6364136223846793005 + 1442695040888963407;
      const auto twice = static_cast<float>(state >> 40) * (200.0F / (1 << 24));
      to[i] = Convert<T, float>::of(halves ? twice / 2
                                           : static_cast<float>(static_cast<int>(twice)) / 2);
    }
  };
  switch (dtype) {
    case DType::kBool:
      return fill(static_cast<bool*>(memory));
    case DType::kInt8:
      return fill(static_cast<int8_t*>(memory));
    case DType::kUInt8:
      return fill(static_cast<uint8_t*>(memory));
    case DType::kInt16:
      return fill(static_cast<int16_t*>(memory));
    case DType::kInt32:
      return fill(static_cast<int32_t*>(memory));
    case DType::kInt64:
      return fill(static_cast<int64_t*>(memory));
    case DType::kFloat16:
      return fill(static_cast<Half*>(memory));
    case DType::kBFloat16:
      return fill(static_cast<BFloat*>(memory));
    case DType::kFloat32:
      return fill(static_cast<float*>(memory));
    case DType::kFloat64:
      return fill(static_cast<double*>(memory));
    default:
      throw std::runtime_error("no numbers for this dtype");
  }
}

}  // namespace sylvite_bench
