#include "support/features_cases.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <numeric>
#include <sstream>

#include "support/space_batch_cases.h"

namespace sylvite::test {
namespace {

constexpr int32_t kInt32Max = std::numeric_limits<int32_t>::max();

Bytes joined(const Elements& elements) {
  Bytes bytes;
  for (const std::string& element : elements)
    bytes.insert(bytes.end(), element.begin(), element.end());
  return bytes;
}

template <typename T>
Elements elements_from(const std::vector<T>& numbers) {
  Elements elements;
  elements.reserve(numbers.size());
  for (const T& number : numbers)
    elements.emplace_back(reinterpret_cast<const char*>(&number), sizeof number);
  return elements;
}

Shape rank_1(size_t extent) { return {static_cast<int64_t>(extent)}; }

/// Row-major [examples, features] from one column per feature.
Elements rows_of(const std::vector<Elements>& columns, int64_t examples) {
  Elements rows;
  for (size_t b = 0; b < static_cast<size_t>(examples); ++b) {
    for (const Elements& column : columns) rows.push_back(column[b]);
  }
  return rows;
}

/// How the lengths of one feature are spread.
enum class Spread : uint8_t { kZero, kConstant, kUniform };

std::vector<int32_t> random_lengths(Random& random, size_t count, int longest, bool skewed) {
  const Spread spread = random.one_of(
      {Spread::kZero, Spread::kConstant, Spread::kUniform, Spread::kUniform, Spread::kUniform});
  std::vector<int32_t> lengths(count, 0);
  const auto constant = static_cast<int32_t>(random.between(1, longest));
  for (int32_t& length : lengths) {
    if (spread == Spread::kConstant) length = constant;
    if (spread == Spread::kUniform) length = static_cast<int32_t>(random.between(0, longest));
  }
  if (skewed && count > 0) {
    const auto total = std::accumulate(lengths.begin(), lengths.end(), 300);
    lengths[static_cast<size_t>(random.between(0, static_cast<int64_t>(count) - 1))] = total;
  }
  return lengths;
}

/// As many of the present examples' values as a single-feature list or map holds.
size_t value_count(Merge merge, const Feature& x, size_t examples) {
  if (!is_ragged(merge)) return is_multi(merge) ? x.keys.size() : examples;
  const std::vector<int32_t>& lengths = is_multi(merge) ? x.values_lengths : x.lengths;
  size_t total = 0;
  for (size_t i = 0; i < lengths.size(); ++i) {
    if (is_multi(merge) || x.presence[i] != 0) total += static_cast<size_t>(lengths[i]);
  }
  return total;
}

DType random_dtype(Random& random, bool strings) {
  return strings && random.chance(.12) ? DType::kString : random.one_of(kAllDTypes);
}

}  // namespace

std::string to_string(const FeatureCase& c) {
  std::ostringstream text;
  text << name_of(c.merge) << ", B = " << c.examples << ", F = " << c.features.size() << ", "
       << name(c.dtype);
  if (is_map(c.merge)) text << " by " << name(c.key_dtype);
  return text.str();
}

Elements random_elements(Random& random, DType dtype, size_t count) {
  Elements elements;
  elements.reserve(count);
  const bool equal = random.chance(.1);
  for (size_t i = 0; i < count; ++i) {
    if (equal && i > 0) {
      elements.push_back(elements[0]);
      continue;
    }
    const int64_t size = dtype != DType::kString ? element_size(dtype)
                         : random.chance(.05)    ? random.between(30, 300)
                                                 : random.between(0, 12);
    const Bytes bytes = random.bytes(size);
    elements.emplace_back(bytes.begin(), bytes.end());
  }
  return elements;
}

FeatureCase random_features(Random& random, Merge merge, DType dtype, const FeatureSizes& sizes) {
  FeatureCase c{.merge = merge, .examples = sizes.examples, .dtype = dtype};
  c.key_dtype = random_dtype(random, sizes.strings);
  const auto examples = static_cast<size_t>(sizes.examples);
  for (int64_t f = 0; f < sizes.features; ++f) {
    c.feature_ids.push_back(
        random.one_of<int64_t>({f, f, -f - 1, 7, std::numeric_limits<int64_t>::min(),
                                std::numeric_limits<int64_t>::max()}));
    Feature x;
    if (!is_multi(merge)) {
      const bool constant = random.chance(.1);
      for (size_t b = 0; b < examples; ++b) {
        const bool present = random.chance(sizes.presence);
        x.presence.push_back(static_cast<uint8_t>(!present ? 0
                                                  : constant || random.chance(.8)
                                                      ? 1
                                                      : random.between(1, 255)));
      }
    }
    if (is_multi(merge)) {
      x.lengths = random_lengths(random, examples, 4, sizes.skewed);
      const auto pairs =
          static_cast<size_t>(std::accumulate(x.lengths.begin(), x.lengths.end(), int64_t{0}));
      for (size_t i = 0; i < pairs; ++i) x.keys.push_back(static_cast<int64_t>(random.bits()));
      if (is_ragged(merge))
        x.values_lengths = random_lengths(random, pairs, sizes.longest, sizes.skewed);
    } else if (is_ragged(merge)) {
      x.lengths = random_lengths(random, examples, sizes.longest, sizes.skewed);
      for (size_t b = 0; b < examples; ++b) {
        // What an absent example says of its length does not count.
        if (x.presence[b] == 0 && random.chance(.3)) x.lengths[b] = kInt32Max;
      }
    }
    const size_t values = value_count(merge, x, examples);
    if (is_map(merge)) x.values_keys = random_elements(random, c.key_dtype, values);
    x.values = random_elements(random, dtype, values);
    c.features.push_back(std::move(x));
  }
  return c;
}

FeatureCase random_features(Random& random, Merge merge, bool strings) {
  FeatureSizes sizes;
  sizes.strings = strings;
  sizes.examples = random.chance(.6)   ? random.between(0, 40)
                   : random.chance(.5) ? random.between(126, 130)
                   : random.chance(.5) ? random.between(254, 258)
                                       : random.between(500, 3000);
  const int64_t most = std::max<int64_t>(1, 3000 / std::max<int64_t>(sizes.examples, 3));
  sizes.features = std::min(most, random.one_of<int64_t>({1, 1, 2, 3, 8, 9, 64, 65, 1000}));
  sizes.longest = random.one_of({1, 3, 20, 20, 100});
  if (sizes.examples * sizes.features > 1000) sizes.longest = std::min(sizes.longest, 20);
  sizes.presence = random.one_of({0., .1, .5, .7, 1.});
  sizes.skewed = random.chance(.15);
  return random_features(random, merge, random_dtype(random, strings), sizes);
}

const PlacedElements::Strings& PlacedElements::strings(const Shape& shape, const Elements& elements,
                                                       bool is_input) {
  const Bytes text = joined(elements);
  const auto flush = random_.one_of({GuardedBuffer::Flush::kStart, GuardedBuffer::Flush::kEnd});
  const auto text_bytes = static_cast<int64_t>(text.size());
  const auto offset_bytes = static_cast<int64_t>((elements.size() + 1) * sizeof(int64_t));
  Strings& held = strings_.emplace_back(Strings{.offsets = GuardedBuffer(offset_bytes, flush),
                                                .text = GuardedBuffer(text_bytes, flush)});
  auto* offsets = reinterpret_cast<int64_t*>(held.offsets.data());
  auto* characters = reinterpret_cast<char*>(held.text.data());
  if (!is_input) {
    held.tensor = Tensor::wrap_strings(offsets, characters, text_bytes, shape);
    return held;
  }
  std::copy(text.begin(), text.end(), held.text.data());
  offsets[0] = 0;
  for (size_t i = 0; i < elements.size(); ++i)
    offsets[i + 1] = offsets[i] + static_cast<int64_t>(elements[i].size());
  held.offsets.protect_from_writes();
  held.text.protect_from_writes();
  held.tensor = Tensor::wrap_strings(static_cast<const int64_t*>(offsets),
                                     static_cast<const char*>(characters), text_bytes, shape);
  return held;
}

Tensor PlacedElements::input(DType dtype, const Shape& shape, const Elements& elements) {
  if (dtype == DType::kString) return strings(shape, elements, true).tensor;
  const bool equal =
      std::adjacent_find(elements.begin(), elements.end(), std::not_equal_to<>()) == elements.end();
  // Stride 0 only where all elements may lie on one another.
  const Placement placement = random_placement(random_, shape, element_size(dtype), equal);
  return placed_.emplace_back(random_, dtype, shape, placement, device_, joined(elements)).tensor();
}

Tensor PlacedElements::output(DType dtype, const Shape& shape, const Elements& elements) {
  if (dtype == DType::kString) {
    const Strings& held = strings(shape, elements, false);
    string_outputs_.push_back({&held, elements});
    return held.tensor;
  }
  const Placement placement = random_placement(random_, shape, element_size(dtype), false);
  const PlacedTensor& held = placed_.emplace_back(random_, dtype, shape, placement, device_, false);
  outputs_.push_back({&held, elements});
  return held.tensor();
}

std::vector<FeatureTensors> PlacedElements::inputs(const FeatureCase& c) {
  if (c.merge == Merge::kDense) {
    const Shape shape{c.examples, static_cast<int64_t>(c.features.size())};
    std::vector<Elements> values;
    std::vector<Elements> presence;
    for (const Feature& x : c.features) {
      values.push_back(x.values);
      presence.push_back(elements_from(x.presence));
    }
    return {{.presence = input(DType::kBool, shape, rows_of(presence, c.examples)),
             .values = input(c.dtype, shape, rows_of(values, c.examples))}};
  }
  std::vector<FeatureTensors> result;
  for (const Feature& x : c.features) {
    FeatureTensors& tensors = result.emplace_back();
    if (is_multi(c.merge)) {
      tensors.keys = input(DType::kInt64, rank_1(x.keys.size()), elements_from(x.keys));
      tensors.values_lengths =
          input(DType::kInt32, rank_1(x.values_lengths.size()), elements_from(x.values_lengths));
    } else {
      tensors.presence = input(DType::kBool, rank_1(x.presence.size()), elements_from(x.presence));
    }
    tensors.lengths = input(DType::kInt32, rank_1(x.lengths.size()), elements_from(x.lengths));
    tensors.values_keys = input(c.key_dtype, rank_1(x.values_keys.size()), x.values_keys);
    tensors.values = input(c.dtype, rank_1(x.values.size()), x.values);
  }
  return result;
}

Tensor PlacedElements::ids(const FeatureCase& c) {
  return input(DType::kInt64, rank_1(c.feature_ids.size()), elements_from(c.feature_ids));
}

MultiMap PlacedElements::outputs(const FeatureCase& c, const Merged& expected) {
  MultiMap out;
  for (const Field<MultiMap>& field : output_fields(c.merge)) {
    const Elements elements = elements_of(expected, field.tensor);
    out.*field.tensor = output(dtype_of(c, field.tensor), rank_1(elements.size()), elements);
  }
  return out;
}

void PlacedElements::expect_outputs_hold(const std::string& what) const {
  for (const Output<PlacedTensor>& output : outputs_)
    output.held->expect_holds(joined(output.expected), what);
  for (const Output<Strings>& output : string_outputs_)
    EXPECT_EQ(elements_of(output.held->tensor), output.expected) << what;
}

DType dtype_of(const FeatureCase& c, Tensor MultiMap::*field) {
  if (field == &MultiMap::lengths || field == &MultiMap::values_lengths) return DType::kInt32;
  if (field == &MultiMap::keys) return DType::kInt64;
  return field == &MultiMap::values_keys ? c.key_dtype : c.dtype;
}

Elements elements_of(const Merged& merged, Tensor MultiMap::*field) {
  if (field == &MultiMap::lengths) return elements_from(merged.lengths);
  if (field == &MultiMap::keys) return elements_from(merged.keys);
  if (field == &MultiMap::values_lengths) return elements_from(merged.values_lengths);
  return field == &MultiMap::values_keys ? merged.values_keys : merged.values;
}

Elements elements_of(const Tensor& tensor) {
  Elements elements;
  const Tensor dense = tensor.to(Device{});
  const auto size = static_cast<size_t>(element_size(dense.dtype()));
  for (int64_t i = 0; i < dense.element_count(); ++i) {
    if (dense.dtype() == DType::kString) {
      elements.emplace_back(dense.text(i));
    } else {
      elements.emplace_back(dense.data_as<char>() + static_cast<size_t>(i) * size, size);
    }
  }
  return elements;
}

std::vector<Elements> gradient_elements(const FeatureCase& c, const Elements& dvalues) {
  std::vector<Elements> features = reference_gradient(c, dvalues);
  if (c.merge != Merge::kDense) return features;
  return {rows_of(features, c.examples)};
}

Shape gradient_shape(const FeatureCase& c, size_t extent) {
  if (c.merge != Merge::kDense) return rank_1(extent);
  return {c.examples, static_cast<int64_t>(c.features.size())};
}

void check_merge(const FeatureCase& c, Random& random, const Context& context, Device device) {
  const std::string what = to_string(c);
  note_case(what);
  const Merged expected = reference_merge(c);
  PlacedElements memory(random, device);
  const std::vector<FeatureTensors> inputs = memory.inputs(c);
  PlacedElements on_cpu(random);
  const Tensor id_tensor = random.chance(.5) ? memory.ids(c) : on_cpu.ids(c);
  const FeatureIds ids = random.chance(.5) ? FeatureIds(id_tensor) : FeatureIds(c.feature_ids);
  const MultiSizes sizes = merge_sizes(c.merge, inputs, context);
  EXPECT_EQ(sizes.examples, c.examples) << what;
  EXPECT_EQ(sizes.pairs, static_cast<int64_t>(expected.keys.size())) << what;
  EXPECT_EQ(sizes.values, is_ragged(c.merge) ? static_cast<int64_t>(expected.values.size()) : 0)
      << what;

  const auto text_of = [](DType dtype, const Elements& elements) {
    return dtype == DType::kString ? static_cast<int64_t>(joined(elements).size()) : 0;
  };
  EXPECT_EQ(sizes.keys_text, text_of(c.key_dtype, expected.values_keys)) << what;
  EXPECT_EQ(sizes.values_text, text_of(c.dtype, expected.values)) << what;

  MultiMap out = memory.outputs(c, expected);
  merge(c.merge, inputs, ids, out, context);
  memory.expect_outputs_hold(what);

  const MultiMap own = merge(c.merge, inputs, ids, context);
  for (const Field<MultiMap>& field : output_fields(c.merge)) {
    const Tensor& tensor = own.*field.tensor;
    EXPECT_EQ(tensor.dtype(), dtype_of(c, field.tensor)) << what << ": " << field.name;
    EXPECT_EQ(tensor.rank(), 1) << what << ": " << field.name;
    EXPECT_EQ(elements_of(tensor), elements_of(expected, field.tensor))
        << what << ": " << field.name;
  }
}

void check_merge_gradient(const FeatureCase& c, Random& random, const Context& context,
                          Device device) {
  const std::string what = "gradient: " + to_string(c);
  note_case(what);
  const Elements dvalues = random_elements(random, c.dtype, reference_merge(c).values.size());
  const std::vector<Elements> expected = gradient_elements(c, dvalues);
  PlacedElements memory(random, device);
  const std::vector<FeatureTensors> inputs = memory.inputs(c);
  const Tensor merged = memory.input(c.dtype, rank_1(dvalues.size()), dvalues);

  std::vector<Tensor> out;
  std::vector<int64_t> extents;
  for (const Elements& elements : expected) {
    const Shape shape = gradient_shape(c, elements.size());
    out.push_back(memory.output(c.dtype, shape, elements));
    extents.push_back(static_cast<int64_t>(elements.size()));
  }
  EXPECT_EQ(merge_gradient_sizes(c.merge, inputs, context), extents) << what;
  merge_gradient(c.merge, inputs, merged, out, context);
  memory.expect_outputs_hold(what);

  const std::vector<Tensor> own = merge_gradient(c.merge, inputs, merged, context);
  ASSERT_EQ(own.size(), expected.size()) << what;
  for (size_t f = 0; f < own.size(); ++f) {
    EXPECT_EQ(own[f].dtype(), c.dtype) << what;
    EXPECT_EQ(own[f].shape(), out[f].shape()) << what;
    EXPECT_EQ(elements_of(own[f]), expected[f]) << what << ", input " << f;
  }
}

}  // namespace sylvite::test
