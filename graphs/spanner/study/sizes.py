# SPDX-License-Identifier: Apache-2.0
"""E1: how many edges each method keeps, and the stretch they really have."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from graphs.digraph import DiGraph
from graphs.spanner import RoundtripSpanner, roundtrip_spanner
from graphs.spanner.study.config import Config
from graphs.spanner.study.inputs import draw_sources, find

if TYPE_CHECKING:
    from workbench.experiments import Run

__all__ = ["RTZ_STRETCH", "measure_sizes"]

#: Two levels and scales a factor of two apart.
RTZ_STRETCH = 8.0

Row = dict[str, Any]


def measure_sizes(config: Config, run: Run) -> dict[str, Any]:
    """Count the edges of every method on every graph, number of sources and draw of them."""
    rows: list[Row] = []
    origins: list[Row] = []
    units = len(config.graphs) * len(config.sources) * config.seeds
    with run.progress(units, "sizes") as bar:
        for name in config.graphs:
            source = find(name, config)
            load = cache(source.load)  # not at all where a resumed run has everything of it
            about = run.once(f"about {name}", partial(_about, load))
            origins.append({"name": source.name, "origin": source.origin, **about})
            for count in config.sources:
                for draw in range(config.seeds):
                    unit = partial(_unit, load, source.name, count, draw, config)
                    rows += run.once(f"size {name} {count} {draw}", unit)
                    bar.advance(best=f"{source.name}, {count} sources")
    return {"graphs": origins, "rows": rows}


def _about(load: Callable[[], DiGraph]) -> Row:
    g = load()
    return {"n": g.n, "m": g.m, "weights": str(g.weights.dtype)}


def _unit(
    load: Callable[[], DiGraph], name: str, count: int, draw: int, config: Config
) -> list[Row]:
    g = load()
    sources = draw_sources(g, count, config.seed, draw)
    return [
        {"graph": name, "s": int(sources.size), "asked": count, "draw": draw, **row}
        for row in _rows(g, sources, draw, config)
    ]


def _rows(g: DiGraph, sources: npt.NDArray[Any], draw: int, config: Config) -> Iterator[Row]:
    def make(method: str, stretch: float, *, prune: bool = False) -> RoundtripSpanner:
        return roundtrip_spanner(
            g, sources, stretch, method=method, prune=prune, seed=config.seed + draw
        )

    exact = make("exact", 1.0)
    yield _row("exact", 1.0, exact)
    yield _row("rtz", RTZ_STRETCH, make("rtz", RTZ_STRETCH))
    for t in config.stretches:
        yield from _with_pruned("greedy", t, make, config)
        if _affordable(exact, config):
            yield _row("exact+prune", t, make("exact", t, prune=True))
    for t in (*config.stretches, *config.cover_stretches):
        for row in _with_pruned("cover", t, make, config):
            yield row
            # What greedy needs for the stretch that cover turned out to have.
            if row["method"] == "cover" and t in config.cover_stretches:
                equal = max(1.0, row["max"])
                yield {**_row("greedy", equal, make("greedy", equal)), "equal_to_cover": t}


def _with_pruned(
    method: str, t: float, make: Callable[..., RoundtripSpanner], config: Config
) -> Iterator[Row]:
    plain = make(method, t)
    yield _row(method, t, plain)
    if _affordable(plain, config):
        yield _row(f"{method}+prune", t, make(method, t, prune=True))


def _affordable(made: RoundtripSpanner, config: Config) -> bool:
    pairs = made.sources.size * made.stats["active_vertices"]
    return bool(pairs * made.size <= config.prune_work)


def _row(method: str, t: float, made: RoundtripSpanner) -> Row:
    assert made.stretch is not None
    return {
        "method": method,
        "t": t,
        "edges": made.size,
        "n": made.stats["active_vertices"],
        "m": made.stats["active_edges"],
        "bound": made.stretch_bound,
        "max": made.stretch.max,
        "mean": made.stretch.mean,
        "p99": made.stretch.p99,
        "broken": made.stretch.broken,
        "holds": bool(made.stretch.holds),
        "all_sources": made.stretch.exact,
    }
