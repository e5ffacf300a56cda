# SPDX-License-Identifier: Apache-2.0
"""Distances to and from a few landmarks: bounds on all others, and searches guided by them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from graphs.arguments import check_digraph, edge_flags, integers, to_numpy, vertex_numbers
from graphs.digraph import DiGraph
from graphs.searches import sssp
from workbench.ops._buffers import empty_array
from workbench.ops._threads import thread_count
from workbench.ops.landmark_search import landmark_search

__all__ = ["LandmarkOracle", "Route", "landmark_oracle"]

Floats = npt.NDArray[np.float64]
_PIECE = 1 << 21  # numbers looked at together


class Route(NamedTuple):
    """A shortest path.

    Attributes
    ----------
    distance : float
        Infinite if there is none.
    edges : ndarray
        int64: the edges of the path in their order.
    settled : int
        Vertices the search expanded.
    settled_plain : int or None
        The same for Dijkstra's algorithm, where that was asked for.
    """

    distance: float
    edges: npt.NDArray[np.int64]
    settled: int
    settled_plain: int | None


class LandmarkOracle:
    """Made by :func:`landmark_oracle`.

    Attributes
    ----------
    g : DiGraph
    landmarks : ndarray
        int64, shape ``(s,)``.
    to, from_ : ndarray
        float64, shape ``(n, s)``: distances of each vertex to and from each landmark.
    edge_mask : ndarray or None
        bool, shape ``(m,)``: the edges they were taken over.
    stretch : float or None
        Of round trips over these edges, between landmarks and all vertices.
    """

    def __init__(
        self,
        g: DiGraph,
        landmarks: npt.NDArray[np.int64],
        to: Floats,
        from_: Floats,
        edge_mask: npt.NDArray[np.bool_] | None,
        stretch: float | None,
    ) -> None:
        self.g, self.landmarks, self.to, self.from_ = g, landmarks, to, from_
        self.edge_mask, self.stretch = edge_mask, stretch

    def __repr__(self) -> str:
        return f"LandmarkOracle({self.landmarks.size} landmarks on {self.g!r})"

    @property
    def nbytes(self) -> int:
        """Memory of the tables in bytes."""
        return self.to.nbytes + self.from_.nbytes

    def bounds(self, u: Any, v: Any) -> tuple[Any, Any]:
        """Bounds on distances ``d(u, v)`` in G.

        Parameters
        ----------
        u, v : int or array_like
            Vertices, of shapes that broadcast.

        Returns
        -------
        lower, upper : float64 or ndarray of it
            Exact where u or v is a landmark (and no `edge_mask` was given); true to within
            rounding for float weights. An infinite lower bound is proof that there is no path,
            an infinite upper bound says nothing. Over a spanner see the notes of
            :func:`landmark_oracle`.

        Raises
        ------
        TypeError, ValueError
            If u or v are no vertices.
        """
        return self._over_pairs(u, v, self._bounds)

    def roundtrip_bounds(self, u: Any, v: Any) -> tuple[Any, Any]:
        """Bounds on round trips ``d(u, v) + d(v, u)`` in G.

        Parameters
        ----------
        u, v : int or array_like
            Vertices, of shapes that broadcast.

        Returns
        -------
        lower, upper : float64 or ndarray of it
            As for :meth:`bounds`.

        Raises
        ------
        TypeError, ValueError
            If u or v are no vertices.
        """
        return self._over_pairs(u, v, self._roundtrip_bounds)

    def search(self, u: int, v: int, *, active: int = 8, compare: bool = False) -> Route:
        """A shortest path from u to v over the edges the tables were taken over.

        That is G, or the spanner where an `edge_mask` was given.

        Parameters
        ----------
        u, v : int
            Vertices.
        active : int
            Landmarks that guide the search: those that bound this pair's distance best.
        compare : bool
            Count what Dijkstra's algorithm would expand, by running it too.

        Returns
        -------
        Route
            Its distance is that of :func:`sssp` to the bit.

        Raises
        ------
        TypeError, ValueError
            If u or v is no vertex or `active` is negative.
        """
        if np.ndim(u) or np.ndim(v):
            raise ValueError("u and v must be single vertices; search_pairs takes several")
        distances, edges, settled = self.search_pairs(u, v, active=active, num_threads=1)
        plain = None
        if compare:
            plain = int(self.search_pairs(u, v, active=0, num_threads=1)[2][0])
        return Route(float(distances[0]), edges[0], int(settled[0]), plain)

    def search_pairs(
        self, u: Any, v: Any, *, active: int = 8, num_threads: int | None = None
    ) -> tuple[Floats, list[npt.NDArray[np.int64]], npt.NDArray[np.int64]]:
        """Shortest paths of many pairs, as :meth:`search` finds them.

        Parameters
        ----------
        u, v : array_like
            Vertices, shape ``(q,)``.
        active : int
            Landmarks that guide each search; 0 is Dijkstra's algorithm.
        num_threads : int, optional
            torch's number by default; pairs are shared among them.

        Returns
        -------
        distances : ndarray
            float64, shape ``(q,)``.
        paths : list of ndarray
            The edges of each path.
        settled : ndarray
            int64, shape ``(q,)``: vertices each search expanded.
        """
        threads = thread_count("search_pairs", num_threads)
        if active < 0:
            raise ValueError(f"active must not be negative, got {active}")
        a, b = (
            vertex_numbers(np.atleast_1d(to_numpy(x)), self.g.n, k) for x, k in ((u, "u"), (v, "v"))
        )
        if a.shape != b.shape:
            raise ValueError(f"u and v must be of one length, got {a.size} and {b.size}")
        to, from_ = (self.to, self.from_) if active else (self.to[:, :0], self.from_[:, :0])
        found = landmark_search(
            self.g._search,
            a,
            b,
            to,
            from_,
            active=active,
            edge_mask=self.edge_mask,
            num_threads=threads,
        )
        paths = np.split(found.edges, found.starts[1:])[:-1]
        return found.distances, paths, found.settled

    def _over_pairs(self, u: Any, v: Any, bounds: Any) -> tuple[Any, Any]:
        first, second = np.broadcast_arrays(to_numpy(u), to_numpy(v))
        shape = first.shape
        a, b = (
            vertex_numbers(np.atleast_1d(x).ravel(), self.g.n, k)
            for x, k in ((first, "u"), (second, "v"))
        )
        lower, upper = empty_array(a.size, np.float64), empty_array(a.size, np.float64)
        step = max(1, _PIECE // max(1, self.landmarks.size))
        for i in range(0, a.size, step):
            here = slice(i, i + step)
            lower[here], upper[here] = bounds(a[here], b[here])
        same = a == b
        lower[same] = upper[same] = 0
        np.minimum(lower, upper, out=lower)  # rounding must not cross them
        return lower.reshape(shape)[()], upper.reshape(shape)[()]

    def _bounds(self, a: Any, b: Any) -> tuple[Floats, Floats]:
        a_to, a_from, b_to, b_from = self.to[a], self.from_[a], self.to[b], self.from_[b]
        upper = (a_to + b_from).min(axis=1, initial=np.inf)
        if self.edge_mask is None:
            lower = np.maximum(_excess(a_to, b_to), _excess(b_from, a_from))
        elif self.stretch is not None:
            # d_G(u, l) >= rt_H(u, l) / t - d_H(l, u), and so for d_G(l, v).
            low_to = _one_way(a_to + a_from, a_from, self.stretch)
            low_from = _one_way(b_to + b_from, b_to, self.stretch)
            lower = np.maximum(_excess(low_to, b_to), _excess(low_from, a_from))
        else:
            lower = np.zeros(upper.shape)
        return lower, upper

    def _roundtrip_bounds(self, a: Any, b: Any) -> tuple[Floats, Floats]:
        rt_a, rt_b = self.to[a] + self.from_[a], self.to[b] + self.from_[b]
        upper = (rt_a + rt_b).min(axis=1, initial=np.inf)
        if self.edge_mask is None:
            there, over = self._bounds(a, b)
            back, under = self._bounds(b, a)
            lower = np.maximum(np.maximum(_excess(rt_a, rt_b), _excess(rt_b, rt_a)), there + back)
            return lower, np.minimum(upper, over + under)
        t = self.stretch
        if t is None:
            return np.zeros(upper.shape), upper
        return np.maximum(_excess(rt_a / t, rt_b), _excess(rt_b / t, rt_a)), upper


def landmark_oracle(
    g: DiGraph,
    sources: Any,
    *,
    edge_mask: Any = None,
    stretch: float | None = None,
    num_threads: int | None = None,
) -> LandmarkOracle:
    """Prepare bounds on all distances from those to and from some landmarks.

    Parameters
    ----------
    g : DiGraph
    sources : array_like
        The landmarks, shape ``(s,)``, all different.
    edge_mask : array_like, optional
        bool, shape ``(m,)``: a spanner's edges; distances are then taken over them.
    stretch : float, optional
        With `edge_mask`: the stretch of the spanner's round trips between the landmarks and all
        vertices, at least 1. Without it a spanner gives no lower bounds.
    num_threads : int, optional
        torch's number by default.

    Returns
    -------
    LandmarkOracle
        It holds ``2 n s`` float64.

    Raises
    ------
    TypeError, ValueError
        If sources are no vertices, repeat or are none, `edge_mask` has another shape, or
        `stretch` is below 1 or comes without `edge_mask`.

    Notes
    -----
    For landmark l the triangle inequality gives ``d(u, v) <= d(u, l) + d(l, v)``,
    ``d(u, v) >= d(u, l) - d(v, l)`` and ``d(u, v) >= d(l, v) - d(l, u)``.

    Distances over a spanner H are no smaller than in G, so upper bounds hold as they are. The
    terms lower bounds subtract may be H's as well, but those they subtract from must be bounded
    from below: ``d_G(u, l) >= rt_H(u, l) / stretch - d_H(l, u)``, and round trips from a
    landmark are at least H's divided by the stretch. No spanner of round trips bounds one
    direction well; use G's distances where lower bounds matter.

    References
    ----------
    Goldberg, Harrelson, "Computing the shortest path: A* search meets graph theory", SODA 2005.
    """
    check_digraph(g)
    threads = thread_count("landmark_oracle", num_threads)
    landmarks = vertex_numbers(
        integers(np.atleast_1d(to_numpy(sources)), "sources"), g.n, "sources"
    )
    if landmarks.size == 0:
        raise ValueError("sources must not be empty")
    if np.unique(landmarks).size != landmarks.size:
        raise ValueError("sources must be different vertices")
    mask = None if edge_mask is None else edge_flags(edge_mask, g.m)
    if stretch is not None and mask is None:
        raise ValueError("stretch is that of a spanner: give its edge_mask")
    if stretch is not None and not stretch >= 1:
        raise ValueError(f"stretch must be at least 1, got {stretch}")
    to, from_ = (
        np.ascontiguousarray(
            sssp(g, landmarks, reverse=reverse, edge_mask=mask, num_threads=threads).T
        )
        for reverse in (True, False)
    )
    return LandmarkOracle(g, landmarks, to, from_, mask, stretch)


def _one_way(roundtrip: Floats, back: Floats, stretch: float) -> Floats:
    """What is left of a round trip without the way back; no round trip tells nothing."""
    known = np.isfinite(roundtrip)
    out = np.zeros(roundtrip.shape)
    np.subtract(roundtrip / stretch, back, out=out, where=known)
    return np.maximum(out, 0, out=out)


def _excess(a: Floats, b: Floats) -> Floats:
    """The largest ``a - b`` of each row, at least 0; an infinite b tells nothing."""
    known = np.isfinite(b)
    out: Floats = np.subtract(a, b, out=np.zeros(a.shape), where=known).max(axis=1, initial=0)
    return out
