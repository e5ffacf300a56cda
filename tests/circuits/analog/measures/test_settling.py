# SPDX-License-Identifier: Apache-2.0
"""Settling times against closed forms, differences and ngspice; what never settles."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from circuits.analog import Circuit
from circuits.analog.designs import Design, design
from circuits.analog.measures import Bench, Gain, Settling, Signal, Step, Steps, Testbench
from circuits.analog.measures.oracle import read_in_ngspice
from circuits.analog.ngspice import available
from circuits.analog.sizing import SizingProblem
from circuits.analog.sizing.calibration import random_units

EDGE, WINDOW = 10e-9, 20e-6  # of the low pass
needs_ngspice = pytest.mark.skipif(
    not available(), reason="ngspice is not installed (apt-get install libngspice0)"
)


def low_pass(change: float, band: float, tolerance: float = 1e-7) -> Bench:
    """1 mA and a step of ``change`` of it into R parallel to C, and back."""
    circuit = Circuit("low pass")
    r = circuit.parameter("r", 1e3)
    c = circuit.parameter("c", 1e-10)
    circuit.current_source("iin", 0, "out", dc=1e-3)
    circuit.resistor("r1", "out", 0, r)
    circuit.capacitor("c1", "out", 0, c)
    steps = (Step("up", "IIN", 1e-3 * change), Step("down", "iin", -1e-3 * change))
    return Bench(
        circuit,
        Testbench(
            (Settling("up", "up", band), Settling("down", "down", band)),
            steps=Steps(steps, "out", WINDOW, EDGE, tolerance, max_steps=100_000),
        ),
    )


def closed_form(tau: float, share: float) -> float:
    """After an edge the distance is (tau / edge)(e^(edge / tau) - 1) e^(-t / tau) of the step."""
    return tau * math.log(tau / EDGE * math.expm1(EDGE / tau) / share)


@settings(max_examples=20, deadline=None)
@given(
    st.floats(3e2, 3e3), st.floats(1e-10, 4e-10), st.floats(0.3, 3.0), st.sampled_from([0.01, 0.05])
)
def test_an_rc_settles_by_its_logarithm(r: float, c: float, change: float, band: float) -> None:
    bench = low_pass(change, band)
    values = torch.tensor([[r], [c]], dtype=torch.float64)
    up, down = bench.read(values).values[0].tolist()
    tau = r * c
    # the distance is linear between samples 2.4 % apart
    assert up == pytest.approx(closed_form(tau, band * (1 + change) / change), rel=1e-3)
    assert down == pytest.approx(closed_form(tau, band / change), rel=1e-3)
    assert down == pytest.approx(tau * math.log(change / band) + EDGE / 2, rel=2e-2)


def test_the_slope_of_an_rc() -> None:
    """d t / d ln tau is about t; between two samples it is that of a straight line."""
    bench = low_pass(1.0, 0.01)
    values = torch.tensor([[1e3, 2e3, 5e2], [1e-10, 2e-10, 7e-10]], dtype=torch.float64)
    leaf = values.clone().requires_grad_(True)
    found = bench.read(leaf).values
    slopes = torch.autograd.grad(found.sum(), leaf)[0] * values
    expected = found.sum(1).detach() - EDGE  # the edge does not scale
    np.testing.assert_allclose(slopes[0], expected, rtol=0.1)
    np.testing.assert_allclose(slopes[1], slopes[0], rtol=1e-6)  # only their product counts


def test_what_stays_in_the_band_takes_the_edge() -> None:
    found = low_pass(0.005, 0.01).read(torch.tensor([[1e3], [1e-10]], dtype=torch.float64))
    assert found.values.tolist() == [pytest.approx([1.1 * EDGE, 1.1 * EDGE])]


# -- the regulator -------------------------------------------------------------------------------


def regulator(**changes: object) -> tuple[SizingProblem, Bench, list[int]]:
    """The LDO, a bench with other steps, and which metrics are settling times."""
    made: Design = design("ldo")
    assert made.testbench.steps is not None
    steps = replace(made.testbench.steps, **changes)  # type: ignore[arg-type]
    bench = Bench(made.circuit, replace(made.testbench, steps=steps))
    times = [i for i, name in enumerate(bench.names) if name.startswith("settle")]
    assert len(times) == 4
    return SizingProblem(made), bench, times


def stable(problem: SizingProblem, count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Random designs whose margins are above 0, and some of which one is not, or undefined."""
    params = problem.unit_to_parameters(random_units(150, problem.n_parameters, seed))
    found = problem.metrics(params).values
    light, heavy = (found[:, problem.metric_names.index(f"{k}_margin")] for k in ("light", "heavy"))
    both = torch.fmin(light, heavy)  # an undefined margin is no margin
    defined = torch.isfinite(light) & torch.isfinite(heavy)
    return params[defined & (both > 0)][:count], params[~(both > 0) | ~defined][:count]


def test_slopes_against_differences() -> None:
    """With steps fine enough that their choice no longer shows in a difference."""
    problem, bench, times = regulator(tolerance=1e-9, max_steps=300_000)
    points = torch.cat([problem.human[None], stable(problem, 1, 7)[0]])
    leaf = points.clone().requires_grad_(True)
    found = bench.read(problem.all_parameters(leaf)).values[:, times]
    h = 1e-5
    smooth = torch.nonzero(~problem.integer)[:, 0].tolist()
    moved = points.repeat(2 * len(smooth), 1, 1)
    for i, k in enumerate(smooth):
        moved[2 * i, :, k] *= math.exp(h)
        moved[2 * i + 1, :, k] *= math.exp(-h)
    with torch.no_grad():
        ends = bench.read(problem.all_parameters(moved.flatten(0, 1))).values[:, times]
    ends = ends.reshape(len(smooth), 2, len(points), len(times))
    central = (ends[:, 0] - ends[:, 1]) / (2 * h)
    for m in range(len(times)):
        (slope,) = torch.autograd.grad(found[:, m].sum(), leaf, retain_graph=True)
        ours = (slope * points)[:, smooth].t()
        apart = (ours - central[:, :, m]).abs() / found[:, m].detach()
        assert apart.max().item() < 2e-3
        assert (ours / found[:, m].detach()).abs().max().item() > 0.3  # not all of them 0


def test_the_tolerance_is_fine_enough() -> None:
    """The design's own steps against far finer ones: within 1 % for most.

    Where a peak of the ringing grazes the band the time jumps by a period. What rings long may be
    given up, and then counts as the window: never as too good.
    """
    problem, fine, times = regulator(tolerance=1e-8, max_steps=300_000)
    points = stable(problem, 40, 3)[0]
    assert len(points) == 40
    exact = fine.read(problem.all_parameters(points)).values[:, times]
    found = problem.metrics(points).values[:, times]
    steps = problem.bench.steps
    assert steps is not None
    kept = (found < 0.99 * (steps.window - steps.edge)).all(1)
    assert kept.double().mean() > 0.85
    apart = (found / exact - 1)[kept].abs()
    assert torch.quantile(apart, 0.8).item() < 0.01
    assert torch.quantile(apart, 0.95).item() < 0.1


@needs_ngspice
@pytest.mark.parametrize("node", ["180", "65"])
def test_ngspice_says_the_same(node: str) -> None:
    """ngspice's own transient of the human point, and of one that oscillates: neither has it."""
    problem = SizingProblem(design("ldo", node))
    unstable = stable(problem, 1, 7)[1]
    assert len(unstable) == 1
    points = torch.cat([problem.human[None], unstable])
    values = problem.all_parameters(points)
    ours, theirs = problem.bench.read(values).values, read_in_ngspice(problem.bench, values).values
    for i, name in enumerate(problem.metric_names):
        if name.startswith("settle"):
            assert ours[0, i].item() == pytest.approx(theirs[0, i].item(), rel=0.01)
            assert math.isnan(ours[1, i])
            assert math.isnan(theirs[1, i])


def test_what_is_unstable_is_not_run() -> None:
    """NaN, without poisoning the others; nothing at all is run where nobody is stable."""
    problem, bench, times = regulator()
    good, bad = stable(problem, 3, 7)
    assert len(bad) == 3
    leaf = torch.cat([good[:2], bad, good[2:]]).requires_grad_(True)
    found = bench.read(problem.all_parameters(leaf))
    assert found.status.tolist() == [0] * 6
    have = torch.isfinite(found.values[:, times])
    assert have.all(1).tolist() == [True, True, False, False, False, True]
    assert not have[2:5].any()
    torch.nan_to_num(found.values[:, times]).sum().backward()
    assert leaf.grad is not None
    assert bool(torch.isfinite(leaf.grad).all())
    assert not leaf.grad[2:5].any()
    assert bool(leaf.grad[[0, 1, 5]].any(1).all())
    with torch.no_grad():
        alone = bench.read(problem.all_parameters(good)).values[:, times]
        nobody = bench.read(problem.all_parameters(bad)).values[:, times]
    np.testing.assert_allclose(found.values.detach()[[0, 1, 5]][:, times], alone, rtol=1e-9)
    assert bool(torch.isnan(nobody).all())


def test_what_rings_forever_takes_the_window() -> None:
    """Run all the same, oscillators are given up, or ring until the window ends."""
    problem, bench, times = regulator(stable=(), max_steps=2000)
    params = problem.unit_to_parameters(random_units(300, problem.n_parameters, 11))
    margins = problem.metrics(params).values[:, 4:6]
    assert problem.metric_names[4:6] == ("light_margin", "heavy_margin")
    bad = params[(margins < -5).all(1)]  # whatever the load
    assert len(bad) >= 3
    leaf = bad.clone().requires_grad_(True)
    found = bench.read(problem.all_parameters(leaf)).values[:, times]
    assert bench.steps is not None
    assert bool((found > 0.8 * bench.steps.window).all())
    assert bool((found < bench.steps.window).all())
    found.sum().backward()
    assert leaf.grad is not None
    assert bool(torch.isfinite(leaf.grad).all())


def test_what_is_given_up_takes_the_window() -> None:
    problem, bench, times = regulator(max_steps=5)
    leaf = problem.human[None].clone().requires_grad_(True)
    found = bench.read(problem.all_parameters(leaf))
    assert found.status.tolist() == [0]
    assert bench.steps is not None
    whole = bench.steps.window - bench.steps.edge
    np.testing.assert_allclose(found.values[:, times].detach(), whole, rtol=1e-9)
    found.values[:, times].sum().backward()
    assert leaf.grad is not None
    assert not leaf.grad.any()


def test_no_transient_without_a_measure_of_it() -> None:
    made = design("ldo")
    bench = Bench(made.circuit, replace(made.testbench, measures=(Gain("g", "loop"),)))
    assert bench.steps is None


def test_wrong_steps() -> None:
    step = Step("up", "i", 1.0)
    with pytest.raises(ValueError, match=r"0 < 4 edge < window, got edge 1\.0"):
        Steps((step,), "out", window=1.0, edge=1.0)
    with pytest.raises(ValueError, match="tolerance is 0; expected more than 0"):
        Steps((step,), "out", tolerance=0)
    with pytest.raises(ValueError, match="max_steps is 0; expected 1 or more"):
        Steps((step,), "out", max_steps=0)
    with pytest.raises(ValueError, match="'s': band is 1; expected 0 to 1"):
        Settling("s", "up", 1)
    measure, steps = Settling("s", "up"), Steps((step,), "out")
    with pytest.raises(ValueError, match="s needs step 'up': not there"):
        Testbench((measure,))
    with pytest.raises(ValueError, match="step 'up' is there twice"):
        Testbench((measure,), steps=replace(steps, steps=(step, step)))
    with pytest.raises(ValueError, match="stable: there is no measure 'margin'"):
        Testbench((measure,), steps=replace(steps, stable=("margin",)))
    circuit = Circuit("rc")
    circuit.resistor("r", "out", 0, 1.0)
    circuit.current_source("iin", 0, "out")
    signal = (Signal("z", {"iin": 1.0}, ("out", "0")),)
    with pytest.raises(ValueError, match="up: unknown source 'i'"):
        Bench(circuit, Testbench((measure,), signal, steps=steps))
    moved = Steps((Step("up", "iin", 1.0),), "out")
    bench = Testbench((measure,), signal, steps=moved)
    with pytest.raises(ValueError, match="unknown node 'far'"):
        Bench(circuit, replace(bench, steps=replace(moved, output="far")))
