// Cast by name, with Caffe2's arguments.
#include <array>
#include <optional>

#include "runtime/error.h"
#include "runtime/ops/all.h"
#include "runtime/ops/arguments.h"
#include "runtime/ops/bind.h"
#include "runtime/ops/dtype_argument.h"
#include "sylvite/cast.h"

namespace sylvite::internal {
namespace {

constexpr std::string_view kOp = "Cast";

constexpr std::array<ArgumentSchema, 2> kArguments = {{
    {"to", "text or integer", "", "a dtype's name, or Caffe2's type code"},
    {"from_type", "text or integer", "X's", "must be X's dtype"},
}};

Plan plan(std::span<const TensorInfo> inputs, std::span<const Argument> given,
          const Context& context) {
  const Arguments arguments(kOp, given, kArguments);
  require_argument(inputs.size() == 1, kOp, ": ", inputs.size(), " inputs, want 1");
  require_argument(arguments.has("to"), kOp,
                   ": argument to is missing, want a type name or one of Caffe2's type codes");
  const DType to = dtype_argument(arguments, "to");
  const TensorInfo& x = inputs[0];
  if (arguments.has("from_type")) {
    const DType from = dtype_argument(arguments, "from_type");
    require_argument(from == x.dtype, kOp, ": argument from_type is ", name(from),
                     ", want X's type, ", name(x.dtype));
  }
  const TensorInfo y = {.dtype = to, .shape = x.shape, .strides = {}, .device = x.device};
  return cast_plan(x, y, to, context);
}

/// The bytes stay where the type does.
void require_in_place(const OperatorDef& def, DType from, DType to) {
  require_argument(from == to || def.inputs[0] != def.outputs[0], def.type, ": output ",
                   def.outputs[0], " is its input and would change from ", name(from), " to ",
                   name(to), ", want another blob");
}

Runner bind(const OperatorDef& def) {
  const Arguments arguments(kOp, def.arguments, kArguments);
  arguments.require("to");
  const DType to = dtype_argument(arguments, "to");
  std::optional<DType> from;
  if (arguments.has("from_type")) from = dtype_argument(arguments, "from_type");
  return [to, from](OperatorCall& call) {
    const Tensor& x = call.input(0);
    require_argument(!from || *from == x.dtype(), kOp, ": argument from_type is ",
                     name(from.value_or(to)), ", want X's type, ", name(x.dtype()));
    require_in_place(call.def(), x.dtype(), to);
    if (to == DType::kString) return call.set_output(0, cast(x, to, call.context()));
    Tensor& y = call.output(0, to, x.shape(), x.device());
    cast(x, to, y, call.context());
  };
}

Runner bind_gradient(const OperatorDef& def) {
  const Arguments none(def.type, def.arguments, {});
  return [](OperatorCall& call) {
    const Tensor& dy = call.input(0);
    const DType to = call.input(1).dtype();
    require_argument(dy.dtype() != DType::kString && to != DType::kString, "CastGradient: dY is ",
                     name(dy.dtype()), " and X ", name(to),
                     ", want numbers: strings have no gradient");
    require_argument(dy.shape() == call.input(1).shape(), "CastGradient: dY has shape ", dy.shape(),
                     ", want X's ", call.input(1).shape());
    require_in_place(call.def(), dy.dtype(), to);
    Tensor& dx = call.output(0, to, dy.shape(), dy.device());
    cast_gradient(dy, to, dx, call.context());
  };
}

GradientDefs rule(const GradientRequest& request) {
  const Arguments arguments(kOp, request.def.arguments, kArguments);
  if (!arguments.has("from_type"))
    return gradient_by(request, "CastGradient", {request.output(0), request.def.inputs[0]});
  std::vector<Argument> to;
  for (const Argument& argument : request.def.arguments)
    if (argument.name == "from_type") to.push_back({"to", argument.value});
  return gradient_by(request, "Cast", {request.output(0)}, std::move(to));
}

/// One call per pair: every kernel is in some of them.
void warm_up(Device device, const Context& context) {
  for (int from = 0; from <= static_cast<int>(DType::kFloat64); ++from) {
    const Tensor x = Tensor::empty(static_cast<DType>(from), {1}, context, device);
    for (int to = 0; to <= static_cast<int>(DType::kFloat64); ++to)
      static_cast<void>(cast(x, static_cast<DType>(to), context));
  }
}

}  // namespace

constinit const OperatorSchema kCastSchema = {
    .name = kOp,
    .inputs = 1,
    .outputs = 1,
    .summary = "the elements as another dtype",
    .arguments = kArguments,
    .plan = plan,
    .warm_up = warm_up,
    .bind = bind,
    .in_place = true,
    .gradient_kind = GradientKind::kRule,
    .gradient = rule,
};

constinit const OperatorSchema kCastGradientSchema = {
    .name = "CastGradient",
    .inputs = 2,
    .outputs = 1,
    .summary = "a gradient as the dtype of what was cast",
    .bind = bind_gradient,
    .in_place = true,
};

}  // namespace sylvite::internal
