"""SpaceToBatch, BatchToSpace and their gradients against NumPy."""

import hypothesis.strategies as st
import numpy as np
import pytest
from support import NUMBERS, filled, same_bits
from hypothesis import given

import sylvite


def phases(x, blocks, paddings, nchw, pad_value=0):
    """space_to_batch by the definition."""
    if not nchw:
        x = np.moveaxis(x, -1, 1)
    x = np.pad(x, [(0, 0), (0, 0), *paddings], constant_values=np.asarray(pad_value, x.dtype))
    parts = [
        x[(slice(None), slice(None), *(slice(o, None, b) for o, b in zip(offset, blocks)))]
        for offset in np.ndindex(*blocks)
    ]
    y = np.concatenate(parts)
    return y if nchw else np.moveaxis(y, 1, -1)


@st.composite
def calls(draw):
    axes = draw(st.integers(1, 4))
    blocks = [draw(st.integers(1, 4)) for _ in range(axes)]
    paddings, extents = [], []
    for block in blocks:
        before, after = draw(st.integers(0, 3)), draw(st.integers(0, 3))
        whole = draw(st.integers(0, 4)) * block
        while whole < before + after:
            whole += block
        paddings.append([before, after])
        extents.append(whole - before - after)
    n, c = draw(st.integers(0, 3)), draw(st.integers(0, 3))
    nchw = draw(st.booleans())
    shape = [n, c, *extents] if nchw else [n, *extents, c]
    return filled(draw(st.sampled_from(NUMBERS)), shape), blocks, paddings, nchw


@given(calls())
def test_matches_the_definition(call):
    x, blocks, paddings, nchw = call
    layout = "NCHW" if nchw else "NHWC"
    y = sylvite.space_to_batch(x, block_shape=blocks, paddings=paddings, layout=layout)
    assert same_bits(y, np.ascontiguousarray(phases(x, blocks, paddings, nchw)))
    back = sylvite.batch_to_space(y, block_shape=blocks, crops=paddings, layout=layout)
    assert same_bits(back, x)


@given(calls())
def test_gradients_are_the_other_way(call):
    x, blocks, paddings, nchw = call
    layout = "NCHW" if nchw else "NHWC"
    dy = sylvite.space_to_batch(x, blocks, paddings, layout)
    assert same_bits(sylvite.space_to_batch_gradient(dy, blocks, paddings, layout), x)
    dx = sylvite.batch_to_space_gradient(x, blocks, paddings, layout)
    assert same_bits(dx, sylvite.space_to_batch(x, blocks, paddings, layout))


@pytest.mark.parametrize("target", sylvite.targets())
def test_every_target_of_this_machine(target):
    sylvite.use_target(target) if target != "opencl" else None
    x = filled("float32", (2, 3, 12, 34))
    assert same_bits(sylvite.space_to_batch(x, [2, 2]), phases(x, [2, 2], [[0, 0]] * 2, True))


def test_padding_has_a_value():
    x = np.ones((1, 1, 2, 2), "int16")
    y = sylvite.space_to_batch(x, [2, 2], [[1, 1], [1, 1]], pad_value=-7)
    assert same_bits(y, phases(x, [2, 2], [[1, 1], [1, 1]], True, -7))


def test_arguments_may_be_any_sequences():
    x = filled("uint8", (1, 1, 4, 6))
    y = sylvite.space_to_batch(x, np.array([2, 3]), ((0, 0), np.array([0, 0])))
    assert same_bits(y, sylvite.space_to_batch(x, [2, 3]))


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"block_shape": [2, 0]}, "block_shape"),
        ({"block_shape": [3, 2]}, "SpaceToBatch"),
        ({"block_shape": [2]}, "rank 4"),
        ({"paddings": [[0, 0], [-1, 0]]}, "-1"),
        ({"paddings": [[0, 0], [1, 2, 3]]}, "space_to_batch: paddings has an entry of 3 numbers"),
        ({"paddings": [[0, 0]]}, "paddings"),
        ({"layout": "NCWH"}, 'space_to_batch: layout is "NCWH"'),
        ({"pad_value": 0.5}, "0.5"),
        ({"block_shape": [2, 2**70]}, "want an int64"),
    ],
)
def test_rejects(arguments, message):
    x = np.zeros((1, 1, 4, 4), "int32")
    with pytest.raises(sylvite.InvalidArgument) as caught:
        sylvite.space_to_batch(x, **arguments)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "arguments",
    [
        {"block_shape": 2},
        {"block_shape": [2.0, 2.0]},
        {"block_shape": "22"},
        {"paddings": [1, 1]},
        {"layout": 3},
        {"pad_value": "0"},
        {"block": [2, 2]},
    ],
)
def test_wrong_types(arguments):
    with pytest.raises(TypeError):
        sylvite.space_to_batch(np.zeros((1, 1, 4, 4)), **arguments)
