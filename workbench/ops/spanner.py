# SPDX-License-Identifier: Apache-2.0
"""Round-trip spanners of digraphs, over ``csrc/spanner``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.ops._native import kernels

__all__ = ["Core", "Report", "SpannerProblem", "Trees"]

#: Called with what is done and what there is to do.
Report = Callable[[int, int], None]
#: Distances from and to a batch of sources, and the arcs by which vertices are entered.
Trees = tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]


class Core:
    """The size of one strongly connected component that holds sources.

    Attributes
    ----------
    n, m : int
        Vertices, and edges without self loops and heavier parallel ones.
    sources : int
    bytes : int
        Of one distance: 4 where round trips fit 32 bits, else 8.
    """

    def __init__(self, n: int, m: int, sources: int, size: int) -> None:
        self.n, self.m, self.sources, self.bytes = n, m, sources, size


class SpannerProblem:
    """A digraph and its sources, cut into the components that matter.

    Parameters
    ----------
    n : int
        Vertices.
    tails, heads : ndarray
        int64, shape ``(m,)``.
    weights : ndarray
        Integers or floats of at most 64 bits, shape ``(m,)``, finite and not negative.
    component : ndarray
        int32, shape ``(n,)``: the strongly connected component of each vertex, of `count`.
    sources : ndarray
        int64, shape ``(s,)``, distinct.

    Notes
    -----
    Methods mark edges in `mask` (uint8, shape ``(m,)``) in place. What they mark does not depend
    on the number of threads.
    """

    def __init__(
        self,
        n: int,
        tails: npt.NDArray[np.int64],
        heads: npt.NDArray[np.int64],
        weights: npt.NDArray[Any],
        component: npt.NDArray[np.int32],
        count: int,
        sources: npt.NDArray[np.int64],
    ) -> None:
        wide = np.float64 if weights.dtype.kind == "f" else np.int64
        self.m = int(tails.shape[0])
        self._problem = kernels.SpannerProblem(
            n,
            np.ascontiguousarray(tails, np.int64),
            np.ascontiguousarray(heads, np.int64),
            np.ascontiguousarray(weights, wide),
            np.ascontiguousarray(component, np.int32),
            count,
            np.ascontiguousarray(sources, np.int64),
        )
        self.cores = [Core(*sizes) for sizes in self._problem.cores()]

    def exact(
        self,
        mask: npt.NDArray[np.uint8],
        begin: int,
        end: int,
        threads: int,
        report: Report | None = None,
    ) -> None:
        """Mark the shortest-path trees from and to the sources numbered [begin, end).

        Sources are numbered core by core.
        """
        self._problem.exact(mask, begin, end, threads, report)

    def cover(
        self,
        mask: npt.NDArray[np.uint8],
        stretch: float,
        seed: int,
        threads: int,
        *,
        repetitions: int = 30,
        samples: int = 12,
        share: int = 0,
        shares: int = 1,
        report: Report | None = None,
    ) -> list[list[dict[str, Any]]]:
        """Mark a cover by certified balls; return how each scale of each core went.

        Of the scales only those numbered `share` modulo `shares` are done.
        """
        found: list[list[dict[str, Any]]] = self._problem.cover(
            mask, stretch, seed, repetitions, samples, share, shares, threads, report
        )
        return found

    def sampled_balls(
        self,
        mask: npt.NDArray[np.uint8],
        k: int,
        epsilon: float,
        seed: int,
        threads: int,
        *,
        share: int = 0,
        shares: int = 1,
        report: Report | None = None,
    ) -> int:
        """Mark balls around sampled sources, stretch 2k(1 + epsilon); return vertices settled."""
        return int(
            self._problem.sampled_balls(mask, k, epsilon, seed, share, shares, threads, report)
        )

    def search_trees(self, core: int, begin: int, end: int, threads: int) -> Trees:
        """Shortest paths from and to some of a core's sources, as `greedy` takes them."""
        found: Trees = self._problem.search_trees(core, begin, end, threads)
        return found

    def greedy(
        self,
        mask: npt.NDArray[np.uint8],
        stretch: float,
        seed: int,
        threads: int,
        *,
        hub: bool = True,
        trees: Callable[[int, int, int], Trees] | None = None,
        report: Report | None = None,
    ) -> list[dict[str, int]]:
        """Insert shortest paths where the stretch is not met, source by source.

        Starts from what is marked, and with `hub` from the trees of one source. `trees` stands in
        for :meth:`search_trees`, called with core, begin and end.
        """
        found: list[dict[str, int]] = self._problem.greedy(
            mask, stretch, hub, seed, threads, report, trees
        )
        return found

    def prune(
        self,
        mask: npt.NDArray[np.uint8],
        stretch: float,
        threads: int,
        report: Report | None = None,
    ) -> dict[str, int]:
        """Unmark edges, heaviest first, that the stretch can be met without."""
        found: dict[str, int] = self._problem.prune(mask, stretch, threads, report)
        return found

    def prune_bytes(self) -> int:
        """Memory :meth:`prune` keeps distances and trees in."""
        return max((core.sources * core.n * (3 * core.bytes + 8) for core in self.cores), default=0)
