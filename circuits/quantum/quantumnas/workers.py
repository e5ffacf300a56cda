# SPDX-License-Identifier: Apache-2.0
"""Units of work that survive a kill."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from typing import TYPE_CHECKING, Any

from workbench.experiments.workers import InThisProcess

if TYPE_CHECKING:
    from workbench.experiments import Run

__all__ = ["gather"]

Job = Callable[[], Any]


def _timed(job: Job) -> tuple[Any, float]:
    began = time.perf_counter()
    return job(), time.perf_counter() - began


def _submitted_at_once(executor: Executor) -> int:
    # Few, so that a failure or Ctrl-C is not followed by all that was queued; in this process
    # one, so that each is stored before the next begins.
    return 1 if isinstance(executor, InThisProcess) else 8


def gather(run: Run, name: str, jobs: Mapping[str, Job], executor: Executor) -> dict[str, Any]:
    """Do independent jobs, each once in the life of the run, and return their values by key.

    Parameters
    ----------
    run : Run
        What is done is stored in it after each job; a resumed run does the rest.
    name : str
        Of the stage: unit of work, description in the progress, prefix of the timing.
    jobs : mapping from str to callable
        Picklable calls that depend on nothing but their arguments.
    executor : Executor

    Returns
    -------
    dict
        In the order of `jobs`, whatever order they ended in.
    """

    def compute() -> dict[str, Any]:
        done: dict[str, Any] = run.restore("done") or {}
        with run.progress(len(jobs), name) as bar:
            bar.advance(len(done))
            left = [(key, job) for key, job in jobs.items() if key not in done]
            waiting: dict[Future[tuple[Any, float]], str] = {}
            try:
                while left or waiting:
                    while left and len(waiting) < _submitted_at_once(executor):
                        key, job = left.pop(0)
                        waiting[executor.submit(_timed, job)] = key
                    for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                        key = waiting.pop(future)
                        value, seconds = future.result()
                        done[key] = value
                        run.timing(f"{name}/{key}", seconds)
                        run.checkpoint("done", done)
                        bar.advance()
            finally:
                for future in waiting:
                    future.cancel()
        return {key: done[key] for key in jobs}

    return run.once(name, compute)
