#include "runtime/kernels.h"

#include "runtime/error.h"

namespace sylvite::internal {

Kernel pick_kernel(std::span<const std::string_view> names, std::span<const KernelRow> rows, int row,
                   uint32_t mask, std::string_view op) {
  const auto index = static_cast<size_t>(row);
  for (size_t target = 0; target < kTargetCount; ++target) {
    const KernelEntry& entry = rows[index].entries[target];
    if (((mask >> target) & 1U) != 0 && entry.plain != nullptr) {
      return {.name = names[index], .entry = entry, .target = static_cast<int>(target)};
    }
  }
  fail(ErrorCode::kUnsupported, op, ": no kernel ", names[index],
       " for the context's target on the operands' device, want a context of that device");
}

}  // namespace sylvite::internal
