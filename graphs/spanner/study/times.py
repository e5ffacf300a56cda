# SPDX-License-Identifier: Apache-2.0
"""E2: searches and seconds of each method by number of sources, on one thread."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from graphs.digraph import DiGraph
from graphs.spanner import roundtrip_spanner
from graphs.spanner.study.config import Config
from graphs.spanner.study.inputs import draw_sources, find, largest_component
from graphs.spanner.study.measured import note_seconds, point_key

if TYPE_CHECKING:
    from workbench.experiments import Run

__all__ = ["GREEDY_STRETCH", "curves", "measure_times", "predicted_searches", "timed"]

GREEDY_STRETCH = 3.0
#: Measured again, up to three times, where it took less than this; the least counts.
_SHORT = 2.0

Row = dict[str, Any]


def measure_times(config: Config, run: Run) -> list[Row]:
    """Build every spanner whose predicted work is allowed; those left out are marked."""
    rows: list[Row] = []
    of = curves(config.time_stretches)
    with run.progress(len(config.time_graphs) * len(of), "times") as bar:
        for name in config.time_graphs:
            source = find(name, config)
            g = source.load()
            active = int(largest_component(g).size)  # also warms what is computed once
            arcs = int((g.components[1][g.tails] == g.components[1][g.heads]).sum())
            counts = sorted({min(s, active) for s in config.time_sources})
            for method, t in of:
                done: list[tuple[int, float]] = []
                for count in counts:
                    predicted = predicted_searches(method, count, done)
                    row: Row = {"graph": source.name, "method": method, "t": t, "s": count}
                    if predicted * arcs > config.time_work:
                        rows.append({**row, "left_out": True, "predicted": predicted})
                        continue
                    key = point_key("time", source.name, method, t, count)
                    unit = partial(_point, g, method, t, count, config, run, key)
                    found = run.once(key, unit)
                    done.append((count, found["searches"]))
                    rows.append({**row, "left_out": False, **found})
                bar.advance(best=f"{source.name}, {method} {t:g}")
    return rows


def curves(stretches: Sequence[float]) -> list[tuple[str, float]]:
    """Return the methods and stretches that are timed."""
    return [("exact", 1.0), ("greedy", GREEDY_STRETCH), *(("cover", t) for t in stretches)]


def predicted_searches(method: str, count: int, done: Sequence[tuple[int, float]]) -> float:
    """Extrapolate the number of full searches; known for all but `cover`."""
    if method != "cover":
        return {"exact": 2.0, "greedy": 4.0}[method] * count
    if len(done) < 2:
        return 0.0  # the first two points are always measured
    (s0, y0), (s1, y1) = done[-2:]
    slope = math.log(y1 / y0) / math.log(s1 / s0) if y0 > 0 and y1 > 0 else 1.0
    return float(y1 * (count / s1) ** max(0.0, slope))


def _point(
    g: DiGraph, method: str, t: float, count: int, config: Config, run: Run, key: str
) -> Row:
    sources = draw_sources(g, count, config.seed)
    made, seconds = timed(
        lambda: roundtrip_spanner(
            g, sources, t, method=method, verify="none", seed=config.seed, num_threads=1
        )
    )
    note_seconds(run, key, seconds)
    return {
        "searches": float(made.stats["searches"]),
        "edges": made.size,
        "n": made.stats["active_vertices"],
        "m": made.stats["active_edges"],
    }


def timed(build: Callable[[], Any]) -> tuple[Any, float]:
    """Build a spanner once, or three times where it is short; return it and the least seconds."""
    least = math.inf
    for _ in range(3):
        made = build()
        phases = made.stats["seconds"]
        least = min(least, phases["lay_out"] + phases["build"])
        if least > _SHORT:
            break
    return made, least
