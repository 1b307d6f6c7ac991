# The targets: the only place that names them, best first. The runtime's table, the dispatch tables,
# the kernel builds and what CI wants exercised all follow from these rows.
#
#   sylvite_target(NAME DEVICE cpu|cuda|opencl ARCH x86_64|aarch64 HALIDE <Halide target string>
#                  FLAGS <of /proc/cpuinfo> | BY_NAME)
#
# A CPU row runs where the processor has all features of its string. FLAGS says the same in the names
# the Linux kernel has for them, so that the build and CI need not ask the program they check.
# A cuda row runs where the device's capability is at least that of its string; an opencl row where a
# platform has a device. BY_NAME: for another system, built where SYLVITE_TARGETS or a preset names it. The architecture of a GPU row is that of the host half of its kernels.

sylvite_target(x86_64_avx512_vbmi DEVICE cpu ARCH x86_64
  HALIDE x86-64-linux-sse41-avx-avx2-fma-f16c-avx512-avx512_skylake-avx512_cannonlake
  FLAGS sse4_1 avx2 fma f16c avx512f avx512cd avx512bw avx512dq avx512vl avx512ifma avx512vbmi)
sylvite_target(x86_64_avx512 DEVICE cpu ARCH x86_64
  HALIDE x86-64-linux-sse41-avx-avx2-fma-f16c-avx512-avx512_skylake
  FLAGS sse4_1 avx2 fma f16c avx512f avx512cd avx512bw avx512dq avx512vl)
sylvite_target(x86_64_avx2 DEVICE cpu ARCH x86_64
  HALIDE x86-64-linux-sse41-avx-avx2-fma-f16c
  FLAGS sse4_1 avx2 fma f16c)
sylvite_target(x86_64 DEVICE cpu ARCH x86_64
  HALIDE x86-64-linux-sse41
  FLAGS sse4_1)
sylvite_target(arm64 DEVICE cpu ARCH aarch64
  HALIDE arm-64-linux
  FLAGS asimd)
sylvite_target(cuda_75 DEVICE cuda ARCH x86_64
  HALIDE x86-64-linux-sse41-cuda-cuda_capability_75)
sylvite_target(opencl DEVICE opencl ARCH x86_64
  HALIDE x86-64-linux-sse41-opencl)
sylvite_target(arm64_android DEVICE cpu ARCH aarch64
  HALIDE arm-64-android
  BY_NAME)
sylvite_target(wasm DEVICE cpu ARCH wasm32
  HALIDE wasm-32-wasmrt-wasm_simd128-wasm_bulk_memory
  BY_NAME)
