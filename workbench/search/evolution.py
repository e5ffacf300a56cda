# SPDX-License-Identifier: Apache-2.0
"""Evolution with surviving parents, as QuantumNAS searches circuits and qubit mappings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.search.choice import FloatArray
from workbench.search.constraint import Constraint
from workbench.search.engine import Engine
from workbench.search.genomes import NO_PARENT, Genomes
from workbench.search.space import Space


class Evolution(Engine):
    """Keep the best candidates as parents; breed mutants and crossings of them.

    The defaults are QuantumNAS's published "setting0": a population of 40 = 10 parents +
    20 mutations + 10 crossings. The first generation is `warm_start`, filled up to parents +
    mutations + crossings with random genomes; each later one is mutations + crossings new
    candidates, as the parents survive with the scores they have.

    Parameters
    ----------
    space, seed, constraint, redraws
        See `Engine`.
    parents, mutations, crossings : int
        Sizes of the three parts of the population.
    mutation_rate : float
        Probability that a mutation redraws a gene.
    crossover_rate : float
        Probability that a crossing takes a gene from the second of its two distinct parents.
    repair : bool
        Mend invalid children (repeated items of an Injection become unused ones, drawn from
        all n) instead of redrawing them whole.
    warm_start : Genomes, optional
        Candidates to propose first. Must be valid, and feasible unless the constraint can lower.
    """

    kind = "Evolution"

    def __init__(
        self,
        space: Space,
        seed: int,
        *,
        parents: int = 10,
        mutations: int = 20,
        crossings: int = 10,
        mutation_rate: float = 0.4,
        crossover_rate: float = 0.5,
        repair: bool = True,
        warm_start: Genomes | None = None,
        constraint: Constraint | None = None,
        redraws: int = 100,
    ) -> None:
        super().__init__(space, seed, constraint=constraint, redraws=redraws)
        for name, size, least in (
            ("parents", parents, 1),
            ("mutations", mutations, 0),
            ("crossings", crossings, 0),
            ("mutations + crossings", mutations + crossings, 1),
        ):
            if size < least:
                raise ValueError(f"Evolution: {name} must be >= {least}, got {size}")
        for name, rate in (("mutation_rate", mutation_rate), ("crossover_rate", crossover_rate)):
            if not 0.0 <= rate <= 1.0:
                raise ValueError(f"Evolution: {name} must be in [0, 1], got {rate}")
        self.parents = parents
        self.mutations = mutations
        self.crossings = crossings
        self.mutation_rate = mutation_rate
        self.crossover_rate = crossover_rate
        self.repair = repair
        self._warm = self._checked_warm_start(warm_start)
        # How many genomes the first generation still lacks.
        self._unborn = max(parents + mutations + crossings, len(self._warm))
        self._pool = self._nothing()
        self._scores: FloatArray = np.empty(0)
        self._numbers: NDArray[np.int64] = np.empty(0, dtype=np.int64)

    def _checked_warm_start(self, warm: Genomes | None) -> Genomes:
        if warm is None or len(warm) == 0:
            return self._nothing()
        invalid = np.flatnonzero(~self.space.is_valid(warm))
        if len(invalid):
            raise ValueError(
                f"Evolution: warm_start[{invalid[0]}] does not lie in the space: "
                f"{warm.rows[invalid[0]].tolist()}"
            )
        if self.constraint is not None and self.constraint.lower is not None:
            warm = self.constraint.project(self.space, warm)
        elif self.constraint is not None:
            costs = self.constraint.costs(self.space, warm)
            worst = int(np.argmax(costs))
            if costs[worst] > self.constraint.limit:
                raise ValueError(
                    f"Evolution: warm_start[{worst}] has {self.constraint.name} "
                    f"{costs[worst]:g}, the limit is {self.constraint.limit:g}"
                )
        first: dict[bytes, int] = {}
        for i, key in enumerate(self.space.keys(warm)):
            first.setdefault(key, i)
        return Genomes(warm[list(first.values())].rows)

    @property
    def generation_size(self) -> int:
        return self._unborn if self._unborn else self.mutations + self.crossings

    @property
    def population(self) -> tuple[Genomes, FloatArray]:
        """The surviving parents and their scores, best first."""
        return self._pool, self._scores.copy()

    # ---- ask -----------------------------------------------------------------------------

    def _propose(self, n: int) -> Genomes:
        if self._unborn or not len(self._pool):
            return self._found(min(n, self._unborn) if self._unborn else n)
        return self._breed(n)

    def _found(self, n: int) -> Genomes:
        """Make genomes of the first generation."""
        seen = np.array([key in self._seen for key in self.space.keys(self._warm)], dtype=np.bool_)
        self._warm = self._warm[~seen]
        first, self._warm = self._warm[:n], self._warm[n:]
        drawn = self._collect(n - len(first), self._sample, first)
        # What an exhausted space cannot fill stays unfilled.
        self._unborn = max(self._unborn - n, 0)
        return Genomes.concatenate([first, drawn])

    def _breed(self, n: int) -> Genomes:
        share = self.mutations / (self.mutations + self.crossings)
        # Two distinct parents are needed for a crossing.
        n_mutants = round(n * share) if len(self._pool) > 1 else n
        brood = self._collect(n_mutants, self._mutants)
        crossings = self._collect(n - n_mutants, self._crossings, brood)
        brood = Genomes.concatenate([brood, crossings])
        # Where the parents' neighbourhood has nothing new left, fresh blood fills the gap.
        strangers = self._collect(n - len(brood), self._sample, brood)
        return Genomes.concatenate([brood, strangers])

    def _mutants(self, n: int) -> Genomes:
        chosen = self.rng.integers(len(self._pool), size=n)
        origin = np.stack([self._numbers[chosen], np.full(n, NO_PARENT)], axis=1)
        stock = Genomes(self._pool.rows[chosen], origin)
        return self.space.mutate(stock, self.mutation_rate, self.rng, repair=self.repair)

    def _crossings(self, n: int) -> Genomes:
        first = self.rng.integers(len(self._pool), size=n)
        second = self.rng.integers(len(self._pool) - 1, size=n)
        second += second >= first
        origin = np.stack([self._numbers[first], self._numbers[second]], axis=1)
        return self.space.crossover(
            Genomes(self._pool.rows[first], origin),
            self._pool[second],
            self.rng,
            p=self.crossover_rate,
            repair=self.repair,
        )

    # ---- tell ----------------------------------------------------------------------------

    def _learn(self, genomes: Genomes, scores: FloatArray, numbers: NDArray[np.int64]) -> None:
        pool = Genomes.concatenate([self._pool, genomes])
        all_scores = np.concatenate([self._scores, scores])
        all_numbers = np.concatenate([self._numbers, numbers])
        keys = self.space.keys(pool)
        survivors: list[int] = []
        present: set[bytes] = set()
        # Stable: among equal scores the one told first stays.
        for i in np.argsort(all_scores, kind="stable").tolist():
            if keys[i] not in present and len(survivors) < self.parents:
                present.add(keys[i])
                survivors.append(i)
        self._pool = Genomes(pool.rows[survivors])
        self._scores = all_scores[survivors]
        self._numbers = all_numbers[survivors]

    # ---- state ---------------------------------------------------------------------------

    @property
    def config(self) -> dict[str, Any]:
        return {
            **super().config,
            "parents": self.parents,
            "mutations": self.mutations,
            "crossings": self.crossings,
            "mutation_rate": self.mutation_rate,
            "crossover_rate": self.crossover_rate,
            "repair": self.repair,
        }

    def state_dict(self) -> dict[str, Any]:
        return {
            **super().state_dict(),
            "unborn": self._unborn,
            "warm": self._warm.rows.copy(),
            "pool": self._pool.rows.copy(),
            "scores": self._scores.copy(),
            "numbers": self._numbers.copy(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        super().load_state_dict(state)
        self._unborn = int(state["unborn"])
        self._warm = Genomes(state["warm"])
        self._pool = Genomes(state["pool"])
        self._scores = np.array(state["scores"], dtype=np.float64)
        self._numbers = np.array(state["numbers"], dtype=np.int64)
