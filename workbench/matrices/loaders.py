# SPDX-License-Identifier: Apache-2.0
"""Sparse matrices from files: Matrix Market, SNAP edge lists, scipy's ``.npz``."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from workbench.matrices._csr import canonical, checked_dtype, index_dtype, scipy_module
from workbench.storage.limits import check_bytes
from workbench.storage.packed import read_bytes
from workbench.storage.sparse import read_market, read_npz_matrix
from workbench.storage.tables import MalformedError, rows_of

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["DATA_VARIABLE", "available", "load_matrix"]

#: Environment variable that names the folder of matrices.
DATA_VARIABLE = "WORKBENCH_DATA"

_COMMENTS = "#%"


def load_matrix(
    path_or_name: str | os.PathLike[str],
    folder: str | os.PathLike[str] | None = None,
    *,
    dtype: npt.DTypeLike | None = None,
    symmetric: bool = False,
) -> csr_array:
    """Load a matrix from a file, or by name from the data folder.

    Parameters
    ----------
    path_or_name : str or path
        A file ending in ``.mtx``, ``.mtx.gz`` (Matrix Market; symmetric ones are expanded),
        ``.txt``, ``.txt.gz`` (SNAP edge list: ``from to`` or ``from to weight`` per line, lines
        starting with ``#`` or ``%`` ignored, vertices numbered as in the file) or ``.npz``
        (``scipy.sparse.save_npz``); or the name of such a file in the data folder, without its
        ending.
    folder : path, optional
        Data folder, or one that holds it as ``matrices/``; the environment variable
        ``WORKBENCH_DATA`` where None.
    dtype : float32 or float64, optional
        Where None, as in the file if it is one of these, else float64.
    symmetric : bool
        Take an edge list as undirected: every edge both ways (weights of one that is listed
        both ways add up).

    Returns
    -------
    scipy.sparse.csr_array
        Rows sorted, duplicates summed (of an edge list without weights: counted once, every
        value 1), int32 indices where they suffice.

    Raises
    ------
    FileNotFoundError
        When there is no such file; the message lists the matrices there are.
    ValueError
        When the file's ending is unknown, its contents are malformed (naming the line of a text
        file), or they would take more memory than ``WORKBENCH_MAX_BYTES`` allows (bytes; by
        default 4 GiB or half of the machine's, whichever is less).
    ImportError
        Without scipy, naming the extra that brings it.
    """
    wanted = None if dtype is None else checked_dtype(dtype)
    path = _find(path_or_name, folder)
    reader = _reader(path)
    if reader is None:
        raise ValueError(
            f"load_matrix: {path} has an unknown ending; known are {', '.join(_READERS)}"
        )
    if symmetric and reader is not _read_edges:
        raise ValueError(f"load_matrix: symmetric is for edge lists (.txt), {path.name} is none")
    try:
        matrix = _read_edges(path, symmetric) if reader is _read_edges else reader(path)
    except ValueError as error:
        raise ValueError(f"load_matrix: {error}") from error
    return _canonical_form(matrix, wanted, path)


def available(folder: str | os.PathLike[str] | None = None) -> list[str]:
    """Return the names `load_matrix` finds in the data folder, sorted; none without a folder.

    Parameters
    ----------
    folder : path, optional
        As for `load_matrix`.
    """
    names = {_stem(path) for place in _places(folder) for path in place.iterdir() if _reader(path)}
    return sorted(names)


def _places(folder: str | os.PathLike[str] | None) -> list[Path]:
    named = folder if folder is not None else os.environ.get(DATA_VARIABLE)
    if not named:
        return []
    root = Path(named).expanduser()
    return [place for place in (root, root / "matrices") if place.is_dir()]


def _find(path_or_name: str | os.PathLike[str], folder: str | os.PathLike[str] | None) -> Path:
    path = Path(path_or_name).expanduser()
    if path.is_file():
        return path
    for place in _places(folder):
        for candidate in (place / path, *(place / f"{path}{ending}" for ending in _READERS)):
            if candidate.is_file():
                return candidate
    if folder is None and not os.environ.get(DATA_VARIABLE):
        hint = f"and no data folder was given: pass folder, or set {DATA_VARIABLE}"
    else:
        where = folder if folder is not None else os.environ[DATA_VARIABLE]
        hint = f"in {where} there are: {', '.join(available(folder)) or 'none'}"
    raise FileNotFoundError(f"load_matrix: there is no file {str(path_or_name)!r}, {hint}")


def _read_npz(path: Path) -> Any:
    scipy_module("scipy.sparse")
    return read_npz_matrix(path, path)


def _read_market(path: Path) -> Any:
    scipy_module("scipy.sparse")
    return read_market(*read_bytes(path))


def _read_edges(path: Path, symmetric: bool = False) -> Any:
    """Read pairs as integers and weights, where there is a third column, as numbers."""
    ends, weight = [], []
    for found in rows_of(*read_bytes(path), comments=_COMMENTS, separators=" \t"):
        if found.starts.shape[1] < 2:
            raise MalformedError(path, int(found.lines[0]), "expected 'from to', got one field")
        ends.append([found.integers(k, "a vertex") for k in (0, 1)])
        for end in ends[-1]:
            wrong = np.flatnonzero((end < 0) | (end >= 2**31))
            if wrong.size:
                what = f"vertices must be in [0, 2**31), got {int(end[wrong[0]])}"
                raise MalformedError(path, int(found.lines[wrong[0]]), what)
        if found.starts.shape[1] > 2:
            weight.append(found.numbers(2, "a weight").astype(np.float64))
    if not ends:
        raise ValueError(f"{path} has no line of the form 'from to'")
    rows, columns = (np.concatenate([e[k] for e in ends]) for k in (0, 1))
    weights = np.concatenate(weight) if weight else None
    n = int(max(rows.max(), columns.max())) + 1
    check_bytes(path, f"the pointers of {n} rows", 8 * (n + 1))
    if symmetric:
        away = rows != columns  # a loop is its own transpose
        rows, columns = (
            np.concatenate([rows, columns[away]]),
            np.concatenate([columns, rows[away]]),
        )
        weights = None if weights is None else np.concatenate([weights, weights[away]])
    ones = np.ones(rows.size) if weights is None else weights
    matrix = scipy_module("scipy.sparse").coo_array((ones, (rows, columns)), shape=(n, n)).tocsr()
    if weights is None:
        matrix.data[:] = 1
    return matrix


_READERS: dict[str, Callable[[Path], Any]] = {
    ".npz": _read_npz,
    ".mtx": _read_market,
    ".mtx.gz": _read_market,
    ".txt": _read_edges,
    ".txt.gz": _read_edges,
}


def _reader(path: Path) -> Callable[[Path], Any] | None:
    return next((read for end, read in _READERS.items() if path.name.endswith(end)), None)


def _stem(path: Path) -> str:
    ending = next(end for end in _READERS if path.name.endswith(end))
    return path.name[: -len(ending)]


def _canonical_form(matrix: Any, wanted: np.dtype[Any] | None, path: Path) -> csr_array:
    if np.issubdtype(matrix.dtype, np.complexfloating):
        raise ValueError(f"load_matrix: {path} holds complex values, which have no place here")
    kept = matrix.dtype in (np.float32, np.float64)
    value_type = wanted if wanted is not None else matrix.dtype if kept else np.dtype(np.float64)
    matrix = matrix.tocsr()
    matrix.sum_duplicates()  # before a narrower type could round the summands
    integer = index_dtype(matrix.shape[1], matrix.nnz)
    return canonical(
        matrix.data.astype(value_type, copy=False),
        matrix.indices.astype(integer, copy=False),
        matrix.indptr.astype(integer, copy=False),
        matrix.shape,
    )
