# SPDX-License-Identifier: Apache-2.0
"""A batch of genomes: an immutable matrix, and where each row came from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

NO_PARENT = -1


class Genomes:
    """N genomes of D columns. Never changes; operations give new batches.

    Parameters
    ----------
    rows : array_like, (N, D)
        Copied to float64. What the columns mean is the `Space`'s business.
    parents : array_like of int, (N, 2), optional
        Numbers (in order of `Engine.tell`) of the genomes each row was made from;
        ``NO_PARENT`` where there is none, which is the default.
    """

    __slots__ = ("_parents", "_rows")

    def __init__(self, rows: ArrayLike, parents: ArrayLike | None = None) -> None:
        matrix = np.array(rows, dtype=np.float64, order="C")
        if matrix.ndim != 2:
            raise ValueError(f"Genomes: rows must have shape (N, D), got {matrix.shape}")
        shape = (len(matrix), 2)
        origin = np.full(shape, NO_PARENT) if parents is None else np.array(parents)
        if origin.shape != shape:
            raise ValueError(f"Genomes: parents must have shape {shape}, got {origin.shape}")
        origin = origin.astype(np.int64)
        matrix.setflags(write=False)
        origin.setflags(write=False)
        self._rows: NDArray[np.float64] = matrix
        self._parents: NDArray[np.int64] = origin

    @property
    def rows(self) -> NDArray[np.float64]:
        """The genome matrix, float64 (N, D), read-only."""
        return self._rows

    @property
    def parents(self) -> NDArray[np.int64]:
        """Numbers of the parents, int64 (N, 2), read-only."""
        return self._parents

    def with_rows(self, rows: ArrayLike) -> Genomes:
        """Return other rows with the same parents."""
        return Genomes(rows, self._parents)

    @staticmethod
    def concatenate(batches: Sequence[Genomes]) -> Genomes:
        """Join batches of equal D, in order."""
        return Genomes(
            np.concatenate([batch.rows for batch in batches]),
            np.concatenate([batch.parents for batch in batches]),
        )

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int | slice | ArrayLike) -> Genomes:
        """Select rows as numpy does; an int selects a batch of one."""
        if isinstance(index, (int, np.integer)):
            if not -len(self) <= index < len(self):
                raise IndexError(f"Genomes: index {index} is out of range for {len(self)} rows")
            index = [int(index)]
        selector = index if isinstance(index, slice) else np.asarray(index)
        if isinstance(selector, np.ndarray) and not selector.size and selector.dtype != np.bool_:
            selector = selector.astype(np.int64)
        return Genomes(self._rows[selector], self._parents[selector])

    def __iter__(self) -> Iterator[Genomes]:
        return (self[i] for i in range(len(self)))

    def __eq__(self, other: object) -> bool:
        """Compare the rows; where they came from does not matter."""
        return isinstance(other, Genomes) and np.array_equal(self._rows, other._rows)

    def __hash__(self) -> int:
        return hash((self._rows.shape, (self._rows + 0.0).tobytes()))

    def __repr__(self) -> str:
        return f"Genomes({len(self)} x {self._rows.shape[1]})"
