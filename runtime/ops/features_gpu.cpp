#include "runtime/ops/features_gpu.h"

#include <cstring>
#include <limits>

#include "runtime/copy_tensor.h"
#include "runtime/shape.h"
#include "runtime/storage.h"

namespace sylvite::internal {

using features_gpu::Array;
using features_gpu::array_of;
using features_gpu::bits_of;
using features_gpu::kMostEntries;
using features_gpu::Numbers;
using features_gpu::Segments;

namespace {

constexpr int64_t kMaxLength = std::numeric_limits<int32_t>::max();

// The words of a status.
constexpr int64_t kFaultWord = 0;
constexpr int64_t kPairsWord = 1;
constexpr int64_t kValuesWord = 2;

int64_t mark_of(MergeFault fault) noexcept { return static_cast<int64_t>(fault); }

/// A context for what the CPU does on behalf of a call on a GPU.
Context host_context(const Context& context) {
  return Context({.stream = context.stream(), .allocator = context.allocator()});
}

std::vector<Tensor> on_host(const Parts& parts, const Context& context) {
  std::vector<Tensor> tensors;
  for (int64_t f = 0; f < parts.count(); ++f) tensors.push_back(parts[f].to(Device{}, context));
  return tensors;
}

/// `count` elements from one array to another, `step` apart there.
void copy_elements(Call& call, const Array& from, int64_t step, int64_t count, const Array& to) {
  Box box;
  box.add({.extent = count, .from = step, .to = 1});
  copy_box(call, from.place, to.place, to.bytes, box, 0);
}

}  // namespace

Tensor DenseOnDevice::like(const Tensor& tensor) const {
  return device_scratch(call_, tensor.dtype(), tensor.shape());
}

const Tensor& DenseOnDevice::of(const Tensor& tensor) {
  if (dense_and_aligned(tensor)) return tensor;
  inputs_.push_back(like(tensor));
  copy_tensor(call_, tensor, inputs_.back());
  return inputs_.back();
}

const Tensor& DenseOnDevice::of_output(const Tensor& output, bool keeps) {
  if (dense_and_aligned(output)) return output;
  outputs_.push_back({.dense = like(output), .output = output});
  if (keeps) copy_tensor(call_, output, outputs_.back().dense);
  return outputs_.back().dense;
}

void DenseOnDevice::copy_back() {
  for (const Copy& copy : outputs_) copy_tensor(call_, copy.dense, copy.output);
}

// --- counting -----------------------------------------------------------------------------------

Array DeviceFeatures::table(int64_t entries) {
  tables_.push_back(device_scratch(call, DType::kInt64, {entries}));
  return array_of(tables_.back());
}

void DeviceFeatures::fill(const Array& array, int64_t count, int64_t value) {
  Box box;
  box.add({.extent = count, .from = 0, .to = 1});
  fill_box(call, static_cast<uint64_t>(value), array.place, array.bytes, box, 0);
}

void DeviceFeatures::begin(Counts counts, int64_t examples, int64_t features) {
  counts_ = counts;
  examples_ = examples;
  features_ = features;
  require(examples <= kMostEntries / features, ErrorCode::kUnsupported, call.op, ": ", examples,
          " examples of ", features, " features, want at most ", kMostEntries,
          " of both multiplied on a GPU");
  if (segments() == 0) return;
  tables_.push_back(device_scratch(call, DType::kInt32, {segments()}));
  codes_ = array_of(tables_.back());
}

void DeviceFeatures::count(Counts counts, const CountArguments& arguments) {
  arguments_ = arguments;
  const auto& [lengths, presence, inner] = arguments_;
  require_counts(arguments_, counts, call.op, call.device);
  const Parts& first = counts == Counts::kPresence ? presence : lengths;
  begin(counts, first[0].shape()[0], first.count());
  for (int64_t f = 0; f < features_ && segments() > 0; ++f) {
    const Array codes = codes_.from(f * examples_);
    const Array of_lengths = lengths.count() > 0 ? array_of(dense.of(lengths[f])) : codes;
    const Array of_presence = presence.count() > 0 ? bits_of(dense.of(presence[f])) : codes;
    code_segments(call, counts_, of_lengths, of_presence, {.examples = examples_, .features = 1},
                  examples_, codes);
  }
  scan_outer();
  if (has_inner()) count_inner();
}

void DeviceFeatures::count_dense(const Tensor& presence) {
  begin(Counts::kPresence, presence.shape()[0], presence.shape()[1]);
  if (segments() == 0) return;
  code_segments(call, counts_, codes_, bits_of(dense.of(presence)), segments_of(presence),
                examples_, codes_);
  scan_outer();
}

Segments DeviceFeatures::segments_of(const Tensor& array) const noexcept {
  if (array.rank() == 1) return {.examples = examples_, .features = 1};
  return {.examples = examples_,
          .features = features_,
          .example_stride = features_,
          .feature_stride = 1};
}

void DeviceFeatures::scan_outer() {
  if (segments() == 0) return;
  if (counts_ != Counts::kPresence) {
    by_input_ = table(segments() + 1);
    scan(call, Numbers::kElements, codes_, 1, segments(), by_input_);
    by_example_ = table(segments() + 1);
    scan(call, Numbers::kElements, codes_, features_, examples_, by_example_);
  }
  if (counts_ != Counts::kLengths) {
    positions_ = table(segments() + 1);
    scan(call, Numbers::kPresent, codes_, features_, examples_, positions_);
  }
}

/// Of the second level, sums before every length; at the first level's offsets they are what lies before
/// a segment.
void DeviceFeatures::count_inner() {
  const Parts& inner = arguments_.inner_lengths;
  for (int64_t f = 0; f < features_ && inner_fits_; ++f) {
    inner_fits_ = inner[f].shape()[0] <= kMostEntries - inner_count_;
    if (inner_fits_) inner_count_ += inner[f].shape()[0];
  }
  if (!inner_fits_ || segments() == 0) return;
  const Array sums = table(inner_count_ + 1);
  if (inner_count_ > 0) {
    tables_.push_back(device_scratch(call, DType::kInt32, {inner_count_}));
    inner_codes_ = array_of(tables_.back());
    int64_t start = 0;
    for (int64_t f = 0; f < features_; ++f) {
      const int64_t count = inner[f].shape()[0];
      if (count == 0) continue;
      const Array codes = inner_codes_.from(start);
      code_segments(call, Counts::kLengths, array_of(dense.of(inner[f])), codes,
                    {.examples = count, .features = 1}, count, codes);
      start += count;
    }
    scan(call, Numbers::kElements, inner_codes_, 1, inner_count_, sums);
  } else {
    fill(sums, 1, 0);
  }
  inner_by_input_ = table(segments() + 1);
  look_up(call, sums, inner_count_, by_input_, segments() + 1, inner_by_input_);
  inner_by_example_ = table(segments() + 1);
  scan(call, Numbers::kSpans, inner_by_input_, features_, examples_, inner_by_example_);
}

// --- what was counted ---------------------------------------------------------------------------

const Array& DeviceFeatures::packed_before() const noexcept {
  return counts_ == Counts::kLengths ? by_example_ : positions_;
}

void DeviceFeatures::check_lengths(const Array& word) {
  if (segments() == 0 || counts_ == Counts::kPresence) return;
  if (counts_ == Counts::kLengths) {
    check_spans(call,
                {.table = by_example_,
                 .count = examples_,
                 .step = features_,
                 .least = 0,
                 .most = kMaxLength},
                mark_of(MergeFault::kMergedLength), word);
  }
  if (inner_fits_ && inner_count_ > 0)
    check_codes(call, inner_codes_, inner_count_, mark_of(MergeFault::kNegativeLength), word);
  check_codes(call, codes_, segments(), mark_of(MergeFault::kNegativeLength), word);
}

void DeviceFeatures::write_totals(const Array& words) {
  if (segments() == 0) return;
  const auto write = [&](const Array& sums, int64_t word) {
    copy_elements(call, sums.from(segments()), 1, 1, words.from(word));
  };
  write(packed_before(), kPairsWord);
  if (counts_ == Counts::kPresent) write(by_example_, kValuesWord);
  if (has_inner() && inner_fits_) write(inner_by_example_, kValuesWord);
}

DeviceFacts DeviceFeatures::wait() {
  // The words of a status, and for each level where every input begins.
  const int64_t row = features_ + 1;
  const bool inner = has_inner() && inner_fits_;
  std::vector<int64_t> words(static_cast<size_t>(3 + 2 * row), 0);
  if (segments() > 0) {
    const Tensor memory = device_scratch(call, DType::kInt64, {static_cast<int64_t>(words.size())});
    const Array on_device = array_of(memory);
    fill(on_device, memory.element_count(), 0);
    check_lengths(on_device.from(kFaultWord));
    write_totals(on_device);
    if (counts_ != Counts::kPresence)
      copy_elements(call, by_input_, examples_, row, on_device.from(3));
    if (inner) copy_elements(call, inner_by_input_, examples_, row, on_device.from(3 + row));
    throw_if_failed(call);
    const uint64_t address = call.device.kind == DeviceKind::kOpenCl
                                 ? memory.storage()->memory
                                 : reinterpret_cast<uint64_t>(memory.data());
    copy_to_host(call.context, call.device, address, words.data(), memory.byte_count());
  }
  if (words[kFaultWord] != mark_of(MergeFault::kNone)) explain();
  DeviceFacts facts = {.pairs = words[kPairsWord], .outer = {}, .inner = {}};
  const auto extents = [&](int64_t first) {
    std::vector<int64_t> sums;
    for (int64_t f = 0; f < features_; ++f) {
      const auto i = static_cast<size_t>(first + f);
      sums.push_back(words[i + 1] - words[i]);
    }
    return sums;
  };
  if (counts_ != Counts::kPresence) facts.outer = extents(3);
  if (has_inner()) facts.inner = extents(3 + row);
  const Parts& inner_lengths = arguments_.inner_lengths;
  for (int64_t f = 0; f < inner_lengths.count(); ++f)
    require_extent(facts, false, f, inner_lengths[f].shape()[0], inner_lengths);
  require(inner_fits_, ErrorCode::kUnsupported, call.op, ": more than ", kMostEntries,
          " pairs, want at most as many on a GPU");
  return facts;
}

void DeviceFeatures::require_extent(const DeviceFacts& facts, bool inner, int64_t f, int64_t extent,
                                    const Parts& parts) const {
  require_sum((inner ? facts.inner : facts.outer)[static_cast<size_t>(f)], arguments_, inner, f,
              extent, parts, call.op);
}

void DeviceFeatures::explain() const {
  const Context context = host_context(call.context);
  const std::vector<Tensor> lengths = on_host(arguments_.lengths, context);
  const std::vector<Tensor> presence = on_host(arguments_.presence, context);
  // Too many to count: what is wrong lies before them.
  const std::vector<Tensor> inner =
      inner_fits_ ? on_host(arguments_.inner_lengths, context) : std::vector<Tensor>();
  const auto named = [](const Parts& of, const std::vector<Tensor>& tensors) {
    return Parts(of.name(), std::span<const Tensor>(tensors));
  };
  FeatureCall on_cpu(call.op, context);
  on_cpu.count(counts_, {.lengths = named(arguments_.lengths, lengths),
                         .presence = named(arguments_.presence, presence),
                         .inner_lengths = named(arguments_.inner_lengths, inner)});
  on_cpu.count_inner();
  fail(ErrorCode::kInternal, call.op, ": a length was wrong and is so no longer");
}

// --- without waiting ----------------------------------------------------------------------------

void DeviceFeatures::tell(const Tensor& status, int64_t pairs, int64_t values) {
  require(inner_fits_, ErrorCode::kUnsupported, call.op, ": more than ", kMostEntries,
          " pairs, want at most as many on a GPU");
  status_ = array_of(status);
  fill(status_, status.element_count(), 0);
  if (segments() == 0) return;
  write_totals(status_);
  check_room(packed_before(), pairs);
  if (counts_ == Counts::kPresent) check_room(by_example_, values);
  if (has_inner()) check_room(inner_by_example_, values);
  const Parts& inner_lengths = arguments_.inner_lengths;
  for (int64_t f = 0; f < inner_lengths.count(); ++f)
    tell_unless(false, f, inner_lengths[f].shape()[0]);
}

void DeviceFeatures::check_room(const Array& table, int64_t room) {
  if (room == INT64_MAX) return;
  check_spans(call, {.table = table, .count = 1, .step = segments(), .least = 0, .most = room},
              mark_of(MergeFault::kRoom), status_);
}

void DeviceFeatures::tell_unless(bool inner, int64_t f, int64_t extent) {
  if (segments() == 0) {
    // Known without the device.
    if (extent != 0) fill(status_, 1, mark_of(MergeFault::kLengthSum));
    return;
  }
  const Array table = (inner ? inner_by_input_ : by_input_).from(f * examples_);
  check_spans(call,
              {.table = table, .count = 1, .step = examples_, .least = extent, .most = extent},
              mark_of(MergeFault::kLengthSum), status_);
}

void DeviceFeatures::tell_of_lengths() { check_lengths(status_); }

// --- moves --------------------------------------------------------------------------------------

void DeviceFeatures::write_lengths(const Tensor& lengths) {
  if (segments() == 0) return;
  features_gpu::write_lengths(call, packed_before(), features_, examples_, array_of(lengths));
}

void DeviceFeatures::move_runs(bool inner, bool split, int64_t f, int64_t first,
                               const Tensor& array, const Tensor& packed) {
  if (segments() == 0) return;
  features_gpu::move_runs(call,
                          {.split = split,
                           .array = bits_of(array),
                           .count = array.element_count(),
                           .packed = bits_of(packed),
                           .room = packed.element_count(),
                           .begins = (inner ? inner_by_input_ : by_input_).from(f * examples_),
                           .places = (inner ? inner_by_example_ : by_example_).from(f),
                           .first = first,
                           .examples = examples_,
                           .features = features_});
}

void DeviceFeatures::require_reachable(const Tensor& tensor) const {
  const int bytes = element_size(tensor.dtype());
  call.require_reachable(
      advanced(place_of(tensor, bytes), tensor.byte_range().high / bytes, bytes));
}

void DeviceFeatures::require_ids(const FeatureIds& ids) {
  internal::require_ids(ids, features_, call.op, call.device);
}

void DeviceFeatures::write_keys(const FeatureIds& ids, const Tensor& keys) {
  if (segments() == 0 || keys.element_count() == 0) return;
  const Tensor* tensor = ids.tensor();
  Array of_features;
  if (tensor != nullptr && tensor->device() == call.device) {
    of_features = array_of(dense.of(*tensor));
  } else {
    // A launch each: a copy from the host would wait.
    of_features = table(features_);
    for (int64_t f = 0; f < features_; ++f) {
      int64_t id = 0;  // at any address
      std::memcpy(
          &id,
          tensor ? tensor->data_as<int64_t>() + f * tensor->strides()[0] : ids.numbers().data() + f,
          sizeof id);
      fill(of_features.from(f), 1, id);
    }
  }
  features_gpu::pick(call, {.values = of_features,
                            .segments = {.examples = examples_,
                                         .features = features_,
                                         .example_stride = 0,
                                         .feature_stride = 1},
                            .positions = positions_,
                            .pitch = features_,
                            .room = keys.element_count(),
                            .packed = array_of(keys)});
}

void DeviceFeatures::pick(const Tensor& values, int64_t f, const Tensor& packed) {
  if (segments() == 0 || packed.element_count() == 0) return;
  features_gpu::pick(call, {.values = bits_of(values),
                            .segments = segments_of(values),
                            .positions = positions_.from(f),
                            .pitch = features_,
                            .room = packed.element_count(),
                            .packed = bits_of(packed)});
}

void DeviceFeatures::expand(const Tensor& packed, int64_t f, const Tensor& values) {
  if (segments() == 0) return;
  if (packed.element_count() == 0) return fill(bits_of(values), values.element_count(), 0);
  features_gpu::expand(call, {.packed = bits_of(packed),
                              .room = packed.element_count(),
                              .segments = segments_of(values),
                              .positions = positions_.from(f),
                              .pitch = features_,
                              .values = bits_of(values)});
}

}  // namespace sylvite::internal
