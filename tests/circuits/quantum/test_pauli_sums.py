# SPDX-License-Identifier: Apache-2.0
"""Observables in every notation, against qiskit's own expectation values."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit.quantum_info import Pauli, SparsePauliOp, Statevector

from circuits.quantum import Circuit, expectation, observables

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
