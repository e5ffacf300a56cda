# SPDX-License-Identifier: Apache-2.0
"""A spanner and what is known of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from graphs.digraph import DiGraph
from workbench.distribution import MissingExtraError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from graphs.spanner.verify import StretchReport

__all__ = ["Certificate", "RoundtripSpanner"]


@dataclass(frozen=True)
class Certificate:
    """Why a spanner keeps its bound.

    Attributes
    ----------
    method : str
        ``"exact"``, ``"greedy"``, ``"cover"`` or ``"rtz"``, followed by ``"+prune"`` if pruned.
    seed : int
        Of the random numbers; it can change size and time, never the bound.
    bound : float
        The stretch that holds by construction.
    scales : list of dict
        Of ``cover``, per component and scale: the `radius` R of the pairs it is for, `sources`
        with company at that scale, how many were certified `by_carving`, `alone` and by
        `fallback` (an exact ball), `repetitions`, `certified` after each of them, vertices
        `settled`, edges of `contracted` components.
    verified : float or None
        The largest stretch measured.
    verification : str
        ``"full"``, ``"sample"`` or ``"none"``.
    """

    method: str
    seed: int
    bound: float
    scales: list[dict[str, Any]] = field(default_factory=list)
    verified: float | None = None
    verification: str = "none"

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON."""
        return asdict(self)


@dataclass(frozen=True)
class RoundtripSpanner:
    """A subgraph in which round trips from the sources are at most `stretch_bound` times longer.

    Attributes
    ----------
    graph : DiGraph
        The whole graph.
    sources : ndarray
        int64, shape ``(s,)``: distinct, in the order given.
    edge_mask : ndarray
        bool, shape ``(m,)``: the edges kept, in the order the graph has them.
    method : str
        What built it.
    stretch_bound : float
        The stretch that holds by construction.
    certificate : Certificate
    stretch : StretchReport or None
        The stretch as measured, where it was.
    stats : dict
        Vertices and edges, in all and in components that hold a source, sources that are alone in
        theirs (`lone_sources`), `searches` (work in full searches), `seconds` of each phase.
    """

    graph: DiGraph
    sources: npt.NDArray[np.int64]
    edge_mask: npt.NDArray[np.bool_]
    method: str
    stretch_bound: float
    certificate: Certificate
    stretch: StretchReport | None = None
    stats: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def edge_ids(self) -> npt.NDArray[np.int64]:
        """Numbers of the edges kept, rising."""
        return np.flatnonzero(self.edge_mask)

    @property
    def size(self) -> int:
        """Edges kept."""
        return int(self.edge_ids.size)

    def __repr__(self) -> str:
        measured = "" if self.stretch is None else f", measured {self.stretch.max:.4g}"
        return (
            f"RoundtripSpanner({self.size} of {self.graph.m} edges, {len(self.sources)} sources, "
            f"stretch <= {self.stretch_bound:g}{measured}, by {self.certificate.method})"
        )

    def subgraph(self) -> DiGraph:
        """Return the edges kept as a graph of the same vertices."""
        return self.graph.subgraph(self.edge_mask)

    def to_csr(self) -> Any:
        """Return the edges kept as a scipy CSR array whose stored entries are the weights.

        Raises
        ------
        ImportError
            Without scipy.
        """
        try:
            from scipy.sparse import csr_array
        except ImportError as error:
            raise MissingExtraError("to_csr needs scipy", "sparse") from error
        keep = self.edge_ids
        g = self.graph
        order = keep[np.lexsort((g.heads[keep], g.tails[keep]))]
        ptr = np.zeros(g.n + 1, np.int64)
        np.cumsum(np.bincount(g.tails[order], minlength=g.n), out=ptr[1:])
        return csr_array((g.weights[order], g.heads[order], ptr), shape=(g.n, g.n))

    def to_networkx(self, weight: str = "weight") -> Any:
        """Return the edges kept as a networkx DiGraph of all vertices, by their names.

        Parameters
        ----------
        weight : str
            Edge attribute for the weights.

        Raises
        ------
        ImportError
            Without networkx.
        """
        try:
            import networkx
        except ImportError as error:
            raise ImportError("to_networkx needs networkx: pip install networkx") from error
        g, keep = self.graph, self.edge_ids
        names = list(range(g.n)) if g.nodes is None else list(g.nodes)
        out = networkx.DiGraph()
        out.add_nodes_from(names)
        ends = zip(
            g.tails[keep].tolist(), g.heads[keep].tolist(), g.weights[keep].tolist(), strict=True
        )
        out.add_weighted_edges_from(((names[u], names[v], w) for u, v, w in ends), weight=weight)
        return out

    def draw(self, pos: Any = None, ax: Axes | None = None) -> Axes:
        """Draw the edges kept over those that are not, in grey.

        Parameters
        ----------
        pos : array_like or mapping, optional
            Place of each vertex, shape ``(n, 2)``; those of the graph by default.
        ax : Axes, optional
            Where to; a new figure by default.
        """
        from graphs.spanner.picture import draw

        return draw(self, pos, ax)

    def draw_stretch(self, ax: Axes | None = None) -> Axes:
        """Draw the measured stretch against the distance there and back.

        Raises
        ------
        ValueError
            If the spanner was not verified.
        """
        from graphs.spanner.picture import draw_stretch

        if self.stretch is None:
            raise ValueError("draw_stretch: this spanner was built with verify='none'")
        return draw_stretch(self.stretch, ax, bound=self.stretch_bound)
