# SPDX-License-Identifier: Apache-2.0
"""Writing decks: read back they simulate the same, and ngspice runs them unchanged."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from circuits.analog import Circuit, read_spice
from circuits.analog.ngspice import available, simulate_deck

FREQS = torch.tensor([1e3, 1e7, 1e9], dtype=torch.float64)
NUMBERS = st.floats(0.5, 2.0)


@st.composite
def circuits(draw) -> Circuit:
    """A tree of resistors with sources, capacitors and transistors hung in anywhere."""
    c = Circuit(draw(st.sampled_from(["", "A title", "* starred"])), gmin=1e-12)
    p = c.parameter("p", draw(NUMBERS))
    for kind, sign in (("nmos", 1), ("pmos", -1)):
        c.model(
            kind, kind, vto=sign * 0.5 * draw(NUMBERS), kp=1e-4 * draw(NUMBERS),
            gamma=draw(st.sampled_from([0.0, 0.4])), phi=0.7,
            tox=draw(st.sampled_from([0.0, 5e-9])), ld=draw(st.sampled_from([0.0, 1e-8])),
            cgso=3e-10, cj=1e-3, cjsw=2e-10, pb=0.9,
        )  # fmt: skip
    c.voltage_source("supply", "n0", 0, 1.8 * draw(NUMBERS))
    nodes = ["0", "n0"]
    for k in range(draw(st.integers(1, 4))):
        name, at = f"n{k + 1}", draw(st.sampled_from(nodes))
        c.resistor(f"R{k}", name, at, 1e3 * draw(NUMBERS) * p)
        c.resistor(f"load{k}", name, 0, 1e4 * draw(NUMBERS))
        nodes.append(name)
    anywhere = st.sampled_from(nodes)
    for k in range(draw(st.integers(0, 3))):
        c.capacitor(f"c.{k}", draw(anywhere), draw(anywhere), 1e-12 * draw(NUMBERS))
    c.current_source("I1", "n1", draw(anywhere), 1e-5 * draw(NUMBERS), draw(NUMBERS))
    c.voltage_source("V.amp", "n9", "n1", 0.1, -draw(NUMBERS))
    c.resistor("hang", "n9", 0, 1e5)
    for k in range(draw(st.integers(0, 4))):
        kind = draw(st.sampled_from(["nmos", "pmos"]))
        extra = {"vto": 0.4} if kind == "nmos" and draw(st.booleans()) else {}
        c.mosfet(
            f"M{k}" if k % 2 else f"x1.m{k}", *(draw(anywhere) for _ in range(3)),
            "n0" if kind == "pmos" else 0, kind,  # a bulk anywhere may conduct 1e16 A
            w=1e-5 * draw(NUMBERS) * p, l=1e-6, m=draw(st.integers(1, 3)), ad=1e-11, as_=1e-11,
            pd=2e-5, ps=2e-5, lambda_=0.1 * draw(st.sampled_from([0.5, 1.0])), **extra,
        )  # fmt: skip
    return c


def same(a, b, circuit, relative):
    close = {"atol": 1e-10, "rtol": relative, "equal_nan": True}
    for name in circuit.nodes[1:]:
        torch.testing.assert_close(a.voltage(name), b.voltage(name), **close)
        torch.testing.assert_close(a.ac(name), b.ac(name), **close)
    torch.testing.assert_close(a.noise, b.noise, rtol=relative, atol=0, equal_nan=True)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(circuits(), st.sampled_from([0.7, 1.0]), st.sampled_from([27.0, 85.0]))
def test_a_deck_read_back_simulates_the_same(circuit, p, temp):
    first = circuit.simulate({"p": p}, freqs=FREQS, noise_output="n1", temp=temp)
    deck = circuit.to_spice({"p": p}, temperature=temp)
    again = read_spice(deck)
    assert [e.name for e in again.elements] == [e.name.lower() for e in circuit.elements]
    assert again.temperature == temp
    second = again.simulate(freqs=FREQS, noise_output="n1")
    assert torch.equal(first.status, second.status)
    same(first, second, circuit, 1e-12)
    assert again.to_spice().splitlines()[1:] == deck.lower().splitlines()[1:]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(circuits(), st.sampled_from([27.0, -40.0, 125.0]))
def test_ngspice_runs_what_is_written_to_the_same_result(circuit, temp):
    if not available():
        pytest.skip("ngspice is not installed; the reader's tests compare with its recorded word")
    ours = circuit.simulate(freqs=FREQS, noise_output="n1", temp=temp)
    theirs = circuit.simulate(freqs=FREQS, noise_output="n1", temp=temp, backend="ngspice")
    if int(ours.status) == 3 or int(theirs.status) == 3:
        return
    same(theirs, ours, circuit, 1e-7)  # where ngspice's iterations end, times its gain
    for name in circuit.lower().sources:
        a, b = float(ours.current(name)), float(theirs.current(name))
        assert a == pytest.approx(b, rel=1e-7, abs=1e-11), name


def small() -> Circuit:
    c = Circuit("small\tone")
    w = c.parameter("w", 1e-5)
    c.model("n", "nmos", vto=0.5, kp=1e-4)
    c.model("n_2", "nmos", vto=0.6)
    c.voltage_source("Vdd", "vdd", 0, 1.8)
    c.voltage_source("drive", "in", 0, 0.9, ac=-1)
    c.mosfet("M1", "out", "in", 0, 0, "n", w=w, l=1e-6, lambda_=0.1)
    c.mosfet("M2", "out", "in", 0, 0, "n", w=w, l=2e-6, lambda_=0.05, m=3)
    c.mosfet("M3", "out", "in", 0, 0, "N_2", w=w, l=2e-6)
    c.resistor("load", "vdd", "out", 1e4)
    return c


def test_names_are_kept_and_models_split():
    deck = small().to_spice(
        {"w": [1e-5, 0.1 + 0.2]}, 1, op=True, ac=(10, 1, 1e9), noise=("out", "DRIVE", 5, 1, 1e6)
    )
    lines = deck.splitlines()
    assert lines[0] == "small one"
    assert [line.split()[1] for line in lines if line.startswith(".model")] == ["n", "n_3", "n_2"]
    assert "M1 out in 0 0 n w=0.30000000000000004 l=1e-06 m=1 ad=0.0 as=0.0 pd=0.0 ps=0.0" in lines
    assert lines[-5:-1] == [
        "r.load vdd out 10000.0", ".op", ".ac dec 10 1.0 1000000000.0",
        ".noise v(out) v.drive dec 5 1.0 1000000.0",
    ]  # fmt: skip
    assert "v.drive in 0 dc 0.9 ac -1.0" in lines
    again = read_spice(deck)
    assert again.element("drive").nodes == ("in", "0")
    assert len(again.frequencies) == 91
    assert again.noise_output == "out"


def test_ngspice_takes_the_analysis_cards():
    deck = small().to_spice(op=True, ac=(2, 1, 100), noise=(("vdd", "out"), "vdd", 2, 1, 100))
    if available():
        assert simulate_deck(deck).voltage("vdd") == pytest.approx(1.8)
    assert ".noise v(vdd,out) Vdd dec 2" in deck


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"i": 1}, IndexError, "candidate 1 is out of range for 1"),
        ({"params": {"w": math.nan}}, ValueError, "not finite"),
        ({"params": {"v": 1.0}}, ValueError, "unknown parameter 'v'"),
        ({"ac": (10, 1)}, ValueError, "ac: expected points per decade"),
        ({"ac": (10, 0, 1)}, ValueError, "no sweep"),
        ({"noise": ("out", "v9", 1, 1, 10)}, ValueError, "unknown source 'v9'"),
        ({"noise": ("outt", "vdd", 1, 1, 10)}, ValueError, "unknown node 'outt'"),
    ],
)
def test_what_cannot_be_written_is_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        small().to_spice(**arguments)


def test_names_that_look_written_survive():
    c = Circuit()
    for name in ("R1", "r.R1", "x", "x.r", "R.x"):
        c.resistor(name, "a", 0, 1.0)
    again = read_spice(c.to_spice())
    assert [e.name for e in again.elements] == ["r1", "r.r1", "x", "x.r", "r.x"]
