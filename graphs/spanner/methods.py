# SPDX-License-Identifier: Apache-2.0
"""The methods, in this process or over an executor with the same result.

What an executor's workers do is exact trees of a batch of sources, the scales of one share of a
cover, or the searches of a batch for ``greedy``, whose insertions stay here. A task carries the
graph; a worker keeps the last one laid out.
"""

from __future__ import annotations

import itertools
import math
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from graphs.digraph import DiGraph
from workbench.experiments.progress import ProgressBoard
from workbench.ops.spanner import Report, SpannerProblem, Trees

__all__ = ["Job", "ball_levels", "lay_out", "run_method", "run_prune"]

Mask = npt.NDArray[np.uint8]

#: Sources of one task of exact trees, and of one task of searches.
_BATCH, _SEARCHES = 64, 16
#: Tasks the scales of a cover are dealt to.
_SHARES = 16


@dataclass
class Job:
    """What is to be built, and where."""

    graph: DiGraph
    sources: npt.NDArray[np.int64]
    stretch: float
    seed: int
    threads: int
    executor: Executor | None = None
    token: str = field(default_factory=lambda: uuid.uuid4().hex)


def lay_out(graph: DiGraph, sources: npt.NDArray[np.int64]) -> SpannerProblem:
    """Cut the graph into the components that hold sources."""
    count, component = graph.components
    return SpannerProblem(
        graph.n, graph.tails, graph.heads, graph.weights, component, count, sources
    )


def ball_levels(stretch: float, k: int | None, sources: int) -> tuple[int, float]:
    """Levels and scale ratio of ``rtz``: k and epsilon with ``stretch = 2 k (1 + epsilon)``.

    Raises
    ------
    ValueError
        If no positive epsilon is left for the k asked for.
    """
    if k is None:
        k = int(stretch // 4)
        if k < 2:
            return 1, 0.0  # one level is exact
    # More levels than log2 s only add sources that are sampled with hardly less than certainty.
    k = min(k, max(1, math.floor(math.log2(max(2, sources)))))
    epsilon = stretch / (2 * k) - 1
    if k > 1 and not epsilon > 0:
        raise ValueError(f"stretch must exceed 2 k = {2 * k} for k = {k}, got {stretch}")
    return k, epsilon


def run_method(
    method: str, problem: SpannerProblem, job: Job, levels: tuple[int, float]
) -> tuple[Mask, dict[str, Any]]:
    """Run one method; return the marks and what it says of itself."""
    if method == "rtz" and levels[0] == 1:
        method = "exact"
    return _METHODS[method](problem, job, levels)


def run_prune(problem: SpannerProblem, job: Job, mask: Mask) -> dict[str, int]:
    """Unmark what can be spared."""
    with _bar("pruning") as report:
        return problem.prune(mask, job.stretch, job.threads, report)


def _exact(
    problem: SpannerProblem, job: Job, levels: tuple[int, float]
) -> tuple[Mask, dict[str, Any]]:
    total = sum(core.sources for core in problem.cores)
    mask = np.zeros(problem.m, np.uint8)
    with _bar("shortest-path trees") as report:
        if job.executor is None:
            problem.exact(mask, 0, total, job.threads, report)
        else:
            pieces = [(i, min(i + _BATCH, total)) for i in range(0, total, _BATCH)]
            for edges in _spread(job, _remote_exact, pieces, report):
                mask[edges] = 1
    return mask, {"searches": 2 * total}


def _cover(
    problem: SpannerProblem, job: Job, levels: tuple[int, float]
) -> tuple[Mask, dict[str, Any]]:
    mask = np.zeros(problem.m, np.uint8)
    with _bar("covering") as report:
        if job.executor is None:
            cores = problem.cover(mask, job.stretch, job.seed, job.threads, report=report)
        else:
            pieces = [(i, _SHARES) for i in range(_SHARES)]
            cores = []
            for share, (edges, found) in enumerate(_spread(job, _remote_cover, pieces, report)):
                mask[edges] = 1
                cores = cores or [[{}] * len(scales) for scales in found]
                for core, scales in enumerate(found):
                    cores[core][share::_SHARES] = scales[share::_SHARES]
    searches = sum(
        sum(scale["settled"] for scale in scales) / core.n
        for core, scales in zip(problem.cores, cores, strict=True)
    )
    return mask, {"searches": searches, "scales": cores}


def _rtz(
    problem: SpannerProblem, job: Job, levels: tuple[int, float]
) -> tuple[Mask, dict[str, Any]]:
    k, epsilon = levels
    mask = np.zeros(problem.m, np.uint8)
    with _bar("sampled balls") as report:
        if job.executor is None:
            settled = problem.sampled_balls(mask, k, epsilon, job.seed, job.threads, report=report)
        else:
            pieces = [(k, epsilon, i, _SHARES) for i in range(_SHARES)]
            settled = 0
            for edges, part in _spread(job, _remote_rtz, pieces, report):
                mask[edges] = 1
                settled += part
    n = sum(core.n for core in problem.cores)
    return mask, {"searches": settled / max(1, n), "k": k, "epsilon": epsilon}


def _greedy(
    problem: SpannerProblem, job: Job, levels: tuple[int, float]
) -> tuple[Mask, dict[str, Any]]:
    mask = np.zeros(problem.m, np.uint8)
    with _bar("greedy paths") as report:
        trees = None if job.executor is None else _Ahead(problem, job)
        try:
            found = problem.greedy(
                mask, job.stretch, job.seed, job.threads, trees=trees, report=report
            )
        finally:
            if trees is not None:
                trees.cancel()
    total = sum(core.sources for core in problem.cores)
    return mask, {
        "searches": 4 * total,
        "hubs": [core["hub"] for core in found],
        "paths": sum(core["paths"] for core in found),
        "violations": sum(core["violations"] for core in found),
    }


_METHODS: dict[
    str,
    Callable[[SpannerProblem, Job, tuple[int, float]], tuple[Mask, dict[str, Any]]],
] = {"exact": _exact, "cover": _cover, "greedy": _greedy, "rtz": _rtz}


class _Ahead:
    """Trees searched by an executor, the next batch while this one is used."""

    def __init__(self, problem: SpannerProblem, job: Job) -> None:
        self._problem, self._job = problem, job
        self._pending: dict[tuple[int, int, int], list[Future[Trees]]] = {}

    def __call__(self, core: int, begin: int, end: int) -> Trees:
        parts = self._pending.pop((core, begin, end), None) or self._submit(core, begin, end)
        following = (core, end, min(2 * end - begin, self._problem.cores[core].sources))
        if following[1] < following[2]:
            self._pending[following] = self._submit(*following)
        found = [part.result() for part in parts]
        return (
            np.concatenate([f[0] for f in found]),
            np.concatenate([f[1] for f in found]),
            np.concatenate([f[2] for f in found]),
            np.concatenate([f[3] for f in found]),
        )

    def cancel(self) -> None:
        """Let go of what was asked for and not taken."""
        for part in itertools.chain.from_iterable(self._pending.values()):
            part.cancel()

    def _submit(self, core: int, begin: int, end: int) -> list[Future[Trees]]:
        assert self._job.executor is not None
        return [
            self._job.executor.submit(
                _remote_trees, _task(self._job), core, i, min(i + _SEARCHES, end)
            )
            for i in range(begin, end, _SEARCHES)
        ]


def _task(job: Job) -> Job:
    """The job as a worker sees it: an executor does not travel."""
    return Job(job.graph, job.sources, job.stretch, job.seed, 1, None, job.token)


def _spread(
    job: Job, function: Callable[..., Any], pieces: list[Any], report: Report
) -> Iterator[Any]:
    assert job.executor is not None
    task = _task(job)
    parts = [job.executor.submit(function, task, *piece) for piece in pieces]
    try:
        for number, part in enumerate(parts):
            yield part.result()
            report(number + 1, len(parts))
    finally:
        for part in parts:
            part.cancel()


#: The problem this process worked on last, by the job's token.
_kept: tuple[str, SpannerProblem] | None = None


def _problem_of(job: Job) -> SpannerProblem:
    global _kept
    kept = _kept
    if kept is None or kept[0] != job.token:
        kept = (job.token, lay_out(job.graph, job.sources))
        _kept = kept
    return kept[1]


def _remote_exact(job: Job, begin: int, end: int) -> npt.NDArray[np.int64]:
    problem = _problem_of(job)
    mask = np.zeros(problem.m, np.uint8)
    problem.exact(mask, begin, end, job.threads)
    return np.flatnonzero(mask)


def _remote_cover(job: Job, share: int, shares: int) -> tuple[npt.NDArray[np.int64], Any]:
    problem = _problem_of(job)
    mask = np.zeros(problem.m, np.uint8)
    found = problem.cover(mask, job.stretch, job.seed, job.threads, share=share, shares=shares)
    return np.flatnonzero(mask), found


def _remote_rtz(
    job: Job, k: int, epsilon: float, share: int, shares: int
) -> tuple[npt.NDArray[np.int64], int]:
    problem = _problem_of(job)
    mask = np.zeros(problem.m, np.uint8)
    settled = problem.sampled_balls(
        mask, k, epsilon, job.seed, job.threads, share=share, shares=shares
    )
    return np.flatnonzero(mask), settled


def _remote_trees(job: Job, core: int, begin: int, end: int) -> Trees:
    return _problem_of(job).search_trees(core, begin, end, job.threads)


@contextmanager
def _bar(words: str) -> Iterator[Report]:
    """Show progress of work that takes longer than two seconds."""
    board = ProgressBoard()
    with board.task(1000, words) as task:

        def report(done: int, total: int) -> None:
            task.advance(max(0, 1000 * done // max(1, total) - task.done))

        yield report
        report(1, 1)  # the calling thread need not have been the last to finish
