# SPDX-License-Identifier: Apache-2.0
"""Gradient multistart: L-BFGS-B on the simulator's own slopes, from spread good starts."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from circuits.analog.gcn_rl.baselines.evolution import best_or_middle, evolve
from circuits.analog.gcn_rl.baselines.sampling import spread_starts
from circuits.analog.gcn_rl.problem import SizingProblem, check_units
from circuits.analog.gcn_rl.trace import GRADIENT_CHARGE, Recorder, Trace
from workbench.experiments.progress import ProgressBoard

__all__ = ["gradient", "gradient_then_evolution"]

Floats = npt.NDArray[np.float64]

_STARTS_PER_ROUND = 4
_MAX_ITERATIONS = 100


class _SpentError(Exception):
    """No gradient can be paid any more."""


def gradient(
    problem: SizingProblem,
    budget: float,
    seed: int,
    *,
    warm_up: int = 30,
    start: Any = None,
    gradient_charge: float = GRADIENT_CHARGE,
    board: ProgressBoard | None = None,
) -> Trace:
    """Rounds of random designs and L-BFGS-B from the best that lie apart.

    Parameters
    ----------
    problem : SizingProblem
    budget : float
    seed : int
    warm_up : int
        Random designs per round. At most four starts are taken from a round, the best first,
        each further from those before it than is usual among random designs over two.
    start : (P,), optional
        Unit coordinates; climbed first, before any random design is simulated.
    gradient_charge : float
        Simulations charged for one evaluation with its gradient, the evaluation included.
    board : ProgressBoard, optional
    """
    _check(warm_up)
    recorder = Recorder(problem, budget, seed, "gradient", gradient_charge)
    generator = np.random.default_rng(seed)
    shown = board if board is not None else ProgressBoard()
    with shown.task(int(recorder.budget), f"{problem.name} gradient") as task:
        if start is not None:
            _climb(recorder, check_units(problem, "start", start).numpy())
        done = 0
        while recorder.remaining:
            _round(recorder, generator, warm_up)
            task.advance(int(recorder.spent) - done, f"best {recorder.best_fom:.3f}")
            done = int(recorder.spent)
    return recorder.trace()


def gradient_then_evolution(
    problem: SizingProblem,
    budget: float,
    seed: int,
    *,
    warm_up: int = 30,
    share: float = 0.5,
    sigma: float = 0.1,
    population: int = 12,
    gradient_charge: float = GRADIENT_CHARGE,
    board: ProgressBoard | None = None,
) -> Trace:
    """Gradient multistart for ``share`` of the budget, then CMA-ES about the best of it."""
    _check(warm_up)
    if not 0.0 < share < 1.0:
        raise ValueError(f"share: expected between 0 and 1, got {share!r}")
    recorder = Recorder(problem, budget, seed, "gradient+es", gradient_charge)
    generator = np.random.default_rng(seed)
    first = max(share * recorder.budget, min(warm_up + 1.0, recorder.budget))
    recorder.budget, whole = first, recorder.budget
    while recorder.remaining_gradients:
        _round(recorder, generator, warm_up)
    recorder.budget = whole
    evolve(recorder, generator, best_or_middle(recorder), sigma, population, board)
    return recorder.trace()


def _round(recorder: Recorder, generator: np.random.Generator, warm_up: int) -> None:
    """Simulate random designs and climb from the best that lie apart."""
    for units in spread_starts(recorder, generator, warm_up, _STARTS_PER_ROUND):
        if not recorder.remaining_gradients:
            break
        _climb(recorder, units.numpy())


def _climb(recorder: Recorder, start: Floats) -> None:
    """L-BFGS-B from one start until it has converged or nothing can be paid."""
    from scipy.optimize import minimize

    worst = 0.0

    def loss(x: Floats) -> tuple[float, Floats]:
        nonlocal worst
        if not recorder.remaining_gradients:
            raise _SpentError
        units = torch.from_numpy(np.clip(x, -1.0, 1.0))[None]
        evaluation, slope = recorder.gradient(units)
        value = float(evaluation.fom[0])
        if np.isnan(value):
            # A wall: the line search steps back from it.
            return worst + 1.0, np.zeros_like(x)
        worst = max(worst, -value)
        return -value, -slope[0].numpy()

    bounds = [(-1.0, 1.0)] * len(start)
    try:
        minimize(
            loss,
            np.clip(start, -1.0, 1.0),
            jac=True,
            method="L-BFGS-B",
            bounds=bounds,
            options={"maxiter": _MAX_ITERATIONS, "ftol": 1e-7, "gtol": 1e-6},
        )
    except _SpentError:
        return


def _check(warm_up: int) -> None:
    if isinstance(warm_up, bool) or not isinstance(warm_up, int) or warm_up < 1:
        raise ValueError(f"warm_up: expected an integer of at least 1, got {warm_up!r}")
