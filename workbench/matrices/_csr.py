# SPDX-License-Identifier: Apache-2.0
"""What generators and loaders share: scipy on demand, one canonical form, checked numbers."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from workbench.distribution import MissingExtraError

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["canonical", "checked_dtype", "from_pairs", "index_dtype", "scipy_module"]

_DTYPES = (np.dtype(np.float32), np.dtype(np.float64))

Indices = npt.NDArray[Any]


def scipy_module(name: str) -> Any:
    """Import a scipy module, or say how to get it.

    Raises
    ------
    ImportError
        When scipy is absent, naming the extra that brings it.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingExtraError(f"workbench.matrices needs scipy ({error})", "sparse") from error


def checked_dtype(dtype: npt.DTypeLike) -> np.dtype[Any]:
    """Return `dtype` when it is float32 or float64.

    Raises
    ------
    TypeError
        When it is anything else.
    """
    found = np.dtype(dtype)
    if found not in _DTYPES:
        raise TypeError(f"dtype: must be float32 or float64, got {found}")
    return found


def index_dtype(n_columns: int, nnz: int) -> np.dtype[Any]:
    """Return int32 where every column and offset fits, int64 elsewhere."""
    fits = max(n_columns, nnz) <= np.iinfo(np.int32).max
    return np.dtype(np.int32 if fits else np.int64)


def from_pairs(
    rows: Indices,
    columns: Indices,
    shape: tuple[int, int],
    rng: np.random.Generator,
    dtype: npt.DTypeLike,
) -> csr_array:
    """Build a matrix from pairs of indices, each kept once, with values uniform in [0.5, 1.5).

    Values of one sign cannot cancel, so a product of such matrices has no accidental zeros and
    its number of entries is that of its pattern.

    Parameters
    ----------
    rows, columns : (m,) integer arrays
        May repeat pairs.
    shape : tuple of int
    rng : numpy.random.Generator
        Draws the values, one per distinct pair in row-major order.
    dtype : float32 or float64

    Returns
    -------
    scipy.sparse.csr_array
        Canonical: sorted, without duplicates.
    """
    n_rows, n_columns = shape
    keys = np.unique(np.asarray(rows, np.int64) * n_columns + columns)
    integer = index_dtype(n_columns, keys.size)
    counts = np.bincount(keys // n_columns, minlength=n_rows)
    indptr = np.zeros(n_rows + 1, integer)
    np.cumsum(counts, out=indptr[1:])
    values = (rng.random(keys.size) + 0.5).astype(checked_dtype(dtype))
    return canonical(values, (keys % n_columns).astype(integer), indptr, shape)


def canonical(
    values: npt.NDArray[Any], indices: Indices, indptr: Indices, shape: tuple[int, int]
) -> csr_array:
    """Wrap arrays that are sorted and without duplicates already, telling scipy so."""
    matrix = scipy_module("scipy.sparse").csr_array((values, indices, indptr), shape=shape)
    matrix.has_sorted_indices = True
    matrix.has_canonical_format = True
    return matrix
