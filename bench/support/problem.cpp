#include "support/problem.h"

#include <algorithm>

#include "support/operand.h"

namespace sylvite_bench {
namespace {

using sylvite::Context;
using sylvite::Layout;
using sylvite::Shape;
using sylvite::Tensor;
using sylvite::TensorInfo;

Shape output_shape(const Case& row, const sylvite::SpaceToBatchArgs& scatter,
                   const sylvite::BatchToSpaceArgs& gather) {
  const TensorInfo x{.dtype = row.dtype, .shape = row.shape};
  return row.op == Op::kSpaceToBatch ? space_to_batch_shape(x, scatter)
                                     : batch_to_space_shape(x, gather);
}

}  // namespace

Geometry geometry_of(const Case& row, const Shape& output) {
  const bool scatter = row.op == Op::kSpaceToBatch;
  const Shape& image = scatter ? row.shape : output;
  const Shape& phases = scatter ? output : row.shape;
  const int axes = row.block.size();
  const int spatial = row.layout == Layout::kNchw ? 2 : 1;
  const int last = spatial + axes - 1;
  Geometry g;
  g.images = static_cast<int>(image[0]);
  g.channels = static_cast<int>(image[row.layout == Layout::kNchw ? 1 : axes + 1]);
  g.channels_last = row.layout == Layout::kNhwc;
  g.width = static_cast<int>(image[last]);
  g.phase_w = static_cast<int>(phases[last]);
  g.block_w = static_cast<int>(row.block[axes - 1]);
  g.pad_l = static_cast<int>(row.pads[axes - 1].before);
  if (axes == 2) {
    g.height = static_cast<int>(image[spatial]);
    g.phase_h = static_cast<int>(phases[spatial]);
    g.block_h = static_cast<int>(row.block[0]);
    g.pad_t = static_cast<int>(row.pads[0].before);
  }
  return g;
}

Problem::Problem(const Case& row)
    : row_(row),
      scatter_{.block_shape = row.block, .paddings = row.pads, .layout = row.layout},
      gather_{.block_shape = row.block, .crops = row.pads, .layout = row.layout},
      y_shape_(output_shape(row, scatter_, gather_)),
      geometry_(geometry_of(row, y_shape_)),
      x_memory_(byte_count(row.dtype, row.shape), offset_of(row.name, row.dtype)),
      y_memory_(byte_count(row.dtype, y_shape_), offset_of(row.name, row.dtype)),
      x_(Tensor::wrap(static_cast<const void*>(x_memory_.data()), row.dtype, row.shape)),
      y_(Tensor::wrap(static_cast<void*>(y_memory_.data()), row.dtype, y_shape_)) {
  x_memory_.fill_with_noise();
}

void Problem::call(const Tensor& x, Tensor& y, const Context& context) const {
  if (row_.op == Op::kSpaceToBatch)
    space_to_batch(x, scatter_, y, context);
  else
    batch_to_space(x, gather_, y, context);
}

sylvite::Plan Problem::plan(const TensorInfo& x, const TensorInfo& y,
                            const Context& context) const {
  return row_.op == Op::kSpaceToBatch ? space_to_batch_plan(x, y, scatter_, context)
                                      : batch_to_space_plan(x, y, gather_, context);
}

void Problem::naive(void* output) const {
  const int bytes = element_size(row_.dtype);
  if (row_.op == Op::kSpaceToBatch)
    naive_space_to_batch(geometry_, bytes, x_.data(), output);
  else
    naive_batch_to_space(geometry_, bytes, x_.data(), output);
}

std::string Problem::check(const std::function<void()>& write_y) {
  if (want_.bytes() == 0) {
    want_ = Buffer(y_memory_.bytes());
    naive(want_.data());
  }
  std::fill_n(y_memory_.data(), y_memory_.bytes(), static_cast<char>(0x5A));
  write_y();
  const auto [got, expected] =
      std::mismatch(y_memory_.data(), y_memory_.data() + y_memory_.bytes(), want_.data());
  if (got == y_memory_.data() + y_memory_.bytes()) return {};
  return "WRONG from byte " + std::to_string(got - y_memory_.data()) + " of " +
         std::to_string(y_memory_.bytes());
}

}  // namespace sylvite_bench
