// The one error type of the library.
#pragma once

#include <stdexcept>
#include <string>

namespace sylvite {

enum class ErrorCode {
  kInvalidArgument,  ///< An argument breaks the operator's contract.
  kUnsupported,      ///< Well formed, but not offered here: a target, a device, a dtype.
  kOutOfMemory,      ///< An allocation of an output or of scratch failed.
  kDeviceError,      ///< A GPU or its driver reported a fault.
  kInternal,         ///< A defect of this library.
};

/// Thrown by every function. what() names the operator, the argument, the value got and the one
/// expected. Outputs are unchanged unless the code is kDeviceError.
class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ErrorCode code() const noexcept { return code_; }

 private:
  ErrorCode code_;
};

}  // namespace sylvite
