# SPDX-License-Identifier: Apache-2.0
"""Adam on a flat vector of angles of which each step touches only some."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["Adam", "warmup_cosine"]

Vector = NDArray[np.float64]


class Adam:
    """Adam (Kingma and Ba, 2015) whose state, like its step count, is kept per angle.

    An angle that a step leaves out is left alone altogether: no momentum moves it, no weight
    decay shrinks it, and its bias correction does not age. This is what torch's Adam does with
    parameters whose ``grad`` is None, of which a vector can only have all or none.

    Parameters
    ----------
    size : int
        Number of angles.
    betas, eps : float
        As usual.
    weight_decay : float
        L2 penalty, added to the gradient.
    """

    def __init__(
        self,
        size: int,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        self.betas = betas
        self.eps = eps
        self.weight_decay = weight_decay
        self._mean = np.zeros(size)
        self._square = np.zeros(size)
        self._steps = np.zeros(size)

    def step(
        self,
        weights: Vector,
        gradient: Vector,
        rate: float,
        indices: NDArray[np.int64] | slice = slice(None),
    ) -> None:
        """Move ``weights[indices]`` in place along a gradient of that length."""
        first, second = self.betas
        if self.weight_decay:
            gradient = gradient + self.weight_decay * weights[indices]
        steps = self._steps[indices] + 1.0
        mean = first * self._mean[indices] + (1.0 - first) * gradient
        square = second * self._square[indices] + (1.0 - second) * gradient * gradient
        self._steps[indices], self._mean[indices], self._square[indices] = steps, mean, square
        scale = np.sqrt(square / (1.0 - second**steps)) + self.eps
        weights[indices] -= rate * (mean / (1.0 - first**steps)) / scale


def warmup_cosine(step: int, total: int, warmup: int, peak: float) -> float:
    """Return the learning rate of a step: linear up to the peak, then half a cosine to 0.

    Parameters
    ----------
    step : int
        0 to total - 1.
    total, warmup : int
        All steps, and how many of them warm up.
    peak : float
    """
    if step < warmup:
        return peak * (step + 1) / warmup
    progress = (step - warmup) / max(1, total - warmup)
    return peak * 0.5 * (1.0 + math.cos(math.pi * progress))
