#!/usr/bin/env python3
"""Every CUDA kernel assembles for every chip of ptxas, without spilling a register."""
import argparse
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

CHIPS = ["sm_75", "sm_80", "sm_90", "sm_100", "sm_120"]
SKIPPED = 77
SPILL = re.compile(r"(\d+) bytes spill stores, (\d+) bytes spill loads")

parser = argparse.ArgumentParser()
parser.add_argument("--ptxas", required=True)
parser.add_argument("--kernels", required=True, type=Path)
args = parser.parse_args()

if not os.access(args.ptxas, os.X_OK):
    print(f"skipped: no ptxas ({args.ptxas})")
    sys.exit(SKIPPED)

files = sorted(f for pattern in ("*.ptx", "*.device_code") for f in args.kernels.rglob(pattern)
               if b".entry" in f.read_bytes())
if not files:
    sys.exit(f"no CUDA kernel below {args.kernels}")


def assemble(job):
    """(problem or None, functions assembled)"""
    file, chip = job
    # Halide ends its PTX with a zero byte.
    text = file.read_bytes().rstrip(b"\0")
    result = subprocess.run([args.ptxas, "-v", f"-arch={chip}", "-o", os.devnull, "-"], input=text, capture_output=True)
    report = result.stderr.decode() + result.stdout.decode()
    name = f"{file.relative_to(args.kernels)} for {chip}"
    if result.returncode:
        return f"{name}:\n{report}", 0
    spills = SPILL.findall(report)
    if len(spills) < text.count(b".entry"):
        return f"{name}: ptxas reports on {len(spills)} of {text.count(b'.entry')} functions:\n{report}", 0
    if any(pair != ("0", "0") for pair in spills):
        return f"{name} spills:\n{report}", 0
    return None, len(spills)


with ThreadPoolExecutor(os.cpu_count()) as pool:
    results = list(pool.map(assemble, [(file, chip) for file in files for chip in CHIPS]))
problems = [problem for problem, _ in results if problem]
print("\n".join(problems))
print(f"{sum(n for _, n in results)} functions of {len(files)} files for {', '.join(CHIPS)}: {len(problems)} problems")
sys.exit(bool(problems))
