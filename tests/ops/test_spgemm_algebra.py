# SPDX-License-Identifier: Apache-2.0
"""What must always hold of sparse products, and powers as repeated products."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.ops.spgemm import power, spgemm, transpose

from .spgemm_cases import assert_canonical, densities, random_csr, seeds, sizes


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
