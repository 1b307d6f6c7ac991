"""What the tests of the Python module share."""

import ml_dtypes
import numpy as np

NUMBERS = [
    np.dtype(name)
    for name in (
        "bool int8 uint8 int16 uint16 int32 uint32 int64 uint64 float16 float32 float64"
    ).split()
] + [np.dtype(ml_dtypes.bfloat16)]


def same_bits(a, b):
    """Equal dtype, shape and bytes."""
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def filled(dtype, shape, seed=0):
    """Every byte pattern of the dtype, but that booleans are 0 or 1."""
    rng = np.random.default_rng(seed)
    dtype = np.dtype(dtype)
    if dtype == bool:
        return rng.integers(0, 2, shape).astype(bool)
    count = int(np.prod(shape, dtype=np.int64))
    return rng.integers(0, 256, count * dtype.itemsize, dtype=np.uint8).view(dtype).reshape(shape)


def texts(shape, seed=0):
    """An object array of bytes, some empty, some with zeros in them."""
    rng = np.random.default_rng(seed)
    array = np.empty(shape, object)
    for index in np.ndindex(array.shape):
        array[index] = bytes(rng.integers(0, 256, rng.integers(0, 5)).tolist())
    return array
