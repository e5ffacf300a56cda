# SPDX-License-Identifier: Apache-2.0
"""The least spanner of a tiny digraph, by trying all subsets of its edges."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt

from graphs.digraph import DiGraph

__all__ = ["METHODS", "STRETCHES", "gaps", "least_size", "tiny_digraph"]

Array = npt.NDArray[Any]
_FAR = 10**9
#: Those that are drawn.
STRETCHES = (1.0, 1.5, 2.0, 3.0, 5.0)
#: What is compared; the last is the smaller of the two before.
METHODS = ("greedy", "greedy+prune", "exact+prune", "smaller pruned")


def least_size(g: DiGraph, sources: Array, stretch: float) -> int:
    """Return how many edges the smallest source-wise round-trip spanner has.

    Parameters
    ----------
    g : DiGraph
        Integer weights; at most 16 edges, whose subsets are all tried.
    sources : ndarray
        Vertices.
    stretch : float

    Raises
    ------
    ValueError
        If there are more edges.
    """
    if g.m > 16:
        raise ValueError(f"g must have at most 16 edges, got {g.m}")
    subset = np.arange(1 << g.m)
    distance = np.full((subset.size, g.n, g.n), _FAR, np.int64)
    distance[:, range(g.n), range(g.n)] = 0
    for e in range(g.m):
        at = distance[:, g.tails[e], g.heads[e]]
        taken = subset >> e & 1 == 1
        at[taken] = np.minimum(at[taken], int(g.weights[e]))
    for k in range(g.n):
        np.minimum(distance, distance[:, :, k, None] + distance[:, None, k], out=distance)
    trip = (distance + distance.transpose(0, 2, 1))[:, sources]
    whole = trip[-1]
    pairs = whole < _FAR
    kept = (trip[:, pairs] <= stretch * whole[pairs] * (1 + 1e-12)).all(axis=1)
    return min(int(number).bit_count() for number in np.flatnonzero(kept))


def tiny_digraph(rng: np.random.Generator) -> tuple[DiGraph, Array, float]:
    """Draw a digraph of 3 to 6 vertices and up to 11 edges, sources and a stretch."""
    n = int(rng.integers(3, 7))
    m = int(rng.integers(n, min(11, n * (n - 1)) + 1))
    pair = rng.choice(n * (n - 1), m, replace=False)
    tails, heads = pair // (n - 1), pair % (n - 1)
    heads = heads + (heads >= tails)
    g = DiGraph.from_edges(tails, heads, rng.integers(1, 11, m).astype(np.int32), n)
    sources = np.sort(rng.choice(n, int(rng.integers(1, n + 1)), replace=False))
    return g, sources, float(rng.choice(STRETCHES))


def gaps(count: int, seed: int) -> dict[str, Any]:
    """Compare spanners with the optimum on random digraphs that have round trips.

    Returns
    -------
    dict
        ``count``; ``optimal_edges``, the sum of the optima; ``gaps``: by method how many graphs
        have how many edges too many (the number as text), ``"smaller pruned"`` being the smaller
        of the two; ``by_stretch``: by stretch how many graphs there are, and of how many pruned
        greedy is optimal.
    """
    from graphs.spanner import roundtrip_spanner

    rng = np.random.default_rng([seed, 11])
    found: dict[str, Counter[int]] = {name: Counter() for name in METHODS}
    by_stretch: dict[float, list[int]] = {t: [0, 0] for t in STRETCHES}
    total, done = 0, 0
    while done < count:
        g, sources, stretch = tiny_digraph(rng)
        least = least_size(g, sources, stretch)
        if least == 0:
            continue
        done += 1
        total += least
        sizes = {}
        for name in METHODS[:3]:
            method, _, prune = name.partition("+")
            made = roundtrip_spanner(
                g, sources, stretch, method=method, prune=bool(prune), num_threads=1
            )
            sizes[name] = made.size - least
        sizes[METHODS[3]] = min(sizes["greedy+prune"], sizes["exact+prune"])
        for name, gap in sizes.items():
            found[name][gap] += 1
        by_stretch[stretch][0] += 1
        by_stretch[stretch][1] += sizes["greedy+prune"] == 0
    return {
        "count": count,
        "optimal_edges": total,
        "gaps": {
            name: {str(gap): counter[gap] for gap in sorted(counter)}
            for name, counter in found.items()
        },
        "by_stretch": [[t, *by_stretch[t]] for t in STRETCHES],
    }
