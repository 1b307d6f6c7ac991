"""The command line, in this process but for one true subprocess."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import ml_dtypes
import numpy
import pytest
from click.testing import CliRunner

import sylvite
from sylvite.cli import cli


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(*arguments):
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


def works(*arguments):
    result = call(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def fails(*arguments, code=1):
    """What stderr says, with nothing on stdout."""
    result = call(*arguments)
    assert result.exit_code == code, result.output
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    return result.stderr


def test_help_lists_the_commands():
    said = works("--help")
    for command in ("targets", "operators", "operator", "explain", "run", "bench", "net"):
        assert f"\n  {command} " in said
        assert "Usage: cli " + command in works(command, "--help")


def test_version():
    assert re.fullmatch(r"\d+\.\d+\.\d+", sylvite.__version__)
    assert works("--version") == f"sylvite, version {sylvite.__version__}\n"


def test_targets():
    assert works("targets").split() == sylvite.targets()
    assert json.loads(works("targets", "--json")) == sylvite.targets()


def test_operators():
    said = works("operators")
    known = sylvite.operators()
    assert len(known) > 30
    for op in known:
        assert op["name"] in said
    assert [op["name"] for op in json.loads(works("operators", "--json"))] == [op["name"] for op in known]


def test_every_operator_is_told_of():
    for op in sylvite.operators():
        said = works("operator", op["name"])
        assert op["summary"] in said
        for argument in op["arguments"]:
            assert argument["name"] in said
        assert json.loads(works("operator", op["name"], "--json"))["name"] == op["name"]


def test_the_documentation_of_an_operator_is_its_functions():
    for name, function in {
        "SpaceToBatch": sylvite.space_to_batch, "ExpandDims": sylvite.expand_dims,
        "MergeSingleListFeatureTensors": sylvite.merge_single_list,
        "MergeMultiMapFeatureTensorsGradient": sylvite.merge_multi_map_gradient,
    }.items():
        assert json.loads(works("operator", name, "--json"))["python"] == function.__name__
        assert function.__doc__.strip().splitlines()[-1] in works("operator", name)


def test_an_unknown_operator():
    assert "SpaceToBatch" in fails("operator", "SpaceToBach")
    assert "sylvite operators" in fails("operator", "qqqq")
    assert "SpaceToBach" in fails("explain", "SpaceToBach", "--shape", "1")


def test_explain():
    said = works("explain", "SpaceToBatch", "--shape", "8,64,112,112", "--arg", "block_size=2", "--loops", "none")
    facts = sylvite.explain("SpaceToBatch", [("float32", [8, 64, 112, 112])], block_size=2)
    for fact in (facts["kernel"], facts["target"], "[32, 64, 56, 56]", str(facts["bytes_read"])):
        assert fact in said
    told = json.loads(works("explain", "SpaceToBatch", "--shape", "8x64x112x112", "--arg", "block_size=2", "--json",
                            "--loops", "none"))
    assert told == {**facts, "output_shape": [32, 64, 56, 56], "loops": None}


def test_explain_of_several_inputs_and_targets():
    target = sylvite.targets()[-1]
    explained = [op["name"] for op in sylvite.operators() if op["explained"]]
    assert "Expand" in explained
    said = json.loads(works("explain", "Expand", "--shape", "3,1", "--dtype", "uint8", "--arg", "shape=3,64",
                            "--loops", "none", "--json"))
    assert said["output_shape"] == [3, 64]
    if target not in ("opencl",) and not target.startswith("cuda"):
        said = json.loads(works("explain", "Cast", "--shape", "4096", "--arg", "to=float16", "--target", target,
                                "--loops", "none", "--json"))
        assert said["target"] == target
    assert sylvite.explain("Cast", [("float32", [4096])], to="float16")["target"] == sylvite.targets()[0]


def test_explain_prints_the_loops_of_the_build():
    arguments = ["explain", "SpaceToBatch", "--shape", "2,3,64,64", "--arg", "block_size=2"]
    nest = works(*arguments, "--loops", "nest")
    assert "produce y {" in nest
    assert " for (y." in nest
    assert "let " not in nest
    assert "let " in works(*arguments, "--loops", "full")
    assert "produce y {" in json.loads(works(*arguments, "--json"))["loops"]


def test_loops_that_there_are_none_of(here):
    copy = ["explain", "SpaceToBatch", "--shape", "2,3,64,64", "--arg", "block_size=1"]
    kernel = json.loads(works(*copy, "--json"))["kernel"]
    if kernel == "memcpy":
        assert "memcpy is no generated kernel" in fails(*copy, "--loops", "nest")
    arguments = ["explain", "SpaceToBatch", "--shape", "2,3,64,64", "--arg", "block_size=2", "--build", here]
    assert "is no build of Sylvite" in fails(*arguments, "--loops", "nest")
    assert "is no build of Sylvite" in works(*arguments)
    (here / "generators").mkdir()
    (here / "build.ninja").write_text("")
    assert "has no kernel sv_space_to_batch_b2_u32_" in fails(*arguments, "--loops", "nest")


def test_run(here):
    x = numpy.arange(96, dtype=numpy.float32).reshape(1, 2, 6, 8)
    numpy.save("x.npy", x)
    said = works("run", "SpaceToBatch", "x.npy", "--out", "y.npy", "--arg", "block_shape=2,2",
                 "--arg", "paddings=[[1,1],[0,2]]", "--arg", "pad_value=1.5")
    assert said == "y.npy: float32 [4, 2, 4, 5]\n"
    y = numpy.load("y.npy")
    assert numpy.array_equal(
        y, sylvite.space_to_batch(x, block_shape=[2, 2], paddings=[[1, 1], [0, 2]], pad_value=1.5))
    assert sorted(os.listdir()) == ["x.npy", "y.npy"]


def test_run_with_several_inputs_and_outputs(here):
    for name in "ab":
        numpy.save(f"{name}.npy", numpy.full([2, 3], ord(name)))
    works("run", "Concat", "a.npy", "b.npy", "--out", "joined.npy", "--out", "sizes.npy", "--arg", "axis=0")
    assert numpy.load("sizes.npy").tolist() == [2, 2]
    told = json.loads(works("run", "Split", "joined.npy", "--out", "c.npy", "--out", "d.npy", "--arg", "axis=0", "--json"))
    assert told == [{"file": name, "dtype": "int64", "shape": [2, 3]} for name in ("c.npy", "d.npy")]
    assert numpy.array_equal(numpy.load("d.npy"), numpy.load("b.npy"))


def test_run_on_half_types_and_texts(here):
    x = numpy.arange(6, dtype=ml_dtypes.bfloat16)
    numpy.save("x.npy", x)
    works("run", "Cast", "x.npy", "--out", "y.npy", "--arg", "to=float32")
    assert numpy.array_equal(numpy.load("y.npy"), x.astype(numpy.float32))
    works("run", "Cast", "y.npy", "--out", "z.npy", "--arg", "to=bfloat16")
    assert numpy.array_equal(numpy.load("z.npy").view(ml_dtypes.bfloat16), x)
    works("run", "Cast", "y.npy", "--out", "t.npy", "--arg", "to=string")
    assert numpy.load("t.npy").tolist() == [b"0", b"1", b"2", b"3", b"4", b"5"]
    works("run", "Cast", "t.npy", "--out", "n.npy", "--arg", "to=int8")
    assert numpy.load("n.npy").tolist() == list(range(6))


def test_what_run_refuses(here):
    numpy.save("x.npy", numpy.zeros([1, 1, 3, 4], numpy.float32))
    (here / "text.npy").write_text("no array")
    numpy.savez("two.npz", a=numpy.zeros(1), b=numpy.zeros(1))
    numpy.save("objects.npy", numpy.array([{}]), allow_pickle=True)
    run = ["run", "SpaceToBatch", "x.npy", "--out", "y.npy"]
    assert "SpaceToBatch: " in fails(*run)  # 3 rows
    assert "blocksize" in fails(*run, "--arg", "blocksize=2")
    assert "text.npy: " in fails("run", "Squeeze", "text.npy", "--out", "y.npy")
    assert "several arrays" in fails("run", "Squeeze", "two.npz", "--out", "y.npy")
    assert "objects.npy: " in fails("run", "Squeeze", "objects.npy", "--out", "y.npy")
    assert "no directory" in fails("run", "Squeeze", "x.npy", "--out", "nowhere/y.npy")
    assert "x86_64_avx1024" in fails(*run, "--target", "x86_64_avx1024")
    assert sorted(os.listdir()) == ["objects.npy", "text.npy", "two.npz", "x.npy"]


def test_wrong_command_lines(here):
    numpy.save("x.npy", numpy.zeros(3))
    assert "No such command" in fails("rum", code=2)
    assert "--out" in fails("run", "Squeeze", "x.npy", code=2)
    assert "missing.npy" in fails("run", "Squeeze", "missing.npy", "--out", "y.npy", code=2)
    assert "one each" in fails("run", "Concat", "x.npy", "--out", "y.npy", "--out", "y.npy", code=2)
    assert "want name=value" in fails("run", "Squeeze", "x.npy", "--out", "y.npy", "--arg", "dims", code=2)
    assert "is not JSON" in fails("run", "Squeeze", "x.npy", "--out", "y.npy", "--arg", "dims=[1", code=2)
    assert "given twice" in fails("run", "Squeeze", "x.npy", "--out", "y.npy", "--arg", "a=1", "--arg", "a=2", code=2)
    assert "is no shape" in fails("explain", "Cast", "--shape", "3,b", code=2)
    assert "want one or 1" in fails("explain", "Cast", "--shape", "3", "--dtype", "int8", "--dtype", "int8", code=2)
    assert "needs a --shape" in fails("bench", "Cast", code=2)
    assert "belong to an operator" in fails("bench", "--shape", "3", code=2)
    assert "--threads" in fails("bench", "--threads", "-1", code=2)


def test_bench():
    [row] = json.loads(works("bench", "SpaceToBatch", "--shape", "1,8,64,64", "--arg", "block_size=2", "--min-time",
                             "0.01", "--json"))
    assert row["bytes"] == 2 * 4 * 8 * 64 * 64
    assert row["rounds"] >= 3
    assert row["ratio"] == pytest.approx(row["copy_seconds"] / row["seconds"])
    said = works("bench", "Cast", "--shape", "4096", "--dtype", "float16", "--arg", "to=float32", "--min-time", "0.01")
    assert "cast_f16_f32" in said
    assert "copyto GB/s" in said


NET = {
    "name": "phases",
    "inputs": {"X": "x.npy"},
    "operators": [
        {"type": "SpaceToBatch", "inputs": ["X"], "outputs": ["Y"], "arguments": {"block_size": 2}},
        {"type": "Cast", "inputs": ["Y"], "outputs": ["Z"], "arguments": {"to": "float16"}},
    ],
    "outputs": {"Z": "z.npy"},
}


@pytest.fixture
def net(here):
    """Writes NET with changes; its folder is not the working one."""
    (here / "nets").mkdir()
    numpy.save("nets/x.npy", numpy.arange(32, dtype=numpy.float32).reshape(1, 2, 4, 4))

    def write(**changes):
        path = here / "nets/net.json"
        path.write_text(json.dumps({**NET, **changes}))
        return path

    return write


def test_net(net, here):
    assert works("net", net()).endswith("z.npy: float16 [4, 2, 2, 2]\n")
    x = numpy.load("nets/x.npy")
    assert numpy.array_equal(numpy.load("nets/z.npy"), sylvite.space_to_batch(x).astype(numpy.float16))
    numpy.save("other.npy", x[:, :1])
    told = json.loads(works("net", net(), "--input", "X=other.npy", "--output", "Y=y.npy", "--json"))
    assert [each["shape"] for each in told] == [[4, 1, 2, 2], [4, 1, 2, 2]]
    assert numpy.array_equal(numpy.load("y.npy"), sylvite.space_to_batch(x[:, :1]))
    assert "digraph" in works("net", net(), "--dot")
    assert "float16 [4, 2, 2, 2]" in works("net", net(outputs={}))  # what the workspace holds


def test_a_net_with_a_subnet(net):
    inner = {"name": "inner", "operators": [{"type": "SpaceToBatch", "inputs": ["x"], "outputs": ["y"]}]}
    operators = [
        {"type": "CreateScope", "outputs": ["scope"]},
        {"type": "Do", "inputs": ["X", "scope"], "outputs": ["Z", "scope"],
         "arguments": {"net": inner, "inner_blobs": ["x", "y"], "outer_blobs_idx": [0, 1]}},
    ]
    assert "float32 [4, 2, 2, 2]" in works("net", net(operators=operators))


def test_what_net_refuses(net, here):
    good = NET["operators"][0]
    for changes, want in [
        ({"operator": []}, 'has "operator", want only'),
        ({"operators": {}}, '"operators" is {}, want a list'),
        ({"operators": [{}]}, 'operators[0] has no "type"'),
        ({"operators": [good, 3]}, "operators[1] is 3, want an object"),
        ({"operators": [{**good, "inputs": [1]}]}, "inputs has 1, want names"),
        ({"operators": [{**good, "arguments": {"block_size": None}}]}, "operators[0]: "),
        ({"operators": [{**good, "arguments": {"block_size": 3}}]}, "operators[0]: SpaceToBatch: "),
        ({"operators": [{**good, "arguments": {"a": {"b": 1}}}]}, "operators[0].arguments.a has no"),
        ({"inputs": {"X": 3}}, "inputs.X is 3, want a path"),
        ({"inputs": {}}, "no file for X"),
        ({"inputs": {"X": "gone.npy"}}, "gone.npy"),
        ({"outputs": {"Q": "q.npy"}}, "output Q is no blob"),
        ({"outputs": {"Z": "nowhere/z.npy"}}, "no directory"),
    ]:
        assert want in fails("net", net(**changes))
    path = net()
    path.write_text("{")
    assert "net.json: " in fails("net", path)
    path.write_text("[]")
    assert "want an object" in fails("net", path)
    assert sorted(os.listdir("nets")) == ["net.json", "x.npy"]


def test_as_a_program(here):
    environment = {**os.environ, "PYTHONPATH": str(Path(sylvite.__file__).absolute().parents[1])}

    def program(*arguments):
        return subprocess.run([sys.executable, "-m", "sylvite", *arguments], capture_output=True, text=True, timeout=60,
                              env=environment)

    assert program("targets").stdout.split() == sylvite.targets()
    numpy.save("x.npy", numpy.zeros([1, 1, 3, 4]))
    done = program("run", "SpaceToBatch", "x.npy", "--out", "y.npy")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: SpaceToBatch: ")
    assert "Traceback" not in done.stderr
    assert program("run", "SpaceToBatch", "x.npy").returncode == 2
