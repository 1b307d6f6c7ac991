"""Runs the runner, here or on another machine."""
import json
import shlex
import subprocess

from .errors import CandidateFailed
from .score import combine, score_row


class Runner:
    """`prefix` stands before the program: qemu-aarch64, or a script that copies it to a board and runs it there."""

    def __init__(self, target, prefix="", threads=None):
        self.prefix = shlex.split(prefix)
        self.options = ["--target", target] + (["--threads", str(threads)] if threads else [])

    def lines(self, program, *arguments, timeout=600):
        """The objects that the program prints, as they come."""
        command = [*self.prefix, str(program), *map(str, arguments), *self.options]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   text=True)
        try:
            for line in process.stdout:
                if line.startswith("{"):
                    yield json.loads(line)
            _, said = process.communicate(timeout=timeout)
        except GeneratorExit:
            return
        except json.JSONDecodeError as error:
            raise CandidateFailed(f"the runner printed no JSON: {error}") from None
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            process.stdout.close()
            process.stderr.close()
        if process.returncode not in (0, 3):
            last = (said.strip() or "no message").splitlines()[-1]
            raise CandidateFailed(f"the runner ended with {process.returncode}: {last}")

    def chip(self, program):
        return next(self.lines(program, "chip"))

    def reached(self, program):
        """The names of the timed rows that reach the kernels."""
        return list(self.lines(program, "list"))

    def check(self, program, rows=()):
        """How many shapes have been compared. CandidateFailed: a byte differs, or, unless `rows` are named, a kernel
        never ran."""
        said = list(self.lines(program, "check", *([",".join(rows)] if rows else [])))
        if not said:
            raise CandidateFailed("the check printed nothing")
        said = said[-1]
        if "wrong" in said:
            raise CandidateFailed(f"wrong bytes: '{said['wrong']}' differs from the default at byte {said['byte']} of "
                                  f"{said['bytes']}{', streaming' if said['streaming'] else ''}")
        if said["idle"] and not rows:
            raise CandidateFailed(f"not checked: no shape reaches {', '.join(said['idle'])}")
        return said["checked"]

    def time(self, program, rows, seconds, roof=False, after_row=None, options=()):
        """The score over rows; after_row(score so far, rows done) may raise to end early."""
        scores = []
        for said in self.lines(program, "time", ",".join(rows), "--seconds", seconds, *(["--roof"] if roof else []),
                               *options):
            scores.append(score_row(said))
            if after_row:
                after_row(combine(scores), len(scores))
        if len(scores) != len(rows):
            raise CandidateFailed(f"{len(scores)} of {len(rows)} rows were timed")
        return combine(scores)
