# SPDX-License-Identifier: Apache-2.0
"""Round trips with qiskit, and what cannot make them."""

from __future__ import annotations

import numpy as np
import pytest
import qiskit.circuit.library as library
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit, QuantumRegister, transpile
from qiskit.circuit import (
    AnnotatedOperation,
    ControlModifier,
    Gate,
    InverseModifier,
    Operation,
    Parameter,
    ParameterVector,
    PowerModifier,
)
from qiskit.circuit.random import random_circuit
from qiskit.quantum_info import (
    Kraus,
    Operator,
    Pauli,
    SparsePauliOp,
    Statevector,
    random_clifford,
    random_statevector,
    random_unitary,
)

from circuits.quantum import Circuit, input, statevector, weight

W, X = (0.3, -1.2, 0.8), (0.5, 2.2)


def assert_same(ours: np.ndarray, theirs: QuantumCircuit, atol: float = 1e-12) -> None:
    np.testing.assert_allclose(ours, Operator(theirs).data, atol=atol)


@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_random_circuits_go_there_and_back_bound(data, circuits, operator_of):
    circuit = data.draw(circuits())
    there = circuit.to_qiskit(W, X)
    assert not there.parameters
    expected = operator_of(circuit, W, X)
    assert_same(expected, there)
    np.testing.assert_allclose(operator_of(Circuit.from_qiskit(there)), expected, atol=1e-12)


@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_random_circuits_go_there_and_back_unbound(data, circuits, operator_of):
    circuit = data.draw(circuits(max_wires=3))
    there = circuit.to_qiskit()
    vectors = {p.vector.name: p.vector for p in there.parameters}
    w = vectors.get("w", ParameterVector("w", 3))
    x = vectors.get("x", ParameterVector("x", 2))
    back = Circuit.from_qiskit(there, inputs=x, weights=w)
    assert (back.n_weights, back.n_inputs) == (3, 2)
    expected = operator_of(circuit, W, X)
    np.testing.assert_allclose(operator_of(back, W, X), expected, atol=1e-12)
    values = {p: dict(w=W, x=X)[p.vector.name][p.index] for p in there.parameters}
    assert_same(expected, there.assign_parameters(values))


@pytest.mark.parametrize("seed", range(12))
def test_qiskits_own_random_circuits(seed, operator_of):
    circuit = random_circuit(1 + seed % 5, 8, max_operands=4, seed=seed)
    assert_same(operator_of(Circuit.from_qiskit(circuit)), circuit, atol=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_transpiled_circuits_keep_their_phase(seed, operator_of):
    circuit = random_circuit(3, 6, max_operands=3, seed=seed)
    lowered = transpile(circuit, basis_gates=["rz", "sx", "x", "cx"], seed_transpiler=1)
    assert_same(operator_of(Circuit.from_qiskit(lowered)), lowered)


def test_default_order_is_that_of_qiskits_parameters(operator_of):
    v, b, a = ParameterVector("v", 11), Parameter("b"), Parameter("a")
    circuit = QuantumCircuit(1)
    for parameter in (b, *reversed(v), a):
        circuit.rx(parameter, 0)
    made = Circuit.from_qiskit(circuit)
    assert (made.n_weights, made.n_inputs) == (13, 0)
    order = list(circuit.parameters)
    indices = [gate.params[0].terms[0][1] for gate in made.gates]
    assert indices == [order.index(p) for p in (b, *reversed(v), a)]


def test_inputs_and_weights_follow_the_lists():
    x, a, b = ParameterVector("x", 3), Parameter("a"), Parameter("b")
    circuit = QuantumCircuit(1)
    circuit.u(x[1] + b, 2 * a, x[0] - 1, 0)
    made = Circuit.from_qiskit(circuit, inputs=[x], weights=[b, a])
    assert (made.n_inputs, made.n_weights) == (3, 2)
    assert made.gates[0].params == (weight(0) + input(1), 2 * weight(1), input(0) - 1)
    rest = Circuit.from_qiskit(circuit, inputs=[x[0], x[1]])
    assert rest.gates[0].params[0] == weight(1) + input(1)
    named = Circuit.from_qiskit(circuit, inputs=["x[0]", "x[1]"], weights=["b", "a"])
    assert named.gates == made.gates


def test_affine_expressions_in_several_parameters_are_exact():
    a, b, c = (Parameter(name) for name in "abc")
    circuit = QuantumCircuit(1, global_phase=(a - b) / 2)
    circuit.rz(2 * (a + b) / 3 - 0.5 * (c - 1) + a, 0)
    circuit.rx(a - a + 0.25, 0)
    made = Circuit.from_qiskit(circuit)
    assert made.gates[0].params == (weight(0) / 2 - weight(1) / 2,)
    (angle,) = made.gates[1].params
    assert angle.constant == pytest.approx(0.5)
    assert [t[2] for t in angle.terms] == pytest.approx([5 / 3, 2 / 3, -0.5])
    assert made.gates[2].params == (0.25,)


def test_complex_angles_are_refused():
    a = Parameter("a")
    circuit = QuantumCircuit(1)
    circuit.rx(1j * a, 0)
    with pytest.raises(TypeError, match=r"rx on wires .0. has the complex angle"):
        Circuit.from_qiskit(circuit)


@pytest.mark.parametrize("state", range(4))
def test_every_control_state(state, operator_of):
    circuit = QuantumCircuit(3)
    circuit.append(library.U3Gate(0.3, 0.4, 0.5).control(2, ctrl_state=state), [2, 0, 1])
    circuit.append(library.CCXGate(ctrl_state=state), [0, 1, 2])
    circuit.append(library.SwapGate().control(1, ctrl_state=state % 2), [1, 0, 2])
    circuit.append(library.CU3Gate(0.1, 0.2, 0.3, ctrl_state=state % 2), [1, 2])
    circuit.append(library.RYGate(0.7).control(2, ctrl_state=state), [1, 0, 2])
    assert_same(operator_of(Circuit.from_qiskit(circuit)), circuit)


def test_composites_nest_and_their_phases_add(operator_of):
    a = Parameter("a")
    inner = QuantumCircuit(2, global_phase=0.3)
    inner.rxx(a, 0, 1)
    inner.append(library.RGate(0.1, 0.2), [1])
    outer = QuantumCircuit(3, global_phase=0.5)
    outer.append(inner.to_gate(), [2, 0])
    outer.append(inner.to_instruction({a: 2 * a}), [1, 0])
    outer.append(inner.to_gate({a: 0.25}).control(1), [0, 1, 2])
    outer.append(library.XXPlusYYGate(a, 0.2), [0, 2])
    made = Circuit.from_qiskit(outer)
    assert_same(operator_of(made, [0.9]), outer.assign_parameters({a: 0.9}))


def test_special_library_instructions(operator_of, random_unitary):
    circuit = QuantumCircuit(4)
    circuit.append(library.UnitaryGate(random_unitary(8, 1)), [3, 0, 2])
    circuit.append(library.UnitaryGate(random_unitary(2, 2)).control(1), [3, 0])
    circuit.append(library.DiagonalGate(list(np.exp(1j * np.arange(4)))), [1, 3])
    circuit.append(library.MCXGate(3), [3, 1, 0, 2])
    circuit.append(library.MCPhaseGate(0.3, 3), [0, 1, 2, 3])
    circuit.append(library.QFTGate(3), [0, 2, 3])
    circuit.append(library.PauliGate("XIZ"), [3, 2, 0])
    circuit.append(library.PermutationGate([2, 0, 1]), [0, 1, 3])
    circuit.append(library.GlobalPhaseGate(0.7), [])
    circuit.append(library.SGate().control(2, annotated=True), [0, 1, 2])
    circuit.append(library.SXGate().inverse(annotated=True).power(3, annotated=True), [1])
    circuit.barrier()
    circuit.delay(10, 0)
    circuit.id(2)
    assert_same(operator_of(Circuit.from_qiskit(circuit)), circuit, atol=1e-10)


def test_commuting_evolution_is_exact_and_other_evolution_is_its_product_formula(operator_of):
    t = Parameter("t")
    circuit = QuantumCircuit(3)
    commuting = SparsePauliOp.from_list([("XXI", 0.5), ("IXX", -0.25), ("III", 2.0)])
    circuit.append(library.PauliEvolutionGate(commuting, t), [2, 0, 1])
    made = Circuit.from_qiskit(circuit)
    assert set(made.count_gates()) == {"pauli_rotation"}
    assert_same(operator_of(made, [0.6]), circuit.assign_parameters({t: 0.6}))
    other = QuantumCircuit(2)
    gate = library.PauliEvolutionGate(SparsePauliOp(["XI", "ZZ"]), 0.4)
    other.append(gate, [0, 1])
    expected = Operator(gate.definition).data
    np.testing.assert_allclose(operator_of(Circuit.from_qiskit(other)), expected, atol=1e-12)


def test_initialize_at_the_start_is_a_state_preparation():
    state = np.array([0.5, 0.5j, -0.5, 0.5])
    circuit = QuantumCircuit(2)
    circuit.initialize(state, [0, 1])
    from circuits.quantum import statevector

    np.testing.assert_allclose(statevector(Circuit.from_qiskit(circuit))[0], state, atol=1e-12)


def test_final_measurements_travel_both_ways():
    circuit = QuantumCircuit(3, 2)
    circuit.h(0)
    circuit.measure([2, 0], [0, 1])
    made = Circuit.from_qiskit(circuit)
    assert made.measurements == ((2, 0), (0, 1))
    back = made.to_qiskit()
    assert Circuit.from_qiskit(back) == made
    assert back.count_ops()["measure"] == 2


def test_several_registers_are_numbered_in_order(operator_of):
    circuit = QuantumCircuit(QuantumRegister(1, "b"), QuantumRegister(2, "a"))
    circuit.crx(0.4, 2, 0)
    assert_same(operator_of(Circuit.from_qiskit(circuit)), circuit)


def mid_circuit_measurement() -> QuantumCircuit:
    circuit = QuantumCircuit(1, 1)
    circuit.measure(0, 0)
    circuit.x(0)
    return circuit


def mid_circuit_reset() -> QuantumCircuit:
    circuit = QuantumCircuit(1)
    circuit.h(0)
    circuit.reset(0)
    return circuit


def classical_condition() -> QuantumCircuit:
    circuit = QuantumCircuit(2, 1)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(1)
    return circuit


def loop() -> QuantumCircuit:
    circuit = QuantumCircuit(1)
    with circuit.for_loop(range(3)):
        circuit.x(0)
    return circuit


def opaque() -> QuantumCircuit:
    circuit = QuantumCircuit(1)
    circuit.append(Gate("mystery", 1, []), [0])
    return circuit


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (mid_circuit_measurement, "wire 0 is already measured"),
        (mid_circuit_reset, "reset on wire 0"),
        (classical_condition, "'if_else' on wires .* classical"),
        (loop, "'for_loop' on wires .* control flow"),
        (opaque, "'mystery' on wires .0. has neither a definition nor a unitary"),
        (lambda: QuantumCircuit(0), "no qubits"),
    ],
)
def test_what_is_not_a_unitary_circuit_is_refused(make, words):
    with pytest.raises(ValueError, match=words):
        Circuit.from_qiskit(make())


def test_parameter_lists_are_checked():
    a, b = Parameter("a"), Parameter("b")
    circuit = QuantumCircuit(1)
    circuit.rx(a + b, 0)
    with pytest.raises(ValueError, match="'a' is listed twice"):
        Circuit.from_qiskit(circuit, inputs=[a], weights=[a, b])
    with pytest.raises(ValueError, match="unbound parameters b are in neither"):
        Circuit.from_qiskit(circuit, inputs=[a], weights=[])
    with pytest.raises(ValueError, match=r"names 'c'; .* a, b"):
        Circuit.from_qiskit(circuit, inputs=["c"])
    with pytest.raises(TypeError, match="expected a Parameter"):
        Circuit.from_qiskit(circuit, inputs=[3])
    with pytest.raises(TypeError, match="expected a QuantumCircuit"):
        Circuit.from_qiskit("circuit")


def test_a_gate_that_only_has_a_familiar_name_is_expanded(operator_of):
    fake = QuantumCircuit(1, name="h")
    fake.x(0)
    circuit = QuantumCircuit(1)
    circuit.append(fake.to_gate(), [0])
    assert Circuit.from_qiskit(circuit).gates == Circuit(1).x(0).gates


def test_draw_shows_the_gates_and_the_symbols():
    picture = str(Circuit(2).rx(weight(0) / 2, 0).cx(0, 1).draw(output="text"))
    assert "Rx(" in picture
    assert "w[0]" in picture


def mixed_state(n: int) -> QuantumCircuit:
    circuit = QuantumCircuit(n)
    for k in range(n):
        circuit.u(0.3 + k, 0.8 - k, 0.1 * k, k)
    return circuit


NESTED = QuantumCircuit(2, global_phase=0.3)
NESTED.append(library.QFTGate(2).inverse(), [1, 0])
DEEPER = QuantumCircuit(2)
DEEPER.append(random_clifford(2, seed=5), [1, 0])
DEEPER.append(NESTED.to_gate(), [1, 0])

OPERATIONS = {
    "Clifford": random_clifford(3, seed=1),
    "Operator": Operator(random_unitary(4, seed=1)),
    "Pauli": Pauli("-iXY"),
    "annotated inverse": AnnotatedOperation(library.SGate(), InverseModifier()),
    "annotated control": AnnotatedOperation(library.SGate(), [ControlModifier(2, 1)]),
    "annotated power": AnnotatedOperation(library.SXGate(), [PowerModifier(0.3)]),
    "annotated all": AnnotatedOperation(
        library.QFTGate(2), [PowerModifier(3), InverseModifier(), ControlModifier(1, 0)]
    ),
    "annotated Clifford": AnnotatedOperation(
        random_clifford(2, seed=2), [ControlModifier(1), InverseModifier()]
    ),
    "annotated twice": AnnotatedOperation(
        AnnotatedOperation(library.TGate(), ControlModifier(1)), PowerModifier(-2)
    ),
    "nested": DEEPER.to_instruction(),
    "nested, controlled": NESTED.to_gate().control(1, ctrl_state=0),
    "StatePreparation": library.StatePreparation(random_statevector(8, seed=1)),
    "PauliGate": library.PauliGate("XYZ"),
    "PermutationGate": library.PermutationGate([2, 0, 1]),
    "MCXGate": library.MCXGate(3, ctrl_state=2),
    "Isometry": library.Isometry(np.eye(4)[:, :2], 0, 0),
    "UCGate": library.UCGate([random_unitary(2, seed=k).data for k in range(4)]),
    "LinearFunction": library.LinearFunction([[1, 1], [0, 1]]),
    "HamiltonianGate": library.HamiltonianGate(np.diag([1, 2.0]), 0.3),
    "HalfAdderGate": library.HalfAdderGate(1),
    "PhaseOracleGate": library.PhaseOracleGate("a & b"),
    "diagonal on 7 wires": library.DiagonalGate(np.exp(1j * np.arange(128) ** 2).tolist()),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_whatever_a_circuit_may_hold_is_converted(name):
    operation = OPERATIONS[name]
    n = operation.num_qubits
    circuit = mixed_state(n)
    circuit.append(operation, list(range(n)))
    ours = statevector(Circuit.from_qiskit(circuit))[0].numpy()
    np.testing.assert_allclose(ours, Statevector(circuit).data, atol=1e-13)


def test_annotated_gates_keep_their_parameters():
    a = Parameter("a")
    circuit = QuantumCircuit(2)
    gate = AnnotatedOperation(library.UGate(a, 0.1, 0.2), [PowerModifier(-3), ControlModifier(1)])
    circuit.append(gate, [0, 1])
    made = Circuit.from_qiskit(circuit)
    assert made.n_weights == 1
    plain = QuantumCircuit(2)
    plain.append(library.UGate(0.7, 0.1, 0.2).power(-3).control(1, annotated=False), [0, 1])
    np.testing.assert_allclose(
        Operator(made.to_qiskit([0.7])).data, Operator(plain).data, atol=1e-13
    )


class Strange(Operation):
    """What a third party may append."""

    name, num_qubits, num_clbits = "strange", 1, 0


@pytest.mark.parametrize(
    ("operation", "words"),
    [
        (Strange(), "'strange' on wires .0. is a Strange"),
        (AnnotatedOperation(library.Initialize([1, 0]), InverseModifier()), "annotates 'init"),
        (
            AnnotatedOperation(library.UGate(Parameter("a"), 0, 0), PowerModifier(0.5)),
            "unbound parameters to the power 0.5; expected an integer",
        ),
        (Kraus([np.eye(2) * 0.6, np.diag([0.8, -0.8])]).to_instruction(), "'kraus' on wires .0."),
        (library.Initialize([0.6, 0.8]), "reset on wire 0"),
    ],
)
def test_what_has_no_unitary_is_refused_by_name(operation, words):
    circuit = QuantumCircuit(1)
    circuit.h(0)
    circuit.append(operation, [0])
    with pytest.raises(ValueError, match=words):
        Circuit.from_qiskit(circuit)


def test_boxes_are_opened():
    a = Parameter("a")
    circuit = QuantumCircuit(2, 1)
    with circuit.box():
        circuit.rx(a, 1)
        circuit.cx(1, 0)
        circuit.measure(0, 0)
    made = Circuit.from_qiskit(circuit)
    assert [str(gate) for gate in made.gates] == ["rx(w[0]) on [1]", "cx on [1, 0]"]
    assert made.measurements == ((0, 0),)


def test_durations_of_delays_are_no_weights():
    a, t = Parameter("a"), Parameter("t")
    circuit = QuantumCircuit(1)
    circuit.delay(t, 0, unit="s")
    circuit.rx(a, 0)
    for made in (Circuit.from_qiskit(circuit), Circuit.from_qiskit(circuit, weights=[a])):
        assert (made.n_weights, str(made.gates[0])) == (1, "rx(w[0]) on [0]")
    assert Circuit.from_qiskit(circuit, weights=[t, a]).n_weights == 2


def test_evolutions_for_a_symbolic_time_are_exact():
    t, s = Parameter("t"), Parameter("s")
    circuit = mixed_state(2)
    evolution = library.PauliEvolutionGate(SparsePauliOp(["ZZ", "XX"], [0.5, -0.7]), time=t * s)
    circuit.append(evolution, [0, 1])
    made = Circuit.from_qiskit(circuit)
    values = torch.tensor([0.3, 1.7], dtype=torch.float64)
    expected = Statevector(circuit.assign_parameters([0.3, 1.7])).data
    np.testing.assert_allclose(statevector(made, values)[0].numpy(), expected, atol=1e-13)
