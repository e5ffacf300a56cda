# SPDX-License-Identifier: Apache-2.0
"""The search for the crossing of a ratio, on functions whose answer is known."""

from __future__ import annotations

import math

import numpy as np
import torch
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from torch import Tensor

from circuits.analog.measures.unity import first_unity

poles = st.lists(st.floats(1.0, 9.0), min_size=1, max_size=4)


def loop(gain: list[float], corners: list[list[float]], zeros: list[float]):
    """A response with real poles and a left-half zero per column."""

    def response(hertz: Tensor) -> Tensor:
        f = hertz if hertz.dim() == 2 else hertz[:, None].expand(-1, len(gain))
        out = torch.tensor(gain, dtype=torch.complex128).expand(len(f), -1).clone()
        for k, (mine, zero) in enumerate(zip(corners, zeros, strict=True)):
            out[:, k] *= 1 + 1j * f[:, k] / zero
            for p in mine:
                out[:, k] /= 1 + 1j * f[:, k] / p
        return out

    return response


@settings(max_examples=60, deadline=None)
@given(st.floats(0.1, 5.0), poles, st.floats(3.0, 11.0))
@example(1.5, [1.5], 3.0)
@example(1.5, [1.5], 3.1)
def test_finds_what_brent_finds(decades: float, exponents: list[float], zero: float) -> None:
    gain, corners, at = 10.0**decades, [10.0**e for e in exponents], 10.0**zero
    low, high, points = 1.0, 1e11, 25
    frequency, slope, turn = first_unity(loop([gain], [corners], [at]), low, high, points)

    def size(x: float) -> float:
        f = math.exp(x)
        return (
            math.log(gain)
            + 0.5 * math.log1p((f / at) ** 2)
            - sum(0.5 * math.log1p((f / p) ** 2) for p in corners)
        )

    grid = np.linspace(math.log(low), math.log(high), points)
    sizes = [size(x) for x in grid]
    # where a response levels off at 1 rounding says on which side
    assume(min(abs(s) for s in sizes) > 1e-9)
    cells = [k for k in range(points - 1) if sizes[k] >= 0 > sizes[k + 1]]
    if sizes[0] < 0 or not cells:
        assert math.isnan(frequency.item())
        return
    x = brentq(size, grid[cells[0]], grid[cells[0] + 1], xtol=1e-14, rtol=1e-15)
    f = math.exp(x)
    # a crossing at a shallow slope is as uncertain as |T| over the slope
    steep = 1 / (1 + (at / f) ** 2) - sum(1 / (1 + (p / f) ** 2) for p in corners)
    if abs(steep) < 1e-3:
        return
    assert math.log(frequency.item()) - x == 0 or abs(math.log(frequency.item()) - x) < 1e-9
    assert abs(slope.real.item() - steep) < 1e-5
    phase = [math.atan(g / at) - sum(math.atan(g / p) for p in corners) for g in (f, low)]
    assert abs(turn.item() - (phase[0] - phase[1])) < 1e-8


def test_columns_do_not_touch() -> None:
    gain = [100.0, 0.5, 1e4, float("nan")]
    corners = [[1e3, 1e6], [1e3], [10.0], [1.0]]
    zeros = [1e12, 1e12, 1e12, 1e12]
    together = first_unity(loop(gain, corners, zeros), 1.0, 1e9, 25)
    for k in range(4):
        alone = first_unity(loop(gain[k : k + 1], corners[k : k + 1], zeros[:1]), 1.0, 1e9, 25)
        if k in (1, 3):
            assert math.isnan(together[0][k].item())
            assert math.isnan(alone[0].item())
        else:
            np.testing.assert_allclose(together[0][k], alone[0][0], rtol=1e-12)
            np.testing.assert_allclose(together[2][k], alone[2][0], rtol=1e-9)


def test_ratios_that_stay_above_have_no_crossing() -> None:
    frequency, _, _ = first_unity(loop([100.0], [[1e20]], [1e20]), 1.0, 1e9, 25)
    assert math.isnan(frequency.item())
    frequency, _, _ = first_unity(loop([], [], []), 1.0, 1e9, 25)
    assert frequency.shape == (0,)
