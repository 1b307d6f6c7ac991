// The merges: the typed functions.
#include "sylvite/features.h"

#include "runtime/ops/features_kinds.h"

namespace sylvite {
namespace {

template <typename Kind>
Kind::Out run_new(std::span<const typename Kind::Feature> features, const FeatureIds* ids,
                  const Context& context) {
  return internal::merge_new<Kind>(features, ids, context, internal::outputs_of(context));
}

template <typename Kind>
void run_into(std::span<const typename Kind::Feature> features, const FeatureIds* ids,
              typename Kind::Out& out, const Context& context) {
  internal::with_merge<Kind>(features, context,
                             [&](auto& call) { call.run(ids, internal::fields_of(out)); });
}

template <typename Kind>
MultiSizes sizes_of(std::span<const typename Kind::Feature> features, const Context& context) {
  return internal::with_merge<Kind>(features, context, [](auto& call) { return call.sizes(); });
}

using internal::MultiListKind;
using internal::MultiMapKind;
using internal::MultiScalarKind;
using internal::SingleListKind;
using internal::SingleMapKind;
using internal::SingleScalarKind;

}  // namespace

MultiScalar merge_single_scalar(std::span<const SingleScalarFeature> features,
                                FeatureIds feature_ids, const Context& context) {
  return run_new<SingleScalarKind>(features, &feature_ids, context);
}
void merge_single_scalar(std::span<const SingleScalarFeature> features, FeatureIds feature_ids,
                         MultiScalar& out, const Context& context) {
  run_into<SingleScalarKind>(features, &feature_ids, out, context);
}
MultiSizes merge_single_scalar_sizes(std::span<const SingleScalarFeature> features,
                                     const Context& context) {
  return sizes_of<SingleScalarKind>(features, context);
}

MultiList merge_single_list(std::span<const SingleListFeature> features, FeatureIds feature_ids,
                            const Context& context) {
  return run_new<SingleListKind>(features, &feature_ids, context);
}
void merge_single_list(std::span<const SingleListFeature> features, FeatureIds feature_ids,
                       MultiList& out, const Context& context) {
  run_into<SingleListKind>(features, &feature_ids, out, context);
}
MultiSizes merge_single_list_sizes(std::span<const SingleListFeature> features,
                                   const Context& context) {
  return sizes_of<SingleListKind>(features, context);
}

MultiMap merge_single_map(std::span<const SingleMapFeature> features, FeatureIds feature_ids,
                          const Context& context) {
  return run_new<SingleMapKind>(features, &feature_ids, context);
}
void merge_single_map(std::span<const SingleMapFeature> features, FeatureIds feature_ids,
                      MultiMap& out, const Context& context) {
  run_into<SingleMapKind>(features, &feature_ids, out, context);
}
MultiSizes merge_single_map_sizes(std::span<const SingleMapFeature> features,
                                  const Context& context) {
  return sizes_of<SingleMapKind>(features, context);
}

MultiScalar merge_multi_scalar(std::span<const MultiScalar> features, const Context& context) {
  return run_new<MultiScalarKind>(features, nullptr, context);
}
void merge_multi_scalar(std::span<const MultiScalar> features, MultiScalar& out,
                        const Context& context) {
  run_into<MultiScalarKind>(features, nullptr, out, context);
}
MultiSizes merge_multi_scalar_sizes(std::span<const MultiScalar> features, const Context& context) {
  return sizes_of<MultiScalarKind>(features, context);
}

MultiList merge_multi_list(std::span<const MultiList> features, const Context& context) {
  return run_new<MultiListKind>(features, nullptr, context);
}
void merge_multi_list(std::span<const MultiList> features, MultiList& out, const Context& context) {
  run_into<MultiListKind>(features, nullptr, out, context);
}
MultiSizes merge_multi_list_sizes(std::span<const MultiList> features, const Context& context) {
  return sizes_of<MultiListKind>(features, context);
}

MultiMap merge_multi_map(std::span<const MultiMap> features, const Context& context) {
  return run_new<MultiMapKind>(features, nullptr, context);
}
void merge_multi_map(std::span<const MultiMap> features, MultiMap& out, const Context& context) {
  run_into<MultiMapKind>(features, nullptr, out, context);
}
MultiSizes merge_multi_map_sizes(std::span<const MultiMap> features, const Context& context) {
  return sizes_of<MultiMapKind>(features, context);
}

}  // namespace sylvite
