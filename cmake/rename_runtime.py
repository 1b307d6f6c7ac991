"""Lists the symbols a Halide runtime object defines, as renames behind our own prefix.

--syms:   "old new" lines for objcopy --redefine-syms, every global symbol: two runtimes in one
          process must share nothing, and weak symbols of one name would be merged.
--header: the same for C++: #define halide_x sv_halide_x, the C functions only.
"""
import argparse
import pathlib
import subprocess

parser = argparse.ArgumentParser()
for option in ("nm", "prefix", "object", "syms", "header"):
    parser.add_argument("--" + option, required=True)
args = parser.parse_args()

listing = subprocess.run([args.nm, "--defined-only", "--extern-only", "--format=posix", args.object],
                         check=True, capture_output=True, text=True).stdout
names = sorted(line.split()[0] for line in listing.splitlines())
if not names:
    raise SystemExit(f"{args.object}: no symbols; is it a Halide runtime?")
pathlib.Path(args.syms).write_text("".join(f"{n} {args.prefix}{n}\n" for n in names))
pathlib.Path(args.header).write_text(
    "#pragma once\n" + "".join(f"#define {n} {args.prefix}{n}\n" for n in names if n.startswith("halide_")))
