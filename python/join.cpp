// The dense joins.
#include "sylvite/join.h"

#include <limits>

#include "python/module.h"
#include "python/values.h"

namespace sylvite::python {
namespace {

int axis_from(nb::handle value, const char* function) {
  const int64_t axis = integer(value, {function, "axis"});
  if (axis != static_cast<int>(axis)) {
    fail(ErrorCode::kInvalidArgument, function, ": axis is ", axis, ", want an axis of y");
  }
  return static_cast<int>(axis);
}

nb::object stack_all(nb::object sequence, nb::handle at, nb::handle out) {
  const std::vector<Tensor> x = tensors(sequence, {"stack", "x"});
  const int axis = axis_from(at, "stack");
  return call(
      "stack", out, [&](const Context& context) { return stack(x, axis, context); },
      [&](Tensor& y, const Context& context) { stack(x, axis, y, context); });
}

nb::object unstack_all(nb::handle value, nb::handle at, nb::handle out) {
  const Tensor y = tensor(value, {"unstack", "y"});
  const int axis = axis_from(at, "unstack");
  return call_list(
      "unstack", out, [&](const Context& context) { return unstack(y, axis, context); },
      [&](std::span<Tensor> x, const Context& context) { unstack(y, axis, x, context); });
}

nb::object concat_all(nb::object sequence, nb::handle at, nb::handle out) {
  const std::vector<Tensor> x = tensors(sequence, {"concat", "x"});
  const int axis = axis_from(at, "concat");
  return call(
      "concat", out, [&](const Context& context) { return concat(x, axis, context); },
      [&](Tensor& y, const Context& context) { concat(x, axis, y, context); });
}

nb::object split_all(nb::handle value, nb::handle extents, nb::handle at, nb::handle out) {
  const Tensor y = tensor(value, {"split", "y"});
  const std::vector<int64_t> sizes = integers(extents, {"split", "sizes"});
  const int axis = axis_from(at, "split");
  return call_list(
      "split", out, [&](const Context& context) { return split(y, sizes, axis, context); },
      [&](std::span<Tensor> x, const Context& context) { split(y, sizes, axis, x, context); });
}

}  // namespace

void bind_join(nb::module_& m) {
  const nb::object none = nb::none();
  m.def("stack", stack_all, nb::arg("x"), nb::arg("axis") = 0, nb::arg("out").none() = none,
        nb::sig("def stack(x: collections.abc.Sequence[sylvite.typing.Array], axis: int = 0, out: "
                "sylvite.typing.Array | None = None) -> numpy.ndarray"),
        R"(Tensors of one shape along a new axis: y[..., i, ...] = x[i], with i at axis of y.

x: N >= 1 arrays of equal dtype and shape; every dtype. axis: of y, -1 being its last. Returns rank + 1,
extent N at axis; or out. The gradient is unstack(dy, axis).
Raises InvalidArgument: no x, differing dtypes or shapes, an axis outside of y, rank above 32, sizes
beyond int64, of out its dtype, shape or memory; OutOfMemory.
Source: NumPy stack; TensorFlow stack.

>>> sylvite.stack([numpy.array([1, 2]), numpy.array([3, 4])], axis=1).tolist()
[[1, 3], [2, 4]]
)");
  m.def("unstack", unstack_all, nb::arg("y"), nb::arg("axis") = 0, nb::arg("out").none() = none,
        nb::sig("def unstack(y: sylvite.typing.Array, axis: int = 0, out: "
                "collections.abc.Sequence[sylvite.typing.Array] | None = None) -> "
                "list[numpy.ndarray]"),
        R"(The inverse of stack: x[i] = y[..., i, ...], with i at axis of y.

y: rank >= 1, every dtype. Returns dense copies, as many as y has entries at axis; or out, as many arrays.
The gradient is stack(dx, axis).
Raises InvalidArgument: an axis that y lacks, of out the number, dtypes, shapes or memory; OutOfMemory.
Source: NumPy unstack; TensorFlow unstack.

>>> [x.tolist() for x in sylvite.unstack(numpy.array([[1, 3], [2, 4]]), axis=1)]
[[1, 2], [3, 4]]
)");
  m.def("concat", concat_all, nb::arg("x"), nb::arg("axis") = 0, nb::arg("out").none() = none,
        nb::sig("def concat(x: collections.abc.Sequence[sylvite.typing.Array], axis: int = 0, out: "
                "sylvite.typing.Array | None = None) -> numpy.ndarray"),
        R"(Tensors one behind the other along an axis they have.

x: N >= 1 arrays of equal dtype whose shapes differ at axis at most; every dtype. Returns their shape with
the sum of the extents at axis, -1 being the last; or out. The gradient is split(dy, sizes, axis).
Raises what stack raises.
Source: Caffe2 Concat; NumPy concatenate.

>>> sylvite.concat([numpy.array([1, 2]), numpy.array([3])]).tolist()
[1, 2, 3]
)");
  m.def(
      "split", split_all, nb::arg("y"), nb::arg("sizes"), nb::arg("axis") = 0,
      nb::arg("out").none() = none,
      nb::sig("def split(y: sylvite.typing.Array, sizes: collections.abc.Sequence[int], axis: int "
              "= 0, out: collections.abc.Sequence[sylvite.typing.Array] | None = None) -> "
              "list[numpy.ndarray]"),
      R"(The inverse of concat: the first sizes[0] entries of y at axis, then the next sizes[1], and so on.

y: every dtype. sizes: at least one, none negative, their sum the extent of y at axis. Returns dense
copies; or out, as many arrays. The gradient is concat(dx, axis).
Raises InvalidArgument: sizes that are no such thing, and what unstack raises.
Source: Caffe2 Split; NumPy split.

>>> [x.tolist() for x in sylvite.split(numpy.array([1, 2, 3]), [2, 1])]
[[1, 2], [3]]
)");
}

}  // namespace sylvite::python
