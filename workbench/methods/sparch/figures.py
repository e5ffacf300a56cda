# SPDX-License-Identifier: Apache-2.0
"""The figures of the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.experiments.figures import ACCENT, INK, MUTED, QUIET
from workbench.methods.sparch import paper
from workbench.methods.sparch.sweeps import SWEEPS
from workbench.methods.sparch.verdict import geomean

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["MOST_PANELS", "draw_rmat", "draw_roofline", "draw_sweeps", "draw_traffic"]

Record = Mapping[str, Any]

#: Matrices that have a panel of their own.
MOST_PANELS = 12

_PARTS = (
    ("a", "A"),
    ("b", "B"),
    ("partial_written", "partial matrices written"),
    ("partial_read", "partial matrices read"),
    ("c", "C"),
)


def draw_traffic(figure: Figure, records: Sequence[Record]) -> None:
    """Draw the traffic of each matrix as stacked bars, one per design."""
    shown = records[:MOST_PANELS]
    columns = min(4, len(shown))
    rows = -(-len(shown) // columns)
    panels = figure.subplots(rows, columns, squeeze=False)
    for panel in panels.flat[len(shown) :]:
        panel.axis("off")
    handles: list[Any] = []
    for panel, record in zip(panels.flat, shown, strict=False):
        bars = [
            ("Outer\nSPACE", record["rivals"][0]["traffic"]),
            ("pipe", record["rungs"]["pipe_fifo"]["traffic"]),
            ("cond", record["rungs"]["cond_fifo"]["traffic"]),
            ("Huff", record["rungs"]["huffman"]["traffic"]),
            ("Sp\nArch", record["rungs"]["sparch"]["traffic"]),
        ]
        bottom = np.zeros(len(bars))
        handles = []
        for number, (part, _) in enumerate(_PARTS):
            heights = np.array([traffic[part] / 1e6 for _, traffic in bars])
            drawn = panel.bar(
                range(len(bars)), heights, bottom=bottom, color=f"C{number}", width=0.78
            )
            handles.append(drawn)
            bottom += heights
        panel.axhline(record["compulsory"] / 1e6, color=INK, linewidth=0.9, linestyle=":")
        panel.set_xticks(range(len(bars)), [name for name, _ in bars], fontsize=7)
        panel.tick_params(axis="y", labelsize=7.5)
        panel.set_title(record["name"], fontsize=9)
        panel.grid(axis="x", visible=False)
    for row in panels:
        row[0].set_ylabel("MB")
    figure.legend(
        handles, [title for _, title in _PARTS], loc="outside lower center", ncols=len(_PARTS)
    )


def draw_roofline(figure: Figure, result: Mapping[str, Any]) -> None:
    """Draw speed against operations per byte, below what bandwidth and units allow."""
    ax = figure.subplots()
    peak, bandwidth = result["peak_gflops"], result["peak_gbytes"]
    records = [r for r in result["matrices"] if r["products"]]
    intensities = [r["rungs"]["sparch"]["intensity"] for r in records]
    low = min([*intensities, paper.INTENSITY]) / 2
    high = max([*intensities, peak / bandwidth]) * 2
    x = np.geomspace(low, high, 200)
    ax.plot(x, np.minimum(peak, bandwidth * x), color=INK, linewidth=1.4)
    ax.plot(
        x, np.minimum(peak, paper.CALIBRATED_EFFICIENCY * bandwidth * x), color=INK,
        linewidth=0.9, linestyle="--", label=f"{paper.CALIBRATED_EFFICIENCY:g} of the bandwidth",
    )  # fmt: skip
    speeds = {
        "SpArch, ideal DRAM": ("o", ACCENT, [r["rungs"]["sparch"]["gflops"] for r in records]),
        "SpArch, calibrated DRAM": ("D", "C1", [r["calibrated"]["gflops"] for r in records]),
    }
    for label, (marker, colour, values) in speeds.items():
        ax.plot(intensities, values, marker, color=colour, label=label)
    rivals = [(r["rivals"][0], r["products"]) for r in records]
    ax.plot(
        [2 * products / rival["traffic"]["total"] for rival, products in rivals],
        [rival["gflops"] for rival, _ in rivals],
        "s", color=QUIET, label="OuterSPACE, its model",
    )  # fmt: skip
    ax.plot([paper.INTENSITY], [paper.GFLOPS["SpArch"]], "*", color="C3", markersize=11,
            label="SpArch, the paper's mean")  # fmt: skip
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlabel("operations per byte of DRAM traffic")
    ax.set_ylabel("GFLOP/s")
    ax.legend(loc="lower right")


def draw_sweeps(figure: Figure, records: Sequence[Record]) -> None:
    """Draw traffic against each varied number, relative to the least of its sweep."""
    panels = figure.subplots(2, 3).ravel()
    # Without a product there is no traffic that any of these numbers could change.
    records = [record for record in records if record["products"]]
    for panel, (name, sweep) in zip(panels, SWEEPS.items(), strict=True):
        places = range(len(sweep.values))
        curves = []
        for record in records:
            totals = np.array([point["total"] for point in record["sweeps"][name]], np.float64)
            curves.append(totals / totals.min())
            panel.plot(places, curves[-1], color=MUTED, linewidth=0.7, alpha=0.6)
        if curves:
            mean = [geomean([curve[i] for curve in curves]) for i in places]
            panel.plot(places, mean, "o-", color=ACCENT)
        panel.set_xticks(list(places), [str(value) for value in sweep.values], fontsize=7.5)
        panel.set_title(sweep.title, fontsize=9)
    for panel in panels[::3]:
        panel.set_ylabel("traffic / least")


def draw_rmat(figure: Figure, points: Sequence[Mapping[str, Any]]) -> None:
    """Draw the speed on rMAT graphs against their edges per vertex."""
    ax = figure.subplots()
    for number, n in enumerate(sorted({point["n"] for point in points})):
        own = [point for point in points if point["n"] == n]
        edges = [point["edges"] for point in own]
        ax.plot(
            edges, [p["gflops"] for p in own], "o-", color=f"C{number}", label=f"SpArch, n = {n}"
        )
        ax.plot(
            edges, [p["rival_gflops"] for p in own], "s--", color=f"C{number}",
            label=f"OuterSPACE's model, n = {n}",
        )  # fmt: skip
    ax.set_xscale("log", base=2)
    ax.set_yscale("log")
    ax.set_xticks([4, 8, 16, 32], ["4", "8", "16", "32"])
    ax.set_xlabel("edges per vertex")
    ax.set_ylabel("GFLOP/s, ideal DRAM")
    ax.legend(fontsize=7.5, ncols=2)
