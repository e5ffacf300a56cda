# SPDX-License-Identifier: Apache-2.0
"""Pruning: wrapping, masks, the schedule, and the simplification of what is left."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit.quantum_info import Operator

from circuits.quantum.quantumnas.config import PruningConfig, TrainingConfig
from circuits.quantum.quantumnas.pruning import (
    angle_mask,
    angle_periods,
    gate_mask,
    prune_and_finetune,
    share_at,
    wrapped,
)
from circuits.quantum.quantumnas.spaces import design_space
from circuits.quantum.quantumnas.subcircuit import BoundGate, bound_circuit, simplified
from circuits.quantum.quantumnas.tasks import Split, load_task, task
from circuits.quantum.quantumnas.training import Trainable

SPACE = design_space("u3cu3", n_blocks=2)
TASK = task("digits-4")
FULL = SPACE.full(4)
DATA = load_task("digits-4", 0)
TRAIN = Split(DATA.train.x[:24], DATA.train.y[:24])


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=10, deadline=None)
def test_wrapping_changes_no_output(seed: int) -> None:
    rng = np.random.default_rng(seed)
    trainable = Trainable(SPACE, FULL, TASK)
    weights = rng.uniform(-20, 20, trainable.n_weights)
    periods = angle_periods(SPACE, FULL, 4)
    small = wrapped(weights, periods)
    assert (small > -periods / 2).all()
    assert (small <= periods / 2).all()
    before = trainable.expectations(weights, TRAIN.x)
    assert np.abs(trainable.expectations(small, TRAIN.x) - before).max() < 1e-10


def test_controlled_rotations_have_period_4_pi() -> None:
    periods = angle_periods(SPACE, ((0,), (0,)), 4)
    assert periods == pytest.approx(np.array([2, 2, 2, 4, 2, 2]) * math.pi)
    # And not 2 pi: turning a CU3 by it is a Z on its control.
    trainable = Trainable(SPACE, FULL, TASK)
    weights = np.random.default_rng(0).uniform(-1, 1, trainable.n_weights)
    turned = weights.copy()
    turned[12] += 2 * math.pi
    difference = trainable.expectations(turned, TRAIN.x) - trainable.expectations(weights, TRAIN.x)
    assert np.abs(difference).max() > 1e-2


@pytest.mark.parametrize("unit", ["angles", "gates"])
def test_pruning_nothing_without_training_leaves_all_outputs(unit: str) -> None:
    trainable = Trainable(SPACE, FULL, TASK)
    weights = np.random.default_rng(3).uniform(-9, 9, trainable.n_weights)
    how = PruningConfig(epochs=2, rate=0.0)
    after = prune_and_finetune(
        SPACE, FULL, trainable, TRAIN, weights, how, TrainingConfig(), unit=unit, amount=0.0,
        seed=(0,),
    )  # type: ignore[arg-type]  # fmt: skip
    before = trainable.expectations(weights, TRAIN.x)
    assert np.abs(trainable.expectations(after, TRAIN.x) - before).max() < 1e-10


def test_the_share_rises_cubically_from_start_to_amount() -> None:
    how = PruningConfig(start=0.05, epochs=20)
    shares = [share_at(epoch, how, 0.3) for epoch in range(20)]
    assert shares[0] == pytest.approx(0.05)
    assert shares[5] == pytest.approx(0.3 - 0.25 / 8)
    assert shares[10:] == [0.3] * 10
    assert all(a <= b for a, b in itertools.pairwise(shares))
    assert share_at(0, how, 0.0) == 0.0


def test_the_smallest_angles_are_masked() -> None:
    mask = angle_mask(np.array([0.5, -0.1, 2.0, 0.2, -3.0]), 0.4)
    assert mask.tolist() == [1, 0, 1, 0, 1]


def test_whole_gates_are_masked_by_distance_from_identity() -> None:
    weights = np.full(6 * 3, 0.01)
    cu3 = weights[6:].reshape(4, 3)
    cu3[0] = [0.0, 1.0, -1.0]  # the identity, its phases cancelling
    cu3[1] = [0.0, 0.5, 0.5]  # a controlled phase
    cu3[2] = [0.1, 0.0, 0.0]
    cu3[3] = [2.0, 0.0, 0.0]
    architecture = ((0, 1), (0, 1, 2, 3))
    mask = gate_mask(SPACE, architecture, 4, weights, 0.5).reshape(6, 3)
    assert mask.tolist() == [[1] * 3, [1] * 3, [0] * 3, [1] * 3, [0] * 3, [1] * 3]


@pytest.mark.parametrize(("unit", "amount", "zeros"), [("angles", 0.25, 12), ("gates", 0.5, 12)])
def test_pruned_angles_are_zero_and_the_rest_is_finetuned(
    unit: str, amount: float, zeros: int
) -> None:
    trainable = Trainable(SPACE, FULL, TASK)
    weights = np.random.default_rng(3).uniform(-1, 1, trainable.n_weights)
    how, training = PruningConfig(epochs=6, rate=0.02), TrainingConfig(batch=12)
    found = prune_and_finetune(
        SPACE, FULL, trainable, TRAIN, weights, how, training, unit=unit, amount=amount, seed=(0,)
    )  # type: ignore[arg-type]
    assert np.count_nonzero(found == 0.0) == zeros
    mask = found != 0.0
    assert (found[mask] != weights[mask]).any()
    assert trainable.score(found, TRAIN).loss < trainable.score(weights * mask, TRAIN).loss


def test_bad_amounts_and_units_are_named() -> None:
    trainable = Trainable(SPACE, FULL, TASK)
    weights = np.zeros(trainable.n_weights)
    for unit, amount, words in (("angles", 1.0, "amount is 1.0"), ("wires", 0.1, "'wires'")):
        with pytest.raises(ValueError, match=words):
            prune_and_finetune(
                SPACE, FULL, trainable, TRAIN, weights, PruningConfig(), TrainingConfig(),
                unit=unit, amount=amount, seed=(0,),
            )  # type: ignore[arg-type]  # fmt: skip


special = st.sampled_from([0.0, math.pi, -math.pi, 2 * math.pi, 4 * math.pi, 0.3, -0.3, 1.7])


@given(
    gates=st.lists(
        st.tuples(st.sampled_from(["u", "cu3"]), st.integers(0, 2), special, special, special),
        min_size=1,
        max_size=8,
    )
)
@settings(max_examples=60, deadline=None)
def test_simplified_gates_are_the_same_operator(
    gates: list[tuple[str, int, float, float, float]],
) -> None:
    bound = [
        BoundGate(name, (wire,) if name == "u" else (wire, (wire + 1) % 3), tuple(angles))
        for name, wire, *angles in gates
    ]
    less = simplified(bound)
    assert len(less) <= len(bound)
    before = Operator(bound_circuit(bound, 3).to_qiskit())
    # U3(2 pi) is -1, so equality is up to a global phase.
    assert before.equiv(Operator(bound_circuit(less, 3).to_qiskit()), atol=1e-9)


def test_identities_are_removed_and_special_gates_named() -> None:
    def names(*gates: BoundGate) -> list[str]:
        return [gate.name for gate in simplified(gates)]

    assert names(BoundGate("u", (0,), (0.0, 0.0, 0.0))) == []
    assert names(BoundGate("u", (0,), (0.0, 0.4, 0.0))) == ["p"]
    assert names(BoundGate("u", (0,), (0.4, 0.0, 0.0))) == ["ry"]
    assert names(BoundGate("cu3", (0, 1), (0.0, 0.4, -0.4))) == []
    assert names(BoundGate("cu3", (0, 1), (0.0, 0.4, 0.1))) == ["cp"]
    assert names(BoundGate("cu3", (0, 1), (0.4, 0.0, 0.0))) == ["cry"]
    assert names(BoundGate("cu3", (0, 1), (2 * math.pi, 0.0, 0.0))) == ["cry"]
