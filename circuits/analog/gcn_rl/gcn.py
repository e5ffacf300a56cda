# SPDX-License-Identifier: Apache-2.0
"""Graph convolution for an ensemble of networks, as dense batched products.

Circuits have 5 to 17 vertices, so a dense normalised adjacency is cheaper than any sparse
kernel. Embeddings are held as (S, V, N, h) (member, vertex, design, channel): the product over
vertices and the product over channels are then each one batched matrix product, without a copy.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn

from circuits.analog.gcn_rl.problem import TYPES, SizingProblem
from circuits.analog.gcn_rl.slots import SlotMap

__all__ = ["EnsembleLinear", "Graph", "GraphStack", "TypedLinear", "normalised", "spread"]

_HALF = math.sqrt(0.5)
_TINY = 1e-6


def normalised(adjacency: torch.Tensor) -> torch.Tensor:
    """D^-1/2 (A + I) D^-1/2 of a (V, V) adjacency, D the degrees of A + I."""
    if adjacency.ndim != 2 or adjacency.shape[0] != adjacency.shape[1]:
        raise ValueError(f"adjacency: expected (V, V), got {tuple(adjacency.shape)}")
    if not torch.equal(adjacency, adjacency.T):
        raise ValueError("adjacency: expected a symmetric matrix")
    looped = adjacency.to(torch.float64) + torch.eye(len(adjacency), dtype=torch.float64)
    scale = looped.sum(1).rsqrt()
    return scale[:, None] * looped * scale[None, :]


@dataclass(frozen=True)
class Graph:
    """A circuit as the networks see it.

    Attributes
    ----------
    product : Tensor or None
        (V, V) normalised adjacency; None stands for the identity.
    types : Tensor
        (V, 4) one-hot.
    features : Tensor
        (V, n_features).
    slots : SlotMap
        Actions of the vertices and parameters.
    """

    product: torch.Tensor | None
    types: torch.Tensor
    features: torch.Tensor
    slots: SlotMap

    @classmethod
    def of(cls, problem: SizingProblem, *, graph: bool, dtype: torch.dtype) -> Graph:
        """Read a problem; ``graph=False`` forgets its edges."""
        names = [vertex.type for vertex in problem.vertices]
        for name in names:
            if name not in TYPES:
                raise ValueError(f"vertices: expected types {list(TYPES)}, got {name!r}")
        n = len(names)
        if problem.features.ndim != 2 or problem.features.shape[0] != n:
            raise ValueError(
                f"features: expected ({n}, n_features), got {tuple(problem.features.shape)}"
            )
        product = normalised(problem.adjacency).to(dtype)
        if len(product) != n:
            raise ValueError(f"adjacency: expected ({n}, {n}), got {tuple(product.shape)}")
        types = torch.zeros(n, len(TYPES), dtype=dtype)
        for i, name in enumerate(names):
            types[i, TYPES.index(name)] = 1.0  # type: ignore[arg-type]
        return cls(
            product if graph else None,
            types,
            problem.features.detach().to(dtype),
            SlotMap(problem.slot_parameter, problem.n_parameters, dtype),
        )


def draw(
    generators: Sequence[torch.Generator], shape: Sequence[int], bound: float, dtype: torch.dtype
) -> nn.Parameter:
    """(S, *shape) uniform in +-bound, each member's from its own generator."""
    values = torch.stack(
        [torch.rand(tuple(shape), generator=g, dtype=torch.float64) for g in generators]
    )
    return nn.Parameter(((2.0 * values - 1.0) * bound).to(dtype))


class EnsembleLinear(nn.Module):
    """One affine map per member: (S, R, n_in) to (S, R, n_out)."""

    def __init__(
        self,
        generators: Sequence[torch.Generator],
        n_in: int,
        n_out: int,
        dtype: torch.dtype,
        scale: float = 1.0,
    ) -> None:
        super().__init__()
        # He's bound: keeps the variance through a ReLU.
        self.weight = draw(generators, (n_in, n_out), scale * math.sqrt(6.0 / n_in), dtype)
        self.bias = nn.Parameter(torch.zeros(len(generators), 1, n_out, dtype=dtype))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.baddbmm(self.bias, x, self.weight)


class TypedLinear(nn.Module):
    """One affine map per member and component type: (S, V, N, n_in) to (S, V, N, n_out)."""

    def __init__(
        self,
        generators: Sequence[torch.Generator],
        n_in: int,
        n_out: int,
        dtype: torch.dtype,
        scale: float = 1.0,
    ) -> None:
        super().__init__()
        self._shape = (n_in, n_out)
        bound = scale * math.sqrt(6.0 / n_in)
        self.weight = draw(generators, (len(TYPES), n_in * n_out), bound, dtype)
        self.bias = nn.Parameter(torch.zeros(len(generators), len(TYPES), n_out, dtype=dtype))

    def of(self, types: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Weights (S, V, n_in, n_out) and biases (S, V, 1, n_out) of (V, 4) one-hot types."""
        weight = torch.matmul(types, self.weight).reshape(-1, len(types), *self._shape)
        return weight, torch.matmul(types, self.bias).unsqueeze(2)

    def forward(self, x: torch.Tensor, types: torch.Tensor) -> torch.Tensor:
        weight, bias = self.of(types)
        return torch.matmul(x, weight) + bias


class GraphStack(nn.Module):
    """``depth`` layers ``H <- (H + relu(norm(P H W + b))) / sqrt(2)``, P the graph's product.

    Without the residual a layer is ``relu(norm(P H W + b))``, the paper's.
    """

    def __init__(
        self,
        generators: Sequence[torch.Generator],
        depth: int,
        hidden: int,
        dtype: torch.dtype,
        *,
        norm: str = "none",
        residual: bool = True,
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            EnsembleLinear(generators, hidden, hidden, dtype) for _ in range(depth)
        )
        self._norm = norm
        self._residual = residual

    def forward(
        self,
        x: torch.Tensor,
        product: torch.Tensor | None,
        seen: list[torch.Tensor] | None = None,
    ) -> torch.Tensor:
        """(S, V, N, h) to (S, V, N, h); ``seen`` collects what each layer puts out."""
        wide = None if product is None else product.expand(len(x), -1, -1)
        if self._residual and self._norm == "none" and seen is None:
            return self._quick(x, wide)
        for layer in self.layers:
            z = torch.relu(self._normed(_sum(layer, x, wide)))
            x = (x + z) * _HALF if self._residual else z
            if seen is not None:
                seen.append(x)
        return x

    def _quick(self, x: torch.Tensor, wide: torch.Tensor | None) -> torch.Tensor:
        """The same for ``sqrt(2)**k`` times layer ``k``: ReLU lets the factor through."""
        factor = 1.0
        for layer in self.layers:
            x = x + torch.relu(_sum(layer, x, wide, factor))
            factor /= _HALF
        return x * (1.0 / factor)

    def _normed(self, z: torch.Tensor) -> torch.Tensor:
        if self._norm == "layer":
            return torch.nn.functional.layer_norm(z, z.shape[-1:])
        if self._norm == "pair":
            centred = z - z.mean(1, keepdim=True)
            power = centred.square().sum(-1, keepdim=True).mean(1, keepdim=True)
            # A unit per channel, so that ReLU sees what layer norm would give it.
            return centred * (math.sqrt(z.shape[-1]) * (power + _TINY).rsqrt())
        return z


def _sum(
    layer: nn.Module, x: torch.Tensor, wide: torch.Tensor | None, factor: float = 1.0
) -> torch.Tensor:
    """P H W + factor b of (S, V, N, h) embeddings; ``wide`` is P for each member."""
    members, vertices, designs, hidden = x.shape
    if wide is not None:
        x = torch.bmm(wide, x.reshape(members, vertices, designs * hidden))
    weight: torch.Tensor = layer.weight  # type: ignore[assignment]
    bias: torch.Tensor = layer.bias  # type: ignore[assignment]
    z = torch.baddbmm(
        bias if factor == 1.0 else bias * factor,
        x.reshape(members, vertices * designs, hidden),
        weight,
    )
    return z.view(members, vertices, designs, hidden)


def spread(embedding: torch.Tensor) -> torch.Tensor:
    """How far the vertices of (S, V, N, h) embeddings differ, 0 (all the same) to about 1.

    The root of the variance over the vertices relative to the mean square, per member (S,).
    """
    centred = embedding - embedding.mean(1, keepdim=True)
    total = embedding.square().sum((1, 2, 3))
    return (centred.square().sum((1, 2, 3)) / total.clamp_min(_TINY**2)).sqrt()
