# SPDX-License-Identifier: Apache-2.0
"""Searches that learn nothing: random designs, a designer's, a given one."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from circuits.analog.gcn_rl.problem import SizingProblem, check_units
from circuits.analog.gcn_rl.trace import Recorder, Trace
from workbench.experiments.progress import ProgressBoard

__all__ = ["human", "random_units", "sobol", "spread_starts", "start_only", "uniform"]

_BATCH = 512


def uniform(
    problem: SizingProblem, budget: float, seed: int, *, board: ProgressBoard | None = None
) -> Trace:
    """Independent designs, uniform in unit coordinates."""
    recorder = Recorder(problem, budget, seed, "random")
    generator = np.random.default_rng(seed)
    return _spend(recorder, lambda n: random_units(problem, generator, n), board)


def sobol(
    problem: SizingProblem, budget: float, seed: int, *, board: ProgressBoard | None = None
) -> Trace:
    """A scrambled Sobol sequence in unit coordinates."""
    recorder = Recorder(problem, budget, seed, "sobol")
    engine = torch.quasirandom.SobolEngine(problem.n_parameters, scramble=True, seed=seed)  # type: ignore[no-untyped-call]
    return _spend(recorder, lambda n: 2.0 * engine.draw(n, dtype=torch.float64) - 1.0, board)


def human(problem: SizingProblem, budget: float = 1, seed: int = 0, **_: Any) -> Trace:
    """The designer's point as given: neither rounded nor forced into the bounds."""
    recorder = Recorder(problem, budget, seed, "human")
    params = problem.human.to(torch.float64)[None]
    metrics = problem.metrics(params)
    found = SimpleNamespace(
        fom=problem.fom(metrics), metrics=metrics.values, params=params, status=metrics.status
    )
    recorder.record(problem.parameters_to_unit(params), found)
    return recorder.trace()


def start_only(problem: SizingProblem, budget: float, seed: int, *, start: Any, **_: Any) -> Trace:
    """One given design, re-simulated: what it is worth before anything is learned."""
    units = check_units(problem, "start", start)
    recorder = Recorder(problem, budget, seed, "start")
    recorder.evaluate(units[None])
    return recorder.trace()


def random_units(
    problem: SizingProblem, generator: np.random.Generator, count: int
) -> torch.Tensor:
    """(count, P) float64, uniform in [-1, 1)."""
    return torch.from_numpy(generator.uniform(-1.0, 1.0, (count, problem.n_parameters)))


def spread_starts(
    recorder: Recorder, generator: np.random.Generator, count: int, most: int
) -> list[torch.Tensor]:
    """Simulate random designs, as many of ``count`` as can be paid; the best that lie apart.

    At most ``most``, the best first, each further from those before it than half of what is usual
    among random designs.
    """
    units = random_units(recorder.problem, generator, min(count, recorder.remaining))
    fom = torch.nan_to_num(recorder.evaluate(units).fom, nan=-np.inf)
    # random pairs lie sqrt(2 P / 3) apart
    apart = 0.5 * np.sqrt(2.0 * units.shape[1] / 3.0)
    taken: list[torch.Tensor] = []
    for i in torch.argsort(fom, descending=True, stable=True).tolist():
        if len(taken) < most and all(float((units[i] - u).norm()) >= apart for u in taken):
            taken.append(units[i])
    return taken


def _spend(recorder: Recorder, draw: Any, board: ProgressBoard | None) -> Trace:
    shown = board if board is not None else ProgressBoard()
    with shown.task(recorder.remaining, recorder.problem.name) as task:
        while recorder.remaining:
            count = min(_BATCH, recorder.remaining)
            recorder.evaluate(draw(count))
            task.advance(count, f"best {recorder.best_fom:.3f}")
    return recorder.trace()
