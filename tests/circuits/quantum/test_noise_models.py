# SPDX-License-Identifier: Apache-2.0
"""Noise models of any kind, and simulators that hold one, against qiskit-aer's density matrix."""

from __future__ import annotations

import gc
import pickle
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister, transpile
from qiskit.circuit import Gate, Parameter
from qiskit.circuit.library import (
    CXGate,
    IGate,
    RXGate,
    RXXGate,
    RYGate,
    RZGate,
    RZXGate,
    RZZGate,
    SXGate,
    UGate,
    XGate,
    YGate,
    ZGate,
)
from qiskit.providers.fake_provider import GenericBackendV2
from qiskit.quantum_info import PTM, Choi, Kraus, Operator, SuperOp, random_unitary
from qiskit.transpiler import InstructionProperties
from qiskit_aer import AerSimulator
from qiskit_aer.noise import (
    NoiseModel,
    PauliError,
    PauliLindbladError,
    QuantumError,
    ReadoutError,
    RelaxationNoisePass,
    amplitude_damping_error,
    coherent_unitary_error,
    depolarizing_error,
    kraus_error,
    mixed_unitary_error,
    pauli_error,
    phase_amplitude_damping_error,
    reset_error,
    thermal_relaxation_error,
)

from circuits.quantum import (
    Circuit,
    NoisyQuantumLayer,
    device,
    input,
    noisy_probabilities,
    weight,
)
from circuits.quantum.heisenberg import NoisyEvaluator
from circuits.quantum.noise_model import DeviceNoise, error_channel
from circuits.quantum.pauli_sums import observables
from circuits.quantum.transpilation import transpile_cached

TOLERANCE = 1e-10
Real = npt.NDArray[np.float64]


def _aer(circuit: QuantumCircuit, model: NoiseModel | None, readout: bool = True) -> Real:
    """Probabilities of the classical bits' values, by qiskit-aer without sampling."""
    bare = circuit.copy_empty_like()
    qubit_of: dict[int, Any] = {}
    for item in circuit.data:
        if item.name != "measure":
            # What is saved stands for what was read before.
            if not {circuit.find_bit(q).index for q in item.qubits} <= set(qubit_of.values()):
                bare.append(item)
            continue
        qubit = circuit.find_bit(item.qubits[0]).index
        if model is not None:
            local = model._local_quantum_errors.get("measure", {}).get((qubit,))
            error = local or model._default_quantum_errors.get("measure")
            if error is not None:
                bare.append(error.to_instruction(), [qubit])
        qubit_of[circuit.find_bit(item.clbits[0]).index] = qubit
    bits = sorted(qubit_of)
    bare.save_probabilities([qubit_of[c] for c in bits])
    simulator = AerSimulator(
        method="density_matrix", noise_model=model, max_parallel_threads=1, fusion_enable=False
    )
    out = np.asarray(simulator.run(bare).result().data()["probabilities"])
    if readout and model is not None:
        total = np.ones((1, 1))
        for c in bits:
            error = model._local_readout_errors.get((qubit_of[c],), model._default_readout_error)
            total = np.kron(np.eye(2) if error is None else error.probabilities.T, total)
        out = total @ out
    full = np.zeros(2**circuit.num_clbits)
    for index, value in enumerate(out):
        full[sum((index >> k & 1) << c for k, c in enumerate(bits))] += value
    return full


def _kraus(rng: np.random.Generator, k: int) -> Kraus:
    """A channel of full rank."""
    isometry = random_unitary(4 * 2**k, seed=int(rng.integers(2**31))).data[:, : 2**k]
    return Kraus([isometry[i * 2**k : (i + 1) * 2**k] for i in range(4)])


def _rotations(rng: np.random.Generator, k: int) -> QuantumError:
    """A mixture of circuits of parametric gates: coherent over- and under-rotation."""
    circuits = []
    for _ in range(int(rng.integers(2, 5))):
        circuit = QuantumCircuit(k)
        for _ in range(int(rng.integers(1, 4))):
            gate = [RXGate, RYGate, RZGate][int(rng.integers(3))]
            circuit.append(gate(float(rng.normal(0, 0.4))), [int(rng.integers(k))])
            if k == 2 and rng.random() < 0.5:
                pair = [RZZGate, RZXGate][int(rng.integers(2))]
                circuit.append(
                    pair(float(rng.normal(0, 0.4))), [1, 0] if rng.random() < 0.5 else [0, 1]
                )
        if rng.random() < 0.3:
            circuit.reset(int(rng.integers(k)))
        circuits.append(circuit)
    weights = rng.dirichlet(np.ones(len(circuits)))
    return QuantumError(list(zip(circuits, weights.tolist(), strict=True)))


def _error(rng: np.random.Generator, k: int) -> Any:
    """An error on one or two qubits, of any class and maker that qiskit-aer has."""
    p = rng.random(8) * 0.3
    letters = [a + b for a in "IXYZ" for b in "IXYZ"] if k == 2 else list("IXYZ")
    chosen = [str(s) for s in rng.choice(letters, 3, replace=False)]
    shares = rng.dirichlet(np.ones(3))
    seed = int(rng.integers(2**31))
    one: list[Callable[[], Any]] = [
        lambda: amplitude_damping_error(p[0], 0.2 * p[1]),
        lambda: phase_amplitude_damping_error(p[0], p[1], p[2]),
        lambda: thermal_relaxation_error(50, 70, 200 * p[3] + 1, p[4]),
        lambda: reset_error(p[0], p[1]),
        lambda: QuantumError([(XGate(), p[0]), (YGate(), p[1]), (IGate(), 1 - p[0] - p[1])]),
        lambda: QuantumError([(ZGate(), 1e-11), (IGate(), 1 - 1e-11)]),
    ]
    two: list[Callable[[], Any]] = [
        lambda: thermal_relaxation_error(50, 70, 100 * p[5] + 1).expand(
            amplitude_damping_error(p[0])
        ),
        lambda: depolarizing_error(p[0], 2).compose(
            reset_error(p[1]).tensor(pauli_error([("X", 1.0)]))
        ),
    ]
    makers: list[Callable[[], Any]] = [
        lambda: depolarizing_error(p[0], k),
        lambda: pauli_error(list(zip(chosen, shares.tolist(), strict=True))),
        lambda: PauliError(chosen, shares),
        lambda: PauliLindbladError(chosen, p[:3]),
        lambda: coherent_unitary_error(random_unitary(2**k, seed=seed)),
        lambda: mixed_unitary_error(
            [(random_unitary(2**k, seed=seed).data, p[0]), (np.eye(2**k), 1 - p[0])]
        ),
        lambda: kraus_error(_kraus(rng, k).data),
        lambda: QuantumError(SuperOp(_kraus(rng, k))),
        lambda: QuantumError(Choi(_kraus(rng, k))),
        lambda: _rotations(rng, k),
        lambda: _rotations(rng, k),
        lambda: _rotations(rng, k).compose(depolarizing_error(p[0], k)),
        *(one if k == 1 else two),
    ]
    return makers[int(rng.integers(len(makers)))]()


_ONE = ["x", "sx", "h", "s", "tdg", "id", "rz", "rx", "ry", "p", "u"]
_TWO = ["cx", "cz", "ecr", "swap", "rzz", "rxx", "rzx", "cp"]
_ANGLES = {
    "rz": 1,
    "rx": 1,
    "ry": 1,
    "p": 1,
    "u": 3,
    "rzz": 1,
    "rxx": 1,
    "rzx": 1,
    "cp": 1,
}


def _random_model(rng: np.random.Generator, n: int) -> NoiseModel:
    model = NoiseModel(basis_gates=[*_ONE, *_TWO, "unitary"])
    for name in [*_ONE, "reset", "delay", "measure", "mine"]:
        if rng.random() < 0.5:
            model.add_all_qubit_quantum_error(_error(rng, 1), name, warnings=False)
        for qubit in range(n):
            if rng.random() < 0.2:
                model.add_quantum_error(_error(rng, 1), name, [qubit], warnings=False)
    for name in _TWO:
        if rng.random() < 0.5:
            model.add_all_qubit_quantum_error(_error(rng, 2), name, warnings=False)
        for a in range(n):
            for b in range(n):
                if a != b and rng.random() < 0.2:
                    model.add_quantum_error(_error(rng, 2), name, [a, b], warnings=False)
    if rng.random() < 0.7:
        a, b = rng.random(2) * 0.3
        model.add_all_qubit_readout_error(ReadoutError([[1 - a, a], [b, 1 - b]]), warnings=False)
    for qubit in range(n):
        if rng.random() < 0.5:
            a, b = rng.random(2) * 0.3
            error = ReadoutError([[1 - a, a], [b, 1 - b]])
            model.add_readout_error(error, [qubit], warnings=False)
    if rng.random() < 0.5:
        t1 = 40 + 40 * rng.random(n)
        passes = RelaxationNoisePass(t1.tolist(), (1.5 * t1 * rng.random(n)).tolist())
        model._custom_noise_passes.append(passes)
    return model


def _random_circuit(rng: np.random.Generator, n: int, length: int = 14) -> QuantumCircuit:
    circuit = QuantumCircuit(n, n + 1)
    for _ in range(length):
        wires = [int(w) for w in rng.permutation(n)]
        kind = rng.random()
        if kind < 0.5:
            name = _ONE[int(rng.integers(len(_ONE)))]
            getattr(circuit, name)(*rng.normal(0, 2, _ANGLES.get(name, 0)), wires[0])
        elif kind < 0.85:
            name = _TWO[int(rng.integers(len(_TWO)))]
            getattr(circuit, name)(*rng.normal(0, 2, _ANGLES.get(name, 0)), *wires[:2])
        elif kind < 0.9:
            circuit.delay(float(10 * rng.random()), wires[0], unit="s")
        elif kind < 0.95:
            circuit.reset(wires[0])
        else:
            matrix = random_unitary(2, seed=int(rng.integers(2**31)))
            circuit.unitary(matrix, [wires[0]], label="mine")
    for qubit in range(int(rng.integers(1, n + 1))):
        circuit.measure(qubit, int(n - qubit))
        if rng.random() < 0.2:
            circuit.delay(3.0, qubit, unit="s")
    return circuit


def random_case(seed: int) -> tuple[QuantumCircuit, NoiseModel]:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 5))
    return _random_circuit(rng, n), _random_model(rng, n)


@pytest.mark.parametrize("seed", range(12))
def test_random_models_and_circuits_equal_aer(seed: int) -> None:
    circuit, model = random_case(seed)
    ours = noisy_probabilities(circuit, model)[0].numpy()
    assert np.abs(ours - _aer(circuit, model)).max() < TOLERANCE


def _x(n_clbits: int = 1) -> QuantumCircuit:
    circuit = QuantumCircuit(1, n_clbits)
    circuit.x(0)
    circuit.measure(0, 0)
    return circuit


def _depolarizing(p: float, name: str = "x") -> NoiseModel:
    model = NoiseModel(basis_gates=["x", "sx", "rz", "cx", "id"])
    model.add_all_qubit_quantum_error(depolarizing_error(p, 1), name, warnings=False)
    return model


def _set_later(model: NoiseModel) -> AerSimulator:
    simulator = AerSimulator()
    simulator.set_options(noise_model=model)
    return simulator


def _of_quito(model: NoiseModel | None) -> AerSimulator:
    return AerSimulator.from_backend(device("quito"), noise_model=model)


@pytest.mark.parametrize(
    "backend",
    [
        lambda m: AerSimulator(noise_model=m),
        lambda m: AerSimulator(noise_model=m, method="density_matrix", seed_simulator=3, shots=5),
        lambda m: AerSimulator(noise_model=m, coupling_map=[[0, 1]], basis_gates=["x", "rz", "cx"]),
        _set_later,
        _of_quito,
        lambda m: m,
    ],
)
def test_the_noise_is_that_of_the_simulators_own_model(backend: Callable[..., Any]) -> None:
    out = noisy_probabilities(_x(), backend(_depolarizing(0.3)))[0]
    assert out.tolist() == pytest.approx([0.15, 0.85], abs=1e-12)


def test_a_simulator_without_a_model_has_no_noise() -> None:
    for backend in (AerSimulator(), _of_quito(None), AerSimulator(noise_model=NoiseModel(["x"]))):
        assert noisy_probabilities(_x(), backend)[0].tolist() == pytest.approx([0, 1], abs=1e-15)
    simulator = _of_quito(_depolarizing(0.3))
    simulator.set_options(noise_model=None)
    assert noisy_probabilities(_x(), simulator)[0].tolist() == pytest.approx([0, 1], abs=1e-15)


def test_a_simulator_made_from_a_device_has_the_devices_noise() -> None:
    simulator = AerSimulator.from_backend(device("quito"))
    expected = noisy_probabilities(_x(), device("quito"))
    assert torch.allclose(noisy_probabilities(_x(), simulator), expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize(
    "make", [lambda: type(device("lima"))(), lambda: GenericBackendV2(3, seed=1)]
)
def test_a_model_among_a_devices_options_is_its_noise(make: Callable[[], Any]) -> None:
    backend = make()
    own = noisy_probabilities(_x(), backend)[0]
    assert 1e-6 < float(own[0]) < 0.1
    backend.set_options(noise_model=_depolarizing(0.3))
    out = noisy_probabilities(_x(), backend)[0]
    assert out.tolist() == pytest.approx([0.15, 0.85], abs=1e-12)


def test_options_that_a_simulator_would_ignore_are_heeded_or_refused() -> None:
    bell = QuantumCircuit(3)
    bell.h(0)
    bell.cx(0, 2)
    line = [[0, 1], [1, 2]]
    later = AerSimulator(n_qubits=5)
    later.set_options(coupling_map=line)
    for simulator in (later, AerSimulator(n_qubits=5, coupling_map=line)):
        out = transpile_cached(bell, simulator, [0, 1, 2], 1)
        on = [tuple(out.find_bit(q).index for q in item.qubits) for item in out.data]
        assert {pair for pair in on if len(pair) == 2} <= {(0, 1), (1, 2)}
    fixed = AerSimulator.from_backend(device("quito"))
    fixed.set_options(coupling_map=[[0, 1]])
    with pytest.raises(ValueError, match=r"option coupling_map must not be set, .* ignores it"):
        noisy_probabilities(_x(), fixed)
    wrong = AerSimulator()
    wrong.options.noise_model = {"errors": []}
    with pytest.raises(TypeError, match=r"option noise_model must be .* got dict"):
        noisy_probabilities(_x(), wrong)


def test_noise_follows_changes_of_its_source() -> None:
    model = _depolarizing(0.3)
    simulator = AerSimulator(noise_model=model)
    for source in (model, simulator):
        assert noisy_probabilities(_x(), source)[0, 0].item() == pytest.approx(0.15)
    model.add_quantum_error(depolarizing_error(1.0, 1), "x", [0], warnings=False)
    for source in (model, simulator):
        assert noisy_probabilities(_x(), source)[0, 0].item() == pytest.approx(0.5)
    model.add_all_qubit_readout_error([[0.9, 0.1], [0.3, 0.7]], warnings=False)
    for source in (model, simulator):
        assert noisy_probabilities(_x(), source)[0, 0].item() == pytest.approx(0.6)
    simulator.set_options(noise_model=_depolarizing(0.0))
    assert noisy_probabilities(_x(), simulator)[0, 0].item() == pytest.approx(0.0)


@pytest.mark.parametrize("in_place", [False, True])
def test_noise_and_pass_managers_follow_updates_of_a_target(in_place: bool) -> None:
    backend = type(device("lima"))()
    before = noisy_probabilities(_x(), backend)[0, 0].item()
    transpile_cached(_x(), backend, [0])
    old = DeviceNoise.of(backend)
    assert DeviceNoise.of(backend) is old
    assert old.managers
    if in_place:
        backend.target["x"][0,].error = 0.2
    else:
        backend.target.update_instruction_properties(
            "x", (0,), InstructionProperties(duration=3.6e-8, error=0.2)
        )
    fresh = type(device("lima"))()
    fresh.target["x"][0,].error = 0.2
    fresh.target["x"][0,].duration = backend.target["x"][0,].duration
    after = noisy_probabilities(_x(), backend)[0, 0].item()
    assert after == noisy_probabilities(_x(), fresh)[0, 0].item()
    assert after > before + 0.1
    assert not DeviceNoise.of(backend).managers


def test_what_is_kept_of_a_source_goes_with_it() -> None:
    from circuits.quantum import noise_model

    model = _depolarizing(0.1)
    noisy_probabilities(_x(), model)
    key = id(model)
    assert key in noise_model._KEPT._kept
    del model
    gc.collect()
    assert key not in noise_model._KEPT._kept


def test_gates_that_a_device_has_and_its_model_does_not_name_are_noiseless() -> None:
    model = NoiseModel()  # of id, rz, sx, cx, as in the issue of many tutorials
    model.add_all_qubit_quantum_error(depolarizing_error(0.2, 2), "cx")
    circuit = QuantumCircuit(2, 2)
    circuit.x(0)
    circuit.cx(0, 1)
    circuit.measure([0, 1], [0, 1])
    out = noisy_probabilities(circuit, _of_quito(model))[0].numpy()
    assert np.abs(out - _aer(circuit, model)).max() < 1e-12
    with pytest.raises(ValueError, match=r"gate 'x' on qubits .0,. is not among the basis gates"):
        noisy_probabilities(circuit, model)


def test_a_labelled_gate_with_an_error_of_its_own_needs_no_basis_gate() -> None:
    model = NoiseModel()
    model.add_all_qubit_quantum_error(depolarizing_error(0.3, 1), "mine")
    circuit = QuantumCircuit(1, 1)
    circuit.unitary([[0, 1], [1, 0]], [0], label="mine")
    circuit.measure(0, 0)
    out = noisy_probabilities(circuit, model)[0].tolist()
    assert out == pytest.approx(_aer(circuit, model).tolist(), abs=1e-12)


@pytest.mark.parametrize("seed", range(10))
def test_mixtures_of_parametric_circuits_are_their_channel(seed: int) -> None:
    rng = np.random.default_rng(seed)
    error = _rotations(rng, 1 + seed % 2)
    expected = SuperOp(error)
    if seed % 3 == 0:  # an error inside an error, which qiskit-aer does not run
        other = _rotations(rng, 2)
        circuit = QuantumCircuit(2)
        circuit.append(error.to_instruction(), list(range(error.num_qubits)))
        circuit.barrier()
        circuit.append(depolarizing_error(0.1, 1).to_instruction(), [1])
        inner = SuperOp(np.eye(16)).compose(expected, qargs=list(range(error.num_qubits)))
        inner = inner.compose(SuperOp(depolarizing_error(0.1, 1)), qargs=[1])
        expected = 0.75 * inner + 0.25 * SuperOp(other.circuits[0])
        error = QuantumError([(circuit, 0.75), (other.circuits[0], 0.25)])
    matrix, trace = error_channel(error)
    assert trace == pytest.approx(1.0, abs=1e-12)
    assert np.abs(matrix - PTM(expected).data.real).max() < 1e-12


class _Named(Gate):
    """A gate of a standard name and another meaning."""

    def __init__(self, name: str, n: int, params: list[float], inner: Any) -> None:
        super().__init__(name, n, params)
        self._inner = inner

    def _define(self) -> None:
        self.definition = QuantumCircuit(self.num_qubits)
        self.definition.append(self._inner, list(range(self.num_qubits)))


@pytest.mark.parametrize("first", ["standard", "named"])
@pytest.mark.parametrize(
    ("name", "params", "standard", "inner"),
    [
        ("sx", [], SXGate(), XGate()),
        ("rz", [0.7], RZGate(0.7), RXGate(0.4)),
        ("u", [0.7, 0.1, 0.2], UGate(0.7, 0.1, 0.2), RYGate(1.4)),
        ("cx", [], CXGate(), RXXGate(1.1)),
    ],
)
def test_a_gate_is_its_definition_whatever_was_run_before(
    first: str, name: str, params: list[float], standard: Gate, inner: Gate
) -> None:
    """Against the operator: qiskit-aer goes by the name alone."""
    model = NoiseModel(basis_gates=["sx", "rz", "cx", "u", "h"])
    model.add_all_qubit_readout_error([[0.9, 0.1], [0.2, 0.8]])
    n = standard.num_qubits
    gates = {"standard": standard, "named": _Named(name, n, params, inner)}
    order = [first, *(g for g in gates if g != first)]
    for which in [*order, *order]:
        circuit = QuantumCircuit(n)
        circuit.h(range(n))
        circuit.append(gates[which], range(n))
        circuit.h(range(n))
        expected = np.abs(Operator(circuit).data[:, 0]) ** 2
        circuit.measure_all()
        out = noisy_probabilities(circuit, model, readout_error=False)[0].numpy()
        assert np.abs(out - expected).max() < 1e-12, which


def test_pauli_lindblad_errors_on_more_qubits_are_products() -> None:
    error = PauliLindbladError(["IXI", "ZYI", "XIX", "IIZ", "YIX"], [0.1, 0.05, 0.2, 0.03, 0.07])
    model = NoiseModel(basis_gates=["ccx", "h"])
    model.add_all_qubit_quantum_error(error, "ccx", warnings=False)
    circuit = QuantumCircuit(3, 3)
    for k in range(3):
        circuit.h(k)
    circuit.ccx(2, 0, 1)
    circuit.append(error.to_instruction(), [1, 2, 0])
    circuit.h(1)
    circuit.measure(range(3), range(3))
    out = noisy_probabilities(circuit, model)[0].numpy()
    assert np.abs(out - _aer(circuit, model)).max() < 1e-12
    wide = PauliLindbladError(["XXX"], [0.1])
    circuit.data.insert(
        0, circuit.data[0].replace(operation=wide.to_instruction(), qubits=circuit.qubits)
    )
    with pytest.raises(ValueError, match="must be on one or two qubits, got 'XXX'"):
        noisy_probabilities(circuit, model)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (PauliError(["X", "I"], [-0.1, 1.1]), "PauliError must have probabilities of 0 or more"),
        (PauliError(["X", "I"], [0.1, 0.8]), "PauliError must have probabilities .* add up to 1"),
        (PauliLindbladError(["X"], [-0.1]), "PauliLindbladError must have rates of 0 or more"),
        (depolarizing_error(0.1, 2), "error must be on as many qubits, got one on 2"),
    ],
)
def test_errors_that_are_no_channels_are_refused(error: Any, message: str) -> None:
    model = NoiseModel(basis_gates=["x"])
    model._default_quantum_errors["x"] = error
    with pytest.raises(ValueError, match=message):
        noisy_probabilities(_x(), model)


def test_read_out_errors_of_several_qubits_together_are_refused() -> None:
    """qiskit-aer ignores them, as no instruction reads two qubits."""
    model = _depolarizing(0.1)
    model.add_readout_error(np.full((4, 4), 0.25), [0, 1])
    with pytest.raises(ValueError, match=r"single qubits, got one of qubits \(0, 1\) together"):
        noisy_probabilities(_x(), model)
    out = noisy_probabilities(_x(), model, readout_error=False)[0].tolist()
    assert out == pytest.approx([0.05, 0.95], abs=1e-12)


def test_scheduled_circuits_wait_after_they_are_read() -> None:
    backend = device("lima")
    circuit = QuantumCircuit(3, 3)
    circuit.h(0)
    circuit.cx(0, 1)
    for _ in range(4):
        circuit.cx(1, 2)
    circuit.measure([0, 1, 2], [0, 1, 2])
    outs = {}
    for method in ("alap", "asap"):
        scheduled = transpile(
            circuit, backend, scheduling_method=method, initial_layout=[0, 1, 2], seed_transpiler=1
        )
        outs[method] = noisy_probabilities(scheduled, backend)[0].numpy()
        expected = _aer(scheduled, DeviceNoise.of(backend).model)
        assert np.abs(outs[method] - expected).max() < 1e-10
    names = [item.name for item in scheduled.data]
    assert "delay" in names[names.index("measure") :]
    shots = 200_000
    counts = AerSimulator.from_backend(backend, seed_simulator=5).run(scheduled, shots=shots)
    observed = np.zeros(8)
    for label, count in counts.result().get_counts().items():
        observed[int(label, 2)] = count
    expected = outs["asap"] * shots
    # Chi-square with 7 degrees of freedom: 35 is exceeded once in 90,000 seeds.
    assert ((observed - expected) ** 2 / expected).sum() < 35


def test_nothing_read_from_a_qubit_again_changes_nothing() -> None:
    circuit = _x(2)
    plain = noisy_probabilities(circuit, device("lima"))
    circuit.delay(1000, 0)
    circuit.x(0)
    circuit.reset(0)
    assert torch.equal(noisy_probabilities(circuit, device("lima")), plain)
    circuit.measure(0, 1)
    with pytest.raises(ValueError, match=r"'delay' on qubits .0,. comes after a measurement"):
        noisy_probabilities(circuit, device("lima"))


def test_a_delay_of_unknown_length_is_refused_by_name() -> None:
    length = Parameter("t")
    circuit = QuantumCircuit(1, 1)
    circuit.x(0)
    circuit.delay(length, 0, unit="us")
    circuit.measure(0, 0)
    with pytest.raises(ValueError, match=r"'delay' on qubits \(0,\): .* got t: bind it"):
        noisy_probabilities(circuit, device("lima"))
    bound = circuit.assign_parameters({length: 30.0})
    out = noisy_probabilities(bound, device("lima"))[0].numpy()
    assert np.abs(out - _aer(bound, DeviceNoise.of(device("lima")).model)).max() < 1e-10
    assert out[0] > 0.1
    assert noisy_probabilities(circuit, None)[0].tolist() == pytest.approx([0, 1], abs=1e-15)


def test_layers_take_circuits_with_any_classical_registers() -> None:
    def body(*registers: Any) -> QuantumCircuit:
        circuit = QuantumCircuit(QuantumRegister(2, "q"), *registers)
        circuit.ry(0.4, 0)
        circuit.cx(0, 1)
        return circuit

    expected = NoisyQuantumLayer(body(), device("lima"), [0, 1])()
    used, unused, partly = body(ClassicalRegister(2)), body(ClassicalRegister(3)), None
    used.measure([0, 1], [1, 0])
    partly = body(ClassicalRegister(2, "a"), ClassicalRegister(4, "b"))
    partly.barrier()
    partly.measure(1, 3)
    partly.delay(500, 1)
    for circuit in (used, unused, partly):
        layer = NoisyQuantumLayer(circuit, device("lima"), [0, 1])
        assert torch.equal(layer(), expected)
    early = body(ClassicalRegister(1))
    early.measure(0, 0)
    early.x(0)
    with pytest.raises(ValueError, match=r"'measure' must not use classical bits .* \[0\]"):
        NoisyQuantumLayer(early, device("lima"), [0, 1])
    waiting = body(ClassicalRegister(2))
    waiting.delay(100_000, 1)
    waiting.measure([0, 1], [0, 1])
    assert not torch.allclose(NoisyQuantumLayer(waiting, device("lima"), [0, 1])(), expected)


def test_threads_share_a_device() -> None:
    backend = type(device("lima"))()
    circuit = QuantumCircuit(3)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.cx(1, 2)
    circuit.delay(1000, 2)
    expected = NoisyQuantumLayer(circuit, backend, optimization_level=3)()
    backend = type(device("lima"))()
    found: list[Any] = []

    def work() -> None:
        try:
            for _ in range(3):
                found.append(NoisyQuantumLayer(circuit, backend, optimization_level=3)().tolist())
        except BaseException as error:
            found.append(error)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected.tolist()] * 18


def test_noise_of_a_device_can_be_pickled() -> None:
    noise = DeviceNoise.of(device("lima"))
    again = pickle.loads(pickle.dumps(noise))
    assert torch.equal(noisy_probabilities(_x(), again), noisy_probabilities(_x(), noise))


@pytest.mark.parametrize("layout", [None, [4, 2]])
def test_a_noise_model_is_a_device_of_its_basis_gates(layout: list[int] | None) -> None:
    model = NoiseModel(basis_gates=["rz", "sx", "ecr"])
    model.add_all_qubit_quantum_error(depolarizing_error(0.1, 2), "ecr")
    model.add_quantum_error(amplitude_damping_error(0.3), "sx", [4], warnings=False)
    model.add_readout_error([[0.9, 0.1], [0.3, 0.7]], [2])
    circuit = QuantumCircuit(2)
    circuit.ry(0.7, 0)
    circuit.cx(0, 1)
    circuit.ry(0.4, 1)
    layer = NoisyQuantumLayer(circuit, model, layout).double()
    assert {item.name for item in layer.transpiled.data} == {"rz", "sx", "ecr", "measure"}
    if layout is not None:
        qubit_of = {
            layer.transpiled.find_bit(i.clbits[0]).index: layer.transpiled.find_bit(
                i.qubits[0]
            ).index
            for i in layer.transpiled.data
            if i.name == "measure"
        }
        assert qubit_of == {0: 4, 1: 2}
    out = _aer(layer.transpiled, model)
    expected = [out @ [1, -1, 1, -1], out @ [1, 1, -1, -1]]
    assert layer().tolist() == pytest.approx(expected, abs=1e-7)
    evaluator = NoisyEvaluator(model, None)
    assert evaluator.expectations(circuit, layout)[0].tolist() == pytest.approx(expected, abs=1e-12)


def _measured_by_aer(circuits: Any, model: NoiseModel, strings: dict[str, float], n: int) -> float:
    """A sum of strings from the outcomes of circuits that say which letters they read."""
    total = 0.0
    for string, coefficient in strings.items():
        fits = (
            circuit
            for circuit, letters in circuits
            if all(a in ("I", b) for a, b in zip(reversed(string), letters, strict=True))
        )
        out = _aer(next(fits), model)
        signs = np.ones(2**n)
        for k, letter in enumerate(reversed(string)):
            if letter != "I":
                signs = signs * (1 - 2.0 * (np.arange(2**n) >> k & 1))
        total += coefficient * float(out @ signs)
    return total


def test_x_and_y_are_read_as_a_device_reads_them() -> None:
    backend = device("quito")
    model = DeviceNoise.of(backend).model
    assert model is not None
    rng = np.random.default_rng(8)
    circuit = QuantumCircuit(3)
    for k in range(3):
        circuit.u(*rng.normal(size=3), k)
    circuit.cx(0, 1)
    circuit.cx(1, 2)
    strings = {"XXI": 0.7, "IXY": -0.3, "ZZZ": 0.4, "YIX": 1.1, "IIZ": 0.2, "III": 0.6, "XIY": 0.9}
    layer = NoisyQuantumLayer(circuit, backend, [0, 1, 3], [strings, "ZII", "IXI"]).double()
    # {XXI, IXY, XIY, III, IXI}, {ZZZ, IIZ, ZII}, {YIX}
    assert len(layer.measured_circuits) == 3
    read = []
    for letters in ("YXX", "ZZZ", "XZY"):  # of wire 0 first
        rotated = circuit.copy()
        for wire, letter in enumerate(letters):
            if letter == "Y":
                rotated.sdg(wire)
            if letter in "XY":
                rotated.h(wire)
        rotated.barrier()
        rotated.measure_all()
        read.append(
            (transpile(rotated, backend, initial_layout=[0, 1, 3], seed_transpiler=42), letters)
        )
    expected = [
        _measured_by_aer(read, model, row, 3) for row in (strings, {"ZII": 1.0}, {"IXI": 1.0})
    ]
    assert layer().tolist() == pytest.approx(expected, abs=1e-7)
    evaluator = NoisyEvaluator(backend, None, observables=[strings, "ZII", "IXI"])
    found = evaluator.expectations(circuit, [0, 1, 3])[0].tolist()
    assert found == pytest.approx(expected, abs=1e-12)
    with pytest.raises(ValueError, match="circuits must be 3, one for each basis"):
        evaluator.expectations_transpiled(evaluator.transpiled(circuit, [0, 1, 3]))
    perfect = NoisyQuantumLayer(circuit, backend, [0, 1, 3], strings, readout_error=False)
    assert len(perfect.measured_circuits) == 1


def test_gradients_pass_through_every_basis() -> None:
    circuit = Circuit(2).ry(input(0), 0).cu3(weight(0), weight(1), weight(2), 0, 1)
    layer = NoisyQuantumLayer(circuit, device("lima"), [0, 1], {"XY": 0.5, "ZZ": 1.0, "YI": -1.0})
    layer = layer.double()
    x = torch.tensor([[0.3], [-1.2]], dtype=torch.float64, requires_grad=True)

    def run(weights: torch.Tensor, samples: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(layer, {"weights": weights}, samples)

    assert torch.autograd.gradcheck(run, (layer.weights, x))


@pytest.mark.parametrize("half", [torch.bfloat16, torch.float16])
def test_halves_are_computed_in_float32_under_autocast(half: torch.dtype) -> None:
    circuit = Circuit(2).ry(input(0), 0).cu3(weight(0), weight(1), weight(2), 0, 1)
    layer = NoisyQuantumLayer(circuit, device("lima"), [0, 1])
    x = torch.tensor([[0.3], [-1.2]], dtype=half, requires_grad=True)
    with pytest.raises(TypeError):
        layer(x)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = layer(x)
    assert out.dtype == torch.float32
    assert torch.equal(out, layer(x.detach().float()))
    out.sum().backward()
    assert x.grad is not None
    assert x.grad.dtype == half
    assert layer.weights.grad is not None
    assert layer.weights.grad.dtype == torch.float32
    qc = layer.transpiled
    with torch.autocast("cpu", dtype=torch.bfloat16):
        p = noisy_probabilities(
            qc, device("lima"), inputs=x.detach(), weights=layer.weights.detach()
        )
    assert p.dtype == torch.float32


def test_samples_may_have_any_leading_dimensions() -> None:
    circuit = Circuit(2).ry(input(0), 0).ry(input(1), 1).cu3(weight(0), 0.1, weight(1), 0, 1)
    layer = NoisyQuantumLayer(circuit, device("lima"), [0, 1])
    x = torch.randn(2, 3, 2, generator=torch.Generator().manual_seed(0))
    out = layer(x)
    assert out.shape == (2, 3, 2)
    assert torch.equal(out[1, 2], layer(x[1, 2]))
    assert layer(x[:0]).shape == (0, 3, 2)


def test_what_a_caller_writes_to_observables_reaches_no_other() -> None:
    first = observables(["ZZ", "XI"], 2)
    first.coefficients.fill_(7.0)
    first.terms.zero_()
    again = observables(["ZZ", "XI"], 2)
    assert again.coefficients.tolist() == [1.0, 1.0]
    assert again.terms.tolist() == [[0, 0, 3], [1, 2, 0]]
