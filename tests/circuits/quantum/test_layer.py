# SPDX-License-Identifier: Apache-2.0
"""The circuit as a torch module."""

from __future__ import annotations

import copy
import io
import pickle

import pytest
import torch
from torch import nn

from circuits.quantum import Circuit, QuantumLayer, expectation, input, weight


def classifier() -> Circuit:
    circuit = Circuit(3)
    for wire in range(3):
        circuit.ry(input(wire), wire)
    for wire in range(3):
        circuit.cu3(
            weight(3 * wire), weight(3 * wire + 1), weight(3 * wire + 2), wire, (wire + 1) % 3
        )
    return circuit


X = torch.rand(5, 3, generator=torch.Generator().manual_seed(0))


def test_forward_is_the_expectation_of_z_on_each_wire():
    layer = QuantumLayer(classifier())
    torch.testing.assert_close(layer(X), expectation(classifier(), "z", layer.weights, X))
    assert (layer.n_wires, layer.n_observables, layer.weights.shape) == (3, 3, (9,))
    assert "n_wires=3, n_inputs=3, n_weights=9, n_observables=3, gates=6" in repr(layer)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("own", [torch.float32, torch.float64])
def test_output_has_the_dtype_of_x_and_gradients_that_of_their_tensor(dtype, own):
    layer = QuantumLayer(classifier(), ["XYZ", "ZZI"]).to(own)
    x = X.to(dtype, copy=True).requires_grad_()
    out = layer(x)
    assert (out.dtype, out.shape) == (dtype, (5, 2))
    out.sum().backward()
    assert (layer.weights.grad.dtype, x.grad.dtype) == (own, dtype)


def test_a_single_sample_keeps_its_shape():
    layer = QuantumLayer(classifier())
    torch.testing.assert_close(layer(X[0]), layer(X)[0])
    assert layer(X[:0]).shape == (0, 3)


def test_a_circuit_without_inputs_needs_no_x():
    layer = QuantumLayer(Circuit(2).ry(weight(0), 0), {"ZI": 1.0, "IZ": 0.5})
    assert layer().shape == (1,)
    assert layer().item() == pytest.approx(1 + 0.5 * torch.cos(layer.weights[0]).item())


def test_weights_start_small_and_follow_the_seed():
    layer = QuantumLayer(classifier(), seed=3)
    assert layer.weights.abs().max() <= 0.3
    assert layer.weights.unique().numel() == 9
    assert torch.equal(layer.weights, QuantumLayer(classifier(), seed=3).weights)
    assert not torch.equal(layer.weights, QuantumLayer(classifier(), seed=4).weights)
    assert not QuantumLayer(classifier(), init=0.0).weights.any()
    values = torch.arange(9.0)
    assert torch.equal(QuantumLayer(classifier(), init=values).weights, values)


def test_state_dict_copies_and_pickles_reproduce_the_layer():
    layer = QuantumLayer(classifier(), seed=1)
    other = QuantumLayer(classifier(), seed=2)
    buffer = io.BytesIO()
    torch.save(layer.state_dict(), buffer)
    buffer.seek(0)
    other.load_state_dict(torch.load(buffer, weights_only=True))
    for twin in (other, copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert torch.equal(twin(X), layer(X))
    assert list(layer.state_dict()) == ["weights"]


def test_the_layer_keeps_its_own_circuit():
    circuit = classifier()
    layer = QuantumLayer(circuit)
    before = layer(X)
    circuit.x(0)
    assert torch.equal(layer(X), before)


def test_it_trains_inside_a_network():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(2, 3), QuantumLayer(classifier()), nn.Linear(3, 1))
    x = torch.randn(64, 2)
    y = (x[:, :1] * x[:, 1:] > 0).float()
    optimizer = torch.optim.Adam(network.parameters(), lr=0.05)
    losses = []
    for _ in range(60):
        optimizer.zero_grad()
        loss = nn.functional.binary_cross_entropy_with_logits(network(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.6 * losses[0]


@pytest.mark.parametrize(
    ("build", "error", "words"),
    [
        (lambda: QuantumLayer("circuit"), TypeError, "expected a Circuit"),
        (lambda: QuantumLayer(classifier(), "ZZ"), ValueError, "2 letters; expected 3"),
        (lambda: QuantumLayer(classifier(), init=-1.0), ValueError, "init is -1.0"),
        (lambda: QuantumLayer(classifier(), init=torch.zeros(4)), ValueError, "expected 9"),
        (lambda: QuantumLayer(classifier())(X.half()), TypeError, "float16"),
        (lambda: QuantumLayer(classifier())(X.long()), TypeError, "int64"),
        (lambda: QuantumLayer(classifier())(X[:, :2]), ValueError, r"expected \(B, 3\)"),
        (lambda: QuantumLayer(classifier())(X.tolist()), TypeError, "expected a tensor"),
        (lambda: QuantumLayer(classifier())(), ValueError, "inputs are missing"),
    ],
)
def test_bad_arguments_are_refused(build, error, words):
    with pytest.raises(error, match=words):
        build()


def test_sequences_and_autocast_pass_through_a_network():
    layer = QuantumLayer(classifier())
    body = torch.nn.Linear(5, 3)
    x = torch.rand(2, 4, 5)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        hidden = body(x)
        assert hidden.dtype is torch.bfloat16
        out = layer(hidden)
    assert out.dtype is torch.float32
    assert out.shape == (2, 4, 3)
    assert torch.equal(out, layer(hidden.float()))
    out.sum().backward()
    assert torch.isfinite(body.weight.grad).all()
    assert layer.weights.grad.abs().sum() > 0


@pytest.mark.parametrize(
    ("init", "error", "words"),
    [
        ([0.1] * 9, TypeError, "of type list"),
        (True, TypeError, "of type bool"),
        (torch.full((9,), float("nan")), ValueError, "NaN"),
        (torch.zeros(9).half(), ValueError, "float16"),
    ],
)
def test_starts_that_are_no_numbers_are_refused(init, error, words):
    with pytest.raises(error, match=words):
        QuantumLayer(classifier(), init=init)


def test_one_weight_may_start_from_a_0_dimensional_tensor():
    layer = QuantumLayer(Circuit(1).ry(weight(0), 0), init=torch.tensor(0.3))
    assert layer.weights.shape == (1,)


@pytest.mark.parametrize("angle", [weight(0) + input(0), weight(0) * input(0)])
def test_a_first_call_in_inference_mode_spoils_no_later_gradient(angle):
    layer = QuantumLayer(Circuit(1).ry(angle, 0))
    x = torch.rand(3, 1)
    with torch.inference_mode():
        layer(x)
        expectation(layer.circuit, "X", layer.weights, x)
    layer(x).sum().backward()
    expectation(layer.circuit, "X", layer.weights, x).sum().backward()
    assert layer.weights.grad.abs() > 0


@pytest.mark.parametrize("angle", [weight(0) + input(0), (weight(0) * input(0)).sin()])
def test_layers_compile_to_one_graph(angle):
    layer = QuantumLayer(Circuit(1).ry(angle, 0))
    x = torch.rand(3, 1)
    expected = layer(x)
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(x), expected)
