// What the arithmetic helpers share: their checks, and the elementwise kernels.
#pragma once

#include <span>
#include <string_view>

#include "runtime/move.h"
#include "sylvite/tensor.h"

namespace sylvite::internal {

/// Throws kUnsupported for strings, kInvalidArgument for bool.
void require_numeric(DType dtype, std::string_view op, std::string_view argument);

/// Throws kUnsupported for every dtype but float32 and float64, kInvalidArgument for bool.
void require_float(DType dtype, std::string_view op, std::string_view argument);

/// Throws kInvalidArgument where x and the other tensor are on different devices.
void require_same_device(const Tensor& x, const Tensor& other, std::string_view op,
                         std::string_view argument);
/// And kUnsupported where that is a GPU.
void require_on_cpu(const Tensor& x, const Tensor& other, std::string_view op,
                    std::string_view argument);

/// Throws kInvalidArgument unless y can take an output, in the memory of x at most where every element
/// of y is at the place of x's, as `x_strides` along y's axes see it.
void require_apart_or_same(const Tensor& x, const Shape& x_strides, const Tensor& y,
                           std::string_view op, std::string_view argument);

/// Shape that both broadcast to. The names are those of the arguments.
Shape broadcast(const Shape& a, const Shape& b, std::string_view op, std::string_view a_name,
                std::string_view b_name);

enum class Elementwise : uint8_t { kAdd, kMul };

/// y = a + b or a * b, y of the shape that both broadcast to. Validated.
void run_elementwise(Call& call, Elementwise what, const Tensor& a, const Tensor& b,
                     const Tensor& y);

/// y = x[0] + x[1] + …, of one shape. Validated.
void run_sum(Call& call, std::span<const Tensor> x, const Tensor& y);

/// Half the sum of squares, into the one element of `loss`. Validated.
void run_squared_l2(Call& call, const Tensor& x, const Tensor& loss);

}  // namespace sylvite::internal
