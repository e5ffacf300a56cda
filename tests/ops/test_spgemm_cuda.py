# SPDX-License-Identifier: Apache-2.0
"""The CUDA product against scipy where a device is, and the answers where none is."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
import torch

from workbench.ops import build_info
from workbench.ops._native import kernels
from workbench.ops.spgemm_cuda import _check_rows, multiply_cuda

HAS_DEVICE = bool(build_info()["cuda_devices"]) and torch.cuda.is_available()
needs_device = pytest.mark.skipif(not HAS_DEVICE, reason="no CUDA device here")


def canonical(m, dtype=np.float64):
    m = sp.csr_array(m, dtype=dtype)
    m.sum_duplicates()
    m.sort_indices()
    m.indptr, m.indices = m.indptr.astype(np.int32), m.indices.astype(np.int32)
    return m


def from_rows(columns, cols, seed=0):
    rng = np.random.default_rng(seed)
    indptr = np.cumsum([0, *(len(c) for c in columns)]).astype(np.int32)
    indices = np.concatenate([np.sort(np.asarray(c, np.int32)) for c in columns])
    values = rng.normal(size=indices.size)
    return canonical(sp.csr_array((values, indices, indptr), shape=(len(columns), cols)))


def uniform(rows, cols, per_row, seed=0):
    rng = np.random.default_rng(seed)
    count = rows * per_row
    where = rng.integers(0, rows, count), rng.integers(0, cols, count)
    return canonical(sp.coo_array((rng.normal(size=count), where), shape=(rows, cols)))


def rmat(scale, per_vertex, seed=0):
    rng = np.random.default_rng(seed)
    count = per_vertex << scale
    quadrants = rng.choice(4, size=(scale, count), p=[0.57, 0.19, 0.19, 0.05])
    weights = 1 << np.arange(scale)
    where = (quadrants // 2).T @ weights, (quadrants % 2).T @ weights
    shape = (1 << scale, 1 << scale)
    return canonical(sp.coo_array((rng.normal(size=count), where), shape=shape))


def banded(n, half, seed=0):
    offsets = np.arange(-half, half + 1)
    values = np.random.default_rng(seed).normal(size=(offsets.size, n))
    return canonical(sp.dia_array((values, offsets), shape=(n, n)))


def hub(n):
    """Short rows, and one that names every row: cut into windows, its columns far apart."""
    rng = np.random.default_rng(3)
    rows = [rng.choice(n, size=3, replace=False) for _ in range(n)]
    rows[n // 2] = np.arange(n)
    return from_rows(rows, n)


def table_rows():
    """Rows for each size of table, with columns too far apart for a dense array."""
    rng = np.random.default_rng(4)
    b = from_rows([rng.integers(0, 4_000_000, 20) for _ in range(600)], 4_000_000)
    sizes = (1, 2, 5, 12, 13, 50, 51, 52, 200, 204, 205, 206, 400, 410, 450, 600)
    a = from_rows([rng.choice(600, size=s, replace=False) for s in sizes], 600)
    return a, b


def squared(m):
    return m, m


def without_entries(rows, inner, cols):
    return canonical(sp.csr_array((rows, inner))), canonical(sp.csr_array((inner, cols)))


CASES = {  # made only where they are used
    "rmat": lambda: squared(rmat(13, 8)),
    "uniform": lambda: squared(uniform(4000, 4000, 8)),
    "uniform, some rows empty": lambda: squared(uniform(5000, 5000, 1)),
    "banded": lambda: squared(banded(3000, 32)),
    "tridiagonal": lambda: squared(banded(1000, 1)),
    "hub": lambda: squared(hub(60_000)),
    "identity": lambda: squared(canonical(sp.eye_array(100))),
    "tables": table_rows,
    "rectangular": lambda: (uniform(300, 2000, 40), uniform(2000, 50, 3)),
    "many products, few entries": lambda: (uniform(4, 20_000, 18_000), uniform(20_000, 40, 8)),
    "long row of empty rows": lambda: (uniform(5, 3000, 2000), uniform(3000, 3000, 1)),
    **{
        f"no entries {shape}": lambda shape=shape: without_entries(*shape)
        for shape in ((0, 5, 5), (5, 0, 5), (5, 5, 0), (0, 0, 0), (7, 8, 9))
    },
}


def on_device(m, dtype):
    return [torch.from_numpy(x).cuda() for x in (m.indptr, m.indices, m.data.astype(dtype))]


def multiply(a, b, dtype):
    out = multiply_cuda(*on_device(a, dtype), *on_device(b, dtype), b.shape[1])
    return [t.cpu().numpy() for t in out]


@pytest.mark.gpu
@needs_device
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", CASES)
def test_the_device_agrees_with_scipy(name, dtype):
    a, b = CASES[name]()
    ptr, idx, val = multiply(a, b, dtype)
    assert ptr.dtype == np.int32
    assert val.dtype == dtype
    # scipy drops no entry of the pattern where all values are positive; sums are in double.
    size = canonical(abs(a.astype(dtype).astype(np.float64)) @ abs(b.astype(dtype).astype(float)))
    np.testing.assert_array_equal(ptr, size.indptr)
    np.testing.assert_array_equal(idx, size.indices)  # sorted, none twice
    ours = sp.csr_array((val.astype(np.float64), idx, ptr), shape=size.shape)
    exact = a.astype(dtype).astype(np.float64) @ b.astype(dtype).astype(np.float64)
    error = canonical(abs(ours - exact) - 8 * np.finfo(dtype).eps * size)
    assert error.data.max(initial=0) <= 0


@pytest.mark.gpu
@needs_device
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_same_bits_every_time(dtype):
    for a, b in ((rmat(12, 16), rmat(12, 16, seed=1)), table_rows()):
        first = multiply(a, b, dtype)
        for _ in range(5):
            for x, y in zip(first, multiply(a, b, dtype), strict=True):
                np.testing.assert_array_equal(x.view(np.uint8), y.view(np.uint8))


@pytest.mark.gpu
@needs_device
def test_columns_up_to_the_last_of_32_bits():
    a, b = uniform(50, 400, 60), uniform(400, 40_000, 30)
    expected = multiply(a, b, np.float64)
    apart = 53_000
    b.indices = b.indices * np.int32(apart)  # scipy would want memory for every column
    b = sp.csr_array((b.data, b.indices, b.indptr), shape=(400, 2**31 - 1))
    ptr, idx, val = multiply(a, b, np.float64)
    np.testing.assert_array_equal(ptr, expected[0])
    np.testing.assert_array_equal(idx, expected[1] * np.int32(apart))
    np.testing.assert_allclose(val, expected[2], rtol=1e-12, atol=1e-12)


@pytest.mark.gpu
@needs_device
def test_work_is_put_on_the_current_stream():
    a = rmat(12, 8)
    expected = multiply(a, a, np.float64)
    with torch.cuda.stream(torch.cuda.Stream()):
        for x, y in zip(expected, multiply(a, a, np.float64), strict=True):
            np.testing.assert_array_equal(x, y)


@pytest.mark.gpu
@needs_device
def test_infinities_and_nans_take_part():
    a = canonical(sp.csr_array(np.array([[1.0, 2.0], [0.0, 1.0]])))
    a.data[:] = [np.inf, np.nan, 1.0]
    b = canonical(sp.csr_array(np.array([[1.0, 1.0], [0.0, 1.0]])))
    b.data[0] = 0.0  # an explicit zero is an entry, and inf * 0 is not a number
    _, idx, val = multiply(a, b, np.float64)
    np.testing.assert_array_equal(idx, [0, 1, 1])
    np.testing.assert_array_equal(val, [np.nan, np.nan, 1.0])


@pytest.mark.gpu
@needs_device
def test_arguments_that_do_not_fit_are_named():
    parts = on_device(rmat(6, 4), np.float64)
    names = ("a_ptr", "a_idx", "a_val", "b_ptr", "b_idx", "b_val")
    for k, name in enumerate(names):
        for bad in (parts[k % 3].to(torch.int16), parts[k % 3][None], parts[k % 3].cpu()):
            call = [*parts, *parts]
            call[k] = bad
            with pytest.raises(ValueError, match=name):
                multiply_cuda(*call, 64)
    with pytest.raises(ValueError, match="cols"):
        multiply_cuda(*parts, *parts, -1)
    with pytest.raises(ValueError, match="b_idx must be 0 to 9"):
        multiply_cuda(*parts, *parts, 10)


@pytest.mark.parametrize(
    ("ptr", "idx", "message"),
    [
        ([1, 2, 3], [0, 1, 2], "a_ptr must go from 0"),
        ([0, 2, 2], [0, 1, 2], "a_ptr must go from 0"),
        ([0, 3, 2, 3], [0, 1, 2], "a_ptr must not decrease"),
        ([0, 3], [0, 1, 4], "a_idx must be 0 to 3"),
        ([0, 3], [-1, 1, 2], "a_idx must be 0 to 3"),
        ([0, 3], [0, 2, 1], "a_idx must ascend"),
        ([0, 0, 3, 3], [0, 1, 1], "a_idx must ascend"),
    ],
)
def test_contents_that_are_not_canonical_are_refused(ptr, idx, message):
    with pytest.raises(ValueError, match=message):
        _check_rows("a", torch.tensor(ptr), torch.tensor(idx), 4, "cols")


@pytest.mark.parametrize(
    ("ptr", "idx"), [([0], []), ([0, 0, 0], []), ([0, 0, 2, 2, 3, 3], [1, 3, 0]), ([0, 1], [3])]
)
def test_canonical_contents_pass(ptr, idx):
    idx = torch.tensor(idx, dtype=torch.int32)
    _check_rows("a", torch.tensor(ptr, dtype=torch.int32), idx, 4, "cols")


def test_tensors_on_the_cpu_are_refused():
    ptr, idx, val = torch.zeros(1).int(), torch.zeros(0).int(), torch.zeros(0)
    with pytest.raises(ValueError, match="a_ptr must be on a CUDA device, is on cpu"):
        multiply_cuda(ptr, idx, val, ptr, idx, val, 0)


@pytest.mark.skipif(HAS_DEVICE, reason="a CUDA device is here")
def test_without_a_device_the_calls_say_so():
    calls = {
        "spgemm_cuda_count": 6,
        "spgemm_cuda_fill_f32": 10,
        "spgemm_cuda_fill_f64": 10,
    }
    for name, addresses in calls.items():
        with pytest.raises(RuntimeError, match=r"no CUDA device|built without CUDA"):
            getattr(kernels, name)(0, *[0] * addresses, 0, 0)


def test_more_rows_than_32_bits_hold_are_refused():
    with pytest.raises(ValueError, match="rows must be 0 to"):
        kernels.spgemm_cuda_count(2**31, 0, 0, 0, 0, 0, 0, 0, 0)
