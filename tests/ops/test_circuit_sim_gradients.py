# SPDX-License-Identifier: Apache-2.0
"""Gradients of the circuit kernels against the reference's and against differences."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from workbench.ops import circuit_sim
from workbench.ops.reference import circuit_sim as reference

from .circuit_sim_cases import BOTH, NMOS, REMAINDERS, Net, _case, _close


def _relative_gradient(rows: Tensor, grad: Tensor) -> Tensor:
    """Derivatives to the logarithm of each row: ohms and farads become comparable."""
    return grad * rows.detach()


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    n_devices=st.integers(0, 5),
    batch=st.sampled_from(REMAINDERS),
)
def test_gradients_equal_the_reference(seed: int, n_devices: int, batch: int) -> None:
    case = _case(seed, batch, 4, n_devices)
    rng = np.random.default_rng(seed)
    rows = case.rows.clone().requires_grad_()
    volts = case.voltages.clone().requires_grad_()
    t = case.temperature
    to_volts = torch.tensor(rng.normal(size=tuple(case.voltages.shape)))
    to_currents = torch.tensor(rng.normal(size=tuple(case.currents.shape))) * 1e3
    found = []
    for module in (circuit_sim, reference):
        v, i, _ = module.operating_point(case.program, rows, temperature=t, start=case.voltages)
        loss = (v * to_volts).sum() + (i * to_currents).sum()
        (grad,) = torch.autograd.grad(loss, rows)
        found.append(_relative_gradient(rows, grad))
    _close(found[0], found[1], 1e-8, axis=0)

    answers = []
    for module in (circuit_sim, reference):
        h, s = module.small_signal(case.program, rows, volts, case.frequencies, **case.signals())
        answers.append((h, s))
    weight = torch.tensor(rng.normal(size=(2, *answers[1][0].shape)))
    weight = torch.complex(weight[0], weight[1]) / (1e-3 + answers[1][0].detach().abs())
    density = torch.tensor(rng.normal(size=tuple(answers[1][1].shape)))
    density = density / (1e-24 + answers[1][1].detach().abs())
    found = []
    for h, s in answers:
        loss = (h * weight).real.sum() + (s * density).sum()
        to_rows, to_nodes = torch.autograd.grad(loss, (rows, volts), materialize_grads=True)
        found.append((_relative_gradient(rows, to_rows), to_nodes[1:]))
    for ours, theirs in zip(*found, strict=True):
        _close(ours, theirs, 1e-7, axis=0, least=1e-3)


def test_gradcheck() -> None:
    case = _case(12, 2, 4, 3)
    # Rows are varied by factors; a row that is zero stays so.
    scale = case.rows

    x = torch.ones_like(scale).requires_grad_()
    # What the outputs are divided by must not move with x.
    h, s = circuit_sim.small_signal(
        case.program, case.rows, case.voltages, case.frequencies, **case.signals()
    )
    size, level = 1e-12 + h.abs(), s.abs()

    def measured(x: Tensor) -> Tensor:
        volts, currents, _ = circuit_sim.operating_point(
            case.program, x * scale, temperature=case.temperature, start=case.voltages
        )
        h, s = circuit_sim.small_signal(
            case.program, x * scale, volts, case.frequencies, **case.signals()
        )
        parts = (volts[1:], currents * 1e3, (h / size).real, (h / size).imag, s / level)
        return torch.cat([part.flatten() for part in parts])

    assert torch.autograd.gradcheck(measured, (x,), eps=1e-6, atol=1e-5, rtol=1e-5)


@BOTH
@pytest.mark.parametrize("bulk", [-0.4, 0.35, 0.6])
@pytest.mark.parametrize("drain", [1.2, 0.1, -0.3])
def test_gradients_are_differences_even_where_the_bulk_is_forward(
    module: ModuleType, bulk: float, drain: float
) -> None:
    # There the small-signal bulk transconductance is not the derivative of the current.
    net = Net(9)
    model = net.builder.model({**NMOS, "js": 1e-4, "gamma": 0.6, "phi": 0.7})
    for k, volt in enumerate((drain, 0.9, 0.0, bulk)):
        net.v(5 + k, 0, volt)
        net.r(5 + k, 1 + k, 2e3)
    net.mos((1, 2, 3, 4), model, vto=0.4, kp=2e-4)
    program, rows = net.build()

    def measured(x: Tensor) -> Tensor:
        volts, currents, _ = module.operating_point(program, rows * x)
        f = torch.tensor([1e5, 3e9], dtype=torch.float64)
        h, s = module.small_signal(
            program,
            rows * x,
            volts,
            f,
            drives=torch.ones(1, 4, dtype=torch.float64),
            outputs=torch.tensor([[1, 0], [3, 4]]),
            noise=torch.tensor([[1, 0]]),
        )
        parts = (volts[1:], currents * 1e3, h.real, h.imag, s * 1e16)
        return torch.cat([part.flatten() for part in parts])

    x = torch.ones_like(rows).requires_grad_()
    rng = np.random.default_rng(4)
    for _ in range(3):
        direction = torch.tensor(rng.normal(size=tuple(rows.shape)))
        weight = torch.tensor(rng.normal(size=measured(x.detach()).shape))
        (grad,) = torch.autograd.grad((measured(x) * weight).sum(), x)
        step = 1e-5
        up, down = (measured(1.0 + sign * step * direction) for sign in (1.0, -1.0))
        difference = float(((up - down) * weight).sum()) / (2.0 * step)
        assert float((grad * direction).sum()) == pytest.approx(difference, rel=1e-6, abs=1e-8)
