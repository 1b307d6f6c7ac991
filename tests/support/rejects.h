// What a rejected call must do: throw with a message that helps, and write nothing.
#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <string_view>

#include "support/reference.h"
#include "sylvite/sylvite.h"

namespace sylvite::test {

std::string_view name_of(ErrorCode code);

/// `call` throws Error with this code, and each fragment stands in its message.
template <typename Call>
void expect_rejected(ErrorCode code, std::initializer_list<std::string_view> fragments,
                     const Call& call) {
  try {
    call();
    ADD_FAILURE() << "accepted; expected " << name_of(code);
  } catch (const Error& error) {
    const std::string_view message = error.what();
    EXPECT_EQ(name_of(error.code()), name_of(code)) << message;
    for (const std::string_view fragment : fragments) {
      EXPECT_TRUE(message.find(fragment) != std::string_view::npos)
          << "no \"" << fragment << "\" in: " << message;
    }
  } catch (const std::exception& error) {
    ADD_FAILURE() << "expected sylvite::Error, got: " << error.what();
  }
}

/// And the bytes of `output`, the memory behind the call's output, are as they were.
template <typename Call>
void expect_rejected(ErrorCode code, std::initializer_list<std::string_view> fragments,
                     Bytes& output, const Call& call) {
  for (size_t i = 0; i < output.size(); ++i) output[i] = static_cast<uint8_t>(0xA5 ^ i);
  const Bytes before = output;
  expect_rejected(code, fragments, call);
  EXPECT_EQ(output, before) << "the output was written to";
}

}  // namespace sylvite::test
