# SPDX-License-Identifier: Apache-2.0
"""A sizing problem without a simulator: a ring of components, a known best design."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch

FAILURE = -2.0


@dataclass(frozen=True)
class Vertex:
    name: str
    type: str


@dataclass(frozen=True)
class Metrics:
    values: torch.Tensor
    status: torch.Tensor


@dataclass(frozen=True)
class Evaluation:
    fom: torch.Tensor
    metrics: torch.Tensor
    params: torch.Tensor
    status: torch.Tensor


class SyntheticProblem:
    """Smooth, multi-modal, 1.5 at ``best_units``; a corner of the box fails.

    Matched devices share parameters; metrics couple neighbours, so that the graph matters.
    """

    def __init__(
        self,
        pairs: int = 4,
        *,
        node: str = "180",
        scalar_index: bool = False,
        ripple: float = 0.2,
        seed: int = 0,
        failing: bool = True,
    ) -> None:
        draw = torch.Generator().manual_seed(seed)
        types = ["nmos", "pmos"] * pairs + ["r", "c"]
        v = len(types)
        self.name, self.node = f"synthetic{pairs}", node
        self.vertices = tuple(Vertex(f"{t}{i}", t) for i, t in enumerate(types))
        adjacency = torch.zeros(v, v, dtype=torch.float64)
        for i in range(v):
            for j in (i + 1, i + 2):
                adjacency[i, j % v] = adjacency[j % v, i] = 1.0
        self.adjacency = adjacency
        index = torch.arange(v, dtype=torch.float64)
        kind = torch.stack(
            [torch.tensor([float(t == u) for t in types]) for u in ("nmos", "pmos", "r", "c")], 1
        ).double()
        where = index[:, None] / v if scalar_index else torch.eye(v, dtype=torch.float64)
        model = kind[:, :2] @ torch.randn(2, 5, generator=draw, dtype=torch.float64)
        state = torch.cat([where, kind, model], 1)
        spread = state.std(0, correction=0)
        self.features = (state - state.mean(0)) / torch.where(spread > 1e-9, spread, 1.0)
        slots = torch.full((v, 3), -1)
        names: list[str] = []
        for i, t in enumerate(types):
            for k, what in enumerate("wlm" if t in ("nmos", "pmos") else "x"):
                if what == "m" and i >= 2:
                    continue
                # The second device of a kind is matched to the first.
                key = f"{what}{i % 2 if i < 4 and t in ('nmos', 'pmos') else i}"
                if key not in names:
                    names.append(key)
                slots[i, k] = names.index(key)
        self.slot_parameter = slots
        self.parameter_names = tuple(names)
        p = len(names)
        self.n_parameters = p
        self.integer = torch.tensor([n.startswith("m") for n in names])
        self.log = torch.ones(p, dtype=torch.bool)
        self.low = torch.ones(p, dtype=torch.float64)
        self.high = torch.full((p,), 100.0, dtype=torch.float64)
        self.grid = torch.where(self.integer, 1.0, 0.005).double()
        self.metric_names = ("gain", "bandwidth", "power")
        self.metric_signs = (1, 1, -1)
        self.failing = failing
        self.ripple = ripple
        self.best_units = 1.4 * torch.rand(p, generator=draw, dtype=torch.float64) - 0.7
        self._mix = torch.linalg.qr(torch.randn(p, p, generator=draw, dtype=torch.float64))[0]
        self._scale = torch.logspace(-0.3, 0.7, p, dtype=torch.float64)
        self.human = self.unit_to_parameters(torch.full((1, p), 0.2))[0]
        self.human[2] = 200.0  # a designer may be out of bounds
        self.simulated = 0
        self.gradients = 0

    # -- coordinates ------------------------------------------------------------------------

    def unit_to_parameters(self, units: torch.Tensor, rounded: bool = True) -> torch.Tensor:
        share = (units.double().clamp(-1, 1) + 1) / 2
        values = self.low * (self.high / self.low) ** share
        return ((values / self.grid).round() * self.grid) if rounded else values

    def parameters_to_unit(self, params: torch.Tensor) -> torch.Tensor:
        return 2 * torch.log(params / self.low) / torch.log(self.high / self.low) - 1

    def to_parameters(self, actions: torch.Tensor) -> torch.Tensor:
        flat, slots = actions.flatten(-2), self.slot_parameter.flatten()
        units = torch.stack([flat[..., slots == p].mean(-1) for p in range(self.n_parameters)], -1)
        return self.unit_to_parameters(units)

    # -- the function -----------------------------------------------------------------------

    def metrics(self, params: torch.Tensor) -> Metrics:
        x = self.parameters_to_unit(params.double())
        y = (x - self.best_units) @ self._mix * self._scale
        third = self.n_parameters // 3
        parts = [y[:, :third], y[:, third : 2 * third], y[:, 2 * third :]]
        values = [
            part.square().mean(-1) + self.ripple * (1 - torch.cos(6 * part)).mean(-1)
            for part in parts
        ]
        found = torch.stack([-values[0], -values[1], values[2]], 1)
        status = torch.zeros(len(params), dtype=torch.int64)
        if self.failing:
            broken = (x[:, 0] + x[:, 1]).detach() > 1.2
            status = torch.where(broken, 3, status)
            found = torch.where(broken[:, None], torch.nan, found)
        return Metrics(found, status)

    def fom(self, metrics: Any) -> torch.Tensor:
        signs = torch.tensor(self.metric_signs, dtype=torch.float64)
        score = 1.5 + 0.4 * (torch.nan_to_num(metrics.values) * signs).sum(1)
        return torch.where(metrics.status == 3, FAILURE, score.clamp_min(FAILURE))

    def evaluate_units(self, units: torch.Tensor) -> Evaluation:
        assert units.dtype == torch.float64
        assert not units.requires_grad
        assert float(units.abs().max()) <= 1.0
        self.simulated += len(units)
        params = self.unit_to_parameters(units)
        metrics = self.metrics(params)
        return Evaluation(self.fom(metrics), metrics.values, params, metrics.status)

    def gradient_units(self, units: torch.Tensor) -> tuple[Evaluation, torch.Tensor]:
        self.gradients += len(units)
        leaf = units.detach().clone().requires_grad_(True)
        soft = self.unit_to_parameters(leaf, rounded=False)
        params = soft + (self.unit_to_parameters(units) - soft).detach()
        metrics = self.metrics(params)
        fom = self.fom(metrics)
        (slope,) = torch.autograd.grad(fom.sum(), leaf)
        evaluation = Evaluation(
            fom.detach(), metrics.values.detach(), params.detach(), metrics.status
        )
        return evaluation, slope


@pytest.fixture
def make_problem() -> Callable[..., SyntheticProblem]:
    return SyntheticProblem


@pytest.fixture
def problem() -> SyntheticProblem:
    return SyntheticProblem()
