"""How the tests of the Python module run."""

import hypothesis
import pytest

import sylvite

# The same cases in every run.
hypothesis.settings.register_profile("sylvite", derandomize=True, deadline=None, max_examples=60)
hypothesis.settings.load_profile("sylvite")

@pytest.fixture(autouse=True)
def standard_context():
    """Whatever a test sets, the next one begins with the best target and all threads."""
    yield
    sylvite.use_target(None)
    sylvite.set_num_threads(0)
