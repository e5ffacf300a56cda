# SPDX-License-Identifier: Apache-2.0
"""The figures of the report but for the netlist."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from circuits.analog.gcn_rl.study.words import route_title
from workbench.experiments.figures import INK, MUTED, QUIET, SERIES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_corners", "draw_curves", "draw_response", "draw_transfer", "draw_transfers"]

Row = Mapping[str, Any]

#: Colour, line and marker by method, so that a method looks alike on every circuit.
_STYLES: dict[str, tuple[str, str, str]] = {
    "random": (QUIET, "-", "o"),
    "sobol": (QUIET, ":", "o"),
    "es": (SERIES[4], ":", "v"),
    "es-best": (SERIES[4], "-", "v"),
    "bo": (SERIES[5], "-", "P"),
    "mace": (SERIES[5], ":", "X"),
    "gradient": (SERIES[2], "-", "D"),
    "gradient+es": (SERIES[2], ":", "D"),
    "sqp": (INK, "-", "*"),
    "ng-rl": (SERIES[1], "-", "s"),
    "ng-path": (SERIES[1], ":", "s"),
    "ng-mixed": (SERIES[1], "--", "s"),
    "gcn-rl": (SERIES[0], "-", "o"),
    "gcn-mixed": (SERIES[0], "--", "^"),
    "gcn-path": (SERIES[3], "-", "o"),
}
_VARIANT = (SERIES[0], "-.", "h")
#: Bands are drawn for these only: fourteen of them would hide each other.
_BANDED = ("random", "es-best", "gradient", "sqp", "ng-rl", "gcn-rl", "gcn-path")


def _style(method: str) -> tuple[str, str, str]:
    return _STYLES.get(method, _VARIANT)


def _floats(values: Sequence[float | None]) -> Any:
    return np.array([np.nan if v is None else v for v in values], dtype=np.float64)


def draw_curves(figure: Figure, own: Row, *, other: bool = False) -> None:
    """Draw the best figure of merit against simulations: medians, quartile bands.

    Lines are the search planned for the largest budget; markers are searches planned for theirs.
    """
    ax = figure.subplots()
    shot = own["moonshot"]
    tops, bottoms = [], []
    for row in own["methods"]:
        if row["method"] == "human":
            continue
        colour, line, marker = _style(row["method"])
        charge = np.array(row["curve"]["charge"])
        quartiles = row["other_curve"] if other else row["curve"]["quartiles"]
        low, middle, high = (_floats([q[k] for q in quartiles]) for k in range(3))
        # beyond what a search spent, its best stays; the line would promise more work
        spent = max(row["spent"])
        shown = (charge >= 30) & (charge <= max(spent * 1.01, 30))
        ax.plot(charge[shown], middle[shown], line, color=colour, linewidth=1.7)
        if row["method"] in _BANDED:
            ax.fill_between(
                charge[shown], low[shown], high[shown], color=colour, alpha=0.13, linewidth=0
            )
        key = "other_quartiles" if other else "quartiles"
        points = [
            (b["budget"], b[key][1])
            for b in row["budgets"]
            if b[key][1] is not None and b["budget"] <= spent * 1.01
        ]
        if points:
            ax.plot(
                *zip(*points, strict=True), marker, color=colour, markersize=4.6,
                markeredgewidth=0, zorder=4,
            )  # fmt: skip
        ax.plot([], [], line, marker=marker, color=colour, markersize=4.6, label=row["title"])
        known = middle[shown & np.isfinite(middle)]
        if known.size:
            tops.append(float(known.max()))
            bottoms.append(float(known[-1]))
    human = next((r for r in own["methods"] if r["method"] == "human"), None)
    if human is not None and human["best"] is not None:
        level = human["best"]["fom"]
        if not bottoms or level >= min(bottoms) - 0.5 * max(max(tops) - min(bottoms), 0.1):
            _level(ax, level, "human")
            tops.append(level)
            bottoms.append(level)
        else:  # far below: a line there would leave no room for the others
            ax.annotate(
                f"human: {level:.3f}".replace("-", "\N{MINUS SIGN}"), (0.99, 0.02),
                xycoords="axes fraction", ha="right", fontsize=8.5,
            )  # fmt: skip
    if shot["level"] is not None and shot["last"] > shot["budget"]:
        ax.axvline(shot["budget"], color=MUTED, linewidth=0.9, linestyle=(0, (2, 3)), zorder=0)
        ax.plot(
            [shot["budget"]], [shot["level"]], "*", color=INK, markersize=11, zorder=5,
            markeredgewidth=0,
        )  # fmt: skip
    ax.set_xscale("log")
    ax.set_xlim(left=30)
    if tops:
        least, most = min(bottoms), max(tops)
        room = max(most - least, 0.1)
        ax.set_ylim(least - 0.45 * room, most + 0.08 * room)
    ax.set_xlabel("simulations charged")
    ax.set_ylabel("best figure of merit")
    figure.legend(*ax.get_legend_handles_labels(), loc="outside right upper", handlelength=2.6)


def _level(ax: Axes, y: float, text: str) -> None:
    ax.axhline(y, color=INK, linewidth=1.0, linestyle=(0, (5, 3)), zorder=1)
    ax.annotate(
        text, (0.005, y), (2, 3), xycoords=("axes fraction", "data"),
        textcoords="offset points", ha="left", va="bottom", fontsize=8.5,
    )  # fmt: skip


def draw_response(figure: Figure, found: Row) -> None:
    """Draw gain and phase of the winner and of the human design; dots mark the bandwidth.

    Of an amplifier, where the gain has fallen by 3 dB; of a loop, where it has fallen to 1.
    """
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    frequency = np.array(found["frequency"])
    loop = found["kind"] != "transimpedance"
    marks = []
    for name, colour, line in (("human", INK, (0, (4, 2))), (None, "C0", "-")):
        for label, curve in found["curves"].items():
            if (label == "human") != (name == "human"):
                continue
            gain, phase = np.array(curve["decibel"]), np.array(curve["degrees"])
            words = "human" if name else "winner"
            upper.plot(frequency, gain, color=colour, linestyle=line, label=words)
            lower.plot(frequency, phase, color=colour, linestyle=line)
            mark = _crossing(frequency, gain, 0.0 if loop else gain[0] - 10 * np.log10(2.0))
            if mark is not None:
                marks.append(mark)
                level = float(np.interp(np.log(mark), np.log(frequency), gain))
                angle = float(np.interp(np.log(mark), np.log(frequency), phase))
                upper.plot([mark], [level], "o", color=colour, zorder=4)
                lower.plot([mark], [angle], "o", color=colour, zorder=4)
                upper.annotate(
                    _hertz(mark), (mark, level), (6, 5) if not name else (-6, -11),
                    textcoords="offset points", ha="left" if not name else "right",
                    fontsize=8.5, color=colour,
                )  # fmt: skip
            if loop:
                upper.axhline(0.0, color=MUTED, linewidth=0.9, zorder=0)
    upper.set_xscale("log")
    if marks:
        last = min(max(marks) * 20, frequency[-1])
        shown = frequency <= last
        values = [np.array(c["decibel"])[shown] for c in found["curves"].values()]
        phases = [np.array(c["degrees"])[shown] for c in found["curves"].values()]
        upper.set_ylim(_room(values))
        lower.set_ylim(_room(phases))
        upper.set_xlim(frequency[0], last)
    upper.set_ylabel(f"{found['kind']}, {found['unit']}")
    lower.set_ylabel("phase, degrees")
    lower.set_xlabel("frequency, Hz")
    upper.legend(loc="upper right")


def _room(values: Sequence[Any]) -> tuple[float, float]:
    least, most = min(float(v.min()) for v in values), max(float(v.max()) for v in values)
    gap = 0.08 * max(most - least, 1.0)
    return least - gap, most + gap


def _crossing(frequency: Any, gain: Any, level: float) -> float | None:
    below = np.nonzero((gain[1:] < level) & (gain[:-1] >= level))[0]
    if not below.size:
        return None
    k = int(below[0])
    share = (gain[k] - level) / (gain[k] - gain[k + 1])
    return float(frequency[k] * (frequency[k + 1] / frequency[k]) ** share)


def _hertz(value: float) -> str:
    for scale, unit in ((1e9, "GHz"), (1e6, "MHz"), (1e3, "kHz")):
        if value >= scale:
            return f"{value / scale:.3g} {unit}"
    return f"{value:.3g} Hz"


def draw_corners(figure: Figure, own: Row, shown: Sequence[str]) -> None:
    """Draw figures of merit over temperature and supply: a bar from worst to best per design."""
    ax = figure.subplots()
    titles = {row["method"]: row["title"] for row in own["methods"]}
    labels = []
    for place, name in enumerate(shown):
        found = own["corners"][name]
        working = [c["fom"] for c in found if c["fom"] > -2.0]
        colour = INK if name == "human" else _style(name)[0]
        if working:
            ax.plot(
                [min(working), max(working)], [place, place], color=colour, linewidth=7,
                alpha=0.25, solid_capstyle="round",
            )  # fmt: skip
        for corner in found:
            nominal = corner["temperature"] == 27.0 and corner["supply"] == 1.0
            if corner["fom"] <= -2.0:
                continue
            marker = {0.9: "<", 1.0: "o", 1.1: ">"}[corner["supply"]]
            ax.plot(
                [corner["fom"]], [place], marker, color=colour, zorder=3,
                markersize=9 if nominal else 5, markeredgewidth=0,
            )  # fmt: skip
        broken = sum(c["fom"] <= -2.0 for c in found)
        words = titles.get(name, name)
        labels.append(f"{words}\n{broken} of {len(found)} fail" if broken else words)
    ax.set_yticks(range(len(shown)), labels)
    ax.set_ylim(len(shown) - 0.4, -0.6)
    ax.grid(visible=False, axis="y")
    ax.set_xlabel("figure of merit")


_TRANSFER_COLOURS = {
    "random": QUIET,
    "gcn-cold": SERIES[0],
    "gcn-transfer": SERIES[0],
    "ng-cold": SERIES[1],
    "ng-transfer": SERIES[1],
    "source-design": INK,
    "es-cold": SERIES[4],
    "es-source": SERIES[4],
    "gradient-cold": SERIES[2],
    "gradient-source": SERIES[2],
}
_WARM = ("gcn-transfer", "ng-transfer", "es-source", "gradient-source", "source-design")


def draw_transfers(figure: Figure, routes: Sequence[Row]) -> None:
    """Draw what each start is worth on every target: medians with quartiles; open: from nothing."""
    names = list(_TRANSFER_COLOURS)
    columns = min(4, len(routes))
    panels = figure.subplots(
        -(-len(routes) // columns), columns, squeeze=False, sharey=True, gridspec_kw={}
    )
    for panel in panels.flat[len(routes) :]:
        panel.axis("off")
    titles = {row["row"]: row["title"] for route in routes for row in route["rows"]}
    for panel, route in zip(panels.flat, routes, strict=False):
        rows = {row["row"]: row for row in route["rows"]}
        for place, name in enumerate(names):
            if name not in rows:
                continue
            low, middle, high = rows[name]["quartiles"]
            colour, warm = _TRANSFER_COLOURS[name], name in _WARM
            if middle is None:
                continue
            ends = [middle if low is None else low, middle if high is None else high]
            panel.plot(ends, [place, place], color=colour, linewidth=2.2, alpha=0.5)
            panel.plot(
                [middle], [place], "o", markersize=6.5, color=colour,
                markerfacecolor=colour if warm else "none", markeredgewidth=1.5, zorder=3,
            )  # fmt: skip
        panel.set_title(route_title(route), fontsize=8)
        panel.set_yticks(range(len(names)), [titles.get(n, n) for n in names], fontsize=8.5)
        panel.set_ylim(len(names) - 0.5, -0.5)
        panel.grid(visible=False, axis="y")
    for panel in panels[-1]:
        panel.set_xlabel("figure of merit")


def draw_transfer(figure: Figure, route: Row) -> None:
    """Draw the best figure of merit of one route against simulations; dashed: from nothing."""
    ax = figure.subplots()
    bottoms = []
    for row in route["rows"]:
        name = row["row"]
        if name == "source-design":
            if row["quartiles"][1] is not None:
                _level(ax, row["quartiles"][1], "source's design")
            continue
        charge = np.array(row["curve"]["charge"])
        low, middle, high = (_floats([q[k] for q in row["curve"]["quartiles"]]) for k in range(3))
        colour, warm = _TRANSFER_COLOURS[name], name in _WARM
        ax.plot(charge, middle, "-" if warm else "--", color=colour, label=row["title"])
        if name.startswith(("gcn", "ng")):
            ax.fill_between(charge, low, high, color=colour, alpha=0.1, linewidth=0)
        known = middle[np.isfinite(middle)]
        if known.size:
            bottoms.append(float(known[-1]))
    if bottoms:
        top = ax.get_ylim()[1]
        ax.set_ylim(min(bottoms) - 0.6 * max(top - min(bottoms), 0.1), top)
    ax.set_xlabel("simulations on the target")
    ax.set_ylabel("best figure of merit")
    figure.legend(*ax.get_legend_handles_labels(), loc="outside right upper")
