# SPDX-License-Identifier: Apache-2.0
"""Sparse products with few entries or none: isolated vertices, bipartite and nilpotent graphs.

Tests called ``test_kernel_*`` run once more under every narrower instruction set by
test_spgemm_machines.py.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
import torch

from workbench.ops.spgemm import SEMIRINGS, power, spgemm, spgemm_flops, spgemm_nnz
from workbench.ops.spmm import sddmm, spmm

from .spgemm_cases import FLOATS, assert_canonical, assert_product, of_width, thin_cases, values


@pytest.mark.parametrize("case", thin_cases())
@pytest.mark.parametrize("dtype", FLOATS)
def test_kernel_thin_products_equal_scipy(case: str, dtype: Any) -> None:
    a, b = thin_cases()[case](np.random.default_rng(31), dtype)
    for integer in (np.int32, np.int64):
        for threads in (1, 2):
            c = spgemm(of_width(a, integer), of_width(b, integer), num_threads=threads)
            assert c.indptr.dtype == c.indices.dtype == integer
            assert_product(c, a, b)


@pytest.mark.parametrize("case", thin_cases())
def test_kernel_thin_products_over_every_semiring(case: str) -> None:
    a, b = thin_cases()[case](np.random.default_rng(32), np.float64)
    whole = spgemm(a, b)
    assert spgemm_nnz(a, b) == whole.nnz
    mask = spgemm(a, b, "any_pair", num_threads=2)
    assert np.array_equal(mask.indptr, whole.indptr)
    for semiring in SEMIRINGS:
        c = spgemm(of_width(a, np.int64), b, semiring, num_threads=2)
        assert_canonical(c)
        assert np.array_equal(c.indptr, whole.indptr), semiring
        assert np.array_equal(c.indices, whole.indices), semiring
        masked = spgemm(a, b, semiring, mask, num_threads=2)
        assert np.array_equal(masked.indptr, whole.indptr), semiring
        assert np.allclose(masked.data, c.data, rtol=1e-12, atol=1e-14), semiring
    assert spgemm(a, b, mask=mask, complement=True).nnz == 0


def test_powers_of_a_nilpotent_matrix_end_at_zero() -> None:
    a, _ = thin_cases()["nilpotent"](np.random.default_rng(33), np.float64)
    for integer in (np.int32, np.int64):
        wide = of_width(a, integer)
        third, fourth = power(wide, 3), power(wide, 4)
        assert third.nnz > 0
        assert_product(third, spgemm(a, a), a)
        assert fourth.nnz == 0
        assert not fourth.indptr.any()


@pytest.mark.parametrize("case", ["bipartite", "large_bipartite", "shift", "nilpotent"])
def test_gradients_of_thin_products(case: str) -> None:
    rng = np.random.default_rng(34)
    a, b = thin_cases()[case](rng, np.float64)
    of = [torch.from_numpy(m.data.copy()).requires_grad_() for m in (a, b)]
    edges = []
    for m, v in zip((a, b), of, strict=True):
        rows = np.repeat(np.arange(m.shape[0]), np.diff(m.indptr))
        edges.append((torch.from_numpy(np.stack([rows, m.indices])), v, m.shape[0]))
    _, out, _ = spgemm(*edges)
    g = torch.from_numpy(values(rng, out.shape[0], np.float64))
    out.backward(g)
    c = spgemm(a, b)
    c.data = g.numpy()
    for grad, expected in ((of[0].grad, c @ b.T), (of[1].grad, a.T @ c)):
        m = a if grad is of[0].grad else b
        ones = sp.csr_array((np.ones(m.nnz), m.indices, m.indptr), shape=m.shape)
        want = sp.csr_array(expected.multiply(ones) + 0 * ones)
        want.sort_indices()
        rows = np.repeat(np.arange(m.shape[0]), np.diff(m.indptr))
        assert grad is not None
        got = sp.csr_array((grad.numpy(), (rows, m.indices)), shape=m.shape)
        assert abs(got - want).sum() <= 1e-10


@pytest.mark.parametrize("case", ["nothing", "large_bipartite", "isolated"])
def test_thin_matrices_times_dense_ones(case: str) -> None:
    rng = np.random.default_rng(35)
    a, _ = thin_cases()[case](rng, np.float32)
    x = values(rng, a.shape[1] * 3, np.float32).reshape(-1, 3)
    y = values(rng, a.shape[0] * 3, np.float32).reshape(-1, 3)
    for threads in (1, 2):
        assert abs(spmm(a, x, num_threads=threads) - a @ x).max(initial=0) < 1e-4
        found = sddmm(a, y, x, num_threads=threads)
        rows = np.repeat(np.arange(a.shape[0]), np.diff(a.indptr))
        data = found.data if sp.issparse(found) else found
        assert abs(data - (y[rows] * x[a.indices]).sum(1)).max(initial=0) < 1e-4


FRESH = """
import sys
sys.path.insert(0, sys.argv[1])
from tests.ops.test_spgemm_thin import first_product
first_product(int(sys.argv[2]))
"""


def first_product(threads: int) -> None:
    """What a process finds whose memory nothing has used yet: the inputs of the first report."""
    users, items = np.random.default_rng(36).integers(0, 1000, (2, 3000))
    at = torch.from_numpy(np.stack([users % 500, 500 + items]))
    graph = torch.sparse_coo_tensor(at, torch.ones(3000), (1500, 1500)).coalesce().to_sparse_csr()
    torch.set_num_threads(threads)
    product = spgemm(graph, graph)
    assert not product.crow_indices().any()
    assert product.values().shape == (0,)
    for integer in (np.int64, np.int32):
        for case in thin_cases().values():
            a, b = (of_width(m, integer) for m in case(np.random.default_rng(37), np.float64))
            assert spgemm_flops(a, b) >= 0
            assert_product(spgemm(a, b), a, b)


@pytest.mark.parametrize("threads", [1, 2])
def test_thin_products_in_a_fresh_process(threads: int) -> None:
    root = str(Path(__file__).resolve().parents[2])
    command = [sys.executable, "-W", "ignore", "-c", FRESH, root, str(threads)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
