# SPDX-License-Identifier: Apache-2.0
"""Masked sparse products: the entries of the whole product where the mask has some, or has none."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.ops.spgemm import spgemm

from .spgemm_cases import (
    FLOATS,
    assert_canonical,
    dense,
    densities,
    from_rows,
    random_csr,
    seeds,
    sizes,
)


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
