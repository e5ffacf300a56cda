# SPDX-License-Identifier: Apache-2.0
"""What a search paid and found, simulation by simulation."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from circuits.analog.gcn_rl.problem import EvaluationLike, SizingProblem, check_budget

__all__ = ["GRADIENT_CHARGE", "BudgetSpentError", "Recorder", "Trace"]

#: Simulations charged for one evaluation with its gradient, the evaluation included.
GRADIENT_CHARGE = 3.0

_SLACK = 1e-9  # charges are sums of floats

Floats = npt.NDArray[np.float64]


class BudgetSpentError(RuntimeError):
    """A search asked for more simulations than it was given."""


@dataclass(frozen=True)
class Trace:
    """The record of one search with one seed.

    Attributes
    ----------
    method, problem, node : str
    seed : int
    budget : float
        Simulations the search was given.
    charge : ndarray
        (n,) float64, what had been charged when each simulation was done.
    fom : ndarray
        (n,) float64, the figure of merit of each; NaN where it has none.
    best : ndarray
        (n,) float64, the best so far; -inf before the first that counts.
    best_units, best_params, best_metrics : ndarray
        (P,), (P,), (K,): the best design; NaN if there is none.
    n_gradients : int
        How many of the ``n`` came with a gradient.
    notes : dict
        What the method wants known, as ``{"stopped": "cap of 400 points"}``.
    """

    method: str
    problem: str
    node: str
    seed: int
    budget: float
    charge: Floats
    fom: Floats
    best: Floats
    best_units: Floats
    best_params: Floats
    best_metrics: Floats
    n_gradients: int = 0
    notes: dict[str, Any] = field(default_factory=dict)

    @property
    def best_fom(self) -> float:
        """The best figure of merit; -inf if there is none."""
        return float(self.best[-1]) if self.best.size else -math.inf

    def at(self, charge: float) -> float:
        """The best after ``charge`` simulations; -inf before the first was done."""
        done = int(np.searchsorted(self.charge, charge + _SLACK, side="right"))
        return float(self.best[done - 1]) if done else -math.inf

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and lists, for JSON; no number in it is NaN or infinite (None is)."""
        plain: dict[str, Any] = {
            name: getattr(self, name)
            for name in ("method", "problem", "node", "seed", "budget", "n_gradients")
        }
        for name in _ARRAYS:
            plain[name] = [x if math.isfinite(x) else None for x in getattr(self, name).tolist()]
        plain["notes"] = dict(self.notes)
        return plain

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> Trace:
        """Undo :meth:`to_dict`."""
        found = dict(plain)
        for name in _ARRAYS:
            missing = -math.inf if name == "best" else math.nan
            found[name] = np.array(
                [missing if x is None else x for x in found[name]], dtype=np.float64
            )
        return cls(**found)


_ARRAYS = ("charge", "fom", "best", "best_units", "best_params", "best_metrics")


class Recorder:
    """Simulates for one search, charges it and remembers the best.

    Parameters
    ----------
    problem : SizingProblem
    budget : float
        Simulations that may be charged.
    seed : int
        Written into the trace.
    method : str
        Written into the trace.
    gradient_charge : float
        What one evaluation with its gradient is charged, the evaluation included.
    """

    def __init__(
        self,
        problem: SizingProblem,
        budget: float,
        seed: int,
        method: str,
        gradient_charge: float = GRADIENT_CHARGE,
    ) -> None:
        if not 1.0 <= gradient_charge < math.inf:
            raise ValueError(f"gradient_charge: expected at least 1, got {gradient_charge!r}")
        self.problem = problem
        self.budget = check_budget(budget)
        self.gradient_charge = float(gradient_charge)
        self.spent = 0.0
        self.notes: dict[str, Any] = {}
        self.best_fom = -math.inf
        self.best_units = torch.full((problem.n_parameters,), math.nan, dtype=torch.float64)
        self._best_params = self.best_units.clone()
        self._best_metrics = torch.full((len(problem.metric_names),), math.nan, dtype=torch.float64)
        self._method = method
        self._seed = seed
        self._charges: list[float] = []
        self._foms: list[float] = []
        self._n_gradients = 0

    @property
    def remaining(self) -> int:
        """Simulations that may still be charged."""
        return int(self.budget - self.spent + _SLACK)

    @property
    def remaining_gradients(self) -> int:
        """Evaluations with a gradient that may still be charged."""
        return int((self.budget - self.spent + _SLACK) / self.gradient_charge)

    def evaluate(self, units: torch.Tensor) -> EvaluationLike:
        """Simulate (B, P) unit coordinates and charge ``B``."""
        self.reserve(len(units), gradients=False)
        evaluation = self.problem.evaluate_units(units.detach().to(torch.float64))
        self.record(units, evaluation)
        return evaluation

    def gradient(self, units: torch.Tensor) -> tuple[EvaluationLike, torch.Tensor]:
        """Simulate with gradients; the slope is 0 where the simulator gives none."""
        self.reserve(len(units), gradients=True)
        evaluation, slope = self.problem.gradient_units(units.detach().to(torch.float64))
        self.record(units, evaluation, gradients=True)
        return evaluation, torch.nan_to_num(slope.detach(), nan=0.0, posinf=0.0, neginf=0.0)

    def reserve(self, count: int, *, gradients: bool) -> None:
        """Raise :class:`BudgetSpentError` unless ``count`` more can be paid."""
        left = self.remaining_gradients if gradients else self.remaining
        if count > left:
            raise BudgetSpentError(f"{self._method}: {count} simulations asked, {left} left")

    def record(
        self, units: torch.Tensor, evaluation: EvaluationLike, *, gradients: bool = False
    ) -> None:
        """Charge and note what was simulated elsewhere, as in one batch for several seeds."""
        charge = self.gradient_charge if gradients else 1.0
        foms = evaluation.fom.detach().to(torch.float64)
        for value in foms.tolist():
            self.spent += charge
            self._charges.append(self.spent)
            self._foms.append(value)
        self._n_gradients += len(foms) if gradients else 0
        if not len(foms):
            return
        ranked = torch.nan_to_num(foms, nan=-math.inf)
        i = int(ranked.argmax())
        if float(ranked[i]) > self.best_fom:
            self.best_fom = float(ranked[i])
            self.best_units = units[i].detach().to(torch.float64).clone()
            self._best_params = evaluation.params[i].detach().to(torch.float64).clone()
            self._best_metrics = evaluation.metrics[i].detach().to(torch.float64).clone()

    def trace(self) -> Trace:
        """What has been recorded so far."""
        foms = np.array(self._foms, dtype=np.float64)
        ranked = np.where(np.isnan(foms), -np.inf, foms)
        return Trace(
            method=self._method,
            problem=self.problem.name,
            node=self.problem.node,
            seed=self._seed,
            budget=self.budget,
            charge=np.array(self._charges, dtype=np.float64),
            fom=foms,
            best=np.maximum.accumulate(ranked) if foms.size else foms,
            best_units=self.best_units.numpy(),
            best_params=self._best_params.numpy(),
            best_metrics=self._best_metrics.numpy(),
            n_gradients=self._n_gradients,
            notes=dict(self.notes),
        )
