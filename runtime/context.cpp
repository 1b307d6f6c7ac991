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

MemoryMeter::MemoryMeter(const Allocator* inner) noexcept
    : inner_(inner), allocator_{.state = this, .allocate = allocate, .deallocate = deallocate} {}

void* MemoryMeter::allocate(void* state, size_t bytes, size_t /*alignment*/) {
  auto* meter = static_cast<MemoryMeter*>(state);
  const auto size = static_cast<int64_t>(bytes);
  void* memory = internal::allocate(meter->inner_, size);
  if (memory == nullptr) return nullptr;
  const int64_t live = meter->live_ += size;
  int64_t peak = meter->peak_;
  while (peak < live && !meter->peak_.compare_exchange_weak(peak, live)) {
  }
  return memory;
}

void MemoryMeter::deallocate(void* state, void* pointer, size_t bytes) {
  auto* meter = static_cast<MemoryMeter*>(state);
  const auto size = static_cast<int64_t>(bytes);
  internal::deallocate(meter->inner_, pointer, size);
  meter->live_ -= size;
}

const MemoryMeter* MemoryMeter::of(const Allocator* allocator) noexcept {
  const bool counts = allocator != nullptr && allocator->allocate == &MemoryMeter::allocate;
  return counts ? static_cast<const MemoryMeter*>(allocator->state) : nullptr;
}

std::optional<MemoryUse> Context::memory_use() const noexcept {
  const MemoryMeter* meter = MemoryMeter::of(options_.allocator);
  return meter ? std::optional(meter->use()) : std::nullopt;
}

void Context::warm_up(Device device) const {
  if (device.kind == DeviceKind::kCpu) return;
  for (const OperatorSchema* op : operators()) {
    if (op->warm_up != nullptr) op->warm_up(device, *this);
  }
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
