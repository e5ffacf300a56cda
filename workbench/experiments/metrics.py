# SPDX-License-Identifier: Apache-2.0
"""The growing record of a run, ``metrics.jsonl``.

A resumed run passes through the same code again and logs the same records. They are compared with
what the file holds: while they agree, nothing is written; at the first difference the rest of the
file is cut off. So the file is the same after a kill as without one, and no record is lost or
doubled.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from workbench.experiments.durable import plain_json
from workbench.experiments.folder import read_lines


class MetricsLog:
    """Appends JSON lines to ``path``, each with one write, verifying what is already there."""

    def __init__(self, path: Path) -> None:
        self._ahead = read_lines(path)
        self._ahead.reverse()
        self._length = sum(map(len, self._ahead))
        self._position = 0
        self.lines: list[str] = []
        self._file = open(path, "ab", buffering=0)  # noqa: SIM115  (closed by close)
        if os.fstat(self._file.fileno()).st_size != self._length:
            self._file.truncate(self._length)

    def append(self, record: Mapping[str, Any]) -> None:
        """Log one record; NaN and infinities become null."""
        plain = plain_json(record, "log: record", non_finite="null")
        self._append_line(json.dumps(plain, ensure_ascii=False, allow_nan=False))

    def replay(self, lines: Sequence[str]) -> None:
        """Log again what a stored unit of work logged."""
        for line in lines:
            self._append_line(line)

    def drop_rest(self) -> None:
        """Cut off the stored records that this session, now complete, did not log."""
        if self._ahead:
            self._file.truncate(self._position)
            self._ahead.clear()

    def close(self) -> None:
        """Close the file; records not yet reached stay for the session that resumes."""
        self._file.close()

    def _append_line(self, line: str) -> None:
        self.lines.append(line)
        encoded = line.encode("utf-8", "surrogatepass") + b"\n"
        if self._ahead:
            if self._ahead[-1] == encoded:
                self._ahead.pop()
                self._position += len(encoded)
                return
            self.drop_rest()
        self._file.write(encoded)
        self._position += len(encoded)
