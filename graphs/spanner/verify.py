# SPDX-License-Identifier: Apache-2.0
"""Verification of a spanner by exact searches, whoever built it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from graphs.arguments import edge_flags, to_numpy, vertex_numbers
from graphs.digraph import DiGraph
from graphs.searches import roundtrip_distances
from graphs.spanner.stretch import (
    Histogram,
    StretchReport,
    Tally,
    Worst,
    find_worst,
    tally_row,
)
from workbench.ops._threads import thread_count

__all__ = ["StretchReport", "Worst", "verify_spanner"]

_MEMORY = 256 << 20
_TASKS = 16  # given to an executor: the graph travels with each
_EXACT = 2**53  # integers below are exact in float64


@dataclass(frozen=True)
class _Task:
    """Sources to check in one place, with all that takes."""

    g: DiGraph
    keep: npt.NDArray[np.bool_]
    sources: npt.NDArray[np.int64]
    stretch: float | None
    tolerance: float
    num_threads: int | None


def verify_spanner(
    g: DiGraph,
    edge_mask: Any,
    sources: Any,
    stretch: float | None = None,
    *,
    rtol: float = 1e-9,
    sample: int | None = None,
    seed: int = 0,
    num_threads: int | None = None,
    executor: Executor | None = None,
) -> StretchReport:
    """Measure how much longer the round trips of some sources are over some of the edges.

    Every pair of a source u and another vertex v with a round trip in `g` is looked at: its
    stretch is ``rt_H(u, v) / rt_G(u, v)``. Nothing is taken over from whoever built the spanner.

    Parameters
    ----------
    g : DiGraph
    edge_mask : array_like
        bool, shape ``(m,)``: the edges of the spanner.
    sources : int or array_like
        Vertices, shape ``(s,)``; repeated ones count once.
    stretch : float, optional
        The bound to hold, at least 1.
    rtol : float
        Relative excess over the bound to let pass where weights are floats, for the rounding of
        sums. Integer weights are compared exactly (beyond 2^53, to the last bits of a float).
    sample : int, optional
        Check only so many of the sources, drawn by `seed`; the report then says so.
    seed : int
        Of the sample.
    num_threads : int, optional
        torch's number by default. The workers of an `executor` take one each, whatever it is.
    executor : concurrent.futures.Executor, optional
        Works on batches of sources. The report does not depend on it.

    Returns
    -------
    StretchReport

    Raises
    ------
    TypeError
        If `g` is no DiGraph or vertices are not integers.
    ValueError
        If `edge_mask` is none, `sources` is empty or leads out of the graph, `stretch` is below
        1 or NaN, `rtol` is negative or `sample` below 1.

    Notes
    -----
    Four searches per source, in batches that take about 256 MB.
    """
    if not isinstance(g, DiGraph):
        raise TypeError(f"g must be a DiGraph, got {type(g).__name__}")
    keep = edge_flags(edge_mask, g.m)
    given = vertex_numbers(np.atleast_1d(to_numpy(sources)), g.n, "sources")
    if given.size == 0:
        raise ValueError("sources must not be empty")
    if stretch is not None and not 1 <= stretch < math.inf:
        raise ValueError(f"stretch must be finite and at least 1, got {stretch}")
    if not 0 <= rtol < math.inf:
        raise ValueError(f"rtol must be finite and not negative, got {rtol}")
    if sample is not None and sample < 1:
        raise ValueError(f"sample must be at least 1, got {sample}")
    thread_count("verify_spanner", num_threads)
    if executor is not None and not hasattr(executor, "submit"):
        raise TypeError(f"executor must be an Executor, got {type(executor).__name__}")
    distinct = given[np.sort(np.unique(given, return_index=True)[1])]
    checked = distinct
    if sample is not None and sample < distinct.size:
        drawn = np.random.default_rng(seed).choice(distinct.size, sample, replace=False)
        checked = distinct[np.sort(drawn)]
    tolerance = _tolerance(g, rtol)
    tally = Tally()
    for part in _run(g, keep, checked, stretch, tolerance, num_threads, executor):
        tally.add(part)
    worst = None
    if tally.worst is not None:
        worst = find_worst(g, keep, *tally.worst)
    return StretchReport(
        n=g.n,
        m=g.m,
        kept=int(keep.sum()),
        sources=int(distinct.size),
        checked=int(checked.size),
        exact=checked.size == distinct.size,
        pairs=tally.pairs,
        broken=tally.broken,
        violations=None if stretch is None else tally.violations,
        stretch=None if stretch is None else float(stretch),
        rtol=tolerance,
        max=1.0 if worst is None else worst.ratio,
        mean=tally.mean(),
        p50=tally.quantile(0.5),
        p99=tally.quantile(0.99),
        worst=worst,
        histogram=Histogram.of(tally),
        distribution=tally.distribution(),
    )


def _tolerance(g: DiGraph, rtol: float) -> float:
    if g.weights.dtype.kind == "f":
        return float(rtol)
    longest = 2 * int(g.weights.max(initial=0)) * max(g.n - 1, 1)
    return 0.0 if longest < _EXACT else 2.0**-50


def _run(
    g: DiGraph,
    keep: npt.NDArray[np.bool_],
    sources: npt.NDArray[np.int64],
    stretch: float | None,
    tolerance: float,
    num_threads: int | None,
    executor: Executor | None,
) -> Iterator[Tally]:
    """Tallies of consecutive sources, in their order whoever is done first."""
    if executor is None:
        yield _check(_Task(g, keep, sources, stretch, tolerance, num_threads))
        return
    # One thread per task: a forked process cannot start those its parent had started before.
    size = -(-sources.size // _TASKS)
    futures = [
        executor.submit(_check, _Task(g, keep, sources[i : i + size], stretch, tolerance, 1))
        for i in range(0, sources.size, size)
    ]
    try:
        for future in futures:
            yield future.result()
    finally:
        for future in futures:
            future.cancel()


def _check(task: _Task) -> Tally:
    # A search over few edges is quicker where the others are not even stored.
    spanner = task.g.subgraph(task.keep)
    batch = max(1, _MEMORY // (3 * 8 * max(task.g.n, 1)))
    tally = Tally()
    for i in range(0, task.sources.size, batch):
        some = task.sources[i : i + batch]
        before = roundtrip_distances(task.g, some, num_threads=task.num_threads)
        after = roundtrip_distances(spanner, some, num_threads=task.num_threads)
        for j, u in enumerate(some.tolist()):
            row = tally_row(before[j], after[j], u, task.stretch, task.tolerance)
            tally.add(row)
    return tally
