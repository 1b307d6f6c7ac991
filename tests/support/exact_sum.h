// Sums of floating-point numbers without rounding.
#pragma once

#include <array>
#include <cstdint>

namespace sylvite::test {

/// A whole number of units of 2^-1074, wide enough for 2^60 finite doubles.
class ExactSum {
 public:
  void add(double value);
  /// Within 2^-50 of the exact sum, relatively; exactly 0 where that is.
  double value() const;

 private:
  static constexpr int kLimbs = 72;  // of 32 bits
  std::array<int64_t, kLimbs> limbs_ = {};
  int added_ = 0;  // since carries were last moved on

  void carry();
};

}  // namespace sylvite::test
