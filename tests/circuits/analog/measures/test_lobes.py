# SPDX-License-Identifier: Apache-2.0
"""Half waves of responses whose formula is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq

from circuits.analog.measures.lobes import LOBES, lobes
from circuits.analog.measures.view import Waveform

BAND = 0.01
TIME = np.geomspace(1e-10, 5e-6, 320)


def wave(*values: np.ndarray) -> Waveform:
    stacked = torch.from_numpy(np.stack(values, 1))
    return Waveform(torch.from_numpy(TIME), stacked, torch.ones(len(values), dtype=torch.bool))


@given(
    st.floats(0.05, 0.5),
    st.floats(2e-8, 1e-7),
    st.floats(1.0, 4.0),
)
def test_damped_ringing(amplitude: float, decay: float, turns: float) -> None:
    omega = turns / decay

    def off(t: np.ndarray | float) -> np.ndarray | float:
        return amplitude * np.exp(-np.asarray(t) / decay) * np.cos(omega * np.asarray(t)) / BAND

    found = lobes(wave(1.2 + 1.2 * BAND * np.asarray(off(TIME))), BAND)
    crossings = [(k + 0.5) * math.pi / omega for k in range(LOBES)]
    for k in range(1, LOBES):
        at = (k * math.pi - math.atan(1.0 / (omega * decay))) / omega  # where the slope is 0
        height = abs(float(off(at)))
        seen = float(found.heights[k, 0])
        if math.isnan(seen):
            assert height < 0.05
            break
        assert seen == pytest.approx(math.log(height), abs=0.03)
        if height > 1.05:
            side = math.copysign(1.0, float(off(at)))
            leaves = brentq(lambda t, s=side: s * float(off(t)) - 1.0, at, crossings[k])
            assert float(found.times[k, 0]) == pytest.approx(math.log(leaves), abs=0.02)
        elif height < 0.95:
            assert float(found.times[k, 0]) == pytest.approx(math.log(at), abs=0.06)


def test_a_second_rise_on_the_same_side_is_a_wave_of_its_own() -> None:
    slow = np.exp(-TIME / 2e-8) + 0.008 * np.exp(-(np.log(TIME / 3e-7) ** 2) / 0.05)
    found = lobes(wave(1.0 + slow), BAND)
    assert float(found.heights[1, 0]) == pytest.approx(math.log(0.8), abs=0.01)
    assert float(found.times[1, 0]) == pytest.approx(math.log(3e-7), abs=0.04)
    assert bool(torch.isnan(found.heights[2:]).all())


def test_no_wave_where_there_is_no_response() -> None:
    given_up = np.full_like(TIME, np.nan)
    found = lobes(wave(np.ones_like(TIME), given_up, 1.0 + np.exp(-TIME / 1e-8)), BAND)
    assert bool(torch.isnan(found.heights[:, :2]).all())
    assert bool(torch.isnan(found.times[:, :2]).all())
    assert float(found.times[0, 2]) == pytest.approx(math.log(1e-8 * math.log(100)), abs=0.01)
