# SPDX-License-Identifier: Apache-2.0
"""The matrices of the sparse benchmarks, what a product of them needs, and when two agree."""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from harness import Bound, Outputs

__all__ = ["EPSILON", "REAL", "TOLERANCE", "Product", "data_folder", "why_absent"]

EPSILON = float(np.finfo(np.float32).eps)

#: Largest difference of two float32 products, relative to (|A| |B|) at the same entry. Relative
#: to the entry itself it would have no bound, because sums cancel.
TOLERANCE = 8 * EPSILON

#: Matrices taken from files.
REAL = ("facebook", "wiki-Vote", "cage11", "delaunay_n16", "wing", "nh2010")

#: Above this many products one row in `_STRIDE` is compared instead of every row.
_MOST_CHECKED = 2**26
_STRIDE = 8


def data_folder() -> Path | None:
    """Return the folder of real matrices: ``WORKBENCH_DATA``, or ``../shared/data`` if there."""
    named = os.environ.get("WORKBENCH_DATA")
    if named:
        return Path(named)
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    return beside if beside.is_dir() else None


def why_absent(name: str) -> str:
    """Return why a matrix cannot be had here, ``""`` when it can."""
    from workbench.matrices import GENERATORS, available

    if name in GENERATORS:
        return ""
    folder = data_folder()
    if folder is not None and name in available(folder):
        return ""
    where = f"not in {folder}" if folder is not None else "no data folder was found"
    return f"absent: {where}; let WORKBENCH_DATA name a folder that holds {name}"


# Two cases never need more than two matrices at once, and the largest are a few hundred MB.
@functools.lru_cache(maxsize=2)
def _matrix(name: str, small: bool) -> Any:
    from workbench.matrices import GENERATORS, load_matrix

    if name in GENERATORS:
        return GENERATORS[name](small=small)
    return load_matrix(name, data_folder(), dtype=np.float32)


@functools.lru_cache(maxsize=1)
def _magnitudes(name: str, small: bool, stride: int) -> Any:
    """Return ``|A| |A|`` in float64 on the compared rows, with every entry of its pattern."""
    a = abs(_matrix(name, small)).astype(np.float64)
    # scipy would drop a sum of zeros, and the pattern is needed whole
    np.maximum(a.data, np.finfo(np.float64).tiny ** 0.25, out=a.data)
    product = a[::stride] @ a
    product.sort_indices()
    return product


@dataclass(frozen=True)
class Product:
    """``C = A A`` in float32.

    Attributes
    ----------
    name : str
        Of the matrix: in the catalogue of `workbench.matrices`, or in the data folder.
    small : bool
        The catalogue's small size.
    """

    name: str
    small: bool = False

    @property
    def matrix(self) -> Any:
        """A, a canonical ``scipy.sparse.csr_array`` with int32 indices."""
        return _matrix(self.name, self.small)

    @functools.cached_property
    def products(self) -> int:
        """Multiplications: for every stored ``A_ik`` the entries of row k."""
        a = self.matrix
        return int(np.diff(a.indptr).astype(np.int64)[a.indices].sum())

    @functools.cached_property
    def entries(self) -> int:
        """Entries of C, counted by scipy's symbolic pass."""
        a = self.matrix
        ones = a.__class__((np.ones(a.nnz, np.float32), a.indices, a.indptr), shape=a.shape)
        return int((ones @ ones).nnz)

    @property
    def stride(self) -> int:
        """Every how many rows are compared."""
        return 1 if self.products <= _MOST_CHECKED else _STRIDE

    def outputs(self, c: Any, *, claims_sorted: bool) -> Outputs:
        """Return a product's rows in one order, whatever order its maker left them in.

        Parameters
        ----------
        c : csr_array or csr_matrix
        claims_sorted : bool
            Whether rows are said to be sorted.

        Raises
        ------
        ValueError
            When rows said to be sorted are not, or a row names a column twice.
        """
        # a new object, because scipy remembers flags it was given
        c = self.matrix.__class__((c.data, c.indices, c.indptr), shape=c.shape)
        if claims_sorted and not c.has_sorted_indices:
            raise ValueError("rows are said to be sorted and are not")
        part = c[:: self.stride] if self.stride > 1 else c.copy()
        part.sort_indices()
        if not part.has_canonical_format:
            raise ValueError("a row names a column twice")
        return {"indptr": part.indptr, "indices": part.indices, "values": part.data}

    def deviation(self, ours: Outputs, theirs: Outputs) -> float:
        """Return the largest ``|c - c'| / (|A| |A|)`` over the entries of both.

        An entry only one of them stores must be an exact zero: some peers keep those, some do
        not.

        Raises
        ------
        ValueError
            When patterns differ beyond that, or a number is not finite.
        """
        reach = _magnitudes(self.name, self.small, self.stride)
        x, x_there = self._spread(ours, reach)
        y, y_there = self._spread(theirs, reach)
        alone = x_there != y_there
        wrong = int(np.count_nonzero((x[alone] != 0) | (y[alone] != 0)))
        if wrong:
            raise ValueError(f"{wrong} entries that are not zero are stored by one of them only")
        if not (np.isfinite(x).all() and np.isfinite(y).all()):
            raise ValueError("a number is not finite")
        return float((abs(x - y) / reach.data).max(initial=0.0))

    def _spread(self, outputs: Outputs, reach: Any) -> tuple[Any, Any]:
        """Return values on the whole pattern, and where there were any."""
        there = np.ones(reach.nnz, bool)
        values = outputs["values"].astype(np.float64)
        if np.array_equal(outputs["indices"], reach.indices) and np.array_equal(
            outputs["indptr"], reach.indptr
        ):
            return values, there
        keys, known = _keys(outputs, reach.shape[1]), _keys(_parts(reach), reach.shape[1])
        place = np.searchsorted(known, keys)
        if keys.size and (place[-1] == known.size or (known[place] != keys).any()):
            raise ValueError("an entry is stored where no product falls")
        spread = np.zeros(reach.nnz)
        spread[place] = values
        there[:] = False
        there[place] = True
        return spread, there

    def bounds(self) -> Mapping[str, Bound]:
        """Return the arithmetic and the traffic C needs at least: both A once, C once."""
        a = self.matrix
        stored = 8.0 * (2 * a.nnz + self.entries) + 4.0 * 3 * (a.shape[0] + 1)
        why = (
            f"n = {a.shape[0]:,}, {a.nnz:,} entries, {self.products:,} products, {self.entries:,} "
            f"entries of C, {self.products / max(1, self.entries):.3g} products per entry; 2 flop "
            f"per product; A read twice and C written once, {stored / 1e6:.4g} MB"
        )
        if self.stride > 1:
            why += f"; outputs compared on every {self.stride}th row"
        return {"float32": Bound(2.0 * self.products, stored, why)}


def _parts(matrix: Any) -> Outputs:
    return {"indptr": matrix.indptr, "indices": matrix.indices}


def _keys(parts: Outputs, n_columns: int) -> npt.NDArray[np.int64]:
    lengths = np.diff(parts["indptr"])
    rows = np.repeat(np.arange(lengths.size, dtype=np.int64), lengths)
    return np.asarray(rows * n_columns + parts["indices"])
