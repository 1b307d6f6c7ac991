class TunerError(Exception):
    """What the user can put right; shown without a traceback."""


class CandidateFailed(Exception):
    """A schedule that Halide refuses, that writes other bytes than the default, or that cannot be measured."""
