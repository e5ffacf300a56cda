# SPDX-License-Identifier: Apache-2.0
"""The whole experiment, stage by stage, over all seeds.

Every unit of work is stored when it is done (see `workbench.experiments.Run.once`), so that a
run that was killed goes on with what is left; a search is stored after each generation.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from concurrent.futures import BrokenExecutor, Executor
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from circuits.quantum.quantumnas import jobs
from circuits.quantum.quantumnas.baselines import (
    ROWS,
    Placement,
    Trial,
    designed_trials,
    searched_trials,
)
from circuits.quantum.quantumnas.config import Config, Setting
from circuits.quantum.quantumnas.search import Candidate, search
from circuits.quantum.quantumnas.spaces import Architecture, design_space, gate_count
from circuits.quantum.quantumnas.summary import chosen_attempt, summarised
from circuits.quantum.quantumnas.tasks import task
from circuits.quantum.quantumnas.workers import gather
from workbench.experiments.workers import crew
from workbench.search import CallbackCheckpoint, Generation

if TYPE_CHECKING:
    from circuits.quantum.quantumnas.pruning import Unit
    from workbench.experiments import Run

__all__ = ["run_pipeline"]

#: SubCircuits per job when inheritance is checked; candidates per job in a search.
_PAIRS = 4
_CANDIDATES = 5
_STAGES = 7
#: Keep the seeds of trainings apart.
_ROW_NUMBERS = {row.key: number for number, row in enumerate(ROWS)}


def run_pipeline(config: Config, run: Run) -> dict[str, Any]:
    """Run the experiment; see `circuits.quantum.quantumnas.summary` for the result."""
    try:
        load = partial(jobs.load, setting_of(config, 0))
        with crew(config.workers, load, {"QISKIT_PARALLEL": "FALSE"}) as executor:
            return _Pipeline(config, run, executor).result()
    except BrokenExecutor as error:
        raise RuntimeError(
            "quantumnas: a worker process died, perhaps for want of memory. What was done until "
            f"then is kept: `workbench resume {run.path}` goes on"
        ) from error


def setting_of(config: Config, seed: int) -> Setting:
    """Return what all candidates of a seed share."""
    return Setting(
        device=config.device,
        task=config.task,
        space=config.space,
        n_blocks=config.blocks,
        seed=seed,
        optimization_level=config.search.optimization_level,
        seed_transpiler=config.search.seed_transpiler,
    )


class _Pipeline:
    """The stages; what they share are the config, the run and the worker processes."""

    def __init__(self, config: Config, run: Run, executor: Executor) -> None:
        self.config = config
        self.run = run
        self.executor = executor
        self.space = design_space(config.space, n_blocks=config.blocks)
        self.n_wires = task(config.task).n_wires
        self.seeds = range(config.seeds)

    def result(self) -> dict[str, Any]:
        with self.run.progress(_STAGES, f"QuantumNAS on {self.config.device}") as bar:
            supers = self._gather(
                "SuperCircuits",
                {
                    f"seed {seed}": partial(
                        jobs.train_super, self._setting(seed), self.config.supercircuit
                    )
                    for seed in self.seeds
                },
            )
            facts = self._gather(
                "device",
                {
                    "facts": partial(
                        jobs.describe_device, self._setting(0), self.config.search.region
                    )
                },
            )["facts"]
            bar.advance()
            searches = self._searches(supers, facts["region"])
            bar.advance()
            trained = self._trained(searches)
            bar.advance()
            pruned = self._pruned(trained)
            bar.advance()
            pairs = self._pairs(supers)
            bar.advance()
            depths, layouts = self._comparisons(trained, facts["region"])
            bar.advance()
            verdicts = self._verdicts(trained, pruned)
            bar.advance()
        return summarised(
            self.config,
            device=facts,
            histories={seed: supers[f"seed {seed}"]["history"] for seed in self.seeds},
            searches=searches,
            trained=trained,
            pruned=pruned,
            pairs=pairs,
            depths=depths,
            layouts=layouts,
            verdicts=verdicts,
        )

    # ---- common --------------------------------------------------------------------------

    def _setting(self, seed: int) -> Setting:
        return setting_of(self.config, seed)

    def _gather(self, name: str, work: Mapping[str, partial[Any]]) -> dict[str, Any]:
        return gather(self.run, name, work, self.executor)

    # ---- stages --------------------------------------------------------------------------

    def _searches(
        self, supers: Mapping[str, Any], region: Sequence[int]
    ) -> dict[int, dict[str, dict[str, Any]]]:
        """Search with and without noise; for each seed "aware" and "unaware"."""
        found: dict[int, dict[str, dict[str, Any]]] = {}
        with self.run.progress(2 * len(self.seeds), "searches") as bar:
            for seed in self.seeds:
                found[seed] = {}
                for kind in ("unaware", "aware"):
                    key = f"{kind} search, seed {seed}"
                    weights = supers[f"seed {seed}"]["weights"]
                    found[seed][kind] = self.run.once(
                        key, partial(self._search, key, seed, kind == "aware", weights, region)
                    )
                    bar.advance()
        return found

    def _search(
        self, key: str, seed: int, aware: bool, weights: Any, region: Sequence[int]
    ) -> dict[str, Any]:
        how = self.config.search
        checkpoint = CallbackCheckpoint(
            partial(self.run.checkpoint, "search"), partial(self.run.restore, "search")
        )
        with self.run.progress(how.evaluations, key) as bar, self.run.timed(key):

            def report(generation: Generation) -> None:
                bar.advance(
                    generation.evaluations - bar.done, best=f"loss {generation.best_score:.3f}"
                )
                self.run.log(
                    {
                        "search": "noise-aware" if aware else "noise-unaware",
                        "seed": seed,
                        "generation": generation.number,
                        "evaluations": generation.evaluations,
                        "best_loss": generation.best_score,
                    }
                )

            result, ranked = search(
                self._setting(seed),
                self.space,
                weights,
                how,
                n_wires=self.n_wires,
                region=region,
                noise_aware=aware,
                seed=seed,
                executor=self.executor,
                batch=_CANDIDATES,
                checkpoint=checkpoint,
                on_generation=report,
            )
        best = ranked[: self.config.training.candidates]
        return {
            "evaluations": result.evaluations,
            "generations": result.generations,
            "curve": result.curve,
            "best": [[c.architecture, c.layout, c.score] for c in best],
        }

    def _trained(self, searches: Mapping[int, Any]) -> dict[int, dict[str, dict[str, Any]]]:
        """Train all trials; for each seed and row the trial that noisy validation picks."""
        how = self.config.training
        searched = {
            seed: searched_trials(
                [Candidate(*entry) for entry in searches[seed]["aware"]["best"]],
                [Candidate(*entry) for entry in searches[seed]["unaware"]["best"]],
                how,
            )
            for seed in self.seeds
        }
        chosen = self._picked("training what was searched", searched)
        designed = {
            seed: designed_trials(
                self.space,
                self.n_wires,
                gate_count(chosen[seed]["quantumnas"]["architecture"]),
                how,
                seed=seed,
            )
            for seed in self.seeds
        }
        others = self._picked("training what was designed", designed)
        return {seed: {**chosen[seed], **others[seed]} for seed in self.seeds}

    def _picked(
        self, stage: str, planned: Mapping[int, Mapping[str, list[Trial]]]
    ) -> dict[int, dict[str, dict[str, Any]]]:
        work = {
            f"{row} {i}, seed {seed}": partial(
                jobs.train_trial,
                self._setting(seed),
                trial.architecture,
                trial.placements,
                self.config.training,
                (seed, _ROW_NUMBERS[row], i),
            )
            for seed, rows in planned.items()
            for row, own in rows.items()
            for i, trial in enumerate(own)
        }
        done = self._gather(stage, work)
        chosen: dict[int, dict[str, dict[str, Any]]] = {}
        for seed, rows in planned.items():
            chosen[seed] = {}
            for trained_for, own in rows.items():
                results = [done[f"{trained_for} {i}, seed {seed}"] for i in range(len(own))]
                for row in own[0].placements:
                    losses = [result["noisy"][row] for result in results]
                    best = int(np.argmin(losses))
                    chosen[seed][row] = {
                        "architecture": own[best].architecture,
                        "placement": own[best].placements[row],
                        "weights": results[best]["weights"],
                        "trial": best,
                        "trial_losses": losses,
                    }
        return chosen

    def _pruned(self, trained: Mapping[int, Any]) -> dict[int, list[dict[str, Any]]]:
        """Prune the circuit found in every configured way; for each seed a list of attempts."""
        how = self.config.pruning
        ways: list[tuple[Unit, float]] = [("angles", share) for share in how.angles]
        ways += [("gates", share) for share in how.gates]
        work = {
            f"{share:g} of {unit}, seed {seed}": partial(
                jobs.prune,
                self._setting(seed),
                trained[seed]["quantumnas"]["architecture"],
                trained[seed]["quantumnas"]["placement"].layout,
                trained[seed]["quantumnas"]["weights"],
                how,
                self.config.training,
                unit,
                share,
            )
            for seed in self.seeds
            for unit, share in ways
        }
        done = self._gather("pruning", work)
        return {
            seed: [done[f"{share:g} of {unit}, seed {seed}"] for unit, share in ways]
            for seed in self.seeds
        }

    def _pairs(self, supers: Mapping[str, Any]) -> dict[int, dict[str, Any]]:
        """Train SubCircuits of several sizes; for each seed inherited and trained losses."""
        how = self.config.checks
        drawn: dict[int, list[Architecture]] = {}
        work: dict[str, partial[Any]] = {}
        for seed in self.seeds:
            rng = np.random.default_rng([seed, 4])
            drawn[seed] = [
                self.space.random_of_size(size, self.n_wires, rng)
                for size in how.sizes
                for _ in range(how.per_size)
            ]
            for first in range(0, len(drawn[seed]), _PAIRS):
                work[f"from {first}, seed {seed}"] = partial(
                    jobs.trained_pairs,
                    self._setting(seed),
                    supers[f"seed {seed}"]["weights"],
                    drawn[seed][first : first + _PAIRS],
                    self.config.training,
                    first,
                )
        done = self._gather("inheritance", work)
        pairs: dict[int, dict[str, Any]] = {}
        for seed in self.seeds:
            parts = [
                done[f"from {first}, seed {seed}"] for first in range(0, len(drawn[seed]), _PAIRS)
            ]
            pairs[seed] = {"sizes": [gate_count(a) for a in drawn[seed]]}
            for name in parts[0] if parts else ():
                pairs[seed][name] = list(itertools.chain(*(part[name] for part in parts)))
        return pairs

    def _comparisons(
        self, trained: Mapping[int, Any], region: Sequence[int]
    ) -> tuple[dict[int, list[dict[str, float]]], dict[int, dict[str, Any]]]:
        """Depths of the human design, and mappings of the circuit found; for each seed."""
        how = self.config.checks
        depths: dict[str, partial[Any]] = {}
        layouts: dict[str, partial[Any]] = {}
        for seed in self.seeds:
            for blocks in how.blocks:
                depths[f"{blocks} blocks, seed {seed}"] = partial(
                    jobs.compare_depths, self._setting(seed), blocks, self.config.training
                )
            found = trained[seed]["quantumnas"]
            layouts[f"seed {seed}"] = partial(
                jobs.compare_layouts,
                self._setting(seed),
                found["architecture"],
                found["weights"],
                region,
                how.layouts,
            )
        by_depth = self._gather("depths", depths)
        by_layout = self._gather("mappings", layouts)
        return (
            {s: [by_depth[f"{b} blocks, seed {s}"] for b in how.blocks] for s in self.seeds},
            {s: by_layout[f"seed {s}"] for s in self.seeds},
        )

    def _verdicts(
        self, trained: Mapping[int, Any], pruned: Mapping[int, Any]
    ) -> dict[int, dict[str, dict[str, Any]]]:
        """Let qiskit-aer judge every row; for each seed and row its figures."""
        work: dict[str, partial[Any]] = {}
        for seed in self.seeds:
            for row in ROWS:
                found = trained[seed][row.trained_for if row.key == "pruned" else row.key]
                weights, placement = found["weights"], found["placement"]
                if row.key == "pruned":
                    weights = chosen_attempt(pruned[seed])["weights"]
                    placement = Placement(placement.layout)
                work[f"{row.key}, seed {seed}"] = partial(
                    jobs.judge,
                    self._setting(seed),
                    found["architecture"],
                    weights,
                    placement,
                    self.config.shots,
                    row.key == "pruned",
                )
        done = self._gather("verdict of qiskit-aer", work)
        return {
            seed: {row.key: done[f"{row.key}, seed {seed}"] for row in ROWS} for seed in self.seeds
        }
