# SPDX-License-Identifier: Apache-2.0
"""Triangles of an undirected graph, counted by a masked product.

Every edge is pointed from the end of smaller degree to that of larger degree (ties by number).
With L the matrix of what remains, one triangle is one ``L_ik L_kj L_ij``: a product of L with
itself at the places of L alone counts each once, and no row of L is longer than the square root
of twice the number of edges (Azad, Buluç, Gilbert, "Parallel triangle counting and enumeration
using matrix algebra", IPDPSW 2015). The triangles at an edge are the derivative of that sum with
respect to the edge, so the product's gradient kernel counts them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from graphs.adjacency import Indices, csr_tensor, give_back, rows_of, square, vector
from workbench.ops import _spgemm_torch as op
from workbench.ops.sparse_operands import Csr
from workbench.ops.spgemm import spgemm, transpose

__all__ = [
    "clustering_coefficients",
    "triangles",
    "triangles_per_edge",
    "triangles_per_vertex",
]


def triangles(A: Any) -> int:
    """Number of triangles of an undirected graph.

    Parameters
    ----------
    A
        Shape ``(n, n)``, any container of :func:`workbench.ops.spgemm.spgemm`, with a symmetric
        pattern. Every stored entry off the diagonal is an edge: values, self-loops and
        repetitions do not count.

    Returns
    -------
    int

    Raises
    ------
    TypeError
        If the container is not supported.
    ValueError
        If A is not square or its pattern not symmetric.

    Notes
    -----
    ``L L`` over ``plus_pair`` at the places of L, where L holds every edge once, pointed at the
    end of larger degree: Azad, Buluç, Gilbert, IPDPSW 2015.
    """
    a, rows = _undirected(A)
    ptr, idx, _ = _pointed(a, rows)
    lower = csr_tensor(ptr, idx, torch.ones(idx.shape[0], dtype=torch.int64), a.shape)
    counts = spgemm(lower, lower, "plus_pair", lower, check=False)
    return int(counts.values().sum())


def triangles_per_vertex(A: Any) -> Any:
    """Triangles at each vertex.

    Parameters
    ----------
    A
        As for :func:`triangles`.

    Returns
    -------
    ndarray or Tensor
        Shape ``(n,)``, int64; an ndarray for scipy's containers. They add up to three times
        :func:`triangles`.

    Raises
    ------
    TypeError, ValueError
        As for :func:`triangles`.
    """
    a, rows = _undirected(A)
    return vector(a, _at_vertices(a, rows))


def triangles_per_edge(A: Any) -> Any:
    """Triangles at each edge: its support.

    Parameters
    ----------
    A
        As for :func:`triangles`.

    Returns
    -------
    sparse matrix
        Shape ``(n, n)``, int64, in A's container: an entry for each of A's off the diagonal, 0
        where no triangle has the edge. They add up to six times :func:`triangles`.

    Raises
    ------
    TypeError, ValueError
        As for :func:`triangles`.
    """
    a, rows = _undirected(A)
    ptr, idx, kept = _pointed(a, rows)
    support = np.zeros(a.idx.shape[0], np.int64)
    support[kept] = _support(ptr, idx, a.shape[0])
    # The support of an edge stands at one of its two entries; in the transpose at the other.
    source = _transposed_order(a)
    support += support[source]
    away = a.idx != rows
    out = np.zeros(a.shape[0] + 1, np.int64)
    np.cumsum(np.bincount(rows[away], minlength=a.shape[0]), out=out[1:])
    return give_back(a, out, a.idx[away], torch.from_numpy(support[away]), a.shape[0])


def clustering_coefficients(A: Any) -> Any:
    """Share of the pairs of each vertex's neighbours that are neighbours themselves.

    Parameters
    ----------
    A
        As for :func:`triangles`.

    Returns
    -------
    ndarray or Tensor
        Shape ``(n,)``, float64, 0 to 1; 0 where there are fewer than two neighbours. An ndarray
        for scipy's containers.

    Raises
    ------
    TypeError, ValueError
        As for :func:`triangles`.

    Notes
    -----
    ``2 t / (d (d - 1))`` of ``t`` triangles and ``d`` neighbours: Watts, Strogatz, Nature 393,
    1998.
    """
    a, rows = _undirected(A)
    count = _at_vertices(a, rows)
    degree = np.bincount(rows[a.idx != rows], minlength=a.shape[0])
    pairs = np.maximum(degree * (degree - 1), 1)
    return vector(a, torch.from_numpy(2.0 * count.numpy() / pairs))


def _undirected(A: Any) -> tuple[Csr, Indices]:
    """The matrix and the row of each entry, its pattern seen to be symmetric."""
    a = square(A)
    ones = torch.ones(a.idx.shape[0], dtype=torch.int32)
    other = transpose(csr_tensor(a.ptr, a.idx, ones, a.shape))
    ptr, idx = other.crow_indices().numpy(), other.col_indices().numpy()
    rows = rows_of(a.ptr)
    if not np.array_equal(ptr, a.ptr):
        vertex = int(np.flatnonzero(np.diff(ptr) != np.diff(a.ptr))[0])
        out, into = int(np.diff(a.ptr)[vertex]), int(np.diff(ptr)[vertex])
        raise ValueError(
            f"A must have a symmetric pattern, an undirected graph; vertex {vertex} has {out} "
            f"edges out and {into} in. (A + A.T) is the graph with directions forgotten"
        )
    if not np.array_equal(idx, a.idx):
        at = int(np.flatnonzero(idx != a.idx)[0])
        i, j, k = int(rows[at]), int(a.idx[at]), int(idx[at])
        edge = (i, j) if j < k else (k, i)
        raise ValueError(
            f"A must have a symmetric pattern, an undirected graph; it stores {edge} but not "
            f"{edge[::-1]}. (A + A.T) is the graph with directions forgotten"
        )
    return a, rows


def _pointed(a: Csr, rows: Indices) -> tuple[Indices, Indices, Indices]:
    """Row pointers and columns of L, and which entries of `a` it has."""
    degree = np.diff(a.ptr)
    mine, other = degree[rows], degree[a.idx]
    kept = (mine < other) | ((mine == other) & (rows < a.idx))
    ptr = np.zeros(a.shape[0] + 1, np.int32)
    np.cumsum(np.bincount(rows[kept], minlength=a.shape[0]), out=ptr[1:])
    return ptr, a.idx[kept], kept


def _support(ptr: Indices, idx: Indices, n: int) -> Indices:
    """Triangles at each entry of L: the three derivatives of ``sum L_ik L_kj L_ij``.

    Counts are whole numbers below 2**53, which float64 adds exactly.
    """
    p, i = torch.from_numpy(ptr), torch.from_numpy(idx)
    ones = torch.ones(idx.shape[0], dtype=torch.float64)
    lower = (p, i, ones)
    third = op.values_on(*lower, *lower, p, i, n, op.SEMIRINGS.index("plus_times"))
    first, second = op.gradients(*lower, *lower, p, i, ones, n)
    total: Tensor = first + second + third
    return np.asarray(total.to(torch.int64).numpy())


def _at_vertices(a: Csr, rows: Indices) -> Tensor:
    ptr, idx, _ = _pointed(a, rows)
    support = torch.from_numpy(_support(ptr, idx, a.shape[0]))
    counts = torch.zeros(a.shape[0], dtype=torch.int64)
    counts.index_add_(0, torch.from_numpy(rows_of(ptr)), support)
    counts.index_add_(0, torch.from_numpy(idx).long(), support)
    return counts // 2


def _transposed_order(a: Csr) -> Indices:
    """Where the transpose's entries stand in `a`: by symmetry, the twin of each entry."""
    places = torch.arange(a.idx.shape[0], dtype=torch.int64)
    other = transpose(csr_tensor(a.ptr, a.idx, places, a.shape))
    return np.asarray(other.values().numpy())
