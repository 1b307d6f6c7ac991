"""Generators, real candidates, and the program that holds them against the default."""
import json
import os
import shlex
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from sylvite.tuner import lines, records, session
from sylvite.tuner.build import Build, role_of, switch_entries
from sylvite.tuner.errors import CandidateFailed, TunerError
from sylvite.tuner.runner import Runner
from sylvite.tuner.search import Search, Settings

SMALL = "fill_u64"  # a group of one kernel
SHAPES = "scalar_16k uint64 1 2048 1\nrow_16k uint64 1x64 32x64 2\n"


@pytest.fixture
def shapes(tmp_path):
    folder = tmp_path / "shapes"
    folder.mkdir()
    (folder / "expand.txt").write_text(SHAPES)
    (folder / "space_batch.txt").write_text("padded_8k s2b uint64 nchw 1x1x30x32 2x2 1:1,0:0 1\n")
    return folder


def test_every_generator_prints_its_knobs(build):
    families = {group.family for group in build.groups.values()}
    found = {}
    for family in families:
        said = subprocess.run([build.generator(family), "--knobs"], capture_output=True, text=True, check=True)
        found |= json.loads(said.stdout)
    assert found.keys() >= {group.generator for group in build.groups.values()}
    knobs = [knob for some in found.values() for knob in some]
    assert len(knobs) > 10
    for knob in knobs:
        assert knob["default"] in knob["values"] and len(set(knob["values"])) == len(knob["values"]) > 1


def test_groups_are_kernels_that_differ_in_the_block_alone(build, target):
    group = next(group for group in build.groups_of(target, "space_to_batch_u32"))
    assert {kernel.name for kernel in group.kernels} == {f"space_to_batch_b{block}_u32" for block in range(2, 7)}
    assert build.groups_of(target, "space_to_batch_b3_u32") == [group]


@pytest.mark.parametrize("name", ["cast_f32_f16", "cast_bool_f32", "expand_gradient_rows_bf16_f32", "put_together_u16", "fill_u8"])
def test_every_checked_line_is_one_that_may_reach_the_group(build, name):
    group = build.groups[name]
    checked = lines.checked_lines(group)
    assert checked == lines.checked_lines(group) and len(checked) > 100
    assert all(lines.touches(group, line) for _, line in checked)


@pytest.mark.parametrize("name", ["repeat_u16", "repeat_u64", "repeat4_pixels_u8"])
def test_the_checked_lines_reach_every_kernel_of_a_group(build, target, name):
    group = build.groups[name]
    program = build.program(group, target, (), [], lines.checked_lines(group))
    assert Runner(target).check(program) > 100


def test_every_group_has_lines_to_time(build, target):
    silent = [group.name for group in build.groups_of(target)
              if group.family != "cast" and not lines.timed_lines(build.source, group)]
    assert silent == []


@pytest.mark.parametrize("name, row", [("expand_gradient_rows_u64_u64", "repeats_4_i64"), ("cast_u64_u32", "i64_i32_16m"),
                                       ("space_to_batch_masked_u64", "deeplab33_r2_nchw_f64")])
def test_lines_of_other_dtypes_reach_the_kernels_of_their_width(build, target, name, row):
    group = build.groups[name]
    timed = [(family, line) for family, line in lines.timed_lines(build.source, group) if line.split()[0] == row]
    program = build.program(group, target, (), timed, [])
    assert [said["row"] for said in Runner(target).reached(program)] == [row]


def make_search(build, target, shapes, prefix=""):
    group = build.groups[SMALL]
    return Search(build, group, target, Runner(target, prefix), Settings(shapes=shapes, records=shapes, seconds=.05,
                                                                         confirm_seconds=.1))


def test_a_real_candidate_is_checked_timed_and_recorded(build, target, shapes, monkeypatch):
    monkeypatch.setattr("sylvite.tuner.search.default_storage", lambda _: f"sqlite:///{shapes}/studies.db")
    found = make_search(build, target, shapes)
    assert found.rows  # what does not reach the kernel is not timed
    assert set(found.rows) <= {"scalar_16k", "row_16k", "padded_8k"}
    row = found.record(*found.run())
    assert row["verdict"] == "tuned" or row["verdict"].startswith("default kept")
    assert records.read(build, target, shapes) == [row]


def test_recorded_rows_are_measured_again(build, target, shapes, capsys):
    found = make_search(build, target, shapes)
    row = records.make_row(build, found.group, {"step": 128}, "tuned", found.measure({"step": 128}, .05), found.digest,
                           {"chip": "another", "threads": 0})
    row["score"]["geomean"] = 30.
    records.write(build, target, row, shapes)
    again = dict(kernel=SMALL, prefix="", threads=None, seconds=.05, shapes=shapes, records=shapes)
    assert session.check(build, target, **again) == 1
    said = capsys.readouterr().out
    assert "fill_u64 step=128: 30.000 on " in said and "was another" in said and "1 rows, 1 drifted" in said
    with pytest.raises(TunerError, match="no row to check"):
        session.check(build, target, **again | {"kernel": "fill_u8"})


class Sabotaged(Build):
    """Its candidates do what `body` says."""
    body = "return 0;"

    def objects(self, kernel, target, role, settings):
        made = super().objects(kernel, target, role, settings)
        if role != "trial" or not settings:
            return made
        folder = Path(self.scratch)
        (folder / "wrong.c").write_text("\n".join(
            f"int {role_of(entry, 'trial')}(void **args) {{ {self.body} }}"
            for _, entry, _ in switch_entries([kernel], target)))
        subprocess.run(["cc", "-c", folder / "wrong.c", "-o", folder / "wrong.o"], check=True)
        return [folder / "wrong.o"]


@pytest.mark.parametrize("body, said", [("return 0;", "wrong bytes"), ("__builtin_trap();", "the runner ended"),
                                        ("return -1;", "the runner ended with 2")])
def test_a_candidate_that_is_wrong_or_dies_is_refused(build, target, shapes, tmp_path, body, said):
    bad = Sabotaged(build.source, build.folder)
    bad.scratch, bad.body = tmp_path, body
    found = make_search(bad, target, shapes)
    with pytest.raises(CandidateFailed, match=said):
        found.measure({"step": 128}, .05)


def test_what_no_shape_reaches_is_not_taken_for_checked(build, target, shapes):
    found = make_search(build, target, shapes)
    found.checked = [("expand", "row uint64 1x3 5x3 1")]
    with pytest.raises(CandidateFailed, match="not checked: no shape reaches fill_u64"):
        found.measure({"step": 128}, .05)


def test_knobs_that_a_schedule_refuses_fail_with_its_message(build, target, shapes):
    found = make_search(build, target, shapes)
    with pytest.raises(CandidateFailed, match="fill_u64: .*Unable to parse: many"):
        found.settings_of = lambda knobs: ("step=many",)
        found.measure({"step": 128}, .05)


def with_row(build, target):
    """As if the library had been built with a row: its kernel is then not the default one."""
    group = build.groups[SMALL]
    kernels = tuple(replace(kernel, targets={target: {**kernel.targets[target], "knobs": ["step=128"]}})
                    for kernel in group.kernels)
    return replace(group, kernels=kernels)


def test_rows_of_the_library_are_measured_against_the_default_schedule(build, target, shapes):
    tuned = with_row(build, target)
    program = build.program(tuned, target, ("step=128",), lines.timed_lines(build.source, tuned, shapes),
                            lines.checked_lines(tuned))
    assert Runner(target).check(program) > 100


def test_the_default_and_a_candidate_with_its_knobs_are_made_at_once(build, target, monkeypatch, tmp_path):
    # As every search begins where the library has a row: in both roles, with the same settings.
    group = with_row(build, target)
    for i in range(3):
        monkeypatch.setitem(build._digests, group.family, f"{tmp_path}{i}")  # objects that nobody has made
        build.program(group, target, (), [], [])
        for role in ("base", "trial"):
            for path in build.objects(group.kernels[0], target, role, ()):
                path.unlink()


@pytest.mark.parametrize("script, said", [
    ("sleep 60 & sleep 60", "said nothing for 1 s"),  # what it started holds its output open
    ("exec >&-; sleep 60", "said nothing for 1 s"),
    ("yes | head -c 1000000 >&2; echo '{}'; exit 5", "ended with 5: y"),  # more messages than a pipe holds
    ("echo '{'", "printed no JSON"),
])
def test_a_runner_that_misbehaves_is_a_failed_candidate(script, said):
    with pytest.raises(CandidateFailed, match=said):
        list(Runner("any", shlex.join(["sh", "-c", script])).lines("program", silence=1))


@pytest.mark.parametrize("name, rows", [("fill_u64", 3), ("cast_f32_f16", 1)])
def test_halides_schedulers_stand_beside_ours(build, target, shapes, name, rows):
    from sylvite.tuner.baselines import measure_baselines
    (shapes / "cast.txt").write_text("dense_16k float32 float16 16384 dense 1\n")
    found = list(measure_baselines(build, target, [build.groups[name]], Runner(target), .1, shapes))
    assert [scheduler for _, scheduler, *_ in found] == ["Mullapudi2016", "Adams2019"]
    for _, _, score, ran, reached, reason in found:
        assert 1 <= reached <= rows
        assert ran == reached or reason
        assert (score is None) == (ran == 0)
    assert any(score for _, _, score, *_ in found)


def test_blocks_are_advised(build, target):
    from sylvite.tuner.advise import advise
    said = list(advise(build, target, 24, 36, "float32", 2, 1, "nchw", 3, "grid", 24, .01, ""))
    assert "8 of 8 blocks measured" in said[0] and {line.split()[0] for line in said[2:10]} >= {"2x2", "3x3", "1x2"}
    assert "blocks measured" in next(iter(advise(build, target, 24, 36, "uint8", 2, 1, "nhwc", 3, "tpe", 4, .01, "")))


def test_a_report_needs_no_network(build, target, tmp_path):
    import optuna
    from sylvite.tuner.report import write_report
    url = f"sqlite:///{tmp_path}/studies.db"
    study = optuna.create_study(study_name=f"{target}/{SMALL}/0", storage=url, direction="maximize")
    values = optuna.distributions.CategoricalDistribution([64, 128])
    for step, value in ((64, 1.), (128, 1.2)):
        study.add_trial(optuna.trial.create_trial(params={"step": step}, distributions={"step": values}, value=value,
                                                  user_attrs={"score": {"scalar_16k": [.1, .01]}}))
    page = write_report(build, tmp_path / "report.html", url, tmp_path).read_text()
    assert "Plotly.newPlot" in page and "Knob importance" in page and "Before and after per shape" in page
    assert "src=" not in page.split("</script>")[-1]
