# SPDX-License-Identifier: Apache-2.0
"""Loop gains as measured are those of the loop cut open: the set-up itself adds none."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from circuits.analog import Circuit, read_spice
from circuits.analog.designs import Design, design
from circuits.analog.elements import CurrentSource, Mosfet, VoltageSource
from circuits.analog.expression import Expression
from circuits.analog.measures import Bench, Gain, Loop, PhaseMargin, Testbench, UnityGain
from circuits.analog.sizing import SizingProblem
from circuits.analog.sizing.calibration import random_units

Deck = Callable[[str], str]


def decibel(value: float) -> float:
    return 20 * math.log10(value)


# -- the figures of the brief: both loops with the source in the lead of a gate ------------------


def gate_lead(made: Design) -> Testbench:
    """Two-Volt's common mode, broken in the lead of MC1's gate."""
    loop = Loop("common_mode", "vgate", returned="vs", injected="gc")
    return replace(made.testbench, loops=(loop,))


def test_common_mode_figures_in_the_lead_of_the_gate() -> None:
    made = design("two_volt")
    bench = Bench(made.circuit, gate_lead(made))
    values = [[made.human.get(p.name, p.default)] for p in made.circuit.parameters.values()]
    read = bench.read(torch.tensor(values, dtype=torch.float64)).values[0].tolist()
    found = dict(zip(bench.names, read, strict=True))
    assert decibel(found["common_mode_gain"]) == pytest.approx(79.816, abs=1e-3)
    assert found["common_mode_gbw"] == pytest.approx(58.17972e6, rel=1e-6)
    assert found["common_mode_margin"] == pytest.approx(72.72, abs=0.01)


@pytest.mark.parametrize(
    ("name", "gain", "gbw", "margin"),
    [("ldo_180_1ma", 80.79, 11.92713e6, 78.45), ("ldo_180_10ma", 76.08, None, 95.71)],
)
def test_regulator_figures_in_the_lead_of_the_gate(
    deck: Deck, name: str, gain: float, gbw: float | None, margin: float
) -> None:
    bench = Bench(
        read_spice(deck(name)),
        Testbench(
            (
                Gain("gain", "loop", frequency=1e3),
                UnityGain("gbw", "loop"),
                PhaseMargin("margin", "loop", feedback=True),
            ),
            loops=(Loop("loop", "vinj", returned="fb", injected="gf"),),
        ),
    )
    found = bench.read(torch.empty(0, 1, dtype=torch.float64)).values[0].tolist()
    assert decibel(found[0]) == pytest.approx(gain, abs=0.02)
    if gbw is not None:
        assert found[1] == pytest.approx(gbw, rel=1e-5)
    assert found[2] == pytest.approx(margin, abs=0.02)


# -- against the loop cut open -------------------------------------------------------------------


def opened(circuit: Circuit, cuts: dict[str, str]) -> Circuit:
    """Sources of 0 V give way to drivers of 1 V ac, at rest where the parameter OPEN says.

    The side that drove keeps its direct load, from a source of the current DRAWN.
    """
    cut = circuit.copy()
    level, drawn = cut.parameter("OPEN", 0.0), cut.parameter("DRAWN", 0.0)
    one, nothing = Expression.of(1.0), Expression.of(0.0)
    for name, element in list(cut._elements.items()):
        if name in cuts:
            assert isinstance(element, VoltageSource)
            cut._elements[name] = VoltageSource(element.name, cuts[name], "0", level, one)
            cut.current_source(f"i{name}", element.b, 0, dc=drawn)
        elif isinstance(element, VoltageSource | CurrentSource):
            cut._elements[name] = replace(element, ac=nothing)
    cut._lowered = None
    return cut


def both(
    made: Design, loop: Loop, cuts: dict[str, str], out: str, params: Tensor, f: float
) -> tuple[Tensor, Tensor]:
    """Complex ``(S, B)``: the loop gain as measured, and that of the open loop, by scenario."""
    problem = SizingProblem(made)
    names = [s.name for s in made.testbench.scenarios]
    measures = tuple(Gain(f"gain {name}", loop.name, "", f, name) for name in names)
    bench = Bench(made.circuit, replace(made.testbench, measures=measures, loops=(loop,)))
    view, status = bench.view(problem.all_parameters(params))
    assert not bool((status == 3).any())
    cut = opened(made.circuit, cuts)
    closed, ideal = [], []
    for scenario in made.testbench.scenarios:
        volts = view.voltage(out, scenario.name)
        drawn = -view.current(next(iter(cuts)), scenario.name)
        values = {**problem.everything(params), **scenario.values, "OPEN": volts, "DRAWN": drawn}
        found = cut.simulate(values, freqs=[f], analyses=("op", "ac"))
        assert not bool((found.status == 3).any())
        # the same state, or the comparison means nothing: 1 uV of offset is 1e-10 V at the input
        np.testing.assert_allclose(found.voltage(out), volts, atol=1e-5)
        closed.append(view.at(loop.name, f, scenario.name)[0])
        ideal.append(-found.ac(out)[0])
    return torch.stack(closed), torch.stack(ideal)


def apart(one: Tensor, other: Tensor) -> Tensor:
    """The difference by the greater of |T| and the 1 that margins are measured from."""
    return (one - other).abs() / other.abs().clamp_min(1.0)


@pytest.mark.parametrize(("f", "least"), [(1e3, 10.0), (1e7, 0.0), (1e8, 0.0)])
def test_the_regulators_loop(f: float, least: float) -> None:
    """A hundred random designs at both loads; at 1 kHz those that regulate."""
    made = design("ldo")
    problem = SizingProblem(made)
    params = problem.unit_to_parameters(random_units(100, problem.n_parameters, 17))
    (loop,) = made.testbench.loops
    measured, ideal = both(made, loop, {"vinj": "outf"}, "out", params, f)
    keep = ideal.abs() > least
    assert int(keep.sum()) > 120
    assert apart(measured, ideal)[keep].max().item() < 0.02


def test_a_wide_gate_would_have_counted_as_gain() -> None:
    """With the source in the lead of M2's gate the same comparison fails, and by much."""
    made = design("ldo")
    problem = SizingProblem(made)
    params = problem.unit_to_parameters(random_units(100, problem.n_parameters, 17))
    circuit = made.circuit.copy()
    m2 = circuit.element("m2")
    assert isinstance(m2, Mosfet)
    circuit.voltage_source("vgate", "gf", "fb", dc=0)
    circuit._elements["m2"] = replace(m2, g="gf")
    circuit._lowered = None
    loop = Loop("loop", "vgate", returned="fb", injected="gf")
    measured, ideal = both(
        replace(made, circuit=circuit), loop, {"vinj": "outf"}, "out", params, 1e8
    )
    assert apart(measured, ideal).max().item() > 1


def test_the_common_mode_loop() -> None:
    made = design("two_volt")
    problem = SizingProblem(made)
    params = problem.unit_to_parameters(random_units(100, problem.n_parameters, 17))
    (loop,) = made.testbench.loops
    cuts = {"vinjp": "sensep", "vinjn": "sensen"}
    for f in (1e6, 1e7, 58e6):  # the last is where the human design has a gain of 1
        measured, ideal = both(made, loop, cuts, "outp", params, f)
        assert apart(measured, ideal).max().item() < 0.02
