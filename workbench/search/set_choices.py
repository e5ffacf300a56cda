# SPDX-License-Identifier: Apache-2.0
"""Choices of several items: an ordered selection without repeats, an order, a subset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.search.choice import (
    BoolArray,
    Choice,
    FloatArray,
    Scalar,
    When,
    check_integer,
    one_hot,
    same_value,
)
from workbench.search.scalar_choices import Categorical


@dataclass(frozen=True)
class Injection(Choice):
    """k distinct items out of 0..n-1, in order; a mapping of k logical wires to n qubits."""

    k: int
    n: int
    active: When | tuple[When, ...] = ()

    separable = True
    repairable = True

    def __post_init__(self) -> None:
        self._check_common(self.active)
        object.__setattr__(self, "k", check_integer(self._label, "k", self.k, 1))
        object.__setattr__(self, "n", check_integer(self._label, "n", self.n, 1))
        if self.k > self.n:
            raise ValueError(f"{self._label}: k must be <= n, got k={self.k}, n={self.n}")

    @property
    def width(self) -> int:
        return self.k

    def draw(self, rng: np.random.Generator, n: int) -> FloatArray:
        # The first k steps of a Fisher-Yates shuffle, all rows at once.
        deck = np.tile(np.arange(self.n, dtype=np.float64), (n, 1))
        rows = np.arange(n)
        for j in range(self.k):
            other = rng.integers(j, self.n, size=n)
            picked = deck[rows, other]
            deck[rows, other] = deck[:, j]
            deck[:, j] = picked
        return np.ascontiguousarray(deck[:, : self.k])

    def valid(self, columns: FloatArray) -> BoolArray:
        in_range = (columns >= 0) & (columns < self.n) & (columns == np.floor(columns))
        ordered = np.sort(columns, axis=1)
        distinct = (ordered[:, 1:] != ordered[:, :-1]).all(axis=1)
        return np.asarray(in_range.all(axis=1) & distinct)

    def default(self) -> FloatArray:
        return np.arange(self.k, dtype=np.float64)

    def decode(self, columns: FloatArray) -> list[Any]:
        return [tuple(row) for row in columns.astype(np.int64).tolist()]

    def columns_of(self, value: object) -> FloatArray:
        expected = f"{self.k} distinct ints in 0..{self.n - 1}"
        if isinstance(value, str) or not isinstance(value, (Sequence, np.ndarray)):
            raise TypeError(f"{self._label}: value must be {expected}, got {value!r}")
        items = list(value)
        if any(isinstance(i, bool) or not isinstance(i, (int, np.integer)) for i in items):
            raise TypeError(f"{self._label}: value must be {expected}, got {value!r}")
        columns = np.array(items, dtype=np.float64)
        if len(items) != self.k or not self.valid(columns[None, :])[0]:
            raise ValueError(f"{self._label}: value must be {expected}, got {value!r}")
        return columns

    def features(self, columns: FloatArray) -> NDArray[np.float32]:
        return one_hot(columns, self.n)

    @property
    def n_features(self) -> int:
        return self.k * self.n

    def repair(self, columns: FloatArray, keep: BoolArray, rng: np.random.Generator) -> FloatArray:
        """Replace repeats by items not in use, drawn uniformly from all n.

        Which of two equal entries stays is drawn too, so that no wire is favoured; an entry in
        `keep` always stays.
        """
        broken = np.flatnonzero(~self.valid(columns))
        if not len(broken):
            return columns
        entries = columns[broken]
        if not ((entries >= 0) & (entries < self.n) & (entries == np.floor(entries))).all():
            raise ValueError(f"{self._label}: repair needs ints in 0..{self.n - 1}, got others")
        items = entries.astype(np.int64)
        rows = np.arange(len(items))
        priority = rng.random(items.shape)
        priority[:, keep] = -1.0
        order = np.argsort(priority, axis=1)
        used = np.zeros((len(items), self.n), dtype=np.bool_)
        repeated = np.zeros(items.shape, dtype=np.bool_)
        for j in range(self.k):
            column = order[:, j]
            item = items[rows, column]
            repeated[rows, column] = used[rows, item]
            used[rows, item] = True
        # Unused items come first, in random order; the r-th repeat of a row takes the r-th.
        shuffled = np.argsort(rng.random(used.shape) + used, axis=1)
        rank = np.cumsum(repeated, axis=1) - 1
        replacement = np.take_along_axis(shuffled, np.maximum(rank, 0), axis=1)
        result: FloatArray = columns.copy()
        result[broken] = np.where(repeated, replacement, items)
        return result


@dataclass(frozen=True)
class Permutation(Injection):
    """An order of the items 0..n-1: the injection with k = n."""

    def __init__(self, name: str, n: int, active: When | tuple[When, ...] = ()) -> None:
        super().__init__(name, n, n, active)


@dataclass(frozen=True)
class Subset(Choice):
    """A subset of the given items (JSON scalars, or a count n for the items 0..n-1).

    Uniform over all subsets; over all non-empty ones unless ``allow_empty``.
    """

    items: int | Sequence[Scalar]
    allow_empty: bool = False
    active: When | tuple[When, ...] = ()

    repairable = True

    def __post_init__(self) -> None:
        self._check_common(self.active)
        if isinstance(self.items, Sequence) and not isinstance(self.items, str):
            members = tuple(self.items)
        else:
            members = tuple(range(check_integer(self._label, "items", self.items, 1)))
        # The same rules as for the values of a Categorical: scalars, all different.
        object.__setattr__(self, "items", Categorical(self.name, members).values)

    @property
    def members(self) -> tuple[Scalar, ...]:
        """The items as a tuple."""
        assert not isinstance(self.items, int)
        return tuple(self.items)

    @property
    def width(self) -> int:
        return len(self.members)

    def draw(self, rng: np.random.Generator, n: int) -> FloatArray:
        bits = rng.integers(2, size=(n, self.width)).astype(np.float64)
        if not self.allow_empty:
            # Redrawing the empty rows leaves the rest uniform; half the rows at most are empty.
            while len(empty := np.flatnonzero(~bits.any(axis=1))):
                bits[empty] = rng.integers(2, size=(len(empty), self.width))
        return bits

    def valid(self, columns: FloatArray) -> BoolArray:
        binary = ((columns == 0) | (columns == 1)).all(axis=1)
        return np.asarray(binary if self.allow_empty else binary & columns.any(axis=1))

    def default(self) -> FloatArray:
        bits = np.zeros(self.width)
        bits[0] = 0.0 if self.allow_empty else 1.0
        return bits

    def decode(self, columns: FloatArray) -> list[Any]:
        members = self.members
        return [
            tuple(m for m, bit in zip(members, row, strict=True) if bit) for row in columns.tolist()
        ]

    def columns_of(self, value: object) -> FloatArray:
        if isinstance(value, str) or not isinstance(value, (Sequence, set, frozenset)):
            raise TypeError(f"{self._label}: value must be a collection of items, got {value!r}")
        bits = np.array([float(any(same_value(m, v) for v in value)) for m in self.members])
        if bits.sum() != len(value) or not (self.allow_empty or len(value)):
            raise ValueError(
                f"{self._label}: value must be a{' ' if self.allow_empty else ' non-empty '}"
                f"subset of {self.members!r}, got {value!r}"
            )
        return bits

    def features(self, columns: FloatArray) -> NDArray[np.float32]:
        return columns.astype(np.float32)

    @property
    def n_features(self) -> int:
        return self.width

    def repair(self, columns: FloatArray, keep: BoolArray, rng: np.random.Generator) -> FloatArray:
        """Replace an empty subset, where it is not allowed, by a drawn one."""
        broken = np.flatnonzero(~self.valid(columns))
        if not len(broken) or keep.any():
            return columns
        result: FloatArray = columns.copy()
        result[broken] = self.draw(rng, len(broken))
        return result
