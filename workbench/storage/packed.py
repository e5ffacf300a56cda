# SPDX-License-Identifier: Apache-2.0
"""Files that gzip may have packed."""

from __future__ import annotations

import gzip
import io
import os
import zlib
from pathlib import Path

from workbench.storage.files import regular_file
from workbench.storage.limits import LIMIT_VARIABLE, byte_limit

__all__ = ["read_bytes", "unpacked"]

_MAGIC = b"\x1f\x8b"
_CHUNK = 1 << 20


def read_bytes(path: str | os.PathLike[str]) -> tuple[Path, bytes]:
    """The contents of a file, unpacked if gzip packed them, whatever it is called.

    Raises
    ------
    FileNotFoundError
        If there is none.
    ValueError
        If it is no regular file, packed and damaged, or unpacks to more than
        :func:`~workbench.storage.limits.byte_limit`.
    """
    where = regular_file(path)
    return where, unpacked(where, where.read_bytes())


def unpacked(where: object, data: bytes) -> bytes:
    """Contents without gzip's packing, if any; `where` is for messages."""
    if data[:2] != _MAGIC:
        return data
    limit = byte_limit()
    out = io.BytesIO()
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            while piece := file.read(_CHUNK):
                out.write(piece)
                if out.tell() > limit:
                    raise ValueError(
                        f"{where} unpacks to more than the limit of {limit:,} bytes; set "
                        f"{LIMIT_VARIABLE} (in bytes) to allow it"
                    )
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{where} is damaged: {error}") from error
    return out.getvalue()
