// SpaceToBatch, BatchToSpace and their gradients.
#include "sylvite/space_batch.h"

#include "python/module.h"
#include "python/values.h"

namespace sylvite::python {
namespace {

/// How a function is called and documented: the two directions and the two gradients are alike.
struct Names {
  const char* function;
  const char* x;
  const char* sides;
};

using FreshToBatch = Tensor (*)(const Tensor&, const SpaceToBatchArgs&, const Context&);
using IntoToBatch = void (*)(const Tensor&, const SpaceToBatchArgs&, Tensor&, const Context&);
using FreshToSpace = Tensor (*)(const Tensor&, const BatchToSpaceArgs&, const Context&);
using IntoToSpace = void (*)(const Tensor&, const BatchToSpaceArgs&, Tensor&, const Context&);

template <FreshToBatch kFresh, IntoToBatch kInto>
nb::object with_paddings(const Names& names, nb::handle value, nb::handle block_shape,
                         nb::handle paddings, nb::handle layout, double pad_value, nb::handle out) {
  const Tensor x = tensor(value, {names.function, names.x});
  const SpaceToBatchArgs args{.block_shape = per_axis(block_shape, {names.function, "block_shape"}),
                              .paddings = sides(paddings, {names.function, names.sides}),
                              .layout = layout_from(layout, {names.function, "layout"}),
                              .pad_value = pad_value};
  return call(
      names.function, out, [&](const Context& context) { return kFresh(x, args, context); },
      [&](Tensor& y, const Context& context) { kInto(x, args, y, context); });
}

template <FreshToSpace kFresh, IntoToSpace kInto>
nb::object with_crops(const Names& names, nb::handle value, nb::handle block_shape,
                      nb::handle crops, nb::handle layout, nb::handle out) {
  const Tensor x = tensor(value, {names.function, names.x});
  const BatchToSpaceArgs args{.block_shape = per_axis(block_shape, {names.function, "block_shape"}),
                              .crops = sides(crops, {names.function, names.sides}),
                              .layout = layout_from(layout, {names.function, "layout"})};
  return call(
      names.function, out, [&](const Context& context) { return kFresh(x, args, context); },
      [&](Tensor& y, const Context& context) { kInto(x, args, y, context); });
}

nb::object to_batch(nb::handle x, nb::handle block_shape, nb::handle paddings, nb::handle layout,
                    double pad_value, nb::handle out) {
  return with_paddings<space_to_batch, space_to_batch>(
      {"space_to_batch", "x", "paddings"}, x, block_shape, paddings, layout, pad_value, out);
}

nb::object to_batch_gradient(nb::handle dy, nb::handle block_shape, nb::handle paddings,
                             nb::handle layout, double pad_value, nb::handle out) {
  return with_paddings<space_to_batch_gradient, space_to_batch_gradient>(
      {"space_to_batch_gradient", "dy", "paddings"}, dy, block_shape, paddings, layout, pad_value,
      out);
}

nb::object to_space(nb::handle x, nb::handle block_shape, nb::handle crops, nb::handle layout,
                    nb::handle out) {
  return with_crops<batch_to_space, batch_to_space>({"batch_to_space", "x", "crops"}, x,
                                                    block_shape, crops, layout, out);
}

nb::object to_space_gradient(nb::handle dy, nb::handle block_shape, nb::handle crops,
                             nb::handle layout, nb::handle out) {
  return with_crops<batch_to_space_gradient, batch_to_space_gradient>(
      {"batch_to_space_gradient", "dy", "crops"}, dy, block_shape, crops, layout, out);
}

}  // namespace

void bind_space_batch(nb::module_& m) {
  const nb::object none = nb::none();
  const nb::object two = nb::make_tuple(2, 2);
  m.def(
      "space_to_batch", to_batch, nb::arg("x"), nb::arg("block_shape") = two,
      nb::arg("paddings").none() = none, nb::arg("layout") = "NCHW", nb::arg("pad_value") = 0.0,
      nb::arg("out").none() = none,
      nb::sig("def space_to_batch(x: sylvite.typing.Array, block_shape: "
              "collections.abc.Sequence[int] = (2, 2), paddings: "
              "collections.abc.Sequence[collections.abc.Sequence[int]] | None = None, layout: str "
              "= 'NCHW', pad_value: float = 0.0, out: sylvite.typing.Array | None = None) -> "
              "numpy.ndarray"),
      R"(Moves each phase of the padded image into the batch:
y[(b_1 * block_2 + b_2) * N + n, c, h, w] = x_padded[n, c, h * block_1 + b_1, w * block_2 + b_2],
and alike for 1, 3 and 4 spatial axes.

x: [N, C, spatial...], or [N, spatial..., C] with layout "NHWC"; every dtype but strings.
block_shape: a block per spatial axis, in elements. paddings: (before, after) per spatial axis, in
elements; None: none. pad_value: what the padding holds; x's dtype must have it exactly.
Returns batch N * prod(block_shape), each spatial extent (before + extent + after) / block, C as it
is; or out, which has that shape, x's dtype and memory apart from x's.
Raises InvalidArgument: rank, a block below 1, negative padding, a padded extent its block does not
divide, sizes beyond int64, a pad_value the dtype lacks, of out what is said above; Unsupported:
strings; OutOfMemory.
Source: Caffe2 SpaceToBatch; TensorFlow SpaceToBatchND.

>>> x = numpy.arange(16).reshape(1, 1, 4, 4)
>>> sylvite.space_to_batch(x, block_shape=[2, 2])[:, 0].tolist()
[[[0, 2], [8, 10]], [[1, 3], [9, 11]], [[4, 6], [12, 14]], [[5, 7], [13, 15]]]
)");
  m.def(
      "batch_to_space", to_space, nb::arg("x"), nb::arg("block_shape") = two,
      nb::arg("crops").none() = none, nb::arg("layout") = "NCHW", nb::arg("out").none() = none,
      nb::sig("def batch_to_space(x: sylvite.typing.Array, block_shape: "
              "collections.abc.Sequence[int] = (2, 2), crops: "
              "collections.abc.Sequence[collections.abc.Sequence[int]] | None = None, layout: str "
              "= 'NCHW', out: sylvite.typing.Array | None = None) -> numpy.ndarray"),
      R"(The inverse of space_to_batch: interleaves the phases held by the batch, then cuts crops off.

x: batch N * prod(block_shape), layout as for space_to_batch; every dtype but strings. crops: (before,
after) per spatial axis, in elements; None: none.
Returns batch N, each spatial extent extent * block - before - after, C as it is; or out.
Raises InvalidArgument: rank, a block below 1, a batch prod(block_shape) does not divide, negative
crops or crops beyond the extent, sizes beyond int64, and of out what space_to_batch does;
Unsupported: strings; OutOfMemory.
Source: Caffe2 BatchToSpace; TensorFlow BatchToSpaceND.

>>> x = numpy.arange(16).reshape(1, 1, 4, 4)
>>> y = sylvite.space_to_batch(x, [2, 2])
>>> bool((sylvite.batch_to_space(y, [2, 2]) == x).all())
True
)");
  m.def(
      "space_to_batch_gradient", to_batch_gradient, nb::arg("dy"), nb::arg("block_shape") = two,
      nb::arg("paddings").none() = none, nb::arg("layout") = "NCHW", nb::arg("pad_value") = 0.0,
      nb::arg("out").none() = none,
      nb::sig("def space_to_batch_gradient(dy: sylvite.typing.Array, block_shape: "
              "collections.abc.Sequence[int] = (2, 2), paddings: "
              "collections.abc.Sequence[collections.abc.Sequence[int]] | None = None, layout: str "
              "= 'NCHW', pad_value: float = 0.0, out: sylvite.typing.Array | None = None) -> "
              "numpy.ndarray"),
      R"(Gradient of space_to_batch with respect to x: dy interleaved, the padding cut off.

dy: shape and dtype of y; the other arguments as they were given to space_to_batch. Returns x's shape.
Raises what batch_to_space raises.
Source: Caffe2 SpaceToBatch's gradient.

>>> dy = numpy.ones((4, 1, 2, 2), "float32")
>>> sylvite.space_to_batch_gradient(dy, [2, 2], [[1, 1], [0, 0]]).shape
(1, 1, 2, 4)
)");
  m.def(
      "batch_to_space_gradient", to_space_gradient, nb::arg("dy"), nb::arg("block_shape") = two,
      nb::arg("crops").none() = none, nb::arg("layout") = "NCHW", nb::arg("out").none() = none,
      nb::sig("def batch_to_space_gradient(dy: sylvite.typing.Array, block_shape: "
              "collections.abc.Sequence[int] = (2, 2), crops: "
              "collections.abc.Sequence[collections.abc.Sequence[int]] | None = None, layout: str "
              "= 'NCHW', out: sylvite.typing.Array | None = None) -> numpy.ndarray"),
      R"(Gradient of batch_to_space with respect to x: dy moved into the batch, zero where it was cut.

dy: shape and dtype of y; the other arguments as they were given to batch_to_space. Returns x's shape.
Raises what space_to_batch raises.
Source: Caffe2 BatchToSpace's gradient.

>>> dy = numpy.ones((1, 1, 2, 4), "float32")
>>> sylvite.batch_to_space_gradient(dy, [2, 2], [[1, 1], [0, 0]])[0, 0].tolist()
[[0.0, 0.0], [1.0, 1.0]]
)");
}

}  // namespace sylvite::python
