# SPDX-License-Identifier: Apache-2.0
"""The kinds of choice a search space is made of.

A choice occupies one or more columns of the genome matrix. All columns are float64, in which
every integer a choice can hold is exact, so that a whole population is one array whatever kinds
of choice it mixes. The column layout of each kind:

============  =======================================  =============================
kind          columns                                  genes (units of mutation)
============  =======================================  =============================
Categorical   index of the value                       1
Int           the integer itself                       1
Float         the number itself                        1
Injection     k distinct items of 0..n-1, in order     k, each column on its own
Subset        one 0/1 column per item                  1, the subset as a whole
============  =======================================  =============================
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Scalar: TypeAlias = bool | int | float | str | None
FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

_OPERATORS = (">=", ">", "<=", "<", "==", "!=", "in")


def check_scalar(owner: str, argument: str, value: object) -> None:
    """Raise unless `value` is a scalar that JSON can carry exactly."""
    if value is not None and not isinstance(value, (bool, int, float, str)):
        raise TypeError(
            f"{owner}: {argument} must hold None, bool, int, float or str, got {value!r}"
        )
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{owner}: {argument} must hold finite numbers, got {value!r}")


def same_value(a: object, b: object) -> bool:
    """Tell whether two values of a choice are the same; unlike in Python True is not 1."""
    return isinstance(a, bool) == isinstance(b, bool) and a == b


def check_integer(owner: str, argument: str, value: object, low: int) -> int:
    """Return the value as an int; raise unless it is one, and >= low."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{owner}: {argument} must be an int, got {value!r}")
    if value < low:
        raise ValueError(f"{owner}: {argument} must be >= {low}, got {value}")
    return int(value)


@dataclass(frozen=True)
class When:
    """Condition under which a choice is active: ``gene op value``.

    Parameters
    ----------
    gene : str
        Name of a Categorical, Int or Float choice of the same space.
    op : str
        One of ``>=  >  <=  <  ==  !=  in``; a Categorical knows only the last three.
    value : scalar, or tuple of scalars for ``in``
    """

    gene: str
    op: str
    value: Scalar | tuple[Scalar, ...]

    def __post_init__(self) -> None:
        if self.op not in _OPERATORS:
            raise ValueError(f"When: op must be one of {', '.join(_OPERATORS)}, got {self.op!r}")
        values = self.value if isinstance(self.value, tuple) else (self.value,)
        if (self.op == "in") != isinstance(self.value, tuple):
            raise TypeError(f"When: 'in', and only 'in', takes a tuple; got {self.value!r}")
        for value in values:
            check_scalar("When", "value", value)


@dataclass(frozen=True)
class Choice(ABC):
    """One named decision. Subclasses are the concrete kinds."""

    name: str

    # Whether each column mutates and crosses over on its own; otherwise all columns together.
    separable = False
    # Whether `repair` can be needed after single columns were exchanged.
    repairable = False

    def _check_common(self, active: object) -> None:
        if not isinstance(self.name, str) or not self.name or self.name.startswith("__"):
            raise ValueError(
                f"{type(self).__name__}: name must be a non-empty str without leading '__', "
                f"got {self.name!r}"
            )
        conditions = active if isinstance(active, tuple) else (active,)
        if not all(isinstance(condition, When) for condition in conditions):
            raise TypeError(f"{self}: active must be a When or a tuple of When, got {active!r}")

    @property
    def _label(self) -> str:
        return f"{type(self).__name__} {self.name!r}"

    @property
    def conditions(self) -> tuple[When, ...]:
        """Every condition that must hold for the choice to be active."""
        active: When | tuple[When, ...] = getattr(self, "active", ())
        return active if isinstance(active, tuple) else (active,)

    @property
    def width(self) -> int:
        """Number of genome columns."""
        return 1

    @abstractmethod
    def draw(self, rng: np.random.Generator, n: int) -> FloatArray:
        """Draw n values uniformly over the choice's values; float64 [n, width]."""

    @abstractmethod
    def valid(self, columns: FloatArray) -> BoolArray:
        """Tell which rows of float64 [n, width] are values of this choice; bool [n]."""

    @abstractmethod
    def default(self) -> FloatArray:
        """Return the value that stands for 'inactive' in a canonical genome; float64 [width]."""

    @abstractmethod
    def decode(self, columns: FloatArray) -> list[Any]:
        """Turn float64 [n, width] into n Python values."""

    @abstractmethod
    def columns_of(self, value: object) -> FloatArray:
        """Turn one Python value into float64 [width]; ValueError/TypeError where it is none."""

    @abstractmethod
    def features(self, columns: FloatArray) -> NDArray[np.float32]:
        """Turn float64 [n, width] into float32 [n, n_features] in [0, 1] for a predictor."""

    @property
    @abstractmethod
    def n_features(self) -> int:
        """Number of columns that `features` returns."""

    def repair(self, columns: FloatArray, keep: BoolArray, rng: np.random.Generator) -> FloatArray:
        """Make every row valid, leaving the columns in `keep` (bool [width]) as they are."""
        return columns

    def satisfies(self, column: FloatArray, condition: When) -> BoolArray:
        """Tell which entries of float64 [n] satisfy a condition on this choice."""
        raise ValueError(
            f"When: a condition needs a Categorical, Int or Float choice, {self._label} is none"
        )


def one_hot(columns: FloatArray, count: int) -> NDArray[np.float32]:
    """Turn float64 [n, w] of integers below `count` into 0/1 float32 [n, w * count]."""
    grid = columns[:, :, None] == np.arange(count, dtype=np.float64)
    flat: NDArray[np.float32] = grid.reshape(len(columns), columns.shape[1] * count).astype(
        np.float32
    )
    return flat
