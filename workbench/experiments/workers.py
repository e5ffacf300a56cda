# SPDX-License-Identifier: Apache-2.0
"""Worker processes for the independent pieces of an experiment.

Only the standard library is imported here, so that a worker can be told how many threads it may
use before anything that starts threads is loaded.

Ctrl-C, SIGTERM where the caller answers it, and any other exception end the workers within
seconds: a worker leaves what it is doing, as by an exception, and one that does not is killed. The
main process alone answers; workers start with SIGINT blocked and then ignore it, for a terminal
sends it to them as well.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any

__all__ = ["InThisProcess", "crew"]

Job = Callable[[], Any]

_GRACE_S = 2.0  # for a worker to leave its work, before it is killed
_DEAF_S = 10.0  # a signal that comes so soon after another asks for nothing new


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
    loads is in no job's time. Processes are spawned, for a fork would copy the locks of torch's
    threads. Each works with one thread and ends with the main process, however that is killed.

    When the block is left by an exception, the first Ctrl-C included, which is acknowledged on
    stderr at once, the processes are ended within some seconds; what they were doing is lost.
    """
    if workers < 0:
        raise ValueError(f"crew: workers is {workers}; expected 0 or more")
    if workers == 0:
        prepare()
        yield InThisProcess()
        return
    with _Stopping() as stopping:
        pool = _Pool(workers, stopping, prepare, environment or {})
        try:
            yield pool
            pool.shutdown(cancel_futures=True)
        except BaseException:
            pool.end()
            raise


class _Stopping:
    """Answers SIGINT and SIGTERM while processes work: says so at once, and raises once."""

    def __init__(self) -> None:
        self._before: dict[int, Callable[[int, FrameType | None], Any]] = {}
        self._owner = os.getpid()
        self._last = -_DEAF_S
        self._held = 0
        self._waiting: int | None = None

    def __enter__(self) -> _Stopping:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                before = signal.getsignal(number)
                # Where it is ignored or ends the process by itself, it goes on doing so.
                if callable(before):
                    self._before[number] = before
                    signal.signal(number, self._handle)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Put off what a signal raises, so that no process is started and then forgotten."""
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1
        if self._waiting is not None and not self._held:
            number, self._waiting = self._waiting, None
            self._before[number](number, None)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if os.getpid() != self._owner:  # a process that a job has forked
            self._before[number](number, frame)
            return
        now = time.monotonic()
        if now - self._last < _DEAF_S:
            return
        self._last = now
        _say("stopping ...")
        if self._held:
            self._waiting = number
            return
        self._before[number](number, frame)


def _say(text: str) -> None:
    # Not by print: the signal may have come while something was being printed.
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.write(sys.stderr.fileno(), f"\n{text}\n".encode())


class _Pool(ProcessPoolExecutor):
    """Processes that can be ended while they work."""

    def __init__(
        self, workers: int, stopping: _Stopping, prepare: Job, environment: Mapping[str, str]
    ) -> None:
        super().__init__(
            workers,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_begin_work,
            initargs=(prepare, environment),
        )
        self._stopping = stopping
        # shutdown() forgets these, and end() needs them after it.
        self._all: Any = self._processes
        self._queue: Any = self._call_queue  # type: ignore[attr-defined]
        self._manager: Any = None

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Give a process the call to make."""
        with self._stopping.held(), _sigint_blocked():
            future = super().submit(_do, fn, *args, **kwargs)
            self._manager = self._executor_manager_thread
        return future

    def end(self) -> None:
        """End the processes, whatever they are doing."""
        self.shutdown(wait=False, cancel_futures=True)
        processes = list(self._all.values())
        for process in processes:
            process.terminate()
        _join(processes, _GRACE_S)
        for process in processes:
            if process.is_alive():
                process.kill()
        _join(processes, _GRACE_S)
        if self._manager is not None:
            self._manager.join(_GRACE_S)
            if self._manager.is_alive():
                # Python before 3.11.5 waits for a large task to be written that nobody reads.
                with contextlib.suppress(OSError, AttributeError):
                    self._queue._reader.close()
                self._manager.join(_GRACE_S)


def _join(processes: list[Any], seconds: float) -> None:
    until = time.monotonic() + seconds
    for process in processes:
        process.join(max(0.0, until - time.monotonic()))


@contextmanager
def _sigint_blocked() -> Iterator[None]:
    """A process started here has SIGINT blocked from its first instruction on."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


# ---- in a worker -----------------------------------------------------------------------------


class _EndOfWorkError(BaseException):
    """Raised in a worker's job when the main process wants an end."""


_working = False


def _begin_work(prepare: Job, environment: Mapping[str, str]) -> None:
    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS"):
        os.environ[variable] = "1"
    os.environ.update(environment)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _end_work)
    # Processes that a job starts shall be open to SIGINT again, once they want it.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    threading.Thread(target=_end_with_parent, name="end with parent", daemon=True).start()
    prepare()


def _do(function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    global _working
    _working = True
    try:
        return function(*args, **kwargs)
    except _EndOfWorkError:
        os._exit(1)
    finally:
        _working = False


def _end_work(number: int, frame: FrameType | None) -> None:
    if _working:
        # Unwinding ends what the job has started and removes its temporary files.
        raise _EndOfWorkError
    os._exit(1)


def _end_with_parent() -> None:
    # A killed parent cannot close the pool, and its workers would wait for tasks for ever.
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(_GRACE_S)
        os._exit(1)
