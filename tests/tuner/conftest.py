"""The tuner's tests run on the build that ctest belongs to: SYLVITE_BUILD names it."""
import os
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def source():
    return SOURCE


@pytest.fixture(scope="session")
def build():
    from sylvite.tuner.build import Build
    return Build(SOURCE, os.environ.get("SYLVITE_BUILD", "build/release"))


@pytest.fixture(scope="session")
def target(build):
    from sylvite.tuner.commands import best_target
    return best_target(build)
