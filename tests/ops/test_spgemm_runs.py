# SPDX-License-Identifier: Apache-2.0
"""Sparse products of stencils, bands and other runs of shifted rows against scipy.

Tests called ``test_kernel_*`` run once more under every narrower instruction set by
test_spgemm_machines.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.ops.spgemm import SpGEMMPlan

from .spgemm_cases import (
    FLOATS,
    WINDOW,
    assert_product,
    check,
    from_rows,
    random_columns,
    seeds,
    stencil,
)

STENCILS = {
    "diagonal": [0],
    "bidiagonal": [-1, 0],
    "tridiagonal": [-1, 0, 1],
    "upper": [1, 2, 5],
    "lower": [-30, -1],
    "poisson": [-20, -1, 0, 1, 20],
    "band": list(range(-9, 10)),
    "wide band": list(range(-40, 41)),
    "far": [-250, 0, 250],
}


@pytest.mark.parametrize("offsets", STENCILS.values(), ids=STENCILS)
@pytest.mark.parametrize("dtype", FLOATS)
def test_kernel_stencils(offsets: list[int], dtype: Any) -> None:
    rng = np.random.default_rng(5)
    a, b = (stencil(rng, 300, offsets, dtype) for _ in range(2))
    check(a, b)
    check(a, a)
    check(a, stencil(rng, 300, [-3, 2], dtype))


@pytest.mark.parametrize("half", [63, 64, 65])
def test_kernel_bands_around_the_largest_schedule(half: int) -> None:
    """Rows of up to 16384 products share a schedule, longer ones go through the window."""
    a = stencil(np.random.default_rng(half), 340, range(-half, half), np.float32)
    check(a, a)


def broken_run(rng: np.random.Generator, size: int, place: int, how: str, dtype: Any) -> Any:
    rows = [[r + o for o in (-2, 0, 1, 7) if 0 <= r + o < size] for r in range(size)]
    if how == "missing":
        rows[place] = rows[place][1:]
    elif how == "moved":
        rows[place] = sorted({*rows[place][:-1], (rows[place][-1] + 3) % size})
    else:
        rows[place] = []
    return from_rows(rng, rows, size, dtype)


@pytest.mark.parametrize("how", ["missing", "moved", "empty"])
@pytest.mark.parametrize("side", ["A", "B", "both"])
def test_kernel_runs_broken_at_every_place(how: str, side: str) -> None:
    rng = np.random.default_rng(6)
    whole = stencil(rng, 70, (-2, 0, 1, 7), np.float32)
    for place in range(70):
        broken = broken_run(rng, 70, place, how, np.float32)
        check(broken if side != "B" else whole, broken if side != "A" else whole)


def runs_of(
    rng: np.random.Generator, lengths: Sequence[int], cols: int, width: int, dtype: Any
) -> Any:
    """Runs of so many rows each; every second one starts at column 0 or ends at the last one."""
    rows: list[Any] = []
    for number, length in enumerate(lengths):
        count = int(rng.integers(0, width + 1)) if number % 5 == 4 else width
        reach = cols - length + 1
        first = random_columns(rng, count, reach)
        if count and number % 4 == 0:
            first[0] = 0
        if count and number % 4 == 2:
            first[-1] = reach - 1
        rows += [first + shift for shift in range(length)]
    return from_rows(rng, rows, cols, dtype)


@pytest.mark.parametrize("length", [1, 2, 15, 16, 17, 31, 32, 33, 64, 65])
@pytest.mark.parametrize("dtype", FLOATS)
def test_kernel_runs_of_so_many_rows(length: int, dtype: Any) -> None:
    rng = np.random.default_rng(length)
    b = runs_of(rng, [length] * (260 // length + 1), 200, 6, dtype)
    k = b.shape[0]
    check(runs_of(rng, [length] * 6, k, 3, dtype), b)
    check(stencil(rng, k, [-1, 0, 4], dtype), b)
    check(runs_of(rng, [33] * 4, k, 40, dtype), b)


@given(
    seeds,
    st.lists(st.sampled_from([1, 2, 15, 16, 17, 33, 50]), min_size=2, max_size=8),
    st.lists(st.sampled_from([1, 2, 15, 16, 17, 33, 50]), min_size=2, max_size=8),
    st.sampled_from(FLOATS),
)
@settings(max_examples=35, deadline=None)
def test_kernel_any_runs(seed: int, left: list[int], right: list[int], dtype: Any) -> None:
    rng = np.random.default_rng(seed)
    b = runs_of(rng, right, 90, 5, dtype)
    a = runs_of(rng, left, max(b.shape[0], 60), 5, dtype)
    b = sp.vstack([b, sp.csr_array((a.shape[1] - b.shape[0], 90), dtype=dtype)], format="csr")
    check(a, b)
    plan = SpGEMMPlan(a, b)
    assert_product(plan.matrix(a.data, b.data), a, b)


def test_kernel_runs_of_empty_rows() -> None:
    rng = np.random.default_rng(7)
    empty = sp.csr_array((200, 200))
    a = stencil(rng, 200, [-1, 0, 1], np.float64)
    half = a.copy()
    half = from_rows(rng, [a.indices[a.indptr[r] : a.indptr[r + 1]] * (r < 100) for r in ()], 200)
    rows = [[r] if 50 < r < 150 else [] for r in range(200)]
    half = from_rows(rng, rows, 200)
    for left, right in ((empty, a), (a, empty), (empty, empty), (half, a), (a, half), (half, half)):
        check(left, right)


def test_kernel_stencils_wider_than_a_window() -> None:
    """No runs there: every row goes its own way."""
    rng = np.random.default_rng(8)
    far = from_rows(rng, [[r, r + WINDOW] for r in range(100)], WINDOW + 100, np.float32)
    check(stencil(rng, 100, [-1, 0, 1], np.float32), far)
