// The gradients of the merges by name, with Caffe2's inputs: a group for each feature, then the packed
// gradient.
#include <array>
#include <vector>

#include "runtime/error.h"
#include "runtime/ops/all.h"
#include "runtime/ops/arguments.h"
#include "runtime/ops/bind.h"
#include "sylvite/features.h"

namespace sylvite::internal {
namespace {

using Tensors = std::span<const Tensor>;

/// A gradient whose groups are one tensor.
struct OfOne {
  void (*run)(Tensors group, const Tensor& dvalues, std::span<Tensor> dinputs,
              const Context& context);
  std::vector<Tensor> (*make)(Tensors group, const Tensor& dvalues, const Context& context);
  /// nullptr: as many as there are examples.
  std::vector<int64_t> (*sizes)(Tensors group, const Context& context);
};
/// A gradient whose groups are two.
struct OfTwo {
  void (*run)(Tensors first, Tensors second, const Tensor& dvalues, std::span<Tensor> dinputs,
              const Context& context);
  std::vector<Tensor> (*make)(Tensors first, Tensors second, const Tensor& dvalues,
                              const Context& context);
  std::vector<int64_t> (*sizes)(Tensors first, Tensors second, const Context& context);
};

constexpr OfOne kSingleScalar = {
    .run = merge_single_scalar_gradient, .make = merge_single_scalar_gradient, .sizes = nullptr};
constexpr OfOne kMultiScalar = {.run = merge_multi_scalar_gradient,
                                .make = merge_multi_scalar_gradient,
                                .sizes = merge_multi_scalar_gradient_sizes};
constexpr OfTwo kSingleList = {.run = merge_single_list_gradient,
                               .make = merge_single_list_gradient,
                               .sizes = merge_single_list_gradient_sizes};
constexpr OfTwo kSingleMap = {.run = merge_single_map_gradient,
                              .make = merge_single_map_gradient,
                              .sizes = merge_single_map_gradient_sizes};
constexpr OfTwo kMultiList = {.run = merge_multi_list_gradient,
                              .make = merge_multi_list_gradient,
                              .sizes = merge_multi_list_gradient_sizes};
constexpr OfTwo kMultiMap = {.run = merge_multi_map_gradient,
                             .make = merge_multi_map_gradient,
                             .sizes = merge_multi_map_gradient_sizes};

constexpr size_t group_of(const OfOne& /*gradient*/) noexcept { return 1; }
constexpr size_t group_of(const OfTwo& /*gradient*/) noexcept { return 2; }

/// Calls function(group…, more…).
template <typename Function, typename... More>
auto with_group(const OfOne& /*gradient*/, const std::array<std::vector<Tensor>, 2>& groups,
                const Function& function, More&&... more) {
  return function(groups[0], std::forward<More>(more)...);
}
template <typename Function, typename... More>
auto with_group(const OfTwo& /*gradient*/, const std::array<std::vector<Tensor>, 2>& groups,
                const Function& function, More&&... more) {
  return function(groups[0], groups[1], std::forward<More>(more)...);
}

template <typename Gradient>
class GradientRunner {
 public:
  explicit GradientRunner(const Gradient& gradient) noexcept : gradient_(gradient) {}

  void operator()(OperatorCall& call) {
    const HandlesForACall<Tensor> first(groups_[0]);
    const HandlesForACall<Tensor> second(groups_[1]);
    const HandlesForACall<Tensor> results(dinputs_);
    for (int i = 0; i + 1 < call.inputs(); ++i)
      groups_[static_cast<size_t>(i) % group_of(gradient_)].push_back(call.input(i));
    const Tensor& dvalues = call.input(call.inputs() - 1);
    if (dvalues.dtype() == DType::kString) {
      dinputs_ = with_group(gradient_, groups_, gradient_.make, dvalues, call.context());
      for (int i = 0; i < call.outputs(); ++i)
        call.set_output(i, std::move(dinputs_[static_cast<size_t>(i)]));
      return;
    }
    std::vector<int64_t> sizes;
    if (gradient_.sizes != nullptr)
      sizes = with_group(gradient_, groups_, gradient_.sizes, call.context());
    for (int i = 0; i < call.outputs(); ++i) {
      const auto f = static_cast<size_t>(i);
      const Shape shape =
          gradient_.sizes != nullptr ? Shape{sizes[f]} : Shape(groups_[0][f].shape());
      dinputs_.push_back(call.output(i, dvalues.dtype(), shape, dvalues.device()));
    }
    with_group(gradient_, groups_, gradient_.run, dvalues, std::span(dinputs_), call.context());
  }

 private:
  const Gradient& gradient_;
  std::array<std::vector<Tensor>, 2> groups_;
  std::vector<Tensor> dinputs_;
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
    .bind = bind<kSingleScalar>,
};

constinit const OperatorSchema kMergeSingleListGradientSchema = {
    .name = "MergeSingleListFeatureTensorsGradient",
    .inputs = kInputsOfTwo,
    .outputs = kOutputs,
    .summary =
        "(lengths, presence) of each feature, the merged values' gradient, to that of each's "
        "values",
    .bind = bind<kSingleList>,
};

constinit const OperatorSchema kMergeSingleMapGradientSchema = {
    .name = "MergeSingleMapFeatureTensorsGradient",
    .inputs = kInputsOfTwo,
    .outputs = kOutputs,
    .summary =
        "(lengths, presence) of each feature, the merged values' gradient, to that of each's "
        "values",
    .bind = bind<kSingleMap>,
};

constinit const OperatorSchema kMergeMultiScalarGradientSchema = {
    .name = "MergeMultiScalarFeatureTensorsGradient",
    .inputs = kInputsOfOne,
    .outputs = kOutputs,
    .summary = "lengths of each input, the merged values' gradient, to that of each's values",
    .bind = bind<kMultiScalar>,
};

constinit const OperatorSchema kMergeMultiListGradientSchema = {
    .name = "MergeMultiListFeatureTensorsGradient",
    .inputs = kInputsOfTwo,
    .outputs = kOutputs,
    .summary =
        "(lengths, values.lengths) of each input, the merged values' gradient, to that of "
        "each's values",
    .bind = bind<kMultiList>,
};

constinit const OperatorSchema kMergeMultiMapGradientSchema = {
    .name = "MergeMultiMapFeatureTensorsGradient",
    .inputs = kInputsOfTwo,
    .outputs = kOutputs,
    .summary =
        "(lengths, values.lengths) of each input, the merged values' gradient, to that of "
        "each's values",
    .bind = bind<kMultiMap>,
};

constinit const OperatorSchema kMergeMultiListOrMapGradientSchema = {
    .name = "MergeMultiListOrMapFeatureTensorsGradient",
    .inputs = kInputsOfTwo,
    .outputs = kOutputs,
    .summary =
        "what MergeMultiListFeatureTensorsGradient and MergeMultiMapFeatureTensorsGradient "
        "both are",
    .bind = bind<kMultiList>,
};

}  // namespace sylvite::internal
