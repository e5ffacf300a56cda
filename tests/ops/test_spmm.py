# SPDX-License-Identifier: Apache-2.0
"""Sparse times dense and sampled dense products, against dense torch and scipy.

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
from torch.autograd import gradcheck, gradgradcheck

from workbench.ops.spmm import sddmm, spmm

pytestmark = pytest.mark.filterwarnings("ignore:Sparse (CSR|CSC|invariant)")

FLOATS = [np.float32, np.float64]


def random_csr(
    rng: np.random.Generator, rows: int, cols: int, density: float, dtype: Any
) -> sp.csr_array:
    """Rows of very different lengths, some empty."""
    full = rng.random((rows, cols)) < density * rng.random((rows, 1)) * 2
    m = sp.csr_array(full.astype(dtype))
    m.data = rng.normal(size=m.nnz).astype(dtype)
    return m


def assert_spmm(out: np.ndarray, a: sp.csr_array, x: np.ndarray) -> None:
    """Entrywise within the error of any order of summation."""
    assert out.shape == (a.shape[0], *x.shape[1:])
    assert out.dtype == np.result_type(a.dtype, x.dtype)
    exact = a.toarray().astype(np.longdouble) @ x.astype(np.longdouble)
    room = abs(a.toarray()).astype(np.longdouble) @ abs(x).astype(np.longdouble)
    terms = np.maximum(8, np.diff(a.indptr)).reshape(-1, *[1] * (x.ndim - 1))
    assert (abs(out - exact) <= terms * np.finfo(out.dtype).eps * room).all()


def assert_sddmm(out: sp.csr_array, a: sp.csr_array, x: np.ndarray, y: np.ndarray) -> None:
    assert np.array_equal(out.indptr, a.indptr)
    assert np.array_equal(out.indices, a.indices)
    assert out.dtype == x.dtype
    rows = np.repeat(np.arange(a.shape[0]), np.diff(a.indptr))
    terms = x[rows].astype(np.longdouble) * y[a.indices]
    room = max(8, x.shape[1]) * np.finfo(out.dtype).eps * abs(terms).sum(1)
    assert (abs(out.data - terms.sum(1)) <= room).all()


seeds = st.integers(0, 2**32 - 1)


@pytest.mark.parametrize("width", [*range(71), 127, 128, 129, 256, 300])
@pytest.mark.parametrize("dtype", FLOATS)
def test_kernel_every_width(width: int, dtype: Any) -> None:
    rng = np.random.default_rng(width)
    a = random_csr(rng, 23, 19, 0.4, dtype)
    x = rng.normal(size=(19, width)).astype(dtype)
    y = rng.normal(size=(23, width)).astype(dtype)
    assert_spmm(spmm(a, x), a, x)
    assert_sddmm(sddmm(a, y, x), a, y, x)


@given(
    seeds,
    st.integers(0, 40),
    st.integers(0, 40),
    st.integers(0, 40),
    st.sampled_from(FLOATS),
    st.sampled_from([1, 2, 3]),
)
@settings(max_examples=80, deadline=None)
def test_kernel_random_products(
    seed: int, rows: int, cols: int, width: int, dtype: Any, threads: int
) -> None:
    rng = np.random.default_rng(seed)
    a = random_csr(rng, rows, cols, 0.3, dtype)
    x = rng.normal(size=(cols, width)).astype(dtype)
    y = rng.normal(size=(rows, width)).astype(dtype)
    assert_spmm(spmm(a, x, num_threads=threads), a, x)
    assert_sddmm(sddmm(a, y, x, num_threads=threads), a, y, x)
    vector = rng.normal(size=cols).astype(dtype)
    assert_spmm(spmm(a, vector), a, vector)


@pytest.mark.parametrize("dtype", FLOATS)
def test_kernel_one_dense_row_and_one_dense_column(dtype: Any) -> None:
    rng = np.random.default_rng(0)
    full = rng.random((300, 300)) < 0.005
    full[17] = True
    full[:, 3] = True
    a = sp.csr_array(full.astype(dtype))
    a.data = rng.normal(size=a.nnz).astype(dtype)
    x = rng.normal(size=(300, 33)).astype(dtype)
    assert_spmm(spmm(a, x), a, x)
    assert_sddmm(sddmm(a, x, x), a, x, x)


@pytest.mark.parametrize("dtype", FLOATS)
def test_the_same_bits_for_any_number_of_threads(dtype: Any) -> None:
    rng = np.random.default_rng(1)
    a = random_csr(rng, 800, 700, 0.05, dtype)
    x = rng.normal(size=(700, 37)).astype(dtype)
    y = rng.normal(size=(800, 37)).astype(dtype)
    one, sampled = spmm(a, x, num_threads=1), sddmm(a, y, x, num_threads=1)
    for threads in (2, 3, 8):
        assert spmm(a, x, num_threads=threads).tobytes() == one.tobytes()
        assert sddmm(a, y, x, num_threads=threads).data.tobytes() == sampled.data.tobytes()


@pytest.mark.parametrize("shape", [(0, 3, 2), (3, 0, 2), (3, 3, 0), (0, 0, 0), (1, 1, 1)])
def test_empty_sizes(shape: tuple[int, int, int]) -> None:
    m, k, d = shape
    a = sp.csr_array((m, k))
    assert spmm(a, np.ones((k, d))).tolist() == np.zeros((m, d)).tolist()
    assert sddmm(a, np.ones((m, d)), np.ones((k, d))).shape == (m, k)


def test_nothing_to_sum_is_zero() -> None:
    a = sp.csr_array(np.ones((2, 3)))
    assert sddmm(a, np.ones((2, 0)), np.ones((3, 0))).data.tolist() == [0.0] * 6


@pytest.mark.parametrize("width", [1, 5, 16, 40])
def test_zero_times_infinity_is_nan(width: int) -> None:
    a = sp.csr_array((np.array([0.0, 1.0]), np.array([0, 1]), np.array([0, 2, 2])), shape=(2, 2))
    x = np.ones((2, width))
    x[0] = np.inf
    out = spmm(a, x)
    assert np.isnan(out[0]).all()
    assert (out[1] == 0).all()  # nothing stored, nothing met
    assert np.isnan(sddmm(a, np.zeros((2, width)), x).data[0])


def test_dense_operands_of_any_memory_layout() -> None:
    rng = np.random.default_rng(2)
    a = random_csr(rng, 6, 8, 0.5, np.float64)
    x = rng.normal(size=(8, 10))
    expected = spmm(a, x)
    frozen = x.copy()
    frozen.flags.writeable = False
    for form in (np.asfortranarray(x), frozen, np.repeat(x, 2, axis=1)[:, ::2], x[::-1][::-1]):
        assert np.array_equal(spmm(a, form), expected)
    assert np.array_equal(spmm(a, x[::-1]), spmm(a, x[::-1].copy()))
    assert np.array_equal(spmm(a, x.astype(">f8")), expected)
    t = torch.from_numpy(x)
    for tensor in (t, t.t().contiguous().t(), torch.stack([t, t], 2)[..., 0]):
        assert np.array_equal(spmm(a, tensor).numpy(), expected)
    ones = torch.ones(1, dtype=torch.float64).expand(8, 10)
    assert np.array_equal(spmm(a, ones).numpy(), spmm(a, np.ones((8, 10))))
    y = rng.normal(size=(6, 10))
    assert np.array_equal(
        sddmm(a, np.asfortranarray(y), frozen).data, sddmm(a, y, torch.from_numpy(x)).data
    )


def test_dtypes_are_promoted() -> None:
    a = sp.csr_array(np.ones((2, 2), dtype=np.float32))
    assert spmm(a, np.ones((2, 3), dtype=np.float32)).dtype == np.float32
    assert spmm(a, np.ones((2, 3))).dtype == np.float64
    assert spmm(a.astype(np.int64), np.ones((2, 3), dtype=np.float32)).dtype == np.float32
    assert spmm(a.astype(bool), np.ones((2, 3))).tolist() == [[2.0] * 3] * 2
    assert sddmm(a.astype(np.int8), np.ones((2, 3)), np.ones((2, 3))).dtype == np.float64
    mixed = sddmm(a, np.ones((2, 3), dtype=np.float32), np.ones((2, 3)))
    assert mixed.dtype == np.float64


def test_results_are_of_the_kind_of_the_dense_operand() -> None:
    a = sp.csr_array(np.ones((2, 2)))
    assert isinstance(spmm(a, np.ones((2, 1))), np.ndarray)
    assert isinstance(spmm(a, torch.ones(2, 1)), torch.Tensor)
    assert spmm(a, np.ones(2)).shape == (2,)
    assert spmm(a, torch.ones(2)).shape == (2,)


def test_unsorted_and_repeated_columns() -> None:
    a = sp.csr_array((np.array([1.0, 2, 4]), np.array([1, 0, 1]), np.array([0, 3])), shape=(1, 2))
    assert spmm(a, np.array([[10.0], [1.0]])).tolist() == [[25.0]]
    sampled = sddmm(a, np.ones((1, 2)), np.ones((2, 2)))
    assert sampled.toarray().tolist() == [[2.0, 2.0]]


# Gradients ----------------------------------------------------------------------------------------


def torch_csr(m: sp.csr_array, values: torch.Tensor) -> torch.Tensor:
    crow, col = (torch.from_numpy(x) for x in (m.indptr, m.indices))
    return torch.sparse_csr_tensor(crow, col, values, m.shape)


@pytest.mark.parametrize("width", [1, 3])
def test_gradcheck_and_gradgradcheck(width: int) -> None:
    rng = np.random.default_rng(3)
    m = random_csr(rng, 5, 6, 0.5, np.float64)
    v = torch.from_numpy(m.data).requires_grad_()
    x = torch.from_numpy(rng.normal(size=(6, width))).requires_grad_()
    y = torch.from_numpy(rng.normal(size=(5, width))).requires_grad_()
    rows = np.repeat(np.arange(5), np.diff(m.indptr))
    at = torch.from_numpy(np.stack([rows, m.indices])).long()
    # Edge lists: torch's own compressed tensors lose second derivatives.
    for function, inputs in (
        (lambda v, x: spmm((at, v, (5, 6)), x), (v, x)),
        (lambda y, x: sddmm((at, None, (5, 6)), y, x)[1], (y, x)),
    ):
        assert gradcheck(function, inputs)
        assert gradgradcheck(function, inputs)
    assert gradcheck(lambda v, x: spmm(torch_csr(m, v), x[:, 0]), (v, x))


@given(seeds, st.integers(1, 70), st.sampled_from(FLOATS))
@settings(max_examples=40, deadline=None)
def test_gradients_equal_those_of_dense_torch(seed: int, width: int, dtype: Any) -> None:
    rng = np.random.default_rng(seed)
    m = random_csr(rng, 12, 15, 0.4, dtype)
    v = torch.from_numpy(m.data).requires_grad_()
    x = torch.from_numpy(rng.normal(size=(15, width)).astype(dtype)).requires_grad_()
    y = torch.from_numpy(rng.normal(size=(12, width)).astype(dtype)).requires_grad_()
    rows = np.repeat(np.arange(12), np.diff(m.indptr))
    at = torch.from_numpy(rows), torch.from_numpy(m.indices).long()
    dense = torch.zeros(12, 15, dtype=v.dtype).index_put(at, v)
    upstream = torch.from_numpy(rng.normal(size=(12, width)).astype(dtype))
    weight = torch.from_numpy(rng.normal(size=m.nnz).astype(dtype))
    pairs = (
        (spmm(torch_csr(m, v), x), dense @ x, (v, x), upstream),
        (sddmm(torch_csr(m, v), y, x).values(), (y @ x.T)[at], (y, x), weight),
    )
    tolerance = 1e-4 if dtype == np.float32 else 1e-12
    for ours, theirs, inputs, cotangent in pairs:
        for mine, other in zip(
            torch.autograd.grad(ours, inputs, cotangent),
            torch.autograd.grad(theirs, inputs, cotangent),
            strict=True,
        ):
            torch.testing.assert_close(mine, other, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("which", [0, 1])
def test_either_gradient_may_be_asked_alone(which: int) -> None:
    rng = np.random.default_rng(4)
    m = random_csr(rng, 5, 6, 0.5, np.float64)
    inputs = [torch.from_numpy(m.data), torch.from_numpy(rng.normal(size=(6, 3)))]
    inputs[which].requires_grad_()
    spmm(torch_csr(m, inputs[0]), inputs[1]).sum().backward()
    assert inputs[which].grad is not None
    assert inputs[1 - which].grad is None


@pytest.mark.parametrize("layout", ["to_sparse_csr", "to_sparse_coo"])
def test_gradients_of_sparse_leaves_equal_torchs_own(layout: str) -> None:
    rng = np.random.default_rng(5)
    dense = torch.from_numpy(random_csr(rng, 5, 6, 0.5, np.float64).toarray())
    x = torch.from_numpy(rng.normal(size=(6, 4)))
    ours, theirs = (getattr(dense, layout)().requires_grad_() for _ in range(2))
    spmm(ours, x).sum().backward()
    (theirs @ x).sum().backward()
    assert ours.grad is not None
    assert theirs.grad is not None
    stored = dense != 0
    torch.testing.assert_close(ours.grad.to_dense()[stored], theirs.grad.to_dense()[stored])


# What is refused ----------------------------------------------------------------------------------


def test_shapes_that_do_not_fit_are_refused() -> None:
    a = sp.csr_array(np.ones((2, 3)))
    for x in (np.ones((2, 3)), np.ones(2), np.ones((3, 2, 2)), np.float64(1)):
        with pytest.raises(ValueError, match=r"X must have shape \(3, d\) or \(3,\)"):
            spmm(a, x)
    with pytest.raises(ValueError, match=r"X must have shape \(2, d\)"):
        sddmm(a, np.ones((3, 4)), np.ones((3, 4)))
    with pytest.raises(ValueError, match=r"X must have shape \(2, d\)"):
        sddmm(a, np.ones(2), np.ones((3, 4)))
    for y in (np.ones((2, 4)), np.ones((3, 5)), np.ones(3)):
        with pytest.raises(ValueError, match=r"Y must have shape \(3, 4\)"):
            sddmm(a, np.ones((2, 4)), y)


@pytest.mark.parametrize("dtype", [np.complex64, np.complex128, np.float16])
def test_other_dtypes_are_refused(dtype: Any) -> None:
    a = sp.csr_array(np.ones((2, 2), dtype=np.float32))
    with pytest.raises(TypeError, match="float32 or float64"):
        spmm(a, np.ones((2, 2), dtype=dtype)) if dtype != np.float16 else spmm(
            a.astype(bool), np.ones((2, 2), dtype=dtype)
        )
    with pytest.raises(TypeError, match="float32 or float64"):
        sddmm(a, np.ones((2, 2), dtype=dtype), np.ones((2, 2), dtype=dtype))
    with pytest.raises(TypeError, match="float32 or float64"):
        spmm(a.astype(np.int32), np.ones((2, 2), dtype=np.int32))


def test_dense_operands_elsewhere_or_sparse_are_refused() -> None:
    a = sp.csr_array(np.ones((2, 2)))
    for wrong in (torch.ones(2, 2, device="meta"), torch.ones(2, 2).to_sparse_csr()):
        with pytest.raises(ValueError, match="X must be dense and on the CPU"):
            spmm(a, wrong)
        with pytest.raises(ValueError, match="Y must be dense and on the CPU"):
            sddmm(a, torch.ones(2, 2), wrong)


def test_broken_patterns_are_refused() -> None:
    a = sp.csr_array(np.ones((2, 2)))
    a.indices = np.array([0, 1, 0, 7])
    with pytest.raises(ValueError, match="A: column indices"):
        spmm(a, np.ones((2, 2)))
    with pytest.raises(ValueError, match="pattern: column indices"):
        sddmm(a, np.ones((2, 2)), np.ones((2, 2)))
