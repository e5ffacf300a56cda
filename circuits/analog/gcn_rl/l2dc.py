# SPDX-License-Identifier: Apache-2.0
"""The reward of L2DC (Wang et al., 2018): first meet the constraints, then go for the targets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch

from circuits.analog.gcn_rl.problem import EvaluationLike, MetricsLike, SizingProblem

__all__ = ["L2DCProblem", "Spec", "score_l2dc"]

FAILURE = -5.0


@dataclass(frozen=True)
class Spec:
    """What is asked of one metric.

    Parameters
    ----------
    metric : str
        Its name.
    value : float
        Positive; above 1 on a logarithmic scale.
    sign : {1, -1}
        Whether bigger or smaller is better.
    kind : {"constraint", "target"}
        A constraint must be met; targets count once all constraints are.
    scale : {"linear", "log"}
        How a ratio is taken: ``a / b`` or ``log10 a / log10 b``.
    """

    metric: str
    value: float
    sign: int = 1
    kind: Literal["constraint", "target"] = "constraint"
    scale: Literal["linear", "log"] = "linear"

    def __post_init__(self) -> None:
        if self.sign not in (1, -1):
            raise ValueError(f"sign: expected 1 or -1, got {self.sign!r}")
        if self.kind not in ("constraint", "target"):
            raise ValueError(f"kind: expected 'constraint' or 'target', got {self.kind!r}")
        if self.scale not in ("linear", "log"):
            raise ValueError(f"scale: expected 'linear' or 'log', got {self.scale!r}")
        low = 1.0 if self.scale == "log" else 0.0
        if not low < self.value < math.inf:
            raise ValueError(f"value: expected more than {low:g}, got {self.value!r}")

    def ratio(self, over: torch.Tensor, under: torch.Tensor) -> torch.Tensor:
        """``over / under`` on this scale."""
        if self.scale == "linear":
            return over / under
        return torch.log10(over) / torch.log10(under)


def score_l2dc(
    metrics: torch.Tensor,
    names: Sequence[str],
    specs: Sequence[Spec],
    status: torch.Tensor | None = None,
) -> torch.Tensor:
    """Score designs: -5 failed, below 0 short of a constraint, above 0 with all of them met.

    Parameters
    ----------
    metrics : Tensor
        (B, K), NaN where undefined.
    names : sequence of str
        The ``K`` metrics.
    specs : sequence of Spec
    status : Tensor, optional
        (B,), 3 where the simulation failed.

    Returns
    -------
    Tensor
        (B,) float64. Short of a constraint: the sum over the constraints of how far below 1
        the ratio to the spec is. With all met: the sum of the targets' ratios.

    Raises
    ------
    ValueError
        For metrics of another shape or a spec of an unknown metric.
    """
    if metrics.ndim != 2 or metrics.shape[1] != len(names):
        raise ValueError(f"metrics: expected (B, {len(names)}), got {tuple(metrics.shape)}")
    if not specs:
        raise ValueError("specs: expected at least one")
    for spec in specs:
        if spec.metric not in names:
            raise ValueError(f"specs: no metric {spec.metric!r} among {', '.join(names)}")
    found = metrics.to(torch.float64)
    failed = torch.zeros(len(found), dtype=torch.bool)
    short = torch.zeros(len(found), dtype=torch.bool)
    penalty = torch.zeros(len(found), dtype=torch.float64)
    reward = torch.zeros(len(found), dtype=torch.float64)
    for spec in specs:
        column = found[:, list(names).index(spec.metric)]
        value = torch.full_like(column, spec.value)
        # No ratio of a number that is not positive (not above 1, for a logarithm's sign).
        bad = ~(column > (1.0 if spec.scale == "log" else 0.0)) | torch.isinf(column)
        failed = failed | bad
        safe = torch.where(bad, value, column)
        if spec.kind == "target":
            over, under = (safe, value) if spec.sign > 0 else (value, safe)
            reward = reward + spec.ratio(over, under)
            continue
        short = short | (spec.sign * safe < spec.sign * spec.value)
        if spec.sign > 0:
            penalty = penalty + spec.ratio(torch.minimum(safe, value), value) - 1.0
        else:
            penalty = penalty + spec.ratio(value, torch.maximum(safe, value)) - 1.0
    if status is not None:
        failed = failed | (status == 3)
    return torch.where(failed, FAILURE, torch.where(short, penalty, reward))


class L2DCProblem:
    """A sizing problem scored as L2DC does; everything else is the problem's own.

    Parameters
    ----------
    problem : SizingProblem
    specs : sequence of Spec

    Examples
    --------
    >>> L2DCProblem(problem, [Spec("gain", 20236.0), Spec("area", 211.2, -1, "target")])
    ... # doctest: +SKIP
    """

    def __init__(self, problem: SizingProblem, specs: Sequence[Spec]) -> None:
        self._problem = problem
        self._specs = tuple(specs)
        empty = torch.zeros(0, len(problem.metric_names), dtype=torch.float64)
        score_l2dc(empty, problem.metric_names, self._specs)  # a wrong spec shows now

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # before __init__ has run, as when it is copied
            raise AttributeError(name)
        return getattr(self._problem, name)

    def fom(self, metrics: MetricsLike) -> torch.Tensor:
        """(B,) scores."""
        return score_l2dc(metrics.values, self._problem.metric_names, self._specs, metrics.status)

    def evaluate_units(self, units: torch.Tensor) -> EvaluationLike:
        """Simulate (B, P) unit coordinates, rounded."""
        found = self._problem.evaluate_units(units)
        score = score_l2dc(found.metrics, self._problem.metric_names, self._specs, found.status)
        return _Scored(score, found.metrics, found.params, found.status)

    def gradient_units(self, units: torch.Tensor) -> tuple[EvaluationLike, torch.Tensor]:
        """As :meth:`evaluate_units`, with the slope; rounding counts as the identity."""
        leaf = units.detach().clone().requires_grad_(True)
        soft = self._problem.unit_to_parameters(leaf, rounded=False)
        hard = self._problem.unit_to_parameters(units.detach(), rounded=True)
        params = soft + (hard - soft).detach()
        metrics = self._problem.metrics(params)
        score = self.fom(metrics)
        slope = torch.zeros_like(leaf)
        if score.requires_grad:
            (slope,) = torch.autograd.grad(score.sum(), leaf)
        found = _Scored(score.detach(), metrics.values.detach(), params.detach(), metrics.status)
        return found, slope


@dataclass(frozen=True)
class _Scored:
    fom: torch.Tensor
    metrics: torch.Tensor
    params: torch.Tensor
    status: torch.Tensor
