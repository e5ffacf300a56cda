# SPDX-License-Identifier: Apache-2.0
"""A limit on what a candidate may cost."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from workbench.search.choice import BoolArray, FloatArray
from workbench.search.genomes import Genomes
from workbench.search.space import Space


class Constraint:
    """``cost(genome) <= limit``.

    Parameters
    ----------
    cost : callable
        Maps a decoded genome (a dictionary, inactive choices left out) to a number. It should
        be cheap: an engine that has no `lower` calls it for every draw it rejects.
    limit : float
        Largest cost allowed.
    lower : callable, optional
        Maps the decoded genome of an infeasible candidate to a feasible one, e.g. by taking
        away gates or bits until the limit is met. Without it infeasible candidates are redrawn.
    name : str
        How messages call the cost.
    """

    def __init__(
        self,
        cost: Callable[[dict[str, Any]], float],
        limit: float,
        *,
        lower: Callable[[dict[str, Any]], Mapping[str, object]] | None = None,
        name: str = "cost",
    ) -> None:
        if math.isnan(limit):
            raise ValueError("Constraint: limit must be a number, got NaN")
        self.cost = cost
        self.limit = float(limit)
        self.lower = lower
        self.name = name

    def costs(self, space: Space, genomes: Genomes) -> FloatArray:
        """Return the cost of each genome; float64 (N,). NaN is an error naming the genome."""
        decoded = space.decode(space.canonical(genomes))
        values = np.array([float(self.cost(dict(genome))) for genome in decoded], dtype=np.float64)
        bad = np.flatnonzero(np.isnan(values))
        if len(bad):
            raise ValueError(f"Constraint: {self.name} is NaN for genome {decoded[bad[0]]}")
        return values

    def feasible(self, space: Space, genomes: Genomes) -> BoolArray:
        """Tell which genomes meet the limit; bool (N,)."""
        return self.costs(space, genomes) <= self.limit

    def penalty(self, space: Space, genomes: Genomes) -> FloatArray:
        """Return by how much each genome exceeds the limit, 0 where it does not; float64 (N,)."""
        return np.maximum(self.costs(space, genomes) - self.limit, 0.0)

    def project(self, space: Space, genomes: Genomes) -> Genomes:
        """Lower the infeasible genomes; feasible ones come back untouched.

        Inactive genes of a lowered genome keep what they held. Raises ValueError naming the
        genome where `lower` gives none that meets the limit, or none of the space.
        """
        if self.lower is None:
            raise ValueError("Constraint.project: this constraint was given no `lower`")
        costs = self.costs(space, genomes)
        exceeding = np.flatnonzero(costs > self.limit)
        if not len(exceeding):
            return genomes
        rows = genomes.rows.copy()
        decoded = space.decode(genomes[exceeding])
        for i, genome in zip(exceeding.tolist(), decoded, strict=True):
            everything = space.decode(genomes[i], inactive=True)[0]
            lowered = space.from_values([{**everything, **self.lower(dict(genome))}])
            reached = self.costs(space, lowered)[0]
            if not reached <= self.limit:
                raise ValueError(
                    f"Constraint.project: {self.name} must come down to {self.limit:g}, `lower` "
                    f"reached {reached:g} with {space.decode(lowered)[0]} from {genome}"
                )
            rows[i] = lowered.rows[0]
        return genomes.with_rows(rows)
