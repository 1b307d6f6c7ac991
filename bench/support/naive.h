// The loops of Caffe2's CPU operators: one element at a time, one thread.
#pragma once

namespace sylvite_bench {

/// The image side and the side of its phases; `int` as in Caffe2. One spatial axis: heights of 1.
struct Geometry {
  int images = 1, channels = 1, height = 1, width = 1;
  int block_h = 1, block_w = 1, pad_t = 0, pad_l = 0;
  int phase_h = 1, phase_w = 1;
  bool channels_last = false;
};

/// Caffe2's spaceToBatch with the data pointers taken out of the loop. NHWC, which Caffe2 has not:
/// the same loop with the channel innermost. element_bytes: 1, 2, 4 or 8.
void naive_space_to_batch(const Geometry& geometry, int element_bytes, const void* image,
                          void* phases);

/// Caffe2's batchToSpace, alike.
void naive_batch_to_space(const Geometry& geometry, int element_bytes, const void* phases,
                          void* image);

}  // namespace sylvite_bench
