# SPDX-License-Identifier: Apache-2.0
"""LDO: a low-dropout regulator with a PMOS pass device."""

from __future__ import annotations

from circuits.analog.circuit import Circuit
from circuits.analog.designs.specification import Design, Requirement, Sizes, Term
from circuits.analog.measures.kinds import (
    Gain,
    PhaseMargin,
    QuiescentPower,
    Regulation,
    Rejection,
    UnityGain,
    Voltage,
)
from circuits.analog.measures.settling import Settling
from circuits.analog.measures.testbench import Loop, Scenario, Signal, Step, Steps, Testbench
from circuits.analog.technology import Technology, technology_card

__all__ = ["ldo", "reference_voltage"]


def reference_voltage(tech: Technology) -> float:
    """A third of the supply, but 0.2 V above the n-channel threshold at least.

    Below that the tail of an n-channel pair has no voltage left: at 130, 65 and 45 nm a third of
    the supply is no reference. The output is two thirds of the supply on every card.
    """
    return max(tech.vdd / 3, tech.nmos["vto"] + 0.2)


def ldo(node: str = "180") -> Design:
    """Build the regulator: 7 transistors, 13 sized parameters.

    MB and M0 (K1 of MB) bias the pair M1, M2 from 10 uA; M4 and M3 mirror; M1's drain drives the
    pass device MP (of MPM in parallel), whose output R1 and R2 divide for M2. CC and RZ lead from
    the output back to the pass gate. 100 pF and 1 or 10 mA load it, and a clamp diode (a transistor
    that never conducts, without capacitances) keeps the output from going below ground.

    Ranges at 180 nm: W 3 to 150, L 1 to 4 shortest channels; R (both resistors where the output
    is twice the reference) 10 to 500 k, CC 0.1 to 10 pF, RZ 0.1 to 20 k, K1 1 to 8, MPM 10 to 400.
    Lengths scale with the shortest channel; the rest, bias current and loads do not. See
    :func:`reference_voltage`.

    Settling times are read off a transient: the load steps from 1 to 10 mA and back, the supply
    up by a tenth and back, 5 us for each, and the output has settled within 1 %.

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
    circuit = Circuit(f"LDO, {tech.name} card")
    sizes = Sizes(circuit, tech, 0.18e-6)
    w, l = (0.54, 27), (0.18, 0.72)  # noqa: E741
    wb, lb = sizes.length("WB", 2, *w), sizes.length("LB", 0.5, *l)
    w1, l1 = sizes.length("W1", 10, *w), sizes.length("L1", 0.36, *l)
    w3, l3 = sizes.length("W3", 4, *w), sizes.length("L3", 0.36, *l)
    wp, lp = sizes.length("WP", 10, *w), sizes.length("LP", 0.18, *l)
    r = sizes.value("R", 50e3, 10e3, 500e3, "ohm")
    cc = sizes.value("CC", 2e-12, 0.1e-12, 10e-12, "F")
    rz = sizes.value("RZ", 2e3, 100, 20e3, "ohm")
    k1 = sizes.count("K1", 2, 1, 8)
    mpm = sizes.count("MPM", 100, 10, 400)
    reference = reference_voltage(tech)
    vdd = circuit.parameter("VDD", tech.vdd, unit="V")
    vref = circuit.parameter("VREF", reference, unit="V")
    ib = circuit.parameter("IB", 10e-6, unit="A")
    load = circuit.parameter("IL", 1e-3, unit="A")
    upper = 2 * tech.vdd / 3 / reference - 1  # of R1 to R2

    circuit.voltage_source("vdd", "vdd", 0, dc=vdd, ac=1)
    circuit.voltage_source("vref", "ref", 0, dc=vref)
    circuit.current_source("il", "out", 0, dc=load)
    circuit.current_source("ib", "vdd", "vbn", dc=ib)
    tech.mosfet(circuit, "mb", "nmos", "vbn", "vbn", 0, 0, wb, lb)
    tech.mosfet(circuit, "m0", "nmos", "tail", "vbn", 0, 0, wb, lb, k1)
    tech.mosfet(circuit, "m1", "nmos", "gp", "ref", "tail", 0, w1, l1)
    tech.mosfet(circuit, "m2", "nmos", "x", "fb", "tail", 0, w1, l1)
    tech.mosfet(circuit, "m3", "pmos", "gp", "x", "vdd", "vdd", w3, l3)
    tech.mosfet(circuit, "m4", "pmos", "x", "x", "vdd", "vdd", w3, l3)
    tech.mosfet(circuit, "mp", "pmos", "out", "gp", "vdd", "vdd", wp, lp, mpm)
    circuit.resistor("r1", "outf", "fb", r if abs(upper - 1) < 1e-12 else upper * r)
    circuit.resistor("r2", "fb", 0, r)
    # the loop is broken where its driver's impedance is low: at the gate of M2 the divider's own
    # impedance against the gate's would count as gain, and as phase lead
    circuit.voltage_source("vinj", "outf", "out", dc=0)
    circuit.resistor("rz", "out", "y", rz)
    circuit.capacitor("cc", "y", "gp", cc)
    circuit.capacitor("cl", "out", 0, 100e-12)
    # the pad's clamp: without it a load too heavy for the pass device draws the output to -kV
    circuit.model("clamp", "nmos", vto=10, kp=1e-6)
    circuit.mosfet("mclamp", "out", 0, 0, 0, "clamp", w=1e-6, l=1e-6)

    testbench = Testbench(
        scenarios=(Scenario("light", {"IL": 1e-3}), Scenario("heavy", {"IL": 10e-3})),
        signals=(Signal("supply", {"vdd": 1.0}, ("out", "0")),),
        loops=(Loop("loop", "vinj", returned="out", injected="outf"),),
        measures=(
            Regulation("load_regulation", "out", "il", "light", "heavy"),
            Rejection("psrr", "supply", frequency=1e3, scenario="light"),
            QuiescentPower("power", "vdd", "vdd", "il", scenario="light"),
            Gain("loop_gain", "loop", frequency=1e3, scenario="light"),
            PhaseMargin("light_margin", "loop", feedback=True, scenario="light"),
            PhaseMargin("heavy_margin", "loop", feedback=True, scenario="heavy"),
            UnityGain("loop_gbw", "loop", scenario="light"),
            Rejection("heavy_psrr", "supply", frequency=1e3, scenario="heavy"),
            Gain("heavy_loop_gain", "loop", frequency=1e3, scenario="heavy"),
            Voltage("output", "out", scenario="light"),
            Settling("settle_load_up", "load_up"),
            Settling("settle_load_down", "load_down"),
            Settling("settle_supply_up", "supply_up"),
            Settling("settle_supply_down", "supply_down"),
        ),
        steps=Steps(
            (
                Step("load_up", "il", 9e-3),
                Step("load_down", "il", -9e-3),
                Step("supply_up", "vdd", 0.1 * tech.vdd),
                Step("supply_down", "vdd", -0.1 * tech.vdd),
            ),
            output="out",
            stable=("light_margin", "heavy_margin"),
            window=5e-6,
            tolerance=3e-5,
            max_steps=10_000,
        ),
        low=1.0,
        high=1e11,
    )
    return Design(
        name="ldo",
        node=tech.name,
        technology=tech,
        circuit=circuit,
        testbench=testbench,
        human=sizes.human,
        scaled=sizes.factor != 1.0,
        terms=(
            Term("settle_load_up", -1),
            Term("settle_load_down", -1),
            Term("load_regulation", -1),
            Term("settle_supply_up", -1),
            Term("settle_supply_down", -1),
            Term("psrr", 1),
            Term("power", -1),
            Term("loop_gain", 1),
            Term("light_margin", 1, "linear", low=0.0, high=60.0, cap=60.0),
            Term("heavy_margin", 1, "linear", low=0.0, high=60.0, cap=60.0),
        ),
        # a regulator regulates, and oscillates at neither load
        requirements=(
            Requirement("loop_gain", percentile=20),
            Requirement("light_margin", least=0.0),
            Requirement("heavy_margin", least=0.0),
        ),
        supplies=("vdd",),
        source="our own sizing at 180 nm by hand",
    )
