// C: operators that move elements.
#include "runtime/c_api.h"
#include "runtime/ops/reshape.h"
#include "sylvite/cast.h"
#include "sylvite/expand.h"
#include "sylvite/join.h"
#include "sylvite/reshape.h"
#include "sylvite/space_batch.h"

namespace sylvite::internal::c_api {
namespace {

static_assert(SYLVITE_MAX_SPATIAL_AXES == PerAxis<int64_t>::kMaxSize);
static_assert(SYLVITE_NCHW == static_cast<int>(Layout::kNchw));
static_assert(SYLVITE_NHWC == static_cast<int>(Layout::kNhwc));

/// SpaceToBatchArgs or BatchToSpaceArgs; `sides` are the paddings or crops of both.
template <typename Args, typename CArgs>
Args block_args(const CArgs* pointer, sylvite_sides (CArgs::*given_sides)[SYLVITE_MAX_SPATIAL_AXES],
                PerAxis<Sides> Args::*sides) {
  const CArgs given = versioned(pointer, "args");
  require_call(given.axes >= 1 && given.axes <= SYLVITE_MAX_SPATIAL_AXES, "args.axes is ",
               given.axes, ", want 1 to ", SYLVITE_MAX_SPATIAL_AXES);
  require_call(given.layout == SYLVITE_NCHW || given.layout == SYLVITE_NHWC, "args.layout is ",
               given.layout, ", want SYLVITE_NCHW or SYLVITE_NHWC");
  require_call(given.reserved == 0, "args.reserved is ", given.reserved, ", want 0");
  Args args;
  args.block_shape = {};
  for (int axis = 0; axis < given.axes; ++axis) {
    args.block_shape.push_back(given.block_shape[axis]);
    const sylvite_sides& side = (given.*given_sides)[axis];
    (args.*sides).push_back({.before = side.before, .after = side.after});
  }
  args.layout = static_cast<Layout>(given.layout);
  return args;
}

SpaceToBatchArgs args_of(const sylvite_space_to_batch_args* given) {
  auto args =
      block_args(given, &sylvite_space_to_batch_args::paddings, &SpaceToBatchArgs::paddings);
  args.pad_value = given->pad_value;
  return args;
}

BatchToSpaceArgs args_of(const sylvite_batch_to_space_args* given) {
  return block_args(given, &sylvite_batch_to_space_args::crops, &BatchToSpaceArgs::crops);
}

}  // namespace
}  // namespace sylvite::internal::c_api

using namespace sylvite;
using namespace sylvite::internal::c_api;

// --- space_batch.h -----------------------------------------------------------------------------

sylvite_status sylvite_space_to_batch(const sylvite_tensor* x,
                                      const sylvite_space_to_batch_args* args,
                                      const sylvite_tensor* y, const sylvite_context* context) {
  return writes(__func__, y, "y", [&](Tensor& out) {
    space_to_batch(input(x, "x"), args_of(args), out, context_of(context));
  });
}

sylvite_status sylvite_space_to_batch_shape(const sylvite_tensor* x,
                                            const sylvite_space_to_batch_args* args,
                                            sylvite_shape* y_shape) {
  return tells(__func__, y_shape,
               [&] { return space_to_batch_shape(info_of(x, "x"), args_of(args)); });
}

sylvite_status sylvite_space_to_batch_gradient(const sylvite_tensor* dy,
                                               const sylvite_space_to_batch_args* args,
                                               const sylvite_tensor* dx,
                                               const sylvite_context* context) {
  return writes(__func__, dx, "dx", [&](Tensor& out) {
    space_to_batch_gradient(input(dy, "dy"), args_of(args), out, context_of(context));
  });
}

sylvite_status sylvite_batch_to_space(const sylvite_tensor* x,
                                      const sylvite_batch_to_space_args* args,
                                      const sylvite_tensor* y, const sylvite_context* context) {
  return writes(__func__, y, "y", [&](Tensor& out) {
    batch_to_space(input(x, "x"), args_of(args), out, context_of(context));
  });
}

sylvite_status sylvite_batch_to_space_shape(const sylvite_tensor* x,
                                            const sylvite_batch_to_space_args* args,
                                            sylvite_shape* y_shape) {
  return tells(__func__, y_shape,
               [&] { return batch_to_space_shape(info_of(x, "x"), args_of(args)); });
}

sylvite_status sylvite_batch_to_space_gradient(const sylvite_tensor* dy,
                                               const sylvite_batch_to_space_args* args,
                                               const sylvite_tensor* dx,
                                               const sylvite_context* context) {
  return writes(__func__, dx, "dx", [&](Tensor& out) {
    batch_to_space_gradient(input(dy, "dy"), args_of(args), out, context_of(context));
  });
}

// --- expand.h ----------------------------------------------------------------------------------

sylvite_status sylvite_expand(const sylvite_tensor* x, const int64_t* shape, int32_t rank,
                              const sylvite_tensor* y, const sylvite_context* context) {
  return writes(__func__, y, "y", [&](Tensor& out) {
    expand(input(x, "x"), shape_of(shape, rank, "shape"), out, context_of(context));
  });
}

sylvite_status sylvite_expand_shape(const sylvite_tensor* x, const int64_t* shape, int32_t rank,
                                    sylvite_shape* y_shape) {
  return tells(__func__, y_shape,
               [&] { return expand_shape(info_of(x, "x"), shape_of(shape, rank, "shape")); });
}

sylvite_status sylvite_expand_view(const sylvite_tensor* x, const int64_t* shape, int32_t rank,
                                   sylvite_shape* y_shape, sylvite_shape* y_strides) {
  return guarded(__func__, [&] {
    sylvite_shape& extents = required(y_shape, "y_shape");
    sylvite_shape& strides = required(y_strides, "y_strides");
    const Tensor view = expand_view(input(x, "x"), shape_of(shape, rank, "shape"));
    give(view.shape(), extents);
    give(view.strides(), strides);
  });
}

sylvite_status sylvite_expanded(const sylvite_tensor* x, int32_t* expanded) {
  return guarded(__func__, [&] {
    int32_t& to = required(expanded, "expanded");
    to = sylvite::expanded(input(x, "x")) ? 1 : 0;
  });
}

sylvite_status sylvite_materialize(const sylvite_tensor* x, const sylvite_tensor* y,
                                   const sylvite_context* context) {
  return writes(__func__, y, "y",
                [&](Tensor& out) { materialize(input(x, "x"), out, context_of(context)); });
}

sylvite_status sylvite_expand_gradient(const sylvite_tensor* dy, const sylvite_tensor* dx,
                                       const sylvite_context* context) {
  return writes(__func__, dx, "dx", [&](Tensor& out) {
    expand_gradient(input(dy, "dy"), out.shape(), out, context_of(context));
  });
}

// --- reshape.h ---------------------------------------------------------------------------------

sylvite_status sylvite_expand_dims(const sylvite_tensor* x, const int64_t* dims, int32_t count,
                                   const sylvite_tensor* y, const sylvite_context* context) {
  return writes(__func__, y, "y", [&](Tensor& out) {
    expand_dims(input(x, "x"), array(dims, count, "dims"), out, context_of(context));
  });
}

sylvite_status sylvite_expand_dims_shape(const sylvite_tensor* x, const int64_t* dims,
                                         int32_t count, sylvite_shape* y_shape) {
  return tells(__func__, y_shape, [&] {
    return internal::expand_dims_change(info_of(x, "x"), array(dims, count, "dims")).shape;
  });
}

sylvite_status sylvite_squeeze(const sylvite_tensor* x, const int64_t* dims, int32_t count,
                               const sylvite_tensor* y, const sylvite_context* context) {
  return writes(__func__, y, "y", [&](Tensor& out) {
    squeeze(input(x, "x"), array(dims, count, "dims"), out, context_of(context));
  });
}

sylvite_status sylvite_squeeze_shape(const sylvite_tensor* x, const int64_t* dims, int32_t count,
                                     sylvite_shape* y_shape) {
  return tells(__func__, y_shape, [&] {
    return internal::squeeze_change(info_of(x, "x"), array(dims, count, "dims")).shape;
  });
}

sylvite_status sylvite_reshape(const sylvite_tensor* x, const int64_t* shape, int32_t rank,
                               const sylvite_tensor* y, const sylvite_context* context) {
  return writes(__func__, y, "y", [&](Tensor& out) {
    reshape(input(x, "x"), shape_of(shape, rank, "shape"), out, context_of(context));
  });
}

sylvite_status sylvite_reshape_shape(const sylvite_tensor* x, const int64_t* shape, int32_t rank,
                                     sylvite_shape* y_shape) {
  return tells(__func__, y_shape,
               [&] { return reshape_shape(info_of(x, "x"), shape_of(shape, rank, "shape")); });
}

sylvite_status sylvite_reshape_like(const sylvite_tensor* x, const sylvite_tensor* y,
                                    const sylvite_context* context) {
  return writes(__func__, y, "y", [&](Tensor& out) {
    reshape_like(input(x, "x"), out.shape(), out, context_of(context));
  });
}

// --- cast.h ------------------------------------------------------------------------------------

sylvite_status sylvite_cast(const sylvite_tensor* x, const sylvite_tensor* y,
                            const sylvite_context* context) {
  return writes(__func__, y, "y",
                [&](Tensor& out) { cast(input(x, "x"), out.dtype(), out, context_of(context)); });
}

sylvite_status sylvite_cast_text_bytes(const sylvite_tensor* x, int64_t* text_bytes,
                                       const sylvite_context* context) {
  return guarded(__func__, [&] {
    int64_t& bytes = required(text_bytes, "text_bytes");
    const Tensor text = cast(input(x, "x"), DType::kString, context_of(context));
    bytes = text.element_count() > 0 ? text.data_as<int64_t>()[text.element_count()] : 0;
  });
}

sylvite_status sylvite_cast_gradient(const sylvite_tensor* dy, const sylvite_tensor* dx,
                                     const sylvite_context* context) {
  return writes(__func__, dx, "dx", [&](Tensor& out) {
    cast_gradient(input(dy, "dy"), out.dtype(), out, context_of(context));
  });
}

// --- join.h ------------------------------------------------------------------------------------

sylvite_status sylvite_stack(const sylvite_tensor* x, int64_t count, int32_t axis,
                             const sylvite_tensor* y, const sylvite_context* context) {
  return writes(__func__, y, "y",
                [&](Tensor& out) { stack(inputs(x, count, "x"), axis, out, context_of(context)); });
}

sylvite_status sylvite_stack_shape(const sylvite_tensor* x, int64_t count, int32_t axis,
                                   sylvite_shape* y_shape) {
  return tells(__func__, y_shape, [&] { return stack_shape(infos_of(x, count, "x"), axis); });
}

sylvite_status sylvite_unstack(const sylvite_tensor* y, int32_t axis, const sylvite_tensor* x,
                               int64_t count, const sylvite_context* context) {
  return guarded(__func__, [&] {
    std::vector<Tensor> out = outputs(x, count, "x");
    unstack(input(y, "y"), axis, out, context_of(context));
  });
}

sylvite_status sylvite_concat(const sylvite_tensor* x, int64_t count, int32_t axis,
                              const sylvite_tensor* y, const sylvite_context* context) {
  return writes(__func__, y, "y", [&](Tensor& out) {
    concat(inputs(x, count, "x"), axis, out, context_of(context));
  });
}

sylvite_status sylvite_concat_shape(const sylvite_tensor* x, int64_t count, int32_t axis,
                                    sylvite_shape* y_shape) {
  return tells(__func__, y_shape, [&] { return concat_shape(infos_of(x, count, "x"), axis); });
}

sylvite_status sylvite_split(const sylvite_tensor* y, const int64_t* sizes, int32_t axis,
                             const sylvite_tensor* x, int64_t count,
                             const sylvite_context* context) {
  return guarded(__func__, [&] {
    std::vector<Tensor> out = outputs(x, count, "x");
    split(input(y, "y"), array(sizes, count, "sizes"), axis, out, context_of(context));
  });
}
