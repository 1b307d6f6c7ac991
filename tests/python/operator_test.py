"""Operators written in Python."""

import gc
import sys
import threading

import numpy as np
import pytest
from support import NUMBERS, filled, same_bits, texts

import sylvite


@pytest.fixture
def registry():
    return sylvite.Registry()


def run(registry, inputs, outputs=1, **arguments):
    """Runs the operator Mine on these arrays."""
    ws = sylvite.Workspace(registry=registry)
    for i, x in enumerate(inputs):
        ws.feed(f"X{i}", x)
    ws.run("Mine", [f"X{i}" for i in range(len(inputs))], [f"Y{i}" for i in range(outputs)], **arguments)
    return [ws.fetch(f"Y{i}") for i in range(outputs)]


@pytest.mark.parametrize("dtype", [*NUMBERS, object], ids=str)
def test_arrays_in_and_out(registry, dtype):
    seen = {}

    @sylvite.register_operator("Mine", registry=registry)
    def mine(inputs, arguments):
        """Turns around. And more."""
        seen.update(arguments)
        assert isinstance(inputs, list) and not inputs[0].flags.writeable
        return [inputs[0][::-1], inputs[0], inputs[0].copy()]

    x = texts((3, 2)) if dtype is object else filled(dtype, (3, 2))
    a, b, c = run(registry, [x], 3, number=1, real=0.5, text="t", many=[1, 2])
    for got, want in ((a, x[::-1]), (b, x), (c, x)):
        assert got.dtype == want.dtype and got.tobytes() == want.tobytes() or got.tolist() == want.tolist()
    assert seen == {"number": 1, "real": 0.5, "text": "t", "many": [1, 2]}
    assert registry.describe("Mine")["summary"] == "Turns around. And more."
    x.flags.writeable = False
    assert mine([x], {})[1] is x  # the decorator gives the function back


def test_its_exceptions_pass_through(registry):
    class Mine(Exception):
        pass

    def fail(inputs, arguments):
        raise Mine("no")

    sylvite.register_operator("Mine", registry=registry)(fail)
    ws = sylvite.Workspace(registry=registry)
    ws.feed("X", np.arange(3))
    op = sylvite.op("Mine", ["X"], ["Y"])
    for what in (op, sylvite.Net("n", [op])):
        with pytest.raises(Mine, match="no") as caught:
            ws.run(what)
        assert caught.traceback[-1].name == "fail"
    assert ws.blobs() == ["X"]

    @sylvite.register_operator("Inner", registry=registry)
    def inner(inputs, arguments):
        return [sylvite.reshape(inputs[0], [7])]

    with pytest.raises(sylvite.InvalidArgument, match="Reshape"):
        ws.run("Inner", ["X"], ["Y"])
    assert ws.blobs() == ["X"]


@pytest.mark.parametrize(
    "returned, error, message",
    [
        (None, TypeError, "Mine: its function returned None, want a list of arrays"),
        (np.zeros(1), TypeError, "want a list of arrays"),
        ([], sylvite.InvalidArgument, "Mine: its function returned 0 arrays, want 1"),
        ([3], TypeError, "Mine: output_1 is an int, want a NumPy array"),
        ([np.zeros(2, ">i4")], sylvite.InvalidArgument, "byte order"),
        ([np.zeros(2, "complex64")], sylvite.Unsupported, "complex64"),
    ],
)
def test_wrong_results(registry, returned, error, message):
    sylvite.register_operator("Mine", registry=registry)(lambda inputs, arguments: returned)
    with pytest.raises(error, match=message):
        run(registry, [np.zeros(1)])


def test_results_are_their_own(registry):
    """An array that the function keeps is copied; one that nobody keeps is taken as it is."""
    kept = np.zeros(4)
    sylvite.register_operator("Kept", registry=registry)(lambda inputs, arguments: [kept])
    address = []

    @sylvite.register_operator("Given", registry=registry)
    def given(inputs, arguments):
        y = np.ones(4)
        address.append(y.ctypes.data)
        return [y]

    ws = sylvite.Workspace(registry=registry)
    ws.run("Kept", [], ["K"])
    kept[:] = 5
    assert ws.fetch("K").tolist() == [0] * 4

    @sylvite.register_operator("Look", registry=registry)
    def look(inputs, arguments):
        address.append(inputs[0].ctypes.data)
        return []

    ws.run("Given", [], ["G"])
    ws.run("Look", ["G"], [])
    assert address[0] == address[1]
    assert ws.fetch("G").tolist() == [1] * 4


def test_inputs_may_be_kept(registry):
    kept = []

    @sylvite.register_operator("Mine", registry=registry)
    def mine(inputs, arguments):
        kept.extend(inputs)
        return []

    ws = sylvite.Workspace(registry=registry)
    ws.feed("X", np.arange(3))
    ws.run("Mine", ["X"], [])
    ws.run("Expand", ["X", "s"], ["X2"]) if ws.has("s") else None
    ws.feed("X", np.arange(3) + 7)
    ws.reset()
    del ws
    gc.collect()
    assert kept[0].tolist() == [0, 1, 2]


def test_gradient_rules(registry):
    def rule(op, output_gradients):
        assert op.type == "Twice" and op.arguments == {"k": 3}
        return [sylvite.op("Twice", [output_gradients["Y"]], ["X_grad"])], ["X_grad"]

    sylvite.register_operator("Twice", gradient=rule, inputs=1, outputs=1, registry=registry)(
        lambda inputs, arguments: [2 * inputs[0]])
    net = sylvite.Net("n", [sylvite.op("Twice", ["X"], ["Y"], k=3)])
    assert net.add_gradients({"Y": "Y_grad"}, registry) == {"X": "X_grad", "Y": "Y_grad"}
    ws = sylvite.Workspace(registry=registry)
    ws.feed("X", np.ones(2))
    ws.feed("Y_grad", np.full(2, 3.0))
    ws.run(net)
    assert ws.fetch("Y").tolist() == [2, 2] and ws.fetch("X_grad").tolist() == [6, 6]
    with pytest.raises(sylvite.InvalidArgument, match="Twice: 2 inputs, want 1"):
        ws.run("Twice", ["X", "X"], ["Y"])


@pytest.mark.parametrize("returned", [None, [], ([], [], []), ([3], [None]), ([], "X"), ([], [3])])
def test_wrong_rules(registry, returned):
    sylvite.register_operator("Mine", gradient=lambda op, g: returned, registry=registry)(print)
    with pytest.raises(TypeError, match="Mine: its gradient rule returned"):
        sylvite.gradient_defs(sylvite.op("Mine", ["X"], ["Y"]), {"Y": "g"}, registry)


def test_rules_raise(registry):
    def rule(op, gradients):
        raise KeyError("mine")

    sylvite.register_operator("Mine", rule, registry=registry)(print)
    with pytest.raises(KeyError, match="mine"):
        sylvite.Net("n", [sylvite.op("Mine", ["X"], ["Y"])]).add_gradients({"Y": "g"}, registry)


def test_registration_rejects(registry):
    register = sylvite.register_operator
    with pytest.raises(sylvite.InvalidArgument, match="already"):
        register("SpaceToBatch", registry=registry)(print)
    with pytest.raises(sylvite.InvalidArgument, match="empty"):
        register("", registry=registry)(print)
    with pytest.raises(sylvite.InvalidArgument, match='gradient is "maybe"'):
        register("Mine", gradient="maybe", registry=registry)(print)
    with pytest.raises(sylvite.InvalidArgument, match="inputs is"):
        register("Mine", inputs=(3, 1), registry=registry)
    for bad in (lambda: register("Mine", registry=registry)(3),
                lambda: register("Mine", gradient=3, registry=registry)(print),
                lambda: register("Mine", registry=3), lambda: register(3)):
        with pytest.raises(TypeError):
            bad()
    assert "Mine" not in registry and "Mine" not in sylvite.registry


def test_registration_while_an_operator_runs(registry):
    @sylvite.register_operator("Mine", registry=registry)
    def mine(inputs, arguments):
        sylvite.register_operator("Other", registry=registry)(print)

    with pytest.raises(sylvite.InvalidArgument, match="while an operator runs"):
        run(registry, [])


def test_operators_run_workspaces(registry):
    @sylvite.register_operator("Mine", registry=registry)
    def mine(inputs, arguments):
        inner = sylvite.Workspace(registry=registry)
        inner.feed("X", inputs[0])
        inner.run("ExpandDims", ["X"], ["Y"], dims=[0])
        return [inner.fetch("Y")]

    assert run(registry, [np.arange(2)])[0].tolist() == [[0, 1]]


def test_a_workspace_is_for_one_thread_at_a_time(registry):
    inside, leave = threading.Event(), threading.Event()

    @sylvite.register_operator("Mine", registry=registry)
    def mine(inputs, arguments):
        inside.set()
        assert leave.wait(30)
        return []

    ws = sylvite.Workspace(registry=registry)
    thread = threading.Thread(target=ws.run, args=("Mine", [], []))
    thread.start()
    assert inside.wait(30)
    with pytest.raises(sylvite.InvalidArgument):
        ws.blobs()
    leave.set()
    thread.join()
    assert ws.blobs() == []


def test_the_default_registry_grows_under_workspaces():
    ws = sylvite.Workspace()
    sylvite.register_operator("GrownLater")(lambda inputs, arguments: [np.ones(1)])
    ws.run("GrownLater", [], ["Y"])
    assert ws.fetch("Y").tolist() == [1] and "GrownLater" in sylvite.registry


def test_functions_go_with_their_registry():
    def function(inputs, arguments):
        return [inputs[0]]

    def rule(op, gradients):
        return [], [None]

    before = sys.getrefcount(function), sys.getrefcount(rule)
    registry = sylvite.Registry()
    sylvite.register_operator("Mine", gradient=rule, registry=registry)(function)
    run(registry, [np.zeros(3)])
    assert sys.getrefcount(function) > before[0]
    del registry
    gc.collect()
    assert (sys.getrefcount(function), sys.getrefcount(rule)) == before
