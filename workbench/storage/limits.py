# SPDX-License-Identifier: Apache-2.0
"""How much memory the contents of one file may take."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["LIMIT_VARIABLE", "at_most", "byte_limit", "check_bytes", "check_fits", "machine_bytes"]

#: Environment variable that sets the limit, in bytes.
LIMIT_VARIABLE = "WORKBENCH_MAX_BYTES"

_DEFAULT = 4 << 30
_chosen: ContextVar[int | None] = ContextVar("workbench_byte_limit", default=None)


def byte_limit() -> int:
    """Return what one file may unpack to, or announce, in bytes.

    That of :func:`at_most`, else of the environment variable ``WORKBENCH_MAX_BYTES``, else 4 GiB
    or half of the machine's memory, whichever is less.

    Raises
    ------
    ValueError
        If the variable is not a whole number above 0.
    """
    chosen = _chosen.get()
    if chosen is not None:
        return chosen
    text = os.environ.get(LIMIT_VARIABLE, "")
    if text:
        if not text.isascii() or not text.isdigit() or int(text) < 1:
            raise ValueError(f"{LIMIT_VARIABLE} must be a number of bytes above 0, got {text!r}")
        return int(text)
    return min(_DEFAULT, machine_bytes() // 2)


def machine_bytes() -> int:
    """Return the machine's memory in bytes; a great many where it cannot be told."""
    try:
        found = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return 1 << 62
    return found if found > 0 else 1 << 62


@contextmanager
def at_most(limit: int | None) -> Iterator[None]:
    """Read within so many bytes inside; None changes nothing."""
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 1):
        raise ValueError(f"max_bytes must be a whole number above 0, got {limit!r}")
    token = _chosen.set(_chosen.get() if limit is None else limit)
    try:
        yield
    finally:
        _chosen.reset(token)


def check_bytes(where: object, what: str, needed: int) -> None:
    """Refuse what would take more memory than a file may.

    Parameters
    ----------
    where : str or Path
        The file, for the message.
    what : str
        What takes the memory.
    needed : int
        Bytes.

    Raises
    ------
    ValueError
        Saying what is needed, the limit and how to raise it.
    """
    limit = byte_limit()
    if needed > limit:
        raise ValueError(
            f"{where}: {what} would take {needed:,} bytes, more than the limit of {limit:,}; "
            f"set {LIMIT_VARIABLE} (in bytes) to allow it"
        )


def check_fits(what: str, entries: float, each: int = 16) -> None:
    """Refuse to make what this machine cannot hold, before the system ends somebody's process.

    Parameters
    ----------
    what : str
        For the message.
    entries : int
        How many there will be, about.
    each : int
        Bytes that one takes at least.

    Raises
    ------
    ValueError
        Saying what it takes and what there is.
    """
    needed, memory = entries * each, machine_bytes()
    if not needed <= memory:
        raise ValueError(f"{what} takes {needed:,.0f} bytes or more, this machine has {memory:,}")
