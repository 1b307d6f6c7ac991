// Lines of bench/shapes/cast.txt, expand.txt and expand_gradient.txt.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sylvite/tensor.h"

namespace sylvite_bench {

struct CastRow {
  std::string name;
  sylvite::DType from = sylvite::DType::kFloat32;
  sylvite::DType to = sylvite::DType::kFloat32;
  sylvite::Shape shape;     // two axes
  bool transposed = false;  // x is dense in the other order
  double weight = 1;

  int64_t count() const { return shape[0] * shape[1]; }
  int64_t bytes() const { return count() * (element_size(from) + element_size(to)); }
  sylvite::Shape x_strides() const {
    return transposed ? sylvite::Shape{1, shape[0]} : sylvite::Shape{shape[1], 1};
  }
};

struct ExpandRow {
  std::string name;
  sylvite::DType dtype = sylvite::DType::kFloat32;
  sylvite::Shape x;
  sylvite::Shape y;
  double weight = 1;
};

/// A sum over broadcast axes: the gradient of Expand.
struct SumRow {
  std::string name;
  sylvite::DType dtype = sylvite::DType::kFloat32;
  sylvite::Shape dy;
  sylvite::Shape x;
  double weight = 1;
};

// These throw std::runtime_error.
CastRow parse_cast_row(std::string_view line);
ExpandRow parse_expand_row(std::string_view line);
SumRow parse_sum_row(std::string_view line);

}  // namespace sylvite_bench
