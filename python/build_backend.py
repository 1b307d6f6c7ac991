"""scikit-build-core's backend, which links the release build that is there: Halide is asked for only
where none is."""

import pathlib
import re

from scikit_build_core import build as _build
from scikit_build_core.build import *  # noqa: F403

_ROOT = pathlib.Path(__file__).resolve().parent.parent
_RELEASE = _ROOT / "build/release"


def _ready():
    """Whether the release build is there, and of these very sources."""
    cache = _RELEASE / "CMakeCache.txt"
    home = f"CMAKE_HOME_DIRECTORY:INTERNAL={_ROOT}\n"
    return (_RELEASE / "build.ninja").exists() and home in cache.read_text(encoding="utf-8")


def get_requires_for_build_wheel(config_settings=None):
    requires = _build.get_requires_for_build_wheel(config_settings)
    if not _ready():
        pinned = (_ROOT / "requirements.in").read_text(encoding="utf-8")
        requires += re.findall(r"^(?:halide|llvmlite)==[^\s#]+", pinned, re.MULTILINE)
    return requires


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    settings = dict(config_settings or {})
    if _ready():
        settings["cmake.define.SYLVITE_RELEASE_BUILD"] = str(_RELEASE)
    return _build.build_wheel(wheel_directory, settings, metadata_directory)
