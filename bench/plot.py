#!/usr/bin/env python3
"""Draws the chart of a bench run: plot.py RUN.json CHART.png (or .svg, .pdf).

plot.py --check CHART.png only says whether it could.
"""

import argparse
import json

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot

COLOURS = {"out of cache": "#1b6ca8", "in cache": "#58a55c", "below 256 KiB": "#9a9a9a", "gpu": "#7b4fa3"}


def naive_ratio(row):
    return row["references"].get("naive", {}).get("ratio")


def draw_ratios(axes, family, rows):
    rows = sorted((row for row in rows if not row["error"]), key=lambda row: (row["group"], row["ratio"]))
    for group, colour in COLOURS.items():
        at = [i for i, row in enumerate(rows) if row["group"] == group]
        if at:
            axes.barh(at, [rows[i]["ratio"] for i in at], color=colour, label=group)
    marks = {
        "naive loop": ("k|", naive_ratio),
        "floor": ("r|", lambda row: row["floor"] or None),
    }
    for label, (style, value) in marks.items():
        at = [i for i, row in enumerate(rows) if value(row)]
        if at:
            axes.plot([value(rows[i]) for i in at], at, style, label=label)
    axes.axvline(1, color="k", linewidth=0.8)
    axes.set_yticks(range(len(rows)), [row["name"] for row in rows], fontsize=7)
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.set_xlabel("speed as a share of the roof: the best copy, fill or read of the same bytes")
    axes.set_title(family)
    axes.legend(loc="lower right", fontsize=8)


def draw_nanoseconds(axes, family, rows):
    axes.barh(range(len(rows)), [row["min_ns"] for row in rows], color="#1b6ca8")
    axes.set_yticks(range(len(rows)), [row["name"] for row in rows], fontsize=7)
    axes.set_xlabel("ns per call")
    axes.set_title(family)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("json", nargs="?")
    parser.add_argument("chart")
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    formats = pyplot.gcf().canvas.get_supported_filetypes()
    if arguments.chart.rsplit(".", 1)[-1] not in formats:
        parser.error(f"{arguments.chart}: want one of {', '.join(formats)}")
    if arguments.check:
        return
    with open(arguments.json, encoding="utf-8") as file:
        run = json.load(file)
    families = {name: family["rows"] for name, family in run["families"].items() if family.get("rows")}
    if not families:
        parser.error(f"{arguments.json} holds no rows")

    heights = [1.2 + 0.16 * len(rows) for rows in families.values()]
    figure, panels = pyplot.subplots(
        len(families), figsize=(9, sum(heights)), height_ratios=heights, squeeze=False, layout="constrained"
    )
    for axes, (name, rows) in zip(panels[:, 0], families.items()):
        draw = draw_nanoseconds if "min_ns" in rows[0] else draw_ratios
        draw(axes, name, rows)
    machine = run["machine"]
    figure.suptitle(f"{machine['cpu']}, {machine['threads']} threads, {machine['date']}", fontsize=9)
    figure.savefig(arguments.chart, dpi=120)


if __name__ == "__main__":
    main()
