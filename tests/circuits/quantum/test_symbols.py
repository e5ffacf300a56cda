# SPDX-License-Identifier: Apache-2.0
"""Affine angles: arithmetic, normal form, refusals."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from circuits.quantum import Affine, Circuit, input, weight
from circuits.quantum.symbols import evaluate
from workbench.ops.program import Source

numbers = st.floats(-100, 100, allow_nan=False)


@given(a=numbers, b=numbers, c=numbers, w=numbers, x=numbers)
def test_arithmetic_agrees_with_numbers(a, b, c, w, x):
    symbolic = a * weight(1) - (input(0) * b + c) + weight(1) - c * input(0) / 3
    expected = a * w - (x * b + c) + w - c * x / 3
    assert evaluate(symbolic, [0.0, w], [x]) == pytest.approx(expected, abs=1e-9)


def test_terms_are_sorted_and_merged_so_that_equal_angles_are_equal():
    assert input(0) + 2 * weight(3) - 1 == -1 + weight(3) + input(0) + weight(3)
    assert (weight(0) - weight(0)).terms == ()
    assert (0 * weight(0)).terms == ()
    assert hash(weight(1) + 1) == hash(1 + weight(1))


def test_numpy_and_torch_scalars_work_on_both_sides():
    expected = Affine(0.5, ((Source.WEIGHT, 0, 2.0),))
    assert np.float64(2) * weight(0) + np.float32(0.5) == expected
    assert weight(0) * np.float64(2) + 0.5 == expected
    assert torch.tensor(2.0) * weight(0) + torch.tensor(0.5, dtype=torch.float64) == expected
    assert np.array(0.5) + weight(0) * 2 == expected


def test_repr_reads_as_written():
    assert repr(2 * weight(0) - input(3) / 4 + 0.5) == "2*w[0] - 0.25*x[3] + 0.5"
    assert repr(-weight(1)) == "-w[1]"


def test_symbols_copy_and_pickle():
    angle = 2 * weight(0) + 1
    assert pickle.loads(pickle.dumps(angle)) == angle == copy.deepcopy(angle)


@pytest.mark.parametrize(
    "expression",
    [
        lambda: weight(0) * 1j,
        lambda: 1j / weight(0),
        lambda: weight(0) ** 1j,
        lambda: weight(0) * input(0) * None,
        lambda: weight(0) + 1j,
        lambda: weight(0) * True,
        lambda: weight(0) + "1",
        lambda: weight(0) * torch.tensor([1.0, 2.0]),
        lambda: weight(0) * torch.tensor(1),
        lambda: weight(0.5),
        lambda: input("x"),
    ],
)
def test_what_is_not_real_is_a_type_error(expression):
    with pytest.raises(TypeError):
        expression()


def test_negative_index_and_infinite_factor_are_value_errors():
    with pytest.raises(ValueError, match="index is -1"):
        weight(-1)
    with pytest.raises(ValueError, match="finite"):
        weight(0) * float("inf")


def test_zero_division_is_pythons_own_error():
    with pytest.raises(ZeroDivisionError):
        weight(0) / 0


@pytest.mark.parametrize(
    ("angle", "error", "words"),
    [
        (float("nan"), ValueError, "rx: angle theta on wires .1. is nan"),
        (float("inf"), ValueError, "rx: angle theta"),
        (weight(0) + float("nan"), ValueError, "rx: angle theta"),
        (1j, TypeError, "real number"),
        (True, TypeError, "real number"),
        ("0.3", TypeError, "real number"),
        (None, TypeError, "real number"),
        (torch.tensor(0.5, dtype=torch.float16), TypeError, "float16"),
        (torch.tensor(1), TypeError, "int64"),
        (torch.tensor(0.5 + 0j), TypeError, "complex64"),
        (torch.tensor(0.5, requires_grad=True), ValueError, "weight"),
    ],
)
def test_bad_angle_is_refused_by_gate_and_wire(angle, error, words):
    circuit = Circuit(2)
    with pytest.raises(error, match=words):
        circuit.rx(angle, 1)
    assert len(circuit) == 0


@pytest.mark.parametrize(
    "angle", [1, 1.0, np.float32(1), np.int64(1), np.array(1.0), torch.tensor(1.0)]
)
def test_real_numbers_of_all_kinds_become_floats(angle):
    (gate,) = Circuit(1).rx(angle, 0).gates
    assert gate.params == (1.0,)
    assert type(gate.params[0]) is float
