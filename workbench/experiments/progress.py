# SPDX-License-Identifier: Apache-2.0
"""Progress on stderr: a bar where a person looks on, a line now and then where none does.

Work under two seconds shows nothing. Tasks nest; the remaining time is estimated from the
outermost, counting the inner ones as fractions of its current unit.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from types import TracebackType

_QUIET_S = 2.0
_LINE_PERIOD_S = 10.0
_TICK_S = 0.25


class Progress:
    """One task on the board; a context manager."""

    def __init__(self, board: ProgressBoard, total: int, description: str) -> None:
        if total < 0:
            raise ValueError(f"progress: total must be at least 0, got {total!r}")
        self.total = total
        self.done = 0
        self.description = description
        self.best = ""
        self._board = board

    def advance(self, units: int = 1, best: str | None = None) -> None:
        """Count ``units`` as done; ``best`` is the best so far in words, as ``"loss 0.31"``."""
        self._board.advanced(self, units, best)

    def __enter__(self) -> Progress:
        self._board.opened(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._board.ended(self, completed=kind is None)


class ProgressBoard:
    """The open tasks of a run and how they are shown.

    Parameters
    ----------
    stream
        Where to; stderr by default.
    interactive
        Whether to draw a bar; by default, whether ``stream`` is a terminal.
    clock
        Seconds that only grow.
    ticking
        Whether a thread shows progress between two advances.
    """

    def __init__(
        self,
        stream: TextIO | None = None,
        *,
        interactive: bool | None = None,
        clock: Callable[[], float] = time.monotonic,
        ticking: bool = True,
    ) -> None:
        self._stream = stream if stream is not None else sys.stderr
        self._interactive = self._stream.isatty() if interactive is None else interactive
        self._clock = clock
        self._ticking = ticking
        self._guard = threading.RLock()
        self._stop: threading.Event | None = None
        self._tasks: list[Progress] = []
        self._bar: Any = None
        self._began = 0.0
        self._base = (0.0, 0.0)
        self._rebase = False
        self._last_line: float | None = None

    def task(self, total: int, description: str) -> Progress:
        """Return a task, not yet open."""
        return Progress(self, total, description)

    def rebase(self) -> None:
        """Estimate from the next advance on: what was read back took no time."""
        self._rebase = True

    def say(self, text: str) -> None:
        """Print a line, above the bar if there is one."""
        with self._guard:
            if self._bar is not None:
                self._bar.console.print(text, markup=False, highlight=False)
            else:
                print(text, file=self._stream, flush=True)

    def close(self) -> None:
        """Take the bar away and forget all tasks."""
        with self._guard:
            self._tasks.clear()
            self._hide()

    def opened(self, task: Progress) -> None:
        """Put a task on the board."""
        with self._guard:
            if not self._tasks:
                self._began = self._clock()
                self._base = (self._began, 0.0)
                self._rebase = False
                self._last_line = None
                self._start_ticking()
            self._tasks.append(task)

    def advanced(self, task: Progress, units: int, best: str | None) -> None:
        """Count units of a task."""
        with self._guard:
            task.done += units
            if best is not None:
                task.best = best
            if self._rebase:
                self._rebase = False
                self._base = (self._clock(), self._fraction())
            self.tick()

    def ended(self, task: Progress, *, completed: bool) -> None:
        """Take a task, and those opened within it, off the board."""
        with self._guard:
            if task not in self._tasks:
                return
            del self._tasks[self._tasks.index(task) :]
            if self._tasks:
                return
            elapsed = self._clock() - self._began
            was_shown = self._bar is not None or self._last_line is not None
            self._hide()
            if completed and was_shown:
                words = f"{task.description}: {task.done} in {duration(elapsed)}"
                print(_join(words, task.best), file=self._stream, flush=True)

    def tick(self) -> None:
        """Show what is to be shown now."""
        with self._guard:
            now = self._clock()
            if not self._tasks or now - self._began < _QUIET_S:
                return
            if self._interactive:
                self._draw_bar(now)
            elif self._last_line is None or now - self._last_line >= _LINE_PERIOD_S:
                self._last_line = now
                print(self.line(), file=self._stream, flush=True)

    def line(self) -> str:
        """Return the state of the board as one line of text."""
        counts = " > ".join(f"{task.description} {task.done}/{task.total}" for task in self._tasks)
        best = next((task.best for task in reversed(self._tasks) if task.best), "")
        elapsed = duration(self._clock() - self._began)
        return _join(f"[{elapsed}] {counts}", best, self._remaining(self._clock()))

    def _fraction(self) -> float:
        inner = 0.0
        for task in reversed(self._tasks):
            inner = min(1.0, (task.done + inner) / task.total) if task.total else 1.0
        return inner

    def _remaining(self, now: float) -> str:
        since, base = self._base
        fraction = self._fraction()
        if fraction - base < 0.01 or now - since < 1.0:
            return ""
        return f"about {duration((now - since) * (1.0 - fraction) / (fraction - base))} left"

    def _draw_bar(self, now: float) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
        from rich.progress import Progress as Bar

        if self._bar is None:
            self._bar = Bar(
                TextColumn("{task.description}", markup=False),
                BarColumn(bar_width=28),
                MofNCompleteColumn(),
                TextColumn("{task.fields[note]}", style="dim", markup=False),
                console=Console(file=self._stream),
                transient=True,
                redirect_stdout=False,
            )
            self._bar.start()
        rows = self._bar.tasks
        for row in rows[len(self._tasks) :]:
            self._bar.remove_task(row.id)
        for i, task in enumerate(self._tasks):
            elapsed = duration(now - self._began) if i == 0 else ""
            note = _join(elapsed, task.best, self._remaining(now) if i == 0 else "")
            if i < len(rows) and rows[i].description == task.description:
                self._bar.update(rows[i].id, completed=task.done, total=task.total, note=note)
                continue
            for row in self._bar.tasks[i:]:
                self._bar.remove_task(row.id)
            self._bar.add_task(task.description, total=task.total, completed=task.done, note=note)

    def _hide(self) -> None:
        if self._stop is not None:
            self._stop.set()
            self._stop = None
        if self._bar is not None:
            bar, self._bar = self._bar, None
            try:
                bar.stop()
            finally:
                # A second Ctrl-C may have come before it did.
                bar.console.show_cursor(True)

    def _start_ticking(self) -> None:
        if not self._ticking:
            return
        stop = self._stop = threading.Event()

        def tick_until_stopped() -> None:
            while not stop.wait(_TICK_S):
                self.tick()

        threading.Thread(target=tick_until_stopped, name="progress", daemon=True).start()


def duration(seconds: float) -> str:
    """Return ``seconds`` in words read at a glance: ``"8.0 s"``, ``"3.0 min"``, ``"2.5 h"``."""
    if seconds < 10:
        return f"{max(seconds, 0.0):.1f} s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min" if seconds >= 600 else f"{seconds / 60:.1f} min"
    return f"{seconds / 3600:.1f} h"


def _join(*parts: str) -> str:
    return " · ".join(part for part in parts if part)
