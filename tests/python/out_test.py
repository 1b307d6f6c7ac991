"""out=: what may stand there, what is refused, and that nothing is written then."""

import numpy as np
import pytest
from support import filled, same_bits, texts

import sylvite

X = filled("float32", (2, 3, 4, 6))
LIST = ([np.array([1, 2], "int32")], [np.arange(3.0)], [np.ones(2, bool)], [7])

# Every function that takes out=: a call, with its arguments ready.
CALLS = {
    "space_to_batch": lambda **o: sylvite.space_to_batch(X, [2, 2], **o),
    "batch_to_space": lambda **o: sylvite.batch_to_space(X, [2, 1], **o),
    "space_to_batch_gradient": lambda **o: sylvite.space_to_batch_gradient(X, [1, 2], **o),
    "batch_to_space_gradient": lambda **o: sylvite.batch_to_space_gradient(X, [2, 2], **o),
    "expand": lambda **o: sylvite.expand(X, [2, 2, 3, 4, 6], **o),
    "materialize": lambda **o: sylvite.materialize(X, **o),
    "expand_gradient": lambda **o: sylvite.expand_gradient(X, [4, 6], **o),
    "expand_dims": lambda **o: sylvite.expand_dims(X, [0], **o),
    "squeeze": lambda **o: sylvite.squeeze(X[:, :1], [1], **o),
    "reshape": lambda **o: sylvite.reshape(X, [6, -1], **o),
    "reshape_like": lambda **o: sylvite.reshape_like(X, [6, 24], **o),
    "cast": lambda **o: sylvite.cast(X, "int16", **o),
    "cast_gradient": lambda **o: sylvite.cast_gradient(X, "float64", **o),
    "stack": lambda **o: sylvite.stack([X, X], 1, **o),
    "concat": lambda **o: sylvite.concat([X, X], 1, **o),
    "merge_dense_gradient": lambda **o: sylvite.merge_dense_gradient(
        np.ones((1, 2), bool), np.arange(2.0), **o),
}
SEVERAL = {
    "unstack": lambda **o: sylvite.unstack(X, 1, **o),
    "split": lambda **o: sylvite.split(X, [1, 2], 1, **o),
    "merge_dense": lambda **o: sylvite.merge_dense(
        np.arange(4.0).reshape(2, 2), np.eye(2, dtype=bool), [1, 2], **o),
    "merge_single_scalar": lambda **o: sylvite.merge_single_scalar(
        [np.arange(2.0)], [np.ones(2, bool)], [7], **o),
    "merge_single_list": lambda **o: sylvite.merge_single_list(*LIST, **o),
    "merge_single_map": lambda **o: sylvite.merge_single_map(
        LIST[0], [np.arange(3)], *LIST[1:], **o),
    "merge_multi_scalar": lambda **o: sylvite.merge_multi_scalar(
        LIST[0], [np.arange(3)], LIST[1], **o),
    "merge_multi_list": lambda **o: sylvite.merge_multi_list(
        LIST[0], [np.arange(3)], [np.ones(3, "int32")], LIST[1], **o),
    "merge_multi_map": lambda **o: sylvite.merge_multi_map(
        LIST[0], [np.arange(3)], [np.ones(3, "int32")], [np.arange(3)], LIST[1], **o),
    "merge_single_scalar_gradient": lambda **o: sylvite.merge_single_scalar_gradient(
        [np.ones(2, bool)], np.arange(2.0), **o),
    "merge_single_list_gradient": lambda **o: sylvite.merge_single_list_gradient(
        LIST[0], LIST[2], LIST[1][0], **o),
    "merge_single_map_gradient": lambda **o: sylvite.merge_single_map_gradient(
        LIST[0], LIST[2], LIST[1][0], **o),
    "merge_multi_scalar_gradient": lambda **o: sylvite.merge_multi_scalar_gradient(
        LIST[0], LIST[1][0], **o),
    "merge_multi_list_gradient": lambda **o: sylvite.merge_multi_list_gradient(
        LIST[0], [np.ones(3, "int32")], LIST[1][0], **o),
    "merge_multi_map_gradient": lambda **o: sylvite.merge_multi_map_gradient(
        LIST[0], [np.ones(3, "int32")], LIST[1][0], **o),
}


def test_every_function_is_here():
    takes_out = {n for n in sylvite.__all__ if "out: " in (getattr(sylvite, n).__doc__ or "").split("\n")[0]}
    assert takes_out == set(CALLS) | set(SEVERAL)


def memories(like):
    """Arrays of this dtype and shape in several kinds of memory."""
    yield np.empty_like(like)
    yield np.empty([*like.shape, 2], like.dtype)[..., 1]
    yield np.empty(like.shape, like.dtype)[::-1]
    yield np.empty(like.shape, [("pad", "u1"), ("value", like.dtype)])["value"]


@pytest.mark.parametrize("name", CALLS)
def test_one_result(name):
    call = CALLS[name]
    want = call()
    for out in memories(want):
        assert call(out=out) is out and same_bits(out, want)


@pytest.mark.parametrize("name", SEVERAL)
def test_several_results(name):
    call = SEVERAL[name]
    want = call()
    for out in zip(*(memories(result) for result in want)):
        assert call(out=out) is out
        assert all(same_bits(a, b) for a, b in zip(out, want))
    with pytest.raises(sylvite.InvalidArgument):
        call(out=[*out, out[0]])
    with pytest.raises(TypeError, match="want a tuple of arrays"):
        call(out=out[0])


@pytest.mark.parametrize("name", [*CALLS, *SEVERAL])
def test_refused_before_anything_is_written(name):
    several = name in SEVERAL
    call = SEVERAL[name] if several else CALLS[name]
    want = list(call()) if several else [call()]
    last = want[-1]
    frozen = np.zeros(last.shape, last.dtype)
    frozen.flags.writeable = False
    bad = [
        np.zeros(last.shape, "int8" if last.dtype != np.int8 else "int32"),
        np.zeros([*last.shape, 2], last.dtype),
        frozen,
        np.empty(last.shape, object),
    ]
    if last.ndim and last.shape[0] > 1:
        bad.append(np.lib.stride_tricks.as_strided(np.zeros(last.size, last.dtype), last.shape, [0] * last.ndim))
    for each in bad:
        others = [np.full_like(result, 77) for result in want[:-1]]
        before = each.copy()
        with pytest.raises(sylvite.InvalidArgument):
            call(out=(*others, each) if several else each)
        assert all((other == 77).all() for other in others)
        assert each.dtype == object or (each == before).all()
    with pytest.raises(TypeError):
        call(out=[None] * len(want) if several else 3)


def test_overlap_is_refused():
    memory = np.arange(8.0)
    with pytest.raises(sylvite.InvalidArgument, match="overlap"):
        sylvite.expand(memory[:4], [4], out=memory[2:6])
    with pytest.raises(sylvite.InvalidArgument, match="overlap"):
        sylvite.concat([memory[:2], memory[2:4]], out=memory[:4])
    with pytest.raises(sylvite.InvalidArgument, match="overlap"):
        sylvite.split(np.arange(4.0), [2, 2], out=(memory[:2], memory[1:3]))
    assert memory.tolist() == list(range(8))


def test_in_place_where_the_bytes_stay():
    x = np.arange(6.0)
    assert sylvite.reshape(x, [6], out=x) is x
    assert sylvite.reshape(x, [2, 3], out=x.reshape(2, 3)).tolist() == [[0, 1, 2], [3, 4, 5]]
    assert sylvite.expand_dims(x, [0], out=x[None]).shape == (1, 6)
    assert sylvite.squeeze(x[None], [0], out=x) is x
    assert sylvite.cast(x, "float64", out=x) is x
    assert x.tolist() == list(range(6))


def test_strings():
    x = texts((2, 3))
    out = np.empty((2, 2, 3), object)
    assert sylvite.stack([x, x], out=out) is out
    assert out.tolist() == np.stack([x, x]).tolist()
    parts = tuple(np.empty((1, 3), object) for _ in range(2))
    assert sylvite.split(x, [1, 1], out=parts) is parts
    assert [p.tolist() for p in parts] == [x[:1].tolist(), x[1:].tolist()]
    assert sylvite.cast(np.arange(2), "string", out=np.empty(2, object)).tolist() == [b"0", b"1"]
    with pytest.raises(sylvite.InvalidArgument, match="stack: out has shape"):
        sylvite.stack([x, x], out=np.empty(3, object))
    with pytest.raises(sylvite.InvalidArgument, match="has dtype float64, want string"):
        sylvite.stack([x, x], out=np.empty((2, 2, 3)))
