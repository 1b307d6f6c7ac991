// Checks that explain: require(condition, code, parts of the message…).
#pragma once

#include <sstream>
#include <string>

#include "sylvite/error.h"
#include "sylvite/tensor.h"

namespace sylvite {

/// Messages take shapes as they are: text is made on failure only.
std::ostream& operator<<(std::ostream& text, const Shape& shape);

}  // namespace sylvite

namespace sylvite::internal {

template <typename... Parts>
std::string joined(const Parts&... parts) {
  std::ostringstream text;
  (text << ... << parts);
  return text.str();
}

/// Out of line: a message's stream is no part of its caller's frame, of which nested nets have many.
template <typename... Parts>
[[noreturn, gnu::noinline, gnu::cold]] void fail(ErrorCode code, const Parts&... parts) {
  throw Error(code, joined(parts...));
}

/// The message is built on failure only.
template <typename... Parts>
void require(bool condition, ErrorCode code, const Parts&... parts) {
  if (!condition) [[unlikely]] {
    fail(code, parts...);
  }
}

template <typename... Parts>
void require_argument(bool condition, const Parts&... parts) {
  require(condition, ErrorCode::kInvalidArgument, parts...);
}

}  // namespace sylvite::internal
