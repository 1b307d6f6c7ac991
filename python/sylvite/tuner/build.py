"""The source tree and its builds: which kernels there are, their knobs, and programs that run candidates."""
import concurrent.futures
import hashlib
import importlib.util
import json
import os
import platform
import re
import shutil
import subprocess
import tempfile
import weakref
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from .errors import CandidateFailed, TunerError


def find_source(given=None):
    """The source tree: what was given, else the one that this file or the working folder is in."""
    if given:
        starts = [Path(given)]
    else:
        starts = [Path.cwd(), *Path.cwd().parents, *Path(__file__).resolve().parents]
    for start in starts:
        if (start / "schedules/knob.h").exists():
            return start.resolve()
    raise TunerError(f"{given or Path.cwd()} is no source tree of Sylvite: kernels are tuned in one; --source names it")


@dataclass(frozen=True)
class Kernel:
    name: str
    family: str
    generator: str
    group: str
    params: tuple
    targets: dict = field(hash=False, compare=False)


@dataclass(frozen=True)
class Group:
    """Kernels that differ in the block alone; they share knobs."""
    name: str
    family: str
    generator: str
    kernels: tuple


def run_tool(command, what, timeout=300):
    """Runs a step of a build; its message where it fails is the candidate's."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        raise CandidateFailed(f"{what}: took longer than {timeout} s") from None
    if done.returncode:
        lines = (done.stderr.strip() or done.stdout.strip() or f"exit status {done.returncode}").splitlines()
        said = next((line for line in lines if "rror" in line), lines[0])
        raise CandidateFailed(f"{what}: {said.strip().removeprefix('Unhandled exception: ')}")
    return done.stdout


class Build:
    """A configured build of this machine, which makes the kernels, and the one that links for the target."""

    def __init__(self, source, kernels_from="build/release", jobs=None):
        self.source = source
        self.folder = source / kernels_from
        self.jobs = jobs or os.cpu_count()
        manifest = self.folder / "generated/kernels.json"
        if not manifest.exists():
            raise TunerError(f"{manifest} is missing: ./x test or ./x tune builds it")
        self.manifest = json.loads(manifest.read_text())

    @cached_property
    def groups(self):
        found = {}
        for name, facts in self.manifest["kernels"].items():
            kernel = Kernel(name, facts["family"], facts["generator"], facts["group"], tuple(facts["params"]),
                            facts["targets"])
            found.setdefault(kernel.group, []).append(kernel)
        return {name: Group(name, kernels[0].family, kernels[0].generator, tuple(kernels))
                for name, kernels in found.items()}

    @property
    def targets(self):
        return self.manifest["targets"]

    def groups_of(self, target, wanted=None):
        """The groups that have knobs on a target; `wanted` names groups or kernels, or patterns of them."""
        if target not in self.targets:
            raise TunerError(f"there is no target '{target}', only {', '.join(self.targets)}")
        here = [group for group in self.groups.values() if any(target in k.targets for k in group.kernels)]
        if not here:
            raise TunerError(f"{self.folder} has no kernel for {target}: it builds {', '.join(self.manifest['linked'])}")
        if wanted:
            pattern = re.compile(wanted)
            here = [group for group in here if pattern.fullmatch(group.name)
                    or any(pattern.fullmatch(kernel.name) for kernel in group.kernels)]
            if not here:
                raise TunerError(f"no kernel for {target} is called '{wanted}'")
        tuned = [group for group in here if self.knobs(group)]
        if not tuned:
            raise TunerError(f"{', '.join(group.name for group in here)}: the schedule has no knobs")
        return tuned

    def generator(self, family):
        path = self.folder / "generators" / f"generate_{family}"
        if not path.exists():
            raise TunerError(f"{path} is missing: build it with ninja -C {self.folder} generate_{family}")
        return path

    @cached_property
    def _knobs(self):
        return {}

    def knobs(self, group):
        """[{"name": …, "default": …, "values": […]}, …]"""
        if group.family not in self._knobs:
            said = run_tool([self.generator(group.family), "--knobs"], f"generate_{group.family} --knobs")
            self._knobs[group.family] = json.loads(said)
        return self._knobs[group.family][group.generator]

    def defaults(self, group):
        return {knob["name"]: knob["default"] for knob in self.knobs(group)}

    @cached_property
    def versions(self):
        library = next(self.source.glob(".venv/lib/python3*/site-packages/halide/lib64/libHalide.so"), None)
        found = re.search(rb"LLVM version ([0-9.]+)", library.read_bytes()) if library else None
        return {"schema": self.manifest["schema"], "halide": self.manifest["halide"],
                "llvm": found[1].decode() if found else "unknown"}

    @cached_property
    def tuned_rows(self):
        """cmake/tuned_rows.py, which knows the format of schedules/tuned."""
        spec = importlib.util.spec_from_file_location("tuned_rows", self.source / "cmake/tuned_rows.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    # --- objects ---------------------------------------------------------------------------------

    @cached_property
    def _digests(self):
        return {}

    def digest(self, family):
        """Of all that a kernel of the family is made by."""
        if family not in self._digests:
            together = hashlib.sha256(self.generator(family).read_bytes())
            together.update((self.source / "cmake/stream_stores.py").read_bytes())
            self._digests[family] = together.hexdigest()[:16]
        return self._digests[family]

    def objects(self, kernel, target, role, settings):
        """A kernel under the name sv_<kernel>_<target>_<role>, and its streaming twin where it has one.

        `settings` are the generator's arguments beside the kernel's own."""
        facts = kernel.targets[target]
        key = hashlib.sha256(" ".join([self.digest(kernel.family), facts["halide"], *kernel.params, *settings]).encode())
        folder = self.folder / "tune/objects" / target / kernel.name / key.hexdigest()[:16]
        name, function = f"{kernel.name}_{role}", f"sv_{kernel.name}_{target}_{role}"
        wanted = [folder / f"{name}.o"] + [folder / f"{name}_stream.o"] * facts["stream"]
        if all(path.exists() for path in wanted):
            return wanted
        folder.mkdir(parents=True, exist_ok=True)
        arguments = [f"target={facts['halide']}", *kernel.params, *settings]
        rename = self.folder / "kernels/rename.syms"
        # Written beside, then moved: another thread or process may make the same.
        with tempfile.TemporaryDirectory(prefix="part-", dir=folder) as part:
            generate = [self.generator(kernel.family), "-g", kernel.generator, "-o", part]
            run_tool([*generate, "-f", function, "-n", name, "-e", "object", *arguments], kernel.name)
            if target in self.manifest["linked"]:
                run_tool(["objcopy", f"--redefine-syms={rename}", f"{part}/{name}.o"], kernel.name)
            if facts["stream"]:
                run_tool([*generate, "-f", f"{function}_stream", "-n", f"{name}_stream", "-e", "llvm_assembly", *arguments,
                          "stream=true"], kernel.name)
                run_tool([self.source / ".venv/bin/python3", self.source / "cmake/stream_stores.py",
                          f"{part}/{name}_stream.ll", "--function", f"{function}_stream", "--buffer", "y",
                          "--object", f"{part}/{name}_stream.o", "--rename", rename], kernel.name)
            for path in wanted:
                os.replace(f"{part}/{path.name}", path)
        return wanted

    def code_kib(self, group, target, settings):
        """Of a group's objects on disk."""
        paths = [path for kernel in group.kernels if target in kernel.targets
                 for path in self.objects(kernel, target, "trial", settings)]
        return sum(path.stat().st_size for path in paths) / 1024

    # --- programs --------------------------------------------------------------------------------

    @cached_property
    def programs(self):
        """The folder where this process links; gone with it."""
        (self.folder / "tune").mkdir(exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix="run-", dir=self.folder / "tune"))
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        return folder

    def link_folder(self, target):
        arch = self.targets[target]["arch"]
        if arch == platform.machine():
            return self.folder
        return self.source / "build" / {"aarch64": "cross-arm64"}.get(arch, f"cross-{arch}")

    def program(self, group, target, settings, timed, checked, name="runner"):
        """A static program that holds the default kernels of a group and the candidate's."""
        kernels = [kernel for kernel in group.kernels if target in kernel.targets]
        with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
            jobs = [(kernel, role, given) for kernel in kernels for role, given in
                    (("trial", settings), *((("base", ()),) if kernel.targets[target]["knobs"] else ()))]
            made = list(pool.map(lambda job: self.objects(job[0], target, job[1], job[2]), jobs))
        objects = [path for paths in made for path in paths]
        return self.link(f"{target}/{group.name}/{name}", target, switch_entries(kernels, target), objects, timed, checked)

    def link(self, place, target, entries, objects, timed, checked):
        """A runner with these switches, in a folder of this process."""
        folder = self.link_folder(target)
        library, runner = folder / "libsylvite.a", folder / "bench/runner/libsylvite_runner.a"
        for path in (library, runner):
            if not path.exists():
                raise TunerError(f"{path} is missing: ninja -C {folder} sylvite sylvite_runner")
        compiler = json.loads((folder / "generated/kernels.json").read_text())["compiler"]
        program = self.programs / place
        program.parent.mkdir(parents=True, exist_ok=True)
        source = program.with_suffix(".cpp")
        source.write_text(switch_source(entries, timed, checked))
        run_tool([compiler, "-std=c++20", "-O1", f"-I{self.source / 'bench'}", "-c", source, "-o", program.with_suffix(".o")],
                 "the switch")
        # A static program cannot load libraries: it is told that this machine has no GPU's.
        static = ["-static"] if self.targets[target]["device"] == "cpu" else []
        static_wrap = ["-Wl,--wrap=dlopen"] if static else []
        wraps = [f"-Wl,--wrap={entry}_argv" for _, entry, _ in entries]
        run_tool([compiler, *static, "-s", "-Wl,--gc-sections", *wraps, *static_wrap, "-o", program, program.with_suffix(".o"),
                  *objects, runner, library, "-lpthread", "-ldl"], "linking")
        return program


def switch_entries(kernels, target):
    """(shown name, entry of the dispatch table, whether its default is made apart) per entry point."""
    entries = []
    for kernel in kernels:
        facts = kernel.targets[target]
        for twin in ("", "_stream") if facts["stream"] else ("",):
            entries.append((kernel.name + twin, f"sv_{kernel.name}_{target}{twin}", bool(facts["knobs"])))
    return entries


def role_of(entry, role):
    stem = entry.removesuffix("_stream")
    return f"{stem}_{role}{entry.removeprefix(stem)}_argv"


def switch_source(entries, timed, checked):
    """What bench/runner/switch.h wants of each program."""
    declarations, table, wraps = [], [], []
    for i, (name, entry, apart) in enumerate(entries):
        default = role_of(entry, "base") if apart else f"__real_{entry}_argv"
        candidate = role_of(entry, "trial")
        declarations += [f"int {default}(void** args);", f"int {candidate}(void** args);"]
        table.append(f'    {{"{name}", {{{default}, {candidate}}}, {{0, 0}}}},')
        wraps.append(f"int __wrap_{entry}_argv(void** args) {{ return sylvite_runner::call("
                     f"sylvite_runner::switches[{i}], args); }}")

    def lines(which, rows):
        body = [f'    {{{family}, "{text}"}},' for family, text in rows] or ["    {nullptr, nullptr},"]
        return [f"const Line {which}[] = {{", *body, "};", f"const int {which}Count = {len(rows)};"]

    return "\n".join(['#include "runner/switch.h"', 'extern "C" {', *declarations, "}", "namespace sylvite_runner {",
                      "Switch switches[] = {", *(table or ["    {nullptr, {nullptr, nullptr}, {0, 0}},"]), "};", f"const int kSwitchCount = {len(entries)};",
                      *lines("kTimed", timed), *lines("kChecked", checked), "}", 'extern "C" {', *wraps,
                      "void* __wrap_dlopen(const char*, int) { return nullptr; }", "}", ""])
