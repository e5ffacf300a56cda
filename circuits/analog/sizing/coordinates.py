# SPDX-License-Identifier: Apache-2.0
"""Unit coordinates, actions and the values they stand for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from circuits.analog.elements import Parameter

__all__ = ["Coordinates"]


class _Rounded(torch.autograd.Function):
    """The rounded values, with the gradient of the smooth ones."""

    @staticmethod
    def forward(ctx: Any, smooth: Tensor, rounded: Tensor) -> Tensor:
        return rounded.clone()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:  # type: ignore[override]
        return grad, None


class Coordinates:
    """Maps between [-1, 1] and the ranges of ``P`` sized parameters.

    Attributes
    ----------
    low, high : Tensor
        float64 ``(P,)``.
    log, integer : Tensor
        bool ``(P,)``.
    grid : Tensor
        float64 ``(P,)``: the step of the values, 1 for integers, 0 for none.
    """

    def __init__(self, parameters: Sequence[Parameter], slot_parameter: Tensor) -> None:
        count = len(parameters)

        def tensor(values: list[Any], dtype: torch.dtype = torch.float64) -> Tensor:
            return torch.tensor(values, dtype=dtype)

        self.low = tensor([p.low for p in parameters])
        self.high = tensor([p.high for p in parameters])
        self.log = tensor([p.log for p in parameters], torch.bool)
        self.integer = tensor([p.integer for p in parameters], torch.bool)
        self.grid = tensor([1.0 if p.integer else p.grid or 0.0 for p in parameters])
        self._step = torch.where(self.grid > 0, self.grid, 1.0)
        one = torch.ones_like(self.low)
        self._from = torch.where(self.log, torch.where(self.log, self.low, one).log(), self.low)
        to = torch.where(self.log, torch.where(self.log, self.high, one).log(), self.high)
        self._span = to - self._from
        flat = slot_parameter.reshape(-1)
        self._mean = torch.zeros(len(flat), count, dtype=torch.float64)
        used = torch.nonzero(flat >= 0)[:, 0]
        self._mean[used, flat[used]] = 1.0
        self._mean /= self._mean.sum(0)

    def values(self, units: Tensor, rounded: bool = True) -> Tensor:
        """``(B, P)`` in [-1, 1], clipped to it, to ``(B, P)`` values.

        Rounding passes the gradient of the smooth values on.
        """
        smooth = self._from + (units.to(torch.float64).clamp(-1.0, 1.0) + 1.0) * (0.5 * self._span)
        smooth = torch.where(self.log, torch.where(self.log, smooth, 0.0).exp(), smooth)
        if not rounded:
            return smooth
        with torch.no_grad():
            whole = (smooth / self._step).round() * self._step
            whole = torch.where(self.grid > 0, whole, smooth)
            whole = torch.minimum(torch.maximum(whole, self.low), self.high)
        out: Tensor = _Rounded.apply(smooth, whole)  # type: ignore[no-untyped-call]
        return out

    def units(self, values: Tensor) -> Tensor:
        """``(B, P)`` values to coordinates; beyond [-1, 1] for values out of range."""
        values = values.to(torch.float64)
        raw = torch.where(self.log, torch.where(self.log, values, 1.0).log(), values)
        span = torch.where(self._span > 0, self._span, 1.0)
        return 2.0 * (raw - self._from) / span - 1.0

    def matched(self, actions: Tensor) -> Tensor:
        """``(B, V, 3)`` actions to ``(B, P)`` coordinates, each the mean of its actions'."""
        flat: Tensor = actions.to(torch.float64).flatten(-2) @ self._mean
        return flat
