// A case with its operands: what a row calls, and the loop that it is checked against.
#pragma once

#include <functional>
#include <string>

#include "support/buffer.h"
#include "support/cases.h"
#include "support/naive.h"
#include "sylvite/sylvite.h"

namespace sylvite_bench {

Geometry geometry_of(const Case& row, const sylvite::Shape& output);

class Problem {
 public:
  explicit Problem(const Case& row);

  const Case& row() const { return row_; }
  const Geometry& geometry() const { return geometry_; }
  const sylvite::Tensor& x() const { return x_; }
  sylvite::Tensor& y() { return y_; }
  int64_t bytes_moved() const { return x_.byte_count() + y_.byte_count(); }

  /// The operator on any operands of this shape.
  void call(const sylvite::Tensor& x, sylvite::Tensor& y, const sylvite::Context& context) const;
  sylvite::Plan plan(const sylvite::TensorInfo& x, const sylvite::TensorInfo& y,
                     const sylvite::Context& context) const;

  /// Caffe2's loop from x to `output`, which is y's memory or as large.
  void naive(void* output) const;

  /// Empty, or where y differs from the naive loop's bytes after `write_y` has overwritten it.
  std::string check(const std::function<void()>& write_y);

 private:
  Case row_;
  sylvite::SpaceToBatchArgs scatter_;
  sylvite::BatchToSpaceArgs gather_;
  sylvite::Shape y_shape_;
  Geometry geometry_;
  Buffer x_memory_;
  Buffer y_memory_;
  Buffer want_;  // what y must hold, from the first check on
  sylvite::Tensor x_;
  sylvite::Tensor y_;
};

}  // namespace sylvite_bench
