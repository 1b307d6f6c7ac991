"""What a call from Python costs beyond the same call in C++, on arrays of 1 KiB."""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np

import sylvite

LIMIT = 2000  # ns


def rows():
    """Names, calls, and the row of the C++ bench that is the same call."""
    x = np.arange(256, dtype="float32").reshape(1, 1, 16, 16)
    y = sylvite.space_to_batch(x, [2, 2])
    image, phases = np.empty_like(x), np.empty_like(y)
    dense = np.empty((2, 128), "float32")
    row = np.arange(128, dtype="float32")
    ws = sylvite.Workspace()
    ws.feed("X", x)
    op = sylvite.op("SpaceToBatch", ["X"], ["Y"], block_size=2)
    return [
        ("space_to_batch(x, [2, 2])", lambda: sylvite.space_to_batch(x, [2, 2]), "kib"),
        ("space_to_batch(x, [2, 2], out=y)", lambda: sylvite.space_to_batch(x, [2, 2], out=phases), "kib"),
        ("batch_to_space(y, [2, 2])", lambda: sylvite.batch_to_space(y, [2, 2]), "kib_back"),
        ("batch_to_space(y, [2, 2], out=x)", lambda: sylvite.batch_to_space(y, [2, 2], out=image), "kib_back"),
        ("expand(row, [2, 128])", lambda: sylvite.expand(row, [2, 128]), None),
        ("expand(row, [2, 128], out=y)", lambda: sylvite.expand(row, [2, 128], out=dense), None),
        ("expand_gradient(y, [128])", lambda: sylvite.expand_gradient(dense, [128]), None),
        ("cast(x, 'float16')", lambda: sylvite.cast(x, "float16"), None),
        ("reshape(x, [256])", lambda: sylvite.reshape(x, [256]), None),
        ("stack([row, row])", lambda: sylvite.stack([row, row]), None),
        ("Workspace.run(op)", lambda: ws.run(op), None),
    ]


def nanoseconds(call, seconds):
    """The least of many batches, each of about 200 us."""
    count = 200
    best = float("inf")
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter_ns()
        for _ in range(count):
            call()
        best = min(best, (time.perf_counter_ns() - start) / count)
    return best


def cpp_nanoseconds(program, seconds):
    """Of planned calls in C++: hardly more than their kernels."""
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "overhead.json"
        subprocess.run([program, "overhead", "--filter", "^kib", "--min-time", str(seconds), "--json", out],
                       check=True, stdout=subprocess.DEVNULL)
        found = json.loads(out.read_text(encoding="utf-8"))["families"]["overhead"]["rows"]
    return {row["name"]: row["min_ns"] for row in found}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", required=True, help="sylvite_bench")
    parser.add_argument("--min-time", type=float, default=0.2, help="seconds per row")
    parser.add_argument("--json", type=pathlib.Path)
    arguments = parser.parse_args()
    cpp = cpp_nanoseconds(arguments.program, arguments.min_time)
    print("python: calls on arrays of 1 KiB; beyond: what a planned call in C++ leaves of it")
    print(f"{'call':<34} {'ns':>6} {'beyond':>6}")
    results = []
    for name, call, same in rows():
        taken = nanoseconds(call, arguments.min_time)
        beyond = taken - cpp[f"{same}/planned"] if same else None
        print(f"{name:<34} {taken:>6.0f} {'-' if beyond is None else round(beyond):>6}")
        results.append({"name": name, "min_ns": taken, "beyond_ns": beyond})
    worst = max(row["beyond_ns"] for row in results if row["beyond_ns"] is not None)
    if arguments.json:
        arguments.json.write_text(json.dumps({"families": {"python": {"rows": results}}}, indent=1), encoding="utf-8")
    print(f"python: {worst:.0f} ns beyond the kernel of {LIMIT}{', short' if worst > LIMIT else ''}")
    return worst > LIMIT


if __name__ == "__main__":
    sys.exit(main())
