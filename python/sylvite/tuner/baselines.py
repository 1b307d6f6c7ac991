"""Halide's own schedulers on the generators whose schedules are tuned here."""
from dataclasses import replace

from . import lines
from .errors import CandidateFailed
from .score import combine

# Of which device each makes schedules.
SCHEDULERS = {"Mullapudi2016": "cpu", "Adams2019": "cpu", "Anderson2021": "cuda"}


def arguments(build, scheduler, threads):
    library = next(build.source.glob(f".venv/lib/python3*/site-packages/halide/lib64/libautoschedule_{scheduler.lower()}.so"))
    return ("-p", str(library), f"autoscheduler={scheduler}", f"autoscheduler.parallelism={threads}")


def plain_kernel(kernel):
    """Without its streaming twin, which a scheduler knows nothing of, and with asserts: what a scheduler vectorises
    for the extents that it was told to expect is wrong below them, and must say so. Without knobs, so that it runs
    against the library's own kernel, recorded row and all."""
    return replace(kernel, targets={
        target: {**facts, "stream": False, "knobs": [], "halide": facts["halide"].replace("-no_asserts", "")}
        for target, facts in kernel.targets.items()})


def score_rows(runner, program, rows, seconds):
    """The score over the rows that it runs and writes the library's bytes on, and why the first other one failed."""
    scores, reason = [], None
    for row in rows:
        try:
            runner.check(program, [row])
            scores += runner.time(program, [row], seconds / len(rows)).rows
        except CandidateFailed as failure:
            reason = reason or f"{row}: {failure}"
    return (combine(scores) if scores else None), reason


def measure_baselines(build, target, groups, runner, seconds, shapes=None):
    """(group, scheduler, its score against the library or None, rows that ran, rows, what else there is to say)."""
    device = build.targets[target]["device"]
    for group in groups:
        plain = replace(group, kernels=tuple(map(plain_kernel, group.kernels)))
        for scheduler, runs_on in SCHEDULERS.items():
            if runs_on != device:
                continue
            try:
                settings = arguments(build, scheduler, 1)  # our kernels are serial, the runtime shares out
                timed = lines.timed_lines(build.source, group, shapes)
                program = build.program(plain, target, settings, timed, timed, scheduler)
                if device == "cuda":
                    yield group.name, scheduler, None, 0, 0, "compiled"
                    continue
                rows = [said["row"] for said in runner.reached(program)]
                score, reason = score_rows(runner, program, rows, seconds)
                yield group.name, scheduler, score, len(score.rows) if score else 0, len(rows), reason
            except CandidateFailed as failure:
                yield group.name, scheduler, None, 0, 0, str(failure)
