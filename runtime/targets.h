// The linked targets and which of them this machine runs.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "sylvite/tensor.h"
#include "target_count.h"

namespace sylvite::internal {

/// Halide's feature bits, two words of 64.
struct FeatureBits {
  std::array<uint64_t, 2> words = {};
};

struct TargetRow {
  std::string_view name;
  DeviceKind device = DeviceKind::kCpu;
  FeatureBits features = {};  ///< what the processor must have
  int capability = 0;         ///< CUDA: what the device must have, 75 for 7.5
  int stream_percent = 100;   ///< Of the last-level cache: calls that move as much stream.
};

extern const std::array<TargetRow, kTargetCount> kTargets;

/// Bit i: kTargets[i] runs on the CPU of this machine. Asked once per process.
uint32_t cpu_targets() noexcept;

/// Bit i: kTargets[i] runs on this device (a CPU's is cpu_targets()).
uint32_t device_targets(Device device) noexcept;

}  // namespace sylvite::internal
