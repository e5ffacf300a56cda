# SPDX-License-Identifier: Apache-2.0
"""Times callables in turns, so that whatever disturbs the machine disturbs all of them."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

__all__ = ["time_in_rounds"]

#: Below this many seconds a call is repeated within one round, after an untimed one that
#: brings the contender's code and data back into the caches the others have emptied.
_BURST_SECONDS = 0.05


@dataclass
class _Clock:
    """The calls timed so far of one contender."""

    run: Callable[[], object]
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def call(self) -> None:
        cpu, wall = time.process_time(), time.perf_counter()
        self.run()
        self.wall.append(time.perf_counter() - wall)
        self.cpu.append(time.process_time() - cpu)

    def done(self, repeats: int, seconds: float, max_seconds: float) -> bool:
        spent = sum(self.wall)
        enough = len(self.wall) >= repeats and spent >= seconds
        return enough or (spent >= max_seconds and len(self.wall) >= min(3, repeats))

    def burst(self, round_calls: int) -> None:
        if self.wall and statistics.median(self.wall) < _BURST_SECONDS:
            self.run()
        for _ in range(round_calls):
            self.call()
            if self.wall[-1] > _BURST_SECONDS:
                return


def time_in_rounds(
    runs: Sequence[Callable[[], object]], *, repeats: int, seconds: float, max_seconds: float
) -> list[tuple[list[float], list[float]]]:
    """Time callables in turns until each has had enough calls.

    Parameters
    ----------
    runs : sequence of callable
        Already warmed up.
    repeats : int
        Least number of calls of each.
    seconds : float
        Least time spent in each.
    max_seconds : float
        Time after which three calls are enough.

    Returns
    -------
    list of (wall, cpu)
        Seconds of each call, in the order of `runs`.
    """
    clocks = [_Clock(run) for run in runs]
    collecting = gc.isenabled()
    try:
        while any(not clock.done(repeats, seconds, max_seconds) for clock in clocks):
            gc.collect()
            gc.disable()
            for clock in clocks:
                if not clock.done(repeats, seconds, max_seconds):
                    clock.burst(max(1, repeats // 5))
    finally:
        if collecting:
            gc.enable()
    return [(clock.wall, clock.cpu) for clock in clocks]
