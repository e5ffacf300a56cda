# SPDX-License-Identifier: Apache-2.0
"""Files that are either the old one or the new one, whatever moment the process dies at.

Every write goes to a temporary file in the same folder, is flushed to the disk, and takes the
final name in one step (``os.replace``). A killed process leaves at most a temporary file behind.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

TEMPORARY_SUFFIX = ".partial"


def write_durably(path: Path, write: Callable[[IO[bytes]], None]) -> None:
    """Create or replace ``path`` by what ``write`` puts into the open binary file it is given."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}{TEMPORARY_SUFFIX}")
    try:
        with open(temporary, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()
        raise
    _sync_folder(path.parent)


def write_text_durably(path: Path, text: str) -> None:
    """Create or replace ``path`` by ``text`` in UTF-8."""
    encoded = text.encode("utf-8")

    def write(file: IO[bytes]) -> None:
        file.write(encoded)

    write_durably(path, write)


def write_json_durably(path: Path, value: Any) -> None:
    """Create or replace ``path`` by ``value`` as JSON: sorted keys, the same bytes every time."""
    text = json.dumps(value, sort_keys=True, indent=2, allow_nan=False, ensure_ascii=False)
    write_text_durably(path, text + "\n")


def remove_leftovers(folder: Path) -> None:
    """Delete the temporary files that killed processes left anywhere below ``folder``."""
    for leftover in folder.rglob(f".*{TEMPORARY_SUFFIX}"):
        leftover.unlink(missing_ok=True)


def plain_json(value: Any, where: str, *, non_finite: str = "refuse") -> Any:
    """Turn ``value`` into dicts, lists, str, int, float, bool and None, or say what cannot be.

    Parameters
    ----------
    value
        Nested mappings with string keys, sequences, plain scalars and numpy scalars.
    where
        How to call ``value`` in an error.
    non_finite
        ``"refuse"`` raises on NaN and infinities, ``"null"`` writes None in their place: JSON has
        no word for them.

    Raises
    ------
    TypeError
        For a value JSON cannot hold, naming where it stands.
    ValueError
        For NaN or infinity where they are refused.
    """
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        if math.isfinite(value):
            return float(value)
        if non_finite == "null":
            return None
        raise ValueError(f"{where} must be finite or None, got {value!r}")
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise TypeError(f"{where} must have string keys, got {key!r}")
        return {
            str(key): plain_json(item, f"{where}[{key!r}]", non_finite=non_finite)
            for key, item in value.items()
        }
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray)):
        return [
            plain_json(item, f"{where}[{i}]", non_finite=non_finite) for i, item in enumerate(value)
        ]
    if type(value).__module__ == "numpy" and getattr(value, "shape", None) == ():
        return plain_json(value.item(), where, non_finite=non_finite)
    raise TypeError(
        f"{where} must be made of dict, list, str, int, float, bool and None, "
        f"got {type(value).__module__}.{type(value).__qualname__}"
    )


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
