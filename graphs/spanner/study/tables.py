# SPDX-License-Identifier: Apache-2.0
"""The tables of report and page, from a result and what was measured beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from graphs.spanner.study.certificates import cell_survival
from graphs.spanner.study.claims import OPTIMUM, WORK
from graphs.spanner.study.measured import Measured, crossing, fitted_slope, point_key
from graphs.spanner.study.optimum import METHODS
from graphs.spanner.study.times import GREEDY_STRETCH
from graphs.spanner.study.verdict import summarise
from workbench.experiments import Column, Table
from workbench.experiments.report import Cell

__all__ = ["TABLES", "size_table", "tables"]

Result = Mapping[str, Any]
_LABELS = {"greedy=": "greedy at that stretch", "rtz": "rtz, bound 8"}
_PLAIN = ("greedy+prune", "greedy", "cover", "rtz", "exact")
_PRUNED = ("greedy+prune", "exact+prune", "cover+prune")


def tables(result: Result, measured: Measured) -> dict[str, Table]:
    """Return those tables there are data for, by name."""
    made = {name: make(result, measured) for name, make in TABLES.items()}
    return {name: table for name, table in made.items() if table is not None and table.rows}


def _times(result: Result, part: str) -> list[Mapping[str, Any]]:
    return [row for row in result[part] if not row.get("left_out")]


def _pivot(
    result: Result, methods: Sequence[str], text: Callable[[Mapping[str, Any]], Cell], caption: str
) -> Table | None:
    """One row per graph and number of sources, one column per method and stretch."""
    if not result["sizes"]:
        return None
    found = summarise(result["sizes"]["rows"])
    shown = sorted(
        {(key[2], key[3]) for key in found if key[2] in methods},
        key=lambda shown: (methods.index(shown[0]), shown[1]),
    )
    rows: list[list[Cell]] = []
    for graph, s in dict.fromkeys((key[0], key[1]) for key in found):
        cells = [found.get((graph, s, *method)) for method in shown]
        whole = next(cell for key, cell in found.items() if key[:2] == (graph, s))
        rows.append(
            [graph, s, whole["degree"], *(None if cell is None else text(cell) for cell in cells)]
        )
    columns = [
        Column("graph"),
        Column("s", "d"),
        Column("m / n", ".1f"),
        *(_heading(*method) for method in shown),
    ]
    return Table(columns, rows, caption)


def size_table(result: Result, measured: Measured) -> Table | None:
    """Edges per vertex."""
    caption = (
        "Edges / n, n and m those of the components that hold sources; means over draws of "
        "sources. Below 1 is impossible, 2 are one tree out and one in."
    )
    return _pivot(result, _PLAIN, lambda cell: cell["size"], caption)


def pruned_table(result: Result, measured: Measured) -> Table | None:
    """Edges per vertex after pruning."""
    caption = "Edges / n after pruning to the stretch named, whatever it began from."
    return _pivot(result, _PRUNED, lambda cell: cell["size"], caption)


def measured_table(result: Result, measured: Measured) -> Table | None:
    """Largest and mean stretch."""
    caption = "Stretch measured on all pairs: the largest of all draws, and the mean."
    return _pivot(
        result, _PLAIN[:4], lambda cell: f"{cell['max']:.2f} / {cell['mean']:.2f}", caption
    )


def _heading(method: str, t: float) -> Column:
    title = method if method in ("exact", "rtz") else f"{method} {t:g}"
    return Column(title, ".2f", "right")


def cases_table(result: Result, measured: Measured) -> Table | None:
    """Every case: size, spread and measured stretch."""
    if not result["sizes"]:
        return None
    rows: list[list[Cell]] = [
        [
            graph, s, _LABELS.get(method, method), t if method != "exact" else None,
            cell["size"], _spread(cell),
            100 * cell["share"], cell["max"], cell["mean"],
        ]
        for (graph, s, method, t), cell in summarise(result["sizes"]["rows"]).items()
    ]  # fmt: skip
    columns = [
        Column("graph"), Column("s", "d"), Column("method"), Column("t", "g"),
        Column("edges / n", ".3f"), Column("±, %", ".1f", hint="half the range over the draws"),
        Column("of edges, %", ".1f"), Column("max stretch", ".2f"), Column("mean", ".3f"),
    ]  # fmt: skip
    return Table(columns, rows, "Stretch measured on all pairs; the largest of all draws.")


def _spread(cell: Mapping[str, Any]) -> float | None:
    if cell["draws"] < 2:
        return None
    return float((cell["greatest"] - cell["least"]) / 2 / cell["size"] * 100)


def equal_table(result: Result, measured: Measured) -> Table | None:
    """A cover, and greedy at the stretch measured of it."""
    if not result["sizes"]:
        return None
    found = summarise(result["sizes"]["rows"])
    rows: list[list[Cell]] = []
    for (graph, s, method, t), greedy in found.items():
        if method != "greedy=":
            continue
        cover = found[graph, s, "cover", t]
        pruned = found.get((graph, s, "cover+prune", t))
        rows.append(
            [graph, s, t, cover["max"], cover["size"], greedy["size"],
             cover["size"] / greedy["size"], None if pruned is None else pruned["size"],
             None if pruned is None else pruned["max"]]
        )  # fmt: skip
    columns = [
        Column("graph"), Column("s", "d"), Column("t", "g"), Column("measured", ".2f"),
        Column("cover", ".3f"), Column("greedy there", ".3f"), Column("ratio", ".2f"),
        Column("cover+prune", ".3f"), Column("measured", ".2f"),
    ]  # fmt: skip
    return Table(columns, rows, "Edges / n at equal measured stretch; pruned to t, not to it.")


def prototype_table(result: Result, measured: Measured) -> Table:
    """Sizes beside those of the prototype."""
    rows: list[list[Cell]] = [
        [row["case"], row["prototype"], row["here"], row["ratio"],
         {True: "yes", False: "NO", None: None}[row["inside"]]]
        for row in result["prototype"]
    ]  # fmt: skip
    columns = [
        Column("case"), Column("prototype", ".3f"), Column("here", ".3f"), Column("ratio", ".2f"),
        Column("within 5 %"),
    ]  # fmt: skip
    return Table(columns, rows, "Edges / n; covers and balls vary by seed and are not judged.")


def order_table(result: Result, measured: Measured) -> Table:
    """The expected order, link by link."""
    rows: list[list[Cell]] = [
        [link["title"], link["cases"], len(link["exceptions"]), "; ".join(link["exceptions"])]
        for link in result["order"]
        if link["cases"]
    ]
    columns = [Column("expected"), Column("cases", "d"), Column("not so", "d"), Column("where")]
    return Table(columns, rows)


def optimum_table(result: Result, measured: Measured) -> Table | None:
    """Gaps to the optimum."""
    found = result["optimum"]
    if found is None:
        return None
    gaps = sorted({int(gap) for counts in found["gaps"].values() for gap in counts})
    rows: list[list[Cell]] = [
        [
            str(gap),
            *(100 * found["gaps"][name].get(str(gap), 0) / found["count"] for name in METHODS),
            100 * OPTIMUM[gap] if gap in OPTIMUM else None,
        ]
        for gap in gaps
    ]
    for t, count, optimal in found["by_stretch"]:
        if count:
            rows.append([f"0, t={t:g}", None, 100 * optimal / count, None, None, None])
    columns = [
        Column("edges too many"), *(Column(f"{name}, %", ".1f") for name in METHODS),
        Column("prototype, %", ".0f", hint="greedy+prune, of another draw of graphs"),
    ]  # fmt: skip
    caption = (
        f"{found['count']} random digraphs with round trips, 3 to 6 vertices, at most 11 edges, "
        "against the best of all subsets."
    )
    return Table(columns, rows, caption)


def _by_sources(
    result: Result, value: Callable[[Mapping[str, Any]], float | None], form: str, caption: str
) -> Table:
    """One row per graph and number of sources, one column per method and stretch."""
    curves = list(dict.fromkeys((row["method"], row["t"]) for row in result["times"]))
    found = {(r["graph"], r["s"], r["method"], r["t"]): value(r) for r in result["times"]
             if not r["left_out"]}  # fmt: skip
    rows: list[list[Cell]] = [
        [graph, s, *(found.get((graph, s, *curve)) for curve in curves)]
        for graph, s in dict.fromkeys((row["graph"], row["s"]) for row in result["times"])
    ]
    columns = [
        Column("graph"),
        Column("s", "d"),
        *(Column("exact" if m == "exact" else f"{m} {t:g}", form, "right") for m, t in curves),
    ]
    return Table(columns, rows, caption)


def searches_table(result: Result, measured: Measured) -> Table:
    """Searches by number of sources."""
    caption = (
        "Full searches: vertices settled / n for covers; the two of exact and the four of greedy "
        "per source are nominal. A dash: left out, as too many arcs would be looked at."
    )
    return _by_sources(result, lambda row: row["searches"], ".0f", caption)


def seconds_table(result: Result, measured: Measured) -> Table:
    """Seconds by number of sources."""
    caption = "Seconds, one thread, the graph's components known."

    def seconds(row: Mapping[str, Any]) -> float | None:
        key = point_key("time", row["graph"], row["method"], row["t"], row["s"])
        return measured.seconds.get(key)

    return _by_sources(result, seconds, ".3f", caption)


def edges_table(result: Result, measured: Measured) -> Table:
    """Edges per vertex of what was timed."""
    caption = "Edges / n of what was timed; one draw of sources."
    return _by_sources(result, lambda row: row["edges"] / row["n"], ".2f", caption)


def work_table(result: Result, measured: Measured) -> Table:
    """Searches of covers beside the prototype's."""
    rows: list[list[Cell]] = [
        [row["graph"], row["s"], row["t"], WORK[row["graph"], row["s"], row["t"]],
         row["searches"]]
        for row in _times(result, "times")
        if row["method"] == "cover" and (row["graph"], row["s"], row["t"]) in WORK
    ]  # fmt: skip
    columns = [
        Column("graph"), Column("s", "d"), Column("t", "g"), Column("prototype", ".0f"),
        Column("here", ".0f"),
    ]  # fmt: skip
    return Table(columns, rows, "Full searches of a cover.")


def crossing_table(result: Result, measured: Measured) -> Table:
    """From how many sources on a cover is cheaper."""
    rows: list[list[Cell]] = []
    done = _times(result, "times")
    for graph in dict.fromkeys(row["graph"] for row in done):
        own = [row for row in done if row["graph"] == graph]
        for t in dict.fromkeys(row["t"] for row in own if row["method"] == "cover"):
            cells: list[Cell] = [graph, t]
            for value in ("searches", "seconds"):
                for rival in ("exact", "greedy"):
                    cells.append(
                        _crossing_words(
                            _curve(own, rival, None, value, measured),
                            _curve(own, "cover", t, value, measured),
                        )
                    )
            rows.append(cells)
    columns = [
        Column("graph"), Column("t", "g"), Column("exact, searches", align="right"),
        Column("greedy, searches", align="right"), Column("exact, seconds", align="right"),
        Column("greedy, seconds", align="right"),
    ]  # fmt: skip
    caption = (
        f"Sources from which on a cover costs less than the rival (greedy at {GREEDY_STRETCH:g}), "
        "interpolated between those measured."
    )
    return Table(columns, rows, caption)


def _curve(
    rows: Sequence[Mapping[str, Any]],
    method: str,
    t: float | None,
    value: str,
    measured: Measured,
) -> dict[int, float]:
    out = {}
    for row in rows:
        if row["method"] != method or (t is not None and row["t"] != t):
            continue
        key = point_key("time", row["graph"], method, row["t"], row["s"])
        number = row["searches"] if value == "searches" else measured.seconds.get(key)
        if number:
            out[row["s"]] = number
    return out


def _crossing_words(rival: Mapping[int, float], cover: Mapping[int, float]) -> str | None:
    common = sorted(set(rival) & set(cover))
    if not common:
        return None
    kind, at = crossing(rival, cover)
    if kind == "always":
        return f"below {common[0]}"
    return f"not up to {common[-1]}" if at is None else f"{at:.0f}"


def fit_table(result: Result, measured: Measured) -> Table:
    """Exponents of growth in edges and in sources."""
    rows: list[list[Cell]] = []
    for t in dict.fromkeys(row["t"] for row in result["growth"]):
        own = [row for row in result["growth"] if row["t"] == t]
        edges = [row["m"] for row in own]
        work = [row["searches"] * row["m"] for row in own]
        rows.append(_fit(f"rMAT, {own[0]['s']} sources", t, "edges", "arcs searched", edges, work))
        keys = [point_key("growth", row["graph"], "cover", t, row["s"]) for row in own]
        if all(key in measured.seconds for key in keys):
            seconds = [measured.seconds[key] for key in keys]
            rows.append(_fit(f"rMAT, {own[0]['s']} sources", t, "edges", "seconds", edges, seconds))
    done = _times(result, "times")
    for graph in dict.fromkeys(row["graph"] for row in done):
        for t in dict.fromkeys(row["t"] for row in done if row["method"] == "cover"):
            for value in ("searches", "seconds"):
                found = _curve(
                    [row for row in done if row["graph"] == graph], "cover", t, value, measured
                )
                rows.append(_fit(graph, t, "sources", value, list(found), list(found.values())))
    columns = [
        Column("graphs"), Column("t", "g"), Column("grows with"), Column("what"),
        Column("points", "d"), Column("from", "d"), Column("to", "d"), Column("exponent", ".2f"),
        Column("±", ".2f", hint="standard error of the regression"),
    ]  # fmt: skip
    return Table(
        columns, [row for row in rows if row[7] is not None], "Fits of c x^p in the logarithms."
    )


def _fit(
    graphs: str, t: float, grows: str, what: str, x: Sequence[float], y: Sequence[float]
) -> list[Cell]:
    slope = fitted_slope(x, y) if min(y, default=0) > 0 else None
    ends: list[Cell] = [int(min(x)), int(max(x))] if x else [None, None]
    return [graphs, t, grows, what, len(x), *ends, *(slope or (None, None))]


def growth_table(result: Result, measured: Measured) -> Table:
    """Cost and memory of covers of growing graphs."""
    rows: list[list[Cell]] = []
    for row in result["growth"]:
        key = point_key("growth", row["graph"], "cover", row["t"], row["s"])
        memory = measured.bytes.get(key)
        per_edge: list[Cell] = [None, None]
        if memory is not None:
            per_edge = [
                (memory[name] - memory["start"]) / memory["edges"] for name in ("graph", "peak")
            ]
        rows.append(
            [row["graph"], row["edges_in_all"], row["t"], row["s"], row["searches"],
             measured.seconds.get(key), row["edges"] / row["n"],
             None if memory is None else memory["peak"] / 2**20, *per_edge]
        )  # fmt: skip
    columns = [
        Column("graph"), Column("edges", "d"), Column("t", "g"), Column("s", "d"),
        Column("searches", ".1f"), Column("seconds", ".3f"), Column("edges / n", ".3f"),
        Column("peak, MiB", ".0f"), Column("bytes/edge, graph", ".0f"),
        Column("bytes/edge, all", ".0f"),
    ]  # fmt: skip
    caption = (
        "Each in a fresh process, one thread; bytes above what it had before the graph was read, "
        "per edge."
    )
    return Table(columns, rows, caption)


def certificate_table(result: Result, measured: Measured) -> Table | None:
    """Certified sources by repetition, beside the theory of cells."""
    if not result["certificates"]:
        return None
    rows: list[list[Cell]] = []
    for row in result["certificates"]["rows"]:
        tried = row["repetitions"]
        shares: list[Cell] = [
            100 * tried[i][1] / tried[i][0] if i < len(tried) and tried[i][0] else None
            for i in range(3)
        ]
        whole = max(1, row["sources"])
        rows.append(
            [row["graph"], row["s"], row["t"], row["scales"], *shares, len(tried),
             100 * row["cells"] if cell_survival(1, row["t"]) else None,
             100 * row["by_carving"] / whole, 100 * row["alone"] / whole,
             100 * row["fallback"] / whole, row["max"], row["mean"]]
        )  # fmt: skip
    columns = [
        Column("graph"), Column("s", "d"), Column("t", "g"), Column("scales", "d"),
        Column("1st, %", ".1f", hint="of the sources tried in a repetition, those certified"),
        Column("2nd, %", ".1f"), Column("3rd, %", ".1f"), Column("most", "d"),
        Column("cells, %", ".1f", hint="what theory promises inside a cell, per level"),
        Column("carved, %", ".1f"), Column("alone, %", ".1f"), Column("exact ball, %", ".1f"),
        Column("max stretch", ".2f", hint="of 32 sources"), Column("mean", ".3f"),
    ]  # fmt: skip
    return Table(columns, rows, "Sources are counted once per scale at which they have company.")


def lemma_table(result: Result, measured: Measured) -> Table | None:
    """The lemma on cells against draws."""
    if not result["certificates"]:
        return None
    rows: list[list[Cell]] = [
        [row["r"], 100 * row["theory"], 100 * row["measured"], row["inside"]]
        for row in result["certificates"]["lemma"]
    ]
    columns = [
        Column("R / radius of cells", ".2f"), Column("e^(-beta R), %", ".1f"),
        Column("measured, %", ".1f"), Column("vertices in cells", "d"),
    ]  # fmt: skip
    caption = "Vertices in a cell whose winner is ahead by more than R; a 20 x 20 street grid."
    return Table(columns, rows, caption)


TABLES = {
    "size": size_table,
    "pruned": pruned_table,
    "stretch": measured_table,
    "cases": cases_table,
    "equal": equal_table,
    "prototype": prototype_table,
    "order": order_table,
    "optimum": optimum_table,
    "searches": searches_table,
    "seconds": seconds_table,
    "edges": edges_table,
    "work": work_table,
    "crossing": crossing_table,
    "fit": fit_table,
    "growth": growth_table,
    "certificate": certificate_table,
    "lemma": lemma_table,
}
