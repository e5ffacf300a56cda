# SPDX-License-Identifier: Apache-2.0
"""Actions of vertices and unit coordinates of parameters: one linear map each way."""

from __future__ import annotations

import torch

__all__ = ["SlotMap"]


class SlotMap:
    """Which of the ``P`` parameters each of the ``3 V`` actions sets.

    Parameters
    ----------
    slot_parameter : Tensor
        (V, 3) int64, -1 for an action that sets nothing.
    n_parameters : int
        ``P``. Every parameter must be set by at least one action.
    dtype : torch.dtype
        Of the maps.

    Raises
    ------
    ValueError
        For a table of another shape, a number out of range, or a parameter nobody sets.
    """

    def __init__(
        self,
        slot_parameter: torch.Tensor,
        n_parameters: int,
        dtype: torch.dtype = torch.float64,
    ) -> None:
        table = torch.as_tensor(slot_parameter)
        if table.ndim != 2 or table.shape[1] != 3 or table.is_floating_point():
            raise ValueError(
                f"slot_parameter: expected integers of shape (V, 3), got {tuple(table.shape)} "
                f"{table.dtype}"
            )
        flat = table.reshape(-1).long()
        if flat.numel() and (int(flat.min()) < -1 or int(flat.max()) >= n_parameters):
            raise ValueError(f"slot_parameter: expected -1 to {n_parameters - 1}")
        used = flat >= 0
        counts = torch.bincount(flat[used], minlength=n_parameters)
        if bool((counts == 0).any()):
            nobody = torch.nonzero(counts == 0).flatten().tolist()
            raise ValueError(f"slot_parameter: no action sets the parameters {nobody}")
        self.n_vertices = int(table.shape[0])
        self.n_parameters = n_parameters
        self.mask = used.reshape(-1, 3).to(dtype)  # (V, 3): 1 where an action sets something
        spread = torch.zeros(flat.numel(), n_parameters, dtype=dtype)
        spread[used, flat[used]] = 1.0
        self._spread = spread
        self._mean = spread / counts.to(dtype)

    def to_units(self, actions: torch.Tensor) -> torch.Tensor:
        """(..., V, 3) actions to (..., P) unit coordinates: the mean over matched actions."""
        return actions.flatten(-2) @ self._mean

    def to_actions(self, units: torch.Tensor) -> torch.Tensor:
        """(..., P) unit coordinates to (..., V, 3) actions; 0 where an action sets nothing."""
        return (units @ self._spread.T).reshape(*units.shape[:-1], self.n_vertices, 3)
