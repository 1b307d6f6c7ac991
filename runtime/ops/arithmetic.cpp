// The arithmetic helpers: what is allowed, what comes out.
#include "sylvite/arithmetic.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>

#include "runtime/checked.h"
#include "runtime/error.h"
#include "runtime/ops/arithmetic.h"
#include "runtime/ops/pad_value.h"
#include "runtime/shape.h"
#include "sylvite/expand.h"
#include "sylvite/join.h"

namespace sylvite {
namespace internal {

void require_numeric(DType dtype, std::string_view op, std::string_view argument) {
  require_fixed_size(dtype, op, argument);
  require_argument(dtype != DType::kBool, op, ": ", argument,
                   " has dtype bool, want a type of numbers");
}

void require_float(DType dtype, std::string_view op, std::string_view argument) {
  require_numeric(dtype, op, argument);
  require(dtype == DType::kFloat32 || dtype == DType::kFloat64, ErrorCode::kUnsupported, op, ": ",
          argument, " has dtype ", name(dtype), ", want float32 or float64");
}

void require_same_device(const Tensor& x, const Tensor& other, std::string_view op,
                         std::string_view argument) {
  const Device device = x.device();
  require_argument(device == other.device(), op, ": ", argument, " is on device ",
                   name(device.kind), " ", device.index, ", want ", name(other.device().kind), " ",
                   other.device().index, ", where the first input is");
}

void require_on_cpu(const Tensor& x, const Tensor& other, std::string_view op,
                    std::string_view argument) {
  require_same_device(x, other, op, argument);
  const Device device = x.device();
  require(device.kind == DeviceKind::kCpu, ErrorCode::kUnsupported, op, ": ", argument,
          " is on device ", name(device.kind), " ", device.index,
          ", want cpu: there is no kernel for a GPU");
}

void require_apart_or_same(const Tensor& x, const Shape& x_strides, const Tensor& y,
                           std::string_view op, std::string_view argument) {
  bool same = x.data() == y.data() && !y.read_only();
  for (int axis = 0; axis < y.rank(); ++axis)
    same = same && (x_strides[axis] == y.strides()[axis] || y.shape()[axis] == 1);
  if (!same) require_apart(x, y, op, argument);
}

Shape broadcast(const Shape& a, const Shape& b, std::string_view op, std::string_view a_name,
                std::string_view b_name) {
  const int rank = std::max(a.rank(), b.rank());
  Shape y;
  for (int axis = 0; axis < rank; ++axis) {
    const int of_a = axis - (rank - a.rank());
    const int of_b = axis - (rank - b.rank());
    const int64_t p = of_a < 0 ? 1 : a[of_a];
    const int64_t q = of_b < 0 ? 1 : b[of_b];
    require_argument(p == q || p == 1 || q == 1, op, ": ", a_name, " of shape ", a, " and ", b_name,
                     " of shape ", b, " do not broadcast: extent ", p, " meets ", q, " on axis ",
                     axis, " of Y, want equal extents or a 1");
    y.push_back(p == 1 ? q : p);
  }
  return y;
}

}  // namespace internal

namespace {

using internal::Call;
using internal::Elementwise;
using internal::require_argument;

constexpr std::string_view kAdd = "Add";
constexpr std::string_view kMul = "Mul";
constexpr std::string_view kSum = "Sum";
constexpr std::string_view kFill = "ConstantFill";
constexpr std::string_view kSquaredL2 = "SquaredL2";
constexpr std::string_view kSquaredL2Gradient = "SquaredL2Gradient";

void require_sized(const Shape& y, DType dtype, std::string_view op) {
  const internal::Checked bytes =
      internal::checked_mul(internal::checked_count(y), element_size(dtype));
  require_argument(bytes.has_value(), op, ": Y of shape ", y,
                   " has more bytes than int64 can count");
}

/// Two inputs by their names.
struct Binary {
  std::string_view op;
  Elementwise what;
  std::string_view a_name = "A";
  std::string_view b_name = "B";
  std::string_view y_name = "Y";

  Shape infer(DType a_dtype, const Shape& a, DType b_dtype, const Shape& b) const {
    internal::require_numeric(a_dtype, op, a_name);
    internal::require_numeric(b_dtype, op, b_name);
    require_argument(a_dtype == b_dtype, op, ": ", b_name, " has dtype ", name(b_dtype), ", want ",
                     name(a_dtype), " as ", a_name, " has");
    const Shape y = internal::broadcast(a, b, op, a_name, b_name);
    require_sized(y, a_dtype, op);
    return y;
  }

  Shape infer(const Tensor& a, const Tensor& b) const {
    const Shape y = infer(a.dtype(), a.shape(), b.dtype(), b.shape());
    internal::require_on_cpu(a, a, op, a_name);
    internal::require_on_cpu(b, a, op, b_name);
    return y;
  }

  void run(const Tensor& a, const Tensor& b, const Shape& shape, Tensor& y,
           const Context& context) const {
    internal::require_output(y, a.dtype(), shape, a.device(), op, y_name);
    internal::require_apart_or_same(a, internal::broadcast_strides(a.shape(), a.strides(), shape),
                                    y, op, y_name);
    internal::require_apart_or_same(b, internal::broadcast_strides(b.shape(), b.strides(), shape),
                                    y, op, y_name);
    Call call(context, a.device(), op);
    internal::run_elementwise(call, what, a, b, y);
  }

  Tensor run_new(const Tensor& a, const Tensor& b, const Context& context) const {
    const Shape shape = infer(a, b);
    Tensor y = internal::new_output(a.dtype(), shape, context, a.device(), op, y_name);
    run(a, b, shape, y, context);
    return y;
  }
};

constexpr Binary kAddition = {.op = kAdd, .what = Elementwise::kAdd};
constexpr Binary kProduct = {.op = kMul, .what = Elementwise::kMul};
constexpr Binary kGradient = {.op = kSquaredL2Gradient,
                              .what = Elementwise::kMul,
                              .a_name = "X",
                              .b_name = "dLoss",
                              .y_name = "dX"};

void validate_sum(std::span<const Tensor> x) {
  require_argument(!x.empty(), kSum, ": no inputs, want at least one");
  for (size_t i = 0; i < x.size(); ++i) {
    // Text only where it is needed: calls allocate nothing.
    const bool fits = x[i].dtype() == x[0].dtype() && x[i].shape() == x[0].shape() &&
                      x[i].device() == x[0].device() && x[i].dtype() != DType::kBool &&
                      x[i].dtype() != DType::kString;
    if (fits) continue;
    const std::string argument = "X[" + std::to_string(i) + "]";
    internal::require_numeric(x[i].dtype(), kSum, argument);
    require_argument(x[i].dtype() == x[0].dtype(), kSum, ": ", argument, " has dtype ",
                     name(x[i].dtype()), ", want ", name(x[0].dtype()), " as X[0] has");
    require_argument(x[i].shape() == x[0].shape(), kSum, ": ", argument, " has shape ",
                     x[i].shape(), ", want ", x[0].shape(), " as X[0] has");
    internal::require_same_device(x[i], x[0], kSum, argument);
  }
}

struct FloatFormat {
  int exponent;
  int mantissa;
};

std::optional<FloatFormat> format_of(DType dtype) noexcept {
  if (dtype == DType::kFloat16) return FloatFormat{.exponent = 5, .mantissa = 10};
  if (dtype == DType::kBFloat16) return FloatFormat{.exponent = 8, .mantissa = 7};
  if (dtype == DType::kFloat32) return FloatFormat{.exponent = 8, .mantissa = 23};
  return std::nullopt;
}

/// The format's number nearest to a finite value, ties to even; its exponent range has no end.
double nearest(double value, const FloatFormat& format) noexcept {
  int power = 0;
  std::frexp(value, &power);  // |value| in [2^(power-1), 2^power)
  const int last = std::max(power - 1, 2 - (1 << (format.exponent - 1))) - format.mantissa;
  return std::ldexp(std::nearbyint(std::ldexp(value, -last)), last);
}

uint64_t fill_bits(double value, DType dtype) {
  internal::require_fixed_size(dtype, kFill, "Y");
  const std::optional<FloatFormat> format = format_of(dtype);
  const double wanted = format && std::isfinite(value) ? nearest(value, *format) : value;
  const std::optional<uint64_t> bits = internal::exact_bits(wanted, dtype);
  require_argument(bits.has_value(), kFill, ": value is ", value, ", want one that ", name(dtype),
                   " can hold");
  return *bits;
}

void fill(uint64_t bits, const Tensor& y, const Context& context) {
  if (y.element_count() == 0) return;
  const int bytes = element_size(y.dtype());
  const bool aligned = reinterpret_cast<uintptr_t>(y.data()) % static_cast<uintptr_t>(bytes) == 0;
  internal::require(aligned || y.device().kind == DeviceKind::kCpu, ErrorCode::kUnsupported, kFill,
                    ": Y on a GPU has an address that is no multiple of its ", bytes,
                    "-byte element");
  Call call(context, y.device(), kFill);
  internal::Box box;
  for (int axis = y.rank() - 1; axis >= 0; --axis)
    box.add({.extent = y.shape()[axis], .from = 0, .to = y.strides()[axis]});
  internal::fill_box(call, bits, internal::place_of(y, bytes), bytes, box, y.byte_count());
  internal::throw_if_failed(call);
}

void validate_squared_l2(const Tensor& x) {
  internal::require_float(x.dtype(), kSquaredL2, "X");
  internal::require_on_cpu(x, x, kSquaredL2, "X");
}

Shape infer_gradient(const Tensor& x, const Tensor& dloss) {
  internal::require_float(x.dtype(), kSquaredL2Gradient, "X");
  require_argument(dloss.rank() == 0, kSquaredL2Gradient, ": dLoss has shape ", dloss.shape(),
                   ", want []");
  return kGradient.infer(x, dloss);
}

}  // namespace

Tensor add(const Tensor& a, const Tensor& b, const Context& context) {
  return kAddition.run_new(a, b, context);
}
void add(const Tensor& a, const Tensor& b, Tensor& y, const Context& context) {
  kAddition.run(a, b, kAddition.infer(a, b), y, context);
}

Tensor mul(const Tensor& a, const Tensor& b, const Context& context) {
  return kProduct.run_new(a, b, context);
}
void mul(const Tensor& a, const Tensor& b, Tensor& y, const Context& context) {
  kProduct.run(a, b, kProduct.infer(a, b), y, context);
}

Shape broadcast_shape(const TensorInfo& a, const TensorInfo& b) {
  internal::require_tensor(a, kAdd, "A");
  internal::require_tensor(b, kAdd, "B");
  return kAddition.infer(a.dtype, a.shape, b.dtype, b.shape);
}

Tensor sum(std::span<const Tensor> x, const Context& context) {
  validate_sum(x);
  Tensor y = internal::new_output(x[0].dtype(), x[0].shape(), context, x[0].device(), kSum, "Y");
  sum(x, y, context);
  return y;
}

void sum(std::span<const Tensor> x, Tensor& y, const Context& context) {
  validate_sum(x);
  internal::require_output(y, x[0].dtype(), x[0].shape(), x[0].device(), kSum, "Y");
  for (size_t i = 0; i < x.size(); ++i) {
    if (i < 2) {
      internal::require_apart_or_same(x[i], x[i].strides(), y, kSum, "Y");
    } else {
      internal::require_apart(x[i], y, kSum, "Y");
    }
  }
  // On a GPU by the kernels that are there: the inputs one behind the other, summed over that axis.
  if (y.device().kind != DeviceKind::kCpu)
    return expand_gradient(stack(x, 0, context), y.shape(), y, context);
  Call call(context, {}, kSum);
  internal::run_sum(call, x, y);
}

Tensor constant_fill(const Shape& shape, double value, DType dtype, const Context& context) {
  const uint64_t bits = fill_bits(value, dtype);
  Tensor y = internal::new_output(dtype, shape, context, {}, kFill, "Y");
  fill(bits, y, context);
  return y;
}

void constant_fill(double value, Tensor& y, const Context& context) {
  const uint64_t bits = fill_bits(value, y.dtype());
  internal::require_output(y, y.dtype(), y.shape(), y.device(), kFill, "Y");
  require_argument(!y.read_only(), kFill, ": Y is read-only memory, want memory to write to");
  fill(bits, y, context);
}

Tensor squared_l2(const Tensor& x, const Context& context) {
  validate_squared_l2(x);
  Tensor loss = internal::new_output(x.dtype(), {}, context, {}, kSquaredL2, "Loss");
  squared_l2(x, loss, context);
  return loss;
}

void squared_l2(const Tensor& x, Tensor& loss, const Context& context) {
  validate_squared_l2(x);
  internal::require_output(loss, x.dtype(), {}, {}, kSquaredL2, "Loss");
  internal::require_apart(x, loss, kSquaredL2, "Loss");
  Call call(context, {}, kSquaredL2);
  internal::run_squared_l2(call, x, loss);
}

Tensor squared_l2_gradient(const Tensor& x, const Tensor& dloss, const Context& context) {
  infer_gradient(x, dloss);
  return kGradient.run_new(x, dloss, context);
}

void squared_l2_gradient(const Tensor& x, const Tensor& dloss, Tensor& dx, const Context& context) {
  kGradient.run(x, dloss, infer_gradient(x, dloss), dx, context);
}

}  // namespace sylvite
