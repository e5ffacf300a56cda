# SPDX-License-Identifier: Apache-2.0
"""Sparse matrices that others wrote: scipy's ``.npz`` and Matrix Market, checked.

scipy believes row pointers and columns as they stand in a file, and allocates what the first line
of a Matrix Market file announces. Here both are compared with what is there first.
"""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from workbench.storage.arrays import read_arrays
from workbench.storage.limits import check_bytes
from workbench.storage.tables import MalformedError, rows_of

__all__ = ["check_compressed", "read_market", "read_npz_matrix"]

Array = npt.NDArray[Any]
_MOST = 2**63 - 1
_NUMBERS = "biufc"


def check_compressed(
    where: object, indptr: Array, indices: Array, n_values: int, rows: int, columns: int
) -> None:
    """Make sure that arrays are those of a matrix in compressed rows.

    Parameters
    ----------
    where : str or Path
        The file, for messages.
    indptr, indices : ndarray
        Row pointers and columns.
    n_values : int
        How many values there are.
    rows, columns : int

    Raises
    ------
    ValueError
        If one of them has another length, type or range.
    """
    pointers = _integers(where, "indptr", indptr)
    found = _integers(where, "indices", indices)
    if pointers.shape[0] != rows + 1:
        raise ValueError(
            f"{where}: indptr must have {rows + 1} entries, for {rows} rows, "
            f"got {pointers.shape[0]}"
        )
    if found.shape[0] != n_values:
        raise ValueError(
            f"{where}: there must be one value per index, {found.shape[0]}, got {n_values}"
        )
    if int(pointers[0]) != 0 or int(pointers[-1]) != found.shape[0]:
        raise ValueError(
            f"{where}: indptr must go from 0 to the number of indices, {found.shape[0]}, "
            f"got {int(pointers[0])} to {int(pointers[-1])}"
        )
    falls = np.flatnonzero(pointers[1:] < pointers[:-1])
    if falls.size:
        raise ValueError(f"{where}: indptr must not decrease, but does at row {int(falls[0])}")
    _check_range(where, "indices", found, columns)


def read_npz_matrix(source: str | os.PathLike[str] | IO[bytes], where: object) -> Any:
    """A matrix that ``scipy.sparse.save_npz`` wrote.

    Parameters
    ----------
    source : path or binary file
    where : str or Path
        For messages.

    Returns
    -------
    scipy sparse array
        CSR, CSC, BSR, COO or DIA, as it was saved.

    Raises
    ------
    ValueError
        If it is damaged, no matrix, or would take too much memory.
    """
    from scipy import sparse

    held = read_arrays(source, where)
    kind = _word(where, held)
    rows, columns = _shape(where, held)
    data = _part(where, held, "data")
    if data.dtype.kind not in _NUMBERS:
        raise ValueError(f"{where}: data must be numbers, got {data.dtype}")
    data = data.astype(data.dtype.newbyteorder("="), copy=False)
    shape = rows, columns
    # Whatever it is, somebody will want its rows: their pointers take 8 bytes each.
    check_bytes(where, f"the pointers of {rows} rows", 8 * (rows + 1))
    if kind == "coo":
        at = [_integers(where, name, _part(where, held, name)) for name in ("row", "col")]
        _check_vector(where, data)
        for name, index, size in (("row", at[0], rows), ("col", at[1], columns)):
            if index.shape != data.shape:
                raise ValueError(
                    f"{where}: {name} must have one entry per value, {data.shape[0]}, "
                    f"got {index.shape[0]}"
                )
            _check_range(where, name, index, size)
        return sparse.coo_array((data, (at[0], at[1])), shape=shape)
    if kind == "dia":
        offsets = _integers(where, "offsets", _part(where, held, "offsets"))
        if data.ndim != 2 or data.shape[0] != offsets.shape[0]:
            raise ValueError(f"{where}: data must have a row per offset, got {data.shape}")
        _check_range(where, "offsets", offsets, columns, -rows)
        if np.unique(offsets).size != offsets.size:
            raise ValueError(f"{where}: offsets must be different")
        return sparse.dia_array((data, offsets), shape=shape)
    indptr, indices = _part(where, held, "indptr"), _part(where, held, "indices")
    if kind == "bsr":
        if data.ndim != 3 or 0 in data.shape[1:]:
            raise ValueError(f"{where}: data must hold blocks, got shape {data.shape}")
        high, wide = data.shape[1:]
        if rows % high or columns % wide:
            raise ValueError(f"{where}: blocks of {(high, wide)} do not fill {shape}")
        check_compressed(where, indptr, indices, data.shape[0], rows // high, columns // wide)
        return sparse.bsr_array((data, indices, indptr), shape=shape)
    if kind not in ("csr", "csc"):
        raise ValueError(f"{where}: format must be csr, csc, bsr, coo or dia, got {kind!r}")
    _check_vector(where, data)
    major, minor = shape if kind == "csr" else shape[::-1]
    check_compressed(where, indptr, indices, data.shape[0], major, minor)
    made = sparse.csr_array if kind == "csr" else sparse.csc_array
    return made((data, indices, indptr), shape=shape)


def read_market(where: Path, data: bytes) -> Any:
    """A Matrix Market file's contents as a COO array, symmetric ones expanded.

    Not by scipy, whose reader ends the process on some damaged files.

    Raises
    ------
    ValueError
        Naming the line, if it is malformed, announces more than it can hold, or is complex.
    """
    from scipy import sparse

    listed, field, symmetry, (rows, columns, entries), line = _market_header(where, data)
    width = 1 if not listed else 2 if field == "pattern" else 3
    numbers: list[Array] = []
    places: list[Array] = []
    for found in rows_of(where, data, comments="%", width=width, separators=" \t", skip=line):
        if listed:
            at = np.stack([found.integers(k, "a row or column") for k in (0, 1)])
            wrong = np.flatnonzero(((at < 1) | (at > [[rows], [columns]])).any(axis=0))
            if wrong.size:
                i = int(wrong[0])
                got = f"rows are 1 to {rows} and columns 1 to {columns}, got {at[:, i].tolist()}"
                raise MalformedError(where, int(found.lines[i]), got)
            places.append(at - 1)
        if field == "pattern":
            numbers.append(np.ones(found.lines.size))
        elif field == "real":
            numbers.append(found.numbers(width - 1, "a value").astype(np.float64))
        else:
            numbers.append(found.integers(width - 1, "a value"))
    kind = np.int64 if field == "integer" else np.float64
    values = np.concatenate(numbers) if numbers else np.zeros(0, kind)
    if values.size != entries:
        raise ValueError(f"{where}: {entries} entries were announced, got {values.size}")
    if listed:
        row, column = np.concatenate(places, axis=1) if places else np.zeros((2, 0), np.int64)
    elif symmetry == "general":
        column, row = np.divmod(np.arange(entries), max(rows, 1))
    else:  # the lower triangle, column by column
        column, row = np.triu_indices(rows, 1 if symmetry == "skew-symmetric" else 0)
    if symmetry != "general":
        away = row != column
        sign = -1 if symmetry == "skew-symmetric" else 1
        row, column = np.concatenate([row, column[away]]), np.concatenate([column, row[away]])
        values = np.concatenate([values, sign * values[away]])
    return sparse.coo_array((values, (row, column)), shape=(rows, columns))


def _market_header(where: Path, data: bytes) -> tuple[bool, str, str, tuple[int, int, int], int]:
    """Whether entries are listed, their type, symmetry, the sizes, and the line of these."""
    lines = (
        (number, line)
        for number, line in enumerate(io.BytesIO(data), start=1)
        if number == 1 or (line.strip() and not line.lstrip().startswith(b"%"))
    )
    words = next(lines, (1, b""))[1].decode("utf-8", "replace").lower().split()
    if len(words) != 5 or words[:2] != ["%%matrixmarket", "matrix"]:
        raise MalformedError(where, 1, "expected '%%MatrixMarket matrix ...'")
    shape, field, symmetry = words[2:]
    field = {"double": "real", "unsigned-integer": "integer"}.get(field, field)
    if field == "complex":
        raise MalformedError(where, 1, "it holds complex values, which have no place here")
    for got, known in (
        (shape, ("coordinate", "array")),
        (field, ("real", "integer", "pattern")),
        (symmetry, ("general", "symmetric", "skew-symmetric", "hermitian")),
    ):
        if got not in known or (shape, got) == ("array", "pattern"):
            raise MalformedError(where, 1, f"expected one of {', '.join(known)}, got {got!r}")
    listed = shape == "coordinate"
    number, line = next(lines, (1, b""))
    sizes = line.split()
    if len(sizes) != (3 if listed else 2) or not all(
        size.isdigit() and len(size) <= 18 for size in sizes
    ):
        what = "rows, columns and entries" if listed else "rows and columns"
        got = line.decode("utf-8", "replace").strip()[:60]
        raise MalformedError(where, number, f"expected {what}, got {got!r}")
    rows, columns, *rest = (int(size) for size in sizes)
    if symmetry != "general" and rows != columns:
        raise MalformedError(where, number, f"a {symmetry} matrix must be square")
    entries = rest[0] if rest else rows * columns
    if not listed and symmetry != "general":
        entries = rows * (rows + (-1 if symmetry == "skew-symmetric" else 1)) // 2
    # An entry is two numbers and a blank between, or one number, and a line end.
    if (4 if listed else 2) * entries - 1 > len(data):
        raise MalformedError(
            where, number, f"{entries} entries are more than {len(data)} bytes can hold"
        )
    check_bytes(where, f"the pointers of {rows} rows", 8 * (rows + 1))
    return listed, field, symmetry, (rows, columns, entries), number


def _word(where: object, held: dict[str, Array]) -> str:
    kind = _part(where, held, "format")
    if kind.ndim != 0 or kind.dtype.kind not in "SU":
        raise ValueError(f"{where}: format must be a word, got {kind.dtype} of {kind.shape}")
    word = kind.item()
    return word.decode("ascii", "replace") if isinstance(word, bytes) else str(word)


def _shape(where: object, held: dict[str, Array]) -> tuple[int, int]:
    shape = _integers(where, "shape", _part(where, held, "shape"))
    if shape.shape != (2,):
        raise ValueError(f"{where}: shape must be two numbers, got {shape.shape[0]}")
    rows, columns = (int(size) for size in shape)
    if rows < 0 or columns < 0 or max(rows, columns) > _MOST:
        raise ValueError(f"{where}: shape must not be negative, got {(rows, columns)}")
    return rows, columns


def _part(where: object, held: dict[str, Array], name: str) -> Array:
    if name not in held:
        there = ", ".join(sorted(held)) or "nothing"
        raise ValueError(f"{where}: no matrix of scipy's: there is no {name!r}, but {there}")
    return held[name]


def _integers(where: object, name: str, array: Array) -> Array:
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise ValueError(
            f"{where}: {name} must be a vector of integers, got {array.dtype} of {array.shape}"
        )
    return array


def _check_vector(where: object, data: Array) -> None:
    if data.ndim != 1:
        raise ValueError(f"{where}: data must be a vector, got shape {data.shape}")


def _check_range(where: object, name: str, index: Array, size: int, least: int = 0) -> None:
    if index.size and not least <= int(index.min()) <= int(index.max()) < size:
        raise ValueError(
            f"{where}: {name} must be in [{least}, {size}), "
            f"got {int(index.min())} to {int(index.max())}"
        )
