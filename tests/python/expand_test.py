"""Expand, views, sums, shape operators and casts against NumPy."""

import hypothesis.strategies as st
import ml_dtypes
import numpy as np
import pytest
from support import NUMBERS, filled, same_bits, texts
from hypothesis import given

import sylvite


@st.composite
def broadcasts(draw):
    shape = draw(st.lists(st.integers(0, 4), max_size=5))
    x_shape = [draw(st.sampled_from([1, extent])) for extent in shape]
    return x_shape[draw(st.integers(0, len(shape))) :], shape


@given(broadcasts(), st.sampled_from(NUMBERS))
def test_expand_broadcasts(shapes, dtype):
    x_shape, shape = shapes
    x = filled(dtype, x_shape)
    want = np.broadcast_to(x, shape)
    assert same_bits(sylvite.expand(x, shape), np.ascontiguousarray(want).reshape(want.shape))
    view = sylvite.expand_view(x, shape)
    assert same_bits(view, want) and not view.flags.writeable
    assert view.size == 0 or np.shares_memory(view, x)
    strides = zip(view.strides, view.shape)
    assert sylvite.expanded(view) == (view.size > 0 and any(s == 0 and e > 1 for s, e in strides))
    dense = sylvite.materialize(view)
    assert same_bits(dense, want) and not sylvite.expanded(dense)


@given(broadcasts(), st.sampled_from(["int8", "uint16", "int64", "float32", "float64"]))
def test_gradient_sums(shapes, dtype):
    x_shape, shape = shapes
    dy = np.random.default_rng(1).integers(-5, 6, shape).astype(dtype)
    axes = tuple(range(len(shape) - len(x_shape)))
    want = dy.sum(axis=axes, dtype=dtype)
    for axis, extent in enumerate(x_shape):
        if extent == 1:
            want = want.sum(axis=axis, keepdims=True, dtype=dtype)
    assert same_bits(sylvite.expand_gradient(dy, x_shape), np.asarray(want, dtype))


def test_gradient_of_halves_is_rounded_once():
    dy = np.full((4096, 3), 0.1, ml_dtypes.bfloat16)
    got = sylvite.expand_gradient(dy, [3])
    assert got.dtype == ml_dtypes.bfloat16
    assert abs(float(got[0]) - float(dy[0, 0]) * 4096) <= 2


@pytest.mark.parametrize("dtype", NUMBERS, ids=str)
def test_shape_operators_are_views(dtype):
    x = filled(dtype, (2, 1, 3))
    for y, want in (
        (sylvite.expand_dims(x, [0, -1]), (1, 2, 1, 3, 1)),
        (sylvite.expand_dims(x, 0), (1, 2, 1, 3)),
        (sylvite.squeeze(x, [1]), (2, 3)),
        (sylvite.squeeze(x), (2, 3)),
        (sylvite.reshape(x, [0, -1]), (2, 3)),
        (sylvite.reshape_like(x, [6]), (6,)),
    ):
        assert np.shares_memory(y, x) and y.flags.writeable
        assert same_bits(y, x.reshape(want))


def test_views_of_read_only_memory_are_read_only():
    x = np.arange(6)
    x.flags.writeable = False
    assert not sylvite.reshape(x, [2, 3]).flags.writeable


def test_reshape_copies_where_strides_allow_no_view():
    x = np.arange(6).reshape(2, 3).T
    y = sylvite.reshape(x, [6])
    assert not np.shares_memory(x, y) and same_bits(y, x.reshape(6))


def test_strings_take_part():
    x = texts((2, 3))
    assert sylvite.reshape(x, [3, 2]).tolist() == x.reshape(3, 2).tolist()
    assert sylvite.expand_dims(x, [0]).tolist() == [x.tolist()]
    back = sylvite.cast(sylvite.cast(np.arange(4), "string"), "int64")
    assert back.tolist() == [0, 1, 2, 3]
    with pytest.raises(sylvite.Unsupported):
        sylvite.expand(x, [2, 2, 3])


@given(st.sampled_from(["bool", "int8", "uint8", "int16", "uint32", "int64", "uint64"]),
       st.sampled_from(NUMBERS))
def test_cast_as_numpy_does(source, to):
    x = filled(source, (37,))
    with np.errstate(all="ignore"):
        want = x.astype(to)
    assert same_bits(sylvite.cast(x, to), want)
    assert same_bits(sylvite.cast(x, to.name), want)


@pytest.mark.parametrize("to", ["float16", "float32", np.float64, ml_dtypes.bfloat16, float])
def test_cast_between_floats(to):
    x = np.random.default_rng(2).normal(size=100).astype("float32")
    assert same_bits(sylvite.cast(x, to), x.astype(to))
    assert sylvite.cast_gradient(x.astype(to), "float32").dtype == np.float32


@pytest.mark.parametrize(
    "dtype, error",
    [
        ("float17", sylvite.InvalidArgument),
        (">f4", sylvite.Unsupported),
        ("complex64", sylvite.Unsupported),
        (None, TypeError),
        (3, TypeError),
    ],
)
def test_cast_rejects(dtype, error):
    with pytest.raises(error, match="cast: dtype is"):
        sylvite.cast(np.zeros(2), dtype)


def test_texts_that_are_no_numbers():
    with pytest.raises(sylvite.InvalidArgument, match="1x"):
        sylvite.cast(np.array([b"1", b"1x"], object), "int32")


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda x: sylvite.expand(x, [3, 4]), "Expand"),
        (lambda x: sylvite.expand(x, [-2]), "-2"),
        (lambda x: sylvite.expand(x, [1] * 33), "32"),
        (lambda x: sylvite.expand_view(x, [3, 4]), "expand_view"),
        (lambda x: sylvite.expand_gradient(x, [7]), "ExpandGradient"),
        (lambda x: sylvite.expand_dims(x, [9]), "ExpandDims"),
        (lambda x: sylvite.squeeze(x, [0]), "Squeeze"),
        (lambda x: sylvite.reshape(x, [-1, -1]), "Reshape"),
        (lambda x: sylvite.reshape(x, [5]), "Reshape"),
        (lambda x: sylvite.reshape_like(x, [5]), "Reshape"),
    ],
)
def test_rejects(call, message):
    with pytest.raises(sylvite.InvalidArgument, match=message):
        call(np.zeros((2, 3)))
