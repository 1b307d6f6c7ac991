#!/usr/bin/env python3
"""Sizes of what is linked, and whether they stay.

    size.py --build DIR --size TOOL --cxx COMPILER --include DIR --program SOURCE [--one-target DIR] [--limits FILE]

prints text (code and constants) and data per target and family, per archive, and of programs that use
one operator, over an empty one. --limits checks them instead: lines "what KiB".
"""
import argparse
import collections
import pathlib
import re
import subprocess
import tempfile

KIB = 1024
KERNEL_GOAL = 1536 * KIB
PROGRAM_GOAL = 250 * KIB

parser = argparse.ArgumentParser()
for option in ("build", "size", "cxx", "include", "program"):
    parser.add_argument("--" + option, required=True, type=pathlib.Path)
parser.add_argument("--limits", type=pathlib.Path)
parser.add_argument("--one-target", type=pathlib.Path, help="a build of one CPU target")
args = parser.parse_args()


def text_and_data(*files):
    """[(text, data)] of objects or programs, in order."""
    listing = subprocess.run([args.size, *files], check=True, capture_output=True, text=True).stdout
    return [tuple(map(int, line.split()[:2])) for line in listing.splitlines()[1:]]


def total(sizes):
    return tuple(map(sum, zip((0, 0), *sizes)))


def kernel_sizes():
    """{target: {family: [(kernel, text, data)]}}"""
    families = dict(reversed(line.split()) for line in (args.build / "generated/kernels.txt").read_text().splitlines())
    sizes = {}
    for folder in sorted(path for path in (args.build / "kernels").iterdir() if path.is_dir()):
        objects = [o for o in sorted(folder.glob("*.o")) if o.stem.removesuffix("_stream") in families]
        if not objects:
            continue
        target = sizes.setdefault(folder.name, collections.defaultdict(list))
        for path, (text, data) in zip(objects, text_and_data(*objects)):
            target[families[path.stem.removesuffix("_stream")]].append((path.stem, text, data))
    return sizes


def linked_parts(map_file):
    """{member of the archive: bytes} of a linker's map."""
    parts = collections.Counter()
    place = re.compile(r"0x0*([1-9a-f][0-9a-f]*)\s+0x([0-9a-f]+)\s+\S*libsylvite\.a\(([^)]*)\)")
    linked = map_file.read_text().partition("Linker script and memory map")[2]
    for _, size, member in place.findall(linked):
        parts[member.removesuffix(".o")] += int(size, 16)
    return parts


def program_size(archive):
    """(text, data) of the program over an empty one, and what it took from the archive."""
    with tempfile.TemporaryDirectory() as folder:
        empty = pathlib.Path(folder, "empty.cpp")
        empty.write_text("int main() {}\n")
        sizes = []
        for source, libraries in ((empty, []), (args.program, [archive, "-lpthread", "-ldl"])):
            program = pathlib.Path(folder, "program")
            subprocess.run([args.cxx, "-std=c++20", "-O2", "-I", args.include, source, *libraries,
                            "-Wl,--gc-sections", f"-Wl,-Map,{folder}/map", "-o", program], check=True)
            subprocess.run([program], check=True)
            sizes += text_and_data(program)
        parts = linked_parts(pathlib.Path(folder, "map"))
    return tuple(with_it - without for with_it, without in zip(sizes[1], sizes[0])), parts


def kib(size):
    return f"{size / KIB:.0f}"


def stem_of(kernel):
    """The generator's name in a kernel's: space_to_batch of space_to_batch_b2_u32_stream."""
    return re.sub(r"(_b\d)?_(u\d+|b?[fi]\d+(_\w+)?|bool_\w+)(_stream)?$", "", kernel)


def largest(parts, kernels):
    """What a program is made of: generators, Halide's runtime, ours."""
    sums = collections.Counter()
    for member, size in parts.items():
        sums[stem_of(member) if member in kernels else "Halide's runtime" if member == "halide_runtime" else "our runtime"] += size
    return ", ".join(f"{name} {size / KIB:.0f}" for name, size in sums.most_common(8))


def against(size, goal):
    return "reached" if size <= goal else f"missed by {(size - goal) / KIB:.0f} KiB"


def table(headings, rows):
    width = max(len(row[0]) for row in [headings, *rows])
    for cells in [headings, *rows]:
        print(cells[0].ljust(width), *(cell.rjust(max(len(heading), 6)) for cell, heading in zip(cells[1:], headings[1:])))


def row(name, sizes):
    return [name, *(kib(size) for size in sizes)]


def report(sizes):
    print("Kernels of a target, KiB of text (code and constants) by family\n")
    targets = list(sizes)
    families = sorted({family for target in sizes.values() for family in target})
    rows = []
    for family in families:
        rows.append(row(family, [sum(text for _, text, _ in sizes[target][family]) for target in targets]))
    sums = {target: total((t, d) for kernels in sizes[target].values() for _, t, d in kernels) for target in targets}
    rows += [row(what, [sums[target][i] for target in targets]) for i, what in enumerate(("text", "data"))]
    table(["family", *targets], rows)
    print("\ndata is Halide's description of each kernel: no program links it.")
    print(f"\nGoal: {KERNEL_GOAL // KIB} KiB of text for the kernels of one CPU target")
    for target in targets:
        if target.startswith(("cuda", "opencl")):
            continue
        print(f"  {target:20} {kib(sums[target][0]):>6} KiB: {against(sums[target][0], KERNEL_GOAL)}")
        stems = collections.Counter()
        for kernels in sizes[target].values():
            for kernel, text, _ in kernels:
                stems[stem_of(kernel)] += text
        print("    the largest: " + ", ".join(f"{stem} {text / KIB:.0f}" for stem, text in stems.most_common(4)))

    print("\nArchives, KiB\n")
    parts = {"libsylvite.a": [args.build / "libsylvite.a"],
             "  of it our runtime": sorted(args.build.glob("CMakeFiles/sylvite.dir/runtime/**/*.o")),
             "  of it Halide's runtime": [args.build / "kernels/halide_runtime.o"]}
    parts |= {archive.name: [archive] for archive in sorted(args.build.glob("libsylvite_*.a"))}
    table(["archive", "text", "data"], [row(name, total(text_and_data(*files))) for name, files in parts.items()])

    print("\nA program that calls space_to_batch, over an empty one, KiB\n")
    builds = [("every target", args.build)]
    if args.one_target:
        builds.append(("x86_64_avx2 alone", args.one_target))
    programs = [(name, program_size(build / "libsylvite.a")) for name, build in builds]
    table(["targets", "text", "data"], [row(name, size) for name, (size, _) in programs])
    print(f"\nGoal: {PROGRAM_GOAL // KIB} KiB")
    kernels = {kernel for families in sizes.values() for rows in families.values() for kernel, _, _ in rows}
    for name, (size, parts) in programs:
        print(f"  {name:20} {kib(sum(size)):>6} KiB: {against(sum(size), PROGRAM_GOAL)}")
        print(f"    made of: {largest(parts, kernels)}")
    parts = programs[-1][1][1]
    streams = sum(size for member, size in parts.items() if member.endswith("_stream"))
    rare = sum(size for member, size in parts.items() if re.search("_b[56]_", member))
    print(f"\nLower, for the last of these, at the price of speed: without streaming twins {streams / KIB:.0f} KiB less,"
          f"\nwithout kernels of their own for blocks 5 and 6 {rare / KIB:.0f} KiB less.")


def check(sizes):
    """Every limit of the file, by the names that follow."""
    got = {f"kernels {target}": total((t, d) for kernels in families.values() for _, t, d in kernels)[0]
           for target, families in sizes.items()}
    got["program space_to_batch"] = sum(program_size(args.build / "libsylvite.a")[0])
    failed = False
    limits = [line.rsplit(None, 1) for line in args.limits.read_text().splitlines() if line and line[0] != "#"]
    for what, limit in limits:
        if what not in got:
            continue  # a target that this build lacks
        verdict = "ok" if got[what] <= int(limit) * KIB else "too large"
        failed |= verdict != "ok"
        print(f"{what}: {got[what] / KIB:.0f} KiB of {limit}: {verdict}")
    missing = set(got) - {what for what, _ in limits}
    if missing:
        raise SystemExit(f"no limit for {', '.join(sorted(missing))} in {args.limits}")
    return failed


sizes = kernel_sizes()
if args.limits:
    raise SystemExit(check(sizes))
report(sizes)
