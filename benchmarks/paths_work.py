# SPDX-License-Identifier: Apache-2.0
"""The digraphs of the shortest-path benchmark, what a search needs, and when two agree."""

from __future__ import annotations

import functools
import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from harness import Bound, Outputs
from sparse_work import data_folder

__all__ = ["REAL", "WEIGHTS", "Search", "deviation", "why_absent"]

Array = npt.NDArray[Any]

#: Graphs taken from files, and where they lie in the data folder.
REAL = {"wiki-Vote": "wiki-Vote.txt.gz", "sydney": "Sydney_net.tntp.gz"}

#: Name to dtype, least and largest weight; those of Sydney come with it.
WEIGHTS: Mapping[str, tuple[str, float, float]] = {
    "ints": ("int32", 1, 100),
    "street ints": ("int32", 10, 1000),
    "wide ints": ("int32", 1, 10**6),
    "float32": ("float32", 1, 100),
    "float64": ("float64", 1, 100),
    "street float64": ("float64", 10, 1000),
    "minutes": ("float64", 0, 0),
}

#: Sums of one path taken from either end differ in the last bits.
_FLOAT_TOLERANCE = 1e-9


def _real_file(name: str) -> Path | None:
    folder = data_folder()
    if folder is None:
        return None
    places = (folder / REAL[name], folder / "graphs" / REAL[name])
    return next((place for place in places if place.is_file()), None)


def why_absent(name: str) -> str:
    """Return why a graph cannot be had here, ``""`` when it can."""
    if name not in REAL or _real_file(name) is not None:
        return ""
    folder = data_folder()
    where = f"not in {folder}" if folder is not None else "no data folder was found"
    return f"absent: {where}; let WORKBENCH_DATA name a folder that holds {REAL[name]}"


def _street_grid(side: int, rng: np.random.Generator) -> tuple[int, Array, Array]:
    """Streets between neighbours of a square; 7.5 % one-way there, 7.5 % one-way back."""
    number = np.arange(side * side, dtype=np.int64).reshape(side, side)
    a = np.concatenate([number[:, :-1].ravel(), number[:-1].ravel()])
    b = np.concatenate([number[:, 1:].ravel(), number[1:].ravel()])
    draw = rng.random(a.size)
    there, back = draw >= 0.075, draw < 0.925
    return (
        side * side,
        np.concatenate([a[there], b[back]]),
        np.concatenate([b[there], a[back]]),
    )


def _read_pairs(path: Path) -> tuple[int, Array, Array]:
    """``from to`` per line; the numbers between that no line names stay isolated vertices."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        pairs = np.loadtxt(lines, dtype=np.int64, usecols=(0, 1))
    return int(pairs.max()) + 1, pairs[:, 0], pairs[:, 1]


def _read_minutes(path: Path) -> tuple[int, Array, Array, Array]:
    """TNTP: after the line that starts with ``~``, ends from 1 and the free-flow time."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("~") and "init_node" in line:
                break
        table = np.loadtxt(lines, usecols=(0, 1, 4), comments=";")
    ends = table[:, :2].astype(np.int64) - 1
    return int(ends.max()) + 1, ends[:, 0], ends[:, 1], table[:, 2]


@functools.lru_cache(maxsize=1)
def _edges(graph: str, small: bool) -> tuple[int, Array, Array, Array | None]:
    rng = np.random.default_rng(17)
    if graph == "rmat17":
        from workbench.matrices import rmat

        found = rmat(9 if small else 17, 8, seed=1).tocoo()
        return found.shape[0], found.row, found.col, None
    if graph == "grid1m":
        return *_street_grid(30 if small else 1000, rng), None
    path = _real_file(graph)
    if path is None:
        raise ValueError(f"no file of graph {graph!r}")
    if graph == "sydney":
        return _read_minutes(path)
    return *_read_pairs(path), None


# A case needs one graph at a time, and the next one is most often the same with other weights.
@functools.lru_cache(maxsize=1)
def _matrix(graph: str, weights: str, small: bool) -> Any:
    """Return the weights as a csr_array without loops and parallel edges."""
    import scipy.sparse

    n, tails, heads, given = _edges(graph, small)
    dtype, low, high = WEIGHTS[weights]
    rng = np.random.default_rng(71)
    if given is not None:
        values = given
    elif dtype == "int32":
        values = rng.integers(int(low), int(high) + 1, tails.size)
    else:
        values = rng.uniform(low, high, tails.size)
    values = values.astype(dtype)
    # the lightest of parallel edges: scipy would add them up
    order = np.lexsort((values, heads, tails))
    tails, heads, values = tails[order], heads[order], values[order]
    first = np.ones(tails.size, bool)
    first[1:] = (tails[1:] != tails[:-1]) | (heads[1:] != heads[:-1])
    kept = first & (tails != heads)
    indptr = np.searchsorted(tails[kept], np.arange(n + 1)).astype(np.int32)
    parts = (values[kept], heads[kept].astype(np.int32), indptr)
    return scipy.sparse.csr_array(parts, shape=(n, n))


@functools.lru_cache(maxsize=2)
def _strong(graph: str, weights: str, small: bool) -> Array:
    """Return the vertices of the largest strongly connected component."""
    from scipy.sparse.csgraph import connected_components

    matrix = _matrix(graph, weights, small)
    _, label = connected_components(matrix, connection="strong")
    return np.flatnonzero(label == np.bincount(label).argmax())


@dataclass(frozen=True)
class Search:
    """Distances from some vertices of a digraph, and to them.

    Attributes
    ----------
    graph : {"rmat17", "grid1m"} or a key of REAL
    weights : str
        Key of `WEIGHTS`.
    n_sources : int
        How many vertices of the largest strongly connected component to start from.
    both : bool
        Distances to the sources as well.
    limit : float, optional
        Round trips longer than this do not matter.
    small : bool
        A few hundred vertices instead.
    """

    graph: str
    weights: str
    n_sources: int
    both: bool = True
    limit: float | None = None
    small: bool = False

    @property
    def dtype(self) -> str:
        """Of the weights."""
        return WEIGHTS[self.weights][0]

    @property
    def tolerance(self) -> float:
        """Largest relative difference of two distances; integers are exact."""
        return 0.0 if self.dtype == "int32" else _FLOAT_TOLERANCE

    @property
    def matrix(self) -> Any:
        """Entry ``(u, v)`` is the weight of the edge from u to v; a csr_array."""
        return _matrix(self.graph, self.weights, self.small)

    @property
    def ends(self) -> tuple[Array, Array, Array]:
        """Tails, heads and weights of the edges, in the order of `matrix`."""
        a = self.matrix
        tails = np.repeat(np.arange(a.shape[0], dtype=np.int64), np.diff(a.indptr))
        return tails, a.indices.astype(np.int64), a.data

    @functools.cached_property
    def sources(self) -> Array:
        """int64, shape ``(n_sources,)``, all different."""
        inside = _strong(self.graph, self.weights, self.small)
        drawn = np.random.default_rng(5).choice(inside, self.n_sources, replace=False)
        return np.asarray(drawn, dtype=np.int64)

    def bounds(self) -> Mapping[str, Bound]:
        """Return what has to pass at least: each arc that is reached, and the distances."""
        from scipy.sparse.csgraph import breadth_first_order

        arcs, vertices = 0, 0
        for a in (self.matrix, self.matrix.T.tocsr())[: 1 + self.both]:
            # the same for all sources: they reach each other
            reached = breadth_first_order(a, self.sources[0], return_predecessors=False)
            arcs += int(np.diff(a.indptr)[reached].sum())
            vertices += reached.size
        n, item = self.matrix.shape[0], np.dtype(self.dtype).itemsize
        per_source = arcs * (4.0 + item) + 8.0 * vertices + 8.0 * n * (1 + self.both)
        why = (
            f"n = {n:,}, m = {self.matrix.nnz:,}; {arcs:,} arcs of {4 + item} bytes and "
            f"{vertices:,} row ends of 8 are read and {n * (1 + self.both):,} distances of 8 "
            f"written per source, {per_source / 1e6:.4g} MB, by {self.n_sources} source(s)"
        )
        return {self.dtype: Bound(0.0, per_source * self.n_sources, why)}

    def checked_tree(self, distances: Array, parents: Array, k: int, *, reverse: bool) -> None:
        """Look at every parent edge of the first `k` trees.

        Raises
        ------
        ValueError
            When an edge does not end where it is said to, or does not explain the distance.
        """
        tails, heads, weights = self.ends
        start, end = (heads, tails) if reverse else (tails, heads)
        for row, source in enumerate(self.sources[:k]):
            d, e = distances[row], parents[row]
            reached = np.flatnonzero(np.isfinite(d))
            reached = reached[reached != source]
            if d[source] != 0 or (e[reached] < 0).any() or (np.delete(e, reached) >= 0).any():
                raise ValueError(f"the tree of {source} does not span what is reached")
            used = e[reached]
            there = d[start[used]] + weights[used]
            if (end[used] != reached).any():
                raise ValueError(f"a parent edge in the tree of {source} ends elsewhere")
            if (abs(there - d[reached]) > self.tolerance * d[reached]).any():
                raise ValueError(f"a parent edge in the tree of {source} is not on a shortest path")


def deviation(ours: Outputs, theirs: Outputs) -> float:
    """Return the largest ``|d - d'| / d'``; both must reach the same vertices.

    Raises
    ------
    ValueError
        When they have nothing in common, or shapes or what is reached differ.
    """
    names = sorted(set(ours) & set(theirs))
    if not names:
        raise ValueError(f"no common output among {sorted(ours)} and {sorted(theirs)}")
    worst = 0.0
    for name in names:
        a, b = ours[name], theirs[name]
        if a.shape != b.shape:
            raise ValueError(f"{name} has shape {a.shape} here and {b.shape} there")
        for mine, other in zip(a, b, strict=True):  # row by row: all at once takes gigabytes
            reached = np.isfinite(other)
            if np.isnan(mine).any() or (np.isfinite(mine) != reached).any():
                raise ValueError(f"{name}: they do not reach the same vertices")
            x, y = mine[reached], other[reached]
            worst = max(worst, float((abs(x - y) / np.maximum(y, 1e-300)).max(initial=0.0)))
    return worst
