# SPDX-License-Identifier: Apache-2.0
"""Sizing towards drawn goals by small moves on a grid, as AutoCkt (Settaluri et al., 2020) does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch

from circuits.analog.gcn_rl.optional import have, need
from circuits.analog.gcn_rl.problem import SizingProblem

__all__ = ["MOVES", "GoalEnv", "relative_gap"]

#: What the three actions of a parameter do to its index.
MOVES = (-1, 0, 2)

_REACHED = -0.02
_BONUS = 10.0
_WORST = -1.0  # gap of a metric that a failed design does not have

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

if TYPE_CHECKING:
    _Base = object
else:
    _Base = need("gymnasium", "an environment").Env if have("gymnasium") else object


def relative_gap(values: Any, goals: Any) -> Doubles:
    """``(value - goal) / (value + goal)`` elementwise, within [-1, 1] for positive numbers."""
    value, goal = np.asarray(values, dtype=np.float64), np.asarray(goals, dtype=np.float64)
    total = value + goal
    return np.where(total == 0.0, 0.0, (value - goal) / np.where(total == 0.0, 1.0, total))


class GoalEnv(_Base):
    """An episode draws a goal per metric; each step moves every parameter on its grid.

    The observation is the gap of the metrics to fixed norms, the gap of the goals to them, and
    the parameters' indices scaled to [-1, 1]. The reward is the sum of the negative gaps to the
    goals, or 10 once that is above -0.02, which ends the episode.

    Parameters
    ----------
    problem : SizingProblem
    goals : mapping
        Name of a metric to the range (low, high), both positive, its goals are drawn from,
        evenly in the logarithm.
    points : int
        Grid points per parameter, evenly spaced in unit coordinates.
    steps : int
        Moves before an episode is cut off.
    """

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012 -- gymnasium's name and form
    render_mode = None

    def __init__(
        self,
        problem: SizingProblem,
        goals: Mapping[str, tuple[float, float]],
        *,
        points: int = 33,
        steps: int = 30,
    ) -> None:
        names = list(problem.metric_names)
        if not goals:
            raise ValueError("goals: expected at least one metric")
        for name, (low, high) in goals.items():
            if name not in names:
                raise ValueError(f"goals: no metric {name!r} among {', '.join(names)}")
            if not 0.0 < low <= high < np.inf:
                raise ValueError(f"goals: expected 0 < low <= high, got {name}: {low}, {high}")
        if points < 2 or steps < 1:
            raise ValueError(f"points, steps: expected at least 2 and 1, got {points}, {steps}")
        self.problem = problem
        self._columns = [names.index(name) for name in goals]
        self._low = np.array([low for low, _ in goals.values()])
        self._high = np.array([high for _, high in goals.values()])
        self._norm = np.sqrt(self._low * self._high)
        self._signs = np.array([float(problem.metric_signs[i]) for i in self._columns])
        self._points, self._steps = points, steps
        self._rng = np.random.default_rng()
        self._index = np.zeros(problem.n_parameters, dtype=np.int64)
        self._goal = self._norm
        self._metrics = self._norm
        self._done = 0
        width = 2 * len(goals) + problem.n_parameters
        self.observation_space: Any = None
        self.action_space: Any = None
        if have("gymnasium"):
            spaces = need("gymnasium.spaces", "an environment")
            self.observation_space = spaces.Box(-1.0, 1.0, (width,), np.float32)
            self.action_space = spaces.MultiDiscrete([len(MOVES)] * problem.n_parameters)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Floats, dict[str, Any]]:
        """Go to the middle of the grid and draw a goal, or take ``options["goal"]``, a mapping."""
        if hasattr(super(), "reset"):
            super().reset(seed=seed)  # type: ignore[misc]
        if seed is not None:
            self._rng = np.random.default_rng(seed)
        level = self._rng.uniform(size=len(self._low))
        self._goal = self._low * (self._high / self._low) ** level
        if options and "goal" in options:
            goal = options["goal"]
            names = [self.problem.metric_names[i] for i in self._columns]
            if set(goal) != set(names) or not all(float(x) > 0.0 for x in goal.values()):
                raise ValueError(f"goal: expected positive values of {', '.join(names)}")
            self._goal = np.array([float(goal[name]) for name in names])
        self._index[:] = self._points // 2
        self._done = 0
        info = self._simulate()
        return self._observe(), info

    def step(self, action: Any) -> tuple[Floats, float, bool, bool, dict[str, Any]]:
        """Move each parameter by -1, 0 or +2 (``action`` (P,) of 0, 1, 2) and simulate."""
        moves = np.asarray(action)
        if moves.shape != self._index.shape:
            raise ValueError(f"action: expected {self._index.shape}, got {moves.shape}")
        if not np.isin(moves, (0, 1, 2)).all():
            raise ValueError("action: expected 0, 1 or 2 for each parameter")
        step = np.array(MOVES)[moves.astype(np.int64)]
        self._index = np.clip(self._index + step, 0, self._points - 1)
        self._done += 1
        info = self._simulate()
        reward = self._reward()
        reached = reward >= _REACHED
        info["reached"] = reached
        cut = not reached and self._done >= self._steps
        return self._observe(), _BONUS if reached else reward, reached, cut, info

    def _simulate(self) -> dict[str, Any]:
        level = 2.0 * self._index / (self._points - 1) - 1.0
        found = self.problem.evaluate_units(torch.from_numpy(level)[None])
        self._metrics = found.metrics[0, self._columns].numpy().astype(np.float64)
        names = self.problem.metric_names
        return {
            "metrics": dict(zip(names, found.metrics[0].tolist(), strict=True)),
            "params": dict(
                zip(self.problem.parameter_names, found.params[0].tolist(), strict=True)
            ),
            "status": int(found.status[0]),
        }

    def _gap(self, goals: Doubles) -> Doubles:
        """Gaps of the metrics, the worst where a metric is missing or negative."""
        usable = np.isfinite(self._metrics) & (self._metrics >= 0.0)
        gap = relative_gap(np.where(usable, self._metrics, 0.0), goals)
        return np.where(usable, gap, _WORST * self._signs)

    def _reward(self) -> float:
        return float(np.minimum(self._signs * self._gap(self._goal), 0.0).sum())

    def _observe(self) -> Floats:
        where = 2.0 * self._index / (self._points - 1) - 1.0
        parts = [self._gap(self._norm), relative_gap(self._goal, self._norm), where]
        return np.concatenate(parts).astype(np.float32)
