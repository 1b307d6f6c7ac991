// The merges of feature tensors.
#include "sylvite/features.h"

#include "python/module.h"
#include "python/values.h"

namespace sylvite::python {
namespace {

constexpr std::array<Field<SingleScalarFeature>, 2> kSingleScalar = {{
    {"values", &SingleScalarFeature::values},
    {"presence", &SingleScalarFeature::presence},
}};
constexpr std::array<Field<SingleListFeature>, 3> kSingleList = {{
    {"lengths", &SingleListFeature::lengths},
    {"values", &SingleListFeature::values},
    {"presence", &SingleListFeature::presence},
}};
constexpr std::array<Field<SingleMapFeature>, 4> kSingleMap = {{
    {"lengths", &SingleMapFeature::lengths},
    {"keys", &SingleMapFeature::keys},
    {"values", &SingleMapFeature::values},
    {"presence", &SingleMapFeature::presence},
}};
constexpr std::array<Field<MultiScalar>, 3> kMultiScalar = {{
    {"lengths", &MultiScalar::lengths},
    {"keys", &MultiScalar::keys},
    {"values", &MultiScalar::values},
}};
constexpr std::array<Field<MultiList>, 4> kMultiList = {{
    {"lengths", &MultiList::lengths},
    {"keys", &MultiList::keys},
    {"values_lengths", &MultiList::values_lengths},
    {"values_values", &MultiList::values_values},
}};
constexpr std::array<Field<MultiMap>, 5> kMultiMap = {{
    {"lengths", &MultiMap::lengths},
    {"keys", &MultiMap::keys},
    {"values_lengths", &MultiMap::values_lengths},
    {"values_keys", &MultiMap::values_keys},
    {"values_values", &MultiMap::values_values},
}};

/// One list of arrays per field, as one struct per input. The lists become tuples that keep the arrays.
template <typename Feature, size_t kCount>
std::vector<Feature> features(const char* function,
                              const std::array<Field<Feature>, kCount>& fields,
                              std::array<nb::object, kCount>& lists) {
  std::vector<Feature> made;
  for (size_t i = 0; i < kCount; ++i) {
    std::vector<Tensor> each = tensors(lists[i], {function, fields[i].name});
    if (i == 0) made.resize(each.size());
    if (each.size() != made.size()) {
      fail(ErrorCode::kInvalidArgument, function, ": ", made.size(), " ", fields[0].name, " and ",
           each.size(), " ", fields[i].name, ", want one of each per input");
    }
    for (size_t k = 0; k < each.size(); ++k) made[k].*fields[i].member = std::move(each[k]);
  }
  return made;
}

template <typename Feature, typename Result>
struct SingleMerge {
  const char* function;
  Result (*fresh)(std::span<const Feature>, FeatureIds, const Context&);
  void (*into)(std::span<const Feature>, FeatureIds, Result&, const Context&);
};

template <typename Feature, typename Result, size_t kCount, size_t kResults>
nb::object merge_single(const SingleMerge<Feature, Result>& merge,
                        const std::array<Field<Feature>, kCount>& fields,
                        std::array<nb::object, kCount> lists, nb::handle feature_ids,
                        const std::array<Field<Result>, kResults>& results, nb::handle out) {
  const std::vector<Feature> inputs = features(merge.function, fields, lists);
  const std::vector<int64_t> ids = integers(feature_ids, {merge.function, "feature_ids"});
  return call_struct(
      merge.function, results, out,
      [&](const Context& context) { return merge.fresh(inputs, ids, context); },
      [&](Result& result, const Context& context) { merge.into(inputs, ids, result, context); });
}

template <typename Feature>
struct MultiMerge {
  const char* function;
  Feature (*fresh)(std::span<const Feature>, const Context&);
  void (*into)(std::span<const Feature>, Feature&, const Context&);
};

template <typename Feature, size_t kCount>
nb::object merge_multi(const MultiMerge<Feature>& merge,
                       const std::array<Field<Feature>, kCount>& fields,
                       std::array<nb::object, kCount> lists, nb::handle out) {
  const std::vector<Feature> inputs = features(merge.function, fields, lists);
  return call_struct(
      merge.function, fields, out,
      [&](const Context& context) { return merge.fresh(inputs, context); },
      [&](Feature& result, const Context& context) { merge.into(inputs, result, context); });
}

nb::object dense(nb::handle data, nb::handle presence, nb::handle feature_ids, nb::handle out) {
  const Tensor values = tensor(data, {"merge_dense", "data"});
  const Tensor present = tensor(presence, {"merge_dense", "presence"});
  const std::vector<int64_t> ids = integers(feature_ids, {"merge_dense", "feature_ids"});
  return call_struct(
      "merge_dense", kMultiScalar, out,
      [&](const Context& context) { return merge_dense(values, present, ids, context); },
      [&](MultiScalar& result, const Context& context) {
        merge_dense(values, present, ids, result, context);
      });
}

nb::object single_scalar(nb::object values, nb::object presence, nb::handle feature_ids,
                         nb::handle out) {
  return merge_single<SingleScalarFeature, MultiScalar>(
      {"merge_single_scalar", merge_single_scalar, merge_single_scalar}, kSingleScalar,
      {std::move(values), std::move(presence)}, feature_ids, kMultiScalar, out);
}

nb::object single_list(nb::object lengths, nb::object values, nb::object presence,
                       nb::handle feature_ids, nb::handle out) {
  return merge_single<SingleListFeature, MultiList>(
      {"merge_single_list", merge_single_list, merge_single_list}, kSingleList,
      {std::move(lengths), std::move(values), std::move(presence)}, feature_ids, kMultiList, out);
}

nb::object single_map(nb::object lengths, nb::object keys, nb::object values, nb::object presence,
                      nb::handle feature_ids, nb::handle out) {
  return merge_single<SingleMapFeature, MultiMap>(
      {"merge_single_map", merge_single_map, merge_single_map}, kSingleMap,
      {std::move(lengths), std::move(keys), std::move(values), std::move(presence)}, feature_ids,
      kMultiMap, out);
}

nb::object multi_scalar(nb::object lengths, nb::object keys, nb::object values, nb::handle out) {
  return merge_multi<MultiScalar>({"merge_multi_scalar", merge_multi_scalar, merge_multi_scalar},
                                  kMultiScalar,
                                  {std::move(lengths), std::move(keys), std::move(values)}, out);
}

nb::object multi_list(nb::object lengths, nb::object keys, nb::object values_lengths,
                      nb::object values_values, nb::handle out) {
  return merge_multi<MultiList>(
      {"merge_multi_list", merge_multi_list, merge_multi_list}, kMultiList,
      {std::move(lengths), std::move(keys), std::move(values_lengths), std::move(values_values)},
      out);
}

nb::object multi_map(nb::object lengths, nb::object keys, nb::object values_lengths,
                     nb::object values_keys, nb::object values_values, nb::handle out) {
  return merge_multi<MultiMap>({"merge_multi_map", merge_multi_map, merge_multi_map}, kMultiMap,
                               {std::move(lengths), std::move(keys), std::move(values_lengths),
                                std::move(values_keys), std::move(values_values)},
                               out);
}

}  // namespace

void bind_features(nb::module_& m) {
  const nb::object none = nb::none();
  m.def("merge_dense", dense, nb::arg("data"), nb::arg("presence"), nb::arg("feature_ids"),
        nb::arg("out").none() = none,
        nb::sig("def merge_dense(data: sylvite.typing.Array, presence: sylvite.typing.Array, "
                "feature_ids: collections.abc.Sequence[int], out: "
                "collections.abc.Sequence[sylvite.typing.Array] | None = None) -> "
                "tuple[numpy.ndarray, numpy.ndarray, numpy.ndarray]"),
        R"(Row b of the result: feature_ids[f] and data[b, f] for every f with presence[b, f].

data: T[B, F], every dtype. presence: bool[B, F]. feature_ids: F integers.
Returns lengths int32[B], keys int64[P], values T[P], P the count of the present; or out, three such
arrays that overlap neither an input nor one another.
Raises InvalidArgument: shapes or dtypes other than these, of out the same; OutOfMemory.
Source: Caffe2 MergeDenseFeatureTensors.

>>> data = numpy.array([[1.0, 2.0], [3.0, 4.0]])
>>> presence = numpy.array([[True, False], [True, True]])
>>> lengths, keys, values = sylvite.merge_dense(data, presence, feature_ids=[11, 12])
>>> lengths.tolist(), keys.tolist(), values.tolist()
([1, 2], [11, 11, 12], [1.0, 3.0, 4.0])
)");
  m.def("merge_single_scalar", single_scalar, nb::arg("values"), nb::arg("presence"),
        nb::arg("feature_ids"), nb::arg("out").none() = none,
        nb::sig("def merge_single_scalar(values: collections.abc.Sequence[sylvite.typing.Array], "
                "presence: collections.abc.Sequence[sylvite.typing.Array], feature_ids: "
                "collections.abc.Sequence[int], out: "
                "collections.abc.Sequence[sylvite.typing.Array] | None = None) -> "
                "tuple[numpy.ndarray, numpy.ndarray, numpy.ndarray]"),
        R"(Example b of the result: for every input f present at b, feature_ids[f] and its number.

values: T[B] per input, presence: bool[B] per input; every dtype T. feature_ids: an integer per input.
Returns lengths int32[B], keys int64[P], values T[P], P the count of the present; or out.
Raises InvalidArgument: no inputs, another count of ids, B or dtypes that differ between inputs, of out
its dtypes, shapes or memory; OutOfMemory.
Source: Caffe2 MergeSingleScalarFeatureTensors.

>>> lengths, keys, values = sylvite.merge_single_scalar(
...     values=[numpy.array([1, 2]), numpy.array([3, 4])],
...     presence=[numpy.array([True, False]), numpy.array([True, True])],
...     feature_ids=[11, 12])
>>> lengths.tolist(), keys.tolist(), values.tolist()
([2, 1], [11, 12, 12], [1, 3, 4])
)");
  m.def("merge_single_list", single_list, nb::arg("lengths"), nb::arg("values"),
        nb::arg("presence"), nb::arg("feature_ids"), nb::arg("out").none() = none,
        nb::sig("def merge_single_list(lengths: collections.abc.Sequence[sylvite.typing.Array], "
                "values: collections.abc.Sequence[sylvite.typing.Array], presence: "
                "collections.abc.Sequence[sylvite.typing.Array], feature_ids: "
                "collections.abc.Sequence[int], out: "
                "collections.abc.Sequence[sylvite.typing.Array] | None = None) -> "
                "tuple[numpy.ndarray, numpy.ndarray, numpy.ndarray, numpy.ndarray]"),
        R"(Example b of the result: for every input f present at b, feature_ids[f] and its list.

Per input lengths: int32[B], values: T[V], presence: bool[B]; V is the sum of the lengths of the present
examples; every dtype T. feature_ids: an integer per input.
Returns lengths int32[B], keys int64[P], values_lengths int32[P], values_values T[Q]; or out.
Raises InvalidArgument: no inputs, another count of ids, B or dtypes that differ between inputs, a
negative length, lengths that do not sum to what values holds, a merged length above 2^31 - 1, of out
its dtypes, shapes or memory; OutOfMemory.
Source: Caffe2 MergeSingleListFeatureTensors.

>>> lengths, keys, values_lengths, values_values = sylvite.merge_single_list(
...     lengths=[numpy.array([2, 0], "int32"), numpy.array([1, 1], "int32")],
...     values=[numpy.array([1, 2]), numpy.array([3, 4])],
...     presence=[numpy.array([True, False]), numpy.array([True, True])],
...     feature_ids=[11, 12])
>>> keys.tolist(), values_lengths.tolist(), values_values.tolist()
([11, 12, 12], [2, 1, 1], [1, 2, 3, 4])
)");
  m.def("merge_single_map", single_map, nb::arg("lengths"), nb::arg("keys"), nb::arg("values"),
        nb::arg("presence"), nb::arg("feature_ids"), nb::arg("out").none() = none,
        nb::sig("def merge_single_map(lengths: collections.abc.Sequence[sylvite.typing.Array], "
                "keys: collections.abc.Sequence[sylvite.typing.Array], values: "
                "collections.abc.Sequence[sylvite.typing.Array], presence: "
                "collections.abc.Sequence[sylvite.typing.Array], feature_ids: "
                "collections.abc.Sequence[int], out: "
                "collections.abc.Sequence[sylvite.typing.Array] | None = None) -> "
                "tuple[numpy.ndarray, numpy.ndarray, numpy.ndarray, numpy.ndarray, "
                "numpy.ndarray]"),
        R"(Example b of the result: for every input f present at b, feature_ids[f] and its map.

Per input lengths: int32[B], keys: K[V], values: T[V], presence: bool[B]; V is the sum of the lengths of
the present examples; every dtype K and T. feature_ids: an integer per input.
Returns lengths int32[B], keys int64[P], values_lengths int32[P], values_keys K[Q], values_values T[Q];
or out. Raises what merge_single_list raises, and InvalidArgument where keys and values differ in extent.
Source: Caffe2 MergeSingleMapFeatureTensors.

>>> results = sylvite.merge_single_map(
...     lengths=[numpy.array([2], "int32")], keys=[numpy.array([7, 8])],
...     values=[numpy.array([0.5, 0.25])], presence=[numpy.array([True])], feature_ids=[11])
>>> [result.tolist() for result in results]
[[1], [11], [2], [7, 8], [0.5, 0.25]]
)");
  m.def("merge_multi_scalar", multi_scalar, nb::arg("lengths"), nb::arg("keys"), nb::arg("values"),
        nb::arg("out").none() = none,
        nb::sig("def merge_multi_scalar(lengths: collections.abc.Sequence[sylvite.typing.Array], "
                "keys: collections.abc.Sequence[sylvite.typing.Array], values: "
                "collections.abc.Sequence[sylvite.typing.Array], out: "
                "collections.abc.Sequence[sylvite.typing.Array] | None = None) -> "
                "tuple[numpy.ndarray, numpy.ndarray, numpy.ndarray]"),
        R"(Example b of the result: for every input, its pairs of example b.

Per input lengths: int32[B], keys: int64[P], values: T[P]; P is the sum of the lengths; every dtype T.
Returns the three for all inputs together; or out.
Raises InvalidArgument: no inputs, B or dtypes that differ between inputs, a negative length, lengths
that do not sum to what keys and values hold, a merged length above 2^31 - 1, of out its dtypes, shapes
or memory; OutOfMemory.
Source: Caffe2 MergeMultiScalarFeatureTensors.

>>> results = sylvite.merge_multi_scalar(
...     lengths=[numpy.array([1, 0], "int32"), numpy.array([1, 1], "int32")],
...     keys=[numpy.array([11]), numpy.array([21, 22])],
...     values=[numpy.array([1.0]), numpy.array([2.0, 3.0])])
>>> [result.tolist() for result in results]
[[2, 1], [11, 21, 22], [1.0, 2.0, 3.0]]
)");
  m.def("merge_multi_list", multi_list, nb::arg("lengths"), nb::arg("keys"),
        nb::arg("values_lengths"), nb::arg("values_values"), nb::arg("out").none() = none,
        nb::sig("def merge_multi_list(lengths: collections.abc.Sequence[sylvite.typing.Array], "
                "keys: collections.abc.Sequence[sylvite.typing.Array], values_lengths: "
                "collections.abc.Sequence[sylvite.typing.Array], values_values: "
                "collections.abc.Sequence[sylvite.typing.Array], out: "
                "collections.abc.Sequence[sylvite.typing.Array] | None = None) -> "
                "tuple[numpy.ndarray, numpy.ndarray, numpy.ndarray, numpy.ndarray]"),
        R"(Example b of the result: for every input, its keys and lists of example b.

Per input lengths: int32[B], keys: int64[P], values_lengths: int32[P], values_values: T[Q]; P and Q are
the sums of lengths and values_lengths; every dtype T. Returns the four for all inputs together; or out.
Raises what merge_multi_scalar raises, of values_lengths too.
Source: Caffe2 MergeMultiListFeatureTensors.

>>> results = sylvite.merge_multi_list(
...     lengths=[numpy.array([1], "int32")] * 2, keys=[numpy.array([11]), numpy.array([12])],
...     values_lengths=[numpy.array([2], "int32"), numpy.array([1], "int32")],
...     values_values=[numpy.array([1, 2]), numpy.array([3])])
>>> [result.tolist() for result in results]
[[2], [11, 12], [2, 1], [1, 2, 3]]
)");
  m.def(
      "merge_multi_map", multi_map, nb::arg("lengths"), nb::arg("keys"), nb::arg("values_lengths"),
      nb::arg("values_keys"), nb::arg("values_values"), nb::arg("out").none() = none,
      nb::sig("def merge_multi_map(lengths: collections.abc.Sequence[sylvite.typing.Array], keys: "
              "collections.abc.Sequence[sylvite.typing.Array], values_lengths: "
              "collections.abc.Sequence[sylvite.typing.Array], values_keys: "
              "collections.abc.Sequence[sylvite.typing.Array], values_values: "
              "collections.abc.Sequence[sylvite.typing.Array], out: "
              "collections.abc.Sequence[sylvite.typing.Array] | None = None) -> "
              "tuple[numpy.ndarray, numpy.ndarray, numpy.ndarray, numpy.ndarray, "
              "numpy.ndarray]"),
      R"(Example b of the result: for every input, its keys and maps of example b.

Per input lengths: int32[B], keys: int64[P], values_lengths: int32[P], values_keys: K[Q], values_values:
T[Q]; every dtype K and T. Returns the five for all inputs together; or out.
Raises what merge_multi_list raises.
Source: Caffe2 MergeMultiMapFeatureTensors.

>>> results = sylvite.merge_multi_map(
...     lengths=[numpy.array([1], "int32")], keys=[numpy.array([11])],
...     values_lengths=[numpy.array([2], "int32")], values_keys=[numpy.array([7, 8])],
...     values_values=[numpy.array([True, False])])
>>> [result.tolist() for result in results]
[[1], [11], [2], [7, 8], [True, False]]
)");
}

}  // namespace sylvite::python
