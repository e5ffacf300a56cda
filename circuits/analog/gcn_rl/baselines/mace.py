# SPDX-License-Identifier: Apache-2.0
"""MACE: batches from the Pareto front over three acquisition functions.

After Lyu, Yang, Yan, Zhou and Zeng (ICML 2018): where no one acquisition function is to be
trusted, the designs that none of the others beats in all three are.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from circuits.analog.gcn_rl.baselines.surrogate import (
    Posterior,
    Surrogate,
    acquisitions,
    settled,
    warm_designs,
)
from circuits.analog.gcn_rl.optional import need
from circuits.analog.gcn_rl.problem import SizingProblem
from circuits.analog.gcn_rl.trace import Recorder, Trace
from workbench.experiments.progress import ProgressBoard

__all__ = ["mace"]

Floats = npt.NDArray[np.float64]

_MARGIN = 1e-3  # of the improvement asked for, in deviations of the data


def mace(
    problem: SizingProblem,
    budget: float,
    seed: int,
    *,
    warm_up: int = 50,
    batch: int = 4,
    cap: int = 400,
    population: int = 60,
    generations: int = 30,
    board: ProgressBoard | None = None,
) -> Trace:
    """Fit a Gaussian process, find the front by NSGA-II, simulate ``batch`` designs of it.

    Parameters
    ----------
    problem : SizingProblem
    budget : float
    seed : int
    warm_up : int
        Sobol designs first.
    batch : int
        Designs drawn from a front.
    cap : int
        Simulations after which it stops, whatever the budget; the trace notes it.
    population, generations : int
        Of NSGA-II.
    board : ProgressBoard, optional
    """
    need("pymoo", "MACE")
    need("botorch", "MACE")
    for name, value in (("warm_up", warm_up), ("batch", batch), ("cap", cap)):
        if value < 1:
            raise ValueError(f"{name}: expected at least 1, got {value}")
    recorder = Recorder(problem, budget, seed, "mace")
    limit = min(int(recorder.budget), cap)
    generator = np.random.default_rng(seed)
    surrogate = Surrogate()
    shown = board if board is not None else ProgressBoard()
    with settled(seed), shown.task(limit, f"{problem.name} MACE") as task:
        units = warm_designs(problem.n_parameters, min(warm_up, limit), seed)
        fom = recorder.evaluate(units).fom
        task.advance(len(units), f"best {recorder.best_fom:.3f}")
        while len(units) < limit:
            posterior, _ = surrogate.fit(units, fom)
            front = _front(posterior, units, generator, population, generations)
            count = min(batch, limit - len(units))
            picks = generator.choice(len(front), count, replace=len(front) < count)
            new = torch.from_numpy(front[picks])
            units = torch.cat([units, new])
            fom = torch.cat([fom, recorder.evaluate(new).fom])
            task.advance(len(new), f"best {recorder.best_fom:.3f}")
    if limit < int(recorder.budget):
        recorder.notes["stopped"] = f"cap of {cap} points"
    return recorder.trace()


def _front(
    posterior: Posterior,
    units: torch.Tensor,
    generator: np.random.Generator,
    population: int,
    generations: int,
) -> Floats:
    """(n, P) designs in unit coordinates that no other found beats in all three."""
    nsga2 = need("pymoo.algorithms.moo.nsga2", "MACE").NSGA2
    problem_class: Any = need("pymoo.core.problem", "MACE").Problem
    optimise = need("pymoo.optimize", "MACE").minimize
    best = float(posterior.y.max()) + _MARGIN

    class Acquisitions(problem_class):  # type: ignore[misc,valid-type]
        def __init__(self) -> None:
            super().__init__(n_var=units.shape[1], n_obj=3, xl=0.0, xu=1.0)

        def _evaluate(self, x: Floats, out: dict[str, Floats], *_: object, **__: object) -> None:
            with torch.no_grad():
                mean, deviation = posterior.at(torch.from_numpy(x))
            out["F"] = -acquisitions(mean, deviation, best).numpy()

    # Some of the first are near the best known: NSGA-II alone is slow to find that corner.
    seeds = generator.uniform(0.0, 1.0, (population, units.shape[1]))
    top = torch.argsort(posterior.y, descending=True)[: population // 3]
    near = ((units[top] + 1.0) / 2.0).numpy()
    seeds[: len(near)] = np.clip(near + 0.05 * generator.standard_normal(near.shape), 0.0, 1.0)
    found = optimise(
        Acquisitions(),
        nsga2(pop_size=population, sampling=seeds),
        ("n_gen", generations),
        seed=int(generator.integers(2**31 - 1)),
        verbose=False,
    )
    front = np.atleast_2d(np.asarray(found.X, dtype=np.float64))
    return np.clip(2.0 * front - 1.0, -1.0, 1.0)
