# SPDX-License-Identifier: Apache-2.0
"""What each idea is worth, and whether that is what the paper and an independent count say."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from workbench.methods.sparch import paper

__all__ = ["ENOUGH", "geomean", "judge", "ratios_of"]

#: Matrices from which on a mean says something about the design.
ENOUGH = 5

#: Condensed columns up to which a matrix counts as one without hub rows.
SHORT_ROWS = 256


def geomean(values: Sequence[float]) -> float:
    """Return the geometric mean of positive numbers."""
    return math.exp(math.fsum(math.log(value) for value in values) / len(values))


def ratios_of(record: Mapping[str, Any]) -> dict[str, float | None]:
    """Return the factors by which each idea changes the traffic of one product."""
    total = {key: rung["traffic"]["total"] for key, rung in record["rungs"].items()}
    outerspace = record["rivals"][0]["traffic"]["total"]

    def ratio(above: int, below: int) -> float | None:
        # A matrix without products says nothing about the ideas.
        return above / below if record["products"] and below else None

    return {
        "net": ratio(outerspace, total["sparch"]),
        "pipelining_seq": ratio(total["pipe_seq"], outerspace),
        "pipelining_fifo": ratio(total["pipe_fifo"], outerspace),
        "condensing_seq": ratio(total["pipe_seq"], total["cond_seq"]),
        "condensing_fifo": ratio(total["pipe_fifo"], total["cond_fifo"]),
        "huffman": ratio(total["cond_fifo"], total["huffman"]),
        "huffman_seq": ratio(total["cond_seq"], total["huffman"]),
        "prefetch": ratio(total["huffman"], total["sparch"]),
        "lookahead": ratio(total["lru"], total["sparch"]),
        "fewer": ratio(record["columns"], record["leaves"]),
    }


def judge(records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Compare with the paper and with what is to be expected.

    Returns
    -------
    dict
        ``claims``, ``passed`` (what must hold on any matrix), ``holds`` (whether the mean ratio
        is within its band; None for fewer than `ENOUGH` matrices), ``headline``, ``warnings``.
    """
    whole = [r for r in records if r["ratios"]["net"] is not None]
    one_round = [r for r in whole if r["one_round"]]
    several = [r for r in whole if not r["one_round"]]
    short = [r for r in whole if r["leaves"] <= SHORT_ROWS]
    hubs = [r for r in whole if r["leaves"] > SHORT_ROWS]
    bands = paper.BANDS
    claims = [
        _claim("OuterSPACE / SpArch", whole, "net", paper.NET, bands["net"], mean_only=True),
        _claim("pipelining alone / OuterSPACE, balanced", whole, "pipelining_fifo",
               paper.PIPELINING),
        _claim("pipelining alone / OuterSPACE, running sum", whole, "pipelining_seq",
               paper.PIPELINING),
        _claim("condensing, balanced before and after", whole, "condensing_fifo",
               paper.CONDENSING),
        _claim("condensing, running sum before and after", whole, "condensing_seq",
               paper.CONDENSING),
        _claim("Huffman against balanced, several rounds", several, "huffman", paper.HUFFMAN,
               bands["huffman"]),
        _claim("Huffman against balanced, one round", one_round, "huffman", None, (1.0, 1.0)),
        _claim("Huffman against running sum, several rounds", several, "huffman_seq",
               paper.HUFFMAN),
        _claim("prefetcher against none", whole, "prefetch", paper.PREFETCH, bands["prefetch"]),
        _claim("look-ahead against LRU", whole, "lookahead", None),
        _claim(f"partial matrices fewer, N up to {SHORT_ROWS}", short, "fewer", 1000.0,
               bands["fewer_short"]),
        _claim(f"partial matrices fewer, N above {SHORT_ROWS}", hubs, "fewer", 1000.0,
               bands["fewer_hubs"]),
    ]  # fmt: skip
    broken = _broken(records)
    outside = [c for c in claims if c["inside"] is False]
    net = claims[0]
    warnings = [f"broken: {words}" for words in broken]
    for claim in outside:
        low, high = claim["band"]
        found = f"{claim['mean']:.2f}" if claim["mean_only"] else ", ".join(claim["outside"])
        warnings.append(f"{claim['title']}: {found} outside {low:g} to {high:g}")
    if not whole:
        warnings.append("no matrix has a product")
    headline = (
        f"{net['mean']:.2f}x less traffic than OuterSPACE (paper: {paper.NET:g}x), "
        f"{len(whole)} matrices"
        if whole
        else "nothing to multiply"
    )
    return {
        "claims": claims,
        "passed": not broken,
        "holds": net["inside"],
        "headline": headline,
        "warnings": warnings,
    }


def _claim(
    title: str,
    records: Sequence[Mapping[str, Any]],
    key: str,
    claimed: float | None,
    band: tuple[float, float] | None = None,
    *,
    mean_only: bool = False,
) -> dict[str, Any]:
    """Summarise one ratio; a band is for the mean or, else, for each matrix."""
    values = {r["name"]: float(r["ratios"][key]) for r in records}
    found: dict[str, Any] = {
        "title": title,
        "key": key,
        "paper": claimed,
        "band": None if band is None else list(band),
        "mean_only": mean_only,
        "count": len(values),
        "mean": geomean(list(values.values())) if values else None,
        "least": min(values.values(), default=None),
        "greatest": max(values.values(), default=None),
        "inside": None,
        "outside": [],
    }
    if band is None or not values:
        return found
    if mean_only:
        if len(values) >= ENOUGH:
            found["inside"] = band[0] <= found["mean"] <= band[1]
    else:
        found["outside"] = [
            f"{name} {value:.2f}"
            for name, value in values.items()
            if not band[0] <= value <= band[1]
        ]
        found["inside"] = not found["outside"]
    return found


def _broken(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what no matrix may show."""
    words = []
    for record in records:
        name, rungs = record["name"], record["rungs"]
        best = rungs["unlimited"]["line_misses"]
        for key in ("lru", "sparch"):
            if rungs[key]["line_misses"] < best:
                words.append(f"{name}: {key} misses fewer lines than the optimum")
        if record["one_round"] and record["ratios"]["huffman"] not in (None, 1.0):
            words.append(f"{name}: one round, but the order of merging makes a difference")
    return words
