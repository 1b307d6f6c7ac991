"""Halide's own schedulers on the generators whose schedules are tuned here."""
from . import lines
from .build import Group
from .errors import CandidateFailed

# Of which device each makes schedules.
SCHEDULERS = {"Mullapudi2016": "cpu", "Adams2019": "cpu", "Anderson2021": "cuda"}


def arguments(build, scheduler, threads):
    library = next(build.source.glob(f".venv/lib/python3*/site-packages/halide/lib64/libautoschedule_{scheduler.lower()}.so"))
    return ("-p", str(library), f"autoscheduler={scheduler}", f"autoscheduler.parallelism={threads}")


def measure_baselines(build, target, groups, runner, seconds, shapes=None):
    """(group, scheduler, its score against the default or None, why there is none)."""
    device = build.targets[target]["device"]
    for group in groups:
        # The ordinary kernels alone: a scheduler knows no streaming stores.
        plain = Group(group.name, group.family, group.generator, tuple(
            kernel.__class__(kernel.name, kernel.family, kernel.generator, kernel.group, kernel.params,
                             {name: {**facts, "stream": False} for name, facts in kernel.targets.items()})
            for kernel in group.kernels))
        for scheduler, runs_on in SCHEDULERS.items():
            if runs_on != device:
                continue
            try:
                settings = arguments(build, scheduler, 1)  # our kernels are serial, the runtime shares out
                timed, checked = lines.timed_lines(build.source, group, shapes), lines.checked_lines(group)
                program = build.program(plain, target, settings, timed, checked, scheduler)
                if device == "cuda":
                    yield group.name, scheduler, None, "compiled"
                    continue
                rows = [said["row"] for said in runner.reached(program)]
                runner.check(program)
                yield group.name, scheduler, runner.time(program, rows, seconds), None
            except CandidateFailed as failure:
                yield group.name, scheduler, None, str(failure)
