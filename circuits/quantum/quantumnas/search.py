# SPDX-License-Identifier: Apache-2.0
"""Evolutionary search with inherited angles: circuit and mapping under noise, or circuit alone.

Both searches ask the same question of the same number of candidates, "which has the least
validation loss with the angles it inherits from the SuperCircuit?". The noise-aware one asks it
of a circuit mapped onto the device, with the device's noise; the noise-unaware one of the bare
circuit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from circuits.quantum.quantumnas.config import SearchConfig, Setting
from circuits.quantum.quantumnas.spaces import Architecture, DesignSpace
from workbench.search import (
    Budget,
    Checkpoint,
    Evaluator,
    Evolution,
    Generation,
    Search,
    SearchResult,
)

__all__ = ["Candidate", "search", "trivial_layout"]


@dataclass(frozen=True)
class Candidate:
    """A circuit, where it sits on the device, and its score in the search."""

    architecture: Architecture
    layout: tuple[int, ...]
    score: float


def trivial_layout(n_wires: int) -> tuple[int, ...]:
    """Wire k on qubit k."""
    return tuple(range(n_wires))


def noisy_losses(
    setting: Setting,
    weights: NDArray[np.float64],
    region: Sequence[int],
    genomes: Sequence[Mapping[str, Any]],
) -> dict[str, list[float]]:
    """Return the noisy validation losses of decoded genomes with inherited angles.

    The layout genes are places in `region`.
    """
    from circuits.quantum.quantumnas.evaluation import scene
    from circuits.quantum.quantumnas.supercircuit import SuperCircuit

    here = scene(setting)
    supercircuit = SuperCircuit(here.space, here.n_wires)
    losses, accuracies = [], []
    for genome in genomes:
        architecture = here.space.architecture(genome)
        gates = here.gates(architecture, supercircuit.inherited(weights, architecture))
        found = here.noisy_score(here.on_device(gates, _placed(genome["layout"], region)), "valid")
        losses.append(found.loss)
        accuracies.append(found.accuracy)
    return {"loss": losses, "accuracy": accuracies}


def _placed(layout: Sequence[int], region: Sequence[int]) -> tuple[int, ...]:
    return tuple(region[place] for place in layout)


def clean_losses(
    setting: Setting,
    weights: NDArray[np.float64],
    region: Sequence[int],
    genomes: Sequence[Mapping[str, Any]],
) -> dict[str, list[float]]:
    """Return the noise-free validation losses of decoded genomes with inherited angles."""
    from circuits.quantum.quantumnas.evaluation import scene
    from circuits.quantum.quantumnas.supercircuit import SuperCircuit

    here = scene(setting)
    supercircuit = SuperCircuit(here.space, here.n_wires)
    losses, accuracies = [], []
    for genome in genomes:
        architecture = here.space.architecture(genome)
        own = supercircuit.inherited(weights, architecture)
        found = here.trainable(architecture).score(own, here.data.valid)
        losses.append(found.loss)
        accuracies.append(found.accuracy)
    return {"loss": losses, "accuracy": accuracies}


def search(
    setting: Setting,
    space: DesignSpace,
    weights: NDArray[np.float64],
    how: SearchConfig,
    *,
    n_wires: int,
    region: Sequence[int],
    noise_aware: bool,
    seed: int,
    executor: Executor | None = None,
    batch: int = 8,
    checkpoint: Checkpoint | None = None,
    on_generation: Callable[[Generation], object] | None = None,
) -> tuple[SearchResult, list[Candidate]]:
    """Search for SubCircuits, and noise-aware also for their mappings.

    Parameters
    ----------
    setting : Setting
    space : DesignSpace
    weights : array
        The SuperCircuit's angles.
    how : SearchConfig
    n_wires : int
        Of the task.
    region : sequence of int
        The device's qubits to choose from.
    noise_aware : bool
        Score under the device's noise and search the mapping too; else score without noise,
        the mapping being that of wire k to qubit k.
    seed : int
        Of the evolution.
    executor, batch
        Where to score, and how many candidates at a time; neither changes the result.
    checkpoint, on_generation
        See `workbench.search.Search`.

    Returns
    -------
    SearchResult
    list of Candidate
        Every candidate evaluated, best first.
    """
    genomes = space.search_space(n_wires, len(region))
    if not noise_aware:
        genomes = genomes.fix({"layout": trivial_layout(n_wires)})
    engine = Evolution(
        genomes,
        seed,
        parents=how.parents,
        mutations=how.mutations,
        crossings=how.population - how.parents - how.mutations,
        mutation_rate=how.mutation_rate,
        crossover_rate=how.crossover_rate,
    )
    losses = noisy_losses if noise_aware else clean_losses
    evaluator = Evaluator(partial(losses, setting, weights, tuple(region)), executor, batch=batch)
    result = Search(
        genomes,
        engine,
        evaluator,
        Budget(how.evaluations),
        checkpoint=checkpoint,
        on_generation=on_generation,
    ).run()
    ranked = result.top(len(result.scores))
    scores = dict(zip(genomes.keys(result.genomes), result.scores.tolist(), strict=True))
    places = region if noise_aware else range(len(region))
    candidates = [
        Candidate(space.architecture(genome), _placed(genome["layout"], places), scores[key])
        for genome, key in zip(genomes.decode(ranked), genomes.keys(ranked), strict=True)
    ]
    return result, candidates
