// Add, Mul, Sum, ConstantFill and SquaredL2 by name: what nets around moving operators need.
#include <array>

#include "runtime/error.h"
#include "runtime/ops/all.h"
#include "runtime/ops/arguments.h"
#include "runtime/ops/bind.h"
#include "runtime/ops/dtype_argument.h"
#include "sylvite/arithmetic.h"

namespace sylvite::internal {
namespace {

using Elementwise = void (*)(const Tensor& a, const Tensor& b, Tensor& y, const Context& context);

template <Elementwise kFunction>
Runner bind_elementwise(const OperatorDef& def) {
  const Arguments none(def.type, def.arguments, {});
  return [](OperatorCall& call) {
    const Tensor& a = call.input(0);
    const Tensor& b = call.input(1);
    Tensor& y = call.output(0, a.dtype(), broadcast_shape(a.info(), b.info()), a.device());
    kFunction(a, b, y, call.context());
  };
}

/// The gradient of input i, summed over what was broadcast: of dY, or of what `product` names.
void add_reduced(const GradientRequest& request, size_t i, const std::string& dy,
                 GradientDefs& made) {
  made.inputs[i] = request.input(i);
  made.operators.push_back({.type = "ExpandGradient",
                            .inputs = {dy, request.def.inputs[i]},
                            .outputs = {*made.inputs[i]},
                            .device = request.def.device});
}

GradientDefs add_rule(const GradientRequest& request) {
  GradientDefs made{.operators = {}, .inputs = std::vector<std::optional<std::string>>(2)};
  for (const size_t i : {size_t{0}, size_t{1}}) add_reduced(request, i, request.output(0), made);
  return made;
}

GradientDefs mul_rule(const GradientRequest& request) {
  GradientDefs made{.operators = {}, .inputs = std::vector<std::optional<std::string>>(2)};
  for (const size_t i : {size_t{0}, size_t{1}}) {
    const std::string product = request.input(i) + "_product";
    made.operators.push_back({.type = "Mul",
                              .inputs = {request.output(0), request.def.inputs[1 - i]},
                              .outputs = {product},
                              .device = request.def.device});
    add_reduced(request, i, product, made);
  }
  return made;
}

Runner bind_sum(const OperatorDef& def) {
  const Arguments none(def.type, def.arguments, {});
  return [x = std::vector<Tensor>()](OperatorCall& call) mutable {
    const HandlesForACall<Tensor> handles(x);
    x.resize(static_cast<size_t>(call.inputs()));
    for (int i = 0; i < call.inputs(); ++i) x[static_cast<size_t>(i)] = call.input(i);
    Tensor& y = call.output(0, x[0].dtype(), x[0].shape(), x[0].device());
    sum(x, y, call.context());
  };
}

/// Every input has dY itself for its gradient.
GradientDefs sum_rule(const GradientRequest& request) {
  return {.operators = {},
          .inputs = std::vector<std::optional<std::string>>(request.def.inputs.size(),
                                                            request.output(0))};
}

constexpr std::array<ArgumentSchema, 3> kFillArguments = {{
    {"shape", "integers", "[]", "extents; or those of an input"},
    {"value", "number", "0", "of every element"},
    {"dtype", "text or integer", "float32",
     "a dtype's name, or Caffe2's type code; \"input\" for the input's own"},
}};

Runner bind_constant_fill(const OperatorDef& def) {
  const Arguments arguments(def.type, def.arguments, kFillArguments);
  const bool like = !def.inputs.empty();
  require_argument(!like || !arguments.has("shape"), def.type,
                   ": argument shape beside an input, want the extents as one of the two");
  const double value = arguments.number("value", 0);
  const bool like_type =
      like && arguments.is_text("dtype") && arguments.text("dtype", {}) == "input";
  const DType given =
      arguments.has("dtype") && !like_type ? dtype_argument(arguments, "dtype") : DType::kFloat32;
  return [like, like_type, value, given,
          wanted = Shape(arguments.integers("shape"))](OperatorCall& call) {
    const Shape shape = like ? call.input(0).shape() : wanted;
    const DType dtype = like_type ? call.input(0).dtype() : given;
    const Device device = like ? call.input(0).device() : Device{.kind = call.def().device};
    Tensor& y = call.output(0, dtype, shape, device);
    constant_fill(value, y, call.context());
  };
}

Runner bind_squared_l2(const OperatorDef& def) {
  const Arguments none(def.type, def.arguments, {});
  return [](OperatorCall& call) {
    const Tensor& x = call.input(0);
    squared_l2(x, call.output(0, x.dtype(), {}, x.device()), call.context());
  };
}

Runner bind_squared_l2_gradient(const OperatorDef& def) {
  const Arguments none(def.type, def.arguments, {});
  return [](OperatorCall& call) {
    const Tensor& x = call.input(0);
    Tensor& dx = call.output(0, x.dtype(), x.shape(), x.device());
    squared_l2_gradient(x, call.input(1), dx, call.context());
  };
}

GradientDefs squared_l2_rule(const GradientRequest& request) {
  return gradient_by(request, "SquaredL2Gradient", {request.def.inputs[0], request.output(0)});
}

}  // namespace

constinit const OperatorSchema kAddSchema = {
    .name = "Add",
    .inputs = 2,
    .outputs = 1,
    .summary = "the sum of two tensors that broadcast against each other",
    .bind = bind_elementwise<add>,
    .in_place = true,
    .gradient_kind = GradientKind::kRule,
    .gradient = add_rule,
};

constinit const OperatorSchema kMulSchema = {
    .name = "Mul",
    .inputs = 2,
    .outputs = 1,
    .summary = "the product, element by element, of two tensors that broadcast",
    .bind = bind_elementwise<mul>,
    .in_place = true,
    .gradient_kind = GradientKind::kRule,
    .gradient = mul_rule,
};

constinit const OperatorSchema kSumSchema = {
    .name = "Sum",
    .inputs = {1, Arity::kAny},
    .outputs = 1,
    .summary = "the sum of tensors of one shape, in their order",
    .bind = bind_sum,
    .in_place = true,
    .gradient_kind = GradientKind::kRule,
    .gradient = sum_rule,
};

constinit const OperatorSchema kConstantFillSchema = {
    .name = "ConstantFill",
    .inputs = {0, 1},
    .outputs = 1,
    .summary = "one value in every element",
    .arguments = kFillArguments,
    .bind = bind_constant_fill,
    .in_place = true,
    .gradient_kind = GradientKind::kNone,
};

constinit const OperatorSchema kSquaredL2Schema = {
    .name = "SquaredL2",
    .inputs = 1,
    .outputs = 1,
    .summary = "half the sum of squares",
    .bind = bind_squared_l2,
    .gradient_kind = GradientKind::kRule,
    .gradient = squared_l2_rule,
};

constinit const OperatorSchema kSquaredL2GradientSchema = {
    .name = "SquaredL2Gradient",
    .inputs = 2,
    .outputs = 1,
    .summary = "X times the gradient of its half sum of squares",
    .bind = bind_squared_l2_gradient,
};

}  // namespace sylvite::internal
