"""What functions take as arrays, and what memory their results have."""

import array as stdlib_array
import ctypes

import ml_dtypes
import numpy as np
import pytest
from support import NUMBERS, filled, same_bits, texts

import sylvite


def twice(x):
    """A function that copies: y holds x two times."""
    return sylvite.concat([x, x])


def check(x):
    assert same_bits(twice(x), np.concatenate([x, x]))
    block = np.ascontiguousarray(x).reshape(1, 1, 1, -1)
    if x.ndim == 1:
        got = sylvite.space_to_batch(x[None, None, None], [1, 1])
        assert same_bits(got, block)


@pytest.mark.parametrize("dtype", NUMBERS, ids=str)
def test_any_strides(dtype):
    base = filled(dtype, (12, 10))
    for x in (base, base.T, base[::-1], base[:, ::-2], base[1:0:-1, 3], base[:0], base[3, 4:4]):
        check(x)
    check(np.broadcast_to(base[0], (3, 10)))
    check(np.asfortranarray(base))


@pytest.mark.parametrize("dtype", NUMBERS, ids=str)
def test_unaligned_and_odd_strides(dtype):
    size = np.dtype(dtype).itemsize
    raw = np.zeros(40 * size + 1, "uint8")
    unaligned = raw[1 : 1 + 40 * size].view(dtype)
    unaligned[:] = filled(dtype, 40)
    check(unaligned)
    record = np.zeros(9, [("pad", "u1"), ("value", dtype)])
    record["value"] = filled(dtype, 9)
    check(record["value"])
    check(record["value"][::-3])


def test_read_only_memory_goes_in():
    x = np.arange(5.0)
    x.flags.writeable = False
    check(x)
    check(np.frombuffer(b"12345678" * 3, "float64"))


def test_ranks():
    assert sylvite.materialize(np.float32(3)).shape == ()
    assert sylvite.materialize(np.array(3, "int8")).shape == ()
    x = np.zeros([1] * 32)
    assert sylvite.materialize(x).shape == x.shape
    with pytest.raises(sylvite.InvalidArgument, match="32"):
        sylvite.materialize(np.zeros([1] * 33))


@pytest.mark.parametrize("dtype", [">f4", ">i8", ">u2"])
def test_foreign_byte_order_is_refused(dtype):
    with pytest.raises(sylvite.InvalidArgument, match="x has dtype .*, want this machine's byte"):
        sylvite.materialize(np.zeros(3, dtype))


@pytest.mark.parametrize("dtype", ["complex64", "M8[s]", "U3", "S3", "V2", "longdouble"])
def test_other_dtypes_are_refused(dtype):
    with pytest.raises(sylvite.Unsupported, match="materialize: x has dtype"):
        sylvite.materialize(np.zeros(3, dtype))


@pytest.mark.parametrize("x", [None, 3, 2.5, "abc", [1, 2], (1,), {}, object()])
def test_what_is_no_array(x):
    with pytest.raises(TypeError):
        sylvite.materialize(x)


def test_platform_integers():
    for dtype in (np.longlong, np.ulonglong, np.intp, np.byte, np.uintc):
        x = np.arange(4).astype(dtype)
        assert sylvite.materialize(x).tolist() == [0, 1, 2, 3]


def test_buffers():
    assert sylvite.materialize(b"abc").tolist() == [97, 98, 99]
    assert sylvite.materialize(memoryview(np.arange(6.0)[::-2])).tolist() == [5, 3, 1]
    assert sylvite.materialize(stdlib_array.array("i", [3, 4])).dtype == np.int32
    assert sylvite.materialize((ctypes.c_double * 2)(1, 2)).tolist() == [1, 2]
    view = sylvite.expand_view(bytearray(b"xy"), [3, 2])
    assert view.strides == (0, 1) and view.tolist() == [[120, 121]] * 3


class Foreign:
    """An object that has DLPack alone."""

    def __init__(self, array):
        self.array = array

    def __dlpack__(self, **arguments):
        return self.array.__dlpack__(**arguments)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


class Device(Foreign):
    """One on another device."""

    def __dlpack_device__(self):
        return (2, 0)


def test_dlpack():
    for dtype in NUMBERS[:-1]:
        x = filled(dtype, (4, 6))[::2, ::-1]
        assert same_bits(sylvite.materialize(Foreign(x)), np.ascontiguousarray(x))
    assert sylvite.materialize(Foreign(np.zeros((0, 2)))).shape == (0, 2)
    x = np.arange(6)
    view = sylvite.reshape(Foreign(x), [2, 3])
    assert np.shares_memory(view, x)
    out = Foreign(np.zeros((2, 3)))
    assert sylvite.expand(np.arange(3.0), [2, 3], out=out) is out
    assert out.array.tolist() == [[0, 1, 2]] * 2
    y = np.from_dlpack(sylvite.materialize(x))
    assert y.tolist() == x.tolist()


def test_dlpack_of_read_only_memory():
    x = np.arange(3.0)
    x.flags.writeable = False
    assert sylvite.materialize(Foreign(x)).tolist() == [0, 1, 2]
    with pytest.raises(sylvite.InvalidArgument, match="read-only"):
        sylvite.materialize(np.zeros(3), out=Foreign(x))


def test_results_own_their_memory():
    y = sylvite.expand(filled("float32", (3,)), [4, 3])
    kept = y.copy()
    assert type(y.base).__name__ == "PyCapsule" and y.flags.writeable and y.flags.c_contiguous
    assert y.ctypes.data % 64 == 0
    for _ in range(10):
        sylvite.expand(filled("float32", (3,), 1), [4, 3])
    assert same_bits(y, kept)


def test_bfloat16():
    x = filled(ml_dtypes.bfloat16, (3, 4))
    assert sylvite.expand_view(x, [2, 3, 4]).dtype == ml_dtypes.bfloat16
    assert same_bits(sylvite.reshape(x, [4, 3]), x.reshape(4, 3))
    assert sylvite.cast(np.ones(2), ml_dtypes.bfloat16).dtype == ml_dtypes.bfloat16


def test_strings():
    x = texts((5, 4))
    assert twice(x).tolist() == np.concatenate([x, x]).tolist()
    assert twice(x.T[::-1]).tolist() == np.concatenate([x.T[::-1]] * 2).tolist()
    assert twice(x[:0]).shape == (0, 4)
    with pytest.raises(TypeError, match="concat: x_1: element 1 is a str, want bytes"):
        sylvite.concat([np.array([b"a", "b"], object)])
    with pytest.raises(TypeError, match="element 0 is None"):
        sylvite.concat([np.empty(2, object)])
