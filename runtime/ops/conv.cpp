// MatMul, Conv and its gradients: what is allowed, what comes out.
#include "sylvite/conv.h"

#include <limits>

#include "runtime/checked.h"
#include "runtime/error.h"
#include "runtime/ops/arithmetic.h"
#include "runtime/ops/conv.h"
#include "runtime/shape.h"
#include "sylvite/expand.h"

namespace sylvite {
namespace {

using internal::Call;
using internal::Checked;
using internal::checked_add;
using internal::checked_count;
using internal::checked_mul;
using internal::Image;
using internal::Matrix;
using internal::Place;
using internal::require_argument;
using internal::Walk;

constexpr std::string_view kMatMul = "MatMul";
constexpr std::string_view kConv = "Conv";
constexpr std::string_view kGradientInput = "ConvGradientInput";
constexpr std::string_view kGradientFilter = "ConvGradientFilter";
constexpr std::string_view kGradientBias = "ConvGradientBias";

/// An input by its name in messages.
struct Named {
  std::string_view name;
  const TensorInfo& info;
};

void require_rank(std::string_view op, const Named& x, int rank) {
  require_argument(x.info.shape.rank() == rank, op, ": ", x.name, " has rank ", x.info.shape.rank(),
                   ", want ", rank);
}

void require_same_dtype(std::string_view op, const Named& a, const Named& b) {
  internal::require_float(a.info.dtype, op, a.name);
  internal::require_float(b.info.dtype, op, b.name);
  require_argument(a.info.dtype == b.info.dtype, op, ": ", b.name, " has dtype ",
                   name(b.info.dtype), ", want ", name(a.info.dtype), " as ", a.name, " has");
}

void require_sized(std::string_view op, std::string_view argument, const Shape& shape,
                   DType dtype) {
  const bool sized = checked_mul(checked_count(shape), element_size(dtype)).has_value();
  require_argument(sized, op, ": ", argument, " of shape ", shape,
                   " has more bytes than int64 can count");
}

void require_inputs(std::string_view op, std::string_view a_name, const Tensor& a,
                    std::string_view b_name, const Tensor& b) {
  internal::require_on_cpu(a, a, op, a_name);
  internal::require_on_cpu(b, a, op, b_name);
}

/// --- MatMul -----------------------------------------------------------------------------------

Shape infer_matmul(const TensorInfo& a, const TensorInfo& b, const MatMulArgs& args) {
  const Named named_a{"A", a};
  const Named named_b{"B", b};
  require_same_dtype(kMatMul, named_a, named_b);
  require_rank(kMatMul, named_a, 2);
  require_rank(kMatMul, named_b, 2);
  const int a_depth = args.transpose_a ? 0 : 1;
  const int b_depth = args.transpose_b ? 1 : 0;
  require_argument(a.shape[a_depth] == b.shape[b_depth], kMatMul, ": A of shape ", a.shape,
                   args.transpose_a ? " (transposed)" : "", " and B of shape ", b.shape,
                   args.transpose_b ? " (transposed)" : "", " do not match: A has ",
                   a.shape[a_depth], " columns, B has ", b.shape[b_depth], " rows");
  const Shape y = {a.shape[1 - a_depth], b.shape[1 - b_depth]};
  require_sized(kMatMul, "Y", y, a.dtype);
  return y;
}

Shape infer_matmul(const Tensor& a, const Tensor& b, const MatMulArgs& args) {
  const Shape y = infer_matmul(a.info(), b.info(), args);
  require_inputs(kMatMul, "A", a, "B", b);
  return y;
}

Matrix matrix_of(const Tensor& x, bool transposed = false) noexcept {
  const int row = transposed ? 1 : 0;
  return {.place = internal::place_of(x, element_size(x.dtype())),
          .rows = x.shape()[row],
          .columns = x.shape()[1 - row],
          .row_stride = x.strides()[row],
          .column_stride = x.strides()[1 - row]};
}

/// --- Conv -------------------------------------------------------------------------------------

int64_t stride_of(const ConvArgs& args, int axis) noexcept {
  return args.strides.size() == 0 ? 1 : args.strides[axis];
}
Sides padding_of(const ConvArgs& args, int axis) noexcept {
  return args.paddings.size() == 0 ? Sides{} : args.paddings[axis];
}

constexpr std::array<std::string_view, 2> kSpatial = {"height", "width"};

/// Shape of y for these shapes of x and w. The names are those of the arguments.
Shape infer_conv(std::string_view op, std::string_view x_name, const Shape& x,
                 std::string_view w_name, const Shape& w, const ConvArgs& args) {
  const auto require_axes = [&](int size, std::string_view argument) {
    require_argument(size == 0 || size == 2, op, ": ", argument, " has ", size,
                     " entries, want 2: height and width");
  };
  require_axes(args.strides.size(), "strides");
  require_axes(args.paddings.size(), "paddings");
  require_argument(x.rank() == 4, op, ": ", x_name, " has rank ", x.rank(),
                   ", want 4: [N, C, H, W]");
  require_argument(w.rank() == 4, op, ": ", w_name, " has rank ", w.rank(),
                   ", want 4: [M, C, KH, KW]");
  require_argument(w[1] == x[1], op, ": ", w_name, " of shape ", w, " has ", w[1],
                   " channels, want the ", x[1], " of ", x_name);
  Shape y = {x[0], w[0]};
  for (int axis = 0; axis < 2; ++axis) {
    const auto along = kSpatial[static_cast<size_t>(axis)];
    const int64_t stride = stride_of(args, axis);
    const Sides padding = padding_of(args, axis);
    require_argument(stride >= 1, op, ": strides[", axis, "] is ", stride, ", want at least 1");
    require_argument(padding.before >= 0 && padding.after >= 0, op, ": paddings[", axis, "] is {",
                     padding.before, ", ", padding.after, "}, want nothing negative");
    const Checked padded = checked_add(checked_add(x[axis + 2], padding.before), padding.after);
    constexpr int64_t kMost = std::numeric_limits<int32_t>::max();
    internal::require(padded && *padded <= kMost && stride <= kMost, ErrorCode::kUnsupported, op,
                      ": ", along, " ", x[axis + 2], " of ", x_name, " with padding {",
                      padding.before, ", ", padding.after, "} and stride ", stride,
                      ", want a padded extent and a stride of at most ", kMost);
    require_argument(w[axis + 2] >= 1 && w[axis + 2] <= *padded, op, ": ", w_name, " has ", along,
                     " ", w[axis + 2], ", want 1 to ", *padded, ", the padded ", along, " of ",
                     x_name);
    y.push_back((*padded - w[axis + 2]) / stride + 1);
  }
  return y;
}

/// Of a given shape: extents not negative, a size that int64 can count.
void require_shape(std::string_view op, std::string_view argument, const Shape& shape,
                   DType dtype) {
  internal::require_tensor({.dtype = dtype, .shape = shape}, op, argument);
}

Image image_of(const Tensor& x) noexcept {
  Image image;
  image.place = internal::place_of(x, element_size(x.dtype()));
  for (int axis = 0; axis < 4; ++axis) {
    image.extent[static_cast<size_t>(axis)] = x.shape()[axis];
    image.stride[static_cast<size_t>(axis)] = x.strides()[axis];
  }
  return image;
}

using Walks = std::array<Walk, 2>;

/// From a place of y to what each tap meets in x.
Walks forward(const ConvArgs& args) noexcept {
  Walks walks;
  for (int axis = 0; axis < 2; ++axis) {
    walks[static_cast<size_t>(axis)] = {.step = stride_of(args, axis),
                                        .tap_step = 1,
                                        .first = -padding_of(args, axis).before,
                                        .zoom = 1};
  }
  return walks;
}

/// From a place of dx to the place of dy whose tap met it, if there is one.
Walks backward(const ConvArgs& args) noexcept {
  Walks walks;
  for (int axis = 0; axis < 2; ++axis) {
    walks[static_cast<size_t>(axis)] = {.step = 1,
                                        .tap_step = -1,
                                        .first = padding_of(args, axis).before,
                                        .zoom = stride_of(args, axis)};
  }
  return walks;
}

void require_reachable(std::string_view op, std::string_view argument, const Image& x,
                       const Walks& walks, const Shape& w) {
  internal::require(internal::patches_fit(x, walks, {w[2], w[3]}), ErrorCode::kUnsupported, op,
                    ": ", argument, " has strides ", x.stride[2], " and ", x.stride[3],
                    " on its last axes, want parts of an image that span less than 2^30 elements");
}

Shape validate_conv(const Tensor& x, const Tensor& w, const Tensor* bias, const ConvArgs& args) {
  const Shape y = conv_shape(x.info(), w.info(), args);
  require_inputs(kConv, "X", x, "W", w);
  require_reachable(kConv, "X", image_of(x), forward(args), w.shape());
  if (bias == nullptr) return y;
  const TensorInfo x_info = x.info();
  const TensorInfo info = bias->info();
  const Named named{"Bias", info};
  require_same_dtype(kConv, {"X", x_info}, named);
  require_rank(kConv, named, 1);
  require_argument(info.shape[0] == w.shape()[0], kConv, ": Bias has extent ", info.shape[0],
                   ", want ", w.shape()[0], ", the extent 0 of W");
  internal::require_on_cpu(*bias, x, kConv, "Bias");
  return y;
}

void run_into(const Tensor& x, const Tensor& w, const Tensor* bias, const ConvArgs& args,
              const Shape& shape, Tensor& y, const Context& context) {
  internal::require_output(y, x.dtype(), shape, {}, kConv, "Y");
  internal::require_apart(x, y, kConv, "Y");
  internal::require_apart(w, y, kConv, "Y");
  if (bias != nullptr) internal::require_apart(*bias, y, kConv, "Y");
  if (y.element_count() == 0) return;
  Call call(context, {}, kConv);
  const Place place = bias ? internal::place_of(*bias, element_size(x.dtype())) : Place{};
  internal::run_conv(call, x.dtype(), image_of(x), image_of(w), place,
                     bias ? bias->strides()[0] : 0, forward(args), image_of(y));
}

Tensor run_new(const Tensor& x, const Tensor& w, const Tensor* bias, const ConvArgs& args,
               const Context& context) {
  const Shape shape = validate_conv(x, w, bias, args);
  Tensor y = internal::new_output(x.dtype(), shape, context, {}, kConv, "Y");
  run_into(x, w, bias, args, shape, y, context);
  return y;
}

/// dy and the other input, whose gradient is of `shape`.
void validate_gradient(std::string_view op, const Tensor& dy, std::string_view other_name,
                       const Tensor& other, std::string_view shape_name, const Shape& shape,
                       const Shape& y) {
  require_shape(op, shape_name, shape, dy.dtype());
  const TensorInfo dy_info = dy.info();
  const TensorInfo other_info = other.info();
  require_same_dtype(op, {"dY", dy_info}, {other_name, other_info});
  require_argument(dy.shape() == y, op, ": dY has shape ", dy.shape(), ", want ", y,
                   ", the shape of Conv's Y");
  require_inputs(op, "dY", dy, other_name, other);
}

void validate_gradient_input(const Tensor& dy, const Tensor& w, const Shape& x_shape,
                             const ConvArgs& args) {
  const Shape y = infer_conv(kGradientInput, "X", x_shape, "W", w.shape(), args);
  validate_gradient(kGradientInput, dy, "W", w, "X", x_shape, y);
  require_reachable(kGradientInput, "dY", image_of(dy), backward(args), w.shape());
}

void validate_gradient_filter(const Tensor& x, const Tensor& dy, const Shape& w_shape,
                              const ConvArgs& args) {
  const Shape y = infer_conv(kGradientFilter, "X", x.shape(), "W", w_shape, args);
  validate_gradient(kGradientFilter, dy, "X", x, "W", w_shape, y);
  require_reachable(kGradientFilter, "X", image_of(x), forward(args), w_shape);
}

void validate_gradient_bias(const Tensor& dy) {
  const TensorInfo info = dy.info();
  internal::require_float(info.dtype, kGradientBias, "dY");
  require_rank(kGradientBias, {"dY", info}, 4);
  internal::require_on_cpu(dy, dy, kGradientBias, "dY");
}

}  // namespace

Shape matmul_shape(const TensorInfo& a, const TensorInfo& b, const MatMulArgs& args) {
  internal::require_tensor(a, kMatMul, "A");
  internal::require_tensor(b, kMatMul, "B");
  return infer_matmul(a, b, args);
}

Tensor matmul(const Tensor& a, const Tensor& b, const MatMulArgs& args, const Context& context) {
  const Shape shape = infer_matmul(a, b, args);
  Tensor y = internal::new_output(a.dtype(), shape, context, {}, kMatMul, "Y");
  matmul(a, b, args, y, context);
  return y;
}

void matmul(const Tensor& a, const Tensor& b, const MatMulArgs& args, Tensor& y,
            const Context& context) {
  internal::require_output(y, a.dtype(), infer_matmul(a, b, args), {}, kMatMul, "Y");
  internal::require_apart(a, y, kMatMul, "Y");
  internal::require_apart(b, y, kMatMul, "Y");
  if (y.element_count() == 0) return;
  Call call(context, {}, kMatMul);
  internal::run_matmul(call, a.dtype(), matrix_of(a, args.transpose_a),
                       matrix_of(b, args.transpose_b), matrix_of(y));
}

Shape conv_shape(const TensorInfo& x, const TensorInfo& w, const ConvArgs& args) {
  internal::require_tensor(x, kConv, "X");
  internal::require_tensor(w, kConv, "W");
  require_same_dtype(kConv, {"X", x}, {"W", w});
  const Shape y = infer_conv(kConv, "X", x.shape, "W", w.shape, args);
  require_sized(kConv, "Y", y, x.dtype);
  return y;
}

Tensor conv(const Tensor& x, const Tensor& w, const ConvArgs& args, const Context& context) {
  return run_new(x, w, nullptr, args, context);
}
void conv(const Tensor& x, const Tensor& w, const ConvArgs& args, Tensor& y,
          const Context& context) {
  run_into(x, w, nullptr, args, validate_conv(x, w, nullptr, args), y, context);
}
Tensor conv(const Tensor& x, const Tensor& w, const Tensor& bias, const ConvArgs& args,
            const Context& context) {
  return run_new(x, w, &bias, args, context);
}
void conv(const Tensor& x, const Tensor& w, const Tensor& bias, const ConvArgs& args, Tensor& y,
          const Context& context) {
  run_into(x, w, &bias, args, validate_conv(x, w, &bias, args), y, context);
}

Tensor conv_gradient_input(const Tensor& dy, const Tensor& w, const Shape& x_shape,
                           const ConvArgs& args, const Context& context) {
  validate_gradient_input(dy, w, x_shape, args);
  Tensor dx = internal::new_output(dy.dtype(), x_shape, context, {}, kGradientInput, "dX");
  conv_gradient_input(dy, w, x_shape, args, dx, context);
  return dx;
}

void conv_gradient_input(const Tensor& dy, const Tensor& w, const Shape& x_shape,
                         const ConvArgs& args, Tensor& dx, const Context& context) {
  validate_gradient_input(dy, w, x_shape, args);
  internal::require_output(dx, dy.dtype(), x_shape, {}, kGradientInput, "dX");
  internal::require_apart(dy, dx, kGradientInput, "dX");
  internal::require_apart(w, dx, kGradientInput, "dX");
  if (dx.element_count() == 0) return;
  Call call(context, {}, kGradientInput);
  Image filter = image_of(w);  // seen from x: C filters of M channels
  std::swap(filter.extent[0], filter.extent[1]);
  std::swap(filter.stride[0], filter.stride[1]);
  internal::run_conv(call, dy.dtype(), image_of(dy), filter, {}, 0, backward(args), image_of(dx));
}

Tensor conv_gradient_filter(const Tensor& x, const Tensor& dy, const Shape& w_shape,
                            const ConvArgs& args, const Context& context) {
  validate_gradient_filter(x, dy, w_shape, args);
  Tensor dw = internal::new_output(dy.dtype(), w_shape, context, {}, kGradientFilter, "dW");
  conv_gradient_filter(x, dy, w_shape, args, dw, context);
  return dw;
}

void conv_gradient_filter(const Tensor& x, const Tensor& dy, const Shape& w_shape,
                          const ConvArgs& args, Tensor& dw, const Context& context) {
  validate_gradient_filter(x, dy, w_shape, args);
  internal::require_output(dw, dy.dtype(), w_shape, {}, kGradientFilter, "dW");
  internal::require_apart(x, dw, kGradientFilter, "dW");
  internal::require_apart(dy, dw, kGradientFilter, "dW");
  if (dw.element_count() == 0) return;
  Call call(context, {}, kGradientFilter);
  internal::run_conv_gradient_filter(call, dy.dtype(), image_of(x), image_of(dy), forward(args),
                                     image_of(dw));
}

Tensor conv_gradient_bias(const Tensor& dy, const Context& context) {
  validate_gradient_bias(dy);
  Tensor db =
      internal::new_output(dy.dtype(), {dy.shape()[1]}, context, {}, kGradientBias, "dBias");
  conv_gradient_bias(dy, db, context);
  return db;
}

void conv_gradient_bias(const Tensor& dy, Tensor& db, const Context& context) {
  validate_gradient_bias(dy);
  internal::require_output(db, dy.dtype(), {dy.shape()[1]}, {}, kGradientBias, "dBias");
  internal::require_apart(dy, db, kGradientBias, "dBias");
  Tensor column = db.view({dy.shape()[1], 1, 1}, {db.strides()[0], 1, 1});
  expand_gradient(dy, column.shape(), column, context);
}

}  // namespace sylvite
