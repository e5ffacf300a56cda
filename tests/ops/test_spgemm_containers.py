# SPDX-License-Identifier: Apache-2.0
"""Sparse operators over every container: what goes in comes out, and equal entries are combined."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.ops.sparse_operands import unwrap
from workbench.ops.spgemm import SEMIRINGS, SpGEMMPlan, power, spgemm, spgemm_flops, transpose
from workbench.ops.spmm import sddmm, spmm

pytestmark = [
    pytest.mark.filterwarnings("error"),
    # torch's own remarks on its sparse tensors.
    pytest.mark.filterwarnings("ignore:Sparse (CSR|CSC|invariant)"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:torch"),
]

SCIPY = [
    getattr(sp, f"{layout}_{kind}")
    for layout, kind in itertools.product(("csr", "csc", "coo"), ("array", "matrix"))
]
TORCH = ["sparse_csr", "sparse_csc", "sparse_coo"]
DTYPES = {
    np.float32: torch.float32,
    np.float64: torch.float64,
    np.int32: torch.int32,
    np.int64: torch.int64,
    np.complex64: torch.complex64,
    np.complex128: torch.complex128,
    np.bool_: torch.bool,
}


def random_dense(seed: int, rows: int, cols: int, dtype: Any = np.float64) -> np.ndarray:
    rng = np.random.default_rng(seed)
    out = rng.integers(1, 5, (rows, cols)) * (rng.random((rows, cols)) < 0.4)
    return out.astype(dtype)


def as_torch(dense: np.ndarray, layout: str, index: torch.dtype = torch.int64) -> torch.Tensor:
    """A torch sparse tensor with indices of the given width (COO has none but 64 bits)."""
    m = sp.csr_array(dense) if layout != "sparse_csc" else sp.csc_array(dense)
    data = torch.from_numpy(m.data)
    if layout == "sparse_coo":
        at = torch.from_numpy(np.stack(np.nonzero(dense)))
        return torch.sparse_coo_tensor(at, data, dense.shape).coalesce()
    make = torch.sparse_csr_tensor if layout == "sparse_csr" else torch.sparse_csc_tensor
    parts = (torch.from_numpy(x).to(index) for x in (m.indptr, m.indices))
    return make(*parts, data, dense.shape)


def as_edges(dense: np.ndarray) -> tuple[torch.Tensor, torch.Tensor, Any]:
    rows, cols = np.nonzero(dense)
    size = dense.shape[0] if dense.shape[0] == dense.shape[1] else dense.shape
    return torch.from_numpy(np.stack([rows, cols])), torch.from_numpy(dense[rows, cols]), size


def to_dense(m: Any) -> np.ndarray:
    if isinstance(m, tuple):
        edges, weight, size = m
        shape = size if isinstance(size, tuple) else (size, size)
        out = np.zeros(shape, dtype=weight.numpy().dtype)
        np.add.at(out, tuple(edges.numpy()), weight.numpy())
        return out
    return m.to_dense().numpy() if isinstance(m, torch.Tensor) else m.toarray()


def indices_of(m: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    if m.layout == torch.sparse_csr:
        return m.crow_indices(), m.col_indices()
    return m.ccol_indices(), m.row_indices()


# What comes in goes out ---------------------------------------------------------------------------


@pytest.mark.parametrize("kind", SCIPY)
@pytest.mark.parametrize("other", SCIPY)
def test_scipy_gives_a_container_like_the_first(kind: type, other: type) -> None:
    a, b = random_dense(1, 5, 6), random_dense(2, 6, 7)
    c = spgemm(kind(a), other(b))
    assert type(c) is kind
    assert np.array_equal(c.toarray(), a @ b)
    assert c.dtype == np.float64
    mask = random_dense(3, 5, 7)
    masked = spgemm(kind(a), other(b), mask=sp.coo_array(mask))
    assert np.array_equal(masked.toarray(), (a @ b) * (mask != 0))


@pytest.mark.parametrize("layout", ["bsr", "dia", "dok", "lil"])
def test_other_scipy_formats_give_compressed_rows(layout: str) -> None:
    a = random_dense(1, 6, 6)
    c = spgemm(sp.csr_array(a).asformat(layout), sp.csr_array(a).asformat(layout))
    assert type(c) is sp.csr_array
    assert np.array_equal(c.toarray(), a @ a)


@pytest.mark.parametrize("layout", TORCH)
@pytest.mark.parametrize("other", TORCH)
@pytest.mark.parametrize("index", [torch.int32, torch.int64])
def test_torch_gives_a_layout_and_indices_like_the_first(
    layout: str, other: str, index: torch.dtype
) -> None:
    a, b = random_dense(1, 5, 6), random_dense(2, 6, 7)
    c = spgemm(as_torch(a, layout, index), as_torch(b, other))
    assert str(c.layout) == f"torch.{layout}"
    assert np.array_equal(to_dense(c), a @ b)
    if layout == "sparse_coo":
        assert c.is_coalesced()
    else:
        assert {x.dtype for x in indices_of(c)} == {index}
        torch.sparse_compressed_tensor(*indices_of(c), c.values(), c.shape, layout=c.layout)
    mask = random_dense(3, 5, 7)
    masked = spgemm(as_torch(a, layout, index), as_torch(b, other), mask=as_torch(mask, other))
    assert np.array_equal(to_dense(masked), (a @ b) * (mask != 0))


@pytest.mark.parametrize("kind", [sp.csc_array, "sparse_csc"])
def test_compressed_columns_are_not_converted(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """As ``C^T = B^T A^T``."""
    a, b = random_dense(1, 5, 6), random_dense(2, 6, 7)
    left, right = (kind(x) if callable(kind) else as_torch(x, kind) for x in (a, b))
    monkeypatch.setattr("workbench.ops.sparse_operands._turned", None)
    c = spgemm(left, right, num_threads=2)
    assert np.array_equal(to_dense(c), a @ b)
    for semiring in SEMIRINGS:
        expected = spgemm(sp.csr_array(a), sp.csr_array(b), semiring)
        assert np.array_equal(to_dense(spgemm(left, right, semiring)), expected.toarray())


def test_compressed_columns_take_masks_of_any_layout() -> None:
    a, b, mask = random_dense(1, 5, 6), random_dense(2, 6, 7), random_dense(3, 5, 7)
    for kind in SCIPY:
        c = spgemm(sp.csc_array(a), sp.csc_array(b), mask=kind(mask))
        assert type(c) is sp.csc_array
        assert np.array_equal(c.toarray(), (a @ b) * (mask != 0))
        c = spgemm(sp.csc_array(a), sp.csc_array(b), mask=kind(mask), complement=True)
        assert np.array_equal(c.toarray(), (a @ b) * (mask == 0))


def test_edge_lists_give_edge_lists() -> None:
    a = random_dense(1, 6, 6)
    edges, weight, size = spgemm(as_edges(a), as_edges(a))
    assert size == 6
    assert edges.dtype == torch.int64
    assert np.array_equal(to_dense((edges, weight, size)), a @ a)
    shuffled = torch.randperm(weight.numel(), generator=torch.Generator().manual_seed(0))
    assert np.array_equal(
        to_dense(spgemm((edges[:, shuffled], weight[shuffled], 6), as_edges(a))), a @ a @ a
    )
    b = random_dense(2, 6, 4)
    assert spgemm(as_edges(a), as_edges(b))[2] == (6, 4)
    bare = (as_edges(a)[0], None, 6)
    assert np.array_equal(to_dense(spgemm(bare, bare)), (a != 0).astype(float) @ (a != 0))
    assert np.array_equal(
        to_dense(spgemm(bare, bare, mask=bare)), ((a != 0).astype(float) @ (a != 0)) * (a != 0)
    )
    assert np.array_equal(to_dense(power(as_edges(a), 3)), a @ a @ a)
    assert np.array_equal(to_dense(transpose(as_edges(b))), b.T)


def edge_index_type() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("torch_geometric").EdgeIndex


@pytest.mark.parametrize("order", [None, "row", "col"])
@pytest.mark.parametrize("sized", [True, False])
def test_edge_indices_give_edge_indices_and_values(order: str | None, sized: bool) -> None:
    kind = edge_index_type()
    a = random_dense(1, 6, 6)
    a[5, 5] = 1
    rows, cols = np.nonzero(a)
    if order is None:
        rows, cols = rows[::-1].copy(), cols[::-1].copy()
    if order == "col":
        by_column = np.argsort(cols, kind="stable")
        rows, cols = rows[by_column], cols[by_column]
    size = {"sparse_size": (6, 6)} if sized else {}
    index = kind(torch.from_numpy(np.stack([rows, cols])), sort_order=order, **size)
    one = (a != 0).astype(np.float32)
    edges, weight = spgemm(index, index)
    assert isinstance(edges, kind)
    assert edges.sparse_size() == (6, 6)
    edges.validate()
    at = tuple(edges.as_tensor().numpy())
    assert np.array_equal(weight.numpy(), (one @ one)[at])
    # A product may be a factor again.
    edges, weight = power(index, 3)
    assert np.array_equal(weight.numpy(), (one @ one @ one)[tuple(edges.as_tensor().numpy())])


def test_containers_may_differ() -> None:
    a = random_dense(1, 6, 6)
    forms = [sp.csr_array(a), sp.csc_array(a), as_torch(a, "sparse_csr"), as_edges(a)]
    for x, y in itertools.product(forms, repeat=2):
        c = spgemm(x, y)
        assert type(c) is type(x)
        assert np.array_equal(to_dense(c), a @ a)


@pytest.mark.parametrize("cols", [2**26 + 1, 2**40])
@pytest.mark.parametrize("kind", ["sparse_csr", "sparse_coo", "edges", "scipy coo"])
def test_very_many_columns_keep_their_number(cols: int, kind: str) -> None:
    at = torch.tensor([[0, 0, 1], [3, cols - 2, 3]])
    data = torch.tensor([1.0, 2.0, 3.0])
    a = np.array([[1.0, 0.0], [1.0, 1.0]], dtype=np.float32)
    left: Any
    right: Any
    if kind == "edges":
        left, right = as_edges(a), (at, data, (2, cols))
    elif kind == "scipy coo":
        left, right = sp.coo_array(a), sp.coo_array((data.numpy(), at.numpy()), shape=(2, cols))
    else:
        left, right = as_torch(a, kind), torch.sparse_coo_tensor(at, data, (2, cols)).coalesce()
        if kind == "sparse_csr":
            right = torch.sparse_csr_tensor(torch.tensor([0, 2, 3]), at[1], data, (2, cols))
    for options in ({}, {"mask": right}):
        c = spgemm(left, right, **options)
        assert tuple(c[2] if kind == "edges" else c.shape) == (2, cols)
        csr = unwrap(c, "C", compact=True)
        assert csr.names is not None
        assert csr.names[csr.idx].tolist() == [3, cols - 2] + ([3] if options else [3, cols - 2])
        assert csr.values.tolist() == ([1, 2, 4] if options else [1, 2, 4, 2])


# Dtypes -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
def test_dtypes_are_preserved(dtype: Any) -> None:
    a = random_dense(1, 6, 6, dtype)
    expected = a @ a
    for kind in SCIPY:
        c = spgemm(kind(a), kind(a))
        assert c.dtype == dtype
        assert np.array_equal(c.toarray(), expected)
    for layout in TORCH:
        c = spgemm(as_torch(a, layout), as_torch(a, layout))
        assert c.dtype == DTYPES[dtype]
        assert np.array_equal(to_dense(c), expected)


@pytest.mark.parametrize(("left", "right"), [*itertools.product(DTYPES, repeat=2)])
def test_different_dtypes_are_promoted_like_torch_does(left: Any, right: Any) -> None:
    a, b = random_dense(1, 5, 6, left), random_dense(2, 6, 7, right)
    wanted = torch.promote_types(DTYPES[left], DTYPES[right])
    c = spgemm(as_torch(a, "sparse_csr"), as_torch(b, "sparse_csr"))
    assert c.dtype == wanted
    numpy = torch.empty(0, dtype=wanted).numpy().dtype
    assert np.array_equal(to_dense(c), a.astype(numpy) @ b.astype(numpy))
    assert spgemm(sp.csr_array(a), sp.csr_array(b)).dtype == numpy


def test_or_and_asks_what_is_not_zero() -> None:
    a = sp.csr_array(np.array([[0.3, 0.0], [0.0, np.nan]]))
    assert spgemm(a, a, "or_and").toarray().tolist() == [[True, False], [False, True]]


@pytest.mark.parametrize("order", [">f8", ">f4", ">i4"])
def test_foreign_byte_order_is_read(order: str) -> None:
    a = sp.csr_array(random_dense(1, 4, 4))
    expected = (a @ a).toarray()
    a.data = a.data.astype(order)
    c = spgemm(a, a)
    assert c.dtype == np.dtype(order).newbyteorder("=")
    assert np.array_equal(c.toarray(), expected)


# Memory -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", SCIPY)
def test_read_only_arrays_are_read(kind: type) -> None:
    dense = random_dense(1, 5, 5)
    a = kind(dense)
    for name in ("data", "indices", "indptr", "row", "col"):
        array = getattr(a, name, None)
        if isinstance(array, np.ndarray):
            array.flags.writeable = False
    assert np.array_equal(spgemm(a, a).toarray(), dense @ dense)
    assert np.array_equal(spgemm(a, a, mask=a).toarray(), (dense @ dense) * (dense != 0))
    assert spgemm(a, a, "min_plus").shape == (5, 5)
    assert np.array_equal(transpose(a).toarray(), dense.T)
    assert np.array_equal(spmm(a, np.broadcast_to(1.0, (5, 3)))[:, 0], dense.sum(1))
    if a.format == "csr":
        assert SpGEMMPlan(a, a).numeric(a.data, a.data).shape == (spgemm(a, a).nnz,)


def test_values_of_stride_zero_and_views_are_copied() -> None:
    dense = (random_dense(1, 5, 5) != 0).astype(np.float64)
    a = sp.csr_array(dense)
    a.data = np.broadcast_to(2.0, a.nnz)
    assert np.array_equal(spgemm(a, a).toarray(), 4 * dense @ dense)
    a.data = np.repeat(2.0, 2 * a.nnz)[::-2]
    assert np.array_equal(spgemm(a, a).toarray(), 4 * dense @ dense)
    crow, col = (torch.from_numpy(x) for x in (a.indptr, a.indices))
    for data in (torch.full((1,), 2.0).expand(a.nnz), torch.full((2 * a.nnz,), 2.0)[::2]):
        t = torch.sparse_csr_tensor(crow, col, data, (5, 5))
        assert np.array_equal(to_dense(spgemm(t, t)), 4 * dense @ dense)
        assert np.array_equal(to_dense(spgemm(t, t, mask=t)), 4 * (dense @ dense) * dense)
        edges = (torch.from_numpy(np.stack(np.nonzero(dense))), data, 5)
        assert np.array_equal(to_dense(spgemm(edges, edges)), 4 * dense @ dense)
    wide = np.repeat(a.indices, 2)
    a.data, a.indices = np.full(a.nnz, 2.0), wide[::2]
    assert np.array_equal(spgemm(a, a).toarray(), 4 * dense @ dense)


def test_lazily_conjugated_and_negated_values_are_resolved() -> None:
    data = torch.tensor([1 + 2j, 3 - 1j])
    edges = torch.tensor([[0, 1], [1, 0]])
    for lazy in (data.conj(), data.conj().imag):
        assert lazy.is_conj() or lazy.is_neg()
        a = (edges, lazy, 2)
        expected = torch.diag((lazy[0] * lazy[1]).expand(2)).resolve_conj().resolve_neg().numpy()
        for options in ({}, {"mask": spgemm(a, a)}):
            np.testing.assert_allclose(to_dense(spgemm(a, a, **options)), expected)


def test_operands_are_left_as_they_were() -> None:
    dense = random_dense(1, 6, 6)
    a = sp.csr_array(dense)
    a.indices[a.indptr[0] : a.indptr[1]] = a.indices[a.indptr[0] : a.indptr[1]][::-1].copy()
    before = a.indptr.copy(), a.indices.copy(), a.data.copy()
    spgemm(a, a)
    assert all(
        np.array_equal(x, y) for x, y in zip(before, (a.indptr, a.indices, a.data), strict=True)
    )


# Order and equal entries --------------------------------------------------------------------------


def shuffled(m: Any, rng: np.random.Generator) -> Any:
    """The same matrix with the entries of each row (or column) in another order."""
    m = m.copy()
    for r in range(m.indptr.size - 1):
        part = slice(m.indptr[r], m.indptr[r + 1])
        order = rng.permutation(part.stop - part.start)
        m.indices[part], m.data[part] = m.indices[part][order], m.data[part][order]
    m.has_sorted_indices = False
    return m


@given(st.integers(0, 2**32 - 1), st.sampled_from(["csr", "csc"]), st.sampled_from(SEMIRINGS))
@settings(max_examples=60, deadline=None)
def test_unsorted_rows_are_sorted(seed: int, layout: str, semiring: str) -> None:
    rng = np.random.default_rng(seed)
    a, b = random_dense(seed, 6, 7), random_dense(seed + 1, 7, 5)
    left, right = (sp.csr_array(x).asformat(layout) for x in (a, b))
    expected = spgemm(left, right, semiring)
    found = spgemm(shuffled(left, rng), shuffled(right, rng), semiring)
    assert np.array_equal(found.indptr, expected.indptr)
    assert np.array_equal(found.indices, expected.indices)
    assert np.array_equal(found.data, expected.data)


def doubled(layout: str, data: list[float]) -> Any:
    """A 1 x 1 matrix whose only place is stored once for every number."""
    zeros = np.zeros(len(data), dtype=np.int64)
    pointers = np.array([0, len(data)])
    values = np.asarray(data)
    at = torch.zeros(2, len(data), dtype=torch.int64)
    makers: dict[str, Callable[[], Any]] = {
        "scipy csr": lambda: sp.csr_array((values, zeros, pointers), shape=(1, 1)),
        "scipy csc": lambda: sp.csc_array((values, zeros, pointers), shape=(1, 1)),
        "scipy coo": lambda: sp.coo_array((values, (zeros, zeros)), shape=(1, 1)),
        "edge list": lambda: (at, torch.from_numpy(values), 1),
        "torch coo": lambda: torch.sparse_coo_tensor(at, torch.from_numpy(values), (1, 1)),
        "torch csr": lambda: torch.sparse_csr_tensor(
            *(torch.from_numpy(x) for x in (pointers, zeros, values)),
            (1, 1),
            check_invariants=False,
        ),
    }
    return makers[layout]()


LAYOUTS = ["scipy csr", "scipy csc", "scipy coo", "torch coo", "torch csr", "edge list"]
#: What [3, 5, 4] and 10 make, and 10 and [3, 5, 4].
COMBINED = {
    "plus_times": (120, 120),
    "min_plus": (13, 13),
    "max_plus": (15, 15),
    "min_max": (10, 10),
    "max_min": (5, 5),
    "or_and": (1, 1),
    "plus_pair": (1, 1),
    "plus_first": (12, 10),
    "plus_second": (10, 12),
    "min_first": (3, 10),
    "any_pair": (1, 1),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("semiring", SEMIRINGS)
def test_equal_columns_are_combined_by_the_semirings_addition(layout: str, semiring: str) -> None:
    """Before they meet anything: plus_pair counts a place once, min_plus takes the least."""
    many, one = doubled(layout, [3.0, 5.0, 4.0]), doubled(layout, [10.0])
    other = doubled("scipy csr", [10.0])
    for factor in (one, other):
        assert to_dense(spgemm(many, factor, semiring)).tolist() == [[COMBINED[semiring][0]]]
        assert to_dense(spgemm(factor, many, semiring)).tolist() == [[COMBINED[semiring][1]]]
    assert spgemm_flops(many, many) == 1


def test_256_equal_booleans_are_still_true() -> None:
    a = doubled("scipy csr", [0.25] * 256)
    assert spgemm(a, doubled("scipy csr", [1.0]), "or_and").data.tolist() == [True]
    a.data = np.ones(256, dtype=bool)
    assert spgemm(a, a).data.tolist() == [True]


def test_a_mask_with_equal_entries_counts_them_once() -> None:
    one = doubled("scipy csr", [10.0])
    for layout in LAYOUTS:
        assert spgemm(one, one, mask=doubled(layout, [0.0, 1.0])).data.tolist() == [100.0]


@given(st.integers(0, 2**32 - 1), st.sampled_from(["plus_times", "min_plus", "max_plus"]))
@settings(max_examples=40, deadline=None)
def test_uncoalesced_coordinates_equal_the_combined_matrix(seed: int, semiring: str) -> None:
    rng = np.random.default_rng(seed)
    count = int(rng.integers(0, 30))
    at, data = rng.integers(0, 5, (2, count)), rng.integers(-4, 5, count).astype(np.float64)
    combine = {"plus_times": np.add, "min_plus": np.minimum, "max_plus": np.maximum}[semiring]
    start = {"plus_times": 0.0, "min_plus": np.inf, "max_plus": -np.inf}[semiring]
    full = np.full((5, 5), start)
    combine.at(full, tuple(at), data)
    stored = np.zeros((5, 5), dtype=bool)
    stored[tuple(at)] = True
    rows, cols = np.nonzero(stored)
    pointers = np.concatenate([[0], np.cumsum(stored.sum(1))])
    canonical = sp.csr_array((full[rows, cols], cols, pointers), shape=(5, 5))
    expected = spgemm(canonical, canonical, semiring)
    forms = [
        torch.sparse_coo_tensor(torch.from_numpy(at), torch.from_numpy(data), (5, 5)),
        sp.coo_array((data, tuple(at)), shape=(5, 5)),
        (torch.from_numpy(at), torch.from_numpy(data), 5),
    ]
    for form in forms:
        c = unwrap(spgemm(form, form, semiring), "C")
        assert np.array_equal(c.ptr, expected.indptr)
        assert np.array_equal(c.idx, expected.indices)
        assert np.array_equal(c.values.numpy(), expected.data)


# Other operators ----------------------------------------------------------------------------------


@pytest.mark.parametrize("form", [*SCIPY, *TORCH, as_edges])
def test_transposes_and_sampled_products_keep_the_container(form: Any) -> None:
    dense = random_dense(1, 5, 7)
    a = as_torch(dense, form) if isinstance(form, str) else form(dense)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(5, 3)), rng.normal(size=(7, 3))
    turned, sampled = transpose(a), sddmm(a, x, y)
    for out in (turned, sampled):
        assert type(out) is type(a)
        if isinstance(a, torch.Tensor):
            assert out.layout == a.layout
    assert np.array_equal(to_dense(turned), dense.T)
    np.testing.assert_allclose(to_dense(sampled), (x @ y.T) * (dense != 0), rtol=1e-12)
    np.testing.assert_allclose(spmm(a, y), dense @ y, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("width", [1, 7, 70])
def test_transposes_sort_and_keep_equal_results(width: int) -> None:
    a = sp.csr_array(random_dense(2, width, 9))
    out = transpose(shuffled(a, np.random.default_rng(0)))
    assert out.has_sorted_indices
    assert np.array_equal(out.toarray(), a.toarray().T)


# What is refused ----------------------------------------------------------------------------------


def test_tensors_elsewhere_are_refused() -> None:
    good = as_torch(random_dense(1, 3, 3, np.float32), "sparse_csr")
    edges = torch.tensor([[0, 1], [1, 2]])
    elsewhere: list[Any] = [
        torch.sparse_coo_tensor(edges, torch.ones(2), (3, 3), device="meta"),
        (edges.to("meta"), None, 3),
        (edges, torch.ones(2, device="meta"), 3),
    ]
    for wrong in elsewhere:
        for a, b, name in ((wrong, good, "A"), (good, wrong, "B")):
            with pytest.raises(ValueError, match=f"{name} must be on the CPU, got meta"):
                spgemm(a, b)
        with pytest.raises(ValueError, match="mask must be on the CPU"):
            spgemm(good, good, mask=wrong)
        with pytest.raises(ValueError, match="A must be on the CPU"):
            spmm(wrong, torch.ones(3, 2))


def test_tensors_that_are_no_sparse_matrix_are_refused() -> None:
    good = as_torch(random_dense(1, 4, 4, np.float32), "sparse_csr")
    with pytest.raises(TypeError, match="A must be sparse"):
        spgemm(torch.ones(4, 4), good)
    with pytest.raises(TypeError, match="B must be sparse"):
        spgemm(good, torch.ones(4, 4).to_sparse_bsr((2, 2)))
    with pytest.raises(ValueError, match="A must have two dimensions"):
        spgemm(torch.ones(2, 4, 4).to_sparse_csr(), good)
    with pytest.raises(ValueError, match="A must have scalar entries"):
        spgemm(torch.ones(4, 4).to_sparse(1), good)
    with pytest.raises(ValueError, match="A must have two dimensions"):
        spgemm(sp.coo_array(np.ones(3)), good)
    with pytest.raises(TypeError, match="A: values have dtype"):
        spgemm(good.half(), good)
    with pytest.raises(TypeError, match="A: values have dtype"):
        spgemm(good.to(torch.bfloat16), good)


def test_edge_lists_that_do_not_fit_are_refused() -> None:
    edges = torch.tensor([[0, 1], [1, 2]])
    good = (edges, None, 3)
    for wrong, message in (
        ((edges, None), "got 2 parts"),
        ((edges[0], None, 3), "edge_index must be"),
        ((edges.T.reshape(1, 4), None, 3), "edge_index must be"),
        ((edges, torch.ones(3), 3), r"weight must have shape \(2,\)"),
        ((edges, None, 1), r"must be in \[0, 1\)"),
        ((edges - 1, None, 3), r"must be in \[0, 3\)"),
        ((edges.flip(0), None, 2), r"must be in \[0, 2\)"),
        ((edges.flip(0) - 1, None, 3), r"must be in \[0, 3\)"),
    ):
        with pytest.raises(ValueError, match=f"A.*{message}"):
            spgemm(wrong, good)
    with pytest.raises(TypeError, match="A must be integers"):
        spgemm((edges.float(), None, 3), good)


@pytest.mark.parametrize("layout", ["sparse_csr", "sparse_csc"])
def test_unchecked_torch_tensors_are_checked_here(layout: str) -> None:
    good = as_torch(random_dense(1, 2, 2, np.float32), "sparse_csr")
    make = torch.sparse_csr_tensor if layout == "sparse_csr" else torch.sparse_csc_tensor
    for pointers, indices in (([0, 1, 2], [0, 5]), ([0, 2, 1], [0, 1]), ([0, 1, 2], [-1, 0])):
        wrong = make(
            torch.tensor(pointers),
            torch.tensor(indices),
            torch.ones(2),
            (2, 2),
            check_invariants=False,
        )
        for a, b, name in ((wrong, good, "A"), (good, wrong, "B"), (wrong, wrong, "[AB]")):
            with pytest.raises(ValueError, match=f"{name}: (column indices|indptr)"):
                spgemm(a, b)


def test_repeated_coordinates_that_need_gradients_must_be_coalesced() -> None:
    data = torch.tensor([1.0, 2.0], requires_grad=True)
    a = torch.sparse_coo_tensor(torch.zeros(2, 2, dtype=torch.int64), data, (1, 1))
    with pytest.raises(ValueError, match="A has equal coordinates"):
        spgemm(a, a, "min_plus")
