# SPDX-License-Identifier: Apache-2.0
"""The benchmarks run, agree with their peers, and write well-formed results."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"

if not FOLDER.is_dir():
    pytest.skip("benchmarks/ is not part of this tree", allow_module_level=True)


def _run(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if k != "WORKBENCH_BENCH_THREADS"}
    return subprocess.run(
        [sys.executable, "-W", "ignore", str(FOLDER / f"{name}.py"), *arguments],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )


@pytest.mark.parametrize("name", ["statevector", "noise", "spgemm", "shortest_paths"])
def test_quick_run_agrees_with_every_peer_and_saves_what_it_found(
    name: str, tmp_path: Path
) -> None:
    if name == "spgemm":
        pytest.importorskip("workbench.ops.spgemm")
    if name == "shortest_paths":
        pytest.importorskip("scipy.sparse")
    done = _run(name, "--quick", "--save", str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((tmp_path / f"{name}-t1.json").read_text(encoding="utf-8"))
    assert report["threads"] == 1
    assert report["machine"]["cores_used"] == 1 or not hasattr(os, "sched_setaffinity")
    assert "--quick" in report["command"]
    assert report["cases"]
    for case in report["cases"]:
        ours = [row for row in case["rows"] if row["package"] == "workbench"]
        assert ours
        assert all(row["status"] == "" for row in ours)
        for row in case["rows"]:
            if row["status"]:
                assert "install it with" in row["status"]
            else:
                assert row["calls"] >= 1
                assert row["q25_ms"] <= row["median_ms"] <= row["q75_ms"]
                assert row["deviation"] is None or row["deviation"] <= 0.05
        assert any(row["ratio"] is not None for row in ours)
    text = (tmp_path / f"{name}-t1.md").read_text(encoding="utf-8")
    assert all(f"## {case['key']}" in text for case in report["cases"])


@pytest.mark.parametrize(
    "name", ["statevector", "noise", "spgemm", "shortest_paths", "circuit_sim"]
)
def test_help_names_every_shared_option(name: str) -> None:
    done = _run(name, "--help")
    assert done.returncode == 0
    for option in ("--threads", "--refcheck", "--quick", "--save", "--peer", "--gate"):
        assert option in done.stdout


def test_more_threads_than_cores_are_refused() -> None:
    done = _run("statevector", "--threads", "100000")
    assert done.returncode == 2
    assert "--threads must be 1 to" in done.stderr


def test_goals_name_cases_and_positive_ratios(module: Any) -> None:
    goals = module("results").load_goals(FOLDER / "goals.toml")
    assert {goal.benchmark for goal in goals.goals} == {
        "statevector",
        "noise",
        "spgemm",
        "shortest_paths",
        "circuit_sim",
    }
    torchquantum = {g.case: g.ratio for g in goals.goals if g.peer == "torchquantum"}
    assert torchquantum == {"A n=4": 25, "A n=8": 25, "A n=10": 25}
    assert {(t.case, t.ms) for t in goals.targets if t.benchmark == "statevector"} >= {
        ("A n=4", 0.4),
        ("A n=12", 35),
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[goal]]\nbenchmark='x'\ncase='y'\npeer='z'\nratio=0\n", "positive"),
        ("[[goal]]\nbenchmark='x'\n", "missing"),
        ("[[goals]]\n", "unknown tables"),
    ],
)
def test_malformed_goals_are_refused(module: Any, tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "goals.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=said):
        module("results").load_goals(path)


def test_deviation_is_relative_to_the_largest_entry_and_at_least_one(module: Any) -> None:
    deviation = module("harness").deviation
    assert deviation({"z": np.array([0.5])}, {"z": np.array([0.25])}) == 0.25
    assert deviation({"z": np.array([9.0, 0.0])}, {"z": np.array([10.0, 0.0])}) == 0.1


@pytest.mark.parametrize(
    ("theirs", "said"),
    [({"y": [1.0]}, "no common"), ({"z": [1.0, 2.0]}, "shape"), ({"z": [float("nan")]}, "finite")],
)
def test_deviation_refuses_what_cannot_be_compared(
    module: Any, theirs: dict[str, list[float]], said: str
) -> None:
    arrays = {name: np.array(values) for name, values in theirs.items()}
    with pytest.raises(ValueError, match=said):
        module("harness").deviation({"z": np.array([1.0])}, arrays)


def test_a_contender_that_disagrees_is_not_timed_and_fails_the_run(module: Any) -> None:
    harness, results, machine = module("harness"), module("results"), module("machine")
    console = importlib.import_module("rich.console").Console(quiet=True)
    options = importlib.import_module("argparse").Namespace(
        refcheck=True, repeats=2, seconds=0.0, max_seconds=1.0
    )

    def contender(package: str, value: float) -> Any:
        prepared = harness.Prepared(lambda: None, lambda k: {"z": np.full(k, value)}, 3, 1e-9)
        known = harness.Package(package, package, "json", "nothing to install")
        return harness.Contender(known, "", "float64", lambda: prepared)

    contenders = [contender("workbench", 1.0), contender("right", 1.0), contender("wrong", 1.5)]
    case = harness.Case("case", "title", 3, contenders)
    found = harness.run_case(case, options, machine.Peaks(1.0, 1.0, 1.0), console)
    by_name = {row.package: row for row in found.rows}
    assert by_name["right"].median_ms is not None
    assert by_name["wrong"].median_ms is None
    assert by_name["wrong"].status.startswith("disagrees: 3.3e-01")
    report = results.Report("n", "c", 1, True, machine.describe(), None, "", "", cases=[found])
    assert report.exit_status(gate=False) == 1


def test_goals_take_the_fastest_of_a_peer_and_scaled_times_count(module: Any) -> None:
    results = module("results")
    rows = [
        results.Row(p, v, "float32", "") for p, v in (("workbench", ""), ("p", "a"), ("p", "b"))
    ]
    rows[2].scale = 2.0
    for row, seconds in zip(rows, (0.001, 0.05, 0.02), strict=True):
        row.record([seconds] * 3, [seconds] * 3)
    found = results.CaseResult("k", "t", 1, rows)
    goals = results.Goals((results.Goal("n", "k", "p", 25), results.Goal("n", "k", "p", 45)))
    found.judge(goals, "n", 1)
    assert [round(v.ratio) for v in found.verdicts] == [40, 40]
    assert [v.status for v in found.verdicts] == ["met", "missed"]


def test_merged_encoder_equals_the_product_of_its_gates(module: Any) -> None:
    quantum_info = pytest.importorskip("qiskit.quantum_info")
    library = importlib.import_module("qiskit.circuit.library")
    workload = module("workload")
    work = workload.Workload(2, samples=3)
    merged = module("aer_noise").encoder_angles(work)
    gates = {"rx": library.RXGate, "ry": library.RYGate, "rz": library.RZGate}
    for sample in range(3):
        for wire in range(2):
            product = np.eye(2)
            for layer, name in enumerate(workload.ENCODER):
                angle = work.inputs()[sample, 2 * layer + wire]
                product = gates[name](angle).to_matrix() @ product
            u3 = library.UGate(*merged[sample, 3 * wire : 3 * wire + 3])
            # equal up to the global phase, which no probability sees
            assert quantum_info.Operator(u3).equiv(quantum_info.Operator(product))


def test_torchquantum_shim_leaves_no_stand_ins_behind() -> None:
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import torchquantum_shim as shim\n"
        "try:\n    tq = shim.import_torchquantum()\n"
        "except ImportError as error:\n    print(error); sys.exit(5)\n"
        "device = tq.QuantumDevice(n_wires=1, bsz=1)\n"
        "device.rx(wires=0, params=0.5)\n"
        "left = [m for m in sys.modules.values() if type(m).__name__ == '_AbsentModule']\n"
        "assert not left, left\n"
        "import qiskit; assert not hasattr(qiskit, 'execute')\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script, str(FOLDER)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 5:
        assert "pip install --no-deps torchquantum" in done.stdout
        pytest.skip("torchquantum is not installed")
    assert done.returncode == 0, done.stderr
