"""Runs the runner, here or on another machine."""
import contextlib
import json
import os
import shlex
import signal
import subprocess
import tempfile
import threading

from .errors import CandidateFailed
from .score import combine, score_row


def next_line(process, silence, give_up):
    """Of the process's output; empty at its end. give_up() where it takes longer than `silence` seconds."""
    timer = threading.Timer(silence, give_up)
    timer.start()
    try:
        return process.stdout.readline()
    finally:
        timer.cancel()


class Runner:
    """`prefix` stands before the program: qemu-aarch64, or a script that copies it to a board and runs it there."""

    def __init__(self, target, prefix="", threads=None):
        self.prefix = shlex.split(prefix)
        self.options = ["--target", target] + (["--threads", str(threads)] if threads else [])

    def lines(self, program, *arguments, silence=600):
        """The objects that the program prints, as they come. One that says nothing for `silence` seconds hangs."""
        command = [*self.prefix, str(program), *map(str, arguments), *self.options]
        # A session of its own: what a prefix starts ends with it. Messages in a file: nobody empties a pipe meanwhile.
        with tempfile.TemporaryFile("w+", errors="replace") as messages, subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=messages, text=True,
                errors="replace", start_new_session=True) as process:
            silent, hung = f"the runner said nothing for {silence} s", threading.Event()

            def end():
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)

            def give_up():
                hung.set()
                end()

            try:
                while line := next_line(process, silence, give_up):
                    if line.startswith("{"):
                        yield json.loads(line)
                status = process.wait(silence)
            except json.JSONDecodeError as error:
                raise CandidateFailed(f"the runner printed no JSON: {error}") from None
            except subprocess.TimeoutExpired:
                raise CandidateFailed(silent) from None
            finally:
                if process.poll() is None:
                    end()
            messages.seek(0)
            if status not in (0, 3):
                last = (messages.read().strip() or "no message").splitlines()[-1]
                raise CandidateFailed(silent if hung.is_set() else f"the runner ended with {status}: {last}")

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
