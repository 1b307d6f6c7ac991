# The targets: the only place that names them, best first. The runtime's table, the dispatch tables
# and the kernel builds all follow from these rows.
#
#   sylvite_target(NAME DEVICE cpu|cuda|opencl ARCH x86_64|aarch64 HALIDE <Halide target string>)
#
# A CPU row runs where the processor has all features of its string; a cuda row where the device's
# capability is at least that of its string; an opencl row where a platform has a device.
# The architecture of a GPU row is that of the host half of its kernels.

sylvite_target(x86_64_avx512_vbmi DEVICE cpu ARCH x86_64
  HALIDE x86-64-linux-sse41-avx-avx2-fma-f16c-avx512-avx512_skylake-avx512_cannonlake)
sylvite_target(x86_64_avx512 DEVICE cpu ARCH x86_64
  HALIDE x86-64-linux-sse41-avx-avx2-fma-f16c-avx512-avx512_skylake)
sylvite_target(x86_64_avx2 DEVICE cpu ARCH x86_64
  HALIDE x86-64-linux-sse41-avx-avx2-fma-f16c)
sylvite_target(x86_64 DEVICE cpu ARCH x86_64
  HALIDE x86-64-linux-sse41)
sylvite_target(arm64 DEVICE cpu ARCH aarch64
  HALIDE arm-64-linux)
sylvite_target(cuda_75 DEVICE cuda ARCH x86_64
  HALIDE x86-64-linux-sse41-cuda-cuda_capability_75)
sylvite_target(opencl DEVICE opencl ARCH x86_64
  HALIDE x86-64-linux-sse41-opencl)
