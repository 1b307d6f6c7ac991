#include "sylvite/operator.h"

#include <sstream>

#include "runtime/error.h"

namespace sylvite {

Explanation explain(std::string_view op, std::span<const TensorInfo> inputs,
                    std::span<const Argument> arguments, const Context& context) {
  std::ostringstream known;
  for (const OperatorSchema* schema : operators()) {
    if (schema->name == op) {
      internal::require(
          schema->plan != nullptr, ErrorCode::kUnsupported, "explain: what ", op,
          " takes depends on what its inputs hold, want an operator that shapes decide");
      return schema->plan(inputs, arguments, context).explanation();
    }
    known << ' ' << schema->name;
  }
  internal::fail(ErrorCode::kInvalidArgument, "explain: unknown operator \"", op,
                 "\", want one of:", known.str());
}

}  // namespace sylvite
