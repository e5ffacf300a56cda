# SPDX-License-Identifier: Apache-2.0
"""A product to be simulated: two patterns, and what all variants of the machine share."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.ops.sparch import Order, Pattern, Schedule, Weights, schedule, symbolic

__all__ = ["Problem"]


class Problem:
    """The product C = A B by its patterns.

    Parameters
    ----------
    a, b : scipy sparse matrix or Pattern
        (m, k) and (k, n). Rows are sorted and duplicates merged, in a copy; explicit zeros count
        as stored elements.

    Attributes
    ----------
    a, b : Pattern
    products : int
        Scalar multiplications.
    c_elements : int
        Stored elements of C; those that cancel to 0 count.
    """

    def __init__(self, a: Any, b: Any) -> None:
        self.a = a if isinstance(a, Pattern) else _pattern(a, "a")
        self.b = self.a if b is a else b if isinstance(b, Pattern) else _pattern(b, "b")
        if self.a.shape[1] != self.b.shape[0]:
            raise ValueError(
                f"Problem: b must have as many rows as a has columns, {self.a.shape[1]}, "
                f"got {self.b.shape[0]}"
            )
        products, elements = symbolic(self.a, self.b)
        self.products = int(products.sum())
        self.c_elements = int(elements.sum())
        self._schedules: dict[tuple[bool, Order, Weights, int], Schedule] = {}

    @classmethod
    def square(cls, a: Any) -> Problem:
        """Return the product of a square matrix with itself, which the papers measure.

        Raises
        ------
        ValueError
            If the matrix is not square.
        """
        if len(a.shape) != 2 or a.shape[0] != a.shape[1]:
            raise ValueError(f"Problem: a must be square for the product A A, got {a.shape}")
        return cls(a, a)

    @property
    def columns(self) -> int:
        """Columns of A with at least one product: partial matrices without condensing."""
        used = np.bincount(self.a.indices, minlength=self.a.shape[1]) > 0
        return int(np.count_nonzero(used & (self.b.lengths > 0)))

    @property
    def longest_row(self) -> int:
        """Stored elements of the longest row of A."""
        return int(self.a.lengths.max(initial=0))

    def schedule(self, condense: bool, order: Order, weights: Weights, ways: int) -> Schedule:
        """Return the merge tree, made on first use and kept."""
        key = (condense, order, weights, ways)
        if key not in self._schedules:
            self._schedules[key] = schedule(
                self.a, self.b, condense=condense, order=order, weights=weights, ways=ways
            )
        return self._schedules[key]


def _pattern(matrix: Any, name: str) -> Pattern:
    if not hasattr(matrix, "tocsr"):
        raise TypeError(
            f"Problem: {name} must be a scipy sparse matrix or a Pattern, "
            f"got {type(matrix).__name__}"
        )
    rows = matrix.tocsr()
    if not rows.has_canonical_format:
        rows = rows.copy()
        rows.sum_duplicates()
    return Pattern(rows.indptr, rows.indices, rows.shape)
