// C: merges of feature tensors.
#include <algorithm>

#include "runtime/c_api.h"
#include "sylvite/features.h"

namespace sylvite::internal::c_api {
namespace {

/// input() or output().
using Wrap = Tensor (*)(const sylvite_tensor* tensor, const Place& place);

/// One struct of tensors; `at(field)` is where a field of it stands.
template <typename At>
SingleScalarFeature tensors_of(const sylvite_single_scalar_feature& f, Wrap wrap, const At& at) {
  return {.values = wrap(&f.values, at("values")), .presence = wrap(&f.presence, at("presence"))};
}

template <typename At>
SingleListFeature tensors_of(const sylvite_single_list_feature& f, Wrap wrap, const At& at) {
  return {.lengths = wrap(&f.lengths, at("lengths")),
          .values = wrap(&f.values, at("values")),
          .presence = wrap(&f.presence, at("presence"))};
}

template <typename At>
SingleMapFeature tensors_of(const sylvite_single_map_feature& f, Wrap wrap, const At& at) {
  return {.lengths = wrap(&f.lengths, at("lengths")),
          .keys = wrap(&f.keys, at("keys")),
          .values = wrap(&f.values, at("values")),
          .presence = wrap(&f.presence, at("presence"))};
}

template <typename At>
MultiScalar tensors_of(const sylvite_multi_scalar& f, Wrap wrap, const At& at) {
  return {.lengths = wrap(&f.lengths, at("lengths")),
          .keys = wrap(&f.keys, at("keys")),
          .values = wrap(&f.values, at("values"))};
}

template <typename At>
MultiList tensors_of(const sylvite_multi_list& f, Wrap wrap, const At& at) {
  return {.lengths = wrap(&f.lengths, at("lengths")),
          .keys = wrap(&f.keys, at("keys")),
          .values_lengths = wrap(&f.values_lengths, at("values_lengths")),
          .values_values = wrap(&f.values_values, at("values_values"))};
}

template <typename At>
MultiMap tensors_of(const sylvite_multi_map& f, Wrap wrap, const At& at) {
  return {.lengths = wrap(&f.lengths, at("lengths")),
          .keys = wrap(&f.keys, at("keys")),
          .values_lengths = wrap(&f.values_lengths, at("values_lengths")),
          .values_keys = wrap(&f.values_keys, at("values_keys")),
          .values_values = wrap(&f.values_values, at("values_values"))};
}

template <typename Feature>
auto features_of(const Feature* features, int64_t count) {
  const std::span given = array(features, count, "features");
  const auto at = [](int64_t i) {
    return [i](const char* field) { return Place("features", i, field); };
  };
  std::vector<decltype(tensors_of(given[0], input, at(0)))> converted;
  converted.reserve(given.size());
  for (size_t i = 0; i < given.size(); ++i) {
    converted.push_back(tensors_of(given[i], input, at(static_cast<int64_t>(i))));
  }
  return converted;
}

template <typename Out>
auto out_of(const Out* out) {
  return tensors_of(required(out, "out"), output,
                    [](const char* field) { return Place("out", -1, field); });
}

/// `merge(features, out, context)`.
template <typename Feature, typename Out, typename Merge>
sylvite_status merges(const char* function, const Feature* features, int64_t count, const Out* out,
                      const sylvite_context* context, const Merge& merge) noexcept {
  return guarded(function, [&] {
    auto to = out_of(out);
    merge(features_of(features, count), to, context_of(context));
  });
}

void give(const MultiSizes& sizes, sylvite_multi_sizes& to) noexcept {
  to = {.examples = sizes.examples,
        .pairs = sizes.pairs,
        .values = sizes.values,
        .keys_text = sizes.keys_text,
        .values_text = sizes.values_text};
}

/// `sizes_of(features, context)`.
template <typename Feature, typename SizesOf>
sylvite_status tells(const char* function, const Feature* features, int64_t count,
                     sylvite_multi_sizes* sizes, const sylvite_context* context,
                     const SizesOf& sizes_of) noexcept {
  return guarded(function, [&] {
    sylvite_multi_sizes& to = required(sizes, "sizes");
    give(sizes_of(features_of(features, count), context_of(context)), to);
  });
}

/// One of the lists that a merged gradient is taken apart by: a tensor per input, and C's name of it.
struct List {
  const sylvite_tensor* tensors;
  const char* name;
};
template <typename>
using Tensors = std::span<const Tensor>;

template <typename... Lists>
sylvite_status gradient(const char* function,
                        void (*compute)(Tensors<Lists>..., const Tensor& dvalues,
                                        std::span<Tensor> dinputs, const Context&),
                        int64_t count, const sylvite_tensor* dvalues, const sylvite_tensor* dinputs,
                        const sylvite_context* context, const Lists&... by) noexcept {
  return guarded(function, [&] {
    std::vector<Tensor> to = outputs(dinputs, count, "dinputs");
    compute(inputs(by.tensors, count, by.name)..., input(dvalues, "dvalues"), to,
            context_of(context));
  });
}

template <typename... Lists>
sylvite_status gradient_sizes(const char* function,
                              std::vector<int64_t> (*sizes_of)(Tensors<Lists>..., const Context&),
                              int64_t count, int64_t* sizes, const sylvite_context* context,
                              const Lists&... by) noexcept {
  return guarded(function, [&] {
    const std::span<int64_t> to = array(sizes, count, "sizes");
    std::ranges::copy(sizes_of(inputs(by.tensors, count, by.name)..., context_of(context)),
                      to.begin());
  });
}

}  // namespace
}  // namespace sylvite::internal::c_api

using namespace sylvite;
using namespace sylvite::internal::c_api;

// --- one feature per input, all in one matrix --------------------------------------------------

sylvite_status sylvite_merge_dense(const sylvite_tensor* data, const sylvite_tensor* presence,
                                   const int64_t* feature_ids, int64_t feature_count,
                                   const sylvite_multi_scalar* out,
                                   const sylvite_context* context) {
  return guarded(__func__, [&] {
    MultiScalar to = out_of(out);
    merge_dense(input(data, "data"), input(presence, "presence"),
                array(feature_ids, feature_count, "feature_ids"), to, context_of(context));
  });
}

sylvite_status sylvite_merge_dense_sizes(const sylvite_tensor* data, const sylvite_tensor* presence,
                                         sylvite_multi_sizes* sizes,
                                         const sylvite_context* context) {
  return guarded(__func__, [&] {
    sylvite_multi_sizes& to = required(sizes, "sizes");
    give(merge_dense_sizes(input(data, "data"), input(presence, "presence"), context_of(context)),
         to);
  });
}

sylvite_status sylvite_merge_dense_gradient(const sylvite_tensor* presence,
                                            const sylvite_tensor* dvalues,
                                            const sylvite_tensor* ddata,
                                            const sylvite_context* context) {
  return guarded(__func__, [&] {
    Tensor to = output(ddata, "ddata");
    merge_dense_gradient(input(presence, "presence"), input(dvalues, "dvalues"), to,
                         context_of(context));
  });
}

// --- one feature per input ---------------------------------------------------------------------

sylvite_status sylvite_merge_single_scalar(const sylvite_single_scalar_feature* features,
                                           int64_t feature_count, const int64_t* feature_ids,
                                           const sylvite_multi_scalar* out,
                                           const sylvite_context* context) {
  return merges(__func__, features, feature_count, out, context,
                [&](auto&& f, auto& to, const auto& c) {
                  merge_single_scalar(f, array(feature_ids, feature_count, "feature_ids"), to, c);
                });
}

sylvite_status sylvite_merge_single_list(const sylvite_single_list_feature* features,
                                         int64_t feature_count, const int64_t* feature_ids,
                                         const sylvite_multi_list* out,
                                         const sylvite_context* context) {
  return merges(__func__, features, feature_count, out, context,
                [&](auto&& f, auto& to, const auto& c) {
                  merge_single_list(f, array(feature_ids, feature_count, "feature_ids"), to, c);
                });
}

sylvite_status sylvite_merge_single_map(const sylvite_single_map_feature* features,
                                        int64_t feature_count, const int64_t* feature_ids,
                                        const sylvite_multi_map* out,
                                        const sylvite_context* context) {
  return merges(__func__, features, feature_count, out, context,
                [&](auto&& f, auto& to, const auto& c) {
                  merge_single_map(f, array(feature_ids, feature_count, "feature_ids"), to, c);
                });
}

sylvite_status sylvite_merge_single_scalar_sizes(const sylvite_single_scalar_feature* features,
                                                 int64_t feature_count, sylvite_multi_sizes* sizes,
                                                 const sylvite_context* context) {
  return tells(__func__, features, feature_count, sizes, context,
               [](auto&& f, const auto& c) { return merge_single_scalar_sizes(f, c); });
}

sylvite_status sylvite_merge_single_list_sizes(const sylvite_single_list_feature* features,
                                               int64_t feature_count, sylvite_multi_sizes* sizes,
                                               const sylvite_context* context) {
  return tells(__func__, features, feature_count, sizes, context,
               [](auto&& f, const auto& c) { return merge_single_list_sizes(f, c); });
}

sylvite_status sylvite_merge_single_map_sizes(const sylvite_single_map_feature* features,
                                              int64_t feature_count, sylvite_multi_sizes* sizes,
                                              const sylvite_context* context) {
  return tells(__func__, features, feature_count, sizes, context,
               [](auto&& f, const auto& c) { return merge_single_map_sizes(f, c); });
}

// --- many features per input -------------------------------------------------------------------

sylvite_status sylvite_merge_multi_scalar(const sylvite_multi_scalar* features,
                                          int64_t feature_count, const sylvite_multi_scalar* out,
                                          const sylvite_context* context) {
  return merges(__func__, features, feature_count, out, context,
                [](auto&& f, auto& to, const auto& c) { merge_multi_scalar(f, to, c); });
}

sylvite_status sylvite_merge_multi_scalar_sizes(const sylvite_multi_scalar* features,
                                                int64_t feature_count, sylvite_multi_sizes* sizes,
                                                const sylvite_context* context) {
  return tells(__func__, features, feature_count, sizes, context,
               [](auto&& f, const auto& c) { return merge_multi_scalar_sizes(f, c); });
}

sylvite_status sylvite_merge_multi_list(const sylvite_multi_list* features, int64_t feature_count,
                                        const sylvite_multi_list* out,
                                        const sylvite_context* context) {
  return merges(__func__, features, feature_count, out, context,
                [](auto&& f, auto& to, const auto& c) { merge_multi_list(f, to, c); });
}

sylvite_status sylvite_merge_multi_list_sizes(const sylvite_multi_list* features,
                                              int64_t feature_count, sylvite_multi_sizes* sizes,
                                              const sylvite_context* context) {
  return tells(__func__, features, feature_count, sizes, context,
               [](auto&& f, const auto& c) { return merge_multi_list_sizes(f, c); });
}

sylvite_status sylvite_merge_multi_map(const sylvite_multi_map* features, int64_t feature_count,
                                       const sylvite_multi_map* out,
                                       const sylvite_context* context) {
  return merges(__func__, features, feature_count, out, context,
                [](auto&& f, auto& to, const auto& c) { merge_multi_map(f, to, c); });
}

sylvite_status sylvite_merge_multi_map_sizes(const sylvite_multi_map* features,
                                             int64_t feature_count, sylvite_multi_sizes* sizes,
                                             const sylvite_context* context) {
  return tells(__func__, features, feature_count, sizes, context,
               [](auto&& f, const auto& c) { return merge_multi_map_sizes(f, c); });
}

// --- gradients ---------------------------------------------------------------------------------

sylvite_status sylvite_merge_single_scalar_gradient(const sylvite_tensor* presence,
                                                    int64_t feature_count,
                                                    const sylvite_tensor* dvalues,
                                                    const sylvite_tensor* dinputs,
                                                    const sylvite_context* context) {
  return gradient(__func__, merge_single_scalar_gradient, feature_count, dvalues, dinputs, context,
                  List{presence, "presence"});
}

sylvite_status sylvite_merge_single_list_gradient(
    const sylvite_tensor* lengths, const sylvite_tensor* presence, int64_t feature_count,
    const sylvite_tensor* dvalues, const sylvite_tensor* dinputs, const sylvite_context* context) {
  return gradient(__func__, merge_single_list_gradient, feature_count, dvalues, dinputs, context,
                  List{lengths, "lengths"}, List{presence, "presence"});
}

sylvite_status sylvite_merge_single_list_gradient_sizes(const sylvite_tensor* lengths,
                                                        const sylvite_tensor* presence,
                                                        int64_t feature_count, int64_t* sizes,
                                                        const sylvite_context* context) {
  return gradient_sizes(__func__, merge_single_list_gradient_sizes, feature_count, sizes, context,
                        List{lengths, "lengths"}, List{presence, "presence"});
}

sylvite_status sylvite_merge_single_map_gradient(
    const sylvite_tensor* lengths, const sylvite_tensor* presence, int64_t feature_count,
    const sylvite_tensor* dvalues, const sylvite_tensor* dinputs, const sylvite_context* context) {
  return gradient(__func__, merge_single_map_gradient, feature_count, dvalues, dinputs, context,
                  List{lengths, "lengths"}, List{presence, "presence"});
}

sylvite_status sylvite_merge_single_map_gradient_sizes(const sylvite_tensor* lengths,
                                                       const sylvite_tensor* presence,
                                                       int64_t feature_count, int64_t* sizes,
                                                       const sylvite_context* context) {
  return gradient_sizes(__func__, merge_single_map_gradient_sizes, feature_count, sizes, context,
                        List{lengths, "lengths"}, List{presence, "presence"});
}

sylvite_status sylvite_merge_multi_scalar_gradient(const sylvite_tensor* lengths,
                                                   int64_t feature_count,
                                                   const sylvite_tensor* dvalues,
                                                   const sylvite_tensor* dinputs,
                                                   const sylvite_context* context) {
  return gradient(__func__, merge_multi_scalar_gradient, feature_count, dvalues, dinputs, context,
                  List{lengths, "lengths"});
}

sylvite_status sylvite_merge_multi_scalar_gradient_sizes(const sylvite_tensor* lengths,
                                                         int64_t feature_count, int64_t* sizes,
                                                         const sylvite_context* context) {
  return gradient_sizes(__func__, merge_multi_scalar_gradient_sizes, feature_count, sizes, context,
                        List{lengths, "lengths"});
}

sylvite_status sylvite_merge_multi_list_gradient(
    const sylvite_tensor* lengths, const sylvite_tensor* values_lengths, int64_t feature_count,
    const sylvite_tensor* dvalues, const sylvite_tensor* dinputs, const sylvite_context* context) {
  return gradient(__func__, merge_multi_list_gradient, feature_count, dvalues, dinputs, context,
                  List{lengths, "lengths"}, List{values_lengths, "values_lengths"});
}

sylvite_status sylvite_merge_multi_list_gradient_sizes(const sylvite_tensor* lengths,
                                                       const sylvite_tensor* values_lengths,
                                                       int64_t feature_count, int64_t* sizes,
                                                       const sylvite_context* context) {
  return gradient_sizes(__func__, merge_multi_list_gradient_sizes, feature_count, sizes, context,
                        List{lengths, "lengths"}, List{values_lengths, "values_lengths"});
}

sylvite_status sylvite_merge_multi_map_gradient(
    const sylvite_tensor* lengths, const sylvite_tensor* values_lengths, int64_t feature_count,
    const sylvite_tensor* dvalues, const sylvite_tensor* dinputs, const sylvite_context* context) {
  return gradient(__func__, merge_multi_map_gradient, feature_count, dvalues, dinputs, context,
                  List{lengths, "lengths"}, List{values_lengths, "values_lengths"});
}

sylvite_status sylvite_merge_multi_map_gradient_sizes(const sylvite_tensor* lengths,
                                                      const sylvite_tensor* values_lengths,
                                                      int64_t feature_count, int64_t* sizes,
                                                      const sylvite_context* context) {
  return gradient_sizes(__func__, merge_multi_map_gradient_sizes, feature_count, sizes, context,
                        List{lengths, "lengths"}, List{values_lengths, "values_lengths"});
}
