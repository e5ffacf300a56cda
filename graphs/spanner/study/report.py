# SPDX-License-Identifier: Apache-2.0
"""The report: sizes, times and certificates, and where they are not as expected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from graphs.spanner.study import figures
from graphs.spanner.study.measured import Measured
from graphs.spanner.study.tables import tables
from workbench.experiments import Facts, Report, Section, Table, draw_figure
from workbench.experiments.report import Block

__all__ = ["build"]

Result = Mapping[str, Any]


def build(result: Result, measured: Measured) -> Report:
    """Build the report from a stored result and what was measured beside it."""
    made = tables(result, measured)
    sections = [
        section
        for section in (
            _sizes(result, made),
            _section("Expected and found", [], made, "order", "prototype", "optimum"),
            _times(result, measured, made),
            _growth(result, measured, made),
            _certificates(result, made),
            _graphs(result),
        )
        if section.blocks
    ]
    first = next((made[name] for name in ("size", "crossing", "fit", "certificate", "optimum")
                  if name in made), Table(["nothing measured"], []))  # fmt: skip
    return Report(
        title="Source-wise round-trip spanners",
        subtitle=(
            "Subgraphs in which every round trip from some sources is at most t times as long as "
            "in the whole digraph: how many edges, how much work, and how sure one can be."
        ),
        verdict=result["headline"][:1].upper() + result["headline"][1:] + ".",
        holds=result["holds"],
        table=first,
        sections=sections,
    )


def _section(
    title: str, blocks: Sequence[Block], made: Mapping[str, Table], *names: str
) -> Section:
    return Section(title, [*blocks, *(made[name] for name in names if name in made)])


def _sizes(result: Result, made: Mapping[str, Table]) -> Section:
    title = "How many edges, at which stretch"
    if "cases" not in made:
        return Section(title, [])
    drawing = draw_figure(
        partial(figures.draw_sizes, rows=result["sizes"]["rows"]),
        size=(8.6, 5.4),
        caption="Edges per vertex against the largest stretch measured, at the most sources.",
        alt="Size against measured stretch by method",
    )
    words = (
        "Covers and balls are far better than they promise, and pay for it in edges: compare only "
        "at equal measured stretch."
    )
    return _section(title, [words, drawing], made, "pruned", "equal", "stretch", "cases")


def _times(result: Result, measured: Measured, made: Mapping[str, Table]) -> Section:
    title = "How much work"
    if "searches" not in made:
        return Section(title, [])
    drawing = draw_figure(
        partial(figures.draw_times, rows=result["times"], measured=measured),
        size=(8.6, 5.6),
        caption="Dotted: not run, continued from the last two points.",
        alt="Searches and seconds by number of sources",
    )
    return _section(title, [drawing], made, "searches", "seconds", "edges", "crossing", "work")


def _growth(result: Result, measured: Measured, made: Mapping[str, Table]) -> Section:
    title = "How work and memory grow"
    blocks: list[Block] = []
    if result["growth"]:
        blocks = [
            "The papers bound the time by m s^(1/k) log^5 n at stretch O(k log n): an exponent of "
            "1 in edges and of 1/k in sources.",
            draw_figure(
                partial(figures.draw_growth, rows=result["growth"], measured=measured),
                size=(8.6, 3.4),
                caption="Covers of rMAT graphs, each in a process of its own.",
                alt="Seconds and bytes per edge by edges",
            ),
        ]
    return _section(title, blocks, made, "fit", "growth")


def _certificates(result: Result, made: Mapping[str, Table]) -> Section:
    title = "Certificates"
    if not result["certificates"]:
        return Section(title, [])
    rows = result["certificates"]["rows"]
    words = (
        "A source in a cell is certified with probability e^(-beta R) at least (dotted: after so "
        "many repetitions at one level of cells). A cover carves balls at the radius that leaves "
        "fewest sources near the boundary and makes cells only where that does not pay, so most "
        "sources are certified the first time."
    )
    drawings = [
        draw_figure(
            partial(figures.draw_repetitions, rows=rows),
            size=(8.6, 3.4),
            caption="Share of sources, over all scales, not certified after each repetition.",
            alt="Sources not yet certified by repetition",
        ),
        draw_figure(
            partial(figures.draw_stretches, rows=rows),
            size=(8.6, 3.4),
            caption="Stretch of pairs, of 32 sources.",
            alt="Distribution of measured stretch with the proved bound",
        ),
    ]
    return _section(title, [words, *drawings], made, "certificate", "lemma")


def _graphs(result: Result) -> Section:
    if not result["sizes"]:
        return Section("Graphs", [])
    return Section(
        "Graphs",
        [
            Facts(
                {
                    graph["name"]: f"{graph['n']} vertices, {graph['m']} edges, "
                    f"{graph['weights']}; {graph['origin']}"
                    for graph in result["sizes"]["graphs"]
                }
            )
        ],
    )
