# SPDX-License-Identifier: Apache-2.0
"""What each member of an ensemble has tried: actions and rewards, drawn from at random."""

from __future__ import annotations

from collections.abc import Sequence

import torch

__all__ = ["Replay"]


class Replay:
    """Designs of ``S`` members, equally many for each.

    Parameters
    ----------
    n_members, capacity, n_parameters : int
        ``S``, designs kept per member, ``P``.
    dtype : torch.dtype
    """

    def __init__(
        self, n_members: int, capacity: int, n_parameters: int, dtype: torch.dtype
    ) -> None:
        self._units = torch.zeros(n_members, capacity, n_parameters, dtype=dtype)
        self._rewards = torch.zeros(n_members, capacity, dtype=dtype)
        self._size = 0

    def __len__(self) -> int:
        return self._size

    @property
    def rewards(self) -> torch.Tensor:
        """(S, n) of all that is remembered, oldest first."""
        return self._rewards[:, : self._size]

    def add(self, units: torch.Tensor, rewards: torch.Tensor) -> None:
        """Remember (S, n, P) unit coordinates and their (S, n) rewards."""
        end = self._size + units.shape[1]
        if end > self._units.shape[1]:
            raise ValueError(f"replay: {end} designs do not fit in {self._units.shape[1]}")
        self._units[:, self._size : end] = units
        self._rewards[:, self._size : end] = rewards
        self._size = end

    def draw(
        self, generators: Sequence[torch.Generator], count: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Draw ``count`` with replacement for each member: (S, count, P) and (S, count)."""
        picks = torch.stack([torch.randint(self._size, (count,), generator=g) for g in generators])
        wide = picks.unsqueeze(-1).expand(-1, -1, self._units.shape[-1])
        return self._units.gather(1, wide), self._rewards.gather(1, picks)
