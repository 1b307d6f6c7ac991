// Expand, expanded views and materialize: what is allowed, what comes out, who computes it.
#include "sylvite/expand.h"

#include <algorithm>

#include "runtime/checked.h"
#include "runtime/error.h"
#include "runtime/ops/expand.h"
#include "runtime/plan.h"
#include "runtime/shape.h"

namespace sylvite {

using internal::Box;
using internal::broadcast_strides;
using internal::Call;
using internal::checked_count;
using internal::checked_mul;
using internal::Place;
using internal::require_argument;

namespace {

constexpr std::string_view kExpand = "Expand";
constexpr std::string_view kExpandView = "expand_view";
constexpr std::string_view kMaterialize = "materialize";

/// One axis of y: x's extent or the wanted one, whichever is not 1.
int64_t infer_axis(std::string_view op, const Shape& x, const Shape& shape, int axis, int rank) {
  const int of_x = axis - (rank - x.rank());
  const int of_shape = axis - (rank - shape.rank());
  const int64_t have = of_x < 0 ? 1 : x[of_x];
  if (of_shape < 0) return have;
  const int64_t want = shape[of_shape];
  require_argument(want >= -1, op, ": shape[", of_shape, "] is ", want, ", want at least -1");
  if (want == -1) {
    require_argument(of_x >= 0, op, ": shape[", of_shape, "] is -1 where X, of rank ", x.rank(),
                     ", has no axis, want an extent");
    return have;
  }
  if (have == 1) return want;
  require_argument(want == have || want == 1, op, ": X of shape ", x,
                   " does not broadcast to shape ", shape, ": extent ", have, " meets ", want,
                   " on axis ", axis, " of Y, want equal extents or a 1");
  return have;
}

Shape infer(std::string_view op, const TensorInfo& x, const Shape& shape) {
  internal::require_fixed_size(x.dtype, op, "X");
  const int rank = std::max(x.shape.rank(), shape.rank());
  Shape y;
  for (int axis = 0; axis < rank; ++axis) y.push_back(infer_axis(op, x.shape, shape, axis, rank));
  const bool sized = checked_mul(checked_count(y), element_size(x.dtype)).has_value();
  require_argument(sized, op, ": Y of shape ", y, " has more bytes than int64 can count");
  return y;
}

/// The same for a description that nobody has checked.
Shape infer_checked(const TensorInfo& x, const Shape& shape) {
  internal::require_tensor(x, kExpand, "X");
  return infer(kExpand, x, shape);
}

/// y's elements in y's order, with the strides of what is read. Neither is empty.
Box box_of(const Shape& shape, const Shape& from, const Shape& to) noexcept {
  Box box;
  for (int axis = shape.rank() - 1; axis >= 0; --axis)
    box.add({.extent = shape[axis], .from = from[axis], .to = to[axis]});
  return box;
}

/// GPUs fault where an address is no multiple of the element: there the bytes move one by one.
int narrow_to_bytes(Box& box, int element_bytes) noexcept {
  Box bytes;
  bytes.add({.extent = element_bytes, .from = 1, .to = 1});
  for (int i = 0; i < box.rank; ++i) {
    bytes.add({.extent = box[i].extent,
               .from = box[i].from * element_bytes,
               .to = box[i].to * element_bytes});
  }
  box = bytes;
  return 1;
}

/// x's memory, read with `from` strides, to y. Without tensors the call only explains.
void run(Call& call, const TensorInfo& y, const Shape& from, const Shape& to, const Tensor* x,
         const Tensor* out) {
  if (*checked_count(y.shape) == 0) return;
  int bytes = element_size(y.dtype);
  Box box = box_of(y.shape, from, to);
  if (!call.on_cpu() && x != nullptr &&
      ((reinterpret_cast<uintptr_t>(x->data()) | reinterpret_cast<uintptr_t>(out->data())) %
       static_cast<uintptr_t>(bytes)) != 0) {
    bytes = narrow_to_bytes(box, bytes);
  }
  internal::run_expand(call, box, x ? internal::place_of(*x, bytes) : Place{},
                       out ? internal::place_of(*out, bytes) : Place{}, bytes);
  internal::throw_if_failed(call);
}

/// y has the shape that was inferred.
void run_into(std::string_view op, const Tensor& x, const Shape& shape, Tensor& y,
              const Context& context) {
  const TensorInfo info = y.info();
  internal::require_output(info, x.dtype(), shape, x.device(), op, "Y");
  internal::require_apart(x, y, op, "Y");
  Call call(context, x.device(), op);
  run(call, info, broadcast_strides(x.shape(), x.strides(), shape), y.strides(), &x, &y);
}

Tensor run_new(std::string_view op, const Tensor& x, const Shape& shape, const Context& context) {
  Tensor y = internal::new_output(x.dtype(), shape, context, x.device(), op, "Y");
  run_into(op, x, shape, y, context);
  return y;
}

struct ExpandPlan : Plan::State {
  ExpandPlan(TensorInfo in, TensorInfo out, const Shape& wanted, const Context& with)
      : State(kExpand, std::move(in), std::move(out), with) {
    const Shape shape = infer_checked(x, wanted);
    if (y.shape.rank() == 0 && shape.rank() != 0)
      y = {.dtype = x.dtype, .shape = shape, .strides = {}, .device = x.device};
    internal::require_tensor(y, kExpand, "Y");
    internal::require_output(y, x.dtype, shape, x.device, kExpand, "Y");
    x.strides = internal::strides_of(x);
    y.strides = internal::strides_of(y);
    from = broadcast_strides(x.shape, x.strides, shape);
    explanation.op = kExpand;
    explanation.kernel = explanation.target = "none";
    explanation.variant = "plain";
    explanation.output_shape = shape;
    Call call(context, x.device, kExpand, &explanation);
    sylvite::run(call, y, from, y.strides, nullptr, nullptr);
  }

  void run(const Tensor& in, Tensor& out) const override {
    Call call(context, x.device, kExpand);
    sylvite::run(call, y, from, y.strides, &in, &out);
  }

  Shape from;  ///< strides of x along y's axes
};

}  // namespace

Tensor expand(const Tensor& x, const Shape& shape, const Context& context) {
  return run_new(kExpand, x, infer(kExpand, x.info(), shape), context);
}

void expand(const Tensor& x, const Shape& shape, Tensor& y, const Context& context) {
  run_into(kExpand, x, infer(kExpand, x.info(), shape), y, context);
}

Tensor expand(const Tensor& x, const Tensor& shape, const Context& context) {
  return expand(x, internal::shape_from(shape, kExpand), context);
}

Plan expand_plan(const TensorInfo& x, const TensorInfo& y, const Shape& shape,
                 const Context& context) {
  return Plan(std::make_shared<ExpandPlan>(x, y, shape, context));
}

Shape expand_shape(const TensorInfo& x, const Shape& shape) { return infer_checked(x, shape); }

Tensor expand_view(const Tensor& x, const Shape& shape) {
  const Shape y = infer(kExpandView, x.info(), shape);
  return x.view(y, broadcast_strides(x.shape(), x.strides(), y));
}

bool expanded(const Tensor& x) noexcept {
  for (int axis = 0; axis < x.rank(); ++axis) {
    if (x.shape()[axis] > 1 && x.strides()[axis] == 0) return true;
  }
  return false;
}

Tensor materialize(const Tensor& x, const Context& context) {
  internal::require_fixed_size(x.dtype(), kMaterialize, "X");
  return run_new(kMaterialize, x, x.shape(), context);
}

void materialize(const Tensor& x, Tensor& y, const Context& context) {
  internal::require_fixed_size(x.dtype(), kMaterialize, "X");
  run_into(kMaterialize, x, x.shape(), y, context);
}

}  // namespace sylvite
