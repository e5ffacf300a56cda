# SPDX-License-Identifier: Apache-2.0
"""Devices whose gate on two qubits is not cx."""

from __future__ import annotations

import numpy as np
import pytest
from qiskit.providers.fake_provider import GenericBackendV2

from circuits.quantum import devices
from circuits.quantum.quantumnas import jobs
from circuits.quantum.quantumnas.checking import check_config
from circuits.quantum.quantumnas.config import Config, Setting
from circuits.quantum.quantumnas.evaluation import Scene
from circuits.quantum.quantumnas.pairs import pair_label, two_qubit_gates
from circuits.quantum.quantumnas.spaces import front_design
from circuits.quantum.quantumnas.tasks import Dataset, Split
from circuits.quantum.quantumnas.verdict import aer_verdict


@pytest.mark.parametrize(
    ("basis", "label"),
    [
        (["ecr", "id", "rz", "sx", "x"], "ECR"),
        (["cz", "rzz", "id", "rz", "rx", "sx", "x"], "CZ/RZZ"),
        (["cx", "id", "u1", "u2", "u3"], "CX"),
    ],
)
def test_a_device_of_any_gates_is_searched_and_judged(
    basis: list[str], label: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = GenericBackendV2(5, basis_gates=basis, seed=3)
    monkeypatch.setitem(devices._MADE, "FakeTorino", machine)
    check_config(Config(device="FakeTorino"))
    setting = Setting("FakeTorino", "digits-4", "u3cu3", 2, 0)
    here = Scene(setting)
    monkeypatch.setattr(jobs, "_scene", lambda _: here)
    about = jobs.describe_device(setting, 5)
    assert pair_label(about) == label
    assert len(about["couplings"]) == 10
    assert all(0 < error < 0.1 for _, _, error in about["couplings"])
    test = here.data.test
    here.data = Dataset(here.data.train, here.data.valid, Split(test.x[:3], test.y[:3]))
    weights = np.random.default_rng(1).uniform(-2, 2, 27)
    gates = here.gates(front_design(here.space, 9, 4), weights)
    for layout, level in (((4, 3, 1, 2), None), (None, 3)):
        found = aer_verdict(here, gates, layout, level=level, shots=10, seed=5)
        assert found.difference < 1e-9
        assert found.cx == two_qubit_gates(here.on_device(gates, layout, level)) > 0
