#include "support/cast_reference.h"

#include <bit>
#include <cstring>
#include <sstream>

#include "support/random_shapes.h"

namespace sylvite::test {
namespace {

using Wide = unsigned __int128;

struct Format {
  int exponent;
  int mantissa;

  int bias() const { return (1 << (exponent - 1)) - 1; }
  uint64_t sign() const { return uint64_t{1} << (exponent + mantissa); }
  uint64_t infinity() const { return ((uint64_t{1} << exponent) - 1) << mantissa; }
};

Format format_of(DType dtype) {
  switch (dtype) {
    case DType::kFloat16:
      return {5, 10};
    case DType::kBFloat16:
      return {8, 7};
    case DType::kFloat32:
      return {8, 23};
    default:
      return {11, 52};
  }
}

bool is_float(DType dtype) { return dtype >= DType::kFloat16; }
bool is_signed(DType dtype) {
  return dtype == DType::kInt8 || dtype == DType::kInt16 || dtype == DType::kInt32 ||
         dtype == DType::kInt64;
}
int bits_of(DType dtype) { return 8 * element_size(dtype); }
uint64_t low_bits(int count) { return count == 64 ? ~uint64_t{0} : (uint64_t{1} << count) - 1; }

/// mantissa * 2^exponent, or none.
struct Number {
  enum class Kind : uint8_t { kFinite, kInfinite, kNan };
  Kind kind = Kind::kFinite;
  bool negative = false;
  uint64_t mantissa = 0;  ///< of a NaN: its payload, from bit 63 downwards
  int exponent = 0;
};

Number decode(uint64_t bits, DType from) {
  Number number;
  if (from == DType::kBool) {
    number.mantissa = bits != 0 ? 1 : 0;
    return number;
  }
  if (!is_float(from)) {
    number.negative = is_signed(from) && (bits >> (bits_of(from) - 1)) != 0;
    number.mantissa = number.negative ? low_bits(bits_of(from)) - bits + 1 : bits;
    return number;
  }
  const Format f = format_of(from);
  number.negative = (bits & f.sign()) != 0;
  const uint64_t field = (bits & f.infinity()) >> f.mantissa;
  const uint64_t rest = bits & low_bits(f.mantissa);
  if ((bits & f.infinity()) == f.infinity()) {
    number.kind = rest == 0 ? Number::Kind::kInfinite : Number::Kind::kNan;
    number.mantissa = rest << (64 - f.mantissa);
    return number;
  }
  number.mantissa = field == 0 ? rest : rest | uint64_t{1} << f.mantissa;
  number.exponent = static_cast<int>(field == 0 ? 1 : field) - f.bias() - f.mantissa;
  return number;
}

/// value / 2^shift, to nearest, halves to even.
uint64_t shifted_to_nearest(uint64_t value, int shift) {
  if (shift > 65) return 0;
  const Wide whole = static_cast<Wide>(value) >> shift;
  const Wide rest = static_cast<Wide>(value) - (whole << shift);
  const Wide half = static_cast<Wide>(1) << (shift - 1);
  const bool up = rest > half || (rest == half && whole % 2 == 1);
  return static_cast<uint64_t>(whole) + (up ? 1 : 0);
}

uint64_t encode_float(const Number& number, DType to) {
  const Format f = format_of(to);
  const uint64_t sign = number.negative ? f.sign() : 0;
  if (number.kind == Number::Kind::kInfinite) return sign | f.infinity();
  if (number.kind == Number::Kind::kNan)
    return sign | f.infinity() | number.mantissa >> (64 - f.mantissa);
  if (number.mantissa == 0) return sign;
  const int top = static_cast<int>(std::bit_width(number.mantissa)) - 1 + number.exponent;
  const int least = 1 - f.bias() - f.mantissa;  // what the last bit of a denormal is worth
  const int last = std::max(top - f.mantissa, least);
  const uint64_t units = number.exponent >= last
                             ? number.mantissa << (number.exponent - last)
                             : shifted_to_nearest(number.mantissa, last - number.exponent);
  // In field 1 the hidden bit makes the exponent field 1 by itself; so does rounding up anywhere.
  if (last - least > 2 * f.bias()) return sign | f.infinity();
  const uint64_t bits = (static_cast<uint64_t>(last - least) << f.mantissa) + units;
  return sign | std::min(bits, f.infinity());
}

uint64_t encode_integer(const Number& number, DType from, DType to) {
  const int bits = bits_of(to);
  if (!is_float(from))
    return (number.negative ? -number.mantissa : number.mantissa) & low_bits(bits);
  const uint64_t most = low_bits(is_signed(to) ? bits - 1 : bits);
  const uint64_t lowest = is_signed(to) ? most + 1 : 0;  // magnitude of the smallest value
  if (number.kind == Number::Kind::kNan) return 0;
  const uint64_t limit = number.negative ? lowest : most;
  uint64_t magnitude = limit;
  if (number.kind == Number::Kind::kFinite) {
    if (number.exponent <= -64) {
      magnitude = 0;
    } else if (number.exponent <= 0) {
      magnitude = number.mantissa >> -number.exponent;
    } else if (static_cast<int>(std::bit_width(number.mantissa)) + number.exponent <= 64) {
      magnitude = number.mantissa << number.exponent;
    }
    magnitude = std::min(magnitude, limit);
  }
  return (number.negative ? -magnitude : magnitude) & low_bits(bits);
}

uint64_t load(const uint8_t* at, int size) {
  uint64_t bits = 0;
  std::memcpy(&bits, at, static_cast<size_t>(size));
  return bits;
}

class Values {
 public:
  explicit Values(DType dtype) : size_(static_cast<size_t>(element_size(dtype))) {}

  void add(uint64_t bits) {
    bytes_.resize(bytes_.size() + size_);
    std::memcpy(bytes_.data() + bytes_.size() - size_, &bits, size_);
  }
  void add_around(uint64_t bits) {
    for (const uint64_t near : {bits - 1, bits, bits + 1}) {
      add(near);
      add(-near);
    }
  }
  Bytes take() { return std::move(bytes_); }

 private:
  size_t size_;
  Bytes bytes_;
};

void add_floats(Values& values, DType from) {
  const Format f = format_of(from);
  const int last = (1 << f.exponent) - 1;
  for (int field = 0; field <= last; ++field) {
    // Of float64 the exponents that another dtype reaches, and the ends.
    const int power = field - f.bias();
    if (f.exponent == 11 && (power < -170 || power > 140) && field > 3 && field < last - 3)
      continue;
    const uint64_t number = static_cast<uint64_t>(field) << f.mantissa;
    for (int k = 0; k <= f.mantissa; ++k) {
      const uint64_t bit = uint64_t{1} << k;
      for (const uint64_t rest : {bit, bit - 1, bit + 1, -bit, -bit - 1, bit | bit << 1, bit * 5}) {
        values.add(number | (rest & low_bits(f.mantissa)));
        values.add(f.sign() | number | (rest & low_bits(f.mantissa)));
      }
    }
  }
}

void add_integers(Values& values, DType from) {
  for (int k = 0; k < bits_of(from); ++k) {
    values.add_around(uint64_t{1} << k);
    for (int j = 0; j < k; ++j) {
      values.add_around((uint64_t{1} << k) + (uint64_t{1} << j));
      values.add_around((uint64_t{1} << k) - (uint64_t{1} << j));
    }
  }
}

}  // namespace

uint64_t reference_cast(uint64_t bits, DType from, DType to) {
  if (from == to && from != DType::kBool) return bits;
  const Number number = decode(bits, from);
  if (to == DType::kBool)
    return number.kind != Number::Kind::kFinite || number.mantissa != 0 ? 1 : 0;
  if (!is_float(to)) return encode_integer(number, from, to);
  uint64_t result = encode_float(number, to);
  const bool keeps_signal = from == DType::kBFloat16 && to == DType::kFloat32;
  if (number.kind == Number::Kind::kNan && !keeps_signal)
    result |= uint64_t{1} << (format_of(to).mantissa - 1);
  return result;
}

Bytes reference_cast(const Bytes& x, DType from, DType to) {
  const auto from_size = static_cast<size_t>(element_size(from));
  const auto to_size = static_cast<size_t>(element_size(to));
  if (from == to) return x;
  Bytes y(x.size() / from_size * to_size);
  for (size_t i = 0; i < x.size() / from_size; ++i) {
    const uint64_t bits =
        reference_cast(load(x.data() + i * from_size, static_cast<int>(from_size)), from, to);
    std::memcpy(y.data() + i * to_size, &bits, to_size);
  }
  return y;
}

Bytes hard_values(DType from) {
  Values values(from);
  if (element_size(from) <= 2) {
    for (uint64_t bits = 0; bits <= low_bits(bits_of(from)); ++bits) values.add(bits);
    return values.take();
  }
  if (is_float(from)) {
    add_floats(values, from);
  } else {
    add_integers(values, from);
  }
  // The limits of every integer as numbers of this dtype, and random ones.
  for (const DType to : kNumericDTypes) {
    if (is_float(to) || to == DType::kBool) continue;
    const uint64_t most = low_bits(is_signed(to) ? bits_of(to) - 1 : bits_of(to));
    values.add_around(reference_cast(most, DType::kUInt64, from));
    if (is_signed(to)) values.add_around(reference_cast(-most - 1, DType::kInt64, from));
  }
  Random random(first_seed());
  for (int i = 0; i < 20000; ++i) values.add(random.bits());
  return values.take();
}

std::string hex(uint64_t bits) {
  std::ostringstream text;
  text << "0x" << std::hex << bits;
  return text.str();
}

}  // namespace sylvite::test
