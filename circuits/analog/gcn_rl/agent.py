# SPDX-License-Identifier: Apache-2.0
"""Actor and critic: a graph convolution between type-specific ends, one pair per member."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from circuits.analog.gcn_rl.gcn import EnsembleLinear, Graph, GraphStack, TypedLinear, spread
from circuits.analog.gcn_rl.settings import AgentSettings

__all__ = ["Actor", "Critic", "spread_by_layer"]


class Actor(nn.Module):
    """State to actions: shared first layer, graph layers, one decoder per component type.

    Parameters
    ----------
    generators : sequence of torch.Generator
        One per member, ``S`` of them.
    n_features : int
    settings : AgentSettings
    dtype : torch.dtype
    """

    def __init__(
        self,
        generators: Sequence[torch.Generator],
        n_features: int,
        settings: AgentSettings,
        dtype: torch.dtype,
    ) -> None:
        super().__init__()
        hidden = settings.hidden
        self.n_members = len(generators)
        self._skip = settings.skip
        self.first = EnsembleLinear(generators, n_features, hidden, dtype)
        self.stack = GraphStack(
            generators,
            settings.depth,
            hidden,
            dtype,
            norm=settings.norm,
            residual=settings.residual,
        )
        width = hidden + (n_features if settings.skip else 0)
        self.decoder = TypedLinear(generators, width, 3, dtype, settings.decoder_scale)

    def forward(self, graph: Graph, seen: list[torch.Tensor] | None = None) -> torch.Tensor:
        """What the tanh is taken of: (S, V, 3). The state is one, so there is no batch."""
        state = graph.features.expand(self.n_members, -1, -1)
        x = torch.relu(self.first(state)).unsqueeze(2)
        if seen is not None:
            seen.append(x)
        x = self.stack(x, graph.product, seen)
        if self._skip:
            x = torch.cat([x, state.unsqueeze(2)], dim=-1)
        out: torch.Tensor = self.decoder(x, graph.types)
        return out.squeeze(2)


class Critic(nn.Module):
    """State and actions to value: one encoder per type, graph layers, mean of a readout."""

    def __init__(
        self,
        generators: Sequence[torch.Generator],
        n_features: int,
        settings: AgentSettings,
        dtype: torch.dtype,
    ) -> None:
        super().__init__()
        hidden = settings.hidden
        self._n_features = n_features
        self.encoder = TypedLinear(generators, n_features + 3, hidden, dtype)
        self.stack = GraphStack(
            generators,
            settings.depth,
            hidden,
            dtype,
            norm=settings.norm,
            residual=settings.residual,
        )
        self.readout = EnsembleLinear(generators, hidden, 1, dtype, scale=0.5)

    def forward(self, graph: Graph, actions: torch.Tensor) -> torch.Tensor:
        """(S, N, V, 3) actions to (S, N) values."""
        weight, bias = self.encoder.of(graph.types)
        n = self._n_features
        # The state is the same in all N rows: it is encoded once.
        state = torch.matmul(graph.features[None, :, None, :], weight[:, :, :n]) + bias
        x = torch.relu(torch.matmul(actions.transpose(1, 2), weight[:, :, n:]) + state)
        x = self.stack(x, graph.product).mean(1)
        out: torch.Tensor = self.readout(x)
        return out.squeeze(-1)


def spread_by_layer(actor: Actor, graph: Graph) -> torch.Tensor:
    """Spread of the vertices after the first layer and each graph layer: (depth + 1, S).

    Where it falls towards 0 the decoder can no longer tell equal types apart.
    """
    seen: list[torch.Tensor] = []
    with torch.no_grad():
        actor(graph, seen)
    return torch.stack([spread(x) for x in seen])
