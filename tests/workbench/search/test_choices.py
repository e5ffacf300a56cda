# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from workbench.search import (
    Categorical,
    Choice,
    Float,
    Injection,
    Int,
    Permutation,
    Space,
    Subset,
    When,
)


def subsets(n: int, allow_empty: bool) -> list[tuple[int, ...]]:
    sizes = range(0 if allow_empty else 1, n + 1)
    return [c for size in sizes for c in itertools.combinations(range(n), size)]


# Every discrete kind with all its values, enumerated by itertools.
ENUMERATED: list[tuple[Choice, list[Any]]] = [
    (Categorical("c", ("a", 1, 2.5, None, True)), ["a", 1, 2.5, None, True]),
    (Int("i", -3, 9, step=4), [-3, 1, 5, 9]),
    (Injection("j", 2, 4), list(itertools.permutations(range(4), 2))),
    (Injection("one", 1, 3), [(0,), (1,), (2,)]),
    (Permutation("p", 4), list(itertools.permutations(range(4)))),
    (Subset("s", 4), subsets(4, allow_empty=False)),
    (Subset("e", 3, allow_empty=True), subsets(3, allow_empty=True)),
]


@pytest.mark.parametrize(("choice", "values"), ENUMERATED, ids=lambda x: getattr(x, "name", ""))
def test_draws_are_uniform_over_all_values(choice: Choice, values: list[Any]) -> None:
    drawn = choice.decode(choice.draw(np.random.default_rng(3), 400 * len(values)))
    keys = [repr(value) for value in values]
    counts = {key: 0 for key in keys}
    for value in drawn:
        counts[repr(value)] += 1
    assert stats.chisquare(list(counts.values())).pvalue > 1e-3


def test_log_floats_are_uniform_in_their_logarithm() -> None:
    choice = Float("lr", 1e-5, 1e-1, log=True)
    drawn = choice.draw(np.random.default_rng(4), 4000)[:, 0]
    uniform = stats.uniform(math.log(1e-5), math.log(1e4))
    assert stats.kstest(np.log(drawn), uniform.cdf).pvalue > 1e-3


def test_floats_are_uniform() -> None:
    drawn = Float("x", -2.0, 3.0).draw(np.random.default_rng(5), 4000)[:, 0]
    assert stats.kstest(drawn, stats.uniform(-2.0, 5.0).cdf).pvalue > 1e-3


@pytest.mark.parametrize(("choice", "values"), ENUMERATED, ids=lambda x: getattr(x, "name", ""))
def test_every_value_survives_the_round_trip(choice: Choice, values: list[Any]) -> None:
    columns = np.stack([choice.columns_of(value) for value in values])
    assert choice.valid(columns).all()
    decoded = choice.decode(columns)
    assert decoded == values
    assert [type(value) for value in decoded] == [type(value) for value in values]


@pytest.mark.parametrize(
    "choice", [choice for choice, _ in ENUMERATED] + [Float("f", 1.0, 2.0)], ids=lambda c: c.name
)
@pytest.mark.parametrize("bad", [-99.0, 99.0, 0.3, math.nan, math.inf, -math.inf])
def test_foreign_numbers_are_not_valid(choice: Choice, bad: float) -> None:
    columns = choice.default()[None, :].copy()
    assert choice.valid(columns).all()
    columns[0, 0] = bad
    assert not choice.valid(columns).any()


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_repair_makes_any_selection_injective_and_touches_only_repeats(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 9), "n")
    k = data.draw(st.integers(1, n), "k")
    entries = st.lists(st.integers(0, n - 1), min_size=k, max_size=k)
    rows = np.array(data.draw(st.lists(entries, min_size=1, max_size=5), "rows"), dtype=float)
    choice = Injection("layout", k, n)
    rng = np.random.default_rng(data.draw(st.integers(0, 1000), "seed"))
    repaired = choice.repair(rows, np.zeros(k, dtype=bool), rng)
    for before, after in zip(rows, repaired, strict=True):
        assert len(set(after)) == k
        assert set(after) <= set(range(n))
        # Each item that stood there stands there still, and unrepeated entries did not move.
        assert set(before) <= set(after)
        for a, b in zip(before, after, strict=True):
            assert a == b or list(before).count(a) > 1


def test_repair_is_uniform_over_injections_and_uses_the_whole_device() -> None:
    # Independent uniform entries, repaired: nothing favours one item or one wire.
    rng = np.random.default_rng(6)
    rows = np.floor(rng.random((20_000, 2)) * 4)
    repaired = Injection("layout", 2, 4).repair(rows, np.zeros(2, dtype=bool), rng)
    _, counts = np.unique(repaired, axis=0, return_counts=True)
    assert len(counts) == 12
    assert stats.chisquare(counts).pvalue > 1e-3


def test_repair_keeps_the_entries_it_is_told_to_keep() -> None:
    rows = np.full((500, 4), 2.0)
    keep = np.array([False, False, True, False])
    repaired = Injection("layout", 4, 27).repair(rows, keep, np.random.default_rng(0))
    assert (repaired[:, 2] == 2).all()
    assert (np.sort(repaired, axis=1)[:, 1:] > np.sort(repaired, axis=1)[:, :-1]).all()
    assert set(np.unique(repaired)) == set(range(27))


def test_one_hot_features_name_the_item_of_each_wire() -> None:
    features = Injection("layout", 2, 3).features(np.array([[2.0, 0.0]]))
    assert features.tolist() == [[0, 0, 1, 1, 0, 0]]
    assert features.dtype == np.float32


def test_a_bool_is_not_the_number_it_equals() -> None:
    assert Categorical("c", (1, True)).columns_of(True).tolist() == [1.0]
    with pytest.raises(TypeError, match="'i'"):
        Int("i", 0, 1).columns_of(True)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Categorical("c", ()), ValueError, "'c'.*empty"),
        (lambda: Categorical("c", "abc"), TypeError, "'c'.*sequence"),
        (lambda: Categorical("c", (1, 1)), ValueError, "1 stands twice"),
        (lambda: Categorical("c", (b"x",)), TypeError, "None, bool, int, float or str"),  # type: ignore[arg-type]
        (lambda: Categorical("c", (math.nan,)), ValueError, "finite"),
        (lambda: Int("i", 0, 5, step=2), ValueError, "multiple of step"),
        (lambda: Int("i", 3, 1), ValueError, "low=3, high=1"),
        (lambda: Int("i", 0.0, 1), TypeError, "low must be an int"),  # type: ignore[arg-type]
        (lambda: Int("i", 0, 4, step=0), ValueError, "step must be >= 1"),
        (lambda: Float("f", 1.0, 1.0), ValueError, "low < high"),
        (lambda: Float("f", 0.0, 1.0, log=True), ValueError, "low > 0"),
        (lambda: Float("f", 0.0, math.inf), ValueError, "finite"),
        (lambda: Injection("l", 5, 4), ValueError, "k=5, n=4"),
        (lambda: Injection("l", 0, 4), ValueError, "k must be >= 1"),
        (lambda: Subset("s", 0), ValueError, "items must be >= 1"),
        (lambda: Subset("s", ("a", "a")), ValueError, "'a' stands twice"),
        (lambda: Int("", 0, 1), ValueError, "name"),
        (lambda: Int("i", 0, 1, active="x"), TypeError, "When"),  # type: ignore[arg-type]
        (lambda: When("a", "~", 1), ValueError, "op must be one of"),
        (lambda: When("a", "in", 1), TypeError, "tuple"),
        (lambda: When("a", "==", (1, 2)), TypeError, "tuple"),
    ],
)
def test_bad_definitions_are_refused(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize(
    ("choice", "value", "error"),
    [
        (Categorical("name", ("a", "b")), "c", ValueError),
        (Int("name", 0, 8, step=2), 3, ValueError),
        (Int("name", 0, 8), 2.0, TypeError),
        (Float("name", 0, 1), 1.5, ValueError),
        (Float("name", 0, 1), math.nan, ValueError),
        (Float("name", 0, 1), "x", TypeError),
        (Injection("name", 2, 4), (1, 1), ValueError),
        (Injection("name", 2, 4), (1, 4), ValueError),
        (Injection("name", 2, 4), (1, 2, 3), ValueError),
        (Injection("name", 2, 4), (0.5, 1), TypeError),
        (Injection("name", 2, 4), 3, TypeError),
        (Subset("name", 3), (), ValueError),
        (Subset("name", 3), (0, 0), ValueError),
        (Subset("name", 3), (7,), ValueError),
        (Subset("name", 3), 1, TypeError),
    ],
)
def test_bad_values_are_refused_with_the_name_of_the_choice(
    choice: Choice, value: object, error: type[Exception]
) -> None:
    with pytest.raises(error, match="'name'"):
        Space([choice]).from_values([{"name": value}])
