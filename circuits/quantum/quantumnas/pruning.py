# SPDX-License-Identifier: Apache-2.0
"""Pruning of small angles, or of whole two-qubit gates, with finetuning in between."""

from __future__ import annotations

import dataclasses
import math
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from circuits.quantum.quantumnas.config import PruningConfig, TrainingConfig
from circuits.quantum.quantumnas.optimizer import Vector
from circuits.quantum.quantumnas.spaces import Architecture, DesignSpace
from circuits.quantum.quantumnas.tasks import Split
from circuits.quantum.quantumnas.training import Trainable, train

__all__ = [
    "Unit",
    "angle_mask",
    "angle_periods",
    "gate_mask",
    "prune_and_finetune",
    "share_at",
    "wrapped",
]

Unit: TypeAlias = Literal["angles", "gates"]

_FULL_TURN = 2.0 * math.pi
#: Rotations whose first angle, turned by 2 pi, changes the sign of the rotation: a global phase
#: by itself, but a Z on the control where the rotation is controlled.
_CONTROLLED_ROTATIONS = frozenset({"crx", "cry", "crz", "cu3", "cu"})


def angle_periods(space: DesignSpace, architecture: Architecture, n_wires: int) -> Vector:
    """Return by how much each angle may be turned without changing what is measured.

    2 pi, but 4 pi for the rotation angle of controlled rotations.
    """
    periods: list[float] = []
    for _, _, layer, _ in space.gates(architecture, n_wires):
        own = [_FULL_TURN] * layer.n_params
        if layer.gate in _CONTROLLED_ROTATIONS:
            own[0] *= 2
        periods += own
    return np.array(periods)


def wrapped(weights: Vector, periods: Vector) -> Vector:
    """Return equivalent angles in (-period / 2, period / 2]."""
    turns = np.ceil((weights - periods / 2) / periods)
    result: Vector = weights - periods * turns
    return result


def share_at(epoch: int, how: PruningConfig, amount: float) -> float:
    """Return the share to prune in an epoch: cubic rise in the first half, then `amount`."""
    last = how.epochs // 2
    if epoch >= last:
        return amount
    start = min(how.start, amount)
    return amount + (start - amount) * (1.0 - epoch / last) ** 3


def angle_mask(weights: Vector, share: float) -> Vector:
    """Return a 0/1 mask without the given share of angles, those of least magnitude.

    The angles must be wrapped.
    """
    mask = np.ones(len(weights))
    count = round(share * len(weights))
    mask[np.argsort(np.abs(weights), kind="stable")[:count]] = 0.0
    return mask


def gate_mask(
    space: DesignSpace,
    architecture: Architecture,
    n_wires: int,
    weights: Vector,
    share: float,
) -> Vector:
    """Return a 0/1 mask without the given share of two-qubit gates, all their angles at once.

    The nearest to the identity go first. A CU3 is one where theta = 0 and phi + lambda = 0: a
    small theta alone leaves a controlled phase, which costs as many CX.
    """
    spans: list[range] = []
    distances: list[float] = []
    count = 0
    for _, _, layer, wires in space.gates(architecture, n_wires):
        span = range(count, count + layer.n_params)
        count += layer.n_params
        if len(wires) < 2 or not layer.n_params:
            continue
        theta, *phases = weights[span.start : span.stop].tolist()
        spans.append(span)
        distances.append(math.hypot(theta, math.remainder(sum(phases), _FULL_TURN)))
    mask = np.ones(len(weights))
    order = np.argsort(np.array(distances), kind="stable")
    for index in order[: round(share * len(spans))].tolist():
        mask[list(spans[index])] = 0.0
    return mask


def prune_and_finetune(
    space: DesignSpace,
    architecture: Architecture,
    trainable: Trainable,
    split: Split,
    weights: Vector,
    how: PruningConfig,
    training: TrainingConfig,
    *,
    unit: Unit,
    amount: float,
    seed: tuple[int, ...],
) -> Vector:
    """Prune a trained SubCircuit step by step, finetuning what is left.

    Before each epoch the angles are wrapped and the mask is made anew from the dense ones, so
    that an angle may come back.

    Parameters
    ----------
    space, architecture, trainable
        The SubCircuit.
    split : Split
        Training samples.
    weights : array
        Its trained angles.
    how : PruningConfig
    training : TrainingConfig
        For batch and weight decay.
    unit : "angles" or "gates"
        What is pruned: single angles, or two-qubit gates.
    amount : float
        Share pruned in the end; 0 is finetuning alone.
    seed : tuple of int
        For the order of samples.

    Returns
    -------
    array
        Angles, the pruned ones exactly 0.

    Raises
    ------
    ArithmeticError
        If wrapping changed what the circuit computes, which would make pruning meaningless.
    """
    if not 0.0 <= amount < 1.0:
        raise ValueError(f"prune_and_finetune: amount is {amount}; expected 0 to below 1")
    if unit not in ("angles", "gates"):
        raise ValueError(f"prune_and_finetune: unit is {unit!r}; expected 'angles' or 'gates'")
    n_wires = trainable.task.n_wires
    periods = angle_periods(space, architecture, n_wires)
    _check_wrapping(trainable, weights, periods, split.x[:8])
    mask = np.ones(len(weights))

    def before_epoch(epoch: int, dense: Vector) -> Vector:
        nonlocal mask
        dense[:] = wrapped(dense, periods)
        share = share_at(epoch, how, amount)
        if unit == "angles":
            mask = angle_mask(dense, share)
        else:
            mask = gate_mask(space, architecture, n_wires, dense, share)
        return mask

    finetuning = dataclasses.replace(training, epochs=how.epochs, rate=how.rate, warmup_epochs=0)
    dense = train(trainable, split, finetuning, seed=seed, start=weights, before_epoch=before_epoch)
    return wrapped(dense, periods) * mask


def _check_wrapping(
    trainable: Trainable, weights: Vector, periods: Vector, x: NDArray[np.float64]
) -> None:
    before = trainable.expectations(weights, x)
    after = trainable.expectations(wrapped(weights, periods), x)
    worst = float(np.abs(before - after).max(initial=0.0))
    if worst > 1e-9:
        raise ArithmeticError(
            f"prune_and_finetune: wrapping the angles changed the expectations by {worst:.3g}"
        )
