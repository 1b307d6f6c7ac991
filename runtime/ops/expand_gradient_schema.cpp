// ExpandGradient by name, as Caffe2 calls it.
#include <array>

#include "runtime/error.h"
#include "runtime/ops/all.h"
#include "runtime/ops/arguments.h"
#include "runtime/ops/bind.h"
#include "sylvite/expand.h"

namespace sylvite::internal {
namespace {

constexpr std::string_view kOp = "ExpandGradient";

Plan plan(std::span<const TensorInfo> inputs, std::span<const Argument> given,
          const Context& context) {
  const Arguments arguments(kOp, given, {});
  require_argument(inputs.size() == 2, kOp, ": ", inputs.size(), " inputs, want 2: dY and X");
  const TensorInfo& dy = inputs[0];
  const TensorInfo& x = inputs[1];
  require_argument(x.dtype == dy.dtype, kOp, ": X has dtype ", name(x.dtype), ", want dY's ",
                   name(dy.dtype));
  return expand_gradient_plan(dy, {.shape = {}}, x.shape, context);
}

Runner bind(const OperatorDef& def) {
  const Arguments none(kOp, def.arguments, {});
  return [plan = PlanCache()](OperatorCall& call) mutable {
    const Tensor& dy = call.input(0);
    const Tensor& x = call.input(1);
    require_argument(x.dtype() == dy.dtype(), kOp, ": X has dtype ", name(x.dtype()),
                     ", want dY's ", name(dy.dtype()));
    require_tensor({.dtype = dy.dtype(), .shape = x.shape()}, kOp, "X");
    Tensor& dx = call.output(0, dy.dtype(), x.shape(), dy.device());
    plan.run(dy, dx, [&](const TensorInfo& from, const TensorInfo& to) {
      return expand_gradient_plan(from, to, to.shape, call.context());
    });
  };
}

/// One call per type of sums; half types round theirs.
void warm_up(Device device, const Context& context) {
  for (const DType dtype : {DType::kUInt8, DType::kUInt16, DType::kUInt32, DType::kUInt64,
                            DType::kFloat16, DType::kBFloat16, DType::kFloat32, DType::kFloat64}) {
    const Tensor dy = Tensor::empty(dtype, {9, 2}, context, device);
    static_cast<void>(expand_gradient(dy, {2}, context));
  }
}

}  // namespace

constinit const OperatorSchema kExpandGradientSchema = {
    .name = kOp,
    .inputs = 2,
    .outputs = 1,
    .summary = "sums a gradient over the axes that Expand broadcast",
    .plan = plan,
    .warm_up = warm_up,
    .bind = bind,
};

}  // namespace sylvite::internal
