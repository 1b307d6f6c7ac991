"""The tuner's tests run on the build that ctest belongs to: SYLVITE_BUILD names it."""
import os
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(SOURCE / "python/sylvite"))


@pytest.fixture(scope="session")
def source():
    return SOURCE


@pytest.fixture(scope="session")
def build():
    from tuner.build import Build
    return Build(SOURCE, os.environ.get("SYLVITE_BUILD", "build/release"))


@pytest.fixture(scope="session")
def target(build):
    from tuner.commands import best_target
    return best_target(build)
