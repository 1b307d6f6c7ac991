// Merges: what is allowed, what comes out, which moves make it.
#include "runtime/ops/features_merge.h"

#include "runtime/shape.h"
#include "runtime/strings.h"

namespace sylvite::internal {

void require_ids(const FeatureIds& ids, int64_t features, std::string_view op, Device device) {
  const Tensor* tensor = ids.tensor();
  if (tensor) {
    require_argument(tensor->dtype() == DType::kInt64, op, ": feature_ids has dtype ",
                     name(tensor->dtype()), ", want int64");
    require_argument(tensor->rank() == 1, op, ": feature_ids has shape ", tensor->shape(),
                     ", want one axis");
    if (tensor->device() != Device{}) require_device(*tensor, op, "feature_ids", device);
  }
  const int64_t count = tensor ? tensor->shape()[0] : static_cast<int64_t>(ids.numbers().size());
  require_argument(count == features, op, ": feature_ids has ", count, " entries, want ", features,
                   ", one for each feature");
}

const int64_t* dense_ids(FeatureCall& features, const FeatureIds& ids) {
  require_ids(ids, features.inputs.features, features.call.op);
  return ids.tensor() ? static_cast<const int64_t*>(features.dense.of(*ids.tensor()))
                      : ids.numbers().data();
}

void pick_keys_alone(FeatureCall& features, PickMove& pick) {
  pick.values = reinterpret_cast<const std::byte* const*>(features.inputs.presence);
  pick.value_stride = 1;
  pick.value_bytes = 1;
  pick.packed = features.scratch.take<std::byte>(features.offsets->pairs());
}

void require_elements(const MergeInput& input, const Parts& parts, std::string_view op) {
  require_any(parts, op);
  require_rows(parts, op);
  if (input.dtype) {
    require_dtype(parts, *input.dtype, op);
  } else {
    require_one_dtype(parts, op);
  }
}

DType dtype_of(const Merge& merge, std::span<const Parts> inputs, size_t output) noexcept {
  if (merge.outputs[output].dtype) return *merge.outputs[output].dtype;
  size_t i = 0;
  while (merge.inputs[i].output != static_cast<int>(output)) ++i;
  return inputs[i][0].dtype();
}

MakeOutput outputs_of(const Context& context) {
  return [&context](const NewOutput& of) {
    if (of.dtype == DType::kString)
      return new_string_output({of.extent}, of.text_bytes, context, of.op, of.name);
    return new_output(of.dtype, {of.extent}, context, of.device, of.op, of.name);
  };
}

MultiScalar make_scalars(const MakeOutput& make, NewOutput of, DType dtype, int64_t examples,
                         int64_t pairs) {
  const auto one = [&](size_t i, std::string_view name, DType dtype_of_one, int64_t extent) {
    of.i = i;
    of.name = name;
    of.dtype = dtype_of_one;
    of.extent = extent;
    return make(of);
  };
  MultiScalar out;
  out.lengths = one(0, "lengths", DType::kInt32, examples);
  out.keys = one(1, "keys", DType::kInt64, pairs);
  out.values = one(2, "values", dtype, pairs);
  return out;
}

MergeCall::MergeCall(const Merge& merge, std::span<const Parts> inputs, const Context& context)
    : merge_(merge), inputs_(inputs), context_(context), features_(merge.op, context) {
  CountArguments counted;
  for (size_t i = 0; i < merge.inputs.size(); ++i) {
    switch (merge.inputs[i].role) {
      case Role::kLengths:
        counted.lengths = inputs[i];
        break;
      case Role::kPresence:
        counted.presence = inputs[i];
        break;
      case Role::kInnerLengths:
        counted.inner_lengths = inputs[i];
        break;
      case Role::kElements:
        require_elements(merge.inputs[i], inputs[i], merge.op);
    }
  }
  features_.count(merge.counts, counted);
  for (size_t i = 0; i < merge.inputs.size(); ++i) {
    const auto& [name, role, extent, dtype, output] = merge.inputs[i];
    if (role != Role::kElements || extent != Extent::kExamples) continue;
    require_examples(inputs[i], features_.inputs.features, features_.inputs.examples, merge.op);
  }
  require_extents(Extent::kOuter);
  features_.count_inner();
  require_extents(Extent::kInner);
  count_strings();
}

void MergeCall::count_strings() {
  size_t found = 0;
  for (size_t i = 0; i < merge_.inputs.size(); ++i) {
    const auto& [name, role, extent, dtype, output] = merge_.inputs[i];
    if (role != Role::kElements || inputs_[i][0].dtype() != DType::kString) continue;
    const StringRuns runs = extent == Extent::kExamples ? StringRuns::kExample
                            : extent == Extent::kInner  ? StringRuns::kInner
                                                        : StringRuns::kOuter;
    Strings& strings = strings_[found++].emplace(
        Strings{.input = i,
                .output = output,
                .move = StringMove(*features_.offsets, runs, false, features_.scratch)});
    for (int64_t f = 0; f < features_.inputs.features; ++f) {
      strings.move.arrays[f] = features_.dense.texts(inputs_[i][f]);
    }
    strings.move.count(features_.call);
  }
}

int64_t MergeCall::text_bytes(int output) const noexcept {
  for (const auto& strings : strings_) {
    if (strings && strings->output == output) return strings->move.text_bytes();
  }
  return 0;
}

void MergeCall::require_extents(Extent level) const {
  const FeatureOffsets& offsets = *features_.offsets;
  for (size_t i = 0; i < merge_.inputs.size(); ++i) {
    const auto& [name, role, extent, dtype, output] = merge_.inputs[i];
    if (role != Role::kElements || extent != level) continue;
    for (int64_t f = 0; f < features_.inputs.features; ++f) {
      features_.require_extent(level == Extent::kInner ? offsets.inner : offsets.outer, f,
                               inputs_[i][f].shape()[0], inputs_[i]);
    }
  }
}

int64_t MergeCall::extent_of(Extent extent) const noexcept {
  const FeatureOffsets& offsets = *features_.offsets;
  switch (extent) {
    case Extent::kExamples:
      return features_.inputs.examples;
    case Extent::kPairs:
      return offsets.pairs();
    case Extent::kOuter:
      return offsets.elements(offsets.outer);
    case Extent::kInner:
      break;
  }
  return offsets.elements(offsets.inner);
}

MultiSizes MergeCall::sizes() const noexcept {
  MultiSizes sizes{.examples = features_.inputs.examples};
  for (size_t i = 0; i < merge_.outputs.size(); ++i) {
    const MergeOutput& output = merge_.outputs[i];
    const int64_t text = text_bytes(static_cast<int>(i));
    if (output.name == "keys") sizes.pairs = extent_of(output.extent);
    if (output.name == "values_values") sizes.values = extent_of(output.extent);
    (output.name == "values_keys" ? sizes.keys_text : sizes.values_text) += text;
  }
  return sizes;
}

void MergeCall::require_outputs(const FeatureIds* ids, std::span<Tensor* const> outputs) {
  int64_t arrays = static_cast<int64_t>(outputs.size()) + 1;
  for (const Parts& parts : inputs_) arrays += parts.count();
  MemoryRanges ranges(arrays, features_.scratch);
  for (const Parts& parts : inputs_) ranges.read(parts);
  if (ids && ids->tensor()) ranges.read(*ids->tensor());
  for (size_t i = 0; i < outputs.size(); ++i) {
    const MergeOutput& output = merge_.outputs[i];
    require_writable(*outputs[i], dtype_of(merge_, inputs_, i), {extent_of(output.extent)},
                     merge_.op, output.name);
    if (outputs[i]->dtype() == DType::kString) {
      require_string_output(*outputs[i], text_bytes(static_cast<int>(i)), merge_.op, output.name);
    }
    ranges.write(*outputs[i]);
  }
  require_argument(ranges.apart(), merge_.op,
                   ": an output overlaps an input or another output in memory, want them apart");
}

void MergeCall::run(const FeatureIds* ids, std::span<Tensor* const> outputs) {
  const int64_t* keys = ids ? dense_ids(features_, *ids) : nullptr;
  require_outputs(ids, outputs);
  fill(keys, outputs);
}

void MergeCall::fill(const int64_t* ids, std::span<Tensor* const> outputs) {
  DenseOutputs dense(context_, merge_.op);
  PickMove pick;
  std::array<RunMove, 4> runs;
  size_t run_count = 0;
  FeatureMoves moves{.lengths = reinterpret_cast<int32_t*>(dense.of(*outputs[0]))};
  if (ids) {
    pick = {.ids = ids, .keys = reinterpret_cast<int64_t*>(dense.of(*outputs[1]))};
    moves.pick = &pick;
  }
  for (size_t i = 0; i < merge_.inputs.size(); ++i) {
    const MergeInput& input = merge_.inputs[i];
    if (input.output < 0) continue;
    const Tensor& output = *outputs[static_cast<size_t>(input.output)];
    if (output.dtype() == DType::kString) {
      if (input.extent == Extent::kExamples) pick_keys_alone(features_, pick);
      continue;
    }
    auto* const* arrays = features_.dense.of<std::byte>(inputs_[i]);
    if (input.extent == Extent::kExamples) {
      pick.values = input.role == Role::kElements ? arrays : nullptr;
      pick.value_bytes = element_size(output.dtype());
      pick.packed = dense.of(output);
      continue;
    }
    runs[run_count++] = {.inner = input.extent == Extent::kInner,
                         .split = false,
                         .element_bytes = element_size(output.dtype()),
                         .arrays = const_cast<std::byte* const*>(arrays),
                         .packed = dense.of(output)};
  }
  moves.runs = std::span(runs.data(), run_count);
  run_feature_moves(features_.call, *features_.offsets, moves, features_.scratch);
  for (auto& strings : strings_) {
    if (!strings) break;
    const Tensor& output = *outputs[static_cast<size_t>(strings->output)];
    strings->move.packed = {.offsets = output.data_as<int64_t>(), .text = output.text_data()};
    strings->move.run(features_.call);
  }
  dense.copy_back(features_.call);
  throw_if_failed(features_.call);
}

void MergeCall::run_new(const FeatureIds* ids, std::span<Tensor* const> outputs,
                        const MakeOutput& make) {
  const int64_t* keys = ids ? dense_ids(features_, *ids) : nullptr;
  for (size_t i = 0; i < outputs.size(); ++i) {
    const MergeOutput& output = merge_.outputs[i];
    *outputs[i] = make({.i = i,
                        .op = merge_.op,
                        .name = output.name,
                        .dtype = dtype_of(merge_, inputs_, i),
                        .extent = extent_of(output.extent),
                        .text_bytes = text_bytes(static_cast<int>(i))});
  }
  fill(keys, outputs);
}

}  // namespace sylvite::internal
