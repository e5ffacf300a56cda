# SPDX-License-Identifier: Apache-2.0
"""Medians, quartiles, curves and paired differences of searches."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from circuits.analog.gcn_rl.trace import Trace

__all__ = [
    "LEAST_GAP",
    "LEAST_SEEDS",
    "charge_grid",
    "first_reach",
    "paired",
    "quartiles",
    "recharged",
]

#: No difference below this is called one, nor one of fewer seeds.
LEAST_GAP = 0.05
LEAST_SEEDS = 5
_PER_DECADE = 20
_ROUNDING = 1e-6


def quartiles(values: Sequence[float | None]) -> list[float | None]:
    """Lower quartile, median and upper quartile; None stands for less than everything."""
    if not values:
        return [None, None, None]
    ranked = sorted(-math.inf if v is None else float(v) for v in values)
    found: list[float | None] = []
    for share in (0.25, 0.5, 0.75):
        place = share * (len(ranked) - 1)
        below, above = ranked[math.floor(place)], ranked[math.ceil(place)]
        # inf - inf has no value; a quartile between nothing and something is nothing
        whole = math.isfinite(below) and math.isfinite(above)
        found.append(below + (above - below) * (place - math.floor(place)) if whole else None)
    return found


def recharged(trace: Trace, surcharge: float) -> Trace:
    """The same search with gradients that cost more.

    Parameters
    ----------
    trace : Trace
    surcharge : float
        By what is multiplied what a gradient was charged beyond its simulation.
    """
    if not trace.n_gradients:
        return trace
    steps = np.diff(trace.charge, prepend=0.0)
    # charges are sums: what is left of a plain simulation's 1 is rounding
    beyond = np.where(steps > 1.0 + _ROUNDING, steps - 1.0, 0.0)
    return replace(trace, charge=np.cumsum(1.0 + surcharge * beyond))


def charge_grid(budget: int, extra: Sequence[int] = ()) -> list[int]:
    """Simulations at which curves are kept: evenly on a logarithmic scale, and ``extra``."""
    count = max(2, round(_PER_DECADE * math.log10(max(budget, 2))) + 1)
    even = np.unique(np.round(np.geomspace(1, budget, count)).astype(int)).tolist()
    return sorted({*even, *(e for e in extra if e <= budget)})


def first_reach(
    grid: Sequence[int], medians: Sequence[float | None], level: float | None
) -> int | None:
    """The fewest simulations on the grid at which the median is at ``level``; None if never."""
    if level is None:
        return None
    for charge, value in zip(grid, medians, strict=True):
        if value is not None and value >= level:
            return charge
    return None


def paired(ours: Sequence[float | None], theirs: Sequence[float | None]) -> dict[str, Any]:
    """Compare seed by seed.

    Returns
    -------
    dict
        ``differences`` per seed (None where either found nothing), their ``median``, the seeds
        ``won`` and ``lost``, and ``verdict``: ``"better"`` or ``"worse"`` only if every seed
        agrees, the median is at least :data:`LEAST_GAP` and there are :data:`LEAST_SEEDS`, else
        ``"no claim"``.
    """
    found = [None if a is None or b is None else a - b for a, b in zip(ours, theirs, strict=True)]
    known = [d for d in found if d is not None]
    won, lost = sum(d > 0 for d in known), sum(d < 0 for d in known)
    middle = float(np.median(known)) if known else None
    verdict = "no claim"
    if middle is not None and len(known) == len(found) >= LEAST_SEEDS and abs(middle) >= LEAST_GAP:
        if won == len(known):
            verdict = "better"
        elif lost == len(known):
            verdict = "worse"
    return {
        "differences": found,
        "median": middle,
        "won": won,
        "lost": lost,
        "seeds": len(found),
        "verdict": verdict,
    }
