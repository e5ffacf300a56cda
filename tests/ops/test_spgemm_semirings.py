# SPDX-License-Identifier: Apache-2.0
"""Sparse products over every semiring against the reference, GraphBLAS and graph algorithms."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
import scipy.sparse.csgraph
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.ops.reference.spgemm import spgemm_reference
from workbench.ops.spgemm import SEMIRINGS, masked_spgemm, power, spgemm

from .spgemm_cases import DTYPES, assert_canonical, dense, random_csr, seeds


def defined(semiring: str, dtype: Any) -> bool:
    kind = np.dtype(dtype).kind
    if kind == "b":
        return semiring in ("or_and", "any_pair", "plus_times")
    ordered = semiring.startswith(("min", "max"))
    return not (kind == "c" and ordered)


PAIRS = [(s, d) for s in SEMIRINGS for d in [*DTYPES, np.bool_] if defined(s, d)]


@pytest.mark.parametrize(("semiring", "dtype"), PAIRS)
def test_semirings_equal_the_reference(semiring: str, dtype: Any) -> None:
    @given(seeds, st.tuples(*(st.integers(0, 8) for _ in range(3))))
    @settings(max_examples=8, deadline=None)
    def equal(seed: int, size: tuple[int, int, int]) -> None:
        rng = np.random.default_rng(seed)
        m, k, n = size
        a, b = random_csr(rng, m, k, 0.5, dtype), random_csr(rng, k, n, 0.5, dtype)
        name = "or_and" if dtype is np.bool_ and semiring == "plus_times" else semiring
        expected, stored = spgemm_reference(*dense(a), *dense(b), name)
        if name == "or_and":
            expected = expected.bool()
        masks = random_csr(rng, m, n, 0.5)
        places = dense(masks)[1]
        for options, where in (
            ({}, torch.ones_like(places)),
            ({"mask": masks}, places),
            ({"mask": masks, "complement": True}, ~places),
        ):
            c = spgemm(a, b, semiring, **options)
            assert_canonical(c)
            ours, ours_stored = dense(c)
            assert torch.equal(ours_stored, stored & where)
            assert ours.dtype == expected.dtype
            torch.testing.assert_close(
                ours, expected.masked_fill(~where, 0), rtol=1e-4, atol=1e-4 if m else 0
            )

    equal()


@pytest.mark.parametrize("semiring", SEMIRINGS)
def test_semirings_equal_graphblas(semiring: str) -> None:
    gb = pytest.importorskip("graphblas")
    try:
        gb.init("suitesparse", blocking=True)
        gb.Matrix  # noqa: B018 - loads the rest
    except AttributeError as error:
        pytest.skip(f"this python-graphblas does not fit its SuiteSparse: {error}")
    names = {"or_and": "lor_land"}
    theirs = getattr(gb.semiring, names.get(semiring, semiring))
    rng = np.random.default_rng(18)
    for dtype in (np.float64, np.int64):
        a, b = random_csr(rng, 60, 50, 0.2, dtype), random_csr(rng, 50, 70, 0.2, dtype)
        mask = random_csr(rng, 60, 70, 0.3)
        left, right, places = (gb.io.from_scipy_sparse(sp.csr_array(m)) for m in (a, b, mask))
        for options, where in (
            ({}, None),
            ({"mask": mask}, places.S),
            ({"mask": mask, "complement": True}, ~places.S),
        ):
            ours = spgemm(a, b, semiring, **options)
            result = gb.Matrix(theirs[dtype.__name__].return_type, 60, 70)
            expression = left.mxm(right, theirs)
            if where is None:
                result << expression
            else:
                result(where) << expression
            rows, columns, entries = result.to_coo(sort=True)
            assert np.array_equal(np.repeat(np.arange(60), np.diff(ours.indptr)), rows)
            assert np.array_equal(ours.indices, columns)
            np.testing.assert_allclose(ours.data, entries, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("semiring", ["min_plus", "max_plus", "min_max", "max_min", "min_first"])
def test_orders_hand_nan_on_like_numpy(semiring: str) -> None:
    a = sp.csr_array(np.array([[1.0, np.nan], [2.0, 3.0]]))
    c = spgemm(a, sp.csr_array(np.ones((2, 2))), semiring).toarray()
    assert np.isnan(c[0]).all()
    assert np.isfinite(c[1]).all()


def test_orders_hand_infinities_on() -> None:
    a = sp.csr_array(np.array([[np.inf]]))
    one = sp.csr_array([[1.0]])
    assert spgemm(a, one, "min_plus").data.tolist() == [np.inf]
    assert spgemm(-a, one, "max_plus").data.tolist() == [-np.inf]


def test_min_plus_closure_equals_dijkstra() -> None:
    rng = np.random.default_rng(19)
    graph = random_csr(rng, 40, 40, 0.1)
    graph.data = abs(graph.data) + 0.1
    graph = graph + sp.csr_array((40, 40))
    looped = sp.lil_array(graph)
    looped.setdiag(1.0)
    looped = sp.csr_array(looped)
    looped.data[looped.indices == np.repeat(np.arange(40), np.diff(looped.indptr))] = 0
    closure = power(looped, 64, "min_plus")
    expected = scipy.sparse.csgraph.dijkstra(graph)
    found = np.full((40, 40), np.inf)
    found[np.repeat(np.arange(40), np.diff(closure.indptr)), closure.indices] = closure.data
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_masked_plus_pair_counts_triangles() -> None:
    networkx = pytest.importorskip("networkx")
    graph = networkx.gnp_random_graph(80, 0.15, seed=1)
    adjacency = sp.csr_array(networkx.to_scipy_sparse_array(graph, dtype=np.int64))
    lower = sp.csr_array(sp.tril(adjacency, -1))
    counted = masked_spgemm(lower, lower, lower, semiring="plus_pair")
    assert counted.sum() == sum(networkx.triangles(graph).values()) // 3
