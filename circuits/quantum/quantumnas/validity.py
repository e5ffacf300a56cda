# SPDX-License-Identifier: Apache-2.0
"""Whether inherited angles rank SubCircuits as training from scratch does."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["LEAST_CORRELATION", "rank_correlations", "spearman"]

#: Below this the search had nothing to go by, and is marked invalid.
LEAST_CORRELATION = 0.5


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ranks from 1, ties sharing their mean."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    mean: NDArray[np.float64] = (last - (counts - 1) / 2.0)[inverse]
    return mean


def spearman(a: ArrayLike, b: ArrayLike) -> float | None:
    """Return Spearman's rank correlation; None where it is undefined.

    That is for fewer than two values, or where all of a or all of b are equal.
    """
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if first.shape != second.shape or first.ndim != 1:
        raise ValueError(
            f"spearman: a and b must be equally long, got shapes {first.shape}, {second.shape}"
        )
    if len(first) < 2:
        return None
    x, y = _ranks(first), _ranks(second)
    x, y = x - x.mean(), y - y.mean()
    scale = float(np.sqrt((x @ x) * (y @ y)))
    return float(x @ y) / scale if scale > 0.0 else None


def rank_correlations(
    sizes: Sequence[int], inherited: Sequence[float], scratch: Sequence[float]
) -> dict[str, float | None]:
    """Return how well inherited losses, and mere gate counts, rank the trained ones.

    Returns
    -------
    dict
        ``inherited``: Spearman of inherited and scratch-trained loss. ``gate_count``: of the
        number of gates and scratch-trained loss, which is what size alone explains.
        ``within_sizes``: of inherited and scratch-trained loss among SubCircuits of equal
        size, mean over the sizes, which is what inheritance adds.
    """
    groups = []
    for size in sorted(set(sizes)):
        members = [i for i, own in enumerate(sizes) if own == size]
        rho = spearman([inherited[i] for i in members], [scratch[i] for i in members])
        if rho is not None:
            groups.append(rho)
    return {
        "inherited": spearman(inherited, scratch),
        "gate_count": spearman(sizes, scratch),
        "within_sizes": float(np.mean(groups)) if groups else None,
    }
