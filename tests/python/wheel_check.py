"""Run by the interpreter that ./x python prints: the wheel as others get it."""

import importlib.metadata
import pathlib
import sys

import numpy

import sylvite

package = pathlib.Path(sylvite.__file__).parent
assert pathlib.Path(sys.prefix) in package.parents, f"{package} is not the installed one"
files = [str(file) for file in importlib.metadata.files("sylvite")]
for want in ("LICENSE", "NOTICE", "LICENSE.Halide", "LICENSE.nanobind", "LICENSE.robin_map"):
    assert any(file.endswith(f"/{want}") for file in files), f"the wheel lacks {want}"
for want in ("py.typed", "_core.pyi", "__init__.py"):
    assert f"sylvite/{want}" in files, f"the wheel lacks {want}"
assert sylvite.__version__ == importlib.metadata.version("sylvite")

x = numpy.arange(96.0).reshape(2, 2, 4, 6)
y = sylvite.space_to_batch(x, [2, 3], [[0, 0], [1, 2]], pad_value=7)
assert (sylvite.batch_to_space(y, [2, 3], [[0, 0], [1, 2]]) == x).all()
ws = sylvite.Workspace()
ws.feed("X", x)
ws.run("Cast", ["X"], ["Y"], to="bfloat16")
assert ws.fetch("Y").dtype.name == "bfloat16"
print(f"wheel: sylvite {sylvite.__version__} works in {sys.prefix}")
