# SPDX-License-Identifier: Apache-2.0
"""Observables in every notation, against qiskit's own expectation values."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit.quantum_info import (
    DensityMatrix,
    Operator,
    Pauli,
    SparseObservable,
    SparsePauliOp,
    Statevector,
    random_hermitian,
    random_statevector,
    state_fidelity,
)

from circuits.quantum import Circuit, expectation, observables, probabilities

strings = st.text(alphabet="IXYZ", min_size=3, max_size=3)
sums = st.dictionaries(strings, st.floats(-3, 3), min_size=1, max_size=5)


def prepared() -> Circuit:
    return Circuit(3).u(0.3, 0.8, 0.1, 0).u(1.1, 0.2, 0.5, 1).ry(2.0, 2).cx(0, 1).crx(0.7, 2, 0)


def qiskits_value(rows: list[SparsePauliOp]) -> list[float]:
    state = Statevector(prepared().to_qiskit())
    return [state.expectation_value(row).real for row in rows]


def ours(spec: object) -> list[float]:
    return expectation(prepared(), spec)[0].tolist()


@settings(deadline=None, max_examples=40)
@given(rows=st.lists(sums, min_size=1, max_size=3))
def test_all_notations_give_qiskits_values(rows):
    operators = [SparsePauliOp(list(row), list(row.values())) for row in rows]
    expected = pytest.approx(qiskits_value(operators), abs=1e-12)
    assert ours(rows) == expected
    assert ours(operators) == expected
    assert ours(rows[0]) == ours(operators[0]) == pytest.approx([qiskits_value(operators)[0]])


@given(string=strings)
@settings(deadline=None, max_examples=20)
def test_strings_and_paulis_read_right_to_left(string):
    expected = pytest.approx(qiskits_value([SparsePauliOp(string)]), abs=1e-12)
    assert ours(string) == ours([string]) == ours((string,)) == ours(Pauli(string)) == expected
    assert ours(Pauli("-" + string)) == pytest.approx([-v for v in ours(string)])


def test_z_is_one_column_per_wire():
    expected = qiskits_value([SparsePauliOp(s) for s in ("IIZ", "IZI", "ZII")])
    assert ours("z") == pytest.approx(expected, abs=1e-12)
    one = observables("Z", 1)
    assert (one.n_rows, one.terms.tolist()) == (1, [[0, 0, 1]])


def test_duplicates_are_merged_within_an_observable_only():
    merged = observables([SparsePauliOp(["XY", "XY", "ZI"], [1.0, 0.5, 2.0]), "XY"], 2)
    assert merged.terms.tolist() == [[0, 0b11, 0b01], [0, 0, 0b10], [1, 0b11, 0b01]]
    assert merged.coefficients.tolist() == [1.5, 2.0, 1.0]
    assert merged.coefficients.dtype is torch.float64


def test_ready_observables_pass_through():
    ready = observables("ZZ", 2)
    assert observables(ready, 2) is ready


def test_real_numbers_of_numpy_are_coefficients():
    spec = {"ZZ": np.float32(0.5), "XX": np.complex128(2.0), "YY": 1}
    assert observables(spec, 2).coefficients.tolist() == [0.5, 2.0, 1.0]


@pytest.mark.parametrize(
    ("spec", "error", "words"),
    [
        ("ZZ", ValueError, "'ZZ' has 2 letters; expected 3"),
        ("ZZW", ValueError, "'ZZW' holds 'W'"),
        ("zzz", ValueError, "'zzz' holds 'z'"),
        ([], ValueError, "empty"),
        (["z"], ValueError, "'z' has 1 letters"),
        ({"ZZZ": 1j}, TypeError, "coefficient of 'ZZZ' is 1j"),
        (SparsePauliOp("ZZZ", 1 + 1e-3j), TypeError, "coefficient of 'ZZZ'"),
        (Pauli("iZZZ"), TypeError, "coefficient of 'ZZZ'"),
        ({"ZZZ": float("nan")}, ValueError, "is nan"),
        ({"ZZZ": "1"}, TypeError, "is '1'"),
        ({3: 1.0}, TypeError, "3 is no Pauli string"),
        (SparsePauliOp("ZZ"), ValueError, "2 letters; expected 3"),
        (None, TypeError, "got NoneType"),
        (3, TypeError, "got int"),
        ([3], TypeError, "of type int"),
    ],
)
def test_bad_observables_are_refused(spec, error, words):
    with pytest.raises(error, match=words):
        observables(spec, 3)


@pytest.mark.parametrize("wires", [[0], [2], [2, 0], [1, 2, 0]])
def test_hermitian_matrices_act_on_named_wires(wires):
    matrix = random_hermitian(2 ** len(wires), seed=len(wires)).data
    state = Statevector(prepared().to_qiskit())
    expected = pytest.approx([state.expectation_value(Operator(matrix), wires).real], abs=1e-12)
    assert ours((matrix, wires)) == expected
    assert ours((torch.tensor(matrix), np.array(wires))) == expected
    assert ours([(matrix, wires), "ZII", (matrix, wires)])[::2] == [ours((matrix, wires))[0]] * 2
    if len(wires) == 1:
        assert ours((matrix, wires[0])) == expected


def test_matrices_on_all_wires_in_every_form():
    matrix = random_hermitian(8, seed=1).data
    state = Statevector(prepared().to_qiskit())
    expected = pytest.approx(state.expectation_value(Operator(matrix)).real, abs=1e-12)
    for spec in (matrix, Operator(matrix), torch.tensor(matrix), [matrix, matrix.copy()]):
        assert ours(spec) == [expected] * (2 if isinstance(spec, list) else 1)
    assert ours(np.stack([matrix, 2 * matrix])) == [expected, pytest.approx(2 * expected.expected)]


@given(letters=st.text(alphabet="IXYZ01+-rl", min_size=3, max_size=3))
@settings(deadline=None, max_examples=40)
def test_projectors_are_qiskits(letters):
    sparse = SparseObservable(letters)
    expected = pytest.approx(
        qiskits_value([SparsePauliOp.from_sparse_observable(sparse)]), abs=1e-12
    )
    assert ours(letters) == expected
    assert ours(sparse) == expected
    assert ours({letters: 0.5, "IIZ": 0.0}) == pytest.approx([0.5 * v for v in ours(letters)])


def test_a_projector_on_a_basis_state_is_its_probability():
    expected = probabilities(prepared())[0].tolist()
    assert ours([f"{k:03b}" for k in range(8)]) == pytest.approx(expected, abs=1e-14)


def test_a_state_is_the_observable_of_its_fidelity():
    target = random_statevector(8, seed=3)
    expected = pytest.approx(state_fidelity(target, Statevector(prepared().to_qiskit())))
    assert ours(target) == ours(DensityMatrix(target)) == [expected]


H = random_hermitian(4, seed=2).data


@pytest.mark.parametrize(
    ("spec", "error", "words"),
    [
        (H, ValueError, r"shape \(4, 4\); expected \(8, 8\) for wires \[0, 1, 2\]"),
        (Operator(H), ValueError, r"shape \(4, 4\)"),
        ((H, [0, 0]), ValueError, "different wires of 0 to 2"),
        ((H, [0, 3]), ValueError, "different wires of 0 to 2"),
        ((H, [0]), ValueError, r"expected \(2, 2\) for wires \[0\]"),
        ((H, [0.5, 1]), TypeError, "wires of a matrix"),
        ((H + 1e-3j * np.ones((4, 4)), [0, 1]), ValueError, "not Hermitian"),
        ((H * np.nan, [0, 1]), ValueError, "NaN"),
        ((torch.tensor(H, requires_grad=True), [0, 1]), ValueError, "requires a gradient"),
        ((np.array([["a", "b"], ["c", "d"]]), 0), TypeError, "must hold numbers"),
        ([[1.0, 2.0], [3.0, 4.0]], TypeError, "of type list"),
        (prepared().to_qiskit(), TypeError, "QuantumCircuit"),
        (observables("z", 5), ValueError, "acts on wire 4; the circuit has wires 0 to 2"),
        (SparseObservable("01"), ValueError, "'01' has 2 letters; expected 3"),
    ],
)
def test_observables_that_do_not_fit_are_refused(spec, error, words):
    with pytest.raises(error, match=words):
        observables(spec, 3)


def test_sizes_past_the_limits_are_refused():
    with pytest.raises(ValueError, match="at most 8"):
        observables(np.eye(2**9), 9)
    with pytest.raises(ValueError, match="projects 17 wires"):
        observables("0" * 17, 17)
