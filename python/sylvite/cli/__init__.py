"""The command line: `sylvite`, or `python -m sylvite`."""

from .commands import cli, main

__all__ = ["cli", "main"]
