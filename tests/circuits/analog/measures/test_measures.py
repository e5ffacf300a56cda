# SPDX-License-Identifier: Apache-2.0
"""Metrics against closed forms, central differences, the reference operators; bad candidates."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.linalg
import torch
from torch import Tensor

from circuits.analog import Circuit
from circuits.analog.designs import DESIGNS
from circuits.analog.measures import (
    Bandwidth,
    Bench,
    Formula,
    Gain,
    InputNoise,
    IntegratedNoise,
    Loop,
    Measure,
    Peaking,
    PhaseMargin,
    Power,
    Rejection,
    Scenario,
    Signal,
    Testbench,
    UnityGain,
    Voltage,
)
from circuits.analog.measures import bench as bench_module
from circuits.analog.sizing import SizingProblem, sizing_problem
from circuits.analog.sizing.calibration import random_units
from workbench.ops.circuit_sim import operating_point
from workbench.ops.reference.circuit_equations import Circuit as Equations
from workbench.ops.reference.circuit_equations import linear

BOLTZMANN, KELVIN = 1.38064852e-23, 300.15
R, C = 2e3, 1e-12


def low_pass(*measures: Measure) -> Bench:
    """A current into R parallel to C, and a supply that heats a resistor."""
    circuit = Circuit("low pass")
    r = circuit.parameter("r", R, low=0.1, high=1e5)
    c = circuit.parameter("c", C, low=1e-15, high=1e-9)
    circuit.current_source("iin", 0, "out", dc=0)
    circuit.resistor("r1", "out", 0, r)
    circuit.capacitor("c1", "out", 0, c)
    circuit.voltage_source("vdd", "vdd", 0, dc=2.0)
    circuit.resistor("r2", "vdd", 0, 1e3)
    signal = Signal("z", {"iin": 1.0}, ("out", "0"))
    return Bench(circuit, Testbench(measures, (signal,), low=1.0, high=1e13, points=30))


def test_closed_forms_of_a_low_pass() -> None:
    bench = low_pass(
        Gain("gain", "z"),
        Bandwidth("bandwidth", "z"),
        UnityGain("unity", "z"),
        PhaseMargin("margin", "z"),
        Peaking("peaking", "z"),
        InputNoise("noise", "z", 1e3),
        IntegratedNoise("rms", "z", 1e-1, 1e15, 4001, referred=False),
        Power("power", (("vdd", "vdd"),)),
        Rejection("inverse", "z", frequency=1e12),
    )
    read = bench.read(torch.tensor([[R], [C]], dtype=torch.float64)).values[0].tolist()
    found = dict(zip(bench.names, read, strict=True))
    corner = 1 / (2 * math.pi * R * C)
    assert found["gain"] == pytest.approx(R, rel=1e-12)
    assert found["bandwidth"] == pytest.approx(corner, rel=1e-9)
    assert found["unity"] == pytest.approx(corner * math.sqrt(R**2 - 1), rel=1e-9)
    assert found["margin"] == pytest.approx(180 - math.degrees(math.atan(math.sqrt(R**2 - 1))))
    assert found["peaking"] == pytest.approx(0, abs=1e-12)
    assert found["noise"] == pytest.approx(math.sqrt(4 * BOLTZMANN * KELVIN / R), rel=1e-9)
    assert found["rms"] == pytest.approx(math.sqrt(BOLTZMANN * KELVIN / C), rel=1e-5)
    assert found["power"] == pytest.approx(4e-3, rel=1e-12)
    assert found["inverse"] == pytest.approx(abs(1 / R + 2j * math.pi * 1e12 * C), rel=1e-9)


def test_gradients_of_a_low_pass() -> None:
    """d ln corner / d ln r = d ln corner / d ln c = -1, and so on."""
    bench = low_pass(Bandwidth("bandwidth", "z"), UnityGain("unity", "z"), Gain("gain", "z"))
    values = torch.tensor([[R], [C]], dtype=torch.float64, requires_grad=True)
    found = bench.read(values).values[0].log()
    size = R**2 - 1
    expected = [[-1, -1], [R**2 / size - 1, -1], [1, 0]]
    for metric, want in zip(found, expected, strict=True):
        (slope,) = torch.autograd.grad(metric, values, retain_graph=True)
        np.testing.assert_allclose((slope * values).detach()[:, 0], want, atol=1e-9)


def test_undefined_metrics_are_nan_and_poison_nothing() -> None:
    bench = low_pass(Gain("gain", "z"), UnityGain("unity", "z"), PhaseMargin("margin", "z"))
    values = torch.tensor(
        [[R, 0.5, math.nan, R], [C, C, C, C]], dtype=torch.float64, requires_grad=True
    )
    found = bench.read(values)
    assert found.status.tolist() == [0, 0, 3, 0]
    have = torch.isfinite(found.values)
    assert have.tolist() == [[True] * 3, [True, False, False], [False] * 3, [True] * 3]
    torch.nan_to_num(found.values).sum().backward()
    assert values.grad is not None
    assert bool(torch.isfinite(values.grad).all())
    assert values.grad[:, 2].tolist() == [0, 0]
    assert values.grad[:, 1].tolist() == pytest.approx([1, 0], abs=1e-9)
    assert torch.equal(values.grad[:, 0], values.grad[:, 3])
    alone = torch.tensor([[R], [C]], dtype=torch.float64, requires_grad=True)
    bench.read(alone).values.sum().backward()
    assert alone.grad is not None
    np.testing.assert_allclose(values.grad[:, 0], alone.grad[:, 0], rtol=1e-12)


def test_positive_feedback_has_no_margin() -> None:
    """An inverter closed on itself is a stable loop; two of them in a ring latch."""

    def ring(stages: int) -> float:
        circuit = Circuit("ring")
        circuit.model("n", "nmos", vto=0.5, kp=1e-3, lambda_=0.05)
        circuit.voltage_source("vdd", "vdd", 0, dc=2.0)
        circuit.voltage_source("vinj", "g", "back", dc=0.0)
        gate = "g"
        for k in range(stages):
            out = "back" if k == stages - 1 else f"n{k}"
            circuit.mosfet(f"m{k}", out, gate, 0, 0, "n", w=10e-6, l=1e-6)
            circuit.resistor(f"r{k}", "vdd", out, 5e3)
            circuit.capacitor(f"c{k}", out, 0, 1e-12 if k == 0 else 1e-15)
            gate = out
        bench = Bench(
            circuit,
            Testbench(
                (PhaseMargin("margin", "t", feedback=True), Gain("gain", "t")),
                loops=(Loop("t", "vinj", "back", "g"),),
                low=1.0,
                high=1e13,
            ),
        )
        found = bench.read(torch.empty(0, 1, dtype=torch.float64)).values[0]
        assert found[1] > 1
        return found[0].item()

    assert 80 < ring(1) < 180
    assert ring(2) < 0


def test_scenarios_are_other_values_of_a_parameter() -> None:
    circuit = Circuit("divider")
    circuit.parameter("load", 1e3)
    circuit.voltage_source("v1", "in", 0, dc=1.0)
    circuit.resistor("r1", "in", "out", 1e3)
    circuit.resistor("r2", "out", 0, circuit.parameter("r2", 1e3))
    bench = Bench(
        circuit,
        Testbench(
            (Voltage("a", "out", scenario="light"), Voltage("b", "out", scenario="heavy")),
            scenarios=(Scenario("light", {"r2": 3e3}), Scenario("heavy", {"r2": 1e3})),
        ),
    )
    values = torch.tensor([[1.0, 1.0], [7.0, 9.0]], dtype=torch.float64)
    assert bench.read(values).values.tolist() == [[0.75, 0.5], [0.75, 0.5]]
    assert bench.read(values, override={"r2": 9e3}).values.tolist() == [[0.9, 0.9], [0.9, 0.9]]


def problem_of(name: str) -> SizingProblem:
    return sizing_problem(name)


def working(problem: SizingProblem, count: int, seed: int) -> Tensor:
    """Parameters of random designs that work; W and L off the grid, counts whole."""
    units = random_units(200, problem.n_parameters, seed)
    found = problem.evaluate_units(units)
    keep = problem.merit.meets(found.metrics, found.status, problem.metric_names)
    smooth = problem.unit_to_parameters(units[keep], rounded=False)
    return torch.where(problem.integer, found.params[keep], smooth)[:count]


@pytest.mark.parametrize("name", list(DESIGNS))
def test_gradients_against_central_differences(name: str) -> None:
    """Every metric to every parameter that is no count, at the human point and random ones.

    Not settling times, which jump by 1e-4 with the steps of a transient: see test_settling.py.
    """
    problem = problem_of(name)
    points = torch.cat([problem.human[None], working(problem, 4, 7)])
    leaf = points.clone().requires_grad_(True)
    found = problem.metrics(leaf)
    assert bool(torch.isfinite(found.values).all())
    smooth = torch.nonzero(~problem.integer)[:, 0].tolist()
    h = 5e-5
    moved = []
    for k in smooth:
        for sign in (1, -1):
            step = points.clone()
            step[:, k] *= math.exp(sign * h)
            moved.append(step)
    with torch.no_grad():
        values = problem.metrics(torch.cat(moved)).values
    values = values.reshape(len(smooth), 2, len(points), -1)
    central = (values[:, 0] - values[:, 1]) / (2 * h)
    for m, metric in enumerate(problem.metric_names):
        if metric.startswith("settle"):
            continue
        (slope,) = torch.autograd.grad(found.values[:, m].sum(), leaf, retain_graph=True)
        ours = (slope * points)[:, smooth].t()
        scale = found.values[:, m].detach().abs().clamp_min(1e-3 if metric == "peaking" else 0)
        # by the metric's own size: 1e-5 of d ln m / d ln p is what the differences resolve
        apart = ((ours - central[:, :, m]) / scale).abs().max().item()
        assert apart < 2e-5, f"{metric}: {apart}"


@pytest.mark.parametrize("name", list(DESIGNS))
def test_peaks_and_crossings_against_a_dense_sweep(name: str) -> None:
    """Two hundred frequencies per decade, interpolated, find the same within their spacing."""
    problem = problem_of(name)
    points = torch.cat([problem.human[None], working(problem, 3, 11)])
    found = problem.metrics(points).values
    signal = problem.design.testbench.signals[0]
    bench = problem.design.testbench
    f = np.geomspace(bench.low, bench.high, 200 * round(math.log10(bench.high / bench.low)) + 1)
    if name == "ldo":
        return  # its features are those of a loop; ngspice checks them
    result = problem.design.circuit.simulate(problem.everything(points), f, ("op", "ac"))
    h = result.ac(signal.output).numpy()
    for i in range(len(points)):
        size = np.abs(h[:, i])
        row = dict(zip(problem.metric_names, found[i].tolist(), strict=True))
        k = int(np.flatnonzero(size < size[0] / math.sqrt(2))[0])
        assert f[k - 1] <= row["bandwidth"] <= f[k]
        if "peaking" in row:
            assert row["peaking"] == pytest.approx(20 * np.log10(size.max() / size[0]), abs=1e-3)
        if "gbw" in row:
            k = int(np.flatnonzero(size < 1)[0])
            assert f[k - 1] <= row["gbw"] <= f[k]
            phase = np.degrees(np.unwrap(np.angle(h[:, i])))
            start = 180 * round(phase[0] / 180)
            assert 180 + phase[k - 1] - start == pytest.approx(row["margin"], abs=2)


@pytest.mark.parametrize("name", list(DESIGNS))
def test_the_reference_operators_say_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    problem = problem_of(name)
    points = torch.cat([problem.human[None], working(problem, 2, 5)])
    ours = problem.metrics(points)
    monkeypatch.setattr(bench_module, "_operators", "workbench.ops.reference.circuit_sim")
    theirs = problem.metrics(points)
    assert torch.equal(ours.status == 3, theirs.status == 3)
    np.testing.assert_allclose(ours.values, theirs.values, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", list(DESIGNS))
def test_a_bad_candidate_is_alone_in_it(name: str) -> None:
    problem = problem_of(name)
    good = torch.cat([problem.human[None], working(problem, 9, 3)])
    alone = problem.metrics(good)
    bad = good.clone()
    bad[4] = math.nan
    leaf = bad.clone().requires_grad_(True)
    found = problem.metrics(leaf)
    assert found.status[4] == 3
    assert bool(torch.isnan(found.values[4]).all())
    keep = [i for i in range(10) if i != 4]
    np.testing.assert_allclose(
        found.values.detach()[keep], alone.values[keep], rtol=1e-9, equal_nan=True
    )
    problem.fom(found).sum().backward()
    assert leaf.grad is not None
    assert bool(torch.isfinite(leaf.grad).all())
    assert not leaf.grad[4].any()
    assert bool(leaf.grad[keep].any(1).all())


def symmetric(problem: SizingProblem) -> Tensor:
    """Unknowns of Two-Volt when its halves agree: ``(n, n')``, a column per node or pair."""
    lowered = problem.bench.lowered
    rows = {name: k - 1 for name, k in lowered.nodes.items() if k}
    equations = Equations(lowered.program, 27.0)
    for name, k in lowered.sources.items():
        if (source := equations.sources[k]).branch >= 0:
            rows[f"i {name}"] = equations.branch_row(source) - 1
    twins = {"xn": "xp", "yp": "yn", "outp": "outn", "sensep": "sensen", "inp": "inn"}
    twins |= {"i vinp": "i vinn", "i vinjp": "i vinjn"}
    columns = []
    for name in rows.keys() - twins.values():
        column = torch.zeros(len(rows), dtype=torch.float64)
        column[rows[name]] = 1.0
        if name in twins:
            column[rows[twins[name]]] = 1.0
        columns.append(column)
    return torch.stack(columns, 1)


@pytest.mark.parametrize(
    ("name", "margin", "scenario"),
    [("ldo", "light_margin", 0), ("ldo", "heavy_margin", 1), ("two_volt", "common_mode_margin", 0)],
)
def test_margins_say_whether_the_closed_loop_is_stable(
    name: str, margin: str, scenario: int
) -> None:
    """The poles of the closed loop, eigenvalues of (-G, C), know nothing of loops and phases.

    Of Two-Volt those of the common mode: its symmetric states, both halves moving together.
    """
    problem = problem_of(name)
    params = problem.unit_to_parameters(random_units(300, problem.n_parameters, 5))
    degrees = problem.metrics(params).values[:, problem.metric_names.index(margin)]
    bench = problem.bench
    columns = bench.columns(problem.all_parameters(params)).split(len(params), 1)[scenario]
    rows = bench.lowered.rows(columns)
    volts, _, _ = operating_point(bench.lowered.program, rows)
    g, c = linear(Equations(bench.lowered.program, 27.0), rows, volts)
    if name == "two_volt":
        same = symmetric(problem)
        g, c = same.T @ g @ same, same.T @ c @ same
    right = []
    for k in torch.nonzero(torch.isfinite(degrees))[:, 0].tolist():
        poles = scipy.linalg.eig(-g[k].numpy(), c[k].numpy(), right=False)
        finite = poles[np.isfinite(poles) & (np.abs(poles) < 1e14)]
        right.append(bool((finite.real < 0).all()) == (degrees[k].item() > 0))
    assert len(right) > 160
    assert all(right)


def test_no_candidates() -> None:
    for name in DESIGNS:
        problem = problem_of(name)
        found = problem.metrics(torch.empty(0, problem.n_parameters, dtype=torch.float64))
        assert found.values.shape == (0, len(problem.metric_names))
        assert found.status.shape == (0,)


def test_wrong_testbenches() -> None:
    signal = Signal("z", {"iin": 1.0}, ("out", "0"))
    with pytest.raises(ValueError, match="gain needs 'y', which is not there"):
        Testbench((Gain("gain", "y"),), (signal,))
    with pytest.raises(ValueError, match="measure 'gain' is there twice"):
        Testbench((Gain("gain", "z"), Gain("gain", "z")), (signal,))
    with pytest.raises(ValueError, match="0 < low < high"):
        Testbench((), low=2.0, high=1.0)
    with pytest.raises(ValueError, match="a loop has no f3db"):
        Testbench((Bandwidth("b", "t"),), loops=(Loop("t", "v", "a", "b"),))
    circuit = Circuit("rc")
    circuit.resistor("r", "out", 0, 1.0)
    circuit.current_source("i", 0, "out")
    with pytest.raises(ValueError, match="z: unknown source 'iin'"):
        Bench(circuit, Testbench((Gain("gain", "z"),), (signal,)))
    with pytest.raises(ValueError, match="unknown parameter 'load'"):
        Bench(circuit, Testbench((), scenarios=(Scenario("a", {"load": 1.0}),)))
    other = Signal("z", {"i": 1.0}, ("nowhere", "0"))
    with pytest.raises(ValueError, match="unknown node 'nowhere'"):
        Bench(circuit, Testbench((Gain("gain", "z"),), (other,)))


def test_formulas_are_of_the_parameters() -> None:
    circuit = Circuit("area")
    w = circuit.parameter("w", 2.0)
    circuit.resistor("r", "a", 0, w)
    bench = Bench(circuit, Testbench((Formula("area", 3 * w**2), Formula("two", w * 0 + 2))))
    values = torch.tensor([[2.0, 5.0]], dtype=torch.float64, requires_grad=True)
    found = bench.read(values).values
    assert found.tolist() == [[12.0, 2.0], [75.0, 2.0]]
    found[:, 0].sum().backward()
    assert values.grad is not None
    assert values.grad.tolist() == [[12.0, 30.0]]
