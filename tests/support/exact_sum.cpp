#include "support/exact_sum.h"

#include <cmath>
#include <cstring>
#include <stdexcept>

namespace sylvite::test {

void ExactSum::add(double value) {
  if (!std::isfinite(value)) throw std::invalid_argument("ExactSum: not a finite number");
  uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  const auto exponent = static_cast<int>(bits >> 52 & 0x7FF);
  uint64_t mantissa = bits & ((uint64_t{1} << 52) - 1);
  if (exponent > 0) mantissa |= uint64_t{1} << 52;
  const int shift = exponent > 0 ? exponent - 1 : 0;
  const unsigned __int128 placed = static_cast<unsigned __int128>(mantissa) << (shift % 32);
  const int64_t sign = bits >> 63 != 0 ? -1 : 1;
  for (size_t i = 0; i < 3; ++i) {
    limbs_[static_cast<size_t>(shift / 32) + i] +=
        sign * static_cast<int64_t>(static_cast<uint32_t>(placed >> (32 * i)));
  }
  if (++added_ == 1 << 30) carry();
}

void ExactSum::carry() {
  for (size_t i = 0; i + 1 < limbs_.size(); ++i) {
    const int64_t over = limbs_[i] >> 32;
    limbs_[i] -= over * (int64_t{1} << 32);
    limbs_[i + 1] += over;
  }
  added_ = 0;
}

double ExactSum::value() const {
  ExactSum sum = *this;
  sum.carry();
  const bool negative = sum.limbs_.back() < 0;
  if (negative) {
    for (int64_t& limb : sum.limbs_) limb = -limb;
    sum.carry();
  }
  // From the highest limb on; what no longer fits a double is below 2^-50 of it.
  double result = 0;
  for (size_t i = sum.limbs_.size(); i-- > 0;) {
    result += std::ldexp(static_cast<double>(sum.limbs_[i]), static_cast<int>(i) * 32 - 1074);
  }
  return negative ? -result : result;
}

}  // namespace sylvite::test
