# SPDX-License-Identifier: Apache-2.0
"""Sums in more bits, unchecked operands, and counts of work and entries."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from hypothesis import given, settings

from workbench.ops.spgemm import spgemm, spgemm_flops, spgemm_nnz

from .spgemm_cases import densities, random_csr, seeds, sizes


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
