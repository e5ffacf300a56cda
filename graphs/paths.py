# SPDX-License-Identifier: Apache-2.0
"""What can be reached from where, in how many steps and at what length, by sparse products.

A set of vertices is a row; a product with the adjacency matrix takes every set one step on, and
a complemented mask keeps it from going back (one set alone is filtered by a vector). Distances
between all pairs are the fixed point of squaring over ``min_plus``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from graphs.adjacency import Indices, csr_tensor, entries_of, give_back, rows_of, square, vector
from workbench.ops import _transforms
from workbench.ops.sparse_operands import Csr, first_only
from workbench.ops.spgemm import spgemm

__all__ = ["frontiers", "k_hop", "reachability", "shortest_path_closure"]

#: After so many steps a closure goes on by squaring: the graph is long and thin.
_STEPS = 32


def frontiers(A: Any, sources: Any, k: int | None = None) -> list[Any]:
    """Vertices by the number of edges it takes to reach them.

    Parameters
    ----------
    A
        Shape ``(n, n)``, any container of :func:`workbench.ops.spgemm.spgemm`; a stored entry
        ``(i, j)`` is an edge from i to j, whatever its value.
    sources : int or sequence of int
        One or more vertices to start from.
    k : int, optional
        Steps to take, at least 0; as many as lead on where None.

    Returns
    -------
    list of ndarray or Tensor
        int64, ascending: entry ``h`` holds the vertices ``h`` edges away from the nearest
        source. Ends with the last that is not empty. Tensors unless A is scipy's.

    Raises
    ------
    TypeError
        If the container is not supported, or sources or k are not integers.
    ValueError
        If A is not square, a source is no vertex, or k is negative.
    """
    a = square(A)
    start = _vertices(sources, a.shape[0])
    _check_steps(k)
    start = np.unique(start)
    seen = np.zeros(a.shape[0], bool)
    seen[start] = True
    step = _edges(a)
    found = [start]
    while found[-1].size and (k is None or len(found) <= k):
        ptr = np.array([0, found[-1].shape[0]], np.int32)
        at = _sets(ptr, found[-1].astype(np.int32), a.shape[1])
        _, idx, _ = entries_of(spgemm(at, step, "any_pair", check=False))
        idx = idx[~seen[idx]]
        seen[idx] = True
        found.append(idx.astype(np.int64))
    if len(found) > 1 and not found[-1].size:
        found.pop()
    return [vector(a, front) for front in found]


def k_hop(A: Any, sources: Any, k: int) -> Any:
    """Vertices at most ``k`` edges away from a source.

    Parameters
    ----------
    A, sources
        As for :func:`frontiers`, which also tells the distances.
    k : int
        At least 0.

    Returns
    -------
    ndarray or Tensor
        int64, ascending, the sources among them. A tensor unless A is scipy's.

    Raises
    ------
    TypeError, ValueError
        As for :func:`frontiers`.
    """
    if k is None:
        raise TypeError("k must be an integer, got None; reachability has no bound")
    parts = frontiers(A, sources, k)
    if isinstance(parts[0], Tensor):
        return torch.cat(parts).sort().values
    return np.sort(np.concatenate(parts))


def reachability(A: Any, sources: Any = None) -> Any:
    """Which vertices can be reached from which: the reflexive transitive closure.

    Parameters
    ----------
    A
        As for :func:`frontiers`.
    sources : int or sequence of int, optional
        Only from these vertices, a row for each in the order given; from all of them where None.

    Returns
    -------
    sparse matrix
        Shape ``(n, n)`` or ``(len(sources), n)``, bool, in A's container: an entry, True, where
        there is a path; every vertex reaches itself.

    Raises
    ------
    TypeError, ValueError
        As for :func:`frontiers`.

    Notes
    -----
    All sources step together, over ``any_pair`` with what was seen as a complemented mask: each
    product is as large as what is new, all of them together as the pairs of a source and an edge
    it reaches. A closure of all vertices that is not there after 32 steps goes on by squaring,
    which doubles the length of paths. The result may have n^2 entries.
    """
    a = square(A)
    n = a.shape[0]
    start = np.arange(n) if sources is None else _vertices(sources, n)
    count = start.shape[0]
    step = _edges(a)
    cols = np.int64(max(n, 1))
    at = seen = _sets(np.arange(count + 1, dtype=np.int32), start.astype(np.int32), n)
    steps = 0
    while at.values().shape[0] and (sources is not None or steps < _STEPS):
        at = spgemm(at, step, "any_pair", seen, True, check=False)
        seen = _union(seen, at, cols)
        steps += 1
    while at.values().shape[0]:
        further = spgemm(seen, seen, "any_pair", check=False)
        if further.values().shape[0] == seen.values().shape[0]:
            break
        seen = further
    ptr, idx, values = entries_of(seen)
    return give_back(a, ptr, idx, values, count)


def shortest_path_closure(A: Any, *, dense: bool = False) -> Any:
    """Lengths of the shortest paths between all pairs of vertices.

    Parameters
    ----------
    A
        Shape ``(n, n)``, any container of :func:`workbench.ops.spgemm.spgemm`; a stored entry
        ``(i, j)`` is an edge of that length, zero included; of parallel edges the shortest
        counts. float32, float64, int32 or int64; bool means length 1 (int64). Lengths may be
        negative where no cycle is.
    dense : bool
        Give a dense matrix with infinity where there is no path (integers become float64).

    Returns
    -------
    sparse matrix, or ndarray or Tensor
        Shape ``(n, n)``. Sparse, in A's container, by default: an entry where there is a path,
        0 on the diagonal; no entry means no path. Dense: a tensor unless A is scipy's.
        For torch operands differentiable once with respect to the lengths: the gradient goes to
        the edges of a shortest path, of several to one of them.

    Raises
    ------
    TypeError
        If the container or dtype is not supported.
    ValueError
        If A is not square, a length is not finite, a cycle is negative, or integer lengths may
        overflow.

    Notes
    -----
    Squaring over ``min_plus`` until nothing changes: at most ``log2(n) + 1`` products, each of up
    to n^3 operations and n^2 entries, so this is for small graphs. For few sources in a large
    graph a search from each is the better way.
    """
    a = square(A, combine="min")
    _transforms.refuse_transforms(
        "shortest_path_closure",
        "torch.autograd.grad, or spgemm over min_plus on edge lists",
        a.values,
    )
    lengths = _lengths(a)
    n = a.shape[0]
    at = _with_diagonal(a, lengths)
    bound = max(n - 1, 1).bit_length()  # after so many squarings paths of n - 1 edges are in
    for _ in range(bound + 1):
        further = spgemm(at, at, "min_plus", check=False)
        _refuse_negative_cycles(further)
        if _same(at, further):
            break  # the older of two equal ones has the shorter graph of derivatives
        at = further
    ptr, idx, values = entries_of(at)
    values = first_only(values)
    if not dense:
        return give_back(a, ptr, idx, values, n)
    if not values.dtype.is_floating_point:
        values = values.to(torch.float64)
    where = torch.from_numpy(rows_of(ptr) * n + idx)
    flat = values.new_full((n * n,), float("inf")).index_put((where,), values)
    return vector(a, flat.reshape(n, n))


def _check_steps(k: int | None) -> None:
    if k is None:
        return
    if isinstance(k, bool) or not isinstance(k, (int, np.integer)):
        raise TypeError(f"k must be an integer, got {k!r}")
    if k < 0:
        raise ValueError(f"k must be at least 0, got {k}")


def _vertices(sources: Any, n: int) -> Indices:
    given = sources.detach().cpu().numpy() if isinstance(sources, Tensor) else sources
    found = np.atleast_1d(np.asarray(given))
    if found.size == 0:
        found = found.astype(np.int64)
    if found.dtype.kind not in "iu" or found.ndim != 1:
        raise TypeError(f"sources must be an integer or a vector of integers, got {sources!r}")
    if found.size and (found.min() < 0 or found.max() >= n):
        wrong = found[(found < 0) | (found >= n)][0]
        raise ValueError(f"sources must be vertices, 0 to {n - 1}, got {wrong}")
    return found.astype(np.int64)


def _sets(ptr: Indices, idx: Indices, n: int) -> Tensor:
    """Sets of vertices, one per row."""
    return csr_tensor(ptr, idx, torch.ones(idx.shape[0], dtype=torch.bool), (len(ptr) - 1, n))


def _edges(a: Csr) -> Tensor:
    return _sets(a.ptr, a.idx, a.shape[1])


def _union(one: Tensor, other: Tensor, cols: np.int64) -> Tensor:
    """Rows' sets united; they have nothing in common."""
    ptr, idx, _ = entries_of(one)
    ptr2, idx2, _ = entries_of(other)
    keys = np.concatenate([rows_of(ptr) * cols + idx, rows_of(ptr2) * cols + idx2])
    keys.sort(kind="stable")  # two ascending runs: merged, not sorted
    total = ptr.astype(np.int64) + ptr2
    width = np.int32 if keys.shape[0] <= np.iinfo(np.int32).max else np.int64
    return _sets(total.astype(width), (keys % cols).astype(width), one.shape[1])


def _lengths(a: Csr) -> Tensor:
    """The lengths of edges in a dtype that is safe to add up in."""
    lengths = a.values
    if lengths.dtype == torch.bool:
        return torch.ones(lengths.shape[0], dtype=torch.int64)
    if lengths.dtype not in (torch.float32, torch.float64, torch.int32, torch.int64):
        raise TypeError(f"A: lengths must be float32, float64, int32 or int64, got {lengths.dtype}")
    if lengths.dtype.is_floating_point:
        if not bool(torch.isfinite(lengths.detach()).all()):
            raise ValueError("A: lengths must be finite, got NaN or infinity; leave edges out")
    elif lengths.shape[0]:
        most = max(abs(int(lengths.max())), abs(int(lengths.min())))
        # The last product adds two paths of up to n edges each.
        if 2 * most * a.shape[0] > torch.iinfo(lengths.dtype).max:
            raise ValueError(
                f"A: paths over edges of length {most} may overflow {lengths.dtype}; convert "
                "the lengths to float64"
            )
    return lengths


def _with_diagonal(a: Csr, lengths: Tensor) -> Tensor:
    """A with the empty paths, of length 0, on its diagonal."""
    n = a.shape[0]
    rows = rows_of(a.ptr)
    loops = rows == a.idx
    if bool((lengths.detach()[torch.from_numpy(loops)] < 0).any()):
        raise ValueError("A: there is a negative cycle, a self-loop of negative length")
    away = np.flatnonzero(~loops)
    keys = np.concatenate([rows[away] * n + a.idx[away], np.arange(n, dtype=np.int64) * (n + 1)])
    order = np.argsort(keys, kind="stable")
    values = torch.cat([lengths[torch.from_numpy(away)], lengths.new_zeros(n)])
    ptr = np.zeros(n + 1, np.int32)
    np.cumsum(np.bincount(rows[away], minlength=n) + 1, out=ptr[1:])
    idx = (keys[order] % max(n, 1)).astype(np.int32)
    return csr_tensor(ptr, idx, values[torch.from_numpy(order)], a.shape)


def _refuse_negative_cycles(at: Tensor) -> None:
    ptr, idx, values = entries_of(at.detach())
    diagonal = rows_of(ptr) == idx
    if bool((values[torch.from_numpy(diagonal)] < 0).any()):
        raise ValueError("A: there is a negative cycle: paths have no shortest length")


def _same(one: Tensor, other: Tensor) -> bool:
    a, b = one.detach(), other.detach()
    return a.values().shape == b.values().shape and torch.equal(a.values(), b.values())
