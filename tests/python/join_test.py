"""Dense joins against NumPy."""

import hypothesis.strategies as st
import numpy as np
import pytest
from support import NUMBERS, filled, same_bits, texts
from hypothesis import given

import sylvite


@given(st.lists(st.integers(0, 4), max_size=4), st.integers(1, 4), st.data())
def test_stack_and_unstack(shape, count, data):
    axis = data.draw(st.integers(-len(shape) - 1, len(shape)))
    dtype = data.draw(st.sampled_from(NUMBERS))
    x = [filled(dtype, shape, seed) for seed in range(count)]
    y = sylvite.stack(x, axis=axis)
    assert same_bits(y, np.stack(x, axis=axis))
    parts = sylvite.unstack(y, axis=axis)
    assert len(parts) == count and all(same_bits(a, b) for a, b in zip(parts, x))


@given(
    st.lists(st.integers(0, 4), min_size=1, max_size=4),
    st.lists(st.integers(0, 3), min_size=1, max_size=4),
    st.data(),
)
def test_concat_and_split(shape, sizes, data):
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    x = []
    for seed, size in enumerate(sizes):
        shape[axis] = size
        x.append(filled("float32", shape, seed))
    y = sylvite.concat(tuple(x), axis=axis)
    assert same_bits(y, np.concatenate(x, axis=axis))
    parts = sylvite.split(y, sizes, axis=axis)
    assert all(same_bits(a, b) for a, b in zip(parts, x))


def test_strings_join():
    a, b = texts((2, 2), 1), texts((2, 2), 2)
    y = sylvite.stack([a, b], axis=1)
    assert y.dtype == object and y.tolist() == np.stack([a, b], axis=1).tolist()
    assert [part.tolist() for part in sylvite.split(a, [1, 1])] == [a[:1].tolist(), a[1:].tolist()]


def test_any_memory_joins():
    base = np.arange(24.0).reshape(4, 6)
    x = [base[::-1, ::2], base[:, 1::2], np.broadcast_to(7.0, (4, 3))]
    assert same_bits(sylvite.concat(x, axis=-1), np.concatenate(x, axis=-1))


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: sylvite.stack([]), "Stack"),
        (lambda: sylvite.stack([np.zeros(2), np.zeros(3)]), "shape"),
        (lambda: sylvite.concat([np.zeros(2), np.zeros(2, int)]), "dtype"),
        (lambda: sylvite.stack([np.zeros(2)], axis=5), "axis"),
        (lambda: sylvite.stack([np.zeros(2)], axis=2**40), "stack: axis is 1099511627776"),
        (lambda: sylvite.split(np.zeros(3), [1, 1]), "Split"),
        (lambda: sylvite.unstack(np.float32(1)), "Unstack"),
    ],
)
def test_rejects(call, message):
    with pytest.raises(sylvite.InvalidArgument, match=message):
        call()


@pytest.mark.parametrize("x", [None, np.zeros((2, 2)), 3, "ab", [[1.0], [2.0]], [None]])
def test_wrong_types(x):
    with pytest.raises(TypeError):
        sylvite.stack(x)
