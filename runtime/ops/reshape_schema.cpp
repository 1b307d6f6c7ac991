// The shape operators by name, with Caffe2's arguments.
#include <algorithm>
#include <array>
#include <memory>

#include "runtime/checked.h"
#include "runtime/copy_tensor.h"
#include "runtime/error.h"
#include "runtime/ops/all.h"
#include "runtime/ops/arguments.h"
#include "runtime/ops/bind.h"
#include "runtime/ops/reshape.h"
#include "runtime/plan.h"
#include "runtime/shape.h"

namespace sylvite::internal {
namespace {

/// A view, or the dense copy that stands in for it.
struct ShapePlan : Plan::State {
  ShapePlan(const TensorInfo& in, const ShapeChange& to, const Context& with)
      : State(to.op, in, {.dtype = in.dtype, .shape = to.shape, .device = in.device}, with),
        change(to) {
    x.strides = strides_of(x);
    y.strides = dense_strides(to.shape);
    explanation.op = op;
    explanation.kernel = change.strides ? "view" : "none";
    explanation.target = "none";
    explanation.variant = "plain";
    explanation.output_shape = y.shape;
    if (change.strides || *checked_count(x.shape) == 0) return;
    Call call(context, x.device, op, &explanation);
    explain_copy(call, x, {.dtype = x.dtype, .shape = x.shape, .device = x.device});
  }

  void run(const Tensor& from, Tensor& to) const override {
    change_shape(from, change, to, context);
  }

  ShapeChange change;
};

TensorInfo tensor_input(std::string_view op, std::span<const TensorInfo> inputs, size_t count) {
  require_argument(inputs.size() == count, op, ": ", inputs.size(), " inputs, want ", count);
  for (const TensorInfo& input : inputs)
    require_tensor(input, op, &input == inputs.data() ? "X" : "like");
  return inputs[0];
}

Plan plan_of(const TensorInfo& x, const ShapeChange& change, const Context& context) {
  return Plan(std::make_shared<ShapePlan>(x, change, context));
}

using Inputs = std::span<const TensorInfo>;
using Given = std::span<const Argument>;

constexpr std::array<ArgumentSchema, 1> kInsertedDims = {
    {{"dims", "integers", "", "positions in the output; negative ones count from its end"}}};
constexpr std::array<ArgumentSchema, 1> kRemovedDims = {
    {{"dims", "integers", "all of extent 1", "axes; negative ones count from the end"}}};
constexpr std::array<ArgumentSchema, 1> kShape = {
    {{"shape", "integers", "", "extents; 0 copies X's, one -1 is inferred; or as second input"}}};

Plan plan_expand_dims(Inputs inputs, Given given, const Context& context) {
  const Arguments arguments("ExpandDims", given, kInsertedDims);
  const TensorInfo x = tensor_input("ExpandDims", inputs, 1);
  return plan_of(x, expand_dims_change(x, arguments.integers("dims")), context);
}

Plan plan_squeeze(Inputs inputs, Given given, const Context& context) {
  const Arguments arguments("Squeeze", given, kRemovedDims);
  const TensorInfo x = tensor_input("Squeeze", inputs, 1);
  return plan_of(x, squeeze_change(x, arguments.integers("dims")), context);
}

Plan plan_reshape(Inputs inputs, Given given, const Context& context) {
  const Arguments arguments("Reshape", given, kShape);
  const TensorInfo x = tensor_input("Reshape", inputs, 1);
  require_argument(arguments.has("shape"), "Reshape: argument shape is missing, want the extents");
  return plan_of(x, reshape_change(x, Shape(arguments.integers("shape"))), context);
}

Plan plan_reshape_like(Inputs inputs, Given given, const Context& context) {
  const Arguments arguments("ReshapeLike", given, {});
  const TensorInfo x = tensor_input("ReshapeLike", inputs, 2);
  return plan_of(x, reshape_like_change(x, inputs[1].shape), context);
}

Runner bind_expand_dims(const OperatorDef& def) {
  const Arguments arguments(def.type, def.arguments, kInsertedDims);
  return [dims = arguments.integers("dims")](OperatorCall& call) {
    call.set_output(0, expand_dims(call.input(0), dims));
  };
}

Runner bind_squeeze(const OperatorDef& def) {
  const Arguments arguments(def.type, def.arguments, kRemovedDims);
  return [dims = arguments.integers("dims")](OperatorCall& call) {
    call.set_output(0, squeeze(call.input(0), dims));
  };
}

/// A view where strides allow one, else a copy in the output's own memory.
void run_change(OperatorCall& call, const ShapeChange& change) {
  const Tensor& x = call.input(0);
  if (change.strides || x.dtype() == DType::kString)
    return call.set_output(0, change_shape(x, change, call.context()));
  Tensor& y = call.output(0, x.dtype(), change.shape, x.device());
  change_shape(x, change, y, call.context());
}

Runner bind_reshape(const OperatorDef& def) {
  const Arguments arguments(def.type, def.arguments, kShape);
  const bool by_tensor = def.inputs.size() > 1;
  require_argument(by_tensor != arguments.has("shape"), "Reshape: ",
                   by_tensor ? "argument shape beside a second input" : "argument shape is missing",
                   ", want the extents as one of the two");
  Shape wanted;
  if (!by_tensor) wanted = Shape(arguments.integers("shape"));
  return [by_tensor, wanted](OperatorCall& call) {
    const Tensor& x = call.input(0);
    const Shape shape = by_tensor ? shape_from(call.input(1), "Reshape") : wanted;
    const ShapeChange change = reshape_change(x.info(), shape);
    if (call.outputs() > 1) {
      const Tensor& old = call.output(1, DType::kInt64, {x.rank()});
      std::copy(x.shape().begin(), x.shape().end(), old.data_as<int64_t>());
    }
    run_change(call, change);
  };
}

Runner bind_reshape_like(const OperatorDef& def) {
  const Arguments none(def.type, def.arguments, {});
  return [](OperatorCall& call) {
    run_change(call, reshape_like_change(call.input(0).info(), call.input(1).shape()));
  };
}

GradientDefs expand_dims_rule(const GradientRequest& request) {
  // Without axes there is nothing to remove, where Squeeze would remove all.
  const Arguments arguments(request.def.type, request.def.arguments, kInsertedDims);
  if (arguments.integers("dims").empty())
    return gradient_by(request, "ExpandDims", {request.output(0)}, request.def.arguments);
  return gradient_by(request, "Squeeze", {request.output(0)}, request.def.arguments);
}

GradientDefs squeeze_rule(const GradientRequest& request) {
  const Arguments arguments(request.def.type, request.def.arguments, kRemovedDims);
  if (arguments.integers("dims").empty())
    return gradient_by(request, "ReshapeLike", {request.output(0), request.def.inputs[0]});
  return gradient_by(request, "ExpandDims", {request.output(0)}, request.def.arguments);
}

GradientDefs reshape_rule(const GradientRequest& request) {
  if (!request.overwritten[0])
    return gradient_by(request, "ReshapeLike", {request.output(0), request.def.inputs[0]});
  require_argument(request.def.outputs.size() > 1, "Reshape: its input ", request.def.inputs[0],
                   " is overwritten, want the old shape as second output for the gradient");
  return gradient_by(request, "Reshape", {request.output(0), request.def.outputs[1]});
}

GradientDefs reshape_like_rule(const GradientRequest& request) {
  return gradient_by(request, "ReshapeLike", {request.output(0), request.def.inputs[0]});
}

/// A view needs no kernel; a copy takes the box kernels, which SpaceToBatch loads.
void no_warm_up(Device, const Context&) {}

}  // namespace

constinit const OperatorSchema kExpandDimsSchema = {
    .name = "ExpandDims",
    .inputs = 1,
    .outputs = 1,
    .summary = "inserts axes of extent 1, as a view",
    .arguments = kInsertedDims,
    .plan = plan_expand_dims,
    .warm_up = no_warm_up,
    .bind = bind_expand_dims,
    .in_place = true,
    .gradient_kind = GradientKind::kRule,
    .gradient = expand_dims_rule,
};

constinit const OperatorSchema kSqueezeSchema = {
    .name = "Squeeze",
    .inputs = 1,
    .outputs = 1,
    .summary = "removes axes of extent 1, as a view",
    .arguments = kRemovedDims,
    .plan = plan_squeeze,
    .warm_up = no_warm_up,
    .bind = bind_squeeze,
    .in_place = true,
    .gradient_kind = GradientKind::kRule,
    .gradient = squeeze_rule,
};

constinit const OperatorSchema kReshapeSchema = {
    .name = "Reshape",
    .inputs = {1, 2},
    .outputs = {1, 2},
    .summary = "the same elements under another shape, as a view where strides allow one",
    .arguments = kShape,
    .plan = plan_reshape,
    .warm_up = no_warm_up,
    .bind = bind_reshape,
    .in_place = true,
    .gradient_kind = GradientKind::kRule,
    .gradient = reshape_rule,
};

constinit const OperatorSchema kReshapeLikeSchema = {
    .name = "ReshapeLike",
    .inputs = 2,
    .outputs = 1,
    .summary = "the same elements under another tensor's shape",
    .plan = plan_reshape_like,
    .warm_up = no_warm_up,
    .bind = bind_reshape_like,
    .in_place = true,
    .gradient_kind = GradientKind::kRule,
    .gradient = reshape_like_rule,
};

}  // namespace sylvite::internal
