#include "support/features_batch.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <random>
#include <string_view>

namespace sylvite_bench {

using sylvite::DType;
using sylvite::Shape;
using sylvite::Tensor;

class Draw {
 public:
  int64_t between(const Range& range) {
    return range.low +
           static_cast<int64_t>(engine_() % static_cast<uint64_t>(range.high - range.low + 1));
  }
  bool chance(double probability) {
    return static_cast<double>(engine_() >> 11) * 0x1p-53 < probability;
  }
  uint64_t bits() { return engine_(); }

 private:
  std::mt19937_64 engine_{2026};
};

namespace {

template <typename T>
Tensor tensor_of(DType dtype, const std::vector<T>& numbers) {
  Tensor tensor = Tensor::empty(dtype, {static_cast<int64_t>(numbers.size())});
  std::copy(numbers.begin(), numbers.end(), tensor.data_as<T>());
  return tensor;
}

}  // namespace

Tensor noise(DType dtype, const Shape& shape, Draw& draw) {
  if (dtype != DType::kString) {
    Tensor tensor = Tensor::empty(dtype, shape);
    auto* bytes = tensor.data_as<char>();
    for (int64_t i = 0; i < tensor.byte_count(); i += 8) {
      const uint64_t word = draw.bits();
      std::memcpy(bytes + i, &word,
                  static_cast<size_t>(std::min<int64_t>(8, tensor.byte_count() - i)));
    }
    return tensor;
  }
  static constexpr std::string_view kText = "the quick brown fox";
  std::vector<std::string_view> texts(static_cast<size_t>(shape[0]));
  for (std::string_view& text : texts) text = kText.substr(draw.bits() % 4, draw.bits() % 16);
  return Tensor::strings(texts, shape);
}

Tensor noise(DType dtype, const Shape& shape) {
  Draw draw;
  return noise(dtype, shape, draw);
}

FeaturesBatch::FeaturesBatch(const FeaturesRow& row) {
  Draw draw;
  if (row.merge == Merge::kDense) {
    draw_dense(row, draw);
    return;
  }
  std::vector<std::vector<int32_t>> lengths(static_cast<size_t>(row.features));
  for (std::vector<int32_t>& of_input : lengths) draw_counts(row, draw, of_input);
  if (row.skewed) skew(row, lengths);
  for (size_t f = 0; f < inputs.size(); ++f) draw_values(row, draw, lengths[f], inputs[f]);
}

void FeaturesBatch::draw_dense(const FeaturesRow& row, Draw& draw) {
  const Shape shape{row.examples, row.features};
  data = noise(row.dtype, shape, draw);
  presence = Tensor::empty(DType::kBool, shape);
  for (int64_t i = 0; i < presence.element_count(); ++i) {
    const bool present = draw.chance(row.presence);
    presence.data_as<uint8_t>()[i] = present ? 1 : 0;
    pairs += present ? 1 : 0;
  }
  values = pairs;
}

void FeaturesBatch::draw_counts(const FeaturesRow& row, Draw& draw, std::vector<int32_t>& lengths) {
  Input& x = inputs.emplace_back();
  std::vector<int32_t> of_example(static_cast<size_t>(row.examples), 0);
  std::vector<uint8_t> present(of_example.size(), 0);
  for (size_t b = 0; b < of_example.size(); ++b) {
    if (is_multi(row.merge)) {
      of_example[b] = static_cast<int32_t>(draw.between(row.pairs));
      for (int32_t i = 0; i < of_example[b]; ++i)
        lengths.push_back(static_cast<int32_t>(draw.between(row.lengths)));
    } else {
      present[b] = draw.chance(row.presence) ? 1 : 0;
      of_example[b] = static_cast<int32_t>(draw.between(row.lengths));
      lengths.push_back(present[b] ? of_example[b] : 0);
    }
  }
  if (is_multi(row.merge) || is_ragged(row.merge)) x.lengths = tensor_of(DType::kInt32, of_example);
  if (!is_multi(row.merge)) x.presence = tensor_of(DType::kBool, present);
}

// The middle value of the first input becomes as long as everything else together.
void FeaturesBatch::skew(const FeaturesRow& row, std::vector<std::vector<int32_t>>& lengths) {
  int64_t total = 0;
  for (const std::vector<int32_t>& of_input : lengths)
    total = std::accumulate(of_input.begin(), of_input.end(), total);
  const size_t middle = lengths[0].size() / 2;
  lengths[0][middle] = static_cast<int32_t>(total);
  if (is_multi(row.merge)) return;
  inputs[0].lengths.data_as<int32_t>()[middle] = static_cast<int32_t>(total);
  inputs[0].presence.data_as<uint8_t>()[middle] = 1;
}

void FeaturesBatch::draw_values(const FeaturesRow& row, Draw& draw,
                                const std::vector<int32_t>& lengths, Input& x) {
  const auto own_pairs = static_cast<int64_t>(lengths.size());
  const int64_t own_values = !is_ragged(row.merge)
                                 ? own_pairs
                                 : std::accumulate(lengths.begin(), lengths.end(), int64_t{0});
  if (is_multi(row.merge)) {
    x.keys = noise(DType::kInt64, {own_pairs}, draw);
    x.values_lengths = tensor_of(DType::kInt32, lengths);
    pairs += own_pairs;
    values += own_values;
  } else {
    const auto* present = x.presence.data_as<uint8_t>();
    const int64_t count = std::accumulate(present, present + row.examples, int64_t{0});
    pairs += count;
    values += is_ragged(row.merge) ? own_values : count;
  }
  x.values = noise(row.dtype, {own_values}, draw);
  if (is_map(row.merge)) x.values_keys = noise(DType::kInt64, {own_values}, draw);
}

}  // namespace sylvite_bench
