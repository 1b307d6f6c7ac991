// The merges by name: Caffe2's inputs, one group after another, and argument.
#include <array>
#include <vector>

#include "runtime/error.h"
#include "runtime/ops/all.h"
#include "runtime/ops/arguments.h"
#include "runtime/ops/bind.h"
#include "runtime/ops/features_call_outputs.h"
#include "runtime/ops/features_gpu_calls.h"

namespace sylvite::internal {
namespace {

constexpr std::array<ArgumentSchema, 1> kIdsArgument = {
    {{"feature_ids", "integers", "",
      "the key of each feature's pairs, in the order of the inputs"}}};

template <typename Kind>
constexpr bool kHasIds = Kind::kMerge.counts != Counts::kLengths;

template <typename Kind>
constexpr std::span<const ArgumentSchema> arguments_of() {
  if constexpr (kHasIds<Kind>) return kIdsArgument;
  return {};
}

template <typename Kind>
class MergeRunner {
 public:
  explicit MergeRunner(std::vector<int64_t> ids) : ids_(std::move(ids)) {}

  void operator()(OperatorCall& call) {
    const HandlesForACall<typename Kind::Feature> features(features_);
    constexpr size_t kGroup = Kind::kMembers.size();
    features_.resize(static_cast<size_t>(call.inputs()) / kGroup);
    for (size_t i = 0; i < features_.size() * kGroup; ++i)
      features_[i / kGroup].*Kind::kMembers[i % kGroup] = call.input(static_cast<int>(i));
    const FeatureIds ids(ids_);
    auto out = merge_new<Kind>(features_, kHasIds<Kind> ? &ids : nullptr, call.context(),
                               outputs_of(call));
    set_strings(call, fields_of(out));
  }

 private:
  std::vector<int64_t> ids_;
  std::vector<typename Kind::Feature> features_;
};

template <typename Kind>
Runner bind_merge(const OperatorDef& def) {
  const Arguments arguments(def.type, def.arguments, arguments_of<Kind>());
  constexpr size_t kGroup = Kind::kMembers.size();
  require_argument(def.inputs.size() % kGroup == 0, def.type, ": ", def.inputs.size(),
                   " inputs, want a multiple of ", kGroup, ": so many tensors for each feature");
  std::vector<int64_t> ids;
  if constexpr (kHasIds<Kind>) {
    arguments.require("feature_ids");
    ids = arguments.integers("feature_ids");
    require_argument(ids.size() == def.inputs.size() / kGroup, def.type, ": feature_ids has ",
                     ids.size(), " entries, want ", def.inputs.size() / kGroup,
                     ", one for each feature");
  }
  return MergeRunner<Kind>(std::move(ids));
}

Runner bind_dense(const OperatorDef& def) {
  const Arguments arguments(def.type, def.arguments, kIdsArgument);
  arguments.require("feature_ids");
  return [ids = arguments.integers("feature_ids")](OperatorCall& call) {
    MultiScalar out =
        merge_dense_new(call.input(0), call.input(1), ids, call.context(), outputs_of(call));
    set_strings(call, fields_of(out));
  };
}

/// The gradient, of the merge's name, reads what counts in each group and the last output's gradient,
/// and makes that of each group's values.
template <typename Kind>
GradientDefs merge_rule(const GradientRequest& request) {
  const OperatorDef& def = request.def;
  const size_t values = def.outputs.size() - 1;
  GradientDefs made;
  made.inputs.resize(def.inputs.size());
  // Lengths and keys depend on no value.
  if (has_gradients_but_of(request, values)) return made;
  OperatorDef gradient{.type = def.type + "Gradient", .device = def.device};
  constexpr size_t kGroup = Kind::kInputs.size();
  for (size_t i = 0; i < def.inputs.size() / kGroup * kGroup; ++i) {
    const MergeInput& input = Kind::kInputs[i % kGroup];
    if (input.role != Role::kElements) gradient.inputs.push_back(def.inputs[i]);
    if (input.output != static_cast<int>(values)) continue;
    made.inputs[i] = request.input(i);
    gradient.outputs.push_back(*made.inputs[i]);
  }
  gradient.inputs.push_back(request.output(values));
  made.operators.push_back(std::move(gradient));
  return made;
}

}  // namespace

constinit const OperatorSchema kMergeDenseSchema = {
    .name = "MergeDenseFeatureTensors",
    .inputs = 2,
    .outputs = 3,
    .summary = "a matrix of features and their presence as lengths, keys and values",
    .arguments = kIdsArgument,
    .warm_up = warm_up_merges,  // of all merges
    .bind = bind_dense,
    .gradient_kind = GradientKind::kRule,
    .gradient = merge_rule<SingleScalarKind>,  // its group is (values, presence), too
};

constinit const OperatorSchema kMergeSingleScalarSchema = {
    .name = "MergeSingleScalarFeatureTensors",
    .inputs = {2, Arity::kAny},
    .outputs = 3,
    .summary = "(values, presence) of each feature as lengths, keys and values",
    .arguments = kIdsArgument,
    .bind = bind_merge<SingleScalarKind>,
    .gradient_kind = GradientKind::kRule,
    .gradient = merge_rule<SingleScalarKind>,
};

constinit const OperatorSchema kMergeSingleListSchema = {
    .name = "MergeSingleListFeatureTensors",
    .inputs = {3, Arity::kAny},
    .outputs = 4,
    .summary =
        "(lengths, values, presence) of each feature as lengths, keys, values.lengths and "
        "values.values",
    .arguments = kIdsArgument,
    .bind = bind_merge<SingleListKind>,
    .gradient_kind = GradientKind::kRule,
    .gradient = merge_rule<SingleListKind>,
};

constinit const OperatorSchema kMergeSingleMapSchema = {
    .name = "MergeSingleMapFeatureTensors",
    .inputs = {4, Arity::kAny},
    .outputs = 5,
    .summary =
        "(lengths, keys, values, presence) of each feature as lengths, keys, values.lengths, "
        "values.keys and values.values",
    .arguments = kIdsArgument,
    .bind = bind_merge<SingleMapKind>,
    .gradient_kind = GradientKind::kRule,
    .gradient = merge_rule<SingleMapKind>,
};

constinit const OperatorSchema kMergeMultiScalarSchema = {
    .name = "MergeMultiScalarFeatureTensors",
    .inputs = {3, Arity::kAny},
    .outputs = 3,
    .summary = "(lengths, keys, values) of each input, merged example by example",
    .bind = bind_merge<MultiScalarKind>,
    .gradient_kind = GradientKind::kRule,
    .gradient = merge_rule<MultiScalarKind>,
};

constinit const OperatorSchema kMergeMultiListSchema = {
    .name = "MergeMultiListFeatureTensors",
    .inputs = {4, Arity::kAny},
    .outputs = 4,
    .summary =
        "(lengths, keys, values.lengths, values.values) of each input, merged example by "
        "example",
    .bind = bind_merge<MultiListKind>,
    .gradient_kind = GradientKind::kRule,
    .gradient = merge_rule<MultiListKind>,
};

constinit const OperatorSchema kMergeMultiMapSchema = {
    .name = "MergeMultiMapFeatureTensors",
    .inputs = {5, Arity::kAny},
    .outputs = 5,
    .summary =
        "(lengths, keys, values.lengths, values.keys, values.values) of each input, merged "
        "example by example",
    .bind = bind_merge<MultiMapKind>,
    .gradient_kind = GradientKind::kRule,
    .gradient = merge_rule<MultiMapKind>,
};

}  // namespace sylvite::internal
