# SPDX-License-Identifier: Apache-2.0
"""Directed graphs with weights: an immutable container, and searches on it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from graphs.arguments import check_digraph, edge_flags, integers, to_numpy, weights_array
from workbench.ops.shortest_paths import SearchGraph

__all__ = ["DiGraph", "strong_components"]

Array = npt.NDArray[Any]


class DiGraph:
    """An immutable directed multigraph whose edges keep the numbers they came with.

    Make one with :meth:`from_edges`, :meth:`from_csr`, :meth:`from_scipy`,
    :meth:`from_networkx` or :meth:`from_edge_index`.

    Attributes
    ----------
    n, m : int
        Vertices and edges.
    tails, heads : ndarray
        int64, shape ``(m,)``: edge ``e`` leads from ``tails[e]`` to ``heads[e]``.
    weights : ndarray
        int32, int64, float32 or float64, shape ``(m,)``.
    nodes : list, range or None
        What the vertices are called, where they came with names; see :meth:`index`.
    positions : ndarray or None
        float64, shape ``(n, 2)``: x and y of each vertex, where known.
    info : mapping
        What else a file said of the graph.
    """

    def __init__(
        self,
        n: int,
        tails: Array,
        heads: Array,
        weights: Array,
        nodes: Sequence[Hashable] | None = None,
        *,
        positions: Any = None,
        info: Mapping[str, Any] | None = None,
    ) -> None:
        if nodes is not None and len(nodes) != n:
            raise ValueError(f"nodes must name all {n} vertices, got {len(nodes)}")
        if positions is not None and np.shape(positions) != (n, 2):
            raise ValueError(f"positions must have shape ({n}, 2), got {np.shape(positions)}")
        # Checked there, before anything is kept.
        self._search = SearchGraph(n, tails, heads, weights)
        self.n, self.m = n, int(tails.shape[0])
        self.tails, self.heads, self.weights = (_frozen(x) for x in (tails, heads, weights))
        self.nodes = nodes if nodes is None or isinstance(nodes, range) else list(nodes)
        self.positions = None if positions is None else _frozen(np.asarray(positions, np.float64))
        self.info: Mapping[str, Any] = MappingProxyType(dict(info or {}))

    def __repr__(self) -> str:
        return f"DiGraph({self.n} vertices, {self.m} edges, {self.weights.dtype} weights)"

    def __reduce__(self) -> tuple[Any, ...]:
        # The search structure is quicker to build than to carry.
        return _restored, (
            self.n,
            self.tails,
            self.heads,
            self.weights,
            self.nodes,
            self.positions,
            dict(self.info),
        )

    @classmethod
    def from_edges(
        cls, tails: Any, heads: Any, weights: Any = None, n: int | None = None
    ) -> DiGraph:
        """From one array per end.

        Parameters
        ----------
        tails, heads : array_like
            Integers, shape ``(m,)``.
        weights : array_like, optional
            Shape ``(m,)``; ones (int32) by default. Other integer and float types are widened.
        n : int, optional
            Vertices; by default one more than the largest number that occurs.

        Raises
        ------
        TypeError
            If ends are not integers or weights are boolean or complex.
        ValueError
            If lengths differ, or an edge leads out of the graph or has a weight that is
            negative, infinite or NaN; the edge is named.
        """
        ends = [integers(tails, "tails"), integers(heads, "heads")]
        if n is None:
            n = max((int(e.max()) + 1 for e in ends if e.size), default=0)
        if n < 0:
            raise ValueError(f"n must not be negative, got {n}")
        w = np.ones(ends[0].shape, np.int32) if weights is None else weights_array(weights)
        return cls(n, ends[0], ends[1], w)

    @classmethod
    def from_csr(cls, indptr: Any, indices: Any, weights: Any = None) -> DiGraph:
        """From compressed rows; edges are numbered as they are stored.

        Parameters
        ----------
        indptr, indices : array_like
            Integers, shapes ``(n + 1,)`` and ``(m,)``.
        weights : array_like, optional
            Shape ``(m,)``; ones by default.
        """
        ptr, heads = integers(indptr, "indptr"), integers(indices, "indices")
        if ptr.size < 1 or ptr[0] != 0 or (np.diff(ptr) < 0).any() or ptr[-1] != heads.size:
            raise ValueError("indptr must rise from 0 to the number of indices")
        tails = np.repeat(np.arange(ptr.size - 1, dtype=np.int64), np.diff(ptr))
        return cls.from_edges(tails, heads, weights, ptr.size - 1)

    @classmethod
    def from_scipy(cls, A: Any) -> DiGraph:
        """From a sparse matrix whose stored entries are the weights, zeros included.

        Parameters
        ----------
        A : scipy sparse array or matrix
            Square. CSR is taken as it is stored: entries of one place are parallel edges.
        """
        if A.shape[0] != A.shape[1]:
            raise ValueError(f"A must be square, got {A.shape}")
        if A.format == "csr":
            return cls.from_csr(A.indptr, A.indices, A.data)
        coo = A.tocoo()
        return cls.from_edges(coo.row, coo.col, coo.data, A.shape[0])

    @classmethod
    def from_networkx(cls, graph: Any, weight: str = "weight") -> DiGraph:
        """From a networkx graph; an undirected edge becomes one each way.

        Parameters
        ----------
        graph : networkx.Graph, DiGraph or their multigraphs
            Nodes may be anything hashable: see `nodes`.
        weight : str
            Edge attribute; 1 where it is absent.
        """
        nodes = list(graph.nodes())
        number = {node: i for i, node in enumerate(nodes)}
        directed = graph if graph.is_directed() else graph.to_directed(as_view=True)
        edges = list(directed.edges(data=weight, default=1))
        tails = np.array([number[u] for u, _, _ in edges], np.int64)
        heads = np.array([number[v] for _, v, _ in edges], np.int64)
        weights = np.array([w for _, _, w in edges]) if edges else np.zeros(0, np.int32)
        return cls(len(nodes), tails, heads, weights_array(weights), nodes)

    @classmethod
    def from_edge_index(
        cls, edge_index: Any, edge_weight: Any = None, num_nodes: int | None = None
    ) -> DiGraph:
        """From torch_geometric's edge list.

        Parameters
        ----------
        edge_index : Tensor or ndarray
            Integers, shape ``(2, m)``.
        edge_weight : Tensor or ndarray, optional
            Shape ``(m,)``; ones by default.
        num_nodes : int, optional
            Vertices.
        """
        index = to_numpy(edge_index)
        if index.ndim != 2 or index.shape[0] != 2:
            raise ValueError(f"edge_index must have shape (2, m), got {index.shape}")
        weight = None if edge_weight is None else to_numpy(edge_weight)
        return cls.from_edges(index[0], index[1], weight, num_nodes)

    @cached_property
    def components(self) -> tuple[int, npt.NDArray[np.int32]]:
        """Number of strongly connected components, and that of each vertex."""
        return self._search.strong_components()

    @cached_property
    def _numbers(self) -> dict[Hashable, int]:
        return {node: i for i, node in enumerate(self.nodes or ())}

    def index(self, nodes: Any) -> Any:
        """Numbers of vertices, given what they are called.

        Parameters
        ----------
        nodes : hashable, or a list, tuple, range or array of them
            As in the attribute `nodes`; the numbers themselves where that is None.

        Returns
        -------
        int or ndarray
            int64, one per node, for several.

        Raises
        ------
        KeyError
            If no vertex is called so.
        """
        if _is_hashable(nodes) and self._knows(nodes):
            return self._number(nodes)
        if isinstance(nodes, (list, tuple, range)) or (
            isinstance(nodes, np.ndarray) and nodes.ndim
        ):
            several = nodes.tolist() if isinstance(nodes, np.ndarray) else nodes
            return np.array([self._number(node) for node in several], np.int64)
        return self._number(nodes)

    def _knows(self, node: Any) -> bool:
        if self.nodes is None:
            return isinstance(node, (int, np.integer)) and 0 <= int(node) < self.n
        if isinstance(self.nodes, range):
            return node in self.nodes
        return node in self._numbers

    def _number(self, node: Any) -> int:
        if not _is_hashable(node) or not self._knows(node):
            raise KeyError(f"no vertex is called {node!r}")
        if self.nodes is None:
            return int(node)
        return self.nodes.index(node) if isinstance(self.nodes, range) else self._numbers[node]

    def subgraph(self, edge_mask: Any) -> DiGraph:
        """All vertices and some of the edges, numbered anew in their order.

        Parameters
        ----------
        edge_mask : array_like
            bool, shape ``(m,)``.

        Raises
        ------
        ValueError
            If `edge_mask` is none.
        """
        keep = edge_flags(edge_mask, self.m)
        return self._with_edges(self.tails[keep], self.heads[keep], self.weights[keep])

    def reversed(self) -> DiGraph:
        """Every edge the other way round, under its number."""
        return self._with_edges(self.heads, self.tails, self.weights)

    def _with_edges(self, tails: Array, heads: Array, weights: Array) -> DiGraph:
        return DiGraph(
            self.n, tails, heads, weights, self.nodes, positions=self.positions, info=self.info
        )


def strong_components(g: DiGraph) -> tuple[int, npt.NDArray[np.int32]]:
    """Strongly connected components, without recursion (Pearce, IPL 116, 2016).

    Parameters
    ----------
    g : DiGraph

    Returns
    -------
    (int, ndarray)
        How many, and that of each vertex; edges between components lead from higher numbers to
        lower ones.
    """
    check_digraph(g)
    return g.components


def _restored(
    n: int, tails: Array, heads: Array, weights: Array, nodes: Any, positions: Any, info: Any
) -> DiGraph:
    return DiGraph(n, tails, heads, weights, nodes, positions=positions, info=info)


def _is_hashable(x: Any) -> bool:
    try:  # a tuple may hold a list
        hash(x)
    except TypeError:
        return False
    return True


def _frozen(x: Array) -> Array:
    x = np.array(x)
    x.flags.writeable = False
    return x
