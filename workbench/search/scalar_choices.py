# SPDX-License-Identifier: Apache-2.0
"""Choices of one value: a category, an integer, a real number."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
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
    check_scalar,
    one_hot,
    same_value,
)

_ORDER: dict[str, Callable[[FloatArray, float], Any]] = {
    ">=": operator.ge,
    ">": operator.gt,
    "<=": operator.le,
    "<": operator.lt,
    "==": operator.eq,
    "!=": operator.ne,
}


class _Number(Choice):
    """What Int and Float share."""

    def satisfies(self, column: FloatArray, condition: When) -> BoolArray:
        values = condition.value if isinstance(condition.value, tuple) else (condition.value,)
        numbers: list[float] = []
        for value in values:
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                raise TypeError(
                    f"When: {self._label} is compared with numbers, got {condition.value!r}"
                )
            numbers.append(float(value))
        if condition.op == "in":
            return np.isin(column, numbers)
        return np.asarray(_ORDER[condition.op](column, numbers[0]), dtype=np.bool_)


@dataclass(frozen=True)
class Categorical(Choice):
    """One of the given values (JSON scalars, all different).

    Examples
    --------
    >>> Categorical("activation", ("relu", "gelu"))  # doctest: +ELLIPSIS
    Categorical(name='activation', values=('relu', 'gelu'), active=())
    """

    values: Sequence[Scalar]
    active: When | tuple[When, ...] = ()

    def __post_init__(self) -> None:
        self._check_common(self.active)
        if isinstance(self.values, str) or not isinstance(self.values, Sequence):
            raise TypeError(f"{self._label}: values must be a sequence, got {self.values!r}")
        object.__setattr__(self, "values", tuple(self.values))
        if not self.values:
            raise ValueError(f"{self._label}: values must not be empty")
        for i, value in enumerate(self.values):
            check_scalar(self._label, "values", value)
            if any(same_value(value, other) for other in self.values[:i]):
                raise ValueError(f"{self._label}: values must differ, {value!r} stands twice")

    def draw(self, rng: np.random.Generator, n: int) -> FloatArray:
        return rng.integers(len(self.values), size=(n, 1)).astype(np.float64)

    def valid(self, columns: FloatArray) -> BoolArray:
        x = columns[:, 0]
        inside: BoolArray = (x >= 0) & (x < len(self.values)) & (x == np.floor(x))
        return inside

    def default(self) -> FloatArray:
        return np.zeros(1)

    def decode(self, columns: FloatArray) -> list[Any]:
        return [self.values[i] for i in columns[:, 0].astype(np.int64).tolist()]

    def columns_of(self, value: object) -> FloatArray:
        for i, known in enumerate(self.values):
            if same_value(known, value):
                return np.array([float(i)])
        raise ValueError(f"{self._label}: value must be one of {self.values!r}, got {value!r}")

    def features(self, columns: FloatArray) -> NDArray[np.float32]:
        return one_hot(columns, len(self.values))

    @property
    def n_features(self) -> int:
        return len(self.values)

    def satisfies(self, column: FloatArray, condition: When) -> BoolArray:
        if condition.op not in ("==", "!=", "in"):
            raise ValueError(f"When: {self._label} has no order, op {condition.op!r} needs one")
        values = condition.value if isinstance(condition.value, tuple) else (condition.value,)
        holds = np.isin(column, [self.columns_of(value)[0] for value in values])
        return ~holds if condition.op == "!=" else holds


@dataclass(frozen=True)
class Int(_Number):
    """An integer from low to high, both included, in steps of step."""

    low: int
    high: int
    step: int = 1
    active: When | tuple[When, ...] = ()

    def __post_init__(self) -> None:
        self._check_common(self.active)
        for argument in ("low", "high"):
            value = check_integer(self._label, argument, getattr(self, argument), -(2**53))
            object.__setattr__(self, argument, value)
        object.__setattr__(self, "step", check_integer(self._label, "step", self.step, 1))
        if not self.low <= self.high <= 2**53 or (self.high - self.low) % self.step:
            raise ValueError(
                f"{self._label}: high must be low plus a multiple of step, "
                f"got low={self.low}, high={self.high}, step={self.step}"
            )

    def draw(self, rng: np.random.Generator, n: int) -> FloatArray:
        count = (self.high - self.low) // self.step + 1
        return (self.low + self.step * rng.integers(count, size=(n, 1))).astype(np.float64)

    def valid(self, columns: FloatArray) -> BoolArray:
        x = columns[:, 0]
        # Infinities have no remainder; they are out of range anyway.
        on_grid = np.mod(np.where(np.isfinite(x), x, 0.5) - self.low, self.step) == 0
        inside: BoolArray = (x >= self.low) & (x <= self.high) & on_grid
        return inside

    def default(self) -> FloatArray:
        return np.array([float(self.low)])

    def decode(self, columns: FloatArray) -> list[Any]:
        return list(columns[:, 0].astype(np.int64).tolist())

    def columns_of(self, value: object) -> FloatArray:
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
            raise TypeError(f"{self._label}: value must be an int, got {value!r}")
        if not self.low <= value <= self.high or (int(value) - self.low) % self.step:
            raise ValueError(
                f"{self._label}: value must be one of range({self.low}, {self.high + 1}, "
                f"{self.step}), got {value}"
            )
        return np.array([float(value)])

    def features(self, columns: FloatArray) -> NDArray[np.float32]:
        return ((columns - self.low) / max(self.high - self.low, 1)).astype(np.float32)

    @property
    def n_features(self) -> int:
        return 1


@dataclass(frozen=True)
class Float(_Number):
    """A number in [low, high], drawn uniformly, or uniformly in its logarithm."""

    low: float
    high: float
    log: bool = False
    active: When | tuple[When, ...] = ()

    def __post_init__(self) -> None:
        self._check_common(self.active)
        for argument in ("low", "high"):
            value = getattr(self, argument)
            if isinstance(value, bool) or not isinstance(value, (int, float, np.number)):
                raise TypeError(f"{self._label}: {argument} must be a number, got {value!r}")
            object.__setattr__(self, argument, float(value))
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise ValueError(
                f"{self._label}: needs finite low < high, got low={self.low}, high={self.high}"
            )
        if self.log and self.low <= 0:
            raise ValueError(f"{self._label}: log=True needs low > 0, got low={self.low}")

    def draw(self, rng: np.random.Generator, n: int) -> FloatArray:
        if self.log:
            drawn = np.exp(rng.uniform(math.log(self.low), math.log(self.high), size=(n, 1)))
        else:
            drawn = rng.uniform(self.low, self.high, size=(n, 1))
        return np.clip(drawn, self.low, self.high)

    def valid(self, columns: FloatArray) -> BoolArray:
        return (columns[:, 0] >= self.low) & (columns[:, 0] <= self.high)

    def default(self) -> FloatArray:
        return np.array([self.low])

    def decode(self, columns: FloatArray) -> list[Any]:
        return list(columns[:, 0].tolist())

    def columns_of(self, value: object) -> FloatArray:
        if isinstance(value, bool) or not isinstance(value, (int, float, np.number)):
            raise TypeError(f"{self._label}: value must be a number, got {value!r}")
        number = float(value)
        if not self.low <= number <= self.high:
            raise ValueError(
                f"{self._label}: value must be in [{self.low}, {self.high}], got {value!r}"
            )
        return np.array([number])

    def features(self, columns: FloatArray) -> NDArray[np.float32]:
        if self.log:
            scale = math.log(self.high) - math.log(self.low)
            # Columns of inactive genes are zeroed by the space, after this.
            return ((np.log(columns) - math.log(self.low)) / scale).astype(np.float32)
        return ((columns - self.low) / (self.high - self.low)).astype(np.float32)

    @property
    def n_features(self) -> int:
        return 1
