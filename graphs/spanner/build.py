# SPDX-License-Identifier: Apache-2.0
"""Source-wise round-trip spanners: the one function that builds them."""

from __future__ import annotations

import math
import os
import time
from concurrent.futures import Executor
from typing import Any

import numpy as np
import numpy.typing as npt

from graphs.arguments import to_numpy, vertex_numbers
from graphs.digraph import DiGraph
from graphs.spanner.choice import METHODS, choose
from graphs.spanner.methods import Job, ball_levels, lay_out, run_method, run_prune
from graphs.spanner.result import Certificate, RoundtripSpanner
from graphs.spanner.verify import verify_spanner
from workbench.ops._threads import thread_count
from workbench.ops.spanner import SpannerProblem

__all__ = ["roundtrip_spanner"]

_VERIFY = ("full", "sample", "none")
#: Sources a sampled verification looks at.
SAMPLE = 32


def roundtrip_spanner(
    g: DiGraph,
    sources: Any,
    stretch: float = 3.0,
    *,
    k: int | None = None,
    method: str = "auto",
    prune: bool = False,
    verify: str = "full",
    seed: int = 0,
    num_threads: int | None = None,
    executor: Executor | None = None,
) -> RoundtripSpanner:
    """Keep few edges, and round trips from the sources nearly as short as they were.

    For every source u and vertex v the distance from u to v and back within the edges kept is at
    most `stretch` times what it is in `g`, whatever the seed.

    Parameters
    ----------
    g : DiGraph
    sources : array_like
        Vertices, shape ``(s,)``; repeated ones count once.
    stretch : float
        At least 1.
    k : int, optional
        Levels of method ``"rtz"``, at least 1; by default as many as `stretch` allows. The more,
        the fewer balls; more than log2 s are of no use and are not made.
    method : str
        ``"exact"``: the shortest-path trees of all sources, stretch 1. ``"greedy"``: shortest paths
        inserted where they are needed, the smallest for up to some thousand sources.
        ``"cover"``: nearly linear time, for many sources and a stretch of six or more.
        ``"rtz"``: balls around sampled sources, a baseline. ``"auto"``: what suits, see
        :mod:`graphs.spanner.choice`.
    prune : bool
        Afterwards drop edges that can be spared, heaviest first. Keeps distances of all pairs of a
        source and a vertex in memory.
    verify : str
        ``"full"``: measure the stretch of all pairs. ``"sample"``: of 32 sources. ``"none"``.
    seed : int
        Of random choices; at least 0.
    num_threads : int, optional
        torch's number by default. The result does not depend on it.
    executor : concurrent.futures.Executor, optional
        Where to search, batch by batch: a process pool, a Dask cluster's executor. The result does
        not depend on it.

    Returns
    -------
    RoundtripSpanner

    Raises
    ------
    TypeError
        If `g` is no DiGraph, or sources or seed are not integers.
    ValueError
        If there are no sources or one is no vertex, if `stretch` is below 1 or NaN, `k` below 1,
        a name unknown, `k` given for another method than ``"rtz"``, or if pruning would need more
        memory than there is.

    Notes
    -----
    ``cover`` after Zhu et al. (arXiv 2004.05721) and Pachocki et al. (SODA 2018) with certificates,
    ``rtz`` after Roditty, Thorup and Zwick (TALG 2008).
    """
    if not isinstance(g, DiGraph):
        raise TypeError(f"g must be a DiGraph, got {type(g).__name__}")
    distinct = _distinct(vertex_numbers(np.atleast_1d(to_numpy(sources)), g.n, "sources"))
    _check(stretch, k, method, verify, seed)
    threads = thread_count("roundtrip_spanner", num_threads)

    clock = [time.perf_counter()]
    problem = lay_out(g, distinct)
    clock.append(time.perf_counter())
    active = sum(core.sources for core in problem.cores)
    levels = ball_levels(stretch, k, active) if method == "rtz" else (1, 0.0)
    n, m = sum(core.n for core in problem.cores), sum(core.m for core in problem.cores)
    chosen = choose(n, m, active, stretch) if method == "auto" else method
    if prune:
        _check_memory(problem)
    job = Job(g, distinct, float(stretch), int(seed), threads, executor)
    marks, found = run_method(chosen, problem, job, levels)
    clock.append(time.perf_counter())
    pruned = run_prune(problem, job, marks) if prune else None
    clock.append(time.perf_counter())
    mask = marks.astype(bool)
    mask.flags.writeable = False

    is_exact = chosen == "exact" or (chosen == "rtz" and levels[0] == 1)
    bound = 1.0 if is_exact and not prune else float(stretch)
    report = None
    if verify != "none":
        report = verify_spanner(
            g,
            mask,
            distinct,
            bound,
            sample=SAMPLE if verify == "sample" else None,
            seed=int(seed),
            num_threads=threads,
            executor=executor,
        )
        if not report.holds:
            raise RuntimeError(
                f"the spanner does not keep its stretch, which is a fault of ours: {report}"
            )
    clock.append(time.perf_counter())
    scales = [
        {"component": core, **scale}
        for core, per_core in enumerate(found.pop("scales", []))
        for scale in per_core
    ]
    checked = verify
    if report is not None and report.exact:
        checked = "full"  # a sample of fewer sources than it takes is all of them
    certificate = Certificate(
        method=chosen + ("+prune" if prune else ""),
        seed=int(seed),
        bound=bound,
        scales=scales,
        verified=None if report is None else report.max,
        verification=checked,
    )
    phases = ("lay_out", "build", "prune", "verify")
    stats: dict[str, Any] = {
        "n": g.n,
        "m": g.m,
        "active_vertices": n,
        "active_edges": m,
        "lone_sources": int(distinct.size) - active,
        **found,
        "pruned": pruned,
        "seconds": {
            name: after - before
            for name, before, after in zip(phases, clock, clock[1:], strict=False)
        },
    }
    return RoundtripSpanner(g, distinct, mask, chosen, bound, certificate, report, stats)


def _check(stretch: float, k: int | None, method: str, verify: str, seed: int) -> None:
    if not (isinstance(stretch, (int, float, np.number)) and math.isfinite(stretch)):
        raise ValueError(f"stretch must be a finite number, got {stretch!r}")
    if stretch < 1:
        raise ValueError(f"stretch must be at least 1, got {stretch}")
    if method != "auto" and method not in METHODS:
        raise ValueError(f"method must be auto, {', '.join(METHODS)}, got {method!r}")
    if verify not in _VERIFY:
        raise ValueError(f"verify must be {', '.join(_VERIFY)}, got {verify!r}")
    if k is not None:
        if isinstance(k, bool) or not isinstance(k, (int, np.integer)):
            raise TypeError(f"k must be an integer, got {k!r}")
        if k < 1:
            raise ValueError(f"k must be at least 1, got {k}")
        if method != "rtz":
            raise ValueError(f"k belongs to method 'rtz', not to {method!r}")
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)):
        raise TypeError(f"seed must be an integer, got {seed!r}")
    if not 0 <= seed < 2**63:
        raise ValueError(f"seed must be in [0, 2^63), got {seed}")


def _distinct(sources: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    if sources.size == 0:
        raise ValueError("sources must name at least one vertex, got none")
    _, first = np.unique(sources, return_index=True)
    return sources[np.sort(first)]


def _check_memory(problem: SpannerProblem) -> None:
    needed = problem.prune_bytes()
    there = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if needed > there:
        raise ValueError(
            f"prune would keep {needed / 2**30:.1f} GB of distances, and {there / 2**30:.1f} GB "
            "are free: use fewer sources, or prune=False"
        )
