// C: arithmetic, matrix product and convolution.
#include "runtime/c_api.h"
#include "sylvite/arithmetic.h"
#include "sylvite/conv.h"

namespace sylvite::internal::c_api {
namespace {

MatMulArgs args_of(const sylvite_matmul_args* given) {
  if (given == nullptr) return {};
  const sylvite_matmul_args args = versioned(given, "args");
  return {.transpose_a = args.transpose_a != 0, .transpose_b = args.transpose_b != 0};
}

ConvArgs args_of(const sylvite_conv_args* given) {
  if (given == nullptr) return {};
  const sylvite_conv_args args = versioned(given, "args");
  require_call(args.reserved == 0, "args.reserved is ", args.reserved, ", want 0");
  ConvArgs wanted;
  if (args.strides[0] != 0 || args.strides[1] != 0) {
    wanted.strides = {args.strides[0], args.strides[1]};
  }
  for (const sylvite_sides& side : args.paddings) {
    wanted.paddings.push_back({.before = side.before, .after = side.after});
  }
  return wanted;
}

}  // namespace
}  // namespace sylvite::internal::c_api

using namespace sylvite;
using namespace sylvite::internal::c_api;

// --- arithmetic.h ------------------------------------------------------------------------------

sylvite_status sylvite_add(const sylvite_tensor* a, const sylvite_tensor* b,
                           const sylvite_tensor* y, const sylvite_context* context) {
  return writes(__func__, y, "y",
                [&](Tensor& out) { add(input(a, "a"), input(b, "b"), out, context_of(context)); });
}

sylvite_status sylvite_mul(const sylvite_tensor* a, const sylvite_tensor* b,
                           const sylvite_tensor* y, const sylvite_context* context) {
  return writes(__func__, y, "y",
                [&](Tensor& out) { mul(input(a, "a"), input(b, "b"), out, context_of(context)); });
}

sylvite_status sylvite_broadcast_shape(const sylvite_tensor* a, const sylvite_tensor* b,
                                       sylvite_shape* y_shape) {
  return tells(__func__, y_shape,
               [&] { return broadcast_shape(info_of(a, "a"), info_of(b, "b")); });
}

sylvite_status sylvite_sum(const sylvite_tensor* x, int64_t count, const sylvite_tensor* y,
                           const sylvite_context* context) {
  return writes(__func__, y, "y",
                [&](Tensor& out) { sum(inputs(x, count, "x"), out, context_of(context)); });
}

sylvite_status sylvite_constant_fill(double value, const sylvite_tensor* y,
                                     const sylvite_context* context) {
  return writes(__func__, y, "y",
                [&](Tensor& out) { constant_fill(value, out, context_of(context)); });
}

sylvite_status sylvite_squared_l2(const sylvite_tensor* x, const sylvite_tensor* loss,
                                  const sylvite_context* context) {
  return writes(__func__, loss, "loss",
                [&](Tensor& out) { squared_l2(input(x, "x"), out, context_of(context)); });
}

sylvite_status sylvite_squared_l2_gradient(const sylvite_tensor* x, const sylvite_tensor* dloss,
                                           const sylvite_tensor* dx,
                                           const sylvite_context* context) {
  return writes(__func__, dx, "dx", [&](Tensor& out) {
    squared_l2_gradient(input(x, "x"), input(dloss, "dloss"), out, context_of(context));
  });
}

// --- conv.h ------------------------------------------------------------------------------------

sylvite_status sylvite_matmul(const sylvite_tensor* a, const sylvite_tensor* b,
                              const sylvite_matmul_args* args, const sylvite_tensor* y,
                              const sylvite_context* context) {
  return writes(__func__, y, "y", [&](Tensor& out) {
    matmul(input(a, "a"), input(b, "b"), args_of(args), out, context_of(context));
  });
}

sylvite_status sylvite_matmul_shape(const sylvite_tensor* a, const sylvite_tensor* b,
                                    const sylvite_matmul_args* args, sylvite_shape* y_shape) {
  return tells(__func__, y_shape,
               [&] { return matmul_shape(info_of(a, "a"), info_of(b, "b"), args_of(args)); });
}

sylvite_status sylvite_conv(const sylvite_tensor* x, const sylvite_tensor* w,
                            const sylvite_tensor* bias, const sylvite_conv_args* args,
                            const sylvite_tensor* y, const sylvite_context* context) {
  return writes(__func__, y, "y", [&](Tensor& out) {
    if (bias == nullptr) {
      return conv(input(x, "x"), input(w, "w"), args_of(args), out, context_of(context));
    }
    conv(input(x, "x"), input(w, "w"), input(bias, "bias"), args_of(args), out,
         context_of(context));
  });
}

sylvite_status sylvite_conv_shape(const sylvite_tensor* x, const sylvite_tensor* w,
                                  const sylvite_conv_args* args, sylvite_shape* y_shape) {
  return tells(__func__, y_shape,
               [&] { return conv_shape(info_of(x, "x"), info_of(w, "w"), args_of(args)); });
}

sylvite_status sylvite_conv_gradient_input(const sylvite_tensor* dy, const sylvite_tensor* w,
                                           const sylvite_conv_args* args, const sylvite_tensor* dx,
                                           const sylvite_context* context) {
  return writes(__func__, dx, "dx", [&](Tensor& out) {
    conv_gradient_input(input(dy, "dy"), input(w, "w"), out.shape(), args_of(args), out,
                        context_of(context));
  });
}

sylvite_status sylvite_conv_gradient_filter(const sylvite_tensor* x, const sylvite_tensor* dy,
                                            const sylvite_conv_args* args, const sylvite_tensor* dw,
                                            const sylvite_context* context) {
  return writes(__func__, dw, "dw", [&](Tensor& out) {
    conv_gradient_filter(input(x, "x"), input(dy, "dy"), out.shape(), args_of(args), out,
                         context_of(context));
  });
}

sylvite_status sylvite_conv_gradient_bias(const sylvite_tensor* dy, const sylvite_tensor* db,
                                          const sylvite_context* context) {
  return writes(__func__, db, "db", [&](Tensor& out) {
    conv_gradient_bias(input(dy, "dy"), out, context_of(context));
  });
}
