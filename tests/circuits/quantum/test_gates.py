# SPDX-License-Identifier: Apache-2.0
"""Every gate against qiskit's matrix, global phase included."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import qiskit.circuit.library as library
import scipy.linalg
import torch
from qiskit import QuantumCircuit
from qiskit.quantum_info import Operator, SparsePauliOp

from circuits.quantum import Circuit, weight
from circuits.quantum.gates import ALIASES, GATES
from workbench.ops.reference.statevector import expectation_reference

ANGLES = (0.7, -2.3, 5.1, 1.9)

#: Gates that are methods of a qiskit circuit: an oracle apart from the converter's own table.
QISKIT_METHODS = frozenset(
    """
    id h x y z s sdg t tdg sx sxdg rx ry rz p r u
    cx cy cz ch cs csdg csx cp crx cry crz cu swap iswap dcx ecr
    rxx ryy rzz rzx ccx ccz cswap
    """.split()  # noqa: SIM905  (forty quoted names read worse)
)


def qiskit_circuit(name: str, n_wires: int, wires: tuple[int, ...], matrix) -> QuantumCircuit:
    circuit = QuantumCircuit(n_wires)
    angles = ANGLES[: len(GATES[name].params)]
    if name in QISKIT_METHODS:
        getattr(circuit, name)(*angles, *wires)
    elif name == "cu3":
        circuit.append(library.CU3Gate(*angles), wires)
    elif name == "u2":
        circuit.append(library.U2Gate(*angles), wires)
    elif name == "mcx":
        circuit.mcx(list(wires[:-1]), wires[-1])
    elif name == "mcp":
        circuit.mcp(angles[0], list(wires[:-1]), wires[-1])
    elif name == "global_phase":
        circuit.global_phase = angles[0]
    elif name == "sh":
        circuit.ry(np.pi / 4, wires[0])
    elif name == "sqh":
        circuit.unitary(scipy.linalg.sqrtm(library.HGate().to_matrix()), wires)
    elif name == "sqswap":
        circuit.unitary(scipy.linalg.sqrtm(library.SwapGate().to_matrix()), wires)
    elif name == "pauli_rotation":
        string = SparsePauliOp("XYZI"[: len(wires)]).to_matrix()
        circuit.unitary(scipy.linalg.expm(-0.5j * angles[0] * string), wires)
    elif name == "unitary":
        circuit.unitary(matrix, wires)
    elif name == "diagonal":
        circuit.append(library.DiagonalGate(matrix.tolist()), wires)
    return circuit


@pytest.mark.parametrize("name", GATES)
def test_gate_is_qiskits_on_all_wire_orders(name, append_gate, operator_of):
    count = GATES[name].n_wires
    counts = [count] if count is not None else [2, 3]
    compared = 0
    for k, n_wires in itertools.product(counts, range(1, 6)):
        orders = list(itertools.permutations(range(n_wires), k))
        # At most 12 of the orders, evenly taken, the first and the last among them.
        step = max(1, len(orders) // 11)
        for wires in orders[::step] + orders[-1:]:
            circuit = append_gate(
                Circuit(n_wires), name, list(wires), list(ANGLES)[: len(GATES[name].params)]
            )
            expected = Operator(qiskit_circuit(name, n_wires, wires, circuit.gates[0].matrix)).data
            np.testing.assert_allclose(operator_of(circuit), expected, atol=1e-12)
            compared += 1
    assert compared >= 3


@pytest.mark.parametrize("name", GATES)
def test_inverse_undoes_the_gate(name, append_gate, operator_of):
    k = GATES[name].n_wires
    k = 3 if k is None else k
    circuit = Circuit(max(k, 1))
    append_gate(circuit, name, list(range(k))[::-1], list(ANGLES)[: len(GATES[name].params)])
    both = circuit.copy().compose(circuit.inverse())
    np.testing.assert_allclose(operator_of(both), np.eye(2**both.n_wires), atol=1e-12)


def test_every_gate_is_a_method_and_so_is_every_alias_in_the_brief():
    for name in [*GATES, "u1", "u3", "cu1", "cnot", "toffoli", "fredkin"]:
        assert callable(getattr(Circuit, name))


@pytest.mark.parametrize("alias", ALIASES)
def test_alias_is_stored_under_the_canonical_name(alias):
    spec = GATES[ALIASES[alias]]
    count = spec.n_wires or 3
    circuit = Circuit(count).gate(alias, range(count), ANGLES[: len(spec.params)])
    assert circuit.gates[0].name == spec.name


def test_sh_is_torchquantums_and_sqh_squares_to_h(operator_of):
    c, s = np.cos(np.pi / 8), np.sin(np.pi / 8)
    np.testing.assert_allclose(operator_of(Circuit(1).sh(0)), [[c, -s], [s, c]], atol=1e-15)
    root = operator_of(Circuit(1).sqh(0))
    np.testing.assert_allclose(root @ root, library.HGate().to_matrix(), atol=1e-15)


def test_rzx_puts_z_on_the_first_wire(operator_of):
    expected = scipy.linalg.expm(-0.35j * SparsePauliOp("XZ").to_matrix())  # Z on qubit 0
    np.testing.assert_allclose(operator_of(Circuit(2).rzx(0.7, 0, 1)), expected, atol=1e-14)


def test_controlled_rotations_have_period_4_pi_not_2_pi(operator_of):
    def cu3(theta):
        return operator_of(Circuit(2).cu3(theta, 0.3, 0.4, 0, 1))

    np.testing.assert_allclose(cu3(0.5 + 4 * np.pi), cu3(0.5), atol=1e-12)
    assert np.abs(cu3(0.5 + 2 * np.pi) - cu3(0.5)).max() > 0.5


ONE_PARAMETER_TWO_VALUED = ["rx", "ry", "rz", "p", "rxx", "ryy", "rzz", "rzx", "pauli_rotation"]


@pytest.mark.parametrize("name", ONE_PARAMETER_TWO_VALUED)
def test_parameter_shift_rule_gives_the_gradient(name, append_gate):
    """d<O>/dt = (<O>(t + pi/2) - <O>(t - pi/2)) / 2 for generators with eigenvalues +-1/2."""
    from circuits.quantum import observables

    k = GATES[name].n_wires or 2
    circuit = Circuit(2).u(0.3, 0.8, 0.1, 0).u(1.1, 0.2, 0.5, 1).cx(0, 1)
    append_gate(circuit, name, list(range(k)), [weight(0)])
    circuit.u(0.9, 0.4, 0.2, 0).ch(1, 0).ry(0.3, 1)
    rows = observables(["ZI", "XY"], 2)

    def value(w):
        return expectation_reference(circuit.program(), rows, w, torch.zeros(1, 0).double())[0]

    w = torch.tensor([0.37], dtype=torch.float64)
    gradient = torch.autograd.functional.jacobian(value, w)[:, 0]
    shifted = (value(w + np.pi / 2) - value(w - np.pi / 2)) / 2
    torch.testing.assert_close(gradient, shifted, atol=1e-12, rtol=0)
