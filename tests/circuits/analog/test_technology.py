# SPDX-License-Identifier: Apache-2.0
"""Technology cards: the table they were written from, and circuits built on them against decks."""

from __future__ import annotations

import pytest
import torch

from circuits.analog import Circuit, read_spice, technologies, technology_card

#: name: vdd lmin tox vtn vtp kpn kpp gamma_n gamma_p phi l0n l0p cgso cj cjsw hdif, in the units
#: um, nm, uA/V2, um/V, nF/m, mF/m2.
TABLE = """
250  2.5 .25  5.7 .43 -.45 190 45  .45 .40 .85 .030 .040 .40 1.2 .30 .40
180  1.8 .18  4.1 .40 -.42 260 65  .45 .42 .85 .025 .032 .40 1.0 .22 .32
130  1.3 .13  2.7 .35 -.35 340 85  .38 .36 .85 .022 .028 .38 1.0 .20 .22
65   1.1 .065 1.9 .33 -.33 430 115 .30 .30 .87 .015 .019 .35 1.0 .15 .12
45   1.0 .045 1.5 .30 -.30 500 140 .25 .25 .88 .012 .015 .33 1.0 .12 .09
"""


@pytest.mark.parametrize("line", TABLE.split("\n")[1:-1])
def test_cards_hold_the_table(line):
    name, *words = line.split()
    vdd, lmin, tox, vtn, vtp, kpn, kpp, gn, gp, phi, l0n, l0p, cgso, cj, cjsw, hdif = map(
        float, words
    )
    card = technology_card(name)
    assert (card.vdd, card.vss) == (vdd, 0.0)
    assert card.lmin == pytest.approx(lmin * 1e-6)
    assert card.hdif == pytest.approx(hdif * 1e-6)
    assert (card.lambda0_nmos, card.lambda0_pmos) == pytest.approx((l0n * 1e-6, l0p * 1e-6))
    for values, vto, kp, gamma in ((card.nmos, vtn, kpn, gn), (card.pmos, vtp, kpp, gp)):
        assert values == pytest.approx(
            {
                "vto": vto, "kp": kp * 1e-6, "gamma": gamma, "phi": phi, "tox": tox * 1e-9,
                "cgso": cgso * 1e-9, "cgdo": cgso * 1e-9, "cj": cj * 1e-3, "mj": 0.5,
                "cjsw": cjsw * 1e-9, "mjsw": 0.33, "pb": 0.8,
            },
            rel=1e-12,
        )  # fmt: skip
    assert card.grid == pytest.approx(5e-9 if lmin >= 0.13 else lmin * 1e-6 / 36)
    assert card.w_range == pytest.approx((3e-6 * lmin, 150e-6 * lmin))
    assert card.l_range == pytest.approx((1e-6 * lmin, 4e-6 * lmin))


def test_names():
    assert technologies() == ("250", "180", "130", "65", "45", "ee114")
    assert technology_card("EE114").pmos["cj"] == 0.3e-3
    with pytest.raises(ValueError, match="unknown technology '90'"):
        technology_card("90")
    with pytest.raises(ValueError, match="expected nmos or pmos"):
        technology_card("180").model_name("pnp")


@pytest.mark.parametrize("size", [0, -1e-6])
def test_impossible_sizes_are_refused_by_name(size):
    card = technology_card("180")
    with pytest.raises(ValueError, match="M1: w is"):
        card.mosfet(Circuit(), "M1", "nmos", 1, 1, 0, 0, size, 1e-6)
    with pytest.raises(ValueError, match="M1: l is"):
        card.mosfet(Circuit(), "M1", "nmos", 1, 1, 0, 0, 1e-6, size)


def two_tia() -> Circuit:
    card, c = technology_card("180"), Circuit()
    w1, w3 = c.parameter("W1", 1.02e-6), c.parameter("W3", 3.2e-6)
    length, times = c.parameter("L", 0.18e-6), c.parameter("A", 20, integer=True)
    c.voltage_source("vdd", "vdd", 0, 1.8)
    c.current_source("iin", 0, "in", ac=1)
    card.mosfet(c, "m1", "nmos", "in", "in", 0, 0, w1, length)
    card.mosfet(c, "m3", "pmos", "in", "in", "vdd", "vdd", w3, length)
    card.mosfet(c, "m2", "nmos", "out1", "in", 0, 0, w1, length, times)
    card.mosfet(c, "m4", "pmos", "out1", "in", "vdd", "vdd", w3, length, times)
    c.resistor("rf", "out1", "in", 420)
    card.mosfet(c, "m5", "nmos", "out2", "out1", 0, 0, 8e-6, length)
    card.mosfet(c, "m6", "nmos", "vdd", "g6", "out2", 0, 6e-6, length)
    c.resistor("r6", "vdd", "g6", 3e3)
    c.capacitor("cdiode", "in", 0, 200e-15)
    c.capacitor("cload", "out2", 0, 20e-15)
    return c


def test_a_circuit_on_the_180_card_is_the_hand_written_deck(deck):
    """The deck spells out every area, perimeter and lambda."""
    freqs = torch.logspace(4, 11, 15, dtype=torch.float64)
    ours = two_tia().simulate(freqs=freqs, noise_output="out2")
    theirs = read_spice(deck("two_tia_180")).simulate(freqs=freqs, noise_output="out2")
    for node in ("in", "out1", "out2", "g6"):
        torch.testing.assert_close(ours.voltage(node), theirs.voltage(node), rtol=1e-13, atol=0)
        torch.testing.assert_close(ours.ac(node), theirs.ac(node), rtol=1e-12, atol=1e-15)
    torch.testing.assert_close(ours.noise, theirs.noise, rtol=1e-12, atol=0)
    # what the brief measured with ngspice: 9.23 mW, 50.0 dBohm
    assert float(ours.power()) == pytest.approx(9.23e-3, rel=1e-3)
    assert 20 * float(ours.ac("out2")[0].abs().log10()) == pytest.approx(50.0, abs=0.05)
