# SPDX-License-Identifier: Apache-2.0
"""Reading the raw files that SPICE writes, binary or text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.storage.packed import read_bytes

__all__ = ["RawPlot", "read_rawfile"]

_INK = re.compile(rb"\S")


@dataclass(frozen=True)
class RawPlot:
    """One plot of a raw file: its name (``"AC Analysis"``) and its vectors by name."""

    name: str
    vectors: Mapping[str, NDArray[Any]]


def read_rawfile(source: str | Path | bytes) -> list[RawPlot]:
    """All plots of a raw file, in the order they were written.

    Parameters
    ----------
    source : str, Path or bytes
        The file, or its content.

    Returns
    -------
    list of RawPlot
        float64 or complex128 vectors ``(n,)``.

    Raises
    ------
    ValueError
        For a file that is cut short, announces more than it holds, or is no raw file.
    """
    data = source if isinstance(source, bytes) else read_bytes(source)[1]
    where = "rawfile" if isinstance(source, bytes) else f"rawfile {Path(source).name}"
    plots: list[RawPlot] = []
    at = 0
    try:
        while _INK.search(data, at):
            plot, at = _plot(data, at)
            plots.append(plot)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None
    return plots


def _plot(data: bytes, at: int) -> tuple[RawPlot, int]:
    head: dict[str, str] = {}
    names: list[str] = []
    while True:
        end = data.find(b"\n", at)
        if end < 0:
            raise ValueError("ends within a header")
        line = data[at:end].decode(errors="replace")
        at = end + 1
        key, colon, value = line.partition(":")
        words = line.split()
        if line.startswith("\t") and len(words) >= 2 and words[0].isdigit():
            names.append(words[1])
        elif key in ("Binary", "Values"):
            break
        elif colon:
            head[key.lower()] = value.strip()
        elif line.strip():
            raise ValueError(f"no header line: {line[:60]!r}")
    try:
        n_variables, n_points = (_count(head[key]) for key in ("no. variables", "no. points"))
        flags = head["flags"].split()
    except KeyError as error:
        raise ValueError(f"header without {error}") from error
    if len(names) != n_variables or n_variables < 1:
        raise ValueError(f"{n_variables} variables announced, {len(names)} named")
    dtype = np.dtype("<c16" if "complex" in flags else "<f8")
    count = n_variables * n_points
    if key == "Binary":
        stop = at + count * dtype.itemsize
        if stop > len(data):
            raise ValueError("ends within its values")
        values = np.frombuffer(data, dtype, count, at)
        at = stop
    else:
        if 2 * count > len(data) - at:  # a digit and a line end each
            raise ValueError(f"{n_points} points announced, which the file cannot hold")
        values, at = _text_values(data, at, n_points, n_variables, dtype)
    table = values.reshape(n_points, n_variables)
    vectors = {name: table[:, i].copy() for i, name in enumerate(names)}
    return RawPlot(head.get("plotname", ""), vectors), at


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise ValueError(f"a number of variables or points is {text[:40]!r}")
    return int(text)


def _text_values(
    data: bytes, at: int, n_points: int, n_variables: int, dtype: np.dtype[Any]
) -> tuple[NDArray[Any], int]:
    out = np.zeros((n_points, n_variables), dtype)
    for row in range(n_points):
        column = -1  # the point's number stands before its first value
        while column < n_variables:
            end = data.find(b"\n", at)
            if end < 0:
                raise ValueError("ends within its values")
            words = data[at:end].decode(errors="replace").split()
            at = end + 1
            if not words:
                continue
            if column < 0:
                if words[0] != str(row):
                    raise ValueError(f"expected point {row}, got {words[0]!r}")
                words, column = words[1:], 0
            if column + len(words) > n_variables:
                raise ValueError(f"point {row} has more than {n_variables} values")
            for word in words:
                parts = [float(x) for x in word.split(",")]
                if len(parts) != (2 if dtype.kind == "c" else 1):
                    raise ValueError(f"point {row}: {word!r} is no value of type {dtype}")
                out[row, column] = complex(*parts) if len(parts) == 2 else parts[0]
                column += 1
            if column == n_variables:
                break
    return out.ravel(), at
