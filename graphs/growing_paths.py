# SPDX-License-Identifier: Apache-2.0
"""Shortest paths over a growing set of edges."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from graphs.arguments import edge_flags, to_numpy, vertex_number, vertex_numbers
from graphs.digraph import DiGraph
from workbench.ops.shortest_paths import IncrementalSearch

__all__ = ["IncrementalPaths"]

Doubles = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]


class IncrementalPaths:
    """Shortest paths from one vertex while edges are taken into use, never to be given up.

    Parameters
    ----------
    g : DiGraph
        Its edges are those that may be used.
    source : int
        The vertex.
    reverse : bool
        Paths to it instead.
    edge_mask : array_like, optional
        bool, shape ``(m,)``: edges in use from the beginning; none by default.

    Attributes
    ----------
    distances : ndarray
        float64, shape ``(n,)``: read-only and up to date after every :meth:`insert`; infinite
        where no path leads.

    Raises
    ------
    TypeError
        If `source` is no integer.
    ValueError
        If it is no vertex, or `edge_mask` has another length.

    Notes
    -----
    An insertion costs ``O(c log c)`` for c vertices that come nearer and the edges in use that
    leave them. Not for use from several threads at once.
    """

    def __init__(
        self, g: DiGraph, source: int, *, reverse: bool = False, edge_mask: Any = None
    ) -> None:
        start = vertex_number(source, g.n, "source")
        mask = None if edge_mask is None else edge_flags(edge_mask, g.m)
        ends = (g.heads, g.tails) if reverse else (g.tails, g.heads)
        self._m = g.m
        self._search = IncrementalSearch(g.n, *ends, g.weights, start)
        if mask is not None:
            self._search.insert(np.flatnonzero(mask))

    @property
    def distances(self) -> Doubles:
        """Distance of every vertex."""
        return self._search.distances

    @property
    def parents(self) -> Longs:
        """Edge into each vertex, int64 of shape ``(n,)``, or -1; a copy."""
        return self._search.parents()

    @property
    def edge_mask(self) -> npt.NDArray[np.bool_]:
        """Which edges are in use, bool of shape ``(m,)``; a copy."""
        return self._search.used()

    def insert(self, edges: Any) -> Longs:
        """Take edges into use.

        Parameters
        ----------
        edges : int or array_like
            Numbers of edges; those already in use change nothing.

        Returns
        -------
        ndarray
            int64: the vertices that have come nearer, by rising number.

        Raises
        ------
        TypeError
            If the numbers are not integers.
        ValueError
            If there is no such edge.
        """
        return self._search.insert(vertex_numbers(np.atleast_1d(to_numpy(edges)), self._m, "edges"))
