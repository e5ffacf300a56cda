# SPDX-License-Identifier: Apache-2.0
"""The linear maps between actions and unit coordinates, against a loop."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from circuits.analog.gcn_rl.slots import SlotMap


@st.composite
def tables(draw: st.DrawFn) -> tuple[torch.Tensor, int]:
    p = draw(st.integers(1, 6))
    v = draw(st.integers(2, 5))
    flat = draw(st.lists(st.integers(-1, p - 1), min_size=3 * v, max_size=3 * v))
    flat[:p] = list(range(p))  # every parameter is set by somebody
    return torch.tensor(flat).reshape(v, 3), p


@given(tables(), st.integers(0, 1000))
@settings(max_examples=50, deadline=None)
def test_units_are_the_mean_over_matched_actions(table: tuple[torch.Tensor, int], seed: int):
    slots, p = table
    actions = torch.rand(4, len(slots), 3, dtype=torch.float64, generator=_draw(seed))
    units = SlotMap(slots, p).to_units(actions)
    for b in range(4):
        for q in range(p):
            named = [
                float(actions[b, v, k])
                for v in range(len(slots))
                for k in range(3)
                if slots[v, k] == q
            ]
            assert float(units[b, q]) == pytest.approx(sum(named) / len(named), abs=1e-14)


@given(tables(), st.integers(0, 1000))
@settings(max_examples=50, deadline=None)
def test_actions_of_units_give_the_units_back(table: tuple[torch.Tensor, int], seed: int):
    slots, p = table
    maps = SlotMap(slots, p)
    units = torch.rand(2, 5, p, dtype=torch.float64, generator=_draw(seed))
    actions = maps.to_actions(units)
    torch.testing.assert_close(maps.to_units(actions), units, rtol=0, atol=1e-14)
    assert bool((actions[..., slots < 0] == 0).all())


def test_bad_tables_are_refused():
    with pytest.raises(ValueError, match="shape"):
        SlotMap(torch.zeros(2, 2, dtype=torch.int64), 1)
    with pytest.raises(ValueError, match="expected integers"):
        SlotMap(torch.zeros(2, 3), 1)
    with pytest.raises(ValueError, match="-1 to 1"):
        SlotMap(torch.full((2, 3), 2), 2)
    with pytest.raises(ValueError, match="no action sets the parameters \\[1\\]"):
        SlotMap(torch.zeros(2, 3, dtype=torch.int64), 2)


def _draw(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
