# SPDX-License-Identifier: Apache-2.0
"""Sparse products against scipy, dense torch and GraphBLAS, and against what must always hold.

Tests called ``test_kernel_*``, here and in test_spmm.py, run once more under every narrower
instruction set.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
import scipy.sparse.csgraph
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.ops import build_info
from workbench.ops import spgemm_torch as op
from workbench.ops.reference.spgemm import spgemm_reference
from workbench.ops.spgemm import (
    SEMIRINGS,
    SpGEMMPlan,
    masked_spgemm,
    power,
    release_memory,
    spgemm,
    spgemm_flops,
    spgemm_nnz,
    transpose,
)

FLOATS = [np.float32, np.float64]
DTYPES = [np.float32, np.float64, np.int32, np.int64, np.complex64, np.complex128]
WINDOW = 2**20  # columns the kernel's accumulator covers at once
ISAS = ["base", "avx2", "avx512"]


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


seeds = st.integers(0, 2**32 - 1)
sizes = st.tuples(*(st.integers(0, 30) for _ in range(3)))
densities = st.sampled_from([0.03, 0.2, 0.7])


# Products, every accumulator ---------------------------------------------------------------------


@given(seeds, sizes, densities, st.sampled_from(FLOATS), st.sampled_from([1, 2, 3]))
@settings(max_examples=80, deadline=None)
def test_kernel_random_products_equal_scipy(
    seed: int, size: tuple[int, int, int], density: float, dtype: Any, threads: int
) -> None:
    rng = np.random.default_rng(seed)
    m, k, n = size
    a, b = random_csr(rng, m, k, density, dtype), random_csr(rng, k, n, density, dtype)
    check(a, b, num_threads=threads)


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


EDGES = [1, 2, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 256, 257]


@pytest.mark.parametrize("products", EDGES)
@pytest.mark.parametrize("dtype", FLOATS)
def test_kernel_rows_of_exactly_so_many_products(products: int, dtype: Any) -> None:
    rng = np.random.default_rng(products)
    for spread in (1, products + 1, 600):
        a, b = rows_of_exactly(rng, products, 1000, spread, dtype)
        assert spgemm_flops(a, b) == 4 * products
        check(a, b)


@pytest.mark.parametrize("cols", [2**24, 2**24 + 1, 2**25, 2**25 + 1, 2**26])
def test_kernel_rows_of_exactly_so_many_products_in_wide_matrices(cols: int) -> None:
    """The packed keys of the sorting networks hold so many columns and no more."""
    rng = np.random.default_rng(cols)
    for products in (2, 16, 17, 32, 33, 64, 65, 128, 129, 256, 257, 700):
        for spread in (products, cols // 2):
            a, b = rows_of_exactly(rng, products, cols, spread, np.float32)
            check(a, b)


@pytest.mark.parametrize("cols", [2**26 + 1, 2**27, 2**27 + 1, 2**31 - 1])
def test_kernel_columns_up_to_31_bits(cols: int) -> None:
    """Under spgemm(), which numbers the columns of such matrices anew."""
    rng = np.random.default_rng(cols)
    for products in (16, 17, 32, 33, 64, 65, 128, 129, 256, 257):
        a, b = rows_of_exactly(rng, products, cols, cols // 3, np.float64)
        parts = [torch.from_numpy(x) for m in (a, b) for x in (m.indptr, m.indices, m.data)]
        ptr, idx, val = (x.numpy() for x in op.multiply(*parts, cols, 0, False))
        c = sp.csr_array((a.shape[0], cols))
        c.data, c.indices, c.indptr = val, idx, ptr
        assert_product(c, a, b)


@pytest.mark.parametrize("cols", [WINDOW - 1, WINDOW, WINDOW + 1, 3 * WINDOW, 3 * WINDOW + 7])
@pytest.mark.parametrize("dtype", FLOATS)
def test_kernel_matrices_wider_than_a_window(cols: int, dtype: Any) -> None:
    rng = np.random.default_rng(cols)
    borders = [c for w in range(WINDOW, cols, WINDOW) for c in (w - 1, w)]
    b_rows = [np.unique([0, cols - 1, *borders, *random_columns(rng, 400, cols)])]
    b_rows += [random_columns(rng, count, cols) for count in (0, 1, 7, 300, 2000)]
    edge = min(WINDOW, cols - 50)
    b_rows.append(range(edge - 100, edge + 50))  # contiguous, over the border
    b_rows.append(range(cols - 64, cols))
    b = from_rows(rng, b_rows, cols, dtype)
    a_rows = [range(8), [0], [], [0, 5], [0, 6], [4, 6, 7], [1, 2, 3], [0, 1], [6]]
    check(from_rows(rng, a_rows, 8, dtype), b)


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


@pytest.mark.parametrize("place", ["first", "last", "alone", "twice"])
def test_kernel_one_dense_row(place: str) -> None:
    """Cut by columns: between several threads it stays one sorted row."""
    rng = np.random.default_rng(1)
    a, b = hub(rng, place, 40_000, np.float64 if place == "twice" else np.float32)
    check(a, b, num_threads=2)


@pytest.mark.parametrize("cols", [300, 5000, 2 * WINDOW + 3])
def test_kernel_one_dense_row_over_few_and_many_columns(cols: int) -> None:
    a, b = hub(np.random.default_rng(cols), "last", cols, np.float32)
    check(a, b, num_threads=2)


def test_kernel_a_long_row_of_b_under_one_entry_of_a() -> None:
    """The scaled copy, cut by columns like any other hub."""
    rng = np.random.default_rng(2)
    cols = 600_000
    b = from_rows(rng, [random_columns(rng, 400_000, cols), [5], []], cols, np.float32)
    check(from_rows(rng, [[1], [0], [2], [0, 1], []], 3, np.float32), b)


def test_kernel_hub_column() -> None:
    """Every row of A asks for the same long row of B."""
    rng = np.random.default_rng(3)
    b_rows = [random_columns(rng, 900, 2000)] + [random_columns(rng, 3, 2000) for _ in range(99)]
    a_rows = [np.unique([0, *random_columns(rng, int(c), 100)]) for c in rng.integers(0, 6, 300)]
    check(from_rows(rng, a_rows, 100), from_rows(rng, b_rows, 2000))


def test_kernel_many_short_rows() -> None:
    rng = np.random.default_rng(4)
    a = from_rows(rng, [random_columns(rng, int(c), 3000) for c in rng.integers(0, 12, 3000)], 3000)
    check(a, a, num_threads=2)


@pytest.mark.parametrize("length", [1, 7, 8, 9, 63, 64, 65, 300])
@pytest.mark.parametrize("dtype", FLOATS)
def test_kernel_contiguous_rows_of_b(length: int, dtype: Any) -> None:
    """Rows of consecutive columns are added without looking at them one by one."""
    rng = np.random.default_rng(length)
    cols = 1000
    starts = [0, cols - length, *rng.integers(0, cols - length + 1, 600)]
    b = from_rows(rng, [range(s, s + length) for s in starts], cols, dtype)
    rows = [random_columns(rng, count, 602) for count in (600, 257, 40, 2, 1, 0)]
    check(from_rows(rng, [*rows, [0, 1]], 602, dtype), b)


# Runs of shifted rows -----------------------------------------------------------------------------


def stencil(rng: np.random.Generator, size: int, offsets: Sequence[int], dtype: Any) -> Any:
    rows = [[r + o for o in offsets if 0 <= r + o < size] for r in range(size)]
    return from_rows(rng, rows, size, dtype)


STENCILS = {
    "diagonal": [0],
    "bidiagonal": [-1, 0],
    "tridiagonal": [-1, 0, 1],
    "upper": [1, 2, 5],
    "lower": [-30, -1],
    "poisson": [-20, -1, 0, 1, 20],
    "band": list(range(-9, 10)),
    "wide band": list(range(-40, 41)),
    "far": [-250, 0, 250],
}


@pytest.mark.parametrize("offsets", STENCILS.values(), ids=STENCILS)
@pytest.mark.parametrize("dtype", FLOATS)
def test_kernel_stencils(offsets: list[int], dtype: Any) -> None:
    rng = np.random.default_rng(5)
    a, b = (stencil(rng, 300, offsets, dtype) for _ in range(2))
    check(a, b)
    check(a, a)
    check(a, stencil(rng, 300, [-3, 2], dtype))


@pytest.mark.parametrize("half", [63, 64, 65])
def test_kernel_bands_around_the_largest_schedule(half: int) -> None:
    """Rows of up to 16384 products share a schedule, longer ones go through the window."""
    a = stencil(np.random.default_rng(half), 340, range(-half, half), np.float32)
    check(a, a)


def broken_run(rng: np.random.Generator, size: int, place: int, how: str, dtype: Any) -> Any:
    rows = [[r + o for o in (-2, 0, 1, 7) if 0 <= r + o < size] for r in range(size)]
    if how == "missing":
        rows[place] = rows[place][1:]
    elif how == "moved":
        rows[place] = sorted({*rows[place][:-1], (rows[place][-1] + 3) % size})
    else:
        rows[place] = []
    return from_rows(rng, rows, size, dtype)


@pytest.mark.parametrize("how", ["missing", "moved", "empty"])
@pytest.mark.parametrize("side", ["A", "B", "both"])
def test_kernel_runs_broken_at_every_place(how: str, side: str) -> None:
    rng = np.random.default_rng(6)
    whole = stencil(rng, 70, (-2, 0, 1, 7), np.float32)
    for place in range(70):
        broken = broken_run(rng, 70, place, how, np.float32)
        check(broken if side != "B" else whole, broken if side != "A" else whole)


def runs_of(
    rng: np.random.Generator, lengths: Sequence[int], cols: int, width: int, dtype: Any
) -> Any:
    """Runs of so many rows each; every second one starts at column 0 or ends at the last one."""
    rows: list[Any] = []
    for number, length in enumerate(lengths):
        count = int(rng.integers(0, width + 1)) if number % 5 == 4 else width
        reach = cols - length + 1
        first = random_columns(rng, count, reach)
        if count and number % 4 == 0:
            first[0] = 0
        if count and number % 4 == 2:
            first[-1] = reach - 1
        rows += [first + shift for shift in range(length)]
    return from_rows(rng, rows, cols, dtype)


@pytest.mark.parametrize("length", [1, 2, 15, 16, 17, 31, 32, 33, 64, 65])
@pytest.mark.parametrize("dtype", FLOATS)
def test_kernel_runs_of_so_many_rows(length: int, dtype: Any) -> None:
    rng = np.random.default_rng(length)
    b = runs_of(rng, [length] * (260 // length + 1), 200, 6, dtype)
    k = b.shape[0]
    check(runs_of(rng, [length] * 6, k, 3, dtype), b)
    check(stencil(rng, k, [-1, 0, 4], dtype), b)
    check(runs_of(rng, [33] * 4, k, 40, dtype), b)


@given(
    seeds,
    st.lists(st.sampled_from([1, 2, 15, 16, 17, 33, 50]), min_size=2, max_size=8),
    st.lists(st.sampled_from([1, 2, 15, 16, 17, 33, 50]), min_size=2, max_size=8),
    st.sampled_from(FLOATS),
)
@settings(max_examples=35, deadline=None)
def test_kernel_any_runs(seed: int, left: list[int], right: list[int], dtype: Any) -> None:
    rng = np.random.default_rng(seed)
    b = runs_of(rng, right, 90, 5, dtype)
    a = runs_of(rng, left, max(b.shape[0], 60), 5, dtype)
    b = sp.vstack([b, sp.csr_array((a.shape[1] - b.shape[0], 90), dtype=dtype)], format="csr")
    check(a, b)
    plan = SpGEMMPlan(a, b)
    assert_product(plan.matrix(a.data, b.data), a, b)


def test_kernel_runs_of_empty_rows() -> None:
    rng = np.random.default_rng(7)
    empty = sp.csr_array((200, 200))
    a = stencil(rng, 200, [-1, 0, 1], np.float64)
    half = a.copy()
    half = from_rows(rng, [a.indices[a.indptr[r] : a.indptr[r + 1]] * (r < 100) for r in ()], 200)
    rows = [[r] if 50 < r < 150 else [] for r in range(200)]
    half = from_rows(rng, rows, 200)
    for left, right in ((empty, a), (a, empty), (empty, empty), (half, a), (a, half), (half, half)):
        check(left, right)


def test_kernel_stencils_wider_than_a_window() -> None:
    """No runs there: every row goes its own way."""
    rng = np.random.default_rng(8)
    far = from_rows(rng, [[r, r + WINDOW] for r in range(100)], WINDOW + 100, np.float32)
    check(stencil(rng, 100, [-1, 0, 1], np.float32), far)


# The same bits for any number of threads --------------------------------------------------------


def threaded_cases(dtype: Any) -> dict[str, tuple[Any, Any]]:
    rng = np.random.default_rng(9)
    power_law = [random_columns(rng, int(c), 2000) for c in 1 + 400 * rng.random(2000) ** 12]
    a = from_rows(rng, power_law, 2000, dtype)
    wide = from_rows(
        rng, [random_columns(rng, 100, 2 * WINDOW) for _ in range(400)], 2 * WINDOW, dtype
    )
    left = from_rows(rng, [random_columns(rng, 5, 400) for _ in range(300)], 400, dtype)
    band = stencil(rng, 2000, range(-6, 7), dtype)
    return {
        "power law": (a, a),
        "hub": hub(rng, "twice", 30_000, dtype),
        "wide": (left, wide),
        "band": (band, band),
    }


@pytest.mark.parametrize("case", ["power law", "hub", "wide", "band"])
@pytest.mark.parametrize("dtype", FLOATS)
def test_products_have_the_same_bits_for_any_number_of_threads(case: str, dtype: Any) -> None:
    a, b = threaded_cases(dtype)[case]
    assert spgemm_flops(a, b) > 100_000  # or one thread would do it all
    plan = SpGEMMPlan(a, b)
    one = spgemm(a, b, num_threads=1)
    numeric = plan.numeric(a.data, b.data)
    masked = spgemm(a, b, mask=one[:, ::1], num_threads=1)
    for threads in (2, 3, 8):
        many = spgemm(a, b, num_threads=threads)
        assert np.array_equal(many.indptr, one.indptr)
        assert np.array_equal(many.indices, one.indices)
        assert many.data.tobytes() == one.data.tobytes()
        again = SpGEMMPlan(a, b, num_threads=threads).numeric(a.data, b.data)
        assert again.tobytes() == numeric.tobytes()
        other = spgemm(a, b, mask=one, num_threads=threads)
        assert other.data.tobytes() == masked.data.tobytes()
        for semiring in ("min_plus", "plus_pair") if threads == 3 else ():
            first, second = (spgemm(a, b, semiring, num_threads=t) for t in (1, threads))
            assert first.data.tobytes() == second.data.tobytes()
            assert np.array_equal(first.indices, second.indices)


def test_products_may_be_taken_by_many_threads_at_once() -> None:
    rng = np.random.default_rng(10)
    matrices = [random_csr(rng, 200, 200, 0.1) for _ in range(6)]
    alone = [spgemm(m, m) for m in matrices]
    found: list[Any] = [None] * 6

    def work(i: int) -> None:
        for _ in range(5):
            found[i] = spgemm(matrices[i], matrices[i], num_threads=2)

    workers = [threading.Thread(target=work, args=(i,)) for i in range(6)]
    for w in workers:
        w.start()
    for w in workers:
        w.join()
    for ours, theirs in zip(found, alone, strict=True):
        assert ours.data.tobytes() == theirs.data.tobytes()


def test_results_outlive_later_products_and_released_memory() -> None:
    rng = np.random.default_rng(11)
    a = random_csr(rng, 300, 300, 0.1)
    first = spgemm(a, a)
    kept = first.copy()
    for _ in range(3):
        other = spgemm(first, a)
        del other
        release_memory()
    assert np.array_equal(first.data, kept.data)
    assert np.array_equal(first.indices, kept.indices)
    assert np.array_equal(first.indptr, kept.indptr)


# Shapes with nothing in them ----------------------------------------------------------------------

EMPTY_SHAPES = [(0, 3, 4), (3, 0, 4), (3, 4, 0), (0, 0, 0), (0, 0, 5), (5, 0, 0), (1, 1, 1)]


@pytest.mark.parametrize("shape", EMPTY_SHAPES)
@pytest.mark.parametrize("semiring", SEMIRINGS)
def test_no_rows_no_columns_nothing_inside(shape: tuple[int, int, int], semiring: str) -> None:
    m, k, n = shape
    a, b = sp.csr_array((m, k), dtype=np.float32), sp.csr_array((k, n), dtype=np.float32)
    mask = sp.csr_array((m, n))
    for options in ({}, {"mask": mask}, {"mask": mask, "complement": True}):
        c = spgemm(a, b, semiring, **options)
        assert c.shape == (m, n)
        assert c.nnz == 0
        assert c.dtype == (bool if semiring == "or_and" else np.float32)
        assert_canonical(c)
    assert spgemm_flops(a, b) == spgemm_nnz(a, b) == 0


@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (4, 6)])
def test_all_empty_against_full(shape: tuple[int, int]) -> None:
    m, k = shape
    full = sp.csr_array(np.ones((k, 3)))
    assert spgemm(sp.csr_array((m, k)), full).nnz == 0
    assert spgemm(sp.csr_array(np.ones((3, m))), sp.csr_array((m, k))).nnz == 0


def test_empty_rows_between_full_ones() -> None:
    rng = np.random.default_rng(12)
    a = from_rows(rng, [[], [0, 2], [], [], [1], []], 3)
    check(a, from_rows(rng, [[0, 1], [], [1]], 2))


# Numbers that are no ordinary numbers -------------------------------------------------------------


@pytest.mark.parametrize("products", [1, 2, 10, 40, 200, 300])
@pytest.mark.parametrize("dtype", FLOATS)
def test_zero_times_infinity_is_nan(products: int, dtype: Any) -> None:
    """In every accumulator: values are never looked at to skip work."""
    a = sp.csr_array(np.ones((1, products), dtype=dtype))
    a.data[-1] = 0
    b = sp.csr_array(np.ones((products, 2), dtype=dtype))
    b.data[-1] = np.inf
    c = spgemm(a, b).toarray()
    assert c[0, 0] == products - 1
    assert np.isnan(c[0, 1])


def test_nan_and_infinity_spread_as_in_dense_products() -> None:
    rng = np.random.default_rng(13)
    for _ in range(12):
        a, b = (random_csr(rng, 12, 12, 0.3) for _ in range(2))
        for m in (a, b):
            m.data[rng.random(m.nnz) < 0.1] = rng.choice([np.nan, np.inf, -np.inf])
        c = spgemm(a, b)
        with np.errstate(invalid="ignore"):
            for i in range(12):
                for j in range(12):
                    left, right = a[[i]], b[:, [j]].tocsr()
                    terms = [
                        v * right[[col], [0]][0]
                        for col, v in zip(left.indices, left.data, strict=True)
                        if right.indptr[col] != right.indptr[col + 1]
                    ]
                    if terms:
                        np.testing.assert_allclose(c[i, j], np.sum(terms), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("products", [1, 2, 20, 100, 300])
@pytest.mark.parametrize("dtype", FLOATS)
def test_minus_zero_is_kept(products: int, dtype: Any) -> None:
    """A sum of negative zeros is one, in every accumulator and in the plan."""
    a = sp.csr_array(np.ones((1, products), dtype=dtype))
    b = sp.csr_array(np.ones((products, 1), dtype=dtype))
    b.data[:] = -0.0
    assert np.signbit(spgemm(a, b).data).all()
    assert np.signbit(spgemm(a, b, mask=sp.csr_array(np.ones((1, 1)))).data).all()
    assert np.signbit(SpGEMMPlan(a, b).numeric(a.data, b.data)).all()
    band = stencil(np.random.default_rng(14), 100, [-1, 0, 1], dtype)
    band.data[:] = 1
    negative = band.copy()
    negative.data[:] = -0.0
    assert np.signbit(spgemm(band, negative).data).all()


@pytest.mark.parametrize("dtype", [np.int32, np.int64])
def test_integers_wrap_around_like_numpy(dtype: Any) -> None:
    big = np.iinfo(dtype).max
    a = np.array([[big, big], [2, 3]], dtype=dtype)
    b = np.array([[2, big], [big, 7]], dtype=dtype)
    with np.errstate(over="ignore"):
        expected = a @ b
    c = spgemm(sp.csr_array(a), sp.csr_array(b))
    assert c.dtype == dtype
    assert np.array_equal(c.toarray(), expected)
    lowest = spgemm(sp.csr_array(a), sp.csr_array(b), "min_plus").toarray()
    assert np.array_equal(lowest, (a[:, :, None] + b[None]).min(axis=1))


def test_explicit_zeros_take_part_in_the_pattern() -> None:
    a = sp.csr_array((np.array([0.0, 1.0]), np.array([0, 1]), np.array([0, 1, 2])), shape=(2, 2))
    c = spgemm(a, sp.csr_array(np.ones((2, 2))))
    assert c.nnz == 4
    assert c.toarray().tolist() == [[0, 0], [1, 1]]


def test_exact_cancellation_keeps_the_entry_unless_zeros_are_dropped() -> None:
    a, b = sp.csr_array([[1.0, -1.0]]), sp.csr_array([[1.0, 2.0], [1.0, 1.0]])
    assert spgemm(a, b).data.tolist() == [0.0, 1.0]
    dropped = spgemm(a, b, drop_zeros=True)
    assert_canonical(dropped)
    assert dropped.indices.tolist() == [1]
    assert dropped.data.tolist() == [1.0]


@given(seeds, st.sampled_from(DTYPES))
@settings(max_examples=30, deadline=None)
def test_drop_zeros_leaves_what_is_not_zero(seed: int, dtype: Any) -> None:
    rng = np.random.default_rng(seed)
    a, b = random_csr(rng, 9, 8, 0.5, dtype), random_csr(rng, 8, 7, 0.5, dtype)
    if np.dtype(dtype).kind != "i":
        a.data, b.data = np.sign(a.data.real).astype(dtype), np.sign(b.data.real).astype(dtype)
    c, dropped = spgemm(a, b), spgemm(a, b, drop_zeros=True)
    assert_canonical(dropped)
    assert (dropped.data != 0).all()
    assert np.array_equal(dropped.toarray(), c.toarray())


def test_a_matrix_times_itself_is_read_once() -> None:
    rng = np.random.default_rng(15)
    for a in (random_csr(rng, 40, 40, 0.2), stencil(rng, 200, [-1, 0, 3], np.float64)):
        same, twin = spgemm(a, a), spgemm(a, a.copy())
        assert same.data.tobytes() == twin.data.tobytes()
        check(a, a)


# Indices ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cols", [2**26 + 1, 2**31, 2**40, 2**62])
def test_very_many_columns_with_few_entries(cols: int) -> None:
    a = sp.csr_array(np.array([[1.0, 2.0], [0.0, 3.0]]))
    indices = np.array([0, cols - 1, 5, cols - 1])
    b = sp.csr_array((np.array([1.0, 2, 3, 4]), indices, np.array([0, 2, 4])), shape=(2, cols))
    for semiring, expected in (
        ("plus_times", [1.0, 6.0, 10.0, 9.0, 12.0]),
        ("min_plus", [2.0, 5.0, 3.0, 6.0, 7.0]),
    ):
        c = spgemm(a, b, semiring)
        assert c.shape == (2, cols)
        assert c.indices.tolist() == [0, 5, cols - 1, 5, cols - 1]
        assert c.data.tolist() == expected
        assert c.indices.dtype == (np.int64 if cols > 2**31 else np.int32)
    mask = sp.csr_array((np.ones(3), np.array([5, 7, cols - 1]), [0, 2, 3]), shape=(2, cols))
    assert spgemm(a, b, mask=mask).indices.tolist() == [5, cols - 1]
    assert spgemm(a, b, mask=mask, complement=True).indices.tolist() == [0, cols - 1, 5]
    assert spgemm_nnz(a, b) == 5
    assert spgemm_flops(a, b) == 6
    if cols > 2**31:
        with pytest.raises(ValueError, match="index_dtype"):
            spgemm(a, b, index_dtype="int32")


def test_very_many_columns_may_all_be_empty() -> None:
    c = spgemm(sp.csr_array(np.ones((2, 3))), sp.csr_array((3, 2**60)))
    assert c.shape == (2, 2**60)
    assert c.nnz == 0


@pytest.mark.parametrize("wanted", ["auto", "int32", "int64"])
@pytest.mark.parametrize("left", [np.int32, np.int64])
@pytest.mark.parametrize("right", [np.int32, np.int64])
def test_index_widths_may_differ(wanted: str, left: Any, right: Any) -> None:
    rng = np.random.default_rng(16)
    a, b = random_csr(rng, 20, 20, 0.3), random_csr(rng, 20, 20, 0.3)
    expected = spgemm(a, b)
    for m, dtype in ((a, left), (b, right)):
        m.indices, m.indptr = m.indices.astype(dtype), m.indptr.astype(dtype)
    for semiring in ("plus_times", "max_plus"):
        for options in ({}, {"mask": b}):
            c = spgemm(a, b, semiring, index_dtype=wanted, **options)
            assert c.indices.dtype == c.indptr.dtype == (left if wanted == "auto" else wanted)
            assert_canonical(c)
    c = spgemm(a, b, index_dtype=wanted)
    assert c.data.tobytes() == expected.data.tobytes()
    assert np.array_equal(c.indices, expected.indices)


def test_pointers_and_columns_of_different_widths() -> None:
    rng = np.random.default_rng(17)
    a = random_csr(rng, 20, 20, 0.3)
    expected = spgemm(a, a)
    a.indptr = a.indptr.astype(np.int64)
    assert np.array_equal(spgemm(a, a).toarray(), expected.toarray())


# Semirings ----------------------------------------------------------------------------------------


def dense(m: sp.csr_array) -> tuple[torch.Tensor, torch.Tensor]:
    stored = sp.csr_array((np.ones(m.nnz, dtype=bool), m.indices, m.indptr), shape=m.shape)
    return torch.from_numpy(m.toarray()), torch.from_numpy(stored.toarray())


def defined(semiring: str, dtype: Any) -> bool:
    kind = np.dtype(dtype).kind
    if kind == "b":
        return semiring in ("or_and", "any_pair", "plus_times")
    ordered = semiring.startswith(("min", "max"))
    return not (kind == "c" and ordered)


PAIRS = [(s, d) for s in SEMIRINGS for d in [*DTYPES, np.bool_] if defined(s, d)]


@pytest.mark.parametrize(("semiring", "dtype"), PAIRS)
def test_semirings_equal_the_reference(semiring: str, dtype: Any) -> None:
    @given(seeds, st.tuples(*(st.integers(0, 8) for _ in range(3))))
    @settings(max_examples=8, deadline=None)
    def equal(seed: int, size: tuple[int, int, int]) -> None:
        rng = np.random.default_rng(seed)
        m, k, n = size
        a, b = random_csr(rng, m, k, 0.5, dtype), random_csr(rng, k, n, 0.5, dtype)
        name = "or_and" if dtype is np.bool_ and semiring == "plus_times" else semiring
        expected, stored = spgemm_reference(*dense(a), *dense(b), name)
        if name == "or_and":
            expected = expected.bool()
        masks = random_csr(rng, m, n, 0.5)
        places = dense(masks)[1]
        for options, where in (
            ({}, torch.ones_like(places)),
            ({"mask": masks}, places),
            ({"mask": masks, "complement": True}, ~places),
        ):
            c = spgemm(a, b, semiring, **options)
            assert_canonical(c)
            ours, ours_stored = dense(c)
            assert torch.equal(ours_stored, stored & where)
            assert ours.dtype == expected.dtype
            torch.testing.assert_close(
                ours, expected.masked_fill(~where, 0), rtol=1e-4, atol=1e-4 if m else 0
            )

    equal()


@pytest.mark.parametrize("semiring", SEMIRINGS)
def test_semirings_equal_graphblas(semiring: str) -> None:
    gb = pytest.importorskip("graphblas")
    try:
        gb.init("suitesparse", blocking=True)
        gb.Matrix  # noqa: B018 - loads the rest
    except AttributeError as error:
        pytest.skip(f"this python-graphblas does not fit its SuiteSparse: {error}")
    names = {"or_and": "lor_land"}
    theirs = getattr(gb.semiring, names.get(semiring, semiring))
    rng = np.random.default_rng(18)
    for dtype in (np.float64, np.int64):
        a, b = random_csr(rng, 60, 50, 0.2, dtype), random_csr(rng, 50, 70, 0.2, dtype)
        mask = random_csr(rng, 60, 70, 0.3)
        left, right, places = (gb.io.from_scipy_sparse(sp.csr_array(m)) for m in (a, b, mask))
        for options, where in (
            ({}, None),
            ({"mask": mask}, places.S),
            ({"mask": mask, "complement": True}, ~places.S),
        ):
            ours = spgemm(a, b, semiring, **options)
            result = gb.Matrix(theirs[dtype.__name__].return_type, 60, 70)
            expression = left.mxm(right, theirs)
            if where is None:
                result << expression
            else:
                result(where) << expression
            rows, columns, entries = result.to_coo(sort=True)
            assert np.array_equal(np.repeat(np.arange(60), np.diff(ours.indptr)), rows)
            assert np.array_equal(ours.indices, columns)
            np.testing.assert_allclose(ours.data, entries, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("semiring", ["min_plus", "max_plus", "min_max", "max_min", "min_first"])
def test_orders_hand_nan_on_like_numpy(semiring: str) -> None:
    a = sp.csr_array(np.array([[1.0, np.nan], [2.0, 3.0]]))
    c = spgemm(a, sp.csr_array(np.ones((2, 2))), semiring).toarray()
    assert np.isnan(c[0]).all()
    assert np.isfinite(c[1]).all()


def test_orders_hand_infinities_on() -> None:
    a = sp.csr_array(np.array([[np.inf]]))
    one = sp.csr_array([[1.0]])
    assert spgemm(a, one, "min_plus").data.tolist() == [np.inf]
    assert spgemm(-a, one, "max_plus").data.tolist() == [-np.inf]


def test_min_plus_closure_equals_dijkstra() -> None:
    rng = np.random.default_rng(19)
    graph = random_csr(rng, 40, 40, 0.1)
    graph.data = abs(graph.data) + 0.1
    graph = graph + sp.csr_array((40, 40))
    looped = sp.lil_array(graph)
    looped.setdiag(1.0)
    looped = sp.csr_array(looped)
    looped.data[looped.indices == np.repeat(np.arange(40), np.diff(looped.indptr))] = 0
    closure = power(looped, 64, "min_plus")
    expected = scipy.sparse.csgraph.dijkstra(graph)
    found = np.full((40, 40), np.inf)
    found[np.repeat(np.arange(40), np.diff(closure.indptr)), closure.indices] = closure.data
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_masked_plus_pair_counts_triangles() -> None:
    networkx = pytest.importorskip("networkx")
    graph = networkx.gnp_random_graph(80, 0.15, seed=1)
    adjacency = sp.csr_array(networkx.to_scipy_sparse_array(graph, dtype=np.int64))
    lower = sp.csr_array(sp.tril(adjacency, -1))
    counted = masked_spgemm(lower, lower, lower, semiring="plus_pair")
    assert counted.sum() == sum(networkx.triangles(graph).values()) // 3


# Masks --------------------------------------------------------------------------------------------


@given(seeds, sizes, densities, st.booleans(), st.sampled_from(FLOATS))
@settings(max_examples=40, deadline=None)
def test_masks_choose_entries_of_the_product(
    seed: int, size: tuple[int, int, int], density: float, complement: bool, dtype: Any
) -> None:
    rng = np.random.default_rng(seed)
    m, k, n = size
    a, b = random_csr(rng, m, k, density, dtype), random_csr(rng, k, n, density, dtype)
    mask = random_csr(rng, m, n, density)
    mask.data[:] = 0  # its values do not matter
    c = spgemm(a, b, mask=mask, complement=complement)
    assert_canonical(c)
    whole, stored = dense(spgemm(a, b))
    wanted = dense(mask)[1] ^ complement
    ours, ours_stored = dense(c)
    assert torch.equal(ours_stored, stored & wanted)
    torch.testing.assert_close(ours, whole.masked_fill(~wanted, 0), rtol=1e-4, atol=1e-5)


def test_a_mask_with_repeated_and_unsorted_columns() -> None:
    a = sp.csr_array(np.ones((2, 3)))
    mask = sp.csr_array((np.ones(4), np.array([2, 0, 2, 1]), np.array([0, 3, 4])), shape=(2, 3))
    c = spgemm(a, sp.csr_array(np.ones((3, 3))), mask=mask)
    assert c.toarray().tolist() == [[3, 0, 3], [0, 3, 0]]
    c = spgemm(a, sp.csr_array(np.ones((3, 3))), mask=mask, complement=True)
    assert c.toarray().tolist() == [[0, 3, 0], [3, 0, 3]]


def test_masks_of_matrices_too_wide_for_a_table() -> None:
    rng = np.random.default_rng(20)
    cols = 2**24 + 100
    b = from_rows(rng, [[0, 5, cols - 1], [5, 100, cols - 1]], cols)
    a = from_rows(rng, [[0, 1], [1]], 2)
    mask = from_rows(rng, [[5, 7, cols - 1], [0, 100]], cols)
    whole = spgemm(a, b)
    c = spgemm(a, b, mask=mask)
    assert c.indices.tolist() == [5, cols - 1, 100]
    np.testing.assert_allclose(c.data, whole.data[[1, 3, 5]], rtol=1e-15)
    assert spgemm(a, b, mask=mask, complement=True).indices.tolist() == [0, 100, 5, cols - 1]


# Options ------------------------------------------------------------------------------------------


def test_accumulating_in_more_bits_rounds_once() -> None:
    rng = np.random.default_rng(21)
    a = sp.csr_array(rng.normal(size=(1, 5000)).astype(np.float32))
    b = sp.csr_array(rng.normal(size=(5000, 1)).astype(np.float32))
    c = spgemm(a, b, accumulate=torch.float64)
    assert c.dtype == np.float32
    exact = (a.astype(np.float64) @ b.astype(np.float64)).toarray()
    assert c.toarray()[0, 0] == np.float32(exact[0, 0])


@pytest.mark.parametrize(
    ("dtype", "semiring", "accumulate"),
    [
        (np.complex128, "plus_times", torch.float64),
        (np.float64, "plus_times", torch.float32),
        (np.float32, "plus_times", torch.bool),
        (np.float32, "plus_times", torch.float16),
        (np.float32, "min_plus", torch.complex64),
        (np.bool_, "or_and", torch.float32),
    ],
)
def test_accumulating_in_fewer_bits_is_refused(dtype: Any, semiring: str, accumulate: Any) -> None:
    a = sp.csr_array(np.ones((2, 2), dtype=dtype))
    with pytest.raises(TypeError, match=r"accumulate|semiring"):
        spgemm(a, a, semiring, accumulate=accumulate)


def test_unchecked_products_are_the_same() -> None:
    rng = np.random.default_rng(22)
    a = random_csr(rng, 30, 30, 0.3)
    assert spgemm(a, a, check=False).data.tobytes() == spgemm(a, a).data.tobytes()


@given(seeds, sizes, densities)
@settings(max_examples=30, deadline=None)
def test_counts_of_work_and_entries(seed: int, size: tuple[int, int, int], density: float) -> None:
    rng = np.random.default_rng(seed)
    m, k, n = size
    a, b = random_csr(rng, m, k, density), random_csr(rng, k, n, density)
    assert spgemm_nnz(a, b) == spgemm(a, b).nnz
    assert spgemm_flops(a, b) == np.diff(b.indptr)[a.indices].sum()


def test_counts_of_boolean_matrices() -> None:
    a = sp.csr_array(np.ones((3, 3), dtype=bool))
    assert (spgemm_flops(a, a), spgemm_nnz(a, a)) == (27, 9)


# What must always hold ----------------------------------------------------------------------------


@given(seeds, sizes, densities)
@settings(max_examples=40, deadline=None)
def test_algebra(seed: int, size: tuple[int, int, int], density: float) -> None:
    rng = np.random.default_rng(seed)
    m, k, n = size
    # Small integers: every sum is exact, so equality is that of bits.
    a, b = (random_csr(rng, *s, density, np.int64).astype(np.float64) for s in ((m, k), (k, n)))
    c = spgemm(a, b)

    def same(x: Any, y: Any) -> None:
        assert_canonical(x)
        assert np.array_equal(x.indptr, y.indptr)
        assert np.array_equal(x.indices, y.indices)
        assert np.array_equal(x.data, y.data)

    same(spgemm(transpose(b), transpose(a)), transpose(c))
    same(transpose(transpose(a)), a)
    same(spgemm(a, sp.eye_array(k, format="csr")), a)
    same(spgemm(sp.eye_array(m, format="csr"), a), a)
    x = rng.integers(-3, 4, n).astype(float)
    assert np.array_equal(c @ x, a @ (b @ x))
    rows, columns, inner = (rng.permutation(s) for s in (m, n, k))
    moved = spgemm(a[rows][:, inner].tocsr(), b[inner][:, columns].tocsr())
    expected = c[rows][:, columns].tocsr()
    expected.sort_indices()
    same(moved, expected)


@given(seeds, st.integers(1, 9), st.sampled_from(["plus_times", "min_plus", "max_min", "or_and"]))
@settings(max_examples=25, deadline=None)
def test_powers_are_repeated_products(seed: int, k: int, semiring: str) -> None:
    a = random_csr(np.random.default_rng(seed), 8, 8, 0.3, np.int64)
    a.data %= 3
    expected = a if semiring != "or_and" else a.astype(bool)
    for _ in range(k - 1):
        expected = spgemm(expected, a, semiring)
    found = power(a, k, semiring)  # the first power is the matrix as it came
    assert np.array_equal(found.toarray().astype(expected.dtype), expected.toarray())


def test_powers_refuse_what_they_cannot_do() -> None:
    a = sp.csr_array(np.ones((2, 3)))
    with pytest.raises(ValueError, match="square"):
        power(a, 2)
    with pytest.raises(ValueError, match="k must"):
        power(a, 0)
    for semiring in ("plus_first", "any_pair", "min_first", "plus_second"):
        with pytest.raises(ValueError, match="associative"):
            power(sp.csr_array(np.ones((2, 2))), 2, semiring)


# What is refused ----------------------------------------------------------------------------------


def broken(**parts: Any) -> sp.csr_array:
    a = sp.csr_array(np.ones((2, 2)))
    for name, value in parts.items():
        setattr(a, name, np.asarray(value))
    return a


BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "pointers not from 0": ({"indptr": [1, 2, 4]}, "indptr must start at 0"),
    "pointers that fall": ({"indptr": [0, 5, 4]}, "indptr must not decrease"),
    "last pointer too small": ({"indptr": [0, 2, 3]}, "indptr must end at"),
    "last pointer too large": ({"indptr": [0, 2, 9]}, "indptr must end at"),
    "too few pointers": ({"indptr": [0, 4]}, "indptr must have 3"),
    "too many pointers": ({"indptr": [0, 2, 3, 4]}, "indptr must have 3"),
    "negative column": ({"indices": [0, -1, 0, 1]}, r"column indices must be in \[0, 2\)"),
    "column too large": ({"indices": [0, 1, 0, 2]}, r"column indices must be in \[0, 2\)"),
    "wide column too large": (
        {"indices": np.array([0, 1, 0, 2**33], dtype=np.int64)},
        r"column indices must be in \[0, 2\)",
    ),
    "too few values": ({"data": [1.0, 2.0, 3.0]}, "one value per index"),
    "too many values": ({"data": [1.0] * 5}, "one value per index"),
}


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("role", ["A", "B", "mask"])
@pytest.mark.parametrize("container", ["csr", "csc", "mixed"])
def test_broken_arrays_are_refused(name: str, role: str, container: str) -> None:
    """Of compressed columns too, read as they are or turned into rows."""
    parts, message = BROKEN[name]
    wrong = broken(**parts)
    good: Any = sp.csr_array(np.ones((2, 2)))
    if container != "csr":
        columns = sp.csc_array((2, 2))
        columns.data, columns.indices, columns.indptr = wrong.data, wrong.indices, wrong.indptr
        wrong = columns
        good = good.tocsc() if container == "csc" else good
    operands = {"A": good, "B": good, "mask": None, role: wrong}
    with pytest.raises(ValueError, match=f"{role}: .*{message}"):
        spgemm(operands["A"], operands["B"], mask=operands["mask"])


def test_inner_sizes_that_differ_are_refused() -> None:
    a, b = sp.csr_array(np.ones((2, 3))), sp.csr_array(np.ones((4, 5)))
    for left, right in ((a, b), (a.tocsc(), b.tocsc()), (a, b.tocsc())):
        with pytest.raises(ValueError, match="A has 3 columns, B has 4 rows"):
            spgemm(left, right)
    for function in (spgemm_flops, spgemm_nnz, SpGEMMPlan):
        with pytest.raises(ValueError, match="A has 3 columns, B has 4 rows"):
            function(a, b)


@pytest.mark.parametrize("layout", ["csr", "csc"])
def test_masks_of_another_shape_are_refused(layout: str) -> None:
    a = sp.csr_array(np.ones((2, 3))).asformat(layout)
    b = sp.csr_array(np.ones((3, 4))).asformat(layout)
    with pytest.raises(ValueError, match=r"mask must have the shape .*\(4, 2\).*\(2, 4\)"):
        spgemm(a, b, mask=sp.csr_array((4, 2)))
    with pytest.raises(ValueError, match="complement"):
        spgemm(a, b, complement=True)


@pytest.mark.parametrize("dtype", [np.float16, np.int8, np.int16, np.uint8, np.longdouble, object])
def test_other_dtypes_are_refused(dtype: Any) -> None:
    good = sp.csr_array(np.ones((2, 2)))
    wrong = sp.csr_array(np.ones((2, 2)))
    wrong.data = wrong.data.astype(dtype)
    with pytest.raises(TypeError, match="A: values have dtype"):
        spgemm(wrong, good)
    with pytest.raises(TypeError, match="B: values have dtype"):
        spgemm(good, wrong)


@pytest.mark.parametrize("semiring", ["min_plus", "max_plus", "min_max", "max_min", "min_first"])
@pytest.mark.parametrize("repeated", [False, True])
def test_orders_refuse_complex_numbers_and_booleans(semiring: str, repeated: bool) -> None:
    indices = np.array([0, 0 if repeated else 1])
    for dtype in (np.complex64, np.complex128, np.bool_):
        a = sp.csr_array((np.ones(2, dtype=dtype), indices, np.array([0, 2, 2])), shape=(2, 2))
        with pytest.raises(TypeError):
            spgemm(a, a, semiring)


def test_options_that_do_not_exist_are_refused() -> None:
    a = sp.csr_array(np.ones((2, 2)))
    with pytest.raises(ValueError, match="semiring must be one of"):
        spgemm(a, a, "times_plus")
    with pytest.raises(ValueError, match="index_dtype"):
        spgemm(a, a, index_dtype="int16")
    with pytest.raises(ValueError, match="num_threads"):
        spgemm(a, a, num_threads=0)
    with pytest.raises(TypeError, match="A must be"):
        spgemm(np.ones((2, 2)), a)
    with pytest.raises(TypeError, match="mask must be"):
        spgemm(a, a, mask=np.ones((2, 2)))


# Plans --------------------------------------------------------------------------------------------


def plan_cases() -> dict[str, Callable[[np.random.Generator, Any], tuple[Any, Any]]]:
    def wide(rng: np.random.Generator, dtype: Any) -> tuple[Any, Any]:
        cols = 2 * WINDOW + 11
        rows = [random_columns(rng, c, cols) for c in (500, 0, 3, 900, 1)]
        rows.append(np.arange(WINDOW - 50, WINDOW + 50))
        rows.append(np.array([0, cols - 1]))
        left = [[0], [0, 3], [], [2, 4, 6], range(7), [5, 6], [3, 5]]
        return from_rows(rng, left, 7, dtype), from_rows(rng, rows, cols, dtype)

    def edges(rng: np.random.Generator, dtype: Any) -> tuple[Any, Any]:
        pairs = [rows_of_exactly(rng, p, 5000, 3000, dtype) for p in (*EDGES, 1000, 4095, 4097)]
        a = sp.block_diag([a for a, _ in pairs], format="csr").astype(dtype)
        return sp.csr_array(a), sp.vstack([b for _, b in pairs], format="csr")

    def band(rng: np.random.Generator, dtype: Any) -> tuple[Any, Any]:
        return stencil(rng, 300, range(-5, 6), dtype), stencil(rng, 300, [-20, 0, 20], dtype)

    def itself(rng: np.random.Generator, dtype: Any) -> tuple[Any, Any]:
        a = stencil(rng, 300, [-17, -1, 0, 1, 17], dtype)
        return a, a

    def random(rng: np.random.Generator, dtype: Any) -> tuple[Any, Any]:
        return random_csr(rng, 80, 70, 0.2, dtype), random_csr(rng, 70, 400, 0.4, dtype)

    def one_hub(rng: np.random.Generator, dtype: Any) -> tuple[Any, Any]:
        return hub(rng, "twice", 30_000, dtype)

    def nothing(rng: np.random.Generator, dtype: Any) -> tuple[Any, Any]:
        return sp.csr_array((3, 4), dtype=dtype), random_csr(rng, 4, 5, 0.5, dtype)

    cases = (wide, edges, band, itself, random, one_hub, nothing)
    return {case.__name__: case for case in cases}


@pytest.mark.parametrize("case", plan_cases())
@pytest.mark.parametrize("dtype", FLOATS)
def test_kernel_plans_equal_products_for_changing_values(case: str, dtype: Any) -> None:
    rng = np.random.default_rng(23)
    a, b = plan_cases()[case](rng, dtype)
    plan = SpGEMMPlan(a, b)
    first = spgemm(a, b)
    assert plan.shape == first.shape
    assert plan.nnz == first.nnz
    assert plan.flops == spgemm_flops(a, b)
    assert plan.nbytes >= 0
    assert np.array_equal(plan.indptr, first.indptr)
    assert np.array_equal(plan.indices, first.indices)
    for _ in range(1 if case == "one_hub" else 2):
        a.data = values(rng, a.nnz, dtype)
        b.data = a.data if a is b else values(rng, b.nnz, dtype)
        numeric = plan.numeric(a.data, b.data)
        assert isinstance(numeric, np.ndarray)
        assert numeric.dtype == dtype
        assert_product(plan.matrix(a.data, b.data), a, b)


@pytest.mark.parametrize("layout", ["csr", "csc"])
def test_plans_name_what_does_not_fit(layout: str) -> None:
    a = sp.csr_array(np.ones((2, 3))).asformat(layout)
    b = sp.csr_array(np.ones((3, 5))).asformat(layout)
    plan = SpGEMMPlan(a, b)
    assert plan.shape == (2, 5)
    x, y = np.ones(6), np.ones(15)
    assert plan.numeric(x, y).tolist() == [3.0] * 10
    assert type(plan.matrix(x, y)) is type(a)
    with pytest.raises(ValueError, match=r"values of A must have shape \(6,\), got \(7,\)"):
        plan.numeric(np.ones(7), y)
    with pytest.raises(ValueError, match=r"values of B must have shape \(15,\), got \(3, 5\)"):
        plan.numeric(x, np.ones((3, 5)))
    for dtype in (np.int32, np.int64, np.complex64, np.float16, np.bool_):
        with pytest.raises(TypeError, match="float32 or float64"):
            plan.numeric(x.astype(dtype), y.astype(dtype))
    with pytest.raises(TypeError, match="values of A"):
        plan.numeric(x.astype(np.longdouble), y)


def test_plans_promote_and_keep_the_kind_that_came() -> None:
    a = sp.csr_array(np.ones((2, 2), dtype=np.float32))
    plan = SpGEMMPlan(a, a)
    assert plan.numeric(np.ones(4, np.float32), np.ones(4)).dtype == np.float64
    assert plan.numeric(torch.ones(4), torch.ones(4)).dtype == torch.float32
    assert isinstance(plan.numeric(np.ones(4), torch.ones(4)), torch.Tensor)
    frozen = np.broadcast_to(np.float32(2), 4)
    assert plan.numeric(frozen, frozen).tolist() == [8.0] * 4
    assert plan.numeric(np.arange(8.0)[::2], np.ones(4)).tolist() == [2, 2, 10, 10]


def test_plans_refuse_matrices_whose_values_would_change_places() -> None:
    good = sp.csr_array(np.ones((2, 2)))
    twice = broken(indices=[0, 0, 0, 1])
    unsorted = broken(indices=[1, 0, 0, 1])
    for wrong in (twice, unsorted, good.tocsc()):
        for a, b, name in ((wrong, good, "A"), (good, wrong, "B")):
            with pytest.raises(ValueError, match=f"{name} must have sorted rows"):
                SpGEMMPlan(a, b)
    with pytest.raises(ValueError, match="B: a plan takes"):
        SpGEMMPlan(sp.csr_array(np.ones((1, 1))), sp.csr_array((1, 2**40)))


def test_plans_of_patterns_without_numbers() -> None:
    a = sp.csr_array(np.ones((2, 2), dtype=bool))
    assert SpGEMMPlan(a, a).numeric(np.ones(4), np.ones(4)).tolist() == [2.0] * 4


# Narrower machines --------------------------------------------------------------------------------


@pytest.mark.parametrize("isa", ISAS[:-1])
def test_narrower_instruction_sets_pass_the_same_tests(isa: str) -> None:
    if ISAS.index(isa) >= ISAS.index(build_info()["isa"]):
        pytest.skip(f"runs under {build_info()['isa']} already")
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"]
    files = [str(Path(__file__)), str(Path(__file__).with_name("test_spmm.py"))]
    done = subprocess.run(
        [*command, "-k", "test_kernel", *files],
        env=dict(os.environ, WB_MAX_ISA=isa),
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
