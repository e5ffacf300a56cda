# SPDX-License-Identifier: Apache-2.0
"""A climb from one design: steps of the model within a trust region."""

from __future__ import annotations

import numpy as np

from circuits.analog.gcn_rl.baselines.composite.model import Model, Step
from circuits.analog.gcn_rl.baselines.composite.point import Floats, Observer, Point, Slopes

__all__ = ["FIRST_RADIUS", "Climb"]

FIRST_RADIUS = 0.25

_LARGEST, _SMALLEST, _AGAIN = 0.8, 2e-3, 0.1
_PROMISE = 1e-4  # a smaller gain is none
_WORTH = 1e-3  # what the steps between two measurements of the slopes must bring together
_PLANES = 6  # points whose rows are remembered


class Climb:
    """The state of a climb.

    Parameters
    ----------
    observer : Observer
    point : Point
        Where it starts.
    slopes : Slopes, optional
        Of the half waves there; measured if need be.
    """

    def __init__(self, observer: Observer, point: Point, slopes: Slopes | None = None) -> None:
        self.observer, self.point, self.slopes = observer, point, slopes
        self._seen: list[Point] = [point]
        self._measured = False  # whether its slopes were measured, not inherited
        n = len(point.units)
        self._curvature = np.zeros((n, n))

    def run(
        self, radius: float = FIRST_RADIUS, *, stop: float = np.inf, again: bool = True
    ) -> bool:
        """Climb until the model promises nothing, or nothing more can be paid.

        Parameters
        ----------
        radius : float
            The first step's, in unit coordinates.
        stop : float
            Simulations charged in all after which it ends.
        again : bool
            Whether slopes of half waves are measured anew where their model has failed.

        Returns
        -------
        bool
            Whether it ended of itself.
        """
        observer, mark = self.observer, self.point.fom
        cost = observer.differences_cost()
        fresh = self.slopes is None
        if self.slopes is None:
            if not observer.pays(cost, stop):
                return False
            self.slopes, self._measured = observer.differences(self.point), True
        while observer.pays(observer.charge, stop):
            step = self.propose(radius)
            goal = None if step is None else observer.rounded(self.point.units + step.step)
            small = goal is None or float(np.abs(goal - self.point.units).max()) < 1e-6
            if step is None or goal is None or small or step.gain < _PROMISE or radius < _SMALLEST:
                spoilt = not self._measured or self.point.fom - mark >= _WORTH
                if fresh or not again or not cost or not spoilt:
                    return True
                if not observer.pays(cost, stop):
                    return False
                self.slopes, self._measured = observer.differences(self.point), True
                fresh, radius, mark = True, _AGAIN, self.point.fom
                continue
            reached = float(np.abs(goal - self.point.units).max())
            gain = self._try(goal, step)
            if gain > 0.0:
                fresh = False
            share = gain / step.gain
            if share > 0.75 and reached > 0.8 * radius:
                radius = min(2.0 * radius, _LARGEST)
            elif share < 0.25:
                radius = 0.5 * radius if gain > 0.0 else 0.35 * min(reached, radius)
        return False

    def propose(self, radius: float, fixed: tuple[int, float] | None = None) -> Step | None:
        """The model's best step, whole numbers in whole steps.

        Parameters
        ----------
        radius : float
        fixed : tuple, optional
            A coordinate and what it is to become.
        """
        assert self.slopes is not None
        observer, units = self.observer, self.point.units
        gaps, row_slopes = self._rows()
        model = Model(self.point, gaps, row_slopes, observer.rates, self.slopes, self._curvature)
        low, high = np.maximum(-1.0 - units, -radius), np.minimum(1.0 - units, radius)
        held = observer.whole.copy()
        if fixed is not None:
            k, value = fixed
            low[k] = high[k] = value - units[k]
            held[k] = False
        step = model.best(low, high)
        if step is None or not held.any():
            return step
        # a relaxed step says which whole numbers; with them the rest is stepped again
        whole = (observer.rounded(units + step.step) - units)[held]
        low[held] = high[held] = whole
        again = model.best(low, high)
        return step if again is None else again

    def _rows(self) -> tuple[Floats, Floats]:
        """Gaps and slopes of the rows with an edge.

        A row that is flat at its cap shows nothing of the edge: the nearest planes seen from the
        other side do.
        """
        point, caps = self.point, self.observer.caps
        gaps, slopes = caps - point.rows, point.row_slopes.copy()
        for k in np.flatnonzero(~point.row_slopes.any(1)):
            planes = [
                (p.rows[k] + p.row_slopes[k] @ (point.units - p.units), p.row_slopes[k])
                for p in self._seen[-_PLANES:]
                if p.row_slopes[k].any()
            ]
            if planes:
                value, slope = min(planes, key=lambda plane: plane[0])
                gaps[k], slopes[k] = max(caps[k] - value, 0.0), slope
        return gaps, slopes

    def _try(self, goal: Floats, step: Step) -> float:
        """Look at ``goal``, learn from it, go there if it is better; return the gain."""
        assert self.slopes is not None
        new = self.observer.look(goal)
        if not new.works:
            return -np.inf
        old, gain = self.point, new.fom - self.point.fom
        self._seen.append(new)
        self.slopes = self.slopes.after(old, new)
        self._bend(old, new, step.weights)
        if gain > 0.0:
            self.point = new
        return gain

    def _bend(self, old: Point, new: Point, weights: Floats) -> None:
        """Learn the curvature of the smooth part and the weighted rows: damped BFGS."""
        s = new.units - old.units
        square = float(s @ s)
        if square < 1e-14:
            return
        before = old.smooth_slope + weights @ old.row_slopes
        y = before - new.smooth_slope - weights @ new.row_slopes
        product = float(s @ y)
        if not self._curvature.any():
            if product <= 1e-12:
                return
            self._curvature = np.eye(len(s)) * min(max(product / square, 1e-3), 50.0)
        bent = self._curvature @ s
        along = float(s @ bent)
        share = 1.0 if product >= 0.2 * along else 0.8 * along / (along - product)
        r = share * y + (1.0 - share) * bent
        turn = float(s @ r)
        if along > 1e-14 and turn > 1e-14:
            self._curvature += np.outer(r, r) / turn - np.outer(bent, bent) / along
