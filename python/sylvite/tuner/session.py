"""What ./x tune does with all groups of a target."""
import math
import re
import sys
import time

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from . import records as records_module
from . import stream
from .errors import CandidateFailed, TunerError
from .records import knobs_text
from .runner import Runner
from .search import Search, Settings


def new_console():
    """As wide as the terminal; a pipe gets tables with whole names."""
    return Console(soft_wrap=True, width=None if sys.stdout.isatty() else 160)


class Display:
    """A bar on a terminal, a line per trial elsewhere."""

    def __init__(self, console):
        self.console = console
        self.bar = Progress(TextColumn("{task.fields[place]} {task.description}"), BarColumn(), MofNCompleteColumn(),
                            TextColumn("best {task.fields[best]}"), TimeRemainingColumn(), console=console,
                            disable=not console.is_terminal)
        self.task = None
        self.place = ""

    def __call__(self, event, search, *facts):
        best = f"{search.best:.3f}" if search.best else "-"
        if event == "begin":
            trials, over = facts
            self.task = self.bar.add_task(search.group.name, total=trials, completed=over, best=best, place=self.place)
        elif event == "trial":
            trial, _ = facts
            self.bar.update(self.task, advance=1, best=best)
            said = {"COMPLETE": lambda: f"{trial.value:.3f}", "PRUNED": lambda: "pruned",
                    "FAIL": lambda: "failed: " + trial.user_attrs.get("failed", "cut off")}[trial.state.name]()
            self.console.print(f"  {search.group.name} {knobs_text(trial.params)}: {said}", markup=False, highlight=False)
        elif event == "confirm":
            self.bar.update(self.task, description=f"{search.group.name}: measuring the best anew")
        elif event == "end":
            self.bar.remove_task(self.task)


def missing_device(build, target):
    """Why the target cannot run here, for a person; None where it is a CPU's."""
    device = build.targets[target]["device"]
    if device == "cuda":
        import ctypes
        try:
            ctypes.CDLL("libcuda.so.1")
        except OSError:
            return f"{target}: no CUDA driver on this machine (libcuda.so.1): the rows of {target}.json, tuned elsewhere, stay"
    return None


def selected(build, target, kernel):
    """The groups that `kernel` selects, and whether it selects the size that streams, too."""
    streams = build.targets[target]["device"] == "cpu" and bool(re.fullmatch(kernel or ".*", stream.NAME))
    return [] if streams and kernel == stream.NAME else build.groups_of(target, kernel), streams


def add_row(table, row):
    table.add_row(row["kernel"], f"{row['verdict']} {knobs_text(row['knobs'])}",
                  *(f"{row['score'][part]:.3f}" for part in ("geomean", "spread", "min", "max")),
                  f"{row['roof']:.2f}" if row["roof"] else "-")


def tune(build, target, begun, again, kernel, trials, minutes, sampler, storage, prefix, resume, threads, seconds,
         shapes, records):
    """`again` is the command that goes on with what is left."""
    console = new_console()
    missing = missing_device(build, target)
    if missing and not prefix:
        console.print(missing)
        return 1
    groups, streams = selected(build, target, kernel)
    deadline = begun + minutes * 60 if minutes else math.inf
    display = Display(console)
    settings = Settings(trials or 0, deadline, sampler or "", storage or "", resume, seconds, 3 * seconds, shapes,
                        records, display)
    runner = Runner(target, prefix, threads)
    table = Table("group", "verdict", "score", "spread", "min", "max", "of the roof", title=target)
    failed = skipped = 0
    try:
        with display.bar:
            for i, group in enumerate(groups):
                if time.monotonic() > deadline:
                    console.print(f"time is over: {len(groups) - i} of {len(groups)} groups are left: "
                                  + again, markup=False, highlight=False)
                    break
                display.place = f"{i + 1}/{len(groups)}"
                try:
                    search = Search(build, group, target, runner, settings)
                    if not search.rows:
                        skipped += 1
                        console.print(f"{group.name}: no row of the shapes reaches it")
                        continue
                    row = search.record(*search.run())
                    display("end", search)
                except CandidateFailed as failure:
                    failed += 1
                    console.print(f"{group.name}: {failure}", markup=False)
                    continue
                add_row(table, row)
            if streams and time.monotonic() < deadline:
                add_row(table, stream.tune_stream(build, target, runner, settings))
    except KeyboardInterrupt:
        console.print("\nstopped. Finished groups are recorded, finished trials kept; go on with\n  "
                      + again, markup=False, highlight=False)
        failed = -1
    if table.row_count:
        console.print(table)
        console.print(f"recorded in {records_module.path_of(build, target, settings.records)}")
    return 130 if failed < 0 else int(failed > 0)


def measure_again(build, target, groups, row, runner, settings):
    """(score of the row's knobs, digest of the shapes, chip)"""
    if row["kernel"] == stream.NAME:
        found, digest, chip = stream.measure(build, target, runner, settings.confirm_seconds)
        return found[row["knobs"]["percent"]], digest, chip
    search = Search(build, groups[row["kernel"]], target, runner, settings)
    return search.measure_anew(row["knobs"], settings.seconds), search.digest, search.chip


def moved(recorded, score):
    """Whether a row is no longer what it says. Of a large gain a third may come and go with where operands lie in
    the caches, of which five processes see five cases (pixels_to_batch_u8: 1.29 to 1.43)."""
    gain = math.log(recorded["geomean"])
    return abs(score.gain - gain) > max(.05, recorded["spread"] + score.spread, abs(gain) / 3)


def check(build, target, kernel, prefix, threads, seconds, shapes, records, **_):
    """Measures every row with knobs again; 1 where one no longer is what it says."""
    console = new_console()
    groups, streams = selected(build, target, kernel)
    groups = {group.name: group for group in groups}
    rows = [row for row in records_module.read(build, target, records)
            if row["kernel"] in groups or (streams and row["kernel"] == stream.NAME)]
    if not rows:
        raise TunerError(f"there is no row to check in {records_module.path_of(build, target, records)}")
    runner = Runner(target, prefix, threads)
    settings = Settings(seconds=seconds, confirm_seconds=3 * seconds, shapes=shapes, records=records)
    drifted = 0
    for row in rows:
        if not row["knobs"]:
            console.print(f"{row['kernel']}: {row['verdict']}, on {row['date']}", markup=False, highlight=False)
            continue
        score, digest, chip = measure_again(build, target, groups, row, runner, settings)
        said = f"{row['score']['geomean']:.3f} on {row['date']}, {score.ratio:.3f} ± {score.spread:.3f} now"
        notes = [f"{name} is {now}, was {row[name]}" for name, now in
                 (("chip", chip["chip"]), ("threads", chip["threads"]), ("shapes", digest))
                 if row[name] != now]
        lost = score.gain < -score.spread or score.losers
        if lost or moved(row["score"], score):
            drifted += 1
            notes.insert(0, f"{score.why_not()}: tune it anew" if lost else "drifted")
        console.print(f"{row['kernel']} {knobs_text(row['knobs'])}: {said}{'; ' if notes else ''}{'; '.join(notes)}",
                      markup=False, highlight=False)
    console.print(f"{target}: {len(rows)} rows, {drifted} drifted")
    return int(drifted > 0)


def baselines(build, target, kernel, prefix, threads, seconds, shapes, **_):
    """Halide's own schedules of the same kernels, against the library's as it is built: recorded rows, else defaults."""
    from .baselines import measure_baselines
    console = new_console()
    table = Table("group", "scheduler", "our speed over its", "spread", "rows", "reason", title=target)
    for group, scheduler, score, ran, rows, reason in measure_baselines(
            build, target, build.groups_of(target, kernel), Runner(target, prefix, threads), seconds, shapes):
        table.add_row(group, scheduler, f"{1 / score.ratio:.2f}" if score else "-", f"{score.spread:.3f}" if score else "-",
                      f"{ran} of {rows}", reason or "")
    console.print(table)
    return 0
