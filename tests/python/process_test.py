"""Threads, memory, and the module as a whole."""

import concurrent.futures
import doctest
import gc
import inspect
import pathlib
import pickle
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from support import filled, same_bits, texts

import sylvite

README = pathlib.Path(__file__).parents[2] / "README.md"
PACKAGE = pathlib.Path(sylvite.__file__).parent


def test_other_threads_run_while_a_kernel_does():
    """Two seconds of kernels in one thread: the other gets on with its own work."""
    x = np.zeros((1, 16, 2048, 2048), "uint8")
    y = sylvite.space_to_batch(x, [2, 2])
    sylvite.set_num_threads(1)
    stop, turns = threading.Event(), []

    def count():
        while not stop.is_set():
            turns.append(time.perf_counter())
            time.sleep(0.0005)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(100)  # nobody is made to let go: only who lets go by itself does
    thread = threading.Thread(target=count)
    try:
        thread.start()
        start = time.perf_counter()
        for _ in range(10):
            sylvite.space_to_batch(x, [2, 2], out=y)
        end = time.perf_counter()
    finally:
        stop.set()
        sys.setswitchinterval(interval)
        thread.join()
    assert sum(start < turn < end for turn in turns) >= 5


def test_calls_from_many_threads():
    def work(seed):
        x = filled("float32", (1, 3, 32, 64), seed)
        y = sylvite.space_to_batch(x, [2, 2])
        ws = sylvite.Workspace()
        ws.feed("X", x)
        ws.run("SpaceToBatch", ["X"], ["Y"], block_size=2)
        return same_bits(y, ws.fetch("Y")) and same_bits(sylvite.batch_to_space(y, [2, 2]), x)

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(200)))


def test_threads_change_no_bits():
    dy = np.random.default_rng(5).normal(size=(500, 3000)).astype("float32")
    results = []
    for threads in (1, 2, 7, 0):
        sylvite.set_num_threads(threads)
        results.append(sylvite.expand_gradient(dy, [3000]))
    assert all(same_bits(results[0], each) for each in results)


def test_targets_and_threads_reject():
    for count in (-1, 2**40, -(2**70)):
        with pytest.raises(sylvite.InvalidArgument, match="set_num_threads"):
            sylvite.set_num_threads(count)
    for count in (None, 1.5, "2"):
        with pytest.raises(TypeError):
            sylvite.set_num_threads(count)
    with pytest.raises(sylvite.Unsupported, match="x86_64_avx1024.*" + sylvite.targets()[0]):
        sylvite.use_target("x86_64_avx1024")
    with pytest.raises(TypeError):
        sylvite.use_target(3)
    assert sylvite.explain("SpaceToBatch", [("int8", (1, 1, 2, 2))])["target"] == sylvite.targets()[0]


@pytest.mark.parametrize("target", [t for t in sylvite.targets() if not t.startswith(("cuda", "opencl"))])
def test_use_target(target):
    sylvite.use_target(target)
    assert sylvite.explain("SpaceToBatch", [("int8", (1, 1, 2, 64))])["target"] == target


def test_errors():
    bases = {"InvalidArgument": ValueError, "Unsupported": NotImplementedError,
             "OutOfMemory": MemoryError, "DeviceError": Exception}
    for name, base in bases.items():
        error = getattr(sylvite, name)
        assert issubclass(error, sylvite.Error) and issubclass(error, base)
        assert str(pickle.loads(pickle.dumps(error("text")))) == "text"
    with pytest.raises(MemoryError) as caught:
        sylvite.expand(np.zeros(1, "int8"), [2**61])
    assert isinstance(caught.value, sylvite.OutOfMemory)
    assert sylvite.Unsupported("x").reason is None


def resident():
    gc.collect()
    return int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * 4096


def leaks(call):
    """Bytes that memory grew by over many calls."""
    for _ in range(30):
        call()
    before = resident()
    for _ in range(300):
        call()
    return resident() - before


def test_nothing_leaks():
    x = filled("float32", (1, 1, 256, 256))  # 256 KiB: a leak would be 75 MiB
    strings = texts((2000,))
    odd = np.zeros(65536, [("pad", "u1"), ("value", "f4")])["value"]
    ws = sylvite.Workspace()
    registry = sylvite.Registry()
    sylvite.register_operator("Mine", registry=registry)(lambda i, a: [i[0].copy(), i[0]])
    own = sylvite.Workspace(registry=registry)
    own.feed("X", x)
    out = np.empty((4, 1, 128, 128), "float32")

    def fails():
        with pytest.raises(sylvite.Error):
            sylvite.reshape(odd, [7])

    def workspace():
        child = sylvite.Workspace()
        child.feed("X", x)
        child.run("SpaceToBatch", ["X"], ["Y"], block_size=2)
        child.fetch("Y")

    for call in (
        lambda: sylvite.space_to_batch(x, [2, 2]),
        lambda: sylvite.space_to_batch(x, [2, 2], out=out),
        lambda: sylvite.materialize(odd),
        lambda: sylvite.materialize(memoryview(x)),
        lambda: sylvite.reshape(odd, [256, 256]),
        lambda: sylvite.expand_view(odd, [3, 65536]),
        lambda: sylvite.concat([strings, strings]),
        lambda: sylvite.unstack(x, 2),
        lambda: (ws.feed("X", x), ws.fetch("X")),
        lambda: own.run("Mine", ["X"], ["Y", "Z"]),
        workspace,
        fails,
    ):
        assert leaks(call) < 8 << 20, inspect.getsource(call)


def test_references_come_back():
    x = np.arange(16.0).reshape(1, 1, 4, 4)
    dtype, text = x.dtype, b"some text"
    strings = np.array([text], object)
    objects = (x, dtype, text, strings, None)
    calls = [
        lambda: sylvite.space_to_batch(x, [2, 2]),
        lambda: sylvite.stack([x, x]),
        lambda: sylvite.reshape(x, [16]),
        lambda: sylvite.expand_view(x, [2, 1, 4, 4]),
        lambda: sylvite.concat([strings, strings]),
        lambda: sylvite.materialize(memoryview(x)),
        lambda: pytest.raises(sylvite.Error, sylvite.reshape, x, [3]),
    ]
    for call in calls:
        call()
        gc.collect()
        before = [sys.getrefcount(each) for each in objects[:-1]]
        for _ in range(50):
            call()
        gc.collect()
        assert [sys.getrefcount(each) for each in objects[:-1]] == before, inspect.getsource(call)


def test_a_view_keeps_its_memory():
    view = sylvite.expand_view(np.arange(1000.0), [2, 1000])
    gc.collect()
    assert view[1, 999] == 999


def documented():
    """Every public function and class with its docstring."""
    return {name: getattr(sylvite, name) for name in sylvite.__all__
            if callable(getattr(sylvite, name)) and not name[0].isupper()} | {
        name: getattr(sylvite, name) for name in ("Net", "OperatorDef", "Registry", "Workspace", "WorkspaceStack")}


@pytest.mark.parametrize("name", [*documented(), "sylvite"])
def test_examples_in_docstrings(name):
    thing = sylvite if name == "sylvite" else documented()[name]
    test = doctest.DocTestParser().get_doctest(
        thing.__doc__, {"sylvite": sylvite, "numpy": np}, name, name, 0)
    assert test.examples, f"{name} has no example"
    report = []
    result = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=report.append)
    assert result.failed == 0, "".join(report)


def test_examples_in_the_readme():
    result = doctest.testfile(str(README), module_relative=False, encoding="utf-8")
    assert result.attempted > 5 and result.failed == 0


def test_stubs():
    assert (PACKAGE / "py.typed").exists()
    stub = (PACKAGE / "_core.pyi").read_text(encoding="utf-8")
    compile(stub, "_core.pyi", "exec")
    for name in documented():
        assert f"def {name}(" in stub or f"class {name}" in stub, name


def test_only_the_entry_point_is_exported():
    module = next(PACKAGE.glob("_core*.so"))
    symbols = subprocess.run(["nm", "-D", "--defined-only", module], check=True, capture_output=True, text=True)
    assert [line.split()[-1] for line in symbols.stdout.splitlines()] == ["PyInit__core"]


def test_import_is_light():
    code = "import sys, sylvite; print(*sorted({'optuna', 'click', 'rich', 'plotly'} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert run.stdout.strip() == "" and run.stderr == ""


def test_the_process_ends_quietly():
    """Operators in Python, views and workspaces that are alive when the interpreter goes."""
    code = """
import numpy, sylvite, threading
@sylvite.register_operator("Mine")
def mine(inputs, arguments):
    return [inputs[0] + 1]
ws = sylvite.Workspace()
ws.feed("X", numpy.zeros(3))
ws.run("Mine", ["X"], ["Y"])
def closure(inputs, arguments):
    return [ws.fetch("Y")]
sylvite.register_operator("Cycle")(closure)
view = sylvite.expand_view(numpy.zeros(3), [2, 3])
net = sylvite.Net("n", [sylvite.op("Mine", ["X"], ["Y"])])
sylvite.space_to_batch(numpy.zeros((1, 8, 512, 512)), [2, 2])
"""
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert run.stdout == "" and run.stderr == ""
