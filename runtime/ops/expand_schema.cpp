// Expand by name: Caffe2's arguments.
#include <array>

#include "runtime/error.h"
#include "runtime/ops/all.h"
#include "runtime/ops/arguments.h"
#include "runtime/ops/bind.h"
#include "sylvite/expand.h"

namespace sylvite::internal {
namespace {

constexpr std::string_view kOp = "Expand";

constexpr std::array<ArgumentSchema, 1> kArguments = {
    {{"shape", "integers", "", "extents; 1 and -1 keep X's; or as second input"}}};

Plan plan(std::span<const TensorInfo> inputs, std::span<const Argument> given,
          const Context& context) {
  const Arguments arguments(kOp, given, kArguments);
  require_argument(inputs.size() == 1, kOp, ": ", inputs.size(), " inputs, want 1");
  require_argument(arguments.has("shape"), kOp, ": no argument shape, want a list of integers");
  const std::vector<int64_t> shape = arguments.integers("shape");
  require_argument(shape.size() <= kMaxRank, kOp, ": shape has ", shape.size(),
                   " entries, want at most ", kMaxRank);
  return expand_plan(inputs[0], {.shape = {}}, Shape(shape), context);
}

Runner bind(const OperatorDef& def) {
  const Arguments arguments(def.type, def.arguments, kArguments);
  const bool by_tensor = def.inputs.size() > 1;
  require_argument(by_tensor != arguments.has("shape"), kOp, ": ",
                   by_tensor ? "argument shape beside a second input" : "argument shape is missing",
                   ", want the extents as one of the two");
  Shape wanted;
  if (!by_tensor) wanted = Shape(arguments.integers("shape"));
  return [by_tensor, wanted, plan = PlanCache()](OperatorCall& call) mutable {
    const Tensor& x = call.input(0);
    const Shape shape = by_tensor ? shape_from(call.input(1), kOp) : wanted;
    Tensor& y = call.output(0, x.dtype(), expand_shape(x.info(), shape), x.device());
    plan.run(x, y, [&](const TensorInfo& from, const TensorInfo& to) {
      return expand_plan(from, to, shape, call.context());
    });
  };
}

GradientDefs rule(const GradientRequest& request) {
  return gradient_by(request, "ExpandGradient", {request.output(0), request.def.inputs[0]});
}

/// One call per element width and kind of kernel.
void warm_up(Device device, const Context& context) {
  for (const DType dtype : {DType::kUInt8, DType::kFloat16, DType::kFloat32, DType::kFloat64}) {
    const Tensor x = Tensor::empty(dtype, {2, 1}, context, device);
    static_cast<void>(expand(x, Shape{2, 3}, context));
  }
}

}  // namespace

constinit const OperatorSchema kExpandSchema = {
    .name = kOp,
    .inputs = {1, 2},
    .outputs = 1,
    .summary = "broadcasts to a shape",
    .arguments = kArguments,
    .plan = plan,
    .warm_up = warm_up,
    .bind = bind,
    .gradient_kind = GradientKind::kRule,
    .gradient = rule,
};

}  // namespace sylvite::internal
