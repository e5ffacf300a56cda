# SPDX-License-Identifier: Apache-2.0
"""Sparse products of every accumulator against scipy.

Tests called ``test_kernel_*`` run once more under every narrower instruction set by
test_spgemm_machines.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.ops import _spgemm_torch as op
from workbench.ops.spgemm import spgemm, spgemm_flops

from .spgemm_cases import (
    EDGES,
    FLOATS,
    WINDOW,
    assert_product,
    check,
    densities,
    from_rows,
    hub,
    random_columns,
    random_csr,
    rows_of_exactly,
    seeds,
    sizes,
    stencil,
)


@given(seeds, sizes, densities, st.sampled_from(FLOATS), st.sampled_from([1, 2, 3]))
@settings(max_examples=80, deadline=None)
def test_kernel_random_products_equal_scipy(
    seed: int, size: tuple[int, int, int], density: float, dtype: Any, threads: int
) -> None:
    rng = np.random.default_rng(seed)
    m, k, n = size
    a, b = random_csr(rng, m, k, density, dtype), random_csr(rng, k, n, density, dtype)
    check(a, b, num_threads=threads)


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


def test_a_matrix_times_itself_is_read_once() -> None:
    rng = np.random.default_rng(15)
    for a in (random_csr(rng, 40, 40, 0.2), stencil(rng, 200, [-1, 0, 3], np.float64)):
        same, twin = spgemm(a, a), spgemm(a, a.copy())
        assert same.data.tobytes() == twin.data.tobytes()
        check(a, a)
