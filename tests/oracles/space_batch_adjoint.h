// What Halide makes of space_batch_adjoint.cpp.
#pragma once

#include <HalideRuntime.h>

#include <cstdint>

extern "C" int space_batch_adjoint(halide_buffer_t* image, halide_buffer_t* phases, int32_t block_h,
                                   int32_t block_w, int32_t top, int32_t left,
                                   halide_buffer_t* image_gradient,
                                   halide_buffer_t* phases_gradient);
