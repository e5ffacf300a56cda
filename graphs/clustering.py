# SPDX-License-Identifier: Apache-2.0
"""Markov clustering: let flow spread by products and tighten it entry by entry, to the end.

Rows stand for the columns of van Dongen's matrices: row i is where a walker from vertex i is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from graphs.adjacency import Indices, csr_tensor, entries_of, rows_of, square, vector
from workbench.experiments.progress import ProgressBoard
from workbench.ops.sparse_operands import Csr
from workbench.ops.spgemm import power

__all__ = ["Clustering", "Round", "markov_clustering"]

#: Flow below this is none: where the iteration has ended, what is left of it.
_NO_FLOW = 1e-8

Floats = npt.NDArray[np.float64]


class Round(NamedTuple):
    """One round of expansion and inflation.

    Attributes
    ----------
    expanded : int
        Entries after expansion.
    entries : int
        Entries after pruning.
    pruned : float
        Largest share of a vertex's flow that pruning took.
    chaos : float
        Largest over the vertices of maximum less sum of squares of their flow: 0 where all flow
        is spread evenly over what it reaches, as it is in the end.
    change : float
        Largest change of an entry.
    """

    expanded: int
    entries: int
    pruned: float
    chaos: float
    change: float


@dataclass(frozen=True)
class Clustering:
    """Clusters and how they came about.

    Attributes
    ----------
    labels : ndarray or Tensor
        Shape ``(n,)``, int64, 0 to ``n_clusters - 1``, numbered as they first occur. A tensor
        unless the graph came in a scipy container.
    n_clusters : int
        How many.
    converged : bool
        Whether the flow came to rest within the allowed rounds.
    history : tuple of Round
        One per round.
    """

    labels: Any
    n_clusters: int
    converged: bool
    history: tuple[Round, ...]


class _Flow(NamedTuple):
    ptr: Indices
    idx: Indices
    val: Floats

    @property
    def rows(self) -> npt.NDArray[np.int64]:
        return rows_of(self.ptr)


def markov_clustering(
    A: Any,
    expansion: int = 2,
    inflation: float = 2.0,
    *,
    self_loops: float = 1.0,
    threshold: float = 1e-4,
    top_k: int | None = 1000,
    tolerance: float = 1e-6,
    max_iterations: int = 100,
) -> Clustering:
    """Cluster a graph by simulated flow (MCL).

    Flow spreads by ``expansion`` steps of a random walk, is raised to the power ``inflation``
    entry by entry, which favours strong flow over weak, and is normalised; small entries are
    pruned. This is repeated until nothing moves. Each vertex then belongs to where its flow ends.

    Parameters
    ----------
    A
        Shape ``(n, n)``, any container of :func:`workbench.ops.spgemm.spgemm`; values are
        weights of edges, not negative (parallel edges add up). Meant for undirected graphs;
        directions are taken as those of the walk.
    expansion : int
        Steps of the walk, at least 2.
    inflation : float
        Above 1; larger means more and smaller clusters.
    self_loops : float
        Weight of the loop each vertex gets, instead of what it has, in units of its heaviest
        edge. Without loops (0), walks in bipartite graphs alternate between the sides.
    threshold : float
        Entries of the expanded flow below it are pruned, but for the largest of each vertex; 0
        prunes none.
    top_k : int, optional
        At most so many entries are kept per vertex, the largest (of equal ones those to smaller
        vertices); None keeps all.
    tolerance : float
        The flow has come to rest when no entry changes by more.
    max_iterations : int
        At least 1.

    Returns
    -------
    Clustering
        Deterministic. A vertex whose flow ends in several clusters, which only symmetry brings
        about, is counted to the one with most of it, of equal ones to that of the smallest
        vertex.

    Raises
    ------
    TypeError
        If the container or dtype is not supported.
    ValueError
        If A is not square, a weight is negative or not finite, or an option out of range.

    References
    ----------
    van Dongen, "Graph clustering by flow simulation", PhD thesis, Utrecht, 2000.
    """
    _check_options(expansion, inflation, self_loops, threshold, top_k, tolerance, max_iterations)
    a = square(A, combine="plus")
    n = a.shape[0]
    flow = _walk(a, self_loops)
    history: list[Round] = []
    converged = n == 0
    board = ProgressBoard()
    with board.task(max_iterations, "markov clustering") as task:
        while not converged and len(history) < max_iterations:
            expanded = _expand(flow, expansion)
            kept, pruned = _prune(expanded, threshold, top_k)
            chaos = _chaos(kept)
            inflated = _normalised(kept._replace(val=kept.val**inflation))
            change = _largest_change(flow, inflated)
            history.append(Round(expanded.idx.size, kept.idx.size, pruned, chaos, change))
            flow = inflated
            converged = change <= tolerance
            task.advance(best=f"change {change:.1e}, {kept.idx.size} entries")
    labels = _labels(flow)
    count = int(labels.max()) + 1 if n else 0
    return Clustering(vector(a, labels), count, converged, tuple(history))


def _check_options(
    expansion: int,
    inflation: float,
    self_loops: float,
    threshold: float,
    top_k: int | None,
    tolerance: float,
    max_iterations: int,
) -> None:
    if isinstance(expansion, bool) or not isinstance(expansion, (int, np.integer)):
        raise TypeError(f"expansion must be an integer, got {expansion!r}")
    if expansion < 2:
        raise ValueError(f"expansion must be at least 2, got {expansion}")
    if not 1 < inflation < float("inf"):
        raise ValueError(f"inflation must be above 1 and finite, got {inflation}")
    if not 0 <= self_loops < float("inf"):
        raise ValueError(f"self_loops must be at least 0 and finite, got {self_loops}")
    if not 0 <= threshold < 1:
        raise ValueError(f"threshold must be at least 0 and below 1, got {threshold}")
    if top_k is not None and top_k < 1:
        raise ValueError(f"top_k must be at least 1 or None, got {top_k}")
    if not tolerance >= 0:
        raise ValueError(f"tolerance must be at least 0, got {tolerance}")
    if max_iterations < 1:
        raise ValueError(f"max_iterations must be at least 1, got {max_iterations}")


def _walk(a: Csr, self_loops: float) -> _Flow:
    """Transition probabilities of the graph with its loops; isolated vertices stay."""
    if a.values.is_complex():
        raise TypeError(f"A: weights must be real, got {a.values.dtype}")
    weights = a.values.detach().to(torch.float64).numpy()
    if not np.isfinite(weights).all() or (weights < 0).any():
        wrong = weights[~np.isfinite(weights) | (weights < 0)][0]
        raise ValueError(f"A: weights must be finite and not negative, got {wrong}")
    n = a.shape[0]
    rows = rows_of(a.ptr)
    edges = (rows != a.idx) & (weights > 0)
    rows, cols, weights = rows[edges], a.idx[edges].astype(np.int64), weights[edges]
    heaviest = np.zeros(n)
    np.maximum.at(heaviest, rows, weights)
    loops = np.where(heaviest > 0, self_loops * heaviest, 1.0)
    looped = np.flatnonzero(loops)
    keys = np.concatenate([rows * n + cols, looped * (n + 1)])
    order = np.argsort(keys, kind="stable")
    weights = np.concatenate([weights, loops[looped]])[order]
    ptr = np.zeros(n + 1, np.int32)
    np.cumsum(np.bincount(keys // max(n, 1), minlength=n), out=ptr[1:])
    # Divided by the heaviest first: sums of huge weights stay finite.
    largest = np.where(heaviest > 0, heaviest, 1.0)
    weights = weights / largest[rows_of(ptr)]
    return _normalised(_Flow(ptr, (keys[order] % max(n, 1)).astype(np.int32), weights))


def _normalised(flow: _Flow) -> _Flow:
    rows = flow.rows
    total = np.bincount(rows, weights=flow.val, minlength=flow.ptr.shape[0] - 1)
    return flow._replace(val=flow.val / total[rows])


def _expand(flow: _Flow, steps: int) -> _Flow:
    n = flow.ptr.shape[0] - 1
    product: Tensor = power(
        csr_tensor(flow.ptr, flow.idx, torch.from_numpy(flow.val), (n, n)), steps
    )
    ptr, idx, values = entries_of(product)
    return _Flow(ptr, idx, values.numpy())


def _prune(flow: _Flow, threshold: float, top_k: int | None) -> tuple[_Flow, float]:
    """Leave small entries out and normalise; also the largest share lost by a vertex."""
    rows, val = flow.rows, flow.val
    n = flow.ptr.shape[0] - 1
    before = np.add.reduceat(val, flow.ptr[:-1])  # no row is empty
    most = np.maximum.reduceat(val, flow.ptr[:-1])
    kept = (val >= threshold) | (val == most[rows])
    if top_k is not None and np.bincount(rows[kept], minlength=n).max() > top_k:
        at = np.flatnonzero(kept)
        order = at[np.lexsort((flow.idx[at], -val[at], rows[at]))]
        sizes = np.bincount(rows[at], minlength=n)
        first = np.cumsum(sizes) - sizes
        rank = np.arange(order.shape[0]) - first[rows[order]]
        kept[order[rank >= top_k]] = False
    if kept.all():
        return _normalised(flow), 0.0
    ptr = np.zeros(n + 1, np.int32)
    np.cumsum(np.bincount(rows[kept], minlength=n), out=ptr[1:])
    left = _Flow(ptr, flow.idx[kept], val[kept])
    after = np.add.reduceat(left.val, ptr[:-1])
    return _normalised(left), float(np.max(1.0 - after / before))


def _chaos(flow: _Flow) -> float:
    starts = flow.ptr[:-1]
    squares = np.add.reduceat(flow.val**2, starts)
    return float(np.max(np.maximum.reduceat(flow.val, starts) - squares))


def _largest_change(old: _Flow, new: _Flow) -> float:
    if np.array_equal(old.ptr, new.ptr) and np.array_equal(old.idx, new.idx):
        return float(np.abs(new.val - old.val).max(initial=0.0))
    n = old.ptr.shape[0] - 1
    a, b = old.rows * n + old.idx, new.rows * n + new.idx
    at = np.minimum(np.searchsorted(b, a), b.shape[0] - 1)
    shared = b[at] == a
    change = np.abs(np.where(shared, new.val[at], 0.0) - old.val).max(initial=0.0)
    fresh = np.ones(b.shape[0], bool)
    fresh[at[shared]] = False
    return float(max(change, new.val[fresh].max(initial=0.0)))


def _labels(flow: _Flow) -> npt.NDArray[np.int64]:
    """Attractors (vertices with flow back to themselves) that exchange flow are one cluster.

    Every other vertex follows its strongest flow.
    """
    n = flow.ptr.shape[0] - 1
    if n == 0:
        return np.zeros(0, np.int64)
    rows, idx, val = flow.rows, flow.idx.astype(np.int64), flow.val
    attractor = np.zeros(n, bool)
    attractor[rows[(rows == idx) & (val > _NO_FLOW)]] = True
    # Strongest flow of each vertex, to an attractor if any: the first in this order.
    order = np.lexsort((idx, -val, ~attractor[idx], rows))
    strongest = idx[order[flow.ptr[:-1]]]
    inner = attractor[rows] & attractor[idx] & (val > _NO_FLOW)
    start = np.concatenate([np.arange(n), rows[inner]])
    return _components(start, np.concatenate([strongest, idx[inner]]), n)


def _components(start: Indices, end: Indices, n: int) -> npt.NDArray[np.int64]:
    """Connected components, numbered as they first occur: smallest labels spread until at rest."""
    label = np.arange(n)
    while True:
        before = label.copy()
        low = np.minimum(label[start], label[end])
        np.minimum.at(label, before[start], low)
        np.minimum.at(label, before[end], low)
        label = label[label]
        if np.array_equal(label, before):
            break
    return np.unique(label, return_inverse=True)[1].astype(np.int64)
