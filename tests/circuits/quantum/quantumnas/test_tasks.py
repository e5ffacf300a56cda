# SPDX-License-Identifier: Apache-2.0
"""Tasks: the data, its split, the encoder, the read-out."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from qiskit import QuantumCircuit
from qiskit.quantum_info import Statevector
from sklearn.datasets import load_digits

from circuits.quantum import statevector
from circuits.quantum.quantumnas.encoders import ENCODERS, encoder
from circuits.quantum.quantumnas.tasks import TASKS, load_task, task


def test_digits_4_is_split_360_120_240_and_stratified() -> None:
    data = load_task("digits-4", 3)
    assert [len(part) for part in (data.train, data.valid, data.test)] == [360, 120, 240]
    for part, share in ((data.train, 1 / 2), (data.valid, 1 / 6), (data.test, 1 / 3)):
        counts = np.bincount(part.y, minlength=4)
        assert np.abs(counts - share * np.array([178, 182, 177, 183])).max() <= 1.0
        assert part.x.shape == (len(part), 16)
        assert part.x.dtype == np.float64
        assert part.x.min() >= 0
        assert part.x.max() <= np.pi


def test_no_sample_is_in_two_parts_and_none_is_lost() -> None:
    data = load_task("digits-2", 0)
    rows = np.concatenate([part.x for part in (data.train, data.valid, data.test)])
    digits = load_digits()
    chosen = np.isin(digits.target, (3, 6))
    pooled = digits.images[chosen].reshape(-1, 4, 2, 4, 2).mean(axis=(2, 4)) * np.pi / 16
    expected = pooled.reshape(-1, 16)
    assert rows.shape == expected.shape
    order = np.lexsort(rows.T)
    assert np.allclose(rows[order], expected[np.lexsort(expected.T)], rtol=0, atol=1e-12)


def test_classes_are_the_digits_they_say() -> None:
    data = load_task("digits-2", 1)
    digits = load_digits()
    pooled = digits.images.reshape(-1, 4, 2, 4, 2).mean(axis=(2, 4)).reshape(-1, 16) * np.pi / 16
    for x, y in zip(data.test.x[:20], data.test.y[:20], strict=True):
        labels = digits.target[np.abs(pooled - x).max(axis=1) < 1e-12]
        assert (3, 6)[y] in labels


def test_the_split_depends_on_the_seed_alone() -> None:
    first, again, other = (
        load_task("digits-4", 0),
        load_task("digits-4", 0),
        load_task("digits-4", 1),
    )
    assert np.array_equal(first.train.x, again.train.x)
    assert np.array_equal(first.test.y, again.test.y)
    assert not np.array_equal(first.train.x, other.train.x)


def test_the_encoder_is_qiskits_ry_rz_rx_ry() -> None:
    x = np.random.default_rng(0).uniform(0, np.pi, 16)
    expected = QuantumCircuit(4)
    for layer, gate in enumerate(("ry", "rz", "rx", "ry")):
        for wire in range(4):
            getattr(expected, gate)(x[4 * layer + wire], wire)
    ours = statevector(encoder("4x4_ryzxy").circuit(), inputs=torch.from_numpy(x[None, :]))
    assert np.abs(ours[0].numpy() - Statevector(expected).data).max() < 1e-12


def test_readout_and_bounds_of_the_loss() -> None:
    four, two = task("digits-4"), task("digits-2")
    assert np.array_equal(four.readout_matrix, np.eye(4))
    assert np.array_equal(two.readout_matrix, [[1, 0], [1, 0], [0, 1], [0, 1]])
    assert four.loss_floor == pytest.approx(np.log(1 + 3 * np.exp(-2)))
    assert two.loss_floor == pytest.approx(np.log(1 + np.exp(-4)))
    assert set(TASKS) == {"digits-4", "digits-2"}
    assert all(t.encoder_name in ENCODERS for t in TASKS.values())


def test_unknown_names_list_what_exists() -> None:
    with pytest.raises(ValueError, match=r"did you mean 'digits-4'.*known are digits-4, digits-2"):
        load_task("digit-4", 0)
    with pytest.raises(ValueError, match=r"unknown encoder 'x'; known are 4x4_ryzxy"):
        encoder("x")
