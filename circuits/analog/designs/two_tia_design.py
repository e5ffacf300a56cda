# SPDX-License-Identifier: Apache-2.0
"""Two-TIA: a push-pull current-mirror transimpedance amplifier with an active inductor."""

from __future__ import annotations

from circuits.analog.circuit import Circuit
from circuits.analog.designs.specification import Design, Requirement, Sizes, Term
from circuits.analog.measures.kinds import Bandwidth, Gain, InputNoise, Peaking, Power
from circuits.analog.measures.testbench import Signal, Testbench
from circuits.analog.technology import technology_card

__all__ = ["two_tia"]


def two_tia(node: str = "180") -> Design:
    """Build the two-stage transimpedance amplifier: 6 transistors, 11 sized parameters.

    M1 and M3, diodes, take the input current; M2 and M4, ``A`` times as many of the same, mirror
    it onto RF. M5 drives the load against M6, whose gate hangs on R6: with its own capacitance
    that is an inductor, which peaks the response. M6's bulk is ground.

    Ranges at 180 nm: W1, W3 0.6 to 10 um, W5, W6 2 to 60 um, L 0.18 to 0.72 um, RF 0.1 to 5 k,
    R6 0.3 to 10 k, A 1 to 40. Lengths scale with the shortest channel; resistors, A and the
    capacitances of diode (200 fF) and load (20 fF) do not.

    Parameters
    ----------
    node : str
        ``"250" "180" "130" "65" "45"``.

    Raises
    ------
    ValueError
        For an unknown card.
    """
    tech = technology_card(node)
    circuit = Circuit(f"Two-TIA, {tech.name} card")
    sizes = Sizes(circuit, tech, 0.18e-6)
    w1 = sizes.length("W1", 1.02, 0.6, 10)
    l1 = sizes.length("L1", 0.18, 0.18, 0.72)
    w3 = sizes.length("W3", 3.2, 0.6, 10)
    l3 = sizes.length("L3", 0.18, 0.18, 0.72)
    w5 = sizes.length("W5", 8, 2, 60)
    l5 = sizes.length("L5", 0.18, 0.18, 0.72)
    w6 = sizes.length("W6", 6, 2, 60)
    l6 = sizes.length("L6", 0.18, 0.18, 0.72)
    rf = sizes.value("RF", 420, 100, 5e3, "ohm")
    r6 = sizes.value("R6", 3e3, 300, 10e3, "ohm")
    a = sizes.count("A", 20, 1, 40)
    vdd = circuit.parameter("VDD", tech.vdd, unit="V")

    circuit.voltage_source("vdd", "vdd", 0, dc=vdd)
    circuit.current_source("iin", 0, "in", dc=0, ac=1)
    tech.mosfet(circuit, "m1", "nmos", "in", "in", 0, 0, w1, l1)
    tech.mosfet(circuit, "m3", "pmos", "in", "in", "vdd", "vdd", w3, l3)
    tech.mosfet(circuit, "m2", "nmos", "out1", "in", 0, 0, w1, l1, a)
    tech.mosfet(circuit, "m4", "pmos", "out1", "in", "vdd", "vdd", w3, l3, a)
    circuit.resistor("rf", "out1", "in", rf)
    tech.mosfet(circuit, "m5", "nmos", "out2", "out1", 0, 0, w5, l5)
    tech.mosfet(circuit, "m6", "nmos", "vdd", "g6", "out2", 0, w6, l6)
    circuit.resistor("r6", "vdd", "g6", r6)
    circuit.capacitor("cdiode", "in", 0, 200e-15)
    circuit.capacitor("cload", "out2", 0, 20e-15)

    testbench = Testbench(
        signals=(Signal("transimpedance", {"iin": 1.0}, ("out2", "0")),),
        measures=(
            Bandwidth("bandwidth", "transimpedance"),
            Gain("gain", "transimpedance", unit="ohm"),
            Power("power", (("vdd", "vdd"),)),
            InputNoise("noise", "transimpedance", 10e6, unit="A/rtHz"),
            Peaking("peaking", "transimpedance"),
        ),
        low=1e6,
        high=1e12,
    )
    return Design(
        name="two_tia",
        node=tech.name,
        technology=tech,
        circuit=circuit,
        testbench=testbench,
        human=sizes.human,
        scaled=sizes.factor != 1.0,
        terms=(
            Term("bandwidth", 1),
            Term("gain", 1),
            Term("power", -1),
            Term("noise", -1),
            Term("peaking", -1, "linear", low=0.0, high=3.0),
        ),
        requirements=(Requirement("gain", percentile=20),),
        supplies=("vdd",),
        source="a course design, W3, W5 and A adapted to the 180 nm card",
    )
