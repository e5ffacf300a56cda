# SPDX-License-Identifier: Apache-2.0
"""Paths of files to read."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["regular_file"]


def regular_file(path: str | os.PathLike[str]) -> Path:
    """A path with ``~`` written out, of a file that has an end.

    Raises
    ------
    FileNotFoundError
        If there is nothing.
    ValueError
        If it is a folder, a pipe or a device, or no path at all.
    """
    try:
        where = Path(path).expanduser()
    except RuntimeError as error:  # ~name of nobody
        raise ValueError(f"{os.fspath(path)}: {error}") from None
    if not where.exists():
        raise FileNotFoundError(f"there is no file {where}")
    if not where.is_file():
        raise ValueError(f"{where} must be a file, and is none")
    return where
