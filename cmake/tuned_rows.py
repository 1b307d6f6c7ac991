#!/usr/bin/env python3
"""Checks a file of tuned rows; prints a line per row that this build takes: the kernel, then knob=value ….

A row that another schema or Halide version was measured with gives way to the default, with a warning.
"""
import argparse
import json
import re
import sys
from pathlib import Path

FIELDS = ("kernel", "knobs", "verdict", "score", "roof", "shapes", "chip", "threads", "versions", "date")
NAME = re.compile(r"[a-z][a-z0-9_]*")


def unique(pairs):
    """Of an object's pairs, a dict; a key that stands twice is an error."""
    for i, (key, _) in enumerate(pairs):
        if any(key == other for other, _ in pairs[:i]):
            raise ValueError(f"'{key}' stands twice")
    return dict(pairs)


def is_count(value):
    return isinstance(value, int) and not isinstance(value, bool)


def row_fault(row):
    """Why a row cannot be taken, or None."""
    if not isinstance(row, dict) or not isinstance(row.get("kernel"), str) or not NAME.fullmatch(row["kernel"]):
        return "is no object with a kernel's name"
    missing = [field for field in FIELDS if field not in row]
    if missing:
        return f"({row['kernel']}) has no {', '.join(missing)}"
    unknown = [field for field in row if field not in FIELDS]
    if unknown:
        return f"({row['kernel']}) has unknown {', '.join(unknown)}"
    if not isinstance(row["knobs"], dict):
        return f"({row['kernel']}): knobs is no object"
    for knob, value in row["knobs"].items():
        if not NAME.fullmatch(knob) or not is_count(value):
            return f"({row['kernel']}): knob '{knob}' is {json.dumps(value)}, want a whole number"
    versions = row["versions"]
    if not isinstance(versions, dict) or not {"schema", "halide", "llvm"} <= versions.keys():
        return f"({row['kernel']}): versions wants schema, halide and llvm"
    return None


def read(path, target):
    """The rows of a file; ValueError says what is wrong with it."""
    content = json.loads(path.read_text(), object_pairs_hook=unique)
    if not isinstance(content, dict) or content.keys() != {"target", "rows"} or not isinstance(content["rows"], list):
        raise ValueError("want an object of target and rows, a list")
    if content["target"] != target:
        raise ValueError(f"target is '{content['target']}', want '{target}' as the file's name says")
    names = set()
    for i, row in enumerate(content["rows"]):
        fault = row_fault(row)
        if fault:
            raise ValueError(f"row {i + 1} {fault}")
        if row["kernel"] in names:
            raise ValueError(f"row {i + 1}: '{row['kernel']}' has a row already")
        names.add(row["kernel"])
    return content["rows"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("file", type=Path)
    for option in ("target", "halide"):
        parser.add_argument("--" + option, required=True)
    parser.add_argument("--schema", required=True, type=int)
    args = parser.parse_args()
    try:
        rows = read(args.file, args.target)
    except (OSError, ValueError) as error:
        sys.exit(f"{args.file}: malformed: {error}")
    for row in rows:
        versions = row["versions"]
        if versions["schema"] != args.schema or versions["halide"] != args.halide:
            print(f"{args.file}: {row['kernel']} was tuned with schema {versions['schema']} and Halide "
                  f"{versions['halide']}, this build has {args.schema} and {args.halide}: the default runs; "
                  "./x tune measures anew", file=sys.stderr)
            continue
        print(row["kernel"], *(f"{knob}={value}" for knob, value in sorted(row["knobs"].items())))


if __name__ == "__main__":
    main()
