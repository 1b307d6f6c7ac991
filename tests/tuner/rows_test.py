"""What CMake takes of tuned rows, and what it refuses."""
import json
import multiprocessing
import re
import subprocess

import pytest
from sylvite.tuner import records

TARGET = "x86_64"


def row(build, kernel="fill_u32", knobs=None, **changes):
    return {"kernel": kernel, "knobs": {"step": 128} if knobs is None else knobs, "verdict": "tuned",
            "score": {"geomean": 1.1, "spread": .01, "min": 1., "max": 1.2}, "roof": .9, "shapes": "sha256:0", "chip": "any",
            "threads": 2, "versions": dict(build.versions), "date": "2026-01-01", **changes}


class Configured:
    """A build folder of one target whose generators are those of the build at hand."""

    def __init__(self, source, build, folder):
        self.source, self.build, self.folder, self.tuned = source, build, folder / "build", folder / "tuned"
        self.tuned.mkdir()

    def rows(self, *rows, text=None):
        (self.tuned / f"{TARGET}.json").write_text(text or json.dumps({"target": TARGET, "rows": rows}))

    def cmake(self, *options):
        return subprocess.run(["cmake", "-G", "Ninja", "-S", self.source, "-B", self.folder, f"-DSYLVITE_TARGETS={TARGET}",
                               f"-DSYLVITE_HOST_BUILD={self.build.folder}", f"-DSYLVITE_TUNED_DIR={self.tuned}",
                               "-DSYLVITE_BUILD_TESTS=OFF", "-DSYLVITE_BUILD_BENCH=OFF", "-DSYLVITE_BUILD_EXAMPLES=OFF",
                               *options], capture_output=True, text=True)

    def ninja(self, *arguments):
        return subprocess.run(["ninja", "-C", self.folder, *arguments], capture_output=True, text=True)

    def command(self, kernel):
        ninja = (self.folder / "build.ninja").read_text()
        return re.search(rf"COMMAND = (.* -n {kernel} -e object .*)", ninja)[1]


@pytest.fixture(scope="module")
def configured(source, build, tmp_path_factory):
    made = Configured(source, build, tmp_path_factory.mktemp("rows"))
    made.rows()
    done = made.cmake()
    assert done.returncode == 0, done.stderr
    return made


def refused(configured, *said):
    done = configured.cmake()
    assert done.returncode != 0
    flat = " ".join(done.stderr.split())
    for part in said:
        assert part in flat, done.stderr


def test_a_row_reaches_the_kernels_of_its_group_and_no_other(configured, build):
    configured.rows()
    configured.cmake()
    before = {kernel: configured.command(kernel) for kernel in ("space_to_batch_b2_u32", "space_to_batch_b3_u32", "fill_u32")}
    configured.rows(row(build, "space_to_batch_u32"))
    assert configured.cmake().returncode == 0
    for kernel, command in before.items():
        if kernel == "fill_u32":
            assert configured.command(kernel) == command
        else:
            assert "step=128" in configured.command(kernel) and "step=128" not in command


def test_a_kernels_own_row_stands_before_its_groups(configured, build):
    configured.rows(row(build, "space_to_batch_u32"), row(build, "space_to_batch_b3_u32", {"step": 32}))
    assert configured.cmake().returncode == 0
    assert "step=128" in configured.command("space_to_batch_b2_u32")
    assert "step=32" in configured.command("space_to_batch_b3_u32")


def test_a_default_that_is_kept_changes_no_command(configured, build):
    configured.rows()
    configured.cmake()
    before = configured.command("fill_u32")
    configured.rows(row(build, knobs={}))
    assert configured.cmake().returncode == 0
    assert configured.command("fill_u32") == before


def test_a_kernel_is_made_with_its_row_and_made_anew_alone(configured, build):
    kernels = ["kernels/x86_64/fill_u32.o", "kernels/x86_64/fill_u64.o"]
    configured.rows(row(build, "fill_u32"))
    assert configured.cmake().returncode == 0
    done = configured.ninja(*kernels)
    assert done.returncode == 0, done.stdout
    configured.rows(row(build, "fill_u32", {"step": 32}))
    said = configured.ninja("-d", "explain", *kernels).stdout
    assert "Kernel fill_u32 for" in said and "Kernel fill_u64 for" not in said
    assert "no work to do" in configured.ninja(*kernels).stdout


@pytest.mark.parametrize("knobs, said", [
    ({"vectors": 2}, "fill_u32: stale row: generator fill has no knob 'vectors', it has: step"),
    ({"step": 48}, "fill_u32: stale row: knob 'step' of generator fill is '48', want one of 16, 32, 64, 128, 256")])
def test_a_stale_row_is_named_when_its_kernel_is_made(configured, build, knobs, said):
    configured.rows(row(build, "fill_u32", knobs))
    assert configured.cmake().returncode == 0
    done = configured.ninja("kernels/x86_64/fill_u32.o")
    assert done.returncode != 0 and f"{TARGET}.json: {said}" in done.stdout


def test_an_unknown_kernel_stops_the_build(configured, build):
    configured.rows(row(build, "fill_u33"))
    refused(configured, f"{TARGET}.json", "no kernel or group of kernels for x86_64 is called 'fill_u33'")


@pytest.mark.parametrize("text, said", [
    ("{", "malformed"),
    ('{"target": "arm64", "rows": []}', "target is 'arm64', want 'x86_64'"),
    ('{"target": "x86_64", "rows": [{}]}', "row 1 is no object with a kernel's name"),
    ('{"target": "x86_64", "rows": [{"kernel": "fill_u8"}]}', "row 1 (fill_u8) has no knobs"),
    ('{"target": "x86_64", "target": "x86_64", "rows": []}', "'target' stands twice")])
def test_a_malformed_file_stops_the_build(configured, text, said):
    configured.rows(text=text)
    refused(configured, "malformed", said)


@pytest.mark.parametrize("changes, said", [
    ({"knobs": {"step": "128"}}, "knob 'step' is \"128\", want a whole number"),
    ({"knobs": {"step=1 x": 1}}, "knob 'step=1 x'"),
    ({"more": 1}, "has unknown more"),
    ({"versions": {"schema": 1}}, "versions wants schema, halide and llvm")])
def test_a_malformed_row_stops_the_build(configured, build, changes, said):
    configured.rows(row(build, **changes))
    refused(configured, "malformed", said)


def test_streaming_begins_where_the_row_says(configured, build):
    targets = configured.folder / "generated/targets.inc"
    configured.rows(row(build, "stream_from", {"percent": 50}))
    assert configured.cmake().returncode == 0 and ".stream_percent = 50" in targets.read_text()
    configured.rows(row(build, "stream_from", {}))
    assert configured.cmake().returncode == 0 and ".stream_percent = 100" in targets.read_text()
    configured.rows(row(build, "stream_from", {"percent": 51}))
    refused(configured, "stream_from: 'percent=51', want percent, one of 12;25")


def test_a_row_twice_stops_the_build(configured, build):
    configured.rows(row(build), row(build))
    refused(configured, "'fill_u32' has a row already")


@pytest.mark.parametrize("version", ["schema", "halide"])
def test_a_row_of_another_version_gives_way_with_a_warning(configured, build, version):
    versions = {**build.versions, version: 99}
    configured.rows(row(build, versions=versions))
    done = configured.cmake()
    assert done.returncode == 0 and "fill_u32 was tuned with" in " ".join(done.stderr.split())
    assert "step=128" not in configured.command("fill_u32")


def test_the_committed_rows_are_well_formed_and_sorted(source, build):
    from sylvite.tuner import records
    for path in (source / "schedules/tuned").glob("*.json"):
        rows = records.read(build, path.stem)
        assert [known["kernel"] for known in rows] == sorted(known["kernel"] for known in rows)
        assert path.read_text() == records.dump(path.stem, rows)


def write_rows(build, folder, first):
    for i in range(first, first + 10):
        records.write(build, TARGET, row(build, f"kernel_{i}"), folder)


def test_processes_that_record_at_once_keep_each_others_rows(build, tmp_path):
    fork = multiprocessing.get_context("fork")
    running = [fork.Process(target=write_rows, args=(build, tmp_path, 10 * i)) for i in range(4)]
    for process in running:
        process.start()
    for process in running:
        process.join()
    assert all(process.exitcode == 0 for process in running)
    assert len(records.read(build, TARGET, tmp_path)) == 40
    assert [path.name for path in tmp_path.iterdir()] == [f"{TARGET}.json"]
