# SPDX-License-Identifier: Apache-2.0
"""OpenQASM 2 and 3 there and back."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.quantum_info import Operator

from circuits.quantum import Circuit, input, statevector, weight
from circuits.quantum.gates import GATES

W, X = (0.3, -1.2, 0.8), (0.5, 2.2)


def without_phase(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    overlap = np.vdot(ours, theirs)
    return ours * (overlap / abs(overlap))


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("name", GATES)
def test_every_gate_comes_back(name, version, append_gate, operator_of):
    count = GATES[name].n_wires
    for k in [count] if count is not None else [1, 2, 4]:
        circuit = Circuit(max(k, 1))
        append_gate(
            circuit, name, list(range(k))[::-1], [0.7, -2.3, 5.1, 1.9][: len(GATES[name].params)]
        )
        ours = operator_of(Circuit.from_qasm(circuit.to_qasm(version)))
        expected = operator_of(circuit)
        if version == 2:
            ours = without_phase(ours, expected)
        np.testing.assert_allclose(ours, expected, atol=1e-9)


@settings(deadline=None, max_examples=15)
@given(data=st.data())
def test_random_circuits_come_back_unbound_from_version_3(data, circuits, operator_of):
    circuit = data.draw(circuits(max_wires=3))
    back = Circuit.from_qasm(circuit.to_qasm(3))
    w, x = W[: back.n_weights], X[: back.n_inputs]
    np.testing.assert_allclose(operator_of(back, w, x), operator_of(circuit, W, X), atol=1e-9)


@settings(deadline=None, max_examples=15)
@given(data=st.data())
def test_random_circuits_come_back_bound_from_version_2(data, circuits, operator_of):
    circuit = data.draw(circuits(max_wires=3))
    back = operator_of(Circuit.from_qasm(circuit.to_qasm(2, W, X)))
    expected = operator_of(circuit, W, X)
    np.testing.assert_allclose(without_phase(back, expected), expected, atol=1e-9)


def test_more_than_ten_parameters_keep_their_numbers():
    circuit = Circuit(1)
    for index in (11, 2, 10, 0):
        circuit.rx(weight(index) - input(index) / 2, 0)
    back = Circuit.from_qasm(circuit.to_qasm(3))
    assert back.gates == circuit.gates
    assert (back.n_weights, back.n_inputs) == (12, 12)


def test_text_is_the_same_every_time(random_unitary):
    circuit = Circuit(2)
    for seed in (1, 2, 1):
        circuit.unitary(random_unitary(4, seed), [0, 1])
    for version in (2, 3):
        text = circuit.to_qasm(version)
        assert text == circuit.to_qasm(version)
        assert text.count("gate unitary") == 2


def test_foreign_parameters_can_be_assigned_by_name():
    text = (
        'OPENQASM 3.0;\ninclude "stdgates.inc";\ninput float[64] beta;\ninput float[64] alpha;\n'
        "qubit[1] q;\nrx(2*alpha - beta) q[0];\n"
    )
    assert Circuit.from_qasm(text).gates[0].params == (2 * weight(0) - weight(1),)
    given_lists = Circuit.from_qasm(text, inputs=["beta"], weights=["alpha"])
    assert given_lists.gates[0].params == (2 * weight(0) - input(0),)


def test_qiskits_reading_of_a_foreign_version_2_program(operator_of):
    text = (
        '// made elsewhere\nOPENQASM 2.0;\ninclude "qelib1.inc";\n'
        "gate pair(a) p,q { cx p,q; rz(a/2) q; cx p,q; }\n"
        "qreg q[2];\ncreg c[2];\nh q[0];\npair(pi/3) q[1],q[0];\nmeasure q -> c;\n"
    )
    made = Circuit.from_qasm(text)
    assert made.measurements == ((0, 0), (1, 1))
    expected = QuantumCircuit.from_qasm_str(text).remove_final_measurements(inplace=False)
    np.testing.assert_allclose(operator_of(made), Operator(expected).data, atol=1e-12)


def test_measurements_are_written():
    for version in (2, 3):
        circuit = Circuit(2).h(0).measure([1, 0], [0, 1])
        assert Circuit.from_qasm(circuit.to_qasm(version)) == circuit


def test_version_2_has_no_parameters():
    with pytest.raises(ValueError, match=r"OpenQASM 2 has no parameters.*1 weights and 0 inputs"):
        Circuit(1).rx(weight(0), 0).to_qasm(2)
    with pytest.raises(ValueError, match="version is 4"):
        Circuit(1).to_qasm(4)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("OPENQASM 2.0;\nqreg q[1];\nnonsense q[0];", "OpenQASM 2 refused"),
        ("OPENQASM 3.0;\nqubit[1] q;\nnonsense q[0];", "OpenQASM 3 refused"),
        ("OPENQASM 4.0;\n", "version 4"),
        (
            'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[1];\ncreg c[1];\n'
            "measure q -> c;\nif(c==1) x q[0];",
            "classical",
        ),
    ],
)
def test_bad_programs_are_refused(text, words):
    with pytest.raises(ValueError, match=words):
        Circuit.from_qasm(text)


def test_text_must_be_a_string():
    with pytest.raises(TypeError, match="got bytes"):
        Circuit.from_qasm(b"OPENQASM 2.0;")


def test_missing_importer_is_named_with_its_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "qiskit_qasm3_import", None)
    with pytest.raises(ImportError, match=r"pip install .*\[quantum\]'"):
        Circuit.from_qasm("OPENQASM 3.0;\nqubit[1] q;")


V3 = 'OPENQASM 3;\ninclude "stdgates.inc";\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "text is empty"),
        ("  // nothing\n", "text is empty"),
        ("foo", "OpenQASM 3 refused: line 1:3"),
        ("OPENQASM", "line 1:8, at '<EOF>'"),
        ("\x00", "line 1:0"),
        ("OPENQASM 3.0;", "the circuit has no qubits"),
        ("OPENQASM 4.0;", "OpenQASM version 4; expected 2 or 3"),
        (V3 + "qubit[2] q;\nh q[0]", "line 4:6, at '<EOF>'"),
        (V3 + "qubit[2] q;\nh q[5];", "line 4: index out of range"),
        (V3 + "qubit q;\nrx(a) q;", "4,3: Undefined symbol 'a'"),
        ("OPENQASM 3;\nqubit q;\nU(1,2) q;", "line 3: .*missing 1 required"),
        ("OPENQASM 2.0;\nqreg q[2];\nfoo q[0];", "OpenQASM 2 refused: <input>:3,0: 'foo'"),
        ("qreg q[2]; h q[0];", "OpenQASM 2 refused: <input>:1,11"),
        ('include "qelib1.inc"; OPENQASM 2.0;', "only the first statement"),
    ],
)
def test_text_that_does_not_parse_is_refused_with_its_line(text, words, capfd):
    with pytest.raises(ValueError, match=words):
        Circuit.from_qasm(text)
    assert capfd.readouterr() == ("", "")


def test_version_2_is_known_without_its_first_line():
    text = 'include "qelib1.inc";\nqreg q[2];\ncreg c[2];\nh q[0];\ncx q[0],q[1];'
    assert Circuit.from_qasm(text) == Circuit.from_qasm("OPENQASM 2.0;\n" + text)
    assert Circuit.from_qasm(text).count_gates() == {"h": 1, "cx": 1}


def test_products_and_quotients_of_parameters_go_there_and_back():
    circuit = Circuit(2).rx(weight(0) * input(0), 0)
    circuit.rzz((3 - input(0)) * (3 - input(1)), 0, 1).p(0.5 * weight(0) / input(1), 1)
    back = Circuit.from_qasm(circuit.to_qasm())
    assert back.n_weights == 1
    w, x = torch.tensor([0.3]), torch.tensor([[0.5, 1.5]])
    torch.testing.assert_close(statevector(back, w, x), statevector(circuit, w, x))
    assert "sin(w_0)" in Circuit(1).rx(weight(0).sin(), 0).to_qasm()


@pytest.mark.parametrize("name", ["abs", "arccos", "arcsin", "arctan", "sign"])
def test_functions_without_words_need_values(name):
    circuit = Circuit(1).rx(0.5 * getattr(weight(0), name)(), 0)
    with pytest.raises(ValueError, match=f"rx.* has {name} of a parameter"):
        circuit.to_qasm()
    assert Circuit.from_qasm(circuit.to_qasm(weights=[0.3])) == circuit.bind([0.3])
