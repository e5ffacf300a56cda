# SPDX-License-Identifier: Apache-2.0
"""The SuperCircuit: one set of angles from which every SubCircuit inherits its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from circuits.quantum.quantumnas.config import SuperCircuitConfig
from circuits.quantum.quantumnas.optimizer import Adam, Vector, warmup_cosine
from circuits.quantum.quantumnas.sampling import Sampler
from circuits.quantum.quantumnas.spaces import Architecture, DesignSpace, gate_count
from circuits.quantum.quantumnas.tasks import Dataset, Task
from circuits.quantum.quantumnas.training import Trainable, batches, initial_angles

__all__ = ["SuperCircuit", "train_supercircuit"]


class SuperCircuit:
    """Where the angles of each SubCircuit stand in the SuperCircuit's vector.

    Every gate of the SuperCircuit owns its angles: gate p of layer l has the same ones in all
    SubCircuits that use it, and no other gate has them.

    Parameters
    ----------
    space : DesignSpace
    n_wires : int
    """

    def __init__(self, space: DesignSpace, n_wires: int) -> None:
        self.space = space
        self.n_wires = n_wires
        self._owned: dict[tuple[int, int], range] = {}
        count = 0
        for number, position, layer, _ in space.gates(space.full(n_wires), n_wires):
            self._owned[number, position] = range(count, count + layer.n_params)
            count += layer.n_params
        self.n_weights = count

    def indices(self, architecture: Architecture) -> NDArray[np.int64]:
        """Return where the angles of a SubCircuit stand, in the order of its own weights."""
        used = [
            index
            for number, position, _, _ in self.space.gates(architecture, self.n_wires)
            for index in self._owned[number, position]
        ]
        return np.array(used, dtype=np.int64)

    def inherited(self, weights: Vector, architecture: Architecture) -> Vector:
        """Return the angles a SubCircuit inherits."""
        return np.asarray(weights, dtype=np.float64)[self.indices(architecture)]


def train_supercircuit(
    space: DesignSpace,
    task: Task,
    data: Dataset,
    how: SuperCircuitConfig,
    *,
    seed: int,
    probes: int = 9,
) -> dict[str, Any]:
    """Train a SuperCircuit: each step one SubCircuit, one batch, and only its angles.

    Returns
    -------
    dict
        ``weights``: float64 (P,). ``history``: for `probes` moments of the training the
        validation loss of some fixed SubCircuits: the smallest, the middle, the largest.
    """
    supercircuit = SuperCircuit(space, task.n_wires)
    rng = np.random.default_rng([seed, 3])
    weights = initial_angles(supercircuit.n_weights, how.init, rng)
    optimizer = Adam(len(weights), weight_decay=how.weight_decay)
    sampler = Sampler(
        space,
        task.n_wires,
        how.sampling,
        steps=how.steps,
        seed=seed,
        n_diffs=how.n_diffs,
        shrink_share=how.shrink_share,
    )
    warmup = round(how.warmup_share * how.steps)
    watched = _watched(space, task.n_wires)
    moments = set(np.linspace(0, how.steps, min(probes, how.steps + 1)).astype(int).tolist())
    history: list[dict[str, Any]] = []
    epoch: Iterator[tuple[Tensor, Tensor]] = iter(())
    for step in range(how.steps + 1):
        if step in moments:
            history.append({"step": step, **_losses(supercircuit, task, data, weights, watched)})
        if step == how.steps:
            break
        batch = next(epoch, None)
        if batch is None:
            epoch = batches(data.train, how.batch, rng)
            batch = next(epoch)
        architecture = sampler.next()
        indices = supercircuit.indices(architecture)
        trainable = Trainable(space, architecture, task)
        _, gradient = trainable.gradient(weights[indices], *batch)
        rate = warmup_cosine(step, how.steps, warmup, how.rate)
        optimizer.step(weights, gradient, rate, indices)
    return {"weights": weights, "history": history}


def _watched(space: DesignSpace, n_wires: int) -> dict[str, Architecture]:
    half = space.full(n_wires, -(-space.n_blocks // 2))
    return {
        "smallest": tuple((0,) for _ in space.block),
        "middle": half,
        "largest": space.full(n_wires),
    }


def _losses(
    supercircuit: SuperCircuit,
    task: Task,
    data: Dataset,
    weights: Vector,
    watched: dict[str, Architecture],
) -> dict[str, float]:
    losses = {}
    for name, architecture in watched.items():
        trainable = Trainable(supercircuit.space, architecture, task)
        own = supercircuit.inherited(weights, architecture)
        losses[f"{name} ({gate_count(architecture)} gates)"] = trainable.score(own, data.valid).loss
    return losses
