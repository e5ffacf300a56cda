# SPDX-License-Identifier: Apache-2.0
"""Sparse products of numbers that are no ordinary numbers: zeros, infinities, NaN, overflows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.ops.spgemm import SpGEMMPlan, spgemm

from .spgemm_cases import DTYPES, FLOATS, assert_canonical, random_csr, seeds, stencil


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
