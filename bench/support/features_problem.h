// One row of the features bench: a merge or its gradient on a batch drawn at random, with memory.
#pragma once

#include <string>
#include <vector>

#include "support/features_batch.h"
#include "support/features_naive.h"
#include "support/features_rows.h"
#include "sylvite/sylvite.h"

namespace sylvite_bench {

class FeaturesProblem {
 public:
  explicit FeaturesProblem(const FeaturesRow& row);

  /// Into the problem's own outputs.
  void call(const sylvite::Context& context);
  /// What the call finds out before it moves anything: counts and checks.
  void sizes(const sylvite::Context& context) const;
  /// Not for gradients whose sizes are those of the presence.
  bool has_sizes() const;
  void naive();
  int64_t bytes_moved() const { return bytes_; }

  /// Empty, or what of the outputs differs from the naive loop's after `write`.
  template <typename Write>
  std::string check(const Write& write) {
    spoil();
    write();
    const std::vector<std::string> got = outputs();
    spoil();
    naive();
    return difference(got, outputs());
  }

 private:
  void take_inputs(const FeaturesBatch& batch);
  void make_gradients(const FeaturesBatch& batch);
  void make_merged(const FeaturesBatch& batch);
  sylvite::Tensor output(sylvite::DType dtype, const sylvite::Shape& shape, int64_t text_bytes = 0);
  void spoil();
  /// The bytes of each output.
  std::vector<std::string> outputs() const;
  static std::string difference(const std::vector<std::string>& got,
                                const std::vector<std::string>& want);

  FeaturesRow row_;
  std::vector<int64_t> ids_;
  // The inputs of the row's merge; the others stay empty.
  std::vector<sylvite::SingleScalarFeature> single_scalars_;
  std::vector<sylvite::SingleListFeature> single_lists_;
  std::vector<sylvite::SingleMapFeature> single_maps_;
  std::vector<sylvite::MultiScalar> multi_scalars_;
  std::vector<sylvite::MultiList> multi_lists_;
  std::vector<sylvite::MultiMap> multi_maps_;
  sylvite::Tensor data_, data_presence_;
  std::vector<sylvite::Tensor> lengths_, presence_, values_lengths_;  // of gradients
  sylvite::MultiScalar scalars_;
  sylvite::MultiList lists_;
  sylvite::MultiMap maps_;
  sylvite::Tensor dvalues_;
  std::vector<sylvite::Tensor> dinputs_;
  std::vector<sylvite::Tensor> written_;  // all outputs
  std::vector<NaiveFeature> naive_features_;
  NaiveMerged naive_merged_;
  int64_t text_bytes_ = 0;  // of all values
  int64_t bytes_ = 0;
};

}  // namespace sylvite_bench
