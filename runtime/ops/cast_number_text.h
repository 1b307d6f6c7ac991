// A number as text and back: C++'s to_chars and from_chars, and the same for bool and the half types.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "sylvite/tensor.h"

namespace sylvite::internal {

/// The text of one number, held inline: the longest is a float64's of 24 characters.
class NumberText {
 public:
  static constexpr size_t kMaxSize = 32;

  /// The shortest text that reads back equal. `bits`: one element of a numeric dtype, in the low
  /// bytes.
  NumberText(uint64_t bits, DType dtype) noexcept;
  std::string_view view() const noexcept { return {text_.data(), size_}; }

 private:
  std::array<char, kMaxSize> text_;
  size_t size_ = 0;
};

/// The element that all of the text stands for, rounded once; nothing where it is no number of the
/// dtype: spaces, a leading +, what from_chars leaves over, an integer out of range. A float out of
/// range is infinite or zero, as it is where numbers are cast.
std::optional<uint64_t> read_number(std::string_view text, DType dtype) noexcept;

}  // namespace sylvite::internal
