"""Types that signatures name."""

from typing import Any, Protocol, Union

import numpy


class SupportsDLPack(Protocol):
    """An array of another framework, on the CPU."""

    def __dlpack__(self, *, stream: Any = None) -> Any: ...

    def __dlpack_device__(self) -> tuple[int, int]: ...


Array = Union[numpy.ndarray, numpy.generic, bytes, bytearray, memoryview, SupportsDLPack]
"""What functions take: NumPy arrays, what has the buffer protocol, and DLPack."""
