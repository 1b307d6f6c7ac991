// MatMul and Conv by name, with Caffe2's arguments.
#include <array>

#include "runtime/error.h"
#include "runtime/ops/all.h"
#include "runtime/ops/arguments.h"
#include "runtime/ops/bind.h"
#include "sylvite/conv.h"

namespace sylvite::internal {
namespace {

constexpr std::array<ArgumentSchema, 2> kMatMulArguments = {{
    {"trans_a", "integer", "0", "A is [K, M]"},
    {"trans_b", "integer", "0", "B is [N, K]"},
}};

MatMulArgs parse_matmul(const OperatorDef& def) {
  const Arguments arguments(def.type, def.arguments, kMatMulArguments);
  return {.transpose_a = arguments.integer("trans_a", 0) != 0,
          .transpose_b = arguments.integer("trans_b", 0) != 0};
}

Runner bind_matmul(const OperatorDef& def) {
  return [args = parse_matmul(def)](OperatorCall& call) {
    const Tensor& a = call.input(0);
    const Tensor& b = call.input(1);
    Tensor& y = call.output(0, a.dtype(), matmul_shape(a.info(), b.info(), args), a.device());
    matmul(a, b, args, y, call.context());
  };
}

/// dA = dY Bᵀ and dB = Aᵀ dY, each turned where its operand was.
GradientDefs matmul_rule(const GradientRequest& request) {
  const MatMulArgs args = parse_matmul(request.def);
  const std::string& a = request.def.inputs[0];
  const std::string& b = request.def.inputs[1];
  const std::string& dy = request.output(0);
  const auto product = [&](std::string left, std::string right, bool turn_left, bool turn_right,
                           size_t i) {
    return OperatorDef{
        .type = "MatMul",
        .inputs = {std::move(left), std::move(right)},
        .outputs = {request.input(i)},
        .arguments = {{"trans_a", int64_t{turn_left}}, {"trans_b", int64_t{turn_right}}},
        .device = request.def.device};
  };
  GradientDefs made;
  made.operators.push_back(args.transpose_a ? product(b, dy, args.transpose_b, true, 0)
                                            : product(dy, b, false, !args.transpose_b, 0));
  made.operators.push_back(args.transpose_b ? product(dy, a, true, args.transpose_a, 1)
                                            : product(a, dy, !args.transpose_a, false, 1));
  made.inputs = {request.input(0), request.input(1)};
  return made;
}

constexpr std::array<ArgumentSchema, 9> kConvArguments = {{
    {"stride", "integer", "1", "what stride_h and stride_w are by default"},
    {"stride_h", "integer", "stride", "rows from one place of the filter to the next"},
    {"stride_w", "integer", "stride", "columns from one place of the filter to the next"},
    {"pad", "integer", "0", "what pad_t, pad_l, pad_b and pad_r are by default"},
    {"pad_t", "integer", "pad", "rows of zeros above"},
    {"pad_l", "integer", "pad", "columns of zeros to the left"},
    {"pad_b", "integer", "pad", "rows of zeros below"},
    {"pad_r", "integer", "pad", "columns of zeros to the right"},
    {"kernel", "integer", "W's", "must be W's height and width"},
}};

struct ParsedConv {
  ConvArgs args;
  int64_t kernel;
};

ParsedConv parse_conv(const OperatorDef& def) {
  const Arguments arguments(def.type, def.arguments, kConvArguments);
  const int64_t stride = arguments.integer("stride", 1);
  return {.args = {.strides = {arguments.integer("stride_h", stride),
                               arguments.integer("stride_w", stride)},
                   .paddings = arguments.pads()},
          .kernel = arguments.integer("kernel", 0)};
}

void require_kernel(const OperatorCall& call, const Tensor& w, int64_t kernel) {
  require_argument(
      kernel == 0 || (w.rank() == 4 && w.shape()[2] == kernel && w.shape()[3] == kernel),
      call.def().type, ": argument kernel is ", kernel, ", want that of W of shape ", w.shape());
}

Runner bind_conv(const OperatorDef& def) {
  return [p = parse_conv(def)](OperatorCall& call) {
    const Tensor& x = call.input(0);
    const Tensor& w = call.input(1);
    require_kernel(call, w, p.kernel);
    Tensor& y = call.output(0, x.dtype(), conv_shape(x.info(), w.info(), p.args), x.device());
    if (call.inputs() == 3) {
      conv(x, w, call.input(2), p.args, y, call.context());
    } else {
      conv(x, w, p.args, y, call.context());
    }
  };
}

/// Inputs X, W, dY; outputs dW, db where there is a bias, dX: Caffe2's order.
Runner bind_conv_gradient(const OperatorDef& def) {
  return [p = parse_conv(def)](OperatorCall& call) {
    const Tensor& x = call.input(0);
    const Tensor& w = call.input(1);
    const Tensor& dy = call.input(2);
    require_kernel(call, w, p.kernel);
    Tensor& dw = call.output(0, w.dtype(), w.shape(), w.device());
    conv_gradient_filter(x, dy, w.shape(), p.args, dw, call.context());
    if (call.outputs() == 3) {
      Tensor& db = call.output(1, dy.dtype(), {w.shape()[0]}, dy.device());
      conv_gradient_bias(dy, db, call.context());
    }
    Tensor& dx = call.output(call.outputs() - 1, x.dtype(), x.shape(), x.device());
    conv_gradient_input(dy, w, x.shape(), p.args, dx, call.context());
  };
}

GradientDefs conv_rule(const GradientRequest& request) {
  const bool bias = request.def.inputs.size() == 3;
  GradientDefs made{.operators = {}, .inputs = {request.input(0), request.input(1)}};
  OperatorDef gradient{.type = "ConvGradient",
                       .inputs = {request.def.inputs[0], request.def.inputs[1], request.output(0)},
                       .outputs = {request.input(1), request.input(0)},
                       .arguments = request.def.arguments,
                       .device = request.def.device};
  if (bias) {
    made.inputs.emplace_back(request.input(2));
    gradient.outputs.insert(gradient.outputs.begin() + 1, request.input(2));
  }
  made.operators.push_back(std::move(gradient));
  return made;
}

}  // namespace

constinit const OperatorSchema kMatMulSchema = {
    .name = "MatMul",
    .inputs = 2,
    .outputs = 1,
    .summary = "the product of two matrices",
    .arguments = kMatMulArguments,
    .bind = bind_matmul,
    .gradient_kind = GradientKind::kRule,
    .gradient = matmul_rule,
};

constinit const OperatorSchema kConvSchema = {
    .name = "Conv",
    .inputs = {2, 3},
    .outputs = 1,
    .summary = "a plain 2-D convolution, NCHW",
    .arguments = kConvArguments,
    .bind = bind_conv,
    .gradient_kind = GradientKind::kRule,
    .gradient = conv_rule,
};

constinit const OperatorSchema kConvGradientSchema = {
    .name = "ConvGradient",
    .inputs = 3,
    .outputs = {2, 3},
    .summary = "the gradients of Conv's W, bias and X",
    .arguments = kConvArguments,
    .bind = bind_conv_gradient,
};

}  // namespace sylvite::internal
