// The inputs of a merge, drawn at random but the same every time.
#pragma once

#include <vector>

#include "support/features_rows.h"
#include "sylvite/tensor.h"

namespace sylvite_bench {

class Draw;

/// Numbers of any bits, or texts of 0 to 15 bytes.
sylvite::Tensor noise(sylvite::DType dtype, const sylvite::Shape& shape, Draw& draw);
sylvite::Tensor noise(sylvite::DType dtype, const sylvite::Shape& shape);

struct FeaturesBatch {
  struct Input {
    sylvite::Tensor lengths, presence, keys, values_lengths, values_keys, values;
  };
  std::vector<Input> inputs;
  sylvite::Tensor data, presence;  ///< dense, [examples, features]
  int64_t pairs = 0;               ///< merged
  int64_t values = 0;

  explicit FeaturesBatch(const FeaturesRow& row);

 private:
  void draw_dense(const FeaturesRow& row, Draw& draw);
  /// One input but its values; appends the lengths that they add up from.
  void draw_counts(const FeaturesRow& row, Draw& draw, std::vector<int32_t>& lengths);
  void skew(const FeaturesRow& row, std::vector<std::vector<int32_t>>& lengths);
  void draw_values(const FeaturesRow& row, Draw& draw, const std::vector<int32_t>& lengths,
                   Input& x);
};

}  // namespace sylvite_bench
