# SPDX-License-Identifier: Apache-2.0
"""The figure of merit: weighted, clipped, normalised metrics; failures get a fixed value."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

__all__ = ["CalibratedRequirement", "CalibratedTerm", "FigureOfMerit"]


@dataclass(frozen=True)
class CalibratedTerm:
    """``weight * clip((t(m) - t(low)) / (t(high) - t(low)))``; ``t`` is log10 or nothing.

    A metric better than ``cap``, where there is one, counts as ``cap``.
    """

    metric: str
    weight: float
    scale: str
    low: float
    high: float
    cap: float | None = None

    def __post_init__(self) -> None:
        if self.scale not in ("log", "linear"):
            raise ValueError(f"{self.metric}: scale is {self.scale!r}; expected log or linear")
        if not -math.inf < self.low < self.high < math.inf:
            raise ValueError(f"{self.metric}: needs low < high, got {self.low} and {self.high}")
        if self.scale == "log" and self.low <= 0:
            raise ValueError(f"{self.metric}: low is {self.low}; a logarithm needs more than 0")


@dataclass(frozen=True)
class CalibratedRequirement:
    """A metric must be above ``least``."""

    metric: str
    least: float


@dataclass(frozen=True)
class FigureOfMerit:
    """Scores metrics.

    Attributes
    ----------
    terms, requirements : tuple
    clip : tuple of float
        Of a normalised metric, before its weight.
    failure : float
        For designs that fail to simulate, miss a requirement, or have no value of a metric that
        a term or a requirement names.
    """

    terms: tuple[CalibratedTerm, ...]
    requirements: tuple[CalibratedRequirement, ...]
    clip: tuple[float, float] = (-1.0, 2.0)
    failure: float = -2.0

    def meets(self, values: Tensor, status: Tensor, names: Sequence[str]) -> Tensor:
        """Which of ``B`` designs count: bool ``(B,)``; arguments as of :meth:`score`."""
        used, logarithmic = self._used(values, names)
        meets = (status != 3) & (torch.isfinite(used) & ((used > 0) | ~logarithmic)).all(1)
        for requirement in self.requirements:  # a NaN compares false
            meets = meets & (values[:, _index(names, requirement.metric)] > requirement.least)
        return meets

    def score(self, values: Tensor, status: Tensor, names: Sequence[str]) -> Tensor:
        """Score designs.

        A design that is bad at everything may score less than one that fails.

        Parameters
        ----------
        values : Tensor
            float64 ``(B, K)``, NaN where undefined.
        status : Tensor
            int64 ``(B,)``, 3 where the simulation failed.
        names : sequence of str
            The K metrics.

        Returns
        -------
        Tensor
            float64 ``(B,)``, differentiable to the metrics; no gradient comes from failures.

        Raises
        ------
        ValueError
            For a term or requirement whose metric is not among ``names``.
        """
        meets = self.meets(values.detach(), status, names)
        share = self._normalised(values, meets, names).clamp(*self.clip)
        return torch.where(meets, share @ self._scale[2], self.failure)

    def shares(
        self, values: Tensor, meets: Tensor, names: Sequence[str], *, clipped: bool = True
    ) -> Tensor:
        """What each term adds: float64 ``(B, T)``, of no use for designs that do not meet.

        Parameters
        ----------
        values, names
            As of :meth:`score`.
        meets : Tensor
            bool ``(B,)``, from :meth:`meets`.
        clipped : bool
            False goes on beyond caps and clips.
        """
        share = self._normalised(values, meets, names, capped=clipped)
        return (share.clamp(*self.clip) if clipped else share) * self._scale[2]

    def _normalised(
        self, values: Tensor, meets: Tensor, names: Sequence[str], *, capped: bool = True
    ) -> Tensor:
        used, logarithmic = self._used(values, names)
        safe = torch.where(meets[:, None], used, 1.0)
        if capped:
            safe = torch.minimum(torch.maximum(safe, self._limits[0]), self._limits[1])
        scaled = torch.where(logarithmic, torch.where(logarithmic, safe, 1.0).log10(), safe)
        low, high, _ = self._scale
        return (scaled - low) / (high - low)

    def _used(self, values: Tensor, names: Sequence[str]) -> tuple[Tensor, Tensor]:
        columns = [_index(names, term.metric) for term in self.terms]
        return values[:, columns], torch.tensor([t.scale == "log" for t in self.terms])

    @cached_property
    def _limits(self) -> tuple[Tensor, Tensor]:
        """The least and the greatest value that counts, by term."""
        inf = math.inf
        best = [inf if t.cap is None else t.cap for t in self.terms]
        least = [-inf if t.cap is None or t.weight > 0 else t.cap for t in self.terms]
        most = [b if t.weight > 0 else inf for b, t in zip(best, self.terms, strict=True)]
        return torch.tensor(least, dtype=torch.float64), torch.tensor(most, dtype=torch.float64)

    @cached_property
    def _scale(self) -> tuple[Tensor, Tensor, Tensor]:
        rows = [
            [math.log10(v) if t.scale == "log" else v for v in (t.low, t.high)] for t in self.terms
        ]
        ends = torch.tensor(rows, dtype=torch.float64).reshape(-1, 2)
        weight = torch.tensor([t.weight for t in self.terms], dtype=torch.float64)
        return ends[:, 0], ends[:, 1], weight


def _index(names: Sequence[str], metric: str) -> int:
    if metric not in names:
        raise ValueError(f"FigureOfMerit: no metric {metric!r} among {', '.join(names)}")
    return list(names).index(metric)
