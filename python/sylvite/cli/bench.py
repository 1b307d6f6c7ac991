"""Operators against numpy.copyto of as many bytes, in turn in the same run."""

import statistics
import time

import click
import ml_dtypes  # noqa: F401  bfloat16 by name
import numpy

import sylvite

from .commands import places
from .values import (Shape, arguments_option, checked, console, json_option, named, print_json, progress, shape_text,
                     table)

# What is timed without an operator's name: (operator, dtype, shapes, arguments).
ROWS = [
    ("SpaceToBatch", "float32", [[8, 64, 112, 112]], {"block_size": 2}),
    ("SpaceToBatch", "uint8", [[8, 3, 1080, 1920]], {"block_size": 2}),
    ("BatchToSpace", "float32", [[32, 64, 56, 56]], {"block_size": 2}),
    ("Cast", "float32", [[16, 1024, 1024]], {"to": "float16"}),
    ("Cast", "float16", [[16, 1024, 1024]], {"to": "float32"}),
]


@click.command()
@click.argument("op", required=False)
@click.option("--shape", "shapes", type=Shape(), multiple=True, help="Of an input of OP; once per input.")
@click.option("--dtype", default="float32", show_default=True, help="Of OP's inputs.")
@arguments_option
@click.option("--min-time", type=click.FloatRange(0, min_open=True), default=0.5, show_default=True, help="Seconds per row.")
@json_option
@places
def bench(op, shapes, dtype, arguments, min_time, as_json):
    """Time operator OP, or a few of each kind, against numpy.copyto.

    \b
    sylvite bench SpaceToBatch --shape 8,64,112,112 --arg block_size=2

    The copy moves as many bytes as the operator reads and writes, on the one thread that NumPy has; operator
    and copy take turns, and medians are compared, for the speed of memory changes from one minute to the next.
    The project's own bench (./x bench) measures every kernel against all threads' copies.
    """
    if op is None and (shapes or arguments):
        raise click.UsageError("--shape and --arg belong to an operator, which is missing")
    if op is not None and not shapes:
        raise click.UsageError(f"{op} needs a --shape per input")
    rows = [(op, dtype, shapes, named(arguments, "argument"))] if op else ROWS
    measured = []
    with progress("timing", len(rows)) as advance:
        for row in rows:
            measured.append(measure(*row, min_time))
            advance(row[0])
    if as_json:
        return print_json(measured)
    made = table("operator", "input", "kernel", "target", "time", "GB/s", "copyto GB/s", "ratio",
                 right=("time", "GB/s", "copyto GB/s", "ratio"))
    for row in measured:
        made.add_row(row["operator"], f"{row['dtype']} {' '.join(map(shape_text, row['shapes']))}", row["kernel"], row["target"],
                     f"{row['seconds'] * 1e6:.1f} us", f"{row['gb_per_s']:.1f}", f"{row['copy_gb_per_s']:.1f}",
                     f"{row['ratio']:.2f}")
    console().print(made)


def measure(op, dtype, shapes, arguments, min_time):
    """Medians of operator and copy, run in turn for this many seconds."""
    facts = checked(sylvite.explain, op, [(dtype, shape) for shape in shapes], **arguments)
    moved = facts["bytes_read"] + facts["bytes_written"]
    workspace = sylvite.Workspace()
    names = [f"input_{i}" for i in range(len(shapes))]
    for name, shape in zip(names, shapes):
        workspace.feed(name, numpy.ones(shape, numpy.dtype(dtype)))
    call = sylvite.op(op, names, ["output"], **arguments)
    source = numpy.ones(max(moved // 2, 1), numpy.uint8)
    target = numpy.empty_like(source)
    repeats = calls_within(lambda: workspace.run(call), 2e-3)
    ours, copies = [], []
    end = time.perf_counter() + min_time
    while len(ours) < 3 or time.perf_counter() < end:
        ours.append(timed(lambda: workspace.run(call), repeats))
        copies.append(timed(lambda: numpy.copyto(target, source), repeats))
    seconds, copy_seconds = statistics.median(ours), statistics.median(copies)
    return {
        "operator": op, "dtype": dtype, "shapes": [list(shape) for shape in shapes], "arguments": arguments,
        "kernel": facts["kernel"], "target": facts["target"], "bytes": moved, "rounds": len(ours),
        "seconds": seconds, "least_seconds": min(ours), "copy_seconds": copy_seconds,
        "gb_per_s": moved / seconds / 1e9, "copy_gb_per_s": moved / copy_seconds / 1e9,
        "ratio": copy_seconds / seconds,
    }


def calls_within(call, seconds):
    """How often to call between two looks at the clock; the first call, which allocates, is not counted."""
    call()
    return max(1, int(seconds / max(timed(call, 1), 1e-7)))


def timed(call, repeats):
    begin = time.perf_counter()
    for _ in range(repeats):
        call()
    return (time.perf_counter() - begin) / repeats
