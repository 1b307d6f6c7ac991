"""A build and a runner for tests of the search: their times are made up."""
import random

from sylvite.tuner.build import Group, Kernel
from sylvite.tuner.errors import CandidateFailed
from sylvite.tuner.runner import Runner
from sylvite.tuner.score import combine, score_row

KNOBS = [{"name": "step", "default": 64, "values": [16, 32, 64, 128]}, {"name": "ahead", "default": 0, "values": [0, 1]}]
GROUP = Group("cast_f32_f16", "cast", "cast", (Kernel("cast_f32_f16", "cast", "cast", "cast_f32_f16", (), {"fake": {}}),))


class FakeBuild:
    def __init__(self, build, folder):
        self.code = {}  # KiB by step
        self.real, self.source, self.folder = build, build.source, folder
        self.versions, self.tuned_rows = build.versions, build.tuned_rows

    def knobs(self, group):
        return KNOBS

    def defaults(self, group):
        return {knob["name"]: knob["default"] for knob in KNOBS}

    def code_kib(self, group, target, settings):
        return self.code.get(dict(setting.split("=") for setting in settings).get("step"), 10)

    def program(self, group, target, settings, timed, checked, name="runner"):
        if "step=16" in settings:
            raise CandidateFailed("cast_f32_f16: Error: Vectorization over a serial loop")
        return dict(setting.split("=") for setting in settings)


class FakeRunner(Runner):
    """A candidate is as fast as `speeds` says; what it does not name is the default's speed, up to noise."""

    def __init__(self, speeds=None, noise=.05, wrong=(), interrupt_after=None):
        self.speeds, self.noise, self.wrong, self.interrupt_after = speeds or {}, noise, wrong, interrupt_after
        self.draw, self.timed = random.Random(1), 0

    def chip(self, program):
        return {"chip": "fake", "threads": 2}

    def reached(self, program):
        return [{"row": "f32_f16_16m"}, {"row": "f32_f16_128k"}]

    def check(self, program):
        if program.get("step") in self.wrong:
            raise CandidateFailed("wrong bytes: made up")
        return 1

    def time(self, program, rows, seconds, roof=False, after_row=None):
        self.timed += 1
        if self.interrupt_after is not None and self.timed > self.interrupt_after:
            raise KeyboardInterrupt
        speed = self.speeds.get(program.get("step"), 1.)
        scores = []
        for row in rows:
            pairs = [[1e-3 * self.draw.uniform(1, 1 + self.noise), 1e-3 * self.draw.uniform(1, 1 + self.noise) / speed]
                     for _ in range(31)]
            scores.append(score_row({"row": row, "weight": 1, "bytes": 1 << 20, "roof": 5e-4, "pairs": pairs}))
            if after_row:
                after_row(combine(scores), len(scores))
        return combine(scores)
