# SPDX-License-Identifier: Apache-2.0
"""Sparse products of no rows, of no columns, of very many columns, and indices of either width."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from workbench.ops.spgemm import SEMIRINGS, spgemm, spgemm_flops, spgemm_nnz

from .spgemm_cases import assert_canonical, check, from_rows, random_csr

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
