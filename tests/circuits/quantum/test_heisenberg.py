# SPDX-License-Identifier: Apache-2.0
"""The shortcut that scores candidates, against the general kernel and against qiskit-aer."""

from __future__ import annotations

import pickle

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit, transpile
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import Operator, SparsePauliOp
from qiskit_aer import AerSimulator

from circuits.quantum import Circuit, device, input, noisy_probabilities, weight
from circuits.quantum.encoder import merged_angles
from circuits.quantum.heisenberg import NoisyEvaluator, split_at_samples
from circuits.quantum.noise import parameter_table
from circuits.quantum.noise_lowering import read_circuit
from circuits.quantum.noise_model import DeviceNoise
from circuits.quantum.transpilation import transpile_cached

# Wires, layouts that are connected on the device (Quito: 0-1-2, 1-3-4; Yorktown: a bow tie).
LAYOUTS = ([0, 1, 2, 3], [1, 3, 4, 0], [2, 1, 3, 4])


def _encoder() -> Circuit:
    circuit = Circuit(4)
    for i, gate in enumerate(("ry", "rz", "rx", "ry")):
        for k in range(4):
            getattr(circuit, gate)(input(4 * i + k), k)
    return circuit


def _body(seed: int, blocks: int = 2) -> QuantumCircuit:
    rng = np.random.default_rng(seed)
    circuit = QuantumCircuit(4)
    for _ in range(blocks):
        for k in range(4):
            circuit.u(*rng.normal(size=3), k)
        for k in range(4):
            circuit.cu(*rng.normal(size=3), 0.0, k, (k + 1) % 4)
    return circuit


def _samples(count: int, seed: int = 0) -> npt.NDArray[np.float64]:
    return np.random.default_rng(seed).uniform(0, np.pi, size=(count, 16))


def _z_of(probabilities: torch.Tensor) -> torch.Tensor:
    index = torch.arange(probabilities.shape[1])[:, None]
    n = probabilities.shape[1].bit_length() - 1
    return probabilities @ (1 - 2 * (index >> torch.arange(n) & 1).double())


@settings(max_examples=8, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    layout=st.sampled_from(LAYOUTS),
    name=st.sampled_from(["Quito", "Yorktown", "Santiago"]),
    readout_error=st.booleans(),
)
def test_expectations_equal_the_general_kernel(
    seed: int, layout: list[int], name: str, readout_error: bool
) -> None:
    evaluator = NoisyEvaluator(
        device(name), _samples(9, seed), _encoder(), readout_error=readout_error
    )
    transpiled = evaluator.transpiled(_body(seed), layout)
    ours = evaluator.expectations_transpiled(transpiled)
    assert evaluator._template is not None
    general = noisy_probabilities(
        transpiled,
        device(name),
        readout_error,
        inputs=evaluator._inputs,
        input_parameters=list(evaluator._template.parameters),
    )
    assert (ours - _z_of(general)).abs().max() < 1e-12


def test_expectations_equal_aer_with_read_out_errors() -> None:
    backend = device("quito")
    samples = _samples(3)
    evaluator = NoisyEvaluator(backend, samples, _encoder())
    transpiled = evaluator.transpiled(_body(4), [1, 3, 4, 0])
    model = DeviceNoise.of(backend).model
    simulator = AerSimulator(method="density_matrix", noise_model=model, max_parallel_threads=1)
    wires = {
        transpiled.find_bit(i.clbits[0]).index: transpiled.find_bit(i.qubits[0]).index
        for i in transpiled.data
        if i.name == "measure"
    }
    ours = evaluator.expectations_transpiled(transpiled).numpy()
    bare = transpiled.remove_final_measurements(inplace=False)
    for row, angles in zip(ours, evaluator._inputs.numpy(), strict=True):
        values = {p: angles[p.index] for p in bare.parameters}
        bound = bare.assign_parameters(values)
        bound.save_density_matrix()
        rho = np.asarray(simulator.run(bound).result().data()["density_matrix"])
        for wire in range(4):
            qubit = wires[wire]
            ones = np.arange(32) >> qubit & 1
            error = model._local_readout_errors[(qubit,)].probabilities
            true = np.array([rho.diagonal()[ones == b].sum().real for b in (0, 1)])
            read = true @ error
            assert row[wire] == pytest.approx(read[0] - read[1], abs=1e-12)


def test_no_two_qubit_gate_precedes_the_samples() -> None:
    evaluator = NoisyEvaluator(device("quito"), _samples(2), _encoder())
    transpiled = evaluator.transpiled(_body(6), [0, 1, 2, 3])
    read = read_circuit(transpiled, DeviceNoise.of(device("quito")), evaluator._table(transpiled))
    past, rest = split_at_samples(read.ops)
    assert len(past) + len(rest) == len(read.ops)
    assert all(len(op.qubits) == 1 for op in past)
    assert sum(op.has_inputs for op in past) == 12
    assert any(len(op.qubits) == 2 for op in rest)


def test_an_encoder_behind_entanglement_is_simulated_by_sample() -> None:
    backend = device("quito")
    x = ParameterVector("x", 2)
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.ry(x[0], 0)
    circuit.rx(x[1], 1)
    circuit.cx(0, 1)
    samples = _samples(5)[:, :2]
    evaluator = NoisyEvaluator(backend, samples)
    transpiled = evaluator.transpiled(circuit, [1, 2])
    general = noisy_probabilities(transpiled, backend, inputs=torch.tensor(samples))
    ours = evaluator.expectations_transpiled(transpiled)
    assert ours.shape == (5, 2)
    assert (ours - _z_of(general)).abs().max() < 1e-12
    assert float(ours.std(0).max()) > 0.1  # it does depend on the sample


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    scale=st.sampled_from([0.0, 1e-9, 1.0, np.pi, 1e3]),
)
def test_merged_angles_make_the_encoder(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    x = ParameterVector("x", 3)
    circuit = QuantumCircuit(1)
    for name in rng.choice(["rx", "ry", "rz", "p", "h", "sx", "u"], size=5):
        count = {"h": 0, "sx": 0, "u": 3}.get(name, 1)
        angles = [float(rng.normal()) * x[int(rng.integers(3))] for _ in range(count)]
        getattr(circuit, name)(*angles, 0)
    inputs = scale * rng.integers(-4, 5, size=(4, 3)) / 2.0
    angles = merged_angles(circuit, parameter_table(circuit, None, None, 3, 0), inputs)
    for row, values in zip(angles, inputs, strict=True):
        bound = circuit.assign_parameters({p: values[p.index] for p in circuit.parameters})
        merged = QuantumCircuit(1)
        merged.u(*row, 0)
        u, v = Operator(bound).data, Operator(merged).data
        # Equal up to a phase: |tr(U^dagger V)| = 2. Its square's rounding is below 1e-13.
        assert abs(abs(np.trace(u.conj().T @ v)) - 2) < 1e-12
        rho_u = u @ np.diag([1, 0]) @ u.conj().T
        rho_v = v @ np.diag([1, 0]) @ v.conj().T
        assert np.abs(rho_u - rho_v).max() < 1e-12


def test_the_cached_pass_manager_gives_what_transpile_gives() -> None:
    backend = device("yorktown")
    body = _body(8)
    body.measure_all()
    for _ in range(2):  # the second time from the cache
        ours = transpile_cached(body, backend, [0, 1, 2, 3])
        theirs = transpile(
            body, backend, initial_layout=[0, 1, 2, 3], optimization_level=2, seed_transpiler=42
        )
        assert ours == theirs


def test_a_hamiltonian_without_samples_is_an_exact_noisy_energy() -> None:
    backend = device("lima")
    hamiltonian = SparsePauliOp(["II", "IZ", "ZI", "ZZ"], [-1.05, 0.4, -0.4, -0.011])
    circuit = QuantumCircuit(2)
    circuit.ry(0.3, 0)
    circuit.cx(0, 1)
    evaluator = NoisyEvaluator(backend, None, observables=hamiltonian)
    transpiled = evaluator.transpiled(circuit, [3, 4])
    energy = evaluator.expectations_transpiled(transpiled)
    out = noisy_probabilities(transpiled, backend)
    z = _z_of(out)[0]
    zz = float((out[0] * torch.tensor([1.0, -1.0, -1.0, 1.0])).sum())
    expected = -1.05 + 0.4 * float(z[0]) - 0.4 * float(z[1]) - 0.011 * zz
    assert energy.shape == (1, 1)
    assert float(energy) == pytest.approx(expected, abs=1e-12)


def test_a_circuit_of_ours_equals_its_qiskit_form() -> None:
    body = Circuit(4)
    for k in range(4):
        body.cu3(weight(k), 0.1, -0.2, k, (k + 1) % 4)
    weights = [0.3, 0.5, -0.7, 1.1]
    evaluator = NoisyEvaluator(device("belem"), _samples(4), _encoder())
    ours = evaluator.expectations(body, [0, 1, 2, 3], weights=weights)
    theirs = evaluator.expectations(body.to_qiskit(weights=weights), [0, 1, 2, 3])
    assert torch.equal(ours, theirs)


def test_other_samples_copies_and_pickles_agree() -> None:
    evaluator = NoisyEvaluator(device("quito"), _samples(6), _encoder())
    body = _body(2)
    expected = evaluator.expectations(body, [0, 1, 2, 3])
    assert torch.equal(evaluator.expectations(body, [0, 1, 2, 3]), expected)
    other = evaluator.with_inputs(_samples(6)[2:5])
    assert other.n_samples == 3
    assert torch.equal(other.expectations(body, [0, 1, 2, 3]), expected[2:5])
    clone = pickle.loads(pickle.dumps(evaluator))
    assert torch.equal(clone.expectations(body, [0, 1, 2, 3]), expected)


def test_bad_arguments_are_named() -> None:
    quito = device("quito")
    evaluator = NoisyEvaluator(quito, _samples(2), _encoder())
    with pytest.raises(ValueError, match="circuit has 3 wires, the encoder 4"):
        evaluator.expectations(QuantumCircuit(3), [0, 1, 2])
    unbound = QuantumCircuit(4)
    unbound.ry(ParameterVector("w", 1)[0], 0)
    with pytest.raises(ValueError, match=r"parameter 'w\[0\]' is not bound"):
        evaluator.expectations(unbound, [0, 1, 2, 3])
    measured = QuantumCircuit(4, 1)
    measured.measure(0, 0)
    with pytest.raises(ValueError, match="must not hold classical bits"):
        evaluator.expectations(measured, [0, 1, 2, 3])
    with pytest.raises(ValueError, match="inputs has entries that are not finite"):
        evaluator.with_inputs(np.full((1, 16), np.nan))
    with pytest.raises(ValueError, match=r"inputs must have shape \(S, F\), got \(16,\)"):
        evaluator.with_inputs(np.zeros(16))
    with pytest.raises(ValueError, match=r"parameter x\[0\] has no value: inputs has 15"):
        evaluator.with_inputs(np.zeros((2, 15)))
    with pytest.raises(ValueError, match="weights of a qiskit circuit must be bound in it"):
        evaluator.expectations(QuantumCircuit(4), [0, 1, 2, 3], weights=[1.0])
    with pytest.raises(ValueError, match=r"encoder has 'cx' on wires \[0, 1\]"):
        NoisyEvaluator(quito, np.zeros((1, 0)), Circuit(2).cx(0, 1))
    with pytest.raises(ValueError, match=r"encoder must depend on inputs alone|has no value"):
        NoisyEvaluator(quito, np.zeros((1, 0)), Circuit(1).ry(weight(0), 0))
    with pytest.raises(TypeError, match="backend must be a qiskit backend"):
        NoisyEvaluator(None, _samples(1), _encoder())
    with pytest.raises(ValueError, match="names a qubit twice"):
        evaluator.expectations(_body(0), [0, 1, 1, 2])
