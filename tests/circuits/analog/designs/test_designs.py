# SPDX-License-Identifier: Apache-2.0
"""The four designs: their published figures, the hand-written decks, every technology card."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest
import torch

from circuits.analog import read_spice, technology_card
from circuits.analog.designs import DESIGNS, Design, design, nodes
from circuits.analog.designs.ldo_design import reference_voltage
from circuits.analog.measures import Bench
from circuits.analog.ngspice.record import Oracle

Deck = Callable[[str], str]
EVERY = [(name, node) for name in DESIGNS for node in nodes(name)]


def at_human(made: Design) -> dict[str, float]:
    """Metrics of the human point."""
    bench = Bench(made.circuit, made.testbench)
    values = [[made.human.get(p.name, p.default)] for p in made.circuit.parameters.values()]
    found = bench.read(torch.tensor(values, dtype=torch.float64))
    assert found.status.tolist() == [0]
    return dict(zip(bench.names, found.values[0].tolist(), strict=True))


def decibel(value: float) -> float:
    return 20 * math.log10(value)


def test_three_tia_golden_point() -> None:
    """The published design on its own card: it ties us to the paper's circuit and model."""
    found = at_human(design("three_tia"))
    assert found["power"] == pytest.approx(1.369437e-3, abs=0.5e-9)
    assert found["gain"] == pytest.approx(20235.97, abs=0.01)
    assert found["bandwidth"] == pytest.approx(91.037e6, rel=1e-5)
    assert found["bandwidth"] == pytest.approx(90.107e6, rel=0.011)  # as published
    assert found["area"] == pytest.approx(211.2e-12, rel=1e-12)  # as published


def test_two_tia_figures() -> None:
    found = at_human(design("two_tia"))
    assert found["power"] == pytest.approx(9.2272e-3, rel=1e-5)
    assert decibel(found["gain"]) == pytest.approx(50.008, abs=1e-3)
    assert found["peaking"] == pytest.approx(2.0155, abs=1e-4)
    assert found["bandwidth"] == pytest.approx(11.01986e9, rel=1e-6)


def test_two_volt_figures() -> None:
    """As ngspice's: tests/circuits/analog/sizing/test_verify.py. For the loop in the lead of the
    gate, see test_loops.py."""
    found = at_human(design("two_volt"))
    assert found["power"] == pytest.approx(0.41805e-3, rel=1e-4)
    assert decibel(found["gain"]) == pytest.approx(81.567, abs=1e-3)
    assert found["bandwidth"] == pytest.approx(17285.44, rel=1e-6)
    assert found["gbw"] == pytest.approx(184.5347e6, rel=1e-6)
    assert found["margin"] == pytest.approx(66.2, abs=0.05)
    assert found["noise"] == pytest.approx(7.6e-9, rel=0.005)
    assert decibel(found["common_mode_gain"]) == pytest.approx(79.816, abs=1e-3)
    assert found["common_mode_gbw"] == pytest.approx(58.03660e6, rel=1e-6)
    assert found["common_mode_margin"] == pytest.approx(67.385, abs=0.001)


def test_ldo_figures() -> None:
    """As ngspice's: tests/circuits/analog/sizing/test_verify.py; settling times are its own. For
    the loop in the lead of the gate, see test_loops.py."""
    found = at_human(design("ldo"))
    assert found["output"] == pytest.approx(1.2006599, abs=1e-7)
    assert found["load_regulation"] == pytest.approx((1.2006599 - 1.1995206) / 9e-3, rel=1e-3)
    assert decibel(found["psrr"]) == pytest.approx(82.153, abs=1e-3)
    assert decibel(found["heavy_psrr"]) == pytest.approx(74.799, abs=1e-2)
    assert decibel(found["loop_gain"]) == pytest.approx(80.911, abs=0.001)
    assert decibel(found["heavy_loop_gain"]) == pytest.approx(76.111, abs=0.001)
    assert found["loop_gbw"] == pytest.approx(12.45748e6, rel=1e-6)
    assert found["light_margin"] == pytest.approx(75.649, abs=0.001)
    assert found["heavy_margin"] == pytest.approx(92.679, abs=0.001)
    assert found["power"] == pytest.approx(1.8 * 41.35e-6, rel=1e-3)
    assert found["settle_load_up"] == pytest.approx(51.20e-9, rel=0.005)
    assert found["settle_load_down"] == pytest.approx(44.19e-9, rel=0.005)
    assert found["settle_supply_up"] == pytest.approx(40.44e-9, rel=0.005)
    assert found["settle_supply_down"] == pytest.approx(44.23e-9, rel=0.005)


@pytest.mark.parametrize(
    ("name", "text", "params"),
    [
        ("two_tia", "two_tia_180", {}),
        ("three_tia", "three_tia_ee114", {}),
        ("two_volt", "two_volt_180", {}),
        ("ldo", "ldo_180_1ma", {"IL": 1e-3}),
        ("ldo", "ldo_180_10ma", {"IL": 10e-3}),
    ],
)
def test_designs_are_the_hand_written_decks(
    deck: Deck, name: str, text: str, params: dict[str, float]
) -> None:
    """Net by net, at rest and at three frequencies, whatever the decks drive.

    The regulator's deck has its source of 0 V in the lead of a gate, ours at the output: the net
    behind it has no other name with us.
    """
    by_hand = read_spice(deck(text))
    ours = design(name).circuit
    f = [1e3, 1e6, 1e9]
    a, b = by_hand.simulate(freqs=f), ours.simulate(params, freqs=f)
    for node in by_hand.nodes[1:]:
        mine = "fb" if node == "gf" else node
        assert b.voltage(mine).item() == pytest.approx(a.voltage(node).item(), abs=1e-9)
        np.testing.assert_allclose(b.ac(mine), a.ac(node), rtol=1e-9, atol=1e-12)


def test_three_tia_against_ngspice(deck: Deck, oracle: Oracle) -> None:
    """Our circuit against ngspice's word on the deck: live, or as recorded."""
    freqs = [1e3, 1e5, 1e7]
    theirs, _ = oracle(
        "three_tia_ee114-design",
        deck("three_tia_ee114"),
        ("op", "ac", "noise"),
        freqs=freqs,
        noise_output=("vouta", "voutb"),
    )
    ours = design("three_tia").circuit.simulate(freqs=freqs, noise_output=("vouta", "voutb"))
    np.testing.assert_allclose(
        ours.ac(("vouta", "voutb"))[:, 0], theirs.transfer("vouta", "voutb"), rtol=1e-9
    )
    assert theirs.noise is not None
    np.testing.assert_allclose(ours.noise[:, 0], theirs.noise, rtol=1e-5)
    for node, volts in theirs.op.items():
        if node in {n.lower() for n in design("three_tia").circuit.nodes}:
            assert ours.voltage(node).item() == pytest.approx(volts, abs=1e-9)


@pytest.mark.parametrize(("name", "node"), EVERY)
def test_every_card_biases(name: str, node: str) -> None:
    made = design(name, node)
    found = at_human(made)
    assert all(math.isfinite(v) for v in found.values())
    assert made.scaled == (node != nodes(name)[0])
    # stable, where that is asked for
    assert all(v > 45 for key, v in found.items() if key.endswith("margin"))


@pytest.mark.parametrize(("name", "node"), EVERY)
def test_ranges(name: str, node: str) -> None:
    made = design(name, node)
    for parameter in made.circuit.parameters.values():
        if not parameter.sized:
            assert parameter.name not in made.human
            continue
        assert parameter.low is not None
        assert parameter.high is not None
        assert parameter.low < parameter.high
        assert parameter.log
        assert parameter.default == made.human[parameter.name]
        assert parameter.low <= made.human[parameter.name] <= parameter.high
        if parameter.unit == "m":
            assert parameter.grid == technology_card(node).grid
            for edge in (parameter.low, parameter.high, parameter.default):
                steps = edge / parameter.grid
                assert steps == pytest.approx(round(steps), abs=1e-6)


def test_the_reference_of_low_supplies() -> None:
    for node in nodes("ldo"):
        tech = technology_card(node)
        volts = reference_voltage(tech)
        assert volts >= tech.nmos["vto"] + 0.2 - 1e-12
        assert volts < 2 * tech.vdd / 3
    assert reference_voltage(technology_card("180")) == pytest.approx(0.6)
    for node in nodes("ldo"):
        assert at_human(design("ldo", node))["output"] == pytest.approx(
            2 * technology_card(node).vdd / 3, rel=2e-3
        )


def test_names() -> None:
    assert design("three_tia").node == "ee114"
    assert design("ldo", "65").technology.name == "65"
    with pytest.raises(ValueError, match=r"unknown design 'two_tai'.*two_tia"):
        design("two_tai")
    with pytest.raises(ValueError, match="two_tia is made for 180, 250"):
        design("two_tia", "ee114")


def test_importing_costs_no_torch() -> None:
    code = (
        "import sys, circuits.analog.designs, circuits.analog.measures, circuits.analog.sizing; "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
