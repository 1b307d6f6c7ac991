// The gradients of the merges by name, with Caffe2's inputs: a group for each feature, then the packed
// gradient.
#include <array>
#include <vector>

#include "runtime/error.h"
#include "runtime/ops/all.h"
#include "runtime/ops/arguments.h"
#include "runtime/ops/bind.h"
#include "runtime/ops/features_call_outputs.h"

namespace sylvite::internal {
namespace {

/// Tensors of an input that the gradient reads.
constexpr size_t group_of(const Gradient& gradient) noexcept {
  return gradient.counts == Counts::kPresent || gradient.inner ? 2 : 1;
}

class GradientRunner {
 public:
  explicit GradientRunner(const Gradient& gradient) noexcept : gradient_(gradient) {}

  void operator()(OperatorCall& call) {
    const HandlesForACall<Tensor> first(groups_[0]);
    const HandlesForACall<Tensor> second(groups_[1]);
    for (int i = 0; i + 1 < call.inputs(); ++i)
      groups_[static_cast<size_t>(i) % group_of(gradient_)].push_back(call.input(i));
    const std::vector<Tensor> dinputs = gradient_new(
        gradient_, arguments(), call.input(call.inputs() - 1), call.context(), outputs_of(call));
    set_strings(call, dinputs);
  }

 private:
  CountArguments arguments() const {
    const Parts lengths("lengths", groups_[0]);
    if (gradient_.counts == Counts::kPresence) return {.presence = Parts("presence", groups_[0])};
    if (gradient_.counts == Counts::kPresent)
      return {.lengths = lengths, .presence = Parts("presence", groups_[1])};
    if (gradient_.inner)
      return {.lengths = lengths, .inner_lengths = Parts("values_lengths", groups_[1])};
    return {.lengths = lengths};
  }

  const Gradient& gradient_;
  std::array<std::vector<Tensor>, 2> groups_;
};

template <const auto& kGradient>
Runner bind(const OperatorDef& def) {
  const Arguments none(def.type, def.arguments, {});
  constexpr size_t kGroup = group_of(kGradient);
  require_argument(def.inputs.size() == def.outputs.size() * kGroup + 1, def.type, ": ",
                   def.inputs.size(), " inputs for ", def.outputs.size(), " outputs, want ",
                   def.outputs.size() * kGroup + 1, ": ", kGroup,
                   " for each output, and the merged gradient");
  return GradientRunner(kGradient);
}

Runner bind_dense(const OperatorDef& def) {
  const Arguments none(def.type, def.arguments, {});
  return [](OperatorCall& call) {
    const Tensor& presence = call.input(0);
    const Tensor& dvalues = call.input(1);
    if (dvalues.dtype() == DType::kString)
      return call.set_output(0, merge_dense_gradient(presence, dvalues, call.context()));
    Tensor& ddata = call.output(0, dvalues.dtype(), presence.shape(), dvalues.device());
    merge_dense_gradient(presence, dvalues, ddata, call.context());
  };
}

constexpr Arity kInputsOfOne = {2, Arity::kAny};
constexpr Arity kInputsOfTwo = {3, Arity::kAny};
constexpr Arity kOutputs = {1, Arity::kAny};
constexpr std::string_view kOfPresent =
    "(lengths, presence) of each feature, the merged values' gradient, to that of each's values";
constexpr std::string_view kOfNested =
    "(lengths, values.lengths) of each input, the merged values' gradient, to that of each's "
    "values";

}  // namespace

constinit const OperatorSchema kMergeDenseGradientSchema = {
    .name = "MergeDenseFeatureTensorsGradient",
    .inputs = 2,
    .outputs = 1,
    .summary = "presence and the gradient of the merged values to the matrix's gradient",
    .bind = bind_dense,
};

constinit const OperatorSchema kMergeSingleScalarGradientSchema = {
    .name = "MergeSingleScalarFeatureTensorsGradient",
    .inputs = kInputsOfOne,
    .outputs = kOutputs,
    .summary = "presence of each feature, the merged values' gradient, to that of each's values",
    .bind = bind<SingleScalarKind::kGradient>,
};

constinit const OperatorSchema kMergeSingleListGradientSchema = {
    .name = "MergeSingleListFeatureTensorsGradient",
    .inputs = kInputsOfTwo,
    .outputs = kOutputs,
    .summary = kOfPresent,
    .bind = bind<SingleListKind::kGradient>,
};

constinit const OperatorSchema kMergeSingleMapGradientSchema = {
    .name = "MergeSingleMapFeatureTensorsGradient",
    .inputs = kInputsOfTwo,
    .outputs = kOutputs,
    .summary = kOfPresent,
    .bind = bind<SingleMapKind::kGradient>,
};

constinit const OperatorSchema kMergeMultiScalarGradientSchema = {
    .name = "MergeMultiScalarFeatureTensorsGradient",
    .inputs = kInputsOfOne,
    .outputs = kOutputs,
    .summary = "lengths of each input, the merged values' gradient, to that of each's values",
    .bind = bind<MultiScalarKind::kGradient>,
};

constinit const OperatorSchema kMergeMultiListGradientSchema = {
    .name = "MergeMultiListFeatureTensorsGradient",
    .inputs = kInputsOfTwo,
    .outputs = kOutputs,
    .summary = kOfNested,
    .bind = bind<MultiListKind::kGradient>,
};

constinit const OperatorSchema kMergeMultiMapGradientSchema = {
    .name = "MergeMultiMapFeatureTensorsGradient",
    .inputs = kInputsOfTwo,
    .outputs = kOutputs,
    .summary = kOfNested,
    .bind = bind<MultiMapKind::kGradient>,
};

constinit const OperatorSchema kMergeMultiListOrMapGradientSchema = {
    .name = "MergeMultiListOrMapFeatureTensorsGradient",
    .inputs = kInputsOfTwo,
    .outputs = kOutputs,
    .summary =
        "what MergeMultiListFeatureTensorsGradient and MergeMultiMapFeatureTensorsGradient "
        "both are",
    .bind = bind<MultiListKind::kGradient>,
};

}  // namespace sylvite::internal
