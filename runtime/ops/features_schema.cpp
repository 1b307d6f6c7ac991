// The merges by name: Caffe2's inputs, one group after another, and argument.
#include <array>
#include <vector>

#include "runtime/error.h"
#include "runtime/ops/all.h"
#include "runtime/ops/arguments.h"
#include "runtime/ops/bind.h"
#include "sylvite/features.h"

namespace sylvite::internal {
namespace {

/// A merge: what the tensors of an input are, in Caffe2's order, and the typed functions.
struct SingleScalar {
  using Feature = SingleScalarFeature;
  using Out = MultiScalar;
  static constexpr std::array kInputs = {&Feature::values, &Feature::presence};
  static constexpr auto kValues = &Feature::values;
  static constexpr bool kHasIds = true;
  static constexpr auto kSizes = merge_single_scalar_sizes;
  static Out merge(std::span<const Feature> x, FeatureIds ids, const Context& context) {
    return merge_single_scalar(x, ids, context);
  }
  static void merge(std::span<const Feature> x, FeatureIds ids, Out& out, const Context& context) {
    merge_single_scalar(x, ids, out, context);
  }
};

struct SingleList {
  using Feature = SingleListFeature;
  using Out = MultiList;
  static constexpr std::array kInputs = {&Feature::lengths, &Feature::values, &Feature::presence};
  static constexpr auto kValues = &Feature::values;
  static constexpr bool kHasIds = true;
  static constexpr auto kSizes = merge_single_list_sizes;
  static Out merge(std::span<const Feature> x, FeatureIds ids, const Context& context) {
    return merge_single_list(x, ids, context);
  }
  static void merge(std::span<const Feature> x, FeatureIds ids, Out& out, const Context& context) {
    merge_single_list(x, ids, out, context);
  }
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
  static Out merge(std::span<const Feature> x, FeatureIds ids, const Context& context) {
    return merge_single_map(x, ids, context);
  }
  static void merge(std::span<const Feature> x, FeatureIds ids, Out& out, const Context& context) {
    merge_single_map(x, ids, out, context);
  }
};

struct MultiScalars {
  using Feature = MultiScalar;
  using Out = MultiScalar;
  static constexpr std::array kInputs = {&Feature::lengths, &Feature::keys, &Feature::values};
  static constexpr auto kValues = &Feature::values;
  static constexpr bool kHasIds = false;
  static constexpr auto kSizes = merge_multi_scalar_sizes;
  static Out merge(std::span<const Feature> x, FeatureIds /*ids*/, const Context& context) {
    return merge_multi_scalar(x, context);
  }
  static void merge(std::span<const Feature> x, FeatureIds /*ids*/, Out& out,
                    const Context& context) {
    merge_multi_scalar(x, out, context);
  }
};

struct MultiLists {
  using Feature = MultiList;
  using Out = MultiList;
  static constexpr std::array kInputs = {&Feature::lengths, &Feature::keys,
                                         &Feature::values_lengths, &Feature::values_values};
  static constexpr auto kValues = &Feature::values_values;
  static constexpr bool kHasIds = false;
  static constexpr auto kSizes = merge_multi_list_sizes;
  static Out merge(std::span<const Feature> x, FeatureIds /*ids*/, const Context& context) {
    return merge_multi_list(x, context);
  }
  static void merge(std::span<const Feature> x, FeatureIds /*ids*/, Out& out,
                    const Context& context) {
    merge_multi_list(x, out, context);
  }
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
  static Out merge(std::span<const Feature> x, FeatureIds /*ids*/, const Context& context) {
    return merge_multi_map(x, context);
  }
  static void merge(std::span<const Feature> x, FeatureIds /*ids*/, Out& out,
                    const Context& context) {
    merge_multi_map(x, out, context);
  }
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
    const DType value_type = values.dtype();
    DType key_type = value_type;
    if constexpr (requires { Kind::kKeys; }) key_type = (features_[0].*Kind::kKeys).dtype();
    typename Kind::Out out;
    if (value_type == DType::kString || key_type == DType::kString) {
      out = Kind::merge(features_, ids_, call.context());
      for_each_output({}, value_type, key_type, out, [&](Tensor& tensor, int i, DType, int64_t) {
        call.set_output(i, std::move(tensor));
      });
      return;
    }
    const MultiSizes sizes = Kind::kSizes(features_, call.context());
    for_each_output(sizes, value_type, key_type, out,
                    [&](Tensor& tensor, int i, DType dtype, int64_t extent) {
                      tensor = call.output(i, dtype, {extent}, values.device());
                    });
    Kind::merge(features_, ids_, out, call.context());
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
    MultiScalar out;
    if (data.dtype() == DType::kString) {
      out = merge_dense(data, presence, ids, call.context());
      call.set_output(0, std::move(out.lengths));
      call.set_output(1, std::move(out.keys));
      return call.set_output(2, std::move(out.values));
    }
    const MultiSizes sizes = merge_dense_sizes(data, presence, call.context());
    for_each_output(sizes, data.dtype(), data.dtype(), out,
                    [&](Tensor& tensor, int i, DType dtype, int64_t extent) {
                      tensor = call.output(i, dtype, {extent}, data.device());
                    });
    merge_dense(data, presence, ids, out, call.context());
  };
}

/// How the gradient is asked for: the operator, the tensors of an input that it reads, the one whose
/// gradient it makes, and the output whose gradient it takes.
struct RuleOf {
  std::string_view type;
  size_t group;
  std::array<size_t, 2> reads;
  size_t read_count;
  size_t values;
  size_t output;
};

constexpr RuleOf kDenseRule = {.type = "MergeDenseFeatureTensorsGradient",
                               .group = 2,
                               .reads = {1},
                               .read_count = 1,
                               .values = 0,
                               .output = 2};
constexpr RuleOf kSingleScalarRule = {.type = "MergeSingleScalarFeatureTensorsGradient",
                                      .group = 2,
                                      .reads = {1},
                                      .read_count = 1,
                                      .values = 0,
                                      .output = 2};
constexpr RuleOf kSingleListRule = {.type = "MergeSingleListFeatureTensorsGradient",
                                    .group = 3,
                                    .reads = {0, 2},
                                    .read_count = 2,
                                    .values = 1,
                                    .output = 3};
constexpr RuleOf kSingleMapRule = {.type = "MergeSingleMapFeatureTensorsGradient",
                                   .group = 4,
                                   .reads = {0, 3},
                                   .read_count = 2,
                                   .values = 2,
                                   .output = 4};
constexpr RuleOf kMultiScalarRule = {.type = "MergeMultiScalarFeatureTensorsGradient",
                                     .group = 3,
                                     .reads = {0},
                                     .read_count = 1,
                                     .values = 2,
                                     .output = 2};
constexpr RuleOf kMultiListRule = {.type = "MergeMultiListFeatureTensorsGradient",
                                   .group = 4,
                                   .reads = {0, 2},
                                   .read_count = 2,
                                   .values = 3,
                                   .output = 3};
constexpr RuleOf kMultiMapRule = {.type = "MergeMultiMapFeatureTensorsGradient",
                                  .group = 5,
                                  .reads = {0, 2},
                                  .read_count = 2,
                                  .values = 4,
                                  .output = 4};

template <const RuleOf& kOf>
GradientDefs merge_rule(const GradientRequest& request) {
  const OperatorDef& def = request.def;
  GradientDefs made;
  made.inputs.resize(def.inputs.size());
  // Lengths and keys depend on no value.
  if (has_gradients_but_of(request, kOf.output)) return made;
  OperatorDef gradient{.type = std::string(kOf.type), .device = def.device};
  for (size_t first = 0; first + kOf.group <= def.inputs.size(); first += kOf.group) {
    for (size_t k = 0; k < kOf.read_count; ++k)
      gradient.inputs.push_back(def.inputs[first + kOf.reads[k]]);
    made.inputs[first + kOf.values] = request.input(first + kOf.values);
    gradient.outputs.push_back(*made.inputs[first + kOf.values]);
  }
  gradient.inputs.push_back(request.output(kOf.output));
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
    .bind = bind_dense,
    .gradient_kind = GradientKind::kRule,
    .gradient = merge_rule<kDenseRule>,
};

constinit const OperatorSchema kMergeSingleScalarSchema = {
    .name = "MergeSingleScalarFeatureTensors",
    .inputs = {2, Arity::kAny},
    .outputs = 3,
    .summary = "(values, presence) of each feature as lengths, keys and values",
    .arguments = kIdsArgument,
    .bind = bind_merge<SingleScalar>,
    .gradient_kind = GradientKind::kRule,
    .gradient = merge_rule<kSingleScalarRule>,
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
    .gradient = merge_rule<kSingleListRule>,
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
    .gradient = merge_rule<kSingleMapRule>,
};

constinit const OperatorSchema kMergeMultiScalarSchema = {
    .name = "MergeMultiScalarFeatureTensors",
    .inputs = {3, Arity::kAny},
    .outputs = 3,
    .summary = "(lengths, keys, values) of each input, merged example by example",
    .bind = bind_merge<MultiScalars>,
    .gradient_kind = GradientKind::kRule,
    .gradient = merge_rule<kMultiScalarRule>,
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
    .gradient = merge_rule<kMultiListRule>,
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
    .gradient = merge_rule<kMultiMapRule>,
};

}  // namespace sylvite::internal
