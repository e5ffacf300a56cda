# SPDX-License-Identifier: Apache-2.0
"""Worker processes for the independent pieces of an experiment.

Only the standard library is imported here, so that a worker can be told how many threads it may
use before anything that starts threads is loaded.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any

__all__ = ["InThisProcess", "crew"]

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
def crew(
    workers: int, prepare: Job, environment: Mapping[str, str] | None = None
) -> Iterator[Executor]:
    """Open an executor of that many processes, or of this one for 0.

    Each process first takes the `environment` variables, then calls `prepare`, so that what it
    loads is in no job's time. Processes are
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
        workers, mp_context=context, initializer=_begin_work, initargs=(prepare, environment or {})
    )
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _begin_work(prepare: Job, environment: Mapping[str, str]) -> None:
    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS"):
        os.environ[variable] = "1"
    os.environ.update(environment)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, name="end with parent", daemon=True).start()
    prepare()


def _end_with_parent() -> None:
    # A killed parent cannot close the pool, and its workers would wait for tasks for ever.
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
