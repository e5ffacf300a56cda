# SPDX-License-Identifier: Apache-2.0
"""Where the magnitude of a ratio of transfer functions, such as a loop gain, falls through 1."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

__all__ = ["first_unity"]

_ROUNDS = 40
_WIDEST, _FINEST = 0.05, 3e-4  # of the three-point stencil, in ln f
_CLOSE = 1e-9


@torch.no_grad()
def first_unity(
    response: Callable[[Tensor], Tensor], low: float, high: float, points: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Find the first frequency at which ``|T|`` falls through 1.

    Brackets it on a logarithmic grid, then follows parabolas through three close frequencies,
    halving the bracket where these lead out of it. The grid starts above 1 or there is none.

    Parameters
    ----------
    response : callable
        From hertz ``(F,)`` or ``(F, B)`` to complex128 ``(F, B)``.
    low, high : float
        Hertz.
    points : int
        Of the grid.

    Returns
    -------
    frequency : Tensor
        float64 ``(B,)``, hertz, NaN where there is none.
    slope : Tensor
        complex128 ``(B,)``, d ln T / d ln f there.
    turn : Tensor
        float64 ``(B,)``, radians: the phase there less that at ``low``, followed along the grid.
    """
    grid = torch.linspace(math.log(low), math.log(high), points, dtype=torch.float64)
    coarse = response(grid.exp())
    square = _square(coarse)
    above = square >= 1.0
    falls = above[:-1] & (square[1:] < 1.0)
    found = above[0] & falls.any(0)
    cell = falls.to(torch.int8).argmax(0, keepdim=True)
    steps = _angle(coarse[1:] * coarse[:-1].conj()).cumsum(0)
    so_far = torch.cat([torch.zeros_like(steps[:1]), steps]).gather(0, cell)[0]
    before, after = coarse.gather(0, cell)[0], coarse.gather(0, cell + 1)[0]
    left, right = grid[cell[0]], grid[cell[0] + 1]
    g_left, g_right = _square(before).log(), _square(after).log()
    at = left + (right - left) * g_left / (g_left - g_right)
    at = torch.where(found & torch.isfinite(at), at, 0.5 * (left + right))
    width = torch.full_like(at, _WIDEST)
    slope = torch.zeros_like(before)
    turn = torch.zeros_like(at)
    for _ in range(_ROUNDS if bool(found.any()) else 0):
        near = response(torch.stack([at - width, at, at + width]).exp())
        g = 0.5 * _square(near).log()
        falling = (g[0] - g[2]) / (2 * width)
        slope = torch.complex(-falling, _angle(near[2] * near[0].conj()) / (2 * width))
        turn = so_far + _angle(near[1] * before.conj())
        bend = (g[2] - 2 * g[1] + g[0]) / width.square()
        left = torch.where(g[1] > 0, at, left)
        right = torch.where(g[1] > 0, right, at)
        step = 2 * g[1] / (falling + (falling.square() - 2 * bend * g[1]).clamp_min(0).sqrt())
        best = at + step
        inside = (best >= left) & (best <= right) & (falling > 0)
        best = torch.where(inside, best, 0.5 * (left + right))
        moved = (best - at).abs()
        settled = (moved < _CLOSE) & (width <= 1.001 * _FINEST)
        turn = turn + slope.imag * (best - at)
        at = best
        if bool((settled | ~found).all()):
            break
        width = (0.3 * moved).clamp(_FINEST, _WIDEST)
    nan = torch.full_like(at, math.nan)
    return torch.where(found, at.exp(), nan), slope, torch.where(found, turn, nan)


def _square(value: Tensor) -> Tensor:
    return value.real.square() + value.imag.square()


def _angle(value: Tensor) -> Tensor:
    return torch.atan2(value.imag, value.real)  # several times as fast as torch.angle
