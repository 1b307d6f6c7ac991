"""Another machine is tuned through a prefix: SYLVITE_RUNNER, an emulator's command. Run by the cross build's entry."""
import os

from runner_test import SMALL, shapes  # noqa: F401 (a fixture)
from sylvite.tuner import records
from sylvite.tuner.runner import Runner
from sylvite.tuner.search import Search, Settings


def test_another_machine_is_tuned_through_a_prefix(build, shapes, monkeypatch):  # noqa: F811
    monkeypatch.setattr("sylvite.tuner.search.default_storage", lambda _: f"sqlite:///{shapes}/studies.db")
    monkeypatch.setattr("sylvite.tuner.lines.checked_lines", lambda group: [
        *(("space_batch", f"check{i} s2b uint64 nchw 1x1x{29 + i % 2}x{8 * i + 8} 2x2 1:{i % 2},0:0 1") for i in range(12)),
        ("expand", "one uint64 1 77 1")])
    runner = Runner("arm64", os.environ["SYLVITE_RUNNER"])
    found = Search(build, build.groups[SMALL], "arm64", runner,
                   Settings(shapes=shapes, records=shapes, seconds=.05, confirm_seconds=.1))
    row = found.record(*found.run())
    assert records.read(build, "arm64", shapes) == [row] and row["threads"] >= 1
