// Stack, Unstack, Concat and Split by name, with Caffe2's arguments where it has the operator.
#include <algorithm>
#include <array>
#include <limits>
#include <vector>

#include "runtime/error.h"
#include "runtime/ops/all.h"
#include "runtime/ops/arguments.h"
#include "runtime/ops/bind.h"
#include "sylvite/join.h"

namespace sylvite::internal {
namespace {

constexpr std::array<ArgumentSchema, 1> kStackArguments = {
    {{"axis", "integer", "0", "the new axis of Y; negative ones count from its end"}}};
constexpr std::array<ArgumentSchema, 3> kConcatArguments = {{
    {"axis", "integer", "that of the channels", "of Y; negative ones count from its end"},
    {"order", "text", "NCHW", "NCHW or NHWC, instead of axis: where the channels are"},
    {"add_axis", "integer", "0", "1: axis is a new one, as Stack has it"},
}};
constexpr std::array<ArgumentSchema, 4> kSplitArguments = {{
    {"axis", "integer", "that of the channels", "of X; negative ones count from its end"},
    {"order", "text", "NCHW", "NCHW or NHWC, instead of axis: where the channels are"},
    {"split", "integers", "equal parts", "the extent of each output; or as second input"},
    {"add_axis", "integer", "0", "1: each output lacks the axis, as Unstack has it"},
}};

int checked_int(std::string_view op, int64_t axis) {
  require_argument(axis >= -kMaxRank && axis < kMaxRank, op, ": axis is ", axis, ", want ",
                   -kMaxRank, " to ", kMaxRank - 1);
  return static_cast<int>(axis);
}

int stack_axis(const OperatorDef& def) {
  return checked_int(def.type,
                     Arguments(def.type, def.arguments, kStackArguments).integer("axis", 0));
}

void require_axis(std::string_view op, int axis, int rank) {
  require_argument(axis >= -rank && axis < rank, op, ": axis is ", axis, ", want ", -rank, " to ",
                   rank - 1, " for a tensor of rank ", rank);
}

/// Where parts are joined.
struct Joint {
  int axis = 0;
  bool is_new = false;
};

Joint joint_of(const Arguments& arguments) {
  const std::string_view order = arguments.text("order", "NCHW");
  require_argument(order == "NCHW" || order == "NHWC", arguments.op(), R"(: argument order is ")",
                   order, R"(", want "NCHW" or "NHWC")");
  require_argument(!arguments.has("order") || !arguments.has("axis"), arguments.op(),
                   ": argument order beside axis, want one of the two");
  const bool is_new = arguments.integer("add_axis", 0) != 0;
  require_argument(!is_new || arguments.has("axis"), arguments.op(),
                   ": argument add_axis without axis, want the new axis");
  const int64_t channels = order == "NHWC" ? 3 : 1;
  return {.axis = checked_int(arguments.op(), arguments.integer("axis", channels)),
          .is_new = is_new};
}

/// The tensors of a call, their memory kept for the next one.
struct Handles {
  std::vector<Tensor> x;
  std::vector<TensorInfo> infos;
};

/// Stack, or Concat. The second output, where there is one, is Caffe2's split_info: the extents of the
/// inputs at the axis.
void run_join(OperatorCall& call, Handles& handles, const Joint& joint) {
  const HandlesForACall<Tensor> for_this_call(handles.x);
  handles.infos.clear();
  for (int i = 0; i < call.inputs(); ++i) {
    handles.x.push_back(call.input(i));
    handles.infos.push_back(call.input(i).info());
  }
  const std::vector<Tensor>& x = handles.x;
  const Shape shape = joint.is_new ? stack_shape(handles.infos, joint.axis)
                                   : concat_shape(handles.infos, joint.axis);
  const int axis = joint.axis < 0 ? joint.axis + shape.rank() : joint.axis;
  const auto size_of = [&](size_t i) { return joint.is_new ? 1 : x[i].shape()[axis]; };
  Tensor sizes;
  if (call.outputs() > 1) {
    for (size_t i = 0; i < x.size(); ++i) {
      require_argument(size_of(i) <= std::numeric_limits<int32_t>::max(), call.def().type, ": X[",
                       i, "] has extent ", size_of(i), " at axis ", axis,
                       ", want what the second output, int32, can count");
    }
    sizes = call.output(1, DType::kInt32, {call.inputs()});
  }
  if (x[0].dtype() == DType::kString) {
    call.set_output(
        0, joint.is_new ? stack(x, axis, call.context()) : concat(x, axis, call.context()));
  } else {
    Tensor& y = call.output(0, x[0].dtype(), shape, x[0].device());
    joint.is_new ? stack(x, axis, y, call.context()) : concat(x, axis, y, call.context());
  }
  for (int64_t i = 0; i < sizes.element_count(); ++i)
    sizes.data_as<int32_t>()[i] = static_cast<int32_t>(size_of(static_cast<size_t>(i)));
}

Runner bind_stack(const OperatorDef& def) {
  return [joint = Joint{.axis = stack_axis(def), .is_new = true},
          handles = Handles()](OperatorCall& call) mutable { run_join(call, handles, joint); };
}

Runner bind_concat(const OperatorDef& def) {
  const Arguments arguments(def.type, def.arguments, kConcatArguments);
  return [joint = joint_of(arguments), handles = Handles()](OperatorCall& call) mutable {
    run_join(call, handles, joint);
  };
}

/// The outputs of a call that takes y apart: each of the sizes, or one entry and without the axis.
void run_part(OperatorCall& call, const Tensor& y, std::span<const int64_t> sizes,
              const Joint& joint, std::vector<Tensor>& x) {
  const HandlesForACall<Tensor> for_this_call(x);
  const std::string_view op = call.def().type;
  require_axis(op, joint.axis, y.rank());
  const int axis = joint.axis < 0 ? joint.axis + y.rank() : joint.axis;
  const auto outputs = static_cast<size_t>(call.outputs());
  const int64_t parts = joint.is_new ? y.shape()[axis] : static_cast<int64_t>(sizes.size());
  require_argument(parts == call.outputs(), op, ": ", outputs, " outputs, want ", parts,
                   joint.is_new ? ", the extent of X at the axis" : ", one for each size");
  if (y.dtype() == DType::kString) {
    x = joint.is_new ? unstack(y, axis, call.context()) : split(y, sizes, axis, call.context());
    for (size_t i = 0; i < outputs; ++i) call.set_output(static_cast<int>(i), std::move(x[i]));
    return;
  }
  for (size_t i = 0; i < outputs; ++i) {
    Shape shape;
    for (int a = 0; a < y.rank(); ++a) {
      if (a != axis) shape.push_back(y.shape()[a]);
      if (a == axis && !joint.is_new) {
        require_argument(sizes[i] >= 0, op, ": sizes[", i, "] is ", sizes[i], ", want at least 0");
        shape.push_back(std::min(sizes[i], y.shape()[a]));
      }
    }
    x.push_back(call.output(static_cast<int>(i), y.dtype(), shape, y.device()));
  }
  joint.is_new ? unstack(y, axis, x, call.context()) : split(y, sizes, axis, x, call.context());
}

Runner bind_unstack(const OperatorDef& def) {
  return [joint = Joint{.axis = stack_axis(def), .is_new = true}, x = std::vector<Tensor>()](
             OperatorCall& call) mutable { run_part(call, call.input(0), {}, joint, x); };
}

/// Appends what an int32 or int64 tensor of one axis on the CPU holds.
void read_sizes(const Tensor& sizes, std::string_view op, std::vector<int64_t>& into) {
  const bool is_int32 = sizes.dtype() == DType::kInt32;
  require_argument((is_int32 || sizes.dtype() == DType::kInt64) && sizes.rank() == 1, op,
                   ": split is ", name(sizes.dtype()), sizes.shape(),
                   ", want int32 or int64 of one axis");
  require_argument(sizes.device() == Device{}, op, ": split is on ", name(sizes.device().kind),
                   ", want the CPU");
  const int64_t stride = sizes.strides()[0];
  for (int64_t i = 0; i < sizes.shape()[0]; ++i) {
    into.push_back(is_int32 ? sizes.data_as<int32_t>()[i * stride]
                            : sizes.data_as<int64_t>()[i * stride]);
  }
}

/// X into as many equal parts as there are outputs.
void equal_sizes(const OperatorCall& call, const Joint& joint, std::vector<int64_t>& sizes) {
  const Tensor& x = call.input(0);
  require_axis(call.def().type, joint.axis, x.rank());
  const int64_t extent = x.shape()[joint.axis < 0 ? joint.axis + x.rank() : joint.axis];
  require_argument(extent % call.outputs() == 0, call.def().type, ": X of shape ", x.shape(),
                   " into ", call.outputs(), " equal parts at axis ", joint.axis,
                   ", want an extent that they divide, or the argument split");
  sizes.assign(static_cast<size_t>(call.outputs()), extent / call.outputs());
}

Runner bind_split(const OperatorDef& def) {
  const Arguments arguments(def.type, def.arguments, kSplitArguments);
  const Joint joint = joint_of(arguments);
  const bool by_tensor = def.inputs.size() > 1;
  const bool by_argument = arguments.has("split");
  require_argument(!by_tensor || !by_argument, def.type,
                   ": argument split beside a second input, want the sizes as one of the two");
  require_argument(!joint.is_new || !by_argument, def.type,
                   ": argument split beside add_axis, want one of the two");
  return [joint, by_tensor, by_argument, sizes = arguments.integers("split"),
          x = std::vector<Tensor>()](OperatorCall& call) mutable {
    if (!joint.is_new && !by_argument) {
      sizes.clear();
      if (by_tensor) {
        read_sizes(call.input(1), call.def().type, sizes);
      } else {
        equal_sizes(call, joint, sizes);
      }
    }
    run_part(call, call.input(0), sizes, joint, x);
  };
}

/// dY, X_1, …, X_N: dY apart, as the X were joined.
Runner bind_concat_gradient(const OperatorDef& def) {
  const Arguments arguments(def.type, def.arguments, kConcatArguments);
  require_argument(def.inputs.size() == def.outputs.size() + 1, def.type, ": ", def.inputs.size(),
                   " inputs for ", def.outputs.size(), " outputs, want ", def.outputs.size() + 1,
                   ": dY, and an X for each output");
  return [joint = joint_of(arguments), sizes = std::vector<int64_t>(),
          handles = Handles()](OperatorCall& call) mutable {
    handles.infos.clear();
    for (int i = 1; i < call.inputs(); ++i) handles.infos.push_back(call.input(i).info());
    const Tensor& dy = call.input(0);
    const Shape wanted = joint.is_new ? stack_shape(handles.infos, joint.axis)
                                      : concat_shape(handles.infos, joint.axis);
    require_argument(dy.shape() == wanted, call.def().type, ": dY has shape ", dy.shape(),
                     ", want ", wanted, ", that of the joined X");
    const int axis = joint.axis < 0 ? joint.axis + wanted.rank() : joint.axis;
    sizes.clear();
    for (const TensorInfo& x : handles.infos)
      if (!joint.is_new) sizes.push_back(x.shape[axis]);
    run_part(call, dy, sizes, joint, handles.x);
  };
}

GradientDefs made_for(const GradientRequest& request, OperatorDef gradient) {
  GradientDefs made;
  for (size_t i = 0; i < request.def.inputs.size(); ++i) {
    gradient.outputs.push_back(request.input(i));
    made.inputs.emplace_back(gradient.outputs.back());
  }
  made.operators.push_back(std::move(gradient));
  return made;
}

GradientDefs stack_rule(const GradientRequest& request) {
  return made_for(request, {.type = "Unstack",
                            .inputs = {request.output(0)},
                            .arguments = request.def.arguments,
                            .device = request.def.device});
}

GradientDefs concat_rule(const GradientRequest& request) {
  const OperatorDef& def = request.def;
  GradientDefs none;
  none.inputs.resize(def.inputs.size());
  if (has_gradients_but_of(request, 0)) return none;
  OperatorDef gradient{.type = "ConcatGradient",
                       .inputs = {request.output(0)},
                       .arguments = def.arguments,
                       .device = def.device};
  if (Arguments(def.type, def.arguments, kConcatArguments).integer("add_axis", 0) != 0) {
    gradient.type = "Split";
  } else if (def.outputs.size() > 1) {
    gradient.type = "Split";
    gradient.inputs.push_back(def.outputs[1]);
    std::erase_if(gradient.arguments, [](const Argument& each) { return each.name == "add_axis"; });
  } else {
    gradient.inputs.insert(gradient.inputs.end(), def.inputs.begin(), def.inputs.end());
  }
  return made_for(request, std::move(gradient));
}

/// The parts' gradients joined, zeros for parts that have none.
GradientDefs joined(const GradientRequest& request, OperatorDef gradient) {
  GradientDefs made;
  made.inputs.resize(request.def.inputs.size());
  made.inputs[0] = request.input(0);
  if (std::none_of(request.outputs.begin(), request.outputs.end(),
                   [](const auto& each) { return each.has_value(); }))
    static_cast<void>(request.output(0));
  for (size_t i = 0; i < request.outputs.size(); ++i) {
    if (request.outputs[i]) {
      gradient.inputs.push_back(*request.outputs[i]);
      continue;
    }
    gradient.inputs.push_back(request.input(0) + "_zeros_" + std::to_string(i));
    made.operators.push_back({.type = "ConstantFill",
                              .inputs = {request.def.outputs[i]},
                              .outputs = {gradient.inputs.back()},
                              .arguments = {{"dtype", std::string("input")}},
                              .device = request.def.device});
  }
  gradient.outputs = {*made.inputs[0]};
  gradient.device = request.def.device;
  made.operators.push_back(std::move(gradient));
  return made;
}

GradientDefs unstack_rule(const GradientRequest& request) {
  return joined(request, {.type = "Stack", .arguments = request.def.arguments});
}

GradientDefs split_rule(const GradientRequest& request) {
  OperatorDef gradient{.type = "Concat", .arguments = request.def.arguments};
  std::erase_if(gradient.arguments, [](const Argument& each) { return each.name == "split"; });
  return joined(request, std::move(gradient));
}

}  // namespace

constinit const OperatorSchema kStackSchema = {
    .name = "Stack",
    .inputs = {1, Arity::kAny},
    .outputs = 1,
    .summary = "tensors of one shape along a new axis",
    .arguments = kStackArguments,
    .bind = bind_stack,
    .gradient_kind = GradientKind::kRule,
    .gradient = stack_rule,
};

constinit const OperatorSchema kUnstackSchema = {
    .name = "Unstack",
    .inputs = 1,
    .outputs = {1, Arity::kAny},
    .summary = "a tensor's entries along an axis, each without it",
    .arguments = kStackArguments,
    .bind = bind_unstack,
    .gradient_kind = GradientKind::kRule,
    .gradient = unstack_rule,
};

constinit const OperatorSchema kConcatSchema = {
    .name = "Concat",
    .inputs = {1, Arity::kAny},
    .outputs = {1, 2},
    .summary = "tensors one behind the other along an axis; and their extents there, int32",
    .arguments = kConcatArguments,
    .bind = bind_concat,
    .gradient_kind = GradientKind::kRule,
    .gradient = concat_rule,
};

constinit const OperatorSchema kConcatGradientSchema = {
    .name = "ConcatGradient",
    .inputs = {2, Arity::kAny},
    .outputs = {1, Arity::kAny},
    .summary = "dY in parts of the extents that the inputs behind it have",
    .arguments = kConcatArguments,
    .bind = bind_concat_gradient,
};

constinit const OperatorSchema kSplitSchema = {
    .name = "Split",
    .inputs = {1, 2},
    .outputs = {1, Arity::kAny},
    .summary = "a tensor in parts along an axis",
    .arguments = kSplitArguments,
    .bind = bind_split,
    .gradient_kind = GradientKind::kRule,
    .gradient = split_rule,
};

}  // namespace sylvite::internal
