#include "support/rejects.h"

namespace sylvite::test {

std::string_view name_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return "kInvalidArgument";
    case ErrorCode::kUnsupported:
      return "kUnsupported";
    case ErrorCode::kOutOfMemory:
      return "kOutOfMemory";
    case ErrorCode::kDeviceError:
      return "kDeviceError";
    case ErrorCode::kInternal:
      return "kInternal";
  }
  return "unknown";
}

}  // namespace sylvite::test
