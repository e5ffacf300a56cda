# SPDX-License-Identifier: Apache-2.0
"""Worker processes, and units of work that survive a kill.

Only the standard library is imported here, so that a worker can be told how many threads it may
use before anything that starts threads is loaded.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.experiments import Run

__all__ = ["InThisProcess", "crew", "gather"]

Job = Callable[[], Any]


class InThisProcess(Executor):
    """An executor that does each task when it is submitted."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Call the function now."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


@contextmanager
def crew(workers: int, prepare: Job) -> Iterator[Executor]:
    """Open an executor of that many processes, or of this one for 0.

    Each process first calls `prepare`, so that what it loads is in no job's time. Processes are
    spawned, for a fork would copy the locks of torch's threads. Each works with one thread,
    ignores Ctrl-C, which the main process answers, and ends with it, however that is killed.
    """
    if workers < 0:
        raise ValueError(f"crew: workers is {workers}; expected 0 or more")
    if workers == 0:
        prepare()
        yield InThisProcess()
        return
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(
        workers, mp_context=context, initializer=_begin_work, initargs=(prepare,)
    )
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _begin_work(prepare: Job) -> None:
    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS"):
        os.environ[variable] = "1"
    os.environ["QISKIT_PARALLEL"] = "FALSE"
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, name="end with parent", daemon=True).start()
    prepare()


def _end_with_parent() -> None:
    # A killed parent cannot close the pool, and its workers would wait for tasks for ever.
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


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
