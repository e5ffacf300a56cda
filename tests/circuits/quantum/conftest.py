# SPDX-License-Identifier: Apache-2.0
"""Oracles shared by the tests of quantum circuits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import strategies as st

from circuits.quantum import Circuit, input, weight
from circuits.quantum.gates import GATES
from workbench.ops.reference.statevector import apply_operation, decode


def _unitary(size: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    q, r = np.linalg.qr(rng.normal(size=(size, size)) + 1j * rng.normal(size=(size, size)))
    return q * (np.diag(r) / np.abs(np.diag(r)))


def _append(circuit: Circuit, name: str, wires: list[int], angles: list[Any]) -> Circuit:
    """Any gate of the table; those that need a matrix or letters get them from the wires."""
    size = 2 ** len(wires)
    if name == "unitary":
        return circuit.unitary(_unitary(size, seed=size), wires)
    if name == "diagonal":
        return circuit.diagonal(np.exp(1j * np.arange(size) ** 2), wires)
    if name == "pauli_rotation":
        return circuit.pauli_rotation("XYZI"[: len(wires)], angles[0], wires)
    return circuit.gate(name, wires, angles)


@pytest.fixture(scope="session")
def append_gate() -> Callable[..., Circuit]:
    """``append_gate(circuit, name, wires, angles)`` for every gate of the table."""
    return _append


@pytest.fixture(scope="session")
def random_unitary() -> Callable[[int, int], np.ndarray]:
    """``random_unitary(size, seed)``."""
    return _unitary


@pytest.fixture(scope="session")
def operator_of() -> Callable[..., np.ndarray]:
    """``operator_of(circuit, weights, inputs)``: its matrix, by the pure-torch reference."""

    def operator_of(circuit: Circuit, weights: Any = (), inputs: Any = ()) -> np.ndarray:
        size = 2**circuit.n_wires
        w = torch.tensor(list(weights), dtype=torch.float64)
        x = torch.tensor(list(inputs), dtype=torch.float64).expand(size, -1)
        state = torch.eye(size, dtype=torch.complex128)
        for operation in decode(circuit.program()):
            state = apply_operation(state, operation, w, x)
        return state.numpy().T

    return operator_of


@st.composite
def _circuits(draw: st.DrawFn, max_wires: int = 5, max_gates: int = 12) -> Circuit:
    n_wires = draw(st.integers(1, max_wires))
    circuit = Circuit(n_wires, n_weights=3, n_inputs=2)
    numbers = st.floats(-7, 7, allow_nan=False).map(lambda v: round(v, 3))
    symbols = st.one_of(st.integers(0, 2).map(weight), st.integers(0, 1).map(input))
    affine = st.builds(lambda a, s, t, b: a * s + t - b, numbers, symbols, symbols, numbers)
    angles = st.one_of(numbers, symbols, affine)
    names = [n for n, spec in GATES.items() if (spec.n_wires or 0) <= n_wires]
    for name in draw(st.lists(st.sampled_from(names), max_size=max_gates)):
        spec = GATES[name]
        count = spec.n_wires
        if count is None:
            count = draw(st.integers(1, min(n_wires, 4)))
        wires = draw(st.permutations(range(n_wires)))[:count]
        _append(circuit, name, list(wires), [draw(angles) for _ in spec.params])
    return circuit


@pytest.fixture(scope="session")
def circuits() -> Callable[..., st.SearchStrategy[Circuit]]:
    """``circuits(max_wires, max_gates)``: a strategy, of 3 weights and 2 inputs each."""
    return _circuits
