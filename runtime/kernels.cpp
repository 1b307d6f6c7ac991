#include "runtime/kernels.h"

#include <sstream>

#include "runtime/error.h"
#include "runtime/targets.h"

namespace sylvite::internal {

Kernel pick_kernel(std::span<const std::string_view> names, std::span<const KernelRow> rows,
                   int row, uint32_t mask, std::string_view op) {
  const auto index = static_cast<size_t>(row);
  for (size_t target = 0; target < kTargetCount; ++target) {
    const KernelEntry& entry = rows[index].entries[target];
    if (((mask >> target) & 1U) != 0 && entry.plain != nullptr) {
      return {.name = names[index], .entry = entry, .target = static_cast<int>(target)};
    }
  }
  fail(ErrorCode::kUnsupported, op, ": kernel ", names[index],
       " is not built for any usable target");
}

uint32_t usable_targets(const Context& context, Device device, std::string_view op) {
  const uint32_t usable = context.target_mask() & device_targets(device);
  if (usable != 0) [[likely]] {
    return usable;
  }
  std::ostringstream allowed;
  for (size_t target = 0; target < kTargetCount; ++target) {
    if (((context.target_mask() >> target) & 1U) != 0) allowed << ' ' << kTargets[target].name;
  }
  fail(ErrorCode::kUnsupported, op, ": the operands are on device ", name(device.kind), " ",
       device.index, ", want one that the context's targets run on:", allowed.str());
}

}  // namespace sylvite::internal
