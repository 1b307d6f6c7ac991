"""The size from which on streaming stores pay, as a share of the last-level cache."""
from dataclasses import replace

from . import lines, records
from .build import Group
from .score import combine
from .search import Settings

NAME = "stream_from"  # as in cmake/kernels.cmake
DEFAULT = 100
SIZES = (.06, .12, .18, .25, .35, .5, .7, .9, 1.1, 1.5, 2.1, 3., 4.2)  # of the cache, moved by a call
COLUMNS = 512


def sized_lines(cache):
    """SpaceToBatch and back of whole cache lines, whose calls move these shares of the cache."""
    found = []
    for share in SIZES:
        for op, dtype, block in (("s2b", "float32", 2), ("b2s", "uint8", 3), ("s2b", "uint16", 4)):
            width = COLUMNS * block
            row = width * lines.WIDTHS[dtype]
            rows = max(1, round(cache * share / 2 / row / block)) * block
            shape = [1, 1, rows, width] if op == "s2b" else [block * block, 1, rows // block, COLUMNS]
            name = f"{op}_{dtype}_{round(share * 100)}"
            found.append(("space_batch", f"{name} {op} {dtype} nchw {'x'.join(map(str, shape))} {block}x{block} - 1"))
    return found


def toggled(score, cache, percent):
    """The score of streaming from `percent` on, where the default does from DEFAULT on."""
    rows = []
    for row in score.rows:
        streams, streamed = (row.bytes >= cache * limit / 100 for limit in (percent, DEFAULT))
        if streams == streamed:
            rows.append(replace(row, gain=0., spread=0., candidate_seconds=row.default_seconds))
        elif streams:
            rows.append(row)
        else:
            rows.append(replace(row, gain=-row.gain, default_seconds=row.candidate_seconds,
                                candidate_seconds=row.default_seconds))
    return combine(rows)


def measure(build, target, runner, seconds):
    """Ordinary against streaming stores: ({percent: score}, digest of the shapes, chip)."""
    probe = build.link(f"{target}/{NAME}/probe", target, [], [], [], [])
    chip = runner.chip(probe)
    timed = sized_lines(chip["cache"])
    program = build.link(f"{target}/{NAME}/runner", target, [], [], timed, [])
    names = [line.split()[0] for _, line in timed]
    score = runner.time(program, names, seconds, options=("--stores",))
    # Bytes as the default stores have them: the runner's candidate is the streaming one.
    found = {percent: toggled(score, chip["cache"], percent) for percent in build.manifest["stream_percents"]}
    return found, lines.digest(timed), chip


def tune_stream(build, target, runner, settings: Settings):
    """Records and returns the row."""
    found, digest, chip = measure(build, target, runner, settings.confirm_seconds)
    best = max(found, key=lambda percent: found[percent].gain)
    won = best != DEFAULT and found[best].wins()
    knobs, verdict = ({"percent": best}, "tuned") if won else ({}, f"default kept: {found[best].why_not()}")
    row = records.make_row(build, Group(NAME, "", "", ()), knobs, verdict, found[best], digest, chip)
    records.write(build, target, row, settings.records)
    return row
