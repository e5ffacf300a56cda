# SPDX-License-Identifier: Apache-2.0
"""The circuit kernels against the same functions in plain torch, closed forms and their own bits.

tests/ops/test_mosfet_ngspice.py holds both against ngspice.
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from workbench.ops import build_info, circuit_sim
from workbench.ops.circuit_program import CARD, CircuitProgram, CircuitProgramBuilder
from workbench.ops.reference import circuit_sim as reference
from workbench.ops.reference.circuit_equations import Circuit

REMAINDERS = (0, 1, 7, 8, 9, 17)
TEMPERATURES = (-40.0, 0.0, 27.0, 85.0, 125.0)
BOTH = pytest.mark.parametrize("module", [reference, circuit_sim], ids=["reference", "kernel"])
KT4 = 4.0 * 1.38064852e-23 * 300.15  # J, at 27 degrees Celsius
NMOS = {"gamma": 0.45, "phi": 0.85, "tox": 4.1e-9, "cgso": 4e-10, "cgdo": 4e-10, "cj": 1e-3}
PMOS = {**NMOS, "type": -1.0, "gamma": 0.42}


@pytest.fixture
def threads() -> Iterator[Callable[[int], None]]:
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


# Circuits -----------------------------------------------------------------------------------------


class Net:
    """A circuit under construction whose values are numbers, each a row of its own."""

    def __init__(self, n_nodes: int) -> None:
        self.values: list[float] = []
        self.builder = CircuitProgramBuilder(n_nodes, 10_000)

    def row(self, value: float) -> int:
        self.values.append(value)
        return len(self.values) - 1

    def r(self, a: int, b: int, ohm: float) -> None:
        self.builder.resistor(a, b, self.row(ohm))

    def c(self, a: int, b: int, farad: float) -> None:
        self.builder.capacitor(a, b, self.row(farad))

    def v(self, a: int, b: int, volt: float) -> int:
        return self.builder.voltage_source(a, b, self.row(volt))

    def i(self, a: int, b: int, ampere: float) -> int:
        return self.builder.current_source(a, b, self.row(ampere))

    def mos(
        self, nodes: tuple[int, int, int, int], model: int, vto: float, kp: float, **more: float
    ) -> int:
        size = {"w": 1e-5, "l": 5e-7, "m": 1.0, "lambda_": 0.05, "vto": vto, "kp": kp}
        size |= {"ad": 6e-12, "as_": 6e-12, "pd": 1.1e-5, "ps": 1.1e-5} | more
        return self.builder.mosfet(*nodes, model, **{k: self.row(v) for k, v in size.items()})

    def build(
        self, batch: int = 1, spread: float = 0.0, seed: int = 0
    ) -> tuple[CircuitProgram, Tensor]:
        """The program, and rows that vary by about ``spread`` from column to column."""
        program = replace(self.builder.build(), n_rows=len(self.values))
        rows = torch.tensor(self.values, dtype=torch.float64).reshape(-1, 1).repeat(1, batch)
        noise = np.random.default_rng(seed).normal(size=rows.shape)
        return program, rows * torch.exp(spread * torch.tensor(noise))


@dataclass
class Case:
    """A generated circuit, what is asked of it, and the reference's operating point."""

    program: CircuitProgram
    rows: Tensor
    temperature: float
    drives: Tensor
    outputs: Tensor
    noise: Tensor
    frequencies: Tensor
    voltages: Tensor
    currents: Tensor
    status: Tensor

    def signals(self) -> dict[str, Tensor | float]:
        return {
            "drives": self.drives,
            "outputs": self.outputs,
            "noise": self.noise,
            "temperature": self.temperature,
        }


def _card(rng: np.random.Generator, kind: float) -> dict[str, float]:
    """A random card with holes in it."""
    card = {
        "gamma": rng.uniform(0, 0.8),
        "phi": rng.uniform(0.55, 0.9),
        "tox": float(rng.choice([4e-9, 1.5e-8])),
        "ld": rng.uniform(0, 4e-8),
        "cgso": rng.uniform(0, 5e-10),
        "cgdo": rng.uniform(0, 5e-10),
        "cgbo": rng.uniform(0, 5e-10),
        "cj": rng.uniform(0, 2e-3),
        "mj": rng.uniform(0.2, 0.6),
        "cjsw": rng.uniform(0, 5e-10),
        "mjsw": rng.uniform(0.2, 0.5),
        "pb": rng.uniform(0.6, 1.0),
        "fc": rng.uniform(0.3, 0.6),
        "is": 10 ** rng.uniform(-17, -13),
        "js": float(rng.choice([0.0, 1e-4])),
        "kf": float(rng.choice([0.0, 1e-25])),
        "af": rng.uniform(1.5, 2.0),
        "nlev": float(rng.integers(-1, 4)),
        "tnom": float(rng.choice([27.0, 20.0, 50.0])),
    }
    # Flicker noise of a current of nearly nothing is smooth for an exponent above 1 only.
    kept = {k: float(v) for k, v in card.items() if k == "af" or rng.random() > 0.15}
    return {"type": kind} | kept


def _random_net(rng: np.random.Generator, n_nodes: int, n_devices: int) -> Net:
    """Every node hangs by resistors from ground; node 1 is the supply."""
    net = Net(n_nodes + 2)
    net.v(1, 0, float(rng.uniform(1.0, 2.5)))
    for node in range(2, n_nodes):
        net.r(node, int(rng.integers(node)), float(10 ** rng.uniform(2.5, 4.5)))
    # One floating source, whose nodes nothing else joins by sources.
    a, b = n_nodes, n_nodes + 1
    net.r(a, int(rng.integers(n_nodes)), float(10 ** rng.uniform(3, 4)))
    net.v(a, b, float(rng.uniform(-0.3, 0.3)))
    everywhere = n_nodes + 2
    for _ in range(int(rng.integers(1, 4))):
        net.r(*rng.integers(everywhere, size=2).tolist(), float(10 ** rng.uniform(3, 5)))
        net.c(*rng.integers(everywhere, size=2).tolist(), float(10 ** rng.uniform(-14, -11)))
        net.i(*rng.integers(everywhere, size=2).tolist(), float(rng.uniform(-5e-5, 5e-5)))
    models = {kind: net.builder.model(_card(rng, kind)) for kind in (1.0, -1.0)}
    for _ in range(n_devices):
        kind = float(rng.choice([1.0, -1.0]))
        d, g, s = (int(x) for x in rng.integers(everywhere, size=3))
        bulk = s if rng.random() < 0.2 else (0 if kind > 0 else 1)
        net.mos(
            (d, g, s, bulk),
            models[kind],
            vto=kind * float(rng.uniform(0.1, 0.7)),
            kp=float(rng.uniform(2e-5, 4e-4)),
            w=float(10 ** rng.uniform(-6, -4.5)),
            l=float(rng.uniform(1.8e-7, 2e-6)),
            m=float(rng.integers(1, 4)),
            lambda_=float(rng.uniform(0, 0.2)),
            ad=float(rng.choice([0.0, 5e-12])),
        )
    return net


def _case(seed: int, batch: int, n_nodes: int = 4, n_devices: int = 3) -> Case:
    rng = np.random.default_rng(seed)
    net = _random_net(rng, n_nodes, n_devices)
    program, rows = net.build(batch, 0.1, seed)
    temperature = float(rng.choice(TEMPERATURES))
    drives = torch.tensor(rng.normal(size=(2, program.n_sources)))
    outputs = torch.tensor(rng.integers(program.n_nodes, size=(3, 2)))
    noise = torch.tensor([[2, 0], [program.n_nodes - 1, 1]])
    per_column = rng.random() < 0.5
    f = 10 ** rng.uniform(2, 10, size=(4, batch) if per_column else 4)
    solved = reference.operating_point(program, rows, temperature=temperature)
    return Case(program, rows, temperature, drives, outputs, noise, torch.tensor(f), *solved)


def _close(
    ours: Tensor, theirs: Tensor, tolerance: float, axis: int | None = None, least: float = 1e-300
) -> None:
    """Equal within ``tolerance`` of the greatest number, along ``axis`` or of all; NaN as NaN.

    ``least`` is the scale of what the numbers are differences of.
    """
    assert ours.shape == theirs.shape
    assert torch.equal(torch.isnan(ours), torch.isnan(theirs))
    if not theirs.numel():
        return
    ours, theirs = torch.nan_to_num(ours.detach()), torch.nan_to_num(theirs.detach())
    scale = theirs.abs().amax(axis, keepdim=True) if axis is not None else theirs.abs().max()
    excess = (ours - theirs).abs() - tolerance * scale.clamp(min=least)
    assert bool((excess <= 0.0).all()), float(excess.max())


def _relative_gradient(rows: Tensor, grad: Tensor) -> Tensor:
    """Derivatives to the logarithm of each row: ohms and farads become comparable."""
    return grad * rows.detach()


# The kernel and the reference ---------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    n_nodes=st.integers(2, 6),
    n_devices=st.integers(0, 5),
    batch=st.sampled_from(REMAINDERS),
)
def test_operating_points_equal_the_reference(
    seed: int, n_nodes: int, n_devices: int, batch: int
) -> None:
    case = _case(seed, batch, n_nodes, n_devices)
    t = case.temperature
    volts, currents, status = circuit_sim.operating_point(case.program, case.rows, temperature=t)
    assert bool((status < 3).all())
    # A circuit may have several; whichever is found obeys Kirchhoff's law, by the reference.
    leaving = reference.kirchhoff(case.program, case.rows, volts, currents, temperature=t)
    if batch:
        assert float(leaving.abs().max()) < 1e-12 + 1e-11 * float(currents.abs().max())
    again = circuit_sim.operating_point(case.program, case.rows, temperature=t, start=case.voltages)
    _close(again[0], case.voltages, 1e-9)
    _close(again[1], case.currents, 1e-9)
    assert not again[2].any()


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    n_nodes=st.integers(2, 6),
    n_devices=st.integers(0, 5),
    batch=st.sampled_from(REMAINDERS),
)
def test_small_signals_equal_the_reference(
    seed: int, n_nodes: int, n_devices: int, batch: int
) -> None:
    case = _case(seed, batch, n_nodes, n_devices)
    arguments = (case.program, case.rows, case.voltages, case.frequencies)
    ours = circuit_sim.small_signal(*arguments, **case.signals())
    theirs = reference.small_signal(*arguments, **case.signals())
    # Nodes that only gmin holds leave the reference's dense solutions eight digits.
    _close(ours[0], theirs[0], 1e-8, axis=1, least=1e-3)
    _close(ours[1], theirs[1], 1e-8, axis=1, least=1e-20)
    state = circuit_sim.device_state(*arguments[:3], temperature=case.temperature)
    expected = reference.device_state(*arguments[:3], temperature=case.temperature)
    _close(state, expected, 1e-9, axis=0 if len(expected) else None, least=1e-15)


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


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**31), n_devices=st.integers(0, 4), batch=st.sampled_from((1, 3)))
def test_frequencies_equal_the_reference(seed: int, n_devices: int, batch: int) -> None:
    case = _case(seed, batch, 3, n_devices)
    # Each transfer, and the ratio of each to the next.
    requests = torch.tensor(
        [
            [k, o, d, below]
            for k in range(3)
            for o in range(3)
            for d in range(2)
            for below in (-1, (o + 1) % 3)
        ]
    )
    arguments = (case.program, case.rows, case.voltages)
    more = {"drives": case.drives, "outputs": case.outputs, "requests": requests}
    more |= {"low": 1e3, "high": 1e11, "points": 25, "temperature": case.temperature}
    ours = circuit_sim.find_frequencies(*arguments, **more)
    theirs = reference.find_frequencies(*arguments, **more)
    # Outputs that are nothing but rounding have no frequencies.
    h, _ = reference.small_signal(
        *arguments,
        torch.tensor([1e3], dtype=torch.float64),
        drives=case.drives,
        outputs=case.outputs,
        temperature=case.temperature,
    )
    known = h[0].abs().amin(-1) > 1e-6
    drive = requests[:, 2]
    below = torch.where(requests[:, 3] < 0, requests[:, 1], requests[:, 3])
    real = known[requests[:, 1], drive] & known[below, drive]
    # A response that begins at 1 crosses it by rounding.
    ratio = h[0, requests[:, 1], drive].abs() / h[0, below, drive].abs()
    one = ((ratio - 1.0).abs() < 1e-9).any(-1) & (requests[:, 3] >= 0)
    real &= ~one
    crossing = real & (requests[:, 0] < 2)
    for a, b, tolerance in zip(ours, theirs, (1e-7, 1e-6, 1e-6), strict=True):
        a, b = a[crossing], b[crossing]
        assert torch.equal(torch.isnan(a), torch.isnan(b))
        a, b = torch.nan_to_num(a), torch.nan_to_num(b)
        assert bool(((a - b).abs() <= tolerance * (b.abs() + (tolerance != 1e-7))).all())
    # A flat summit has no sharp place: what counts is that nothing there is higher.
    for p, (kind, output, source, under) in enumerate(requests.tolist()):
        if kind < 2 or not real[p]:
            continue
        height = []
        for found in (ours, theirs):
            h, _ = reference.small_signal(
                *arguments,
                found[0][p : p + 1],
                drives=case.drives,
                outputs=case.outputs,
                temperature=case.temperature,
            )
            divisor = h[0, under, source] if under >= 0 else 1.0
            height.append((h[0, output, source] / divisor).abs())
        _close(height[0], height[1], 1e-7)


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


# Closed forms -------------------------------------------------------------------------------------


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


# Batches, threads, machines -----------------------------------------------------------------------


def _everything(case: Case, rows: Tensor, columns: slice) -> list[Tensor]:
    """Every output and gradient of some columns, as one list."""
    x = rows[:, columns].clone().requires_grad_()
    f = case.frequencies if case.frequencies.dim() == 1 else case.frequencies[:, columns]
    volts, currents, status = circuit_sim.operating_point(
        case.program, x, temperature=case.temperature
    )
    h, s = circuit_sim.small_signal(case.program, x, volts, f, **case.signals())
    loss = volts.sum() + currents.sum() + h.real.sum() + h.imag.sum() + s.sum()
    (grad,) = torch.autograd.grad(loss, x)
    requests = torch.tensor([[0, 0, 0], [1, 1, 1], [2, 2, 0]])
    found = circuit_sim.find_frequencies(
        case.program,
        x,
        volts,
        drives=case.drives,
        outputs=case.outputs,
        requests=requests,
        low=1e3,
        high=1e11,
        temperature=case.temperature,
    )
    state = circuit_sim.device_state(case.program, x, volts, temperature=case.temperature)
    out = [volts, currents, status, h, s, grad, *found, state]
    return [torch.view_as_real(t.detach()) if t.is_complex() else t.detach() for t in out]


def _same(ours: list[Tensor], theirs: list[Tensor]) -> None:
    for a, b in zip(ours, theirs, strict=True):
        assert a.shape == b.shape
        assert torch.equal(torch.nan_to_num(a), torch.nan_to_num(b))
        assert torch.equal(torch.isnan(a), torch.isnan(b))


@pytest.mark.parametrize("batch", REMAINDERS)
def test_a_batch_has_the_bits_of_its_candidates(batch: int) -> None:
    case = _case(21, batch, 5, 4)
    together = _everything(case, case.rows, slice(None))
    axes = [1, 1, 0, 3, 2, 1, 1, 1, 1, 2]
    for b in range(batch):
        alone = _everything(case, case.rows, slice(b, b + 1))
        _same(alone, [t.narrow(axis, b, 1) for t, axis in zip(together, axes, strict=True)])


def test_thread_count_does_not_change_a_bit(threads: Callable[[int], None]) -> None:
    case = _case(22, 301, 5, 4)
    results = []
    for count in (1, 2, 3):
        threads(count)
        results.append(_everything(case, case.rows, slice(None)))
    for other in results[1:]:
        _same(results[0], other)


def test_two_python_threads_may_call_at_once() -> None:
    case = _case(23, 64, 5, 4)
    expected = _everything(case, case.rows, slice(None))
    found: list[list[Tensor]] = []

    def work() -> None:
        for _ in range(5):
            found.append(_everything(case, case.rows, slice(None)))

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(found) == 10
    for each in found:
        _same(each, expected)


@pytest.mark.slow
@pytest.mark.parametrize("isa", ["base", "avx2"])
def test_narrower_instruction_sets_pass_the_same_tests(isa: str) -> None:
    order = ["base", "avx2", "avx512"]
    if order.index(isa) >= order.index(build_info()["isa"]):
        pytest.skip(f"runs under {build_info()['isa']} already")
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, "-k", "equal_the_reference or bits_of or kernel", str(Path(__file__))],
        env=dict(os.environ, WB_MAX_ISA=isa),
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


# Candidates that fail -----------------------------------------------------------------------------


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


# torch --------------------------------------------------------------------------------------------


def test_operators_pass_opcheck() -> None:
    case = _case(26, 3, 4, 2)
    p = case.program
    head = (p.code, p.data, p.n_nodes, p.n_sources, case.temperature)
    rows, volts = (t.clone().requires_grad_() for t in (case.rows, case.voltages))
    ops = torch.ops.workbench
    torch.library.opcheck(ops.circuit_operating_point.default, (*head, rows.new_empty(0, 0), rows))
    hertz = torch.tensor([[1e4], [1e8]], dtype=torch.float64)
    signals = (case.drives, case.outputs, case.noise)
    torch.library.opcheck(ops.circuit_small_signal.default, (*head, hertz, *signals, rows, volts))
    # Summits of outputs that are not constant: none is NaN, which opcheck holds unequal to itself.
    outputs = torch.tensor([[2, 0], [3, 0]])
    requests = torch.tensor([[2, 0, 0, -1], [2, 1, 1, -1], [2, 0, 1, 1]])
    torch.library.opcheck(
        ops.circuit_find_frequencies.default,
        (*head, case.drives, outputs, requests, 1e3, 1e11, 25, case.rows, case.voltages),
    )
    torch.library.opcheck(
        ops.circuit_device_state.default, (*head, p.n_devices, case.rows, case.voltages)
    )


def test_second_derivatives_are_refused() -> None:
    case = _case(27, 2, 4, 2)
    x = case.rows.clone().requires_grad_()
    volts, _, _ = circuit_sim.operating_point(case.program, x, temperature=case.temperature)
    (first,) = torch.autograd.grad(volts.sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="once differentiable"):
        first.sum().backward()


@pytest.mark.parametrize("which", ["rows", "voltages"])
def test_either_gradient_may_be_asked_alone(which: str) -> None:
    case = _case(28, 5, 4, 3)
    both = [t.clone().requires_grad_() for t in (case.rows, case.voltages)]
    f = torch.tensor([1e5, 1e9], dtype=torch.float64)
    _, s = circuit_sim.small_signal(case.program, *both, f, **case.signals())
    expected = torch.autograd.grad(s.sum(), both)
    index = 0 if which == "rows" else 1
    alone = [t.detach() for t in both]
    alone[index] = alone[index].clone().requires_grad_()
    _, s = circuit_sim.small_signal(case.program, *alone, f, **case.signals())
    (grad,) = torch.autograd.grad(s.sum(), alone[index])
    assert torch.equal(grad, expected[index])


def test_non_contiguous_arguments_are_read_by_their_strides() -> None:
    case = _case(29, 6, 4, 3)
    expected = circuit_sim.operating_point(case.program, case.rows)[0]
    strided = circuit_sim.operating_point(case.program, case.rows.T.contiguous().T)[0]
    assert torch.equal(strided, expected)


# Bad input ----------------------------------------------------------------------------------------


def test_bad_arguments_are_named() -> None:
    case = _case(30, 3, 4, 2)
    p, rows, volts = case.program, case.rows, case.voltages
    f = torch.tensor([1e6], dtype=torch.float64)
    n = p.n_sources

    def signal(**change: object) -> None:
        arguments = {"program": p, "rows": rows, "voltages": volts, "frequencies": f}
        circuit_sim.small_signal(**(arguments | case.signals() | change))  # type: ignore[arg-type]

    def find(**change: object) -> None:
        arguments = {"program": p, "rows": rows, "voltages": volts, "drives": case.drives}
        arguments |= {"outputs": case.outputs, "requests": torch.tensor([[0, 0, 0]])}
        arguments |= {"low": 1.0, "high": 1e9}
        circuit_sim.find_frequencies(**(arguments | change))  # type: ignore[arg-type]

    with pytest.raises(TypeError, match=r"program must be a CircuitProgram, got str"):
        circuit_sim.operating_point("rc", rows)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"rows must be a torch.float64 tensor, got torch.float32"):
        circuit_sim.operating_point(p, rows.float())
    with pytest.raises(ValueError, match=rf"rows must have shape \({p.n_rows}, any\)"):
        circuit_sim.operating_point(p, rows[1:])
    with pytest.raises(ValueError, match=r"temperature must be above -273.15, got -300"):
        circuit_sim.operating_point(p, rows, temperature=-300.0)
    with pytest.raises(ValueError, match=r"start must have shape"):
        circuit_sim.operating_point(p, rows, start=volts[1:])
    with pytest.raises(TypeError, match=r"start must be a torch.float64 tensor"):
        circuit_sim.operating_point(p, rows, start=volts.float())
    with pytest.raises(ValueError, match=r"program.n_sources is \d+, but its code holds"):
        circuit_sim.operating_point(replace(p, n_sources=n + 1), rows)
    with pytest.raises(ValueError, match=r"voltages must have shape"):
        signal(voltages=volts[:, :2])
    with pytest.raises(ValueError, match=r"frequencies must be above 0 Hz, got 0.0"):
        signal(frequencies=f * 0.0)
    with pytest.raises(ValueError, match=r"frequencies must be above 0 Hz, got nan"):
        signal(frequencies=f * math.nan)
    with pytest.raises(ValueError, match=r"frequencies must have shape \(any,\) or \(any, 3\)"):
        signal(frequencies=f[:, None].repeat(1, 2))
    with pytest.raises(ValueError, match=rf"drives must have shape \(any, {n}\)"):
        signal(drives=case.drives[:, 1:])
    with pytest.raises(ValueError, match=r"drives must be finite, got nan"):
        signal(drives=case.drives * math.nan)
    with pytest.raises(ValueError, match=rf"outputs must hold nodes in \[0, {p.n_nodes}\), got 99"):
        signal(outputs=torch.tensor([[0, 99]]))
    with pytest.raises(ValueError, match=r"noise must hold nodes in .* got -1"):
        signal(noise=torch.tensor([[0, -1]]))
    with pytest.raises(ValueError, match=r"column 0 of requests must be a kind in \[0, 3\), got 3"):
        find(requests=torch.tensor([[3, 0, 0]]))
    with pytest.raises(ValueError, match=r"column 2 of requests must be a drive in \[0, 2\)"):
        find(requests=torch.tensor([[0, 0, 2]]))
    with pytest.raises(
        ValueError, match=r"column 3 of requests must be an output or -1 in \[-1, 3"
    ):
        find(requests=torch.tensor([[0, 0, 0, 3]]))
    with pytest.raises(ValueError, match=r"low must be above 0 Hz"):
        find(low=0.0)
    with pytest.raises(ValueError, match=r"high must be above low"):
        find(high=0.5)
    with pytest.raises(ValueError, match=r"points must be 2 or more, got 1"):
        find(points=1)
    with pytest.raises(ValueError, match=r"program.n_devices is 7, but its code holds 2"):
        circuit_sim.device_state(replace(p, n_devices=7), rows, volts)


@pytest.mark.parametrize(
    "code",
    [
        [9, 0, 0, 0],
        [0, 0, 5, 0],
        [0, -1, 0, 0],
        [0, 0, 1, 4],
        [0, 0, 1],
        [4, 1, 0, 0, 0, 0, *range(9)],
        [4, 1, 0, 0, 0, 1, *[0] * 10],
        [4, 1, 0, 0, 0, 0, *[7] * 10],
    ],
)
def test_a_malformed_program_is_refused(code: list[int]) -> None:
    data = torch.tensor([1e-12, *CARD.values()], dtype=torch.float64)
    program = CircuitProgram(3, 4, 0, 0, torch.tensor(code), data)
    with pytest.raises(ValueError, match=r"\w"):
        circuit_sim.operating_point(program, torch.ones(4, 2, dtype=torch.float64))


def test_the_builder_names_what_is_wrong() -> None:
    builder = CircuitProgramBuilder(3, 2)
    with pytest.raises(ValueError, match=r"resistor: b must be in \[0, 3\), got 3"):
        builder.resistor(0, 3, 0)
    with pytest.raises(ValueError, match=r"voltage: row must be in \[0, 2\), got -1"):
        builder.voltage_source(0, 1, -1)
    with pytest.raises(ValueError, match=r"mosfet: model must be in \[0, 0\), got 0"):
        builder.mosfet(0, 0, 0, 0, 0, *[0] * 10)
    with pytest.raises(ValueError, match=r"card must hold names of .* got 'uo'"):
        builder.model({"uo": 600.0})
    with pytest.raises(ValueError, match=r"card\['phi'\] must be above 0, got 0.0"):
        builder.model({"phi": 0.0})
    with pytest.raises(ValueError, match=r"card\['nlev'\] must be -1, 0, 1, 2 or 3, got 4"):
        builder.model({"nlev": 4})
    with pytest.raises(ValueError, match=r"card\['cj'\] must be finite, got nan"):
        builder.model({"cj": math.nan})
    with pytest.raises(ValueError, match=r"n_nodes must be 1 or more"):
        CircuitProgramBuilder(0, 1)
    builder.model({})
    program = builder.build()
    assert program.data.tolist() == [1e-12, *CARD.values()]
    assert program.code.numel() == 0
