# SPDX-License-Identifier: Apache-2.0
"""A graph convolution over two hops at once, for torch_geometric.

A GCN layer looks one edge far; two of them look two edges far but have a matrix and usually a
nonlinearity in between. Here the normalised adjacency is squared, by a sparse product, and used
in one layer. Gradients reach the weights of the edges through that product.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from graphs.adjacency import csr_tensor
from workbench.distribution import MissingExtraError
from workbench.ops import _transforms
from workbench.ops.spgemm import spgemm
from workbench.ops.spmm import spmm

try:
    from torch_geometric.nn.conv import MessagePassing
    from torch_geometric.nn.conv.gcn_conv import gcn_norm
    from torch_geometric.nn.dense.linear import Linear
except ImportError as error:
    raise MissingExtraError(
        f"graphs.TwoHopGCN needs torch_geometric ({error})", "graphs"
    ) from error

if TYPE_CHECKING:
    # torch_geometric carries no types.
    _Layer = torch.nn.Module
else:
    _Layer = MessagePassing

__all__ = ["TwoHopGCN", "two_hop_adjacency"]


def two_hop_adjacency(
    edge_index: Tensor,
    edge_weight: Tensor | None = None,
    num_nodes: int | None = None,
    *,
    improved: bool = False,
    add_self_loops: bool = True,
    normalize: bool = True,
    dtype: torch.dtype | None = None,
) -> Tensor:
    """The square of a graph's GCN-normalised adjacency.

    Parameters
    ----------
    edge_index : Tensor or EdgeIndex
        Shape ``(2, n_edges)``, int64: sources and targets. Parallel edges add up.
    edge_weight : Tensor, optional
        Shape ``(n_edges,)``, float32 or float64; 1 each where None. Differentiable.
    num_nodes : int, optional
        One more than the largest in `edge_index` where None (of an EdgeIndex, its size).
    improved : bool
        Loops of weight 2 instead of 1.
    add_self_loops : bool
        Give every vertex a loop that has none. Only with `normalize`.
    normalize : bool
        Divide each weight by the square roots of the degrees of both ends.
    dtype : dtype, optional
        Of the weights where none are given; torch's default where None.

    Returns
    -------
    Tensor
        Shape ``(n, n)``, sparse CSR, ``P P`` with ``P[i, j]`` the normalised weight of the edges
        from j to i: transposed, so that times features it carries them from sources to targets.

    Raises
    ------
    TypeError
        If dtypes do not fit.
    ValueError
        If shapes do not fit, a vertex is out of range, or loops are asked for without
        normalisation.

    References
    ----------
    The normalisation is that of Kipf, Welling, "Semi-supervised classification with graph
    convolutional networks", ICLR 2017, as ``torch_geometric.nn.GCNConv`` computes it.
    """
    if add_self_loops and not normalize:
        raise ValueError("add_self_loops: loops are only added where normalize is True")
    edges, weight, n = _propagation(
        edge_index, edge_weight, num_nodes, improved, add_self_loops, normalize, dtype
    )
    crow = torch.zeros(n + 1, dtype=torch.int64)
    crow[1:] = torch.bincount(edges[0], minlength=n).cumsum(0)
    adjacency = csr_tensor(crow, edges[1], weight, (n, n))
    square: Tensor = spgemm(adjacency, adjacency)
    return square


def _propagation(
    edge_index: Tensor,
    edge_weight: Tensor | None,
    num_nodes: int | None,
    improved: bool,
    add_self_loops: bool,
    normalize: bool,
    dtype: torch.dtype | None,
) -> tuple[Tensor, Tensor, int]:
    """The normalised adjacency, transposed, as an edge list in order without parallel edges."""
    edges, n = _edges(edge_index, num_nodes)
    weight = edge_weight
    if weight is None:
        weight = torch.ones(edges.shape[1], dtype=dtype or torch.get_default_dtype())
    if not isinstance(weight, Tensor) or weight.shape != (edges.shape[1],):
        came = tuple(weight.shape) if hasattr(weight, "shape") else type(weight).__name__
        raise ValueError(f"edge_weight must be a tensor of shape ({edges.shape[1]},), got {came}")
    if weight.dtype not in (torch.float32, torch.float64):
        raise TypeError(f"edge_weight must be float32 or float64, got {weight.dtype}")
    if normalize:
        edges, weight = gcn_norm(edges, weight, n, improved, add_self_loops)
    places, order = (edges[1] * n + edges[0]).sort(stable=True)
    values = weight[order]
    fresh = places.diff(prepend=places.new_tensor([-1])) != 0
    if not bool(fresh.all()):  # torch refuses gradients to entries that are stored twice
        places = places[fresh]
        values = values.new_zeros(places.shape[0]).index_add(0, fresh.cumsum(0) - 1, values)
    return torch.stack([places // max(n, 1), places % max(n, 1)]), values, n


class TwoHopGCN(_Layer):
    """A graph convolution over two hops: ``P P X W + b``.

    ``P`` is the GCN-normalised adjacency of :func:`two_hop_adjacency`, squared by ``spgemm``;
    features are propagated by ``spmm``. What two ``GCNConv`` without biases or a nonlinearity in
    between compute, ``P (P X W1) W2``, is one such layer with ``W = W1 W2``.

    Parameters
    ----------
    in_channels, out_channels : int
        Features per vertex, before and after; -1 as `in_channels` means as many as come first.
    improved : bool
        Loops of weight 2 instead of 1.
    cached : bool
        Keep the square from the first call on: for one graph with fixed weights, any other is
        refused. ``reset_parameters`` forgets it.
    add_self_loops : bool, optional
        Give every vertex a loop that has none; as `normalize` where None.
    normalize : bool
        Divide each weight by the square roots of the degrees of both ends.
    bias : bool
        Add a learnable bias.

    Raises
    ------
    ValueError
        If loops are asked for without normalisation.

    Notes
    -----
    The square of a graph with hubs has many entries: as many as there are pairs of vertices two
    steps apart. Two layers of ``GCNConv`` need less memory there.

    References
    ----------
    Kipf, Welling, "Semi-supervised classification with graph convolutional networks", ICLR 2017;
    powers of the adjacency in one layer: Abu-El-Haija et al., "MixHop", ICML 2019.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        improved: bool = False,
        cached: bool = False,
        add_self_loops: bool | None = None,
        normalize: bool = True,
        bias: bool = True,
    ) -> None:
        loops = normalize if add_self_loops is None else add_self_loops
        if loops and not normalize:
            raise ValueError("add_self_loops: loops are only added where normalize is True")
        options: dict[str, Any] = {"aggr": "add"}
        super().__init__(**options)
        self.in_channels, self.out_channels = in_channels, out_channels
        self.improved, self.cached = improved, cached
        self.add_self_loops, self.normalize = loops, normalize
        self._square: Tensor | None = None
        self._squared: tuple[Tensor, Tensor | None] | None = None
        self.lin = Linear(in_channels, out_channels, bias=False, weight_initializer="glorot")
        self.bias = torch.nn.Parameter(torch.zeros(out_channels)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weights anew, set the bias to 0 and forget the cached square."""
        if not TYPE_CHECKING:
            super().reset_parameters()
        self.lin.reset_parameters()
        if self.bias is not None:
            torch.nn.init.zeros_(self.bias)
        self._square = self._squared = None

    def forward(self, x: Tensor, edge_index: Tensor, edge_weight: Tensor | None = None) -> Tensor:
        """Propagate features.

        Parameters
        ----------
        x : Tensor
            Shape ``(n, in_channels)``, float32 or float64.
        edge_index : Tensor or EdgeIndex
            Shape ``(2, n_edges)``, int64.
        edge_weight : Tensor, optional
            Shape ``(n_edges,)``, of x's dtype; a learnable one gets its gradient.

        Returns
        -------
        Tensor
            Shape ``(n, out_channels)``.

        Raises
        ------
        TypeError, ValueError
            As :func:`two_hop_adjacency`; also if x is no matrix, or weights are to learn through
            a cached square.
        """
        if not isinstance(x, Tensor) or x.dim() != 2:
            came = tuple(x.shape) if isinstance(x, Tensor) else type(x).__name__
            raise ValueError(f"x must have shape (n, {self.in_channels}), got {came}")
        if self.cached and edge_weight is not None and edge_weight.requires_grad:
            raise ValueError("edge_weight requires a gradient, which a cached square cannot give")
        square: Any = self._square
        learns = edge_weight is not None and edge_weight.requires_grad
        if square is None and (learns or _transforms.active()):
            # torch's sparse tensors pass on first derivatives only, edge lists all; nothing is
            # kept of them.
            adjacency = _propagation(
                *(edge_index, edge_weight, x.shape[0], self.improved),
                *(self.add_self_loops, self.normalize, x.dtype),
            )
            square = spgemm(adjacency, adjacency)
        elif square is None:
            square = two_hop_adjacency(
                edge_index,
                edge_weight,
                x.shape[0],
                improved=self.improved,
                add_self_loops=self.add_self_loops,
                normalize=self.normalize,
                dtype=x.dtype,
            )
            if self.cached:
                kept = _plain(edge_index).clone()
                weight = None if edge_weight is None else edge_weight.detach().clone()
                self._square, self._squared = square, (kept, weight)
        else:
            self._check_square(square, x, edge_index, edge_weight)
        out: Tensor = spmm(square, self.lin(x), check=False)
        return out if self.bias is None else out + self.bias

    def _check_square(
        self, square: Tensor, x: Tensor, edge_index: Tensor, edge_weight: Tensor | None
    ) -> None:
        """Refuse a graph of which the cached square is not."""
        if square.shape[0] != x.shape[0]:
            raise ValueError(f"x must have {square.shape[0]} rows, as when the square was cached")
        if square.dtype != x.dtype:
            raise TypeError(
                f"x must be {square.dtype}, as when the square was cached, got {x.dtype}"
            )
        assert self._squared is not None
        edges, weight = self._squared
        same = torch.equal(edges, _plain(edge_index))
        if weight is None or edge_weight is None:
            same = same and weight is edge_weight
        else:
            same = same and torch.equal(weight, edge_weight.detach())
        if not same:
            raise ValueError(
                "edge_index and edge_weight must be those that the cached square was made of: "
                "reset_parameters() forgets it, and cached=False keeps none"
            )


def _plain(edge_index: Tensor) -> Tensor:
    return edge_index.detach().as_subclass(Tensor)


def _edges(edge_index: Any, num_nodes: int | None) -> tuple[Tensor, int]:
    """A plain edge_index and the number of vertices."""
    edges, n = edge_index, num_nodes
    if type(edges).__name__ == "EdgeIndex":
        if n is None:
            n = max((size for size in edges.sparse_size() if size is not None), default=None)
        edges = edges.as_tensor()
    if not isinstance(edges, Tensor) or edges.layout != torch.strided:
        raise TypeError(
            "edge_index must be a dense tensor or an EdgeIndex; of a sparse matrix A take "
            "A.to_sparse_coo().indices()"
        )
    if edges.dim() != 2 or edges.shape[0] != 2:
        raise ValueError(f"edge_index must have shape (2, n_edges), got {tuple(edges.shape)}")
    if edges.dtype not in (torch.int32, torch.int64):
        raise TypeError(f"edge_index must be int64, got {edges.dtype}")
    if edges.device.type != "cpu":
        raise ValueError(f"edge_index must be on the CPU, got {edges.device}")
    edges = edges.long()
    most = int(edges.max()) if edges.numel() else -1
    n = most + 1 if n is None else int(n)
    if edges.numel() and (most >= n or int(edges.min()) < 0):
        raise ValueError(f"edge_index must hold vertices, 0 to {n - 1}, got {most}")
    return edges, n
