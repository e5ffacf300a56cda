# SPDX-License-Identifier: Apache-2.0
"""The builder: sizes, copies, composition, and everything it refuses."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from circuits.quantum import Circuit, Gate, input, weight


def test_importing_the_package_costs_neither_torch_nor_qiskit():
    script = (
        "import sys, circuits, circuits.quantum\n"
        "heavy = {'torch', 'numpy', 'qiskit'} & set(sys.modules)\n"
        "raise SystemExit(f'imported {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_simulating_does_not_import_qiskit():
    script = (
        "import sys\n"
        "from circuits.quantum import Circuit, QuantumLayer, expectation\n"
        "expectation(Circuit(2).h(0).cx(0, 1), 'z')\n"
        "raise SystemExit('qiskit' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_package_lists_its_names_and_refuses_others():
    import circuits.quantum as quantum

    assert set(quantum.__all__) <= set(dir(quantum))
    assert quantum.observables("z", 2).n_rows == 2
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = quantum.no_such_name


def test_counts_are_inferred_from_the_highest_index():
    circuit = Circuit(3).rx(weight(4), 0).cu3(input(1), weight(2) + input(6), 0.1, 0, 2)
    assert (circuit.n_weights, circuit.n_inputs, len(circuit)) == (5, 7, 2)


def test_given_counts_are_kept_and_are_limits():
    circuit = Circuit(2, n_weights=3, n_inputs=1).rx(weight(0), 0)
    assert (circuit.n_weights, circuit.n_inputs) == (3, 1)
    with pytest.raises(ValueError, match=r"Circuit.ry: weight\(3\).*n_weights=3"):
        circuit.ry(weight(3), 0)
    with pytest.raises(ValueError, match=r"Circuit.ry: input\(1\).*n_inputs=1"):
        circuit.ry(weight(1) + input(1), 0)
    assert len(circuit) == 1


def test_wires_come_one_by_one_or_as_a_keyword():
    one_by_one = Circuit(3).cx(2, 0).cu3(1, 2, 3, 0, 1).rx(0.5, 1).ccx(0, 2, 1).swap(0, 2)
    keyword = (
        Circuit(3)
        .cx(wires=[2, 0])
        .cu3(1, 2, 3, wires=(0, 1))
        .rx(0.5, wires=1)
        .ccx(wires=np.array([0, 2, 1]))
        .swap(wires=torch.tensor([0, 2]))
    )
    assert one_by_one == keyword
    with pytest.raises(TypeError, match=r"Circuit.cx: .*not both"):
        Circuit(2).cx(0, wires=[0, 1])


def test_one_wire_gate_on_a_list_acts_on_each():
    assert Circuit(3).h([2, 0]) == Circuit(3).h(2).h(0)
    assert Circuit(3).rx(0.5, range(3)).count_gates() == {"rx": 3}
    with pytest.raises(ValueError, match="got 2 wires"):
        Circuit(3).gate("h", [0, 1])


def test_depth_follows_shared_wires():
    circuit = Circuit(3).h(0).h(1).cx(0, 1).h(2).global_phase(0.3).cx(1, 2)
    assert circuit.depth() == 3
    assert Circuit(2).depth() == 0
    assert circuit.count_gates() == {"h": 3, "cx": 2, "global_phase": 1}


def test_program_is_cached_until_a_gate_is_added():
    circuit = Circuit(1).rx(weight(0), 0)
    program = circuit.program()
    assert circuit.program() is program
    circuit.ry(weight(1), 0)
    assert circuit.program() is not program
    assert circuit.program().n_weights == 2


@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_copies_and_pickles_are_equal_and_independent(data, circuits):
    circuit = data.draw(circuits())
    circuit.program()
    for other in (circuit.copy(), copy.deepcopy(circuit), pickle.loads(pickle.dumps(circuit))):
        assert other == circuit
        assert torch.equal(other.program().code, circuit.program().code)
        assert torch.equal(other.program().data, circuit.program().data)
        other.rx(0.1, 0)
        assert other != circuit


@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_inverse_undoes_the_circuit(data, circuits, operator_of):
    circuit = data.draw(circuits(max_wires=4))
    w, x = (0.3, -1.2, 0.8), (0.5, 2.2)
    both = circuit.copy().compose(circuit.inverse())
    np.testing.assert_allclose(operator_of(both, w, x), np.eye(2**both.n_wires), atol=1e-11)


@settings(deadline=None, max_examples=20)
@given(data=st.data())
def test_binding_equals_passing_the_values(data, circuits, operator_of):
    circuit = data.draw(circuits(max_wires=3))
    w, x = (0.3, -1.2, 0.8), (0.5, 2.2)
    expected = operator_of(circuit, w, x)
    bound = circuit.bind(w, torch.tensor(x, dtype=torch.float64))
    assert (bound.n_weights, bound.n_inputs) == (0, 0)
    np.testing.assert_allclose(operator_of(bound), expected, atol=1e-12)
    half = circuit.bind(weights=np.array(w))
    np.testing.assert_allclose(operator_of(half, (), x), expected, atol=1e-12)


def test_compose_moves_wires_and_keeps_indices(operator_of):
    inner = Circuit(2).cx(0, 1).rx(weight(0), 1)
    outer = Circuit(3).ry(weight(1), 0).compose(inner, wires=[2, 0])
    direct = Circuit(3).ry(weight(1), 0).cx(2, 0).rx(weight(0), 0)
    assert outer == direct
    with pytest.raises(ValueError, match=r"Circuit.compose: wires is \[2\]"):
        Circuit(3).compose(inner, wires=[2])
    with pytest.raises(ValueError, match="wire 3 is out of range"):
        Circuit(3).compose(inner, wires=[2, 3])


def test_measurements_are_final_and_only_a_record():
    circuit = Circuit(2).h(0).measure([0, 1], [1, 0])
    assert circuit.measurements == ((0, 1), (1, 0))
    with pytest.raises(ValueError, match=r"Circuit.x: wire 0 is already measured"):
        circuit.x(0)
    with pytest.raises(ValueError, match="already in use"):
        circuit.measure(0, 5)
    with pytest.raises(ValueError, match="clbits"):
        Circuit(2).measure([0, 1], [0])
    with pytest.raises(ValueError, match="measures"):
        circuit.inverse()


@pytest.mark.parametrize(
    ("build", "error", "words"),
    [
        (lambda: Circuit(0), ValueError, "n_wires is 0; expected 1 to 30"),
        (lambda: Circuit(-1), ValueError, "n_wires"),
        (lambda: Circuit(31), ValueError, "expected 1 to 30"),
        (lambda: Circuit(2.0), TypeError, "n_wires is 2.0"),
        (lambda: Circuit(True), TypeError, "n_wires"),
        (lambda: Circuit(2, n_weights=-1), ValueError, "n_weights"),
        (lambda: Circuit(2).h(2), ValueError, "Circuit.h: wire 2 is out of range.*0 to 1"),
        (lambda: Circuit(2).h(-1), ValueError, "Circuit.h: wire -1 is out of range"),
        (lambda: Circuit(2).h(0.0), TypeError, "Circuit.h: wire is 0.0"),
        (lambda: Circuit(2).h(True), TypeError, "Circuit.h: wire is True"),
        (lambda: Circuit(2).h("0"), TypeError, "Circuit.h: wire is '0'"),
        (lambda: Circuit(2).h(None), TypeError, "Circuit.h: wire is None"),
        (lambda: Circuit(2).cx(1, 1), ValueError, "Circuit.cx: wires are .1, 1.*own target"),
        (lambda: Circuit(3).ccx(0, 2, 0), ValueError, "Circuit.ccx"),
        (lambda: Circuit(2).cx(0), ValueError, "Circuit.cx: got 1 wires .0.; expected 2"),
        (lambda: Circuit(2).mcx([], 1).gate("mcx", []), ValueError, "expected at least 1"),
        (lambda: Circuit(1).gate("hadamat", 0), ValueError, "unknown gate 'hadamat'; known.*h,"),
        (lambda: Circuit(1).gate(3, 0), ValueError, "unknown gate 3"),
        (lambda: Circuit(1).gate("rx", 0), ValueError, "Circuit.rx: got 0 angles.*1 .theta"),
        (lambda: Circuit(1).gate("rx", 0, [1, 2]), ValueError, "Circuit.rx: got 2 angles"),
        (lambda: Circuit(1).gate("h", 0, 0.3), ValueError, "Circuit.h: got 1 angles"),
        (lambda: Circuit(1).gate("unitary", 0), ValueError, "use Circuit.unitary"),
        (lambda: Circuit(1).unitary(np.ones((2, 2)), 0), ValueError, "not unitary"),
        (lambda: Circuit(1).unitary(np.eye(4), 0), ValueError, r"shape \(4, 4\)"),
        (lambda: Circuit(1).unitary([[1, np.nan], [0, 1]], 0), ValueError, "NaN"),
        (lambda: Circuit(1).unitary("eye", 0), TypeError, "array of numbers"),
        (lambda: Circuit(1).unitary(np.eye(2) * (1 + 2e-6), 0), ValueError, "1e-06"),
        (lambda: Circuit(2).diagonal([1, 1, 1, 2], [0, 1]), ValueError, "modulus"),
        (lambda: Circuit(2).diagonal([1, 1], [0, 1]), ValueError, "shape"),
        (lambda: Circuit(2).pauli_rotation("XW", 1, [0, 1]), ValueError, "I, X, Y, Z"),
        (lambda: Circuit(2).pauli_rotation("X", 1, [0, 1]), ValueError, "one letter per wire"),
        (lambda: Circuit(2).append("h"), TypeError, "expected a Gate"),
        (lambda: Circuit(1).append(Gate("h", (1,))), ValueError, "wire 1 is out of range"),
        (lambda: Circuit(1, 1).bind([1.0, 2.0]), ValueError, "weights has shape"),
        (lambda: Circuit(1, 1).bind([1j]), ValueError, "complex"),
        (lambda: Circuit(1, 1).bind([np.nan]), ValueError, "NaN"),
        (lambda: Circuit(1, 1).bind({"w": 1}), TypeError, "mapping"),
    ],
)
def test_bad_input_is_refused_by_name(build, error, words):
    with pytest.raises(error, match=words):
        build()


def test_a_unitary_within_the_tolerance_is_accepted_and_cannot_be_changed():
    matrix = np.eye(2) * (1 + 2e-7)
    circuit = Circuit(1).unitary(matrix, 0)
    matrix[0, 0] = 5
    assert circuit.gates[0].matrix[0, 0] == 1 + 2e-7
    with pytest.raises(ValueError, match="read-only"):
        circuit.gates[0].matrix[0, 0] = 0


def test_a_refused_gate_leaves_the_circuit_as_it_was():
    circuit = Circuit(2).h(0)
    before = circuit.copy()
    with pytest.raises(ValueError, match="finite"):
        circuit.cu3(weight(7), 0.1, float("nan"), 0, 1)
    assert circuit == before


def test_wires_may_be_arrays_and_ranges():
    expected = Circuit(3).h(0).h(2)
    for wires in ([0, 2], (0, 2), range(0, 3, 2), np.array([0, 2]), torch.tensor([0, 2])):
        assert Circuit(3).h(wires) == expected
    assert Circuit(3).h(np.int64(1)) == Circuit(3).h(torch.tensor(1)) == Circuit(3).h([1])
    with pytest.raises(TypeError, match="h: wire is '0'"):
        Circuit(3).h("02")
