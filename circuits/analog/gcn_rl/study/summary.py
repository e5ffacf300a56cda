# SPDX-License-Identifier: Apache-2.0
"""From what the pieces found to the experiment's result: plain JSON values."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from circuits.analog.gcn_rl.study.claims import CIRCUIT_TITLES
from circuits.analog.gcn_rl.study.config import Config
from circuits.analog.gcn_rl.study.problems import BLACK_BOXES, is_anytime, method_title
from circuits.analog.gcn_rl.study.statistics import (
    charge_grid,
    first_reach,
    paired,
    quartiles,
    recharged,
)
from circuits.analog.gcn_rl.trace import Trace

__all__ = [
    "COMPARISONS",
    "MOONSHOT",
    "WITHIN",
    "best_of",
    "method_rows",
    "moonshot",
    "pairs",
    "transfer_row",
]

#: Simulations in which the best black box's last median is to be reached.
MOONSHOT = 1000
#: What is this near a level has it: a fiftieth of the least difference that is called one.
WITHIN = 0.001

#: Pairs of methods and what their comparison asks.
COMPARISONS: tuple[tuple[str, str, str], ...] = (
    ("gcn-rl", "ng-rl", "does the graph help the agent?"),
    ("gcn-rl:norm=pair", "gcn-rl", "does pair normalisation help the graph?"),
    ("gcn-rl", "random", "does the agent learn?"),
    ("gcn-rl", "es-best", "is the agent better than evolution?"),
    ("gcn-mixed", "gcn-rl", "does the simulator's gradient help beside the critic?"),
    ("gcn-path", "gcn-rl", "does it help in place of the critic?"),
    ("gcn-path", "ng-path", "does the graph help without a critic?"),
    ("gradient", "es-best", "is the gradient worth its charge?"),
    ("gradient", "gcn-path", "is a network needed to follow it?"),
    ("sqp", "gradient", "is it worth taking the figure of merit apart?"),
    ("sqp", "es-best", "is it better than evolution?"),
)

Traces = Mapping[tuple[str, int], Sequence[Trace]]


def finite(value: float) -> float | None:
    """The value, None where it is NaN or infinite."""
    return float(value) if math.isfinite(value) else None


def searched(config: Config, method: str) -> tuple[int, ...]:
    """The budgets a method is run at."""
    return config.budgets[-1:] if is_anytime(method) else config.budgets


def method_rows(config: Config, methods: Sequence[str], traces: Traces) -> list[dict[str, Any]]:
    """What each method found, by budget.

    Parameters
    ----------
    config : Config
    methods : sequence of str
    traces : mapping
        Method and budget to a trace per seed, as :func:`searched` says.

    Returns
    -------
    list of dict
        ``budgets``: per budget the figures by seed, as charged and with the surcharge. ``curve``:
        of the search at the largest budget. ``best``: the best design of all its searches.
    """
    grid = charge_grid(config.budgets[-1], config.budgets)
    rows = []
    for method in methods:
        largest = traces[method, config.budgets[-1]]
        budgets = []
        for budget in config.budgets:
            own = traces[method, budget if not is_anytime(method) else config.budgets[-1]]
            other = [recharged(t, config.surcharge) for t in own]
            values = [finite(t.at(budget)) for t in own]
            again = [finite(t.at(budget)) for t in other]
            budgets.append(
                {
                    "budget": budget,
                    "foms": values,
                    "quartiles": quartiles(values),
                    "other_foms": again,
                    "other_quartiles": quartiles(again),
                }
            )
        curve = [[finite(t.at(charge)) for t in largest] for charge in grid]
        dearer = [recharged(t, config.surcharge) for t in largest]
        rows.append(
            {
                "method": method,
                "title": method_title(method),
                "anytime": is_anytime(method),
                "gradients": any(t.n_gradients for t in largest),
                "budgets": budgets,
                "curve": {"charge": grid, "quartiles": [quartiles(values) for values in curve]},
                "other_curve": [quartiles([finite(t.at(c)) for t in dearer]) for c in grid],
                "spent": [float(t.charge[-1]) if t.charge.size else 0.0 for t in largest],
                "notes": sorted({str(t.notes["stopped"]) for t in largest if "stopped" in t.notes}),
                "best": best_of([t for own in _of(traces, method) for t in own]),
            }
        )
    return rows


def _of(traces: Traces, method: str) -> list[Sequence[Trace]]:
    return [own for (name, _), own in sorted(traces.items()) if name == method]


def best_of(traces: Sequence[Trace]) -> dict[str, Any] | None:
    """The best design of some searches; the first of equals; None if no design counted."""
    found = max(traces, key=lambda t: t.best_fom, default=None)
    if found is None or not math.isfinite(found.best_fom):
        return None
    return {
        "seed": found.seed,
        "budget": int(found.budget),
        "fom": found.best_fom,
        "params": [float(x) for x in found.best_params],
        "metrics": [finite(x) for x in found.best_metrics],
    }


def median(row: Mapping[str, Any], budget: int, key: str = "quartiles") -> float | None:
    """The median of a row at a budget."""
    for entry in row["budgets"]:
        if entry["budget"] == budget:
            value: float | None = entry[key][1]
            return value
    return None


def moonshot(config: Config, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Who has by :data:`MOONSHOT` simulations what the best black box has at the last budget.

    Returns
    -------
    dict
        ``budget`` and ``last``; the ``black_box`` and its ``level``; per method the median at
        ``budget``, at both charges, and ``first``, the simulations its curve needs; ``reached``:
        methods other than black boxes that do it at both charges; ``reached_by_black_boxes``.
    """
    last = config.budgets[-1]
    budget = max((b for b in config.budgets if b <= MOONSHOT), default=config.budgets[0])
    black = [r for r in rows if _base(r) in BLACK_BOXES and median(r, last) is not None]
    best = max(black, key=lambda r: float(median(r, last) or 0.0), default=None)
    level = None if best is None else median(best, last)
    entries = []
    for row in rows:
        if _base(row) == "human":
            continue
        early, other = median(row, budget), median(row, budget, "other_quartiles")
        grid, medians = row["curve"]["charge"], [q[1] for q in row["curve"]["quartiles"]]
        entries.append(
            {
                "method": row["method"],
                "title": row["title"],
                "black_box": _base(row) in BLACK_BOXES,
                "median": early,
                "other_median": other,
                "first": first_reach(grid, medians, None if level is None else level - WITHIN),
                "reached": _at_least(early, level) and _at_least(other, level),
            }
        )
    done = last > budget
    return {
        "budget": budget,
        "last": last,
        "black_box": None if best is None else best["title"],
        "level": level,
        "entries": entries,
        "reached": [e["title"] for e in entries if e["reached"] and not e["black_box"] and done],
        "reached_by_black_boxes": [
            e["title"] for e in entries if e["reached"] and e["black_box"] and done
        ],
    }


def _base(row: Mapping[str, Any]) -> str:
    return str(row["method"]).partition(":")[0]


def _at_least(value: float | None, level: float | None) -> bool:
    return value is not None and level is not None and value >= level - WITHIN


def pairs(config: Config, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The comparisons of :data:`COMPARISONS` whose methods were run, at each budget."""
    by_name = {row["method"]: row for row in rows}
    found = []
    for ours, theirs, question in COMPARISONS:
        if ours not in by_name or theirs not in by_name:
            continue
        for k, budget in enumerate(config.budgets):
            a, b = by_name[ours]["budgets"][k], by_name[theirs]["budgets"][k]
            found.append(
                {
                    "ours": method_title(ours),
                    "theirs": method_title(theirs),
                    "question": question,
                    "budget": budget,
                    **paired(a["foms"], b["foms"]),
                }
            )
    return found


def transfer_row(
    config: Config,
    source: tuple[str, str],
    target: tuple[str, str],
    rows: Mapping[str, Sequence[Trace]],
) -> dict[str, Any]:
    """One route: per row the figures by seed, and what the policy is worth against each control."""
    from circuits.analog.gcn_rl.transfer import TRANSFER_ROWS

    values = {name: [finite(t.at(config.tuning)) for t in own] for name, own in rows.items()}
    compared = [
        ("gcn-transfer", "gcn-cold"), ("ng-transfer", "ng-cold"), ("gcn-transfer", "ng-transfer"),
        ("gcn-transfer", "source-design"), ("gcn-transfer", "es-source"),
        ("gcn-transfer", "gradient-cold"),
    ]  # fmt: skip
    grid = charge_grid(config.tuning, [config.tuning])
    return {
        "source": f"{CIRCUIT_TITLES.get(source[0], source[0])} {source[1]}",
        "target": f"{CIRCUIT_TITLES.get(target[0], target[0])} {target[1]}",
        "source_key": list(source),
        "target_key": list(target),
        "rows": [
            {
                "row": name,
                "title": TRANSFER_ROWS[name],
                "foms": values[name],
                "quartiles": quartiles(values[name]),
                "curve": {
                    "charge": grid,
                    "quartiles": [quartiles([finite(t.at(c)) for t in own]) for c in grid],
                },
            }
            for name, own in rows.items()
        ],
        "pairs": [
            {"ours": a, "theirs": b, **paired(values[a], values[b])}
            for a, b in compared
            if a in values and b in values
        ],
    }
