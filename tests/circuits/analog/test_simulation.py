# SPDX-License-Identifier: Apache-2.0
"""Simulating by name: closed forms, batches, gradients, failures, and ngspice as backend."""

from __future__ import annotations

import doctest
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from circuits.analog import Circuit
from circuits.analog import circuit as circuit_module
from circuits.analog import expression as expression_module
from circuits.analog.ngspice import available

PAGE = Path(__file__).parents[3] / "docs" / "analog.md"
BOLTZMANN = 1.38064852e-23
FREQS = torch.logspace(3, 10, 15, dtype=torch.float64)


def low_pass() -> Circuit:
    c = Circuit()
    r, cap = c.parameter("r", 1e3), c.parameter("c", 1e-12)
    c.voltage_source("V1", "in", 0, 1.0, ac=1)
    c.resistor("R1", "in", "out", r)
    c.capacitor("C1", "out", 0, cap)
    return c


def common_source() -> Circuit:
    c = Circuit()
    w, m = c.parameter("W", 1e-5), c.parameter("M", 2, integer=True)
    c.model("n", "nmos", vto=0.5, kp=2e-4, lambda_=0.1)
    c.voltage_source("Vdd", "vdd", 0, 1.8)
    c.voltage_source("Vin", "in", 0, 0.7, ac=1)
    c.resistor("RL", "vdd", "out", 5e3)
    c.mosfet("M1", "out", "in", 0, 0, "n", w=w, l=1e-6, m=m)
    return c


def test_a_low_pass_is_the_textbooks():
    r = torch.tensor([1e3, 2e3, 5e4], dtype=torch.float64)
    result = low_pass().simulate({"r": r}, freqs=FREQS, noise_output="out")
    expected = 1 / (1 + 2j * math.pi * FREQS[:, None] * r * 1e-12)
    torch.testing.assert_close(result.ac("out"), expected, rtol=1e-12, atol=0)
    torch.testing.assert_close(result.ac(("in", "out")), 1 - expected, rtol=1e-9, atol=1e-13)
    noise = 4 * BOLTZMANN * 300.15 * r * expected.abs() ** 2
    torch.testing.assert_close(result.noise, noise, rtol=1e-12, atol=0)
    assert result.current("V1").abs().max() < 1e-18


def test_a_common_source_is_the_textbooks():
    result = common_source().simulate(freqs=[1.0])  # the junctions leak some 1e-12 A
    out, beta = float(result.voltage("out")), 2e-4 * 10 * 2
    current = beta / 2 * 0.2**2 * (1 + 0.1 * out)
    assert out == pytest.approx(1.8 - 5e3 * current, rel=1e-8)
    state = {k: float(v) for k, v in result.device("m1").items()}
    gm, gds = beta * 0.2 * (1 + 0.1 * out), beta / 2 * 0.2**2 * 0.1
    assert (state["gm"], state["gds"], state["vdsat"]) == pytest.approx((gm, gds, 0.2), rel=1e-7)
    assert complex(result.ac("out")[0, 0]) == pytest.approx(-gm / (1 / 5e3 + gds), rel=1e-7)
    assert float(result.current("VDD")) == pytest.approx(-current, rel=1e-7)
    assert float(result.power()) == pytest.approx(1.8 * current, rel=1e-7)
    assert len(state) == 16


def test_gradients_are_differences():
    circuit = common_source()

    def gain(w: torch.Tensor) -> torch.Tensor:
        result = circuit.simulate({"W": w}, freqs=FREQS[:2], noise_output="out")
        return result.ac("out").abs().sum(0) + result.voltage("out") + 1e15 * result.noise.sum(0)

    w = torch.tensor([1e-5, 2e-5], dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(gain(w).sum(), w)
    step = 1e-10
    with torch.no_grad():
        expected = (gain(w + step) - gain(w - step)) / (2 * step)
    torch.testing.assert_close(slope, expected, rtol=1e-6, atol=0)


def test_integers_take_gradients_at_integers():
    m = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)  # float32 holds them
    result = common_source().simulate({"M": m})
    assert result.voltage("out").dtype == torch.float64
    result.voltage("out").sum().backward()
    assert m.grad is not None
    assert (m.grad < 0).all()
    with pytest.raises(ValueError, match=r"M1: m is 2.5; expected an integer \(candidate 1"):
        common_source().simulate({"M": [2, 2.5]})


def test_a_batch_is_its_candidates_one_by_one():
    w = np.geomspace(1e-6, 1e-4, 19)
    circuit = common_source()
    batch = circuit.simulate({"W": w}, freqs=FREQS, noise_output="out")
    assert len(batch) == 19
    for i in (0, 7, 18):
        one = circuit.simulate({"W": float(w[i])}, freqs=FREQS, noise_output="out")
        assert torch.equal(batch.voltage("out")[i : i + 1], one.voltage("out"))
        assert torch.equal(batch.ac("out")[:, i : i + 1], one.ac("out"))
        assert torch.equal(batch.noise[:, i : i + 1], one.noise)
        assert batch.to_spice(i) == one.to_spice()


@pytest.mark.parametrize("backend", ["native", "ngspice"])
def test_a_candidate_that_is_not_finite_fails_alone(backend):
    if backend == "ngspice" and not available():
        pytest.skip("ngspice is not installed")
    w = torch.tensor([1e-5, math.nan, 2e-5], requires_grad=backend == "native")
    result = common_source().simulate({"W": w}, freqs=[1e3], noise_output="out", backend=backend)
    assert result.status.tolist() == [0, 3, 0]
    for values in (result.voltage("out"), result.ac("out")[0].abs(), result.noise[0]):
        assert torch.isnan(values).tolist() == [False, True, False]
    assert repr(result) == "Result(3 candidates, 1 failed; op, ac, noise)"
    if backend == "native":
        result.voltage("out")[[0, 2]].sum().backward()
        assert torch.isfinite(w.grad[[0, 2]]).all()
        assert w.grad[0] != 0


def test_no_candidates_give_no_results():
    result = common_source().simulate({"W": []}, freqs=FREQS, noise_output="out")
    assert result.status.shape == (0,)
    assert result.voltage("out").shape == (0,)
    assert result.ac("out").shape == result.noise.shape == (15, 0)
    assert result.device("M1")["gm"].shape == (0,)


def test_ngspice_is_a_backend():
    if not available():
        pytest.skip("ngspice is not installed")
    params = {"W": [1e-5, 3e-5]}
    ask = {"freqs": FREQS[:3], "noise_output": ("vdd", "out"), "temp": 50.0}
    ours = common_source().simulate(params, **ask)
    theirs = common_source().simulate(params, **ask, backend="ngspice")
    torch.testing.assert_close(theirs.voltage("out"), ours.voltage("out"), rtol=1e-9, atol=0)
    torch.testing.assert_close(theirs.ac("out"), ours.ac("out"), rtol=1e-9, atol=0)
    torch.testing.assert_close(theirs.noise, ours.noise, rtol=1e-9, atol=0)
    torch.testing.assert_close(theirs.power(), ours.power(), rtol=1e-9, atol=0)
    with pytest.raises(ValueError, match="native backend only"):
        theirs.device("M1")


def test_outputs_may_be_few():
    result = common_source().simulate(freqs=[1e3], outputs=["out", ("in", "out")])
    assert complex(result.ac(("in", "out"))[0, 0]) == pytest.approx(
        1 - complex(result.ac("OUT")[0, 0])
    )
    with pytest.raises(ValueError, match="'in' is not among the outputs"):
        result.ac("in")
    assert result.ac("gnd").shape == (1, 1)


def test_analyses_are_what_was_asked_for():
    c = common_source()
    assert repr(c.simulate()) == "Result(1 candidates, 0 failed; op)"
    assert repr(c.simulate(freqs=[1.0])) == "Result(1 candidates, 0 failed; op, ac)"
    only = c.simulate(freqs=[1.0], analyses="noise", noise_output="out")
    assert only.noise.shape == (1, 1)
    with pytest.raises(ValueError, match="ac: it was not computed"):
        only.ac("out")
    with pytest.raises(ValueError, match="noise: it was not computed"):
        c.simulate().noise  # noqa: B018


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"freqs": [0.0]}, ValueError, "freqs must be finite and above 0"),
        ({"freqs": [1.0, -1.0]}, ValueError, "freqs must be finite and above 0"),
        ({"freqs": [math.inf]}, ValueError, "freqs must be finite and above 0"),
        ({"freqs": [math.nan]}, ValueError, "freqs must be finite and above 0"),
        ({"freqs": torch.ones(2, 2)}, ValueError, r"freqs has shape \(2, 2\)"),
        ({"freqs": "1k"}, TypeError, "freqs"),
        ({"analyses": ["tran"]}, ValueError, "analyses holds 'tran'"),
        ({"analyses": ["ac"]}, ValueError, "ac and noise need freqs"),
        ({"analyses": ["noise"], "freqs": [1.0]}, ValueError, "noise needs noise_output"),
        ({"noise_output": "outt", "freqs": [1.0]}, ValueError, "unknown node 'outt'; did you mean"),
        ({"noise_output": ("a", "b", "c")}, TypeError, "expected a node or a pair"),
        ({"outputs": "out"}, TypeError, "expected a sequence"),
        ({"outputs": ["x"]}, ValueError, "unknown node 'x'"),
        ({"temp": -300}, ValueError, "temp is -300"),
        ({"temp": math.nan}, ValueError, "temp is nan"),
        ({"backend": "spectre"}, ValueError, "expected native or ngspice"),
        ({"params": {"Z": 1}}, ValueError, "unknown parameter 'Z'"),
    ],
)
def test_wrong_arguments_are_refused_by_name(arguments, error, message):
    with pytest.raises(error, match=message):
        common_source().simulate(**arguments)


def test_ac_needs_a_drive():
    c = Circuit()
    c.resistor("R1", "a", 0, 1.0)
    assert c.simulate(freqs=[1.0], noise_output="a").noise.shape == (1, 1)
    with pytest.raises(ValueError, match="ac needs a source with an ac amplitude"):
        c.simulate(freqs=[1.0], analyses="ac")


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda r: r.voltage("vd"), "unknown node 'vd'; did you mean 'vdd'"),
        (lambda r: r.current("RL"), "unknown source 'RL'"),
        (lambda r: r.device("M2"), "unknown MOSFET 'M2'; did you mean 'm1'"),
    ],
)
def test_unknown_names_get_a_hint(ask, message):
    with pytest.raises(ValueError, match=message):
        ask(common_source().simulate())


def test_the_examples_of_the_page_run():
    if not PAGE.exists():
        pytest.skip("docs/ is not beside the tests")
    results = doctest.testfile(str(PAGE), module_relative=False)
    assert results.attempted > 20
    assert results.failed == 0


@pytest.mark.parametrize("module", [circuit_module, expression_module])
def test_the_examples_of_the_docstrings_run(module):
    results = doctest.testmod(module)
    assert results.attempted > 0
    assert results.failed == 0
