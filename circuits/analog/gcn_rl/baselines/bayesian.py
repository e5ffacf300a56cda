# SPDX-License-Identifier: Apache-2.0
"""Bayesian optimisation: expected improvement, a few designs between two fits."""

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

__all__ = ["bayesian"]

Floats = npt.NDArray[np.float64]

_RAW, _RESTARTS, _STEPS = 256, 3, 40
_NEAR = 0.05  # deviation, in shares of a range, of the raw points about the best designs


def bayesian(
    problem: SizingProblem,
    budget: float,
    seed: int,
    *,
    warm_up: int = 50,
    batch: int = 4,
    cap: int = 400,
    board: ProgressBoard | None = None,
) -> Trace:
    """A Gaussian process and the designs of largest expected improvement, again and again.

    Parameters
    ----------
    problem : SizingProblem
    budget : float
    seed : int
    warm_up : int
        Sobol designs first.
    batch : int
        Designs between two fits; after each, the process believes its own mean there.
    cap : int
        Simulations after which it stops, whatever the budget: its own work grows with their
        cube. The trace notes it.
    board : ProgressBoard, optional
    """
    need("botorch", "Bayesian optimisation")
    for name, value in (("warm_up", warm_up), ("batch", batch), ("cap", cap)):
        if value < 1:
            raise ValueError(f"{name}: expected at least 1, got {value}")
    recorder = Recorder(problem, budget, seed, "bo")
    limit = min(int(recorder.budget), cap)
    generator = np.random.default_rng(seed)
    surrogate = Surrogate()
    shown = board if board is not None else ProgressBoard()
    with settled(seed), shown.task(limit, f"{problem.name} BO") as task:
        units = warm_designs(problem.n_parameters, min(warm_up, limit), seed)
        fom = recorder.evaluate(units).fom
        task.advance(len(units), f"best {recorder.best_fom:.3f}")
        while len(units) < limit:
            posterior, _ = surrogate.fit(units, fom)
            top = torch.argsort(posterior.y, descending=True)[:8]
            best = float(posterior.y.max())
            near = ((units[top] + 1.0) / 2.0).numpy()
            chosen = []
            for _ in range(min(batch, limit - len(units))):
                x = _maximise(posterior, best, near, generator)
                posterior.believe(x)
                chosen.append(x)
            new = (2.0 * torch.stack(chosen) - 1.0).clamp(-1.0, 1.0)
            units = torch.cat([units, new])
            fom = torch.cat([fom, recorder.evaluate(new).fom])
            task.advance(len(new), f"best {recorder.best_fom:.3f}")
    if limit < int(recorder.budget):
        recorder.notes["stopped"] = f"cap of {cap} points"
    return recorder.trace()


def _maximise(
    posterior: Posterior, best: float, near: Floats, generator: np.random.Generator
) -> torch.Tensor:
    """(P,) in [0, 1] of about the largest log expected improvement."""
    from scipy.optimize import minimize

    def value(x: torch.Tensor) -> torch.Tensor:
        return acquisitions(*posterior.at(x), best)[:, 2]

    def loss(flat: Floats) -> tuple[float, Floats]:
        x = torch.from_numpy(flat.reshape(shape)).requires_grad_(True)
        total = value(x).sum()
        (slope,) = torch.autograd.grad(total, x)
        return -float(total.detach()), -slope.numpy().reshape(-1)

    wide = generator.uniform(size=(_RAW, near.shape[1]))
    close = near[generator.integers(len(near), size=_RAW)]
    close = np.clip(close + _NEAR * generator.standard_normal(close.shape), 0.0, 1.0)
    raw = torch.from_numpy(np.concatenate([wide, close]))
    with torch.no_grad():
        order = torch.argsort(value(raw), descending=True)[:_RESTARTS]
    shape = (_RESTARTS, near.shape[1])
    # The restarts do not touch each other: one call climbs them all.
    result: Any = minimize(
        loss,
        raw[order].numpy().reshape(-1),
        jac=True,
        method="L-BFGS-B",
        bounds=[(0.0, 1.0)] * (shape[0] * shape[1]),
        options={"maxiter": _STEPS},
    )
    climbed = torch.from_numpy(np.clip(result.x.reshape(shape), 0.0, 1.0))
    with torch.no_grad():
        return climbed[int(value(climbed).argmax())]
