# SPDX-License-Identifier: Apache-2.0
"""Point-to-point search guided by landmarks, over ``csrc/paths/alt.hpp``."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from workbench.ops._native import kernels
from workbench.ops._threads import thread_count
from workbench.ops.shortest_paths import SearchGraph

__all__ = ["PairPaths", "landmark_search"]


class PairPaths(NamedTuple):
    """Shortest paths of q pairs.

    Attributes
    ----------
    distances : ndarray
        float64, shape ``(q,)``, infinite where there is no path.
    settled : ndarray
        int64, shape ``(q,)``: vertices the search expanded.
    starts, edges : ndarray
        int64: the path of pair i is ``edges[starts[i]:starts[i + 1]]``.
    """

    distances: npt.NDArray[np.float64]
    settled: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    edges: npt.NDArray[np.int64]


def landmark_search(
    graph: SearchGraph,
    sources: npt.NDArray[np.int64],
    targets: npt.NDArray[np.int64],
    to: npt.NDArray[np.float64],
    from_: npt.NDArray[np.float64],
    *,
    active: int = 8,
    edge_mask: npt.NDArray[np.bool_] | None = None,
    num_threads: int | None = None,
) -> PairPaths:
    """Shortest paths between pairs by A* with landmarks.

    Parameters
    ----------
    graph : SearchGraph
    sources, targets : ndarray
        int64, shape ``(q,)``.
    to, from_ : ndarray
        float64, shape ``(n, k)``: distances of each vertex to and from each landmark, over the
        same edges as may be used; ``k = 0`` is Dijkstra's algorithm.
    active : int
        How many landmarks to use for a pair: those that bound its distance best.
    edge_mask : ndarray, optional
        bool, shape ``(m,)``: edges that may be used.
    num_threads : int, optional
        torch's number by default; pairs are shared among them.

    Returns
    -------
    PairPaths
        The same distances, to the bit, as ``graph.shortest_paths`` gives.

    References
    ----------
    Goldberg, Harrelson, "Computing the shortest path: A* search meets graph theory", SODA 2005.
    """
    mask: Any = None if edge_mask is None else np.ascontiguousarray(edge_mask, dtype=np.uint8)
    return PairPaths(
        *kernels.alt_search(
            graph._graph,
            np.ascontiguousarray(sources, dtype=np.int64),
            np.ascontiguousarray(targets, dtype=np.int64),
            np.ascontiguousarray(to, dtype=np.float64),
            np.ascontiguousarray(from_, dtype=np.float64),
            active,
            mask,
            thread_count("landmark_search", num_threads),
        )
    )
