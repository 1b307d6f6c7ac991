"""Which blocks of SpaceToBatch run best for an image: a quick measurement beside the records."""
import math

import optuna

from . import records
from .errors import TunerError
from .lines import WIDTHS
from .runner import Runner


def line_of(block, height, width, channels, images, layout, dtype):
    """A line of bench/shapes/space_batch.txt; what the block does not divide is padded behind."""
    sides = [-extent % step for extent, step in zip((height, width), block)]
    shape = [images, channels, height, width] if layout == "nchw" else [images, height, width, channels]
    pads = ",".join(f"0:{side}" for side in sides) if any(sides) else "-"
    return (f"{name_of(block)} s2b {dtype} {layout} {'x'.join(map(str, shape))} {block[0]}x{block[1]} {pads} 1")


def name_of(block):
    return f"{block[0]}x{block[1]}"


def advise(build, target, height, width, dtype, channels, images, layout, most, sampler, trials, seconds, prefix):
    """Lines of a table, the fastest block first."""
    if dtype not in WIDTHS:
        raise TunerError(f"dtype is '{dtype}', want one of {', '.join(WIDTHS)}")
    sides = [range(1, min(most, extent) + 1) for extent in (height, width)]
    blocks = [(h, w) for h in sides[0] for w in sides[1] if (h, w) != (1, 1)]
    if not blocks:
        raise TunerError(f"an image of {height}x{width} has no blocks")
    timed = [("space_batch", line_of(block, height, width, channels, images, layout, dtype)) for block in blocks]
    program = build.link(f"{target}/advise/{dtype}", target, [], [], timed, [])
    runner = Runner(target, prefix)
    found = {}

    def measure(some):
        names = [name_of(block) for block in some]
        for row in runner.time(program, names, seconds * len(names), roof=True).rows:
            found[row.name] = row

    if sampler == "grid":
        measure(blocks)
    else:
        search(blocks, sampler, trials, measure, found)
    rows = sorted(found.values(), key=lambda row: row.default_seconds / row.bytes)
    yield (f"SpaceToBatch of {dtype} {layout} {images}x{channels} images {height}x{width} on {target}, "
           f"{runner.chip(program)['chip']}: {len(rows)} of {len(blocks)} blocks measured")
    yield f"{'block':>8} {'microseconds':>13} {'GB/s':>8} {'of the roof':>12}"
    for row in rows:
        yield (f"{row.name:>8} {row.default_seconds * 1e6:13.1f} {row.bytes / row.default_seconds * 1e-9:8.1f} "
               f"{row.roof_seconds / row.default_seconds:12.2f}")
    yield from recorded(build, target, WIDTHS[dtype] * 8)


def search(blocks, sampler, trials, measure, found):
    chosen = optuna.samplers.RandomSampler(8) if sampler == "random" else optuna.samplers.TPESampler(seed=8)
    study = optuna.create_study(sampler=chosen, direction="minimize")
    heights, widths = sorted({h for h, _ in blocks}), sorted({w for _, w in blocks})
    for _ in range(min(trials, len(blocks))):
        trial = study.ask()
        block = (trial.suggest_int("height", heights[0], heights[-1]), trial.suggest_int("width", widths[0], widths[-1]))
        if block == (1, 1):  # a copy is no block
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
            continue
        if name_of(block) not in found:
            measure([block])
        row = found[name_of(block)]
        study.tell(trial, math.log(row.default_seconds / row.bytes))


def recorded(build, target, bits):
    """What the tuner found for the kernels of this width."""
    for row in records.read(build, target):
        if row["kernel"] in (f"space_to_batch_u{bits}", f"space_to_batch_masked_u{bits}", f"pixels_to_batch_u{bits}"):
            knobs = " ".join(f"{name}={value}" for name, value in row["knobs"].items()) or "default schedule"
            yield (f"recorded for {row['kernel']}: {knobs}, {row['verdict']}, "
                   f"{row['roof'] if row['roof'] else '-'} of the roof on {row['chip']}")
