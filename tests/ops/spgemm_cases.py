# SPDX-License-Identifier: Apache-2.0
"""Matrices for the tests of sparse products, and what every product must be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch
from hypothesis import strategies as st

from workbench.ops.spgemm import spgemm

FLOATS = [np.float32, np.float64]
DTYPES = [np.float32, np.float64, np.int32, np.int64, np.complex64, np.complex128]
WINDOW = 2**20  # columns the kernel's accumulator covers at once
seeds = st.integers(0, 2**32 - 1)
sizes = st.tuples(*(st.integers(0, 30) for _ in range(3)))
densities = st.sampled_from([0.03, 0.2, 0.7])
EDGES = [1, 2, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 256, 257]


# Matrices -----------------------------------------------------------------------------------------


def values(rng: np.random.Generator, size: int, dtype: Any) -> np.ndarray:
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return rng.random(size) < 0.7
    if dtype.kind == "i":
        return rng.integers(-5, 6, size).astype(dtype)
    if dtype.kind == "c":
        return (rng.normal(size=size) + 1j * rng.normal(size=size)).astype(dtype)
    return rng.normal(size=size).astype(dtype)


def random_csr(
    rng: np.random.Generator, rows: int, cols: int, density: float, dtype: Any = np.float64
) -> sp.csr_array:
    """Rows of very different lengths, some empty; a tenth of the entries explicit zeros."""
    full = rng.random((rows, cols)) < density * rng.random((rows, 1)) ** 3 * 3
    indptr = np.concatenate([[0], np.cumsum(full.sum(axis=1))]).astype(np.int32)
    data = values(rng, int(indptr[-1]), dtype)
    data[rng.random(data.size) < 0.1] = 0
    return sp.csr_array((data, np.nonzero(full)[1].astype(np.int32), indptr), shape=(rows, cols))


def from_rows(
    rng: np.random.Generator, rows: Sequence[Any], cols: int, dtype: Any = np.float64
) -> sp.csr_array:
    """A matrix with random values whose rows store the given columns."""
    indptr = np.concatenate([[0], np.cumsum([len(r) for r in rows])]).astype(np.int32)
    indices = np.concatenate([np.sort(np.asarray(r, dtype=np.int32)) for r in rows] or [[]])
    data = values(rng, int(indptr[-1]), dtype)
    return sp.csr_array((data, indices.astype(np.int32), indptr), shape=(len(rows), cols))


def random_columns(rng: np.random.Generator, count: int, cols: int) -> np.ndarray:
    if cols < 10**6:
        return np.sort(rng.permutation(cols)[:count])
    found = np.unique(rng.integers(0, cols, 2 * count + 10))
    return np.sort(rng.permutation(found)[:count])


def rows_of_exactly(
    rng: np.random.Generator, products: int, cols: int, spread: int, dtype: Any
) -> tuple[sp.csr_array, sp.csr_array]:
    """Rows of A that meet so many products: in two rows of B, in rows of one entry, in between.

    Columns lie within `spread` of either border or of one another, so that many of them agree.
    """
    spread = max(spread, products)
    lengths = [[products], [products // 2, products - products // 2], [1] * products]
    cuts = np.unique(rng.integers(0, products + 1, 5))
    lengths.append([int(x) for x in np.diff(np.concatenate([[0], cuts, [products]]))])
    a_rows, b_rows = [], []
    for parts in lengths:
        a_rows.append(range(len(b_rows), len(b_rows) + len(parts)))
        for part in parts:
            origin = int(rng.choice([0, cols - spread, rng.integers(0, cols - spread + 1)]))
            columns = origin + random_columns(rng, part, spread)
            if part and origin == cols - spread:
                columns[-1] = cols - 1
            b_rows.append(columns)
    order = rng.permutation(len(a_rows))
    a = from_rows(rng, [a_rows[i] for i in order], len(b_rows), dtype)
    return a, from_rows(rng, b_rows, cols, dtype)


def hub(rng: np.random.Generator, place: str, cols: int, dtype: Any) -> tuple[Any, Any]:
    """A row with more products than a thread takes at once, among short ones."""
    k, length = 1400, 190
    assert k * length > 2**18
    b = from_rows(rng, [random_columns(rng, length, cols) for _ in range(k)], cols, dtype)
    few = [random_columns(rng, int(c), k) for c in rng.integers(0, 5, 40)]
    full = [np.arange(k)]
    rows = {
        "first": full + few,
        "last": few + full,
        "alone": full,
        "twice": few[:20] + full + full + few[20:],
    }[place]
    return from_rows(rng, rows, k, dtype), b


def stencil(rng: np.random.Generator, size: int, offsets: Sequence[int], dtype: Any) -> Any:
    rows = [[r + o for o in offsets if 0 <= r + o < size] for r in range(size)]
    return from_rows(rng, rows, size, dtype)


# Matrices whose products have few entries or none. A thread takes 4096 rows without products at
# once (32768 where they repeat each other), so that these sizes make several pieces, some of
# them without any product.


def scattered(
    rng: np.random.Generator, rows: Any, cols: Any, count: int, shape: Any, dtype: Any
) -> Any:
    """`count` entries in the given ranges of rows and columns; all other rows are empty."""
    at = np.unique(rng.integers(*rows, count) * shape[1] + rng.integers(*cols, count))
    places: list[Any] = [[] for _ in range(shape[0])]
    for row, columns in zip(*_grouped(at // shape[1], at % shape[1]), strict=True):
        places[row] = columns
    return from_rows(rng, places, shape[1], dtype)


def _grouped(rows: np.ndarray, cols: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    names, first = np.unique(rows, return_index=True)
    return names, np.split(cols, first[1:])


def thin_cases() -> dict[str, Callable[[np.random.Generator, Any], tuple[Any, Any]]]:
    """By name, functions that make two factors."""

    def nothing(rng: np.random.Generator, dtype: Any) -> tuple[Any, Any]:
        return sp.csr_array((50, 60), dtype=dtype), sp.csr_array((60, 70), dtype=dtype)

    def much_of_nothing(rng: np.random.Generator, dtype: Any) -> tuple[Any, Any]:
        n = 70_000
        return sp.csr_array((n, n), dtype=dtype), scattered(rng, (0, n), (0, n), 99, (n, n), dtype)

    def bipartite(rng: np.random.Generator, dtype: Any) -> tuple[Any, Any]:
        a = scattered(rng, (0, 500), (500, 1500), 3000, (1500, 1500), dtype)
        return a, a

    def large_bipartite(rng: np.random.Generator, dtype: Any) -> tuple[Any, Any]:
        n = 80_000
        a = scattered(rng, (0, 9000), (9000, n), 20_000, (n, n), dtype)
        return a, a

    def there_and_back(rng: np.random.Generator, dtype: Any) -> tuple[Any, Any]:
        n = 40_000
        a = scattered(rng, (0, 9000), (9000, n), 20_000, (n, n), dtype)
        return a, sp.csr_array(a.T)

    def isolated(rng: np.random.Generator, dtype: Any) -> tuple[Any, Any]:
        n = 50_000
        few = scattered(rng, (n - 300, n), (n - 300, n), 2000, (n, n), dtype)
        return few, few

    def nilpotent(rng: np.random.Generator, dtype: Any) -> tuple[Any, Any]:
        """Four layers, edges only from each to the next: the fourth power is zero."""
        n, layer = 36_000, 9000
        parts = [
            scattered(rng, (i * layer, (i + 1) * layer), ((i + 1) * layer, (i + 2) * layer), 12_000,
                      (n, n), dtype)
            for i in range(3)
        ]  # fmt: skip
        a = parts[0] + parts[1] + parts[2]
        return a, a

    def shift(rng: np.random.Generator, dtype: Any) -> tuple[Any, Any]:
        """Runs whose last rows have no products, at every border of a run."""
        n = 40_000
        rows = [[r + 1] if r % 97 < 60 and r + 1 < n else [] for r in range(n)]
        a = from_rows(rng, rows, n, dtype)
        return a, a

    def beyond_a_schedule(rng: np.random.Generator, dtype: Any) -> tuple[Any, Any]:
        """Repeated rows of more entries than a schedule has places, and hardly a product."""
        a = from_rows(rng, [np.arange(r, r + 8300) for r in range(40)], 8400, dtype)
        return a, from_rows(rng, [[j - 8340] if j >= 8340 else [] for j in range(8400)], 70, dtype)

    cases = (
        nothing,
        much_of_nothing,
        bipartite,
        large_bipartite,
        there_and_back,
        isolated,
        nilpotent,
        shift,
        beyond_a_schedule,
    )
    return {case.__name__: case for case in cases}


def of_width(m: sp.csr_array, integer: Any) -> sp.csr_array:
    """The same matrix with indices and pointers of that integer."""
    out = m.copy()
    out.indices, out.indptr = m.indices.astype(integer), m.indptr.astype(integer)
    return out


def broken(**parts: Any) -> sp.csr_array:
    a = sp.csr_array(np.ones((2, 2)))
    for name, value in parts.items():
        setattr(a, name, np.asarray(value))
    return a


# Products -----------------------------------------------------------------------------------------


def dense(m: sp.csr_array) -> tuple[torch.Tensor, torch.Tensor]:
    stored = sp.csr_array((np.ones(m.nnz, dtype=bool), m.indices, m.indptr), shape=m.shape)
    return torch.from_numpy(m.toarray()), torch.from_numpy(stored.toarray())


def looked_up(m: sp.csr_array, wanted: sp.csr_array) -> np.ndarray:
    """Entries of m at the places of `wanted`, zero where m stores none."""

    def keys(x: sp.csr_array) -> np.ndarray:
        rows = np.repeat(np.arange(x.shape[0], dtype=np.int64), np.diff(x.indptr))
        return rows * x.shape[1] + x.indices

    m = m.copy()
    m.sum_duplicates()
    have, want = keys(m), keys(wanted)
    at = np.minimum(np.searchsorted(have, want), max(0, have.size - 1))
    out = np.zeros(want.size, dtype=m.dtype)
    if have.size:
        hit = have[at] == want
        out[hit] = m.data[at[hit]]
    return out


def assert_canonical(c: Any) -> None:
    """Pointers that fit, columns strictly ascending in every row and in range."""
    assert c.indptr[0] == 0
    assert c.indptr[-1] == c.indices.size == c.data.size
    assert (np.diff(c.indptr) >= 0).all()
    assert c.indices.size == 0 or (c.indices.min() >= 0 and c.indices.max() < c.shape[1])
    first = np.zeros(c.indices.size + 1, dtype=bool)
    first[c.indptr] = True
    assert (np.diff(c.indices) > 0)[~first[1:-1]].all()


def assert_product(c: sp.csr_array, a: sp.csr_array, b: sp.csr_array) -> None:
    """C has A B's structural pattern, and every entry is as near as its own terms allow.

    The bound is that of any order of summation, terms * eps * (|A| |B|), but never below 8 eps.
    """
    assert isinstance(c, sp.csr_array)
    assert c.shape == (a.shape[0], b.shape[1])
    assert_canonical(c)
    if c.shape[1] > 10**5:  # scipy keeps several arrays of that length
        names, renamed = np.unique(b.indices, return_inverse=True)
        b = sp.csr_array((b.data, renamed, b.indptr), shape=(b.shape[0], names.size))
        at = np.searchsorted(names, c.indices)
        assert np.array_equal(names[at], c.indices)
        c = sp.csr_array((c.data, at, c.indptr), shape=(c.shape[0], names.size))
    ones = [sp.csr_array((np.ones(m.nnz), m.indices, m.indptr), shape=m.shape) for m in (a, b)]
    terms = ones[0] @ ones[1]
    terms.sort_indices()
    assert np.array_equal(c.indptr, terms.indptr)
    assert np.array_equal(c.indices, terms.indices)
    exact = [m.astype(np.float64 if c.dtype == np.float32 else np.longdouble) for m in (a, b)]
    expected = looked_up(exact[0] @ exact[1], c)
    room = looked_up(abs(exact[0]) @ abs(exact[1]), c)
    eps = np.finfo(c.dtype).eps
    assert (abs(c.data - expected) <= np.maximum(8, terms.data) * eps * room).all()


def check(a: sp.csr_array, b: sp.csr_array, **options: Any) -> sp.csr_array:
    c = spgemm(a, b, **options)
    assert c.dtype == a.dtype
    assert_product(c, a, b)
    return c
