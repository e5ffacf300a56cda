# SPDX-License-Identifier: Apache-2.0
"""The parts of a figure of merit add up to it, and so do their slopes."""

from __future__ import annotations

import functools
import math

import numpy as np
import pytest
import torch

from circuits.analog.measures.lobes import LOBES
from circuits.analog.sizing import SizingProblem, sizing_problem
from circuits.analog.sizing.anatomy import Anatomist, Anatomy

CIRCUITS = {"two_tia": "180", "two_volt": "180", "three_tia": "ee114", "ldo": "180"}


@functools.cache
def seen(name: str) -> tuple[SizingProblem, Anatomist, torch.Tensor, Anatomy]:
    problem = sizing_problem(name, CIRCUITS[name])
    anatomist = Anatomist(problem)
    draw = np.random.default_rng(0)
    units = torch.from_numpy(draw.uniform(-1, 1, (160, problem.n_parameters)))
    return problem, anatomist, units, anatomist.see(units)


def inside(problem: SizingProblem, found: Anatomy) -> torch.Tensor:
    """Designs that work and whose terms are not clipped but at their caps."""
    values, status = found.evaluation.metrics, found.evaluation.status
    meets = problem.merit.meets(values, status, problem.metric_names)
    share = problem.merit.shares(values, meets, problem.metric_names)
    low, high = problem.merit.clip
    weight = torch.tensor([float(t.weight) for t in problem.merit.terms])
    return meets & ((share / weight > low) & (share / weight < high)).all(1)


@pytest.mark.parametrize("name", CIRCUITS)
def test_parts_add_up(name: str) -> None:
    problem, anatomist, units, found = seen(name)
    torch.testing.assert_close(found.evaluation.fom, problem.evaluate_units(units).fom)
    total = found.smooth + torch.minimum(found.rows, anatomist.caps).sum(1)
    terms = {t.metric: t for t in problem.merit.terms}
    settling = [m for m in problem.bench.testbench.measures if m.name.startswith("settle")]
    assert len(settling) == len(anatomist.rates) == found.times.shape[1]
    followed = torch.ones(len(units), dtype=torch.bool)
    for s, measure in enumerate(settling):
        outside = torch.nan_to_num(found.heights[:, s], nan=-1.0) > 0
        last = torch.where(outside, torch.arange(outside.shape[1]), -1).amax(1)
        followed &= last < LOBES - 1  # of a design that rings longer not all is seen
        time = found.times[:, s].gather(1, last.clamp_min(0)[:, None])[:, 0]
        total = total + anatomist.rates[s] * (time - math.log(terms[measure.name].low))
    checked = inside(problem, found) & torch.isfinite(total) & followed
    assert int(checked.sum()) > 25
    torch.testing.assert_close(total[checked], found.evaluation.fom[checked], rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", CIRCUITS)
def test_slopes_add_up(name: str) -> None:
    problem, anatomist, units, found = seen(name)
    checked = inside(problem, found)
    _, slope = problem.gradient_units(units[checked])
    leaf = units[checked].clone().requires_grad_(True)
    values = problem.metrics(problem.unit_to_parameters(leaf)).values
    names, rest = problem.metric_names, torch.zeros_like(slope)
    for term in problem.merit.terms:
        if term.metric.startswith("settle"):
            log = values[:, list(names).index(term.metric)].log().sum()
            rate = term.weight / math.log(term.high / term.low)
            rest += rate * torch.autograd.grad(log, leaf, retain_graph=True)[0]
    below = (found.rows < anatomist.caps).to(torch.float64)[..., None]
    total = found.smooth_slopes + (below * found.row_slopes).sum(1)
    torch.testing.assert_close(total[checked] + rest, slope, rtol=1e-9, atol=1e-9)


def test_without_slopes_nothing_else_changes() -> None:
    _, anatomist, units, found = seen("ldo")
    again = anatomist.see(units, slopes=False)
    assert torch.equal(again.evaluation.fom, found.evaluation.fom)
    torch.testing.assert_close(again.times, found.times, equal_nan=True)
    assert again.smooth_slopes.numel() == 0
