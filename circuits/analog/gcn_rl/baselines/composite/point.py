# SPDX-License-Identifier: Apache-2.0
"""A design as the climb sees it, and who pays for looking."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from circuits.analog.gcn_rl.problem import EvaluationLike, SizingProblem
from circuits.analog.gcn_rl.trace import Recorder

__all__ = ["Floats", "Observer", "Point", "Slopes"]

Floats = npt.NDArray[np.float64]

_STEP = 0.02  # of a difference quotient, in unit coordinates
_JUMP = 0.25  # a larger change of a logarithm over that step is none of the same half wave


@dataclass(frozen=True)
class Point:
    """A design: P coordinates, C rows with an edge, S settling times of L half waves each.

    ``heights`` are 0 at the edge of the band; see
    :class:`circuits.analog.sizing.anatomy.Anatomy`.
    """

    units: Floats
    fom: float
    smooth_slope: Floats
    rows: Floats
    row_slopes: Floats
    heights: Floats
    times: Floats
    works: bool

    def last(self) -> tuple[int, ...]:
        """By settling time, the last half wave that leaves the band; -1 for none."""
        outside = np.nan_to_num(self.heights, nan=-1.0) > 0.0
        return tuple(int(np.flatnonzero(row)[-1]) if row.any() else -1 for row in outside)


@dataclass(frozen=True)
class Slopes:
    """Of half waves to the unit coordinates: both ``(S, L, P)``."""

    heights: Floats
    times: Floats

    def after(self, old: Point, new: Point) -> Slopes:
        """Corrected by what a step really did (Broyden's rank one)."""
        step = new.units - old.units
        square = float(step @ step)
        if square < 1e-14 or not self.times.size:
            return self
        found = []
        for slopes, before, now in (
            (self.heights, old.heights, new.heights),
            (self.times, old.times, new.times),
        ):
            missed = now - before - slopes @ step
            known = np.isfinite(missed)
            found.append(slopes + np.where(known, missed, 0.0)[..., None] * step / square)
        return Slopes(*found)


class Observer:
    """Simulates for a climb and charges it.

    Parameters
    ----------
    recorder : Recorder
        It charges a look, a simulation with the slopes of its parts, as one with a gradient.

    Attributes
    ----------
    charge : float
        Simulations charged for a look.
    caps : ndarray
        ``(C,)``.
    rates : ndarray
        ``(S,)``, figure of merit per logarithm of a settling time.
    whole : ndarray
        bool ``(P,)``: parameters whose whole numbers lie so far apart that rounding matters.
    """

    def __init__(self, recorder: Recorder) -> None:
        self.recorder, self.charge = recorder, recorder.gradient_charge
        self.problem: SizingProblem = recorder.problem
        self._anatomist: Any = _anatomist(self.problem)
        found = self._anatomist
        self.caps = np.zeros(0) if found is None else found.caps.numpy()
        self.rates = np.zeros(0) if found is None else found.rates.numpy()
        self.whole = self.problem.integer.numpy().astype(bool)

    def pays(self, charge: float, stop: float = np.inf) -> bool:
        """Whether ``charge`` can still be paid, without going beyond ``stop`` in all."""
        recorder = self.recorder
        return recorder.spent + charge <= min(recorder.budget, stop) + 1e-9

    def rounded(self, units: Floats) -> Floats:
        """The coordinates of the design that would really be built."""
        asked = torch.from_numpy(np.clip(units, -1.0, 1.0))[None]
        found = self.problem.parameters_to_unit(self.problem.unit_to_parameters(asked))
        rounded: Floats = np.clip(found[0].numpy(), -1.0, 1.0)
        return rounded

    def look(self, units: Floats) -> Point:
        """Simulate one design with the slopes of its parts."""
        asked = torch.from_numpy(np.ascontiguousarray(units))[None]
        recorder = self.recorder
        if self._anatomist is None:
            evaluation, slope = recorder.gradient(asked)
            none = np.zeros(0)
            return Point(
                units, float(evaluation.fom[0]), slope[0].numpy(), none,
                np.zeros((0, len(units))), np.zeros((0, 0)), np.zeros((0, 0)),
                _works(evaluation),
            )  # fmt: skip
        recorder.reserve(1, gradients=True)
        anatomy = self._anatomist.see(asked)
        recorder.record(asked, anatomy.evaluation, gradients=True)
        return Point(
            units,
            float(anatomy.evaluation.fom[0]),
            anatomy.smooth_slopes[0].numpy(),
            anatomy.rows[0].numpy(),
            anatomy.row_slopes[0].numpy(),
            anatomy.heights[0].numpy(),
            anatomy.times[0].numpy(),
            _works(anatomy.evaluation) and bool(torch.isfinite(anatomy.rows).all()),
        )

    def differences_cost(self) -> float:
        """What :meth:`differences` is charged."""
        return float(self.problem.n_parameters) if self.rates.size else 0.0

    def differences(self, point: Point) -> Slopes:
        """Slopes of the half waves by one simulation per parameter, all in one batch."""
        if not self.rates.size:
            shape = (*point.heights.shape, len(point.units))
            return Slopes(np.zeros(shape), np.zeros(shape))
        asked = np.stack([self._beside(point.units, k) for k in range(len(point.units))])
        moved = np.diagonal(asked) - point.units
        units = torch.from_numpy(asked)
        self.recorder.reserve(len(asked), gradients=False)
        anatomy = self._anatomist.see(units, slopes=False)
        self.recorder.record(units, anatomy.evaluation)
        step = np.where(moved == 0.0, np.inf, moved)
        slopes = []
        for seen, before in ((anatomy.heights, point.heights), (anatomy.times, point.times)):
            change = seen.numpy() - before
            # another half wave has taken the place of this one: no slope
            change = np.where(np.abs(change) < _JUMP, change, 0.0)
            slopes.append(np.moveaxis(change / step[:, None, None], 0, -1))
        return Slopes(*slopes)

    def _beside(self, units: Floats, k: int) -> Floats:
        """``units`` with a small step along ``k``, a whole one where numbers are whole."""
        moved: Floats = units.copy()
        moved[k] += _STEP if moved[k] + _STEP <= 1.0 else -_STEP
        moved[k] = self.rounded(moved)[k]
        if moved[k] == units[k]:
            up, down = self.neighbour(units, k, 1), self.neighbour(units, k, -1)
            found = up if up is not None else down
            moved[k] = units[k] if found is None else found
        return moved

    def neighbour(self, units: Floats, k: int, by: int) -> float | None:
        """Coordinate ``k`` of the value ``by`` steps of the grid away; None outside the range."""
        problem = self.problem
        values = problem.unit_to_parameters(torch.from_numpy(units)[None])
        grid = float(problem.grid[k])
        if grid == 0.0:
            return None
        values[0, k] += by * grid
        if not float(problem.low[k]) <= float(values[0, k]) <= float(problem.high[k]):
            return None
        return float(np.clip(float(problem.parameters_to_unit(values)[0, k]), -1.0, 1.0))


def _works(evaluation: EvaluationLike) -> bool:
    # -2 is a failure by convention; a design that is bad at everything is no better a start
    fom = float(evaluation.fom[0])
    return bool(np.isfinite(fom)) and fom > -2.0 and int(evaluation.status[0]) != 3


def _anatomist(problem: SizingProblem) -> Any:
    """Who takes the problem's figure of merit apart; None where it has no parts."""
    from circuits.analog.sizing.anatomy import Anatomist
    from circuits.analog.sizing.problem import SizingProblem as Calibrated

    return Anatomist(problem) if isinstance(problem, Calibrated) else None
