// ExpandGradient: what is allowed, what comes out, who computes it.
#include "runtime/ops/expand_gradient.h"

#include "runtime/checked.h"
#include "runtime/error.h"
#include "runtime/plan.h"
#include "runtime/shape.h"
#include "sylvite/expand.h"

namespace sylvite {

using internal::Call;
using internal::Place;
using internal::require_argument;
using internal::SumCall;

namespace {

constexpr std::string_view kOp = "ExpandGradient";

/// dy is a tensor: its own sizes are within int64.
void check(const TensorInfo& dy, const Shape& x_shape) {
  internal::require_fixed_size(dy.dtype, kOp, "dY");
  require_argument(dy.dtype != DType::kBool, kOp, ": dY is bool, want a number");
  const int added = dy.shape.rank() - x_shape.rank();
  require_argument(added >= 0, kOp, ": X has rank ", x_shape.rank(), ", want at most dY's ",
                   dy.shape.rank());
  for (int axis = 0; axis < x_shape.rank(); ++axis) {
    const int64_t x = x_shape[axis];
    const int64_t y = dy.shape[axis + added];
    require_argument(x == y || x == 1, kOp, ": X of shape ", x_shape,
                     " does not broadcast to dY's shape ", dy.shape, ": extent ", x, " meets ", y,
                     " on axis ", axis + added, " of dY, want equal extents or 1 in X");
  }
}

/// Without tensors the call only explains.
void run(Call& call, const SumCall& sum, const Tensor* dy, const Tensor* dx) {
  if (sum.dx_count == 0) return;
  const int bytes = element_size(sum.dtype);
  const Place from = dy ? internal::place_of(*dy, bytes) : Place{};
  const Place to = dx ? internal::place_of(*dx, bytes) : Place{};
  if (sum.dy_count == 0) {
    internal::fill_box(call, 0, to, bytes, sum.dx, sum.dx_count * bytes);
  } else if (!sum.sums) {
    internal::copy_box(call, from, to, bytes, sum.dx, 2 * sum.dx_count * bytes);
  } else if (call.on_cpu()) {
    internal::run_sum(call, sum, from, to);
  } else {
    internal::run_sum_gpu(call, sum, from, to);
  }
  internal::throw_if_failed(call);
}

struct ExpandGradientPlan : Plan::State {
  ExpandGradientPlan(TensorInfo in, TensorInfo out, const Shape& x_shape, const Context& with)
      : State(kOp, std::move(in), std::move(out), with) {
    internal::require_tensor(x, kOp, "dY");
    check(x, x_shape);
    if (y.shape.rank() == 0)
      y = {.dtype = x.dtype, .shape = x_shape, .strides = {}, .device = x.device};
    internal::require_tensor(y, kOp, "dX");
    internal::require_output(y, x.dtype, x_shape, x.device, kOp, "dX");
    x.strides = internal::strides_of(x);
    y.strides = internal::strides_of(y);
    sum = internal::sum_call(x, x.strides, y, y.strides);
    explanation.op = kOp;
    explanation.kernel = explanation.target = "none";
    explanation.variant = "plain";
    explanation.output_shape = x_shape;
    Call call(context, x.device, kOp, &explanation);
    sylvite::run(call, sum, nullptr, nullptr);
  }

  void run(const Tensor& from, Tensor& to) const override {
    Call call(context, x.device, kOp);
    sylvite::run(call, sum, &from, &to);
  }

  SumCall sum;
};

}  // namespace

void expand_gradient(const Tensor& dy, const Shape& x_shape, Tensor& dx, const Context& context) {
  const TensorInfo info = dy.info();
  check(info, x_shape);
  const TensorInfo dx_info = dx.info();
  internal::require_output(dx_info, dy.dtype(), x_shape, dy.device(), kOp, "dX");
  internal::require_apart(dy, dx, kOp, "dX");
  Call call(context, dy.device(), kOp);
  run(call, internal::sum_call(info, dy.strides(), dx_info, dx.strides()), &dy, &dx);
}

Tensor expand_gradient(const Tensor& dy, const Shape& x_shape, const Context& context) {
  check(dy.info(), x_shape);
  Tensor dx = internal::new_output(dy.dtype(), x_shape, context, dy.device(), kOp, "dX");
  expand_gradient(dy, x_shape, dx, context);
  return dx;
}

Plan expand_gradient_plan(const TensorInfo& dy, const TensorInfo& dx, const Shape& x_shape,
                          const Context& context) {
  return Plan(std::make_shared<ExpandGradientPlan>(dy, dx, x_shape, context));
}

namespace internal {

void SumGeometry::add(int64_t extent, int64_t stride, bool summed) noexcept {
  SumAxis* last = axes > 0 ? &axis[static_cast<size_t>(axes - 1)] : nullptr;
  if (last == nullptr || last->summed != summed) {
    axis[static_cast<size_t>(axes++)] = {
        .extent = extent, .summed = summed, .first = parts, .count = 1};
    part[static_cast<size_t>(parts++)] = {.extent = extent, .stride = stride};
    return;
  }
  last->extent *= extent;
  SumPart& inner = part[static_cast<size_t>(parts - 1)];
  if (stride == inner.stride * inner.extent) {
    inner.extent *= extent;
  } else {
    ++last->count;
    part[static_cast<size_t>(parts++)] = {.extent = extent, .stride = stride};
  }
}

SumCall sum_call(const TensorInfo& dy, const Shape& dy_strides, const TensorInfo& dx,
                 const Shape& dx_strides) noexcept {
  SumCall sum;
  sum.dtype = dy.dtype;
  sum.dy_count = *checked_count(dy.shape);
  sum.dx_count = *checked_count(dx.shape);
  if (sum.dx_count == 0) return sum;
  const int added = dy.shape.rank() - dx.shape.rank();
  int64_t dense = 1;
  sum.dense_dx = true;
  for (int axis = dy.shape.rank() - 1; axis >= 0; --axis) {
    const int64_t extent = dy.shape[axis];
    const int of_x = axis - added;
    const int64_t kept = of_x < 0 ? 1 : dx.shape[of_x];
    if (kept > 1) {
      sum.dense_dx = sum.dense_dx && dx_strides[of_x] == dense;
      sum.dx.add({.extent = kept, .from = dense, .to = dx_strides[of_x]});
      dense *= kept;
    }
    if (extent > 1 && sum.dy_count > 0) sum.dy.add(extent, dy_strides[axis], kept != extent);
    sum.sums = sum.sums || kept != extent;
  }
  if (!sum.sums) {
    sum.dx.rank = 0;
    for (int axis = dy.shape.rank() - 1; axis >= 0; --axis) {
      const int of_x = axis - added;
      sum.dx.add({.extent = dy.shape[axis],
                  .from = dy_strides[axis],
                  .to = of_x < 0 ? 0 : dx_strides[of_x]});
    }
  }
  return sum;
}

}  // namespace internal
}  // namespace sylvite
