# SPDX-License-Identifier: Apache-2.0
"""The tables of the report and of the page in docs/."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from circuits.analog.gcn_rl.study.ablation import ablation_table
from circuits.analog.gcn_rl.study.claims import (
    CAVEAT,
    CIRCUIT_TITLES,
    NODE_TRANSFER,
    PAPER,
    TOPOLOGY_TRANSFER,
)
from circuits.analog.gcn_rl.study.netlist_figure import metric_words
from circuits.analog.gcn_rl.study.statistics import LEAST_GAP, LEAST_SEEDS
from circuits.analog.gcn_rl.study.summary import WITHIN
from circuits.analog.gcn_rl.study.words import route_title, shown, signed
from workbench.experiments import Column, Table

__all__ = ["metric_text", "table_names", "tables"]

Row = Mapping[str, Any]
_FAILED = -2.0


def table_names() -> tuple[str, ...]:
    """All tables there may be; a result holds those of its parts."""
    own = ("foms", "pairs", "metrics", "corners", "sizes")
    return (
        "main", "moonshot", "paper", "paper_transfer", "l2dc", "l2dc_designs", "transfer",
        "transfer_pairs", "ablation",
        *(f"{name}_{circuit}" for circuit in CIRCUIT_TITLES for name in own),
    )  # fmt: skip


def tables(result: Row) -> dict[str, Table]:
    """Return every table by name; those of parts that were not run are left out."""
    made = {"paper": _paper()}
    circuits = result["circuits"]
    if circuits:
        made["main"] = _main(circuits, result["budgets"][-1])
        made["moonshot"] = _moonshot(circuits)
    for own in circuits:
        name = own["circuit"]
        made[f"foms_{name}"] = _foms(own, result["charges"][name], result["surcharge"])
        if own["pairs"]:
            made[f"pairs_{name}"] = _pairs(own["pairs"])
        made[f"metrics_{name}"] = _metrics(own)
        made[f"corners_{name}"] = _corners(own)
        made[f"sizes_{name}"] = _sizes(own)
    if result["l2dc"]:
        made["l2dc"] = _l2dc(result["l2dc"])
        made["l2dc_designs"] = _l2dc_designs(result["l2dc"])
    if result["transfer"]:
        made["transfer"] = _transfer(result["transfer"], result["tuning"])
        made["transfer_pairs"] = _transfer_pairs(result["transfer"])
        made["paper_transfer"] = _paper_transfer()
    if result["ablation"]:
        made["ablation"] = ablation_table(result["ablation"])
    return made


def metric_text(value: float | None, unit: str) -> str:
    """A metric in its unit, with a prefix where that helps."""
    if value is None:
        return "undefined"
    if unit in ("dB", "deg"):
        return f"{value:.4g} {unit}".replace("deg", "\N{DEGREE SIGN}")
    if unit == "m^2":
        return f"{value * 1e12:.4g} \N{MICRO SIGN}m\N{SUPERSCRIPT TWO}"
    if unit == "ohm":
        return metric_words(value, "\N{OHM SIGN}")
    if unit == "V/V":
        return f"{value:.4g}"
    if unit in ("", "1"):
        return f"{value:.4g}"
    return metric_words(value, unit.replace("rtHz", "\N{SQUARE ROOT}Hz"))


def _spread(entry: Row, key: str = "quartiles") -> str:
    low, middle, high = entry[key]
    if middle is None:
        return "none works"
    if low == middle == high:
        return shown(middle)
    return f"{shown(middle)} [{shown(low)}, {shown(high)}]"


def _main(circuits: Sequence[Row], budget: int) -> Table:
    methods = list(dict.fromkeys(row["method"] for own in circuits for row in own["methods"]))
    rows = []
    for method in methods:
        found = {
            own["circuit"]: row
            for own in circuits
            for row in own["methods"]
            if row["method"] == method
        }
        title = next(iter(found.values()))["title"]
        capped = any(row["notes"] for row in found.values())
        cells = [
            found[own["circuit"]]["budgets"][-1]["quartiles"][1]
            if own["circuit"] in found
            else None
            for own in circuits
        ]
        rows.append([f"{title} *" if capped else title, *cells])
    marks = any(str(row[0]).endswith("*") for row in rows)
    return Table(
        [Column("method"), *(Column(own["title"], ".3f", best="max") for own in circuits)],
        rows,
        caption=f"Median of the best figure of merit after {budget:,} simulations."
        + (" * stopped earlier, see below." if marks else ""),
    )


def _moonshot(circuits: Sequence[Row]) -> Table:
    rows: list[list[Any]] = []
    for own in circuits:
        shot = own["moonshot"]
        others = [e for e in shot["entries"] if not e["black_box"] and e["median"] is not None]
        best = max(others, key=lambda e: float(e["median"]), default=None)
        quick = _quickest(others)
        rows.append(
            [
                own["title"],
                shot["black_box"],
                shot["level"],
                None if best is None else best["title"],
                None if best is None else best["median"],
                None if best is None else best["other_median"],
                quick,
                _quickest([e for e in shot["entries"] if e["black_box"]]),
                "yes" if shot["reached"] else "no",
            ]
        )
    shot = circuits[0]["moonshot"]
    return Table(
        [
            Column("circuit"),
            Column("best black box"),
            Column(f"after {shot['last']:,}", ".4f"),
            Column("best other"),
            Column(f"after {shot['budget']:,}", ".4f"),
            Column("dearer gradients", ".4f", hint="the same searches with the surcharge"),
            Column("level reached at", hint="by the median curve of the quickest other method"),
            Column("a black box", hint="when the quickest black box has it"),
            Column("reached", align="left"),
        ],
        rows,
        caption=(
            f"Does any method have by {shot['budget']:,} simulations the median that the best of "
            f"random, CMA-ES, BO and MACE has after {shot['last']:,}, within {WITHIN:g}?"
        ),
    )


def _quickest(entries: Sequence[Row]) -> str:
    found = min(
        (e for e in entries if e["first"] is not None), key=lambda e: int(e["first"]), default=None
    )
    return "never" if found is None else f"{found['first']:,}, {found['title']}"


def _foms(own: Row, charges: Sequence[float], surcharge: float) -> Table:
    budgets = [entry["budget"] for entry in own["methods"][0]["budgets"]]
    rows: list[list[Any]] = []
    for row in own["methods"]:
        # what a search that stopped had found is not repeated at budgets it did not see
        spent, before = max(row["spent"]), 0
        cells: list[str | None] = []
        for entry in row["budgets"]:
            cells.append(_spread(entry) if not cells or spent > before + 1 else None)
            before = entry["budget"]
        rows.append([row["title"], *cells])
        if row["gradients"]:
            other = [_spread(entry, "other_quartiles") for entry in row["budgets"]]
            rows.append([f"{row['title']}, dearer", *other])
    return Table(
        [Column("method"), *(Column(f"{b:,}", align="left") for b in budgets)],
        rows,
        caption=(
            "Best figure of merit after so many simulations: median [quartiles]. A simulation "
            f"with its gradient is charged {charges[0]:g}, with those of its parts (composite SQP) "
            f"{charges[1]:g}; dearer: the same searches, what is beyond 1 times {surcharge:g}."
        ),
    )


def _pairs(pairs: Sequence[Row]) -> Table:
    rows = [
        [
            f"{p['ours']} against {p['theirs']}",
            p["budget"],
            signed(p["median"]),
            f"{p['won']} of {p['seeds']}",
            p["verdict"],
        ]
        for p in pairs
    ]
    return Table(
        [
            Column("pair"),
            Column("simulations", ","),
            Column("median difference", align="right"),
            Column("seeds won", align="right"),
            Column("verdict", align="left"),
        ],
        rows,
        caption=(
            f"A difference is called one only if all of at least {LEAST_SEEDS} seeds agree and "
            f"its median is {LEAST_GAP:g} or more."
        ),
    )


def _metrics(own: Row) -> Table:
    titles = {row["method"]: row["title"] for row in own["methods"]}
    theirs = {row["design"]: row for row in own["ngspice"]["rows"]}
    best = {row["method"]: row["best"] for row in own["methods"] if row["best"] is not None}
    shown_designs = [n for n in ("human", own["winner"]) if n in best]
    rows: list[list[Any]] = []
    for name in shown_designs:
        who = titles.get(name, name) if name == "human" else f"{titles[name]} (winner)"
        ours = best[name]["metrics"]
        rows.append([who, "ours", *_texts(ours, own)])
        if name in theirs:
            rows.append([who, "ngspice", *_texts(theirs[name]["theirs"], own)])
    arrows = {1: "\N{UPWARDS ARROW}", -1: "\N{DOWNWARDS ARROW}"}
    heads = [
        f"{name.replace('_', ' ')} {arrows[sign]}"
        for name, sign in zip(own["metrics"], own["signs"], strict=True)
    ]
    if own["ngspice"]["missing"]:
        caption = f"Not simulated again: {own['ngspice']['missing']}."
    else:
        worst = max((row["difference"] for row in own["ngspice"]["rows"]), default=0.0)
        caption = (
            f"Over the best designs of all methods, ngspice {own['ngspice']['version']} differs by "
            f"{worst:.1e} at most."
        )
        settling = max((row["settling"] for row in own["ngspice"]["rows"]), default=0.0)
        if settling:
            caption += (
                f" Settling times differ by {100 * settling:.2g} % at most: they depend on where a "
                "simulator puts its time steps."
            )
    return Table(
        [Column("design"), Column("by"), *(Column(head, align="right") for head in heads)],
        rows,
        caption=caption,
    )


def _texts(values: Sequence[float | None], own: Row) -> list[str]:
    return [metric_text(v, unit) for v, unit in zip(values, own["units"], strict=True)]


def _corners(own: Row) -> Table:
    titles = {row["method"]: row["title"] for row in own["methods"]}
    rows: list[list[Any]] = []
    for name, found in own["corners"].items():
        nominal = next(c["fom"] for c in found if c["temperature"] == 27.0 and c["supply"] == 1.0)
        working = [c["fom"] for c in found if c["fom"] > _FAILED]
        rows.append(
            [
                titles.get(name, name),
                nominal,
                min(working) if working else None,
                min(working) - nominal if working else None,
                f"{len(found) - len(working)} of {len(found)}",
                own["damping"][name],
            ]
        )
    return Table(
        [
            Column("best design of"),
            Column("nominal", ".3f"),
            Column("worst corner", ".3f"),
            Column("lost", "+.3f"),
            Column("corners that fail", align="right"),
            Column(
                "least damping",
                ".2f",
                hint="of the natural frequencies at the nominal corner, "
                "loops closed as they are wired; below 0 it oscillates",
            ),
        ],
        rows,
        caption=(
            "Figure of merit over \N{MINUS SIGN}20, 27 and 85 \N{DEGREE SIGN}C and supplies of "
            "90, 100 and 110 %. The worst is of the corners that work; no method saw any of "
            "them but the nominal one."
        ),
    )


def _sizes(own: Row) -> Table:
    best = {row["method"]: row["best"] for row in own["methods"] if row["best"] is not None}
    names = [n for n in ("human", own["winner"]) if n in best]
    rows = [
        [parameter, *(_size(best[n]["params"][k], parameter) for n in names)]
        for k, parameter in enumerate(own["parameters"])
    ]
    heads = ["human" if n == "human" else "winner" for n in names]
    return Table([Column("parameter"), *(Column(h, align="right") for h in heads)], rows)


def _size(value: float, name: str) -> str:
    if name[:1] in "WL":
        return f"{value * 1e6:.4g} \N{MICRO SIGN}m"
    if name[:1] == "C":
        return metric_words(value, "F")
    if name[:1] == "R":
        return metric_words(value, "\N{OHM SIGN}")
    return f"{value:g}"


def _l2dc(found: Row) -> Table:
    budgets = [entry["budget"] for entry in found["rows"][0]["budgets"]]
    return Table(
        [Column("method"), *(Column(f"{b:,}", align="left") for b in budgets)],
        [[row["title"], *(_spread(entry) for entry in row["budgets"])] for row in found["rows"]],
        caption=(
            "Searches with the reward of L2DC on Three-TIA: median [quartiles] of the best. Below "
            "0 a specification is missed; above, it is the area allowed over the area taken."
        ),
    )


def _l2dc_designs(found: Row) -> Table:
    rows = [
        [name, d["score"], *(metric_text(v, u) for v, u in zip(d["metrics"], found["units"],
                                                              strict=True))]
        for name, d in found["designs"].items()
    ]  # fmt: skip
    return Table(
        [
            Column("design"),
            Column("L2DC", "+.3f", best="max"),
            *(Column(m, align="right") for m in found["metrics"]),
        ],
        rows,
        caption=(
            "The reward of L2DC of the designs found with our figure of merit, which knows no "
            "specification: they were not made for it. The human design misses its own "
            "specification by rounding."
        ),
    )


def _transfer(routes: Sequence[Row], budget: int) -> Table:
    names = list(dict.fromkeys(row["row"] for route in routes for row in route["rows"]))
    titles = {row["row"]: row["title"] for route in routes for row in route["rows"]}
    rows: list[list[Any]] = []
    for name in names:
        cells = []
        for route in routes:
            row = next((r for r in route["rows"] if r["row"] == name), None)
            cells.append(None if row is None else row["quartiles"][1])
        rows.append([titles[name], *cells])
    return Table(
        [
            Column("start"),
            *(Column(route_title(r), ".3f", best="max") for r in routes),
        ],
        rows,
        caption=f"Median of the best figure of merit after {budget:,} simulations on the target.",
    )


def _transfer_pairs(routes: Sequence[Row]) -> Table:
    titles = {row["row"]: row["title"] for route in routes for row in route["rows"]}
    rows = [
        [
            route_title(route),
            f"{titles[p['ours']]}, against: {titles[p['theirs']]}",
            signed(p["median"]),
            f"{p['won']} of {p['seeds']}",
            p["verdict"],
        ]
        for route in routes
        for p in route["pairs"]
    ]
    return Table(
        [
            Column("route"),
            Column("pair"),
            Column("median difference", align="right"),
            Column("seeds won", align="right"),
            Column("verdict", align="left"),
        ],
        rows,
        caption="Paired by seed: each seed has a pre-training of its own.",
    )


def _paper() -> Table:
    return Table(
        [Column("the paper's"), *(Column(title, ".2f", best="max")
                                  for title in CIRCUIT_TITLES.values())],
        [[name, *values] for name, values in PAPER.items()],
        caption=f"From memory, digits approximate. {CAVEAT}",
    )  # fmt: skip


def _paper_transfer() -> Table:
    rows: list[list[Any]] = []
    for circuit, (cold, warm) in NODE_TRANSFER.items():
        for node, a, b in zip(("250", "130", "65", "45"), cold, warm, strict=True):
            title = CIRCUIT_TITLES[circuit]
            rows.append([f"{title} 180 \N{RIGHTWARDS ARROW} {node}", a, None, b])
    for circuit, (a, ng, gcn) in TOPOLOGY_TRANSFER.items():
        rows.append([f"to {CIRCUIT_TITLES[circuit]}, from the other", a, ng, gcn])
    return Table(
        [
            Column("the paper's"),
            Column("from nothing", ".2f"),
            Column("NG-RL", ".2f"),
            Column("GCN-RL", ".2f"),
        ],
        rows,
        caption="After 300 simulations, from memory, digits approximate; not to be compared.",
    )
