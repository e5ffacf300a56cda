# SPDX-License-Identifier: Apache-2.0
"""Circuits that fail, and frequencies that are absent: NaN in their own places only."""

from __future__ import annotations

import math
from types import ModuleType

import torch

from workbench.ops import circuit_sim
from workbench.ops.reference.circuit_equations import Circuit

from .circuit_sim_cases import BOTH, Net, _case


@BOTH
def test_a_broken_candidate_is_nan_in_its_own_column_only(module: ModuleType) -> None:
    case = _case(24, 9, 4, 3)
    circuit = Circuit(case.program, case.temperature)
    width, length = circuit.devices[0].rows[:2]
    ohm, farad = circuit.resistors[0].row, circuit.capacitors[0].row
    rows = case.rows.clone()
    rows[width, 0] = math.nan
    rows[length, 2] = -1e-6
    rows[ohm, 3] = 0.0
    rows[farad, 5] = -1e-15
    rows[ohm, 7] = math.inf
    broken = torch.tensor([0, 2, 3, 5, 7])
    x = rows.requires_grad_()
    volts, currents, status = module.operating_point(case.program, x, temperature=case.temperature)
    h, s = module.small_signal(case.program, x, volts, case.frequencies[:2], **case.signals())
    bad = torch.zeros(9, dtype=torch.bool)
    bad[broken] = True
    assert torch.equal(status == 3, bad)
    assert not volts[0].any()
    for out in (volts[1:], currents, h, s):
        assert bool(torch.isnan(out.abs())[..., bad].all())
        assert bool(torch.isfinite(out.abs())[..., ~bad].all())
    whole = module.operating_point(case.program, case.rows, temperature=case.temperature)
    assert torch.equal(whole[0][:, ~bad], volts[:, ~bad])
    (grad,) = torch.autograd.grad(volts.sum() + currents.sum() + h.abs().sum() + s.sum(), x)
    assert bool((grad[:, bad] == 0.0).all())
    assert bool(torch.isfinite(grad[:, ~bad]).all())
    assert bool((grad[:, ~bad] != 0.0).any())
    state = module.device_state(case.program, rows.detach(), volts.detach())
    assert torch.equal(torch.isnan(state).all(1).all(0), bad)


@BOTH
def test_a_node_without_a_way_to_ground_fails(module: ModuleType) -> None:
    net = Net(3)
    net.v(1, 0, 1.0)
    net.c(1, 2, 1e-12)
    volts, _, status = module.operating_point(*net.build(3))
    assert status.tolist() == [3, 3, 3]
    assert bool(torch.isnan(volts[2]).all())


def test_absent_frequencies_are_absent_answers() -> None:
    case = _case(25, 3, 4, 2)
    f = torch.full((2, 3), 1e6, dtype=torch.float64)
    f[0, 1] = math.nan
    x = case.rows.clone().requires_grad_()
    h, s = circuit_sim.small_signal(case.program, x, case.voltages, f, **case.signals())
    absent = torch.isnan(f)
    assert torch.equal(torch.isnan(h.abs()).all(1).all(1), absent)
    assert torch.equal(torch.isnan(s).all(1), absent)
    seen = torch.where(absent[:, None], torch.zeros_like(s), s).sum()
    (grad,) = torch.autograd.grad(seen, x)
    assert bool(torch.isfinite(grad).all())
