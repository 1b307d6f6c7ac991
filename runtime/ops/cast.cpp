// Cast and its gradient: what is allowed, what comes out, who computes it.
#include "sylvite/cast.h"

#include "runtime/checked.h"
#include "runtime/error.h"
#include "runtime/ops/cast.h"
#include "runtime/plan.h"
#include "runtime/shape.h"

namespace sylvite {
namespace {

using internal::Call;
using internal::require;
using internal::require_argument;

/// The operator or its gradient, and what it calls its tensors.
struct Direction {
  std::string_view op;
  std::string_view input;
  std::string_view output;
  bool strings;  ///< whether it takes them
};

constexpr Direction kCast = {.op = "Cast", .input = "X", .output = "Y", .strings = true};
constexpr Direction kCastGradient = {
    .op = "CastGradient", .input = "dY", .output = "dX", .strings = false};

bool has_strings(DType from, DType to) noexcept {
  return from == DType::kString || to == DType::kString;
}

void validate(const Direction& d, const TensorInfo& x, DType to) {
  require_argument(to <= DType::kString, d.op, ": the dtype of ", d.output, " is number ",
                   static_cast<int>(to), " of none, want one of DType");
  if (!has_strings(x.dtype, to)) return;
  require_argument(d.strings, d.op, ": ", d.input, " is ", name(x.dtype), " and ", d.output, " is ",
                   name(to), ", want numbers: strings have no gradient");
  require(x.device == Device{}, ErrorCode::kUnsupported, d.op, ": ", d.input, " is ", name(x.dtype),
          " on device ", name(x.device.kind), " ", x.device.index, " and ", d.output, " is ",
          name(to), ", want strings on cpu 0");
}

/// GPUs fault where an address is no multiple of the element.
bool is_aligned(const Tensor& tensor) noexcept {
  return reinterpret_cast<uintptr_t>(tensor.data()) %
             static_cast<uintptr_t>(element_size(tensor.dtype())) ==
         0;
}

/// On a GPU, by way of memory that is aligned.
void run_unaligned(Call& call, const Tensor& x, const Tensor& y) {
  const Tensor from = is_aligned(x) ? x : x.to(x.device(), call.context);
  const Tensor to =
      is_aligned(y) ? y : Tensor::empty(y.dtype(), y.shape(), call.context, y.device());
  internal::run_numeric_cast(call, from.info(), to.info(), &from, &to);
  if (is_aligned(y)) return;
  const int64_t bytes = element_size(y.dtype());
  internal::Box box;
  box.add({.extent = bytes, .from = 1, .to = 1});
  for (int axis = y.rank() - 1; axis >= 0; --axis) {
    box.add({.extent = y.shape()[axis],
             .from = to.strides()[axis] * bytes,
             .to = y.strides()[axis] * bytes});
  }
  internal::copy_box(call, internal::place_of(to, 1), internal::place_of(y, 1), 1, box,
                     2 * y.byte_count());
}

/// x and y are validated.
void run(Call& call, const Direction& d, const Tensor& x, Tensor& y) {
  if (y.element_count() == 0) return;
  if (has_strings(x.dtype(), y.dtype()))
    internal::run_text_cast(call, x, y, d.input, d.output);
  else if (call.on_cpu() || (is_aligned(x) && is_aligned(y)))
    internal::run_numeric_cast(call, x.info(), y.info(), &x, &y);
  else
    run_unaligned(call, x, y);
  internal::throw_if_failed(call);
}

/// Whether y is x itself: the same elements in the same places.
bool is_same(const Tensor& x, const Tensor& y) noexcept {
  const bool same_place =
      x.data() != nullptr ? x.data() == y.data()
                          : x.storage() == y.storage() && x.storage_offset() == y.storage_offset();
  return same_place && x.dtype() == y.dtype() && x.strides() == y.strides();
}

void run_into(const Direction& d, const Tensor& x, DType to, Tensor& y, const Context& context) {
  validate(d, x.info(), to);
  internal::require_output(y, to, x.shape(), x.device(), d.op, d.output);
  Call call(context, x.device(), d.op);
  if (is_same(x, y) && !y.read_only()) return;
  internal::require_apart(x, y, d.op, d.output);
  run(call, d, x, y);
}

Tensor run_new(const Direction& d, const Tensor& x, DType to, const Context& context) {
  validate(d, x.info(), to);
  Call call(context, x.device(), d.op);
  if (has_strings(x.dtype(), to)) return internal::new_text_cast(call, x, to, d.input, d.output);
  Tensor y = internal::new_output(to, x.shape(), context, x.device(), d.op, d.output);
  run(call, d, x, y);
  return y;
}

struct CastPlan : Plan::State {
  CastPlan(const Direction& d, TensorInfo in, TensorInfo out, DType to, const Context& with)
      : State(d.op, std::move(in), std::move(out), with), direction(d) {
    internal::require_tensor(x, d.op, d.input);
    validate(d, x, to);
    if (y.shape.rank() == 0 && x.shape.rank() != 0)
      y = {.dtype = to, .shape = x.shape, .strides = {}, .device = x.device};
    internal::require_tensor(y, d.op, d.output);
    internal::require_output(y, to, x.shape, x.device, d.op, d.output);
    x.strides = internal::strides_of(x);
    y.strides = internal::strides_of(y);
    explanation.op = d.op;
    explanation.kernel = explanation.target = "none";
    explanation.variant = "plain";
    explanation.output_shape = y.shape;
    Call call(context, x.device, d.op, &explanation);
    if (*internal::checked_count(y.shape) == 0) return;
    if (has_strings(x.dtype, y.dtype))
      internal::explain_text_cast(call, x, y);
    else
      internal::run_numeric_cast(call, x, y, nullptr, nullptr);
  }

  void run(const Tensor& from, Tensor& to) const override {
    Call call(context, x.device, op);
    sylvite::run(call, direction, from, to);
  }

  const Direction& direction;
};

}  // namespace

Tensor cast(const Tensor& x, DType to, const Context& context) {
  return run_new(kCast, x, to, context);
}

void cast(const Tensor& x, DType to, Tensor& y, const Context& context) {
  run_into(kCast, x, to, y, context);
}

Plan cast_plan(const TensorInfo& x, const TensorInfo& y, DType to, const Context& context) {
  return Plan(std::make_shared<CastPlan>(kCast, x, y, to, context));
}

Tensor cast_gradient(const Tensor& dy, DType x_dtype, const Context& context) {
  return run_new(kCastGradient, dy, x_dtype, context);
}

void cast_gradient(const Tensor& dy, DType x_dtype, Tensor& dx, const Context& context) {
  run_into(kCastGradient, dy, x_dtype, dx, context);
}

}  // namespace sylvite
