"""make_venv.py VENV: builds the wheel, and a venv with the wheel and what it needs in it. Prints the path of
its interpreter."""

import hashlib
import pathlib
import re
import shutil
import subprocess
import sys
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
WHEELS = ROOT / "build/wheels"
NEEDS = ["click", "markdown-it-py", "mdurl", "ml-dtypes", "numpy", "pygments", "rich"]


def pip(python, *arguments):
    command = [python, "-m", "pip", "-q", "--disable-pip-version-check", "--no-input", *arguments]
    subprocess.run(command, check=True, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=sys.stderr)


def pinned():
    """The entries of requirements.txt, with their hashes, of what the wheel needs."""
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    entries = re.findall(r"^([\w.-]+)(==(?:.*\\\n)*.*\n)", text, re.MULTILINE)
    return "".join(name + rest for name, rest in entries if name in NEEDS)


def contents(wheel):
    """The same for the same files, whenever they were packed."""
    with zipfile.ZipFile(wheel) as files:
        return repr(sorted((entry.filename, entry.CRC) for entry in files.infolist()))


def main(venv):
    shutil.rmtree(WHEELS, ignore_errors=True)
    # The tools of .venv build it: nothing is downloaded for that.
    pip(sys.executable, "wheel", "--no-build-isolation", "--no-deps", "-w", str(WHEELS), ".")
    (wheel,) = WHEELS.glob("*.whl")
    requirements = pinned()
    stamp = venv / "stamp"
    state = hashlib.sha256((contents(wheel) + requirements).encode()).hexdigest()
    python = venv / "bin/python"
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != state:
        shutil.rmtree(venv, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        (venv / "requirements.txt").write_text(requirements, encoding="utf-8")
        pip(python, "install", "--only-binary", ":all:", "--require-hashes", "--no-deps",
            "-r", str(venv / "requirements.txt"))
        pip(python, "install", "--no-deps", str(wheel))
        stamp.write_text(state, encoding="utf-8")
    subprocess.run([python, "-c", "import sylvite"], check=True, cwd="/")
    print(python.relative_to(ROOT))


if __name__ == "__main__":
    main(ROOT / sys.argv[1])
