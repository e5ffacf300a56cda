# SPDX-License-Identifier: Apache-2.0
"""Sizes over several draws, and whether what was expected of them came."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from graphs.spanner.study.claims import OPTIMUM, ORDER, PROTOTYPE, TOLERANCE

__all__ = ["Key", "judge", "per_vertex", "summarise"]

Row = Mapping[str, Any]
#: Graph, sources asked for, method, stretch (of a greedy made for it, the cover's).
Key = tuple[str, int, str, float]


def summarise(rows: Iterable[Row]) -> dict[Key, dict[str, Any]]:
    """Return size and measured stretch over all draws of sources.

    Returns
    -------
    dict
        By graph, sources, method and stretch: edges per active vertex ``size``, with the
        ``least`` and ``greatest``; active edges per vertex ``degree``, the ``share`` of them kept;
        ``max``, the largest stretch of
        any draw, and ``mean``; ``draws``. Spanners greedy made for the stretch that a cover turned
        out to have are method ``"greedy="`` at that cover's stretch.
    """
    groups: dict[Key, list[Row]] = {}
    for row in rows:
        method, t = row["method"], row["t"]
        if "equal_to_cover" in row:
            method, t = "greedy=", row["equal_to_cover"]
        groups.setdefault((row["graph"], row["asked"], method, t), []).append(row)
    out = {}
    for key, own in groups.items():
        sizes = [row["edges"] / row["n"] for row in own]
        out[key] = {
            "size": math.fsum(sizes) / len(sizes),
            "least": min(sizes),
            "greatest": max(sizes),
            "degree": math.fsum(row["m"] / row["n"] for row in own) / len(own),
            "share": math.fsum(row["edges"] / row["m"] for row in own) / len(own),
            "max": max(row["max"] for row in own),
            "mean": math.fsum(row["mean"] for row in own) / len(own),
            "bound": max(row["bound"] for row in own),
            "draws": len(own),
        }
    return out


def per_vertex(rows: Iterable[Row]) -> dict[Key, float]:
    """Return the mean size by key."""
    return {key: found["size"] for key, found in summarise(rows).items()}


def judge(found: Mapping[str, Any]) -> dict[str, Any]:
    """Hold what was found against what was expected.

    Returns
    -------
    dict
        ``order``: for neighbours in the expected order, cases and exceptions; ``prototype``:
        ratios to earlier sizes; ``bounds``: spanners checked and those beyond their bound;
        ``passed`` (no bound broken, no size below the optimum), ``holds`` (the order, within the
        cases; None without sizes), ``headline``, ``warnings``.
    """
    rows: Sequence[Row] = found["sizes"]["rows"] if found["sizes"] else []
    certified: Sequence[Row] = found["certificates"]["rows"] if found["certificates"] else []
    sizes = per_vertex(rows)
    order = _order(sizes)
    prototype = _prototype(sizes)
    beyond = [_name(row) for row in [*rows, *certified] if not row["holds"]]
    broken = [f"beyond its bound: {name}" for name in beyond]
    broken += _impossible(found["optimum"])
    warnings = list(broken)
    for link in order:
        warnings += [f"expected {link['title']}, but {words}" for words in link["exceptions"]]
    warnings += [
        f"{row['case']}: {row['here']:.3f} n, the prototype had {row['prototype']:.3f} n"
        for row in prototype
        if row["inside"] is False
    ]
    cases = sum(link["cases"] for link in order)
    wrong = sum(len(link["exceptions"]) for link in order)
    return {
        "order": order,
        "prototype": prototype,
        "bounds": {"checked": len(rows) + len(certified), "beyond": beyond},
        "passed": not broken,
        "holds": None if not cases else wrong == 0,
        "headline": _headline(cases, wrong, len(rows) + len(certified), beyond, found["optimum"]),
        "warnings": warnings,
    }


def _name(row: Row) -> str:
    method = row.get("method", "cover")
    return f"{row['graph']}, {row['s']} sources, {method} t={row['t']:g}"


def _order(sizes: Mapping[Key, float]) -> list[dict[str, Any]]:
    links = [(f"{a} t={s:g} < {b} t={t:g}", (a, s), (b, t)) for (a, s), (b, t) in pairwise(ORDER)]
    stretches = sorted({key[3] for key in sizes if key[2] == "greedy+prune"})
    links += [
        (f"greedy+prune t={t:g} < greedy t={t:g}", ("greedy+prune", t), ("greedy", t))
        for t in stretches
        if ("greedy", t) not in ORDER
    ]
    stretches = sorted({key[3] for key in sizes if key[2] == "cover"})
    links += [
        (f"greedy t={t:g} < cover t={t:g}", ("greedy", t), ("cover", t))
        for t in stretches
        if any(key[2:] == ("greedy", t) for key in sizes)
    ]
    links += [
        (f"greedy at the stretch measured of cover t={t:g} < cover", ("greedy=", t), ("cover", t))
        for t in stretches
        if any(key[2:] == ("greedy=", t) for key in sizes)
    ]
    return [
        {"title": title, **_link(sizes, first, second)} for title, first, second in links
    ]  # fmt: skip


def _link(
    sizes: Mapping[Key, float], first: tuple[str, float], second: tuple[str, float]
) -> dict[str, Any]:
    pairs = []
    for key, size in sizes.items():
        other = (key[0], key[1], *second)
        if key[2:] == first and other in sizes:
            pairs.append((key[0], key[1], size, sizes[other]))
    return {
        "cases": len(pairs),
        "exceptions": [
            f"{graph} s={s}: {a:.3f} n against {b:.3f} n" for graph, s, a, b in pairs if a > b
        ],
    }


def _prototype(sizes: Mapping[Key, float]) -> list[dict[str, Any]]:
    rows = []
    for key, earlier in PROTOTYPE.items():
        if key not in sizes:
            continue
        graph, s, method, t = key
        ratio = sizes[key] / earlier
        # Covers and balls of the prototype varied by seed.
        strict = method in ("exact", "greedy", "greedy+prune")
        rows.append(
            {
                "case": f"{graph}, {s}, {method} t={t:g}",
                "here": sizes[key],
                "prototype": earlier,
                "ratio": ratio,
                "inside": abs(ratio - 1) <= TOLERANCE if strict else None,
            }
        )
    return rows


def _impossible(optimum: Mapping[str, Any] | None) -> list[str]:
    if optimum is None:
        return []
    return [
        f"{method} has fewer edges than the optimum"
        for method, counts in optimum["gaps"].items()
        if any(int(gap) < 0 for gap in counts)
    ]


def _headline(
    cases: int,
    wrong: int,
    checked: int,
    beyond: Sequence[str],
    optimum: Mapping[str, Any] | None,
) -> str:
    words = []
    if checked:
        words.append(f"{checked} spanners verified, {len(beyond)} beyond their bound")
    if cases:
        words.append(f"expected order in {cases - wrong} of {cases} cases")
    if optimum is not None:
        best = optimum["gaps"]["greedy+prune"].get("0", 0) / optimum["count"]
        words.append(
            f"pruned greedy optimal on {best:.1%} of tiny graphs ({OPTIMUM[0]:.0%} before)"
        )
    return "; ".join(words) or "nothing verified"
