# SPDX-License-Identifier: Apache-2.0
"""The report: the ladder, the paper beside it, and where the bytes go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from workbench.experiments import Column, Facts, Report, Section, Table, draw_figure
from workbench.experiments.report import Cell
from workbench.hardware.sparch.ladder import RUNGS
from workbench.methods.sparch import figures, paper
from workbench.methods.sparch.sweeps import SWEEPS
from workbench.methods.sparch.verdict import ENOUGH, geomean

__all__ = ["build"]

Record = Mapping[str, Any]


def build(result: Mapping[str, Any]) -> Report:
    """Build the report from a stored result."""
    records: list[Record] = result["matrices"]
    sections = [_against_the_paper(result), _traffic(records), _speed(result), _machines(records)]
    if records and records[0]["sweeps"]:
        sections.append(_sweeps(records))
    if result["rmat"]:
        sections.append(_rmat(result["rmat"]))
    sections += [_elsewhere(), _reading(result)]
    return Report(
        title="SpArch: DRAM traffic of A times A",
        subtitle=(
            "Each idea of the accelerator added in turn, counted byte by byte on the matrices' "
            "own patterns."
        ),
        verdict=_verdict(result),
        holds=result["holds"],
        table=_ladder(result),
        sections=sections,
    )


def _verdict(result: Mapping[str, Any]) -> str:
    net = result["claims"][0]
    if net["mean"] is None:
        return "No matrix has a product, so there is nothing to compare."
    low, high = net["band"]
    many = "geometric mean over " if net["count"] > 1 else ""
    words = (
        f"SpArch moves {net['mean']:.2f} times fewer bytes than OuterSPACE, {many}"
        f"{net['count']} {'matrices' if net['count'] > 1 else 'matrix'}; the paper says "
        f"{paper.NET:g} over 20."
    )
    if net["count"] < ENOUGH:
        return f"{words} (Too few matrices to compare means.)"
    inside = "inside" if net["inside"] else "OUTSIDE"
    return f"{words} This is {inside} the expected {low:g} to {high:g}."


def _mb(traffic: Mapping[str, int]) -> float:
    return traffic["total"] / 1e6


def _ladder(result: Mapping[str, Any]) -> Table:
    records = result["matrices"]
    columns: list[Column | str] = [
        Column("matrix"),
        Column("n", "d"),
        Column("elements", "d"),
        Column("N", "d", hint="condensed columns with a product"),
        Column("OuterSPACE", ".1f"),
        Column("pipe, sum", ".1f", hint="pipelined only, one running sum"),
        Column("pipe, bal.", ".1f", hint="pipelined only, balanced tree"),
        Column("cond., sum", ".1f", hint="condensed, one running sum"),
        Column("cond., bal.", ".1f", hint="condensed, balanced tree"),
        Column("Huffman", ".1f"),
        Column("LRU", ".1f", hint="with a row buffer that does not look ahead"),
        Column("SpArch", ".1f"),
        Column("least", ".1f", hint="A and B read once, C written once"),
        Column("hits", ".2f", hint="lines of B found in the row buffer"),
        Column("ratio", ".2f", hint="OuterSPACE / SpArch"),
    ]
    rows: list[list[Cell]] = []
    for record in records:
        rungs = record["rungs"]
        rows.append(
            [
                record["name"],
                record["n"],
                record["nnz"],
                record["leaves"],
                _mb(record["rivals"][0]["traffic"]),
                *(
                    _mb(rungs[key]["traffic"])
                    for key in (
                        "pipe_seq", "pipe_fifo", "cond_seq", "cond_fifo", "huffman", "lru",
                        "sparch",
                    )
                ),
                record["compulsory"] / 1e6,
                rungs["sparch"]["hit_rate"],
                record["ratios"]["net"],
            ]
        )  # fmt: skip
    net = result["claims"][0]
    empty: list[Cell] = [None] * 13
    if net["count"] > 1:
        rows.append(["geometric mean", *empty, net["mean"]])
    rows.append(["the paper, 20 matrices", *empty, paper.NET])
    return Table(columns, rows, caption="DRAM traffic in MB.")


def _against_the_paper(result: Mapping[str, Any]) -> Section:
    rows: list[list[Cell]] = []
    for claim in result["claims"]:
        band = claim["band"]
        expected = None
        if band is not None:
            about = "mean " if claim["mean_only"] else "each "
            expected = about + (
                f"{band[0]:g}" if band[0] == band[1] else f"{band[0]:g} to {band[1]:g}"
            )
        said = {True: "inside", False: "OUTSIDE", None: None}[claim["inside"]]
        if claim["outside"]:
            said = f"OUTSIDE: {', '.join(claim['outside'])}"
        rows.append(
            [
                claim["title"],
                claim["count"],
                claim["paper"],
                claim["mean"],
                claim["least"],
                claim["greatest"],
                expected,
                said,
            ]
        )
    return Section(
        "Beside the paper's figures",
        [
            "Factors of traffic, but for the last two rows. What condensing gains rests wholly on "
            "the order of merging before it, which the paper does not name: with one running sum "
            "it is much, between balanced trees little. Both are shown. The paper's figure for "
            "pipelining alone is derived from its others (5.4 x 1.8 x 1.5 / 2.8).",
            Table(
                [
                    Column("factor"),
                    Column("matrices", "d"),
                    Column("paper", ".1f"),
                    Column("geometric mean", ".2f"),
                    Column("least", ".2f"),
                    Column("greatest", ".2f"),
                    Column("expected", align="right"),
                    Column("is"),
                ],
                rows,
                caption=(
                    "Expected: from a count of the same bytes by other code on eight matrices. "
                    "The prefetcher gains more here than in the paper where B nearly fits into "
                    "the buffer: these matrices are smaller than most of the paper's."
                ),
            ),
        ],
    )


def _traffic(records: Sequence[Record]) -> Section:
    shown = min(len(records), figures.MOST_PANELS)
    height = 2.1 * -(-shown // 4) + 0.5
    words = f" The first {shown} of {len(records)} matrices." if shown < len(records) else ""
    rows: list[list[Cell]] = []
    for record in records:
        traffic = record["rungs"]["sparch"]["traffic"]
        parts = ("a", "b", "partial_written", "partial_read", "c")
        rows.append([record["name"], *(traffic[part] / 1e6 for part in parts), _mb(traffic)])
    return Section(
        "Where the bytes go",
        [
            draw_figure(
                partial(figures.draw_traffic, records=records),
                size=(8.6, height),
                caption=(
                    "OuterSPACE, pipelined only, condensed (both balanced), with the Huffman "
                    "scheduler, with the row prefetcher. Dotted: A and B read once, C written "
                    "once. The orders with one running sum would not fit." + words
                ),
                alt="Stacked bars of DRAM traffic by design and matrix",
            ),
            Table(
                [
                    "matrix",
                    Column("A", ".2f"),
                    Column("B", ".2f"),
                    Column("partial, written", ".2f"),
                    Column("partial, read", ".2f"),
                    Column("C", ".2f"),
                    Column("total", ".2f"),
                ],
                rows,
                caption="SpArch, MB.",
            ),
        ],
    )


def _speed(result: Mapping[str, Any]) -> Section:
    rows: list[list[Cell]] = []
    for record in result["matrices"]:
        ideal, calibrated = record["rungs"]["sparch"], record["calibrated"]
        total = ideal["cycles"]
        shares = [
            100 * ideal["bound_cycles"][bound] / total if total else None
            for bound in ("DRAM", "multiplier", "merger", "filling")
        ]
        rows.append(
            [
                record["name"],
                ideal["rounds"],
                ideal["cycles"] / 1e3,
                ideal["intensity"],
                ideal["gflops"],
                100 * ideal["utilisation"],
                *shares,
                calibrated["gflops"],
                100 * calibrated["utilisation"],
            ]
        )
    means = [r for r in result["matrices"] if r["products"]]
    empty: list[Cell] = [None] * 4
    if len(means) > 1:
        rows.append(
            [
                "geometric mean",
                None,
                None,
                geomean([r["rungs"]["sparch"]["intensity"] for r in means]),
                geomean([r["rungs"]["sparch"]["gflops"] for r in means]),
                None,
                *empty,
                geomean([r["calibrated"]["gflops"] for r in means]),
                None,
            ]
        )
    rows.append(
        ["the paper", None, None, paper.INTENSITY, paper.GFLOPS["SpArch"],
         100 * paper.UTILISATION["SpArch"], *empty, None, None]
    )  # fmt: skip
    return Section(
        "Cycles and the roofline",
        [
            "A round takes the longest of its bytes, its products and its merges, and some cycles "
            "to fill. That is a bound, not a pipeline: it comes out well above the paper's speed. "
            f"With {paper.CALIBRATED_EFFICIENCY:g} of the bandwidth, the utilisation that the "
            "paper reports, part of the difference goes; this is a calibration, not a result.",
            Table(
                [
                    "matrix",
                    Column("rounds", "d"),
                    Column("kilocycles", ".0f"),
                    Column("flop/byte", ".3f"),
                    Column("GFLOP/s", ".1f"),
                    Column("bandwidth used, %", ".0f"),
                    Column("DRAM, %", ".0f", hint="of the cycles are bound by it"),
                    Column("multiplier, %", ".0f"),
                    Column("merger, %", ".0f"),
                    Column("filling, %", ".0f"),
                    Column("calibrated GFLOP/s", ".1f"),
                    Column("bandwidth used, %", ".0f"),
                ],
                rows,
            ),
            draw_figure(
                partial(figures.draw_roofline, result=result),
                size=(6.4, 4.0),
                caption="One point per matrix. The star is the paper's mean over its own.",
                alt="Roofline: speed against operational intensity",
            ),
        ],
    )


def _machines(records: Sequence[Record]) -> Section:
    names = [rival["name"] for rival in records[0]["rivals"]]
    rows: list[list[Cell]] = [
        [
            record["name"],
            record["compulsory"] / 1e6,
            _mb(record["rungs"]["sparch"]["traffic"]),
            _mb(record["rungs"]["unlimited"]["traffic"]),
            *(_mb(rival["traffic"]) for rival in record["rivals"]),
            record["rivals"][0]["gflops"],
        ]
        for record in records
    ]
    return Section(
        "Other machines",
        [
            "OuterSPACE writes every product and reads it back. MatRaptor goes row by row and "
            "reads a row of B for each element of A. Gamma goes row by row with 3 MiB of cache, "
            "five times SpArch's buffer; its partial rows are taken to stay in it. The models of "
            "the last two favour them.",
            Table(
                [
                    "matrix",
                    Column("least", ".1f"),
                    Column("SpArch", ".1f"),
                    Column("SpArch, sees all of A", ".1f"),
                    *(Column(name, ".1f") for name in names),
                    Column("OuterSPACE GFLOP/s", ".2f"),
                ],
                rows,
                caption=(
                    "MB. OuterSPACE's speed is that of an analytic model with insertion into "
                    f"lists, which hub rows make quadratic; its paper's figure is "
                    f"{paper.GFLOPS['OuterSPACE']:g}."
                ),
            ),
        ],
    )


def _sweeps(records: Sequence[Record]) -> Section:
    tables: list[Any] = []
    for name, sweep in SWEEPS.items():
        rows: list[list[Cell]] = [
            [
                record["name"],
                *(point["total"] / 1e6 for point in record["sweeps"][name]),
            ]
            for record in records
        ]
        tables.append(
            Table(
                ["matrix", *(Column(str(value), ".1f") for value in sweep.values)],
                rows,
                caption=f"MB by {sweep.title}.",
            )
        )
    return Section(
        "One number varied at a time",
        [
            draw_figure(
                partial(figures.draw_sweeps, records=records),
                size=(8.6, 4.6),
                caption="Thin lines are matrices, the thick one their geometric mean.",
                alt="Traffic against each varied number of the design",
            ),
            *tables,
        ],
    )


def _rmat(points: Sequence[Mapping[str, Any]]) -> Section:
    rows: list[list[Cell]] = [
        [
            f"{point['n']} x {point['edges']}",
            point["nnz"],
            point["products"],
            point["hit_rate"],
            point["gflops"],
            point["bound"],
            point["rival_gflops"],
            point["ratio"],
        ]
        for point in points
    ]
    return Section(
        "rMAT graphs",
        [
            draw_figure(
                partial(figures.draw_rmat, points=points),
                size=(6.4, 3.8),
                caption="Speed with ideal DRAM.",
                alt="Speed on rMAT graphs against edges per vertex",
            ),
            Table(
                [
                    "vertices x edges",
                    Column("elements", "d"),
                    Column("products", "d"),
                    Column("hits", ".2f"),
                    Column("GFLOP/s", ".1f"),
                    "bound by",
                    Column("OuterSPACE's model", ".2f"),
                    Column("traffic ratio", ".2f"),
                ],
                rows,
            ),
        ],
    )


def _elsewhere() -> Section:
    return Section(
        "What is the paper's alone",
        [
            "Seconds and joules against other machines cannot be measured here. These are the "
            "paper's own figures.",
            Table(
                ["against", Column("paper: faster", ".0f"), Column("paper: less energy", ".0f")],
                [[name, *factors] for name, factors in paper.ELSEWHERE.items()],
            ),
        ],
    )


def _reading(result: Mapping[str, Any]) -> Section:
    return Section(
        "How to read this",
        [
            "Elements of A, B and C take an index and a value, elements of stored partial "
            "matrices two indices and a value. The sizes of partial matrices are counted, not "
            "estimated. Only patterns count: sums that cancel are stored.",
            "The row buffer is empty at the start of each round; elements of A come row by row "
            "and, within a row, by condensed column. The paper leaves both open.",
            "Of the paper's figures, the factors of traffic, speed and energy stand in its "
            "abstract. Its GFLOP/s, roofline and utilisation, and the numbers of the design, are "
            "quoted at second hand and were not checked against its text.",
            Facts(
                {
                    **{f"{r['name']}": f"{r['origin']}, pattern {r['pattern']}"
                       for r in result["matrices"]},
                    "streams per round": result["ways"],
                    "designs": ", ".join(rung.title for rung in RUNGS),
                }
            ),
        ],
    )  # fmt: skip
