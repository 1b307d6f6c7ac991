// Size arithmetic that reports overflow.
#pragma once

#include <cstdint>
#include <optional>

namespace sylvite::internal {

using Checked = std::optional<int64_t>;

constexpr Checked checked_add(Checked a, Checked b) noexcept {
  int64_t sum = 0;
  if (!a || !b || __builtin_add_overflow(*a, *b, &sum)) return std::nullopt;
  return sum;
}

constexpr Checked checked_mul(Checked a, Checked b) noexcept {
  int64_t product = 0;
  if (!a || !b || __builtin_mul_overflow(*a, *b, &product)) return std::nullopt;
  return product;
}

/// For a >= 0, b > 0.
constexpr int64_t ceil_div(int64_t a, int64_t b) noexcept { return a / b + (a % b != 0 ? 1 : 0); }

}  // namespace sylvite::internal
