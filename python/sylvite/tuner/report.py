"""An HTML page of what the tuner found: needs no network and no other file."""
import html
import math
from collections import defaultdict

import optuna
import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from . import records
from .errors import TunerError
from .records import knobs_text
from .search import default_storage

STYLE = """body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; color: #222 }
table { border-collapse: collapse; margin: 1rem 0 } th, td { padding: .2rem .8rem; border-bottom: 1px solid #ddd }
th { text-align: left } td.n { text-align: right; font-variant-numeric: tabular-nums } td.won { font-weight: 600 }
h2 { margin-top: 3rem } nav a { margin-right: 1rem } .failed { color: #a33 }"""
DEFAULT, TUNED, SLOWER, OTHER = "#8a8f98", "#2b7a4b", "#b5483a", "#c7772e"


def importance(trials):
    """Of each knob, the share of the trials' variance that lies between its values."""
    values = [math.log(trial.value) for trial in trials]
    middle = sum(values) / len(values)
    total = sum((value - middle) ** 2 for value in values)
    shares = {}
    for knob in trials[0].params:
        groups = defaultdict(list)
        for trial, value in zip(trials, values):
            groups[trial.params[knob]].append(value)
        between = sum(len(some) * (sum(some) / len(some) - middle) ** 2 for some in groups.values())
        shares[knob] = between / total if total else 0.
    return shares


def figure(title, **layout):
    return go.Figure(layout={"title": {"text": title, "font": {"size": 15}}, "template": "plotly_white", "height": 340,
                             "margin": {"t": 50, "l": 60, "r": 20, "b": 60}, **layout})


def history(trials):
    done = [trial for trial in trials if trial.state.name == "COMPLETE"]
    chart = figure("Search: speed against the default, trial by trial", xaxis_title="trial", yaxis_title="ratio",
                   xaxis_dtick=max(1, len(done) // 10))
    chart.add_scatter(x=[trial.number for trial in done], y=[trial.value for trial in done], mode="markers", name="trial",
                      text=[knobs_text(trial.params) for trial in done], marker={"size": 9, "color": OTHER})
    best, line = 0, []
    for trial in done:
        best = max(best, trial.value)
        line.append(best)
    chart.add_scatter(x=[trial.number for trial in done], y=line, mode="lines", name="best so far", line={"color": TUNED})
    chart.add_hline(y=1, line_dash="dot", line_color=DEFAULT)
    return chart


def knob_chart(done):
    shares = importance(done)
    chart = figure("Knob importance: share of the trials' variance between a knob's values", yaxis_range=[0, 1.05])
    chart.add_bar(x=list(shares), y=list(shares.values()), marker_color=OTHER, width=.4)
    return chart


def shape_chart(trial):
    rows = trial.user_attrs["score"]
    chart = figure(f"Before and after per shape, {knobs_text(trial.params)}: default = 1",
                   yaxis_title="ratio", height=420, xaxis_tickangle=-50, margin={"b": 170, "t": 50, "l": 60, "r": 20})
    ratios = [math.exp(gain) for gain, _ in rows.values()]
    colours = [DEFAULT if abs(gain) <= spread else TUNED if gain > 0 else SLOWER for gain, spread in rows.values()]
    chart.add_bar(x=list(rows), y=ratios, marker_color=colours,
                  error_y={"type": "data", "array": [ratio * spread for ratio, (_, spread) in zip(ratios, rows.values())]})
    chart.add_hline(y=1, line_color=DEFAULT)
    return chart


def roof_chart(target, rows):
    rows = [row for row in rows if row["roof"]]
    chart = figure(f"Share of the memory roof on {target}", yaxis_title="share", yaxis_range=[0, 1.1], barmode="group",
                   xaxis_tickangle=-50, height=420, margin={"b": 170, "t": 50, "l": 60, "r": 20})
    names = [row["kernel"] for row in rows]
    before = [row["roof"] / row["score"]["geomean"] if row["knobs"] else row["roof"] for row in rows]
    chart.add_bar(x=names, y=before, name="default", marker_color=DEFAULT)
    chart.add_bar(x=names, y=[row["roof"] for row in rows], name="tuned", marker_color=TUNED)
    return chart


def table(rows):
    head = "".join(f"<th>{name}</th>" for name in ("kernels", "knobs", "verdict", "ratio", "spread", "min", "max", "of the roof",
                                                  "chip", "threads", "date"))
    body = []
    for row in rows:
        score = row["score"]
        numbers = "".join(f'<td class="n">{score[part]:.3f}</td>' for part in ("geomean", "spread", "min", "max"))
        roof = f"{row['roof']:.2f}" if row["roof"] else "-"
        won = ' class="won"' if row["knobs"] else ""
        body.append(f"<tr><td>{html.escape(row['kernel'])}</td><td{won}>{knobs_text(row['knobs'])}</td>"
                    f"<td>{html.escape(row['verdict'])}</td>{numbers}<td class='n'>{roof}</td><td>{html.escape(row['chip'])}</td>"
                    f"<td class='n'>{row['threads']}</td><td>{row['date']}</td></tr>")
    return f"<table><tr>{head}</tr>{''.join(body)}</table>"


def study_section(study):
    trials = study.get_trials(deepcopy=False)
    done = [trial for trial in trials if trial.state.name == "COMPLETE"]
    failed = [trial for trial in trials if trial.state.name == "FAIL"]
    pruned = [trial for trial in trials if trial.state.name == "PRUNED"]
    target, group, _ = study.study_name.split("/")
    charts = []
    if done:
        charts.append(history(trials))
        if len(done) > 1:
            charts.append(knob_chart(done))
        measured = [trial for trial in done if "score" in trial.user_attrs]
        if measured:
            charts.append(shape_chart(max(measured, key=lambda trial: trial.value)))
    parts = [f'<h3 id="{target}-{group}">{html.escape(group)}</h3>',
             f"<p>{len(done)} trials measured, {len(pruned)} given up early, {len(failed)} failed.</p>"]
    parts += [f'<p class="failed">{knobs_text(trial.params)}: {html.escape(trial.user_attrs.get("failed", "cut off"))}</p>'
              for trial in failed]
    return "\n".join(parts + [chart.to_html(full_html=False, include_plotlyjs=False) for chart in charts])


def write_report(build, path, storage=None, folder=None):
    storage = optuna.storages.get_storage(storage or default_storage(build))
    studies = sorted((study.study_name for study in storage.get_all_studies()), key=str)
    by_target = {target: records.read(build, target, folder) for target in build.targets}
    by_target = {target: rows for target, rows in by_target.items()
                 if rows or any(name.startswith(target + "/") for name in studies)}
    if not by_target:
        raise TunerError("nothing has been tuned yet")
    parts = ["<!doctype html><html lang=en><meta charset=utf-8><title>Sylvite: tuned schedules</title>",
             f"<style>{STYLE}</style><script>{get_plotlyjs()}</script>", "<h1>Tuned schedules</h1>",
             "<p>Ratios are speeds against the default schedule, measured in turn in one process; the spread is two "
             "standard errors. A row is tuned where the ratio is beyond its spread, no shape loses, and the "
             "code that it takes is worth it.</p>", "<nav>",
             *(f'<a href="#{target}">{target}</a>' for target in by_target), "</nav>"]
    for target, rows in by_target.items():
        parts += [f'<h2 id="{target}">{target}</h2>']
        if rows:
            parts += [table(rows), roof_chart(target, rows).to_html(full_html=False, include_plotlyjs=False)]
        parts += [study_section(optuna.load_study(study_name=name, storage=storage))
                  for name in studies if name.startswith(target + "/")]
    path.write_text("\n".join(parts) + "\n")
    return path
