"""The loops of a kernel, printed by the generator that made it, as its build called it."""

import re
import shlex
import subprocess
import tempfile
from pathlib import Path

import sylvite


class LoopsError(Exception):
    """Why there are none."""


def find_build(given=None):
    """The build directory given, else the one that the package stands in."""
    if given:
        starts = [Path(given).resolve()]
    else:
        starts = Path(sylvite.__file__).resolve().parents, Path(sylvite._core.__file__).resolve().parents
        starts = [folder for chain in starts for folder in chain]
    for folder in starts:
        if (folder / "build.ninja").exists() and (folder / "generators").is_dir():
            return folder
    raise LoopsError(f"{given} is no build of Sylvite" if given else
                     "an installed package has no generators; --build names a build directory of the sources, such as build/release")


def loop_nest(facts, build=None, full=False):
    """Halide's statement of the kernel that explain() named; without the index arithmetic unless full."""
    kernel, target = facts["kernel"], facts["target"]
    if not target or kernel in ("memcpy", "none"):
        raise LoopsError(f"{kernel} is no generated kernel")
    if facts["variant"] == "stream":
        kernel += "_stream"
        name = f"sv_{facts['kernel']}_{target}_stream"
    else:
        name = f"sv_{kernel}_{target}"
    folder = find_build(build)
    command = command_of(folder, name)
    with tempfile.TemporaryDirectory(prefix="sylvite-") as out:
        command[command.index("-e") + 1] = "stmt"
        command[command.index("-o") + 1] = out
        try:
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise LoopsError(f"{command[0]}: {error}") from None
        made = list(Path(out).glob("*.stmt"))
        if done.returncode or not made:
            raise LoopsError(f"{command[0]}: {done.stderr.strip() or f'exit code {done.returncode}'}")
        text = made[0].read_text()
    return text.strip() if full else without_lets(text)


def command_of(folder, name):
    """The generator's call that makes a kernel, out of the build's own file."""
    call = re.compile(rf"(?:^|&& )(\S*/generate_\S+ -g \S+ -f {re.escape(name)} .*?)(?: &&|$)")
    with open(folder / "build.ninja", encoding="utf-8") as file:
        for line in file:
            if name in line and (found := call.search(line.strip())):
                return shlex.split(found[1])
    raise LoopsError(f"{folder} has no kernel {name}; that build is of other targets or sources")


def without_lets(text):
    """Loops, conditions, what is produced and stored."""
    return "\n".join(line for line in text.splitlines() if line.strip() and not re.match(r"module |\s*let ", line))
