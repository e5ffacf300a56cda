# SPDX-License-Identifier: Apache-2.0
"""Plans of sparse products: one pattern, many values.

Tests called ``test_kernel_*`` run once more under every narrower instruction set by
test_spgemm_machines.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
import torch

from workbench.ops.spgemm import SpGEMMPlan, spgemm, spgemm_flops

from .spgemm_cases import (
    EDGES,
    FLOATS,
    WINDOW,
    assert_product,
    broken,
    from_rows,
    hub,
    random_columns,
    random_csr,
    rows_of_exactly,
    stencil,
    thin_cases,
    values,
)


def plan_cases() -> dict[str, Callable[[np.random.Generator, Any], tuple[Any, Any]]]:
    def wide(rng: np.random.Generator, dtype: Any) -> tuple[Any, Any]:
        cols = 2 * WINDOW + 11
        rows = [random_columns(rng, c, cols) for c in (500, 0, 3, 900, 1)]
        rows.append(np.arange(WINDOW - 50, WINDOW + 50))
        rows.append(np.array([0, cols - 1]))
        left = [[0], [0, 3], [], [2, 4, 6], range(7), [5, 6], [3, 5]]
        return from_rows(rng, left, 7, dtype), from_rows(rng, rows, cols, dtype)

    def edges(rng: np.random.Generator, dtype: Any) -> tuple[Any, Any]:
        pairs = [rows_of_exactly(rng, p, 5000, 3000, dtype) for p in (*EDGES, 1000, 4095, 4097)]
        a = sp.block_diag([a for a, _ in pairs], format="csr").astype(dtype)
        return sp.csr_array(a), sp.vstack([b for _, b in pairs], format="csr")

    def band(rng: np.random.Generator, dtype: Any) -> tuple[Any, Any]:
        return stencil(rng, 300, range(-5, 6), dtype), stencil(rng, 300, [-20, 0, 20], dtype)

    def itself(rng: np.random.Generator, dtype: Any) -> tuple[Any, Any]:
        a = stencil(rng, 300, [-17, -1, 0, 1, 17], dtype)
        return a, a

    def random(rng: np.random.Generator, dtype: Any) -> tuple[Any, Any]:
        return random_csr(rng, 80, 70, 0.2, dtype), random_csr(rng, 70, 400, 0.4, dtype)

    def one_hub(rng: np.random.Generator, dtype: Any) -> tuple[Any, Any]:
        return hub(rng, "twice", 30_000, dtype)

    def nothing(rng: np.random.Generator, dtype: Any) -> tuple[Any, Any]:
        return sp.csr_array((3, 4), dtype=dtype), random_csr(rng, 4, 5, 0.5, dtype)

    cases = (wide, edges, band, itself, random, one_hub, nothing)
    return {case.__name__: case for case in cases} | {
        f"thin {k}": v for k, v in thin_cases().items()
    }


@pytest.mark.parametrize("case", plan_cases())
@pytest.mark.parametrize("dtype", FLOATS)
def test_kernel_plans_equal_products_for_changing_values(case: str, dtype: Any) -> None:
    rng = np.random.default_rng(23)
    a, b = plan_cases()[case](rng, dtype)
    plan = SpGEMMPlan(a, b)
    first = spgemm(a, b)
    assert plan.shape == first.shape
    assert plan.nnz == first.nnz
    assert plan.flops == spgemm_flops(a, b)
    assert plan.nbytes >= 0
    assert np.array_equal(plan.indptr, first.indptr)
    assert np.array_equal(plan.indices, first.indices)
    for _ in range(1 if case == "one_hub" else 2):
        a.data = values(rng, a.nnz, dtype)
        b.data = a.data if a is b else values(rng, b.nnz, dtype)
        numeric = plan.numeric(a.data, b.data)
        assert isinstance(numeric, np.ndarray)
        assert numeric.dtype == dtype
        assert_product(plan.matrix(a.data, b.data), a, b)


@pytest.mark.parametrize("layout", ["csr", "csc"])
def test_plans_name_what_does_not_fit(layout: str) -> None:
    a = sp.csr_array(np.ones((2, 3))).asformat(layout)
    b = sp.csr_array(np.ones((3, 5))).asformat(layout)
    plan = SpGEMMPlan(a, b)
    assert plan.shape == (2, 5)
    x, y = np.ones(6), np.ones(15)
    assert plan.numeric(x, y).tolist() == [3.0] * 10
    assert type(plan.matrix(x, y)) is type(a)
    with pytest.raises(ValueError, match=r"values of A must have shape \(6,\), got \(7,\)"):
        plan.numeric(np.ones(7), y)
    with pytest.raises(ValueError, match=r"values of B must have shape \(15,\), got \(3, 5\)"):
        plan.numeric(x, np.ones((3, 5)))
    for dtype in (np.int32, np.int64, np.complex64, np.float16, np.bool_):
        with pytest.raises(TypeError, match="float32 or float64"):
            plan.numeric(x.astype(dtype), y.astype(dtype))
    with pytest.raises(TypeError, match="values of A"):
        plan.numeric(x.astype(np.longdouble), y)


def test_plans_promote_and_keep_the_kind_that_came() -> None:
    a = sp.csr_array(np.ones((2, 2), dtype=np.float32))
    plan = SpGEMMPlan(a, a)
    assert plan.numeric(np.ones(4, np.float32), np.ones(4)).dtype == np.float64
    assert plan.numeric(torch.ones(4), torch.ones(4)).dtype == torch.float32
    assert isinstance(plan.numeric(np.ones(4), torch.ones(4)), torch.Tensor)
    frozen = np.broadcast_to(np.float32(2), 4)
    assert plan.numeric(frozen, frozen).tolist() == [8.0] * 4
    assert plan.numeric(np.arange(8.0)[::2], np.ones(4)).tolist() == [2, 2, 10, 10]


def test_plans_refuse_matrices_whose_values_would_change_places() -> None:
    good = sp.csr_array(np.ones((2, 2)))
    twice = broken(indices=[0, 0, 0, 1])
    unsorted = broken(indices=[1, 0, 0, 1])
    for wrong in (twice, unsorted, good.tocsc()):
        for a, b, name in ((wrong, good, "A"), (good, wrong, "B")):
            with pytest.raises(ValueError, match=f"{name} must have sorted rows"):
                SpGEMMPlan(a, b)
    with pytest.raises(ValueError, match="B: a plan takes"):
        SpGEMMPlan(sp.csr_array(np.ones((1, 1))), sp.csr_array((1, 2**40)))


def test_plans_of_patterns_without_numbers() -> None:
    a = sp.csr_array(np.ones((2, 2), dtype=bool))
    assert SpGEMMPlan(a, a).numeric(np.ones(4), np.ones(4)).tolist() == [2.0] * 4
