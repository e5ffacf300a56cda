# SPDX-License-Identifier: Apache-2.0
"""One search from first question to last answer: ask, evaluate, tell, log, save, until spent."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from workbench.search.checkpoint import Checkpoint, CheckpointError, FileCheckpoint
from workbench.search.choice import FloatArray
from workbench.search.engine import Engine
from workbench.search.evaluator import Evaluator
from workbench.search.genomes import Genomes
from workbench.search.space import Space
from workbench.search.trace import PathLike, Trace

FORMAT = "workbench.search.run"
VERSION = 1


@dataclass(frozen=True)
class Budget:
    """How much a search may spend.

    Parameters
    ----------
    evaluations : int
        Calls of the evaluator's function, in candidates. Cache hits are free.
    seconds : float, optional
        Wall-clock, summed over resumed parts and looked at between generations. A search that
        it ends is not reproducible.
    """

    evaluations: int
    seconds: float | None = None

    def __post_init__(self) -> None:
        whole = isinstance(self.evaluations, (int, np.integer))
        if not whole or isinstance(self.evaluations, bool) or self.evaluations < 1:
            raise ValueError(f"Budget: evaluations must be an int >= 1, got {self.evaluations!r}")
        if self.seconds is not None and not self.seconds > 0:
            raise ValueError(f"Budget: seconds must be > 0, got {self.seconds!r}")


@dataclass(frozen=True)
class Generation:
    """What one generation did; the argument of the callbacks.

    Attributes
    ----------
    number : int
        0 for the first.
    genomes, metrics, scores
        The candidates in order of telling, their metrics (name -> float64 (N,)) and scores.
    evaluations : int
        Spent so far.
    best, best_score
        Decoded genome and score of the best candidate so far.
    """

    number: int
    genomes: Genomes
    metrics: dict[str, FloatArray]
    scores: FloatArray
    evaluations: int
    best: dict[str, Any]
    best_score: float


@dataclass(frozen=True)
class SearchResult:
    """What a search found.

    Attributes
    ----------
    best : dict
        The best genome, decoded.
    best_metrics : dict
        Its metrics.
    best_score : float
    genomes, scores
        Every candidate the search evaluated itself, in order, canonical; float64 (E,).
    evaluations, generations : int
    seconds : float
        Wall-clock over all resumed parts.
    stopped : str
        What ended it: "evaluations", "seconds" or "exhausted" (nothing new to propose).
    """

    best: dict[str, Any]
    best_metrics: dict[str, float]
    best_score: float
    genomes: Genomes
    scores: FloatArray
    evaluations: int
    generations: int
    seconds: float
    stopped: str

    @property
    def curve(self) -> FloatArray:
        """Best score after 1, 2, ... evaluations; float64 (E,)."""
        return np.minimum.accumulate(self.scores)

    def top(self, k: int) -> Genomes:
        """Return the k best different candidates (fewer where there are fewer), best first."""
        order = np.argsort(self.scores, kind="stable")
        _, first = np.unique(self.genomes.rows[order], axis=0, return_index=True)
        return self.genomes[order[np.sort(first)[:k]]]


class Search:
    """Spend a budget on finding the genome with the least score.

    Parameters
    ----------
    space : Space
    engine : Engine
        Over the same space.
    evaluator : Evaluator
    budget : Budget
    objective : str
        Which metric is the score.
    trace : path, optional
        JSONL file, one record per candidate; see `workbench.search.trace`.
    checkpoint : path or Checkpoint, optional
        Where the state is kept after each generation. `run` resumes from what it finds there
        and gives, bit for bit, the result and trace of an unbroken run (wall-clock aside), for
        an evaluator whose function is deterministic. A damaged checkpoint, or that of another
        search, is refused and left as it is.
    on_generation, on_best : callable, optional
        Called with a `Generation` after each one, and after each that improved the best score;
        before the checkpoint, so that a generation cut short by a kill is reported again.
    """

    def __init__(
        self,
        space: Space,
        engine: Engine,
        evaluator: Evaluator,
        budget: Budget,
        *,
        objective: str = "loss",
        trace: PathLike | None = None,
        checkpoint: PathLike | Checkpoint | None = None,
        on_generation: Callable[[Generation], object] | None = None,
        on_best: Callable[[Generation], object] | None = None,
    ) -> None:
        if engine.space.description != space.description:
            raise ValueError("Search: the engine is over another space")
        if not isinstance(budget, Budget):
            raise TypeError(f"Search: budget must be a Budget, got {budget!r}")
        self.space = space
        self.engine = engine
        self.evaluator = evaluator
        self.budget = budget
        self.objective = objective
        self.trace = None if trace is None else Trace(trace)
        self.checkpoint: Checkpoint | None
        if isinstance(checkpoint, (str, os.PathLike)):
            self.checkpoint = FileCheckpoint(checkpoint)
        else:
            self.checkpoint = checkpoint
        self.on_generation = on_generation
        self.on_best = on_best
        self._begun = False
        self._generations = 0
        self._records = 0
        self._keys: list[bytes] = []
        self._scores: list[float] = []
        self._best_row: FloatArray | None = None
        self._best_metrics: dict[str, float] = {}
        self._best_score = math.inf
        self._exhausted = False
        self._seconds = 0.0

    @property
    def evaluations(self) -> int:
        """Evaluations spent so far."""
        return len(self._scores)

    # ---- the loop ------------------------------------------------------------------------

    def run(self) -> SearchResult:
        """Resume where the checkpoint says, search until the budget is spent, and report."""
        self._begin()
        while self._stopped() is None:
            self._generation()
        return self._result()

    def _stopped(self) -> str | None:
        if self._exhausted:
            return "exhausted"
        if self.evaluations >= self.budget.evaluations:
            return "evaluations"
        if self.budget.seconds is not None and self._seconds >= self.budget.seconds:
            return "seconds"
        return None

    def _generation(self) -> None:
        started = time.perf_counter()
        left = self.budget.evaluations - self.evaluations
        genomes = self.engine.ask(min(self.engine.generation_size, left))
        if not len(genomes):
            self._exhausted = True
            self._save()
            return
        evaluation = self.evaluator.evaluate(self.space, genomes)
        if self.objective not in evaluation.metrics:
            raise ValueError(
                f"Search: objective {self.objective!r} is not among the metrics "
                f"{', '.join(evaluation.metrics)}"
            )
        scores = evaluation.metrics[self.objective]
        first_id = self.engine.told
        self.engine.tell(genomes, scores)
        spent_before = self.evaluations
        self._keys += self.space.keys(genomes[evaluation.fresh])
        self._scores += scores[evaluation.fresh].tolist()
        improved = self._update_best(genomes, evaluation.metrics, scores)
        elapsed = self._seconds + time.perf_counter() - started
        if self.trace is not None:
            spent = spent_before + np.cumsum(evaluation.fresh)
            self.trace.append(
                [
                    {
                        "id": first_id + i,
                        "generation": self._generations,
                        "evaluation": int(spent[i]),
                        "cached": not evaluation.fresh[i],
                        "seed": self.engine.seed,
                        "genome": genome,
                        "parents": [p for p in genomes.parents[i].tolist() if p >= 0],
                        "metrics": {k: float(v[i]) for k, v in evaluation.metrics.items()},
                        "score": float(scores[i]),
                        "wall": round(elapsed, 6),
                    }
                    for i, genome in enumerate(self.space.to_json(genomes))
                ]
            )
        self._records += len(genomes)
        assert self._best_row is not None
        report = Generation(
            number=self._generations,
            genomes=genomes,
            metrics=evaluation.metrics,
            scores=scores,
            evaluations=self.evaluations,
            best=self.space.decode(Genomes(self._best_row[None, :]))[0],
            best_score=self._best_score,
        )
        self._generations += 1
        if improved and self.on_best is not None:
            self.on_best(report)
        if self.on_generation is not None:
            self.on_generation(report)
        self._seconds += time.perf_counter() - started
        self._save()

    def _update_best(
        self, genomes: Genomes, metrics: dict[str, FloatArray], scores: FloatArray
    ) -> bool:
        i = int(np.argmin(scores))
        if self._best_row is not None and scores[i] >= self._best_score:
            return False
        self._best_row = genomes.rows[i].copy()
        self._best_metrics = {name: float(values[i]) for name, values in metrics.items()}
        self._best_score = float(scores[i])
        return True

    def _result(self) -> SearchResult:
        if self._best_row is None:
            raise RuntimeError("Search: the engine proposed nothing, so there is no result")
        return SearchResult(
            best=self.space.decode(Genomes(self._best_row[None, :]))[0],
            best_metrics=dict(self._best_metrics),
            best_score=self._best_score,
            genomes=self.space.from_keys(self._keys),
            scores=np.array(self._scores, dtype=np.float64),
            evaluations=self.evaluations,
            generations=self._generations,
            seconds=self._seconds,
            stopped=self._stopped() or "",
        )

    # ---- state ---------------------------------------------------------------------------

    def _begin(self) -> None:
        tree = None if self.checkpoint is None else self.checkpoint.load()
        if tree is not None:
            self.load_state_dict(tree)
            if self.trace is not None:
                self.trace.keep(self._records)
        elif not self._begun:
            if self.trace is not None and not self.trace.is_empty():
                raise FileExistsError(
                    f"Search: trace {self.trace.path} is that of another search, and there is "
                    f"no checkpoint to resume that one from"
                )
            # Saved before the trace exists, so that a kill in the first generation resumes too.
            self._save()
        self._begun = True

    def _save(self) -> None:
        if self.checkpoint is not None:
            self.checkpoint.save(self.state_dict())

    def state_dict(self) -> dict[str, Any]:
        """Return the whole state as a tree of JSON scalars and numpy arrays.

        Equal searches have equal trees but for ``seconds``.
        """
        best = None if self._best_row is None else self._best_row.copy()
        return {
            "format": FORMAT,
            "version": VERSION,
            "objective": self.objective,
            "engine": self.engine.state_dict(),
            "evaluator": self.evaluator.state_dict(),
            "generations": self._generations,
            "records": self._records,
            "genomes": self.space.from_keys(self._keys).rows.copy(),
            "scores": np.array(self._scores, dtype=np.float64),
            "best_row": best,
            "best_metrics": dict(self._best_metrics),
            "best_score": self._best_score,
            "exhausted": self._exhausted,
            "seconds": self._seconds,
        }

    def load_state_dict(self, tree: Mapping[str, Any]) -> None:
        """Become the search that `state_dict` was taken from.

        Raises CheckpointError, a ValueError, where the tree is that of another search.
        """
        expected = {"format": FORMAT, "version": VERSION, "objective": self.objective}
        for key, value in expected.items():
            if tree.get(key) != value:
                raise CheckpointError(
                    f"Search: checkpoint is of another {key}: expected {value!r}, "
                    f"got {tree.get(key)!r}"
                )
        try:
            self.engine.load_state_dict(tree["engine"])
            self.evaluator.load_state_dict(tree["evaluator"])
            self._generations = int(tree["generations"])
            self._records = int(tree["records"])
            self._keys = self.space.keys(Genomes(tree["genomes"]))
            self._scores = list(_floats(tree["scores"]).tolist())
            best = tree["best_row"]
            self._best_row = None if best is None else _floats(best)
            self._best_metrics = {k: float(v) for k, v in tree["best_metrics"].items()}
            self._best_score = float(tree["best_score"])
            self._exhausted = bool(tree["exhausted"])
            self._seconds = float(tree["seconds"])
        except (ValueError, KeyError, TypeError) as error:
            raise CheckpointError(f"Search: checkpoint is of another search: {error}") from error


def _floats(values: ArrayLike) -> FloatArray:
    return np.array(values, dtype=np.float64)
