# SPDX-License-Identifier: Apache-2.0
"""Pictures of a spanner: its edges on a map, and its stretch by distance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from graphs.digraph import DiGraph
from graphs.spanner.stretch import Histogram, StretchReport

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.path import Path

    from graphs.spanner.result import RoundtripSpanner

__all__ = ["draw", "draw_stretch", "edge_path", "places", "plot_stretch"]

Array = npt.NDArray[Any]

#: Graphs of at most so many edges are drawn with arrows and vertices.
SMALL = 300
#: Distances over more than this factor get a logarithmic axis.
_WIDE = 20.0


def draw(spanner: RoundtripSpanner, pos: Any = None, ax: Axes | None = None) -> Axes:
    """Draw the edges kept dark, those dropped grey, and mark the sources.

    Parameters
    ----------
    spanner : RoundtripSpanner
    pos : array_like or mapping, optional
        Place of each vertex: shape ``(n, 2)``, or by name, as networkx's layouts give it. By
        default the graph's `positions`. Vertices at NaN are left out with their edges.
    ax : Axes, optional
        Where to; a new figure of pyplot by default.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If `pos` is missing and the graph has no positions, or it is not a place per vertex.

    Notes
    -----
    Graphs of up to 300 edges are drawn with arrows, larger ones with lines, 100,000 of them in
    about a second.
    """
    g = spanner.graph
    where = places(g, pos)
    ax = _axes(ax)
    # Dropped edges lie below, so that a street kept one way shows as kept.
    layers = [
        ("dropped", ~spanner.edge_mask, "0.8", 0.6, 1),
        ("kept", spanner.edge_mask, "0.15", 1.0, 2),
    ]
    for name, mask, colour, width, order in layers:
        ids = _drawable(g, where, mask)
        label = f"{name}: {int(mask.sum())} edges"
        if g.m <= SMALL:
            _arrows(ax, g, where, ids, colour, width, order, label)
        else:
            _lines(ax, where, g.tails[ids], g.heads[ids], colour, 0.7 * width, order, label)
    if g.m <= SMALL:
        ax.scatter(where[:, 0], where[:, 1], s=14, color="0.45", zorder=3)
    marked = where[spanner.sources]
    ax.scatter(
        marked[:, 0], marked[:, 1], s=np.clip(2000 / max(len(marked), 1), 4, 40), color="C3",
        zorder=4, label=f"{len(marked)} {'source' if len(marked) == 1 else 'sources'}",
    )  # fmt: skip
    ax.set_aspect("equal")
    ax.set_axis_off()
    ax.autoscale_view()
    ax.legend(loc="upper left", bbox_to_anchor=(0, 0), ncols=3, fontsize="small")
    return ax


def draw_stretch(
    report: StretchReport, ax: Axes | None = None, *, bound: float | None = None
) -> Axes:
    """Draw stretch against distance: the darker, the more pairs; at the side their shares.

    Parameters
    ----------
    report : StretchReport
    ax : Axes, optional
        Where to; a new figure of pyplot by default.
    bound : float, optional
        Stretch to draw a line at; by default the one the report is about.

    Returns
    -------
    Axes
        The marginal distribution is its one child axes.
    """
    if bound is None:
        bound = report.stretch
    ax = _axes(ax)
    plot_stretch(ax, report.histogram, bound)
    said = [] if report.exact else [f"{report.checked} of {report.sources} sources"]
    if report.broken:
        said.append(f"{report.broken} broken pairs not shown")
    if said:
        ax.set_title(", ".join(said), loc="left", fontsize="medium")
    return ax


def plot_stretch(ax: Axes, histogram: Histogram, bound: float | None) -> None:
    """Plot a histogram of pairs by distance and stretch, and its marginal beside it."""
    from matplotlib.collections import PolyCollection
    from matplotlib.colors import to_rgb
    from matplotlib.ticker import MaxNLocator

    x, y = histogram.distance_edges, histogram.stretch_edges
    ax.set_xlabel("round trip in the graph")
    ax.set_ylabel("stretch")
    top = max(float(y[-1]), 1.0 if bound is None else bound)
    side = ax.inset_axes((1.02, 0.0, 0.2, 1.0))
    if histogram.counts.size == 0:
        ax.text(0.5, 0.5, "no pair", ha="center", va="center", transform=ax.transAxes)
    else:
        a, b = np.nonzero(histogram.counts)
        cells = np.stack(
            [
                np.stack([x[a + i], y[b + j]], axis=1)
                for i, j in ((0, 0), (1, 0), (1, 1), (0, 1))
            ],
            axis=1,
        )  # fmt: skip
        count = histogram.counts[a, b]
        alpha = 0.12 + 0.88 * np.log1p(count) / np.log1p(count.max())
        colours = np.column_stack([np.tile(to_rgb("C0"), (a.size, 1)), alpha])
        drawn = PolyCollection(list(cells), facecolors=colours, edgecolors="none", linewidths=0)
        ax.add_collection(drawn, autolim=False)
        low, high = float(x[0]), float(x[-1])
        if high / low > _WIDE:
            ax.set_xscale("log")
        ax.set_xlim(low, high)
        share = histogram.counts.sum(axis=0) / histogram.counts.sum()
        side.stairs(share, y, orientation="horizontal", fill=True, color="C0")
        side.set_xlabel("share")
        side.xaxis.set_major_locator(MaxNLocator(2, prune="lower"))
    if bound is not None:
        for panel in (ax, side):
            panel.axhline(bound, color="C1", linewidth=1.2, linestyle="--")
        ax.annotate(
            f"bound {bound:g}", (0.01, bound), xycoords=("axes fraction", "data"),
            xytext=(0, 2), textcoords="offset points", va="bottom", fontsize="small",
        )  # fmt: skip
    for panel in (ax, side):
        if top > _WIDE:
            panel.set_yscale("log")
            panel.set_ylim(1, top**1.06)
        else:
            panel.set_ylim(1, 1 + (top - 1) * 1.1 + 0.01)
    side.tick_params(labelleft=False)


def edge_path(g: DiGraph, where: Array, mask: Array) -> Path:
    """Return edges as one path; of those that join the same two vertices one is enough."""
    from matplotlib.path import Path

    ids = _drawable(g, where, mask)
    low, high = np.minimum(g.tails[ids], g.heads[ids]), np.maximum(g.tails[ids], g.heads[ids])
    pairs = np.unique(low * g.n + high)
    ends = np.stack([where[pairs // g.n], where[pairs % g.n]], axis=1)
    codes = np.tile(np.array([Path.MOVETO, Path.LINETO], np.uint8), pairs.size)
    return Path(ends.reshape(-1, 2), codes)


def places(g: DiGraph, pos: Any) -> Array:
    """Return the place of each vertex, float64 of shape ``(n, 2)``; see :func:`draw`."""
    if pos is None:
        if g.positions is None:
            raise ValueError("this graph has no positions: give pos=, a place (x, y) per vertex")
        return g.positions
    if isinstance(pos, Mapping):
        names = range(g.n) if g.nodes is None else g.nodes
        missing = next((name for name in names if name not in pos), None)
        if missing is not None:
            raise ValueError(f"pos must have a place for every vertex, but has none for {missing}")
        pos = [pos[name] for name in names]
    where = np.asarray(pos, np.float64)
    if where.shape != (g.n, 2):
        raise ValueError(f"pos must have shape ({g.n}, 2), got {where.shape}")
    return where


def _axes(ax: Axes | None) -> Axes:
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(layout="constrained")[1]


def _drawable(g: DiGraph, where: Array, mask: Array) -> Array:
    seen = np.logical_and(np.isfinite(where[:, 0]), np.isfinite(where[:, 1]))
    return np.flatnonzero(mask & (g.tails != g.heads) & seen[g.tails] & seen[g.heads])


def _lines(
    ax: Axes,
    where: Array,
    tails: Array,
    heads: Array,
    colour: str,
    width: float,
    order: float,
    label: str,
) -> None:
    from matplotlib.collections import LineCollection

    segments = np.stack([where[tails], where[heads]], axis=1)
    lines = LineCollection(
        list(segments), colors=colour, linewidths=width, zorder=order, label=label
    )
    ax.add_collection(lines)


def _arrows(
    ax: Axes,
    g: DiGraph,
    where: Array,
    ids: Array,
    colour: str,
    width: float,
    order: float,
    label: str,
) -> None:
    from matplotlib.patches import FancyArrowPatch

    for e in ids.tolist():
        # Slightly bent, so that the two ways of a street are seen apart.
        arrow = FancyArrowPatch(
            tuple(where[g.tails[e]]), tuple(where[g.heads[e]]), arrowstyle="-|>",
            mutation_scale=8, connectionstyle="arc3,rad=0.08", shrinkA=3, shrinkB=3,
            color=colour, linewidth=width, zorder=order,
        )  # fmt: skip
        ax.add_patch(arrow)
    # Stands for them in the legend, and counts for the limits.
    _lines(ax, where, g.tails[ids[:0]], g.heads[ids[:0]], colour, width, order, label)
