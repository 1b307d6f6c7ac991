// ExpandDims, Squeeze, Reshape, ReshapeLike: what shape comes out, and a view of it or a copy.
#include "sylvite/reshape.h"

#include <algorithm>
#include <memory>
#include <optional>

#include "runtime/checked.h"
#include "runtime/copy_tensor.h"
#include "runtime/error.h"
#include "runtime/ops/reshape.h"
#include "runtime/plan.h"
#include "runtime/shape.h"
#include "runtime/strings.h"

namespace sylvite {
namespace internal {
namespace {

/// Marks the axes that `dims` names. Throws where one is out of range, or spelled two ways.
struct Axes {
  Axes(std::string_view op, std::span<const int64_t> dims, int rank) {
    std::array<int64_t, kMaxRank> spelled = {};
    for (const int64_t dim : dims) {
      require_argument(dim >= -rank && dim < rank, op, ": dims has ", dim, ", want -", rank, " to ",
                       rank - 1);
      const auto axis = static_cast<size_t>(dim < 0 ? dim + rank : dim);
      require_argument(!marked[axis] || spelled[axis] == dim, op, ": dims has ", spelled[axis],
                       " and ", dim, ", both of them axis ", axis, ", want it once");
      count += marked[axis] ? 0 : 1;
      marked[axis] = true;
      spelled[axis] = dim;
    }
  }
  std::array<bool, kMaxRank> marked = {};
  int count = 0;
};

/// The entries of dims that count: one repeated as written counts once.
int distinct(std::span<const int64_t> dims) noexcept {
  int count = 0;
  for (size_t i = 0; i < dims.size() && count <= kMaxRank; ++i) {
    count += std::find(dims.begin(), dims.begin() + static_cast<std::ptrdiff_t>(i), dims[i]) ==
                     dims.begin() + static_cast<std::ptrdiff_t>(i)
                 ? 1
                 : 0;
  }
  return count;
}

}  // namespace

ShapeChange expand_dims_change(const TensorInfo& x, std::span<const int64_t> dims) {
  constexpr std::string_view kOp = "ExpandDims";
  const int rank = x.shape.rank() + distinct(dims);
  require_argument(rank <= kMaxRank, kOp, ": X has rank ", x.shape.rank(), " and dims names ",
                   distinct(dims), " axes, want at most ", kMaxRank, " in all");
  const Axes axes(kOp, dims, rank);
  const Shape from = strides_of(x);
  ShapeChange y{.op = kOp, .strides = Shape{}};
  int axis = 0;
  for (int i = 0; i < rank; ++i) {
    const bool inserted = axes.marked[static_cast<size_t>(i)];
    y.shape.push_back(inserted ? 1 : x.shape[axis]);
    y.strides->push_back(inserted ? 1 : from[axis]);
    axis += inserted ? 0 : 1;
  }
  return y;
}

ShapeChange squeeze_change(const TensorInfo& x, std::span<const int64_t> dims) {
  constexpr std::string_view kOp = "Squeeze";
  const Axes axes(kOp, dims, x.shape.rank());
  const Shape from = strides_of(x);
  ShapeChange y{.op = kOp, .strides = Shape{}};
  for (int axis = 0; axis < x.shape.rank(); ++axis) {
    const bool named = axes.marked[static_cast<size_t>(axis)];
    require_argument(!named || x.shape[axis] == 1, kOp, ": X has extent ", x.shape[axis],
                     " on axis ", axis, " that dims names, want 1");
    if (named || (dims.empty() && x.shape[axis] == 1)) continue;
    y.shape.push_back(x.shape[axis]);
    y.strides->push_back(from[axis]);
  }
  return y;
}

namespace {

/// The extents that `wanted` asks for, -1 and 0 resolved.
Shape resolve(const Shape& x, const Shape& wanted, int64_t count) {
  constexpr std::string_view kOp = "Reshape";
  const bool empty = count == 0;
  int inferred = -1;
  Checked known = 1;
  Shape shape = wanted;
  for (int axis = 0; axis < wanted.rank(); ++axis) {
    const int64_t extent = wanted[axis];
    require_argument(extent >= -1, kOp, ": shape[", axis, "] is ", extent, ", want at least -1");
    if (extent == -1) {
      require_argument(inferred < 0, kOp, ": shape ", wanted, " has -1 at ", inferred, " and ",
                       axis, ", want at most one");
      inferred = axis;
      continue;
    }
    if (extent == 0 && !empty) {
      require_argument(axis < x.rank(), kOp, ": shape[", axis,
                       "] is 0, want an extent: X of shape ", x, " has no axis ", axis, " to copy");
      shape[axis] = x[axis];
    }
    known = checked_mul(known, shape[axis]);
  }
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) known = 0;
  require_argument(known.has_value(), kOp, ": shape ", wanted,
                   " has more elements than int64 can count, want the ", count, " of X");
  if (inferred >= 0) {
    require_argument(empty || *known == 0 || count % *known == 0, kOp, ": shape ", wanted,
                     " leaves ", count, " elements over ", *known,
                     " for -1, want a count that they divide");
    shape[inferred] = empty || *known == 0 ? 0 : count / *known;
    known = checked_mul(known, shape[inferred]);
  }
  require_argument(*known == count, kOp, ": shape ", wanted, " has ", *known,
                   " elements, want the ", count, " of X of shape ", x);
  return shape;
}

/// Strides under which x's memory has this shape in row-major order; nothing where no strides do.
std::optional<Shape> view_strides(const TensorInfo& x, const Shape& shape) {
  Shape strides = dense_strides(shape);
  if (*checked_count(shape) == 0) return strides;
  // x without its axes of extent 1.
  const Shape x_strides = strides_of(x);
  Shape extents;
  Shape steps;
  for (int axis = 0; axis < x.shape.rank(); ++axis) {
    if (x.shape[axis] == 1) continue;
    extents.push_back(x.shape[axis]);
    steps.push_back(x_strides[axis]);
  }
  // The shortest groups of axes, from the innermost outwards, with as many elements on both sides: in
  // each of them one step must walk through all of x's axes.
  int from = extents.rank() - 1;
  int to = shape.rank() - 1;
  while (from >= 0) {
    const int64_t step = steps[from];
    int64_t walked = extents[from--];
    int64_t covered = 1;
    const auto cover = [&] {
      strides[to] = step * covered;
      covered *= shape[to--];
    };
    while (covered != walked) {
      if (covered < walked) {
        cover();
      } else {
        if (steps[from] != step * walked) return std::nullopt;
        walked *= extents[from--];
      }
    }
  }
  return strides;
}

}  // namespace

ShapeChange reshape_change(const TensorInfo& x, const Shape& wanted) {
  const Shape shape = resolve(x.shape, wanted, *checked_count(x.shape));
  return {.op = "Reshape", .shape = shape, .strides = view_strides(x, shape)};
}

ShapeChange reshape_like_change(const TensorInfo& x, const Shape& like) {
  constexpr std::string_view kOp = "ReshapeLike";
  require_tensor({.dtype = x.dtype, .shape = like}, kOp, "like");
  require_argument(*checked_count(like) == *checked_count(x.shape), kOp, ": like has shape ", like,
                   " of ", *checked_count(like), " elements, want the ", *checked_count(x.shape),
                   " of X of shape ", x.shape);
  return {.op = kOp, .shape = like, .strides = view_strides(x, like)};
}

namespace {

/// The result as a view of x; nothing where it takes a copy.
std::optional<Tensor> view_of(const Tensor& x, const ShapeChange& change) {
  if (!change.strides) return std::nullopt;
  return x.view(change.shape, *change.strides);
}

Tensor dense(const Tensor& x, const ShapeChange& change, const Context& context) {
  if (x.dtype() == DType::kString) return dense_strings(x, context, change.op);
  Tensor y = new_output(x.dtype(), x.shape(), context, x.device(), change.op, "Y");
  Call call(context, x.device(), change.op);
  copy_tensor(call, x, y);
  return y;
}

/// Tensors of one shape that are the same elements. Memory may be wrapped twice, so that addresses
/// count; OpenCL's has none.
bool same_memory(const Tensor& a, const Tensor& b) noexcept {
  const bool same_place =
      a.data() != nullptr ? a.data() == b.data() && a.text_data() == b.text_data()
                          : a.storage() == b.storage() && a.storage_offset() == b.storage_offset();
  return same_place && a.device() == b.device() && a.strides() == b.strides();
}

void copy_strings_into(const Tensor& x, Tensor& y, const ShapeChange& change) {
  require_argument(y.strides() == dense_strides(y.shape()), change.op, ": Y has strides ",
                   y.strides(), ", want dense ones for strings: ", dense_strides(y.shape()));
  require_text_room(y, text_bytes_of(x, change.op, "X"), change.op, "Y");
  copy_strings(x, y);
}

}  // namespace

Tensor change_shape(const Tensor& x, const ShapeChange& change, const Context& context) {
  if (std::optional<Tensor> view = view_of(x, change)) return *std::move(view);
  return dense(x, change, context).view(change.shape, {});
}

void change_shape(const Tensor& x, const ShapeChange& change, Tensor& y, const Context& context) {
  require_output(y, x.dtype(), change.shape, x.device(), change.op, "Y");
  const std::optional<Tensor> view = view_of(x, change);
  if (view && same_memory(*view, y)) return;
  require_apart(x, y, change.op, "Y");
  if (x.dtype() == DType::kString) return copy_strings_into(x, y, change);
  Call call(context, x.device(), change.op);
  if (view) return copy_tensor(call, *view, y);
  const TensorInfo back = {
      .dtype = y.dtype(), .shape = y.shape(), .strides = y.strides(), .device = {}};
  if (const std::optional<Shape> strides = view_strides(back, x.shape()))
    return copy_tensor(call, x, y.view(x.shape(), *strides));
  copy_tensor(call, dense(x, change, context).view(change.shape, {}), y);
}

}  // namespace internal

using internal::change_shape;

Tensor expand_dims(const Tensor& x, std::span<const int64_t> dims) {
  return change_shape(x, internal::expand_dims_change(x.info(), dims), {});
}

void expand_dims(const Tensor& x, std::span<const int64_t> dims, Tensor& y,
                 const Context& context) {
  change_shape(x, internal::expand_dims_change(x.info(), dims), y, context);
}

Tensor squeeze(const Tensor& x, std::span<const int64_t> dims) {
  return change_shape(x, internal::squeeze_change(x.info(), dims), {});
}

void squeeze(const Tensor& x, std::span<const int64_t> dims, Tensor& y, const Context& context) {
  change_shape(x, internal::squeeze_change(x.info(), dims), y, context);
}

Tensor reshape(const Tensor& x, const Shape& shape, const Context& context) {
  return change_shape(x, internal::reshape_change(x.info(), shape), context);
}

Tensor reshape(const Tensor& x, const Tensor& shape, const Context& context) {
  return reshape(x, internal::shape_from(shape, "Reshape"), context);
}

void reshape(const Tensor& x, const Shape& shape, Tensor& y, const Context& context) {
  change_shape(x, internal::reshape_change(x.info(), shape), y, context);
}

Shape reshape_shape(const TensorInfo& x, const Shape& shape) {
  internal::require_tensor(x, "Reshape", "X");
  return internal::reshape_change(x, shape).shape;
}

Tensor reshape_like(const Tensor& x, const Shape& like, const Context& context) {
  return change_shape(x, internal::reshape_like_change(x.info(), like), context);
}

void reshape_like(const Tensor& x, const Shape& like, Tensor& y, const Context& context) {
  change_shape(x, internal::reshape_like_change(x.info(), like), y, context);
}

}  // namespace sylvite
