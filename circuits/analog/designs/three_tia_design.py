# SPDX-License-Identifier: Apache-2.0
"""Three-TIA: a differential three-stage transimpedance amplifier."""

from __future__ import annotations

from typing import Literal

from circuits.analog.circuit import Circuit
from circuits.analog.designs.specification import Design, Requirement, Sizes, Term
from circuits.analog.expression import Expression
from circuits.analog.measures.kinds import Bandwidth, Formula, Gain, Power
from circuits.analog.measures.testbench import Signal, Testbench
from circuits.analog.technology import technology_card

__all__ = ["L2DC_SPECS", "three_tia"]

#: Metric, value, sign and kind of what L2DC asks of it on the ee114 card; area in m**2.
L2DC_SPECS: tuple[tuple[str, float, int, Literal["constraint", "target"]], ...] = (
    ("gain", 20236.0, 1, "constraint"),
    ("bandwidth", 90.107e6, 1, "constraint"),
    ("power", 3e-3, -1, "constraint"),
    ("area", 211.2e-12, -1, "target"),
)


def three_tia(node: str = "ee114") -> Design:
    """Build the three-stage transimpedance amplifier: 17 transistors, 10 sized parameters.

    Per side: M1, common gate, on diode load M1L; M2 of a differential pair on diode load M2L;
    M3, a follower; MB1 to MB3 mirror the current of MB, which RB sets. Both sides share their
    sizes. Gates of M1 are half way between the supplies.

    Ranges on its own card, ee114 with +-2.5 V, in um: W1 2-15, WL1 2-5, WB1 2-5, W2 2-5, WL2 2-5,
    WB2 2-10, W3 2-50, WB3 2-15, WB 2-5; RB 100-400 k; L 1, 2 for the bias. On other cards widths
    and lengths scale with the shortest channel, the supplies are +-VDD/2, and RB scales with
    their distance, so that the bias current stays near 13 uA. Input (100 fF) and load (10 k,
    500 fF) do not scale.

    Parameters
    ----------
    node : str
        ``"ee114" "250" "180" "130" "65" "45"``.

    Raises
    ------
    ValueError
        For an unknown card.
    """
    tech = technology_card(node)
    circuit = Circuit(f"Three-TIA, {tech.name} card")
    sizes = Sizes(circuit, tech, 1e-6)
    w1 = sizes.length("W1", 12, 2, 15)
    wl1 = sizes.length("WL1", 2, 2, 5)
    wb1 = sizes.length("WB1", 3.2, 2, 5)
    w2 = sizes.length("W2", 4, 2, 5)
    wl2 = sizes.length("WL2", 2.8, 2, 5)
    wb2 = sizes.length("WB2", 5.8, 2, 10)
    w3 = sizes.length("W3", 44.4, 2, 50)
    wb3 = sizes.length("WB3", 10.2, 2, 15)
    wb = sizes.length("WB", 2, 2, 5)
    span = tech.vdd - tech.vss
    rb = sizes.value("RB", 291e3, 100e3, 400e3, "ohm", span / 5.0)
    vdd = circuit.parameter("VDD", span / 2, unit="V")
    length, bias = tech.lmin, 2 * tech.lmin

    circuit.voltage_source("vdd", "vdd", 0, dc=vdd)
    circuit.voltage_source("vss", "vss", 0, dc=-vdd)
    circuit.current_source("iina", 0, "iina", dc=0, ac=0.5)
    circuit.current_source("iinb", 0, "iinb", dc=0, ac=-0.5)
    circuit.resistor("rb", "vdd", "nb", rb)
    tech.mosfet(circuit, "mb", "nmos", "nb", "nb", "vss", "vss", wb, bias)
    area: Expression = wb * bias

    for side in "ab":

        def add(
            name: str,
            kind: str,
            d: str,
            g: str,
            s: str,
            b: str,
            w: Expression,
            l: float,  # noqa: E741
            side: str = side,
        ) -> None:
            nonlocal area
            tech.mosfet(circuit, f"{name}{side}", kind, d, g, s, b, w, l)
            area = area + w * l

        iin, vo1, vo2, vout = (f"{node}{side}" for node in ("iin", "vo1", "vo2", "vout"))
        circuit.capacitor(f"cin{side}", iin, "vdd", 100e-15)
        add("mb1", "nmos", iin, "nb", "vss", "vss", wb1, bias)
        add("m1", "nmos", vo1, "0", iin, "vss", w1, length)
        add("m1l", "pmos", vo1, vo1, "vdd", "vdd", wl1, length)
        add("m2", "nmos", vo2, vo1, "v0d", "vss", w2, length)
        add("m2l", "pmos", vo2, vo2, "vdd", "vdd", wl2, length)
        add("mb2", "nmos", "v0d", "nb", "vss", "vss", wb2, bias)
        add("m3", "nmos", "vdd", vo2, vout, "vss", w3, length)
        add("mb3", "nmos", vout, "nb", "vss", "vss", wb3, bias)
    circuit.resistor("rl", "vouta", "voutb", 10e3)
    circuit.capacitor("cl", "vouta", "voutb", 500e-15)

    testbench = Testbench(
        signals=(Signal("transimpedance", {"iina": 0.5, "iinb": -0.5}, ("vouta", "voutb")),),
        measures=(
            Bandwidth("bandwidth", "transimpedance"),
            Gain("gain", "transimpedance", unit="ohm"),
            Power("power", (("vdd", "vdd"), ("vss", "vss"))),
            Formula("area", area, unit="m^2"),
        ),
        low=1e4,
        high=1e11,
    )
    return Design(
        name="three_tia",
        node=tech.name,
        technology=tech,
        circuit=circuit,
        testbench=testbench,
        human=sizes.human,
        scaled=sizes.factor != 1.0,
        terms=(Term("bandwidth", 1), Term("gain", 1), Term("power", -1)),
        requirements=(Requirement("gain", percentile=20),),
        supplies=("vdd", "vss"),
        source="the published design of a course, on its own card",
    )
