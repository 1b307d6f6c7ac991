// Lengths and presence of the merges' inputs: what is allowed, and what it adds up to.
#include <algorithm>
#include <limits>

#include "runtime/ops/features_merge.h"
#include "runtime/shape.h"

namespace sylvite::internal {
namespace {

constexpr int64_t kMaxLength = std::numeric_limits<int32_t>::max();

}  // namespace

void require_counts(const CountArguments& arguments, Counts counts, std::string_view op,
                    Device device) {
  const auto& [lengths, presence, inner] = arguments;
  const Parts& first = counts == Counts::kPresence ? presence : lengths;
  require_any(first, op);
  if (counts == Counts::kPresent) require_any(presence, op);
  for (const Parts* parts : {&lengths, &presence, &inner}) require_rows(*parts, op, device);
  require_dtype(lengths, DType::kInt32, op);
  require_dtype(presence, DType::kBool, op);
  require_dtype(inner, DType::kInt32, op);
  for (const Parts* parts : {&presence, &lengths}) {
    if (parts->count() > 0) require_examples(*parts, first.count(), first[0].shape()[0], op);
  }
  if (inner.count() > 0) require_count(inner, first.count(), op);
}

void require_sum(int64_t sum, const CountArguments& arguments, bool inner, int64_t f,
                 int64_t extent, const Parts& parts, std::string_view op) {
  const Parts& lengths = inner ? arguments.inner_lengths : arguments.lengths;
  const bool some = arguments.presence.count() > 0 && !inner;
  require_argument(extent == sum, op, ": ", PartName{lengths, f}, " sums to ", sum,
                   some ? " over the present examples" : "", ", want ", extent, ", the extent of ",
                   PartName{parts, f});
}

void FeatureCall::count(Counts counts, const CountArguments& arguments) {
  arguments_ = arguments;
  const auto& [lengths, presence, inner] = arguments_;
  const Parts& first = counts == Counts::kPresence ? presence : lengths;
  require_counts(arguments_, counts, call.op);
  inputs.counts = counts;
  inputs.examples = first[0].shape()[0];
  inputs.features = first.count();
  if (lengths.count() > 0) inputs.lengths = dense.of<int32_t>(lengths);
  if (presence.count() > 0) inputs.presence = dense.of<uint8_t>(presence);
  offsets.emplace(call, inputs, scratch);
  if (!offsets->valid(offsets->outer)) fail_negative(lengths);
  for (int64_t f = 0; f < inner.count(); ++f) {
    require_extent(offsets->outer, f, inner[f].shape()[0], inner);
  }
}

void FeatureCall::count_inner() {
  require_merged_lengths();
  const Parts& inner = arguments_.inner_lengths;
  if (inner.count() == 0) return;
  offsets->count_inner(call, dense.of<int32_t>(inner));
  if (!offsets->valid(offsets->inner)) fail_negative(inner);
}

void FeatureCall::count_dense(const Tensor& presence) {
  const int64_t examples = presence.shape()[0];
  const int64_t features = presence.shape()[1];
  // A row for each feature, as other merges have them.
  auto* rows = scratch.take<uint8_t>(examples * features);
  auto** arrays = scratch.take<const uint8_t*>(features);
  for (int64_t f = 0; f < features; ++f) arrays[f] = rows + f * examples;
  Box box;
  box.add({.extent = features, .from = presence.strides()[1], .to = examples});
  box.add({.extent = examples, .from = presence.strides()[0], .to = 1});
  copy_box(call, place_of(presence, 1), {.data = reinterpret_cast<std::byte*>(rows)}, 1, box,
           2 * examples * features);
  throw_if_failed(call);
  inputs = {.counts = Counts::kPresence,
            .examples = examples,
            .features = features,
            .lengths = nullptr,
            .presence = arrays};
  offsets.emplace(call, inputs, scratch);
}

void FeatureCall::fail_negative(const Parts& lengths) const {
  for (int64_t f = 0; f < lengths.count(); ++f) {
    const Tensor& tensor = lengths[f];
    for (int64_t i = 0; i < tensor.shape()[0]; ++i) {
      const int32_t length = tensor.data_as<int32_t>()[i * tensor.strides()[0]];
      require_argument(length >= 0, call.op, ": ", PartName{lengths, f}, "[", i, "] is ", length,
                       ", want at least 0");
    }
  }
  fail(ErrorCode::kInternal, call.op, ": a length was negative and is so no longer");
}

void FeatureCall::require_merged_lengths() const {
  if (inputs.counts != Counts::kLengths) return;
  for (int64_t c = 0; c < offsets->chunks(); ++c) {
    if (offsets->outer.packed[c + 1] - offsets->outer.packed[c] <= kMaxLength) continue;
    for (int64_t b = 0; b < offsets->examples_of(c); ++b) {
      int64_t sum = 0;
      for (int64_t f = 0; f < inputs.features; ++f) sum += offsets->lengths(c, f)[b];
      require_argument(sum <= kMaxLength, call.op, ": lengths of example ",
                       c * offsets->chunk_examples() + b, " sum to ", sum, ", want at most ",
                       kMaxLength);
    }
  }
}

void FeatureCall::require_extent(const Level& level, int64_t f, int64_t extent,
                                 const Parts& parts) const {
  require_sum(offsets->elements(level, f), arguments_, &level == &offsets->inner, f, extent, parts,
              call.op);
}

void FeatureCall::require_packed(const Tensor& packed, int64_t extent,
                                 std::string_view argument) const {
  internal::require_packed(packed, extent, call.op, argument);
}

}  // namespace sylvite::internal
