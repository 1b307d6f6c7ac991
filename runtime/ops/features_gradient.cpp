// Gradients of the merges: the packed gradient back to the inputs' places.
#include "runtime/ops/features_kinds.h"
#include "runtime/shape.h"
#include "runtime/strings.h"

namespace sylvite {
namespace {

using internal::CountArguments;
using internal::Counts;
using internal::DenseOutputs;
using internal::FeatureCall;
using internal::FeatureMoves;
using internal::Gradient;
using internal::Level;
using internal::MakeOutput;
using internal::MemoryRanges;
using internal::Parts;
using internal::require_argument;
using internal::StringMove;
using internal::StringRuns;

class CpuGradientCall {
 public:
  CpuGradientCall(const Gradient& gradient, const CountArguments& arguments, const Context& context)
      : gradient_(gradient),
        arguments_(arguments),
        context_(context),
        features_(gradient.op, context) {
    if (gradient.inner) internal::require_any(arguments.inner_lengths, gradient.op);
    features_.count(gradient.counts, arguments);
    features_.count_inner();
  }

  int64_t extent_of(int64_t f) const noexcept {
    return gradient_.counts == Counts::kPresence ? features_.inputs.examples
                                                 : features_.offsets->elements(level(), f);
  }
  std::vector<int64_t> sizes() const {
    std::vector<int64_t> sizes;
    for (int64_t f = 0; f < features_.inputs.features; ++f) sizes.push_back(extent_of(f));
    return sizes;
  }

  void run(const Tensor& dvalues, std::span<Tensor> dinputs) {
    require_dvalues(dvalues);
    require_outputs(dvalues, dinputs);
    fill(dvalues, dinputs);
  }

  std::vector<Tensor> run_new(const Tensor& dvalues, const MakeOutput& make) {
    require_dvalues(dvalues);
    std::vector<Tensor> dinputs;
    dinputs.reserve(static_cast<size_t>(features_.inputs.features));
    for (int64_t f = 0; f < features_.inputs.features; ++f) {
      dinputs.push_back(make({.i = static_cast<size_t>(f),
                              .op = gradient_.op,
                              .name = "output",
                              .dtype = dvalues.dtype(),
                              .extent = extent_of(f),
                              .text_bytes = strings_ ? strings_->text_bytes(f) : 0}));
    }
    fill(dvalues, dinputs);
    return dinputs;
  }

 private:
  void fill(const Tensor& dvalues, std::span<const Tensor> dinputs) {
    if (strings_) {
      for (size_t f = 0; f < dinputs.size(); ++f) {
        strings_->arrays[f] = {.offsets = dinputs[f].data_as<int64_t>(),
                               .text = dinputs[f].text_data()};
      }
      strings_->run(features_.call);
      internal::throw_if_failed(features_.call);
      return;
    }
    DenseOutputs dense(context_, gradient_.op);
    auto** arrays = features_.scratch.take<std::byte*>(features_.inputs.features);
    for (size_t f = 0; f < dinputs.size(); ++f) arrays[f] = dense.of(dinputs[f]);
    auto* packed = static_cast<std::byte*>(const_cast<void*>(features_.dense.of(dvalues)));
    const int bytes = element_size(dvalues.dtype());
    const internal::ExpandMove expand = {.packed = packed, .values = arrays, .value_bytes = bytes};
    const internal::RunMove split = {.inner = gradient_.inner,
                                     .split = true,
                                     .element_bytes = bytes,
                                     .arrays = arrays,
                                     .packed = packed};
    FeatureMoves moves;
    if (gradient_.counts == Counts::kPresence) {
      moves.expand = &expand;
    } else {
      moves.runs = std::span(&split, 1);
    }
    internal::run_feature_moves(features_.call, *features_.offsets, moves, features_.scratch);
    dense.copy_back(features_.call);
    internal::throw_if_failed(features_.call);
  }

  const Level& level() const noexcept {
    return gradient_.inner ? features_.offsets->inner : features_.offsets->outer;
  }

  void require_dvalues(const Tensor& dvalues) {
    features_.require_packed(dvalues,
                             gradient_.counts == Counts::kPresence
                                 ? features_.offsets->pairs()
                                 : features_.offsets->elements(level()),
                             "dvalues");
    if (dvalues.dtype() != DType::kString || strings_) return;
    strings_.emplace(*features_.offsets,
                     gradient_.counts == Counts::kPresence ? StringRuns::kExample
                     : gradient_.inner                     ? StringRuns::kInner
                                                           : StringRuns::kOuter,
                     true, features_.scratch);
    strings_->packed = features_.dense.texts(dvalues);
    strings_->count(features_.call);
  }

  void require_outputs(const Tensor& dvalues, std::span<const Tensor> dinputs) {
    const Parts outputs("dinputs", dinputs);
    internal::require_count(outputs, features_.inputs.features, gradient_.op);
    MemoryRanges ranges(4 * features_.inputs.features + 1, features_.scratch);
    ranges.read(dvalues);
    for (const Parts* parts :
         {&arguments_.lengths, &arguments_.presence, &arguments_.inner_lengths}) {
      ranges.read(*parts);
    }
    for (int64_t f = 0; f < outputs.count(); ++f) {
      const Tensor& output = outputs[f];
      std::array<char, 32> name;
      const int length =
          std::snprintf(name.data(), name.size(), "dinputs_%lld", static_cast<long long>(f) + 1);
      const std::string_view argument(name.data(), static_cast<size_t>(length));
      internal::require_writable(output, dvalues.dtype(), {extent_of(f)}, gradient_.op, argument);
      if (strings_) {
        internal::require_string_output(output, strings_->text_bytes(f), gradient_.op, argument);
      }
      ranges.write(output);
    }
    require_argument(ranges.apart(), gradient_.op,
                     ": an output overlaps an input or another output in memory, want them apart");
  }

  const Gradient& gradient_;
  CountArguments arguments_;
  const Context& context_;
  FeatureCall features_;
  std::optional<StringMove> strings_;
};

/// One or the other, as the inputs' device asks.
class GradientCall {
 public:
  GradientCall(const Gradient& gradient, const CountArguments& arguments, const Context& context) {
    const Parts& first = arguments.lengths.count() > 0 ? arguments.lengths : arguments.presence;
    if (internal::device_of(first) != Device{}) {
      on_gpu_.emplace(gradient, arguments, context);
    } else {
      on_cpu_.emplace(gradient, arguments, context);
    }
  }

  std::vector<int64_t> sizes() { return on_gpu_ ? on_gpu_->sizes() : on_cpu_->sizes(); }
  void run(const Tensor& dvalues, std::span<Tensor> dinputs) {
    return on_gpu_ ? on_gpu_->run(dvalues, dinputs) : on_cpu_->run(dvalues, dinputs);
  }
  std::vector<Tensor> run_new(const Tensor& dvalues, const MakeOutput& make) {
    return on_gpu_ ? on_gpu_->run_new(dvalues, make) : on_cpu_->run_new(dvalues, make);
  }

 private:
  std::optional<CpuGradientCall> on_cpu_;
  std::optional<internal::DeviceGradientCall> on_gpu_;
};

CountArguments present(std::span<const Tensor> lengths, std::span<const Tensor> presence) {
  return {.lengths = Parts("lengths", lengths), .presence = Parts("presence", presence)};
}
CountArguments nested(std::span<const Tensor> lengths, std::span<const Tensor> values_lengths) {
  return {.lengths = Parts("lengths", lengths),
          .inner_lengths = Parts("values_lengths", values_lengths)};
}

std::vector<Tensor> run_new(const Gradient& gradient, const CountArguments& arguments,
                            const Tensor& dvalues, const Context& context) {
  return internal::gradient_new(gradient, arguments, dvalues, context,
                                internal::outputs_of(context));
}

using internal::MultiListKind;
using internal::MultiMapKind;
using internal::MultiScalarKind;
using internal::SingleListKind;
using internal::SingleMapKind;
using internal::SingleScalarKind;

}  // namespace

std::vector<Tensor> internal::gradient_new(const Gradient& gradient,
                                           const CountArguments& arguments, const Tensor& dvalues,
                                           const Context& context, const MakeOutput& make) {
  return GradientCall(gradient, arguments, context).run_new(dvalues, make);
}

std::vector<Tensor> merge_single_scalar_gradient(std::span<const Tensor> presence,
                                                 const Tensor& dvalues, const Context& context) {
  return run_new(SingleScalarKind::kGradient, {.presence = Parts("presence", presence)}, dvalues,
                 context);
}
void merge_single_scalar_gradient(std::span<const Tensor> presence, const Tensor& dvalues,
                                  std::span<Tensor> dinputs, const Context& context) {
  GradientCall(SingleScalarKind::kGradient, {.presence = Parts("presence", presence)}, context)
      .run(dvalues, dinputs);
}

std::vector<Tensor> merge_single_list_gradient(std::span<const Tensor> lengths,
                                               std::span<const Tensor> presence,
                                               const Tensor& dvalues, const Context& context) {
  return run_new(SingleListKind::kGradient, present(lengths, presence), dvalues, context);
}
void merge_single_list_gradient(std::span<const Tensor> lengths, std::span<const Tensor> presence,
                                const Tensor& dvalues, std::span<Tensor> dinputs,
                                const Context& context) {
  GradientCall(SingleListKind::kGradient, present(lengths, presence), context)
      .run(dvalues, dinputs);
}
std::vector<int64_t> merge_single_list_gradient_sizes(std::span<const Tensor> lengths,
                                                      std::span<const Tensor> presence,
                                                      const Context& context) {
  return GradientCall(SingleListKind::kGradient, present(lengths, presence), context).sizes();
}

std::vector<Tensor> merge_single_map_gradient(std::span<const Tensor> lengths,
                                              std::span<const Tensor> presence,
                                              const Tensor& dvalues, const Context& context) {
  return run_new(SingleMapKind::kGradient, present(lengths, presence), dvalues, context);
}
void merge_single_map_gradient(std::span<const Tensor> lengths, std::span<const Tensor> presence,
                               const Tensor& dvalues, std::span<Tensor> dinputs,
                               const Context& context) {
  GradientCall(SingleMapKind::kGradient, present(lengths, presence), context).run(dvalues, dinputs);
}
std::vector<int64_t> merge_single_map_gradient_sizes(std::span<const Tensor> lengths,
                                                     std::span<const Tensor> presence,
                                                     const Context& context) {
  return GradientCall(SingleMapKind::kGradient, present(lengths, presence), context).sizes();
}

std::vector<Tensor> merge_multi_scalar_gradient(std::span<const Tensor> lengths,
                                                const Tensor& dvalues, const Context& context) {
  return run_new(MultiScalarKind::kGradient, {.lengths = Parts("lengths", lengths)}, dvalues,
                 context);
}
void merge_multi_scalar_gradient(std::span<const Tensor> lengths, const Tensor& dvalues,
                                 std::span<Tensor> dinputs, const Context& context) {
  GradientCall(MultiScalarKind::kGradient, {.lengths = Parts("lengths", lengths)}, context)
      .run(dvalues, dinputs);
}
std::vector<int64_t> merge_multi_scalar_gradient_sizes(std::span<const Tensor> lengths,
                                                       const Context& context) {
  return GradientCall(MultiScalarKind::kGradient, {.lengths = Parts("lengths", lengths)}, context)
      .sizes();
}

std::vector<Tensor> merge_multi_list_gradient(std::span<const Tensor> lengths,
                                              std::span<const Tensor> values_lengths,
                                              const Tensor& dvalues, const Context& context) {
  return run_new(MultiListKind::kGradient, nested(lengths, values_lengths), dvalues, context);
}
void merge_multi_list_gradient(std::span<const Tensor> lengths,
                               std::span<const Tensor> values_lengths, const Tensor& dvalues,
                               std::span<Tensor> dinputs, const Context& context) {
  GradientCall(MultiListKind::kGradient, nested(lengths, values_lengths), context)
      .run(dvalues, dinputs);
}
std::vector<int64_t> merge_multi_list_gradient_sizes(std::span<const Tensor> lengths,
                                                     std::span<const Tensor> values_lengths,
                                                     const Context& context) {
  return GradientCall(MultiListKind::kGradient, nested(lengths, values_lengths), context).sizes();
}

std::vector<Tensor> merge_multi_map_gradient(std::span<const Tensor> lengths,
                                             std::span<const Tensor> values_lengths,
                                             const Tensor& dvalues, const Context& context) {
  return run_new(MultiMapKind::kGradient, nested(lengths, values_lengths), dvalues, context);
}
void merge_multi_map_gradient(std::span<const Tensor> lengths,
                              std::span<const Tensor> values_lengths, const Tensor& dvalues,
                              std::span<Tensor> dinputs, const Context& context) {
  GradientCall(MultiMapKind::kGradient, nested(lengths, values_lengths), context)
      .run(dvalues, dinputs);
}
std::vector<int64_t> merge_multi_map_gradient_sizes(std::span<const Tensor> lengths,
                                                    std::span<const Tensor> values_lengths,
                                                    const Context& context) {
  return GradientCall(MultiMapKind::kGradient, nested(lengths, values_lengths), context).sizes();
}

}  // namespace sylvite
