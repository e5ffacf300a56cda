# SPDX-License-Identifier: Apache-2.0
"""The environments against gymnasium's own checker; the L2DC score against hand arithmetic."""

from __future__ import annotations

import copy
import math
import warnings
from typing import Any

import numpy as np
import pytest
import torch

from circuits.analog.gcn_rl import GoalEnv, L2DCProblem, SizingEnv, Spec, score_l2dc
from circuits.analog.gcn_rl.goal_environment import relative_gap

GOALS = {"gain": (0.5, 2.0), "power": (0.1, 1.0)}


class Positive:
    """The synthetic problem with metrics as real ones are: positive."""

    def __init__(self, problem: Any) -> None:
        self._problem = problem

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._problem, name)

    def metrics(self, params: torch.Tensor) -> Any:
        found = self._problem.metrics(params)
        return type(found)(found.values.exp(), found.status)

    def evaluate_units(self, units: torch.Tensor) -> Any:
        found = self._problem.evaluate_units(units)
        return type(found)(found.fom, found.metrics.exp(), found.params, found.status)


@pytest.mark.parametrize("kind", ["fom", "l2dc", "goal"])
def test_gymnasium_finds_nothing_wrong(problem: Any, kind: str):
    pytest.importorskip("gymnasium")
    from gymnasium.utils.env_checker import check_env

    env: Any
    if kind == "goal":
        env = GoalEnv(Positive(problem), GOALS)
    elif kind == "l2dc":
        env = SizingEnv(Positive(problem), "l2dc", [Spec("gain", 0.9)])
    else:
        env = SizingEnv(problem)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message=".*(render|Box).*")
        # What cannot be rebuilt from a registered name is not asked to be.
        warnings.filterwarnings("ignore", message=".*spec.*")
        check_env(env, skip_render_check=True)


def test_it_is_registered(problem: Any):
    gymnasium = pytest.importorskip("gymnasium")
    env = gymnasium.make("workbench/Sizing-v0", problem=problem)
    observation, _ = env.reset(seed=0)
    assert env.observation_space.contains(observation)
    _, reward, terminated, truncated, info = env.step(env.action_space.sample())
    assert math.isfinite(reward)
    assert (terminated, truncated) == (True, False)
    assert set(info["metrics"]) == set(problem.metric_names)
    assert set(info["params"]) == set(problem.parameter_names)
    assert info["status"] in (0, 3)


def test_one_and_many_designs_agree_with_the_problem(problem: Any):
    env = SizingEnv(problem)
    actions = 2 * torch.rand(5, len(problem.vertices), 3, dtype=torch.float64) - 1
    rewards = env.evaluate(actions)
    params = problem.to_parameters(actions)
    torch.testing.assert_close(rewards, problem.fom(problem.metrics(params)))
    for action, reward in zip(actions, rewards, strict=True):
        assert env.step(action.numpy())[1] == pytest.approx(float(reward), abs=1e-12)


def test_wrong_actions_are_refused(problem: Any):
    env = SizingEnv(problem)
    with pytest.raises(ValueError, match="action: expected"):
        env.step(np.zeros(3))
    with pytest.raises(ValueError, match="finite"):
        env.step(np.full((len(problem.vertices), 3), np.nan))
    with pytest.raises(ValueError, match="reward"):
        SizingEnv(problem, "area")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="specs"):
        SizingEnv(problem, "fom", [Spec("gain", 1.0)])


# -- L2DC ----------------------------------------------------------------------------------

NAMES = ("gain", "bandwidth", "power", "area")
SPECS = (
    Spec("gain", 100.0, 1, "constraint", "log"),
    Spec("bandwidth", 50.0),
    Spec("power", 3.0, -1),
    Spec("area", 200.0, -1, "target"),
)


def test_l2dc_by_hand():
    metrics = torch.tensor(
        [
            [100.0, 60.0, 2.0, 100.0],  # all met: 200 / 100
            [10.0, 60.0, 2.0, 100.0],  # log10 10 / log10 100 - 1
            [1000.0, 25.0, 6.0, 1.0],  # 25/50 - 1 + 3/6 - 1
            [100.0, 60.0, math.nan, 1.0],  # failed
            [100.0, 60.0, 2.0, 100.0],  # the simulator says it failed
        ]
    )
    status = torch.tensor([0, 0, 1, 0, 3])
    found = score_l2dc(metrics, NAMES, SPECS, status)
    assert found.tolist() == pytest.approx([2.0, -0.5, -1.0, -5.0, -5.0])


def test_l2dc_has_a_slope(problem: Any):
    scored: Any = L2DCProblem(Positive(problem), [Spec("gain", 2.0), Spec("power", 0.1, -1)])
    units = torch.full((2, problem.n_parameters), 0.1, dtype=torch.float64)
    found, slope = scored.gradient_units(units)
    torch.testing.assert_close(found.fom, scored.evaluate_units(units).fom)
    assert bool((found.fom < 0).all())
    h, i = 1e-5, 3
    step = torch.zeros_like(units)
    step[:, i] = h
    soft = [
        scored.fom(scored.metrics(problem.unit_to_parameters(u, rounded=False)))
        for u in (units + step, units - step)
    ]
    torch.testing.assert_close(slope[:, i], (soft[0] - soft[1]) / (2 * h), rtol=0.02, atol=1e-3)
    assert copy.copy(scored).name == problem.name


def test_wrong_specs_are_refused(problem: Any):
    with pytest.raises(ValueError, match="no metric 'psrr'"):
        L2DCProblem(problem, [Spec("psrr", 1.0)])
    for wrong in ({"sign": 2}, {"kind": "wish"}, {"scale": "db"}, {"value": -1.0}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            Spec(**{"metric": "gain", "value": 1.0, **wrong})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="value"):
        Spec("gain", 0.5, scale="log")


# -- goals ---------------------------------------------------------------------------------


def test_goals_are_rewarded_as_autockt_does(problem: Any):
    env = GoalEnv(Positive(problem), GOALS, steps=2)
    env.reset(options={"goal": {"gain": 0.9, "power": 0.05}})
    stay = np.ones(problem.n_parameters, dtype=int)
    _, reward, reached, cut, info = env.step(stay)
    gain, power = info["metrics"]["gain"], info["metrics"]["power"]
    expected = min((gain - 0.9) / (gain + 0.9), 0) + min(-(power - 0.05) / (power + 0.05), 0)
    assert reward == pytest.approx(expected)
    assert (reached, cut) == (False, False)
    assert env.step(stay)[2:4] == (False, True)
    env.reset(options={"goal": {"gain": 1e-3, "power": 1e3}})
    _, reward, reached, cut, info = env.step(stay)
    assert (reward, reached, cut, info["reached"]) == (10.0, True, False, True)


def test_moves_are_minus_one_none_and_two(problem: Any):
    env = GoalEnv(Positive(problem), GOALS, points=9)
    first, _ = env.reset(seed=1)
    action = np.ones(problem.n_parameters, dtype=int)
    action[:3] = (0, 2, 2)
    second = env.step(action)[0]
    moved = (second - first)[-problem.n_parameters :] * 4  # in grid points
    np.testing.assert_allclose(moved[:4], [-1, 2, 2, 0], atol=1e-6)
    for _ in range(9):
        last = env.step(np.full(problem.n_parameters, 2))[0]
    np.testing.assert_allclose(last[-problem.n_parameters :], 1.0)
    again, _ = env.reset(seed=1)
    np.testing.assert_array_equal(again, first)
    with pytest.raises(ValueError, match="0, 1 or 2"):
        env.step(action + 1)
    with pytest.raises(ValueError, match="goal"):
        env.reset(options={"goal": {"gain": 1.0}})


def test_relative_gap_of_zeros():
    assert relative_gap([0.0, 1.0], [0.0, 3.0]).tolist() == [0.0, -0.5]
