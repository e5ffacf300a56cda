# SPDX-License-Identifier: Apache-2.0
"""The report: edges kept by each method, the map, the stretch, the certificate."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from graphs.spanner.config import Config
from graphs.spanner.picture import plot_stretch
from graphs.spanner.pipeline import MAP, MASK, MOST_LINES, fingerprints
from graphs.spanner.stretch import Histogram
from workbench.experiments import (
    Column,
    Facts,
    Preformatted,
    Report,
    Section,
    Table,
    draw_figure,
)
from workbench.experiments.config import config_from_json
from workbench.experiments.figures import INK, QUIET
from workbench.experiments.report import Block, Cell
from workbench.storage.arrays import read_arrays

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from workbench.experiments import StoredRun

__all__ = ["build"]

_MOST_SCALES = 80


def build(result: Mapping[str, Any], timing: Mapping[str, Any], run: StoredRun) -> Report:
    """Build the report from a stored result and the files beside it."""
    config = config_from_json(Config, run.config)
    assert isinstance(config, Config)
    found = [
        _map(result, run.path / MAP),
        _by_distance(result),
        _certificate(result),
        _verify(result, config, run.path),
    ]
    report = result["stretch"]
    return Report(
        title=f"Round-trip spanner of {result['graph']}",
        subtitle=(
            f"{result['n']} vertices, {result['m']} edges; {result['active_vertices']} and "
            f"{result['active_edges']} of them in strongly connected components that hold a "
            f"source."
        ),
        verdict=_verdict(result),
        holds=None if report is None else report["holds"],
        table=_table(result, timing),
        sections=[section for section in found if section is not None],
        warnings=_changed(result, config),
    )


def _verdict(result: Mapping[str, Any]) -> str:
    s = result["sources"]
    whom = "the source" if s == 1 else f"{s} sources"
    words = (
        f"{result['size']} of {result['m']} edges{_share(result)} keep every round trip from "
        f"{whom} within {result['bound']:g} times its length"
    )
    report = result["stretch"]
    if report is None:
        return f"{words}, by construction; nothing was measured."
    if not report["holds"]:
        return (
            f"{result['size']} edges DO NOT keep the bound {result['bound']:g}: "
            f"{report['violations']} of {report['pairs']} pairs are beyond it."
        )
    if not report["pairs"]:
        return f"{words}: no source has a round trip to another vertex."
    checked = f"all {report['pairs']} pairs"
    if not report["exact"]:
        checked = f"{report['pairs']} pairs of {report['checked']} sampled sources"
    return f"{words}; measured on {checked}: at most {report['max']:.4g} times."


def _share(result: Mapping[str, Any]) -> str:
    return f" ({100 * result['size'] / result['m']:.1f} %)" if result["m"] else ""


def _table(result: Mapping[str, Any], timing: Mapping[str, Any]) -> Table:
    n, m = result["active_vertices"], result["active_edges"]
    seconds = timing["seconds"]

    def row(name: str, size: int, bound: float | None, report: Any, key: str) -> list[Cell]:
        measured = [None] * 3 if report is None else [report[k] for k in ("max", "mean", "p99")]
        spent = [seconds.get(f"{key} {phase}") for phase in ("lay_out", "build", "prune")]
        known = [x for x in spent if x is not None]
        return [
            name,
            size,
            100 * size / m if m else None,
            size / n if n else None,
            bound,
            *measured,
            sum(known) if known else None,
        ]

    rows = [
        row(
            f"this: {result['certificate']['method']}", result["size"], result["bound"],
            result["stretch"], "spanner",
        ),
        *(
            row(_RIVALS[r["method"]], r["size"], r["bound"], r["stretch"], r["method"])
            for r in result["rivals"]
        ),
        row("all edges that can matter", m, 1.0, None, ""),
    ]  # fmt: skip
    names = result["worst_names"]
    worst = "" if names is None else f" Worst pair: source {names[0]}, vertex {names[1]}."
    few = "" if result["afforded"] else " The other methods were left out: the graph is large."
    return Table(
        [
            Column("method"),
            Column("edges", "d", best="min"),
            Column("% of edges", ".2f", hint="of those that can matter: see the last row"),
            Column("edges / n", ".3f", hint="n: vertices that have a round trip to a source"),
            Column("bound", ".3g", hint="holds by construction"),
            Column("max", ".4f", hint="the largest stretch measured"),
            Column("mean", ".4f"),
            Column("p99", ".4f", hint="99 % of pairs have at most this stretch"),
            Column("seconds", ".2f", hint="to build, without verification"),
        ],
        rows,
        caption=(worst + few).strip(),
        highlight=(0,),
    )


_RIVALS = {
    "exact": "exact: all shortest-path trees",
    "greedy": "greedy",
    "cover": "cover",
}


def _map(result: Mapping[str, Any], path: Path) -> Section | None:
    if not path.is_file():
        return None
    lines = read_arrays(path)
    for name in ("dropped", "kept", "sources"):
        if name not in lines or lines[name].ndim != 2 or lines[name].shape[1] != 2:
            raise ValueError(f"{path} is no map of a spanner: {name} must be points (k, 2)")
    figure = draw_figure(
        partial(_draw_map, lines=lines),
        size=(8.6, 6.4),
        caption=(
            "Dark: edges kept, where any of the two ways of a street is. Pale: dropped. Dots: "
            "sources."
        ),
        alt="Map of the edges kept and dropped",
    )
    return Section("Map", [figure])


def _draw_map(figure: Figure, lines: Mapping[str, Any]) -> None:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path as Line

    ax = figure.subplots()
    width = float(np.clip(150 / max(len(lines["kept"]), 1) ** 0.5, 0.3, 1.3))
    for name, colour, order in (("dropped", QUIET, 1), ("kept", INK, 2)):
        ends = lines[name]
        if not len(ends):
            continue
        codes = np.tile(np.array([Line.MOVETO, Line.LINETO], np.uint8), len(ends) // 2)
        # One path for all: a page with an element per edge would not open.
        ax.add_patch(
            PathPatch(Line(ends, codes), fill=False, edgecolor=colour, linewidth=width,
                      zorder=order)
        )  # fmt: skip
    s = lines["sources"]
    ax.scatter(s[:, 0], s[:, 1], s=float(np.clip(2000 / max(len(s), 1), 3, 30)), color="C1",
               zorder=3)  # fmt: skip
    ax.set_aspect("equal")
    ax.set_axis_off()
    ax.autoscale_view()


def _by_distance(result: Mapping[str, Any]) -> Section | None:
    report = result["stretch"]
    if report is None or not report["pairs"]:
        return None
    histogram = Histogram.from_json(report["histogram"])

    def draw(figure: Figure) -> None:
        plot_stretch(figure.subplots(), histogram, result["bound"])

    blocks: list[Block] = [
        draw_figure(
            draw,
            size=(8.6, 3.8),
            caption="Pairs by round-trip distance and stretch; the darker, the more.",
            alt="Histogram of stretch by distance",
        )
    ]
    w, names = report["worst"], result["worst_names"]
    facts: dict[str, Cell] = {
        "pairs": report["pairs"],
        "sources checked": f"{report['checked']} of {report['sources']}",
        "median stretch": report["p50"],
        "worst pair": f"source {names[0]}, vertex {names[1]}",
        "its round trip": f"{w['graph_distance']:.10g} over "
        f"{len(w['out_path']) + len(w['back_path'])} edges",
    }
    if w["spanner_distance"] is not None:
        hops = len(w["spanner_out_path"]) + len(w["spanner_back_path"])
        facts["in the spanner"] = f"{w['spanner_distance']:.10g} over {hops} edges"
    return Section("Stretch by distance", [*blocks, Facts(facts)])


def _certificate(result: Mapping[str, Any]) -> Section:
    certificate = result["certificate"]
    facts: dict[str, Cell] = {
        "method": certificate["method"],
        "bound by construction": certificate["bound"],
        "largest stretch measured": certificate["verified"],
        "verification": certificate["verification"],
        "seed": certificate["seed"],
        **{f"SHA-256 of the {role}": value for role, value in result["files"].items()},
    }
    scales = certificate["scales"]
    if not scales:
        return Section("Certificate", [Facts(facts)])
    shown = scales[:_MOST_SCALES]
    rows: list[list[Cell]] = [
        [
            scale["component"],
            scale["radius"],
            *(scale[key] for key in ("vertices", "sources", "by_carving", "alone", "fallback")),
            scale["repetitions"],
            scale["settled"] / max(result["active_vertices"], 1),
        ]
        for scale in shown
    ]
    rest = len(scales) - len(shown)
    table = Table(
        [
            Column("component", "d"),
            Column("radius", ".6g", hint="pairs of round-trip distance from half of it up to it"),
            Column("vertices", "d", hint="where cycles of negligible length are one vertex"),
            Column("sources", "d", hint="those with company at this scale"),
            Column("by carving", "d", hint="certified within a ball that was carved out"),
            Column("alone", "d", hint="certified by the ball of the only source of a part"),
            Column("fallback", "d", hint="certified by a ball of their own at the end"),
            Column("repetitions", "d"),
            Column("searches", ".2f", hint="vertices settled / n"),
        ],
        rows,
        caption=f"{rest} further scales are in spanner.json." if rest else "",
    )
    words = (
        "Every source is certified at every scale, so that the bound does not rest on chance; "
        "chance decides only how many searches and edges it takes."
    )
    return Section("Certificate", [words, Facts(facts), table])


def _verify(result: Mapping[str, Any], config: Config, folder: Path) -> Section:
    command = [
        *("workbench", "spanner", "verify", config.graph, str(folder / MASK)),
        *("--sources", config.sources, "--stretch", repr(result["bound"])),
        *(() if config.weight == "auto" else ("--weight", config.weight)),
        *(() if config.seed == 0 else ("--seed", str(config.seed))),
    ]
    words = (
        f"{MASK} says of every edge of the file, in order, whether it is kept; spanner.json holds "
        "the certificate, the stretch and the worst pair's paths. This command searches all of it "
        "again and exits with 0 if the bound holds:"
    )
    blocks: list[Block] = [words, Preformatted(shlex.join(command))]
    if not (folder / MAP).is_file():
        blocks.append(
            "There is no map: the graph has no positions (--positions gives them) or more than "
            f"{MOST_LINES} lines."
        )
    return Section("Files, and how to check them", blocks)


def _changed(result: Mapping[str, Any], config: Config) -> list[str]:
    now = fingerprints(config)
    return [
        f"the file of the {role} has changed since this run, or is gone: --force runs it again"
        for role, value in result["files"].items()
        if now.get(role) != value
    ]
