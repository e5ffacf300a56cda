# SPDX-License-Identifier: Apache-2.0
"""Exploration: truncated normal noise, its decay, and one random stream per seed and purpose."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

__all__ = ["decayed", "streams", "truncated_normal", "uniform"]

_STREAM_STRIDE = 1_000_003  # a prime: streams of neighbouring seeds do not meet
_EDGE = 1e-12


def streams(seeds: Sequence[int], purpose: int) -> list[torch.Generator]:
    """One generator per seed; other purposes of a seed have others."""
    return [torch.Generator().manual_seed(seed * _STREAM_STRIDE + purpose) for seed in seeds]


def uniform(
    generators: Sequence[torch.Generator], shape: Sequence[int], dtype: torch.dtype
) -> torch.Tensor:
    """(S, *shape) numbers in [0, 1), each member's from its own generator."""
    return torch.stack(
        [torch.rand(tuple(shape), generator=g, dtype=torch.float64) for g in generators]
    ).to(dtype)


def truncated_normal(mean: torch.Tensor, sigma: float, level: torch.Tensor) -> torch.Tensor:
    """Normal numbers about ``mean`` cut off at -1 and 1, by inverting the distribution.

    Parameters
    ----------
    mean : Tensor
        float64, within [-1, 1].
    sigma : float
        Of the normal before it is cut.
    level : Tensor
        float64, uniform in [0, 1), of the shape wanted.
    """
    low = torch.special.ndtr((-1.0 - mean) / sigma)
    high = torch.special.ndtr((1.0 - mean) / sigma)
    inside = (low + level * (high - low)).clamp(_EDGE, 1.0 - _EDGE)
    noise: torch.Tensor = sigma * torch.special.ndtri(inside)
    return (mean + noise).clamp(-1.0, 1.0)


def decayed(start: float, end: float, fraction: float) -> float:
    """Go from ``start`` to ``end`` exponentially as ``fraction`` goes from 0 to 1."""
    return math.exp(
        math.log(start) + (math.log(end) - math.log(start)) * min(max(fraction, 0.0), 1.0)
    )
