# SPDX-License-Identifier: Apache-2.0
"""Shortest paths and strong components of digraphs, over ``csrc/paths``."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from workbench.ops._native import kernels

__all__ = ["SearchGraph"]

_CLASSES = {
    np.dtype(np.int32): kernels.DigraphI32,
    np.dtype(np.int64): kernels.DigraphI64,
    np.dtype(np.float32): kernels.DigraphF32,
    np.dtype(np.float64): kernels.DigraphF64,
}


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
        flags = [
            None if f is None else np.ascontiguousarray(f, dtype=np.uint8)
            for f in (targets, edge_mask)
        ]
        distances, tree = self._graph.shortest_paths(
            np.ascontiguousarray(sources, dtype=np.int64),
            reverse,
            -1.0 if limit is None else float(limit),
            *flags,
            parents,
            torch.get_num_threads() if num_threads is None else num_threads,
        )
        return distances, tree

    def strong_components(self) -> tuple[int, npt.NDArray[np.int32]]:
        """Number of strongly connected components, and that of each vertex.

        Returns
        -------
        (int, ndarray)
            Edges between components lead from higher numbers to lower ones.
        """
        count, component = self._graph.strong_components()
        return int(count), component
