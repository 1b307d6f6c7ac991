// SpaceToBatch, BatchToSpace and their gradients by name, with Caffe2's arguments.
#include <algorithm>

#include "runtime/checked.h"
#include "runtime/error.h"
#include "runtime/ops/all.h"
#include "runtime/ops/arguments.h"
#include "runtime/ops/bind.h"
#include "sylvite/space_batch.h"

namespace sylvite::internal {
namespace {

/// What both directions read: Caffe2's block_size, pad, pad_t, pad_l, pad_b, pad_r and order, or
/// block_shape with its sides.
struct Parsed {
  PerAxis<int64_t> block_shape = {};
  PerAxis<Sides> sides = {};
  Layout layout = Layout::kNchw;
  double pad_value = 0;
};

constexpr std::array<ArgumentSchema, 8> kShared = {{
    {"block_size", "integer", "2", "the block of both axes"},
    {"block_shape", "integers", "", "the block of each of 1 to 4 axes"},
    {"pad", "integer", "0", "what pad_t, pad_l, pad_b and pad_r are by default"},
    {"pad_t", "integer", "pad", "rows above"},
    {"pad_l", "integer", "pad", "columns to the left"},
    {"pad_b", "integer", "pad", "rows below"},
    {"pad_r", "integer", "pad", "columns to the right"},
    {"order", "text", "NCHW", "NCHW or NHWC"},
}};

template <size_t More>
constexpr std::array<ArgumentSchema, kShared.size() + More> with(
    const std::array<ArgumentSchema, More>& more) {
  std::array<ArgumentSchema, kShared.size() + More> all;
  std::copy(kShared.begin(), kShared.end(), all.begin());
  std::copy(more.begin(), more.end(), all.begin() + kShared.size());
  return all;
}

constexpr auto kSpaceToBatchArguments = with(std::array<ArgumentSchema, 2>{{
    {"paddings", "integers", "0 …", "before and after per axis, beside block_shape"},
    {"pad_value", "number", "0", "what the padding holds"},
}});
constexpr auto kBatchToSpaceArguments = with(std::array<ArgumentSchema, 1>{{
    {"crops", "integers", "0 …", "cut before and after per axis, beside block_shape"},
}});

Parsed parse(std::string_view op, std::span<const Argument> given,
             std::span<const ArgumentSchema> known) {
  const Arguments arguments(op, given, known);
  const std::string_view sides = known[kShared.size()].name;
  Parsed parsed;
  const std::string_view order = arguments.text("order", "NCHW");
  require_argument(order == "NCHW" || order == "NHWC", op, R"(: argument order is ")", order,
                   R"(", want "NCHW" or "NHWC")");
  parsed.layout = order == "NHWC" ? Layout::kNhwc : Layout::kNchw;
  parsed.pad_value = arguments.number("pad_value", 0);
  const int64_t block_size = arguments.integer("block_size", 2);
  if (!arguments.has("block_shape")) {
    require_argument(!arguments.has(sides), op, ": argument ", sides,
                     " without block_shape, want both");
    parsed.block_shape = {block_size, block_size};
    parsed.sides = arguments.pads();
    return parsed;
  }
  for (const std::string_view name : {"pad", "pad_t", "pad_l", "pad_b", "pad_r"}) {
    require_argument(!arguments.has(name), op, ": argument ", name, " beside block_shape, want ",
                     sides);
  }
  const std::vector<int64_t> blocks = arguments.integers("block_shape");
  for (const int64_t block : blocks) {
    require_argument(!arguments.has("block_size") || block == block_size, op, ": block_size is ",
                     block_size, " and block_shape has ", block, ", want them to agree");
    parsed.block_shape.push_back(block);
  }
  const std::vector<int64_t> flat = arguments.integers(sides);
  require_argument(flat.empty() || flat.size() == 2 * blocks.size(), op, ": argument ", sides,
                   " has ", flat.size(), " numbers, want ", 2 * blocks.size(),
                   ": before and after per spatial axis");
  for (size_t i = 0; i < flat.size(); i += 2) parsed.sides.push_back({flat[i], flat[i + 1]});
  return parsed;
}

TensorInfo one_input(std::string_view op, std::span<const TensorInfo> inputs) {
  require_argument(inputs.size() == 1, op, ": ", inputs.size(), " inputs, want 1");
  return inputs[0];
}

Plan plan_space_to_batch(std::span<const TensorInfo> inputs, std::span<const Argument> arguments,
                         const Context& context) {
  const Parsed p = parse("SpaceToBatch", arguments, kSpaceToBatchArguments);
  return space_to_batch_plan(one_input("SpaceToBatch", inputs), {.shape = {}},
                             {p.block_shape, p.sides, p.layout, p.pad_value}, context);
}

Plan plan_batch_to_space(std::span<const TensorInfo> inputs, std::span<const Argument> arguments,
                         const Context& context) {
  const Parsed p = parse("BatchToSpace", arguments, kBatchToSpaceArguments);
  return batch_to_space_plan(one_input("BatchToSpace", inputs), {.shape = {}},
                             {p.block_shape, p.sides, p.layout}, context);
}

Runner bind_space_to_batch(const OperatorDef& def) {
  const Parsed p = parse(def.type, def.arguments, kSpaceToBatchArguments);
  const SpaceToBatchArgs args{p.block_shape, p.sides, p.layout, p.pad_value};
  return [args, plan = PlanCache()](OperatorCall& call) mutable {
    const Tensor& x = call.input(0);
    Tensor& y = call.output(0, x.dtype(), space_to_batch_shape(x.info(), args), x.device());
    plan.run(x, y, [&](const TensorInfo& from, const TensorInfo& to) {
      return space_to_batch_plan(from, to, args, call.context());
    });
  };
}

Runner bind_batch_to_space(const OperatorDef& def) {
  const Parsed p = parse(def.type, def.arguments, kBatchToSpaceArguments);
  const BatchToSpaceArgs args{p.block_shape, p.sides, p.layout};
  return [args, plan = PlanCache()](OperatorCall& call) mutable {
    const Tensor& x = call.input(0);
    Tensor& y = call.output(0, x.dtype(), batch_to_space_shape(x.info(), args), x.device());
    plan.run(x, y, [&](const TensorInfo& from, const TensorInfo& to) {
      return batch_to_space_plan(from, to, args, call.context());
    });
  };
}

/// The other direction with the same arguments: paddings become crops, and the padding's value goes.
GradientDefs inverse(const GradientRequest& request, std::string type, std::string_view sides,
                     const std::string& new_sides) {
  std::vector<Argument> arguments;
  for (Argument argument : request.def.arguments) {
    if (argument.name == "pad_value") continue;
    if (argument.name == sides) argument.name = new_sides;
    arguments.push_back(std::move(argument));
  }
  return gradient_by(request, std::move(type), {request.output(0)}, std::move(arguments));
}

GradientDefs space_to_batch_rule(const GradientRequest& request) {
  return inverse(request, "BatchToSpace", "paddings", "crops");
}

GradientDefs batch_to_space_rule(const GradientRequest& request) {
  return inverse(request, "SpaceToBatch", "crops", "paddings");
}

/// One call per element width and way through the kernels.
void warm_up(Device device, const Context& context) {
  for (const DType dtype : {DType::kUInt8, DType::kFloat16, DType::kFloat32, DType::kFloat64}) {
    const Tensor image = Tensor::empty(dtype, {1, 2, 2, 2}, context, device);
    const SpaceToBatchArgs padded = {.paddings = {{2, 0}, {0, 2}}};
    const Tensor phases = space_to_batch(image, padded, context);
    static_cast<void>(space_to_batch_gradient(phases, padded, context));
    static_cast<void>(
        space_to_batch(image, {.paddings = {{2, 0}, {0, 0}}, .layout = Layout::kNhwc}, context));
  }
}

}  // namespace

constinit const OperatorSchema kSpaceToBatchSchema = {
    .name = "SpaceToBatch",
    .inputs = 1,
    .outputs = 1,
    .summary = "moves the blocks of a padded image into the batch",
    .arguments = kSpaceToBatchArguments,
    .plan = plan_space_to_batch,
    .warm_up = warm_up,
    .bind = bind_space_to_batch,
    .gradient_kind = GradientKind::kRule,
    .gradient = space_to_batch_rule,
};

constinit const OperatorSchema kBatchToSpaceSchema = {
    .name = "BatchToSpace",
    .inputs = 1,
    .outputs = 1,
    .summary = "interleaves the batch into images and crops them",
    .arguments = kBatchToSpaceArguments,
    .plan = plan_batch_to_space,
    .warm_up = warm_up,
    .bind = bind_batch_to_space,
    .gradient_kind = GradientKind::kRule,
    .gradient = batch_to_space_rule,
};

}  // namespace sylvite::internal
