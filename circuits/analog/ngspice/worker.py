# SPDX-License-Identifier: Apache-2.0
"""ngspice's library in a process of its own, kept between calls.

The library cannot be put back once it has given up on a deck, leaks a little at every run and
may crash. Here none of that reaches the caller: a worker that failed, grew or hung is ended and
the next call starts another (a quarter of a second).
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from multiprocessing.connection import Connection
from typing import Any, NoReturn

from circuits.analog.ngspice.request import NgspiceError, check_switch

__all__ = ["Worker", "lend", "take_back"]

_LIMIT = 512 * 2**20  # resident bytes above which a worker is not used again
_SPARE = 2  # idle workers kept
_START_S = 60.0
_LOOK_S = 0.2  # how often a worker looks whether its caller still lives


class Worker:
    """A process that holds the library, and the pipe to it.

    Parameters
    ----------
    settings : tuple of str
        Commands run before any deck, such as ``"set ngbehavior=hsa"``.
    """

    def __init__(self, settings: tuple[str, ...] = ()) -> None:
        self.settings = settings
        self.resident = 0
        self.usable = True
        # Some models write log files where they stand.
        self._folder = tempfile.TemporaryDirectory(prefix="ngspice-", ignore_cleanup_errors=True)
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "circuits.analog.ngspice.worker"),
                    *(str(theirs.fileno()), str(os.getpid()), self._folder.name),
                ],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd=self._folder.name,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))},
            )
        self._pipe = Connection(ours.detach())
        self.version: str = self.call("start", settings, timeout=_START_S)

    def call(self, what: str, *arguments: Any, timeout: float | None = None) -> Any:
        """Ask for something and wait for it.

        Raises
        ------
        NgspiceError
            What the worker raised, or that it ended or took too long.
        """
        try:
            self._pipe.send((what, arguments))
            if not self._pipe.poll(timeout):
                self.end()
                raise NgspiceError(f"ngspice took longer than {timeout:g} s and was stopped")
            good, value, self.resident, lost = self._pipe.recv()
        except (EOFError, OSError) as error:
            self.end()
            status = self._process.returncode
            raise NgspiceError(f"ngspice's process ended unexpectedly (status {status})") from error
        except BaseException:  # an interrupted call leaves an answer in the pipe
            self.end()
            raise
        if lost:
            self.end()
        if not good:
            raise value
        return value

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    @property
    def grown(self) -> bool:
        """Whether it holds more memory than a worker should."""
        return self.resident > _LIMIT

    def end(self) -> None:
        """Stop the process."""
        self.usable = False
        self._pipe.close()
        self._process.kill()
        self._process.wait()
        self._folder.cleanup()

    def forget(self) -> None:
        """Let go of a process that belongs to the parent of this one."""
        self.usable = False
        self._pipe.close()
        self._folder._finalizer.detach()  # type: ignore[attr-defined]


_idle: list[Worker] = []
_guard = threading.Lock()


def lend(settings: tuple[str, ...] = ()) -> Worker:
    """An idle worker with these settings, or a new one."""
    check_switch()
    with _guard:
        for worker in list(_idle):
            if not worker.alive:
                _idle.remove(worker)
                worker.end()
            elif worker.settings == settings:
                _idle.remove(worker)
                return worker
    return Worker(settings)


def take_back(worker: Worker) -> None:
    """Keep a worker for the next call if it is still good."""
    if not worker.usable:
        return
    with _guard:
        if not worker.grown and len(_idle) < _SPARE:
            _idle.append(worker)
            return
    worker.end()


@atexit.register
def _end_all() -> None:
    with _guard:
        while _idle:
            _idle.pop().end()


def _forget_all() -> None:
    global _guard
    _guard = threading.Lock()
    while _idle:
        _idle.pop().forget()


os.register_at_fork(after_in_child=_forget_all)


def _resident() -> int:
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        import resource

        return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def _serve(pipe: Connection) -> None:
    from circuits.analog.ngspice.library import Library
    from circuits.analog.ngspice.session import Session

    library: Library | None = None
    session: Session | None = None

    def answer(what: str, arguments: tuple[Any, ...]) -> Any:
        nonlocal library, session
        if what == "start":
            library = Library()
            library.command("set num_threads=1")  # small circuits: threads only cost
            for text in arguments[0]:
                library.command(text)
            return library.version()
        assert library is not None
        if what == "load":
            session = Session(library, *arguments)
            return None
        assert session is not None
        if what == "alter":
            session.alter(*arguments)
        elif what == "commands":
            session.commands(*arguments)
        elif what == "run":
            plots = session.run(*arguments)
            notes, session.notes = session.notes, []
            return plots, notes
        elif what == "close":
            session.close()
            session = None
        return None

    while True:
        try:
            what, arguments = pipe.recv()
        except EOFError:
            return
        try:
            good, value = True, answer(what, arguments)
        except NgspiceError as error:
            good, value = False, error
        except Exception as error:  # a fault of ours: say which instead of ending in silence
            good, value = False, NgspiceError(f"ngspice's process failed: {error!r}")
        # A deck that was refused leaves the library in a state that spoils the next ones.
        lost = library is None or library.exited or (not good and what == "load")
        pipe.send((good, value, _resident(), lost))
        if lost:
            return


def _leave(folder: str) -> NoReturn:
    # A caller that was killed can no longer remove the folder it had made.
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)  # the library's own tear-down is one of the places it crashes


def _leave_with(parent: int, folder: str) -> None:
    """End when the process that started this one has; a simulation may run on for minutes."""
    while os.getppid() == parent:
        time.sleep(_LOOK_S)
    _leave(folder)


if __name__ == "__main__":
    # The caller answers Ctrl-C, and ends this process if it wants to.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _pipe, _parent, _folder = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    threading.Thread(target=_leave_with, args=(_parent, _folder), daemon=True).start()
    with contextlib.suppress(BrokenPipeError):
        _serve(Connection(_pipe))
    _leave(_folder)
