# SPDX-License-Identifier: Apache-2.0
"""The metrics of all designs against ngspice, which searches for itself."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from circuits.analog.designs import DESIGNS
from circuits.analog.ngspice import available, simulate_deck
from circuits.analog.sizing import sizing_problem, verify_in_ngspice
from circuits.analog.sizing.calibration import random_units
from circuits.analog.sizing.verify import deck

needs_ngspice = pytest.mark.skipif(
    not available(), reason="ngspice is not installed (apt-get install libngspice0)"
)


@needs_ngspice
@pytest.mark.parametrize(("name", "node"), [(n, k) for n in DESIGNS for k in (None, "45")], ids=str)
def test_metrics_agree(name: str, node: str | None) -> None:
    problem = sizing_problem(name, node)
    count = 1 if (name, node) == ("two_volt", "45") else 2  # two seconds each
    units = random_units(count, problem.n_parameters, 8)
    params = torch.cat([problem.human[None], problem.unit_to_parameters(units)])
    found = verify_in_ngspice(problem, params, per_decade=5)
    assert found.status.tolist() == [0] * (1 + count)
    theirs, mine = found.values, found.native.values
    assert torch.equal(torch.isnan(theirs), torch.isnan(mine))
    apart = torch.nan_to_num((theirs - mine).abs() / mine.abs().clamp_min(1e-12))
    # two integrators with steps of their own; nothing else is as coarse
    transient = torch.tensor([m.startswith("settle") for m in problem.metric_names])
    assert bool((apart <= torch.where(transient, 1e-2, 1e-7)).all())
    np.testing.assert_allclose(found.difference, apart.amax(1), rtol=1e-2)
    foms = problem.fom(found.native)
    np.testing.assert_allclose(found.fom, foms, atol=2e-2 if transient.any() else 1e-7)


@needs_ngspice
def test_corners_agree() -> None:
    problem = sizing_problem("two_tia")
    found = verify_in_ngspice(
        problem, problem.human[None], temperature=85.0, override={"VDD": 1.62}
    )
    assert found.difference.item() < 1e-9
    nominal = problem.metrics(problem.human[None])
    assert not np.allclose(found.values, nominal.values, rtol=1e-3)


@needs_ngspice
def test_gradients_against_differences_of_ngspice() -> None:
    """The slope of bandwidth and gain to sizes, the simulator being another."""
    problem = sizing_problem("three_tia")
    leaf = problem.human[None].clone().requires_grad_(True)
    values = problem.metrics(leaf).values[0]
    h = 1e-4
    for name in ("W1", "WL2", "RB"):
        k = problem.parameter_names.index(name)
        moved = problem.human[None].repeat(2, 1)
        moved[0, k] *= math.exp(h)
        moved[1, k] *= math.exp(-h)
        theirs = verify_in_ngspice(problem, moved).values.log()
        for metric in ("bandwidth", "gain", "power"):
            m = problem.metric_names.index(metric)
            (slope,) = torch.autograd.grad(values[m].log(), leaf, retain_graph=True)
            ours = (slope[0, k] * problem.human[k]).item()
            assert ours == pytest.approx(((theirs[0] - theirs[1]) / (2 * h))[m].item(), abs=1e-6)


@needs_ngspice
def test_decks_are_what_was_measured() -> None:
    problem = sizing_problem("ldo")
    text = deck(problem, problem.human[None], scenario=1)
    found = simulate_deck(text)
    assert found.op["out"] == pytest.approx(1.1995206, abs=1e-7)  # at 10 mA


@needs_ngspice
def test_candidates_that_fail_are_alone() -> None:
    problem = sizing_problem("two_tia")
    params = torch.stack([problem.human, torch.full_like(problem.human, math.nan)])
    found = verify_in_ngspice(problem, params)
    assert found.status.tolist() == [0, 3]
    assert found.fom[1] == problem.merit.failure
    assert found.difference.tolist()[1] == 0


def test_needs_a_sensible_sweep() -> None:
    problem = sizing_problem("two_tia")
    with pytest.raises(ValueError, match="per_decade is 0; expected 1 or more"):
        verify_in_ngspice(problem, problem.human[None], per_decade=0)
