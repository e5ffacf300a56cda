# SPDX-License-Identifier: Apache-2.0
"""The figures of the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from workbench.experiments.figures import ACCENT, INK, MUTED, QUIET, SURFACE
from workbench.experiments.graph_layout import graph_positions

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "draw_circuit",
    "draw_depths",
    "draw_differences",
    "draw_history",
    "draw_inheritance",
    "draw_mapping",
    "draw_search",
]

#: Circles in the mapping are labelled with errors on devices of at most this many qubits.
_LABELLED_QUBITS = 7

_BOXES = {"u": "U3", "p": "P", "ry": "RY", "cu3": "U3", "cp": "P", "cry": "RY"}


def draw_circuit(figure: Figure, gates: Sequence[Sequence[Any]], layout: Sequence[int]) -> None:
    """Draw gates (name, wires, params) between encoder and read-out."""
    from matplotlib.patches import FancyBboxPatch

    ax = figure.subplots()
    n = len(layout)
    columns: list[tuple[int, Sequence[Any]]] = []
    level = [0] * n
    for gate in gates:
        wires = gate[1]
        span = range(min(wires), max(wires) + 1)
        column = max(level[wire] for wire in span)
        for wire in span:
            level[wire] = column + 1
        columns.append((column, gate))
    last = max(level, default=0)

    def box(x: float, wire: int, text: str, colour: str, width: float = 0.62) -> None:
        ax.add_patch(
            FancyBboxPatch(
                (x - width / 2, wire - 0.27),
                width,
                0.54,
                boxstyle="round,pad=0,rounding_size=0.07",
                facecolor=SURFACE,
                edgecolor=colour,
                linewidth=1.3,
                zorder=3,
            )
        )
        ax.text(x, wire, text, ha="center", va="center", fontsize=8.5, zorder=4)

    for wire in range(n):
        ax.plot([-1.9, last + 0.6], [wire, wire], color=MUTED, linewidth=0.9, zorder=1)
        ax.text(
            -2.05, wire, f"wire {wire} on qubit {layout[wire]}", ha="right", va="center", fontsize=9
        )
        box(-1.15, wire, "encoder", MUTED, 1.2)
        box(last + 0.35, wire, "Z", MUTED, 0.5)
    for column, (name, wires, _) in columns:
        if len(wires) == 1:
            box(column, wires[0], _BOXES.get(name, name), ACCENT)
            continue
        control, target = wires
        ax.plot([column, column], [control, target], color="C1", linewidth=1.4, zorder=2)
        ax.plot([column], [control], "o", color="C1", markersize=6, zorder=3)
        box(column, target, _BOXES.get(name, name), "C1")
    ax.set_xlim(-4.6, max(last + 0.9, 8.0))
    ax.set_ylim(n - 0.4, -0.6)
    ax.set_aspect("equal")
    ax.axis("off")


def draw_mapping(figure: Figure, device: Mapping[str, Any], layout: Sequence[int]) -> None:
    """Draw the coupling graph, errors coloured, and which wire sits where."""
    from matplotlib import colormaps
    from matplotlib.lines import Line2D

    ax = figure.subplots()
    n = device["n_qubits"]
    place = graph_positions(n, [(a, b) for a, b, _ in device["couplings"]])
    few = n <= _LABELLED_QUBITS
    errors = np.array([error for _, _, error in device["couplings"]])
    # Some calibrations hold a gate that never works; it must not flatten all other colours.
    worst = float(np.quantile(errors, 0.9)) if len(errors) else 1.0

    def colour(error: float) -> Any:
        return colormaps["YlOrRd"](0.25 + 0.7 * min(error / worst, 1.0))

    for a, b, error in device["couplings"]:
        ax.plot(*place[[a, b]].T, color=colour(error), linewidth=6, zorder=1)
        if few:
            _tag(ax, place[[a, b]].mean(axis=0), f"{100 * error:.1f} %")
    wires = {qubit: wire for wire, qubit in enumerate(layout)}
    for qubit in range(n):
        used = qubit in wires
        ax.plot(
            *place[qubit],
            "o",
            markersize=38 if few else 14,
            markerfacecolor=SURFACE,
            markeredgecolor=ACCENT if used else QUIET,
            markeredgewidth=2.6 if used else 1.4,
            zorder=3,
        )
        words = f"qubit {qubit}" if few else ""
        if used:
            words = f"wire {wires[qubit]}\n{words}" if few else str(wires[qubit])
        x, y = place[qubit]
        ax.text(x, y, words, ha="center", va="center", fontsize=7.5, zorder=4)
        if few:
            read = 100 * device["readout_errors"][qubit]
            ax.annotate(
                f"read {read:.1f} %", (x, y), _free_side(qubit, place, device["couplings"]),
                textcoords="offset points", ha="center", va="center", fontsize=7.5, color=MUTED,
            )  # fmt: skip
    if not few:
        shown = [worst * share for share in (0.25, 0.5, 1.0)]
        handles = [Line2D([], [], color=colour(error), linewidth=6) for error in shown]
        ax.legend(handles, [f"pair {100 * error:.1f} %" for error in shown], loc="best")
    ax.margins(0.2)
    ax.set_aspect("equal", adjustable="datalim")
    ax.axis("off")


def _free_side(
    qubit: int, place: NDArray[np.float64], couplings: Sequence[Sequence[Any]]
) -> tuple[float, float]:
    """Return an offset in points from a qubit, away from its couplings."""
    neighbours = [b if a == qubit else a for a, b, _ in couplings if qubit in (a, b)]
    taken = [np.arctan2(*(place[other] - place[qubit])[::-1]) for other in neighbours]
    # Above and below first, where the text, which is wide, needs least distance.
    sides = [np.pi / 2, -np.pi / 2, 0.0, np.pi]

    def clearance(side: float) -> float:
        return min((abs(np.angle(np.exp(1j * (side - angle)))) for angle in taken), default=np.pi)

    best = max(sides, key=lambda side: round(clearance(side), 6))
    return 46 * float(np.cos(best)), 28 * float(np.sin(best))


def _tag(ax: Axes, point: NDArray[np.float64], text: str) -> None:
    box = {"facecolor": SURFACE, "edgecolor": "none", "pad": 1.2}
    ax.text(point[0], point[1], text, ha="center", va="center", fontsize=8, bbox=box, zorder=2)


def draw_search(figure: Figure, seeds: Sequence[Mapping[str, Any]]) -> None:
    """Draw the best score so far against the candidates evaluated, for both searches."""
    ax = figure.subplots()
    for kind, colour, label in (
        ("aware", "C0", "QuantumNAS: noisy loss of circuit and mapping"),
        ("unaware", "C1", "noise-unaware: clean loss of the circuit"),
    ):
        # None is a search that has found nothing that can be simulated yet.
        curves = [np.array(seed["search"][kind]["curve"], dtype=np.float64) for seed in seeds]
        for curve in curves:
            ax.plot(range(1, len(curve) + 1), curve, color=colour, linewidth=0.7, alpha=0.45)
        common = min(len(curve) for curve in curves)
        mean = np.mean([curve[:common] for curve in curves], axis=0)
        ax.plot(range(1, common + 1), mean, color=colour, label=label)
    ax.set_xlabel("candidates evaluated")
    ax.set_ylabel("best inherited validation loss")
    ax.legend(loc="upper right")


def draw_history(figure: Figure, seeds: Sequence[Mapping[str, Any]]) -> None:
    """Draw the validation loss of some SubCircuits while the SuperCircuit is trained."""
    ax = figure.subplots()
    names = [name for name in seeds[0]["supercircuit"][0] if name != "step"]
    for number, name in enumerate(names):
        steps = [record["step"] for record in seeds[0]["supercircuit"]]
        losses = np.array([[r[name] for r in seed["supercircuit"]] for seed in seeds])
        mean = losses.mean(axis=0)
        ax.plot(steps, mean, color=f"C{number}", label=name)
        ax.fill_between(
            steps, losses.min(axis=0), losses.max(axis=0), color=f"C{number}", alpha=0.15, lw=0
        )
    ax.set_xlabel("step of SuperCircuit training")
    ax.set_ylabel("inherited validation loss")
    ax.legend(loc="upper right")


def draw_inheritance(figure: Figure, seeds: Sequence[Mapping[str, Any]]) -> None:
    """Draw trained against inherited losses; sizes are told apart by colour."""
    ax = figure.subplots()
    sizes = sorted({size for seed in seeds for size in seed["inheritance"]["sizes"]})
    markers = "osD^vP"
    for number, size in enumerate(sizes):
        points = [
            (inherited, scratch)
            for seed in seeds
            for own, inherited, scratch in zip(
                seed["inheritance"]["sizes"],
                seed["inheritance"]["inherited"],
                seed["inheritance"]["scratch"],
                strict=True,
            )
            if own == size
        ]
        ax.plot(
            *zip(*points, strict=True),
            markers[number % len(markers)],
            color=f"C{number % 6}",
            alpha=0.75,
            markersize=4.5,
            label=f"{size} gates",
        )
    ax.set_xlabel("validation loss with inherited angles")
    ax.set_ylabel("validation loss trained from scratch")
    ax.legend(loc="best")


def draw_depths(
    figure: Figure,
    seeds: Sequence[Mapping[str, Any]],
    rows: Sequence[Mapping[str, Any]],
    floor: float,
    no_signal: float,
) -> None:
    """Draw clean and noisy loss of the human design against its size, and two found circuits."""
    ax = figure.subplots()
    depths = [depth["gates"] for depth in seeds[0]["depths"]]
    for figure_name, colour, label in (
        ("noisy_loss", "C0", "human design, noisy"),
        ("clean_loss", "C1", "human design, clean"),
    ):
        losses = np.array([[d[figure_name] for d in seed["depths"]] for seed in seeds])
        ax.plot(depths, losses.mean(axis=0), "o-", color=colour, label=label)
        ax.fill_between(
            depths, losses.min(axis=0), losses.max(axis=0), color=colour, alpha=0.15, lw=0
        )
    by_key = {row["key"]: row for row in rows}
    for key, marker, words in (
        ("quantumnas", "*", "QuantumNAS"),
        ("unaware", "X", "noise-unaware search"),
    ):
        mean = by_key[key]["mean"]
        size = 13 if marker == "*" else 8
        for figure_name, colour in (("noisy_loss", "C0"), ("clean_loss", "C1")):
            ax.plot(
                mean["gates"], mean[figure_name], marker, color=colour, markersize=size,
                markeredgecolor=SURFACE, zorder=4,
            )  # fmt: skip
        ax.plot([], [], marker, color=INK, markersize=size * 0.7, label=words, linestyle="none")
    _reference(ax, no_signal, f"log of the classes, {no_signal:.3f}: no signal")
    _reference(ax, floor, f"{floor:.3f}: least loss that bounded logits allow")
    ax.set_ylim(floor - 0.08, no_signal + 0.12)
    ax.set_xlabel("gates")
    ax.set_ylabel("test loss")
    ax.legend(loc="center right", bbox_to_anchor=(1.0, 0.36))


def draw_differences(figure: Figure, differences: Sequence[Mapping[str, Any]]) -> None:
    """Draw QuantumNAS minus each baseline: a dot per seed, a bar at the mean."""
    ax = figure.subplots()
    ax.axvline(0.0, color=MUTED, linewidth=1.0)
    for place, difference in enumerate(differences):
        found = difference["noisy_loss"]
        values = found["seeds"]
        ax.plot(values, [place] * len(values), "o", color="C0", alpha=0.6, markeredgewidth=0)
        ax.plot([found["mean"]] * 2, [place - 0.25, place + 0.25], color=INK, linewidth=2.2)
    ax.set_yticks(range(len(differences)), [difference["title"] for difference in differences])
    ax.set_ylim(len(differences) - 0.5, -0.5)
    ax.grid(visible=False, axis="y")
    ax.set_xlabel("noisy test loss, QuantumNAS minus baseline (left is better)")


def _reference(ax: Axes, y: float, text: str) -> None:
    ax.axhline(y, color=MUTED, linewidth=1.0, linestyle=(0, (4, 3)))
    ax.annotate(
        text, (0.995, y), (0, 3), xycoords=("axes fraction", "data"),
        textcoords="offset points", ha="right", va="bottom", fontsize=8, color=MUTED,
    )  # fmt: skip
