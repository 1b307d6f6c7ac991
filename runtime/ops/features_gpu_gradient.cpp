// Gradients of the merges on a GPU, and merge_dense with its own.
#include <algorithm>
#include <string>

#include "runtime/ops/features_gpu_merge.h"
#include "runtime/shape.h"

namespace sylvite::internal {

namespace {

Device device_of(const CountArguments& arguments) noexcept {
  return internal::device_of(arguments.lengths.count() > 0 ? arguments.lengths
                                                           : arguments.presence);
}

/// Merged gradients for calls that do not wait: as many as there are, or more.
void require_row(const Tensor& packed, std::string_view op, std::string_view argument,
                 Device device) {
  require_device(packed, op, argument, device);
  require_argument(packed.rank() == 1, op, ": ", argument, " has shape ", packed.shape(),
                   ", want one axis");
}

}  // namespace

DeviceGradientCall::DeviceGradientCall(const Gradient& gradient, const CountArguments& arguments,
                                       const Context& context)
    : gradient_(gradient),
      arguments_(arguments),
      context_(context),
      features_(gradient.op, context, device_of(arguments)) {
  if (gradient.inner) require_any(arguments.inner_lengths, gradient.op);
  features_.count(gradient.counts, arguments);
}

std::vector<int64_t> DeviceGradientCall::extents_of(const DeviceFacts& facts) const {
  if (gradient_.counts != Counts::kPresence) return gradient_.inner ? facts.inner : facts.outer;
  std::vector<int64_t> extents(static_cast<size_t>(features_.features()));
  std::fill(extents.begin(), extents.end(), features_.examples());
  return extents;
}

std::vector<int64_t> DeviceGradientCall::sizes() { return extents_of(features_.wait()); }

/// extents: of the outputs; nullptr: theirs.
void DeviceGradientCall::require_outputs(const Tensor& dvalues, std::span<const Tensor> dinputs,
                                         const std::vector<int64_t>* extents,
                                         const Tensor* status) const {
  const Parts outputs("dinputs", dinputs);
  require_count(outputs, features_.features(), gradient_.op);
  Scratch scratch(context_, gradient_.op);
  MemoryRanges ranges(4 * features_.features() + 2, scratch);
  ranges.read(dvalues);
  for (const Parts* parts :
       {&arguments_.lengths, &arguments_.presence, &arguments_.inner_lengths}) {
    ranges.read(*parts);
  }
  if (status) ranges.write(*status);
  for (int64_t f = 0; f < outputs.count(); ++f) {
    const Tensor& output = outputs[f];
    const std::string argument = "dinputs_" + std::to_string(f + 1);
    require_argument(output.rank() == 1, gradient_.op, ": ", argument, " has shape ",
                     output.shape(), ", want one axis");
    const int64_t extent = extents ? (*extents)[static_cast<size_t>(f)] : output.shape()[0];
    require_writable(output, dvalues.dtype(), {extent}, gradient_.op, argument,
                     features_.call.device);
    ranges.write(output);
  }
  require_argument(ranges.apart(), gradient_.op,
                   ": an output overlaps an input or another output in memory, want them apart");
}

void DeviceGradientCall::run(const Tensor& dvalues, std::span<Tensor> dinputs) {
  const Device device = features_.call.device;
  require_fixed_size(dvalues.dtype(), gradient_.op, "dvalues");
  const Tensor* status = status_of(context_, gradient_.op, device);
  if (status == nullptr) {
    const DeviceFacts facts = features_.wait();
    const std::vector<int64_t> extents = extents_of(facts);
    require_packed(dvalues,
                   gradient_.counts == Counts::kPresence
                       ? facts.pairs
                       : sums_before(extents, gradient_.op).back() + extents.back(),
                   gradient_.op, "dvalues", device);
    require_outputs(dvalues, dinputs, &extents, nullptr);
    return fill(dvalues, dinputs);
  }
  require_row(dvalues, gradient_.op, "dvalues", device);
  std::vector<int64_t> examples;
  if (gradient_.counts == Counts::kPresence) examples = extents_of({});
  require_outputs(dvalues, dinputs, examples.empty() ? nullptr : &examples, status);
  const bool of_pairs = gradient_.counts != Counts::kPresent && !gradient_.inner;
  const int64_t room = dvalues.shape()[0];
  features_.tell(*status, of_pairs ? room : INT64_MAX, of_pairs ? INT64_MAX : room);
  const bool scalars = gradient_.counts == Counts::kPresence;
  for (int64_t f = 0; f < features_.features() && !scalars; ++f)
    features_.tell_unless(gradient_.inner, f, dinputs[static_cast<size_t>(f)].shape()[0]);
  features_.tell_of_lengths();
  fill(dvalues, dinputs);
}

std::vector<Tensor> DeviceGradientCall::run_new(const Tensor& dvalues, const MakeOutput& make) {
  require_fixed_size(dvalues.dtype(), gradient_.op, "dvalues");
  const DeviceFacts facts = features_.wait();
  const std::vector<int64_t> extents = extents_of(facts);
  require_packed(dvalues,
                 gradient_.counts == Counts::kPresence
                     ? facts.pairs
                     : sums_before(extents, gradient_.op).back() + extents.back(),
                 gradient_.op, "dvalues", features_.call.device);
  std::vector<Tensor> dinputs;
  dinputs.reserve(extents.size());
  for (const int64_t extent : extents) {
    dinputs.push_back(make({.i = dinputs.size(),
                            .op = gradient_.op,
                            .name = "output",
                            .dtype = dvalues.dtype(),
                            .extent = extent,
                            .device = features_.call.device}));
  }
  fill(dvalues, dinputs);
  return dinputs;
}

void DeviceGradientCall::fill(const Tensor& dvalues, std::span<const Tensor> dinputs) {
  features_.require_reachable(dvalues);
  for (const Tensor& dinput : dinputs) features_.require_reachable(dinput);
  DenseOnDevice& dense = features_.dense;
  const Tensor& packed = dense.of(dvalues);
  int64_t first = 0;
  for (size_t i = 0; i < dinputs.size(); ++i) {
    const auto f = static_cast<int64_t>(i);
    const Tensor& to = dense.of_output(dinputs[i]);
    if (gradient_.counts == Counts::kPresence) {
      features_.expand(packed, f, to);
    } else if (to.element_count() > 0) {
      features_.move_runs(gradient_.inner, true, f, first, to, packed);
    }
    first += to.element_count();
  }
  dense.copy_back();
  throw_if_failed(features_.call);
}

// --- merge_dense --------------------------------------------------------------------------------

MultiSizes merge_dense_sizes_gpu(const Tensor& presence, std::string_view op,
                                 const Context& context) {
  DeviceFeatures features(op, context, presence.device());
  features.count_dense(presence);
  return {.examples = presence.shape()[0], .pairs = features.wait().pairs};
}

void merge_dense_gpu(const Tensor& data, const Tensor& presence, const FeatureIds& ids,
                     MultiScalar& out, const MakeOutput* make, std::string_view op,
                     const Context& context) {
  const Device device = presence.device();
  require_device(data, op, "data", device);
  DeviceFeatures features(op, context, device);
  features.count_dense(presence);
  features.require_ids(ids);
  const int64_t examples = presence.shape()[0];
  const Tensor* status = make ? nullptr : status_of(context, op, device);
  const int64_t pairs = status ? 0 : features.wait().pairs;
  if (make) {
    out = make_scalars(*make, {.op = op, .device = device}, data.dtype(), examples, pairs);
  }
  Scratch scratch(context, op);
  MemoryRanges ranges(7, scratch);
  ranges.read(data);
  ranges.read(presence);
  if (ids.tensor()) ranges.read(*ids.tensor());
  if (status) ranges.write(*status);
  const auto write = [&](const Tensor& output, DType dtype, int64_t extent,
                         std::string_view argument) {
    require_writable(output, dtype, {extent}, op, argument, device);
    ranges.write(output);
  };
  if (status) require_row(out.keys, op, "keys", device);
  if (status) require_row(out.values, op, "values", device);
  write(out.lengths, DType::kInt32, examples, "lengths");
  write(out.keys, DType::kInt64, status ? out.keys.shape()[0] : pairs, "keys");
  write(out.values, data.dtype(), status ? out.values.shape()[0] : pairs, "values");
  require_argument(ranges.apart(), op,
                   ": an output overlaps an input or another output in memory, want them apart");
  if (status)
    features.tell(*status, std::min(out.keys.shape()[0], out.values.shape()[0]), INT64_MAX);
  for (const Tensor& tensor : {data, out.keys, out.values}) features.require_reachable(tensor);
  DenseOnDevice& dense = features.dense;
  features.write_lengths(dense.of_output(out.lengths));
  const bool has_rest = status != nullptr;
  features.write_keys(ids, dense.of_output(out.keys, has_rest));
  features.pick(dense.of(data), 0, dense.of_output(out.values, has_rest));
  dense.copy_back();
  throw_if_failed(features.call);
}

void merge_dense_gradient_gpu(const Tensor& presence, const Tensor& dvalues, Tensor& ddata,
                              bool new_outputs, std::string_view op, const Context& context) {
  const Device device = presence.device();
  require_fixed_size(dvalues.dtype(), op, "dvalues");
  DeviceFeatures features(op, context, device);
  features.count_dense(presence);
  const Tensor* status = new_outputs ? nullptr : status_of(context, op, device);
  if (status) {
    require_row(dvalues, op, "dvalues", device);
  } else {
    require_packed(dvalues, features.wait().pairs, op, "dvalues", device);
  }
  if (new_outputs)
    ddata = new_output(dvalues.dtype(), presence.shape(), context, device, op, "ddata");
  require_writable(ddata, dvalues.dtype(), presence.shape(), op, "ddata", device);
  Scratch scratch(context, op);
  MemoryRanges ranges(4, scratch);
  ranges.read(presence);
  ranges.read(dvalues);
  if (status) ranges.write(*status);
  ranges.write(ddata);
  require_argument(ranges.apart(), op, ": ddata overlaps an input in memory, want them apart");
  if (status) features.tell(*status, dvalues.shape()[0], INT64_MAX);
  features.require_reachable(dvalues);
  features.require_reachable(ddata);
  DenseOnDevice& dense = features.dense;
  features.expand(dense.of(dvalues), 0, dense.of_output(ddata));
  dense.copy_back();
  throw_if_failed(features.call);
}

}  // namespace sylvite::internal
