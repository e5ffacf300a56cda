# SPDX-License-Identifier: Apache-2.0
"""The name a user probably meant."""

from __future__ import annotations

from collections.abc import Sequence


def closest(word: str, known: Sequence[str]) -> str:
    """Return ``'; did you mean X?'`` for the likeliest of ``known``, or an empty string."""
    import difflib

    matches = difflib.get_close_matches(word.lower(), known, n=1, cutoff=0.5)
    return f"; did you mean {matches[0]!r}?" if matches else ""
