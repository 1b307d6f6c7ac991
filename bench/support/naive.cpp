#include "support/naive.h"

#include <cstdint>

#include "support/clones.h"

namespace sylvite_bench {
namespace {

template <typename T>
SYLVITE_BENCH_INLINE void space_to_batch_nchw(const Geometry g, const T* input, T* output) {
  const int output_batch = g.images * g.block_h * g.block_w;
  for (int out_b = 0; out_b < output_batch; ++out_b) {
    const int in_b = out_b % g.images;
    const int offset_w = (out_b / g.images) % g.block_w;
    const int offset_h = (out_b / g.images) / g.block_w;
    for (int d = 0; d < g.channels; ++d) {
      for (int out_h = 0; out_h < g.phase_h; ++out_h) {
        const int in_h = out_h * g.block_h + offset_h - g.pad_t;
        for (int out_w = 0; out_w < g.phase_w; ++out_w) {
          const int in_w = out_w * g.block_w + offset_w - g.pad_l;
          const int output_offset =
              ((out_b * g.channels + d) * g.phase_h + out_h) * g.phase_w + out_w;
          const int input_offset = ((in_b * g.channels + d) * g.height + in_h) * g.width + in_w;
          if (in_h >= 0 && in_w >= 0 && in_h < g.height && in_w < g.width)
            output[output_offset] = input[input_offset];
          else
            output[output_offset] = 0;
        }
      }
    }
  }
}

template <typename T>
SYLVITE_BENCH_INLINE void space_to_batch_nhwc(const Geometry g, const T* input, T* output) {
  const int output_batch = g.images * g.block_h * g.block_w;
  for (int out_b = 0; out_b < output_batch; ++out_b) {
    const int in_b = out_b % g.images;
    const int offset_w = (out_b / g.images) % g.block_w;
    const int offset_h = (out_b / g.images) / g.block_w;
    for (int out_h = 0; out_h < g.phase_h; ++out_h) {
      const int in_h = out_h * g.block_h + offset_h - g.pad_t;
      for (int out_w = 0; out_w < g.phase_w; ++out_w) {
        const int in_w = out_w * g.block_w + offset_w - g.pad_l;
        for (int d = 0; d < g.channels; ++d) {
          const int output_offset =
              ((out_b * g.phase_h + out_h) * g.phase_w + out_w) * g.channels + d;
          const int input_offset = ((in_b * g.height + in_h) * g.width + in_w) * g.channels + d;
          if (in_h >= 0 && in_w >= 0 && in_h < g.height && in_w < g.width)
            output[output_offset] = input[input_offset];
          else
            output[output_offset] = 0;
        }
      }
    }
  }
}

template <typename T>
SYLVITE_BENCH_INLINE void batch_to_space_nchw(const Geometry g, const T* input, T* output) {
  const int input_batch = g.images * g.block_h * g.block_w;
  for (int in_b = 0; in_b < input_batch; ++in_b) {
    const int out_b = in_b % g.images;
    const int offset_w = (in_b / g.images) % g.block_w;
    const int offset_h = (in_b / g.images) / g.block_w;
    for (int d = 0; d < g.channels; ++d) {
      for (int in_h = 0; in_h < g.phase_h; ++in_h) {
        const int out_h = in_h * g.block_h + offset_h - g.pad_t;
        for (int in_w = 0; in_w < g.phase_w; ++in_w) {
          const int out_w = in_w * g.block_w + offset_w - g.pad_l;
          if (out_h >= 0 && out_w >= 0 && out_h < g.height && out_w < g.width) {
            const int output_offset =
                ((out_b * g.channels + d) * g.height + out_h) * g.width + out_w;
            const int input_offset =
                ((in_b * g.channels + d) * g.phase_h + in_h) * g.phase_w + in_w;
            output[output_offset] = input[input_offset];
          }
        }
      }
    }
  }
}

template <typename T>
SYLVITE_BENCH_INLINE void batch_to_space_nhwc(const Geometry g, const T* input, T* output) {
  const int input_batch = g.images * g.block_h * g.block_w;
  for (int in_b = 0; in_b < input_batch; ++in_b) {
    const int out_b = in_b % g.images;
    const int offset_w = (in_b / g.images) % g.block_w;
    const int offset_h = (in_b / g.images) / g.block_w;
    for (int in_h = 0; in_h < g.phase_h; ++in_h) {
      const int out_h = in_h * g.block_h + offset_h - g.pad_t;
      for (int in_w = 0; in_w < g.phase_w; ++in_w) {
        const int out_w = in_w * g.block_w + offset_w - g.pad_l;
        for (int d = 0; d < g.channels; ++d) {
          if (out_h >= 0 && out_w >= 0 && out_h < g.height && out_w < g.width) {
            const int output_offset =
                ((out_b * g.height + out_h) * g.width + out_w) * g.channels + d;
            const int input_offset =
                ((in_b * g.phase_h + in_h) * g.phase_w + in_w) * g.channels + d;
            output[output_offset] = input[input_offset];
          }
        }
      }
    }
  }
}

template <typename T>
SYLVITE_BENCH_INLINE void space_to_batch(const Geometry& g, const void* x, void* y) {
  if (g.channels_last)
    space_to_batch_nhwc(g, static_cast<const T*>(x), static_cast<T*>(y));
  else
    space_to_batch_nchw(g, static_cast<const T*>(x), static_cast<T*>(y));
}

template <typename T>
SYLVITE_BENCH_INLINE void batch_to_space(const Geometry& g, const void* x, void* y) {
  if (g.channels_last)
    batch_to_space_nhwc(g, static_cast<const T*>(x), static_cast<T*>(y));
  else
    batch_to_space_nchw(g, static_cast<const T*>(x), static_cast<T*>(y));
}

}  // namespace

SYLVITE_BENCH_CLONES
void naive_space_to_batch(const Geometry& geometry, int element_bytes, const void* image,
                          void* phases) {
  switch (element_bytes) {
    case 1:
      return space_to_batch<uint8_t>(geometry, image, phases);
    case 2:
      return space_to_batch<uint16_t>(geometry, image, phases);
    case 4:
      return space_to_batch<uint32_t>(geometry, image, phases);
    default:
      return space_to_batch<uint64_t>(geometry, image, phases);
  }
}

SYLVITE_BENCH_CLONES
void naive_batch_to_space(const Geometry& geometry, int element_bytes, const void* phases,
                          void* image) {
  switch (element_bytes) {
    case 1:
      return batch_to_space<uint8_t>(geometry, phases, image);
    case 2:
      return batch_to_space<uint16_t>(geometry, phases, image);
    case 4:
      return batch_to_space<uint32_t>(geometry, phases, image);
    default:
      return batch_to_space<uint64_t>(geometry, phases, image);
  }
}

}  // namespace sylvite_bench
