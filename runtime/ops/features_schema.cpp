// The merges by name: Caffe2's inputs, one group after another, and argument.
#include <array>
#include <vector>

#include "runtime/error.h"
#include "runtime/ops/all.h"
#include "runtime/ops/arguments.h"
#include "runtime/ops/bind.h"
#include "runtime/ops/features_gpu_calls.h"
#include "sylvite/features.h"

namespace sylvite::internal {
namespace {

/// A merge: what the tensors of an input are, in Caffe2's order, which of them are elements, and the
/// typed functions.
struct SingleScalar {
  using Feature = SingleScalarFeature;
  using Out = MultiScalar;
  static constexpr std::array kInputs = {&Feature::values, &Feature::presence};
  static constexpr auto kValues = &Feature::values;
  static constexpr bool kHasIds = true;
  static constexpr auto kSizes = merge_single_scalar_sizes;
  static constexpr auto kMerge = [](auto&&... arguments) {
    return merge_single_scalar(std::forward<decltype(arguments)>(arguments)...);
  };
};

struct SingleList {
  using Feature = SingleListFeature;
  using Out = MultiList;
  static constexpr std::array kInputs = {&Feature::lengths, &Feature::values, &Feature::presence};
  static constexpr auto kValues = &Feature::values;
  static constexpr bool kHasIds = true;
  static constexpr auto kSizes = merge_single_list_sizes;
  static constexpr auto kMerge = [](auto&&... arguments) {
    return merge_single_list(std::forward<decltype(arguments)>(arguments)...);
  };
};

struct SingleMap {
  using Feature = SingleMapFeature;
  using Out = MultiMap;
  static constexpr std::array kInputs = {&Feature::lengths, &Feature::keys, &Feature::values,
                                         &Feature::presence};
  static constexpr auto kValues = &Feature::values;
  static constexpr auto kKeys = &Feature::keys;
  static constexpr bool kHasIds = true;
  static constexpr auto kSizes = merge_single_map_sizes;
  static constexpr auto kMerge = [](auto&&... arguments) {
    return merge_single_map(std::forward<decltype(arguments)>(arguments)...);
  };
};

struct MultiScalars {
  using Feature = MultiScalar;
  using Out = MultiScalar;
  static constexpr std::array kInputs = {&Feature::lengths, &Feature::keys, &Feature::values};
  static constexpr auto kValues = &Feature::values;
  static constexpr bool kHasIds = false;
  static constexpr auto kSizes = merge_multi_scalar_sizes;
  static constexpr auto kMerge = [](auto&&... arguments) {
    return merge_multi_scalar(std::forward<decltype(arguments)>(arguments)...);
  };
};

struct MultiLists {
  using Feature = MultiList;
  using Out = MultiList;
  static constexpr std::array kInputs = {&Feature::lengths, &Feature::keys,
                                         &Feature::values_lengths, &Feature::values_values};
  static constexpr auto kValues = &Feature::values_values;
  static constexpr bool kHasIds = false;
  static constexpr auto kSizes = merge_multi_list_sizes;
  static constexpr auto kMerge = [](auto&&... arguments) {
    return merge_multi_list(std::forward<decltype(arguments)>(arguments)...);
  };
};

struct MultiMaps {
  using Feature = MultiMap;
  using Out = MultiMap;
  static constexpr std::array kInputs = {&Feature::lengths, &Feature::keys,
                                         &Feature::values_lengths, &Feature::values_keys,
                                         &Feature::values_values};
  static constexpr auto kValues = &Feature::values_values;
  static constexpr auto kKeys = &Feature::values_keys;
  static constexpr bool kHasIds = false;
  static constexpr auto kSizes = merge_multi_map_sizes;
  static constexpr auto kMerge = [](auto&&... arguments) {
    return merge_multi_map(std::forward<decltype(arguments)>(arguments)...);
  };
};

constexpr std::array<ArgumentSchema, 1> kIdsArgument = {
    {{"feature_ids", "integers", "",
      "the key of each feature's pairs, in the order of the inputs"}}};

template <typename Kind>
constexpr std::span<const ArgumentSchema> arguments_of() {
  if constexpr (Kind::kHasIds) return kIdsArgument;
  return {};
}

/// Asks for the outputs and calls visit(tensor of `out`, its place, dtype, extent) for each, in order.
template <typename Visit>
void for_each_output(const MultiSizes& sizes, DType values, DType /*keys*/, MultiScalar& out,
                     const Visit& visit) {
  visit(out.lengths, 0, DType::kInt32, sizes.examples);
  visit(out.keys, 1, DType::kInt64, sizes.pairs);
  visit(out.values, 2, values, sizes.pairs);
}
template <typename Visit>
void for_each_output(const MultiSizes& sizes, DType values, DType /*keys*/, MultiList& out,
                     const Visit& visit) {
  visit(out.lengths, 0, DType::kInt32, sizes.examples);
  visit(out.keys, 1, DType::kInt64, sizes.pairs);
  visit(out.values_lengths, 2, DType::kInt32, sizes.pairs);
  visit(out.values_values, 3, values, sizes.values);
}
template <typename Visit>
void for_each_output(const MultiSizes& sizes, DType values, DType keys, MultiMap& out,
                     const Visit& visit) {
  visit(out.lengths, 0, DType::kInt32, sizes.examples);
  visit(out.keys, 1, DType::kInt64, sizes.pairs);
  visit(out.values_lengths, 2, DType::kInt32, sizes.pairs);
  visit(out.values_keys, 3, keys, sizes.values);
  visit(out.values_values, 4, values, sizes.values);
}

/// Into outputs of the call's: strings as new tensors, everything else in memory that is asked for by
/// its size. sizes(), merge() and merge(out) are the typed functions.
template <typename Out, typename Sizes, typename Merge>
void merge_to_outputs(OperatorCall& call, const Tensor& values, DType keys, const Sizes& sizes,
                      const Merge& merge) {
  Out out;
  if (values.dtype() == DType::kString || keys == DType::kString) {
    out = merge();
    for_each_output({}, values.dtype(), keys, out, [&](Tensor& tensor, int i, DType, int64_t) {
      call.set_output(i, std::move(tensor));
    });
    return;
  }
  for_each_output(sizes(), values.dtype(), keys, out,
                  [&](Tensor& tensor, int i, DType dtype, int64_t extent) {
                    tensor = call.output(i, dtype, {extent}, values.device());
                  });
  merge(out);
}

template <typename Kind>
class MergeRunner {
 public:
  explicit MergeRunner(std::vector<int64_t> ids) : ids_(std::move(ids)) {}

  void operator()(OperatorCall& call) {
    const HandlesForACall<typename Kind::Feature> features(features_);
    constexpr size_t kGroup = Kind::kInputs.size();
    features_.resize(static_cast<size_t>(call.inputs()) / kGroup);
    for (size_t i = 0; i < features_.size() * kGroup; ++i)
      features_[i / kGroup].*Kind::kInputs[i % kGroup] = call.input(static_cast<int>(i));
    const Tensor& values = features_[0].*Kind::kValues;
    DType keys = values.dtype();
    if constexpr (requires { Kind::kKeys; }) keys = (features_[0].*Kind::kKeys).dtype();
    const std::span<const typename Kind::Feature> x = features_;
    merge_to_outputs<typename Kind::Out>(
        call, values, keys, [&] { return Kind::kSizes(x, call.context()); },
        [&](auto&... out) {
          if constexpr (Kind::kHasIds) {
            return Kind::kMerge(x, FeatureIds(ids_), out..., call.context());
          } else {
            return Kind::kMerge(x, out..., call.context());
          }
        });
  }

 private:
  std::vector<int64_t> ids_;
  std::vector<typename Kind::Feature> features_;
};

template <typename Kind>
Runner bind_merge(const OperatorDef& def) {
  const Arguments arguments(def.type, def.arguments, arguments_of<Kind>());
  constexpr size_t kGroup = Kind::kInputs.size();
  require_argument(def.inputs.size() % kGroup == 0, def.type, ": ", def.inputs.size(),
                   " inputs, want a multiple of ", kGroup, ": so many tensors for each feature");
  std::vector<int64_t> ids;
  if constexpr (Kind::kHasIds) {
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
    const Tensor& data = call.input(0);
    const Tensor& presence = call.input(1);
    merge_to_outputs<MultiScalar>(
        call, data, data.dtype(), [&] { return merge_dense_sizes(data, presence, call.context()); },
        [&](auto&... out) { return merge_dense(data, presence, ids, out..., call.context()); });
  };
}

/// Whether an input's tensor says how much there is, so that the gradient reads it.
template <typename Kind>
constexpr bool counts(Tensor Kind::Feature::*input) {
  if (input == Kind::kValues) return false;
  if constexpr (requires { Kind::kKeys; }) {
    if (input == Kind::kKeys) return false;
  }
  if constexpr (requires { &Kind::Feature::keys; }) {
    if (input == &Kind::Feature::keys) return false;
  }
  return true;
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
    const auto input = Kind::kInputs[i % kGroup];
    if (counts<Kind>(input)) gradient.inputs.push_back(def.inputs[i]);
    if (input != Kind::kValues) continue;
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
    .gradient = merge_rule<SingleScalar>,  // its group is (values, presence), too
};

constinit const OperatorSchema kMergeSingleScalarSchema = {
    .name = "MergeSingleScalarFeatureTensors",
    .inputs = {2, Arity::kAny},
    .outputs = 3,
    .summary = "(values, presence) of each feature as lengths, keys and values",
    .arguments = kIdsArgument,
    .bind = bind_merge<SingleScalar>,
    .gradient_kind = GradientKind::kRule,
    .gradient = merge_rule<SingleScalar>,
};

constinit const OperatorSchema kMergeSingleListSchema = {
    .name = "MergeSingleListFeatureTensors",
    .inputs = {3, Arity::kAny},
    .outputs = 4,
    .summary =
        "(lengths, values, presence) of each feature as lengths, keys, values.lengths and "
        "values.values",
    .arguments = kIdsArgument,
    .bind = bind_merge<SingleList>,
    .gradient_kind = GradientKind::kRule,
    .gradient = merge_rule<SingleList>,
};

constinit const OperatorSchema kMergeSingleMapSchema = {
    .name = "MergeSingleMapFeatureTensors",
    .inputs = {4, Arity::kAny},
    .outputs = 5,
    .summary =
        "(lengths, keys, values, presence) of each feature as lengths, keys, values.lengths, "
        "values.keys and values.values",
    .arguments = kIdsArgument,
    .bind = bind_merge<SingleMap>,
    .gradient_kind = GradientKind::kRule,
    .gradient = merge_rule<SingleMap>,
};

constinit const OperatorSchema kMergeMultiScalarSchema = {
    .name = "MergeMultiScalarFeatureTensors",
    .inputs = {3, Arity::kAny},
    .outputs = 3,
    .summary = "(lengths, keys, values) of each input, merged example by example",
    .bind = bind_merge<MultiScalars>,
    .gradient_kind = GradientKind::kRule,
    .gradient = merge_rule<MultiScalars>,
};

constinit const OperatorSchema kMergeMultiListSchema = {
    .name = "MergeMultiListFeatureTensors",
    .inputs = {4, Arity::kAny},
    .outputs = 4,
    .summary =
        "(lengths, keys, values.lengths, values.values) of each input, merged example by "
        "example",
    .bind = bind_merge<MultiLists>,
    .gradient_kind = GradientKind::kRule,
    .gradient = merge_rule<MultiLists>,
};

constinit const OperatorSchema kMergeMultiMapSchema = {
    .name = "MergeMultiMapFeatureTensors",
    .inputs = {5, Arity::kAny},
    .outputs = 5,
    .summary =
        "(lengths, keys, values.lengths, values.keys, values.values) of each input, merged "
        "example by example",
    .bind = bind_merge<MultiMaps>,
    .gradient_kind = GradientKind::kRule,
    .gradient = merge_rule<MultiMaps>,
};

}  // namespace sylvite::internal
