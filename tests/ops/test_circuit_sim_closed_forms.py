# SPDX-License-Identifier: Apache-2.0
"""Circuits whose answers one can write down: by the kernel and by the reference."""

from __future__ import annotations

import math
from types import ModuleType

import numpy as np
import pytest
import torch
from torch import Tensor

from .circuit_sim_cases import BOTH, NMOS, Net

KT4 = 4.0 * 1.38064852e-23 * 300.15  # J, at 27 degrees Celsius


def _one(
    module: ModuleType, net: Net, frequencies: list[float], **more: Tensor
) -> tuple[Tensor, ...]:
    """Volts, currents, transfer and density of a net with one column."""
    program, rows = net.build()
    volts, currents, status = module.operating_point(program, rows)
    assert status.tolist() == [0]
    f = torch.tensor(frequencies, dtype=torch.float64)
    return volts, currents, *module.small_signal(program, rows, volts, f, **more)


@BOTH
def test_a_low_pass_is_its_closed_form_and_holds_kt_over_c(module: ModuleType) -> None:
    ohm, farad = 2e3, 3e-12
    net = Net(3)
    net.v(1, 0, 1.5)
    net.r(1, 2, ohm)
    net.c(2, 0, farad)
    corner = 1.0 / (2.0 * math.pi * ohm * farad)
    f = corner * np.logspace(-4, 5, 4001)
    more = {
        "drives": torch.ones(1, 1, dtype=torch.float64),
        "outputs": torch.tensor([[2, 0]]),
        "noise": torch.tensor([[2, 0]]),
    }
    volts, currents, h, s = _one(module, net, f.tolist(), **more)
    assert volts[:, 0].tolist() == [0.0, 1.5, 1.5]
    assert float(currents.abs().max()) < 1e-15
    expected = 1.0 / (1.0 + 1j * torch.tensor(f / corner))
    torch.testing.assert_close(h[:, 0, 0, 0], expected, rtol=1e-12, atol=0.0)
    torch.testing.assert_close(s[:, 0, 0], KT4 * ohm * expected.abs() ** 2, rtol=1e-12, atol=0.0)
    # The rest of the band, below and above, in closed form: 4kTR f and 4kTR fc**2 / f.
    inside = np.trapezoid(s[:, 0, 0].numpy() * f, np.log(f))
    total = inside + KT4 * ohm * (f[0] + corner**2 / f[-1])
    assert total == pytest.approx(KT4 / 4.0 / farad, rel=1e-5)
    program, rows = net.build()
    requests = torch.tensor([[0, 0, 0], [1, 0, 0], [2, 0, 0]])
    found, slope, turn = module.find_frequencies(
        program,
        rows,
        volts,
        low=1e2,
        high=1e12,
        requests=requests,
        drives=2.0 * more["drives"],
        outputs=more["outputs"],
    )
    # |H(low)| is a little less than 2.
    low = 2.0 / math.sqrt(1.0 + (1e2 / corner) ** 2)
    at = [math.sqrt(8.0 / low**2 - 1.0), math.sqrt(3.0)]
    at = corner * torch.tensor(at, dtype=torch.float64)
    torch.testing.assert_close(found[:2, 0], at, rtol=1e-10, atol=0.0)
    u = 1j * at / corner
    torch.testing.assert_close(slope[:2, 0], -2.0 * u / (1.0 + u) ** 2, rtol=1e-9, atol=0.0)
    expected_turn = math.atan(1e2 / corner) - torch.atan(at / corner)
    torch.testing.assert_close(turn[:2, 0], expected_turn, rtol=0.0, atol=1e-9)
    assert float(found[2, 0]) < 0.01 * corner


@BOTH
def test_a_common_source_stage_is_its_closed_form(module: ModuleType) -> None:
    net = Net(4)
    model = net.builder.model({"gamma": 0.0})
    net.v(1, 0, 3.0)
    net.v(2, 0, 0.9)
    net.r(1, 3, 5e3)
    net.mos((3, 2, 0, 0), model, vto=0.5, kp=1e-4, w=4e-6, l=1e-6, lambda_=0.1)
    net.c(3, 0, 1e-12)
    more = {
        "drives": torch.tensor([[0.0, 1.0], [1.0, 0.0]], dtype=torch.float64),
        "outputs": torch.tensor([[3, 0]]),
        "noise": torch.tensor([[3, 0]]),
    }
    volts, currents, h, s = _one(module, net, [1e3, 1e9], **more)
    # I = beta/2 vov**2 (1 + lambda v), and the load line: a linear equation in v; gmin is 1e-12.
    beta, vov, lam, ohm = 4e-4, 0.4, 0.1, 5e3
    flat = 0.5 * beta * vov**2
    v = (3.0 - ohm * flat) / (1.0 + ohm * flat * lam)
    assert float(volts[3, 0]) == pytest.approx(v, rel=1e-8)
    assert float(currents[0, 0]) == pytest.approx(-(3.0 - v) / ohm, rel=1e-6)
    assert abs(float(currents[1, 0])) < 1e-15
    gm, gds = beta * vov * (1.0 + lam * v), lam * flat
    for k, f in enumerate((1e3, 1e9)):
        y = 1.0 / ohm + gds + 2j * math.pi * f * 1e-12
        assert complex(h[k, 0, 0, 0]) == pytest.approx(-gm / y, rel=1e-7)
        assert complex(h[k, 0, 1, 0]) == pytest.approx(1.0 / ohm / y, rel=1e-7)
        density = KT4 * (2.0 / 3.0 * gm + 1.0 / ohm) / abs(y) ** 2
        assert float(s[k, 0, 0]) == pytest.approx(density, rel=1e-7)


@BOTH
def test_a_source_follower_loses_by_its_body_effect(module: ModuleType) -> None:
    net = Net(4)
    model = net.builder.model({"gamma": 0.5, "phi": 0.7})
    net.v(1, 0, 3.0)
    net.v(2, 0, 2.0)
    net.i(3, 0, 1e-4)
    net.mos((1, 2, 3, 0), model, vto=0.5, kp=1e-4, w=2e-5, l=1e-6, lambda_=0.0)
    more = {
        "drives": torch.tensor([[0.0, 1.0, 0.0]], dtype=torch.float64),
        "outputs": torch.tensor([[3, 0]]),
    }
    volts, currents, h, _ = _one(module, net, [1e3], **more)
    out = float(volts[3, 0])
    threshold = 0.5 + 0.5 * (math.sqrt(0.7 + out) - math.sqrt(0.7))
    assert 2.0 - out - threshold == pytest.approx(math.sqrt(2 * 1e-4 / 2e-3), rel=1e-7)
    chi = 0.5 / (2.0 * math.sqrt(0.7 + out))
    assert complex(h[0, 0, 0, 0]) == pytest.approx(1.0 / (1.0 + chi), rel=1e-7)
    assert float(currents[2, 0]) == 1e-4


@BOTH
def test_passive_networks_are_reciprocal(module: ModuleType) -> None:
    rng = np.random.default_rng(3)
    net = Net(7)
    for node in range(1, 7):
        net.r(node, int(rng.integers(node)), float(rng.uniform(1e2, 1e4)))
    for _ in range(8):
        net.c(*rng.integers(7, size=2).tolist(), float(rng.uniform(1e-13, 1e-11)))
    a, b = net.i(0, 2, 0.0), net.i(5, 3, 0.0)
    drives = torch.zeros(2, 2, dtype=torch.float64)
    drives[0, a] = drives[1, b] = 1.0
    outputs = torch.tensor([[2, 0], [3, 5]])
    *_, h, _ = _one(module, net, [1e4, 1e7, 1e9], drives=drives, outputs=outputs)
    torch.testing.assert_close(h[:, 1, 0], h[:, 0, 1], rtol=1e-11, atol=0.0)


@BOTH
def test_a_loop_gain_is_the_same_however_the_source_is_injected(module: ModuleType) -> None:
    # A floating source of no volts in the gate lead splits the node for the drive only.
    net = Net(5)
    model = net.builder.model(NMOS)
    net.v(1, 0, 1.8)
    net.r(1, 2, 1e4)
    net.v(3, 2, 0.0)
    net.mos((2, 3, 0, 0), model, vto=0.4, kp=2.6e-4)
    net.c(2, 0, 1e-13)
    net.r(4, 2, 1e3)
    drives = torch.tensor([[0.0, 1.0]], dtype=torch.float64)
    outputs = torch.tensor([[2, 0], [3, 0], [3, 2]])
    volts, currents, h, _ = _one(module, net, [1e4, 1e9], drives=drives, outputs=outputs)
    assert float(volts[2, 0]) == float(volts[3, 0])
    assert abs(float(currents[1, 0])) < 1e-15
    torch.testing.assert_close(h[:, 1, 0] - h[:, 0, 0], torch.ones_like(h[:, 0, 0]))
    assert float((-h[0, 0, 0] / h[0, 1, 0]).real) > 1.0
