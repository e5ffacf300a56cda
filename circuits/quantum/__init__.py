# SPDX-License-Identifier: Apache-2.0
"""Quantum circuits: builder, interchange, simulation, layers, devices and their noise.

The names below are imported when they are first used, so that importing this package costs
neither torch nor qiskit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.lazy import lazily

if TYPE_CHECKING:
    from circuits.quantum.circuit import Circuit
    from circuits.quantum.devices import device
    from circuits.quantum.gates import Gate
    from circuits.quantum.layer import QuantumLayer
    from circuits.quantum.noise import NoisyQuantumLayer, noisy_probabilities
    from circuits.quantum.pauli_sums import observables
    from circuits.quantum.simulate import expectation, probabilities, sample, statevector
    from circuits.quantum.symbols import Affine, input, weight
    from circuits.quantum.torchquantum_io import from_torchquantum, torchquantum_weights

_MODULES = {
    "Affine": "symbols",
    "Circuit": "circuit",
    "Gate": "gates",
    "NoisyQuantumLayer": "noise",
    "QuantumLayer": "layer",
    "device": "devices",  # the function devices() stays there: the package has a module so named
    "expectation": "simulate",
    "from_torchquantum": "torchquantum_io",
    "input": "symbols",
    "noisy_probabilities": "noise",
    "observables": "pauli_sums",
    "probabilities": "simulate",
    "sample": "simulate",
    "statevector": "simulate",
    "torchquantum_weights": "torchquantum_io",
    "weight": "symbols",
}

__all__ = [
    "Affine",
    "Circuit",
    "Gate",
    "NoisyQuantumLayer",
    "QuantumLayer",
    "device",
    "expectation",
    "from_torchquantum",
    "input",
    "noisy_probabilities",
    "observables",
    "probabilities",
    "sample",
    "statevector",
    "torchquantum_weights",
    "weight",
]

__getattr__, __dir__ = lazily(__name__, _MODULES)
