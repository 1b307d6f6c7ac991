// Loops of others, compiled for the machine at hand.
#pragma once

// As good as -march=native, and the program still starts on another machine.
#if defined(__x86_64__)
#define SYLVITE_BENCH_CLONES \
  __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define SYLVITE_BENCH_CLONES
#endif
#define SYLVITE_BENCH_INLINE __attribute__((always_inline)) inline
