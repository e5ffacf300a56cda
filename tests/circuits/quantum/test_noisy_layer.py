# SPDX-License-Identifier: Apache-2.0
"""Noise-aware training layers."""

from __future__ import annotations

import copy
import io
import pickle

import numpy as np
import pytest
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter, ParameterVector
from qiskit.quantum_info import SparsePauliOp
from qiskit_aer import AerSimulator

from circuits.quantum import (
    Circuit,
    NoisyQuantumLayer,
    device,
    input,
    noisy_probabilities,
    weight,
)
from circuits.quantum.noise_model import DeviceNoise


def _circuit() -> Circuit:
    circuit = Circuit(3)
    for k in range(3):
        circuit.ry(input(k), k)
    for k in range(3):
        circuit.cu3(weight(3 * k), weight(3 * k + 1), weight(3 * k + 2), k, (k + 1) % 3)
    return circuit


def _layer(**options: object) -> NoisyQuantumLayer:
    options = {"initial_layout": [1, 3, 4], **options}
    return NoisyQuantumLayer(_circuit(), device("quito"), **options).double()  # type: ignore[arg-type]


def _samples(batch: int = 7) -> torch.Tensor:
    return torch.tensor(np.random.default_rng(1).normal(size=(batch, 3)))


def _expected(layer: NoisyQuantumLayer, x: torch.Tensor, readout_error: bool) -> torch.Tensor:
    """<Z> of each wire from outcome probabilities, and of the product of the first two."""
    out = noisy_probabilities(
        layer.transpiled, device("quito"), readout_error, inputs=x, weights=layer.weights
    )
    bits = 1 - 2 * (torch.arange(8)[:, None] >> torch.arange(3) & 1).double()
    return out @ torch.cat([bits, bits[:, :1] * bits[:, 1:2]], 1)


@pytest.mark.parametrize("readout_error", [True, False])
def test_expectations_are_those_of_the_probabilities(readout_error: bool) -> None:
    layer = _layer(readout_error=readout_error)
    x = _samples()
    expected = _expected(layer, x, readout_error)
    assert (layer(x) - expected[:, :3]).abs().max() < 1e-12
    pairs = _layer(readout_error=readout_error, observables=["IZZ", {"IZZ": 2.0, "III": 0.5}])
    assert (pairs(x)[:, 0] - expected[:, 3]).abs().max() < 1e-12
    assert (pairs(x)[:, 1] - 2 * expected[:, 3] - 0.5).abs().max() < 1e-12


def test_other_paulis_equal_aer() -> None:
    observable = SparsePauliOp(["IYI", "XIZ", "ZYX"], [0.5, -1.0, 2.0])
    layer = _layer(observables=observable, readout_error=False)
    wires = layer.transpiled.layout.final_index_layout()
    simulator = AerSimulator(
        method="density_matrix",
        noise_model=DeviceNoise.of(device("quito")).model,
        max_parallel_threads=1,
    )
    x = _samples(3)
    ours = layer(x)[:, 0].tolist()
    bare = layer.transpiled.remove_final_measurements(inplace=False)
    values = {"w": layer.weights.tolist()}
    for found, row in zip(ours, x.tolist(), strict=True):
        values["x"] = row
        bound = bare.assign_parameters({p: values[p.vector.name][p.index] for p in bare.parameters})
        bound.save_expectation_value(observable, wires)
        expected = simulator.run(bound).result().data()["expectation_value"]
        assert found == pytest.approx(expected, abs=1e-12)


def test_gradients_equal_finite_differences() -> None:
    layer = _layer()
    x = _samples(3).requires_grad_()

    def run(weights: torch.Tensor, samples: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(layer, {"weights": weights}, samples)

    assert torch.autograd.gradcheck(run, (layer.weights, x))


def test_it_trains() -> None:
    layer = _layer(init=0.3, seed=5)
    x, target = _samples(16), torch.full((16, 3), 0.5, dtype=torch.float64)
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.1)
    losses = []
    for _ in range(25):
        optimizer.zero_grad()
        loss = ((layer(x) - target) ** 2).mean()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.8 * losses[0]


def test_dtype_and_shape_follow_the_samples() -> None:
    layer = NoisyQuantumLayer(_circuit(), device("quito"), [1, 3, 4])
    assert layer.weights.dtype == torch.get_default_dtype()
    x = _samples(4)
    assert layer(x).dtype == torch.float64
    assert layer(x.float()).dtype == torch.float32
    assert layer(x.float()).shape == (4, 3)
    assert layer(x[0]).shape == (3,)
    assert layer(x[:0]).shape == (0, 3)


def test_the_same_seed_gives_the_same_weights() -> None:
    assert torch.equal(_layer(seed=3).weights, _layer(seed=3).weights)
    assert not torch.equal(_layer(seed=3).weights, _layer(seed=4).weights)
    assert float(_layer(init=0.1).weights.detach().abs().max()) <= 0.1
    assert _layer(init=torch.arange(9.0)).weights.tolist() == list(range(9))


def test_copies_pickles_and_state_dicts_agree() -> None:
    layer, x = _layer(), _samples(2)
    expected = layer(x)
    assert torch.equal(copy.deepcopy(layer)(x), expected)
    assert torch.equal(pickle.loads(pickle.dumps(layer))(x), expected)
    buffer = io.BytesIO()
    torch.save(layer.state_dict(), buffer)
    buffer.seek(0)
    other = _layer(seed=99)
    other.load_state_dict(torch.load(buffer, weights_only=True))
    assert torch.equal(other(x), expected)


def test_the_transpiled_circuit_has_no_symbolic_phase_to_bind() -> None:
    layer = _layer()
    assert isinstance(layer.transpiled.global_phase, float | int)
    phases = {p: 0.1 for p in layer.transpiled.parameters}
    assert not layer.transpiled.assign_parameters(phases).parameters


def test_a_qiskit_circuit_gives_the_same_layer() -> None:
    layer, x = _layer(), _samples(3)
    other = NoisyQuantumLayer(_circuit().to_qiskit(), device("quito"), [1, 3, 4]).double()
    other.load_state_dict(layer.state_dict())
    assert torch.equal(layer(x), other(x))


def test_a_circuit_without_inputs_needs_no_samples() -> None:
    w = ParameterVector("w", 1)
    circuit = QuantumCircuit(1)
    circuit.ry(w[0], 0)
    layer = NoisyQuantumLayer(circuit, device("quito"), [2]).double()
    assert layer().shape == (1,)


def test_bad_arguments_are_named() -> None:
    quito = device("quito")
    with pytest.raises(ValueError, match="names a qubit twice"):
        NoisyQuantumLayer(_circuit(), quito, [0, 1, 1])
    with pytest.raises(ValueError, match="expected 3 physical qubits, one per wire, got 2"):
        NoisyQuantumLayer(_circuit(), quito, [0, 1])
    with pytest.raises(ValueError, match="wire 2 is on qubit 5; the device has qubits 0 to 4"):
        NoisyQuantumLayer(_circuit(), quito, [0, 1, 5])
    with pytest.raises(ValueError, match="circuit has 6 qubits, the device only 5"):
        NoisyQuantumLayer(Circuit(6).h(0), quito)
    with pytest.raises(TypeError, match="backend must be a qiskit backend"):
        NoisyQuantumLayer(_circuit(), None)
    with pytest.raises(TypeError, match=r"circuit must be a circuits.quantum.Circuit or a qiskit"):
        NoisyQuantumLayer("circuit", quito)
    with pytest.raises(ValueError, match=r"init must be 9 real numbers, got torch.float32 \(2,\)"):
        _layer(init=torch.zeros(2))
    with pytest.raises(ValueError, match="init must be a half-width of 0 or more, got -1"):
        _layer(init=-1)
    named = QuantumCircuit(1)
    named.ry(Parameter("a"), 0)
    with pytest.raises(ValueError, match="parameter 'a' is of neither vector 'w' nor 'x'"):
        NoisyQuantumLayer(named, quito)
    with pytest.raises(ValueError, match=r"inputs must have shape \(any, 3\), got \(2, 4\)"):
        _layer()(torch.zeros(2, 4, dtype=torch.float64))
