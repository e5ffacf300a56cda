# SPDX-License-Identifier: Apache-2.0
"""The model of a figure of merit around a design, and the best step in it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from circuits.analog.gcn_rl.baselines.composite.point import Floats, Point, Slopes

__all__ = ["Model", "Step"]

#: Half waves that are to stay in the band are kept this far inside, in logarithms.
_INSIDE = 0.03
#: Half waves lower than this (in logarithms) will not leave the band within a step.
_WATCHED = -1.5
#: Another half wave may become the last if its height is within this of the edge.
_SHRINKS, _GROWS = 0.6, 0.4
#: A logarithm of a settling time that changes faster than this per unit does so on one side only.
_CLIFF = 2.5
_CHANGES = 2  # settling times whose last half wave changes in one step


@dataclass(frozen=True)
class Step:
    """A step ``(P,)``, the gain the model promises, and how much of each row counts there."""

    step: Floats
    gain: float
    weights: Floats


class Model:
    """A figure of merit around a point.

    ``smooth_slope . d - d B d / 2 + sum min(gap, row_slopes . d) + rates . (changes of times)``,
    while the half waves after those that count stay in the band.

    Parameters
    ----------
    point : Point
    gaps, row_slopes : ndarray
        ``(C,)`` and ``(C, P)``: how much each row is below its cap, and its slope.
    rates : ndarray
        ``(S,)``
    slopes : Slopes
    curvature : ndarray
        ``(P, P)``, B.
    """

    def __init__(
        self, point: Point, gaps: Floats, row_slopes: Floats, rates: Floats, slopes: Slopes,
        curvature: Floats,
    ) -> None:  # fmt: skip
        self.point, self.gaps, self.row_slopes = point, gaps, row_slopes
        self.rates, self.slopes, self.curvature = rates, slopes, curvature
        self._last = point.last()

    def best(self, low: Floats, high: Floats) -> Step | None:
        """The best step between ``low`` and ``high``; None if the model finds none."""
        found = [self._climb(low, high, branch) for branch in self._branches()]
        return max((s for s in found if s is not None), key=lambda s: s.gain, default=None)

    def _branches(self) -> Iterator[tuple[int, ...]]:
        """Which half wave is the last outside, by settling time: as now, and near possibilities."""
        heights, choices = self.point.heights, []
        for s, last in enumerate(self._last):
            options = [last]
            if last > 0 and heights[s, last] < _SHRINKS:
                options.append(last - 1)
            after = heights[s, last + 1] if last + 1 < heights.shape[1] else np.nan
            if after > -_GROWS:
                options.append(last + 1)
            choices.append(options)
        for branch in itertools.product(*choices):
            changes = sum(a != b for a, b in zip(branch, self._last, strict=True))
            if changes <= _CHANGES and all(b >= 0 for b in branch):
                yield branch

    def _climb(self, low: Floats, high: Floats, branch: Sequence[int]) -> Step | None:
        from scipy.optimize import minimize

        point, count, n = self.point, len(self.gaps), len(low)
        slope, offset = point.smooth_slope.copy(), 0.0
        # what is to stay inside, and by how much more a time grows where its slope is a cliff's
        inside: list[tuple[Floats, float]] = []
        cliffs: list[Floats] = []
        for s, last in enumerate(branch):
            times = self.rates[s] * self.slopes.times[s, last]
            steep = np.abs(self.slopes.times[s, last]) > _CLIFF
            slope += np.where(steep, 0.0, times)
            if steep.any():
                cliffs.append(np.where(steep, times, 0.0))
            offset += self.rates[s] * (point.times[s, last] - point.times[s, self._last[s]])
            for k in range(last + 1, point.heights.shape[1]):
                if point.heights[s, k] > _WATCHED:  # no NaN is
                    inside.append((-self.slopes.heights[s, k], -_INSIDE - point.heights[s, k]))
        if not np.isfinite(offset):
            return None
        # a cliff is a row whose cap is where we stand: it can only lose
        edged = np.vstack([self.row_slopes, *cliffs])
        gaps = np.concatenate([self.gaps, np.zeros(len(cliffs))])
        count = len(gaps)
        # rows of ``a v + b >= 0`` over v: the step, then what the rows with an edge add
        rows = np.vstack(
            [
                np.hstack([edged, -np.eye(count)]),
                *(np.concatenate([s, np.zeros(count)]) for s, _ in inside),
            ]
        )
        rest = np.concatenate([np.zeros(count), [b for _, b in inside]])

        def loss(v: Floats) -> tuple[float, Floats]:
            d = v[:n]
            bent = self.curvature @ d
            down = slope - bent
            return (
                -float(slope @ d - 0.5 * d @ bent + v[n:].sum()),
                -np.concatenate([down, np.ones(count)]),
            )

        start = np.concatenate([np.zeros(n), np.minimum(0.0, gaps)])
        bounds = [*zip(low, high, strict=True), *((-20.0, gap) for gap in gaps)]
        constraints = (
            [{"type": "ineq", "fun": lambda v: rows @ v + rest, "jac": lambda v: rows}]
            if len(rows)
            else []
        )
        result = minimize(
            loss, start, jac=True, method="SLSQP", bounds=bounds, constraints=constraints,
            options={"maxiter": 50, "ftol": 1e-9},
        )  # fmt: skip
        d = np.clip(result.x[:n], low, high)
        if not np.isfinite(d).all():
            return None
        moved = edged @ d
        if (rows[count:, :n] @ d + rest[count:]).min(initial=0.0) < -_INSIDE:
            return None  # the half waves cannot be kept in
        added = np.minimum(gaps, moved) - np.minimum(gaps, 0.0)
        gain = float(slope @ d - 0.5 * d @ self.curvature @ d + added.sum()) + offset
        return Step(d, gain, self._weights(d, moved[: len(self.gaps)], slope, low, high))

    def _weights(
        self, d: Floats, moved: Floats, slope: Floats, low: Floats, high: Floats
    ) -> Floats:
        """By row: 1 below its cap, 0 above, at the cap what balances the slopes of the rest."""
        from scipy.optimize import lsq_linear

        at = np.abs(self.gaps - moved) < 1e-6
        weights = np.where(moved < self.gaps, 1.0, 0.0)
        at &= self.row_slopes.any(1)
        free = (d > low + 1e-9) & (d < high - 1e-9)
        if at.any() and free.any():
            rest = slope - self.curvature @ d + weights[~at] @ self.row_slopes[~at]
            found = lsq_linear(self.row_slopes[at][:, free].T, -rest[free], bounds=(0.0, 1.0))
            weights[at] = found.x
        return weights
