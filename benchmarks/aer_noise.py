# SPDX-License-Identifier: Apache-2.0
"""The noisy classifier as qiskit circuits, and qiskit-aer running them.

Building, transpiling and binding stand here so that ours and Aer are given the same circuits.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from workload import ENCODER, Workload

__all__ = [
    "Candidate",
    "Simulator",
    "backend",
    "candidates",
    "classifier",
    "encoder_angles",
    "z_of",
]

DEVICE = "FakeQuitoV2"
LEVEL = 2
SEED = 42

Floats = npt.NDArray[np.float64]


@functools.cache
def backend() -> Any:
    """Return the device snapshot everything runs on."""
    return getattr(importlib.import_module("qiskit_ibm_runtime.fake_provider"), DEVICE)()


@functools.cache
def noise_model() -> Any:
    """Return qiskit-aer's model of it, built once for everyone."""
    noise = importlib.import_module("qiskit_aer.noise")
    return noise.NoiseModel.from_backend(backend())


def _add_blocks(circuit: Any, work: Workload, weights: Any) -> None:
    """Append the U3 + CU3 blocks; `weights[block][layer][wire]` has three angles."""
    # The library's CU3Gate, since translating the parameterised `cu` takes qiskit minutes.
    from qiskit.circuit.library import CU3Gate

    for block in range(work.blocks):
        for wire in range(work.n):
            circuit.u(*weights[block][0][wire], wire)
        for control, target in work.ring():
            circuit.append(CU3Gate(*weights[block][1][control]), [control, target])


def transpiled(circuit: Any, layout: Sequence[int]) -> Any:
    """Return the circuit on the device's qubits, without its global phase.

    No probability depends on that phase, and qiskit spends minutes binding the long
    expression it becomes.
    """
    from qiskit import transpile

    ready = transpile(
        circuit,
        backend(),
        initial_layout=list(layout),
        optimization_level=LEVEL,
        seed_transpiler=SEED,
    )
    ready.global_phase = 0
    return ready


def classifier(work: Workload, layout: Sequence[int]) -> tuple[Any, Any, Any]:
    """Return the transpiled classifier and its parameter vectors ``x`` and ``w``."""
    from qiskit import QuantumCircuit
    from qiskit.circuit import ParameterVector

    n = work.n
    x = ParameterVector("x", work.n_inputs)
    w = ParameterVector("w", work.weights().size)
    circuit = QuantumCircuit(n, n)
    for layer, name in enumerate(ENCODER):
        for wire in range(n):
            getattr(circuit, name)(x[layer * n + wire], wire)
    _add_blocks(circuit, work, np.array(list(w), dtype=object).reshape(work.weights().shape))
    circuit.measure(range(n), range(n))
    return transpiled(circuit, layout), x, w


@dataclass(frozen=True)
class Candidate:
    """What a search proposes: a circuit with its numbers, and physical qubits for its wires."""

    work: Workload
    layout: tuple[int, ...]

    def body(self) -> Any:
        """Return the blocks alone, with numbers, as a qiskit circuit."""
        from qiskit import QuantumCircuit

        circuit = QuantumCircuit(self.work.n)
        _add_blocks(circuit, self.work, self.work.weights().tolist())
        return circuit

    def measured(self) -> tuple[Any, Any]:
        """Return a U3 per wire with parameters ``x``, the body and measurements; and ``x``."""
        from qiskit import QuantumCircuit
        from qiskit.circuit import ParameterVector

        n = self.work.n
        x = ParameterVector("x", 3 * n)
        circuit = QuantumCircuit(n, n)
        for wire in range(n):
            circuit.u(x[3 * wire], x[3 * wire + 1], x[3 * wire + 2], wire)
        circuit.compose(self.body(), inplace=True)
        circuit.measure(range(n), range(n))
        return circuit, x


def candidates(count: int, samples: int) -> list[Candidate]:
    """Return candidates with one or two blocks, numbers of their own, and 24 layouts."""
    rng = np.random.default_rng(11)
    qubits = backend().num_qubits
    layouts = [tuple(int(q) for q in rng.permutation(qubits)[:4]) for _ in range(24)]
    return [
        Candidate(
            Workload(4, blocks=1 + index % 2, samples=samples, seed=1000 + index),
            layouts[index % len(layouts)],
        )
        for index in range(count)
    ]


def encoder_angles(work: Workload) -> Floats:
    """Return theta, phi, lambda of the encoder merged into one U3 per wire, ``(samples, 3 n)``."""
    angles = work.inputs().reshape(work.samples, len(ENCODER), work.n)
    product = np.broadcast_to(np.eye(2, dtype=complex), (work.samples, work.n, 2, 2))
    paulis = {
        "rx": np.array([[0, 1], [1, 0]]),
        "ry": np.array([[0, -1j], [1j, 0]]),
        "rz": np.array([[1, 0], [0, -1]]),
    }
    for layer, name in enumerate(ENCODER):
        half = angles[:, layer, :, None, None] / 2
        product = (np.cos(half) * np.eye(2) - 1j * np.sin(half) * paulis[name]) @ product
    theta = 2 * np.arctan2(np.abs(product[..., 1, 0]), np.abs(product[..., 0, 0]))
    phi = np.angle(product[..., 1, 0]) - np.angle(product[..., 0, 0])
    lam = np.angle(-product[..., 0, 1]) - np.angle(product[..., 0, 0])
    return np.stack([theta, phi, lam], axis=-1).reshape(work.samples, 3 * work.n)


def read_out(circuit: Any) -> dict[int, int]:
    """Return the physical qubit each classical bit is measured from."""
    return {
        circuit.find_bit(step.clbits[0]).index: circuit.find_bit(step.qubits[0]).index
        for step in circuit.data
        if step.operation.name == "measure"
    }


@functools.cache
def _confusion() -> dict[int, Floats]:
    """Return per qubit the probability of reading the row when the truth is the column."""
    return {
        int(error["gate_qubits"][0][0]): np.array(error["probabilities"]).T
        for error in noise_model().to_dict()["errors"]
        if error["type"] == "roerror"
    }


class Simulator:
    """qiskit-aer's density-matrix method under the device's noise."""

    def __init__(self, threads: int) -> None:
        aer = importlib.import_module("qiskit_aer")
        self._simulator = aer.AerSimulator(
            method="density_matrix", noise_model=noise_model(), max_parallel_threads=threads
        )

    def _probabilities(self, circuit: Any) -> tuple[Any, dict[int, int]]:
        """Return the circuit with its measurements replaced by saved exact probabilities."""
        qubit_of = read_out(circuit)
        saved = circuit.copy_empty_like()
        for step in circuit.data:
            if step.operation.name not in ("measure", "barrier"):
                saved.append(step)
        saved.save_probabilities([qubit_of[clbit] for clbit in range(len(qubit_of))])
        return saved, qubit_of

    def exact(self, circuit: Any, parameters: Any, values: Floats, *, bind: bool) -> Floats:
        """Return exact probabilities with read-out error, ``(samples, 2**clbits)``.

        Parameters
        ----------
        circuit : QuantumCircuit
            Transpiled and measured, unbound in `parameters` only.
        parameters : sequence of Parameter
        values : ndarray
            ``(samples, len(parameters))``.
        bind : bool
            Bind one circuit per sample, as most users do; otherwise hand Aer one circuit and all
            the values, and let its C++ side bind.
        """
        saved, qubit_of = self._probabilities(circuit)
        if bind:
            circuits = [
                saved.assign_parameters(dict(zip(parameters, v, strict=True)))
                for v in values.tolist()
            ]
            result = self._simulator.run(circuits).result()
        else:
            binds = {p: values[:, k].tolist() for k, p in enumerate(parameters)}
            result = self._simulator.run(
                [saved], parameter_binds=[binds], runtime_parameter_bind_enable=True
            ).result()
        exact = np.array([result.data(k)["probabilities"] for k in range(len(values))])
        # entry b of the last axis is clbit 0; contract one axis per clbit with its confusion
        tensor = exact.reshape([len(values)] + [2] * len(qubit_of))
        for clbit, qubit in qubit_of.items():
            axis = len(qubit_of) - clbit
            mixed = np.tensordot(_confusion()[qubit], tensor, axes=([1], [axis]))
            tensor = np.moveaxis(mixed, 0, axis)
        return tensor.reshape(len(values), -1)

    def sampled(self, circuit: Any, parameters: Any, values: Floats, shots: int) -> Floats:
        """Return relative frequencies of `shots` measurements, ``(samples, 2**clbits)``."""
        circuits = [
            circuit.assign_parameters(dict(zip(parameters, v, strict=True)))
            for v in values.tolist()
        ]
        result = self._simulator.run(circuits, shots=shots, seed_simulator=SEED).result()
        n_clbits = circuit.num_clbits
        frequencies = np.zeros((len(values), 2**n_clbits))
        for k in range(len(values)):
            for outcome, count in result.get_counts(k).items():
                frequencies[k, int(outcome, 2)] = count / shots
        return frequencies


def z_of(probabilities: Floats) -> Floats:
    """Return <Z> of each classical bit, ``(samples, clbits)``."""
    n = int(probabilities.shape[1]).bit_length() - 1
    index = np.arange(2**n)
    signs = 1.0 - 2.0 * ((index[:, None] >> np.arange(n)) & 1)
    return np.asarray(probabilities @ signs)
