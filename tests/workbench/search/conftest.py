# SPDX-License-Identifier: Apache-2.0
"""The space most tests search: a small QuantumNAS one."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.search import Choice, Injection, Int, Space, When

N_WIRES, N_QUBITS, N_BLOCKS = 4, 5, 3


@pytest.fixture
def circuits() -> Space:
    """Layout of 4 wires on 5 qubits, up to 3 blocks of 2 share-front layers."""
    choices: list[Choice] = [Injection("layout", N_WIRES, N_QUBITS), Int("blocks", 1, N_BLOCKS)]
    for block in range(N_BLOCKS):
        for layer in ("u3", "cu3"):
            active = When("blocks", ">", block)
            choices.append(Int(f"{layer}_{block}", 1, N_WIRES, active=active))
    return Space(choices)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20240607)
