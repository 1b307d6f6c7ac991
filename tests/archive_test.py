#!/usr/bin/env python3
"""What libsylvite.a may contain: nothing that runs before main, no heap in CPU kernels, no name of Halide's."""
import argparse
import re
import subprocess
import unittest

# Halide's runtime registers the release of GPU contexts and caches.
MAY_INITIALISE = {"halide_runtime.o"}

parser = argparse.ArgumentParser()
parser.add_argument("--archive", required=True)
parser.add_argument("--nm", required=True)
parser.add_argument("--readelf", required=True)
parser.add_argument("--cpu-targets", nargs="+", required=True)
args = parser.parse_args()


def lines_of(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


def symbols_by_member():
    """[(member, defined names, undefined names)]: members of one name are many."""
    members = []
    for line in lines_of(args.nm, "--format=posix", "--extern-only", args.archive):
        header = re.fullmatch(r".*\[(.*)\]:", line)
        if header:
            members.append((header[1], set(), set()))
        elif line:
            name, kind = line.split()[:2]
            members[-1][2 if kind in "Uw" else 1].add(name)
    return members


class Archive(unittest.TestCase):
    members = symbols_by_member()

    def test_nothing_runs_before_main(self):
        member, guilty = None, []
        for line in lines_of(args.readelf, "--section-headers", "--wide", args.archive):
            header = re.fullmatch(r"File: .*\((.*)\)", line)
            if header:
                member = header[1]
            elif re.search(r"\s\.(init_array|preinit_array|ctors|init)\b", line) and member not in MAY_INITIALISE:
                guilty.append(member)
        self.assertIsNotNone(member)
        self.assertEqual(guilty, [])

    def test_cpu_kernels_never_ask_for_heap_memory(self):
        kernel = re.compile(rf"sv_\w+_({'|'.join(args.cpu_targets)})(_stream)?_argv")
        kernels = [m for m in self.members if any(kernel.fullmatch(name) for name in m[1])]
        for target in args.cpu_targets:
            self.assertTrue(any(n.endswith(f"_{target}_argv") for m in kernels for n in m[1]), f"no kernel for {target}")
        guilty = [sorted(m[1])[0] for m in kernels if any("halide_malloc" in name for name in m[2])]
        self.assertEqual(guilty, [])

    def test_every_name_of_halides_runtime_is_ours(self):
        names = {name for _, defined, undefined in self.members for name in defined | undefined}
        self.assertTrue(any(name.startswith("sv_halide_") for name in names))
        self.assertEqual([n for n in sorted(names) if re.match(r"halide_|_ZN6Halide|_ZTVN6Halide", n)], [])

    def test_every_definition_is_ours_or_mergeable(self):
        """A C name without our prefix could clash with the program's own."""
        names = {name for _, defined, _ in self.members for name in defined}
        foreign = [n for n in sorted(names) if not re.match(r"sv_|sylvite_|_Z|DW\.ref\.", n)]
        self.assertEqual(foreign, [])


if __name__ == "__main__":
    unittest.main(argv=["archive_test"])
