"""The search: what it records, what it refuses, that it goes on where it stopped."""
import math
import subprocess
import sys
from dataclasses import replace

import fakes
import pytest
from sylvite.tuner import records
from sylvite.tuner.errors import CandidateFailed, TunerError
from sylvite.tuner.score import RowScore, combine, pool, score_row
from sylvite.tuner.search import PROCESSES, Search, Settings, default_storage, study_name
from sylvite.tuner.session import moved

import optuna


@pytest.fixture
def fake(build, tmp_path):
    return fakes.FakeBuild(build, tmp_path)


def search(fake, runner, **settings):
    return Search(fake, fakes.GROUP, "fake", runner, Settings(records=fake.folder, **settings))


def trials(fake, found):
    return optuna.load_study(study_name=study_name("fake", fakes.GROUP, found.digest),
                             storage=default_storage(fake)).get_trials()


def test_the_fastest_candidate_is_recorded_with_its_provenance(fake):
    found = search(fake, fakes.FakeRunner({"128": 1.5, "32": 1.2}))
    row = found.record(*found.run())
    assert row["knobs"]["step"] == 128 and row["verdict"] == "tuned"
    assert 1.4 < row["score"]["min"] <= row["score"]["geomean"] <= row["score"]["max"] < 1.6
    assert row["chip"] == "fake" and row["threads"] == 2 and row["versions"] == fake.versions
    assert records.read(fake, "fake", fake.folder) == [row]


def test_noise_keeps_the_default(fake):
    row = (found := search(fake, fakes.FakeRunner(noise=.4))).record(*found.run())
    assert row["knobs"] == {} and row["verdict"].startswith("default kept")


def test_a_wrong_candidate_is_refused_however_fast(fake):
    found = search(fake, fakes.FakeRunner({"128": 3., "32": 1.2}, wrong=("128",)))
    assert found.record(*found.run())["knobs"]["step"] == 32
    failed = [trial for trial in trials(fake, found) if trial.params["step"] == 128]
    assert failed and all(trial.state.name == "FAIL" and "wrong bytes" in trial.user_attrs["failed"] for trial in failed)


def test_a_schedule_that_halide_refuses_is_a_failed_trial_with_its_message(fake):
    found = search(fake, fakes.FakeRunner())
    found.run()
    failed = [trial for trial in trials(fake, found) if trial.state.name == "FAIL"]
    assert {trial.params["step"] for trial in failed} == {16}
    assert all("Vectorization over a serial loop" in trial.user_attrs["failed"] for trial in failed)


def test_speed_that_takes_too_much_code_is_not_taken(fake):
    fake.code = {"128": 1000, "32": 100}
    found = search(fake, fakes.FakeRunner({"128": 1.5, "32": 1.2}))
    assert found.record(*found.run())["knobs"]["step"] == 32
    fake.code = {"128": 1000, "32": 1000}
    found = search(fake, fakes.FakeRunner({"128": 1.5, "32": 1.2}))
    row = found.record(*found.run())
    assert row["knobs"] == {} and row["verdict"].startswith("default kept: 990 KiB more code for ")


class Uneven(fakes.FakeRunner):
    """Faster on one shape; slower on the other, `losses` times."""

    def __init__(self, losses):
        super().__init__()
        self.losses = losses

    def time(self, program, rows, *rest, **more):
        score = super().time(program, rows, *rest, **more)
        self.losses -= 1
        gains = {"f32_f16_16m": .5, "f32_f16_128k": -.2 if self.losses >= 0 else 0}
        return combine([replace(row, gain=row.gain + gains[row.name]) for row in score.rows])


def test_a_candidate_that_loses_on_one_shape_is_not_taken(fake):
    row = (found := search(fake, Uneven(math.inf))).record(*found.run())
    assert row["knobs"] == {} and "of the default's speed" in row["verdict"]


def test_a_loss_that_does_not_come_again_rules_nothing_out(fake):
    score = search(fake, Uneven(PROCESSES)).measure_anew({"step": 128, "ahead": 0}, 5)
    assert score.wins() and [row.name for row in score.rows] == ["f32_f16_16m", "f32_f16_128k"]
    score = search(fake, Uneven(2 * PROCESSES)).measure_anew({"step": 128, "ahead": 0}, 5)
    assert [row.name for row in score.losers] == ["f32_f16_128k"]


def test_a_verdict_tells_slower_from_noise():
    def score(gain):
        return combine([RowScore("any", 1, 1, gain, .005, 1., 1., 0)])

    assert score(-.02).why_not() == "slower when measured anew"
    assert score(-.001).why_not() == score(.001).why_not() == "within noise"
    assert not score(.008).wins() and score(.008).why_not() == "only 0.8% faster"


def test_an_interrupted_search_goes_on_where_it_stopped(fake):
    with pytest.raises(KeyboardInterrupt):
        search(fake, fakes.FakeRunner({"128": 1.5}, interrupt_after=2)).run()
    before = [trial.number for trial in trials(fake, search(fake, fakes.FakeRunner())) if trial.state.name == "COMPLETE"]
    assert before
    runner = fakes.FakeRunner({"128": 1.5})
    found = search(fake, runner, join=True)
    assert found.run()[0]["step"] == 128
    after = trials(fake, found)
    assert set(before) <= {trial.number for trial in after if trial.state.name == "COMPLETE"}
    assert runner.timed < 8  # of 8 combinations, one the default, two refused, two known


def test_the_command_that_goes_on_is_the_one_given():
    from sylvite.tuner.commands import resume_command, tune
    with tune.make_context("tune", ["--kernel", "fill_u8|fill_u16", "--trials", "3", "--resume"]) as context:
        assert resume_command(context) == "./x tune --resume --kernel 'fill_u8|fill_u16' --trials 3"
    with tune.make_context("sylvite tune", []) as context:
        assert resume_command(context) == "sylvite tune --resume"


def test_without_resume_a_search_begins_anew_but_never_in_a_given_storage(fake):
    url = f"sqlite:///{fake.folder / 'shared.db'}"
    search(fake, fakes.FakeRunner(), storage=url).run()
    with pytest.raises(TunerError, match="--resume joins it"):
        search(fake, fakes.FakeRunner(), storage=url).run()
    found = search(fake, fakes.FakeRunner())
    found.run()
    first = len(trials(fake, found))
    search(fake, fakes.FakeRunner()).run()
    assert len(trials(fake, found)) == first


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_other_samplers_find_it_too(fake, sampler):
    found = search(fake, fakes.FakeRunner({"128": 1.5}), sampler=sampler, trials=20,
                   storage=optuna.storages.InMemoryStorage())
    assert found.run()[0]["step"] == 128


PROCESS = """
import sys
sys.path.insert(0, {tests!r})
import fakes
from pathlib import Path
from sylvite.tuner.build import Build
from sylvite.tuner.search import Search, Settings
fake = fakes.FakeBuild(Build(Path({source!r}), {folder!r}), Path({work!r}))
found = Search(fake, fakes.GROUP, "fake", fakes.FakeRunner({{"128": 1.5}}),
               Settings(storage={url!r}, join=True, records=Path({work!r})))
print(found.run()[0].get("step"))
"""


def test_two_processes_share_one_study(fake, source, tmp_path):
    url = f"sqlite:///{tmp_path / 'shared.db'}"
    program = PROCESS.format(tests=str(source / "tests/tuner"), source=str(source),
                             folder=str(fake.real.folder), work=str(tmp_path), url=url)
    running = [subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [process.communicate(timeout=60)[0].strip() for process in running] == ["128", "128"]
    found = search(fake, fakes.FakeRunner(), storage=url, join=True)
    shared = optuna.load_study(study_name=study_name("fake", fakes.GROUP, found.digest), storage=url).get_trials()
    done = {tuple(sorted(trial.params.items())) for trial in shared if trial.state.is_finished()}
    assert len(done) == 8  # every combination, whoever tried it


def test_processes_that_disagree_widen_the_spread():
    def score(speed):
        return combine([score_row({"row": "any", "weight": 1, "bytes": 1, "pairs": [[speed, 1.]] * 9})])

    assert score(1.5).spread == 0
    pooled = pool([score(1.2), score(1.5)])
    assert pooled.ratio == pytest.approx(1.8 ** .5)
    assert pooled.spread == pytest.approx(math.log(1.5 / 1.2))
    assert not pool([score(.9), score(1.2)]).wins()


def test_a_row_has_moved_beyond_noise_and_a_third_of_its_gain():
    def now(ratio, spread=.01):
        return combine([RowScore("any", 1, 1, math.log(ratio), spread, 1., 1., 0)])

    small, large = {"geomean": 1.04, "spread": .01}, {"geomean": 1.43, "spread": .02}
    assert not moved(small, now(1.0)) and moved(small, now(.98)) and not moved(small, now(.98, .06))
    assert not moved(large, now(1.29)) and moved(large, now(1.2)) and moved(large, now(1.7))


def test_a_search_without_a_finished_trial_says_so(fake):
    with pytest.raises(CandidateFailed, match="no trial came to an end"):
        search(fake, fakes.FakeRunner(), trials=1, sampler="grid", deadline=0).run()


def test_the_size_that_streams_is_where_streaming_begins_to_pay():
    from sylvite.tuner.stream import toggled
    gains = {10: -.3, 30: -.1, 60: .2, 90: .3, 200: .4}  # percent of the cache: what streaming gains
    score = combine([RowScore(str(size), 1, size, gain, .01, 1., 1., 0) for size, gain in gains.items()])
    found = {percent: toggled(score, 100, percent) for percent in (25, 50, 75, 100, 400)}
    assert max(found, key=lambda percent: found[percent].gain) == 50
    assert found[50].wins() and not found[25].wins()  # 30 percent loses
    assert found[100].gain == 0 and found[400].gain < 0
