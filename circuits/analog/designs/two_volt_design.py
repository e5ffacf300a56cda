# SPDX-License-Identifier: Apache-2.0
"""Two-Volt: a fully differential two-stage Miller amplifier with common-mode feedback."""

from __future__ import annotations

from circuits.analog.circuit import Circuit
from circuits.analog.designs.specification import Design, Requirement, Sizes, Term
from circuits.analog.measures.kinds import (
    Bandwidth,
    Gain,
    InputNoise,
    PhaseMargin,
    Power,
    UnityGain,
)
from circuits.analog.measures.testbench import Loop, Signal, Testbench
from circuits.analog.technology import technology_card

__all__ = ["two_volt"]


def two_volt(node: str = "180") -> Design:
    """Build the two-stage voltage amplifier: 14 transistors, 12 sized parameters.

    MB sets the gate voltage of all n-channel current sources from 10 uA: the tail M0 (2 K1 of
    MB), the sinks M7 and M8 of the second stage (K2) and the tail MC0 of the feedback (2). M1 and
    M2 drive M5 and M6 (K2 of M3); loads M3 and M4 (K1) take their gate voltage from the feedback,
    whose pair MC1, MC2 compares the mean of the outputs with half the supply. CC and RZ
    compensate. K1 and K2 are shared, so that currents above and below agree by design.

    Ranges at 180 nm: W 3 to 150, L 1 to 4 shortest channels; RZ 0.1 to 20 k, CC 50 fF to 5 pF,
    K1 1 to 8, K2 1 to 32. Lengths scale with the shortest channel; the rest, the bias current and
    the loads (500 fF, sensed through 200 k and 20 fF) do not.

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
    circuit = Circuit(f"Two-Volt, {tech.name} card")
    sizes = Sizes(circuit, tech, 0.18e-6)
    w, l = (0.54, 27), (0.18, 0.72)  # noqa: E741
    wb, lb = sizes.length("WB", 2, *w), sizes.length("LB", 0.5, *l)
    w1, l1 = sizes.length("W1", 10, *w), sizes.length("L1", 0.36, *l)
    w3, l3 = sizes.length("W3", 4, *w), sizes.length("L3", 0.36, *l)
    wc, lc = sizes.length("WC", 2, *w), sizes.length("LC", 0.36, *l)
    rz = sizes.value("RZ", 2e3, 100, 20e3, "ohm")
    cc = sizes.value("CC", 400e-15, 50e-15, 5e-12, "F")
    k1 = sizes.count("K1", 2, 1, 8)
    k2 = sizes.count("K2", 8, 1, 32)
    vdd = circuit.parameter("VDD", tech.vdd, unit="V")
    ib = circuit.parameter("IB", 10e-6, unit="A")

    circuit.voltage_source("vdd", "vdd", 0, dc=vdd)
    circuit.voltage_source("vinp", "inp", 0, dc=vdd / 2, ac=0.5)
    circuit.voltage_source("vinn", "inn", 0, dc=vdd / 2, ac=-0.5)
    circuit.voltage_source("vref", "ref", 0, dc=vdd / 2)
    circuit.current_source("ib", "vdd", "vbn", dc=ib)
    tech.mosfet(circuit, "mb", "nmos", "vbn", "vbn", 0, 0, wb, lb)
    tech.mosfet(circuit, "m0", "nmos", "tail", "vbn", 0, 0, wb, lb, 2 * k1)
    tech.mosfet(circuit, "m1", "nmos", "xn", "inp", "tail", 0, w1, l1)
    tech.mosfet(circuit, "m2", "nmos", "xp", "inn", "tail", 0, w1, l1)
    tech.mosfet(circuit, "m3", "pmos", "xn", "vfb", "vdd", "vdd", w3, l3, k1)
    tech.mosfet(circuit, "m4", "pmos", "xp", "vfb", "vdd", "vdd", w3, l3, k1)
    for stage, sink, first, y, out, side in (
        ("m5", "m7", "xn", "yp", "outp", "p"),
        ("m6", "m8", "xp", "yn", "outn", "n"),
    ):
        tech.mosfet(circuit, stage, "pmos", out, first, "vdd", "vdd", w3, l3, k2)
        tech.mosfet(circuit, sink, "nmos", out, "vbn", 0, 0, wb, lb, k2)
        circuit.resistor(f"rz{side}", first, y, rz)
        circuit.capacitor(f"cc{side}", y, out, cc)
        circuit.capacitor(f"cl{side}", out, 0, 500e-15)
        # the common-mode loop is broken at the outputs, whose impedance at its unity gain is far
        # below what they drive; in the lead of MC1's gate a wide MC1 would count as gain
        sensed = f"sense{side}"
        circuit.voltage_source(f"vinj{side}", sensed, out, dc=0)
        circuit.resistor(f"rs{side}", sensed, "vs", 200e3)
        circuit.capacitor(f"cs{side}", sensed, "vs", 20e-15)
    circuit.voltage_source("vgate", "gc", "vs", dc=0)
    tech.mosfet(circuit, "mc0", "nmos", "tailc", "vbn", 0, 0, wb, lb, 2)
    tech.mosfet(circuit, "mc1", "nmos", "vfb", "gc", "tailc", 0, wc, lc)
    tech.mosfet(circuit, "mc2", "nmos", "xc", "ref", "tailc", 0, wc, lc)
    tech.mosfet(circuit, "mc3", "pmos", "vfb", "vfb", "vdd", "vdd", w3, l3)
    tech.mosfet(circuit, "mc4", "pmos", "xc", "xc", "vdd", "vdd", w3, l3)

    testbench = Testbench(
        signals=(Signal("differential", {"vinp": 0.5, "vinn": -0.5}, ("outp", "outn")),),
        loops=(Loop("common_mode", ("vinjp", "vinjn"), returned="outp", injected="sensep"),),
        measures=(
            Bandwidth("bandwidth", "differential"),
            PhaseMargin("common_mode_margin", "common_mode", feedback=True),
            PhaseMargin("margin", "differential"),
            Power("power", (("vdd", "vdd"),)),
            InputNoise("noise", "differential", 1e6),
            Gain("gain", "differential"),
            UnityGain("gbw", "differential"),
            Gain("common_mode_gain", "common_mode"),
            UnityGain("common_mode_gbw", "common_mode"),
        ),
        low=10.0,
        high=1e11,
    )
    return Design(
        name="two_volt",
        node=tech.name,
        technology=tech,
        circuit=circuit,
        testbench=testbench,
        human=sizes.human,
        scaled=sizes.factor != 1.0,
        terms=(
            Term("bandwidth", 1),
            Term("common_mode_margin", 1, "linear", low=0.0, high=60.0, cap=60.0),
            Term("margin", 1, "linear", low=0.0, high=60.0, cap=60.0),
            Term("power", -1),
            Term("noise", -1),
            Term("gain", 1),
            Term("gbw", 1),
        ),
        # closed around a gain of 1, neither loop may oscillate
        requirements=(
            Requirement("gain", percentile=20),
            Requirement("margin", least=0.0),
            Requirement("common_mode_margin", least=0.0),
        ),
        supplies=("vdd",),
        source="our own sizing at 180 nm by hand",
    )
