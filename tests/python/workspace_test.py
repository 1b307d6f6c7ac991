"""Workspaces, stacks, nets and operators by name."""

import ml_dtypes
import numpy as np
import pytest
from support import NUMBERS, filled, same_bits, texts

import sylvite


@pytest.fixture
def ws():
    return sylvite.Workspace()


@pytest.mark.parametrize("dtype", [*NUMBERS, object], ids=str)
def test_feed_copies_and_fetch_copies(ws, dtype):
    x = texts((2, 3)) if dtype is object else filled(dtype, (2, 3))
    kept = x.copy()
    ws.feed("X", x)
    x[:] = x[::-1].copy()
    y = ws.fetch("X")
    assert y.tolist() == kept.tolist() if dtype is object else same_bits(y, kept)
    y[:] = y[::-1].copy()
    again = ws.fetch("X")
    assert again.tolist() == kept.tolist() if dtype is object else same_bits(again, kept)


def test_run_in_every_form(ws):
    x = filled("float32", (1, 2, 4, 6))
    ws.feed("X", x)
    ws.run(sylvite.op("SpaceToBatch", ["X"], ["Y"], block_size=2, pad=1))
    want = sylvite.space_to_batch(x, [2, 2], [[1, 1], [1, 1]])
    assert same_bits(ws.fetch("Y"), want)
    ws.run("SpaceToBatch", ["X"], ["Z"], block_shape=[2, 2], paddings=[[1, 1], [1, 1]])
    assert same_bits(ws.fetch("Z"), want)
    ws.run(sylvite.Net("back", [
        sylvite.op("BatchToSpace", ["Y"], ["W"], block_size=2, pad=1),
        sylvite.op("Cast", ["W"], ["V"], to="float64"),
    ]))
    assert same_bits(ws.fetch("V"), x.astype("float64"))


def test_blobs(ws):
    ws.feed("X", np.zeros(2))
    ws.create("empty")
    assert ws.blobs() == ["X", "empty"] and ws.has("X") and "X" in ws and not ws.has("Y")
    assert ws.type_of("X") == "tensor" and ws.type_of("empty") == ""
    ws.rename("X", "Y")
    assert ws.blobs() == ["Y", "empty"]
    assert ws.remove("Y") and not ws.remove("Y")
    assert ws.bytes == 0 and ws.peak_bytes >= 16
    assert "empty" in ws.describe() and "digraph" in ws.to_dot()
    ws.reset()
    assert ws.blobs() == []


def test_children_see_their_parents(ws):
    ws.feed("X", np.arange(3))
    ws.feed("W", np.arange(2))
    child = sylvite.Workspace(parent=ws, forward={"inner": "X"})
    assert child.fetch("inner").tolist() == [0, 1, 2] and child.fetch("W").tolist() == [0, 1]
    assert child.local_blobs() == [] and "inner" in child.blobs()
    child.feed("inner", np.array([9]))
    assert ws.fetch("X").tolist() == [9]
    child.create_local("X")
    child.feed("X", np.array([1]))
    assert ws.fetch("X").tolist() == [9] and child.local_blobs() == ["X"]
    del ws
    assert child.fetch("W").tolist() == [0, 1]


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda ws: ws.fetch("X"), "X"),
        (lambda ws: ws.feed("", np.zeros(1)), "name"),
        (lambda ws: ws.run("SpaceToBach", [], []), "unknown operator \"SpaceToBach\""),
        (lambda ws: ws.run("Squeeze", ["X"], ["Y"]), "no blob X"),
        (lambda ws: ws.run("SpaceToBatch", ["X"], ["Y"], blok_size=2), "blok_size"),
        (lambda ws: ws.run("SpaceToBatch", ["X"], ["Y"], device="tpu"), 'device is "tpu"'),
        (lambda ws: ws.rename("A", "B"), "A"),
        (lambda ws: sylvite.Workspace(parent=ws, forward={"a": "X"}), "X"),
        (lambda ws: sylvite.Workspace(forward={"a": "X"}), "forward without a parent"),
        (lambda ws: sylvite.Workspace(parent=ws, registry=sylvite.registry), "beside a parent"),
        (lambda ws: sylvite.Net("n", [], ["Y"]), "Y"),
        (lambda ws: sylvite.op("A", [], [], size=2**80), "op: size is"),
    ],
)
def test_rejects(ws, call, message):
    with pytest.raises(sylvite.InvalidArgument) as caught:
        call(ws)
    assert message in str(caught.value)
    assert ws.blobs() == []


@pytest.mark.parametrize(
    "call",
    [
        lambda ws: ws.feed("X", [1, 2]),
        lambda ws: ws.feed(3, np.zeros(1)),
        lambda ws: ws.run(3),
        lambda ws: ws.run("Squeeze"),
        lambda ws: ws.run("Squeeze", "X", "Y"),
        lambda ws: ws.run(sylvite.op("Squeeze", ["X"], ["Y"]), ["X"]),
        lambda ws: ws.run(sylvite.op("Squeeze", ["X"], ["Y"]), dims=[0]),
        lambda ws: sylvite.op("Squeeze", [1], ["Y"]),
        lambda ws: sylvite.op("Squeeze", ["X"], ["Y"], dims=None),
        lambda ws: sylvite.op("Squeeze", ["X"], ["Y"], dims=[0, "a"]),
        lambda ws: sylvite.Net("n", [3]),
        lambda ws: sylvite.Workspace(3),
    ],
)
def test_wrong_types(ws, call):
    with pytest.raises(TypeError):
        call(ws)


def test_ops_are_values():
    op = sylvite.op("Cast", ["X"], ["Y"], to="float16")
    assert (op.type, op.inputs, op.outputs, op.device) == ("Cast", ["X"], ["Y"], "cpu")
    assert op.arguments == {"to": "float16"}
    assert repr(op) == "op('Cast', ['X'], ['Y'], to='float16')"
    assert op == sylvite.op("Cast", ["X"], ["Y"], to="float16")
    assert op != sylvite.op("Cast", ["X"], ["Y"], to="float32") and op != 3
    many = sylvite.op("A", [], [], i=np.int64(3), f=np.float32(0.5), b=True, s=["a", "b"],
                      n=[[1, 2], [3, 4]], e=[], d=[1, 2.5])
    assert many.arguments == {"i": 3, "f": 0.5, "b": 1, "s": ["a", "b"], "n": [1, 2, 3, 4],
                              "e": [], "d": [1.0, 2.5]}


def test_gradient_defs():
    op = sylvite.op("Expand", ["X", "shape"], ["Y"])
    operators, gradients = sylvite.gradient_defs(op, {"Y": "Y_grad"})
    assert gradients == ["X_grad", None] and operators[0].type == "ExpandGradient"
    with pytest.raises(sylvite.InvalidArgument, match="Z is no output of Expand"):
        sylvite.gradient_defs(op, {"Z": "Z_grad"})
    with pytest.raises(TypeError):
        sylvite.gradient_defs(op, ["Y_grad"])
    own = sylvite.Registry()
    sylvite.register_operator("Plain", registry=own)(lambda inputs, arguments: [])
    sylvite.register_operator("Never", "forbidden", registry=own)(lambda inputs, arguments: [])
    sylvite.register_operator("Nothing", gradient="none", registry=own)(lambda i, a: [])
    for name, reason in (("Plain", "not_written"), ("Never", "forbidden")):
        with pytest.raises(sylvite.Unsupported) as caught:
            sylvite.gradient_defs(sylvite.op(name, ["X"], ["Y"]), {"Y": "g"}, own)
        assert caught.value.reason == reason and isinstance(caught.value, NotImplementedError)
    assert sylvite.gradient_defs(sylvite.op("Nothing", ["X"], ["Y"]), {}, own) == ([], [None])


def test_gradients_of_a_net(ws):
    net = sylvite.Net("step", [
        sylvite.op("SpaceToBatch", ["X"], ["P"], block_size=2),
        sylvite.op("SquaredL2", ["P"], ["loss"]),
    ])
    assert len(net) == 2 and net.external_inputs == ["X"] and net.external_outputs == ["loss"]
    gradients = net.add_gradients({"loss": "loss_grad"})
    assert gradients["X"] == "X_grad" and gradients["loss"] == "loss_grad" and len(net) > 2
    x = np.random.default_rng(4).normal(size=(1, 1, 4, 4)).astype("float32")
    ws.feed("X", x)
    ws.feed("loss_grad", np.float32(1))
    ws.run(net)
    assert same_bits(ws.fetch("X_grad"), x)
    assert "digraph" in net.to_dot() and "float32" in net.to_dot(ws)
    with pytest.raises(sylvite.InvalidArgument, match="Net step"):
        sylvite.Net("step", [sylvite.op("Squeeze", ["X"], ["Y"])]).add_gradients({})


def test_do_runs_a_net_in_a_scope(ws):
    net = sylvite.Net("inner", [sylvite.op("Expand", ["a", "shape"], ["b"])])
    ws.feed("X", np.arange(2.0))
    ws.feed("shape", np.array([3, 2]))
    ws.run("CreateScope", [], ["scope"])
    ws.run("Do", ["X", "shape", "scope"], ["Y", "scope"], net=net,
           inner_blobs=["a", "shape", "b"], outer_blobs_idx=[0, 1, 2])
    assert ws.fetch("Y").tolist() == [[0, 1]] * 3
    ws.run("HasScope", ["scope"], ["has"])
    assert ws.fetch("has").tolist() == [True]
    with pytest.raises(sylvite.InvalidArgument, match="workspace_stack"):
        ws.fetch("scope")


def test_stacks(ws):
    ws.feed("X", np.arange(2.0))
    stack = sylvite.WorkspaceStack()
    assert stack.empty() and len(stack) == 0
    first = stack.push_forward(ws, {"inner": "X"})
    first.feed("local", np.zeros(1))
    second = stack.push_forward(ws, {"inner": "X"})
    assert second.fetch("inner").tolist() == [0, 1] and len(stack) == 2
    stack.check_stack()
    stack.check_bindings_match({"inner": "X"})
    with pytest.raises(sylvite.InvalidArgument):
        stack.check_bindings_match({"other": "X"})
    assert not stack.reuse_last_forward(ws, {"inner": "X"}).has("local")
    stack.pop_gradient(ws, {})
    assert stack.pop_gradient(ws, {"g": "X"}).has("local") and stack.empty()
    with pytest.raises(sylvite.InvalidArgument):
        stack.pop_gradient(ws, {})
    stack.push_forward(ws, {"inner": "X"})
    with pytest.raises(sylvite.InvalidArgument):
        stack.push_forward(sylvite.Workspace(), {})
    stack.clear()
    stack.release()
    assert stack.empty()


def test_registry():
    names = sylvite.registry.names()
    assert names == sorted(names) and len(sylvite.registry) == len(names)
    for name in names:
        about = sylvite.registry.describe(name)
        assert about["name"] == name and about["gradient"] in ("rule", "none", "forbidden", "not_written")
    about = sylvite.registry.describe("SpaceToBatch")
    assert about["inputs"] == (1, 1) and about["gradient"] == "rule"
    assert {"name": "block_size", "type": "integer", "default": "2"}.items() <= about["arguments"][0].items()
    with pytest.raises(sylvite.InvalidArgument, match="unknown operator"):
        sylvite.registry.describe("Nope")


def test_explain():
    found = sylvite.explain("SpaceToBatch", [(ml_dtypes.bfloat16, (1, 1, 8, 8))], block_size=2)
    assert found["output_shape"] == (4, 1, 4, 4) and found["target"] in sylvite.targets()
    sylvite.use_target(sylvite.targets()[-1]) if sylvite.targets()[-1] != "opencl" else None
    with pytest.raises(sylvite.InvalidArgument):
        sylvite.explain("SpaceToBatch", [("float32", (1, 1, 7, 8))], block_size=2)
