// SpaceToBatch, BatchToSpace and their gradients: what is allowed, what comes out, who computes it.
#include "sylvite/space_batch.h"

#include "runtime/checked.h"
#include "runtime/error.h"
#include "runtime/ops/arguments.h"
#include "runtime/ops/pad_value.h"
#include "runtime/ops/space_batch.h"
#include "runtime/plan.h"
#include "runtime/shape.h"
#include "sylvite/operator.h"

namespace sylvite {

using internal::Call;
using internal::Checked;
using internal::checked_add;
using internal::checked_mul;
using internal::require_argument;
using internal::SpaceBatchGeometry;

namespace {

/// One of the four operators: its name, its direction, its tensors, and what it calls the sides.
struct Direction {
  std::string_view op;
  const internal::SpaceBatchKernels* kernels;
  bool to_batch;
  std::string_view input;
  std::string_view output;
  std::string_view sides;
};

constexpr Direction kSpaceToBatch = {.op = "SpaceToBatch",
                                     .kernels = &internal::kIntoBatch,
                                     .to_batch = true,
                                     .input = "X",
                                     .output = "Y",
                                     .sides = "paddings"};
constexpr Direction kBatchToSpace = {.op = "BatchToSpace",
                                     .kernels = &internal::kIntoSpace,
                                     .to_batch = false,
                                     .input = "X",
                                     .output = "Y",
                                     .sides = "crops"};
constexpr Direction kSpaceToBatchGradient = {.op = "SpaceToBatchGradient",
                                             .kernels = &internal::kIntoSpace,
                                             .to_batch = false,
                                             .input = "dY",
                                             .output = "dX",
                                             .sides = "paddings"};
constexpr Direction kBatchToSpaceGradient = {.op = "BatchToSpaceGradient",
                                             .kernels = &internal::kIntoBatch,
                                             .to_batch = true,
                                             .input = "dY",
                                             .output = "dX",
                                             .sides = "crops"};

/// Arguments of both operators and of their gradients.
struct Blocks {
  const PerAxis<int64_t>& shape;
  const PerAxis<Sides>& sides;
  Layout layout;
};

int spatial_axis(Layout layout, int axis) noexcept {
  return layout == Layout::kNchw ? axis + 2 : axis + 1;
}

int channel_axis(Layout layout, int rank) noexcept {
  return layout == Layout::kNchw ? 1 : rank - 1;
}

Sides sides_of(const Blocks& blocks, int axis) noexcept {
  return blocks.sides.size() == 0 ? Sides{} : blocks.sides[axis];
}

void require_rank(const Direction& d, const TensorInfo& x, const Blocks& blocks) {
  const int axes = blocks.shape.size();
  require_argument(axes >= 1 && axes <= PerAxis<int64_t>::kMaxSize, d.op, ": block_shape has ",
                   axes, " entries, want 1 to ", PerAxis<int64_t>::kMaxSize);
  require_argument(x.shape.rank() == axes + 2, d.op, ": ", d.input, " has rank ", x.shape.rank(),
                   ", want ", axes + 2, ": batch, channels and ", axes, " spatial axes");
}

/// Checks the arguments against the input and returns the product of the blocks.
int64_t check_blocks(const Direction& d, const TensorInfo& x, const Blocks& blocks) {
  require_rank(d, x, blocks);
  const int axes = blocks.shape.size();
  require_argument(blocks.sides.size() == 0 || blocks.sides.size() == axes, d.op, ": ", d.sides,
                   " has ", blocks.sides.size(), " entries, want ", axes, ", one per spatial axis");
  Checked product = 1;
  for (int axis = 0; axis < axes; ++axis) {
    const Sides sides = sides_of(blocks, axis);
    require_argument(blocks.shape[axis] >= 1, d.op, ": block_shape[", axis, "] is ",
                     blocks.shape[axis], ", want at least 1");
    require_argument(sides.before >= 0, d.op, ": ", d.sides, "[", axis, "][0] is ", sides.before,
                     ", want at least 0");
    require_argument(sides.after >= 0, d.op, ": ", d.sides, "[", axis, "][1] is ", sides.after,
                     ", want at least 0");
    product = checked_mul(product, blocks.shape[axis]);
  }
  require_argument(product.has_value(), d.op, ": the product of block_shape is beyond int64");
  return *product;
}

/// x is a tensor: its own sizes are within int64.
Shape infer(const Direction& d, const TensorInfo& x, const Blocks& blocks) {
  internal::require_fixed_size(x.dtype, d.op, d.input);
  const int64_t product = check_blocks(d, x, blocks);
  Shape y = x.shape;
  if (d.to_batch) {
    const Checked batch = checked_mul(x.shape[0], product);
    require_argument(batch.has_value(), d.op, ": batch ", x.shape[0], " times the product ",
                     product, " of block_shape is beyond int64");
    y[0] = *batch;
  } else {
    require_argument(x.shape[0] % product == 0, d.op, ": ", d.input, " has batch ", x.shape[0],
                     ", want a multiple of the product ", product, " of block_shape");
    y[0] = x.shape[0] / product;
  }
  for (int axis = 0; axis < blocks.shape.size(); ++axis) {
    const int at = spatial_axis(blocks.layout, axis);
    const int64_t block = blocks.shape[axis];
    const Sides sides = sides_of(blocks, axis);
    const Checked around = checked_add(sides.before, sides.after);
    if (d.to_batch) {
      const Checked padded = checked_add(x.shape[at], around);
      require_argument(padded.has_value(), d.op, ": ", d.sides, "[", axis, "] of ", sides.before,
                       " and ", sides.after, " around axis ", at, " of extent ", x.shape[at],
                       " is beyond int64");
      require_argument(*padded % block == 0, d.op, ": ", d.sides, "[", axis, "] pad axis ", at,
                       " of extent ", x.shape[at], " to ", *padded,
                       ", want a multiple of block_shape[", axis, "] = ", block);
      y[at] = *padded / block;
    } else {
      const Checked whole = checked_mul(x.shape[at], block);
      require_argument(whole.has_value(), d.op, ": axis ", at, " of extent ", x.shape[at],
                       " times block ", block, " is beyond int64");
      require_argument(around.has_value() && *around <= *whole, d.op, ": ", d.sides, "[", axis,
                       "] cut ", sides.before, " and ", sides.after, " off axis ", at, " of ",
                       *whole, " elements, want at most all of them");
      y[at] = *whole - *around;
    }
  }
  const bool sized = checked_mul(internal::checked_count(y), element_size(x.dtype)).has_value();
  require_argument(sized, d.op, ": ", d.output, " of shape ", y,
                   " has more bytes than int64 can count");
  return y;
}

/// The same for a description that nobody has checked. The rank comes first: it names the mistake
/// behind most sizes beyond int64.
Shape infer_checked(const Direction& d, const TensorInfo& x, const Blocks& blocks) {
  require_rank(d, x, blocks);
  internal::require_tensor(x, d.op, d.input);
  return infer(d, x, blocks);
}

/// x and y are validated. Strides become those of elements of element_bytes.
SpaceBatchGeometry geometry_of(const Direction& d, const TensorInfo& x, const TensorInfo& y,
                               const Shape& x_strides, const Shape& y_strides, const Blocks& blocks,
                               uint64_t pad_bits) noexcept {
  const TensorInfo& image = d.to_batch ? x : y;
  const TensorInfo& phases = d.to_batch ? y : x;
  const Shape& image_strides = d.to_batch ? x_strides : y_strides;
  const Shape& phase_strides = d.to_batch ? y_strides : x_strides;
  const int channel = channel_axis(blocks.layout, x.shape.rank());
  SpaceBatchGeometry g;
  g.kernels = d.kernels;
  g.to_batch = d.to_batch;
  g.channels_last = blocks.layout == Layout::kNhwc;
  g.element_bytes = element_size(x.dtype);
  g.axes = blocks.shape.size();
  g.batch = image.shape[0];
  g.channels = image.shape[channel];
  g.image_batch_stride = image_strides[0];
  g.phase_batch_stride = phase_strides[0];
  g.image_channel_stride = image_strides[channel];
  g.phase_channel_stride = phase_strides[channel];
  g.pad_bits = pad_bits;
  g.output_count = *internal::checked_count(y.shape);
  g.bytes_moved = (*internal::checked_count(x.shape) + g.output_count) * g.element_bytes;
  int64_t block_stride = g.batch * phase_strides[0];
  for (int a = g.axes - 1; a >= 0; --a) {
    const int at = spatial_axis(blocks.layout, a);
    g.axis[static_cast<size_t>(a)] = {.block = blocks.shape[a],
                                      .before = sides_of(blocks, a).before,
                                      .image = image.shape[at],
                                      .phase = phases.shape[at],
                                      .image_stride = image_strides[at],
                                      .phase_stride = phase_strides[at],
                                      .block_stride = block_stride};
    // Strides of an empty output may leave int64; nothing uses them.
    block_stride = static_cast<int64_t>(static_cast<uint64_t>(block_stride) *
                                        static_cast<uint64_t>(blocks.shape[a]));
  }
  return g;
}

/// Applies change(stride) to every stride of the geometry.
template <typename Change>
void change_strides(SpaceBatchGeometry& g, const Change& change) noexcept {
  for (int64_t* stride : {&g.image_batch_stride, &g.phase_batch_stride, &g.image_channel_stride,
                          &g.phase_channel_stride}) {
    change(*stride);
  }
  for (size_t a = 0; a < static_cast<size_t>(g.axes); ++a) {
    change(g.axis[a].image_stride);
    change(g.axis[a].phase_stride);
    change(g.axis[a].block_stride);
  }
}

/// Channels that stand together and fill 2, 4 or 8 bytes move as one element.
void widen(SpaceBatchGeometry& g) noexcept {
  const int64_t bytes = g.channels * g.element_bytes;
  if (!g.channels_last || g.channels < 2 || (bytes != 2 && bytes != 4 && bytes != 8) ||
      g.image_channel_stride != 1 || g.phase_channel_stride != 1) {
    return;
  }
  SpaceBatchGeometry wide = g;
  wide.image_channel_stride = wide.phase_channel_stride = 0;
  bool divides = true;
  change_strides(wide, [&](int64_t& stride) {
    divides = divides && stride % g.channels == 0;
    stride /= g.channels;
  });
  if (!divides) return;
  wide.element_bytes = static_cast<int>(bytes);
  const int64_t bits = int64_t{8} * g.element_bytes;
  for (int64_t c = 1; c < g.channels; ++c) wide.pad_bits |= g.pad_bits << (bits * c);
  wide.channels = 1;
  g = wide;
}

/// GPUs fault where an address is no multiple of the element: there the bytes move one by one.
void narrow_to_bytes(SpaceBatchGeometry& g) noexcept {
  change_strides(g, [&](int64_t& stride) { stride *= g.element_bytes; });
  g.run = g.element_bytes;
  g.element_bytes = 1;
}

void run(Call& call, const Direction& d, SpaceBatchGeometry g, const Tensor* x, const Tensor* y) {
  if (g.output_count == 0) return;
  if (call.on_cpu()) {
    widen(g);
  } else if (x != nullptr &&
             ((reinterpret_cast<uintptr_t>(x->data()) | reinterpret_cast<uintptr_t>(y->data())) %
              static_cast<uintptr_t>(g.element_bytes)) != 0) {
    narrow_to_bytes(g);
  }
  const Tensor* image = d.to_batch ? x : y;
  const Tensor* phases = d.to_batch ? y : x;
  const internal::Place here =
      image ? internal::place_of(*image, g.element_bytes) : internal::Place{};
  const internal::Place there =
      phases ? internal::place_of(*phases, g.element_bytes) : internal::Place{};
  const bool done = call.on_cpu() ? internal::run_space_batch_interleaved(call, g, here, there)
                                  : internal::run_space_batch_gpu(call, g, here, there);
  if (!done) internal::run_space_batch_boxes(call, g, here, there);
  internal::throw_if_failed(call);
}

uint64_t pad_bits_of(const Direction& d, double value, DType dtype) {
  const auto bits = internal::exact_bits(value, dtype);
  require_argument(bits.has_value(), d.op, ": pad_value is ", value, ", want a number that ",
                   name(dtype), " holds exactly");
  return *bits;
}

void run_into(const Direction& d, const Tensor& x, const Blocks& blocks, double pad_value,
              Tensor& y, const Context& context) {
  const TensorInfo x_info = x.info();
  const TensorInfo y_info = y.info();
  const Shape shape = infer(d, x_info, blocks);
  internal::require_output(y_info, x.dtype(), shape, x.device(), d.op, d.output);
  const uint64_t pad_bits = pad_bits_of(d, pad_value, x.dtype());
  internal::require_apart(x, y, d.op, d.output);
  Call call(context, x.device(), d.op);
  run(call, d, geometry_of(d, x_info, y_info, x.strides(), y.strides(), blocks, pad_bits), &x, &y);
}

Tensor run_new(const Direction& d, const Tensor& x, const Blocks& blocks, double pad_value,
               const Context& context) {
  const Shape shape = infer(d, x.info(), blocks);
  static_cast<void>(pad_bits_of(d, pad_value, x.dtype()));
  Tensor y = internal::new_output(x.dtype(), shape, context, x.device(), d.op, d.output);
  run_into(d, x, blocks, pad_value, y, context);
  return y;
}

struct SpaceBatchPlan : Plan::State {
  SpaceBatchPlan(const Direction& d, TensorInfo in, TensorInfo out, const Blocks& blocks,
                 double pad_value, const Context& with)
      : State(d.op, std::move(in), std::move(out), with), direction(d) {
    const Shape shape = infer_checked(d, x, blocks);
    if (y.shape.rank() == 0)
      y = {.dtype = x.dtype, .shape = shape, .strides = {}, .device = x.device};
    internal::require_tensor(y, d.op, d.output);
    internal::require_output(y, x.dtype, shape, x.device, d.op, d.output);
    x.strides = internal::strides_of(x);
    y.strides = internal::strides_of(y);
    geometry =
        geometry_of(d, x, y, x.strides, y.strides, blocks, pad_bits_of(d, pad_value, x.dtype));
    explanation.op = d.op;
    explanation.kernel = explanation.target = "none";
    explanation.variant = "plain";
    explanation.output_shape = shape;
    Call call(context, x.device, d.op, &explanation);
    sylvite::run(call, d, geometry, nullptr, nullptr);
  }

  void run(const Tensor& from, Tensor& to) const override {
    Call call(context, x.device, direction.op);
    sylvite::run(call, direction, geometry, &from, &to);
  }

  const Direction& direction;
  SpaceBatchGeometry geometry;
};

Blocks blocks_of(const SpaceToBatchArgs& args) noexcept {
  return {args.block_shape, args.paddings, args.layout};
}
Blocks blocks_of(const BatchToSpaceArgs& args) noexcept {
  return {args.block_shape, args.crops, args.layout};
}

}  // namespace

Tensor space_to_batch(const Tensor& x, const SpaceToBatchArgs& args, const Context& context) {
  return run_new(kSpaceToBatch, x, blocks_of(args), args.pad_value, context);
}

void space_to_batch(const Tensor& x, const SpaceToBatchArgs& args, Tensor& y,
                    const Context& context) {
  run_into(kSpaceToBatch, x, blocks_of(args), args.pad_value, y, context);
}

Plan space_to_batch_plan(const TensorInfo& x, const TensorInfo& y, const SpaceToBatchArgs& args,
                         const Context& context) {
  return Plan(std::make_shared<SpaceBatchPlan>(kSpaceToBatch, x, y, blocks_of(args), args.pad_value,
                                               context));
}

Shape space_to_batch_shape(const TensorInfo& x, const SpaceToBatchArgs& args) {
  return infer_checked(kSpaceToBatch, x, blocks_of(args));
}

Tensor batch_to_space(const Tensor& x, const BatchToSpaceArgs& args, const Context& context) {
  return run_new(kBatchToSpace, x, blocks_of(args), 0, context);
}

void batch_to_space(const Tensor& x, const BatchToSpaceArgs& args, Tensor& y,
                    const Context& context) {
  run_into(kBatchToSpace, x, blocks_of(args), 0, y, context);
}

Plan batch_to_space_plan(const TensorInfo& x, const TensorInfo& y, const BatchToSpaceArgs& args,
                         const Context& context) {
  return Plan(std::make_shared<SpaceBatchPlan>(kBatchToSpace, x, y, blocks_of(args), 0, context));
}

Shape batch_to_space_shape(const TensorInfo& x, const BatchToSpaceArgs& args) {
  return infer_checked(kBatchToSpace, x, blocks_of(args));
}

Tensor space_to_batch_gradient(const Tensor& dy, const SpaceToBatchArgs& args,
                               const Context& context) {
  return run_new(kSpaceToBatchGradient, dy, blocks_of(args), 0, context);
}

void space_to_batch_gradient(const Tensor& dy, const SpaceToBatchArgs& args, Tensor& dx,
                             const Context& context) {
  run_into(kSpaceToBatchGradient, dy, blocks_of(args), 0, dx, context);
}

Tensor batch_to_space_gradient(const Tensor& dy, const BatchToSpaceArgs& args,
                               const Context& context) {
  return run_new(kBatchToSpaceGradient, dy, blocks_of(args), 0, context);
}

void batch_to_space_gradient(const Tensor& dy, const BatchToSpaceArgs& args, Tensor& dx,
                             const Context& context) {
  run_into(kBatchToSpaceGradient, dy, blocks_of(args), 0, dx, context);
}

}  // namespace sylvite
