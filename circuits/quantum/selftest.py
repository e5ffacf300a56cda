# SPDX-License-Identifier: Apache-2.0
"""Quick checks that `workbench selftest` runs after an installation."""

from __future__ import annotations


def statevector() -> str:
    """The compiled kernel, values and gradients, against plain torch in float64."""
    import torch

    from circuits.quantum import Circuit, input, weight
    from workbench.ops.program import Observables
    from workbench.ops.reference.statevector import expectation_reference
    from workbench.ops.statevector import expectation

    n = 5
    circuit = Circuit(n)
    for wire in range(n):
        circuit.ry(input(wire), wire)
        circuit.u(weight(3 * wire), weight(3 * wire + 1), weight(3 * wire + 2), wire)
    for wire in range(n):
        circuit.cx(wire, (wire + 1) % n)
    program = circuit.program()
    terms = torch.tensor([(wire, 0, 1 << wire) for wire in range(n)])
    z = Observables(n, terms, torch.ones(n, dtype=torch.float64))
    generator = torch.Generator().manual_seed(0)
    weights = torch.randn(3 * n, generator=generator, dtype=torch.float64, requires_grad=True)
    inputs = torch.randn(20, n, generator=generator, dtype=torch.float64, requires_grad=True)
    error = 0.0
    ours = expectation(program, z, weights, inputs)
    theirs = expectation_reference(program, z, weights, inputs)
    pairs = [(ours, theirs)]
    pairs += zip(
        torch.autograd.grad(ours.sum(), (weights, inputs)),
        torch.autograd.grad(theirs.sum(), (weights, inputs)),
        strict=True,
    )
    for a, b in pairs:
        error = max(error, float((a - b).detach().abs().max()))
    if error > 1e-12:
        raise RuntimeError(f"differs from the reference by {error:.1e}")
    return f"values and gradients within {error:.0e} of plain torch"


def noise() -> str:
    """A noisy five-qubit device against qiskit-aer's density matrix."""
    from circuits.quantum.devices import device

    backend = device("FakeQuitoV2")  # first: without the extra it says what to install

    import numpy as np
    from qiskit import QuantumCircuit, transpile
    from qiskit_aer import AerSimulator
    from qiskit_aer.noise import NoiseModel

    from circuits.quantum import noisy_probabilities

    circuit = QuantumCircuit(3, 3)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.cx(1, 2)
    circuit.measure(range(3), range(3))
    compiled = transpile(circuit, backend, optimization_level=1, seed_transpiler=1)
    ours = noisy_probabilities(compiled, backend, readout_error=False)[0].numpy()
    measured = {
        compiled.find_bit(item.clbits[0]).index: item.qubits[0]
        for item in compiled.data
        if item.operation.name == "measure"
    }
    exact = compiled.remove_final_measurements(inplace=False)
    exact.save_probabilities([measured[k] for k in range(3)])
    simulator = AerSimulator(method="density_matrix", noise_model=NoiseModel.from_backend(backend))
    theirs = simulator.run(exact, shots=1).result().data()["probabilities"]
    error = float(np.abs(ours - np.asarray(theirs)).max())
    if error > 1e-9:
        raise RuntimeError(f"differs from qiskit-aer by {error:.1e}")
    return f"FakeQuitoV2 within {error:.0e} of qiskit-aer's density matrix"
