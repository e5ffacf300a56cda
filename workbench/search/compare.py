# SPDX-License-Identifier: Apache-2.0
"""Engines side by side, at equal numbers of evaluations."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from workbench.search.engine import Engine
from workbench.search.evaluator import Evaluator
from workbench.search.run import Budget, Search
from workbench.search.space import Space


@dataclass(frozen=True)
class Row:
    """Best score that one engine with one seed had after a number of evaluations.

    `exhausted` says that it had run out of new candidates before that number.
    """

    engine: str
    seed: int
    evaluations: int
    best: float
    exhausted: bool


def compare(
    engines: Mapping[str, Callable[[Space, int], Engine]],
    space: Space,
    evaluator_factory: Callable[[int], Evaluator],
    budget: Budget | int,
    seeds: Sequence[int],
    *,
    at: Sequence[int] | None = None,
    objective: str = "loss",
) -> list[Row]:
    """Run every engine with every seed and tabulate the best scores so far.

    Parameters
    ----------
    engines : mapping from name to callable
        Each makes an engine from a space and a seed, e.g. ``{"random": Random}``.
    evaluator_factory : callable
        Makes an evaluator from a seed. Each run gets its own, so that no engine lives off what
        another one paid for.
    budget : Budget or int
        Of each run.
    at : sequence of int, optional
        Numbers of evaluations to report; a quarter, half and the whole budget by default.

    Returns
    -------
    list of Row
        Ordered by engine, seed, number of evaluations.
    """
    spend = budget if isinstance(budget, Budget) else Budget(evaluations=budget)
    if not engines or not len(seeds):
        raise ValueError(f"compare: needs engines and seeds, got {list(engines)}, {list(seeds)}")
    total = spend.evaluations
    counts = sorted(set(at if at is not None else (total // 4, total // 2, total)) - {0})
    if not counts or counts[0] < 1 or counts[-1] > total:
        raise ValueError(f"compare: at must lie in 1..{total}, got {at}")
    rows: list[Row] = []
    for name, make in engines.items():
        for seed in seeds:
            search = Search(
                space, make(space, seed), evaluator_factory(seed), spend, objective=objective
            )
            result = search.run()
            curve = result.curve
            if not len(curve):
                raise ValueError(
                    f"compare: engine {name!r}, seed {seed}, spent no evaluation; "
                    f"evaluator_factory must make a new evaluator each time"
                )
            for count in counts:
                reached = min(count, len(curve))
                rows.append(Row(name, seed, count, float(curve[reached - 1]), reached < count))
    return rows


def comparison_table(rows: Sequence[Row]) -> str:
    """Return rows of `compare` as text: mean and standard deviation over seeds."""
    counts = sorted({row.evaluations for row in rows})
    names = list(dict.fromkeys(row.engine for row in rows))
    width = max([len("engine"), *map(len, names)])
    lines = [f"{'engine':<{width}}" + "".join(f"  {f'at {count}':>19}" for count in counts)]
    for name in names:
        cells = []
        for count in counts:
            best = [r.best for r in rows if r.engine == name and r.evaluations == count]
            spread = float(np.std(best, ddof=1)) if len(best) > 1 else 0.0
            cells.append(f"  {f'{np.mean(best):.4g} +- {spread:.2g}':>19}")
        lines.append(f"{name:<{width}}" + "".join(cells))
    return "\n".join(lines)
