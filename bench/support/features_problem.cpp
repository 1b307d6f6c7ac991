#include "support/features_problem.h"

#include <algorithm>
#include <cstring>

namespace sylvite_bench {
namespace {

using sylvite::Context;
using sylvite::DType;
using sylvite::Shape;
using sylvite::Tensor;

int64_t text_bytes(const Tensor& x) {
  return x.dtype() == DType::kString ? x.data_as<int64_t>()[x.element_count()] : 0;
}

int64_t bytes_of(const Tensor& x) { return x.byte_count() + text_bytes(x); }

NaiveArray naive_array(const Tensor& x) {
  if (x.dtype() == DType::kString)
    return {.data = x.text_data(), .offsets = x.data_as<int64_t>(), .element_bytes = 0};
  return {.data = x.data_as<char>(), .element_bytes = element_size(x.dtype())};
}

}  // namespace

FeaturesProblem::FeaturesProblem(const FeaturesRow& row) : row_(row) {
  for (int64_t f = 0; f < row.features; ++f) ids_.push_back(100 + f);
  const FeaturesBatch batch(row);
  take_inputs(batch);
  row.gradient ? make_gradients(batch) : make_merged(batch);
}

void FeaturesProblem::take_inputs(const FeaturesBatch& batch) {
  const Merge merge = row_.merge;
  if (merge == Merge::kDense) {
    data_ = batch.data;
    data_presence_ = batch.presence;
    bytes_ += batch.presence.byte_count() + (row_.gradient ? 0 : batch.data.byte_count());
    for (int64_t f = 0; f < row_.features; ++f) {
      NaiveArray values = naive_array(batch.data);
      values.data += f * values.element_bytes;
      naive_features_.push_back(
          {.presence = batch.presence.data_as<uint8_t>() + f, .values = values});
    }
  }
  for (const FeaturesBatch::Input& x : batch.inputs) {
    NaiveFeature naive = {.lengths = x.lengths.data_as<int32_t>(),
                          .presence = x.presence.data_as<uint8_t>(),
                          .keys = x.keys.data_as<int64_t>(),
                          .values_lengths = x.values_lengths.data_as<int32_t>(),
                          .values = naive_array(x.values)};
    if (is_map(merge)) naive.values_keys = naive_array(x.values_keys);
    naive_features_.push_back(naive);
    text_bytes_ += text_bytes(x.values);
    // What a kind of merge does not have is empty; its second lengths are those of lists and maps.
    bytes_ += x.lengths.byte_count() + x.presence.byte_count();
    if (is_ragged(merge)) bytes_ += x.values_lengths.byte_count();
    if (row_.gradient) {
      lengths_.push_back(x.lengths);
      presence_.push_back(x.presence);
      values_lengths_.push_back(x.values_lengths);
      continue;
    }
    bytes_ += x.keys.byte_count() + x.values_keys.byte_count() + bytes_of(x.values);
    single_scalars_.push_back({x.values, x.presence});
    single_lists_.push_back({x.lengths, x.values, x.presence});
    single_maps_.push_back({x.lengths, x.values_keys, x.values, x.presence});
    multi_scalars_.push_back({x.lengths, x.keys, x.values});
    multi_lists_.push_back({x.lengths, x.keys, x.values_lengths, x.values});
    multi_maps_.push_back({x.lengths, x.keys, x.values_lengths, x.values_keys, x.values});
  }
}

Tensor FeaturesProblem::output(DType dtype, const Shape& shape, int64_t text_bytes) {
  Tensor tensor = dtype == DType::kString ? Tensor::empty_strings(shape, text_bytes)
                                          : Tensor::empty(dtype, shape);
  written_.push_back(tensor);
  bytes_ += tensor.byte_count();
  return tensor;
}

void FeaturesProblem::make_gradients(const FeaturesBatch& batch) {
  if (row_.dtype == DType::kString) {
    // The inputs' texts one behind the other: as much text as a merge would give.
    std::vector<Tensor> values;
    for (const FeaturesBatch::Input& x : batch.inputs) values.push_back(x.values);
    dvalues_ = concat(values);
  } else {
    dvalues_ = noise(row_.dtype, {batch.values});
  }
  naive_merged_.values = naive_array(dvalues_);
  bytes_ += bytes_of(dvalues_) + text_bytes_;
  if (row_.merge == Merge::kDense) {
    dinputs_.push_back(output(row_.dtype, batch.data.shape()));
    for (size_t f = 0; f < naive_features_.size(); ++f) {
      NaiveArray& to = naive_features_[f].values;
      to = naive_array(dinputs_[0]);
      to.data += static_cast<int64_t>(f) * to.element_bytes;
    }
    return;
  }
  for (size_t f = 0; f < batch.inputs.size(); ++f) {
    dinputs_.push_back(output(row_.dtype, batch.inputs[f].values.shape(), text_bytes_));
    naive_features_[f].values = naive_array(dinputs_[f]);
  }
}

void FeaturesProblem::make_merged(const FeaturesBatch& batch) {
  maps_.lengths = output(DType::kInt32, {row_.examples});
  maps_.keys = output(DType::kInt64, {batch.pairs});
  if (is_ragged(row_.merge)) maps_.values_lengths = output(DType::kInt32, {batch.pairs});
  if (is_map(row_.merge)) maps_.values_keys = output(DType::kInt64, {batch.values});
  maps_.values_values = output(row_.dtype, {batch.values}, text_bytes_);
  bytes_ += text_bytes_;
  lists_ = {maps_.lengths, maps_.keys, maps_.values_lengths, maps_.values_values};
  scalars_ = {maps_.lengths, maps_.keys, maps_.values_values};
  naive_merged_ = {.lengths = maps_.lengths.data_as<int32_t>(),
                   .keys = maps_.keys.data_as<int64_t>(),
                   .values_lengths = maps_.values_lengths.data_as<int32_t>(),
                   .values = naive_array(maps_.values_values)};
  if (is_map(row_.merge)) naive_merged_.values_keys = naive_array(maps_.values_keys);
}

void FeaturesProblem::call(const Context& context) {
  switch (row_.merge) {
    case Merge::kDense:
      return row_.gradient ? merge_dense_gradient(data_presence_, dvalues_, dinputs_[0], context)
                           : merge_dense(data_, data_presence_, ids_, scalars_, context);
    case Merge::kSingleScalar:
      return row_.gradient ? merge_single_scalar_gradient(presence_, dvalues_, dinputs_, context)
                           : merge_single_scalar(single_scalars_, ids_, scalars_, context);
    case Merge::kSingleList:
      return row_.gradient
                 ? merge_single_list_gradient(lengths_, presence_, dvalues_, dinputs_, context)
                 : merge_single_list(single_lists_, ids_, lists_, context);
    case Merge::kSingleMap:
      return row_.gradient
                 ? merge_single_map_gradient(lengths_, presence_, dvalues_, dinputs_, context)
                 : merge_single_map(single_maps_, ids_, maps_, context);
    case Merge::kMultiScalar:
      return row_.gradient ? merge_multi_scalar_gradient(lengths_, dvalues_, dinputs_, context)
                           : merge_multi_scalar(multi_scalars_, scalars_, context);
    case Merge::kMultiList:
      return row_.gradient
                 ? merge_multi_list_gradient(lengths_, values_lengths_, dvalues_, dinputs_, context)
                 : merge_multi_list(multi_lists_, lists_, context);
    case Merge::kMultiMap:
      return row_.gradient
                 ? merge_multi_map_gradient(lengths_, values_lengths_, dvalues_, dinputs_, context)
                 : merge_multi_map(multi_maps_, maps_, context);
  }
}

bool FeaturesProblem::has_sizes() const {
  return !row_.gradient || (row_.merge != Merge::kDense && row_.merge != Merge::kSingleScalar);
}

void FeaturesProblem::sizes(const Context& context) const {
  const bool gradient = row_.gradient;
  switch (row_.merge) {
    case Merge::kDense:
      merge_dense_sizes(data_, data_presence_, context);
      return;
    case Merge::kSingleScalar:
      merge_single_scalar_sizes(single_scalars_, context);
      return;
    case Merge::kSingleList:
      gradient ? void(merge_single_list_gradient_sizes(lengths_, presence_, context))
               : void(merge_single_list_sizes(single_lists_, context));
      return;
    case Merge::kSingleMap:
      gradient ? void(merge_single_map_gradient_sizes(lengths_, presence_, context))
               : void(merge_single_map_sizes(single_maps_, context));
      return;
    case Merge::kMultiScalar:
      gradient ? void(merge_multi_scalar_gradient_sizes(lengths_, context))
               : void(merge_multi_scalar_sizes(multi_scalars_, context));
      return;
    case Merge::kMultiList:
      gradient ? void(merge_multi_list_gradient_sizes(lengths_, values_lengths_, context))
               : void(merge_multi_list_sizes(multi_lists_, context));
      return;
    case Merge::kMultiMap:
      gradient ? void(merge_multi_map_gradient_sizes(lengths_, values_lengths_, context))
               : void(merge_multi_map_sizes(multi_maps_, context));
      return;
  }
}

void FeaturesProblem::naive() {
  const int64_t examples = row_.examples;
  const int64_t stride = row_.merge == Merge::kDense ? row_.features : 1;
  switch (row_.merge) {
    case Merge::kDense:
    case Merge::kSingleScalar:
      return row_.gradient ? naive_single_scalars_gradient(examples, stride, naive_features_,
                                                           naive_merged_.values)
                           : naive_single_scalars(examples, stride, naive_features_, ids_.data(),
                                                  naive_merged_);
    case Merge::kSingleList:
    case Merge::kSingleMap:
      return row_.gradient
                 ? naive_single_runs_gradient(examples, naive_features_, naive_merged_.values)
                 : naive_single_runs(examples, naive_features_, ids_.data(), naive_merged_);
    case Merge::kMultiScalar:
      return row_.gradient
                 ? naive_multi_scalars_gradient(examples, naive_features_, naive_merged_.values)
                 : naive_multi_scalars(examples, naive_features_, naive_merged_);
    case Merge::kMultiList:
    case Merge::kMultiMap:
      return row_.gradient
                 ? naive_multi_runs_gradient(examples, naive_features_, naive_merged_.values)
                 : naive_multi_runs(examples, naive_features_, naive_merged_);
  }
}

void FeaturesProblem::spoil() {
  for (const Tensor& tensor : written_) {
    std::memset(tensor.data(), 0x5A, static_cast<size_t>(tensor.byte_count()));
    if (tensor.text_capacity() > 0)
      std::memset(tensor.text_data(), 0x5A, static_cast<size_t>(tensor.text_capacity()));
  }
}

std::vector<std::string> FeaturesProblem::outputs() const {
  std::vector<std::string> bytes;
  for (const Tensor& tensor : written_) {
    std::string& text = bytes.emplace_back();
    if (tensor.byte_count() == 0) continue;
    text.assign(tensor.data_as<char>(), static_cast<size_t>(tensor.byte_count()));
    const auto used = static_cast<size_t>(text_bytes(tensor));
    if (used <= static_cast<size_t>(tensor.text_capacity()) && used > 0)
      text.append(tensor.text_data(), used);
  }
  return bytes;
}

std::string FeaturesProblem::difference(const std::vector<std::string>& got,
                                        const std::vector<std::string>& want) {
  for (size_t i = 0; i < want.size(); ++i) {
    if (got[i] == want[i]) continue;
    const auto [a, b] = std::mismatch(got[i].begin(), got[i].end(), want[i].begin(), want[i].end());
    return "WRONG in output " + std::to_string(i) + " from byte " +
           std::to_string(a - got[i].begin()) + " of " + std::to_string(want[i].size());
  }
  return {};
}

}  // namespace sylvite_bench
