# SPDX-License-Identifier: Apache-2.0
"""ngspice beside us: raw files, refused decks, crashes, and one deck altered many times."""

from __future__ import annotations

import math
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circuits.analog.ngspice import (
    DeckResult,
    LoadedDeck,
    NgspiceError,
    Sweep,
    Transient,
    available,
    simulate_deck,
    version,
)
from circuits.analog.ngspice.rawfile import read_rawfile
from circuits.analog.ngspice.worker import lend, take_back

needs_ngspice = pytest.mark.skipif(
    not (available("library") and available("process")),
    reason="ngspice is not installed (apt-get install libngspice0 ngspice)",
)
BOTH = ("library", "process")
Deck = Callable[[str], str]

DIVIDER = "divider\nv1 in 0 dc 2 ac 1\nr1 in out 1k\nr2 out 0 3k\nc1 out 0 1p\n"


# --- raw files ------------------------------------------------------------------------------


@settings(deadline=None)
@given(
    values=st.lists(
        st.lists(st.floats(allow_nan=False), min_size=3, max_size=3), min_size=1, max_size=5
    ),
    complex_=st.booleans(),
    text=st.booleans(),
)
def test_rawfile_round_trip(values: list[list[float]], complex_: bool, text: bool) -> None:
    table = np.array(values)
    if complex_:
        table = np.stack([table, table[::-1]], axis=-1).view(np.complex128)[..., 0]
    head = (
        f"Title: x\nDate: y\nPlotname: AC Analysis\nFlags: {'complex' if complex_ else 'real'}\n"
        f"No. Variables: 3\nNo. Points: {len(table)}\nVariables:\n"
        "\t0\tfrequency\tfrequency\n\t1\tv(out)\tvoltage\n\t2\ti(v1)\tcurrent\n"
    ).encode()
    if text:
        rows = []
        for i, row in enumerate(table.tolist()):
            words = [f"{x.real!r},{x.imag!r}" if complex_ else repr(x) for x in row]
            rows.append(f"{i}\t{words[0]}\n\t{words[1]}\n\t{words[2]}\n\n")
        one = head + b"Values:\n" + "".join(rows).encode()
    else:
        one = head + b"Binary:\n" + table.tobytes()
    plots = read_rawfile(one + (b"\n" if text else b"") + one)
    assert [plot.name for plot in plots] == ["AC Analysis"] * 2
    for plot in plots:
        for i, name in enumerate(("frequency", "v(out)", "i(v1)")):
            np.testing.assert_array_equal(plot.vectors[name], table[:, i])
    with pytest.raises(ValueError, match="rawfile"):
        read_rawfile(one[: len(head) + 12])
    with pytest.raises(ValueError, match="rawfile"):
        read_rawfile(b"no raw file at all")


# --- failures ---------------------------------------------------------------------------------

BAD_DECKS = {
    "undefined parameter": ("t\nv1 1 0 1\nr1 1 0 {foo}", "Undefined parameter"),
    "unknown model": ("t\nv1 1 0 1\nm1 1 1 0 0 nomodel w=1u l=1u", "nomodel"),
    "unknown level": ("t\nv1 1 0 1\nm1 1 1 0 0 x\n.model x nmos level=99", "valid modelname"),
    "unknown element": ("t\nv1 1 0 1\nr1 1 0 1\nzfoo 1 0", "zfoo"),
    "unknown subcircuit": ("t\nv1 1 0 1\nr1 1 0 1\nx1 1 0 nosub", "nosub"),
    "missing include": ("t\nv1 1 0 1\n.include nofile.inc\nr1 1 0 1k", "nofile"),
    "unknown instance parameter": ("t\nv1 1 0 1\nr1 1 0 1k foo=3", "foo"),
    "contradicting sources": ("t\nv1 1 0 1\nv2 1 0 2\nr1 1 0 1", "aborted"),
}


@needs_ngspice
@pytest.mark.parametrize("mode", BOTH)
@pytest.mark.parametrize("what", BAD_DECKS)
def test_bad_decks_are_named_and_spoil_nothing(what: str, mode: str) -> None:
    deck, words = BAD_DECKS[what]
    with pytest.raises(NgspiceError, match=words) as caught:
        simulate_deck(deck, mode=mode)
    assert caught.value.lines
    assert simulate_deck(DIVIDER, mode=mode).voltage("out") == pytest.approx(1.5)


@needs_ngspice
@pytest.mark.parametrize("mode", BOTH)
def test_gmin_stepping_is_no_error(deck: Deck, mode: str) -> None:
    r = simulate_deck(deck("ldo_180_1ma"), mode=mode)
    assert any("gmin stepping" in note for note in r.notes)
    assert r.op["out"] == pytest.approx(1.2006599, abs=1e-6)


@needs_ngspice
@pytest.mark.parametrize("mode", BOTH)
def test_noise_of_what_is_not_there(mode: str) -> None:
    for output, source in (("nowhere", "v1"), ("out", "v7"), ("out", "r1")):
        with pytest.raises(NgspiceError):
            simulate_deck(
                DIVIDER,
                ("noise",),
                freqs=[1.0],
                noise_output=output,
                noise_source=source,
                mode=mode,
            )
    assert simulate_deck(DIVIDER, mode=mode).voltage("out") == pytest.approx(1.5)


@needs_ngspice
def test_a_hung_run_is_stopped() -> None:
    deck = "slow\nv1 1 0 sin(0 1 1meg)\nr1 1 2 1k\nc1 2 0 1p\n"
    for mode in BOTH:
        with pytest.raises(NgspiceError, match="took longer than"):
            simulate_deck(deck, ("tran",), tran=Transient(1e-12, 1.0), mode=mode, timeout=1.0)
    assert simulate_deck(DIVIDER).voltage("out") == pytest.approx(1.5)


@needs_ngspice
def test_a_crash_stays_outside() -> None:
    worker = lend()
    worker._process.kill()
    with pytest.raises(NgspiceError, match="ended unexpectedly"):
        worker.call("run", None)
    take_back(worker)
    assert simulate_deck(DIVIDER).voltage("out") == pytest.approx(1.5)
    idle = lend()
    take_back(idle)
    idle._process.kill()
    idle._process.wait()
    assert simulate_deck(DIVIDER).voltage("out") == pytest.approx(1.5)  # another took its place


def test_missing_library_names_the_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    script = (
        "from circuits.analog.ngspice import available, version, NgspiceError\n"
        "assert not available('library') and not available('process')\n"
        "for mode in ('library', 'process'):\n"
        "    try:\n        version(mode)\n"
        "    except NgspiceError as error:\n        assert 'apt-get install' in str(error), error\n"
    )
    env = {**os.environ, "WORKBENCH_NGSPICE_LIBRARY": "no-such-library.so", "PATH": ""}
    env.pop("WORKBENCH_NGSPICE", None)
    done = subprocess.run(
        [sys.executable, "-c", script], env=env, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr


def test_arguments_are_checked_first() -> None:
    cases: list[tuple[str, dict[str, object], str]] = [
        ("", {}, "deck"),
        ("only a title\n", {}, "deck"),
        (DIVIDER + ".control\nquit\n.endc\n", {}, "control"),
        (DIVIDER, {"analyses": ("dc",)}, "analyses"),
        (DIVIDER, {"analyses": ("ac",)}, "freqs"),
        (DIVIDER, {"analyses": ("ac",), "freqs": [0.0]}, "freqs"),
        (DIVIDER, {"analyses": ("ac",), "freqs": [math.nan]}, "freqs"),
        (DIVIDER, {"analyses": ("noise",), "freqs": [1.0]}, "noise_output"),
        (DIVIDER, {"analyses": ("tran",)}, "tran"),
        (DIVIDER, {"temp": -300.0}, "temp"),
        (DIVIDER, {"temp": math.nan}, "temp"),
        (DIVIDER, {"alter": {"r1; quit": {"resistance": 1.0}}}, "alter"),
        (DIVIDER, {"alter": {"r1": {"resistance": math.inf}}}, "alter"),
        (DIVIDER, {"probes": ["gm"]}, "probes"),
        (DIVIDER, {"mode": "telepathy"}, "mode"),
        (DIVIDER, {"timeout": 0.0}, "timeout"),
        (
            DIVIDER,
            {"analyses": ("noise",), "freqs": [1.0], "noise_output": "a) x", "noise_source": "v1"},
            "noise_output",
        ),
    ]
    for text, arguments, words in cases:
        with pytest.raises(ValueError, match=words):
            simulate_deck(text, **arguments)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="deck"):
        simulate_deck(None)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="start"):
        Sweep(10.0, 1.0)
    with pytest.raises(ValueError, match="step"):
        Transient(1.0, 0.5)


# --- loaded once, altered often ---------------------------------------------------------------


@needs_ngspice
def test_altered_deck_equals_a_new_one(deck: Deck) -> None:
    text = deck("two_tia_180")
    rng = np.random.default_rng(5)
    with LoadedDeck(text) as loaded:
        for w, rf in rng.uniform((1, 200), (10, 2000), (4, 2)).tolist():
            new = text.replace(" w=8u ", f" w={w!r}u ").replace(
                "rf out1 in 420", f"rf out1 in {rf!r}"
            )
            assert new != text
            loaded.alter("M5", w=w * 1e-6)
            loaded.alter("rf", resistance=rf)
            a = loaded.run(("op", "ac", "noise"), freqs=[1e6, 1e9], noise_output="out2")
            b = simulate_deck(new, ("op", "ac", "noise"), freqs=[1e6, 1e9], noise_output="out2")
            _same(a, b)
        loaded.alter_model("n180", vto=0.45, lambda_=0.2)
        a = loaded.run()
        new = re.sub(r"(n180 .*)vto=0.4 (.*)lambda=0.13\d+", r"\1vto=.45 \2lambda=.2", new)
        assert "vto=.45" in new
        assert a.op["out2"] == pytest.approx(simulate_deck(new).op["out2"], abs=1e-10)


@needs_ngspice
def test_alteration_of_what_is_not_there() -> None:
    with LoadedDeck(DIVIDER) as loaded:
        loaded.alter("r1", resistance=3e3)
        assert loaded.run().voltage("out") == pytest.approx(1.0)
        loaded.alter("r9", resistance=1.0)
        with pytest.raises(NgspiceError, match="r9"):
            loaded.run()
        assert loaded.run().voltage("out") == pytest.approx(1.0)  # as before the refused one
    with pytest.raises(NgspiceError, match="not open"):
        loaded.run()


@needs_ngspice
def test_a_replaced_worker_keeps_the_alterations(monkeypatch: pytest.MonkeyPatch) -> None:
    with LoadedDeck(DIVIDER) as loaded:
        loaded.alter("r1", resistance=3e3)
        first = loaded.run().voltage("out")
        monkeypatch.setattr("circuits.analog.ngspice.worker._LIMIT", 0)
        loaded.alter("v1", dc=4.0)
        assert loaded.run().voltage("out") == pytest.approx(2 * first)


@needs_ngspice
def test_two_decks_and_threads_at_once() -> None:
    other = DIVIDER.replace("dc 2", "dc 4")
    with LoadedDeck(DIVIDER) as a, LoadedDeck(other) as b:
        assert (a.run().op["out"], b.run().op["out"]) == pytest.approx((1.5, 3.0))
        assert a.run().op["out"] == pytest.approx(1.5)
    found: dict[int, float] = {}

    def work(i: int) -> None:
        for _ in range(5):
            found[i] = simulate_deck(DIVIDER.replace("dc 2", f"dc {i}")).op["out"]

    threads = [threading.Thread(target=work, args=(i,)) for i in range(1, 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == pytest.approx({i: 0.75 * i for i in range(1, 4)})


@needs_ngspice
def test_memory_stays_bounded(deck: Deck) -> None:
    with LoadedDeck(deck("two_tia_180")) as loaded:
        for i in range(200):
            loaded.alter("m5", w=(5 + i % 7) * 1e-6)
            loaded.run(("op", "ac"), freqs=Sweep(1e6, 1e10, 10))
            if i == 50:
                before = loaded.resident
        assert loaded.resident - before < 20 * 2**20


def _same(a: DeckResult, b: DeckResult) -> None:
    for node in b.op:
        assert a.op[node] == pytest.approx(b.op[node], abs=1e-10)
        np.testing.assert_allclose(a.ac[node], b.ac[node], rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(a.noise, b.noise, rtol=1e-8)


@needs_ngspice
def test_version() -> None:
    assert int(version().split(".")[0]) >= 30
    assert version() == version("process")
