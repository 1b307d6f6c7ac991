// Parameters stored in half precision, and updated in float32.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sylvite/workspace.h"

namespace sylvite {

/// A parameter's blob holds a half type, which is what nets read; beside it stands a copy in float32,
/// "<name>_float32", which updates are added to: steps far below the half type's precision are not
/// lost.
///
///   const HalfStorage half(DType::kBFloat16);
///   half.store(workspace, "w");                              // float32 "w" becomes bfloat16
///   for (OperatorDef& def : half.update("w", "w_step")) net.append(std::move(def));
class HalfStorage {
 public:
  /// Throws kInvalidArgument where the dtype is neither float16 nor bfloat16.
  explicit HalfStorage(DType half);

  /// "<name>_float32"
  static std::string copy_of(std::string_view name);

  /// The blob's tensor, of any floating dtype, to the half type, its value in float32 to the copy.
  /// Throws kInvalidArgument where the blob is missing or holds no floating numbers.
  void store(Workspace& workspace, const std::string& name) const;

  /// "wide" = the half blob in float32, for operators that take no half type. Its gradient comes back
  /// to the half type.
  OperatorDef widen(const std::string& name, std::string wide) const;

  /// copy += step, in float32; then the blob = the copy, rounded once. `step`: a blob of any floating
  /// dtype that broadcasts to the parameter.
  std::vector<OperatorDef> update(const std::string& name, const std::string& step) const;

 private:
  DType half_;
};

}  // namespace sylvite
