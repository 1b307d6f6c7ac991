// Expand, its gradient and lazy views.
#include "sylvite/expand.h"

#include "python/module.h"
#include "python/values.h"

namespace sylvite::python {
namespace {

nb::object expand_to(nb::handle value, nb::handle wanted, nb::handle out) {
  const Tensor x = tensor(value, {"expand", "x"});
  const Shape shape = shape_from(wanted, {"expand", "shape"});
  return call(
      "expand", out, [&](const Context& context) { return expand(x, shape, context); },
      [&](Tensor& y, const Context& context) { expand(x, shape, y, context); });
}

nb::object view(nb::handle value, nb::handle wanted) {
  const Input x = input(value, {"expand_view", "x"});
  return to_view(x, expand_view(x.tensor, shape_from(wanted, {"expand_view", "shape"})), true);
}

bool is_expanded(nb::handle value) { return expanded(tensor(value, {"expanded", "x"})); }

nb::object dense(nb::handle value, nb::handle out) {
  const Tensor x = tensor(value, {"materialize", "x"});
  return call(
      "materialize", out, [&](const Context& context) { return materialize(x, context); },
      [&](Tensor& y, const Context& context) { materialize(x, y, context); });
}

nb::object gradient(nb::handle value, nb::handle wanted, nb::handle out) {
  const Tensor dy = tensor(value, {"expand_gradient", "dy"});
  const Shape x_shape = shape_from(wanted, {"expand_gradient", "x_shape"});
  return call(
      "expand_gradient", out,
      [&](const Context& context) { return expand_gradient(dy, x_shape, context); },
      [&](Tensor& dx, const Context& context) { expand_gradient(dy, x_shape, dx, context); });
}

}  // namespace

void bind_expand(nb::module_& m) {
  const nb::object none = nb::none();
  m.def("expand", expand_to, nb::arg("x"), nb::arg("shape"), nb::arg("out").none() = none,
        nb::sig("def expand(x: sylvite.typing.Array, shape: collections.abc.Sequence[int], out: "
                "sylvite.typing.Array | None = None) -> numpy.ndarray"),
        R"(x broadcast against shape, aligned at the last axis, as a copy.

x: rank up to 32, every dtype but strings. shape: per axis the extent wanted, or 1 or -1 to keep x's
(-1 only where x has that axis); its rank may be above or below x's.
Returns rank max(x's, shape's), per axis the extent of x or of shape where the other is 1; or out.
Raises InvalidArgument: extents that do not broadcast, an entry below -1, -1 on an axis x lacks, rank
above 32, sizes beyond int64, of out its dtype, shape or memory; Unsupported: strings; OutOfMemory.
Source: Caffe2 Expand; ONNX Expand; NumPy's broadcasting rules.

>>> sylvite.expand(numpy.array([[1], [2]]), [2, 3]).tolist()
[[1, 1, 1], [2, 2, 2]]
)");
  m.def(
      "expand_view", view, nb::arg("x"), nb::arg("shape"),
      nb::sig("def expand_view(x: sylvite.typing.Array, shape: collections.abc.Sequence[int]) -> "
              "numpy.ndarray"),
      R"(What expand returns, as a read-only array over x's memory with stride 0 on the axes that are
broadcast. Nothing is copied; every function takes it as an input.

x and shape as for expand. Raises what expand raises for these shapes.
Source: Caffe2 Expand; NumPy broadcast_to.

>>> x = numpy.array([1.0, 2.0])
>>> v = sylvite.expand_view(x, [3, 2])
>>> v.strides, numpy.shares_memory(v, x), v.flags.writeable
((0, 8), True, False)
)");
  m.def("expanded", is_expanded, nb::arg("x"),
        nb::sig("def expanded(x: sylvite.typing.Array) -> bool"),
        R"(Whether some axis of extent above 1 has stride 0. x: every dtype and shape.

Source: NumPy's strides.

>>> sylvite.expanded(sylvite.expand_view(numpy.zeros(1), [4]))
True
)");
  m.def(
      "materialize", dense, nb::arg("x"), nb::arg("out").none() = none,
      nb::sig("def materialize(x: sylvite.typing.Array, out: sylvite.typing.Array | None = None) "
              "-> numpy.ndarray"),
      R"(A dense copy of x, in x's shape and dtype; written by Expand's kernels where x is expanded.

x: every dtype but strings. Raises InvalidArgument: of out its dtype, shape or memory; Unsupported:
strings; OutOfMemory.
Source: NumPy ascontiguousarray of a broadcast array.

>>> sylvite.materialize(sylvite.expand_view(numpy.array([7]), [3])).tolist()
[7, 7, 7]
)");
  m.def("expand_gradient", gradient, nb::arg("dy"), nb::arg("x_shape"),
        nb::arg("out").none() = none,
        nb::sig("def expand_gradient(dy: sylvite.typing.Array, x_shape: "
                "collections.abc.Sequence[int], out: sylvite.typing.Array | None = None) -> "
                "numpy.ndarray"),
        R"(Gradient of expand with respect to x: dy summed over every axis that was broadcast.

dy: a shape that x_shape broadcasts to, a numeric dtype. Returns x_shape in dy's dtype; or out.
float16 and bfloat16 are summed in float32 and rounded once; integers wrap. The order of additions
depends on the two shapes alone: the same bits for every stride, thread count and CPU target.
Raises InvalidArgument: bool, an x_shape that does not broadcast to dy's shape, of out its dtype,
shape or memory; Unsupported: strings; OutOfMemory.
Source: Caffe2 ExpandGradient.

>>> sylvite.expand_gradient(numpy.ones((2, 3), "float32"), [3]).tolist()
[2.0, 2.0, 2.0]
)");
}

}  // namespace sylvite::python
