# SPDX-License-Identifier: Apache-2.0
"""From genomes to metrics: a function, a memory of what it said, and an executor to run it on."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from workbench.search.choice import BoolArray, FloatArray
from workbench.search.genomes import Genomes
from workbench.search.space import Space

STATE_VERSION = 1

Metrics = dict[str, float]


class EvaluationError(RuntimeError):
    """An evaluation failed; the message names the genome, ``__cause__`` is what it raised.

    Attributes
    ----------
    genomes : list of dict
        The decoded genomes of the failed call.
    """

    def __init__(self, message: str, genomes: list[dict[str, Any]]) -> None:
        super().__init__(message)
        self.genomes = genomes


@dataclass(frozen=True)
class Evaluation:
    """Metrics of N genomes, in their order.

    Attributes
    ----------
    metrics : dict from name to float64 (N,)
    fresh : bool (N,)
        Where the function was called; False where the value was known, or stands in an earlier
        row of the same batch.
    """

    metrics: dict[str, FloatArray]
    fresh: BoolArray


class Evaluator:
    """Evaluate genomes by a function, each candidate once.

    Parameters
    ----------
    fn : callable
        Maps a decoded canonical genome (a dictionary without inactive choices) to a dictionary
        of numbers. With `batch`, it maps a list of at most `batch` such dictionaries to a
        dictionary of arrays of that length, and each entry must depend on its own genome only.
        For a process pool it must be picklable, i.e. defined at the top of a module.
    executor : concurrent.futures.Executor, optional
        Where to run it; in this thread without. Results are taken in the order of the genomes,
        whatever order they finish in, so an executor changes no result.
    cache : bool
        Remember metrics by canonical genome. Known candidates cost no evaluation. Without it
        equal genomes are evaluated, and counted, every time.
    batch : int, optional
        Largest number of genomes per call; without it `fn` gets one genome.
    nan : "raise" or "inf"
        A NaN metric is an error that names the genome, or becomes +inf and is counted in
        `nan_count`.
    """

    def __init__(
        self,
        fn: Callable[[Any], Mapping[str, Any]],
        executor: Executor | None = None,
        *,
        cache: bool = True,
        batch: int | None = None,
        nan: Literal["raise", "inf"] = "raise",
    ) -> None:
        if not callable(fn):
            raise TypeError(f"Evaluator: fn must be callable, got {fn!r}")
        if executor is not None and not isinstance(executor, Executor):
            raise TypeError(f"Evaluator: executor must be an Executor, got {executor!r}")
        if batch is not None and batch < 1:
            raise ValueError(f"Evaluator: batch must be >= 1, got {batch}")
        if nan not in ("raise", "inf"):
            raise ValueError(f"Evaluator: nan must be 'raise' or 'inf', got {nan!r}")
        self.fn = fn
        self.executor = executor
        self.cache = cache
        self.batch = batch
        self.nan = nan
        self.nan_count = 0
        self._known: dict[bytes, Metrics] = {}
        self._structure: str | None = None

    def evaluate(self, space: Space, genomes: Genomes) -> Evaluation:
        """Evaluate a batch. Nothing is remembered of a batch that fails.

        Raises
        ------
        EvaluationError
            If `fn` raises, or returns no dictionary of numbers; names the genome.
        ValueError
            If a metric is NaN (see `nan`), or a genome does not lie in the space.
        """
        self._adopt(space)
        invalid = np.flatnonzero(~space.is_valid(genomes))
        if len(invalid):
            raise ValueError(
                f"Evaluator.evaluate: genome {invalid[0]} does not lie in the space: "
                f"{genomes.rows[invalid[0]].tolist()}"
            )
        canonical = space.canonical(genomes)
        keys = space.keys(canonical)
        fresh = np.ones(len(keys), dtype=np.bool_)
        if self.cache:
            first: dict[bytes, int] = {}
            for i, key in enumerate(keys):
                fresh[i] = key not in self._known and first.setdefault(key, i) == i
        results, nan_count = self._run(space.decode(canonical[fresh]))
        asked = np.flatnonzero(fresh).tolist()
        if self.cache:
            added = {keys[i]: metrics for i, metrics in zip(asked, results, strict=True)}
            rows = [added[key] if key in added else self._known[key] for key in keys]
        else:
            added = {}
            rows = results
        names = list(rows[0]) if rows else []
        for i, row in enumerate(rows):
            if set(row) != set(names):
                raise EvaluationError(
                    f"Evaluator: metrics must have the same names for every genome, got "
                    f"{sorted(names)} and {sorted(row)} for {space.decode(canonical[i])[0]}",
                    space.decode(canonical[i]),
                )
        self._known.update(added)
        self.nan_count += nan_count
        metrics = {name: np.array([row[name] for row in rows], dtype=np.float64) for name in names}
        return Evaluation(metrics, fresh)

    def _adopt(self, space: Space) -> None:
        if self._structure is None:
            self._structure = space.structure
        elif self._structure != space.structure:
            raise ValueError("Evaluator: this evaluator remembers genomes of another space")

    # ---- running -------------------------------------------------------------------------

    def _run(self, genomes: list[dict[str, Any]]) -> tuple[list[Metrics], int]:
        """Return the metrics of the genomes, in order, and how many values were NaN."""
        size = self.batch or 1
        groups = [genomes[i : i + size] for i in range(0, len(genomes), size)]
        # A function that changes its argument must not change what an error message says.
        payloads = [
            [dict(genome) for genome in group] if self.batch else dict(group[0]) for group in groups
        ]
        results: list[Metrics] = []
        nan_count = 0
        futures: list[Future[Mapping[str, Any]]] = []
        try:
            if self.executor is not None:
                for payload, group in zip(payloads, groups, strict=True):
                    try:
                        futures.append(self.executor.submit(self.fn, payload))
                    except RuntimeError as error:
                        raise EvaluationError(
                            f"Evaluator: the executor takes no work, from genome "
                            f"{_shown(group)} on: {error}",
                            group,
                        ) from error
            for i, group in enumerate(groups):
                try:
                    value = futures[i].result() if futures else self.fn(payloads[i])
                except Exception as error:
                    raise EvaluationError(
                        f"Evaluator: {type(error).__name__} for genome {_shown(group)}: {error}",
                        group,
                    ) from error
                for metrics, genome in zip(self._split(value, group), group, strict=True):
                    nan_count += self._settle_nan(metrics, genome)
                    results.append(metrics)
        except BaseException:
            for future in futures:
                future.cancel()
            raise
        return results, nan_count

    def _split(self, value: object, group: list[dict[str, Any]]) -> list[Metrics]:
        """Check what `fn` returned for a group of genomes and give each its metrics."""
        wanted = f"a mapping from str to {'arrays' if self.batch else 'numbers'}"
        if not isinstance(value, Mapping) or not value:
            raise EvaluationError(
                f"Evaluator: fn must return {wanted}, got {value!r} for {_shown(group)}", group
            )
        columns: dict[str, list[float]] = {}
        for name, entry in value.items():
            try:
                array = np.asarray(entry, dtype=np.float64)
            except (TypeError, ValueError) as error:
                raise EvaluationError(
                    f"Evaluator: fn must return {wanted}, got {name!r}: {entry!r} "
                    f"for {_shown(group)}",
                    group,
                ) from error
            shape = (len(group),) if self.batch else ()
            if not isinstance(name, str) or array.shape != shape:
                raise EvaluationError(
                    f"Evaluator: fn must return {wanted} of shape {shape}, got {name!r} of shape "
                    f"{array.shape} for {_shown(group)}",
                    group,
                )
            columns[name] = array.reshape(-1).tolist()
        return [{name: column[i] for name, column in columns.items()} for i in range(len(group))]

    def _settle_nan(self, metrics: Metrics, genome: dict[str, Any]) -> int:
        bad = [name for name, number in metrics.items() if math.isnan(number)]
        if bad and self.nan == "raise":
            raise ValueError(f"Evaluator: metric {bad[0]!r} is NaN for genome {genome}")
        metrics.update(dict.fromkeys(bad, math.inf))
        return len(bad)

    # ---- state ---------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """Return the memory as a tree of JSON scalars and numpy arrays.

        Candidates are the rows, in the order they were evaluated; values (n, n_metrics).
        """
        names = list(next(iter(self._known.values()), {}))
        return {
            "version": STATE_VERSION,
            "structure": self._structure,
            "nan_count": self.nan_count,
            "keys": np.frombuffer(b"".join(self._known), dtype=np.uint8).copy(),
            "names": names,
            "values": np.array(
                [[row[name] for name in names] for row in self._known.values()], dtype=np.float64
            ).reshape(len(self._known), len(names)),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Replace the memory by one that `state_dict` returned."""
        if state.get("version") != STATE_VERSION:
            raise ValueError(
                f"Evaluator.load_state_dict: version must be {STATE_VERSION}, "
                f"got {state.get('version')!r}"
            )
        values = np.asarray(state["values"], dtype=np.float64)
        joined = np.asarray(state["keys"], dtype=np.uint8).tobytes()
        size = len(joined) // len(values) if len(values) else 0
        names: Sequence[str] = state["names"]
        self._structure = state["structure"]
        self.nan_count = int(state["nan_count"])
        self._known = {
            joined[i * size : (i + 1) * size]: dict(zip(names, row, strict=True))
            for i, row in enumerate(values.tolist())
        }


def _shown(group: list[dict[str, Any]]) -> str:
    return str(group[0]) if len(group) == 1 else f"one of {group}"
