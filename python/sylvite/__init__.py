"""Tensor operators whose kernels Halide generates, over NumPy arrays.

Arrays of any strides and alignment go in without a copy (one is made where byte strides are no multiple
of the element); what has the buffer protocol or __dlpack__ too. bfloat16 is that of ml_dtypes, strings
are object arrays of bytes. Results are new NumPy arrays, or `out`, which has the result's dtype and
shape and overlaps no input. The interpreter is free for other threads while a kernel runs.

>>> import numpy, sylvite
>>> x = numpy.arange(16, dtype="float32").reshape(1, 1, 4, 4)
>>> sylvite.space_to_batch(x, block_shape=[2, 2]).shape
(4, 1, 2, 2)
"""

from . import _core
from ._core import *  # noqa: F403
from .errors import DeviceError, Error, InvalidArgument, OutOfMemory, Unsupported

__version__ = _core.__version__

__all__ = [
    *(name for name in dir(_core) if not name.startswith("_")),
    "DeviceError",
    "Error",
    "InvalidArgument",
    "OutOfMemory",
    "Unsupported",
]
