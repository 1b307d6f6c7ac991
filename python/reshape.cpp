// The shape operators and Cast.
#include "sylvite/reshape.h"

#include "python/module.h"
#include "python/values.h"
#include "sylvite/cast.h"

namespace sylvite::python {
namespace {

nb::object add_dims(nb::handle value, nb::handle at, nb::handle out) {
  const Input x = input(value, {"expand_dims", "x"});
  const std::vector<int64_t> dims = integers(at, {"expand_dims", "dims"});
  return call_view(
      "expand_dims", x, out, [&](const Context&) { return expand_dims(x.tensor, dims); },
      [&](Tensor& y, const Context& context) { expand_dims(x.tensor, dims, y, context); });
}

nb::object drop_dims(nb::handle value, nb::handle at, nb::handle out) {
  const Input x = input(value, {"squeeze", "x"});
  const std::vector<int64_t> dims =
      at.is_none() ? std::vector<int64_t>() : integers(at, {"squeeze", "dims"});
  return call_view(
      "squeeze", x, out, [&](const Context&) { return squeeze(x.tensor, dims); },
      [&](Tensor& y, const Context& context) { squeeze(x.tensor, dims, y, context); });
}

nb::object with_shape(nb::handle value, nb::handle wanted, nb::handle out) {
  const Input x = input(value, {"reshape", "x"});
  const Shape shape = shape_from(wanted, {"reshape", "shape"});
  return call_view(
      "reshape", x, out, [&](const Context& context) { return reshape(x.tensor, shape, context); },
      [&](Tensor& y, const Context& context) { reshape(x.tensor, shape, y, context); });
}

nb::object with_shape_of(nb::handle value, nb::handle wanted, nb::handle out) {
  const Input x = input(value, {"reshape_like", "x"});
  const Shape like = shape_from(wanted, {"reshape_like", "like"});
  return call_view(
      "reshape_like", x, out,
      [&](const Context& context) { return reshape_like(x.tensor, like, context); },
      [&](Tensor& y, const Context& context) { reshape_like(x.tensor, like, y, context); });
}

nb::object cast_to(nb::handle value, nb::handle dtype, nb::handle out) {
  const Tensor x = tensor(value, {"cast", "x"});
  const DType to = dtype_from(dtype, {"cast", "dtype"});
  return call(
      "cast", out, [&](const Context& context) { return cast(x, to, context); },
      [&](Tensor& y, const Context& context) { cast(x, to, y, context); });
}

nb::object cast_back(nb::handle value, nb::handle dtype, nb::handle out) {
  const Tensor dy = tensor(value, {"cast_gradient", "dy"});
  const DType to = dtype_from(dtype, {"cast_gradient", "x_dtype"});
  return call(
      "cast_gradient", out, [&](const Context& context) { return cast_gradient(dy, to, context); },
      [&](Tensor& dx, const Context& context) { cast_gradient(dy, to, dx, context); });
}

}  // namespace

void bind_reshape(nb::module_& m) {
  const nb::object none = nb::none();
  m.def("expand_dims", add_dims, nb::arg("x"), nb::arg("dims"), nb::arg("out").none() = none,
        nb::sig("def expand_dims(x: sylvite.typing.Array, dims: int | "
                "collections.abc.Sequence[int], out: sylvite.typing.Array | None = None) -> "
                "numpy.ndarray"),
        R"(Axes of extent 1 inserted at these positions of the output.

x: every dtype. dims: positions in the output; negative ones count from its end; an entry repeated as
written counts once. Returns a view of x's memory; or out, which may be x's own bytes.
Raises InvalidArgument: a position outside of the output, one axis spelled two ways, rank above 32, of
out its dtype, shape or memory.
Source: Caffe2 ExpandDims; ONNX Unsqueeze.

>>> sylvite.expand_dims(numpy.zeros((2, 3)), [0, -1]).shape
(1, 2, 3, 1)
)");
  m.def("squeeze", drop_dims, nb::arg("x"), nb::arg("dims").none() = none,
        nb::arg("out").none() = none,
        nb::sig("def squeeze(x: sylvite.typing.Array, dims: int | collections.abc.Sequence[int] | "
                "None = None, out: sylvite.typing.Array | None = None) -> numpy.ndarray"),
        R"(Axes of extent 1 removed: these, or all of them where dims is empty or None.

x: every dtype. dims: axes of x, negative ones count from its end. Returns a view of x's memory; or out,
which may be x's own bytes.
Raises InvalidArgument: an axis that x lacks or whose extent is not 1, one axis spelled two ways, of
out its dtype, shape or memory.
Source: Caffe2 Squeeze; ONNX Squeeze.

>>> sylvite.squeeze(numpy.zeros((1, 2, 1)), [0]).shape
(2, 1)
)");
  m.def("reshape", with_shape, nb::arg("x"), nb::arg("shape"), nb::arg("out").none() = none,
        nb::sig("def reshape(x: sylvite.typing.Array, shape: collections.abc.Sequence[int], out: "
                "sylvite.typing.Array | None = None) -> numpy.ndarray"),
        R"(x's elements in row-major order under another shape.

x: every dtype. shape: extents; 0 takes x's extent at that position, one -1 is inferred. Returns a view
of x's memory where x's strides allow one, else a dense copy; or out, which may be x's own bytes.
Raises InvalidArgument: more than one -1, entries below -1, a 0 at a position x lacks, a count that is
not x's, sizes beyond int64, of out its dtype, shape or memory; OutOfMemory.
Source: Caffe2 Reshape; ONNX Reshape.

>>> sylvite.reshape(numpy.zeros((2, 6)), [0, -1, 3]).shape
(2, 2, 3)
)");
  m.def(
      "reshape_like", with_shape_of, nb::arg("x"), nb::arg("like"), nb::arg("out").none() = none,
      nb::sig("def reshape_like(x: sylvite.typing.Array, like: collections.abc.Sequence[int], "
              "out: sylvite.typing.Array | None = None) -> numpy.ndarray"),
      R"(x under the shape of another tensor of as many elements: the gradient of expand_dims, squeeze
and reshape.

x: every dtype. like: extents, taken as they are. Returns a view of x's memory where x's strides allow
one, else a dense copy; or out. Raises InvalidArgument where the counts differ, of out its dtype, shape
or memory; OutOfMemory.
Source: Caffe2 Reshape's gradient.

>>> sylvite.reshape_like(numpy.zeros((2, 6)), (3, 4)).shape
(3, 4)
)");
  m.def(
      "cast", cast_to, nb::arg("x"), nb::arg("dtype").none(), nb::arg("out").none() = none,
      nb::sig("def cast(x: sylvite.typing.Array, dtype: numpy.typing.DTypeLike, out: "
              "sylvite.typing.Array | None = None) -> numpy.ndarray"),
      R"(x's elements as another dtype: float to integer toward zero, saturated, NaN as 0; integer to
integer modulo 2^n; to bool whether it is not 0; to a float rounded once, to nearest even; number to
string the shortest text that reads back equal; string to number all of the text.

x: every dtype and shape. dtype: a name ("float16", "string", ...) or what numpy.dtype takes; object
stands for strings. Returns x's shape, a copy to x's own dtype too; or out, which may be x itself where
the dtype is the same.
Raises InvalidArgument: a text that is no number of the dtype or out of an integer's range, of out its
dtype, shape or memory; Unsupported: another dtype; OutOfMemory.
Source: Caffe2 Cast; NumPy astype; ONNX Cast for strings.

>>> sylvite.cast(numpy.array([1.9, -300.0, float("nan")]), "int8").tolist()
[1, -128, 0]
>>> sylvite.cast(numpy.array([0.1, 2.0]), "string").tolist()
[b'0.1', b'2']
)");
  m.def("cast_gradient", cast_back, nb::arg("dy"), nb::arg("x_dtype").none(),
        nb::arg("out").none() = none,
        nb::sig("def cast_gradient(dy: sylvite.typing.Array, x_dtype: numpy.typing.DTypeLike, out: "
                "sylvite.typing.Array | None = None) -> numpy.ndarray"),
        R"(Gradient of cast: dy as x's dtype, in dy's shape; or out.

Raises what cast raises; InvalidArgument where one of the two is a string.
Source: Caffe2 Cast's gradient.

>>> sylvite.cast_gradient(numpy.ones(2, "float16"), "float32").dtype.name
'float32'
)");
}

}  // namespace sylvite::python
