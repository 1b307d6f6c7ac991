// Merges on a GPU: what is allowed, what comes out, which moves make it.
#include "runtime/ops/features_gpu_merge.h"

#include <algorithm>

#include "runtime/checked.h"
#include "runtime/shape.h"

namespace sylvite::internal {
namespace {

Device device_of(std::span<const Parts> inputs) noexcept {
  return internal::device_of(inputs.front());
}

}  // namespace

std::vector<int64_t> sums_before(const std::vector<int64_t>& extents, std::string_view op) {
  std::vector<int64_t> sums;
  Checked sum = 0;
  for (const int64_t extent : extents) {
    sums.push_back(*sum);
    sum = checked_add(sum, extent);
    require_argument(sum.has_value(), op, ": the inputs hold more values than int64 can count");
  }
  return sums;
}

const Tensor* status_of(const Context& context, std::string_view op, Device device) {
  const Tensor* status = context.merge_status();
  if (status == nullptr) return nullptr;
  require_writable(*status, DType::kInt64, {3}, op, "merge_status", device);
  require_argument(dense_and_aligned(*status), op,
                   ": merge_status has gaps or an odd address, want dense memory");
  return status;
}

DeviceMergeCall::DeviceMergeCall(const Merge& merge, std::span<const Parts> inputs,
                                 const Context& context)
    : merge_(merge),
      inputs_(inputs),
      context_(context),
      features_(merge.op, context, device_of(inputs)) {
  CountArguments counted;
  for (size_t i = 0; i < merge.inputs.size(); ++i) {
    const MergeInput& input = merge.inputs[i];
    require_any(inputs[i], merge.op);
    if (!input.dtype) {
      for (int64_t f = 0; f < inputs[i].count(); ++f) {
        require(inputs[i][f].dtype() != DType::kString, ErrorCode::kUnsupported, merge.op, ": ",
                PartName{inputs[i], f}, " holds strings, want a dtype of fixed size on a GPU");
      }
    }
    require_rows(inputs[i], merge.op, features_.call.device);
    if (input.dtype) {
      require_dtype(inputs[i], *input.dtype, merge.op);
    } else {
      require_one_dtype(inputs[i], merge.op);
    }
    if (input.role == Role::kLengths) counted.lengths = inputs[i];
    if (input.role == Role::kPresence) counted.presence = inputs[i];
    if (input.role == Role::kInnerLengths) counted.inner_lengths = inputs[i];
  }
  require_inputs(counted);
  features_.count(merge.counts, counted);
}

/// What metadata tells before anything is launched.
void DeviceMergeCall::require_inputs(const CountArguments& counted) {
  require_counts(counted, merge_.counts, merge_.op, features_.call.device);
  const Parts& first = merge_.counts == Counts::kPresence ? counted.presence : counted.lengths;
  for (size_t i = 0; i < merge_.inputs.size(); ++i) {
    if (merge_.inputs[i].extent == Extent::kExamples) {
      require_examples(inputs_[i], first.count(), first[0].shape()[0], merge_.op);
    } else {
      static_cast<void>(firsts_of(inputs_[i]));
    }
  }
}

std::vector<int64_t> DeviceMergeCall::firsts_of(const Parts& parts) const {
  std::vector<int64_t> extents;
  for (int64_t f = 0; f < parts.count(); ++f) extents.push_back(parts[f].shape()[0]);
  return sums_before(extents, merge_.op);
}

/// And that every array holds what its lengths sum to.
DeviceFacts DeviceMergeCall::wait() {
  DeviceFacts facts = features_.wait();
  for (const Extent level : {Extent::kOuter, Extent::kInner}) {
    for (size_t i = 0; i < merge_.inputs.size(); ++i) {
      if (merge_.inputs[i].extent != level) continue;
      for (int64_t f = 0; f < features_.features(); ++f) {
        features_.require_extent(facts, level == Extent::kInner, f, inputs_[i][f].shape()[0],
                                 inputs_[i]);
      }
    }
  }
  return facts;
}

/// The same without waiting for it, and whether the outputs have room.
void DeviceMergeCall::tell(const Tensor& status, std::span<Tensor* const> outputs) {
  int64_t pairs = INT64_MAX;
  int64_t values = INT64_MAX;
  for (size_t i = 1; i < outputs.size(); ++i) {
    const Extent extent = merge_.outputs[i].extent;
    const bool of_pairs =
        extent == Extent::kPairs || (extent == Extent::kOuter && merge_.counts == Counts::kLengths);
    int64_t& room = of_pairs ? pairs : values;
    room = std::min(room, outputs[i]->shape()[0]);
  }
  features_.tell(status, pairs, values);
  for (size_t i = 0; i < merge_.inputs.size(); ++i) {
    const MergeInput& input = merge_.inputs[i];
    const bool leveled = input.extent == Extent::kOuter || input.extent == Extent::kInner;
    if (input.role != Role::kElements || !leveled) continue;
    for (int64_t f = 0; f < features_.features(); ++f)
      features_.tell_unless(input.extent == Extent::kInner, f, inputs_[i][f].shape()[0]);
  }
  features_.tell_of_lengths();
}

int64_t DeviceMergeCall::extent_of(Extent extent, const DeviceFacts& facts) const {
  const auto sum = [](const std::vector<int64_t>& extents) {
    int64_t total = 0;
    for (const int64_t extent_of_one : extents) total += extent_of_one;
    return total;
  };
  switch (extent) {
    case Extent::kExamples:
      return features_.examples();
    case Extent::kPairs:
      return facts.pairs;
    case Extent::kOuter:
      return sum(facts.outer);
    case Extent::kInner:
      break;
  }
  return sum(facts.inner);
}

MultiSizes DeviceMergeCall::sizes() {
  const DeviceFacts facts = wait();
  MultiSizes sizes{.examples = features_.examples()};
  for (const MergeOutput& output : merge_.outputs) {
    if (output.name == "keys") sizes.pairs = extent_of(output.extent, facts);
    if (output.name == "values_values") sizes.values = extent_of(output.extent, facts);
  }
  return sizes;
}

void DeviceMergeCall::require_apart(const FeatureIds* ids, std::span<Tensor* const> outputs,
                                    const Tensor* status) const {
  int64_t arrays = static_cast<int64_t>(outputs.size()) + 2;
  for (const Parts& parts : inputs_) arrays += parts.count();
  Scratch scratch(context_, merge_.op);
  MemoryRanges ranges(arrays, scratch);
  for (const Parts& parts : inputs_) ranges.read(parts);
  if (ids && ids->tensor()) ranges.read(*ids->tensor());
  if (status) ranges.write(*status);
  for (const Tensor* output : outputs) ranges.write(*output);
  require_argument(ranges.apart(), merge_.op,
                   ": an output overlaps an input or another output in memory, want them apart");
}

void DeviceMergeCall::run(const FeatureIds* ids, std::span<Tensor* const> outputs) {
  const Tensor* status = status_of(context_, merge_.op, features_.call.device);
  if (ids) features_.require_ids(*ids);
  const DeviceFacts facts = status ? DeviceFacts{} : wait();
  for (size_t i = 0; i < outputs.size(); ++i) {
    const MergeOutput& output = merge_.outputs[i];
    // Whoever does not wait gives room, and may give more than is needed.
    const bool exact = status == nullptr || output.extent == Extent::kExamples;
    require_argument(outputs[i]->rank() == 1, merge_.op, ": ", output.name, " has shape ",
                     outputs[i]->shape(), ", want one axis");
    const int64_t extent = exact ? extent_of(output.extent, facts) : outputs[i]->shape()[0];
    require_writable(*outputs[i], dtype_of(merge_, inputs_, i), {extent}, merge_.op, output.name,
                     features_.call.device);
  }
  require_apart(ids, outputs, status);
  if (status) tell(*status, outputs);
  fill(ids, outputs, status != nullptr);
}

void DeviceMergeCall::fill(const FeatureIds* ids, std::span<Tensor* const> outputs, bool has_rest) {
  for (const Tensor* output : outputs) features_.require_reachable(*output);
  for (const Parts& parts : inputs_) {
    for (int64_t f = 0; f < parts.count(); ++f) features_.require_reachable(parts[f]);
  }
  DenseOnDevice& dense = features_.dense;
  std::vector<const Tensor*> packed;
  for (const Tensor* output : outputs) packed.push_back(&dense.of_output(*output, has_rest));
  features_.write_lengths(*packed[0]);
  if (ids) features_.write_keys(*ids, *packed[1]);
  for (size_t i = 0; i < merge_.inputs.size(); ++i) {
    const MergeInput& input = merge_.inputs[i];
    if (input.output < 0) continue;
    const Tensor& to = *packed[static_cast<size_t>(input.output)];
    if (input.extent == Extent::kExamples) {
      for (int64_t f = 0; f < features_.features(); ++f)
        features_.pick(dense.of(inputs_[i][f]), f, to);
      continue;
    }
    const std::vector<int64_t> firsts = firsts_of(inputs_[i]);
    for (int64_t f = 0; f < features_.features(); ++f) {
      if (inputs_[i][f].element_count() == 0) continue;
      features_.move_runs(input.extent == Extent::kInner, false, f, firsts[static_cast<size_t>(f)],
                          dense.of(inputs_[i][f]), to);
    }
  }
  dense.copy_back();
  throw_if_failed(features_.call);
}

void DeviceMergeCall::run_new(const FeatureIds* ids, std::span<Tensor* const> outputs,
                              const MakeOutput& make) {
  if (ids) features_.require_ids(*ids);
  const DeviceFacts facts = wait();
  for (size_t i = 0; i < outputs.size(); ++i) {
    const MergeOutput& output = merge_.outputs[i];
    *outputs[i] = make({.i = i,
                        .op = merge_.op,
                        .name = output.name,
                        .dtype = dtype_of(merge_, inputs_, i),
                        .extent = extent_of(output.extent, facts),
                        .device = features_.call.device});
  }
  fill(ids, outputs, false);
}

}  // namespace sylvite::internal
