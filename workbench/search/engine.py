# SPDX-License-Identifier: Apache-2.0
"""What every search engine is: something to ask for candidates and to tell their scores."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from workbench.search.choice import FloatArray
from workbench.search.constraint import Constraint
from workbench.search.genomes import Genomes
from workbench.search.space import Space

STATE_VERSION = 1


class Engine(ABC):
    """Base of the ask/tell engines. Scores are minimised.

    Parameters
    ----------
    space : Space
    seed : int
        Everything an engine draws comes from ``numpy.random.default_rng(seed)``.
    constraint : Constraint, optional
        Only feasible candidates are proposed: lowered where the constraint can, redrawn else.
    redraws : int
        Rounds of redrawing after which the engine stops looking for a candidate that is valid,
        feasible and new.

    Notes
    -----
    A candidate, that is a canonical genome, once asked or told is never proposed again. `ask`
    therefore returns *at most* n genomes, and none at all when `redraws` rounds found nothing
    new: a small discrete space is then, in all likelihood, exhausted.
    """

    kind: ClassVar[str]

    def __init__(
        self,
        space: Space,
        seed: int,
        *,
        constraint: Constraint | None = None,
        redraws: int = 100,
    ) -> None:
        if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
            raise ValueError(f"{type(self).__name__}: seed must be an int >= 0, got {seed!r}")
        if redraws < 1:
            raise ValueError(f"{type(self).__name__}: redraws must be >= 1, got {redraws}")
        self.space = space
        self.seed = int(seed)
        self.constraint = constraint
        self.redraws = redraws
        self.rng = np.random.default_rng(self.seed)
        self.told = 0
        # A dict, because it keeps the order of entry and so makes equal states equal.
        self._seen: dict[bytes, None] = {}

    # ---- ask and tell --------------------------------------------------------------------

    @property
    @abstractmethod
    def generation_size(self) -> int:
        """How many genomes the engine would like to be asked for next."""

    def ask(self, n: int | None = None) -> Genomes:
        """Propose at most n (default `generation_size`) candidates, all new and different.

        Raises
        ------
        ValueError
            If a constraint is set and no feasible genome was ever found; the message names the
            lowest cost seen.
        """
        wanted = self.generation_size if n is None else n
        if wanted < 0:
            raise ValueError(f"{type(self).__name__}.ask: n must be >= 0, got {wanted}")
        asked = self._propose(wanted)
        self._seen.update(dict.fromkeys(self.space.keys(asked)))
        return asked

    def tell(self, genomes: Genomes, scores: ArrayLike) -> None:
        """Report the scores of genomes, asked for or not; lower is better, +inf is allowed.

        The order counts: genomes are numbered 0, 1, 2, ... as they are told, and `parents` of
        later genomes are these numbers.
        """
        values = np.array(scores, dtype=np.float64)
        if values.shape != (len(genomes),):
            raise ValueError(
                f"{type(self).__name__}.tell: scores must have shape ({len(genomes)},), "
                f"got {values.shape}"
            )
        bad = np.flatnonzero(np.isnan(values))
        if len(bad):
            named = self.space.decode(genomes[bad[0]])[0]
            raise ValueError(f"{type(self).__name__}.tell: score is NaN for genome {named}")
        if not self.space.is_valid(genomes).all():
            raise ValueError(f"{type(self).__name__}.tell: genomes must lie in the space")
        numbers = np.arange(self.told, self.told + len(genomes))
        self.told += len(genomes)
        self._seen.update(dict.fromkeys(self.space.keys(genomes)))
        self._learn(genomes, values, numbers)

    @abstractmethod
    def _propose(self, n: int) -> Genomes:
        """Return at most n new genomes."""

    @abstractmethod
    def _learn(self, genomes: Genomes, scores: FloatArray, numbers: Any) -> None:
        """Take in told genomes with their scores and their numbers in order of telling."""

    # ---- drawing what is valid, feasible and new -----------------------------------------

    def _collect(
        self, n: int, draw: Callable[[int], Genomes], taken: Genomes | None = None
    ) -> Genomes:
        """Call draw(m) until n valid, feasible, unseen genomes are found, or `redraws` times.

        `taken` are genomes of the same proposal, which count as seen.
        """
        fresh: list[Genomes] = []
        known = set() if taken is None else set(self.space.keys(taken))
        missing, feasible, lowest = n, bool(self._seen or known), np.inf
        for attempt in range(self.redraws):
            if missing == 0:
                break
            # Small remainders are drawn generously, for rounds cost more than rows.
            batch = draw(missing if attempt == 0 else max(missing, 32))
            batch = batch[self.space.is_valid(batch)]
            if self.constraint is not None and self.constraint.lower is not None:
                batch = self.constraint.project(self.space, batch)
            elif self.constraint is not None:
                costs = self.constraint.costs(self.space, batch)
                lowest = min(lowest, float(costs.min(initial=np.inf)))
                batch = batch[costs <= self.constraint.limit]
            chosen: list[int] = []
            for i, key in enumerate(self.space.keys(batch)):
                feasible = True
                if len(chosen) < missing and key not in self._seen and key not in known:
                    known.add(key)
                    chosen.append(i)
            if chosen:
                fresh.append(batch[chosen])
                missing -= len(chosen)
        if self.constraint is not None and not feasible and n:
            raise ValueError(
                f"{type(self).__name__}.ask: no genome with {self.constraint.name} <= "
                f"{self.constraint.limit:g} found in {self.redraws} rounds of draws; the lowest "
                f"{self.constraint.name} seen is {lowest:g}"
            )
        return Genomes.concatenate(fresh) if fresh else self._nothing()

    def _sample(self, n: int) -> Genomes:
        return self.space.sample(self.rng, n)

    def _nothing(self) -> Genomes:
        return Genomes(np.empty((0, self.space.width)))

    # ---- state ---------------------------------------------------------------------------

    @property
    def config(self) -> dict[str, Any]:
        """The engine's settings as JSON scalars; a state loads only into equal settings."""
        limit = None if self.constraint is None else self.constraint.limit
        return {"seed": self.seed, "redraws": self.redraws, "limit": limit}

    def state_dict(self) -> dict[str, Any]:
        """Return the whole state as a tree of JSON scalars and numpy arrays."""
        return {
            "kind": self.kind,
            "version": STATE_VERSION,
            "space": self.space.description,
            "config": self.config,
            # The generator's 128-bit integers fit JSON, but no array type.
            "rng": json.dumps(self.rng.bit_generator.state),
            "told": self.told,
            "seen": self.space.from_keys(list(self._seen)).rows.copy(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Become the engine that `state_dict` was taken from.

        Raises ValueError, before anything is changed, where kind, version, space or settings
        are not this engine's.
        """
        expected = {
            "kind": self.kind,
            "version": STATE_VERSION,
            "space": self.space.description,
            "config": self.config,
        }
        for key, value in expected.items():
            if state.get(key) != value:
                raise ValueError(
                    f"{type(self).__name__}.load_state_dict: state is of another {key}: "
                    f"expected {value!r}, got {state.get(key)!r}"
                )
        self.rng.bit_generator.state = json.loads(state["rng"])
        self.told = int(state["told"])
        # Stored rows are canonical already; asking the space again gives the same keys.
        self._seen = dict.fromkeys(self.space.keys(Genomes(state["seen"])))


class Random(Engine):
    """Independent uniform draws: the baseline every engine has to beat at equal budget.

    Parameters
    ----------
    batch : int
        Candidates per generation; it changes nothing but how often results are looked at.
    """

    kind = "Random"

    def __init__(
        self,
        space: Space,
        seed: int,
        *,
        batch: int = 32,
        constraint: Constraint | None = None,
        redraws: int = 100,
    ) -> None:
        super().__init__(space, seed, constraint=constraint, redraws=redraws)
        if batch < 1:
            raise ValueError(f"Random: batch must be >= 1, got {batch}")
        self.batch = batch

    @property
    def generation_size(self) -> int:
        return self.batch

    def _propose(self, n: int) -> Genomes:
        return self._collect(n, self._sample)

    def _learn(self, genomes: Genomes, scores: FloatArray, numbers: Any) -> None:
        pass
