# SPDX-License-Identifier: Apache-2.0
"""Evolution strategies: CMA-ES within the bounds, restarted when it has converged."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch

from circuits.analog.gcn_rl.baselines.sampling import random_units
from circuits.analog.gcn_rl.optional import need
from circuits.analog.gcn_rl.problem import SizingProblem, check_units
from circuits.analog.gcn_rl.trace import Recorder, Trace
from workbench.experiments.progress import ProgressBoard

__all__ = ["best_or_middle", "evolution", "evolution_from_best", "evolve"]

_WORST = 1e6  # what a design without a figure of merit is told as


def evolution(
    problem: SizingProblem,
    budget: float,
    seed: int,
    *,
    population: int = 32,
    sigma: float = 0.5,
    start: Any = None,
    board: ProgressBoard | None = None,
) -> Trace:
    """CMA-ES from the middle of the bounds, or from ``start``.

    Parameters
    ----------
    problem : SizingProblem
    budget : float
    seed : int
    population : int
    sigma : float
        First step in unit coordinates.
    start : (P,), optional
        Unit coordinates of the first mean; that design itself is simulated first.
    board : ProgressBoard, optional
    """
    _check(population, sigma)
    recorder = Recorder(problem, budget, seed, "es")
    mean = np.zeros(problem.n_parameters)
    if start is not None:
        units = check_units(problem, "start", start)
        recorder.evaluate(units[None])
        mean = units.numpy()
    evolve(recorder, np.random.default_rng(seed), mean, sigma, population, board)
    return recorder.trace()


def evolution_from_best(
    problem: SizingProblem,
    budget: float,
    seed: int,
    *,
    warm_up: int = 100,
    population: int = 12,
    sigma: float = 0.3,
    board: ProgressBoard | None = None,
) -> Trace:
    """CMA-ES with small generations from the best of ``warm_up`` random designs."""
    _check(population, sigma)
    if warm_up < 1:
        raise ValueError(f"warm_up: expected at least 1, got {warm_up}")
    recorder = Recorder(problem, budget, seed, "es-best")
    generator = np.random.default_rng(seed)
    recorder.evaluate(random_units(problem, generator, min(warm_up, recorder.remaining)))
    evolve(recorder, generator, best_or_middle(recorder), sigma, population, board)
    return recorder.trace()


def best_or_middle(recorder: Recorder) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The best design so far, the middle of the bounds where none counted."""
    best: np.ndarray[Any, np.dtype[np.float64]] = recorder.best_units.numpy()
    return best if np.isfinite(best).all() else np.zeros_like(best)


def evolve(
    recorder: Recorder,
    generator: np.random.Generator,
    mean: np.ndarray[Any, np.dtype[np.float64]],
    sigma: float,
    population: int,
    board: ProgressBoard | None = None,
) -> None:
    """Spend what a recorder has left on CMA-ES."""
    cma = need("cma", "the evolution strategy")
    n = recorder.problem.n_parameters
    shown = board if board is not None else ProgressBoard()
    runs = 0
    with shown.task(recorder.remaining, f"{recorder.problem.name} ES") as task:
        while recorder.remaining:
            search = cma.CMAEvolutionStrategy(
                mean,
                sigma,
                {
                    "bounds": [-1.0, 1.0],
                    "popsize": population,
                    "verbose": -9,
                    # Its own numbers, not numpy's global ones.
                    "seed": math.nan,
                    "randn": lambda *shape: generator.standard_normal(shape),
                },
            )
            while not search.stop() and recorder.remaining:
                asked = search.ask()
                units = torch.tensor(np.array(asked)).clamp(-1.0, 1.0)
                units = units[: recorder.remaining]
                fom = recorder.evaluate(units).fom
                task.advance(len(units), f"best {recorder.best_fom:.3f}")
                if len(units) < population:
                    break
                search.tell(asked, torch.nan_to_num(-fom, nan=_WORST, posinf=_WORST).tolist())
            runs += 1
            mean = generator.uniform(-1.0, 1.0, n)
    recorder.notes["restarts"] = max(runs - 1, 0)


def _check(population: int, sigma: float) -> None:
    if population < 4:
        raise ValueError(f"population: expected at least 4, got {population}")
    if not 0.0 < sigma < math.inf:
        raise ValueError(f"sigma: expected a positive number, got {sigma!r}")
