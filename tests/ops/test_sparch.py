# SPDX-License-Identifier: Apache-2.0
"""The SpArch counters against plain Python, heapq and scipy, and against what must always hold."""

from __future__ import annotations

import heapq
from dataclasses import fields
from itertools import groupby
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.ops import sparch
from workbench.ops.reference import sparch as reference
from workbench.ops.sparch import Pattern


def random_pattern(rng: np.random.Generator, rows: int, columns: int, density: float) -> Pattern:
    """Rows of very different lengths, some empty."""
    skew = rng.random((rows, 1)) ** 3 * 3
    full = rng.random((rows, columns)) < density * skew
    indptr = np.concatenate([[0], np.cumsum(full.sum(axis=1))])
    return Pattern(indptr, np.nonzero(full)[1], (rows, columns))


@st.composite
def factors(draw: st.DrawFn) -> tuple[Pattern, Pattern]:
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    m, k, n = (draw(st.integers(0, 14)) for _ in range(3))
    density = draw(st.sampled_from([0.05, 0.3, 0.8]))
    return random_pattern(rng, m, k, density), random_pattern(rng, k, n, density)


def assert_equal(ours: Any, theirs: Any) -> None:
    assert type(ours) is type(theirs)
    for field in fields(ours):
        mine, other = getattr(ours, field.name), getattr(theirs, field.name)
        if isinstance(mine, np.ndarray):
            assert mine.dtype == np.int64, field.name
            assert mine.tolist() == other.tolist(), field.name
        else:
            assert mine == other, field.name


def csr(pattern: Pattern) -> scipy.sparse.csr_array:
    ones = np.ones(pattern.nnz)
    return scipy.sparse.csr_array((ones, pattern.indices, pattern.indptr), shape=pattern.shape)


@given(factors())
@settings(max_examples=60, deadline=None)
def test_symbolic_is_the_product_of_scipy(pair: tuple[Pattern, Pattern]) -> None:
    a, b = pair
    products, elements = sparch.symbolic(a, b)
    product = csr(a) @ csr(b)
    assert elements.tolist() == np.diff(product.indptr).tolist()
    assert products.tolist() == product.sum(axis=1).astype(int).tolist()
    for ours, theirs in zip((products, elements), reference.symbolic(a, b), strict=True):
        assert ours.tolist() == theirs.tolist()


@given(
    factors(),
    st.booleans(),
    st.sampled_from(sparch.ORDERS),
    st.sampled_from(sparch.WEIGHTS),
    st.integers(2, 6),
)
@settings(max_examples=250, deadline=None)
def test_schedules_are_those_of_the_reference(
    pair: tuple[Pattern, Pattern],
    condense: bool,
    order: sparch.Order,
    weights: sparch.Weights,
    ways: int,
) -> None:
    arguments: dict[str, Any] = {
        "condense": condense, "order": order, "weights": weights, "ways": ways,
    }  # fmt: skip
    made = sparch.schedule(*pair, **arguments)
    assert_equal(made, reference.schedule(*pair, **arguments))
    products, elements = sparch.symbolic(*pair)
    assert made.products.sum() == products.sum()
    assert made.fresh.sum() == made.leaves
    assert made.stored_elements.sum() == made.out_elements[:-1].sum()
    if made.rounds:
        assert made.out_elements[-1] == elements.sum()
        assert made.a_elements.sum() == pair[0].nnz
        assert (made.fresh + made.stored).max() <= ways
    if order == "huffman" and made.leaves > ways:
        assert set((made.fresh + made.stored)[1:].tolist()) == {ways}
    if made.leaves <= ways:
        assert made.rounds == (made.leaves > 0)


@given(
    factors(),
    st.booleans(),
    st.integers(2, 5),
    st.integers(1, 12),
    st.integers(1, 5),
    st.one_of(st.none(), st.integers(0, 30)),
)
@settings(max_examples=250, deadline=None)
def test_the_row_buffer_is_that_of_the_reference(
    pair: tuple[Pattern, Pattern],
    condense: bool,
    ways: int,
    lines: int,
    line_elements: int,
    window: int | None,
) -> None:
    plan = sparch.schedule(*pair, condense=condense, ways=ways)
    sizes: dict[str, Any] = {"lines": lines, "line_elements": line_elements, "window": window}
    made = sparch.prefetch(*pair, plan, **sizes)
    assert_equal(made, reference.prefetch(*pair, plan, **sizes))
    if condense:
        assert (made.elements_read <= plan.products).all()


def skewed(seed: int, n: int, mean: float) -> Pattern:
    rng = np.random.default_rng(seed)
    lengths = np.minimum(rng.zipf(1.7, n) + rng.poisson(mean, n), n)
    popular = rng.permutation(n)
    rows = [
        np.unique(popular[np.minimum((rng.random(k) ** 2 * n).astype(int), n - 1)]) for k in lengths
    ]
    indptr = np.concatenate([[0], np.cumsum([len(row) for row in rows])])
    return Pattern(indptr, np.concatenate(rows), (n, n))


@given(st.integers(0, 2**32), st.integers(2, 40), st.integers(1, 60), st.integers(1, 8))
@settings(max_examples=60, deadline=None)
def test_no_buffer_misses_less_than_one_that_sees_everything(
    seed: int, ways: int, lines: int, line_elements: int
) -> None:
    a = skewed(seed, 120, 3.0)
    plan = sparch.schedule(a, a, ways=ways)

    def misses(window: int | None) -> np.ndarray:
        made = sparch.prefetch(a, a, plan, lines=lines, line_elements=line_elements, window=window)
        return made.line_misses

    best = misses(None)
    for window in (0, 1, 7, 50, 400):
        assert (best <= misses(window)).all()
    assert (best == misses(a.nnz)).all(), "a window over all of A sees everything"


def test_a_large_buffer_reads_each_row_once() -> None:
    a = skewed(3, 300, 5.0)
    plan = sparch.schedule(a, a, order="balanced", ways=300)
    assert plan.rounds == 1
    made = sparch.prefetch(a, a, plan, lines=10**6, line_elements=4, window=0)
    used = np.unique(a.indices)
    assert made.elements_read.sum() == a.lengths[used].sum()
    assert made.row_misses.sum() == np.count_nonzero(a.lengths[used])


@given(factors(), st.sampled_from([0, 8, 64]), st.integers(1, 5))
@settings(max_examples=60, deadline=None)
def test_outerspace_is_that_of_the_reference(
    pair: tuple[Pattern, Pattern], align: int, units: int
) -> None:
    sizes: dict[str, Any] = {"align": align, "units": units, "bytes_per_cycle": 8.0}
    ours, theirs = sparch.outerspace(*pair, **sizes), reference.outerspace(*pair, **sizes)
    for field in fields(ours):
        assert getattr(ours, field.name) == pytest.approx(getattr(theirs, field.name))
    if align == 0:
        products, elements = sparch.symbolic(*pair)
        assert ours.written_bytes == 12 * products.sum()
        assert ours.a_bytes + ours.b_bytes == 12 * (pair[0].nnz + pair[1].nnz)
        assert ours.c_bytes == 12 * elements.sum()


streams = st.lists(st.integers(0, 60), unique=True, max_size=50).map(sorted)


@given(
    streams,
    streams,
    st.sampled_from([(1, 0), (2, 1), (4, 2), (8, 2), (16, 0), (16, 4), (16, 8), (6, 3)]),
    st.integers(0, 2**32),
)
@settings(max_examples=300, deadline=None)
def test_the_comparator_array_merges_like_heapq(
    a_keys: list[int], b_keys: list[int], size: tuple[int, int], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    # Small integers cancel now and then, and add without rounding.
    a_values, b_values = (rng.integers(-2, 3, len(keys)) for keys in (a_keys, b_keys))
    width, chunk = size
    made = sparch.merge(a_keys, a_values, b_keys, b_values, width=width, chunk=chunk)
    both = heapq.merge(zip(a_keys, a_values, strict=True), zip(b_keys, b_values, strict=True))
    expected = [(k, sum(v for _, v in same)) for k, same in groupby(both, lambda pair: pair[0])]
    assert made.keys.tolist() == [key for key, _ in expected]
    assert made.values.tolist() == [value for _, value in expected]
    assert made.cycles == -(-(len(a_keys) + len(b_keys)) // width)
    twin = reference.merge(
        a_keys, a_values.astype(float), b_keys, b_values.astype(float), width=width
    )
    assert twin.keys.tolist() == made.keys.tolist()
    assert (twin.values.tolist(), twin.cycles) == (made.values.tolist(), made.cycles)


def test_values_pass_the_merger_bit_by_bit() -> None:
    rng = np.random.default_rng(0)
    a_keys, b_keys = (np.sort(rng.choice(4000, 1500, replace=False)) for _ in range(2))
    a_values, b_values = rng.normal(size=1500), rng.normal(size=1500)
    b_values[::7] = np.nan
    flat = sparch.merge(a_keys, a_values, b_keys, b_values, width=16, chunk=0)
    chunked = sparch.merge(a_keys, a_values, b_keys, b_values, width=16, chunk=4)
    assert flat.keys.tobytes() == chunked.keys.tobytes()
    assert flat.values.tobytes() == chunked.values.tobytes()
    dense = np.zeros(4000)
    np.add.at(dense, a_keys, a_values)
    np.add.at(dense, b_keys, b_values)
    np.testing.assert_array_equal(flat.values, dense[flat.keys])
    assert (flat.comparators, chunked.comparators) == (256, 16 + 4 * 25)


def test_sums_of_zero_stay_and_equal_keys_meet_across_cycles() -> None:
    made = sparch.merge([1, 2, 9], [1.0, 5.0, 1.0], [2, 9], [-5.0, 1.0], width=2, chunk=0)
    assert made.keys.tolist() == [1, 2, 9]
    assert made.values.tolist() == [1.0, 0.0, 2.0]
    assert made.cycles == 3
    one = sparch.merge([7], [1.0], [7], [2.0], width=1, chunk=1)
    assert (one.keys.tolist(), one.values.tolist(), one.cycles) == ([7], [3.0], 2)
    largest = 2**63 - 1
    end = sparch.merge([largest], [1.0], [], [], width=16)
    assert end.keys.tolist() == [largest]


EYE = Pattern([0, 1, 2], [0, 1], (2, 2))


@pytest.mark.parametrize(
    ("indptr", "indices", "shape", "words"),
    [
        ([0, 1], [0], (2, 2), "indptr must have one entry more"),
        ([], [], (0, 0), "indptr must have one entry more"),
        ([0, 1, 2], [0, 2], (2, 2), r"indices must be in \[0, 2\)"),
        ([0, 1, 2], [-1, 0], (2, 2), r"indices must be in \[0, 2\)"),
        ([0, 1, 2], [0, 2**32], (2, 2), r"indices must be in \[0, 2\)"),
        ([0], [], (0, 2**31), "shape must hold sizes"),
        ([[0, 1, 2]], [0, 1], (2, 2), "indptr must have one dimension"),
    ],
)
def test_malformed_patterns_are_refused(
    indptr: Any, indices: Any, shape: tuple[int, int], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        Pattern(indptr, indices, shape)


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        (Pattern([1, 1, 2], [0, 1], (2, 2)), "a_indptr must start at 0, got 1"),
        (Pattern([0, 2, 1], [0, 1], (2, 2)), "a_indptr must not decrease"),
        (Pattern([0, 1, 1], [0, 1], (2, 2)), "a_indptr must end at the number of indices, 2"),
        (Pattern([0, 2, 2], [1, 0], (2, 2)), "a_indices must increase strictly"),
        (Pattern([0, 2, 2], [1, 1], (2, 2)), "a_indices must increase strictly"),
        (Pattern([0, 5, 2], [0, 1], (2, 2)), "a_indptr must not decrease"),
        (Pattern([0, 1], [0], (1, 3)), "b must have as many rows as a has columns, 3, got 2"),
    ],
)
def test_bad_factors_are_refused_everywhere(pattern: Pattern, words: str) -> None:
    plan = sparch.schedule(EYE, EYE)
    for call in (
        lambda: sparch.symbolic(pattern, EYE),
        lambda: sparch.schedule(pattern, EYE),
        lambda: sparch.prefetch(pattern, EYE, plan),
        lambda: sparch.outerspace(pattern, EYE),
    ):
        with pytest.raises(ValueError, match=words):
            call()


def test_bad_options_are_refused() -> None:
    plan = sparch.schedule(EYE, EYE)
    for call, words in (
        (lambda: sparch.schedule(EYE, EYE, ways=1), "ways must be at least 2"),
        (lambda: sparch.schedule(EYE, EYE, order="tree"), "order must be one of sequential"),  # type: ignore[arg-type]
        (lambda: sparch.schedule(EYE, EYE, weights="none"), "weights must be one of exact"),  # type: ignore[arg-type]
        (lambda: sparch.prefetch(EYE, EYE, plan, lines=0), "lines must be positive"),
        (lambda: sparch.prefetch(EYE, EYE, plan, line_elements=0), "line_elements must be"),
        (lambda: sparch.prefetch(EYE, EYE, plan, window=-1), "window must be 0 or more"),
        (lambda: sparch.outerspace(EYE, EYE, element_bytes=0), "element_bytes must be"),
        (lambda: sparch.outerspace(EYE, EYE, align=-1), "align must not be negative"),
        (lambda: sparch.outerspace(EYE, EYE, units=0), "units must be positive"),
        (lambda: sparch.outerspace(EYE, EYE, bytes_per_cycle=np.nan), "bytes_per_cycle must"),
        (lambda: sparch.merge([2, 1], [0, 0], [], []), "a_keys must be non-negative and incr"),
        (lambda: sparch.merge([], [], [-1], [0]), "b_keys must be non-negative"),
        (lambda: sparch.merge([], [], [3, 3], [0, 0]), "b_keys must be"),
        (lambda: sparch.merge([1], [], [], []), "a_values must have as many entries"),
        (lambda: sparch.merge([], [], [], [], width=0), r"width must be in \[1, 1024\]"),
        (lambda: sparch.merge([], [], [], [], width=16, chunk=5), "chunk must be 0 or divide"),
    ):
        with pytest.raises(ValueError, match=words):
            call()
    wide = Pattern([0, 2], [0, 1], (1, 2))
    with pytest.raises(ValueError, match="leaf_round must have one entry per leaf, 1, got 2"):
        sparch.prefetch(EYE, EYE, sparch.schedule(wide, EYE))
    with pytest.raises(TypeError, match="a must be a Pattern, got csr_array"):
        sparch.symbolic(csr(EYE), EYE)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="indices must be an integer array"):
        Pattern([0, 1], [0.5], (1, 1))
    with pytest.raises(TypeError, match="a_keys must be an integer array"):
        sparch.merge([0.5], [0.0], [], [])


def test_empty_products_have_no_rounds() -> None:
    nothing = Pattern([0], [], (0, 0))
    hollow = Pattern([0, 0, 0], [], (2, 2))
    for a, b in ((nothing, nothing), (hollow, EYE), (EYE, hollow)):
        for order in sparch.ORDERS:
            plan = sparch.schedule(a, b, order=order)
            assert (plan.rounds, plan.leaves) == (0, 0)
            assert sparch.prefetch(a, b, plan).lines.size == 0
        assert sparch.outerspace(a, b).multiply_cycles == 0


def test_read_only_and_narrow_arrays_are_taken() -> None:
    indptr, indices = np.array([0, 1, 2], np.int16), np.array([1, 0], np.uint8)
    indptr.flags.writeable = indices.flags.writeable = False
    flip = Pattern(indptr, indices, (2, 2))
    assert sparch.symbolic(flip, flip)[1].tolist() == [1, 1]
