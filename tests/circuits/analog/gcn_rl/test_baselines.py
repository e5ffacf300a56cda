# SPDX-License-Identifier: Apache-2.0
"""Every method: one signature, one budget, its own random numbers."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats

from circuits.analog.gcn_rl import METHODS, Recorder, Trace, find_method, optional
from circuits.analog.gcn_rl.baselines.surrogate import Surrogate, acquisitions
from circuits.analog.gcn_rl.trace import BudgetSpentError

SMALL: dict[str, dict[str, Any]] = {
    "bo": {"warm_up": 18},
    "gradient": {"warm_up": 10},
    "gradient+es": {"warm_up": 10},
    "mace": {"warm_up": 18, "population": 12, "generations": 4},
    "sqp": {"warm_up": 10},
}
AGENT: dict[str, Any] = {"depth": 1, "hidden": 8, "updates": 1, "batch": 8, "warm_up": 10}
BUDGET = 26


def run(problem: Any, name: str, budget: float, seed: int, **options: Any) -> Trace:
    method = METHODS[name]
    if not method.available():
        pytest.skip(f"{name} needs {', '.join(method.packages)}")
    chosen = AGENT if method.agent else SMALL.get(name, {})
    return method.run(problem, budget, seed, **{**chosen, **options})


@pytest.mark.parametrize("name", METHODS)
def test_every_method_keeps_its_budget_and_records_it(make_problem: Any, name: str):
    problem = make_problem(2)
    before = np.random.get_state()[1].tobytes(), torch.get_rng_state()
    trace = run(problem, name, BUDGET, 3)
    assert np.random.get_state()[1].tobytes() == before[0]
    assert torch.equal(torch.get_rng_state(), before[1])
    assert (trace.method, trace.seed, trace.node) == (name, 3, "180")
    assert len(trace.fom) == len(trace.charge) == len(trace.best)
    assert trace.charge[-1] <= BUDGET
    assert name == "human" or trace.charge[-1] > BUDGET - 3
    assert METHODS[name].gradients == (trace.n_gradients > 0)
    if name != "human":
        assert problem.simulated + problem.gradients == len(trace.fom)
        again = problem.evaluate_units(torch.from_numpy(trace.best_units)[None])
        assert float(again.fom[0]) == pytest.approx(trace.best_fom, abs=1e-12)
        np.testing.assert_allclose(again.params[0].numpy(), trace.best_params)
        np.testing.assert_allclose(again.metrics[0].numpy(), trace.best_metrics)
        repeat = run(make_problem(2), name, BUDGET, 3)
        np.testing.assert_array_equal(trace.fom, repeat.fom)
        other = run(make_problem(2), name, BUDGET, 4)
        assert not np.array_equal(trace.fom, other.fom)
    back = Trace.from_dict(json.loads(json.dumps(trace.to_dict(), allow_nan=False)))
    np.testing.assert_array_equal(back.best, trace.best)
    np.testing.assert_array_equal(back.best_units, trace.best_units)


@pytest.mark.parametrize("name", ["es", "es-best", "gradient", "gradient+es", "sqp"])
def test_searches_beat_chance(make_problem: Any, name: str):
    problem = make_problem(3, ripple=0.0)
    chance = np.median([run(problem, "random", 400, s).best_fom for s in range(3)])
    found = np.median([run(problem, name, 400, s).best_fom for s in range(3)])
    assert found > chance + 0.2
    if name.startswith(("gradient", "sqp")):
        assert found > 1.49  # the summit is 1.5


def test_surrogates_beat_chance(make_problem: Any):
    problem = make_problem(2, ripple=0.0, failing=False)
    chance = np.median([run(problem, "random", 60, s).best_fom for s in range(5)])
    options = {"warm_up": 20}
    assert run(problem, "bo", 60, 0, **options).best_fom > chance
    mace = run(problem, "mace", 60, 0, **options, population=30, generations=10)
    assert mace.best_fom > chance


def test_surrogates_stop_at_their_cap_and_say_so(make_problem: Any):
    trace = run(make_problem(2), "bo", 500, 0, warm_up=8, cap=12)
    assert len(trace.fom) == 12
    assert trace.notes == {"stopped": "cap of 12 points"}


def test_the_human_is_simulated_as_given(problem: Any):
    trace = run(problem, "human", 1, 0)
    expected = problem.fom(problem.metrics(problem.human[None]))
    assert trace.fom.tolist() == expected.tolist()
    np.testing.assert_array_equal(trace.best_params, problem.human.numpy())


def test_gradients_are_charged_as_asked(make_problem: Any):
    for charge in (1.0, 2.5, 4.0):
        problem = make_problem(2)
        trace = run(problem, "gradient", 90, 0, warm_up=10, gradient_charge=charge)
        steps = np.diff(trace.charge, prepend=0.0)
        assert set(steps.tolist()) <= {1.0, charge}
        assert 90 - charge < trace.charge[-1] <= 90


def test_recorder_refuses_what_is_not_paid_for(problem: Any):
    recorder = Recorder(problem, 5, 0, "test")
    recorder.evaluate(torch.zeros(3, problem.n_parameters, dtype=torch.float64))
    with pytest.raises(BudgetSpentError, match="3 simulations asked, 2 left"):
        recorder.evaluate(torch.zeros(3, problem.n_parameters, dtype=torch.float64))
    with pytest.raises(BudgetSpentError):
        recorder.gradient(torch.zeros(1, problem.n_parameters, dtype=torch.float64))
    assert problem.simulated == 3
    assert len(recorder.trace().fom) == 3


def test_best_after_a_charge():
    trace = Trace(
        method="m",
        problem="p",
        node="n",
        seed=0,
        budget=9,
        charge=np.array([1.0, 4.0, 5.0]),
        fom=np.array([np.nan, 0.5, 0.2]),
        best=np.array([-np.inf, 0.5, 0.5]),
        best_units=np.zeros(1),
        best_params=np.zeros(1),
        best_metrics=np.zeros(1),
    )
    assert trace.at(0.5) == trace.at(3.9) == -math.inf
    assert trace.at(4.0) == trace.at(100) == trace.best_fom == 0.5


def test_acquisitions_are_the_textbooks_and_finite_far_out():
    mean = torch.linspace(-3, 3, 41, dtype=torch.float64)
    deviation = torch.linspace(0.1, 2, 41, dtype=torch.float64)
    found = acquisitions(mean, deviation, 0.7).numpy()
    z = (mean.numpy() - 0.7) / deviation.numpy()
    improvement = deviation.numpy() * (stats.norm.pdf(z) + z * stats.norm.cdf(z))
    np.testing.assert_allclose(found[:, 0], mean.numpy() + 2 * deviation.numpy())
    np.testing.assert_allclose(found[:, 1], stats.norm.logcdf(z), rtol=1e-9)
    usable = z > -5
    np.testing.assert_allclose(np.exp(found[usable, 2]), improvement[usable], rtol=1e-6)
    far = acquisitions(
        torch.linspace(-500, -1, 1000, dtype=torch.float64), torch.ones(1000).double(), 0.0
    )
    assert bool(torch.isfinite(far).all())
    assert bool((far[1:] > far[:-1]).all())


def test_the_posterior_is_botorchs(make_problem: Any):
    pytest.importorskip("botorch")
    problem = make_problem(2)
    draw = torch.Generator().manual_seed(0)
    units = 2 * torch.rand(40, problem.n_parameters, generator=draw, dtype=torch.float64) - 1
    posterior, model = Surrogate().fit(units, problem.evaluate_units(units).fom)
    x = torch.rand(30, problem.n_parameters, generator=draw, dtype=torch.float64)
    with torch.no_grad():
        mean, deviation = posterior.at(x)
        theirs = model.posterior(x)
        torch.testing.assert_close(mean, theirs.mean.squeeze(-1), rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(
            deviation, theirs.variance.sqrt().squeeze(-1), rtol=1e-3, atol=1e-4
        )
        before = posterior.at(x[:1])
        posterior.believe(x[0])
        after = posterior.at(x[:1])
    torch.testing.assert_close(before[0], after[0])
    assert float(after[1]) < float(before[1])


def test_a_missing_package_names_the_command(problem: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(optional.importlib.util, "find_spec", lambda name: None)
    for name in ("es", "bo", "mace"):
        assert not METHODS[name].available()
        with pytest.raises(ImportError, match=r"pip install .*\[sizing\]'"):
            METHODS[name].run(problem, 40, 0)


def test_wrong_arguments_are_refused(problem: Any):
    with pytest.raises(ValueError, match="method: expected one of human, random"):
        find_method("annealing")
    with pytest.raises(ValueError, match="population"):
        run(problem, "es", 10, 0, population=2)
    with pytest.raises(ValueError, match="start: expected"):
        run(problem, "es", 10, 0, start=[0.0])
    with pytest.raises(ValueError, match="start: expected finite"):
        run(problem, "gradient", 10, 0, start=[math.nan] * problem.n_parameters)
    with pytest.raises(ValueError, match="share"):
        run(problem, "gradient+es", 10, 0, share=1.0)
    with pytest.raises(TypeError, match="dpeth"):
        run(problem, "gcn-rl", 10, 0, dpeth=2)
    assert problem.simulated == 0
