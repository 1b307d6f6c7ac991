"""The search for the best knobs of one group of kernels on one target."""
import math
import random
import time
import warnings
from dataclasses import dataclass, field

import optuna
import sqlalchemy

from . import lines, records
from .errors import CandidateFailed, TunerError
from .score import combine, pool

optuna.logging.set_verbosity(optuna.logging.ERROR)

SCREEN_SECONDS = 5   # of timing per trial
CONFIRM_SECONDS = 15  # of timing for the best one, measured anew: the best of many looks better than it is
MOST_GRID = 30
PROCESSES = 5  # that share the time where a row is confirmed or checked
KIB_PER_PERCENT = 16  # of objects on disk that a percent of speed may cost: code takes room in every program


@dataclass
class Settings:
    trials: int = 0        # 0: all of a small grid, else 24
    deadline: float = math.inf
    sampler: str = ""      # "": grid where it is small
    storage: str = ""
    join: bool = False
    seconds: float = SCREEN_SECONDS
    confirm_seconds: float = CONFIRM_SECONDS
    shapes: object = None  # a folder of <family>.txt
    records: object = None  # a folder of <target>.json
    events: object = field(default_factory=lambda: lambda *_: None)


def default_storage(build):
    folder = build.folder / "tune"
    folder.mkdir(parents=True, exist_ok=True)
    return f"sqlite:///{folder / 'studies.db'}"


def open_storage(url):
    """Several processes may make the tables of one data base at a time: all but one begin again."""
    for _ in range(9):
        try:
            return optuna.storages.get_storage(url)
        except (sqlalchemy.exc.IntegrityError, sqlalchemy.exc.OperationalError):
            time.sleep(random.uniform(.1, .6))
    return optuna.storages.get_storage(url)


def study_name(target, group, digest):
    return f"{target}/{group.name}/{digest.removeprefix('sha256:')}"


def make_sampler(name, space, seed=None):
    size = math.prod(len(values) for values in space.values())
    name = name or ("grid" if size <= MOST_GRID else "tpe")
    if name == "grid":
        return name, size, optuna.samplers.GridSampler(space, seed=seed)
    return name, size, (optuna.samplers.RandomSampler(seed) if name == "random" else optuna.samplers.TPESampler(seed=seed))


class Search:
    def __init__(self, build, group, target, runner, settings):
        self.build, self.group, self.target, self.runner, self.settings = build, group, target, runner, settings
        self.defaults = build.defaults(group)
        self.space = {knob["name"]: knob["values"] for knob in build.knobs(group)}
        self.checked = lines.checked_lines(group)
        candidates = lines.timed_lines(build.source, group, settings.shapes)
        program = build.program(group, target, (), candidates, self.checked, "probe")
        self.chip = runner.chip(program)
        reached = {said["row"] for said in runner.reached(program)}
        self.timed = [(family, line) for family, line in candidates if line.split()[0] in reached]
        # Small ones first: what a candidate loses there is known before the long rows run.
        self.rows = [line.split()[0] for _, line in self.timed]
        self.digest = lines.digest(self.timed)
        self.best = None

    def settings_of(self, knobs):
        return tuple(f"{name}={value}" for name, value in sorted(knobs.items()) if value != self.defaults[name])

    def measure(self, knobs, seconds, after_row=None):
        """Checked, then timed against the default."""
        return self.runner.time(self.checked_program(knobs), self.rows, seconds, after_row=after_row)

    def measure_anew(self, knobs, seconds, roof=False):
        """The same in several processes; the worst of many rows looks worse than it is, and is measured once more."""
        program = self.checked_program(knobs)

        def time_rows(names, seconds):
            return pool([self.runner.time(program, names, seconds / PROCESSES, roof) for _ in range(PROCESSES)])

        score = time_rows(self.rows, seconds)
        if losers := [row.name for row in score.losers]:
            again = {row.name: row for row in time_rows(losers, seconds * len(losers) / len(self.rows)).rows}
            score = combine([again.get(row.name, row) for row in score.rows])
        return score

    def checked_program(self, knobs):
        program = self.build.program(self.group, self.target, self.settings_of(knobs), self.timed, self.checked)
        self.runner.check(program)
        return program

    def too_much_code(self, knobs, ratio):
        """Why a candidate of this speed is not worth its code; None where it is."""
        more = (self.build.code_kib(self.group, self.target, self.settings_of(knobs))
                - self.build.code_kib(self.group, self.target, ()))
        return f"{more:.0f} KiB more code for {ratio - 1:.1%}" if more > KIB_PER_PERCENT * 100 * (ratio - 1) else None

    def open_study(self):
        storage = self.settings.storage or default_storage(self.build)
        name = study_name(self.target, self.group, self.digest)
        sampler_name, size, sampler = make_sampler(self.settings.sampler, self.space)
        pruner = optuna.pruners.PercentilePruner(25, n_startup_trials=4, n_warmup_steps=max(2, len(self.rows) // 3))
        storage = open_storage(storage)
        if not self.settings.join and name in {known.study_name for known in storage.get_all_studies()}:
            if self.settings.storage:
                raise TunerError(f"the storage holds {name} already: --resume joins it")
            optuna.delete_study(study_name=name, storage=storage)
        study = optuna.create_study(study_name=name, storage=storage, sampler=sampler, pruner=pruner,
                                    direction="maximize", load_if_exists=True)
        study.set_user_attr("rows", self.rows)
        return study, (min(size, self.settings.trials) if self.settings.trials and sampler_name == "grid"
                       else size if sampler_name == "grid" else self.settings.trials or min(24, size))

    def known(self, study, knobs):
        """The value of an earlier trial of the same knobs."""
        for trial in study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,)):
            if trial.params == knobs:
                return trial.value
        return None

    def objective(self, study, trial):
        knobs = {name: trial.suggest_categorical(name, values) for name, values in self.space.items()}
        value = 1. if knobs == self.defaults else self.known(study, knobs)
        if value is not None:
            return value

        def after_row(score, done):
            trial.report(score.ratio, done)
            self.settings.events("row", self, knobs, done)
            if trial.should_prune():
                raise optuna.TrialPruned()

        try:
            score = self.measure(knobs, self.settings.seconds, after_row=after_row)
        except CandidateFailed as failure:
            trial.set_user_attr("failed", str(failure))
            raise
        trial.set_user_attr("score", {row.name: [row.gain, row.spread] for row in score.rows})
        return score.ratio

    def run(self):
        """The trials, then the verdict: (knobs that differ from the default, verdict, score)."""
        study, trials = self.open_study()
        over = [trial for trial in study.get_trials(deepcopy=False) if trial.state.is_finished()]
        self.settings.events("begin", self, trials, len(over))

        def after_trial(study, trial):
            if trial.state == optuna.trial.TrialState.COMPLETE:
                self.best = max(self.best or 0, trial.value)
            self.settings.events("trial", self, trial, trials)

        left = trials - len(over)
        seconds = self.settings.deadline - time.monotonic()
        if left > 0 and seconds > 0:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                study.optimize(lambda trial: self.objective(study, trial), n_trials=left,
                               timeout=None if math.isinf(seconds) else seconds, catch=(CandidateFailed,),
                               callbacks=[after_trial])
        return self.verdict(study)

    def verdict(self, study):
        """Of the trials that were faster than the default, the best one that is so again when it is measured anew."""
        done = study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,))
        if not done:
            raise CandidateFailed(f"{self.group.name}: no trial came to an end")
        faster = sorted((trial for trial in done if trial.value > 1), key=lambda trial: -trial.value)
        first, why, seen, measured = None, None, [], 0
        for trial in faster:
            if trial.params in seen or measured == 2:
                continue
            seen.append(trial.params)
            reason = self.too_much_code(trial.params, trial.value)
            if reason is None:
                measured += 1
                self.settings.events("confirm", self, trial.params, measured)
                score = self.measure_anew(trial.params, self.settings.confirm_seconds, roof=True)
                first = first or score
                reason = self.too_much_code(trial.params, score.ratio) if score.wins() else score.why_not()
                if reason is None:
                    knobs = {name: value for name, value in trial.params.items() if value != self.defaults[name]}
                    return knobs, "tuned", score
            why = why or reason
        return {}, f"default kept: {why or 'no candidate was faster'}", first

    def record(self, knobs, verdict, score):
        row = records.make_row(self.build, self.group, knobs, verdict, score, self.digest, self.chip)
        records.write(self.build, self.target, row, self.settings.records)
        return row
