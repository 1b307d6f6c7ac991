// The few functions of the CUDA driver that Halide's runtime does not cover. libcuda.so.1 is looked
// up when first asked for; without it every answer is "none".
#pragma once

namespace sylvite::internal::cuda {

/// 75 for 7.5; 0 where there is no driver or no such device.
int capability(int device) noexcept;

/// The device's primary context, retained once per process and never released; nullptr where there
/// is none.
void* primary_context(int device) noexcept;

}  // namespace sylvite::internal::cuda
