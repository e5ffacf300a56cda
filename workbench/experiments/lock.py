# SPDX-License-Identifier: Apache-2.0
"""One writer per run folder.

The file ``lock`` names its owner by process id, process start time, host and boot. A process id
alone is reused; with the start time it is not. The check and the taking happen under ``flock`` on
the folder, held for that moment only, because a lock held for the whole run would pass to worker
processes and outlive a killed parent in them.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from workbench.experiments.durable import write_json_durably
from workbench.storage.texts import parse_json

_NAME = "lock"


@dataclass(frozen=True)
class Owner:
    """The process that writes a run."""

    pid: int
    started: int | None
    host: str
    boot: str

    def may_be_alive(self) -> bool:
        """Whether the process still runs; True where this machine cannot tell."""
        if self.host != socket.gethostname():
            return True
        if self.boot != _boot():
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            pass
        return self.started == _process_start(self.pid)


def take(folder: Path) -> Owner | None:
    """Make this process the writer of ``folder``.

    Returns
    -------
    Owner or None
        None when the lock was taken (from nobody, or from a dead process); else the live owner,
        which keeps it.
    """
    with _guard(folder):
        owner = _read(folder)
        if owner is not None and owner.may_be_alive():
            return owner
        me = Owner(os.getpid(), _process_start(os.getpid()), socket.gethostname(), _boot())
        write_json_durably(folder / _NAME, asdict(me))
        return None


def release(folder: Path) -> None:
    """Give the lock back, if this process holds it."""
    with _guard(folder):
        owner = _read(folder)
        if owner is not None and owner.pid == os.getpid():
            (folder / _NAME).unlink(missing_ok=True)


def owner(folder: Path) -> Owner | None:
    """Return the live writer of ``folder``, or None."""
    found = _read(folder)
    return found if found is not None and found.may_be_alive() else None


def _read(folder: Path) -> Owner | None:
    try:
        data = parse_json((folder / _NAME).read_bytes())
        return Owner(int(data["pid"]), data["started"], str(data["host"]), str(data["boot"]))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        # The lock is written atomically, so an unreadable one is nobody's.
        return None


@contextlib.contextmanager
def _guard(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _process_start(pid: int) -> int | None:
    """Start time in clock ticks since boot; None where there is no /proc or the process is dead."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The command name stands in parentheses and may itself contain spaces and parentheses.
    fields = text[text.rindex(")") + 2 :].split()
    state, start = fields[0], int(fields[19])
    return None if state in ("Z", "X") else start


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""
