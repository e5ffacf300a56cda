# SPDX-License-Identifier: Apache-2.0
"""What the benchmarks are held to: the contents of ``goals.toml``."""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

__all__ = ["Goal", "Goals", "Mean", "Target", "Verdict", "load_goals", "matches"]


def matches(name: str, pattern: str) -> bool:
    """Return whether a shell pattern fits; the empty one fits everything."""
    return not pattern or fnmatchcase(name, pattern)


@dataclass(frozen=True)
class Goal:
    """A least ratio of the fastest peer's time over ours, in every case the pattern names.

    Attributes
    ----------
    case, peer, variant, ours : str
        Shell patterns: of the case's key, of the peer's package and variant, of our variant.
        A `peer` that is a pattern never means ourselves.
    """

    benchmark: str
    case: str
    peer: str
    ratio: float
    source: str = ""
    variant: str = ""
    ours: str = ""
    precision: str = ""
    threads: int = 0


@dataclass(frozen=True)
class Mean:
    """A least geometric mean of such ratios over a group of cases.

    Attributes
    ----------
    group : str
        What the tables call it.
    cases : tuple of str
        Patterns; those of a run that fit one of them form the group.
    """

    benchmark: str
    group: str
    cases: tuple[str, ...]
    peer: str
    ratio: float
    source: str = ""
    variant: str = ""
    ours: str = ""
    precision: str = ""
    threads: int = 0

    def includes(self, case: str) -> bool:
        """Return whether a case belongs to the group."""
        return any(fnmatchcase(case, pattern) for pattern in self.cases)


@dataclass(frozen=True)
class Target:
    """Milliseconds named for one machine; information only."""

    benchmark: str
    case: str
    ms: float
    precision: str = ""
    threads: int = 0


@dataclass(frozen=True)
class Goals:
    """The contents of ``goals.toml``."""

    goals: tuple[Goal, ...] = ()
    targets: tuple[Target, ...] = ()
    means: tuple[Mean, ...] = ()


@dataclass
class Verdict:
    """One goal and what came of it; `cases` is the number a mean was taken over."""

    peer: str
    precision: str
    goal: float
    ratio: float | None
    status: str
    source: str
    group: str = ""
    cases: int = 0

    @classmethod
    def on(cls, goal: Goal | Mean, ratio: float | None, cases: int = 0) -> Verdict:
        """Judge a found ratio."""
        status = "not measured" if ratio is None else "met" if ratio >= goal.ratio else "missed"
        peer = f"{goal.peer} {goal.variant}".strip()
        group = goal.group if isinstance(goal, Mean) else ""
        return cls(peer, goal.precision, goal.ratio, ratio, status, goal.source, group, cases)


def load_goals(path: Path) -> Goals:
    """Read ``goals.toml``.

    Raises
    ------
    ValueError
        When a table has an unknown or missing key, or a number is not positive.
    """
    # tomllib came with Python 3.11; before, requirements.txt installs the same code as tomli.
    toml: Any = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    tables = toml.loads(path.read_text(encoding="utf-8"))
    unknown = set(tables) - {"goal", "target", "mean"}
    if unknown:
        raise ValueError(f"load_goals: {path.name} has unknown tables {sorted(unknown)}")
    try:
        goals = tuple(Goal(**table) for table in tables.get("goal", ()))
        targets = tuple(Target(**table) for table in tables.get("target", ()))
        means = tuple(
            Mean(**{**table, "cases": tuple(table.get("cases", ()))})
            for table in tables.get("mean", ())
        )
    except TypeError as error:
        raise ValueError(f"load_goals: {path.name}: {error}") from error
    for number in [goal.ratio for goal in (*goals, *means)] + [target.ms for target in targets]:
        if not number > 0:
            raise ValueError(f"load_goals: {path.name}: numbers must be positive, got {number}")
    for mean in means:
        if not mean.cases:
            raise ValueError(f"load_goals: {path.name}: the mean {mean.group!r} has no cases")
    return Goals(goals, targets, means)
