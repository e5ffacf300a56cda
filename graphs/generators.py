# SPDX-License-Identifier: Apache-2.0
"""Directed graphs to measure and to try hard: random ones, street grids, adversarial shapes.

Weights are integers uniform in ``[low, high]`` unless said otherwise; the same seed gives the
same graph. ``GENERATORS`` lists them at fixed sizes by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from graphs.digraph import DiGraph
from workbench.storage.limits import check_fits

__all__ = [
    "GENERATORS",
    "DigraphGenerator",
    "bipartite",
    "cycle",
    "expander",
    "path_with_back_edge",
    "petals",
    "random_digraph",
    "rmat_digraph",
    "star",
    "street_grid",
    "wide_weights",
    "zero_blobs",
]

Array = npt.NDArray[Any]


def random_digraph(n: int, m: int, low: int = 1, high: int = 100, seed: int = 0) -> DiGraph:
    """Draw m different edges between different vertices.

    Parameters
    ----------
    n, m : int
        Vertices, and edges: at most ``n * (n - 1)``.
    low, high : int
        Weights, both included.
    seed : int

    Returns
    -------
    DiGraph

    Raises
    ------
    ValueError
        If there are no m such edges, or weights would be negative.
    """
    _at_least("n", n, 0)
    check_fits("random_digraph: the graph", n + m)
    if not 0 <= m <= n * (n - 1):
        raise ValueError(f"m must be in [0, n (n - 1)] = [0, {n * (n - 1)}], got {m}")
    rng = np.random.default_rng(seed)
    pair = rng.choice(n * (n - 1), m, replace=False, shuffle=False) if m else np.zeros(0, np.int64)
    tails = pair // max(n - 1, 1)
    heads = pair % max(n - 1, 1)
    heads = heads + (heads >= tails)  # skips the loop
    return DiGraph.from_edges(tails, heads, _weights(rng, m, low, high), n)


def rmat_digraph(
    scale: int, edges_per_vertex: float, low: int = 1, high: int = 100, seed: int = 0
) -> DiGraph:
    """Draw a recursive-matrix graph of ``2**scale`` vertices without loops or parallel edges.

    Parameters
    ----------
    scale : int
    edges_per_vertex : float
        Drawn; repeated ones count once.
    low, high : int
        Weights, both included.
    seed : int

    Returns
    -------
    DiGraph

    Raises
    ------
    ValueError
        If `scale` or `edges_per_vertex` is out of range.

    See Also
    --------
    workbench.matrices.rmat : the matrix, which needs scipy.
    """
    from workbench.matrices import rmat

    a = rmat(scale, edges_per_vertex, seed=seed).tocoo()
    keep = a.row != a.col
    rng = np.random.default_rng([seed, 1])
    tails, heads = a.row[keep], a.col[keep]
    return DiGraph.from_edges(tails, heads, _weights(rng, tails.size, low, high), 1 << scale)


def street_grid(
    rows: int,
    columns: int,
    one_way: float = 0.15,
    low: int = 10,
    high: int = 1000,
    seed: int = 0,
) -> DiGraph:
    """Lay out a grid of streets, some of them one-way.

    Parameters
    ----------
    rows, columns : int
        Crossings; vertex ``r * columns + c`` lies at row r and column c.
    one_way : float
        Share of the streets that are one-way, half of them either way.
    low, high : int
        Weights, both included, drawn for each direction.
    seed : int

    Returns
    -------
    DiGraph
        With ``positions`` (column, row).

    Raises
    ------
    ValueError
        If `one_way` is not in [0, 1] or a size is below 1.
    """
    _at_least("rows", rows, 1)
    _at_least("columns", columns, 1)
    check_fits("street_grid: the graph", 4 * rows * columns)
    if not 0 <= one_way <= 1:
        raise ValueError(f"one_way must be in [0, 1], got {one_way}")
    rng = np.random.default_rng(seed)
    number = np.arange(rows * columns).reshape(rows, columns)
    a = np.concatenate([number[:, :-1].ravel(), number[:-1].ravel()])
    b = np.concatenate([number[:, 1:].ravel(), number[1:].ravel()])
    draw = rng.random(a.size)
    there, back = draw >= one_way / 2, (draw < one_way / 2) | (draw >= one_way)
    tails, heads = np.concatenate([a[there], b[back]]), np.concatenate([b[there], a[back]])
    row, column = np.divmod(np.arange(rows * columns), columns)
    weights = _weights(rng, tails.size, low, high)
    return DiGraph(rows * columns, tails, heads, weights, positions=np.stack([column, row], axis=1))


def cycle(n: int, low: int = 1, high: int = 100, seed: int = 0) -> DiGraph:
    """One directed cycle: every spanner needs every edge."""
    _at_least("n", n, 1)
    v = np.arange(n)
    return _drawn(v, (v + 1) % n, n, low, high, seed)


def path_with_back_edge(n: int, low: int = 1, high: int = 100, seed: int = 0) -> DiGraph:
    """A path and an edge from its end to its beginning, as edge 0: deep trees, one bridge back."""
    _at_least("n", n, 2)
    v = np.arange(n - 1)
    return _drawn(np.append(n - 1, v), np.append(0, v + 1), n, low, high, seed)


def bipartite(
    left: int, right: int, hub: bool = False, low: int = 1, high: int = 100, seed: int = 0
) -> DiGraph:
    """Every vertex of the left to every one of the right.

    Without a hub nothing leads back, and the empty spanner is valid. With one (the last vertex,
    entered from all of the right, leading to all of the left) every pair has a round trip, and
    few of the ``left * right`` edges are needed. Then all weights are `high`.
    """
    _at_least("left", left, 1)
    _at_least("right", right, 1)
    a, b = np.arange(left), left + np.arange(right)
    tails, heads = np.repeat(a, right), np.tile(b, left)
    if not hub:
        return _drawn(tails, heads, left + right, low, high, seed)
    last = left + right
    tails = np.concatenate([tails, b, np.full(left, last)])
    heads = np.concatenate([heads, np.full(right, last), a])
    return _drawn(tails, heads, last + 1, high, high, seed)


def petals(count: int, length: int, low: int = 1, high: int = 100, seed: int = 0) -> DiGraph:
    """Cycles of `length` edges that share vertex 0: every spanner needs every edge."""
    _at_least("count", count, 1)
    _at_least("length", length, 2)
    check_fits("petals: the graph", count * length)
    v = 1 + np.arange(count * (length - 1)).reshape(count, length - 1)
    ring = np.concatenate([np.zeros((count, 1), int), v, np.zeros((count, 1), int)], axis=1)
    tails, heads = ring[:, :-1].ravel(), ring[:, 1:].ravel()
    return _drawn(tails, heads, 1 + v.size, low, high, seed)


def expander(n: int, degree: int = 3, low: int = 1, high: int = 100, seed: int = 0) -> DiGraph:
    """The union of `degree` random cycles through all vertices: short distances, few edges."""
    _at_least("n", n, 2)
    _at_least("degree", degree, 1)
    check_fits("expander: the graph", n * degree)
    rng = np.random.default_rng([seed, 1])
    order = np.stack([rng.permutation(n) for _ in range(degree)])
    return _drawn(order.ravel(), np.roll(order, -1, axis=1).ravel(), n, low, high, seed)


def star(n: int, low: int = 1, high: int = 10**6, seed: int = 0) -> DiGraph:
    """Vertex 0 to all others and back: the worst case of heaps."""
    _at_least("n", n, 2)
    leaf = np.arange(1, n)
    centre = np.zeros(n - 1, np.int64)
    return _drawn(
        np.concatenate([centre, leaf]), np.concatenate([leaf, centre]), n, low, high, seed
    )


def zero_blobs(blobs: int, size: int, low: int = 1, high: int = 100, seed: int = 0) -> DiGraph:
    """A ring of blobs: each a cycle of weight 0 with chords of weight 0; edges between weigh."""
    _at_least("blobs", blobs, 1)
    _at_least("size", size, 1)
    check_fits("zero_blobs: the graph", blobs * size)
    rng = np.random.default_rng([seed, 1])
    n = blobs * size
    v = np.arange(n)
    base, place = v - v % size, v % size
    inner = np.concatenate([base + (place + 1) % size, base + rng.integers(size, size=n)])
    away = (base + size + rng.integers(size, size=n)) % n
    tails, heads = np.concatenate([v, v, v]), np.concatenate([inner, away])
    weights = np.concatenate([np.zeros(2 * n, np.int32), _weights(rng, n, low, high)])
    return DiGraph.from_edges(tails, heads, weights, n)


def wide_weights(
    n: int, m: int, least: float = 1e-6, largest: float = 1e9, seed: int = 0
) -> DiGraph:
    """A random graph with float64 weights over all magnitudes from `least` to `largest`."""
    if not 0 < least <= largest:
        raise ValueError(f"0 < least <= largest must hold, got {least} and {largest}")
    g = random_digraph(n, m, seed=seed)
    exponent = np.random.default_rng([seed, 1]).uniform(np.log(least), np.log(largest), m)
    return DiGraph.from_edges(g.tails, g.heads, np.exp(exponent).clip(least, largest), n)


@dataclass(frozen=True)
class DigraphGenerator:
    """A generator at a fixed size.

    Attributes
    ----------
    name : str
        Its key in ``GENERATORS``.
    function : callable
        One of `graphs.generators`.
    default, small : mapping
        Its arguments: as measured, and for tests.
    """

    name: str
    function: Callable[..., DiGraph] = field(repr=False)
    default: Mapping[str, Any]
    small: Mapping[str, Any]

    def __call__(self, seed: int = 0, *, small: bool = False) -> DiGraph:
        """Generate the graph; a small one has fewer than a few hundred vertices."""
        return self.function(**(self.small if small else self.default), seed=seed)


def _catalogue() -> dict[str, DigraphGenerator]:
    listed: list[tuple[str, Callable[..., DiGraph], dict[str, Any], dict[str, Any]]] = [
        ("er1k", random_digraph, {"n": 1000, "m": 31430, "high": 1000}, {"n": 50, "m": 400}),
        ("er4k", random_digraph, {"n": 4000, "m": 253927, "high": 1000}, {"n": 80, "m": 1600}),
        (
            "rmat13d",
            rmat_digraph,
            {"scale": 13, "edges_per_vertex": 32},
            {"scale": 6, "edges_per_vertex": 8},
        ),
        (
            "rmat17",
            rmat_digraph,
            {"scale": 17, "edges_per_vertex": 8},
            {"scale": 7, "edges_per_vertex": 4},
        ),
        ("grid1m", street_grid, {"rows": 1000, "columns": 1000}, {"rows": 9, "columns": 11}),
        ("cycle", cycle, {"n": 10000}, {"n": 30}),
        ("path-back", path_with_back_edge, {"n": 10**6}, {"n": 30}),
        ("bipartite", bipartite, {"left": 300, "right": 300}, {"left": 7, "right": 8}),
        (
            "bipartite-hub",
            bipartite,
            {"left": 300, "right": 300, "hub": True},
            {"left": 7, "right": 8, "hub": True},
        ),
        ("petals", petals, {"count": 500, "length": 20}, {"count": 6, "length": 5}),
        ("expander", expander, {"n": 20000}, {"n": 60}),
        ("star", star, {"n": 20000}, {"n": 40}),
        ("zero-blobs", zero_blobs, {"blobs": 500, "size": 10}, {"blobs": 6, "size": 4}),
        ("wide", wide_weights, {"n": 4000, "m": 60000}, {"n": 40, "m": 240}),
    ]
    return {row[0]: DigraphGenerator(*row) for row in listed}


def _drawn(tails: Array, heads: Array, n: int, low: int, high: int, seed: int) -> DiGraph:
    rng = np.random.default_rng(seed)
    return DiGraph.from_edges(tails, heads, _weights(rng, tails.size, low, high), n)


def _weights(rng: np.random.Generator, count: int, low: int, high: int) -> Array:
    if not 0 <= low <= high:
        raise ValueError(f"0 <= low <= high must hold, got {low} and {high}")
    return rng.integers(low, high, count, np.int32 if high < 2**31 else np.int64, endpoint=True)


def _at_least(name: str, value: float, least: int) -> None:
    if value < least:
        raise ValueError(f"{name} must be at least {least}, got {value}")
    if value > 2**31 - 2:  # vertices that a DiGraph may have
        raise ValueError(f"{name} must be at most 2**31 - 2, got {value}")


#: The graphs by name: ``GENERATORS["er4k"](seed=1)``, ``GENERATORS["er4k"](small=True)``.
GENERATORS: Mapping[str, DigraphGenerator] = MappingProxyType(_catalogue())
