# SPDX-License-Identifier: Apache-2.0
"""Searches on digraphs: distances, round trips, balls and their sizes, nearest centres."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from graphs.arguments import check_digraph, edge_flags, to_numpy, vertex_number, vertex_numbers
from graphs.digraph import DiGraph
from workbench.ops._threads import thread_count

__all__ = [
    "Ball",
    "NearestTwo",
    "SparseDistances",
    "ball",
    "ball_sizes",
    "nearest_two",
    "roundtrip_ball",
    "roundtrip_distances",
    "sssp",
]

Doubles = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]


class SparseDistances(NamedTuple):
    """Distances between sources and the vertices near them, as compressed rows.

    Attributes
    ----------
    indptr : ndarray
        int64, shape ``(s + 1,)``: row i, of source i, is ``indptr[i]:indptr[i + 1]``.
    vertices, distances : ndarray
        int64 and float64, shape ``(indptr[-1],)``; vertices rise within a row. A distance of 0 is
        stored like any other.
    parents : ndarray or None
        int64, same shape, where asked for: the edge into each vertex or -1.
    n : int
        Vertices of the graph.
    """

    indptr: Longs
    vertices: Longs
    distances: Doubles
    parents: Longs | None
    n: int

    def to_scipy(self) -> Any:
        """As a ``scipy.sparse.csr_array`` of shape ``(s, n)``, zeros stored."""
        import scipy.sparse

        shape = (self.indptr.size - 1, self.n)
        return scipy.sparse.csr_array((self.distances, self.vertices, self.indptr), shape=shape)


class Ball(NamedTuple):
    """What lies within a radius of a vertex.

    Attributes
    ----------
    vertices, distances : ndarray
        int64 and float64, shape ``(b,)``, by rising distance.
    edges : ndarray
        int64, rising: the shortest-path tree (or both trees) that spans them.
    """

    vertices: Longs
    distances: Doubles
    edges: Longs


class NearestTwo(NamedTuple):
    """The two best centres of each vertex.

    Attributes
    ----------
    keys : ndarray
        float64, shape ``(n, 2)``, rising in each row, infinite where there is none.
    centres : ndarray
        int64, shape ``(n, 2)``: vertices, or -1.
    """

    keys: Doubles
    centres: Longs


def sssp(
    g: DiGraph,
    sources: Any,
    *,
    reverse: bool = False,
    limit: float | None = None,
    targets: Any = None,
    edge_mask: Any = None,
    return_parents: bool = False,
    sparse: bool = False,
    num_threads: int | None = None,
) -> Any:
    """Shortest paths from each of some sources.

    Parameters
    ----------
    g : DiGraph
    sources : int or array_like
        Vertices, shape ``(s,)``.
    reverse : bool
        Paths to the sources instead.
    limit : float, optional
        Do not look further than this.
    targets : array_like, optional
        Vertices that matter: a search ends when it has reached them all, and others may then
        count as not reached.
    edge_mask : array_like, optional
        bool, shape ``(m,)``: edges that may be used.
    return_parents : bool
        Give the shortest-path trees as well.
    sparse : bool
        Give only what is reached; needs `limit`, goes without `targets`. Time and memory then
        follow the balls of that radius, not ``s * n``.
    num_threads : int, optional
        torch's number by default; sources are shared among them.

    Returns
    -------
    distances : ndarray
        float64, shape ``(s, n)`` (``(n,)`` for a single int), infinite where not reached.
        With `sparse`, a :class:`SparseDistances` with one row per source.
    parents : ndarray
        Only with `return_parents`: int64, same shape, the edge into each vertex or -1.
        With `sparse` they are within the first.

    Raises
    ------
    TypeError
        If vertices are not integers.
    ValueError
        If a source or target is no vertex, `limit` is negative or NaN, `edge_mask` has another
        length, or `sparse` comes without `limit` or with `targets`.

    Notes
    -----
    Dijkstra's algorithm over buckets of equal width, which are kept exact by a heap of the few
    vertices with an arc that stays within the bucket; over a radix heap (Ahuja et al., JACM 37,
    1990) where weights are spread over so many magnitudes that no one width suits them. Of
    equally short paths one is chosen in a way that does not depend on the number of threads.
    """
    single = np.ndim(sources) == 0
    check_digraph(g)
    start = vertex_numbers(np.atleast_1d(to_numpy(sources)), g.n, "sources")
    _check_limit(limit)
    threads = thread_count("sssp", num_threads)
    mask = None if edge_mask is None else edge_flags(edge_mask, g.m)
    if sparse:
        if limit is None:
            raise ValueError("sparse distances need a limit")
        if targets is not None:
            raise ValueError("targets go with dense distances only")
        indptr, vertices, near, parents = g._search.shortest_paths_near(
            start,
            limit,
            reverse=reverse,
            edge_mask=mask,
            parents=return_parents,
            num_threads=threads,
        )
        return SparseDistances(indptr, vertices, near, parents if return_parents else None, g.n)
    wanted = None
    if targets is not None:
        wanted = np.zeros(g.n, bool)
        wanted[vertex_numbers(np.atleast_1d(to_numpy(targets)), g.n, "targets")] = True
    distances, trees = g._search.shortest_paths(
        start,
        reverse=reverse,
        limit=limit,
        targets=wanted,
        edge_mask=mask,
        parents=return_parents,
        num_threads=threads,
    )
    if single:
        distances = distances[0]
    if not return_parents:
        return distances
    assert trees is not None
    return distances, trees[0] if single else trees


def roundtrip_distances(
    g: DiGraph,
    sources: Any,
    *,
    limit: float | None = None,
    edge_mask: Any = None,
    sparse: bool = False,
    num_threads: int | None = None,
) -> Any:
    """There and back again: ``d(u, v) + d(v, u)``.

    Parameters
    ----------
    g : DiGraph
    sources : int or array_like
        Vertices u, shape ``(s,)``.
    limit : float, optional
        Round trips that are longer count as none.
    edge_mask : array_like, optional
        bool, shape ``(m,)``: edges that may be used.
    sparse : bool
        Give only round trips within `limit`, in time and memory that follow them.
    num_threads : int, optional
        torch's number by default.

    Returns
    -------
    ndarray or SparseDistances
        float64, shape ``(s, n)`` (``(n,)`` for a single int), infinite between strongly connected
        components; or one sparse row per source.

    Raises
    ------
    TypeError
        If vertices are not integers.
    ValueError
        If a source is no vertex, `limit` is negative or NaN, `edge_mask` has another length, or
        `sparse` comes without `limit`.
    """
    check_digraph(g)
    start = vertex_numbers(np.atleast_1d(to_numpy(sources)), g.n, "sources")
    _check_limit(limit)
    threads = thread_count("roundtrip_distances", num_threads)
    mask = None if edge_mask is None else edge_flags(edge_mask, g.m)
    if sparse:
        if limit is None:
            raise ValueError("sparse distances need a limit")
        rows = g._search.round_trips_near(start, limit, edge_mask=mask, num_threads=threads)
        return SparseDistances(*rows, None, g.n)
    out = g._search.round_trips(start, limit=limit, edge_mask=mask, num_threads=threads)
    return out[0] if np.ndim(sources) == 0 else out


def ball(g: DiGraph, vertex: int, radius: float, *, reverse: bool = False) -> Ball:
    """Vertices within a distance of one, at a cost that follows their number.

    Parameters
    ----------
    g : DiGraph
    vertex : int
        The centre.
    radius : float
        Largest distance from the centre.
    reverse : bool
        Distances to the centre instead.

    Returns
    -------
    Ball
        The edges form a tree rooted in the centre.

    Raises
    ------
    TypeError
        If `vertex` is no integer.
    ValueError
        If it is no vertex, or `radius` is negative or NaN.
    """
    check_digraph(g)
    centre = vertex_number(vertex, g.n, "vertex")
    return Ball(*g._search.ball(centre, _radius(radius), reverse=reverse))


def roundtrip_ball(g: DiGraph, vertex: int, radius: float) -> Ball:
    """Vertices whose round trip with one is no longer than a radius.

    Shortest paths there and back never leave such a ball, so that two trees of its own vertices
    span it.

    Parameters
    ----------
    g : DiGraph
    vertex : int
        The centre.
    radius : float
        Largest distance there and back.

    Returns
    -------
    Ball
        The edges are those of a tree from the centre and of one to it, at most ``2 (b - 1)``.

    Raises
    ------
    TypeError
        If `vertex` is no integer.
    ValueError
        If it is no vertex, or `radius` is negative or NaN.
    """
    check_digraph(g)
    return Ball(*g._search.roundtrip_ball(vertex_number(vertex, g.n, "vertex"), _radius(radius)))


def ball_sizes(
    g: DiGraph,
    radius: float,
    of: Any = None,
    *,
    reverse: bool = False,
    k: int = 64,
    seed: int = 0,
) -> Doubles:
    """Estimate how many vertices lie within a radius of each vertex.

    Parameters
    ----------
    g : DiGraph
    radius : float
        Largest distance.
    of : array_like, optional
        Distinct vertices that count, shape ``(s,)``; all by default.
    reverse : bool
        Count those from which a vertex is reached, instead of those it reaches.
    k : int
        Size of the sketches, at least 3: the standard error is ``1 / sqrt(k - 2)`` of the size.
    seed : int
        Of the random ranks.

    Returns
    -------
    ndarray
        float64, shape ``(n,)``. Sizes below `k` are exact, and so is all where at most `k`
        vertices count; others are estimated without bias.

    Raises
    ------
    TypeError
        If vertices are not integers.
    ValueError
        If `of` holds something that is no vertex, or one twice, `radius` is negative or NaN, or
        `k` or `seed` is out of range.

    References
    ----------
    E. Cohen, "Size-estimation framework with applications to transitive closure and
    reachability", JCSS 55 (1997), 441-453.
    """
    check_digraph(g)
    members = np.arange(g.n) if of is None else vertex_numbers(to_numpy(of), g.n, "of")
    if np.unique(members).size != members.size:
        raise ValueError("of must hold distinct vertices")
    if not 3 <= k < 2**31:
        raise ValueError(f"k must be in [3, 2**31), got {k}")
    if not 0 <= seed < 2**64:
        raise ValueError(f"seed must be in [0, 2**64), got {seed}")
    return g._search.ball_sizes(members, _radius(radius), reverse=reverse, k=k, seed=seed)


def nearest_two(
    g: DiGraph,
    centres: Any,
    offsets: Any = None,
    limit: float = math.inf,
    *,
    reverse: bool = False,
) -> NearestTwo:
    """The two centres of least key ``d(c, v) - offset(c)`` for each vertex, in one search.

    Parameters
    ----------
    g : DiGraph
    centres : array_like
        Distinct vertices c, shape ``(s,)``.
    offsets : array_like, optional
        Head starts, finite, shape ``(s,)``; zeros by default.
    limit : float
        Keys beyond count as none; may be negative.
    reverse : bool
        Keys by ``d(v, c)`` instead.

    Returns
    -------
    NearestTwo
        Of equal keys, either centre may come first.

    Raises
    ------
    TypeError
        If centres are not integers.
    ValueError
        If a centre is no vertex or comes twice, offsets have another length or are not finite, or
        `limit` is NaN.
    """
    check_digraph(g)
    start = vertex_numbers(to_numpy(centres), g.n, "centres")
    if np.unique(start).size != start.size:
        raise ValueError("centres must be distinct")
    ahead = np.zeros(start.size) if offsets is None else np.asarray(to_numpy(offsets), np.float64)
    if ahead.shape != start.shape:
        raise ValueError(f"offsets must have shape {start.shape}, got {ahead.shape}")
    if not np.isfinite(ahead).all():
        raise ValueError("offsets must be finite")
    if math.isnan(limit):
        raise ValueError("limit must not be NaN")
    return NearestTwo(*g._search.nearest_two(start, ahead, limit, reverse=reverse))


def _check_limit(limit: float | None) -> None:
    if limit is not None and not limit >= 0:
        raise ValueError(f"limit must not be negative, got {limit}")


def _radius(radius: float) -> float:
    if not radius >= 0:
        raise ValueError(f"radius must not be negative, got {radius}")
    return radius
