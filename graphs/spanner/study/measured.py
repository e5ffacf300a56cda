# SPDX-License-Identifier: Apache-2.0
"""What differs from run to run: seconds and bytes, kept beside the result and not in it.

Seconds go into the run's ``timing.json``, peak memory into its ``memory.json``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.experiments.durable import write_json_durably

if TYPE_CHECKING:
    from workbench.experiments import Run, StoredRun

__all__ = [
    "Measured",
    "crossing",
    "fitted_slope",
    "note_bytes",
    "note_seconds",
    "point_key",
    "read_measured",
]

_MEMORY = "memory.json"


@dataclass(frozen=True)
class Measured:
    """Seconds by key, and bytes of memory by key."""

    seconds: Mapping[str, float] = field(default_factory=dict)
    bytes: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    total: float = 0.0


def point_key(part: str, graph: str, method: str, stretch: float, sources: int) -> str:
    """Name one measurement."""
    return f"{part} {graph} {method} t={stretch:g} s={sources}"


def note_seconds(run: Run, key: str, seconds: float) -> None:
    """Keep the seconds of a measurement; a resumed run does not add them twice."""
    if key not in run.timing()["seconds"]:
        run.timing(key, seconds)


def note_bytes(run: Run, key: str, found: Mapping[str, int]) -> None:
    """Keep the memory of a measurement."""
    path = run.path / _MEMORY
    write_json_durably(path, {**_read_memory(path), key: dict(found)})


def read_measured(timing: Mapping[str, Any], run: StoredRun) -> Measured:
    """Return what a run measured."""
    return Measured(
        dict(timing["seconds"]), _read_memory(run.path / _MEMORY), float(timing["total"])
    )


def _read_memory(path: Path) -> dict[str, dict[str, int]]:
    if not path.is_file():
        return {}
    kept: dict[str, dict[str, int]] = json.loads(path.read_text(encoding="utf-8"))
    return kept


def fitted_slope(x: Sequence[float], y: Sequence[float]) -> tuple[float, float] | None:
    """Fit ``y = c x^p`` by least squares of the logarithms.

    Returns
    -------
    (float, float) or None
        p and its standard error; None for fewer than three points.
    """
    if len(x) < 3:
        return None
    u, v = [math.log(a) for a in x], [math.log(b) for b in y]
    mean_u, mean_v = math.fsum(u) / len(u), math.fsum(v) / len(v)
    spread = math.fsum((a - mean_u) ** 2 for a in u)
    slope = math.fsum((a - mean_u) * (b - mean_v) for a, b in zip(u, v, strict=True)) / spread
    rest = math.fsum((b - mean_v - slope * (a - mean_u)) ** 2 for a, b in zip(u, v, strict=True))
    return slope, math.sqrt(rest / (len(u) - 2) / spread)


def crossing(first: Mapping[int, float], second: Mapping[int, float]) -> tuple[str, float | None]:
    """Find from where on `second` stays below `first`, both given by number of sources.

    Returns
    -------
    (str, float or None)
        ``"always"`` or ``"never"`` on what was measured, or ``"from"`` and the number of sources,
        interpolated in the logarithms.
    """
    common = sorted(set(first) & set(second))
    below = [second[s] < first[s] for s in common]
    if not common or not below[-1]:
        return "never", None
    last = max((i for i, b in enumerate(below) if not b), default=-1)
    if last < 0:
        return "always", None
    a, b = common[last], common[last + 1]
    rise: Callable[[int], float] = lambda s: math.log(second[s] / first[s])  # noqa: E731
    share = rise(a) / (rise(a) - rise(b))
    return "from", math.exp(math.log(a) + share * math.log(b / a))
