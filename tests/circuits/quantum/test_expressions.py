# SPDX-License-Identifier: Apache-2.0
"""Angles that are not affine: products, powers and functions of weights and inputs."""

from __future__ import annotations

import copy
import math
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter, ParameterExpression, ParameterVector
from qiskit.circuit.library import pauli_feature_map, zz_feature_map
from qiskit.quantum_info import Statevector

from circuits.quantum import Circuit, QuantumLayer, expectation, input, statevector, weight
from circuits.quantum.symbols import FUNCTIONS, evaluate

W = torch.tensor([0.3, -1.2, 0.8], dtype=torch.float64)
X = torch.tensor([[0.5, 2.2], [-0.1, 0.4], [1.0, 0.7]], dtype=torch.float64)

NAMES = ("a", "b", "c", "d")


def test_angles_read_as_they_are_written():
    w, x = weight, input
    shown = {
        str((3 - x(0)) * (3 - x(1)) + w(0).sin()): "(-x[0] + 3.0)*(-x[1] + 3.0) + sin(w[0])",
        str(-2 * w(0) * w(1) - w(3) + 1): "-2*w[0]*w[1] - w[3] + 1.0",
        str((w(0) + 1) ** 2 / x(0)): "(w[0] + 1.0)**2*x[0]**(-1)",
        str(2 ** abs(w(0) * x(1))): "2**abs(w[0]*x[1])",
    }
    assert list(shown) == list(shown.values())


def test_equal_angles_are_equal_and_survive_pickling_and_copying():
    angle = (2 * weight(0) * input(1)).sin() ** 2
    assert pickle.loads(pickle.dumps(angle)) == angle == copy.deepcopy(angle)
    assert angle == (input(1) * 0 + weight(0) * (2 * input(1))).sin() ** 2
    assert hash(angle) == hash(pickle.loads(pickle.dumps(angle)))
    assert angle != (2 * weight(0) * input(0)).sin() ** 2


def test_what_is_affine_stays_affine():
    w = weight(0)
    for angle, same in ((w * 1, w), (w**1, w), (w * input(0) * 0, w - w), (w**0, w - w + 1)):
        assert angle == same


@st.composite
def expressions(draw, leaves):
    """A qiskit expression of the leaves that is finite near them."""
    leaf = st.sampled_from(leaves)
    number = st.floats(-2, 2).map(lambda v: round(v, 2))
    made = draw(leaf)
    for _ in range(draw(st.integers(1, 5))):
        other = draw(st.one_of(leaf, number))
        operation = draw(st.sampled_from(["+", "-", "r-", "*", "**2", "**3", "/", *FUNCTIONS]))
        if operation == "+":
            made = made + other
        elif operation == "-":
            made = made - other
        elif operation == "r-":
            made = other - made
        elif operation == "*":
            made = made * other
        elif operation in ("**2", "**3"):
            made = made ** int(operation[2:]) * 0.2
        elif operation == "/":
            made = made / (draw(leaf) ** 2 + 1.5)
        elif operation in ("arcsin", "arccos"):
            made = getattr(made.sin() * 0.9, operation)()
        elif operation == "log":
            made = (made * made + 0.4).log()
        elif operation == "exp":
            made = made.sin().exp()
        elif operation == "tan":
            made = (made.sin() * 1.2).tan()
        else:
            made = getattr(made, operation)()
    return made


@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_qiskit_expressions_have_their_values_and_slopes(data):
    parameters = [Parameter(name) for name in NAMES]
    angle = data.draw(expressions(parameters))
    circuit = QuantumCircuit(1)
    circuit.rx(angle, 0)
    made = Circuit.from_qiskit(circuit, inputs=parameters[:2], weights=parameters[2:])

    def exact(values):
        at = dict(zip(parameters, values, strict=True))
        bound = angle.bind({p: at[p] for p in angle.parameters}).numeric()
        return math.cos(complex(bound).real)

    values = torch.tensor([0.37, -0.81, 1.13, 0.59], dtype=torch.float64)
    x, w = values[:2].clone().requires_grad_(), values[2:].clone().requires_grad_()
    out = expectation(made, "z", w, x)
    assert out.item() == pytest.approx(exact(values.tolist()), abs=1e-11)
    got = torch.cat(torch.autograd.grad(out.sum(), (x, w), materialize_grads=True))
    for k in range(4):
        shift = 1e-5 * np.eye(4)[k]
        above, below = exact(values.numpy() + shift), exact(values.numpy() - shift)
        assert got[k].item() == pytest.approx((above - below) / 2e-5, abs=1e-4, rel=1e-4)


FUNCTION_ANGLES = {
    **{name: lambda a, name=name: getattr(a, name)() for name in sorted(FUNCTIONS)},
    "conjugate": lambda a: (a * a).conjugate(),
    "number to a power": lambda a: 2.5**a,
    "power of powers": lambda a: (a**2) ** (a + 1),
    "reciprocal": lambda a: 1 / a,
}


@pytest.mark.parametrize("name", FUNCTION_ANGLES)
def test_every_function_of_a_parameter_is_exact(name):
    a = Parameter("a [\u03b8]")
    angle = FUNCTION_ANGLES[name](a)
    assert isinstance(angle, ParameterExpression)
    circuit = QuantumCircuit(1)
    circuit.p(0.1, 0)
    circuit.ry(angle, 0)
    value = torch.tensor([0.43], dtype=torch.float64)
    ours = statevector(Circuit.from_qiskit(circuit), value)[0]
    theirs = Statevector(circuit.assign_parameters({a: 0.43})).data
    np.testing.assert_allclose(ours.numpy(), theirs, atol=1e-14)
    # and the way back
    back = Circuit.from_qiskit(circuit).to_qiskit([0.43])
    np.testing.assert_allclose(Statevector(back).data, theirs, atol=1e-14)
    symbolic = Circuit.from_qiskit(circuit).to_qiskit()
    np.testing.assert_allclose(
        Statevector(symbolic.assign_parameters([0.43])).data, theirs, atol=1e-14
    )


@pytest.mark.parametrize(
    "feature_map",
    [zz_feature_map(4, reps=2), pauli_feature_map(3, reps=1, paulis=["Z", "YY", "ZXZ"])],
)
def test_feature_maps_run_and_differentiate(feature_map):
    n = feature_map.num_qubits
    made = Circuit.from_qiskit(feature_map, inputs=feature_map.parameters)
    x = torch.rand(5, n, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 3
    for state, row in zip(statevector(made, inputs=x), x, strict=True):
        expected = Statevector(feature_map.assign_parameters(row.tolist())).data
        np.testing.assert_allclose(state.numpy(), expected, atol=1e-12)
    assert torch.autograd.gradcheck(
        lambda x: expectation(made, ["X" * n, "Z" * n], inputs=x), x.requires_grad_()
    )
    single = expectation(made, "z", inputs=x.detach().float())
    torch.testing.assert_close(
        single.double(), expectation(made, "z", inputs=x.detach()), atol=2e-5, rtol=0
    )


def mixed() -> Circuit:
    """Angles of weights, of inputs and of both, in gates of one, two and three angles."""
    w, x = weight, input
    circuit = Circuit(3).h([0, 1, 2])
    circuit.rx(w(0) * w(1), 0).ry(x(0) * x(1), 1).rzz(w(0) * x(1) - 0.3, 0, 2)
    circuit.u(w(2) ** 2, x(0).sin(), w(1) + x(1), 2).r(w(0) * w(1), x(0) * w(2), 1)
    return circuit.cu(w(0).exp(), 0.1, x(1) / (x(0) ** 2 + 1), w(1) * w(1), 2, 0)


def test_shared_weights_weights_per_sample_and_bound_ones_agree():
    circuit = mixed()
    shared = statevector(circuit, W, X)
    apart = statevector(circuit, W.expand(3, 3), X)
    torch.testing.assert_close(apart, shared, atol=1e-14, rtol=0)
    for row, x in zip(shared, X, strict=True):
        values = W.tolist(), x.tolist()
        for bound in (circuit.bind(*values), circuit.bind(values[0]).bind(inputs=values[1])):
            assert (bound.n_weights, bound.n_inputs) == (0, 0)
            torch.testing.assert_close(statevector(bound)[0], row, atol=1e-14, rtol=0)
        theirs = Statevector(circuit.to_qiskit(*values)).data
        np.testing.assert_allclose(row.numpy(), theirs, atol=1e-14)
    assert torch.equal(statevector(circuit, W, X[1:2])[0], shared[1])


def test_gradients_reach_weights_and_inputs():
    w, x = W.clone().requires_grad_(), X.clone().requires_grad_()
    circuit, rows = mixed(), ["XYZ", "ZZI", {"IIX": 0.5, "IZZ": -1.0}]
    assert torch.autograd.gradcheck(lambda w, x: expectation(circuit, rows, w, x), (w, x))
    apart = torch.stack([W, W + 0.1, W - 0.2]).requires_grad_()
    assert torch.autograd.gradcheck(lambda w, x: expectation(circuit, rows, w, x), (apart, x))
    layer = QuantumLayer(circuit, rows, init=W)
    layer(X).sum().backward()
    (expected,) = torch.autograd.grad(expectation(circuit, rows, w, X).sum(), w)
    torch.testing.assert_close(layer.weights.grad, expected)


def test_inverse_undoes_a_circuit_of_expressions():
    circuit = mixed()
    both = circuit.copy().compose(circuit.inverse())
    state = statevector(both, W, X)
    expected = torch.zeros_like(state)
    expected[:, 0] = 1
    torch.testing.assert_close(state, expected, atol=1e-14, rtol=0)


def test_a_slope_that_is_not_finite_stays_where_it_belongs():
    # |x|**0.5 has no slope at 0; the other inputs and samples keep theirs.
    circuit = Circuit(2).ry(abs(input(1)) ** 0.5, 0).ry(2 * input(0) + input(2) * input(0), 1)
    x = torch.tensor([[0.2, 0.0, 0.4], [0.2, 0.3, 0.4]], dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(expectation(circuit, ["ZI"], inputs=x).sum(), x)
    assert torch.isfinite(slope[:, [0, 2]]).all()
    assert slope[1, 1].item() == pytest.approx(0, abs=1e-15)


@pytest.mark.parametrize(
    ("angle", "x", "words"),
    [
        (input(0).log(), -1.0, r"gate 1, rx\(log\(x\[0\]\)\).*log\(x\[0\]\) of sample 1 is nan"),
        (1 / input(0), 0.0, r"x\[0\]\*\*\(-1\) of sample 1 is inf"),
        ((input(0) * weight(0)).arcsin(), 9.0, "arcsin"),
        (input(0) * weight(0), float("nan"), r"gate 1, rx.*input\(0\) of sample 1 is nan"),
    ],
)
def test_angles_without_a_value_are_refused_by_gate(angle, x, words):
    circuit = Circuit(1).h(0).rx(angle, 0)
    inputs = torch.tensor([[0.5], [x]], dtype=torch.float64)
    with pytest.raises(ValueError, match=words):
        expectation(circuit, "z", torch.ones(circuit.n_weights, dtype=torch.float64), inputs)


def test_numbers_without_a_value_are_refused_where_they_arise():
    with pytest.raises(ValueError, match=r"the angle log\(w\[0\]\) has no value"):
        Circuit(1).rx(weight(0).log(), 0).bind([0.0])
    with pytest.raises(ValueError, match="has no value"):
        evaluate(1 / weight(0), [0.0], None)
    with pytest.raises(ValueError, match="no finite real number"):
        (weight(0) - weight(0) - 1) ** 0.5
    circuit = QuantumCircuit(1)
    circuit.rx((Parameter("a") * 0 - 1).log() * Parameter("b"), 0)
    with pytest.raises(TypeError, match=r"rx on wires \[0\] has the complex angle"):
        Circuit.from_qiskit(circuit)


def test_programs_of_such_circuits_are_not_handed_out():
    with pytest.raises(ValueError, match=r"Circuit.program: the angle w\[0\]\*\*2 is not affine"):
        Circuit(1).rx(weight(0) ** 2, 0).program()


def test_long_expressions_are_no_deep_recursion():
    angle = weight(0)
    for k in range(400):
        angle = (angle + 0.01 * input(k % 2)).sin() + weight(0)
    value = 0.3
    for k in range(400):
        value = math.sin(value + 0.01 * [0.5, 2.2][k % 2]) + 0.3
    out = expectation(Circuit(1).rx(angle, 0), "z", W[:1], X[0])
    assert out.item() == pytest.approx(math.cos(value), abs=1e-11)


def test_parameter_vectors_keep_their_elements():
    v = ParameterVector("v", 3)
    circuit = QuantumCircuit(1)
    circuit.ry(v[2] * v[0], 0)
    made = Circuit.from_qiskit(circuit, weights=[v])
    assert made.n_weights == 3
    assert str(made.gates[0]) == "ry(w[0]*w[2]) on [0]"
