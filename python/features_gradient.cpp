// The gradients of the merges.
#include "python/module.h"
#include "sylvite/features.h"

namespace sylvite::python {
namespace {

/// The merged gradient taken apart by one list of tensors per input, or by two.
struct OneListGradient {
  const char* function;
  const char* list;
  std::vector<Tensor> (*fresh)(std::span<const Tensor>, const Tensor&, const Context&);
  void (*into)(std::span<const Tensor>, const Tensor&, std::span<Tensor>, const Context&);
};
struct TwoListGradient {
  const char* function;
  const char* first;
  const char* second;
  std::vector<Tensor> (*fresh)(std::span<const Tensor>, std::span<const Tensor>, const Tensor&,
                               const Context&);
  void (*into)(std::span<const Tensor>, std::span<const Tensor>, const Tensor&, std::span<Tensor>,
               const Context&);
};

nb::object take_apart(const OneListGradient& gradient, nb::object list, nb::handle dvalues,
                      nb::handle out) {
  const std::vector<Tensor> by = tensors(list, {gradient.function, gradient.list});
  const Tensor dy = tensor(dvalues, {gradient.function, "dvalues"});
  return call_list(
      gradient.function, out,
      [&](const Context& context) { return gradient.fresh(by, dy, context); },
      [&](std::span<Tensor> dinputs, const Context& context) {
        gradient.into(by, dy, dinputs, context);
      });
}

nb::object take_apart(const TwoListGradient& gradient, nb::object first_list,
                      nb::object second_list, nb::handle dvalues, nb::handle out) {
  const std::vector<Tensor> first = tensors(first_list, {gradient.function, gradient.first});
  const std::vector<Tensor> second = tensors(second_list, {gradient.function, gradient.second});
  const Tensor dy = tensor(dvalues, {gradient.function, "dvalues"});
  return call_list(
      gradient.function, out,
      [&](const Context& context) { return gradient.fresh(first, second, dy, context); },
      [&](std::span<Tensor> dinputs, const Context& context) {
        gradient.into(first, second, dy, dinputs, context);
      });
}

nb::object dense(nb::handle presence, nb::handle dvalues, nb::handle out) {
  const Tensor present = tensor(presence, {"merge_dense_gradient", "presence"});
  const Tensor dy = tensor(dvalues, {"merge_dense_gradient", "dvalues"});
  return call(
      "merge_dense_gradient", out,
      [&](const Context& context) { return merge_dense_gradient(present, dy, context); },
      [&](Tensor& ddata, const Context& context) {
        merge_dense_gradient(present, dy, ddata, context);
      });
}

nb::object single_scalar(nb::object presence, nb::handle dvalues, nb::handle out) {
  return take_apart({"merge_single_scalar_gradient", "presence", merge_single_scalar_gradient,
                     merge_single_scalar_gradient},
                    std::move(presence), dvalues, out);
}

nb::object single_list(nb::object lengths, nb::object presence, nb::handle dvalues,
                       nb::handle out) {
  return take_apart({"merge_single_list_gradient", "lengths", "presence",
                     merge_single_list_gradient, merge_single_list_gradient},
                    std::move(lengths), std::move(presence), dvalues, out);
}

nb::object single_map(nb::object lengths, nb::object presence, nb::handle dvalues, nb::handle out) {
  return take_apart({"merge_single_map_gradient", "lengths", "presence", merge_single_map_gradient,
                     merge_single_map_gradient},
                    std::move(lengths), std::move(presence), dvalues, out);
}

nb::object multi_scalar(nb::object lengths, nb::handle dvalues, nb::handle out) {
  return take_apart({"merge_multi_scalar_gradient", "lengths", merge_multi_scalar_gradient,
                     merge_multi_scalar_gradient},
                    std::move(lengths), dvalues, out);
}

nb::object multi_list(nb::object lengths, nb::object values_lengths, nb::handle dvalues,
                      nb::handle out) {
  return take_apart({"merge_multi_list_gradient", "lengths", "values_lengths",
                     merge_multi_list_gradient, merge_multi_list_gradient},
                    std::move(lengths), std::move(values_lengths), dvalues, out);
}

nb::object multi_map(nb::object lengths, nb::object values_lengths, nb::handle dvalues,
                     nb::handle out) {
  return take_apart({"merge_multi_map_gradient", "lengths", "values_lengths",
                     merge_multi_map_gradient, merge_multi_map_gradient},
                    std::move(lengths), std::move(values_lengths), dvalues, out);
}

}  // namespace

void bind_features_gradient(nb::module_& m) {
  const nb::object none = nb::none();
  m.def("merge_dense_gradient", dense, nb::arg("presence"), nb::arg("dvalues"),
        nb::arg("out").none() = none,
        nb::sig("def merge_dense_gradient(presence: sylvite.typing.Array, dvalues: "
                "sylvite.typing.Array, out: sylvite.typing.Array | None = None) -> numpy.ndarray"),
        R"(Gradient of merge_dense with respect to data: dvalues at the present places, 0 elsewhere.

presence: bool[B, F]. dvalues: T[P], P the count of the present. Returns T[B, F]; or out.
Raises InvalidArgument: other shapes or dtypes, of out its dtype, shape or memory; OutOfMemory.
Source: Caffe2 MergeDenseFeatureTensors's gradient.

>>> presence = numpy.array([[True, False], [True, True]])
>>> sylvite.merge_dense_gradient(presence, numpy.array([1.0, 2.0, 3.0])).tolist()
[[1.0, 0.0], [2.0, 3.0]]
)");
  m.def(
      "merge_single_scalar_gradient", single_scalar, nb::arg("presence"), nb::arg("dvalues"),
      nb::arg("out").none() = none,
      nb::sig("def merge_single_scalar_gradient(presence: "
              "collections.abc.Sequence[sylvite.typing.Array], dvalues: sylvite.typing.Array, "
              "out: collections.abc.Sequence[sylvite.typing.Array] | None = None) -> "
              "list[numpy.ndarray]"),
      R"(Gradient of merge_single_scalar with respect to the values of each input: dvalues at the present
places, 0 elsewhere.

presence: bool[B] per input. dvalues: T[P]. Returns T[B] per input; or out, as many arrays.
Raises InvalidArgument: no inputs, other shapes or dtypes, of out the same; OutOfMemory.
Source: Caffe2 MergeSingleScalarFeatureTensorsGradient.

>>> presence = [numpy.array([True, False]), numpy.array([True, True])]
>>> dvalues = numpy.array([1.0, 2.0, 3.0])
>>> [d.tolist() for d in sylvite.merge_single_scalar_gradient(presence, dvalues)]
[[1.0, 0.0], [2.0, 3.0]]
)");
  m.def("merge_single_list_gradient", single_list, nb::arg("lengths"), nb::arg("presence"),
        nb::arg("dvalues"), nb::arg("out").none() = none,
        nb::sig("def merge_single_list_gradient(lengths: "
                "collections.abc.Sequence[sylvite.typing.Array], presence: "
                "collections.abc.Sequence[sylvite.typing.Array], dvalues: sylvite.typing.Array, "
                "out: collections.abc.Sequence[sylvite.typing.Array] | None = None) -> "
                "list[numpy.ndarray]"),
        R"(Gradient of merge_single_list with respect to the values of each input.

Per input lengths: int32[B], presence: bool[B]. dvalues: T[Q]. Returns T[V] per input, V the sum of the
lengths of its present examples; or out, as many arrays.
Raises InvalidArgument: no inputs, other shapes or dtypes, a negative length, a dvalues whose extent is
not the total, of out its dtypes, shapes or memory; OutOfMemory.
Source: Caffe2 MergeSingleListFeatureTensorsGradient.

>>> lengths = [numpy.array([2, 0], "int32"), numpy.array([1, 1], "int32")]
>>> presence = [numpy.array([True, False]), numpy.array([True, True])]
>>> dvalues = numpy.array([1.0, 2.0, 3.0, 4.0])
>>> [d.tolist() for d in sylvite.merge_single_list_gradient(lengths, presence, dvalues)]
[[1.0, 2.0], [3.0, 4.0]]
)");
  m.def("merge_single_map_gradient", single_map, nb::arg("lengths"), nb::arg("presence"),
        nb::arg("dvalues"), nb::arg("out").none() = none,
        nb::sig("def merge_single_map_gradient(lengths: "
                "collections.abc.Sequence[sylvite.typing.Array], presence: "
                "collections.abc.Sequence[sylvite.typing.Array], dvalues: sylvite.typing.Array, "
                "out: collections.abc.Sequence[sylvite.typing.Array] | None = None) -> "
                "list[numpy.ndarray]"),
        R"(Gradient of merge_single_map with respect to the values of each input.

Arguments, results and errors as of merge_single_list_gradient: shapes are those of lists.
Source: Caffe2 MergeSingleMapFeatureTensorsGradient.

>>> lengths, presence = [numpy.array([2], "int32")], [numpy.array([True])]
>>> [d.tolist() for d in sylvite.merge_single_map_gradient(lengths, presence, numpy.array([1.0, 2.0]))]
[[1.0, 2.0]]
)");
  m.def("merge_multi_scalar_gradient", multi_scalar, nb::arg("lengths"), nb::arg("dvalues"),
        nb::arg("out").none() = none,
        nb::sig("def merge_multi_scalar_gradient(lengths: "
                "collections.abc.Sequence[sylvite.typing.Array], dvalues: sylvite.typing.Array, "
                "out: collections.abc.Sequence[sylvite.typing.Array] | None = None) -> "
                "list[numpy.ndarray]"),
        R"(Gradient of merge_multi_scalar with respect to the values of each input.

lengths: int32[B] per input. dvalues: T[P]. Returns per input T[p], p the sum of its lengths; or out, as
many arrays. Raises InvalidArgument: no inputs, other shapes or dtypes, a negative length, a dvalues
whose extent is not the total, of out its dtypes, shapes or memory; OutOfMemory.
Source: Caffe2 MergeMultiScalarFeatureTensorsGradient.

>>> lengths = [numpy.array([1, 0], "int32"), numpy.array([1, 1], "int32")]
>>> [d.tolist() for d in sylvite.merge_multi_scalar_gradient(lengths, numpy.array([1.0, 2.0, 3.0]))]
[[1.0], [2.0, 3.0]]
)");
  m.def("merge_multi_list_gradient", multi_list, nb::arg("lengths"), nb::arg("values_lengths"),
        nb::arg("dvalues"), nb::arg("out").none() = none,
        nb::sig("def merge_multi_list_gradient(lengths: "
                "collections.abc.Sequence[sylvite.typing.Array], values_lengths: "
                "collections.abc.Sequence[sylvite.typing.Array], dvalues: sylvite.typing.Array, "
                "out: collections.abc.Sequence[sylvite.typing.Array] | None = None) -> "
                "list[numpy.ndarray]"),
        R"(Gradient of merge_multi_list with respect to the values of each input.

Per input lengths: int32[B], values_lengths: int32[P]. dvalues: T[Q]. Returns per input T[q], q the sum of
its values_lengths; or out, as many arrays. Raises what merge_multi_scalar_gradient raises.
Source: Caffe2 MergeMultiListOrMapFeatureTensorsGradient.

>>> lengths = [numpy.array([1], "int32")] * 2
>>> values_lengths = [numpy.array([2], "int32"), numpy.array([1], "int32")]
>>> dvalues = numpy.array([1.0, 2.0, 3.0])
>>> [d.tolist() for d in sylvite.merge_multi_list_gradient(lengths, values_lengths, dvalues)]
[[1.0, 2.0], [3.0]]
)");
  m.def("merge_multi_map_gradient", multi_map, nb::arg("lengths"), nb::arg("values_lengths"),
        nb::arg("dvalues"), nb::arg("out").none() = none,
        nb::sig("def merge_multi_map_gradient(lengths: "
                "collections.abc.Sequence[sylvite.typing.Array], values_lengths: "
                "collections.abc.Sequence[sylvite.typing.Array], dvalues: sylvite.typing.Array, "
                "out: collections.abc.Sequence[sylvite.typing.Array] | None = None) -> "
                "list[numpy.ndarray]"),
        R"(Gradient of merge_multi_map with respect to the values of each input.

Arguments, results and errors as of merge_multi_list_gradient: shapes are those of lists.
Source: Caffe2 MergeMultiListOrMapFeatureTensorsGradient.

>>> lengths, values_lengths = [numpy.array([1], "int32")], [numpy.array([2], "int32")]
>>> dvalues = numpy.array([1.0, 2.0])
>>> [d.tolist() for d in sylvite.merge_multi_map_gradient(lengths, values_lengths, dvalues)]
[[1.0, 2.0]]
)");
}

}  // namespace sylvite::python
