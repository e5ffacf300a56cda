# SPDX-License-Identifier: Apache-2.0
"""The netlist of a design as a graph: components and the nets between them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from workbench.experiments.figures import INK, MUTED, SURFACE
from workbench.experiments.graph_layout import graph_positions

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_netlist", "metric_words"]

#: A shape per type; the dots are nets.
_SHAPES = {"nmos": "o", "pmos": "D", "r": "s", "c": "h"}
_WORDS = {"nmos": "NMOS", "pmos": "PMOS", "r": "resistor", "c": "capacitor"}
_PREFIXES = (
    (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""), (1e-3, "m"), (1e-6, "\N{MICRO SIGN}"),
    (1e-9, "n"), (1e-12, "p"), (1e-15, "f"),
)  # fmt: skip


def metric_words(value: float, unit: str) -> str:
    """A value with a prefix: ``2.5e-12, "F"`` gives ``2.5 pF``."""
    size = abs(value)
    for scale, prefix in _PREFIXES:
        if size >= scale * (1 - 1e-9):
            return f"{value / scale:.3g} {prefix}{unit}"
    return f"{value:.3g} {unit}"


def draw_netlist(figure: Figure, found: Mapping[str, Any]) -> None:
    """Draw components, coloured by their size between the bounds, and the nets they share."""
    from matplotlib import colormaps
    from matplotlib.cm import ScalarMappable
    from matplotlib.lines import Line2D

    ax = figure.subplots()
    components, nets = found["components"], found["nets"]
    number = {net: len(components) + k for k, net in enumerate(nets)}
    edges = [
        (k, number[net])
        for k, component in enumerate(components)
        for net in dict.fromkeys(component["nets"])
        if net in number
    ]
    place = _spread(graph_positions(len(components) + len(nets), edges), len(components))
    colours = colormaps["viridis"]
    for a, b in edges:
        ax.plot(*place[[a, b]].T, color=MUTED, linewidth=1.2, alpha=0.8, zorder=1)
    for net, k in number.items():
        ax.plot(*place[k], "o", color=MUTED, markersize=4.5, zorder=2)
        ax.annotate(
            net, place[k], (0, 5), textcoords="offset points", ha="center", fontsize=7.5,
            color=INK, style="italic", zorder=5,
        )  # fmt: skip
    for k, component in enumerate(components):
        kind = component["type"]
        fill = colours(0.12 + 0.83 * component["size"])
        ax.plot(
            *place[k], _SHAPES[kind], markersize=25 if kind != "pmos" else 22,
            markerfacecolor=fill, markeredgecolor=SURFACE, markeredgewidth=1.2, zorder=3,
        )  # fmt: skip
        dark = 0.299 * fill[0] + 0.587 * fill[1] + 0.114 * fill[2] < 0.55
        ax.text(
            place[k][0], place[k][1], component["name"].upper(), ha="center", va="center",
            fontsize=7, color="#ffffff" if dark else "#111111", zorder=4, weight="bold",
        )  # fmt: skip
        _label(ax, place[k], component)
    present = [kind for kind in _SHAPES if any(c["type"] == kind for c in components)]
    handles = [
        Line2D([], [], linestyle="", marker=_SHAPES[kind], color=MUTED, markersize=9)
        for kind in present
    ]
    figure.legend(
        handles, [_WORDS[kind] for kind in present], loc="outside lower center", ncols=len(present)
    )
    ax.margins(0.12, 0.14)
    ax.axis("off")
    # 32 steps stay lines and areas; of a finer bar matplotlib makes an image, and pages show none
    bar = figure.colorbar(
        ScalarMappable(cmap=colours.resampled(32)),
        ax=ax, shrink=0.5, aspect=22, pad=0.01, ticks=(0, 0.5, 1),
    )  # fmt: skip
    bar.ax.set_yticklabels(["least", "", "most"])
    bar.set_label("W, R or C between its bounds", fontsize=8.5, color=INK)
    bar.outline.set_visible(False)  # type: ignore[operator]


def _label(ax: Axes, point: NDArray[np.float64], component: Mapping[str, Any]) -> None:
    if "w" in component:
        words = f"{component['w'] * 1e6:.3g}/{component['l'] * 1e6:.3g} \N{MICRO SIGN}m"
        if component["m"] != 1:
            words += f" \N{MULTIPLICATION SIGN} {component['m']}"
    else:
        unit = "\N{OHM SIGN}" if component["type"] == "r" else "F"
        words = metric_words(component["value"], unit)
    box = {"facecolor": SURFACE, "edgecolor": "none", "pad": 0.8, "alpha": 0.8}
    ax.annotate(
        words, tuple(point), (0, -19), textcoords="offset points", ha="center", va="center",
        fontsize=7.5, zorder=5, bbox=box,
    )  # fmt: skip


def _spread(place: NDArray[np.float64], n_components: int) -> NDArray[np.float64]:
    """Turn the longest direction level, fill a wide page and push apart what would overlap."""
    n = len(place)
    # what hangs on the same net alone stands in the same place: fan it out
    angle = 2.4 * np.arange(n)
    place = place + 0.05 * np.stack([np.cos(angle), np.sin(angle)], 1)
    centred = place - place.mean(axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    # a sign that does not depend on LAPACK
    axes = axes * np.sign(axes[np.arange(2), np.abs(axes).argmax(axis=1)])[:, None]
    turned: NDArray[np.float64] = centred @ axes.T
    turned = turned / np.maximum(np.abs(turned).max(axis=0), 1e-9) * np.array([2.0, 1.0])
    component = np.arange(n) < n_components
    both = component[:, None] & component[None]
    neither = ~component[:, None] & ~component[None]
    share = np.where(both, 1.0, np.where(neither, 0.5, 0.7))
    least = share[:, :, None] * np.array([0.50, 0.40])
    for _ in range(400):
        apart = turned[:, None] - turned[None]
        size = np.linalg.norm(apart / least, axis=2)
        np.fill_diagonal(size, 1.0)
        push = np.maximum(1.0 - size, 0.0) / np.maximum(size, 0.05)
        turned = turned + 0.12 * (push[:, :, None] * apart).sum(axis=1)
    return turned
