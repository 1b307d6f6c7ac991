"""What Sylvite raises."""


class Error(Exception):
    """Base of all. The message names the operator, the argument, the value got and the one wanted."""


class InvalidArgument(Error, ValueError):
    """An argument breaks the operator's contract."""


class Unsupported(Error, NotImplementedError):
    """Well formed, but not offered here: a target, a device, a dtype, a gradient."""

    reason = None
    """Of gradients: "forbidden" or "not_written"."""


class OutOfMemory(Error, MemoryError):
    """There is no memory for a result."""


class DeviceError(Error):
    """A GPU or its driver reported a fault."""
