# SPDX-License-Identifier: Apache-2.0
"""Composite quadratic programming: its model against brute force, its climbs on real circuits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from circuits.analog.gcn_rl import METHODS, Recorder
from circuits.analog.gcn_rl.baselines.composite.climb import Climb
from circuits.analog.gcn_rl.baselines.composite.model import Model
from circuits.analog.gcn_rl.baselines.composite.point import Observer, Point, Slopes
from circuits.analog.gcn_rl.study.charges import MEASURED
from circuits.analog.sizing import sizing_problem

pytest.importorskip("cma")

P = 3


def point(draw: np.random.Generator, rows: int, steps: int) -> Point:
    heights = np.sort(draw.uniform(-1.2, 1.5, (steps, 3)))[:, ::-1].copy()
    heights[:, 0] = np.abs(heights[:, 0]) + 0.1
    return Point(
        units=draw.uniform(-0.5, 0.5, P),
        fom=1.0,
        smooth_slope=draw.standard_normal(P),
        rows=draw.uniform(-0.3, 0.3, rows),
        row_slopes=draw.standard_normal((rows, P)),
        heights=heights,
        times=np.sort(draw.uniform(0.0, 1.0, (steps, 3))),
        works=True,
    )


def curved(draw: np.random.Generator) -> np.ndarray:
    root = draw.standard_normal((P, P))
    found: np.ndarray = root @ root.T * 0.5
    return found


@given(st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_step_is_the_best_of_the_model(seed: int) -> None:
    draw = np.random.default_rng(seed)
    at, curvature = point(draw, 2, 0), curved(draw)
    gaps, none = -at.rows, np.zeros((0, 0, P))
    model = Model(at, gaps, at.row_slopes, np.zeros(0), Slopes(none, none), curvature)
    low, high = np.full(P, -0.4), np.full(P, 0.3)
    step = model.best(low, high)
    assert step is not None

    def value(d: np.ndarray) -> np.ndarray:
        rows = np.minimum(gaps, d @ at.row_slopes.T) - np.minimum(gaps, 0.0)
        smooth = d @ at.smooth_slope - 0.5 * np.einsum("ij,jk,ik->i", d, curvature, d)
        found: np.ndarray = smooth + rows.sum(1)
        return found

    grid = np.stack(
        np.meshgrid(*[np.linspace(a, b, 41) for a, b in zip(low, high, strict=True)]), -1
    ).reshape(-1, P)
    assert np.all(step.step >= low - 1e-12)
    assert np.all(step.step <= high + 1e-12)
    assert step.gain == pytest.approx(float(value(step.step[None])[0]), abs=1e-9)
    assert step.gain >= value(grid).max() - 1e-5
    assert np.all((step.weights >= 0) & (step.weights <= 1))


@given(st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_half_waves_after_the_last_stay_in_the_band(seed: int) -> None:
    draw = np.random.default_rng(seed)
    at = point(draw, 1, 2)
    slopes = Slopes(draw.standard_normal((2, 3, P)), draw.standard_normal((2, 3, P)))
    rates = np.array([-0.3, -0.2])
    model = Model(at, -at.rows, at.row_slopes, rates, slopes, curved(draw))
    step = model.best(np.full(P, -0.3), np.full(P, 0.3))
    if step is None:
        return
    heights = at.heights + slopes.heights @ step.step
    last = at.last()
    changes = 0
    for s in range(2):
        outside = [k for k in range(3) if heights[s, k] > 0.0]
        assert all(k <= last[s] + 1 for k in outside)
        changes += bool(outside) and outside[-1] != last[s]
    assert changes <= 2


@given(st.integers(0, 10_000))
def test_slopes_learn_what_a_step_did(seed: int) -> None:
    draw = np.random.default_rng(seed)
    old, new = point(draw, 0, 2), point(draw, 0, 2)
    new.heights[1, 2] = np.nan
    slopes = Slopes(draw.standard_normal((2, 3, P)), draw.standard_normal((2, 3, P)))
    learnt = slopes.after(old, new)
    step = new.units - old.units
    np.testing.assert_allclose(learnt.times @ step, new.times - old.times, atol=1e-9)
    known = np.isfinite(new.heights)
    np.testing.assert_allclose(
        (learnt.heights @ step)[known], (new.heights - old.heights)[known], atol=1e-9
    )
    np.testing.assert_array_equal(learnt.heights[~known], slopes.heights[~known])
    # nothing is learnt across the step
    across = np.cross(step, draw.standard_normal(P))
    np.testing.assert_allclose(learnt.times @ across, slopes.times @ across, atol=1e-9)


def test_differences_are_simulations_and_see_what_moves() -> None:
    problem: Any = sizing_problem("ldo", "180")
    recorder = Recorder(problem, 100, 0, "test", 1.3)
    observer = Observer(recorder)
    human = problem.parameters_to_unit(problem.human[None])[0].numpy()
    at = observer.look(observer.rounded(human))
    slopes = observer.differences(at)
    assert recorder.spent == pytest.approx(1.3 + problem.n_parameters)
    assert observer.differences_cost() == problem.n_parameters
    # the linear model foresees another design beside this one
    beside = observer.rounded(at.units + 0.01 * np.sign(np.sin(np.arange(len(at.units)))))
    new = observer.look(beside)
    foreseen = at.times[:, 0] + slopes.times[:, 0] @ (beside - at.units)
    assert np.abs(foreseen - new.times[:, 0]).max() < 0.02
    assert np.abs(new.times[:, 0] - at.times[:, 0]).max() > 0.001


@pytest.mark.parametrize(
    ("circuit", "node", "budget", "level"),
    [
        ("two_tia", "180", 400, 1.418),
        ("two_volt", "180", 500, 3.91),
        ("three_tia", "ee114", 200, 1.455),
    ],
)
def test_best_designs_are_found_in_hundreds(
    circuit: str, node: str, budget: int, level: float
) -> None:
    # medians of CMA-ES are there after thousands
    problem = sizing_problem(circuit, node)
    charge = MEASURED[circuit].parts
    runs = METHODS["sqp"].run_seeds(problem, budget, [0, 1, 2], gradient_charge=charge)
    assert np.median([trace.best_fom for trace in runs]) > level


def test_threads_change_no_bit() -> None:
    threadpoolctl = pytest.importorskip("threadpoolctl")
    problem = sizing_problem("two_tia", "180")
    found = []
    for threads in (1, 2):
        with threadpoolctl.threadpool_limits(threads, "blas"):
            found.append(METHODS["sqp"].run(problem, 150, 1, gradient_charge=2.0).fom)
    np.testing.assert_array_equal(*found)


def test_a_climb_passes_settling_times_that_jump() -> None:
    problem = sizing_problem("ldo", "180")
    observer = Observer(Recorder(problem, 300, 0, "test", MEASURED["ldo"].parts))
    human = problem.parameters_to_unit(problem.human[None])[0].clamp(-1, 1).numpy()
    climb = Climb(observer, observer.look(observer.rounded(human)))
    before = climb.point.fom
    climb.run()
    assert climb.point.fom > before + 0.4
    again = problem.evaluate_units(torch.from_numpy(climb.point.units)[None])
    assert float(again.fom[0]) == climb.point.fom


def test_wrong_arguments_are_refused(problem: Any) -> None:
    for change in ({"warm_up": 0}, {"patience": True}):
        with pytest.raises(ValueError, match="expected an integer of at least 1"):
            METHODS["sqp"].run(problem, 10, 0, **change)
    with pytest.raises(ValueError, match="start: expected"):
        METHODS["sqp"].run(problem, 10, 0, start=[0.0])
    assert problem.simulated == 0
