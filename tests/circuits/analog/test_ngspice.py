# SPDX-License-Identifier: Apache-2.0
"""ngspice as oracle: the four circuits' published figures, closed forms, users' own models.

The figures come from ngspice where it is installed and from its recorded word elsewhere; the
rest needs it installed.
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from circuits.analog.ngspice import Sweep, Transient, available, simulate_deck, version
from circuits.analog.ngspice.record import Oracle, main, read_recording

needs_ngspice = pytest.mark.skipif(
    not (available("library") and available("process")),
    reason="ngspice is not installed (apt-get install libngspice0 ngspice)",
)
BOTH = ("library", "process")
BOLTZMANN = 1.38064852e-23  # ngspice 39's; newer ones have newer constants
RECORDED_BY = "39"
NOISE_RTOL = 1e-12 if available() and version() == RECORDED_BY else 1e-5
Deck = Callable[[str], str]

DIVIDER = "divider\nv1 in 0 dc 2 ac 1\nr1 in out 1k\nr2 out 0 3k\nc1 out 0 1p\n"


def crossing(f: NDArray[np.float64], y: NDArray[np.float64], level: float) -> float:
    """Where y first falls through the level, by log-log interpolation."""
    k = int(np.flatnonzero((y[:-1] >= level) & (y[1:] < level))[0])
    w = math.log(y[k] / level) / math.log(y[k] / y[k + 1])
    return float(f[k] ** (1 - w) * f[k + 1] ** w)


def phase_from_dc(h: NDArray[np.complex128]) -> float:
    """Degrees of the last value, followed from the first's sign."""
    angles = np.unwrap(np.angle(h))
    start = math.pi * round(angles[0] / math.pi)
    return math.degrees(angles[-1] - start)


def sweep_to(*ends: float) -> list[float]:
    """A few points per decade between the ends, and a narrow bracket around each end but one."""
    low, *marks = ends
    out = {low}
    for mark in marks:
        out |= {mark * (1 - 2e-4), mark * (1 + 2e-4)}
    steps = np.geomspace(low, marks[-1], 2 * math.ceil(math.log10(marks[-1] / low)) + 1)
    return sorted(out | {float(f"{f:.3g}") for f in steps[1:-1]})


# --- the four circuits ------------------------------------------------------------------------


def test_three_tia_golden_point(deck: Deck, oracle: Oracle) -> None:
    r, _ = oracle(
        "three_tia_ee114",
        deck("three_tia_ee114"),
        ("op", "ac", "noise"),
        freqs=sweep_to(1e3, 91.037e6),
        noise_output=("vouta", "voutb"),
        noise_source="iina",
    )
    power = -2.5 * r.currents["vdd"] + 2.5 * r.currents["vss"]
    assert power == pytest.approx(1.369437e-3, abs=0.5e-9)
    gain = np.abs(r.transfer("vouta", "voutb"))
    assert gain[0] == pytest.approx(20236, abs=0.5)
    bandwidth = crossing(r.frequencies, gain, gain[0] / math.sqrt(2))
    assert bandwidth == pytest.approx(91.037e6, rel=1e-5)
    # The published figure, from another simulator with another rule for drain perimeters.
    assert bandwidth == pytest.approx(90.107e6, rel=0.011)
    # Both halves are the same circuit, driven with opposite signs.
    np.testing.assert_allclose(r.ac["vouta"], -r.ac["voutb"], rtol=1e-12)
    assert np.abs(r.ac["v0d"]).max() < 1e-9 * gain[0]


@needs_ngspice
def test_golden_bandwidth_on_a_coarse_sweep(deck: Deck) -> None:
    """The 90.89 MHz of earlier notes is a 20-per-decade sweep, interpolated; 91.04 is exact."""
    text = deck("three_tia_ee114")
    found = []
    for n in (20, 2000):
        r = simulate_deck(text, ("ac",), freqs=Sweep(1e3, 1e10, n))
        gain = np.abs(r.transfer("vouta", "voutb"))
        found.append(crossing(r.frequencies, gain, gain[0] / math.sqrt(2)))
    assert found[0] == pytest.approx(90.89e6, rel=1e-3)
    assert found[1] == pytest.approx(91.037e6, rel=1e-5)


def test_two_tia_figures(deck: Deck, oracle: Oracle) -> None:
    r, _ = oracle(
        "two_tia_180",
        deck("two_tia_180"),
        ("op", "ac", "noise"),
        freqs=sweep_to(1e5, 5.22998e9, 11.01986e9),
        noise_output="out2",
        noise_source="iin",
    )
    assert -1.8 * r.currents["vdd"] == pytest.approx(9.2272e-3, rel=1e-5)
    gain = np.abs(r.transfer("out2"))
    decibel = 20 * np.log10(gain)
    assert decibel[0] == pytest.approx(50.008, abs=1e-3)
    assert decibel.max() - decibel[0] == pytest.approx(2.0155, abs=1e-3)
    bandwidth = crossing(r.frequencies, gain, gain[0] / math.sqrt(2))
    assert bandwidth == pytest.approx(11.01986e9, rel=1e-5)
    assert r.inoise is not None
    assert r.noise is not None
    np.testing.assert_allclose(r.inoise, r.noise / gain**2, rtol=1e-9)


def test_two_volt_differential_figures(deck: Deck, oracle: Oracle) -> None:
    r, _ = oracle(
        "two_volt_180",
        deck("two_volt_180"),
        ("op", "ac", "noise"),
        freqs=sweep_to(10.0, 17285.44, 1e6, 184.5347e6),
        noise_output=("outp", "outn"),
        noise_source="vinp",
    )
    assert -1.8 * r.currents["vdd"] == pytest.approx(0.41805e-3, rel=1e-4)
    h = r.transfer("outp", "outn")
    assert 20 * math.log10(abs(h[0])) == pytest.approx(81.567, abs=1e-3)
    f = r.frequencies
    assert crossing(f, np.abs(h), abs(h[0]) / math.sqrt(2)) == pytest.approx(17285.44, rel=1e-4)
    assert crossing(f, np.abs(h), 1.0) == pytest.approx(184.5347e6, rel=1e-5)
    assert 180 + phase_from_dc(h) == pytest.approx(66.2, abs=0.05)
    at = int(np.argmin(np.abs(f - 1e6)))
    assert r.noise is not None
    assert math.sqrt(r.noise[at]) / abs(h[at]) == pytest.approx(7.6e-9, rel=0.005)


def test_two_volt_common_mode_loop(deck: Deck, oracle: Oracle) -> None:
    r, _ = oracle(
        "two_volt_180-common-mode",
        deck("two_volt_180"),
        ("op", "ac"),
        freqs=sweep_to(10.0, 58.17972e6),
        alter={"vinp": {"acmag": 0.0}, "vinn": {"acmag": 0.0}, "vinj": {"acmag": 1.0}},
    )
    loop = -r.transfer("vs") / r.transfer("gc")
    assert 20 * math.log10(abs(loop[0])) == pytest.approx(79.816, abs=1e-3)
    assert crossing(r.frequencies, np.abs(loop), 1.0) == pytest.approx(58.17972e6, rel=1e-5)
    assert 180 + phase_from_dc(loop) == pytest.approx(72.72, abs=0.05)


@pytest.mark.parametrize(
    ("load", "out", "psrr", "loop_1k", "unity", "margin"),
    [
        ("1ma", 1.2006599, 82.153, 80.79, 11.92713e6, 78.45),
        ("10ma", 1.1995206, 74.799, 76.08, 12.42932e6, 95.71),
    ],
)
def test_ldo_figures(
    deck: Deck,
    oracle: Oracle,
    load: str,
    out: float,
    psrr: float,
    loop_1k: float,
    unity: float,
    margin: float,
) -> None:
    name = f"ldo_180_{load}"
    supply, _ = oracle(
        f"{name}-supply",
        deck(name),
        ("op", "ac", "noise"),
        freqs=[1e3, 1e5, 1e7],
        noise_output="out",
        noise_source="vdd",
    )
    assert supply.op["out"] == pytest.approx(out, abs=1e-7)
    assert -20 * math.log10(abs(supply.transfer("out")[0])) == pytest.approx(psrr, abs=1e-2)
    current = -supply.currents["vdd"] - (1e-3 if load == "1ma" else 10e-3)
    assert current == pytest.approx(41.35e-6, rel=1e-3)  # quiescent
    r, _ = oracle(
        f"{name}-loop",
        deck(name),
        ("op", "ac"),
        freqs=sweep_to(1.0, 1e3, unity),
        alter={"vdd": {"acmag": 0.0}, "vinj": {"acmag": 1.0}},
    )
    loop = -r.transfer("fb") / r.transfer("gf")
    at = int(np.argmin(np.abs(r.frequencies - 1e3)))
    assert 20 * math.log10(abs(loop[at])) == pytest.approx(loop_1k, abs=0.01)
    assert crossing(r.frequencies, np.abs(loop), 1.0) == pytest.approx(unity, rel=1e-5)
    assert 180 + phase_from_dc(loop) == pytest.approx(margin, abs=0.02)


# --- recordings -------------------------------------------------------------------------------


def test_recordings_are_small_and_complete() -> None:
    paths = sorted((Path(__file__).parent / "recorded").glob("*.json"))
    assert len(paths) >= 8
    assert sum(path.stat().st_size for path in paths) < 300_000
    for path in paths:
        deck, asked, result, by = read_recording(path)
        assert deck.splitlines()[0].strip()
        assert deck.rstrip().lower().endswith(".end")
        assert by == RECORDED_BY
        assert asked["analyses"]
        assert len(result.op) > 3 or "op" not in asked["analyses"]
        assert all(v.shape == result.frequencies.shape for v in result.ac.values())


@needs_ngspice
def test_recordings_hold(capsys: pytest.CaptureFixture[str]) -> None:
    if version() != RECORDED_BY:
        pytest.skip(f"recorded with ngspice {RECORDED_BY}, here is {version()}")
    assert main([str(Path(__file__).parent / "recorded"), "--check"]) == 0
    assert "largest relative difference" in capsys.readouterr().out


def test_recording_stands_in(monkeypatch: pytest.MonkeyPatch, deck: Deck, oracle: Oracle) -> None:
    monkeypatch.setattr("circuits.analog.ngspice.record.available", lambda: False)
    text = deck("two_volt_180")
    request = read_recording(Path(__file__).parent / "recorded" / "two_volt_180-common-mode.json")
    arguments = {k: v for k, v in request[1].items() if k != "analyses"}
    r, source = oracle("two_volt_180-common-mode", text, ("op", "ac"), **arguments)
    assert source == "ngspice 39, recorded"
    assert r.ac["vs"].dtype == np.complex128
    with pytest.raises(ValueError, match="another deck or request"):
        oracle("two_volt_180-common-mode", text.replace("400f", "401f"), ("op", "ac"), **arguments)
    with pytest.raises(ValueError, match="another deck or request"):
        oracle("two_volt_180-common-mode", text, ("op",))
    with pytest.raises(FileNotFoundError, match="nothing is recorded"):
        oracle("unheard-of", text)


def test_a_missing_recording_fails_with_ngspice_too(
    tmp_path: Path, deck: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # or a test would pass on the machine where it was written, and on no bare one
    monkeypatch.setattr("circuits.analog.ngspice.record.available", lambda: True)
    with pytest.raises(FileNotFoundError, match="nothing is recorded"):
        Oracle(tmp_path)("new", deck("two_tia_180"))


def test_switched_off() -> None:
    code = (
        "from circuits.analog import ngspice; assert not ngspice.available(); "
        "assert not ngspice.available('process'); ngspice.simulate_deck('a\\nr1 1 0 1\\n.end')"
    )
    for word, said in (("off", "switched off"), ("none", "must be 'on', 'off' or unset")):
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "WORKBENCH_NGSPICE": word},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1
        assert said in done.stderr


# --- closed forms -----------------------------------------------------------------------------


@needs_ngspice
@settings(max_examples=12, deadline=None)
@given(
    r=st.floats(1.0, 1e6), c=st.floats(1e-15, 1e-9), f=st.floats(1e2, 1e9), t=st.floats(-40, 125)
)
def test_rc_low_pass(r: float, c: float, f: float, t: float) -> None:
    deck = f"rc\nv1 in 0 dc .5 ac 1\nr1 in out {r!r}\nc1 out 0 {c!r}\n"
    found = [
        simulate_deck(
            deck,
            ("op", "ac", "noise"),
            freqs=[f],
            temp=t,
            noise_output="out",
            noise_source="v1",
            mode=mode,
        )
        for mode in BOTH
    ]
    h = 1 / (1 + 2j * math.pi * f * r * c)
    thermal = 4 * BOLTZMANN * (t + 273.15) * r
    for result in found:
        np.testing.assert_allclose(result.transfer("out"), h, rtol=1e-12)
        np.testing.assert_allclose(result.noise, thermal * abs(h) ** 2, rtol=NOISE_RTOL)
        np.testing.assert_allclose(result.inoise, thermal, rtol=NOISE_RTOL)
        assert result.voltage("out") == pytest.approx(0.5, rel=1e-12)
        assert abs(result.currents["v1"]) < 1e-12
    np.testing.assert_array_equal(found[0].ac["out"], found[1].ac["out"])


@needs_ngspice
@pytest.mark.parametrize("mode", BOTH)
def test_transient_of_a_step(mode: str) -> None:
    deck = "step\nv1 in 0 pwl(0 0 1n 0 1.001n 1 1 1)\nr1 in out 1k\nc1 out 0 1p\n"
    r = simulate_deck(
        deck, ("tran",), tran=Transient(np.float64(1e-11), 6e-9, max_step=1e-11), mode=mode
    )
    assert r.time is not None
    late = r.time > 1.1e-9
    expected = 1 - np.exp(-(r.time[late] - 1.0005e-9) / 1e-9)
    np.testing.assert_allclose(r.tran["out"][late], expected, atol=1e-4)
    assert r.time[-1] == pytest.approx(6e-9)


@needs_ngspice
@pytest.mark.parametrize("mode", BOTH)
def test_signs_and_names(mode: str) -> None:
    r = simulate_deck(DIVIDER + "I2 OUT 0 dc 1m\n", ("op", "ac"), freqs=[1.0], mode=mode)
    assert set(r.op) == {"0", "in", "out"}
    assert r.op["0"] == 0.0
    # 2 V behind 1k, 3k to ground, 1 mA drawn from the output
    assert r.voltage("OUT") == pytest.approx((2e-3 - 1e-3) * 750)
    assert r.currents["v1"] == pytest.approx(-(2 - 0.75) / 1e3)  # a source that delivers: negative
    assert abs(r.transfer("out")[0]) == pytest.approx(0.75, rel=1e-9)
    assert r.ac["0"].shape == (1,)
    assert r.inoise is None


@needs_ngspice
@pytest.mark.parametrize("mode", BOTH)
@pytest.mark.parametrize(
    ("card", "probe"),
    [
        ("nmos level=54 version=4.8", "@m1[gm]"),
        ("nmos level=8 version=3.3.0 vth0=.4 tox=5n", "@m1[gm]"),
        ("nmos level=1 vto=.4 kp=200u lambda=.1", "@m1[gm]"),
    ],
)
def test_users_own_models(card: str, probe: str, mode: str) -> None:
    deck = (
        "common source\nvdd vdd 0 1.2\nvin g 0 dc .75 ac 1\nrd vdd d 2k\n"
        f"m1 d g 0 0 own w=10u l=1u\n.model own {card}\n"
    )
    r = simulate_deck(
        deck,
        ("op", "ac", "noise"),
        freqs=[1e3, 1e6],
        noise_output="d",
        noise_source="vin",
        probes=(probe, "@m1[gds]", "@m1[id]"),
        mode=mode,
    )
    gm, gds, current = (r.probes[k] for k in (probe, "@m1[gds]", "@m1[id]"))
    assert gm > 1e-5
    assert current == pytest.approx((1.2 - r.op["d"]) / 2e3, rel=1e-6)
    assert r.transfer("d")[0] == pytest.approx(-gm / (1 / 2e3 + gds), rel=1e-4)
    assert r.noise is not None
    load = 4 * BOLTZMANN * 300.15 / 2e3 / (1 / 2e3 + gds) ** 2
    assert np.all(r.noise > load)


@needs_ngspice
@pytest.mark.parametrize("mode", BOTH)
def test_a_kit_of_binned_models_in_subcircuits(mode: str, tmp_path: Path) -> None:
    """The shape of SKY130's files: sections, mismatch parameters, bins, a subcircuit per device."""
    bins = "".join(
        f".model nfet__model.{k} nmos\n+ lmin={low} lmax={high} wmin=0.9u wmax=1.1u level=54 "
        f"version=4.5 tnom=30\n+ toxe={{4.1n*toxe_mult}} vth0={{{vth0}+vth0_diff_{k}}} u0=0.03\n"
        for k, (low, high, vth0) in enumerate((("0.1u", "0.2u", 0.48), ("0.9u", "1.1u", 0.55)))
    )
    device = (
        ".subckt nfet d g s b\n.param l=1 w=1 nf=1\n"
        f"mnfet d g s b nfet__model l={{l}} w={{w}} nf={{nf}}\n{bins}.ends nfet\n"
    )
    kit = tmp_path / "kit.lib.spice"
    kit.write_text(
        "* a kit\n"
        f".lib tt\n.param toxe_mult=1 vth0_diff_0=-0.01 vth0_diff_1=0.02\n{device}.endl tt\n"
        f".lib ff\n.param toxe_mult=1 vth0_diff_0=-0.01 vth0_diff_1=-0.05\n{device}.endl ff\n",
        encoding="utf-8",
    )
    thresholds = {}
    for corner, length in (("tt", "0.15u"), ("ff", "0.15u"), ("tt", "1u"), ("ff", "1u")):
        deck = (
            f"kit\n.lib {kit} {corner}\nvdd vdd 0 1.8\nvin g 0 dc 0.9 ac 1\nrd vdd d 1k\n"
            f"xm1 d g 0 0 nfet w=1u l={length}\n"
        )
        probes = tuple(f"@m.xm1.mnfet[{what}]" for what in ("gm", "gds", "id", "vth"))
        r = simulate_deck(deck, ("op", "ac"), freqs=[1e3], probes=probes, mode=mode)
        gm, gds, current, thresholds[corner, length] = (r.probes[k] for k in probes)
        assert current == pytest.approx((1.8 - r.op["d"]) / 1e3, rel=1e-6)
        assert r.transfer("d")[0] == pytest.approx(-gm / (1e-3 + gds), rel=1e-4)
    # the long device alone is in the bin that the corner moves
    assert thresholds["ff", "0.15u"] == pytest.approx(thresholds["tt", "0.15u"], abs=1e-3)
    moved = thresholds["ff", "1u"] - thresholds["tt", "1u"]
    assert moved == pytest.approx(-0.07, abs=1e-3)


@needs_ngspice
@pytest.mark.parametrize("mode", BOTH)
def test_includes_are_found_and_nothing_is_left_behind(
    mode: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "My Models"
    folder.mkdir()
    (folder / "Cards.inc").write_text(".model own nmos level=49 vth0=.4 tox=5n\n")
    (tmp_path / "Corners.lib").write_text(
        ".lib tt\n.param rd=2k\n.endl\n.lib ss\n.param rd=3k\n.endl\n"
    )
    monkeypatch.chdir(tmp_path)
    deck = (
        "included\n.include 'My Models/Cards.inc'\n.lib Corners.lib ss\n"
        "vdd vdd 0 1\nr1 vdd d {rd}\nm1 d vdd 0 0 own w=1u l=1u\n"
    )
    r = simulate_deck(deck, mode=mode, probes=["@m1[id]"])
    assert r.probes["@m1[id]"] == pytest.approx((1 - r.op["d"]) / 3e3, rel=1e-6)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["Corners.lib", "My Models"]


@needs_ngspice
def test_modes_agree_to_the_last_bit(deck: Deck) -> None:
    for name, pair, source in (
        ("two_tia_180", ("out2", "0"), "iin"),
        ("three_tia_ee114", ("vouta", "voutb"), "iina"),
    ):
        a, b = (
            simulate_deck(
                deck(name),
                ("op", "ac", "noise"),
                freqs=Sweep(1e5, 1e10, 5),
                noise_output=pair,
                noise_source=source,
                mode=mode,
            )
            for mode in BOTH
        )
        assert a.op == b.op
        assert a.currents == b.currents
        for node in a.ac:
            np.testing.assert_array_equal(a.ac[node], b.ac[node])
        np.testing.assert_array_equal(a.noise, b.noise)


@needs_ngspice
@pytest.mark.parametrize("mode", BOTH)
def test_no_frequencies_and_odd_titles(mode: str) -> None:
    deck = DIVIDER.replace("divider", "Error amplifier, aborted: not parsed", 1)
    r = simulate_deck(deck, ("op", "ac"), freqs=[], mode=mode)
    assert r.voltage("out") == pytest.approx(1.5)
    assert r.frequencies.shape == (0,)


@needs_ngspice
def test_children_do_not_share_a_worker() -> None:
    simulate_deck(DIVIDER)  # leaves an idle worker behind
    script = (
        "import os, sys\n"
        "from circuits.analog.ngspice import simulate_deck\n"
        f"deck = {DIVIDER!r}\n"
        "simulate_deck(deck)\n"
        "child = os.fork()\n"
        "good = all(abs(simulate_deck(deck).op['out'] - 1.5) < 1e-9 for _ in range(50))\n"
        "if child == 0:\n    os._exit(not good)\n"
        "sys.exit(not good or os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr
