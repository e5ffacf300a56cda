# SPDX-License-Identifier: Apache-2.0
"""Independent pieces of work, each stored the moment it is done."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from workbench.experiments.workers import InThisProcess

if TYPE_CHECKING:
    from workbench.experiments import Run

__all__ = ["Piece", "gather"]


class Piece(Protocol):
    """A picklable call that depends on nothing but its fields."""

    @property
    def weight(self) -> int:
        """About how long it takes, in tenths of a second."""
        ...

    def __call__(self) -> Any: ...


class _NotStoredError(Exception):
    pass


def gather(run: Run, stage: str, pieces: Mapping[str, Piece], executor: Executor) -> dict[str, Any]:
    """Do pieces, each once in the life of the run, and return their values by key.

    Parameters
    ----------
    run : Run
        A piece is a unit of work of its own there, so a kill costs those under way.
    stage : str
        Prefix of the units, and what the progress says.
    pieces : mapping from str to Piece
    executor : Executor

    Returns
    -------
    dict
        In the order of ``pieces``, whatever order they ended in.
    """
    done: dict[str, Any] = {}
    with run.progress(sum(piece.weight for piece in pieces.values()), stage) as bar:
        for key, piece in pieces.items():
            try:
                done[key] = run.once(_unit(stage, key), _not_stored)
            except _NotStoredError:
                continue
            bar.advance(piece.weight)
        left = [key for key in pieces if key not in done]
        ahead = 1 if isinstance(executor, InThisProcess) else 4
        waiting: dict[Future[tuple[Any, float]], str] = {}
        try:
            while left or waiting:
                while left and len(waiting) < ahead:
                    key = left.pop(0)
                    waiting[executor.submit(_timed, pieces[key])] = key
                for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                    key = waiting.pop(future)
                    value, seconds = future.result()
                    done[key] = run.once(_unit(stage, key), partial(_known, value))
                    run.timing(_unit(stage, key), seconds)
                    bar.advance(pieces[key].weight, best=key)
        finally:
            for future in waiting:
                future.cancel()
    return {key: done[key] for key in pieces}


def _unit(stage: str, key: str) -> str:
    return f"{stage}: {key}"


def _not_stored() -> Any:
    raise _NotStoredError


def _known(value: Any) -> Any:
    return value


def _timed(piece: Callable[[], Any]) -> tuple[Any, float]:
    began = time.perf_counter()
    return piece(), time.perf_counter() - began
