# SPDX-License-Identifier: Apache-2.0
"""Circuits: what is refused, by name; and how they are lowered."""

from __future__ import annotations

import copy
import math
import pickle

import numpy as np
import pytest
import torch

from circuits.analog import Circuit, technology_card
from circuits.analog.expression import Expression


def amplifier() -> Circuit:
    """A common source with a resistor, two parameters."""
    circuit = Circuit("amplifier")
    w = circuit.parameter("W", 1e-5, low=1e-6, high=1e-4, unit="m")
    r = circuit.parameter("R", 1e4, low=1e2, high=1e6, unit="ohm")
    m = circuit.parameter("M", 2, low=1, high=8, integer=True)
    circuit.model("n", "nmos", vto=0.5, kp=2e-4, lambda_=0.05, ld=1e-8)
    circuit.voltage_source("Vdd", "vdd", 0, dc=1.8)
    circuit.voltage_source("Vin", "in", "gnd", dc=0.8, ac=1)
    circuit.mosfet("M1", "out", "in", 0, 0, "n", w=w, l=1e-6, m=m, ad=2e-6 * w, as_=2e-6 * w)
    circuit.resistor("RL", "vdd", "OUT", r)
    circuit.capacitor("CL", "out", 0, 1e-12)
    return circuit


def test_names_ignore_case_and_keep_their_first_spelling():
    circuit = amplifier()
    assert circuit.nodes == ("0", "vdd", "in", "out")
    assert circuit.element("rl").nodes == ("vdd", "out")
    assert list(circuit.parameters) == ["W", "R", "M"]
    assert repr(circuit) == "Circuit('amplifier', 5 elements, 4 nodes, 3 parameters)"


def test_rows_that_say_the_same_are_one():
    lowered = amplifier().lower()
    texts = [str(e) for e in lowered.expressions]
    assert len(set(texts)) == len(texts)
    assert "2e-06*W" in texts
    assert texts.count("0.0") == 1  # the perimeters
    rows = lowered.rows({"W": torch.tensor([1e-5, 2e-5])})
    assert rows.dtype == torch.float64
    assert rows.shape == (lowered.program.n_rows, 2)
    assert rows[texts.index("2e-06*W")].tolist() == pytest.approx([2e-11, 4e-11], rel=1e-7)
    assert lowered.drive.tolist() == [[0.0, 1.0]]


def test_rows_take_defaults_mappings_and_matrices_alike():
    lowered = amplifier().lower()
    default = lowered.rows()
    assert default.shape[1] == 1
    assert torch.equal(default, lowered.rows({"W": 1e-5, "r": 10000, "M": np.float64(2)}))
    matrix = torch.tensor([[1e-5], [1e4], [2.0]], dtype=torch.float64)
    assert torch.equal(default, lowered.rows(matrix))
    assert lowered.rows({"W": torch.zeros(0)}).shape[1] == 0
    assert lowered.rows({"W": [1e-5, 2e-5, 3e-5], "R": [1e3]}).shape[1] == 3


def test_a_gradient_reaches_every_parameter():
    lowered = amplifier().lower()
    given = torch.tensor([[1e-5, 2e-5], [1e4, 1e4], [2.0, 3.0]], dtype=torch.float64)
    given.requires_grad_()
    lowered.rows(given).sum().backward()
    expected = torch.tensor([[1 + 2e-6], [1.0], [1.0]], dtype=torch.float64).expand(3, 2)
    torch.testing.assert_close(given.grad, expected)


def test_a_candidate_that_is_not_finite_is_lost_alone():
    rows = amplifier().lower().rows({"W": [1e-5, math.nan, math.inf]})
    assert torch.isfinite(rows[:, 0]).all()
    assert torch.isnan(rows[:, 1:]).all()


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"w1": 1e-6}, ValueError, "unknown parameter 'w1'"),
        ({"WW": 1e-6}, ValueError, "did you mean 'W'"),
        ({"W": 1e-6, "w": 1e-6}, ValueError, "'W' is given twice"),
        ({"W": -1e-6}, ValueError, "M1: w is -1e-06; expected above 0"),
        ({"W": 0.0}, ValueError, "M1: w is 0; expected above 0"),
        ({"W": [1e-6, -1e-6]}, ValueError, r"M1: w is -1e-06; .*candidate 1"),
        ({"R": 0.0}, ValueError, "RL: value is 0; expected above 0"),
        ({"M": 0}, ValueError, "M1: m is 0; expected 1 or more"),
        ({"M": 1.5}, ValueError, "M1: m is 1.5; expected an integer"),
        ({"W": [1e-6, 2e-6], "R": [1e3] * 3}, ValueError, "W has 2 values and R has 3"),
        ({"W": torch.zeros(2, 2)}, ValueError, r"W has shape \(2, 2\)"),
        ({"W": "wide"}, TypeError, "W"),
        ({"W": 1j}, TypeError, "W is complex"),
        ({"W": torch.tensor([True])}, TypeError, "expected real numbers"),
        (torch.zeros(2, 1), ValueError, r"expected \(3, B\)"),
        ([1.0], TypeError, "expected a mapping"),
    ],
)
def test_values_that_do_not_fit_are_refused_by_name(params, error, message):
    with pytest.raises(error, match=message):
        amplifier().lower().rows(params)


def test_channels_outlast_both_diffusions():
    circuit = amplifier()
    length = circuit.parameter("L", 1e-6)
    circuit.mosfet("M2", "out", "in", 0, 0, "n", w=1e-6, l=length)
    circuit.lower().rows({"L": 2.1e-8})
    with pytest.raises(ValueError, match="M2: l is 2e-08; expected more than twice the model's ld"):
        circuit.lower().rows({"L": 2e-8})


def test_what_models_are_made_of_cannot_vary():
    circuit = Circuit()
    phi = circuit.parameter("phi", 0.7)
    vto = circuit.parameter("vto", 0.5)
    circuit.model("n", "nmos", phi=phi, vto=vto)
    circuit.voltage_source("V1", "d", 0, 1.0)
    circuit.mosfet("M1", "d", "d", 0, 0, "n", w=1e-6, l=1e-6)
    lowered = circuit.lower()
    assert lowered.frozen == {"phi"}
    assert lowered.cards["m1"].numbers["phi"] == 0.7
    lowered.rows({"phi": 0.7, "vto": [0.4, 0.6]})
    with pytest.raises(ValueError, match="'phi' is part of a model card"):
        lowered.rows({"phi": 0.8})


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda c: c.resistor("rl", "a", 0, 1), "element 'rl' exists already"),
        (lambda c: c.model("N", "nmos"), "model 'N' exists already"),
        (lambda c: c.parameter("w", 1.0), "parameter 'w' exists already"),
        (lambda c: c.resistor("R2", "a", 0, 0), "R2: value is 0; expected above 0"),
        (lambda c: c.resistor("R2", "a", 0, -5), "R2: value is -5"),
        (lambda c: c.capacitor("C2", "a", 0, -1e-12), "C2: value is -1e-12; expected 0 or more"),
        (lambda c: c.resistor("R2", "a", 0, math.nan), "R2: value: .*not finite"),
        (lambda c: c.resistor("R2", "a", 0, Expression.named("X")), "unknown parameter 'X'"),
        (lambda c: c.resistor("R 2", "a", 0, 1), "expected letters"),
        (lambda c: c.resistor("R2", "a b", 0, 1), "expected letters"),
        (
            lambda c: c.mosfet("M2", 1, 1, 0, 0, "nn", w=1e-6, l=1e-6),
            "unknown model 'nn'.*mean 'n'",
        ),
        (lambda c: c.mosfet("M2", 1, 1, 0, 0, "n", w=0, l=1e-6), "M2: w is 0"),
        (lambda c: c.mosfet("M2", 1, 1, 0, 0, "n", w=1e-6, l=-1), "M2: l is -1"),
        (lambda c: c.mosfet("M2", 1, 1, 0, 0, "n", w=1, l=1, m=0), "M2: m is 0; expected 1"),
        (lambda c: c.mosfet("M2", 1, 1, 0, 0, "n", w=1, l=1, m=2.5), "expected an integer"),
        (lambda c: c.mosfet("M2", 1, 1, 0, 0, "n", w=1, l=1, ad=-1), "M2: ad is -1"),
        (lambda c: c.model("x", "njf"), "of kind 'njf'; expected nmos or pmos"),
        (lambda c: c.model("x", "nmos", level=3), "level is 3; expected 1"),
        (lambda c: c.model("x", "nmos", vt=0.4), "holds no 'vt'; did you mean 'vto'"),
        (lambda c: c.model("x", "nmos", cox=1e-3), "holds no 'cox'"),
        (lambda c: c.model("x", "nmos", rd=5.0), "rd is 5; expected 0"),
        (lambda c: c.model("x", "nmos", phi=0.0), "phi is 0; expected above 0"),
        (lambda c: c.model("x", "nmos", tox=-1e-9), "tox is -1e-09; expected 0 or more"),
        (lambda c: c.model("x", "nmos", fc=1.0), "fc is 1"),
        (lambda c: c.parameter("2x", 1.0), "expected a letter"),
        (lambda c: c.parameter("x", 1.0, low=2.0), "low and high go together"),
        (lambda c: c.parameter("x", 1.0, low=2.0, high=1.0), "above high"),
        (lambda c: c.parameter("x", 1.0, low=0.0, high=1.0), "logarithmic range is above 0"),
        (lambda c: c.parameter("x", 1.0, grid=0.0), "grid is 0"),
        (lambda c: c.element("M9"), "unknown element 'M9'.*did you mean 'm1'"),
    ],
)
def test_what_cannot_be_is_refused_as_it_is_added(build, message):
    circuit = amplifier()
    before = repr(circuit), circuit.nodes
    with pytest.raises(ValueError, match=message):
        build(circuit)
    assert (repr(circuit), circuit.nodes) == before


@pytest.mark.parametrize("name", [None, 1.5, True])
def test_names_are_words(name):
    with pytest.raises(TypeError, match="expected a name"):
        Circuit().resistor("R1", name, 0, 1.0)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda c: None, "no elements"),
        (lambda c: c.capacitor("C1", "a", 0, 1), "node 'a' .at C1. has no path"),
        (lambda c: c.current_source("I1", "a", 0, 1), "node 'a' .at I1. has no path"),
        (lambda c: c.resistor("R1", "a", "b", 1), "node 'a' .at R1. has no path"),
        (
            lambda c: (
                c.model("n", "nmos"),
                c.resistor("R1", "d", 0, 1),
                c.mosfet("M1", "d", "g", 0, 0, "n", w=1, l=1),
            ),
            "node 'g' .at M1. has no path",
        ),
        (
            lambda c: (c.voltage_source("V1", "a", 0, 1), c.voltage_source("V2", 0, "a", 1)),
            "V2 closes a loop of voltage sources",
        ),
        (lambda c: c.voltage_source("V1", "a", "a", 0), "V1 closes a loop"),
    ],
)
def test_circuits_without_one_operating_point_are_refused(build, message):
    circuit = Circuit()
    build(circuit)
    with pytest.raises(ValueError, match=message):
        circuit.lower()


def test_a_bulk_alone_conducts():
    circuit = Circuit()
    circuit.model("n", "nmos")
    circuit.resistor("R1", "d", 0, 1e3)
    circuit.mosfet("M1", "d", 0, "s", "b", "n", w=1e-6, l=1e-6)
    assert circuit.lower().program.n_nodes == 4


def test_circuits_are_copied_and_travel():
    circuit = amplifier()
    circuit.lower()
    for other in (circuit.copy(), copy.copy(circuit), pickle.loads(pickle.dumps(circuit))):
        assert other.to_spice() == circuit.to_spice()
    other = circuit.copy()
    other.resistor("R9", "out", 0, 1e3)
    assert len(circuit) == 5
    assert "r9" in other.lower().element_values(other.lower().rows()[:, 0].tolist())


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"title": "a\nb"}, "one line"),
        ({"temperature": -300}, "absolute zero"),
        ({"gmin": -1}, "gmin"),
    ],
)
def test_settings_are_checked(arguments, error):
    with pytest.raises(ValueError, match=error):
        Circuit(**arguments)


def test_lowering_one_candidate_is_quick():
    """A loose bound, ten times what it takes; the 17 transistors share their rows."""
    import time

    card, circuit = technology_card("ee114"), Circuit()
    circuit.resistor("R0", "d", 0, 1e3)
    for k in range(17):
        w = circuit.parameter(f"W{k}", 1e-5, low=1e-6, high=1e-4)
        card.mosfet(circuit, f"M{k}", "nmos", "d", "d", 0, 0, w, 1e-6)
    lowered = circuit.lower()
    params = {f"W{k}": 2e-5 for k in range(17)}
    lowered.rows(params)
    best = math.inf
    for _ in range(20):
        start = time.perf_counter()
        lowered.rows(params)
        best = min(best, time.perf_counter() - start)
    assert best < 1e-3
