# SPDX-License-Identifier: Apache-2.0
"""Circuits for the tests of the circuit kernels, made by hand or generated, and what is near."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from torch import Tensor

from workbench.ops import circuit_sim
from workbench.ops.circuit_program import CircuitProgram, CircuitProgramBuilder
from workbench.ops.reference import circuit_sim as reference

REMAINDERS = (0, 1, 7, 8, 9, 17)
TEMPERATURES = (-40.0, 0.0, 27.0, 85.0, 125.0)
BOTH = pytest.mark.parametrize("module", [reference, circuit_sim], ids=["reference", "kernel"])
NMOS = {"gamma": 0.45, "phi": 0.85, "tox": 4.1e-9, "cgso": 4e-10, "cgdo": 4e-10, "cj": 1e-3}


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
