// The dispatch tables: for every kernel and every linked target, its entry points.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "sylvite/context.h"
#include "target_count.h"

namespace sylvite::internal {

/// Halide's argv form: every argument by its address; 0 or Halide's error code.
using KernelFn = int (*)(void** args);

struct KernelEntry {
  KernelFn plain = nullptr;
  KernelFn stream = nullptr;
};

/// One kernel on every target, in the order of the targets table: best first.
struct KernelRow {
  std::array<KernelEntry, kTargetCount> entries;
};

/// Position of a kernel in its family's table, found at compile time; -1 where no row makes it.
template <size_t Count>
consteval int find_kernel(const std::array<std::string_view, Count>& names, std::string_view name) {
  for (size_t i = 0; i < Count; ++i) {
    if (names[i] == name) return static_cast<int>(i);
  }
  return -1;
}

/// Positions of <stem>8, <stem>16, <stem>32 and <stem>64, by the binary logarithm of the bytes.
template <size_t Count>
consteval std::array<int, 4> find_widths(const std::array<std::string_view, Count>& names,
                                         std::string_view stem) {
  std::array<int, 4> found = {-1, -1, -1, -1};
  constexpr std::array<std::string_view, 4> kBits = {"8", "16", "32", "64"};
  for (size_t i = 0; i < Count; ++i) {
    for (size_t width = 0; width < kBits.size(); ++width) {
      if (names[i].starts_with(stem) && names[i].substr(stem.size()) == kBits[width]) {
        found[width] = static_cast<int>(i);
      }
    }
  }
  return found;
}

/// Element width in bytes (1, 2, 4, 8) to a position in find_widths' answer.
constexpr int width_index(int bytes) noexcept {
  return bytes == 1 ? 0 : bytes == 2 ? 1 : bytes == 4 ? 2 : 3;
}

/// A kernel that a call has chosen.
struct Kernel {
  std::string_view name;
  KernelEntry entry;
  int target = -1;  ///< row of the targets table
};

/// The first target of `mask` that has the kernel; throws kUnsupported where none has.
Kernel pick_kernel(std::span<const std::string_view> names, std::span<const KernelRow> rows,
                   int row, uint32_t mask, std::string_view op);

/// The targets that a call of this context on this device may use. Throws kUnsupported where the
/// context's target is of another device, or the device has none.
uint32_t usable_targets(const Context& context, Device device, std::string_view op);

}  // namespace sylvite::internal
