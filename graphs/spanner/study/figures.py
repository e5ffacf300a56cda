# SPDX-License-Identifier: Apache-2.0
"""The figures of the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from graphs.spanner.study.measured import Measured, point_key
from graphs.spanner.study.verdict import summarise
from workbench.experiments.figures import INK, MUTED

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_growth", "draw_repetitions", "draw_sizes", "draw_stretches", "draw_times"]

Row = Mapping[str, Any]
_MARKERS = {
    "exact": ("s", INK), "greedy": ("o", "C0"), "greedy+prune": ("D", "C1"), "cover": ("^", "C2"),
    "cover+prune": ("v", "C3"), "rtz": ("P", "C4"), "exact+prune": ("X", "C5"),
}  # fmt: skip


def draw_sizes(figure: Figure, rows: Sequence[Row]) -> None:
    """Draw edges per vertex against measured stretch, a panel per graph."""
    found = summarise(rows)
    graphs = list(dict.fromkeys(key[0] for key in found))
    columns = min(3, len(graphs))
    panels = figure.subplots(-(-len(graphs) // columns), columns, squeeze=False)
    for panel in panels.flat[len(graphs) :]:
        panel.axis("off")
    handles: dict[str, Any] = {}
    for panel, graph in zip(panels.flat, graphs, strict=False):
        most = max(key[1] for key in found if key[0] == graph)
        for (name, s, method, _), cell in found.items():
            if name != graph or s != most or method not in _MARKERS:
                continue
            marker, colour = _MARKERS[method]
            handles[method] = panel.plot(cell["max"], cell["size"], marker, color=colour)[0]
        panel.set_title(f"{graph}, s = {most}", fontsize=9)
        panel.set_xscale("log", base=2)
    for panel in panels[-1]:
        panel.set_xlabel("largest stretch measured")
    for row in panels:
        row[0].set_ylabel("edges / n")
    figure.legend(list(handles.values()), list(handles), loc="outside lower center", ncols=4)


def draw_times(figure: Figure, rows: Sequence[Row], measured: Measured) -> None:
    """Draw searches (above) and seconds (below) by number of sources."""
    graphs = list(dict.fromkeys(row["graph"] for row in rows))
    panels = figure.subplots(2, len(graphs), squeeze=False, sharex="col")
    for column, graph in enumerate(graphs):
        for number, value in enumerate(("searches", "seconds")):
            _draw_curves(
                panels[number, column], [r for r in rows if r["graph"] == graph], value, measured
            )
        panels[0, column].set_title(graph, fontsize=9)
        panels[1, column].set_xlabel("sources")
    panels[0, 0].set_ylabel("full searches")
    panels[1, 0].set_ylabel("seconds, one thread")
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3)


def _draw_curves(ax: Axes, rows: Sequence[Row], value: str, measured: Measured) -> None:
    styles = {"exact": INK, "greedy": MUTED}
    curves = list(dict.fromkeys((row["method"], row["t"]) for row in rows))
    covers = [curve for curve in curves if curve[0] == "cover"]
    for method, t in curves:
        own = [row for row in rows if (row["method"], row["t"]) == (method, t)]
        colour = styles.get(method) or f"C{covers.index((method, t)) % 6}"
        points = {}
        for row in own:
            if row["left_out"]:
                continue
            key = point_key("time", row["graph"], method, t, row["s"])
            number = row["searches"] if value == "searches" else measured.seconds.get(key)
            if number:
                points[row["s"]] = number
        label = method if method == "exact" else f"{method}, t = {t:g}"
        ax.plot(list(points), list(points.values()), "o-", color=colour, label=label, markersize=4)
        beyond = [row["s"] for row in own if row["left_out"]]
        if beyond and len(points) > 1:
            (s0, y0), (s1, y1) = list(points.items())[-2:]
            slope = np.log(y1 / y0) / np.log(s1 / s0)
            guess = [y1 * (s / s1) ** slope for s in beyond]
            ax.plot([s1, *beyond], [y1, *guess], ":", color=colour)
    ax.set_xscale("log")
    ax.set_yscale("log")


def draw_growth(figure: Figure, rows: Sequence[Row], measured: Measured) -> None:
    """Draw seconds and bytes per edge against edges."""
    left, right = figure.subplots(1, 2)
    for number, t in enumerate(dict.fromkeys(row["t"] for row in rows)):
        seconds, memory = {}, {}
        for row in rows:
            key = point_key("growth", row["graph"], "cover", row["t"], row["s"])
            if row["t"] != t:
                continue
            if key in measured.seconds:
                seconds[row["edges_in_all"]] = measured.seconds[key]
            if key in measured.bytes:
                own = measured.bytes[key]
                memory[row["edges_in_all"]] = (own["peak"] - own["start"]) / own["edges"]
        for ax, points in ((left, seconds), (right, memory)):
            ax.plot(
                list(points), list(points.values()), "o-", color=f"C{number}", label=f"t = {t:g}"
            )
    left.set_yscale("log")
    left.set_ylabel("seconds, one thread")
    right.set_ylabel("bytes / edge")
    right.set_ylim(bottom=0)
    for ax in (left, right):
        ax.set_xscale("log")
        ax.set_xlabel("edges")
        ax.legend()


def draw_repetitions(figure: Figure, rows: Sequence[Row]) -> None:
    """Draw the share of sources not yet certified after each repetition, and cells' theory."""
    graphs = list(dict.fromkeys(row["graph"] for row in rows))
    panels = figure.subplots(1, len(graphs), squeeze=False, sharey=True)[0]
    for panel, graph in zip(panels, graphs, strict=True):
        own = [row for row in rows if row["graph"] == graph]
        longest = max([1, *(len(row["repetitions"]) for row in own)])
        for number, row in enumerate(own):
            left = [1.0]
            for tried, certified in row["repetitions"]:
                left.append((tried - certified) / max(1, row["repetitions"][0][0]))
            panel.plot(left, "o-", color=f"C{number % 6}", label=f"t = {row['t']:g}", markersize=4)
            theory = [(1 - row["cells"]) ** i for i in range(longest + 1)]
            panel.plot(theory, ":", color=f"C{number % 6}")
        panel.set_title(graph, fontsize=9)
        panel.set_xlabel("repetitions")
    panels[0].set_ylabel("not yet certified")
    panels[0].legend()


def draw_stretches(figure: Figure, rows: Sequence[Row]) -> None:
    """Draw the measured stretch of pairs of covers, as a share of those beyond."""
    graphs = list(dict.fromkeys(row["graph"] for row in rows))
    panels = figure.subplots(1, len(graphs), squeeze=False, sharey=True)[0]
    for panel, graph in zip(panels, graphs, strict=True):
        for number, row in enumerate(row for row in rows if row["graph"] == graph):
            pairs = np.asarray(row["pairs"], float)
            if not pairs.size:
                continue
            beyond = np.cumsum(pairs[::-1])[::-1] / pairs.sum()
            colour = f"C{number % 6}"
            panel.step(
                row["stretch_edges"][:-1], beyond, where="post", color=colour,
                label=f"t = {row['t']:g}",
            )  # fmt: skip
            panel.axvline(row["bound"], color=colour, linestyle=":", linewidth=1)
        panel.set_xscale("log")
        panel.set_yscale("log")
        panel.set_title(graph, fontsize=9)
        panel.set_xlabel("stretch; dotted: as proved")
    panels[0].set_ylabel("share of pairs at least there")
    panels[0].legend()
