#include "sylvite/context.h"

#include <sstream>

#include "runtime/error.h"
#include "runtime/halide_call.h"
#include "runtime/targets.h"
#include "sylvite/operator.h"

namespace sylvite {

using internal::kTargets;
using internal::require_argument;

namespace {

uint32_t available_targets() noexcept {
  return internal::cpu_targets() | internal::device_targets({DeviceKind::kCuda, 0}) |
         internal::device_targets({DeviceKind::kOpenCl, 0});
}

uint32_t mask_of(std::string_view target) {
  for (size_t i = 0; i < kTargets.size(); ++i) {
    if (kTargets[i].name == target && ((available_targets() >> i) & 1U) != 0) return 1U << i;
  }
  std::ostringstream available;
  for (const std::string_view known : targets()) available << ' ' << known;
  internal::fail(ErrorCode::kUnsupported, "Context: target \"", target,
                 "\" is not available here, want one of:", available.str());
}

}  // namespace

Context::Context(const ContextOptions& options) : options_(options) {
  require_argument(options.threads >= 0, "Context: threads is ", options.threads,
                   ", want at least 0");
  require_argument(options.pool == nullptr || options.pool->parallel_for != nullptr,
                   "Context: pool has no parallel_for, want a function");
  require_argument(options.allocator == nullptr || (options.allocator->allocate != nullptr &&
                                                    options.allocator->deallocate != nullptr),
                   "Context: allocator lacks a function, want allocate and deallocate");
  if (!options.target.empty()) target_mask_ = mask_of(options.target);
  options_.target = {};
}

int Context::threads() const noexcept {
  return options_.threads > 0 ? options_.threads : internal::core_count();
}

void Context::warm_up(Device device) const {
  if (device.kind == DeviceKind::kCpu) return;
  for (const OperatorSchema* op : operators()) op->warm_up(device, *this);
  synchronize(device);
}

void Context::synchronize(Device device) const { internal::device_synchronize(*this, device); }

std::vector<std::string_view> targets() {
  std::vector<std::string_view> names;
  const uint32_t available = available_targets();
  for (size_t i = 0; i < kTargets.size(); ++i) {
    if (((available >> i) & 1U) != 0) names.push_back(kTargets[i].name);
  }
  return names;
}

}  // namespace sylvite
