# SPDX-License-Identifier: Apache-2.0
"""The Gaussian process that Bayesian searches share: botorch fits it, plain torch asks it."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from circuits.analog.gcn_rl.optional import need

__all__ = ["FLOOR", "Posterior", "Surrogate", "acquisitions", "settled", "warm_designs"]

#: Figures of merit below this tell a surrogate only that a design is bad.
FLOOR = -1.0

_KAPPA = 2.0  # weight of the deviation in the upper confidence bound
_FIRST_FIT, _LATER_FIT = 60, 15  # steps of L-BFGS
_JITTER = 1e-8


class Posterior:
    """A fitted process, given its data: the same numbers as botorch's, without its overhead.

    Parameters
    ----------
    model : botorch.models.SingleTaskGP
        With the squared exponential kernel, one length per parameter.
    x, y : Tensor
        (n, P) in [0, 1] and (n,), float64.
    """

    def __init__(self, model: Any, x: torch.Tensor, y: torch.Tensor) -> None:
        with torch.no_grad():
            self._length = model.covar_module.lengthscale.reshape(-1).clone()
            self._noise = float(model.likelihood.noise.reshape(-1)[0]) + _JITTER
            self._constant = float(model.mean_module.constant)
        self.y = y
        self._x = x / self._length
        self._solve()

    def at(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and deviation (of the function, without noise) at (m, P): (m,) and (m,)."""
        cross = self._kernel(x / self._length, self._x)
        mean = self._constant + cross @ self._weights
        half = torch.linalg.solve_triangular(self._root, cross.T, upper=False)
        return mean, (1.0 - half.square().sum(0)).clamp_min(1e-10).sqrt()

    def believe(self, x: torch.Tensor) -> None:
        """Take the mean at (P,) for an observation: the deviation falls there."""
        self.y = torch.cat([self.y, self.at(x[None])[0]])
        self._x = torch.cat([self._x, (x / self._length)[None]])
        self._solve()

    def _solve(self) -> None:
        covariance = self._kernel(self._x, self._x)
        covariance.diagonal().add_(self._noise)
        self._root = torch.linalg.cholesky(covariance)
        rest = (self.y - self._constant)[:, None]
        self._weights = torch.cholesky_solve(rest, self._root).squeeze(-1)

    @staticmethod
    def _kernel(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        square = a.square().sum(1)[:, None] + b.square().sum(1)[None] - 2.0 * a @ b.T
        return torch.exp(-0.5 * square.clamp_min(0.0))


class Surrogate:
    """Fits again and again, each time from the last hyper-parameters."""

    def __init__(self) -> None:
        self._last: dict[str, Any] | None = None

    def fit(self, units: torch.Tensor, fom: torch.Tensor) -> tuple[Posterior, Any]:
        """Fit (n, P) designs in unit coordinates and (n,) figures of merit.

        Returns
        -------
        posterior : Posterior
            Over [0, 1]^P and standardised values, failures raised to a floor first.
        model : botorch.models.SingleTaskGP
            What it was made from.
        """
        models = need("botorch.models", "the Gaussian process")
        fitting = need("botorch.fit", "the Gaussian process")
        likelihoods = need("gpytorch.mlls", "the Gaussian process")
        values = torch.nan_to_num(fom, nan=FLOOR)
        # Never so high that most designs look alike.
        values = values.clamp_min(min(FLOOR, float(values.median())))
        deviation = float(values.std(correction=0))
        values = (values - values.mean()) / (deviation if deviation > 1e-9 else 1.0)
        x = (units + 1.0) / 2.0
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a hard fit: the last hyper-parameters will do
            model = models.SingleTaskGP(x, values[:, None], outcome_transform=None)
            likelihood = likelihoods.ExactMarginalLogLikelihood(model.likelihood, model)
            steps = _FIRST_FIT
            if self._last is not None:
                model.load_state_dict(self._last)
                steps = _LATER_FIT
            fitting.fit_gpytorch_mll(
                likelihood, optimizer_kwargs={"options": {"maxiter": steps}}, max_attempts=1
            )
        model.eval()
        self._last = {name: value.clone() for name, value in model.state_dict().items()}
        return Posterior(model, x, values), model


def acquisitions(mean: torch.Tensor, deviation: torch.Tensor, best: float) -> torch.Tensor:
    """Upper confidence bound, log probability of improvement and log expected improvement.

    Parameters
    ----------
    mean, deviation : Tensor
        (n,) float64, of a process that is to be maximised; ``deviation`` positive.
    best : float
        What is to be improved on.

    Returns
    -------
    Tensor
        (n, 3) float64. The logarithms stay finite far below ``best``.
    """
    z = (mean - best) / deviation
    log_probability = torch.special.log_ndtr(z)
    # E[max(y - best, 0)] = s (pdf(z) + z cdf(z)), and pdf(z) / cdf(z) is the inverse Mills ratio.
    log_density = -0.5 * z.square() - 0.5 * math.log(2.0 * math.pi)
    ratio = (log_density - log_probability).exp() + z
    # About -1 / z far below, where the difference above cancels.
    ratio = torch.where(z < -30.0, -1.0 / z.clamp_max(-1.0), ratio.clamp_min(1e-300))
    log_improvement = log_probability + ratio.log() + deviation.log()
    return torch.stack([mean + _KAPPA * deviation, log_probability, log_improvement], 1)


def warm_designs(n_parameters: int, count: int, seed: int) -> torch.Tensor:
    """(count, P) first designs: a scrambled Sobol sequence in unit coordinates."""
    engine = torch.quasirandom.SobolEngine(  # type: ignore[no-untyped-call]
        n_parameters, scramble=True, seed=seed
    )
    designs: torch.Tensor = 2.0 * engine.draw(count, dtype=torch.float64) - 1.0
    return designs


@contextmanager
def settled(seed: int) -> Iterator[None]:
    """Torch's global generator seeded within, and as it was afterwards."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield
