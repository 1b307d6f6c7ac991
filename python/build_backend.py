"""Builds wheels with scikit-build-core; Halide is asked for only where no release build has the kernels."""

import pathlib
import re

from scikit_build_core.build import *  # noqa: F403
from scikit_build_core import build as _build

_root = pathlib.Path(__file__).resolve().parent.parent


def get_requires_for_build_wheel(config_settings=None):
    requires = _build.get_requires_for_build_wheel(config_settings)
    if not (_root / "build/release/build.ninja").exists():
        pinned = (_root / "requirements.in").read_text(encoding="utf-8")
        requires += re.findall(r"^(?:halide|llvmlite)==\S+", pinned, re.MULTILINE)
    return requires
