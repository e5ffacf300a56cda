# SPDX-License-Identifier: Apache-2.0
"""Hints for names that are not known, whatever their case."""

from __future__ import annotations

from collections.abc import Iterable

from workbench.experiments.suggestion import closest

__all__ = ["meant", "meant_or_all"]

_SHOWN = 20


def meant(word: str, known: Iterable[str]) -> str:
    """``'; did you mean X?'`` for the likeliest of ``known``, or an empty string."""
    spelled = {name.lower(): name for name in known}
    hint = closest(word, list(spelled))
    for lower, name in spelled.items():
        if hint == f"; did you mean {lower!r}?":
            return f"; did you mean {name!r}?"
    return hint


def meant_or_all(word: str, known: Iterable[str]) -> str:
    """:func:`meant`, or else the names there are."""
    names = list(known)
    if not names:
        return "; there are none"
    shown = ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
    return meant(word, names) or f"; expected one of {shown}"
