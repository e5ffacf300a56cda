# SPDX-License-Identifier: Apache-2.0
"""The search: random designs, climbs from the best that lie apart, whole numbers beside them.

When that brings nothing more, CMA-ES about the best looks for the last digits.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch

from circuits.analog.gcn_rl.baselines.composite.climb import FIRST_RADIUS, Climb
from circuits.analog.gcn_rl.baselines.composite.point import Floats, Observer
from circuits.analog.gcn_rl.baselines.evolution import best_or_middle, evolve
from circuits.analog.gcn_rl.baselines.sampling import spread_starts
from circuits.analog.gcn_rl.optional import need
from circuits.analog.gcn_rl.problem import SizingProblem, check_units
from circuits.analog.gcn_rl.trace import GRADIENT_CHARGE, Recorder, Trace
from workbench.experiments.progress import ProgressBoard

__all__ = ["composite"]

_WHY = "composite quadratic programming"
_STARTS = 4  # per round of random designs
_COARSE = 0.05  # whole numbers nearer than this in unit coordinates need no trial
_TRIAL_RADIUS, _TRIAL_LOOKS = 0.35, 12
_PROMISING = 0.05  # a trial this little below the best is climbed on
_BETTER = 1e-5
_LAST_SIGMA, _LAST_POPULATION = 0.02, 12


def composite(
    problem: SizingProblem,
    budget: float,
    seed: int,
    *,
    warm_up: int = 60,
    patience: int = 5,
    start: Any = None,
    gradient_charge: float = GRADIENT_CHARGE,
    board: ProgressBoard | None = None,
) -> Trace:
    """Composite sequential quadratic programming from spread starts.

    Parameters
    ----------
    problem : SizingProblem
    budget : float
    seed : int
    warm_up : int
        Random designs per round. At most four starts are taken from a round, the best first,
        each further from those before it than is usual among random designs over two.
    patience : int
        Starts in a row that bring nothing, after which CMA-ES about the best spends what is left.
    start : (P,), optional
        Unit coordinates; climbed first, before any random design is simulated.
    gradient_charge : float
        Simulations charged for one simulation with the slopes of its parts; slopes of half waves
        are measured by simulations, each charged as one.
    board : ProgressBoard, optional
    """
    for package in ("cma", "scipy"):
        need(package, _WHY)
    for name, value in (("warm_up", warm_up), ("patience", patience)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(f"{name}: expected an integer of at least 1, got {value!r}")
    recorder = Recorder(problem, budget, seed, "sqp", gradient_charge)
    first = [] if start is None else [check_units(problem, "start", start).numpy()]
    # the last bits of LAPACK's answers depend on its threads, and a climb amplifies them
    with need("threadpoolctl", _WHY).threadpool_limits(1, "blas"):
        _search(recorder, np.random.default_rng(seed), first, warm_up, patience, board)
    return recorder.trace()


def _search(
    recorder: Recorder,
    generator: np.random.Generator,
    waiting: list[Floats],
    warm_up: int,
    patience: int,
    board: ProgressBoard | None,
) -> None:
    observer = Observer(recorder)
    shown = board if board is not None else ProgressBoard()
    best, idle, done = -math.inf, 0, 0
    with shown.task(int(recorder.budget), f"{recorder.problem.name} SQP") as task:
        while idle < patience:
            if not waiting and recorder.remaining:
                starts = spread_starts(recorder, generator, warm_up, _STARTS)
                waiting = [units.numpy() for units in starts]
            if not waiting or not observer.pays(observer.charge + observer.differences_cost()):
                break
            reached = _from(observer, waiting.pop(0), best)
            idle = 0 if reached > best + _BETTER else idle + 1
            best = max(best, reached)
            task.advance(int(recorder.spent) - done, f"best {recorder.best_fom:.3f}")
            done = int(recorder.spent)
    if recorder.remaining:
        mean = best_or_middle(recorder)
        evolve(recorder, generator, mean, _LAST_SIGMA, _LAST_POPULATION, board)


def _from(observer: Observer, start: Floats, best: float) -> float:
    """Climb from a design, then from the whole numbers beside where that ends.

    What is far from the best so far is not climbed to its last digit.
    """
    point = observer.look(observer.rounded(start))
    if not point.works:
        return -math.inf
    climb = Climb(observer, point)
    climb.run(FIRST_RADIUS, again=False)
    for thorough in (False, True):  # whole numbers first, the last digits when they are known
        if thorough:
            if climb.point.fom < best - _PROMISING:
                break
            climb.run(0.5 * FIRST_RADIUS)
        tried: set[tuple[int, ...]] = set()
        while (better := _beside(observer, climb, tried, thorough)) is not None:
            climb = better
    return climb.point.fom


def _beside(
    observer: Observer, climb: Climb, tried: set[tuple[int, ...]], thorough: bool
) -> Climb | None:
    """A climb with another whole number that ends higher; None if there is none."""
    if climb.slopes is None:
        return None
    units = climb.point.units
    tried.add(_numbers(observer, units))
    options = []
    for k in np.flatnonzero(observer.whole):
        for by in (1, -1):
            value = observer.neighbour(units, int(k), by)
            if value is None or abs(value - units[k]) < _COARSE:
                continue
            step = climb.propose(_TRIAL_RADIUS, (int(k), value))
            if step is not None:
                options.append((step.gain, int(k), observer.rounded(units + step.step)))
    for _, _, goal in sorted(options, key=lambda option: -option[0]):
        numbers = _numbers(observer, goal)
        if numbers in tried or not observer.pays(observer.charge):
            continue
        tried.add(numbers)
        point = observer.look(goal)
        if not point.works:
            continue
        trial = Climb(observer, point, climb.slopes.after(climb.point, point))
        limit = observer.recorder.spent + _TRIAL_LOOKS * observer.charge
        trial.run(0.5 * _TRIAL_RADIUS, stop=limit, again=False)
        if thorough and trial.point.fom > climb.point.fom - _PROMISING:
            trial.run(0.5 * FIRST_RADIUS)
        if trial.point.fom > climb.point.fom + _BETTER:
            return trial
    return None


def _numbers(observer: Observer, units: Floats) -> tuple[int, ...]:
    """The whole numbers of a design, but those so fine that none is tried by itself."""
    asked = torch.from_numpy(np.ascontiguousarray(units))[None]
    values = observer.problem.unit_to_parameters(asked)[0].numpy()
    return tuple(
        round(float(values[k]))
        for k in np.flatnonzero(observer.whole)
        if any(
            (n := observer.neighbour(units, int(k), by)) is not None
            and abs(n - units[k]) >= _COARSE
            for by in (1, -1)
        )
    )
