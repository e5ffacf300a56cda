# SPDX-License-Identifier: Apache-2.0
"""The verdict: qiskit-aer's figures, and that ours are the same."""

from __future__ import annotations

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.quantum_info import Operator
from scipy.stats import spearmanr

from circuits.quantum.quantumnas.config import Setting
from circuits.quantum.quantumnas.evaluation import Scene, scene
from circuits.quantum.quantumnas.spaces import front_design
from circuits.quantum.quantumnas.tasks import Dataset, Split
from circuits.quantum.quantumnas.validity import rank_correlations, spearman
from circuits.quantum.quantumnas.verdict import aer_verdict, encoder_angles


@pytest.fixture(scope="module")
def here() -> Scene:
    whole = scene(Setting("FakeQuitoV2", "digits-4", "u3cu3", 2, 0))
    small = Scene(whole.setting)
    test = whole.data.test
    small.data = Dataset(whole.data.train, whole.data.valid, Split(test.x[:6], test.y[:6]))
    return small


@pytest.mark.parametrize(
    ("layout", "level"), [((0, 1, 2, 3), None), ((4, 3, 1, 2), None), (None, 3)]
)
def test_aers_probabilities_and_scores_are_ours(
    here: Scene, layout: tuple[int, ...] | None, level: int | None
) -> None:
    architecture = front_design(here.space, 9, 4)
    weights = np.random.default_rng(1).uniform(-2, 2, 27)
    gates = here.gates(architecture, weights)
    found = aer_verdict(here, gates, layout, level=level, shots=4000, seed=5)
    assert found.difference < 1e-9
    transpiled = here.on_device(gates, layout, level)
    ours = here.noisy_score(transpiled, "test", level)
    assert found.noisy.loss == pytest.approx(ours.loss, abs=1e-9)
    assert found.noisy.accuracy == ours.accuracy
    clean = here.clean_score(gates, "test")
    assert found.clean.loss == pytest.approx(clean.loss, abs=1e-9)
    # 4000 shots: the standard error of <Z> is below 0.016.
    assert abs(found.sampled.loss - found.noisy.loss) < 0.05
    assert found.sampled.loss != found.noisy.loss
    assert found.cx == transpiled.count_ops()["cx"]
    assert len(set(found.layout)) == 4
    if layout is not None:
        assert found.layout == layout


def test_encoder_angles_are_qiskits() -> None:
    chosen = scene(Setting("FakeQuitoV2", "digits-4", "u3cu3", 2, 0)).task.encoder
    x = np.random.default_rng(0).uniform(0, np.pi, (3, 16))
    x[0] = 0.0
    x[1, ::2] = np.pi
    angles = encoder_angles(chosen, x)
    for sample, own in zip(x, angles, strict=True):
        rotations, merged = QuantumCircuit(4), QuantumCircuit(4)
        for layer, gate in enumerate(("ry", "rz", "rx", "ry")):
            for wire in range(4):
                getattr(rotations, gate)(sample[4 * layer + wire], wire)
        for wire in range(4):
            merged.u(*own[3 * wire : 3 * wire + 3], wire)
        assert Operator(rotations).equiv(Operator(merged), atol=1e-9)


def test_spearman_is_scipys() -> None:
    rng = np.random.default_rng(0)
    for n in (2, 5, 40):
        a, b = rng.integers(0, 6, n).astype(float), rng.normal(size=n)
        if len(set(a)) > 1:
            assert spearman(a, b) == pytest.approx(spearmanr(a, b).statistic, abs=1e-12)
    assert spearman([1.0, 1.0], [1.0, 2.0]) is None
    assert spearman([1.0], [1.0]) is None
    with pytest.raises(ValueError, match="equally long"):
        spearman([1.0, 2.0], [1.0])


def test_inheritance_is_not_credited_with_what_size_explains() -> None:
    sizes = [4, 4, 4, 8, 8, 8]
    scratch = [6.0, 5.0, 4.0, 3.0, 2.0, 1.0]
    reversed_within = [4.0, 5.0, 6.0, 1.0, 2.0, 3.0]
    found = rank_correlations(sizes, reversed_within, scratch)
    assert found["within_sizes"] == -1.0
    assert found["inherited"] is not None
    assert found["inherited"] > 0.5
    assert found["gate_count"] is not None
    assert found["gate_count"] < -0.8
