# SPDX-License-Identifier: Apache-2.0
"""What the circuit benchmark simulates, counts and judges by."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"

if not FOLDER.is_dir():
    pytest.skip("benchmarks/ is not part of this tree", allow_module_level=True)


def _ngspice() -> None:
    from circuits.analog.ngspice import available

    if not (available("library") and available("process")):
        pytest.skip("ngspice is not installed")


def _options(**changes: Any) -> argparse.Namespace:
    return argparse.Namespace(**{"quick": False, "threads": 1, "sizings": 4096, **changes})


@pytest.mark.parametrize("name", ["Two-TIA", "Three-TIA", "Two-Volt", "LDO"])
def test_a_sizing_is_the_same_as_a_deck_and_as_parameters(module: Any, name: str) -> None:
    from circuits.analog import read_spice

    work_module = module("circuit_sim_work")
    amplifier = work_module.AMPLIFIERS[name]
    work = work_module.Sizings(amplifier, 5)
    assert sorted(name for group in work.groups for name in group) == sorted(
        line.split()[0] for line in amplifier.text.splitlines() if line.startswith("m")
    )
    together = work.circuit.simulate(work.values(), amplifier.frequencies[::40])
    assert int(together.status.max()) < 3
    for i in range(5):
        alone = read_spice(work.deck(i)).simulate(None, amplifier.frequencies[::40])
        for node in work.circuit.nodes[1:]:
            assert together.voltage(node)[i] == alone.voltage(node)[0]
            np.testing.assert_array_equal(together.ac(node)[:, i], alone.ac(node)[:, 0])
        for group, names in enumerate(work.groups):
            for device in names:
                value = repr(float(work.widths[group, i]))
                assert f"alter @{device}[w]={value}" in work.alterations(i)
                assert f"w={value} " in work.deck(i)
    ratio = work.widths / work_module.Sizings(amplifier, 1000).widths.mean(axis=1)[:, None]
    assert 0.1 < ratio.min() < ratio.max() < 4.0


def test_matched_transistors_stay_matched(module: Any) -> None:
    work_module = module("circuit_sim_work")
    groups = work_module.Sizings(work_module.AMPLIFIERS["Two-Volt"], 1).groups
    assert ["mb", "m0", "m7", "m8", "mc0"] in groups
    assert ["m3", "m4", "m5", "m6", "mc3", "mc4"] in groups


def test_frequencies_are_those_of_an_ngspice_sweep(module: Any) -> None:
    _ngspice()
    from circuits.analog.ngspice import Sweep, simulate_deck

    for amplifier in module("circuit_sim_work").AMPLIFIERS.values():
        sweep = Sweep(amplifier.low, amplifier.high, 20)
        found = simulate_deck(amplifier.text, ("ac",), freqs=sweep)
        np.testing.assert_allclose(found.frequencies, amplifier.frequencies, rtol=1e-15)


def _swept() -> dict[str, Any]:
    f = np.array([1.0, 10.0, 100.0, 1000.0])
    h = np.array([2.0, 2.5, 1.2, 0.1])[:, None] + 0j
    return {
        "potentials": np.ones((3, 1)),
        "transfer": h,
        "noise": np.full((4, 1), 1e-17),
        "frequencies": f,
    }


def test_every_kind_of_result_counts_in_its_own_measure(module: Any) -> None:
    deviation = module("circuit_sim_work").deviation
    for name, change, expected in (
        ("potentials", 1e-3, 1e-3),
        ("transfer", 1e-3, 1e-3 / 2.5),
        ("noise", 1e-20, 1e-3),
    ):
        other = _swept()
        other[name] = other[name] + change
        assert deviation(other, _swept()) == pytest.approx(expected)
    assert deviation(_swept(), _swept()) == 0.0
    wrong = _swept()
    wrong["noise"] = wrong["noise"] * np.nan
    with pytest.raises(ValueError, match="not finite"):
        deviation(_swept(), wrong)
    with pytest.raises(ValueError, match="no common"):
        deviation({"potentials": np.ones(1)}, {"noise": np.ones(1)})
    with pytest.raises(ValueError, match="shape"):
        deviation({"noise": np.ones(1)}, {"noise": np.ones(2)})


@pytest.mark.parametrize(
    ("kind", "right", "wrong"),
    [(0, 50.0, 500.0), (1, 200.0, 50.0), (2, 20.0, 200.0), (0, 10.0, np.nan)],
)
def test_directed_frequencies_must_lie_where_the_sweep_has_them(
    module: Any, kind: int, right: float, wrong: float
) -> None:
    deviation = module("circuit_sim_work").deviation

    def directed(value: float) -> dict[str, Any]:
        return {"potentials": np.ones((3, 1)), "found": [[value]], "kinds": [kind]}

    assert deviation(_swept(), directed(right)) == 0.0
    for pair in ((_swept(), directed(wrong)), (directed(wrong), _swept())):
        with pytest.raises(ValueError, match=f"request {kind}"):
            deviation(*pair)


def test_a_crossing_that_the_sweep_lacks_must_be_nan(module: Any) -> None:
    deviation = module("circuit_sim_work").deviation
    flat = _swept()
    flat["transfer"] = np.full((4, 1), 2.0 + 0j)
    common = {"potentials": np.ones((3, 1)), "kinds": [1]}
    assert deviation(flat, {**common, "found": [[np.nan]]}) == 0.0
    with pytest.raises(ValueError, match="none"):
        deviation(flat, {**common, "found": [[20.0]]})


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 7), st.integers(0, 2**32 - 1))
def test_fill_and_products_are_those_of_a_numeric_elimination(size: int, seed: int) -> None:
    sys.path.insert(0, str(FOLDER))
    try:
        least_fill = importlib.import_module("circuit_sim_count").least_fill
    finally:
        sys.path.remove(str(FOLDER))
    rng = np.random.default_rng(seed)
    pattern = rng.random((size, size)) < 0.3
    pattern |= pattern.T | np.eye(size, dtype=bool)
    entries = {(int(i), int(j)) for i, j in zip(*np.nonzero(pattern), strict=True)}
    order, filled = least_fill(size, entries)
    assert sorted(order) == list(range(size))
    # numbers that do not cancel: what becomes nonzero is fill
    a = np.where(pattern, rng.uniform(1.0, 2.0, (size, size)), 0.0) + 10 * size * np.eye(size)
    a = a[np.ix_(order, order)]
    for k in range(size):
        a[k + 1 :, k] /= a[k, k]
        a[k + 1 :, k + 1 :] -= np.outer(a[k + 1 :, k], a[k, k + 1 :])
    place = {unknown: k for k, unknown in enumerate(order)}
    found = {(place[i], place[j]) for i, j in filled}
    assert found == {(int(i), int(j)) for i, j in zip(*np.nonzero(a), strict=True)}


def test_counts_of_a_circuit_one_can_do_by_hand(module: Any) -> None:
    from circuits.analog import read_spice

    deck = "chain\nv1 a 0 dc 1 ac 1\nr1 a b 1k\nr2 b c 1k\nc1 c 0 1p\n.end\n"
    program = read_spice(deck).lower().program
    count = module("circuit_sim_count")
    found = count.count(program)
    # b and c are unknown; L + U has 4 entries, of one product
    assert found == count.Counts(unknowns=2, entries=4, factors=4, pairs=1, noisy=2)
    assert found.flop == 4 + (8 * 1 + 6 * 1 + 6 * 2) + (8 * 2 + 6 * 2) + 7 * 2
    bound = count.sweep_bound(program, 10, 3)["float64"]
    assert bound.flop == 30 * found.flop
    assert bound.bytes == 8 * 3 * (program.n_rows + program.n_nodes + 30)


@pytest.mark.parametrize("kind", ["op", "sweep"])
def test_all_ways_of_running_ngspice_agree_with_ours(module: Any, kind: str) -> None:
    _ngspice()
    work_module, peers = module("circuit_sim_work"), module("circuit_sim_peers")
    ours_module = module("circuit_sim_ours")
    work = work_module.Sizings(work_module.AMPLIFIERS["Two-TIA"], 4)
    build = ours_module.operating if kind == "op" else ours_module.sweep
    ours = build(work, 1)
    ways = [peers.processes(work, kind, 3, 2)]
    ways += [peers.library(work, kind, way, 3, 2) for way in ("reload", "alter")]
    for way in ways:
        way.run()
        assert way.samples == 3
        assert work_module.deviation(ours.outputs(3), way.outputs(3)) < 1e-12
    other = work_module.Sizings(work_module.AMPLIFIERS["Two-TIA"], 4, seed=6)
    assert work_module.deviation(build(other, 1).outputs(3), ways[0].outputs(3)) > 1e-3


def test_what_ngspice_cannot_do_is_said(module: Any) -> None:
    _ngspice()
    work_module, peers = module("circuit_sim_work"), module("circuit_sim_peers")

    class Broken(work_module.Sizings):  # type: ignore[misc, name-defined]
        def alterations(self, i: int) -> list[str]:
            return ["alter @nobody[w]=1e-6"]

    work = Broken(work_module.AMPLIFIERS["LDO"], 2)
    task = peers._Task(work, ["op"], ["nowhere"], "reload", ())
    import multiprocessing
    import threading

    ours, theirs = multiprocessing.Pipe()
    helper = threading.Thread(target=_serve_once, args=(peers, theirs, task), daemon=True)
    helper.start()
    ours.send(([0], True))
    assert "ngspice made no nowhere" in ours.recv()


def _serve_once(peers: Any, pipe: Any, task: Any) -> None:
    """The helper's loop over a library that answers like ngspice but has no such node."""
    from circuits.analog.ngspice import library

    class Fake:
        exited = False

        def command(self, text: str) -> int:
            return 0

        def circuit(self, lines: list[str]) -> int:
            return 0

        def vector(self, name: str) -> Any:
            return np.ones(1) if name == "vdd#branch" else None

        def take_lines(self) -> list[str]:
            return ["stderr Error: no such vector"]

    real, library.Library = library.Library, Fake  # type: ignore[misc, assignment]
    try:
        peers._serve(pipe, task)
    finally:
        library.Library = real  # type: ignore[misc]


def test_the_load_step_is_as_exact_as_it_is_said(module: Any) -> None:
    _ngspice()
    tran = module("circuit_sim_tran")
    case = tran.transient_case(2, small=True)
    built = {c.label: c.build() for c in case.contenders}
    assert len(built) == 6
    for label, prepared in built.items():
        outputs = prepared.outputs(1)
        limit = 1e-3 if "accurate" in label else 2e-2
        assert 0 < outputs["error"][0] < limit, label
        assert 0.3 < np.ptp(outputs["waveform"]) < 0.4  # the answer to the step is among them
    first = built["workbench accurate"].outputs(1)
    shifted = {**first, "waveform": first["waveform"] + 0.25}
    assert tran.waveform_deviation(first, shifted) == pytest.approx(0.25)
    with pytest.raises(ValueError, match="not finite"):
        tran.waveform_deviation(first, {"waveform": first["waveform"] * np.nan})


def test_every_goal_finds_its_case_and_its_variants(module: Any) -> None:
    bench = module("circuit_sim")
    goals = module("goals").load_goals(FOLDER / "goals.toml")
    matches = module("goals").matches
    mine = [goal for goal in goals.goals if goal.benchmark == "circuit_sim"]
    assert {goal.ratio for goal in mine} >= {1000, 400, 100, 0.25}
    for threads in (1, 2):
        cases = bench._cases(_options(threads=threads))
        keys = [case.key for case in cases]
        assert len(keys) == len(set(keys)) == 13
        for goal in mine:
            if goal.threads not in (0, threads):
                continue
            fitting = [case for case in cases if matches(case.key, goal.case)]
            assert fitting, goal
            for case in fitting:
                ours = [c for c in case.contenders if c.package.name == "workbench"]
                assert any(matches(c.variant, goal.ours) for c in ours)
                assert any(
                    matches(c.variant, goal.variant)
                    for c in case.contenders
                    if matches(c.package.name, goal.peer)
                ), (goal, case.key)
    with pytest.raises(SystemExit, match="--sizings"):
        bench._cases(_options(sizings=0))


def test_quick_run_agrees_with_every_peer_and_saves_what_it_found(tmp_path: Path) -> None:
    environment = {k: v for k, v in os.environ.items() if k != "WORKBENCH_BENCH_THREADS"}
    done = subprocess.run(
        [sys.executable, str(FOLDER / "circuit_sim.py"), "--quick", "--save", str(tmp_path)],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((tmp_path / "circuit_sim-t1.json").read_text(encoding="utf-8"))
    assert len(report["cases"]) == 7
    for case in report["cases"]:
        for row in case["rows"]:
            if row["status"]:
                assert row["package"] != "workbench"
                assert "install it with" in row["status"]
            else:
                assert row["calls"] >= 1


def test_accuracy_is_measured_and_would_show_a_difference(module: Any) -> None:
    _ngspice()
    accuracy = module("circuit_sim_accuracy")
    found = accuracy.measure("Three-TIA", 85.0, 2)
    assert found.unsolved == 0
    assert 0 < found.potentials < 1e-12
    assert 0 < found.transfer_of_largest <= found.transfer < 1e-12
    assert 0 < found.noise < 1e-12


def _row(package: str, variant: str, ms: float | None, **more: Any) -> dict[str, Any]:
    return {
        "package": package,
        "variant": variant,
        "median_ms": ms,
        "share": None,
        "note": "",
        **more,
    }


def test_the_page_is_written_from_results_and_from_nothing_else(
    module: Any, tmp_path: Path
) -> None:
    page = module("circuit_sim_page")
    assert "No run is kept yet" in page.measured(tmp_path)
    missed = {"status": "missed", "peer": "ngspice -b", "ratio": 500.0, "goal": 1000.0}
    two = [
        {
            "key": "Two-TIA sweep",
            "samples": 1000,
            "rows": [
                _row("workbench", "sweep", 4.0, share=0.25),
                _row("workbench", "operators", 3.0),
                _row("workbench", "operators, gradients", 9.0),
                _row("ngspice -b", "one process each", 2000.0),
                _row("libngspice", "reload", None),
                _row("libngspice", "alter", 480.0),
            ],
            "verdicts": [missed, {**missed, "status": "met"}],
        },
        {
            "key": "LDO transient",
            "samples": 10,
            "rows": [
                _row("workbench", "accurate", 2.0, note="so exact"),
                _row("ngspice -b", "one process each, accurate", 60.0),
                _row("libngspice", "alter, accurate", 30.0),
            ],
            "verdicts": [],
        },
    ]
    one = [{**two[0], "samples": 500, "verdicts": []}]
    for threads, cases in ((1, one), (2, two)):
        path = tmp_path / f"circuit_sim-t{threads}.json"
        path.write_text(json.dumps({"threads": threads, "cases": cases}), encoding="utf-8")
    kept = {
        "ngspice": "39",
        "rows": [
            {
                "amplifier": "LDO",
                "celsius": celsius,
                "sizings": 3,
                "unsolved": 0,
                "potentials": 1e-14 * (1 + celsius),
                "transfer": 2e-12,
                "transfer_of_largest": 3e-13,
                "noise": 4e-13,
            }
            for celsius in (0.0, 4.0)
        ],
    }
    (tmp_path / "circuit_sim-accuracy.json").write_text(json.dumps(kept), encoding="utf-8")
    text = page.measured(tmp_path)
    assert "| Two-TIA sweep | 4 | 8 | 25% | 3 | 500 |  | 120 |  |" in text
    assert "accurate: 200 us each (so exact); ngspice -b takes 30 times as long" in text
    assert "Of 2 goals 1 are met; missed: `Two-TIA sweep` ngspice -b 500 (goal 1000" in text
    assert "ngspice 39 at 0, 4 C" in text
    assert "| LDO | 6 | 0 | 5e-14 | 2e-12 | 3e-13 | 4e-13 |" in text


def test_the_page_shows_what_the_kept_results_say(module: Any) -> None:
    page = module("circuit_sim_page")
    shown = page.PAGE.read_text(encoding="utf-8")
    expected = page.with_table(shown, page.measured())
    assert shown == expected, "run python benchmarks/circuit_sim_page.py"
