# SPDX-License-Identifier: Apache-2.0
"""Shortest paths and strong components of digraphs, over ``csrc/paths``."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.ops._native import kernels
from workbench.ops._threads import thread_count
from workbench.storage.limits import machine_bytes

__all__ = ["IncrementalSearch", "SearchGraph"]

_CLASSES = {
    np.dtype(np.int32): kernels.DigraphI32,
    np.dtype(np.int64): kernels.DigraphI64,
    np.dtype(np.float32): kernels.DigraphF32,
    np.dtype(np.float64): kernels.DigraphF64,
}
_INCREMENTAL = {
    np.dtype(np.int32): kernels.IncrementalPathsI32,
    np.dtype(np.int64): kernels.IncrementalPathsI64,
    np.dtype(np.float32): kernels.IncrementalPathsF32,
    np.dtype(np.float64): kernels.IncrementalPathsF64,
}
Longs = npt.NDArray[np.int64]
Doubles = npt.NDArray[np.float64]


class SearchGraph:
    """A digraph laid out for searching, both ways round.

    Parameters
    ----------
    n : int
        Vertices.
    tails, heads : ndarray
        int64, shape ``(m,)``: the edges, in an order that edge numbers keep.
    weights : ndarray
        int32, int64, float32 or float64, shape ``(m,)``, finite and not negative.

    Raises
    ------
    ValueError
        If an edge leads out of the graph, or a weight is negative, infinite or NaN; the first
        such edge is named. Also when integer weights are so large that a round trip could
        exceed 63 bits.
    TypeError
        If the weights have another dtype.
    """

    def __init__(
        self,
        n: int,
        tails: npt.NDArray[np.int64],
        heads: npt.NDArray[np.int64],
        weights: npt.NDArray[Any],
    ) -> None:
        if weights.dtype not in _CLASSES:
            raise TypeError(
                f"weights must be int32, int64, float32 or float64, got {weights.dtype}"
            )
        if not (tails.shape == heads.shape == weights.shape) or tails.ndim != 1:
            raise ValueError(
                "tails, heads and weights must be vectors of one length, got shapes "
                f"{tails.shape}, {heads.shape} and {weights.shape}"
            )
        for name, ends in (("tails", tails), ("heads", heads)):
            wrong = np.flatnonzero((ends < 0) | (ends >= n))
            if wrong.size:
                e = int(wrong[0])
                raise ValueError(f"{name} must be in [0, {n}), but edge {e} has {int(ends[e])}")
        wrong = np.flatnonzero(~((weights >= 0) & np.isfinite(weights)))
        if wrong.size:
            e = int(wrong[0])
            raise ValueError(
                f"weights must be finite and not negative, but edge {e} "
                f"({int(tails[e])} -> {int(heads[e])}) has {weights[e]}"
            )
        largest = int(weights.max()) if weights.dtype.kind == "i" and weights.size else 0
        if 2 * largest * max(n - 1, 1) >= 2**63:
            raise ValueError(
                f"weights are too large: {largest} times twice {n - 1} edges exceeds 63 bits"
            )
        needed, memory = 16 * n, machine_bytes()
        if needed > memory:
            raise ValueError(
                f"n is too large: {n} vertices take {needed:,} bytes, this machine has {memory:,}"
            )
        self.n, self.m = n, int(tails.shape[0])
        self._graph = _CLASSES[weights.dtype](
            n,
            np.ascontiguousarray(tails, dtype=np.int64),
            np.ascontiguousarray(heads, dtype=np.int64),
            np.ascontiguousarray(weights),
        )

    def shortest_paths(
        self,
        sources: npt.NDArray[np.int64],
        *,
        reverse: bool = False,
        limit: float | None = None,
        targets: npt.NDArray[np.bool_] | None = None,
        edge_mask: npt.NDArray[np.bool_] | None = None,
        parents: bool = False,
        num_threads: int | None = None,
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64] | None]:
        """Distances from every source to every vertex.

        Parameters
        ----------
        sources : ndarray
            int64, shape ``(s,)``.
        reverse : bool
            Distances *to* the sources instead.
        limit : float, optional
            Vertices further away count as not reached.
        targets : ndarray, optional
            bool, shape ``(n,)``: a search ends when it has settled these; others may then count
            as not reached.
        edge_mask : ndarray, optional
            bool, shape ``(m,)``: edges that may be used.
        parents : bool
            Give the edge by which each vertex is reached as well.
        num_threads : int, optional
            torch's number by default.

        Returns
        -------
        distances : ndarray
            float64, shape ``(s, n)``, infinite where not reached; integers are exact below 2^53.
        parents : ndarray or None
            int64, shape ``(s, n)``: edge numbers, -1 at sources and where not reached.
        """
        distances, tree = self._graph.shortest_paths(
            _longs(sources),
            reverse,
            -1.0 if limit is None else float(limit),
            _flags(targets),
            _flags(edge_mask),
            parents,
            thread_count("shortest_paths", num_threads),
        )
        return distances, tree

    def shortest_paths_near(
        self,
        sources: npt.NDArray[np.int64],
        limit: float,
        *,
        reverse: bool = False,
        edge_mask: npt.NDArray[np.bool_] | None = None,
        parents: bool = False,
        num_threads: int | None = None,
    ) -> tuple[Longs, Longs, Doubles, Longs]:
        """What lies within a limit of each source; see :meth:`shortest_paths`.

        Returns
        -------
        indptr : ndarray
            int64, shape ``(s + 1,)``: source i's entries are at ``indptr[i]:indptr[i + 1]``.
        vertices, distances : ndarray
            int64 and float64, shape ``(indptr[-1],)``; vertices rise within a source.
        parents : ndarray
            int64: edge into each vertex or -1; empty unless asked for.
        """
        found: tuple[Longs, Longs, Doubles, Longs] = self._graph.shortest_paths_near(
            _longs(sources),
            reverse,
            float(limit),
            _flags(edge_mask),
            parents,
            thread_count("shortest_paths_near", num_threads),
        )
        return found

    def round_trips(
        self,
        sources: npt.NDArray[np.int64],
        *,
        limit: float | None = None,
        edge_mask: npt.NDArray[np.bool_] | None = None,
        num_threads: int | None = None,
    ) -> Doubles:
        """Distance there and back between every source and every vertex.

        Returns
        -------
        ndarray
            float64, shape ``(s, n)``, infinite where there is no way or beyond `limit`.
        """
        out: Doubles = self._graph.round_trips(
            _longs(sources),
            -1.0 if limit is None else float(limit),
            _flags(edge_mask),
            thread_count("round_trips", num_threads),
        )
        return out

    def round_trips_near(
        self,
        sources: npt.NDArray[np.int64],
        limit: float,
        *,
        edge_mask: npt.NDArray[np.bool_] | None = None,
        num_threads: int | None = None,
    ) -> tuple[Longs, Longs, Doubles]:
        """The round trips of at most `limit`, as :meth:`shortest_paths_near` gives them."""
        found: tuple[Longs, Longs, Doubles, Longs] = self._graph.round_trips_near(
            _longs(sources),
            float(limit),
            _flags(edge_mask),
            thread_count("round_trips_near", num_threads),
        )
        return found[:3]

    def ball_sizes(
        self,
        of: npt.NDArray[np.int64],
        radius: float,
        *,
        reverse: bool = False,
        k: int = 64,
        seed: int = 0,
    ) -> Doubles:
        """Estimate for each vertex how many of some distinct vertices lie within a radius.

        Returns
        -------
        ndarray
            float64, shape ``(n,)``.
        """
        out: Doubles = self._graph.ball_sizes(_longs(of), float(radius), reverse, k, seed)
        return out

    def ball(
        self, vertex: int, radius: float, *, reverse: bool = False
    ) -> tuple[Longs, Doubles, Longs]:
        """Vertices within a radius, their distances, and the edges of the tree that spans them."""
        out: tuple[Longs, Doubles, Longs] = self._graph.ball(vertex, float(radius), reverse)
        return out

    def roundtrip_ball(self, vertex: int, radius: float) -> tuple[Longs, Doubles, Longs]:
        """The same by distance there and back; the edges are those of both trees."""
        out: tuple[Longs, Doubles, Longs] = self._graph.roundtrip_ball(vertex, float(radius))
        return out

    def nearest_two(
        self,
        centres: npt.NDArray[np.int64],
        offsets: npt.NDArray[np.float64],
        limit: float,
        *,
        reverse: bool = False,
    ) -> tuple[Doubles, Longs]:
        """Two least keys ``d(c, v) - offset(c)`` of each vertex, and whose they are.

        Returns
        -------
        keys, names : ndarray
            float64 and int64, shape ``(n, 2)``: infinite and -1 where there is none.
        """
        out: tuple[Doubles, Longs] = self._graph.nearest_two(
            _longs(centres), np.ascontiguousarray(offsets, np.float64), float(limit), reverse
        )
        return out

    def strong_components(self) -> tuple[int, npt.NDArray[np.int32]]:
        """Number of strongly connected components, and that of each vertex.

        Returns
        -------
        (int, ndarray)
            Edges between components lead from higher numbers to lower ones.
        """
        count, component = self._graph.strong_components()
        return int(count), component


class IncrementalSearch:
    """Distances from one vertex over a growing set of edges.

    Parameters
    ----------
    n : int
        Vertices.
    tails, heads : ndarray
        int64, shape ``(m,)``: edges that may be taken into use; kept, not copied. Exchange them
        for distances to the vertex.
    weights : ndarray
        int32, int64, float32 or float64, shape ``(m,)``, checked as by :class:`SearchGraph`.
    source : int
        The vertex.

    Attributes
    ----------
    distances : ndarray
        float64, shape ``(n,)``: read-only and always up to date.
    """

    def __init__(
        self,
        n: int,
        tails: npt.NDArray[np.int64],
        heads: npt.NDArray[np.int64],
        weights: npt.NDArray[Any],
        source: int,
    ) -> None:
        if weights.dtype not in _INCREMENTAL:
            raise TypeError(
                f"weights must be int32, int64, float32 or float64, got {weights.dtype}"
            )
        self._search: Any = _INCREMENTAL[weights.dtype](
            n, _longs(tails), _longs(heads), np.ascontiguousarray(weights), source
        )
        self.distances: Doubles = self._search.distances()
        self.distances.flags.writeable = False

    def insert(self, edges: npt.NDArray[np.int64]) -> Longs:
        """Take edges into use; gives the vertices that have come nearer, by rising number."""
        changed: Longs = self._search.insert(_longs(edges))
        return changed

    def parents(self) -> Longs:
        """Edge into each vertex, -1 at the source and where nothing leads; a copy."""
        parents: Longs = self._search.parents()
        return parents

    def used(self) -> npt.NDArray[np.bool_]:
        """Which edges are in use; a copy."""
        used: npt.NDArray[np.bool_] = self._search.used().astype(bool)
        return used


def _longs(x: npt.NDArray[np.int64]) -> Longs:
    return np.ascontiguousarray(x, dtype=np.int64)


def _flags(x: npt.NDArray[np.bool_] | None) -> npt.NDArray[np.uint8] | None:
    return None if x is None else np.ascontiguousarray(x, dtype=np.uint8)
