# SPDX-License-Identifier: Apache-2.0
"""Loss, accuracy, and training of one SubCircuit from scratch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy

from circuits.quantum import observables
from circuits.quantum.quantumnas.config import TrainingConfig
from circuits.quantum.quantumnas.optimizer import Adam, Vector, warmup_cosine
from circuits.quantum.quantumnas.spaces import Architecture, DesignSpace
from circuits.quantum.quantumnas.subcircuit import trainable_circuit
from circuits.quantum.quantumnas.tasks import Split, Task
from workbench.ops.program import Program
from workbench.ops.statevector import expectation

__all__ = ["Score", "Trainable", "batches", "initial_angles", "score", "train"]


@dataclass(frozen=True)
class Score:
    """Mean negative log likelihood and share of right answers."""

    loss: float
    accuracy: float


def score(expectations: Tensor | NDArray[np.float64], task: Task, y: NDArray[np.int64]) -> Score:
    """Return loss and accuracy of expectations <Z_k>, float64 (S, n_wires)."""
    z = torch.as_tensor(expectations, dtype=torch.float64)
    logits = z @ torch.from_numpy(task.readout_matrix)
    target = torch.from_numpy(y)
    loss = cross_entropy(logits, target)
    accuracy = (logits.argmax(dim=1) == target).double().mean()
    return Score(float(loss), float(accuracy))


class Trainable:
    """A SubCircuit, lowered once, with a loss and its gradient.

    Parameters
    ----------
    space : DesignSpace
    architecture : Architecture
    task : Task
    """

    def __init__(self, space: DesignSpace, architecture: Architecture, task: Task) -> None:
        circuit = trainable_circuit(space, architecture, task.encoder)
        self.task = task
        self.n_weights = circuit.n_weights
        self._program: Program = circuit.program()
        self._observables = observables("z", task.n_wires)
        self._readout = torch.from_numpy(task.readout_matrix)

    def expectations(self, weights: Vector, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return noise-free <Z_k> of each wire, float64 (S, n_wires)."""
        with torch.no_grad():
            values = expectation(
                self._program, self._observables, torch.from_numpy(weights), torch.from_numpy(x)
            )
        result: NDArray[np.float64] = values.numpy()
        return result

    def score(self, weights: Vector, split: Split) -> Score:
        """Return noise-free loss and accuracy."""
        return score(self.expectations(weights, split.x), self.task, split.y)

    def gradient(self, weights: Vector, x: Tensor, y: Tensor) -> tuple[float, Vector]:
        """Return the loss on a batch and its gradient to the weights."""
        leaf = torch.from_numpy(weights).requires_grad_()
        values = expectation(self._program, self._observables, leaf, x)
        loss = cross_entropy(values @ self._readout, y)
        (slope,) = torch.autograd.grad(loss, leaf)
        gradient: Vector = slope.numpy()
        return float(loss.detach()), gradient


def initial_angles(count: int, half_width: float, rng: np.random.Generator) -> Vector:
    """Draw angles from U(-half_width, half_width)."""
    return rng.uniform(-half_width, half_width, count)


def batches(split: Split, size: int, rng: np.random.Generator) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the samples of one epoch in random order; a last batch may be smaller."""
    order = rng.permutation(len(split))
    for begin in range(0, len(order), size):
        chosen = order[begin : begin + size]
        yield torch.from_numpy(split.x[chosen]), torch.from_numpy(split.y[chosen])


def train(
    trainable: Trainable,
    split: Split,
    how: TrainingConfig,
    *,
    seed: Sequence[int],
    start: Vector | None = None,
    before_epoch: Callable[[int, Vector], Vector] | None = None,
) -> Vector:
    """Train a SubCircuit without noise and return its angles.

    Parameters
    ----------
    trainable : Trainable
    split : Split
        Training samples.
    how : TrainingConfig
        Epochs, batch, rate and start.
    seed : sequence of int
        For the start and the order of samples.
    start : array, optional
        Angles to start from instead of random ones; not changed.
    before_epoch : callable, optional
        Gets the number of the epoch and the dense angles, and returns the 0/1 mask under which
        the circuit runs in this epoch. It may change the angles in place. Masked angles
        receive no gradient.

    Returns
    -------
    array
        The dense angles, float64 (P,).
    """
    rng = np.random.default_rng([*seed, 2])
    if start is None:
        weights = initial_angles(trainable.n_weights, how.init, rng)
    else:
        weights = np.array(start, dtype=np.float64)
    optimizer = Adam(len(weights), weight_decay=how.weight_decay)
    per_epoch = -(-len(split) // how.batch)
    total, warmup = how.epochs * per_epoch, how.warmup_epochs * per_epoch
    step = 0
    for epoch in range(how.epochs):
        mask = None if before_epoch is None else before_epoch(epoch, weights)
        for x, y in batches(split, how.batch, rng):
            _, gradient = trainable.gradient(weights if mask is None else weights * mask, x, y)
            if mask is not None:
                gradient = gradient * mask
            optimizer.step(weights, gradient, warmup_cosine(step, total, warmup, how.rate))
            step += 1
    return weights
