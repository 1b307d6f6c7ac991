"""schedules/tuned/<target>.json: what was measured, a row per group of kernels."""
import contextlib
import datetime
import fcntl
import json
import os

from .score import share_of_roof


def path_of(build, target, folder=None):
    return (folder or build.source / "schedules/tuned") / f"{target}.json"


def read(build, target, folder=None):
    path = path_of(build, target, folder)
    return build.tuned_rows.read(path, target) if path.exists() else []


def knobs_text(knobs):
    return " ".join(f"{name}={value}" for name, value in sorted(knobs.items())) or "default"


def number(value):
    return None if value is None else float(f"{value:.4g}")


def make_row(build, group, knobs, verdict, score, shapes, chip):
    """knobs: what differs from the defaults; score: of the best candidate against the default."""
    took = (lambda row: row.candidate_seconds) if knobs else (lambda row: row.default_seconds)
    ratios = [row.ratio for row in score.rows] if score else [1.]
    return {
        "kernel": group.name,
        "knobs": dict(sorted(knobs.items())),
        "verdict": verdict,
        "score": {"geomean": number(score.ratio if score else 1.), "spread": number(score.spread if score else 0.),
                  "min": number(min(ratios)), "max": number(max(ratios))},
        "roof": number(share_of_roof(score.rows, took)) if score else None,
        "shapes": shapes,
        "chip": chip["chip"],
        "threads": chip["threads"],
        "versions": build.versions,
        "date": datetime.date.today().isoformat(),
    }


@contextlib.contextmanager
def locked(folder):
    """One writer at a time: processes that tune different kernels may share the folder."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def write(build, target, row, folder=None):
    """Puts the row in its place, which is by name."""
    path = path_of(build, target, folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    with locked(path.parent):
        rows = {known["kernel"]: known for known in read(build, target, folder)}
        rows[row["kernel"]] = row
        beside = path.with_suffix(f".{os.getpid()}")
        beside.write_text(dump(target, [rows[name] for name in sorted(rows)]))
        os.replace(beside, path)


def dump(target, rows):
    """A field per line; small objects stay on theirs."""
    def lines(row):
        return ",\n".join(f"   {json.dumps(key)}: {json.dumps(value)}" for key, value in row.items())

    body = ",\n".join(f"  {{\n{lines(row)}\n  }}" for row in rows)
    return f'{{\n "target": {json.dumps(target)},\n "rows": [\n{body}\n ]\n}}\n'
