#!/usr/bin/env python3
"""Does what the guides say, to the letter, on a copy of the tracked files.

    follow.py GUIDE.md...      apply the guides one after another, run their commands, check the output
    follow.py --code README.md FILE
                               check that README.md shows FILE as one of its code blocks

A guide's fenced blocks say in their first line what they are for:

    ```cpp file=PATH               a new file
    ```cpp append=PATH             lines to put at the end of a file
    ```cpp insert=PATH after=TEXT  lines to put behind the only line that holds TEXT (rest of the line)
    ```bash run                    commands
    ```text output                 lines that the commands above print, in this order, among others;
                                   … stands for any text

Any other block is for the reader alone.
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^```(?P<info>\S[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


class Mismatch(Exception):
    pass


def blocks(guide):
    """(line number, info string, text) of every fenced block that names its language."""
    content = guide.read_text()
    for match in FENCE.finditer(content):
        line = content.count("\n", 0, match.start()) + 1
        yield line, match["info"].strip(), match["text"]


def copy_of_tracked_files(target):
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True)
    for name in filter(None, names.stdout.split("\0")):
        if (ROOT / name).exists():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    (target / ".venv").symlink_to(ROOT / ".venv")


def insert(path, marker, text):
    lines = path.read_text().splitlines(keepends=True)
    places = [i for i, line in enumerate(lines) if marker in line]
    if len(places) != 1:
        raise Mismatch(f"{path.name} holds '{marker}' in {len(places)} lines, not in one")
    lines.insert(places[0] + 1, text)
    path.write_text("".join(lines))


def run(commands, tree):
    """Output of the commands; shown as it comes."""
    process = subprocess.Popen(["bash", "-euo", "pipefail", "-c", commands], cwd=tree, text=True,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    output = []
    for line in process.stdout:
        sys.stdout.write(line)
        output.append(line.rstrip("\n"))
    if process.wait() != 0:
        raise Mismatch(f"exit status {process.returncode}")
    return output


def check_output(expected, output):
    rest = iter(output)
    for line in expected.splitlines():
        pattern = re.compile(".*".join(re.escape(part) for part in line.strip().split("…")))
        if not any(pattern.fullmatch(got.strip()) for got in rest):
            raise Mismatch(f"the output lacks the line '{line.strip()}' (in this order)")


def follow(guide, tree):
    output = []
    for line, info, text in blocks(guide):
        words = info.split(None, 2)[1:]
        if not words:
            continue
        verb, _, name = words[0].partition("=")
        path = tree / name
        print(f"== {guide.name}:{line}: {' '.join(words)}", flush=True)
        try:
            if verb == "file":
                if path.exists():
                    raise Mismatch(f"{name} is there already")
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            elif verb == "append":
                path.write_text(path.read_text() + "\n" + text)
            elif verb == "insert" and len(words) == 2 and words[1].startswith("after="):
                insert(path, words[1].removeprefix("after="), text)
            elif verb == "run":
                output = run(text, tree)
            elif verb == "output":
                check_output(text, output)
            else:
                raise Mismatch(f"no rule for a block of '{info}'")
        except (Mismatch, OSError) as error:
            raise Mismatch(f"{guide.name}:{line}: {error}") from error


def check_code(readme, source):
    if source.read_text() not in [text for _, _, text in blocks(readme)]:
        raise Mismatch(f"no code block of {readme.name} is equal to {source.name}")


def main(arguments):
    if not arguments:
        print(__doc__)
        return 2
    try:
        if arguments[0] == "--code":
            check_code(*map(pathlib.Path, arguments[1:]))
            return 0
        with tempfile.TemporaryDirectory(prefix="guides-") as folder:
            tree = pathlib.Path(folder) / "sylvite"
            tree.mkdir()
            copy_of_tracked_files(tree)
            for guide in arguments:
                follow(pathlib.Path(guide), tree)
    except Mismatch as error:
        print(f"guides: {error}", file=sys.stderr)
        return 1
    print("guides: " + ", ".join(pathlib.Path(guide).name for guide in arguments) + " hold")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
