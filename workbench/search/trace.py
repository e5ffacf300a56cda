# SPDX-License-Identifier: Apache-2.0
"""The log of a search: one JSON object per line, per candidate told.

Fields of a record: ``id`` (number in order of telling), ``generation``, ``evaluation`` (how many
evaluations were spent up to and with this candidate), ``cached`` (it cost none), ``seed`` (the
engine's), ``genome``, ``parents`` (ids), ``metrics``, ``score`` and ``wall`` (seconds since the
search began). Equal searches write equal records but for ``wall``. JSON has no infinity: it is
written as the string "inf" or "-inf".
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

from workbench.storage.texts import parse_json

PathLike: TypeAlias = "str | os.PathLike[str]"


class Trace:
    """A JSONL file to append to.

    Parameters
    ----------
    path : str or Path
        Its folder is created when first written to.
    """

    def __init__(self, path: PathLike) -> None:
        self.path = Path(path)

    def append(self, records: Sequence[dict[str, Any]]) -> None:
        """Write records in one piece and see them to the disk."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lines = "".join(json.dumps(_finite(r), allow_nan=False) + "\n" for r in records)
        with open(self.path, "ab") as file:
            file.write(lines.encode())
            file.flush()
            os.fsync(file.fileno())

    def keep(self, count: int) -> None:
        """Cut the file after its first `count` records, and so whatever a kill left torn.

        Raises ValueError where the file holds fewer.
        """
        lines = _whole_lines(self.path)
        if len(lines) < count:
            raise ValueError(
                f"trace {self.path} holds {len(lines)} records, its checkpoint names {count}: "
                f"they do not belong together"
            )
        if self.path.exists():
            os.truncate(self.path, sum(len(line) for line in lines[:count]))

    def is_empty(self) -> bool:
        """Tell whether there is nothing in the file, or no file."""
        return not self.path.exists() or self.path.stat().st_size == 0


def read_trace(path: PathLike) -> list[dict[str, Any]]:
    """Return the records of a trace; a torn last line is left out.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If a whole line is no record; the message names the line.
    """
    if not Path(path).exists():
        raise FileNotFoundError(f"read_trace: there is no file {path}")
    records = []
    for number, line in enumerate(_whole_lines(Path(path)), start=1):
        try:
            record = parse_json(line)
            record["score"] = float(record["score"])
            record["metrics"] = {k: float(v) for k, v in record["metrics"].items()}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"trace {path}: line {number} is no record: {error}") from error
        records.append(record)
    return records


def _whole_lines(path: Path) -> list[bytes]:
    """Return the lines that were written to their end."""
    if not path.exists():
        return []
    lines = path.read_bytes().splitlines(keepends=True)
    return lines if not lines or lines[-1].endswith(b"\n") else lines[:-1]


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return str(value) if isinstance(value, float) and math.isinf(value) else value
