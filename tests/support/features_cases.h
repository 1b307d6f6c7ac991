// Cases for the merges of feature tensors.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "support/features_calls.h"
#include "support/features_reference.h"
#include "support/placed_tensor.h"
#include "support/targets.h"

namespace sylvite::test {

/// What random_features makes; the rest is drawn.
struct FeatureSizes {
  int64_t examples = 0;
  int64_t features = 1;
  int longest = 20;      ///< of a list
  double presence = .7;  ///< chance of an example to have a feature
  bool skewed = false;   ///< one example holds most of the values
  bool strings = true;   ///< map keys may be such
};

std::string to_string(const FeatureCase& c);

FeatureCase random_features(Random& random, Merge merge, DType dtype, const FeatureSizes& sizes);
/// Every size and dtype, strings where they are allowed; total values within some ten thousand.
FeatureCase random_features(Random& random, Merge merge, bool strings);
Elements random_elements(Random& random, DType dtype, size_t count);

/// Tensors with given elements, laid out at random in guarded memory, or in copies of it on a device.
class PlacedElements {
 public:
  explicit PlacedElements(Random& random, Device device = {}) : random_(random), device_(device) {}
  Tensor input(DType dtype, const Shape& shape, const Elements& elements);
  /// For these elements; strings have room for exactly their text.
  Tensor output(DType dtype, const Shape& shape, const Elements& elements);

  std::vector<FeatureTensors> inputs(const FeatureCase& c);
  Tensor ids(const FeatureCase& c);
  MultiMap outputs(const FeatureCase& c, const Merged& expected);
  /// Every output holds the elements it was made for, and nothing beside it has changed.
  void expect_outputs_hold(const std::string& what) const;

 private:
  struct Strings {
    GuardedBuffer offsets, text;
    Tensor tensor = {};
  };
  template <typename Held>
  struct Output {
    const Held* held;
    Elements expected;
  };
  const Strings& strings(const Shape& shape, const Elements& elements, bool is_input);

  Random& random_;
  Device device_;
  std::deque<PlacedTensor> placed_;
  std::deque<Strings> strings_;
  std::vector<Output<PlacedTensor>> outputs_;
  std::vector<Output<Strings>> string_outputs_;
};

DType dtype_of(const FeatureCase& c, Tensor MultiMap::*field);
Elements elements_of(const Merged& merged, Tensor MultiMap::*field);
/// In row-major order.
Elements elements_of(const Tensor& tensor);

/// The gradients as the operator returns them: one of [examples, features] for kDense.
std::vector<Elements> gradient_elements(const FeatureCase& c, const Elements& dvalues);

/// Run all forms on memory laid out at random and compare with the reference.
void check_merge(const FeatureCase& c, Random& random, const Context& context, Device device = {});
void check_merge_gradient(const FeatureCase& c, Random& random, const Context& context,
                          Device device = {});

}  // namespace sylvite::test
