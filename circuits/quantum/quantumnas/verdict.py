# SPDX-License-Identifier: Apache-2.0
"""The final figures, by qiskit-aer itself: its density matrices, its noise model, its shots.

None of the project's simulators has a part in them, save that their probabilities are compared
with Aer's at the end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from circuits.quantum.noise_sources import KeptByObject, state_of
from circuits.quantum.quantumnas.encoders import Encoder
from circuits.quantum.quantumnas.evaluation import Layout, Scene
from circuits.quantum.quantumnas.pairs import two_qubit_gates
from circuits.quantum.quantumnas.subcircuit import BoundGate
from circuits.quantum.quantumnas.training import Score, score
from workbench.ops._buffers import empty_array

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

__all__ = ["Verdict", "aer_verdict", "encoder_angles"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Verdict:
    """What qiskit-aer says of one circuit on the test samples.

    Attributes
    ----------
    clean, noisy, sampled : Score
        Without noise; under the device's noise, from exact probabilities; the same from shots.
    difference : float
        Largest absolute difference between Aer's exact noisy probabilities, read-out error
        included, and ours.
    layout : tuple of int
        Physical qubit on which each wire begins.
    cx, depth : int
        Gates on two qubits (cx, or what the device has) and depth of the circuit there.
    """

    clean: Score
    noisy: Score
    sampled: Score
    difference: float
    layout: tuple[int, ...]
    cx: int
    depth: int


def encoder_angles(encoder: Encoder, x: Array) -> Array:
    """Return the U3 angles that an encoder makes of each sample, by qiskit's own matrices.

    Returns
    -------
    array
        float64 (S, 3 n_wires): theta, phi, lambda of each wire.
    """
    from qiskit.circuit.library import RXGate, RYGate, RZGate
    from qiskit.synthesis import OneQubitEulerDecomposer

    gates = {"rx": RXGate, "ry": RYGate, "rz": RZGate}
    decomposer = OneQubitEulerDecomposer("U3")
    angles = empty_array((len(x), 3 * encoder.n_wires), np.float64)
    for row, sample in enumerate(x.tolist()):
        matrices = [np.eye(2, dtype=complex) for _ in range(encoder.n_wires)]
        for angle, (gate, wire) in zip(sample, encoder.rotations, strict=True):
            matrices[wire] = gates[gate](angle).to_matrix() @ matrices[wire]
        for wire, matrix in enumerate(matrices):
            angles[row, 3 * wire : 3 * wire + 3] = decomposer.angles(matrix)
    return angles


_NOISE: KeptByObject[tuple[Any, dict[int, Array]]] = KeptByObject()


def _noise_of(backend: Any) -> tuple[Any, dict[int, Array]]:
    """Return the noise model and, per qubit, P(read | true) with the true outcome as the row."""
    return _NOISE.get(backend, state_of(backend), lambda: _derived(backend))


def _derived(backend: Any) -> tuple[Any, dict[int, Array]]:
    from qiskit_aer.noise import NoiseModel

    model = NoiseModel.from_backend(backend)
    readout = {
        int(qubits[0]): np.array(error["probabilities"])
        for error in model.to_dict()["errors"]
        if error["type"] == "roerror"
        for qubits in error["gate_qubits"]
    }
    return model, readout


def aer_verdict(
    here: Scene,
    gates: Sequence[BoundGate],
    layout: Layout,
    *,
    level: int | None = None,
    shots: int,
    seed: int,
) -> Verdict:
    """Let qiskit-aer judge a circuit on the test samples.

    Parameters
    ----------
    here : Scene
    gates : sequence of BoundGate
        What follows the encoder.
    layout : tuple of int, optional
    level : int, optional
        Of the transpiler, where it is not the scene's.
    shots, seed : int
        Of the sampled figures.
    """
    from qiskit_aer import AerSimulator

    test = here.data.test
    transpiled = here.on_device(gates, layout, level)
    angles = encoder_angles(here.task.encoder, test.x)
    with_probabilities, physical = _saving_probabilities(transpiled)
    binds = {p: angles[:, p.index].tolist() for p in transpiled.parameters}
    model, readout = _noise_of(here.backend)
    noisy = AerSimulator(method="density_matrix", noise_model=model, max_parallel_threads=1)
    true, counts = _run(noisy, with_probabilities, binds, len(test), shots, seed)
    ideal = AerSimulator(method="statevector", max_parallel_threads=1)
    clean, _ = _run(ideal, with_probabilities, binds, len(test), 1, seed)
    exact = _read_out(true, [readout.get(qubit) for qubit in physical])
    return Verdict(
        clean=score(_z(clean), here.task, test.y),
        noisy=score(_z(exact), here.task, test.y),
        sampled=score(_z(counts / shots), here.task, test.y),
        difference=float(np.abs(_ours(here, transpiled, angles) - exact).max()),
        layout=_initial_layout(transpiled, here.n_wires, layout),
        cx=two_qubit_gates(transpiled),
        depth=int(transpiled.depth()),
    )


def _saving_probabilities(transpiled: QuantumCircuit) -> tuple[QuantumCircuit, list[int]]:
    """Return the circuit saving its probabilities before it measures, and who is measured.

    Bit k of the saved index is what classical bit k reads.
    """
    # Importing it gives circuits their save_probabilities.
    import qiskit_aer.library  # noqa: F401

    circuit = transpiled.copy_empty_like()
    measured: dict[int, Any] = {}
    measurements = []
    for item in transpiled.data:
        if item.operation.name == "measure":
            measured[transpiled.find_bit(item.clbits[0]).index] = item.qubits[0]
            measurements.append(item)
        else:
            circuit.append(item)
    qubits = [measured[bit] for bit in range(len(measured))]
    circuit.save_probabilities(qubits, label="probabilities")
    for item in measurements:
        circuit.append(item)
    return circuit, [transpiled.find_bit(qubit).index for qubit in qubits]


def _run(
    simulator: Any,
    circuit: QuantumCircuit,
    binds: Mapping[Any, list[float]],
    samples: int,
    shots: int,
    seed: int,
) -> tuple[Array, Array]:
    """Return saved probabilities and counts, both float64 (samples, 2**n_clbits)."""
    job = simulator.run([circuit], parameter_binds=[binds], shots=shots, seed_simulator=seed)
    result = job.result()
    if not result.success:
        raise RuntimeError(f"aer_verdict: qiskit-aer failed: {result.status}")
    probabilities = np.array([result.data(i)["probabilities"] for i in range(samples)])
    counts = np.zeros_like(probabilities)
    for i in range(samples):
        for outcome, count in result.data(i)["counts"].items():
            counts[i, int(outcome, 16)] = count
    return probabilities, counts


def _read_out(probabilities: Array, errors: Sequence[Array | None]) -> Array:
    """Apply each bit's read-out error to probabilities (S, 2**n)."""
    n = len(errors)
    tensor = probabilities.reshape(-1, *[2] * n)
    for bit, error in enumerate(errors):
        if error is not None:
            # Bit 0 is the last axis.
            tensor = np.moveaxis(np.tensordot(tensor, error, axes=([n - bit], [0])), -1, n - bit)
    return tensor.reshape(len(probabilities), -1)


def _z(probabilities: Array) -> Array:
    """Return <Z_k> of each bit, float64 (S, n)."""
    outcomes = np.arange(probabilities.shape[1])
    n = probabilities.shape[1].bit_length() - 1
    signs = 1.0 - 2.0 * ((outcomes[:, None] >> np.arange(n)) & 1)
    result: Array = probabilities @ signs
    return result


def _ours(here: Scene, transpiled: QuantumCircuit, angles: Array) -> Array:
    import torch

    from circuits.quantum import noisy_probabilities

    (vector,) = {p.vector for p in transpiled.parameters}
    values = noisy_probabilities(
        transpiled,
        here.backend,
        inputs=torch.from_numpy(angles),
        input_parameters=list(vector),
    )
    result: Array = values.detach().numpy()
    return result


def _initial_layout(transpiled: QuantumCircuit, n_wires: int, layout: Layout) -> tuple[int, ...]:
    if layout is not None:
        return layout
    return tuple(transpiled.layout.initial_index_layout(filter_ancillas=True)[:n_wires])
